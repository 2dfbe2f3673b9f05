"""Following: events are taken into account as they arrive, and the line of each condition is carried on, or made anew where one is late."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Row, delete, insert, select, update

from watchword.ingest.ledger import Ledger
from watchword.kit.clock import to_millisecond
from watchword.kit.records import Records
from watchword.measure import uptime_tables as tables
from watchword.measure.component import Component
from watchword.measure.condition import Line, Signal, Standing, follow
from watchword.measure.uptime import Span, State
from watchword.measure.uptime_signal import ACCESS, AT_DOORS, SIGNS, Listener
from watchword.model import Event, EventQuery
from watchword.model.query import Order

BEGINNING: Final = timedelta(days=92)
"""How far back a house that never followed its events begins."""
CHUNK: Final = timedelta(hours=12)
"""Arrivals that are taken into account in one transaction."""
OVERLAP: Final = timedelta(minutes=2)
"""Arrivals are looked at so long again: what arrived together may be stored one after the other."""
PAGE: Final = 20_000
NAME: Final = "uptime"
LONGEST_NAME: Final = 80
Key = tuple[str, str]


class EventReader(Protocol):
    """Where events are read."""

    def events(self, query: EventQuery) -> list[Event]:
        """Return the events of a query, in its order, at most its limit."""
        ...


class Following:
    """Carries the lines of conditions on by the events that arrive."""

    def __init__(self, records: Records, events: EventReader) -> None:
        self._records = records
        self._events = events
        self._ledger = Ledger(records)
        self._seen: dict[str, datetime] = {}

    def advance(self, watched: Mapping[str, Component], now: datetime) -> int:
        """Take the events into account that have arrived since the last time; return how many components changed their state."""
        listener = Listener(watched, {source.name: source.rhythm for source in self._ledger.sources()})
        since = self._received()
        if since is None:
            if not self._arrived(None, None, 1):
                return 0
            since = now - BEGINNING
        newest, changed = since, 0
        while since < now:
            until = min(since + CHUNK, now + OVERLAP)
            events = self._arrived(since, until)
            fresh = [event for event in events if event.uid not in self._seen]
            newest = max([newest, *(event.received for event in events)])
            with self._records.begin() as connection:
                changed += self._apply(connection, listener.signals(fresh), listener, now)
                self._keep_progress(connection, newest - OVERLAP if events else None)
            self._seen |= {event.uid: event.received for event in fresh}
            self._seen = {uid: at for uid, at in self._seen.items() if at >= newest - 2 * OVERLAP}
            since = until
        return changed

    def _received(self) -> datetime | None:
        with self._records.read() as connection:
            return connection.execute(select(tables.progress.c.received).where(tables.progress.c.name == NAME)).scalar()

    @staticmethod
    def _keep_progress(connection: Connection, received: datetime | None) -> None:
        table = tables.progress
        if received is None:
            return
        mine = table.c.name == NAME
        if not connection.execute(update(table).where(mine, table.c.received < received).values(received=received)).rowcount:
            known = connection.execute(select(table.c.name).where(mine)).first()
            if known is None:
                connection.execute(insert(table).values(name=NAME, received=received))

    def _arrived(self, since: datetime | None, until: datetime | None, most: int = 0) -> list[Event]:
        """Return the events that may be signals, of those that arrived within a span; no more than `most` of a kind, unless it is 0."""
        wanted = EventQuery(received_since=since, received_until=until, classes=SIGNS, order=Order.OLDEST, limit=most or PAGE)
        doors = replace(wanted, classes=(ACCESS,), activities=AT_DOORS)
        if most:
            return [*self._events.events(wanted), *self._events.events(doors)]
        return [*self._all(wanted), *self._all(doors)]

    def _all(self, query: EventQuery) -> list[Event]:
        found: list[Event] = []
        while True:
            page = self._events.events(query)
            found += page
            if len(page) < query.limit:
                return found
            query = replace(query, after=page[-1].order)

    def _apply(self, connection: Connection, signals: Sequence[Signal], listener: Listener, now: datetime) -> int:
        """Carry the lines on by signals; what comes late has its line made anew from there."""
        by_key: dict[Key, list[Signal]] = {}
        for signal in signals:
            by_key.setdefault((signal.component, signal.condition[:LONGEST_NAME]), []).append(signal)
        stands = standing(connection, {component for component, _ in by_key})
        changed: set[str] = set()
        late: dict[str, dict[str, datetime]] = {}
        for key, group in by_key.items():
            before = stands.get(key)
            earliest = min(signal.at for signal in group)
            if before is not None and earliest <= before.last:
                late.setdefault(key[0], {})[key[1]] = earliest
                continue
            line = follow(group, before)
            if line.spans or before is None:
                changed.add(key[0])
            write_line(connection, key, line, before)
        for component, cuts in late.items():
            self._again(connection, component, cuts, listener, now)
            changed.add(component)
        if changed:
            tell(self._ledger, connection, changed, now)
        return len(changed)

    def _again(self, connection: Connection, uid: str, cuts: Mapping[str, datetime], listener: Listener, now: datetime) -> None:
        """Make the lines of a component anew from the moment of what came late."""
        first = min(cuts.values())
        later = EventQuery(since=first, until=now + timedelta(days=1), order=Order.OLDEST, limit=PAGE)
        if uid.startswith("asset:"):
            later = replace(later, assets=(uid,), classes=SIGNS)
        else:
            later = replace(later, places=(uid,), classes=(ACCESS,), activities=AT_DOORS)
        by_condition: dict[str, list[Signal]] = {}
        for signal in listener.signals(self._all(later)):
            if signal.component == uid:
                by_condition.setdefault(signal.condition[:LONGEST_NAME], []).append(signal)
        table = tables.span
        for condition, cut in cuts.items():
            mine = (table.c.component == uid) & (table.c.condition == condition)
            before = connection.execute(select(table).where(mine, table.c.since < cut).order_by(table.c.since.desc()).limit(1)).first()
            stood = None
            if before is not None:
                known = standing_of(before)
                ends = before.until if before.until is not None else before.expires
                stood = Standing(known.state, known.since, min(known.last, cut), ends, known.because, known.event)
            line = follow([signal for signal in by_condition.get(condition, []) if signal.at >= cut], stood)
            connection.execute(delete(table).where(mine, table.c.since >= cut))
            if line.standing is not None:
                if stood is not None:
                    connection.execute(delete(table).where(mine, table.c.since == stood.since))
                write_line(connection, (uid, condition), line, None)


def standing(connection: Connection, uids: Iterable[str]) -> dict[Key, Standing]:
    """Return how the conditions of components stand, within a transaction."""
    table = tables.span
    found: dict[Key, Standing] = {}
    ranked = sorted(uids)
    for start in range(0, len(ranked), 400):
        query = select(table).where(table.c.until.is_(None), table.c.component.in_(ranked[start : start + 400]))
        found |= {(row.component, row.condition): standing_of(row) for row in connection.execute(query)}
    return found


def write_line(connection: Connection, key: Key, line: Line, before: Standing | None) -> None:
    """Keep the line of a condition, in place of what is kept from its first moment on.

    Args:
        connection: The transaction.
        key: Component and condition.
        line: What to keep.
        before: How it stood in the rows, where the line carries that on.
    """
    table, now = tables.span, line.standing
    if now is None:
        return
    mine = (table.c.component == key[0]) & (table.c.condition == key[1])
    if before is not None and not line.spans and now.since == before.since:
        changed = {"last": now.last, "expires": now.expires, "because": now.because}
        connection.execute(update(table).where(mine, table.c.since == now.since).values(**changed))
        return
    first = min([now.since, *(span.since for span in line.spans)])
    connection.execute(delete(table).where(mine, table.c.since >= first))
    rows = [_row(key, span, last) for span, last in zip(line.spans, line.lasts, strict=True)]
    opened = {"component": key[0], "condition": key[1], "since": now.since, "until": None, "expires": now.expires, "last": now.last}
    connection.execute(insert(table), [*rows, {**opened, "state": now.state.value, "because": now.because, "event": now.event}])


def tell(ledger: Ledger, connection: Connection, changed: set[str], now: datetime) -> None:
    """Add the piece of news that components changed."""
    uid = next(iter(changed)) if len(changed) == 1 else ""
    ledger.append_change(connection, "uptime", uid, {"components": len(changed)}, to_millisecond(now))


def standing_of(row: Row[Any]) -> Standing:
    """Return a row as a standing."""
    return Standing(State(row.state), row.since, row.last, row.expires, row.because, row.event)


def _row(key: Key, span: Span, last: datetime) -> dict[str, Any]:
    ends = {"since": span.since, "until": span.until, "expires": None, "last": last}
    return {"component": key[0], "condition": key[1], **ends, "state": span.state.value, "because": span.because, "event": span.event}
