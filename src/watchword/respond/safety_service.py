"""Facts about people's safety: the last word of every fire panel, kept in rows, and what follows from it for a building now."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, select, text
from sqlalchemy.dialects import postgresql, sqlite

from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.records import Records
from watchword.model import Event
from watchword.resolve.directory import Directory
from watchword.respond.action_tables import fire_heard, fire_point
from watchword.respond.fire import Heard, Point, PointKey, PointKind, concerns, fact_of, fold, heard_of, panels_of
from watchword.respond.ports import FireFact, FireState

FIRE_LOCK: Final = 0x57574652
"""Key of PostgreSQL's advisory lock around what is heard of fire."""


class SafetyService:
    """Implements `SafetyFacts`. Every answer is read anew: nothing is remembered between two calls."""

    def __init__(self, records: Records, clock: Clock, directory: Callable[[], Directory]) -> None:
        self.records, self.clock, self.directory = records, clock, directory
        self._ledger = Ledger(records)

    def hear(self, events: Iterable[Event], directory: Directory) -> tuple[str, ...]:
        """Take what a batch of events says of fire, and return the buildings where an alarm is present now that was not before.

        Called by whoever resolves events, for every batch; handing over a batch twice changes nothing.
        """
        spoken = [event for event in events if concerns(event, directory)]
        if not spoken:
            return ()
        heard = heard_of(spoken, directory, to_millisecond(self.clock.now()))
        with self.records.begin() as connection:
            if connection.dialect.name == "postgresql":  # SQLite has one writer anyhow; two batches must not be folded into one old state
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": FIRE_LOCK})
            before = _points(connection)
            changed = fold(before, spoken, directory)
            for key, point in changed.items():
                _keep_point(connection, key, point)
            for each in heard.values():
                _keep_heard(connection, each)
        burned = {key[0] for key, point in before.items() if key[3] is PointKind.ALARM and point.present}
        burn = {key[0] for key, point in (before | changed).items() if key[3] is PointKind.ALARM and point.present}
        return tuple(sorted(burn - burned))

    def fire(self, building: str) -> FireFact:
        """Return the fire state of a building (place uid) as of now; `unknown` when no panel speaks for it."""
        panels = panels_of(building, self.directory())
        with self.records.read() as connection:
            points = [(key[3], point) for key, point in _points(connection, building).items()]
            rows = connection.execute(select(fire_heard).where(fire_heard.c.panel.in_(panels))).all()
        heard: dict[str, Heard | None] = dict.fromkeys(panels)
        heard |= {row.panel: Heard(row.panel, row.source, row.heard) for row in rows}
        now = to_millisecond(self.clock.now())
        return fact_of(building, points, heard, self._rhythms(heard.values()), now)

    def _rhythms(self, heard: Iterable[Heard | None]) -> dict[str, timedelta | None]:
        """Return the rhythms of the panels' sources, of those only that the ledger still knows and has counted records of."""
        wanted = {each.source for each in heard if each is not None}
        if not wanted:
            return {}
        counted = {status.name for status in self._ledger.statuses() if status.last_received is not None}
        return {source.name: source.rhythm for source in self._ledger.sources() if source.name in wanted & counted}

    def alarms(self) -> tuple[FireFact, ...]:
        """Return the buildings where an alarm is present now."""
        with self.records.read() as connection:
            buildings = {key[0] for key, point in _points(connection).items() if point.present and key[3] is PointKind.ALARM}
        facts = (self.fire(building) for building in sorted(buildings))
        return tuple(fact for fact in facts if fact.state is FireState.ALARM)


def _points(connection: Connection, building: str = "") -> dict[PointKey, Point]:
    query = select(fire_point)
    if building:
        query = query.where(fire_point.c.building == building)
    return {
        (row.building, row.origin, row.point, PointKind(row.kind)): Point(row.present, row.since, row.event, row.raised_at, row.raised_by)
        for row in connection.execute(query)
    }


def _keep_point(connection: Connection, key: PointKey, point: Point) -> None:
    values = {
        "present": point.present,
        "since": point.since,
        "event": point.event,
        "raised_at": point.raised_at,
        "raised_by": point.raised_by,
    }
    building, origin, name, kind = key
    row = {"building": building, "origin": origin[:200], "point": name[:200], "kind": kind.value}
    insert = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(fire_point)
    connection.execute(insert.values(**row, **values).on_conflict_do_update(index_elements=list(row), set_=values))


def _keep_heard(connection: Connection, heard: Heard) -> None:
    insert = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(fire_heard)
    statement = insert.values(panel=heard.panel, source=heard.source, heard=heard.at)
    # Batches may be handed over late: a panel is never heard earlier than it was already.
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["panel"],
            set_={"source": heard.source, "heard": heard.at},
            where=fire_heard.c.heard < heard.at,
        )
    )
