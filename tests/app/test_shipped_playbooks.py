"""The shipped playbooks in a real data folder of the demo site: suggested, started by a finding, carried as far as people are asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from watchword.app.demo import furnish
from watchword.app.responding import Responding
from watchword.app.settings import read_settings
from watchword.app.starting import variables_of
from watchword.app.watchword import open_watchword
from watchword.kit.clock import ManualClock
from watchword.kit.ids import uid_of
from watchword.model import Finding, Mode
from watchword.respond.approval import Approver
from watchword.respond.extensions import playbook_extension
from watchword.respond.ports import FireFact, FireState
from watchword.respond.run_service import RunFilter
from watchword.simulate import organisation

NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)
DOOR, ZONE, SWITCH, CAMERA = "harbour/doors/D-01", "harbour/main/0/lobby", "asset:sw-h-core", "asset:cam-01"
PEOPLE = (Approver("ida", "Ida", "it", "it_analyst"), Approver("cora", "Cora", "physical", "control_room_operator"))


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("playbooks") / "data"
    settings = replace(read_settings(environment={}, overrides={"data": folder}), respond_simulated=True)
    with open_watchword(settings, ManualClock(NOW)) as watchword:
        furnish(watchword, organisation(1))
        responding = Responding(watchword)
        responding.start()
        responding.step()
        yield watchword, responding


def finding(rule, number=1, **named):
    named = {"places": (DOOR,), "assets": (SWITCH,), "persons": ("person:1001",), "credentials": ("badge:1", "account:a.b"), **named}
    return Finding(
        uid_of("finding", rule, str(number)), rule, 1, f"Finding of {rule}", 4, 0.9, NOW, NOW, NOW, "Because.", mode=Mode.PAGE, **named
    )  # fmt: skip


def settle(watchword, responding):
    for _ in range(20):
        if not responding.step():
            return
    raise AssertionError("it does not come to rest")


def waits_of(watchword, uid, kind):
    return [wait for wait in watchword.response.runs.get(uid).waits if wait.kind == kind]


def answer(watchword, responding, uid, title, **values):
    """Do a manual step, once it is asked for."""
    found = [wait for wait in waits_of(watchword, uid, "person") if wait.title == title]
    assert found, (title, [wait.title for wait in watchword.response.runs.get(uid).waits])
    named = {f"__{name}__": value for name, value in values.items()}
    watchword.response.runs.answer(uid, found[0].path, "done", named, "cora", found[0].team, "", [uid_of("evidence", title)])
    settle(watchword, responding)


def agree(watchword, responding, uid, verb, people=PEOPLE):
    """Agree to an action, once it is asked for; return how many people it took."""
    asked = [watchword.response.approvals.get(wait.ref) for wait in waits_of(watchword, uid, "approval")]
    wanted = next(view for view in asked if view.action.verb == verb)
    for person in people[: wanted.rule.count]:
        watchword.response.approvals.decide(wanted.uid, person, True, "", wanted.digest, watchword.clock.now())
    settle(watchword, responding)
    return wanted.rule.count, wanted.rule.teams


def test_they_are_in_the_library_and_answer_their_rules(house):
    watchword, responding = house
    shipped = [one for one in watchword.response.library.list() if one.shipped]
    assert len(shipped) == 12
    assert {one.errors + one.warnings for one in shipped} == {0}
    for one in shipped:
        kept = watchword.response.library.get(one.id)
        triggers = playbook_extension(kept.playbook).triggers
        for rule in () if triggers is None else triggers.rules:
            assert one.id in {each.kept.id for each in responding.starter.answers([rule])}


def test_each_starts_from_a_finding_and_from_nothing_and_asks_both_trades(house):
    watchword, responding = house
    for one in watchword.response.library.list():
        kept = watchword.response.library.get(one.id)
        some = finding("ww_014")
        filled = variables_of(kept, [some], "", watchword.registry.directory())
        for values in ({**filled, **({"__incident__": "i"} if "__incident__" in filled else {})}, {}):
            uid = watchword.response.runs.start(one.id, "", values, "ida", exercise=True)
            settle(watchword, responding)
            view = watchword.response.runs.get(uid)
            assert view.status.value == "running", (one.name, view.said)
            assert view.waits, one.name
            assert all(attempt.status == "done" for attempt in view.attempts), one.name
            watchword.response.runs.cancel(uid, "ida", "enough seen")


def test_a_forced_door_and_an_unknown_device_are_answered_to_the_end(house):
    watchword, responding = house
    watchword.response.safety.fire = lambda building: FireFact(building, FireState.NORMAL, heard=NOW)
    watchword.findings.put([finding("ww_014", 2)])
    settle(watchword, responding)
    runs = watchword.response.runs.list(RunFilter())
    run = next(one for one in runs if one.rule == "ww_014")
    uid = run.uid
    view = watchword.response.runs.get(uid)
    assert view.incident
    assert view.variables["__door__"] == DOOR
    assert [(attempt.verb, attempt.target, attempt.status) for attempt in view.attempts] == [("guard.dispatch", ZONE, "done")]
    assert {wait.team for wait in view.waits} == {"it", "physical"}

    answer(watchword, responding, uid, "Find port and device", port="GigabitEthernet1/0/7", device="02:00:5e:00:53:01", verdict="unknown")
    assert agree(watchword, responding, uid, "port.quarantine") == (1, 1)
    answer(watchword, responding, uid, "See what it reached")
    answer(watchword, responding, uid, "Look for its brothers")
    answer(watchword, responding, uid, "Fire first")
    answer(
        watchword, responding, uid, "Find the camera and the times",
        camera=CAMERA, since="2026-06-02T11:50:00Z", until="2026-06-02T12:10:00Z",
    )  # fmt: skip
    answer(watchword, responding, uid, "Report from the door", scene="empty", keep_out="true")
    answer(watchword, responding, uid, "Walk the way in")
    assert agree(watchword, responding, uid, "door.secure_ingress") == (2, 2)
    secured = [deed for deed in watchword.response.gateway.in_force() if deed.sent.verb == "door.secure_ingress"]
    assert [(deed.sent.target, deed.revert_at) for deed in secured] == [(DOOR, NOW + timedelta(hours=1))]

    answer(watchword, responding, uid, "Take the device together")
    answer(watchword, responding, uid, "May the port go back?", clean="true")
    agree(watchword, responding, uid, "port.release")
    answer(watchword, responding, uid, "Tell those concerned")
    answer(watchword, responding, uid, "Hand over to the review")
    done = watchword.response.runs.get(uid)
    assert done.status.value == "completed"
    verbs = [attempt.verb for attempt in done.attempts]
    assert sorted(verbs) == [
        "camera.fetch_clip", "camera.lock_recording", "door.secure_ingress", "guard.dispatch", "port.quarantine", "port.release",
    ]  # fmt: skip
    assert {attempt.verified for attempt in done.attempts} == {True}

    watchword.clock.advance(timedelta(hours=1, minutes=1))
    settle(watchword, responding)
    assert not [deed for deed in watchword.response.gateway.in_force() if deed.sent.verb == "door.secure_ingress"]


def test_a_second_finding_of_the_same_incident_starts_no_second_run(house):
    watchword, responding = house
    before = len([one for one in watchword.response.runs.list(RunFilter()) if one.rule])
    watchword.findings.put([finding("ww_014", 3)])
    settle(watchword, responding)
    after = [one for one in watchword.response.runs.list(RunFilter()) if one.rule]
    assert len(after) == before
