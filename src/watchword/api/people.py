"""People and assets over HTTP: who and what is known; trails with a reason."""

from collections.abc import Callable, Iterable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from watchword.api.identity import House, Reader, TrailReader
from watchword.api.paging import After, IfNoneMatch, Limit, Page, SinceText, UntilText, cursor, etag_of, not_modified, page_of, span
from watchword.api.problems import RESPONSES, also
from watchword.api.trail import ReasonText, open_trails
from watchword.app.questions import event_query, write_cursor
from watchword.kit.clock import EPOCH
from watchword.kit.errors import NotFound
from watchword.model import Asset, AssetKind, Event, Link, Order, Person, PersonKind

routes = APIRouter(tags=["people and assets"])
Thing = TypeVar("Thing")


class PersonRead(BaseModel):
    """A person with everything that belongs to them."""

    person: Person
    links: list[Link]
    assets: list[str]
    """Uids of the assets that are their own."""


def paged(
    things: Iterable[Thing], uid_of: Callable[[Thing], str], limit: int, after: str | None, request: Request, response: Response
) -> Page[Thing]:
    """Return a page of things in the order of their uids."""
    behind = cursor(after)
    found = sorted((each for each in things if behind is None or uid_of(each) > behind[1]), key=uid_of)[: limit + 1]
    return page_of(found, limit, write_cursor(EPOCH, uid_of(found[limit - 1])) if len(found) > limit else None, request, response)


@routes.get("/people", responses=RESPONSES, summary="List people")
def list_people(
    request: Request,
    response: Response,
    watchword: House,
    _: Reader,
    limit: Limit = 100,
    after: After = None,
    kind: PersonKind | None = None,
    site: Annotated[str | None, Query(max_length=200)] = None,
    name: Annotated[str | None, Query(max_length=200, description="A part of the name.")] = None,
) -> Page[Person]:
    """People by uid, without badges, accounts or trails."""
    low = (name or "").casefold()
    people = watchword.registry.directory().people.people.values()
    chosen = (each for each in people if kind in {None, each.kind} and site in {None, each.site} and low in each.name.casefold())
    return paged(chosen, lambda each: each.uid, limit, after, request, response)


@routes.get("/people/{uid}", responses=also(404), summary="Read a person")
def read_person(watchword: House, caller: TrailReader, uid: str, reason: ReasonText = None) -> PersonRead:
    """One person with badges, accounts and machines. Needs a `reason`, which is logged."""
    directory = watchword.registry.directory()
    person = directory.person(uid)
    if person is None:
        raise NotFound(f"There is no person {uid!r}")
    open_trails(watchword.accounts, caller, [uid], reason)
    links = [link for link in directory.people.links if link.person == uid]
    return PersonRead(person=person, links=links, assets=[asset.uid for asset in directory.assets_of(uid)])


@routes.get("/people/{uid}/trail", responses=also(404), summary="Read a person's trail")
def read_trail(
    request: Request,
    response: Response,
    watchword: House,
    caller: TrailReader,
    uid: str,
    reason: ReasonText = None,
    limit: Limit = 100,
    after: After = None,
    since: SinceText = None,
    until: UntilText = None,
    order: Order = Order.NEWEST,
) -> Page[Event]:
    """Everything that is known of where a person was and what they did. Needs a `reason`, which is logged."""
    if watchword.registry.directory().person(uid) is None:
        raise NotFound(f"There is no person {uid!r}")
    open_trails(watchword.accounts, caller, [uid], reason)
    first, last = span(since, until)
    query = event_query({"person": [uid]}, since=first, until=last, order=order, after=cursor(after), limit=limit + 1)
    found = watchword.events.events(query)
    return page_of(found, limit, write_cursor(*found[limit - 1].order) if len(found) > limit else None, request, response)


@routes.get("/assets", responses=RESPONSES, summary="List assets")
def list_assets(
    request: Request,
    response: Response,
    watchword: House,
    _: Reader,
    limit: Limit = 100,
    after: After = None,
    kind: AssetKind | None = None,
    place: Annotated[str | None, Query(max_length=400, description="Only what stands in this place.")] = None,
) -> Page[Asset]:
    """Hosts, cameras, sensors, switches, panels by uid."""
    directory = watchword.registry.directory()
    assets = directory.assets.assets.values()
    chosen = (each for each in assets if kind in {None, each.kind} and (place is None or directory.within(each.place, place)))
    return paged(chosen, lambda each: each.uid, limit, after, request, response)


@routes.get("/assets/{uid}", responses=also(404), summary="Read an asset", response_model=Asset)
def read_asset(response: Response, watchword: House, _: Reader, uid: str, if_none_match: IfNoneMatch = None) -> Asset | Response:
    """One asset."""
    asset = watchword.registry.directory().asset(uid)
    if asset is None:
        raise NotFound(f"There is no asset {uid!r}")
    etag = etag_of(asset)
    if not_modified(etag, if_none_match):
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return asset
