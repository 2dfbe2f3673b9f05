"""Committees: the bodies, one body with its meetings, proposals and actions, its rules, and its calendar."""

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Any, Final
from zoneinfo import available_timezones

from fastapi import APIRouter
from starlette.responses import Response

from watchword.app.committee_work import appointments
from watchword.app.principal import Permission
from watchword.app.response import address_of
from watchword.govern.body import Body, BodyRules, Member, Seat
from watchword.govern.decision_rules import Fallback
from watchword.govern.meeting_calendar import feed
from watchword.kit.errors import InputError, NotFound
from watchword.web.forms import Fields
from watchword.web.governing import Governing, Stewarding, answered, day_of, governance, moment_of, seat_of, tried, whole, words
from watchword.web.pages import Anyone, Ask, Asked

router = APIRouter()
PAST: Final = 8
"""Meetings that are over and shown."""
CADENCES: Final = (
    ("FREQ=WEEKLY", "every week"),
    ("FREQ=WEEKLY;INTERVAL=2", "every two weeks"),
    ("FREQ=MONTHLY;BYDAY=1TU", "first Tuesday of the month"),
    ("FREQ=MONTHLY;BYDAY=3TH", "third Thursday of the month"),
    ("FREQ=MONTHLY;INTERVAL=3;BYDAY=1TU", "first Tuesday of the quarter"),
)


@router.get("/committees")
def committees(ask: Asked) -> Response:
    """List the bodies."""
    position = ask.watchword.ledger.last_position()
    return ask.page("committees/list.html", position=position, **list_context(ask))


def list_context(ask: Ask) -> dict[str, Any]:
    """Return every body with what is next in it."""
    house, today = governance(ask), ask.now.date()
    rows = []
    for body in house.committees.list():
        ahead = house.meetings.list(body.uid, ahead=True)
        under_way = house.proposals.list(body.uid, under_way=True)
        actions = house.minutes.actions(body.uid, open_only=True)
        rows.append(
            {
                "body": body,
                "next": ahead[0] if ahead else None,
                "proposals": under_way,
                "waits": [each for each in under_way if each.uid in _waiting(ask, body, [one.uid for one in under_way])],
                "actions": actions,
                "late": [each for each in actions if each.overdue(today)],
                "due": [each for each in house.decisions.due(today) if each.body == body.uid],
                "seat": seat_of(ask, body),
            }
        )
    return {"rows": rows, "stewards": ask.may(Permission.STEWARD), **words()}


def _waiting(ask: Ask, body: Body, uids: list[str]) -> set[str]:
    if not seat_of(ask, body):
        return set()
    return {uid for uid in uids[:30] if ask.who.name in governance(ask).proposals.get(uid).state.waiting}


@router.get("/committees/new")
def new(ask: Stewarding) -> Response:
    """Show the form of a new body."""
    return _form(ask, None, {})


@router.get("/committees/{uid}")
def committee(ask: Asked, uid: str) -> Response:
    """Show one body."""
    return _page(ask, uid)


def _page(ask: Ask, uid: str, status: int = 200, fault: str = "", where: str = "", typed: Mapping[str, str] | None = None) -> Response:
    position = ask.watchword.ledger.last_position()
    context = body_context(ask, uid) | {"fault": fault, "where": where, "typed": typed or {}}
    return ask.page("committees/body.html", status, position=position, **context)


