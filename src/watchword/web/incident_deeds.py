"""What people do in an incident, by plain forms: take, lead, note, say, tasks, roles, hand-overs, severity, merge, split, close."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.responses import Response

from watchword.app import taking
from watchword.kit.duration import read_duration
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.model.action import Team
from watchword.model.incident import Closure, IncidentRole, Moment
from watchword.respond.hand_over import HandOver
from watchword.web.forms import Fields
from watchword.web.incident_page import view_of
from watchword.web.incidents import incident_page, rating_of_form
from watchword.web.login import inside
from watchword.web.pages import UID, Ask, Responding

router = APIRouter()
LONGEST: Final = 10_000


def do(ask: Ask, uid: str, where: str, deed: Callable[[], Any], typed: Mapping[str, str] | None = None, back: str = "") -> Response:
    """Do a deed and show the incident at its place; what stands against it is said at the form, with what was typed."""
    try:
        deed()
    except (InputError, Conflict, Forbidden) as error:
        status = 422 if isinstance(error, InputError) else 409 if isinstance(error, Conflict) else 403
        return incident_page(ask, uid, status, where=where, fault=str(error), typed=typed)
    return ask.see(inside(back) if back else f"/incidents/{uid}#{where}")


def moment_in(ask: Ask, text: str, place: str = "") -> datetime | None:
    """Return a moment as typed: with zone, or by the clock of the place; a time of day is today's, or yesterday's when it lies ahead.

    Raises:
        InputError: it is none.
    """
    text = text.strip()
    if not text:
        return None
    zone = ask.zone_at(place)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        today = ask.now.astimezone(zone).date()
        try:
            found = datetime.fromisoformat(f"{today} {text}").replace(tzinfo=zone)
        except ValueError as error:
            raise InputError(f"{text[:40]!r} is no time: write 08:41, or 2026-03-01 08:41", "at") from error
        if found > ask.now + timedelta(minutes=5):
            found -= timedelta(days=1)
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


# taking and leading


@router.post("/incidents/{uid}/acknowledge")
def acknowledge(ask: Responding, uid: str, team: Annotated[str, Form()] = "", back: Annotated[str, Form()] = "") -> Response:
    """Say that one has it: calling stops."""
    own = ask.who.team.value
    chosen = team if own == Team.MANAGEMENT.value and team in set(Team) else own
    return do(ask, uid, "now", lambda: taking.acknowledge(ask.watchword, uid, by=ask.who.actor, team=chosen), back=back)


@router.post("/incidents/{uid}/lead")
def lead(ask: Responding, uid: str) -> Response:
    """Take the lead of an incident that nobody leads."""

    def deed() -> None:
        if view_of(ask, uid).incident.lead:
            raise Conflict("Somebody leads already: let them hand over")
        ask.watchword.response.incidents.assign(uid, IncidentRole.LEAD, ask.who.actor, by=ask.who.actor, team=ask.who.team.value)

    return do(ask, uid, "now", deed)


@router.post("/incidents/{uid}/roles")
def assign(ask: Responding, uid: str, fields: Fields) -> Response:
    """Give a role to somebody, or to nobody."""

    def deed() -> None:
        role = _one(IncidentRole, fields.get("role", ""), "Choose a role", "role")
        person = fields.get("person", "").strip()
        if person and not ask.watchword.response.roster.team_of(person):
            raise InputError(f"Nobody active is called {person[:64]!r}", "person")
        ask.watchword.response.incidents.assign(uid, role, person, by=ask.who.actor, team=ask.who.team.value)

    return do(ask, uid, "roles", deed, fields)


# words


@router.post("/incidents/{uid}/note")
def note(ask: Responding, uid: str, fields: Fields) -> Response:
    """Write down what happened, and when."""

    def deed() -> None:
        at = moment_in(ask, fields.get("at", ""), _place(ask, uid))
        incidents = ask.watchword.response.incidents
        incidents.note(uid, fields.get("text", "")[:LONGEST], by=ask.who.actor, team=ask.who.team.value, occurred_at=at)

    return do(ask, uid, "timeline", deed, fields)


@router.post("/incidents/{uid}/correct")
def correct(ask: Responding, uid: str, fields: Fields) -> Response:
    """Correct an entry by a new one; the old one stays."""

    def deed() -> None:
        seq = fields.get("seq", "")
        if not (seq.isascii() and seq.isdigit() and len(seq) < 10):
            raise InputError("Say which entry is wrong", "seq")
        chronicle = ask.watchword.response.incidents.chronicle
        at = moment_in(ask, fields.get("at", ""), _place(ask, uid))
        chronicle.correct(uid, int(seq), fields.get("text", "")[:LONGEST], by=ask.who.actor, team=ask.who.team.value, occurred_at=at)

    return do(ask, uid, "timeline", deed, fields)


@router.post("/incidents/{uid}/say")
def say(ask: Responding, uid: str, fields: Fields) -> Response:
    """Say something to the others; what was said to oneself counts as seen."""

    def deed() -> None:
        chronicle = ask.watchword.response.incidents.chronicle
        chronicle.say(uid, fields.get("text", "")[:LONGEST], by=ask.who.actor, team=ask.who.team.value)
        chronicle.saw(uid, ask.who.name)

    return do(ask, uid, "talk", deed, fields)


@router.post("/incidents/{uid}/seen")
def seen(ask: Responding, uid: str) -> Response:
    """Note that one has seen where one was mentioned."""
    ask.watchword.response.incidents.chronicle.saw(uid, ask.who.name)
    return ask.see(f"/incidents/{uid}#talk")


@router.post("/incidents/{uid}/describe")
def describe(ask: Responding, uid: str, fields: Fields) -> Response:
    """Change title and summary."""
    title, summary = fields.get("title", ""), fields.get("summary", "")[:LONGEST]
    incidents = ask.watchword.response.incidents
    return do(
        ask, uid, "about", lambda: incidents.describe(uid, title=title, summary=summary, by=ask.who.actor, team=ask.who.team.value), fields
    )


# tasks


@router.post("/incidents/{uid}/tasks")
def add_task(ask: Responding, uid: str, fields: Fields) -> Response:
    """Give a team, or one of it, something to do."""

    def deed() -> None:
        team = _one(Team, fields.get("team", ""), "Say whose it is", "team")
        within = fields.get("within", "").strip()
        ask.watchword.response.incidents.tasks.add(
            uid, fields.get("title", ""), by=ask.who.actor, team=team, owner=fields.get("owner", ""),
            detail=fields.get("detail", "")[:LONGEST],
            sla=read_duration(within) if within else None, speaker=ask.who.team.value,
        )  # fmt: skip

    return do(ask, uid, "tasks", deed, fields)


@router.post("/incidents/{uid}/tasks/{task}")
def end_task(ask: Responding, uid: str, task: str, fields: Fields) -> Response:
    """Say that a task is done, take it, or drop it with a reason."""
    tasks = ask.watchword.response.incidents.tasks

    def deed() -> None:
        kept = tasks.get(task)
        if kept.incident != uid:
            raise NotFound(f"Incident {uid} has no task {task}")
        by, team, said = ask.who.actor, ask.who.team.value, fields.get("note", "")[:LONGEST]
        if fields.get("deed") == "drop":
            tasks.drop(task, by=by, reason=said, team=team)
        elif fields.get("deed") == "take":
            tasks.give(task, by=by, team=Team(kept.team), owner=by, speaker=team)
        else:
            tasks.finish(task, by=by, team=team, note=said)

    return do(ask, uid, "tasks", deed, fields, back=fields.get("back", ""))


# hand-overs


@router.post("/incidents/{uid}/hand-over")
def hand_over(ask: Responding, uid: str, fields: Fields) -> Response:
    """Begin to hand a role over."""

    def deed() -> HandOver:
        role = _one(IncidentRole, fields.get("role", ""), "Choose a role", "role")
        incoming = fields.get("person", "").strip()
        if not ask.watchword.response.roster.team_of(incoming):
            raise InputError(f"Nobody active is called {incoming[:64]!r}", "person")
        hands = ask.watchword.response.incidents.hand_overs
        return hands.begin(uid, role, incoming, by=ask.who.actor, note=fields.get("note", "")[:LONGEST], team=ask.who.team.value)

    return do(ask, uid, "hand-over", deed, fields)


@router.post("/incidents/{uid}/hand-over/{hand}")
def hand_item(ask: Responding, uid: str, hand: str, fields: Fields) -> Response:
    """Acknowledge one item, finish, or cancel."""
    hands = ask.watchword.response.incidents.hand_overs

    def deed() -> HandOver:
        if hands.get(hand).incident != uid:
            raise NotFound(f"Incident {uid} has no hand-over {hand}")
        by, team = ask.who.actor, ask.who.team.value
        if fields.get("deed") == "cancel":
            return hands.cancel(hand, by=by, reason=fields.get("reason", "")[:LONGEST], team=team)
        if fields.get("deed") == "finish":
            return hands.finish(hand, by=by, team=team)
        return hands.acknowledge(hand, fields.get("kind", ""), fields.get("item", ""), by=by, team=team)

    return do(ask, uid, "hand-over", deed, fields, back=fields.get("back", ""))


# severity and moments


@router.post("/incidents/{uid}/severity")
def severity(ask: Responding, uid: str, fields: Fields) -> Response:
    """Declare it, or rate it anew; a downgrade waits for a second person."""
    incidents = ask.watchword.response.incidents

    def deed() -> None:
        rating = rating_of_form(fields, view_of(ask, uid).incident)
        by, team, reason = ask.who.actor, ask.who.team.value, fields.get("reason", "")[:LONGEST]
        if fields.get("deed") == "declare":
            incidents.declare(uid, rating, by=by, team=team, reason=reason)
        else:
            incidents.rate(uid, rating, by=by, reason=reason, team=team)

    return do(ask, uid, "severity", deed, fields)


@router.post("/incidents/{uid}/severity/{rating}")
def confirm(ask: Responding, uid: str, rating: str, fields: Fields) -> Response:
    """Confirm or refuse a downgrade as the second person."""
    yes, reason = fields.get("answer") == "yes", fields.get("reason", "")[:LONGEST]
    verdicts = ask.watchword.response.incidents.verdicts
    return do(
        ask,
        uid,
        "severity",
        lambda: verdicts.confirm(uid, rating, by=ask.who.actor, yes=yes, team=ask.who.team.value, reason=reason),
        fields,
    )


@router.post("/incidents/{uid}/moment")
def moment(ask: Responding, uid: str, fields: Fields) -> Response:
    """State or revise a canonical moment."""

    def deed() -> None:
        name = _one(Moment, fields.get("moment", ""), "Choose a moment", "moment")
        at = None if fields.get("void") else moment_in(ask, fields.get("at", ""), _place(ask, uid)) or ask.now
        unsure = fields.get("uncertainty", "").strip()
        ask.watchword.response.incidents.moment(
            uid, name, at, by=ask.who.actor, team=fields.get("team", ""), uncertainty=read_duration(unsure) if unsure else timedelta(),
            evidence=fields.get("evidence", "")[:LONGEST], reason=fields.get("reason", "")[:LONGEST], speaker=ask.who.team.value,
        )  # fmt: skip

    return do(ask, uid, "moments", deed, fields)


# belonging together, and the end


@router.post("/incidents/{uid}/merge")
def merge(ask: Responding, uid: str, fields: Fields) -> Response:
    """Let this incident take another up."""

    def deed() -> None:
        other = fields.get("other", "").strip().lstrip("#")
        found = other if UID.fullmatch(other) else ""
        if not found and other.isascii() and other.isdigit() and len(other) < 10:
            found = ask.watchword.response.incidents.reader.uid_of_number(int(other))
        if not found:
            raise InputError("Give the number of the other incident", "other")
        if found == uid:
            raise InputError("An incident is not merged with itself", "other")
        reason = fields.get("reason", "")[:LONGEST]
        ask.watchword.response.incidents.merge(uid, [found], by=ask.who.actor, reason=reason, team=ask.who.team.value)

    return do(ask, uid, "belonging", deed, fields)


@router.post("/incidents/{uid}/findings")
def findings(ask: Responding, uid: str, fields: Fields) -> Response:
    """Put a finding in, take findings out, or split them off into an incident of their own."""
    incidents, by, team = ask.watchword.response.incidents, ask.who.actor, ask.who.team.value
    chosen, reason = fields.get("finding", "").split(), fields.get("reason", "")[:LONGEST]
    made: list[str] = []

    def deed() -> None:
        if not chosen:
            raise InputError("Choose the findings", "finding")
        if fields.get("deed") == "split":
            made.append(incidents.split(uid, chosen, fields.get("title", ""), by=by, team=team, reason=reason))
        elif fields.get("deed") == "attach":
            for each in chosen[:20]:
                incidents.attach(uid, each, by=by, team=team, because=reason)
        else:
            for each in chosen[:20]:
                incidents.detach(uid, each, by=by, reason=reason, team=team)

    answer = do(ask, uid, "findings", deed, fields)
    return ask.see(f"/incidents/{made[0]}") if made else answer


@router.post("/incidents/{uid}/close")
def close(ask: Responding, uid: str, fields: Fields) -> Response:
    """Close it with what it was."""

    def deed() -> None:
        closure = _one(Closure, fields.get("closure", ""), "Choose what it was", "closure")
        rating = rating_of_form(fields, view_of(ask, uid).incident)
        note = fields.get("note", "")[:LONGEST]
        taking.close(ask.watchword, uid, closure, rating, by=ask.who.actor, team=ask.who.team.value, note=note)

    return do(ask, uid, "close", deed, fields)


@router.post("/incidents/{uid}/reopen")
def reopen(ask: Responding, uid: str, fields: Fields) -> Response:
    """Reopen it; one that was closed long ago goes on in a new one."""
    made: list[str] = []

    def deed() -> None:
        reason = fields.get("reason", "")[:LONGEST]
        made.append(ask.watchword.response.incidents.reopen(uid, by=ask.who.actor, reason=reason, team=ask.who.team.value))

    answer = do(ask, uid, "close", deed, fields)
    return ask.see(f"/incidents/{made[0]}") if made else answer


def _place(ask: Ask, uid: str) -> str:
    places = view_of(ask, uid).incident.places
    return places[0] if places else ""


def _one(kind: Any, value: str, fault: str, field: str) -> Any:
    try:
        return kind(value)
    except ValueError as error:
        raise InputError(fault, field) from error
