"""The demo site's committee: both sides in it, its last meetings with their minutes, decisions with expectations, proposals under way."""

import secrets
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from watchword.app.audit import Audit
from watchword.app.governance import Governance, open_governance
from watchword.app.principal import Role
from watchword.app.watchword import Watchword
from watchword.govern.body import Body, BodyRules, Member, Seat
from watchword.govern.candidate import Candidate, IsoInput
from watchword.govern.decision_rules import Text
from watchword.govern.meeting import Meeting
from watchword.kit.clock import ManualClock, to_millisecond

NAME: Final = "Security committee"
BY: Final = "manager"
MORE_PEOPLE: Final[Mapping[str, tuple[Role, str]]] = {
    "network": (Role.IT_ANALYST, "Jonas Weber"),
    "premises": (Role.CONTROL_ROOM_OPERATOR, "Pia Rossi"),
}
"""Two more members, so that each side has two; nobody knows their passwords until the administrator sets them."""
SEATS: Final[Mapping[str, Seat]] = {
    "analyst": Seat.IT,
    "operator": Seat.PHYSICAL,
    "network": Seat.IT,
    "premises": Seat.PHYSICAL,
    "manager": Seat.OTHER,
}
BEGAN: Final = timedelta(days=110)
SERIES: Final = timedelta(days=65)
PAST: Final = (
    Candidate(
        "risk",
        "Somebody follows through the stores' door",
        "Three entries in four weeks had one badge and two people; the loss scenario is over its appetite.",
        85_000.0,
        2.2,
        1.0,
        20,
        "physical",
        IsoInput.RISKS,
        ("topic:tailgating",),
    ),
    Candidate(
        "evidence",
        "Access reviews of the server rooms are old",
        "Two of five lists were last reviewed more than a quarter ago.",
        None,
        1.5,
        2.4,
        15,
        "joint",
        IsoInput.AUDITS,
        ("topic:access-review",),
    ),
    Candidate(
        "budget",
        "The cameras at the loading dock missed their uptime",
        "One switch took four cameras with it for six hours: the month's budget is spent.",
        30_000.0,
        2.0,
        1.0,
        15,
        "joint",
        IsoInput.MEASUREMENTS,
        ("topic:dock-cameras",),
    ),
    Candidate(
        "metric",
        "Remote log-ins outside working hours",
        "Their number left its limits twice.",
        12_000.0,
        1.2,
        1.0,
        15,
        "it",
        IsoInput.NONCONFORMITIES,
        ("topic:remote",),
    ),
)
OUTCOMES: Final = (
    "A turnstile and a camera that counts heads are costed; guards stand there at shift change until then.",
    "Both teams review the lists together on the second Friday of each month.",
    "The dock's cameras go to two switches; facilities does the cabling.",
    "No action: a night shift was moved. Looked at again next quarter.",
)


def furnish_committees(watchword: Watchword) -> None:
    """Give the demo its committee and a past, through the same services as anybody; once."""
    if any(each.name == NAME for each in watchword.governance.committees.list()):
        return
    now = to_millisecond(watchword.clock.now())
    known = {each.name for each in watchword.accounts.accounts()}
    for name, (role, full_name) in MORE_PEOPLE.items():
        if name not in known:
            watchword.accounts.create(name, role, secrets.token_urlsafe(24), actor="demo", full_name=full_name)
    if not set(SEATS) <= known | set(MORE_PEOPLE):
        return
    clock = ManualClock(now - BEGAN)
    audit = Audit(watchword.records, clock)
    house = open_governance(watchword.records, clock, audit, watchword.response.roster, watchword.site_key, watchword.measures)
    house.candidates[:] = [lambda _: list(PAST)]
    body = _body(house, now)
    _decisions(house, clock, body, now)
    clock.at = now - SERIES
    house.meetings.plan(body.uid, by=BY)
    past = [each for each in house.meetings.list(body.uid, ahead=True) if each.ends < now]
    for number, meeting in enumerate(past):
        _held(house, clock, meeting, last=number == len(past) - 1)
    _under_way(house, clock, body, now)
    clock.at = now
    house.meetings.plan(body.uid, by=BY)


def _body(house: Governance, now: datetime) -> Body:
    rules = BodyRules(
        purpose="IT and physical security decide together what protects people, premises and data, and look at what came of it.",
        quorum=3,
        zone="Europe/Berlin",
        cadence="FREQ=MONTHLY;BYDAY=1TU",
        first=(now - SERIES).date(),
        at=time(10),
    )
    members = [Member(person, seat, f"{person}@demo.example") for person, seat in SEATS.items()]
    return house.committees.put(NAME, rules, members, by=BY)


def _text(now: datetime, title: str, question: str, choice: str, because: str, review: int, **more: Any) -> Text:
    """Return a text whose review lies so many days from now."""
    expects = more.pop("expects", {"metric": "", "direction": "none"})
    if expects["metric"]:
        expects = expects | {"by": (now + timedelta(days=review)).date().isoformat(), "subject": ""}
    return Text(title, question, choice, because, (now + timedelta(days=review)).date(), expects, **more)


