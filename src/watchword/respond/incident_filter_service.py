"""Which incidents: the filter of the list, as conditions, and the cursor of its pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select

from watchword.model import Team
from watchword.model.incident import IncidentState
from watchword.respond import incident_tables as tables

Cursor = tuple[int, datetime, str]
"""Severity, opened_at and uid of the last row seen."""
DIGITS = 9
"""A longer number is no incident's."""


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents. Fields are joined by *and*; an empty field does not restrict; merged ones come only when asked for."""

    open: bool | None = None
    states: tuple[IncidentState, ...] = ()
    worst: int = 4
    """Severity at least this grave: 1 shows only severity 1."""
    teams: tuple[Team, ...] = ()
    """Any of them."""
    person: str = ""
    """Account that leads, holds a role or owns an open task."""
    entity: str = ""
    """Uid of a person, asset, place, credential or address that it is about."""
    finding: str = ""
    exercise: bool | None = None
    since: datetime | None = None
    """Opened at or after."""
    until: datetime | None = None
    text: str = ""
    """Words that must all stand in the title; a number finds that incident."""
    merged: bool = False
    newest: bool = False
    """Newest first; else the gravest first, and of those the oldest."""


def beyond(after: Cursor, *, newest: bool) -> ColumnElement[bool]:
    """Return the condition that a row comes after the last one seen."""
    table = tables.incident
    severity, opened, uid = after
    if newest:
        return or_(table.c.opened_at < opened, and_(table.c.opened_at == opened, table.c.uid < uid))
    later = or_(table.c.opened_at > opened, and_(table.c.opened_at == opened, table.c.uid > uid))
    return or_(table.c.severity > severity, and_(table.c.severity == severity, later))


def conditions(wanted: IncidentFilter) -> Sequence[ColumnElement[bool]]:
    """Return a filter's conditions."""
    table = tables.incident
    found: list[ColumnElement[bool]] = [table.c.severity <= wanted.worst, *_concerning(wanted)]
    if not wanted.merged:
        found.append(table.c.merged_into == "")
    if wanted.open is not None:
        found.append(table.c.open.is_(wanted.open))
    if wanted.states:
        found.append(table.c.state.in_([state.value for state in wanted.states]))
    if wanted.teams:
        found.append(or_(*(table.c.teams.contains(team.value) for team in wanted.teams)))
    if wanted.exercise is not None:
        found.append(table.c.exercise.is_(wanted.exercise))
    if wanted.since is not None:
        found.append(table.c.opened_at >= wanted.since)
    if wanted.until is not None:
        found.append(table.c.opened_at < wanted.until)
    return found


def _concerning(wanted: IncidentFilter) -> Sequence[ColumnElement[bool]]:
    """Return the conditions about whom, what and which words."""
    table = tables.incident
    found: list[ColumnElement[bool]] = []
    if wanted.person:
        role, task = tables.incident_role, tables.incident_task
        holds = select(role.c.incident).where(role.c.person == wanted.person, role.c.until.is_(None))
        owns = select(task.c.incident).where(task.c.owner == wanted.person, task.c.state == "open")
        found.append(or_(table.c.lead == wanted.person, table.c.uid.in_(holds), table.c.uid.in_(owns)))
    if wanted.entity:
        entity = tables.incident_entity
        inside = entity.c.entity.startswith(wanted.entity + "/", autoescape=True) & (entity.c.kind == "place")
        found.append(table.c.uid.in_(select(entity.c.incident).where((entity.c.entity == wanted.entity) | inside)))
    if wanted.finding:
        held = tables.incident_finding
        found.append(table.c.uid.in_(select(held.c.incident).where(held.c.finding == wanted.finding, held.c.held)))
    for word in wanted.text.split():
        same = table.c.title.icontains(word, autoescape=True)
        number = word.lstrip("#")
        is_number = number.isascii() and number.isdigit() and len(number) <= DIGITS
        found.append(or_(same, table.c.number == int(number)) if is_number else same)
    return found
