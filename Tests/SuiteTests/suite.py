"""What the test modules share: the case, its decorators, its parts."""

import os
import shutil
import time
import unittest

import culver
import processes
from culver import Instance, message  # noqa: F401  (for the test modules)
from imap import Client, Closed  # noqa: F401


def only_culver(item):
    """Leaves a test out when the suite runs against Dovecot to check the tests."""
    return unittest.skipIf(culver.SERVER != "culver", "says something about Culver only")(item)


def only_root(item):
    return unittest.skipIf(os.geteuid() != 0, "needs root: other users, limits or mounts")(item)


def needs(*names):
    """Leaves a test out, with the reason, where a client program is missing."""
    missing = [name for name in names if shutil.which(name) is None]
    return unittest.skipIf(missing, "not installed: " + ", ".join(missing))


def limit(seconds):
    """Gives one test more (or less) time than the runner's default."""
    def set_limit(item):
        item.seconds = seconds
        return item
    return set_limit


class Case(unittest.TestCase):
    """A test that may start instances; they end with it."""

    maxDiff = 4000
    # What the runner prints behind the name of a test that passed.
    told = ""

    def server(self, start=True, **arguments):
        instance = Instance(**arguments)
        self.addCleanup(instance.close)
        if start:
            instance.start()
        return instance

    def until(self, condition, what="the condition", seconds=10):
        limit = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > limit:
                self.fail("not within %g s: %s" % (seconds, what))
            time.sleep(0.02)

    def assertOK(self, reply):
        self.assertEqual(reply.word, "OK", reply)
        return reply

    def assertNO(self, reply, code=None):
        self.assertEqual(reply.word, "NO", reply)
        if code:
            self.assertIn("[%s" % code, reply.text)
        return reply

    def assertGone(self, instance, seconds=5):
        """Nothing of the instance is left."""
        def left():
            processes.reap()
            return instance.processes()
        limit = time.monotonic() + seconds
        while left():
            if time.monotonic() > limit:
                self.fail("still there: %s" % left())
            time.sleep(0.02)


class SharedCase(Case):
    """Tests that share one instance, made of `arguments`; each must leave it as it was."""

    arguments = {}

    @classmethod
    def setUpClass(cls):
        cls.shared = Instance(**cls.arguments)
        cls.addClassCleanup(cls.shared.close)
        cls.shared.start()

    def login(self, user="alice", **arguments):
        client = self.shared.login(user, **arguments)
        self.addCleanup(client.close)
        return client

    def fresh_mailbox(self, client, count=0, name=None):
        """A new mailbox with some small messages, selected; returns its name."""
        name = name or "Box%d" % time.monotonic_ns()
        self.assertOK(client.command('CREATE "%s"' % name))
        for index in range(1, count + 1):
            self.assertOK(client.append(message("Message %d" % index), '"%s"' % name))
        self.assertOK(client.command('SELECT "%s"' % name))
        return name
