"""People: who is known, with which badges and accounts; a person's trail is shown after a reason, which is logged."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from watchword.app.principal import Permission
from watchword.app.questions import write_cursor
from watchword.kit.errors import InputError, NotFound
from watchword.model import Event, EventQuery, Link, Person, PersonKind
from watchword.web.filters import PAGE_ROWS, read_event_filters
from watchword.web.login import inside
from watchword.web.pages import Ask, Asked
from watchword.web.timeline import print_marks

router = APIRouter()
ROWS = 200
RECENT = timedelta(hours=48)


@router.get("/people")
def people(ask: Asked, q: str = "", kind: str = "", site: str = "", page: int = 1) -> Response:
    """List people by name, without trails."""
    low = q.strip().casefold()
    found = [
        person
        for uid, person in ask.directory.people.people.items()
        if (not low or low in person.name.casefold() or low in uid.casefold() or low in person.role.casefold())
        and kind in {"", person.kind.value}
        and site in {"", person.site}
    ]
    found.sort(key=lambda person: (person.name.casefold(), person.uid))
    start = (max(1, min(page, 10_000)) - 1) * ROWS
    return ask.page(
        "people/list.html",
        people=found[start : start + ROWS],
        total=len(found),
        everyone=len(ask.directory.people.people),
        page_number=max(1, page),
        more=len(found) > start + ROWS,
        q=q,
        kind=kind,
        site=site,
        kinds=[(each.value, each.value) for each in PersonKind],
        sites=sites_of(ask),
    )


def sites_of(ask: Ask) -> list[tuple[str, str]]:
    """Return the sites as choices."""
    return [(place.uid, place.name) for place in ask.directory.site.places.values() if place.kind.value == "site"]


@router.get("/people/{uid}")
def person(ask: Asked, uid: str) -> Response:
    """Show a person: links, assets, findings; the trail when this log-in has given a reason for it."""
    return _page(ask, _known(ask, uid))


def _known(ask: Ask, uid: str) -> Person:
    found = ask.directory.person(uid)
    if found is None:
        raise NotFound(f"No people file describes {uid!r}.")
    return found


def _page(ask: Ask, found: Person, fault: str = "", status: int = 200) -> Response:
    until = ask.watchword.accounts.trail_until(ask.who, found.uid) if ask.may(Permission.TRAIL) else None
    trail = _trail(ask, found) if until else []
    return ask.page(
        "people/person.html",
        status,
        person=found,
        links=links_of(ask, found.uid),
        assets=ask.directory.assets_of(found.uid),
        findings=ask.watchword.findings.list(person=found.uid, limit=20),
        until=until,
        rows=[ask.row(event) for event in trail[:PAGE_ROWS]],
        older=write_cursor(*trail[PAGE_ROWS - 1].order) if len(trail) > PAGE_ROWS else "",
        fault=fault,
        printed=print_marks(ask, [found.uid]) if until else [],
    )


def links_of(ask: Ask, person: str) -> list[Link]:
    """Return a person's links, those that hold now first."""
    mine = [link for link in ask.directory.people.links if link.person == person]
    return sorted(mine, key=lambda link: (not link.holds(ask.now), link.entity))


def _trail(ask: Ask, found: Person) -> list[Event]:
    filters = read_event_filters(ask.request.query_params, ask.directory, ask.now, ask.domains)
    return ask.watchword.events.events(EventQuery(persons=(found.uid,), after=filters.query.after, limit=PAGE_ROWS + 1))


@router.post("/people/{uid}/trail")
def open_trail(ask: Asked, uid: str, reason: Annotated[str, Form()] = "", back: Annotated[str, Form()] = "") -> Response:
    """Log the reason and open the trail to this log-in for a quarter of an hour."""
    found = _known(ask, uid)
    try:
        ask.watchword.accounts.grant_trail(ask.who, uid, reason)
    except InputError as error:
        return _page(ask, found, str(error), 422)
    return ask.see(inside(back) if back else f"/people/{uid}#trail")
