"""Uptime as it is kept: what is watched, how it was over a window, tests by hand, planned work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.measure import uptime_tables as tables
from watchword.measure.component import Component, ProbeOf, Way, Zone, components, zones
from watchword.measure.condition import Signal, follow, standing_spans
from watchword.measure.uptime import Span, State
from watchword.measure.uptime_following_service import EventReader, Following, standing, standing_of, tell, write_line
from watchword.measure.uptime_view import Facts, House, KeptTest, PlannedWork
from watchword.model.metric import Window
from watchword.resolve.directory import Directory
from watchword.respond.ports import Auditor

LONGEST_WORK: Final = timedelta(days=30)
LONGEST_TEXT: Final = 500


@dataclass(frozen=True, slots=True)
class Watched:
    """What is watched, as of one version of the directory."""

    directory: Directory
    components: Mapping[str, Component]
    zones: Mapping[str, Zone]


class Uptime:
    """Follows components by their events, and answers how they were."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        auditor: Auditor,
        events: EventReader,
        directory: Callable[[], Directory],
        *,
        probes: Sequence[ProbeOf] = (),
        announced: Callable[[], Sequence[PlannedWork]] = tuple,
        named: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        """Take the services, and what is known of probes and of work announced elsewhere.

        Args:
            records: Where rows are kept.
            clock: The present.
            auditor: Where deeds of people are written down.
            events: The event log.
            directory: The site and people files, as of now.
            probes: Our own probes.
            announced: Maintenance that was announced in the settings or on the page of quiet windows.
            named: Further assets to be watched: those with an objective.
        """
        self._records = records
        self._clock = clock
        self._auditor = auditor
        self._following = Following(records, events)
        self._directory = directory
        self._probes = tuple(probes)
        self._announced = announced
        self._named = named
        self._ledger = Ledger(records)
        self._watched: tuple[int, frozenset[str], Watched] | None = None

    # what is watched

    def watched(self) -> Watched:
        """Return every component and zone, as of now."""
        directory, named = self._directory(), self._named()
        known = self._watched
        if known is None or known[0] != id(directory) or known[1] != named or known[2].directory is not directory:
            found = components(directory, self._probes, named)
            known = self._watched = (id(directory), named, Watched(directory, found, zones(directory, found)))
        return known[2]

    def component(self, uid: str) -> Component:
        """Return a component.

        Raises:
            NotFound: nothing of this uid is watched.
        """
        found = self.watched().components.get(uid)
        if found is None:
            raise NotFound(f"{uid!r} is not watched: describe it in the site file, with a kind, a probe or an objective")
        return found

    def advance(self, now: datetime) -> int:
        """Take the events into account that have arrived since the last time; return how many components changed their state."""
        return self._following.advance(self.watched().components, now)

    # questions

    def house(self, window: Window, now: datetime | None = None) -> House:
        """Return the states of everything over a window; it is cut where the present begins."""
        now = now or self._clock.now()
        watched = self.watched()
        window = Window(window.since, max(window.since, min(window.until, now)))
        return House(watched.directory, watched.components, watched.zones, self.facts(window, now), window)

    def lately(self, days: float = 30) -> House:
        """Return the states of everything over the days up to now."""
        now = to_millisecond(self._clock.now())
        return self.house(Window(now - timedelta(days=days), now), now)

    def facts(self, window: Window, now: datetime) -> Facts:
        """Return what is kept, as far as a window needs it."""
        table = tables.span
        lines: dict[str, dict[str, list[Span]]] = {}
        overlaps = (table.c.since < window.until) & or_(table.c.until.is_(None), table.c.until > window.since)
        with self._records.read() as connection:
            for row in connection.execute(select(table).where(overlaps).order_by(table.c.component, table.c.condition, table.c.since)):
                line = lines.setdefault(row.component, {}).setdefault(row.condition, [])
                if row.until is not None:
                    line.append(Span(row.since, row.until, State(row.state), row.because, row.event))
                else:
                    line += standing_spans(standing_of(row), now)
            first: dict[str, dict[str, datetime]] = {}
            query = select(table.c.component, table.c.condition, func.min(table.c.since)).group_by(table.c.component, table.c.condition)
            for component, condition, moment in connection.execute(query):
                first.setdefault(component, {})[condition] = moment
            tests = [_test(row) for row in connection.execute(select(tables.test).where(tables.test.c.at < window.until))]
            work = [_work(row) for row in connection.execute(select(tables.planned).where(tables.planned.c.until > window.since))]
        return Facts(lines, tests, [*work, *self._announced()], first)

    def tests(self, component: str, limit: int = 50) -> list[KeptTest]:
        """Return the tests of a component, newest first."""
        table = tables.test
        with self._records.read() as connection:
            return [
                _test(row)
                for row in connection.execute(select(table).where(table.c.component == component).order_by(table.c.at.desc()).limit(limit))
            ]

    def work(self, limit: int = 200) -> list[PlannedWork]:
        """Return planned work that is to come, under way or over for less than 30 days, by start."""
        table = tables.planned
        with self._records.read() as connection:
            query = select(table).where(table.c.until > self._clock.now() - LONGEST_WORK).order_by(table.c.since, table.c.uid).limit(limit)
            return [_work(row) for row in connection.execute(query)]

    # deeds of people

    def record_test(self, component: str, kind: str, *, passed: bool, by: str, at: datetime | None = None, note: str = "") -> KeptTest:
        """Keep that somebody tried a function by hand; a fault that was found mended ends with it.

        Raises:
            NotFound: the component is not watched.
            InputError: it has no such function, or the moment lies ahead.
        """
        now = to_millisecond(self._clock.now())
        found = self.component(component)
        condition = next((each for each in found.conditions if each.name == kind), None)
        if condition is None or condition.way not in {Way.TEST, Way.FAULT}:
            known = ", ".join(each.name for each in found.conditions if each.way in {Way.TEST, Way.FAULT})
            raise InputError(f"{found.name} has no function {kind!r} that can be tried by hand; it has: {known or 'none'}", "kind")
        moment = to_millisecond(at or now)
        if moment > now:
            raise InputError("a test cannot lie ahead", "at")
        test = KeptTest(component, kind, moment, passed, note.strip()[:LONGEST_TEXT], by)
        row = {"component": component, "kind": kind, "at": moment, "passed": passed, "note": test.note, "by": by, "kept_at": now}
        with self._records.begin() as connection:
            connection.execute(insert(tables.test).values(uid=random_uid(), **row))
            if condition.way is Way.FAULT:
                self._mended(connection, test)
            self._auditor.write(by, "uptime.test", component, test.note, {"kind": kind, "passed": passed}, connection=connection)
            tell(self._ledger, connection, {component}, now)
        return test

    def _mended(self, connection: Connection, test: KeptTest) -> None:
        state = State.UP if test.passed else State.DEGRADED
        words = "" if test.passed else f"tried by hand: {test.note or 'it does not work'}"
        for key, before in standing(connection, [test.component]).items():
            if key[1] == test.kind or key[1].startswith(f"{test.kind} "):
                if test.at < before.last:
                    raise InputError("something newer is known of this function; leave the moment out", "at")
                write_line(connection, key, follow([Signal(*key, test.at, state, words)], before), before)
                return
        if not test.passed:
            write_line(connection, (test.component, test.kind), follow([Signal(test.component, test.kind, test.at, state, words)]), None)

    def plan(self, entity: str, since: datetime, until: datetime, ticket: str, *, by: str) -> PlannedWork:
        """Announce planned work. What is announced after it began excuses only what comes later.

        Raises:
            InputError: the entity is not described, the times are wrong, or nothing says what for.
        """
        now = to_millisecond(self._clock.now())
        directory = self._directory()
        since, until = max(to_millisecond(since), now), to_millisecond(until)
        if entity not in directory.assets.assets and entity not in directory.site.doors and entity not in directory.site.places:
            raise InputError(f"{entity!r} is no asset, door or place", "entity")
        if not since < until <= since + LONGEST_WORK:
            raise InputError("planned work ends after it begins and after now, and lasts 30 days at most", "until")
        if not ticket.strip():
            raise InputError("say what for: a ticket, or a few words", "ticket")
        work = PlannedWork(entity, since, until, ticket.strip()[:LONGEST_TEXT], by, random_uid())
        row = {"uid": work.uid, "entity": entity, "since": since, "until": until, "ticket": work.ticket, "by": by, "kept_at": now}
        with self._records.begin() as connection:
            connection.execute(insert(tables.planned).values(**row))
            self._auditor.write(by, "uptime.plan", entity, work.ticket, {"until": until.isoformat()}, connection=connection)
            tell(self._ledger, connection, {entity}, now)
        return work

    def end_work(self, uid: str, *, by: str) -> None:
        """End planned work before its time, or call it off.

        Raises:
            NotFound: there is none of this uid that is not over.
        """
        now = to_millisecond(self._clock.now())
        table = tables.planned
        with self._records.begin() as connection:
            row = connection.execute(select(table).where(table.c.uid == uid, table.c.until > now)).first()
            if row is None:
                raise NotFound("there is no such planned work, or it is over")
            if row.since >= now:
                connection.execute(delete(table).where(table.c.uid == uid))
            else:
                connection.execute(update(table).where(table.c.uid == uid).values(until=now))
            self._auditor.write(by, "uptime.end_work", row.entity, row.ticket, connection=connection)
            tell(self._ledger, connection, {row.entity}, now)


def _test(row: Row[Any]) -> KeptTest:
    return KeptTest(row.component, row.kind, row.at, row.passed, row.note, row.by)


def _work(row: Row[Any]) -> PlannedWork:
    return PlannedWork(row.entity, row.since, row.until, row.ticket, row.by, row.uid)
