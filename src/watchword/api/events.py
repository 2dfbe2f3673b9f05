"""Events over HTTP: the time line, one event, and the raw record it came from."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from watchword.api.identity import House, Reader
from watchword.api.paging import After, IfNoneMatch, Limit, Page, SinceText, UntilText, cursor, not_modified, page_of, span
from watchword.api.problems import also
from watchword.api.trail import ReasonText, open_trails
from watchword.app.questions import event_query, write_cursor
from watchword.app.trails import owners_of
from watchword.kit.errors import NotFound
from watchword.model import Event, EventQuery, Order

routes = APIRouter(tags=["events"])
Uid = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="32 hex digits.")]
Values = Annotated[list[str], Query(max_length=100)]


class RawText(BaseModel):
    """A raw record as text; bytes that are no UTF-8 stand as backslash escapes."""

    uid: str
    source: str
    received: str
    body: str


@routes.get("/events", responses=also(404), summary="List events")
def list_events(
    request: Request,
    response: Response,
    watchword: House,
    caller: Reader,
    limit: Limit = 100,
    after: After = None,
    since: SinceText = None,
    until: UntilText = None,
    order: Order = Order.NEWEST,
    person: Values = [],  # noqa: B006 - FastAPI copies it
    asset: Values = [],  # noqa: B006
    place: Values = [],  # noqa: B006
    credential: Values = [],  # noqa: B006
    address: Values = [],  # noqa: B006
    source: Values = [],  # noqa: B006
    class_: Annotated[list[str], Query(alias="class", max_length=100, description="Names or numbers of OCSF classes.")] = [],  # noqa: B006
    severity: Annotated[str | None, Query(max_length=10, description="At least: a word or 1 to 6.")] = None,
    text: Annotated[str | None, Query(max_length=400, description="Words that must all stand in the message.")] = None,
    reason: ReasonText = None,
) -> Page[Event]:
    """Events by time, newest first unless `order` says otherwise; values of one filter are alternatives, filters add up.

    `person`, `credential`, and an `asset` or `address` that is somebody's own read trails: they need the scope `trail` and a `reason`.
    """
    first, last = span(since, until)
    owners = owners_of(watchword.registry.directory(), asset, address, first, last, watchword.clock.now())
    open_trails(watchword.accounts, caller, dict.fromkeys([*person, *credential, *owners]), reason)
    filters = {
        "person": person,
        "asset": asset,
        "place": place,
        "credential": credential,
        "address": address,
        "source": source,
        "class": class_,
        "severity": [severity] if severity else [],
        "text": [text] if text else [],
    }
    found = watchword.events.events(event_query(filters, since=first, until=last, order=order, after=cursor(after), limit=limit + 1))
    return page_of(found, limit, write_cursor(*found[limit - 1].order) if len(found) > limit else None, request, response)


def _event(watchword: House, uid: str) -> Event:
    found = watchword.events.events(EventQuery(uids=(uid,), limit=1))
    if not found:
        raise NotFound(f"There is no event {uid!r}")
    return found[0]


@routes.get("/events/{uid}", responses=also(404), summary="Read an event", response_model=Event)
def read_event(response: Response, watchword: House, _: Reader, uid: Uid, if_none_match: IfNoneMatch = None) -> Event | Response:
    """One event. Events never change."""
    event = _event(watchword, uid)
    etag = f'"{event.uid}"'
    if not_modified(etag, if_none_match):
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return event


@routes.get("/events/{uid}/record", responses=also(404), summary="Read the raw record of an event")
def read_record(watchword: House, caller: Reader, uid: Uid) -> RawText:
    """What arrived, before anyone understood it. The reading is audited."""
    event = _event(watchword, uid)
    found = watchword.events.records([event.record])
    if not found:
        raise NotFound(f"The record of event {uid!r} is no longer kept")
    watchword.audit.write(caller.actor, "record.read", event.record)
    record = found[0]
    body = record.body.decode("utf-8", "backslashreplace")
    return RawText(uid=record.uid, source=record.source, received=record.received.isoformat(timespec="milliseconds"), body=body)