def body_context(ask: Ask, uid: str) -> dict[str, Any]:
    """Return everything that a body's page shows."""
    house = governance(ask)
    body = house.committees.get(uid)
    seat = seat_of(ask, body)
    proposals = house.proposals.list(body.uid)
    ahead = house.meetings.list(body.uid, ahead=True)
    facts = house.facts.read()
    return {
        "body": body,
        "seat": seat,
        "own": ask.who.name,
        "ahead": ahead[:6],
        "past": house.meetings.list(body.uid, ahead=False)[:PAST],
        "under_way": [each for each in proposals if each.stage.value not in {"consented", "decided", "tabled"}],
        "tabled": [each for each in proposals if each.stage.value == "tabled"][:PAST],
        "waiting": _waiting(ask, body, [each.uid for each in proposals]) if seat else set(),
        "decisions": house.decisions.all_kept(body=body.uid)[:PAST],
        "due": {each.uid for each in house.decisions.due(ask.now.date())},
        "actions": house.minutes.actions(body.uid),
        "absences": house.committees.absences(body.uid),
        "chairs": facts.chairs.get(body.uid, {}),
        "dropped": sorted({rule for each in ahead for rule in each.dropped}),
        "today": ask.now.date(),
        "feed": f"{address_of(ask.watchword.settings)}/calendar/committees/{house.committees.feed_token(body.uid)}.ics" if seat else "",
        "stewards": ask.may(Permission.STEWARD),
        "cadence": dict(CADENCES).get(body.rules.cadence, body.rules.cadence or "called by hand"),
        **words(),
    }


@router.get("/committees/{uid}/edit")
def edit(ask: Stewarding, uid: str) -> Response:
    """Show the form of a body's rules."""
    body = governance(ask).committees.get(uid)
    return _form(ask, body, _fields_of(body))


def _form(ask: Ask, body: Body | None, typed: Mapping[str, str], status: int = 200, fault: str = "") -> Response:
    roster = ask.watchword.response.roster
    people = sorted((name, team) for team in ("it", "physical", "management") for name in roster.members(team))
    zones = [*sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))), "UTC"]
    blank = BodyRules(zone=ask.house_zone.key, first=ask.now.date())
    shown = {**_rule_fields(blank), **typed}
    numbers = {int(name.split(".")[1]) for name in typed if name.startswith("member.") and name.split(".")[1].isdigit()}
    rows = [*sorted(numbers), *range(max(numbers, default=0) + 1, max(numbers, default=0) + 4)]
    context = {"body": body, "typed": shown, "people": people, "zones": zones, "rows": rows, "cadences": CADENCES, "fault": fault}
    return ask.page("committees/form.html", status, **context, **words())


def _rule_fields(rules: BodyRules) -> dict[str, str]:
    plain = {
        "purpose",
        "quorum",
        "quorum_it",
        "quorum_physical",
        "decider",
        "zone",
        "cadence",
        "minutes",
        "question_days",
        "objection_days",
    }
    found = {name: str(getattr(rules, name)) for name in (*plain, "invite_days")}
    return found | {
        "fallback": rules.fallback.value,
        "first": rules.first.isoformat(),
        "at": rules.at.strftime("%H:%M"),
        "share": f"{100 * rules.domain_share:g}",
        "floor": f"{rules.floor_eur:g}",
        "silence": "1" if rules.silence_consents else "",
        "holidays": " ".join(day.isoformat() for day in rules.holidays),
        "roles": " ".join(rules.roles),
    }


def _fields_of(body: Body) -> dict[str, str]:
    found = {"name": body.name, "version": str(body.version), **_rule_fields(body.rules)}
    for number, each in enumerate(body.members, 1):
        found |= {f"member.{number}.person": each.person, f"member.{number}.seat": each.seat.value, f"member.{number}.mail": each.mail}
    return found


def _rules_of(fields: Mapping[str, str], before: BodyRules) -> BodyRules:
    try:
        share, floor = float(fields.get("share", "25")) / 100, float(fields.get("floor", "5000"))
        at = time.fromisoformat(fields.get("at", "10:00"))
    except ValueError as error:
        raise InputError("the share and the floor value are numbers, and a time is written as 10:00", "share") from error
    if fields.get("fallback", "") not in {each.value for each in Fallback}:
        raise InputError("say what the body does with what consent cannot settle", "fallback")
    numbers = ("quorum", "quorum_it", "quorum_physical", "minutes", "question_days", "objection_days", "invite_days")
    return BodyRules(
        purpose=fields.get("purpose", "").strip()[:2000],
        **{name: whole(fields.get(name, ""), name) for name in numbers},
        fallback=Fallback(fields["fallback"]),
        decider=fields.get("decider", ""),
        silence_consents=fields.get("silence") == "1",
        zone=fields.get("zone", "UTC"),
        cadence=fields.get("cadence", "").strip(),
        first=day_of(fields.get("first", ""), "first"),
        at=at,
        domain_share=share,
        floor_eur=floor,
        roles=tuple(fields.get("roles", "").split()) or before.roles,
        takes=before.takes,
        holidays=tuple(sorted({day_of(day, "holidays") for day in fields.get("holidays", "").replace(",", " ").split()})),
    )


