"""``watchword events``: the time line."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import opened, read_trail
from watchword.cli.options import Filters, Form, Limit, Reason, Since, Until, span
from watchword.cli.output import Format, plain, print_object, print_rows
from watchword.kit.errors import NotFound

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword
    from watchword.model import Event, EventQuery

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("time", "source", "class", "severity", "person", "asset", "place", "message")
PAGE = 2_000
KEYS = ("uid", "record", "person", "asset", "place", "credential", "address", "source", "class", "activity", "severity", "text")


def event_row(event: "Event") -> dict[str, Any]:
    """Return an event as it is printed: its own attributes, and class and severity in words."""
    from watchword.app.questions import SEVERITIES
    from watchword.model.ocsf import EventClass

    words = {number: word for word, number in SEVERITIES.items()}
    classes = {each.value: each.name.lower() for each in EventClass}
    name = classes.get(event.class_uid, str(event.class_uid))
    row: dict[str, Any] = plain(event)
    return {"uid": row.pop("uid"), "time": row.pop("time"), "class": name, "severity": words.get(event.severity_id, "unknown")} | row


def all_events(watchword: "Watchword", query: "EventQuery", limit: int) -> "Iterator[Event]":
    """Yield at most `limit` events of a query, read page by page."""
    after, left = query.after, limit
    while left > 0:
        page = watchword.events.events(replace(query, after=after, limit=min(PAGE, left)))
        yield from page
        if len(page) < min(PAGE, left):
            return
        left, after = left - len(page), page[-1].order


@app.command("list")
def list_events(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = 100,
    oldest: Annotated[bool, typer.Option("--oldest", help="Oldest first.")] = False,
    reason: Reason = "",
) -> None:
    """List events, newest first.

    Filters: uid, record, person and credential (both need a --reason), asset and address (they do where it is somebody's own),
    place, source, class, activity, severity (at least), text.
    """
    from watchword.app.questions import event_query, read_filters
    from watchword.app.trails import owners_of
    from watchword.model import Order

    first, last = span(since, until)
    chosen = read_filters(filters or [], KEYS)
    query = event_query(chosen, since=first, until=last, order=Order.OLDEST if oldest else Order.NEWEST)
    with opened(ctx) as watchword:
        directory, now = watchword.registry.directory(), watchword.clock.now()
        owners = owners_of(directory, chosen.get("asset", []), chosen.get("address", []), first, last, now)
        if watched := [*chosen.get("person", []), *chosen.get("credential", []), *owners]:
            read_trail(watchword, list(dict.fromkeys(watched)), reason)
        print_rows((event_row(event) for event in all_events(watchword, query, limit or 0)), form, COLUMNS)


@app.command()
def show(
    ctx: typer.Context,
    uid: Annotated[str, typer.Argument(help="The event's uid.")],
    raw: Annotated[bool, typer.Option("--raw", help="Print the record it came from, byte for byte, instead.")] = False,
) -> None:
    """Show one event, or the raw record it came from."""
    import sys

    from watchword.model import EventQuery

    with opened(ctx) as watchword:
        found = watchword.events.events(EventQuery(uids=(uid,), limit=1))
        if not found:
            raise NotFound(f"There is no event {uid!r}")
        if not raw:
            print_object(event_row(found[0]))
            return
        for record in watchword.events.records([found[0].record]):
            sys.stdout.buffer.write(record.body + b"\n")
