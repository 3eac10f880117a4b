"""Quota: limits of the configuration and of the user database, for clients and deliveries; where both can, Dovecot is asked the same."""

import os
import re

import culver
from suite import Case, limit, message, only_culver, only_root

PLUGIN = """
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=%s:messages=%s
  quota_rule2 = Trash:storage=+100k
  quota_rule3 = Junk:ignore
}
"""


def big(kilobytes, name="Big"):
    """A message of about that size."""
    return message(name, ("x" * 70 + "\r\n") * (kilobytes * 1024 // 72))


class Quota(Case):
    def quota(self, storage="40k", messages="100", **arguments):
        return self.server(extra=PLUGIN % (storage, messages), **arguments)

    def usage(self, client, root="User quota"):
        line = self.assertOK(client.command('GETQUOTA "%s"' % root)).lines("QUOTA")[0]
        return {name.decode(): (int(used), int(most)) for name, used, most in re.findall(rb"(\w+) (\d+) (\d+)", line)}

    def test_clients_are_shown_the_root_its_usage_and_its_limits(self):
        server = self.quota()
        with server.login("alice") as client:
            for name in (b"QUOTA", b"QUOTA=RES-STORAGE", b"QUOTA=RES-MESSAGE")[:1 if culver.SERVER != "culver" else 3]:
                self.assertIn(name, client.command("CAPABILITY").all().split())
            self.assertOK(client.append(big(10)))
            reply = self.assertOK(client.command("GETQUOTAROOT INBOX"))
            self.assertEqual(reply.lines("QUOTAROOT"), [b'QUOTAROOT INBOX "User quota"'])
            self.assertEqual(len(reply.lines("QUOTA")), 1)
            found = self.usage(client)
            self.assertEqual((found["STORAGE"][1], found["MESSAGE"]), (40, (1, 100)))
            self.assertIn(found["STORAGE"][0], (10, 11))
            self.assertIn(client.command("GETQUOTA nothing").word, ("NO", "BAD"))
            self.assertNO(client.command('SETQUOTA "User quota" (STORAGE 1000)'))
            if culver.SERVER == "culver":  # 2.3 does not know DELETED
                client.command("SELECT INBOX")
                client.command("STORE 1 +FLAGS (\\Deleted)")
                self.assertRegex(client.command("STATUS INBOX (DELETED DELETED-STORAGE)").all(), rb"\(DELETED 1 DELETED-STORAGE 1\d{4}\)")

    def test_what_does_not_fit_is_refused_and_what_goes_makes_room(self):
        server = self.quota()
        with server.login("alice") as client:
            self.assertOK(client.append(big(30)))
            self.assertNO(client.append(big(15)), "OVERQUOTA")
            self.assertOK(client.append(big(5)))
            self.assertOK(client.command("SELECT INBOX"))
            self.assertNO(client.command("COPY 1 INBOX"), "OVERQUOTA")
            self.assertEqual(self.usage(client)["MESSAGE"][0], 2)
            client.command("STORE 1 +FLAGS (\\Deleted)")
            self.assertOK(client.command("EXPUNGE"))
            self.assertEqual(self.usage(client)["MESSAGE"][0], 1)
            self.assertOK(client.append(big(15)))

    @only_culver
    def test_a_message_that_is_announced_too_large_is_not_even_sent(self):
        server = self.quota()
        with server.login("alice") as client:
            client.send(b"a APPEND INBOX {1000000}\r\n")
            self.assertRegex(client.line(), rb"^a NO \[OVERQUOTA\] Quota exceeded \(mailbox for user is full\)")
            client.send(b"b APPEND INBOX {50000+}\r\n" + b"x" * 50000 + b"\r\nc NOOP\r\n")
            self.assertRegex(client.line(), rb"^b NO \[OVERQUOTA\]")
            self.assertRegex(client.line(), rb"^c OK")

    def test_the_number_of_messages_has_a_limit(self):
        server = self.quota("1G", "3")
        with server.login("alice") as client:
            for number in range(3):
                self.assertOK(client.append(message("%d" % number)))
            self.assertNO(client.append(message("4")), "OVERQUOTA")
            client.command("SELECT INBOX")
            self.assertNO(client.command("COPY 1 INBOX"), "OVERQUOTA")

    def test_mailboxes_have_rules_of_their_own(self):
        server = self.quota()
        with server.login("alice") as client:
            for name in ("Trash", "Junk", "Other"):
                self.assertOK(client.command("CREATE " + name))
            self.assertOK(client.append(big(38)))
            self.assertNO(client.append(big(10), "Other"), "OVERQUOTA")
            self.assertOK(client.append(big(60), "Junk"))
            self.assertLess(self.usage(client)["STORAGE"][0], 40, "what is in Junk does not count")
            self.assertOK(client.append(big(20), "Trash"))
            self.assertGreater(self.usage(client)["STORAGE"][0], 55)
            # more than the limit of INBOX is there now, but what is moved to the trash is there already
            client.command("SELECT INBOX")
            self.assertOK(client.command("MOVE 1 Trash"))
            self.assertEqual(self.usage(client)["MESSAGE"][0], 2)

    def test_the_user_database_has_the_last_word(self):
        server = self.quota(start=False)
        with open(server.passwd_path) as file:
            lines = file.read().splitlines()
        lines = [line + ("userdb_quota_rule=*:storage=100k" if line.startswith("alice:") else "") for line in lines]
        with open(server.passwd_path, "w") as file:
            file.write("\n".join(lines) + "\n")
        server.start()
        with server.login("alice") as client:
            self.assertOK(client.append(big(80)))
            self.assertEqual(self.usage(client)["STORAGE"][1], 100)
        with server.login("bob") as client:
            self.assertNO(client.append(big(80)), "OVERQUOTA")

    @only_culver
    def test_it_is_counted_with_the_message_and_cannot_drift(self):
        server = self.quota("10M", "1000")
        with server.login("alice") as client, server.login("alice") as other:
            self.assertOK(client.command("CREATE Box"))
            self.assertOK(client.command("CREATE Far"))
            for number in range(8):
                self.assertOK(client.append(big(number + 1)))
            other.command("SELECT INBOX")
            self.assertOK(other.command("COPY 1:4 Box"))
            self.assertOK(other.command("MOVE 5:6 Far"))
            client.command("SELECT Box")
            client.command("STORE 1:2 +FLAGS (\\Deleted)")
            self.assertOK(client.command("EXPUNGE"))
            self.assertOK(client.command("RENAME Far Near"))
            kilobytes = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8}
            before = self.usage(client)
            self.assertEqual(before["MESSAGE"][0], 10)
            self.assertAlmostEqual(before["STORAGE"][0], sum(kilobytes.values()) + 3 + 4, delta=4)
            self.assertOK(client.command("UNSELECT"))
            self.assertOK(client.command("DELETE Box"))
            self.assertEqual(self.usage(client)["MESSAGE"][0], 8)
            # deliveries of other programs count when they are seen
            folder = server.maildir("alice")
            path = os.path.join(folder, "tmp", "1700000001.M1P1.host")
            with open(path, "wb") as file:
                file.write(big(9).replace(b"\r\n", b"\n"))
            owner = os.stat(folder)
            os.chown(path, owner.st_uid, owner.st_gid)
            os.rename(path, os.path.join(folder, "new", "1700000001.M1P1.host"))
            self.assertEqual(self.usage(client)["MESSAGE"][0], 9)
            found = self.usage(client)
        # and the same when everything is counted anew, by the command or without an index
        self.assertEqual(self.table(server), found)
        server.adm("quota", "recalc", "-u", "alice")
        self.assertEqual(self.table(server), found)
        os.unlink(os.path.join(server.maildir("alice"), "culver.index"))
        with server.login("alice") as client:
            self.assertEqual(self.usage(client), found)

    def table(self, server):
        rows = server.table("quota", "get", "-u", "alice")
        return {row["Type"]: (int(row["Value"]), int(row["Limit"])) for row in rows}

    @only_culver
    @only_root
    def test_deliveries_have_a_grace_and_then_are_refused(self):
        server = self.quota("40k", "100")
        with server.login("alice") as client:
            self.assertOK(client.append(big(38)))
            self.assertEqual(server.deliver("alice", big(4)).returncode, 0)  # within 10 % of the limit
            done = server.deliver("alice", big(1))
            self.assertEqual(done.returncode, 75)
            server.wait_for_log(r"Quota exceeded \(mailbox for user is full\)")
            self.assertEqual(self.usage(client)["MESSAGE"][0], 2)
        self.assertEqual(os.listdir(os.path.join(server.maildir("alice"), "tmp")), [])

    @only_culver
    @limit(60)
    def test_two_sessions_together_do_not_get_more_than_one_alone(self):
        server = self.quota("1G", "50")
        with server.login("alice") as one, server.login("alice") as two:
            for client in (one, two):
                client.send(b"".join(b"t%d APPEND INBOX {%d+}\r\n" % (number, len(message("x"))) + message("x") + b"\r\n" for number in range(60)))
            words = []
            for client in (one, two):
                for number in range(60):
                    line = client.line()
                    while not line.startswith(b"t%d " % number):
                        line = client.line()
                    words.append(line.split()[1])
            self.assertEqual(words.count(b"OK"), 50)
            self.assertEqual(self.usage(one)["MESSAGE"], (50, 50))

    @only_culver
    def test_without_the_plugin_nothing_is_in_force(self):
        server = self.server(extra="plugin {\n  quota = count:User quota\n  quota_rule = *:messages=1\n}\n")
        with server.login("alice") as client:
            self.assertNotIn(b"QUOTA", client.command("CAPABILITY").all())
            self.assertOK(client.append(message("1")))
            self.assertOK(client.append(message("2")))
            self.assertEqual(client.command("GETQUOTAROOT INBOX").word, "BAD")