def _decisions(house: Governance, clock: ManualClock, body: Body, now: datetime) -> None:
    leavers = _text(
        now,
        "Badges end with accounts",
        "Is it safe to try that a leaver's badge ends within an hour of the account?",
        "The badge of whoever leaves is off within one hour of their account, at weekends too. The control room does it by hand "
        "when the interface is down.",
        "Badges of leavers stayed on for more than a day on average, because two teams kept two lists.",
        -3,
        expects={"metric": "two_clock_gap", "direction": "down", "size": 12.0},
        sets={"leaver-access.1.badge_off_within": "PT1H", "leaver-access.1.account_off_within": "PT1H"},
        kind="policy",
        subject="leaver-access",
    )
    dock = _text(
        now,
        "Two switches for the dock's cameras",
        "Is it safe to try that the cameras of the loading dock hang on two switches?",
        "Every second camera of the loading dock moves to the switch of the workshop.",
        "One switch took four cameras with it; the dock was not seen for six hours.",
        60,
        expects={"metric": "uptime.zone", "direction": "up", "size": 0.01},
    )
    drill = _text(
        now,
        "One joint drill a quarter",
        "Is it safe to try that both teams rehearse one playbook together each quarter?",
        "Each quarter both teams run one playbook as an exercise; the committee chooses which.",
        "In the last exercise neither team knew whom to call on the other side.",
        90,
    )
    objection = ("premises", "The night shift has two guards; one of them would be at the drill.", "Rounds are missed on that night.")
    for days, text, against in ((108, leavers, None), (80, dock, None), (70, drill, objection)):
        clock.at = now - timedelta(days=days)
        uid = _to_objections(house, body, text, by="analyst")
        if against is not None:
            house.proposals.object(uid, against[1], against[2], paramount=False, by=against[0])
        for person in SEATS:
            if against is None or person != against[0]:
                clock.advance(timedelta(minutes=17))
                house.proposals.agree(uid, by=person)


def _to_objections(house: Governance, body: Body, text: Text, by: str) -> str:
    uid = house.proposals.draft(body.uid, text, by=by)
    house.proposals.submit(uid, by=by)
    for person in SEATS:
        if person != by:
            house.proposals.asked(uid, by=person)
    house.proposals.revise(uid, None, by=by)
    return uid


def _held(house: Governance, clock: ManualClock, meeting: Meeting, *, last: bool) -> None:
    """Hold one meeting of the past: frozen a week before, minuted, and consented to by those who were there."""
    clock.at = max(clock.at, meeting.starts - timedelta(days=7))
    house.agendas.freeze(meeting, by="watchword")
    clock.at = meeting.starts
    house.meetings.open(meeting.uid, by="manager")
    for person in ("analyst", "operator", "network"):
        house.meetings.attend(meeting.uid, person, here=True, by=person)
    house.meetings.attend(meeting.uid, "premises", here=False, by="operator")
    words = {each.key: outcome for each, outcome in zip(PAST, OUTCOMES, strict=True)}
    for item in house.agendas.items(meeting.uid):
        if item.position:
            clock.advance(timedelta(minutes=8))
            outcome = words.get(item.key, "Taken note of; nothing to change.")
            house.meetings.settle(item.uid, outcome, done=True, by="analyst")
    due = meeting.starts.date()
    if last:
        first = _action(house, meeting, "Offers for a turnstile at the stores", "operator", due + timedelta(days=14))
        _action(house, meeting, "Review the server rooms' access lists together", "network", due + timedelta(days=7))
        _action(house, meeting, "Cable the dock's cameras to two switches", "premises", due + timedelta(days=120), "uptime.zone")
        said = "Two offers are in; the cheaper one needs no fire certificate."
    else:
        first = _action(house, meeting, "Put both teams' duty numbers on one card", "operator", due + timedelta(days=10))
        said = "The card hangs at both desks."
    house.meetings.close(meeting.uid, by="manager")
    number = house.minutes.write(meeting.uid, by="analyst")
    clock.advance(timedelta(hours=3))
    for person in ("manager", "analyst", "operator"):
        house.minutes.answer(meeting.uid, number, objects=False, by=person)
    clock.advance(timedelta(days=9))
    house.minutes.finish(first, said, by="operator")


def _action(house: Governance, meeting: Meeting, text: str, owner: str, due: date, metric: str = "") -> str:
    return house.minutes.add_action(meeting.body, text, owner, due, by="analyst", meeting=meeting.uid, metric=metric)


def _under_way(house: Governance, clock: ManualClock, body: Body, now: datetime) -> None:
    """Leave one proposal in its round of objections, and one in its round of questions."""
    clock.at = now - timedelta(hours=5)
    visitors = _text(
        now,
        "Visitors' network ends at the reception",
        "Is it safe to try that a visitor's network access ends when their badge is handed back?",
        "When a visitor's badge is handed back at the reception, their access to the guests' network ends within ten minutes.",
        "Access for guests lasted until midnight; twice last month it was used after the visitor had left.",
        120,
        expects={"metric": "policy_alignment", "direction": "up", "size": 0.05},
    )
    uid = _to_objections(house, body, visitors, by="operator")
    clock.advance(timedelta(minutes=40))
    house.proposals.agree(uid, by="operator")
    house.proposals.object(
        uid,
        "Technicians of suppliers need the network to the end of the day.",
        "Work at the air conditioning stops.",
        paramount=True,
        by="premises",
    )
    house.proposals.agree(uid, by="network")
    lifts = _text(
        now,
        "Cards for the goods lift",
        "Is it safe to try that the goods lift asks for a card outside working hours?",
        "From 19:00 to 06:00 the goods lift moves by card only; fire control is untouched.",
        "The goods lift is the only way into the stores that asks nobody.",
        150,
        expects={"metric": "risk_hours", "direction": "down", "size": 5.0},
    )
    asked = house.proposals.draft(body.uid, lifts, by="analyst")
    house.proposals.submit(asked, by="analyst")
    house.proposals.ask(asked, "Does the fire brigade's key still move it?", by="premises")
