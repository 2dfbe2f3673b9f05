"""Places: sites, their floors as live plans, zones and doors with what happened there."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from watchword.kit.errors import NotFound
from watchword.model import Door, EventQuery, Place, PlaceKind
from watchword.resolve.plan import Plan, floors_of, lay_out
from watchword.web.pages import Ask, Asked
from watchword.web.place_state import DoorWord, SiteState
from watchword.web.plan_svg import plan_svg

router = APIRouter()
ROWS = 50


def sites(ask: Ask) -> list[Place]:
    """Return the sites, in the order of their files."""
    return [place for place in ask.directory.site.places.values() if place.kind is PlaceKind.SITE]


@router.get("/places")
def places(ask: Asked) -> Response:
    """List the sites; with one site only, go there at once."""
    found = sites(ask)
    if len(found) == 1:
        return ask.see(f"/places/{found[0].uid}")
    board = ask.request.app.state.board
    return ask.page("places/list.html", sites=[(site, board.state(site.uid), ask.directory.doors(site.uid)) for site in found])


@router.get("/places/{uid:path}")
def place(ask: Asked, uid: str) -> Response:
    """Show a site with its plans, or a building, floor, zone or door with what happened there."""
    found = ask.directory.place(uid)
    if found is not None and found.kind is PlaceKind.SITE:
        position = ask.watchword.ledger.last_position()
        return ask.page("places/site.html", site=found, position=position, sites=sites(ask), **board_context(ask, uid))
    door = ask.directory.door(uid)
    if found is None and door is None:
        raise NotFound(f"No site file describes {uid!r}.")
    return _inner(ask, found, door, uid)


def board_context(ask: Ask, site: str, news: int = 0) -> dict[str, Any]:
    """Return what the live part of a site's page needs, with all that was news up to a position."""
    state: SiteState = ask.request.app.state.board.state(site, news)
    plans = plans_of(ask, site)
    drawn = [(plan, _floor_title(ask, plan), plan_svg(plan, state)) for plan in plans]
    doors = sorted(
        (door for door in ask.directory.doors(site)),
        key=lambda door: (_order(state, door), door.name),
    )
    zones = [zone for zone in ask.directory.zones(site) if zone.uid in state.zones]
    floor_of = {mark.uid: plan.floor for plan in plans for mark in plan.doors}
    floor_of = {door.uid: floor_of.get(door.uid, "") for door in doors}
    return {"floor_of": floor_of, "state": state, "plans": drawn, "doors": doors, "zones": zones, "site_uid": site}


def plans_of(ask: Ask, site: str) -> list[Plan]:
    """Return the site's plans, laid out once per version of the directory."""
    kept: dict[str, tuple[object, list[Plan]]] = ask.request.app.state.plans
    if site not in kept or kept[site][0] is not ask.directory:
        book = ask.directory.site
        kept[site] = (ask.directory, [lay_out(book, floor.uid, ask.directory.assets) for floor in floors_of(book, site)])
    return kept[site][1]


def _floor_title(ask: Ask, plan: Plan) -> str:
    floor = ask.directory.place(plan.floor)
    building = ask.directory.place(floor.parent) if floor else None
    return f"{building.name}, {plan.name}" if building else plan.name


def _order(state: SiteState, door: Door) -> int:
    found = state.doors.get(door.uid)
    return 3 if found is None else {DoorWord.ALARM: 0, DoorWord.OPEN: 1, DoorWord.UNKNOWN: 2, DoorWord.CLOSED: 3}[found.word]


def _inner(ask: Ask, found: Place | None, door: Door | None, uid: str) -> Response:
    state: SiteState = ask.request.app.state.board.state(uid.partition("/")[0])
    events = ask.watchword.events.events(EventQuery(places=(uid,), limit=ROWS))
    above = []
    step = ask.directory.place(door.to_zone if door else found.parent if found else "")
    while step is not None:
        above.append(step)
        step = ask.directory.place(step.parent)
    inside = [place for place in ask.directory.site.places.values() if place.parent == uid]
    return ask.page(
        "places/place.html",
        place=found,
        door=door,
        uid=uid,
        state=state,
        above=list(reversed(above)),
        inside=inside,
        boundary=ask.directory.boundary(uid) if found is not None else (),
        assets=sorted((asset for asset in ask.directory.assets.assets.values() if asset.place == uid), key=lambda asset: asset.name),
        watchers=[asset for asset in ask.directory.assets.assets.values() if uid in asset.sees],
        rows=[ask.row(event) for event in events],
    )
