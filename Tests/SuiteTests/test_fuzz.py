"""What `make fuzz` runs: it needs a package and a build of its own, so that its lists are compared here."""

import os
import re

import culver
from suite import Case


def text(*path):
    with open(os.path.join(culver.ROOT, *path)) as file:
        return file.read()


class Targets(Case):
    def test_the_runner_has_seeds_for_every_target(self):
        targets = re.findall(r'^    "([a-z0-9-]+)": ', text("Tests", "Fuzz", "Targets", "Targets.swift"), re.M)
        seeds = re.findall(r'^    "([a-z0-9-]+)": \(', text("Tests", "Fuzz", "run.py"), re.M)
        self.assertGreater(len(targets), 15)
        self.assertEqual(sorted(targets), sorted(seeds))

    def test_every_entry_point_is_a_target(self):
        entries = set()
        for folder, _, names in os.walk(os.path.join(culver.ROOT, "Sources")):
            for name in names:
                if name == "Fuzzing.swift":
                    entries.update(re.findall(r"func (fuzz\w+)", text(folder, name)))
        used = set(re.findall(r"fuzz[A-Z]\w*", text("Tests", "Fuzz", "Targets", "Targets.swift")))
        self.assertGreater(len(entries), 15)
        self.assertEqual(entries, used)
