"""Facts of incidents for measures: every case with its moments, joins, entities, leads and verdicts, read in few statements."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from watchword.detect.tables import finding as finding_table
from watchword.kit.records import Records
from watchword.measure.case import HELD, Case, folded, read_series
from watchword.measure.collaboration import Join
from watchword.model.incident import IncidentRole, Moment, MomentEntry
from watchword.respond import incident_tables as tables
from watchword.respond.incident_state import is_person

TeamOf = Callable[[str], str]
"""Account name → team; empty: unknown."""


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """Everything that is known of incidents at one moment. Exercises are left out."""

    cases: tuple[Case, ...] = ()
    """Merged duplicates folded in."""
    apart: Mapping[str, Case] = field(default_factory=dict)
    """Uid → case as it stands alone, merged ones too."""
    joins: tuple[Join, ...] = ()
    kinds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Uid → kinds of the entities that its findings name."""
    earliest: datetime | None = None
    """When the first incident was raised."""


class IncidentBookFacts:
    """Reads the facts; asked again about the same moment, it answers from memory."""

    def __init__(self, records: Records, team_of: TeamOf) -> None:
        self._records, self._team_of = records, team_of
        self._kept: tuple[datetime, IncidentFacts] | None = None
        self._lock = threading.Lock()

    def earliest(self) -> datetime | None:
        """Return when the first incident was opened; None: there was none."""
        table = tables.incident
        with self._records.read() as connection:
            return connection.execute(select(func.min(table.c.opened_at)).where(~table.c.exercise)).scalar()

    def at(self, now: datetime) -> IncidentFacts:
        """Return the facts as known now; a clock that has not moved gets the same ones."""
        with self._lock:
            if self._kept is None or self._kept[0] != now:
                with self._records.read() as connection:
                    self._kept = (now, self._read(connection))
            return self._kept[1]

    def forget(self) -> None:
        """Let go of what is kept in memory."""
        with self._lock:
            self._kept = None

    def _read(self, connection: Connection) -> IncidentFacts:
        table = tables.incident
        series = _series(connection)
        leads = self._leads(connection)
        apart: dict[str, Case] = {}
        columns = (table.c.uid, table.c.number, table.c.title, table.c.severity, table.c.teams, table.c.closure, table.c.merged_into)
        for row in connection.execute(select(*columns, table.c.opened_at).where(~table.c.exercise)):
            marks, closures, uncertainty = read_series(series.get(row.uid, ()), row.opened_at)
            apart[row.uid] = Case(
                uid=row.uid,
                severity=row.severity,
                raised=marks[Moment.RAISED, ""],
                teams=frozenset(row.teams.split()),
                number=row.number,
                title=row.title,
                closure=row.closure,
                marks=marks,
                closures=closures,
                merged_into=row.merged_into,
                uncertainty=uncertainty,
                lead_changes=leads.get(row.uid, 0),
            )
        joins, recurring = _joins(connection, apart)
        for uid in recurring:
            apart[uid] = replace(apart[uid], recurs=True)
        cases = tuple(sorted(folded(apart.values()), key=lambda case: (case.raised, case.uid)))
        return IncidentFacts(cases, apart, joins, _kinds(connection), cases[0].raised if cases else None)

    def _leads(self, connection: Connection) -> dict[str, int]:
        """Return incident → changes of lead from one team to another."""
        table = tables.incident_role
        query = (
            select(table.c.incident, table.c.person)
            .where(table.c.role == IncidentRole.LEAD.value)
            .order_by(table.c.incident, table.c.since)
        )
        teams: dict[str, str] = {}
        last: dict[str, str] = {}
        found: dict[str, int] = {}
        for row in connection.execute(query):
            if row.person not in teams:
                teams[row.person] = self._team_of(row.person)
            team = teams[row.person]
            if team and row.incident in last and last[row.incident] != team:
                found[row.incident] = found.get(row.incident, 0) + 1
            if team:
                last[row.incident] = team
        return found

    def verdicts(self, since: datetime, until: datetime) -> tuple[list[tuple[str, str]], int]:
        """Return (finding, verdict) of every finding closed with one in a stretch, and how many of the stretch still lack one.

        Only findings that call a person are expected to get a verdict.
        """
        table = finding_table
        with self._records.read() as connection:
            closed = select(table.c.uid, table.c.disposition).where(
                table.c.disposition != "", table.c.work_at >= since, table.c.work_at < until
            )
            given = [(row.uid, row.disposition) for row in connection.execute(closed)]
            owed = select(func.count()).where(
                table.c.disposition == "", table.c.mode == "page", table.c.state == "final", table.c.time >= since, table.c.time < until
            )
            return given, int(connection.execute(owed).scalar_one())


def _series(connection: Connection) -> dict[str, list[MomentEntry]]:
    table = tables.incident_moment
    found: dict[str, list[MomentEntry]] = {}
    names = {moment.value: moment for moment in Moment}
    for row in connection.execute(select(table).order_by(table.c.incident, table.c.piece)):
        entry = MomentEntry(
            moment=names[row.moment],
            at=row.at,
            source=row.source,
            manual=row.manual,
            uncertainty=timedelta(milliseconds=row.uncertainty_ms),
            evidence=row.evidence,
            team=row.team,
            recorded_by=row.recorded_by,
            entered_at=row.entered_at,
        )
        found.setdefault(row.incident, []).append(entry)
    return found


def _joins(connection: Connection, apart: Mapping[str, Case]) -> tuple[tuple[Join, ...], set[str]]:
    """Return the joins, and the incidents that are recurrences of one closed within 14 days before they were raised."""
    table = tables.incident_link
    joins, recurring = [], set()
    for row in connection.execute(select(table.c.one, table.c.other, table.c.kind, table.c.by, table.c.at).order_by(table.c.at)):
        if row.one not in apart or row.other not in apart:
            continue
        if row.kind == "merged":
            joins.append(Join(row.one, row.other, row.at, is_person(row.by)))
        elif row.kind == "recurs":
            older, newer = sorted((apart[row.one], apart[row.other]), key=lambda case: case.raised)
            if older.closed is not None and timedelta() <= newer.raised - older.closed <= HELD:
                recurring.add(older.uid)
    return tuple(joins), recurring


def _kinds(connection: Connection) -> dict[str, frozenset[str]]:
    table = tables.incident_entity
    found: dict[str, set[str]] = {}
    for row in connection.execute(select(table.c.incident, table.c.kind).distinct()):
        found.setdefault(row.incident, set()).add(row.kind)
    return {uid: frozenset(kinds) for uid, kinds in found.items()}
