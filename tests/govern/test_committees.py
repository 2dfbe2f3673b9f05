"""Bodies at work on both engines: a body is made, its meetings planned, frozen, held and minuted; proposals become decisions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from sqlalchemy import Connection, select, update

from watchword.app.audit import Audit
from watchword.govern import committee_tables as tables
from watchword.govern.agenda_service import Agendas
from watchword.govern.body import Body, BodyRules, Member, Seat
from watchword.govern.candidate import Candidate, IsoInput
from watchword.govern.committee_service import Committees
from watchword.govern.consent import Stage
from watchword.govern.decision_rules import Text
from watchword.govern.decision_service import Decisions
from watchword.govern.meeting import ItemState, Meeting, MeetingState, numbers_hash
from watchword.govern.meeting_calendar import Appointment, feed, invitation, occurrences
from watchword.govern.meeting_service import Meetings
from watchword.govern.minutes import jain
from watchword.govern.minutes_service import MinuteBook
from watchword.govern.proposal_service import Proposals
from watchword.govern.steering_service import SteeringFacts
from watchword.kit.clock import ManualClock
from watchword.kit.errors import Conflict, Corrupt, Forbidden, InputError, NotFound
from watchword.kit.records import Records
from watchword.model.decision import Decision, Method
from watchword.model.metric import Grade, Metric, Window

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
TEAMS = {"ana": "it", "ben": "it", "otto": "physical", "pia": "physical", "mara": "management"}
MEMBERS = tuple(
    Member(person, {"it": Seat.IT, "physical": Seat.PHYSICAL}.get(team, Seat.OTHER), f"{person}@example.org")
    for person, team in TEAMS.items()
)
RULES = BodyRules(
    purpose="Both sides decide together",
    zone="Europe/Berlin",
    cadence="FREQ=MONTHLY;BYDAY=1TU",
    first=date(2026, 1, 1),
    at=time(10),
    holidays=(date(2026, 4, 7),),
)


ONE_ENGINE = pytest.mark.parametrize("records_url", ["sqlite"], indirect=True)
"""Nothing in these touches an engine that the other tests do not."""


class Roster:
    """Accounts of a test."""

    def team_of(self, person: str) -> str:
        return TEAMS.get(person, "")

    def members(self, team: str) -> list[str]:
        return [person for person, own in TEAMS.items() if own == team]

    def deputies(self, incident: str) -> list[str]:
        del incident
        return []

    def managers(self) -> list[str]:
        return ["mara"]


class Values:
    """One measure, and which of its values are held."""

    def __init__(self) -> None:
        self.held: list[str] = []
        self.value = 12.5

    def get(self, uid: str) -> Metric:
        if uid != "m1":
            raise NotFound("no such value")
        window = Window(START - timedelta(days=28), START)
        return Metric(uid, "risk_hours", 1, window, self.value, 10.0, 15.0, 40, 1.0, Grade.B, "hours", "Counted.")

    def hold(self, connection: Connection, uids: Any) -> None:
        del connection
        self.held += list(uids)


@dataclass
class House:
    records: Records
    clock: ManualClock
    committees: Committees
    decisions: Decisions
    proposals: Proposals
    agendas: Agendas
    meetings: Meetings
    minutes: MinuteBook
    numbers: Values
    handed: list[Candidate]
    body: Body

    def next(self) -> Meeting:
        return self.meetings.list(self.body.uid, ahead=True)[0]


@pytest.fixture
def house(records: Records) -> Iterator[House]:
    clock = ManualClock(START)
    audit, numbers, handed = Audit(records, clock), Values(), list[Candidate]()
    committees = Committees(records, clock, audit, Roster(), b"k" * 32)
    decisions = Decisions(records, clock, audit)
    proposals = Proposals(records, clock, audit, committees, decisions, numbers)
    agendas = Agendas(records, clock, audit, committees, decisions, numbers, lambda _: handed)
    minutes = MinuteBook(records, clock, audit, committees, decisions, proposals)
    body = committees.put("Security committee", RULES, MEMBERS, by="mara")
    meetings = Meetings(records, clock, audit, committees)
    yield House(records, clock, committees, decisions, proposals, agendas, meetings, minutes, numbers, handed, body)
    assert audit.verify() == []


def text(**changes: Any) -> Text:
    expects = {"metric": "two_clock_gap", "direction": "down", "size": 3.0, "by": "2026-08-01"}
    plain = Text(
        "Badges end with accounts",
        "Is it safe that a badge ends within an hour of the account?",
        "A leaver's badge is off one hour after the account.",
        "Badges of leavers opened doors for 31 hours on average.",
        date(2026, 9, 1),
        expects,
        {"leaver-access.1.badge_off_within": "PT1H"},
        ("m1",),
    )
    return replace(plain, **changes)


def at_objections(house: House) -> str:
    uid = house.proposals.draft(house.body.uid, text(), by="ana")
    house.proposals.submit(uid, by="ana")
    house.proposals.ask(uid, "And visitors?", by="otto")
    house.proposals.answer(uid, 3, "Their badges end the same day anyway.", by="ana")
    for person in ("ben", "otto", "pia", "mara"):
        house.proposals.asked(uid, by=person)
    house.proposals.revise(uid, None, by="ana")
    return uid


@ONE_ENGINE
def test_a_body_is_checked(house: House) -> None:
    for rules, members, words in (
        (replace(RULES, quorum=9), MEMBERS, "quorum of 9"),
        (replace(RULES, quorum_physical=0), MEMBERS, "asks for none of them"),
        (RULES, (*MEMBERS, Member("nobody", Seat.IT)), "nobody active"),
        (RULES, (MEMBERS[0], MEMBERS[0]), "twice"),
        (replace(RULES, cadence="FREQ=SECONDLY"), MEMBERS, "cadence"),
        (replace(RULES, zone="Mars"), MEMBERS, "time zone"),
    ):
        with pytest.raises(InputError, match=words):
            house.committees.put("Other", rules, members, by="mara")
    with pytest.raises(Conflict):
        house.committees.put("Security committee", RULES, MEMBERS, by="mara")
    with pytest.raises(Conflict):
        house.committees.put("New name", RULES, MEMBERS, by="mara", uid=house.body.uid, version=7)
    kept = house.committees.put("New name", replace(RULES, minutes=90), MEMBERS[:4], by="mara", uid=house.body.uid, version=1)
    assert (kept.version, kept.rules.minutes, len(kept.members)) == (2, 90, 4)
    assert house.committees.get("New name") == kept
    assert kept.rules.holidays == RULES.holidays


def test_what_is_frozen_is_what_is_decided(house: House) -> None:
    told: list[Decision] = []
    house.decisions.on_decided.append(lambda _, decision: told.append(decision))
    uid = at_objections(house)
    frozen = house.proposals.get(uid)
    for person in TEAMS:
        house.proposals.agree(uid, by=person)
    after = house.proposals.get(uid)
    decision = house.decisions.get(after.proposal.decision)
    assert after.state.stage is Stage.CONSENTED
    assert decision.version_hash == frozen.state.hash == frozen.text.hash == after.versions[-1].hash
    assert decision.choice == frozen.text.choice
    assert dict(decision.sets) == {"leaver-access.1.badge_off_within": "PT1H"}
    assert decision.method is Method.CONSENT
    assert told == [decision]
    assert house.numbers.held.count("m1") == 2
    assert [each.uid for each in house.decisions.due(date(2026, 9, 1))] == [decision.uid]
    house.clock.advance(timedelta(days=200))
    house.decisions.review(decision.uid, "It did.", by="ana")
    assert house.decisions.due(date(2027, 9, 1)) == []
    with pytest.raises(Conflict):
        house.decisions.review(decision.uid, "again", by="ana")


@ONE_ENGINE
def test_a_subscriber_that_refuses_undoes_it_all(house: House) -> None:
    uid = at_objections(house)
    before = house.proposals.get(uid)

    def refuse(connection: Connection, decision: Decision) -> None:
        del connection, decision
        raise InputError("there is no such parameter")

    for person in ("ana", "ben", "otto", "pia"):
        before = house.proposals.agree(uid, by=person)
    house.decisions.on_decided.append(refuse)
    with pytest.raises(InputError):
        house.proposals.agree(uid, by="mara")
    assert house.proposals.get(uid) == before
    assert house.decisions.list() == []
    house.decisions.on_decided.clear()
    house.decisions.checks.append(refuse)
    draft = house.proposals.draft(house.body.uid, text(), by="ana")
    with pytest.raises(InputError):
        house.proposals.submit(draft, by="ana")


@ONE_ENGINE
def test_rounds_end_by_time(house: House) -> None:
    uid = house.proposals.draft(house.body.uid, text(), by="ana")
    kept = house.proposals.submit(uid, by="ana")
    assert kept.proposal.until == START + timedelta(days=3)  # Monday to Thursday
    assert house.proposals.end_rounds(house.clock.now()) == 0
    house.clock.advance(timedelta(days=3))
    assert house.proposals.end_rounds(house.clock.now()) == 1
    assert house.proposals.get(uid).proposal.stage is Stage.REVISION
    kept = house.proposals.revise(uid, text(choice="Two hours."), by="ana")
    assert kept.proposal.until == START + timedelta(days=7)  # Thursday to Monday: two working days
    house.proposals.agree(uid, by="ana")
    house.proposals.agree(uid, by="otto")
    house.clock.advance(timedelta(days=4))
    assert house.proposals.end_rounds(house.clock.now()) == 1
    again = house.proposals.get(uid)
    assert (again.state.stage, again.state.repeats) == (Stage.OBJECTION, 1)
    house.clock.advance(timedelta(days=5))
    house.proposals.end_rounds(house.clock.now())
    assert house.proposals.get(uid).state.stage is Stage.TABLED
    facts = SteeringFacts(house.records, house.committees).read()
    assert facts.questions[0].dropped is not None
    assert [each.met for each in facts.gatherings] == [False]


@ONE_ENGINE
def test_a_changed_log_is_seen(house: House) -> None:
    uid = at_objections(house)
    with house.records.begin() as connection:
        table = tables.proposal_entry
        connection.execute(update(table).where(table.c.seq == 3).values(actor="ben"))
    with pytest.raises(Corrupt):
        house.proposals.get(uid)


def test_a_meeting_from_plan_to_minutes(house: House) -> None:  # noqa: PLR0915 - one meeting, told from end to end
    house.handed += [
        Candidate("risk", "Tailgating at the stores", "ALE over appetite.", 90_000.0, 2.0, 1.0, 20, "physical", IsoInput.RISKS, ("risk:r1",), ("m1",)),
        Candidate("evidence", "Access reviews are old", "Three of nine.", None, 1.5, 2.0, 15, "it", IsoInput.AUDITS, ("control:ac-2",)),
        *(Candidate("metric", f"Number {number}", "Flagged.", 20_000.0, minutes=15, domain="it", refs=(f"m:{number}",)) for number in range(4)),
    ]  # fmt: skip
    assert house.meetings.plan(house.body.uid) == 6
    assert house.meetings.plan(house.body.uid) == 0
    first, second = house.meetings.list(house.body.uid, ahead=True)[:2]
    assert first.starts == datetime(2026, 3, 3, 9, tzinfo=UTC)
    assert second.starts == datetime(2026, 4, 8, 8, tzinfo=UTC)  # the first Tuesday is a day off; summer time
    assert set(first.roles) == set(RULES.roles)
    assert first.dropped == ()
    own = house.agendas.add(first.uid, "New guards", "Two begin in May.", 10, "physical", by="pia")
    preview = house.agendas.preview(first)
    house.agendas.freeze(first, by="watchword")
    items = house.agendas.items(first.uid)
    chosen, left = [each for each in items if each.position], [each for each in items if not each.position]
    assert sum(each.minutes for each in chosen) <= 60
    assert [each.title for each in chosen] == [each.candidate.title for each in preview.chosen]
    assert left
    assert own in {each.uid for each in chosen}
    risk = next(each for each in chosen if each.kind == "risk")
    assert risk.metrics[0]["value"] == 12.5
    assert risk.metrics_hash == numbers_hash(risk.metrics)
    assert "m1" in house.numbers.held
    house.numbers.value = 99.0  # what is computed later changes nothing of what was frozen
    assert house.agendas.items(first.uid) == items
    with pytest.raises(Conflict):
        house.agendas.freeze(first, by="watchword")
    with pytest.raises(Conflict):
        house.meetings.open(first.uid, by="ana")  # a day too early
    house.clock.at = first.starts
    house.meetings.open(first.uid, by="ana")
    for person in ("ben", "otto"):
        house.meetings.attend(first.uid, person, here=True, by=person)
    house.meetings.attend(first.uid, "pia", here=False, by="otto")
    with pytest.raises(Forbidden):
        house.meetings.attend(first.uid, "stranger", here=True, by="ana")
    house.meetings.show(first.uid, risk.uid, by="ana")
    assert house.meetings.get(first.uid).current == risk.uid
    with pytest.raises(InputError):
        house.meetings.settle(risk.uid, "", done=True, by="ana")
    house.meetings.settle(risk.uid, "A turnstile is costed.", done=True, by="ana")
    action = house.minutes.add_action(
        house.body.uid, "Cost a turnstile", "otto", date(2026, 3, 20), by="ana", meeting=first.uid, metric="loss.expected"
    )
    house.clock.advance(timedelta(hours=1))
    house.meetings.close(first.uid, by="ana")
    assert house.meetings.get(first.uid).state is MeetingState.CLOSED
    number = house.minutes.write(first.uid, by="ana")
    (minutes,) = house.minutes.versions(first.uid)
    assert minutes.content["present"] == {"ana": "it", "ben": "it", "otto": "physical"}
    assert minutes.content["excused"] == ["pia"]
    assert minutes.content["actions"][0]["owner"] == "otto"
    done = [each for each in minutes.content["items"] if each["state"] == ItemState.DONE]
    assert done[0]["metrics"][0]["value"] == 12.5
    assert not house.minutes.answer(first.uid, number, objects=True, reason="I was there", by="pia")
    again = house.minutes.write(first.uid, by="ana", note="Pia joined at half past.")
    with pytest.raises(Conflict):
        house.minutes.answer(first.uid, number, objects=False, by="ana")
    assert not house.minutes.answer(first.uid, again, objects=False, by="ana")
    assert not house.minutes.answer(first.uid, again, objects=False, by="ben")
    assert house.minutes.answer(first.uid, again, objects=False, by="otto")
    # The next meeting: what was carried weighs more, an overdue action and a member's open item are there.
    following = house.agendas.preview(second)
    both = {each.candidate.title: each for each in (*following.chosen, *following.left)}
    assert both["Cost a turnstile"].candidate.kind == "action"
    assert both["New guards"].pinned
    assert max(each.passed_over for each in both.values()) == 1
    house.minutes.finish(action, "Three offers are in.", by="otto")
    assert house.minutes.actions(house.body.uid, open_only=True) == []
    facts = SteeringFacts(house.records, house.committees).read()
    assert facts.gatherings[-1].met
    assert sum(facts.chairs[house.body.uid].values()) == 1


def test_a_pulse_shows_nothing_of_few(house: House) -> None:
    uid = house.meetings.call(house.body.uid, START + timedelta(minutes=5), 30, by="ana")
    house.agendas.freeze(house.meetings.get(uid), by="ana")
    house.meetings.open(uid, by="ana")
    for person in TEAMS:
        house.meetings.attend(uid, person, here=True, by="ana")
    scores = {"worth": 4, "heard": 5, "other_side": 3}
    for number, person in enumerate(TEAMS, 1):
        house.minutes.answer_pulse(uid, scores, by=person)
        assert (house.minutes.pulse(uid)[0].mean is None) == (number < 5)
    with pytest.raises(Conflict):
        house.minutes.answer_pulse(uid, scores, by="ana")
    assert house.minutes.pulse(uid)[0].mean == 4
    with house.records.read() as connection:
        row = connection.execute(select(tables.pulse)).mappings().first()
    assert row is not None
    assert set(row) == {"uid", "meeting", "question", "score"}  # nobody's name and no moment


@ONE_ENGINE
def test_a_quarter_has_had_every_review_input(house: House) -> None:
    house.handed += [Candidate("risk", f"Risk {number}", "Over.", 90_000.0, minutes=20, refs=(f"risk:{number}",)) for number in range(6)]
    house.meetings.plan(house.body.uid)
    house.clock.at = datetime(2026, 3, 31, tzinfo=UTC)
    had: set[str] = set()
    for meeting in house.meetings.list(house.body.uid, ahead=True)[1:4]:  # April, May, June
        house.agendas.freeze(meeting, by="watchword")
        house.clock.at = meeting.starts
        house.meetings.open(meeting.uid, by="ana")
        for item in house.agendas.items(meeting.uid):
            if item.position:
                house.meetings.settle(item.uid, "Looked at.", done=True, by="ana")
                had.add(item.iso_input)
        house.meetings.close(meeting.uid, by="ana")
    assert had - {""} == {each.value for each in IsoInput}


@ONE_ENGINE
def test_what_cannot_be_put_to_a_body(house: House) -> None:
    for changed in (
        {"title": " "},
        {"choice": "x" * 20_001},
        {"expects": {"metric": "", "direction": "down"}},
        {"expects": {"metric": "m", "direction": "down", "size": float("nan"), "by": "2026-08-01"}},
        {"expects": {"metric": "m", "direction": "sideways", "by": "2026-08-01"}},
        {"kind": "wish"},
        {"subject": "s" * 201},
        {"because": "a\0b"},
    ):
        with pytest.raises(InputError):
            house.proposals.draft(house.body.uid, text(**changed), by="ana")
    with pytest.raises(InputError):
        house.proposals.draft(house.body.uid, text(), by="ana", meeting="0" * 32)
    for soon in ({"review_on": date(2026, 3, 9)}, {"kind": "exception"}, {"expires": date(2026, 1, 1)}):
        uid = house.proposals.draft(house.body.uid, text(**soon), by="ana")
        with pytest.raises(InputError):
            house.proposals.submit(uid, by="ana")
    uid = house.proposals.draft(house.body.uid, text(supersedes="0" * 32), by="ana")
    with pytest.raises(NotFound):
        house.proposals.submit(uid, by="ana")


@ONE_ENGINE
def test_absent_members_take_no_role(house: House) -> None:
    house.committees.add_absence(house.body.uid, "ana", date(2026, 3, 1), date(2026, 12, 31), by="ana")
    house.meetings.plan(house.body.uid)
    assert all("ana" not in each.roles.values() for each in house.meetings.list(house.body.uid, ahead=True))
    (absence,) = house.committees.absences(house.body.uid)
    house.committees.drop_absence(absence.uid, by="ana")
    house.meetings.assign(house.body.uid, by="ana", anew=True)
    assert any("ana" in each.roles.values() for each in house.meetings.list(house.body.uid, ahead=True))


@ONE_ENGINE
def test_calendars(house: House) -> None:
    token = house.committees.feed_token(house.body.uid)
    assert house.committees.body_of_feed(token).uid == house.body.uid
    assert house.committees.renew_feed(house.body.uid, by="mara") != token
    with pytest.raises(NotFound):
        house.committees.body_of_feed(token)
    each = Appointment("u1", "Security committee 3", START, START + timedelta(hours=1), "Agenda", "https://house.example/meetings/u1", 2)
    (event,) = Calendar.from_ical(feed("Security committee", [each], START)).walk("VEVENT")
    assert event.decoded("dtstart") == START
    asked = Calendar.from_ical(invitation(each, "house@example.org", "ana@example.org", START))
    assert asked["method"] == "REQUEST"
    assert int(asked.walk("VEVENT")[0]["sequence"]) == 1
    assert len(occurrences(replace(RULES, cadence="FREQ=WEEKLY;BYDAY=MO,WE"), START, 5)) == 5


def test_jain() -> None:
    assert jain([2, 2, 2]) == pytest.approx(1)
    assert jain([3, 0, 0]) == pytest.approx(1 / 3)
    assert jain([0, 0]) is None
