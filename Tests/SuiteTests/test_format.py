"""What is said about messages: the same as Dovecot says, and text in any character set."""

import base64
import os

import compare
import corpus
import culver
from suite import SharedCase, Case, limit, needs, only_culver, only_root

# All of them: CULVER_CORPUS=3000, or `make corpus`.
COUNT = int(os.environ.get("CULVER_CORPUS", "400"))


@only_culver
class Corpus(Case):
    @only_root
    @needs("/usr/sbin/dovecot")
    @limit(300)
    def test_envelope_and_structure_are_what_dovecot_says(self):
        rows, left = compare.explained(list(corpus.messages(COUNT)))
        self.assertEqual([(found.uid, found.item, found.theirs, found.ours) for found in left], [])
        # The explanations are for the odd ones out.
        self.assertLess(sum(count for row, count in rows.items() if not row.startswith(("section", "binary"))), COUNT)

    def test_the_corpus_is_always_the_same(self):
        self.assertEqual(list(corpus.messages(30)), list(corpus.messages(30)))
        self.assertNotEqual(list(corpus.messages(30)), list(corpus.messages(30, seed=2)))


class Charsets(SharedCase):
    """The C library's modules are loaded before the worker is confined; it could not load them."""

    TEXTS = (("gb2312", "gb18030", "\u4f60\u597d"), ("shift_jis", "cp932", "\u65e5\u672c\u8a9e"), ("iso-2022-jp", "iso2022_jp", "\u65e5\u672c\u8a9e"),
             ("euc-kr", "euc_kr", "\uc548\ub155"), ("big5", "big5", "\u4f60\u597d"), ("koi8-r", "koi8_r", "\u041f\u0440\u0438\u0432\u0435\u0442"),
             ("windows-1251", "cp1251", "\u041f\u0440\u0438\u0432\u0435\u0442"), ("utf-16", "utf-16", "\u00e4\u00f6\u00fc"))

    def test_bodies_and_subjects_are_found_in_any_character_set(self):
        client = self.login()
        self.fresh_mailbox(client)
        for number, (charset, codec, text) in enumerate(self.TEXTS, 1):
            encoded = base64.b64encode(text.encode(codec)).decode()
            message = ("Subject: =?%s?B?%s?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=%s\r\nContent-Transfer-Encoding: base64\r\n\r\n%s\r\n"
                       % (charset, encoded, charset, encoded)).encode()
            name = "Set%d" % number
            self.fresh_mailbox(client, name=name)
            self.assertOK(client.append(message, name))
            self.assertOK(client.command("NOOP"))
            for key in ("BODY", "SUBJECT"):
                query = text.encode()
                reply = client.command(b"SEARCH CHARSET UTF-8 %s {%d+}\r\n%s" % (key.encode(), len(query), query))
                self.assertOK(reply)
                self.assertEqual(reply.lines("SEARCH"), [b"SEARCH 1"], (charset, key))
