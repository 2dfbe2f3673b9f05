"""Playbooks that others wrote, run here: the clean ones to their end on simulated responders, the attack never by rule, the loop to its limit."""

import csv
import json
import socket
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest
from tests.respond.durable_worker import World
from tests.respond.playbooks import called, name_of, twenty_steps

from watchword.connectors.simulated_devices import SimulatedDevices
from watchword.kit.clock import ManualClock
from watchword.kit.errors import Conflict, ContentError
from watchword.respond.drill import drill
from watchword.respond.extensions import DEFINITIONS, STEP
from watchword.respond.library_service import Library
from watchword.respond.lint import validate
from watchword.respond.plan_making import plan_of
from watchword.respond.run_service import RunRefused

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
VALUES = {"ipv4-addr": "192.0.2.7", "ipv6-addr": "2001:db8::7", "integer": "1", "bool": "true"}


class Talking(SimulatedDevices):
    """Devices that also say what a command would have printed."""

    said: ClassVar = {}

    def read(self, action):
        return {**super().read(action), **self.said}


@pytest.fixture
def records_url(tmp_path):
    return f"sqlite:///{tmp_path}/records.sqlite3"


@pytest.fixture
def desk(records, tmp_path, monkeypatch):
    def nowhere(*_args, **_more):
        raise AssertionError("a run reached for the network")

    monkeypatch.setattr(socket.socket, "connect", nowhere)
    clock = ManualClock(NOON)
    world = World(records, clock, Talking(tmp_path / "devices.sqlite3", clock))
    world.library = world.runs._pins.library = Library(records, clock, auditor=world.approvals.auditor)
    yield world
    world.runs.close()


def mapped(made, verb="account.end_sessions"):
    """The playbook with each action step given to a simulated responder, or, where it is manual, to a person."""
    made = json.loads(json.dumps(made))
    definition = next(key for key in DEFINITIONS if key == STEP)
    made.setdefault("extension_definitions", {})[definition] = dict(DEFINITIONS[definition])
    for number, step in enumerate(one for one in made["workflow"].values() if one["type"] == "action"):
        kinds = {command["type"] for command in step["commands"]}
        said = {"mapped_from": {"commands": step["commands"], "agent": step.get("agent", "")}}
        if kinds != {"manual"}:
            said["catalogue_action"] = {"name": verb, "target": f"device-{number}"}
            step["commands"] = [{"type": "manual", "command": "as mapped"}]
        step.setdefault("step_extensions", {})[STEP] = said
    return made


def clean(shared_data):
    with (shared_data / "cacao" / "expected.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["schema"] == "PASS" and not row["lint_errors"]]
    return [shared_data / "cacao" / row["file"] for row in rows]


def play(desk, kept, **more):
    """Run a playbook to its end; people do what they are asked."""
    external = {
        name: VALUES.get(one.type, "given")
        for name, one in kept.playbook.playbook_variables.items()
        if one.external and one.value is None
    }  # fmt: skip
    run = desk.runs.start(kept.id, "incident", external, "ana", modified=kept.modified, **more)
    for _ in range(600):
        desk.clock.advance(timedelta(seconds=1))
        moved = desk.runs.step(desk.clock.now())
        waits = desk.runs.waits()
        for wait in waits:
            desk.runs.answer(run, wait.path, "done", dict.fromkeys(wait.out_args, "true"), "ana", "it")
        if not moved and not waits:
            break
    return desk.runs.get(run)


def test_the_clean_playbooks_of_others_run_to_their_end(desk, shared_data):
    files = clean(shared_data)
    assert len(files) == 8
    for number, file in enumerate(files, 100):
        made = json.loads(file.read_text("utf-8")) | {"id": name_of("playbook", number)}  # two of them have the same
        raw = desk.library.put(json.dumps(made), "ana")
        with pytest.raises(RunRefused) as caught:  # as it came, nobody here carries its commands out
            desk.runs.start(raw.id, "incident", {}, "ana", modified=raw.modified)
        assert {"unmapped_command", "unmapped_agent"} & {refusal.code for refusal in caught.value.refusals}, file.name
        kept = desk.library.put(json.dumps(mapped(made)), "ana", restamp=True)
        assert not [fault for fault in kept.faults if fault.severity == "error"], (file.name, kept.faults)
        view = play(desk, kept)
        assert view.status.value == "completed", (file.name, view.code, view.said)
        desk.clock.advance(timedelta(minutes=1))


def test_every_other_playbook_is_refused_and_none_crashes(desk, shared_data):
    ok = {file.name for file in clean(shared_data)}
    others = [file for file in sorted((shared_data / "cacao" / "playbooks").glob("*.json")) if file.name not in ok]
    assert len(others) == 15
    for file in others:
        try:
            kept = desk.library.put(file.read_text("utf-8"), "ana")
        except (ContentError, Conflict):
            continue
        with pytest.raises(RunRefused):
            desk.runs.start(kept.id, "incident", {}, "ana", modified=kept.modified)
    assert desk.runs.list() == []


def test_an_attack_never_starts_by_rule(desk, shared_data):
    text = (shared_data / "cacao" / "playbooks" / "oasis__locky-bart-mbc-examples.json").read_text("utf-8")
    made = mapped(json.loads(text))
    kept = desk.library.put(json.dumps(made), "ana")
    with pytest.raises(RunRefused) as caught:
        desk.runs.start(kept.id, "incident", {}, "rule", modified=kept.modified, rule="ww_001")
    assert "attack_by_rule" in {refusal.code for refusal in caught.value.refusals}


def test_the_repaired_example_runs_if_and_while_and_ends_at_its_limit(desk, shared_data):
    made = json.loads((shared_data / "cacao" / "playbooks" / "md__SOARCA__executable-playbooks-0.json").read_text("utf-8"))
    agent = next(iter(made["agent_definitions"]))
    for name, step in made["workflow"].items():
        if step["type"] == "action":
            step["agent"] = agent
            if step["name"].startswith("Get current time"):  # its result is asked for outside of it
                made["playbook_variables"] |= step.pop("step_variables")
        if step["type"] == "while-condition":
            loop = name
            step["step_extensions"] = {STEP: {"loop_limit": 12}}
    for identifier, target in made["target_definitions"].items():
        target["type"] = identifier.partition("--")[0]
        target["address"] = {"ipv4": ["192.0.2.1"]} if target["type"] == "linux" else {"dname": ["example.org"]}
    kept = desk.library.put(json.dumps(mapped(made)), "ana")
    assert not [fault for fault in kept.faults if fault.severity == "error"], kept.faults
    desk.devices.said = {"soarca_ssh_result": "5", "soarca_http_api_result": "ok", "soarca_openc2_http_result": "ok"}
    view = play(desk, kept)
    assert (view.status.value, view.code) == ("failed", "loop_limit")
    steps = {step.path.rsplit("/", 1)[-1]: step for step in view.steps}
    assert (steps[loop].status.value, steps[loop].turn) == ("failed", 12)
    assert len({effect.key for effect in desk.devices.effects()}) == 14


def test_the_playbooks_of_these_tests_are_clean():
    for made in (twenty_steps(), called()):
        assert [fault for fault in validate(json.dumps(made)) if fault.severity == "error"] == []


def test_the_clean_playbooks_can_be_drilled(shared_data):
    from watchword.respond.cacao import decode

    for file in clean(shared_data):
        playbook = decode(json.dumps(mapped(json.loads(file.read_text("utf-8")))))
        done = drill({"p@1": plan_of(playbook, "p@1", ["p@1"], {})}, "p@1")
        assert done.missed == (), file.name
