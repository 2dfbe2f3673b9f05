"""The Timeline: every event of both sides, searched by time, person, asset, place, address, class, severity and text; live."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.responses import Response

from watchword.app.questions import write_cursor
from watchword.kit.errors import NotFound
from watchword.model import EventQuery, RawRecord
from watchword.model.ocsf import EventClass
from watchword.web.filters import PAGE_ROWS, alike, read_event_filters
from watchword.web.login import inside
from watchword.web.pages import UID, Ask, Asked
from watchword.web.words import CLASS_WORDS, SEVERITY_WORDS


@dataclass(frozen=True, slots=True)
class PrintMark:
    """Whose trail a page shows, and why its reader opened it."""

    person: str
    reason: str


router = APIRouter()
SHOWN_BYTES: Final = 64 * 1024


@router.get("/timeline")
def timeline(ask: Asked) -> Response:
    """Show the newest events that the filters let through."""
    position = ask.watchword.ledger.last_position()
    filters = read_event_filters(ask.request.query_params, ask.directory, ask.now, ask.domains)
    closed = [person for person in filters.persons if ask.watchword.accounts.trail_until(ask.who, person) is None]
    events = [] if closed else ask.watchword.events.events(filters.query)
    more = len(events) > PAGE_ROWS
    rows = [ask.row(event) for event in events[:PAGE_ROWS]]
    return ask.page(
        "timeline/list.html",
        422 if filters.faults else 200,
        filters=filters,
        rows=rows,
        closed=closed,
        printed=[] if closed else print_marks(ask, filters.persons),
        older=write_cursor(*events[PAGE_ROWS - 1].order) if more else "",
        position=position,
        query=ask.request.url.query,
        source_choices=[(source.name, source.name) for source in ask.watchword.ledger.sources()],
        suggestions=_suggestions(ask, filters.typed["q"]) if not filters.older else [],
        classes=sorted(((each.name.lower(), CLASS_WORDS[each]) for each in EventClass), key=lambda pair: pair[1]),
        severities=[(word, f"{word} and above") for level, word in SEVERITY_WORDS.items() if level > 1],
        names=names(ask),
    )


def print_marks(ask: Ask, persons: Iterable[str]) -> list[PrintMark]:
    """Return whose trails a page shows and for which reason this log-in may read them: what a printed page says of itself."""
    found = [(person, ask.watchword.accounts.trail(ask.who, person)) for person in persons]
    return [PrintMark(person, grant[1]) for person, grant in found if grant is not None]


@router.post("/trail/print")
def print_trail(ask: Asked, person: Annotated[list[str], Form(max_length=20)], page: Annotated[str, Form(max_length=400)] = "") -> Response:
    """Log that a page with people's trails goes to a printer: the script says so where there is one; only open trails can be printed."""
    marks = print_marks(ask, dict.fromkeys(person))
    for mark in marks:
        ask.watchword.audit.write(ask.who.actor, "trail.print", mark.person, mark.reason, {"page": inside(page)})
    return Response(status_code=204 if len(marks) == len(set(person)) else 409)


@router.get("/events/{uid}")
def event(ask: Asked, uid: str) -> Response:
    """Show one event: its document and the record that it came from."""
    found = ask.watchword.events.events(EventQuery(uids=(uid,), limit=1)) if UID.fullmatch(uid) else []
    if not found:
        raise NotFound(f"There is no event {uid!r}; it may have been kept for as long as the settings say, and no longer.")
    records = ask.watchword.events.records([found[0].record])
    return ask.page(
        "timeline/event.html",
        event=found[0],
        row=ask.row(found[0]),
        document=document_text(found[0].data),
        record=records[0] if records else None,
        raw=record_text(records[0]) if records else "",
    )


def _suggestions(ask: Ask, text: str) -> list[tuple[str, str]]:
    return alike(ask.directory, text) if text else []


def names(ask: Ask) -> dict[str, list[str]]:
    """Return names for the fields' lists of proposals, at most 400 each."""
    directory = ask.directory
    places = [place.name for place in directory.site.places.values()] + [door.name for door in directory.doors()]
    return {
        "people": sorted(person.name for person in directory.people.people.values())[:400],
        "assets": sorted(asset.name for asset in directory.assets.assets.values())[:400],
        "places": sorted(set(places))[:400],
    }


def document_text(data: Any) -> str:
    """Return an OCSF document as indented JSON."""
    return json.dumps(data, indent=1, ensure_ascii=False, default=str, sort_keys=True)[:SHOWN_BYTES]


def record_text(record: RawRecord) -> str:
    """Return a raw record as text: bytes that are no UTF-8 stand as escapes."""
    text = record.body[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return text + (f"\n… {len(record.body) - SHOWN_BYTES:,} further bytes" if len(record.body) > SHOWN_BYTES else "")
