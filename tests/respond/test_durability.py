"""Workers are killed with -9 at random log lines of a run of twenty steps: no approval is lost, no effect doubled, the end is the same.

``RUN_KILLS`` sets the number of kills of each case (the promise is held at 200 and more; the everyday run does fewer).
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from tests.respond.durable_worker import ShiftedClock, World
from tests.respond.playbooks import Shelf, called, name_of, twenty_steps

from watchword.connectors.simulated_devices import SimulatedDevices
from watchword.kit.clock import to_millisecond
from watchword.kit.errors import Conflict, InputError
from watchword.respond.approval import Approver
from watchword.stores.records import open_records

KILLS = int(os.environ.get("RUN_KILLS", "12"))
PATIENCE = 900.0
"""Seconds after which a run that does not end has hung; on a busy machine a life alone takes several."""
ANSWERS = {"Ask": {"__grave__": "high"}, "Tell": {"__told__": "yes"}, "Look": {"__seen__": "smoke"}}
APPROVERS = (Approver("ida", "Ida", "it"), Approver("cora", "Cora", "physical"))


class People:
    """Two desks that answer what they are asked, once each."""

    def __init__(self, world):
        self.world, self.votes = world, Counter()

    def work(self, run, chance):
        """Answer one thing; return whether there was one."""
        runs, approvals = self.world.runs, self.world.approvals
        for view in approvals.waiting():
            for approver in APPROVERS:
                if view.run == run and approver.account not in {vote.account for vote in view.votes} and chance.random() < 0.5:
                    try:
                        approvals.decide(view.uid, approver, True, "", view.digest, to_millisecond(self.world.clock.now()))
                    except InputError:  # the clock was put back behind the question: answered later
                        continue
                    self.votes[view.uid] += 1
                    return True
        for wait in runs.waits():
            if wait.run == run and wait.kind == "person" and chance.random() < 0.8:
                with contextlib.suppress(Conflict):
                    runs.answer(run, wait.path, *self.said(wait), by="ida", team="it")
                return True
        return False

    def said(self, wait):
        if wait.title == "Try":
            return "failed", {}
        if wait.title == "Count":
            turn = int(wait.path.partition("#")[2].partition("/")[0])
            return "done", {"__n__": str(turn)}
        return "done", ANSWERS.get(wait.title, {})


class House:
    """Records, devices, people, and the parent of the workers."""

    def __init__(self, url, folder):
        self.folder, self.clock = folder, ShiftedClock()
        self.records = open_records(url)
        self.records.migrate()
        self.devices = SimulatedDevices(folder / "devices.sqlite3", self.clock)
        self.shelf = Shelf(twenty_steps(), called())
        self.world = World(self.records, self.clock, self.devices, self.shelf)
        self.people = People(self.world)
        command = [sys.executable, str(Path(__file__).with_name("durable_worker.py")), url, str(folder)]
        self.errors = (folder / "errors").open("wb")
        self.parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.killed = 0

    def life(self, run, chance, workers, most, offset, over):
        """Let workers live, die at a random line each, and people work meanwhile."""
        self.clock.offset = timedelta(seconds=offset)
        die = [chance.randrange(1, most) for _ in range(workers)]
        asked = {"die": die, "offset": offset, "bound": chance.choice([1, 3, 200])}
        self.parent.stdin.write(json.dumps(asked) + "\n")
        self.parent.stdin.flush()
        while not select.select([self.parent.stdout], [], [], 0.05)[0]:
            while self.people.work(run, chance):
                pass
            if over():
                (self.folder / "over").touch()
        statuses = json.loads(self.parent.stdout.readline())
        (self.folder / "over").unlink(missing_ok=True)
        assert not [status for status in statuses if status not in {0, -9}], (self.folder / "errors").read_text()
        self.killed += statuses.count(-9)

    def over(self, run):
        (view,) = [one for one in self.world.runs.list() if one.uid == run]
        return view.status.value != "running"

    def close(self):
        self.parent.stdin.close()
        self.parent.wait(20)
        self.parent.stdout.close()
        self.errors.close()
        self.world.runs.close()
        self.records.close()

    def final(self, run, who):
        """What must be the same however often workers were killed."""
        view = self.world.runs.get(run)
        steps = sorted((step.path, step.status.value, step.code, tuple(sorted(step.values.items()))) for step in view.steps)
        mine = [effect for effect in self.devices.effects() if effect.target.startswith(f"{who}-")]
        effects = sorted((effect.verb, effect.target.removeprefix(who)) for effect in mine)
        delays = sorted(timer.path for timer in view.timers if timer.kind == "delay" and timer.fired_at)
        attempts = sorted((attempt.path, attempt.status) for attempt in view.attempts)
        asked = [self.world.approvals.get(uid) for uid in view.approvals]
        votes = sorted((one.path, one.state.value, len(one.votes), bool(one.used_by)) for one in asked)
        return {"status": view.status.value, "steps": steps, "effects": effects, "delays": delays, "attempts": attempts, "votes": votes}

    def revert(self, run, chance, offset, most, *, expected):
        """Let five hours pass: the temporary state ends by itself, whoever is killed meanwhile."""
        until = time.monotonic() + PATIENCE

        def over():
            return len(self.devices.effects()) >= expected and len(self.world.gateway.in_force()) == standing

        standing, later = len(self.world.gateway.in_force()) - 1, offset + 6 * 3600
        while not over():
            assert time.monotonic() < until, f"not reverted: {self.world.gateway.in_force()}"
            self.life(run, chance, 1, most, later, over)
            later += 120  # a revert that was killed is tried again after a minute or two


def one_run(house, number, chance, workers, most, *, disturbed):
    """Start a run and bring it to its end; return its final state."""
    who, day = f"user{number}", number * 86_400
    house.clock.offset = timedelta(seconds=day)
    before = len(house.devices.effects())
    house.shelf.kept = Shelf(twenty_steps(), called()).kept
    run = house.world.runs.start(name_of("playbook", 1), "incident", {"__who__": who}, "starter")
    if disturbed:  # both playbooks are edited while the run is open: it has pinned what it needs
        for edited in (twenty_steps(), called()):
            end = {name_of("start", 1): {"type": "start", "on_completion": name_of("end", 4)}, name_of("end", 4): {"type": "end"}}
            house.shelf.put(edited | {"modified": "2026-02-01T00:00:00.000Z", "workflow": end, "workflow_start": name_of("start", 1)})
    until = time.monotonic() + PATIENCE
    while not house.over(run):
        assert time.monotonic() < until, f"the run does not end: {house.world.runs.get(run)}"
        # A question asked while the clock was ahead is answered when it is ahead again: then it mostly is.
        jumps = [3600, 3600, 3600, -3600] if house.world.approvals.waiting() else [0, 3600, -3600]
        offset = day + (chance.choice(jumps) if disturbed else 0)
        house.life(run, chance, workers, most, offset, lambda: house.over(run))
    house.revert(run, chance, day, most, expected=before + 10)
    assert house.devices.state(f"account:{who}-4")["enabled"] == "true"
    return house.final(run, who)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_no_kill_loses_an_approval_or_doubles_an_effect(records_url, tmp_path, workers):
    chance, began = Random(7 + workers), time.monotonic()
    house = House(records_url, tmp_path)
    try:
        want = one_run(house, 0, chance, 1, 1_000_000, disturbed=False)
        assert house.killed == 0
        assert want["status"] == "completed"
        assert len(want["steps"]) >= 20
        assert [vote[1:] for vote in want["votes"]] == [("granted", 2, True)] * 2
        assert len(want["effects"]) == 10
        number = 0
        while house.killed < KILLS:
            number += 1
            assert one_run(house, number, chance, workers, 30, disturbed=True) == want
            sys.stdout.write(f" {house.killed}")
            sys.stdout.flush()
        effects = house.devices.effects()
        assert Counter((effect.verb, effect.target) for effect in effects).most_common(1)[0][1] == 1
        assert len(effects) == 10 * (number + 1)
        assert set(house.people.votes.values()) == {2}
    finally:
        house.close()
        calls = Counter(effect.calls for effect in house.devices.effects())
        engine, took = records_url.partition(":")[0], time.monotonic() - began
        sys.stdout.write(f"\n{house.killed} kills, {workers} workers, {engine}: {took:.0f} s; calls per effect {dict(calls)}\n")
