"""The chain from end to end: consent → policy version → parameter → a door's verdict → measure → what came of the Decision → the bytes."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from watchword.app.demo import furnish
from watchword.app.effects import judge_effects
from watchword.app.pipeline import Pipeline
from watchword.app.principal import Role
from watchword.app.settings import read_settings
from watchword.app.tracing import Tracer
from watchword.app.watchword import open_watchword
from watchword.detect.service import FindingFilter
from watchword.govern.body import BodyRules, Member, Seat
from watchword.govern.consent import Stage
from watchword.govern.decision_rules import Text
from watchword.govern.trace import NodeKind
from watchword.ingest.intake import Incoming
from watchword.kit.clock import ManualClock
from watchword.kit.errors import InputError
from watchword.measure.calculator import MONDAY
from watchword.model import Mode
from watchword.model.decision import Effect
from watchword.simulate import organisation

PERIOD = timedelta(days=28)
BEGIN = MONDAY + ((datetime(2025, 1, 1, tzinfo=UTC) - MONDAY) // PERIOD + 1) * PERIOD
SIDES = 9
"""Periods on each side of the Decision: one more than a verdict needs."""
LEAVERS = 6
CHANGE = BEGIN + SIDES * PERIOD
BADGE = "leaver-access.1.badge_off_within"
ACCOUNT = "leaver-access.1.account_off_within"
MEASURE = "two_clock_gap.late"


def leaving():
    """(number, last moment, end of the badge, what the door says and when) of every leaver: late and loose before, in time after."""
    found = []
    for period in range(2 * SIDES):
        for each in range(LEAVERS):
            left = BEGIN + period * PERIOD + timedelta(days=2 + 4 * each, hours=15)
            if period < SIDES:
                late = each < 3 + (period % 3)
                found.append(
                    (len(found), left, left + timedelta(hours=30 if late else 2), "granted", left + timedelta(hours=26 if late else 1))
                )
            else:
                found.append((len(found), left, left + timedelta(minutes=30), "denied", left + timedelta(minutes=40)))
    return found


def probes():
    """Leavers of the days around the Decision, who show what changes at the door."""
    return [
        (900, CHANGE - timedelta(hours=3), CHANGE - timedelta(minutes=20)),
        (901, CHANGE - timedelta(minutes=90), CHANGE + timedelta(days=1)),
        (902, CHANGE + timedelta(days=3), CHANGE + timedelta(days=8)),
    ]


def badge(number):
    return f"{7_000_000 + number:08d}"


class House:
    """A house with doors, a body of both trades, and one pipeline that is never started anew."""

    def __init__(self, watchword, clock):
        self.watchword, self.clock = watchword, clock
        self.sent = []
        furnish(watchword, organisation(3))
        people = "employee,name,kind,role,site,since,until\n"
        cards = "badge,employee,since,until\n"
        for number, left, end in [*(each[:3] for each in leaving()), *probes()]:
            people += f"{5000 + number},Leaver {number},employee,engineer,harbour,2020-01-01,{left.isoformat()}\n"
            cards += f"{badge(number)},{5000 + number},2020-01-01,{end.isoformat()}\n"
        watchword.registry.load_people(people, "leavers.csv", "test")
        watchword.registry.load_people(cards, "leaver-badges.csv", "test")
        watchword.mappings.forget()
        for name, role in (("ana", Role.IT_ANALYST), ("boris", Role.CONTROL_ROOM_OPERATOR), ("chloe", Role.IT_ANALYST)):
            watchword.accounts.create(name, role, "correct horse battery 9", actor="test")
        members = [Member("ana", Seat.IT), Member("boris", Seat.PHYSICAL), Member("chloe", Seat.IT)]
        self.body = watchword.governance.committees.put("Access round", BodyRules(quorum=3), members, by="ana").uid
        self.pipeline = Pipeline(watchword)
        self.pipeline.start()

    def door(self, number, result, at, carry=True):
        """The door's own bytes come in, at the time at which it happens."""
        self.clock.at = max(self.clock.at, at + timedelta(seconds=1))
        body = {"event_id": f"e{len(self.sent)}", "ts": at.isoformat().replace("+00:00", "Z"), "controller": "hc-1", "door": "D-01"}
        body |= {"reader": "D-01-in", "card": badge(number), "result": result, "code": "A01" if result == "granted" else "D11"}
        self.sent.append(json.dumps(body).encode())
        self.watchword.intake.accept("harbour-doors", [Incoming(self.sent[-1])], self.clock.at)
        while carry and self.pipeline.step():
            pass

    def doors(self, leavers):
        """What the doors say of many, period by period."""
        for index, (number, _, _, result, at) in enumerate(leavers, 1):
            self.door(number, result, at, carry=index % LEAVERS == 0)

    def decide(self, sets, because):
        """A round of consent in which nobody objects."""
        now, proposals = self.clock.now(), self.watchword.governance.proposals
        expects = {"metric": MEASURE, "direction": "down", "size": 0.2, "by": (now + timedelta(days=300)).date().isoformat(), "subject": ""}
        words = ("Leavers' badges", "Is it safe to try until the review?", f"We set {sets}.", because)
        text = Text(*words, (now + timedelta(days=300)).date(), expects, sets, kind="policy", subject="leaver-access")
        uid = proposals.draft(self.body, text, by="ana")
        proposals.submit(uid, by="ana")
        for person in ("ana", "boris", "chloe"):
            kept = proposals.get(uid)
            if kept.state.stage is Stage.QUESTION:
                proposals.asked(uid, by=person)
        if proposals.get(uid).state.stage is Stage.REVISION:
            proposals.revise(uid, None, by="ana")
        for person in ("ana", "boris", "chloe"):
            if proposals.get(uid).state.stage is Stage.OBJECTION:
                proposals.agree(uid, by=person)
        kept = proposals.get(uid)
        assert kept.state.stage is Stage.CONSENTED
        return kept.proposal.decision

    def quiet(self):
        """The running worker looks around, as it does every few seconds."""
        self.clock.advance(timedelta(seconds=10))
        self.pipeline.idle()

    def found(self, number):
        wanted = FindingFilter(rules=("ww_007",), person=f"person:{5000 + number}")
        return [kept.finding for kept in self.watchword.findings.list(wanted)]


