"""Places over HTTP: sites, buildings, floors, zones and doors, with how many people are in each."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from watchword.api.identity import House, Reader
from watchword.api.paging import After, Limit, Page
from watchword.api.people import paged
from watchword.api.problems import RESPONSES, also
from watchword.app.occupancy import Count, Occupancy
from watchword.kit.errors import NotFound
from watchword.model import Door, Place, PlaceKind
from watchword.resolve.directory import Directory

routes = APIRouter(tags=["places"])


class PlaceRead(BaseModel):
    """A place and how many known people are in it, those in places inside it counted too."""

    place: Place
    people: int
    counted_at: datetime
    unknown: int
    """People with a badge of whom it is unknown where they are, in all."""


class DoorList(BaseModel):
    """Doors."""

    items: list[Door]


def _read(place: Place, directory: Directory, count: Count) -> PlaceRead:
    people = sum(heads for zone, heads in count.by_zone.items() if directory.within(zone, place.uid))
    return PlaceRead(place=place, people=people, counted_at=count.at, unknown=count.unknown)


def _count(request: Request, watchword: House) -> Count:
    counter: Occupancy = request.app.state.occupancy
    del watchword
    return counter.now()


@routes.get("/places", responses=RESPONSES, summary="List places")
def list_places(
    request: Request,
    response: Response,
    watchword: House,
    _: Reader,
    limit: Limit = 100,
    after: After = None,
    kind: PlaceKind | None = None,
    within: Annotated[str | None, Query(max_length=400, description="Only what lies in this place.")] = None,
) -> Page[PlaceRead]:
    """Places by uid, with presence counts; no names."""
    directory = watchword.registry.directory()
    count = _count(request, watchword)
    chosen = [
        each
        for each in directory.site.places.values()
        if kind in {None, each.kind} and (within is None or directory.within(each.uid, within))
    ]
    found = paged(chosen, lambda each: each.uid, limit, after, request, response)
    return Page(items=[_read(each, directory, count) for each in found.items], next=found.next)


@routes.get("/places/{uid:path}/doors", responses=also(404), summary="List the doors of a place")
def list_doors(watchword: House, _: Reader, uid: str) -> DoorList:
    """Doors that lie in a place."""
    directory = watchword.registry.directory()
    if directory.place(uid) is None:
        raise NotFound(f"There is no place {uid!r}")
    return DoorList(items=[each for each in directory.doors() if directory.within(each.uid, uid)])


@routes.get("/places/{uid:path}", responses=also(404), summary="Read a place")
def read_place(request: Request, watchword: House, _: Reader, uid: str) -> PlaceRead:
    """One place with its presence count."""
    directory = watchword.registry.directory()
    place = directory.place(uid)
    if place is None:
        raise NotFound(f"There is no place {uid!r}")
    return _read(place, directory, _count(request, watchword))
