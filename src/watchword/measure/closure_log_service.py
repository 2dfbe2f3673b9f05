"""Reads the closure log: findings and incidents that waited, and what was done with them, from what the house keeps."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select

from watchword.detect.tables import finding
from watchword.kit.records import Records
from watchword.measure.closure_log import ClosureLog, Deed, Item, Verb, read_log
from watchword.model.incident import Moment
from watchword.respond import incident_tables
from watchword.respond.incident_state import is_person

FindingDeeds = Callable[[datetime], Iterable[Deed]]
"""Since when → what people did with findings, from the audit log."""
TeamOf = Callable[[str], str]
BACK: Final = timedelta(weeks=18)
"""How far back the log is read: twelve weeks of window, two until a closure counts, and what waited before."""
_TIER: Final = {6: 1, 5: 1, 4: 2, 3: 3}


def tier(severity_id: int) -> int:
    """Return a finding's severity (OCSF ``severity_id``) on the scale of incidents, 1 gravest to 4."""
    return _TIER.get(severity_id, 4)


class ClosureBook:
    """Reads what waited and what was done with it."""

    def __init__(self, records: Records, finding_deeds: FindingDeeds, team_of: TeamOf) -> None:
        self._records, self._finding_deeds, self._team_of = records, finding_deeds, team_of

    def first(self) -> datetime | None:
        """Return since when anything was raised; None: nothing was."""
        incident = incident_tables.incident
        with self._records.read() as connection:
            found = [
                connection.execute(select(func.min(incident.c.opened_at)).where(~incident.c.exercise)).scalar(),
                connection.execute(select(func.min(finding.c.kept_at)).where(finding.c.mode == "page")).scalar(),
            ]
        return min((each for each in found if each is not None), default=None)

    def read(self, now: datetime, back: timedelta = BACK) -> ClosureLog:
        """Return the log up to a moment, as far back as asked."""
        since = now - back
        with self._records.read() as connection:
            items = [*_findings(connection, since), *_incidents(connection, since)]
            deeds = list(_incident_deeds(connection, since))
        deeds += self._finding_deeds(since)
        deeds = [each for each in deeds if each.at <= now]
        people = {each.person for each in deeds if each.person}
        return read_log([each for each in items if each.raised <= now], deeds, {person: self._team_of(person) for person in people})


def _findings(connection: Connection, since: datetime) -> Iterable[Item]:
    """Findings that call a person: raised since, or still waiting."""
    held = incident_tables.incident_finding
    columns = (finding.c.uid, finding.c.kept_at, finding.c.severity, finding.c.state, finding.c.changed_at)
    in_incident = select(held.c.finding).where(held.c.held)
    query = select(*columns).where(
        finding.c.mode == "page",
        (finding.c.kept_at >= since) | (finding.c.work_at >= since) | (finding.c.work == "open"),
        # What stands in an incident is worked on there.
        finding.c.uid.not_in(in_incident),
    )
    for row in connection.execute(query):
        ended = row.changed_at if row.state == "withdrawn" else None
        yield Item("finding", row.uid, row.kept_at, tier(row.severity), ended=ended)


def _incidents(connection: Connection, since: datetime) -> Iterable[Item]:
    table, held = incident_tables.incident, incident_tables.incident_finding
    rated = select(held.c.incident, func.max(finding.c.severity).label("most")).join(finding, finding.c.uid == held.c.finding)
    rated_by = {row.incident: tier(row.most) for row in connection.execute(rated.where(held.c.held).group_by(held.c.incident))}
    wanted = table.c.open | (table.c.opened_at >= since) | (table.c.changed_at >= since)
    for row in connection.execute(select(table).where(~table.c.exercise, wanted)):
        ended = row.changed_at if row.merged_into else None
        severity = rated_by.get(row.uid, row.severity)
        teams = frozenset(row.teams.split())
        yield Item(
            "incident", row.uid, row.opened_at, severity, teams, row.closing_severity or row.declared_severity or row.severity, ended
        )


def _incident_deeds(connection: Connection, since: datetime) -> Iterable[Deed]:
    table, incident = incident_tables.incident_moment, incident_tables.incident
    closures = {row.uid: row.closure for row in connection.execute(select(incident.c.uid, incident.c.closure))}
    wanted = table.c.moment.in_([Moment.ACKNOWLEDGED.value, Moment.ENGAGED.value, Moment.CLOSED.value])
    query = select(table).where(wanted, table.c.entered_at >= since).order_by(table.c.incident, table.c.piece)
    for row in connection.execute(query):
        person = row.recorded_by if is_person(row.recorded_by) else row.evidence if is_person(row.evidence) else ""
        if row.moment == Moment.CLOSED.value:
            verb = Verb.CLOSE if row.at is not None else Verb.REOPEN
            yield Deed(row.entered_at if row.at is None else row.at, person, verb, row.incident, closures.get(row.incident, ""))
        elif row.at is not None and person:
            yield Deed(row.at, person, Verb.TAKE, row.incident)