def _members_of(fields: Mapping[str, str]) -> list[Member]:
    numbers = sorted({int(name.split(".")[1]) for name in fields if name.startswith("member.") and name.split(".")[1].isdigit()})
    found = []
    for number in numbers[:80]:
        person = fields.get(f"member.{number}.person", "").strip()
        seat = fields.get(f"member.{number}.seat", "other")
        if person:
            if seat not in {each.value for each in Seat}:
                raise InputError(f"{seat[:20]!r} is no side of the house", "seat")
            found.append(Member(person, Seat(seat), fields.get(f"member.{number}.mail", "").strip()))
    return found


@router.post("/committees")
def put(ask: Stewarding, fields: Fields) -> Response:
    """Keep a body's rules and members."""
    house, uid, made = governance(ask), fields.get("uid", ""), list[Body]()
    before = house.committees.get(uid) if uid else None

    def deed() -> None:
        rules = _rules_of(fields, before.rules if before else BodyRules())
        version = whole(fields.get("version", ""), "version") if uid else None
        made.append(house.committees.put(fields.get("name", ""), rules, _members_of(fields), by=ask.who.name, uid=uid, version=version))
        house.meetings.plan(made[0].uid, by=ask.who.name)
        if before is not None and dict(before.seats) != dict(made[0].seats):
            house.meetings.assign(made[0].uid, by=ask.who.name, anew=True)

    status, fault = tried(deed)
    return _form(ask, before, fields, status, fault) if fault else ask.see(f"/committees/{made[0].uid}")


@router.post("/committees/{uid}/{deed}")
def do(ask: Governing, uid: str, deed: str, fields: Fields) -> Response:
    """Change something of a body that its members change."""
    house, by = governance(ask), ask.who.name

    def act() -> None:
        if deed == "absences":
            since, until = day_of(fields.get("since", ""), "since"), day_of(fields.get("until", ""), "until")
            house.committees.add_absence(uid, fields.get("person", by) or by, since, until, by=by)
            house.meetings.assign(uid, by=by, anew=True)
        elif deed == "meetings":
            body = house.committees.get(uid)
            minutes = whole(fields.get("minutes", ""), "minutes")
            house.meetings.call(uid, moment_of(fields.get("starts", ""), body.rules.zone, "starts"), minutes, by=by)
        elif deed == "actions":
            due = day_of(fields.get("due", ""), "due")
            house.minutes.add_action(uid, fields.get("text", ""), fields.get("owner", ""), due, by=by)
        elif deed == "done":
            house.minutes.finish(fields.get("action", ""), fields.get("said", ""), by=by, drop=fields.get("drop") == "1")
        elif deed == "feed" and seat_of(ask, house.committees.get(uid)):
            house.committees.renew_feed(uid, by=by)
        else:
            raise InputError("say what shall be done", "deed")

    return answered(ask, act, f"/committees/{uid}#{deed}", lambda status, fault: _page(ask, uid, status, fault, deed, fields))


@router.get("/calendar/committees/{name}")
def calendar(ask: Anyone, name: str) -> Response:
    """Hand a body's meetings out to calendar programs, which cannot log in: whoever has the address reads it until it is renewed."""
    token, dot, kind = name.rpartition(".")
    if not dot or kind != "ics":
        raise NotFound("A calendar's address ends in .ics")
    house = governance(ask)
    body = house.committees.body_of_feed(token)
    since = ask.now - timedelta(days=90)
    found = feed(body.name, appointments(ask.watchword, body, since), ask.now)
    headers = {"Cache-Control": "private, max-age=300", "Content-Disposition": 'inline; filename="meetings.ics"'}
    return Response(found, media_type="text/calendar; charset=utf-8", headers=headers)
