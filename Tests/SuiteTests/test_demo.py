"""`make demo`, as far as it comes after the build."""

import os
import shutil
import signal
import subprocess
import tempfile
import unittest

import culver
import processes
from suite import limit, needs, only_culver, only_root


@only_culver
@only_root
@needs("curl", "openssl", "setsid")
class DemoAlone(unittest.TestCase):
    def setUp(self):
        if "SUITE_BUILD" in os.environ:
            self.skipTest("another build is tested")
        self.folder = tempfile.mkdtemp(prefix="culver-demo-test-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        os.chmod(self.folder, 0o711)
        ports = culver.Ports()
        self.addCleanup(ports.release)
        self.environment = dict(os.environ, DEMO_DIR=os.path.join(self.folder, "demo"), DEMO_IMAP_PORT=str(ports.take()),
                                DEMO_IMAPS_PORT=str(ports.take()))

    def start(self, **more):
        demo = subprocess.Popen([os.path.join(culver.ROOT, "tools", "demo.sh")], env=dict(self.environment, **more), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                                # A shell cannot trap what was ignored when it started, as in a job in the background.
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        self.addCleanup(self.end, demo)
        return demo

    def end(self, demo):
        demo.stdout.close()
        processes.end(self.left() + [p for p in [processes.find(demo.pid)] if p])
        demo.wait()

    def left(self):
        return [p for p in processes.everything() if p.link("exe").startswith(self.folder) and p.state not in "ZX"]

    @limit(60)
    def test_fetches_a_message_and_ends(self):
        demo = self.start(DEMO_ONCE="1")
        text = demo.communicate(timeout=50)[0]
        self.assertEqual(demo.returncode, 0, text)
        self.assertIn("Subject: Your visit on Saturday", text)
        self.assertIn("password demo", text)
        self.assertIn("no process is left", text)
        self.assertEqual(self.left(), [])

    @limit(60)
    def test_ctrl_c_stops_it_cleanly(self):
        demo = self.start()
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C"):
                break
        self.assertTrue(lines and lines[-1].startswith("Ctrl-C"), "".join(lines))
        self.assertTrue(self.left())
        os.killpg(demo.pid, signal.SIGINT)
        text = demo.stdout.read()
        self.assertEqual(demo.wait(30), 0, text)
        self.assertIn("no process is left", text)
        self.assertEqual(self.left(), [])
