"""Two workers at once: one effect, one approval, one revert, whichever comes first; and deeds come back as events."""

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import watchword
from watchword.ingest.complete import complete
from watchword.ingest.mapping import load_mapping
from watchword.ingest.validator import validate
from watchword.kit.errors import Conflict
from watchword.model import RawRecord
from watchword.model.action import OutcomeStatus
from watchword.respond.approval import Approver

D2 = "harbour/doors/D-2"


def at_once(*works):
    """Run functions in threads that start together and return what each returned or raised."""
    gate, results = threading.Barrier(len(works)), [None] * len(works)

    def run(number, work):
        gate.wait()
        try:
            results[number] = work()
        except Exception as error:  # noqa: BLE001 - the test wants every one
            results[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_two_workers_under_one_key_have_one_effect(world):
    for number in range(4):
        action = world.action(
            "account.disable", f"account:eve{number}", key=f"k{number}", path=f"p{number}", revert_after=timedelta(hours=1)
        )
        approval = world.agree(action, Approver("cora", "Cora", "physical"))
        other = world.make_gateway()
        outcomes = at_once(lambda a=action, u=approval: world.gateway.perform(a, u), lambda a=action, u=approval, g=other: g.perform(a, u))
        assert any(outcome.status is OutcomeStatus.DONE for outcome in outcomes), outcomes
        assert {outcome.code for outcome in outcomes} <= {"", "found-set", "taken-over"}
        assert world.gateway.deed(action.key).outcome.status is OutcomeStatus.DONE
    assert len(world.devices.effects()) == 4


def test_one_approval_serves_one_action(world):
    action = world.action("account.disable", "account:eve", path="p1", revert_after=timedelta(hours=1))
    approval = world.agree(action, Approver("cora", "Cora", "physical"))
    one, other = replace(action, key="k1"), replace(action, key="k2")
    outcomes = at_once(lambda: world.gateway.perform(one, approval), lambda: world.gateway.perform(other, approval))
    assert sorted(outcome.code for outcome in outcomes) == ["", "approval-used"]


def test_votes_at_the_same_moment_are_all_counted_once(world):
    action = world.action()
    uid = world.agree(action)
    people = [Approver("ida", "Ida", "it"), Approver("cora", "Cora", "physical"), Approver("ida", "Ida", "it")]
    now = world.clock.now()
    results = at_once(*(lambda p=person: world.approvals.decide(uid, p, True, "", action.digest, now) for person in people))
    view = world.approvals.get(uid)
    assert view.state == "granted"
    assert sorted(vote.account for vote in view.votes) == ["cora", "ida"]
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert world.woken == [("r1", "p1")]


def test_a_due_revert_is_taken_by_one_worker(world):
    world.secured()
    world.clock.advance(timedelta(hours=1))
    other = world.make_gateway()
    now = world.clock.now()
    assert sorted(at_once(lambda: world.gateway.revert_due(now), lambda: other.revert_due(now))) == [0, 1]
    assert world.devices.state(f"door:{D2}")["ingress"] == "normal"


def test_an_alarm_against_a_securing_always_ends_released(world):
    for number in range(6):
        world.burn(lifecycle=2)
        action = world.action(key=f"k{number}", path=f"p{number}")
        approval = world.agree(action, Approver("ida", "Ida", "it"), Approver("cora", "Cora", "physical"))

        def fire():
            world.burn()
            return world.gateway.alarm("harbour/main")

        outcome, released = at_once(lambda a=action, u=approval: world.gateway.perform(a, u), fire)
        assert not isinstance(outcome, Exception), outcome
        assert not isinstance(released, Exception), released
        assert world.devices.state(f"door:{D2}")["ingress"] == "normal", (outcome, released)
        assert world.gateway.in_force() == []


def test_deeds_come_back_as_sound_events(world):
    world.secured()
    world.gateway.perform(world.action("account.disable", "account:eve", key="k2"))
    text = (Path(watchword.__file__).parent / "content/mappings/watchword-actions.yaml").read_text()
    mapping = load_mapping(text, "watchword-actions.yaml", key=b"k" * 32)
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for number, told in enumerate(world.told):
        parsed = mapping.parse(RawRecord(f"{number:032x}", "watchword-actions", now, json.dumps(told).encode()))
        assert parsed.fault == ""
        (event,) = [world.directory.identify(each) for each in parsed.events]
        assert not [one for one in validate(complete(event)) if one.kind != "deprecated"]
        assert told["verb"] in event.message
    assert [told["status"] for told in world.told] == ["done", "refused"]
