"""NOTIFY (RFC 5465) through the real processes, and how soon a delivery is heard of in it and in IDLE."""

import os
import statistics
import time

from suite import Case, SharedCase, limit, only_culver

ROUNDS = int(os.environ.get("ROUNDS", "100"))
# What a busy machine may take; the figures are printed.
BOUND = 0.1


def deliver_to(server, user, folder, name):
    """A file into new/ of a folder, as a delivery program puts it there."""
    maildir = server.maildir(user)
    base = maildir if folder == "INBOX" else os.path.join(maildir, "." + folder)
    path = os.path.join(maildir, "tmp", name)
    with open(path, "wb") as file:
        file.write(b"Subject: x\n\nx\n")
    owner = os.stat(maildir)
    os.chown(path, owner.st_uid, owner.st_gid)
    os.rename(path, os.path.join(base, "new", name))


class Delays(Case):
    count = 0

    def measure(self, server, client, what, folder, expected):
        """The times from the rename into new/ to the line, in ms."""
        delays = []
        for _ in range(ROUNDS):
            self.count += 1
            name = "17000%05d.M%dP%d.host" % (self.count, self.count, os.getpid())
            began = time.monotonic()
            deliver_to(server, "alice", folder, name)
            while expected not in client.line():
                pass
            delays.append((time.monotonic() - began) * 1000)
            # Deliveries come apart from each other; the session is waiting again when the next one comes.
            time.sleep(0.005)
        delays.sort()
        median = statistics.median(delays)
        print("%s: %d deliveries, median %.2f ms, 95th of 100 %.2f ms, longest %.2f ms"
              % (what, ROUNDS, median, delays[int(len(delays) * 0.95) - 1], delays[-1]), flush=True)
        self.assertLess(median, BOUND * 1000)

    def others(self, server, count=18):
        """So many sessions that one process watches for all of them."""
        held = [server.login("bob") for _ in range(count)]
        for client in held:
            self.assertOK(client.command("SELECT INBOX"))
            client.start("IDLE")
            client.line()
            self.addCleanup(client.close)

    @limit(120)
    @only_culver
    def test_a_delivery_is_heard_soon(self):
        server = self.server(settings={"mail_max_userip_connections": "0"}, own_uid=True)
        for watched in (False, True):
            if watched:
                self.others(server)
            by = "one watcher for all" if watched else "own inotify"
            client = server.login("alice")
            self.assertOK(client.command("SELECT INBOX"))
            tag = client.start("IDLE")
            client.line()
            self.measure(server, client, "IDLE, " + by, "INBOX", b"EXISTS")
            client.send(b"DONE\r\n")
            self.assertOK(client.finish(tag))
            self.assertOK(client.command("NOTIFY SET (selected (MessageNew (UID) MessageExpunge))"))
            self.measure(server, client, "NOTIFY, selected, " + by, "INBOX", b"FETCH (UID")
            self.assertOK(client.command("NOTIFY NONE"))
            if not watched:
                self.assertOK(client.command("CREATE Lists"))
            self.assertOK(client.command("NOTIFY SET (mailboxes Lists (MessageNew MessageExpunge))"))
            self.measure(server, client, "NOTIFY, another mailbox, " + by, "Lists", b"STATUS Lists")
            client.close()


@only_culver
class Notify(Case):
    def test_every_session_of_a_user_id_hears_by_one_watcher(self):
        server = self.server(settings={"mail_max_userip_connections": "0"}, own_uid=True)
        first = server.login("alice")
        for name in ("A", "B"):
            self.assertOK(first.command("CREATE " + name))
        held = []
        for _ in range(30):
            client = server.login("alice")
            self.addCleanup(client.close)
            self.assertOK(client.command("NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))"))
            held.append(client)
        self.assertEqual(len([p for p in server.named("imap") if "watches for" in p.title]), 1)
        deliver_to(server, "alice", "B", "1700000000.M1P1.host")
        for client in held:
            self.assertIn(b"* STATUS B (MESSAGES 1 UIDNEXT 2 ", client.line())
        self.assertOK(first.command("RENAME A C"))
        for client in held:
            self.assertEqual(client.line(), b'* LIST (\\HasNoChildren) "." C ("OLDNAME" (A))')
            self.assertEqual(self.assertOK(client.command("NOOP")).untagged, [])

    def test_sessions_that_wait_cost_nothing(self):
        server = self.server(settings={"mail_max_userip_connections": "0"}, own_uid=True)
        held = []
        for number in range(24):
            client = server.login("alice")
            self.addCleanup(client.close)
            self.assertOK(client.command("SELECT INBOX"))
            self.assertOK(client.command("NOTIFY SET (selected (MessageNew (UID) MessageExpunge)) "
                                         "(personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))"))
            held.append(client)
        deliver_to(server, "alice", "INBOX", "1700000000.M1P1.host")
        for client in held:
            while b"FETCH (UID 1)" not in client.line():
                pass
        # What they noted of it woke the others up, once.
        time.sleep(1)
        before = server.ticks()
        time.sleep(2)
        self.assertLessEqual(server.ticks() - before, 2)

    def test_mailboxes_beyond_the_limit_are_refused_also_by_the_watcher(self):
        server = self.server(settings={"mail_max_userip_connections": "0"}, own_uid=True)
        client = server.login("alice")
        for number in range(199):  # with INBOX: 200
            self.assertOK(client.command("CREATE m%d" % number))
        held = [server.login("alice") for _ in range(18)]
        for session in held:
            self.addCleanup(session.close)
            self.assertOK(session.command("NOTIFY SET (personal (MessageNew MessageExpunge))"))
        deliver_to(server, "alice", "m198", "1700000000.M1P1.host")
        for session in held:
            self.assertIn(b"* STATUS m198 (MESSAGES 1 ", session.line())
        self.assertOK(client.command("CREATE one-more"))
        for session in held:
            self.assertIn(b"* OK [NOTIFICATIONOVERFLOW]", session.line())
        self.assertNO(client.command("NOTIFY SET (personal (MessageNew MessageExpunge))"), "NOTIFICATIONOVERFLOW")

    def test_sessions_go_on_when_their_watcher_dies(self):
        server = self.server(settings={"mail_max_userip_connections": "0"}, own_uid=True)
        held = [server.login("alice") for _ in range(20)]
        for client in held:
            self.addCleanup(client.close)
            self.assertOK(client.command("NOTIFY SET (personal (MessageNew MessageExpunge))"))
        watcher = [p for p in server.named("imap") if "watches for" in p.title][0]
        os.kill(watcher.pid, 9)
        deliver_to(server, "alice", "INBOX", "1700000000.M1P1.host")
        for client in held:
            self.assertIn(b"* STATUS INBOX (MESSAGES 1 ", client.line())


class BeforeLogin(SharedCase):
    @only_culver
    def test_the_greeting_names_what_is_true_before_login(self):
        from imap import Client
        client = Client(self.shared.imap_port)
        self.addCleanup(client.close)
        greeting = client.greeting.split(b"]")[0].split()
        for word in (b"IMAP4rev1", b"IMAP4rev2", b"SASL-IR", b"ID", b"ENABLE", b"LITERAL+", b"STARTTLS", b"AUTH=PLAIN"):
            self.assertIn(word, greeting)
        for word in (b"IDLE", b"NOTIFY", b"LOGIN-REFERRALS", b"QRESYNC"):
            self.assertNotIn(word, greeting)
