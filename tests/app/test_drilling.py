"""Drills on the real machinery: what they play, what they say of failures, and that they notice when it goes another way."""

import json
from importlib.resources import files

import pytest
from tests.respond.content.dead_end import untakeable
from tests.respond.playbooks import called, document, machine, name_of, twenty_steps

from watchword.app import drilling
from watchword.app.drill_house import DrillTwins
from watchword.app.drilling import drill_texts
from watchword.kit.errors import ContentError

SHIPPED = sorted((one for one in (files("watchword") / "content" / "playbooks").iterdir()), key=lambda one: one.name)


@pytest.mark.parametrize("file", SHIPPED, ids=[one.name for one in SHIPPED])
def test_shipped_playbooks_go_the_same_way_on_the_real_machinery(file):
    done = drill_texts([file.read_text("utf-8")], most=1)
    assert done.good, [one.faults for one in done.played]
    assert all(one.actions and one.steps for one in done.played)


def test_a_whole_drill_refuses_by_fire_by_a_no_and_by_a_broken_device():
    text = next(one for one in SHIPPED if one.name.startswith("fire-release")).read_text("utf-8")
    done = drill_texts([text])
    assert done.good, [one.faults for one in done.played]
    assert {way for one in done.played for way in one.ways} == done.found.wanted
    refusals = "\n".join(line for one in done.played for line in one.refusals)
    assert "zone.secure_ingress drill/house/0/room: Refused: a fire alarm is present" in refusals
    assert "address.block 192.0.2.10: it said no" in refusals
    assert "the drill has put this device out of order" in refusals
    asked = "\n".join(line for one in done.played for line in one.approvals)
    assert "zone.secure_ingress drill/house/0/room: 2 people from 2 teams, not the one who asks: granted" in asked
    assert {one.status for one in done.played} >= {"completed", "handled"}


def test_a_playbook_of_every_step_type_with_a_call_is_drilled():
    done = drill_texts([json.dumps(twenty_steps()), json.dumps(called())], {"__who__": "account:somebody"}, most=3)
    assert done.found.missed == ()
    assert {one.faults for one in done.played} == {()}
    assert any(line.startswith("account.disable account:somebody") for one in done.played for line in one.actions)


def test_a_way_that_is_never_taken_is_not_good():
    done = drill_texts([json.dumps(untakeable())])
    assert not done.good
    missed = {done.words(way) for way in done.found.missed}
    assert missed == {"Never \N{RIGHTWARDS ARROW} true", "Not reached \N{RIGHTWARDS ARROW} success"}


def one_action(verb="guard.dispatch", target="drill/house/0/room", **said):
    start, act, end = name_of("start", 1), name_of("action", 2), name_of("end", 3)
    steps = {
        start: {"type": "start", "on_completion": act},
        act: machine(verb, target, name="Act", on_completion=end, **said),
        end: {"type": "end"},
    }
    return json.dumps(document(8, "One action", steps))


def test_a_device_that_does_otherwise_than_the_drill_is_a_fault(monkeypatch):
    monkeypatch.setattr(DrillTwins, "read", lambda _self, _action: {"task": "none"})
    done = drill_texts([one_action(parameters={"task": "look"})])
    assert not done.good
    assert any("Act: failed and not done" in fault for one in done.played for fault in one.faults)


def test_an_action_that_can_only_be_refused_is_drilled_as_that():
    done = drill_texts([one_action("door.secure_ingress", "drill/doors/unknown", revert_after="1h")])
    assert [(one.status, one.faults) for one in done.played] == [("failed", ())]
    assert "the site file does not describe it" in done.played[0].refusals[0]
    assert done.found.missed, "its success is never taken, and that is said"


def test_a_playbook_with_errors_is_not_drilled():
    wrong = untakeable()
    wrong["workflow"][name_of("if-condition", 2)]["condition"] = "__n__:value ="
    with pytest.raises(ContentError, match="condition-syntax"):
        drill_texts([json.dumps(wrong)])


def test_a_run_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(drilling, "MOST_TURNS", 2)
    done = drill_texts([json.dumps(twenty_steps()), json.dumps(called())], {"__who__": "account:somebody"}, most=1)
    assert "the run had not ended after 2 answers" in done.played[0].faults
