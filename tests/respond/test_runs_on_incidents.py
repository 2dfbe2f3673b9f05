"""Runs, approvals, actions and people writing on one incident at the same time: nobody waits for another for ever, and the chain holds."""

import threading

import pytest
from tests.respond.durable_worker import ShiftedClock, World
from tests.respond.playbooks import Shelf, document, machine, manual, name_of

from watchword.app.audit import Audit
from watchword.connectors.simulated_devices import SimulatedDevices
from watchword.detect.service import Findings
from watchword.kit.clock import to_millisecond
from watchword.respond.approval import Approver
from watchword.respond.incident_service import Incidents

START, A, B, END = name_of("start", 1), name_of("action", 2), name_of("action", 3), name_of("end", 4)
IDA = Approver("ida", "Ida", "it")
RUNS = 6


def playbook(number):
    steps = {
        START: {"type": "start", "on_completion": A},
        A: machine("account.disable", f"user{number}", name="Disable", on_completion=B),
        B: manual("Look", name="Look", on_completion=END),
        END: {"type": "end"},
    }
    return document(number, f"P{number}", steps)


class Together:
    """Deeds that are repeated at the same time, each in its thread, until it is over."""

    def __init__(self):
        self.over, self.errors = threading.Event(), []

    def repeat(self, deed):
        try:
            while not self.over.is_set():
                deed()
                self.over.wait(0.01)
        except BaseException as error:  # noqa: BLE001 - the test wants every one
            self.errors.append(error)

    def run(self, deeds, until):
        threads = [threading.Thread(target=self.repeat, args=(deed,)) for deed in deeds]
        for thread in threads:
            thread.start()
        for _ in range(900):
            if self.errors or until():
                break
            self.over.wait(0.1)
        self.over.set()
        for thread in threads:
            thread.join(60)


def agree(approvals, clock):
    for view in approvals.waiting():
        approvals.decide(view.uid, IDA, True, "", view.digest, to_millisecond(clock.now()))


def look(runs):
    for wait in runs.waits():
        if wait.kind == "person":
            runs.answer(wait.run, wait.path, "done", {}, "ida", "it")


@pytest.mark.slow
def test_both_desks_and_two_workers_write_on_one_incident(records, tmp_path):
    clock, together = ShiftedClock(), Together()
    incidents = Incidents(records, clock, Findings(records, clock), Audit(records, clock))
    devices = SimulatedDevices(tmp_path / "devices.sqlite3", clock)
    shelf = Shelf(*(playbook(number) for number in range(1, RUNS + 1)))
    worlds = [World(records, clock, devices, shelf, f"w{number}", incidents) for number in (1, 2)]
    runs, approvals = worlds[0].runs, worlds[0].approvals
    uid = incidents.open(title="Stranger", by="ana", team="it", because="Seen by a guard.", severity=2)
    started = [runs.start(name_of("playbook", number), uid, {}, "ana") for number in range(1, RUNS + 1)]
    deeds = [lambda: agree(approvals, clock), lambda: look(runs), lambda: incidents.note(uid, "a word", by="cora", team="physical")]
    deeds += [lambda world=world: world.runs.step(clock.now()) for world in worlds]
    together.run(deeds, lambda: all(view.status.value != "running" for view in runs.list()))
    for world in worlds:
        world.runs.close()
    assert together.errors == []
    assert {runs.get(run).status.value for run in started} == {"completed"}
    assert sorted(effect.target for effect in devices.effects()) == [f"user{number}" for number in range(1, RUNS + 1)]
    kinds = [entry.kind for entry in incidents.timeline(uid, 0, 5_000)]
    assert kinds.count("run") == 2 * RUNS
    assert {"step", "note"} <= set(kinds)
    assert list(incidents.verify(uid)) == []
