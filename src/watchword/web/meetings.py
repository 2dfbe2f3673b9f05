"""Meetings: the agenda with its frozen numbers, the shared screen, everybody's own voice, minutes, and the pulse."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from watchword.govern.agenda import Agenda
from watchword.govern.committee_service import roll_of
from watchword.govern.meeting import MeetingState
from watchword.govern.meeting_service import EARLIEST_OPENING
from watchword.govern.minutes import PULSE
from watchword.kit.errors import InputError
from watchword.web.forms import Fields
from watchword.web.governing import Governing, answered, day_of, governance, measure_choices, seat_of, whole, words
from watchword.web.pages import Ask, Asked
from watchword.web.proposals import expected_words, voice_context

router = APIRouter()
LINKS: Final[Mapping[str, str]] = {
    "risk": "/risks/",
    "control": "/controls/",
    "decision": "/decisions/",
    "proposal": "/proposals/",
    "incident": "/incidents/",
    "finding": "/findings/",
    "policy": "/policies/",
    "metric": "/metrics/",
}
"""Where a reference of an item leads."""
DOMAIN_WORDS: Final = {"it": "IT", "physical": "physical", "joint": "joint"}


@router.get("/meetings/{uid}")
def meeting(ask: Asked, uid: str) -> Response:
    """Show one meeting."""
    return _page(ask, uid)


@router.get("/meetings/{uid}/screen")
def screen(ask: Asked, uid: str) -> Response:
    """Show the shared screen: the item at hand, large, with its numbers and who has spoken."""
    position = ask.watchword.ledger.last_position()
    return ask.page("meetings/screen.html", position=position, **meeting_context(ask, uid))


@router.get("/meetings/{uid}/print")
def printed(ask: Asked, uid: str) -> Response:
    """Show the agenda, and the minutes when there are any, for paper."""
    return ask.page("meetings/print.html", **meeting_context(ask, uid))


def _page(ask: Ask, uid: str, status: int = 200, fault: str = "", where: str = "", typed: Mapping[str, str] | None = None) -> Response:
    position = ask.watchword.ledger.last_position()
    context = meeting_context(ask, uid) | {"fault": fault, "where": where, "typed": typed or {}}
    return ask.page("meetings/meeting.html", status, position=position, **context)


def meeting_context(ask: Ask, uid: str) -> dict[str, Any]:
    """Return everything that a meeting's page shows."""
    house = governance(ask)
    found = house.meetings.get(uid)
    body = house.committees.get(found.body)
    items = house.agendas.items(uid)
    planned = found.state is MeetingState.PLANNED
    preview: Agenda | None = house.agendas.preview(found) if planned else None
    present = house.meetings.present(uid)
    here = [each.person for each in present if each.here]
    versions = house.minutes.versions(uid) if found.state is MeetingState.CLOSED else []
    seat = seat_of(ask, body)
    waiting = [house.proposals.get(each.uid) for each in house.proposals.list(body.uid, under_way=True)[:20]]
    voices = [{"kept": each, "expected": expected_words(ask, each), **voice_context(ask, each, body.seats)} for each in waiting]
    return {
        "meeting": found,
        "body": body,
        "seat": seat,
        "own": ask.who.name,
        "preview": preview,
        "chosen": [each for each in items if each.position],
        "left": [each for each in items if not each.position],
        "current": next((each for each in items if each.uid == found.current), None),
        "present": {each.person: each for each in present},
        "lack": roll_of(body).quorum_lack(here),
        "voices": voices if found.state in {MeetingState.PLANNED, MeetingState.FROZEN, MeetingState.OPEN} else [],
        "actions": house.minutes.actions(body.uid, meeting=uid),
        "decisions": house.decisions.all_kept(meeting=uid),
        "versions": versions,
        "minutes": versions[0] if versions else None,
        "pulse": house.minutes.pulse(uid) if found.state in {MeetingState.OPEN, MeetingState.CLOSED} else [],
        "pulse_questions": PULSE,
        "pulsed": house.minutes.has_answered(uid, ask.who.name),
        "here": ask.who.name in here,
        "links": LINKS,
        "domain_words": DOMAIN_WORDS,
        "measure_names": dict(measure_choices(ask)),
        "sent": house.meetings.invitations(uid),
        "today": ask.now.date(),
        "soon": found.starts - EARLIEST_OPENING <= ask.now,
        **words(),
    }


@router.post("/meetings/{uid}/{deed}")
def do(ask: Governing, uid: str, deed: str, fields: Fields) -> Response:
    """Do something at a meeting, or about it."""
    house, by = governance(ask), ask.who.name

    def action() -> object:
        due, found = day_of(fields.get("due", ""), "due"), house.meetings.get(uid)
        owner, metric = fields.get("owner", ""), fields.get("metric", "")
        return house.minutes.add_action(found.body, fields.get("text", ""), owner, due, by=by, meeting=uid, metric=metric)

    def freeze() -> None:
        found = house.meetings.get(uid)
        if not seat_of(ask, house.committees.get(found.body)):
            raise InputError("only members of this body freeze its agenda", "deed")
        house.agendas.freeze(found, by=by)

    def close() -> object:
        house.meetings.close(uid, by=by)
        return house.minutes.write(uid, by=by)

    def unknown() -> object:
        raise InputError("say what shall be done", "deed")

    deeds: dict[str, Callable[[], object]] = {
        "items": lambda: house.agendas.add(
            uid,
            fields.get("title", ""),
            fields.get("why", ""),
            whole(fields.get("minutes", ""), "minutes"),
            fields.get("domain", ""),
            by=by,
        ),
        "drop": lambda: house.agendas.drop(fields.get("item", ""), by=by),
        "freeze": freeze,
        "open": lambda: house.meetings.open(uid, by=by),
        "attend": lambda: house.meetings.attend(uid, fields.get("person", "") or by, here=fields.get("here") == "1", by=by),
        "show": lambda: house.meetings.show(uid, fields.get("item", ""), by=by),
        "settle": lambda: house.meetings.settle(fields.get("item", ""), fields.get("outcome", ""), done=fields.get("done") == "1", by=by),
        "actions": action,
        "close": close,
        "cancel": lambda: house.meetings.cancel(uid, by=by, reason=fields.get("reason", "")),
        "minutes": lambda: house.minutes.write(uid, by=by, note=fields.get("note", "")),
        "approve": lambda: house.minutes.answer(
            uid, whole(fields.get("number", ""), "number"), objects=fields.get("objects") == "1", reason=fields.get("reason", ""), by=by
        ),
        "pulse": lambda: house.minutes.answer_pulse(uid, {name: whole(fields.get(name, ""), name) for name in PULSE}, by=by),
    }
    act = deeds.get(deed, unknown)
    return answered(ask, act, f"/meetings/{uid}", lambda status, fault: _page(ask, uid, status, fault, deed, fields))