@pytest.fixture
def house(tmp_path):
    clock = ManualClock(BEGIN)
    with open_watchword(read_settings(environment={}, overrides={"data": tmp_path}), clock) as watchword:
        yield House(watchword, clock)


def test_a_decision_by_consent_reaches_the_door_moves_the_measure_and_walks_back_to_the_bytes(house):
    governance = house.watchword.governance
    house.doors(leaving()[: SIDES * LEAVERS])
    house.clock.at = CHANGE - timedelta(minutes=10)
    house.door(900, "denied", CHANGE - timedelta(hours=2, minutes=20))  # forty minutes after leaving: the right had ended in time
    house.door(901, "granted", CHANGE - timedelta(minutes=30))  # an hour after leaving
    assert [each.mode for each in house.found(900)] == [Mode.RISK], "without a policy a refusal is noted after fifteen minutes"
    assert [(each.mode, each.severity) for each in house.found(901)] == [(Mode.PAGE, 4)], (
        "without a policy an opening calls somebody at once"
    )
    house.watchword.measures.computing.backfill(house.clock.now(), names=[MEASURE])

    decision = house.decide({BADGE: "PT2H", ACCOUNT: "PT2H"}, "Reception closes two hours after the last shift.")
    house.quiet()
    assert house.found(900) == [], "what was a finding is none: the badge ended in time, by the policy in force"
    assert [(each.mode, each.severity) for each in house.found(901)] == [(Mode.RISK, 2)], (
        "the deadline has not passed: noted, nobody is called"
    )
    assert {(each.lands, each.before, each.value) for each in governance.policies.applied(decision=decision)} >= {
        ("ww_007.deadline", "", '"PT2H"'),
        ("ww_007.refused_grace", "", '"PT2H"'),
    }
    assert house.watchword.audit.entries(action="parameter.applied"), "the moment is in the audit log too"

    house.doors(leaving()[SIDES * LEAVERS :])
    house.clock.at = BEGIN + 2 * SIDES * PERIOD + timedelta(days=1)
    house.watchword.measures.computing.backfill(house.clock.now(), names=[MEASURE])
    points = house.watchword.measures.metrics.series(MEASURE)
    assert [round(point.value, 2) for point in points if point.window.until <= CHANGE][-3:-1] == [0.5, 0.67]
    assert max(point.value for point in points if point.window.since >= CHANGE) < 0.4, "the demo's own leavers are among them"
    judge_effects(house.watchword, house.clock.now())
    effect = governance.retrospectives.effect(decision)
    assert effect.verdict.effect is Effect.AS_EXPECTED
    assert "a shift down, as expected" in effect.verdict.because

    way = Tracer(house.watchword).walk_to_bytes(decision)
    assert way[0].source.uid == decision
    assert way[-1].target.kind is NodeKind.RECORD
    [record] = house.watchword.events.records([way[-1].target.uid])
    assert record.body in house.sent, "the very bytes that the door sent"
    above = Tracer(house.watchword).trace("finding", house.found(901)[0].uid)
    assert decision in {node.uid for node in above.reaches(NodeKind.DECISION)}, "why does this fire? because it was decided"


def test_a_stricter_decision_makes_a_finding_of_what_was_none_without_a_restart(house):
    house.clock.at = CHANGE
    house.decide({BADGE: "PT1H", ACCOUNT: "PT1H"}, "An hour is enough.")
    house.quiet()
    house.door(902, "denied", CHANGE + timedelta(days=3, minutes=12))
    assert house.found(902) == []
    house.decide({BADGE: "PT10M", ACCOUNT: "PT10M"}, "Doors and directory now speak within minutes.")
    house.quiet()
    assert [each.mode for each in house.found(902)] == [Mode.RISK]
    versions = house.watchword.governance.policies.versions("leaver-access")
    assert [version.version for version in versions] == [2, 1]


def test_what_no_policy_has_cannot_even_be_put(house):
    with pytest.raises(InputError, match="no statement"):
        house.decide({"leaver-access.9.badge_off_within": "PT1H"}, "A slip of the pen.")
    with pytest.raises(InputError, match="no ISO duration"):
        house.decide({BADGE: "one hour"}, "A slip of the pen.")
    assert house.watchword.governance.decisions.list() == []
