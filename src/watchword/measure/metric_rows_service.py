"""Rows of metric values: written, read, graded D for flags in force, their inputs kept once."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Row, Table, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from watchword.kit.clock import to_millisecond
from watchword.measure import metric_tables as tables
from watchword.measure.calculator import Measured
from watchword.model.metric import Flag, Grade, Metric, Window

MOST_INPUTS: Final = 10_000
"""Inputs kept of one value; beyond them the hash still covers all."""
_CHUNK: Final = 400
T = TypeVar("T")
Flags = dict[tuple[str, str], list[tuple[Flag, str, datetime, datetime | None]]]
"""(Measure, subject) → flags: which, why, since, until."""


def row_of(metric: Metric, *, period: bool, code: str, now: datetime) -> dict[str, Any]:
    """Return a value as it is kept."""
    return {
        "uid": metric.uid,
        "name": metric.name,
        "version": metric.version,
        "subject": metric.subject,
        "since": to_millisecond(metric.window.since),
        "until": to_millisecond(metric.window.until),
        "period": period,
        "current": True,
        "held": False,
        "value": metric.value,
        "lo": metric.lo,
        "hi": metric.hi,
        "n": metric.n,
        "coverage": metric.coverage,
        "grade": metric.grade.value,
        "unit": metric.unit,
        "because": metric.because,
        "flags": [flag.value for flag in metric.flags],
        "inputs": metric.inputs,
        "details": dict(metric.details),
        "code": code,
        "computed": to_millisecond(metric.computed or now),
    }


def with_flags(metric: Metric, flags: Sequence[tuple[Flag, str]]) -> Metric:
    """Return a value graded D for flags in force, its reason first."""
    fresh = [(flag, because) for flag, because in flags if flag not in metric.flags]
    if not fresh:
        return metric
    because = " ".join(because for _, because in fresh)
    words = f"{because} Not credible until that is cleared up. {metric.because}"
    return replace(metric, flags=(*metric.flags, *(flag for flag, _ in fresh)), grade=Grade.D, because=words)


def flags_in_force(connection: Connection) -> Flags:
    """Return every flag that was ever raised, by measure and subject."""
    table = tables.metric_flag
    found: Flags = {}
    for row in connection.execute(select(table)):
        found.setdefault((row.name, row.subject), []).append((Flag(row.flag), row.because, row.since, row.until))
    return found


def flagged(metric: Metric, flags: Flags) -> Metric:
    """Return a value graded D for the flags that were in force inside its window, or are now where it is a running one."""
    window, mine = metric.window, flags.get((metric.name, metric.subject), ())
    return with_flags(
        metric, [(flag, why) for flag, why, since, until in mine if since <= window.until and (until is None or until > window.since)]
    )


def standing_windows(connection: Connection, metrics: Sequence[Metric]) -> frozenset[tuple[Any, ...]]:
    """Return the windows that have a current value, as (name, subject, period, since, until), and (name, subject) of running values."""
    if not metrics:
        return frozenset()
    table = tables.metric_value
    names = {metric.name for metric in metrics}
    first = min(metric.window.until for metric in metrics).replace(hour=0, minute=0, second=0, microsecond=0)
    query = select(table.c.name, table.c.subject, table.c.period, table.c.since, table.c.until).where(
        table.c.until >= first, table.c.current
    )
    found: set[tuple[Any, ...]] = set()
    for row in connection.execute(query.where(table.c.name.in_(names))):
        found.add(tuple(row))
        if not row.period:
            found.add((row.name, row.subject))
    return frozenset(found)


def parts_of(items: Sequence[T]) -> Iterator[list[T]]:
    """Yield the items in parts that one statement can name."""
    for start in range(0, len(items), _CHUNK):
        yield list(items[start : start + _CHUNK])


def insert_new(connection: Connection, table: Table) -> Any:
    """Return an insert that leaves alone what another process has just kept under the same key."""
    # Both engines know ON CONFLICT, yet each dialect has its own class for it.
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table).on_conflict_do_nothing()


def keep_inputs(connection: Connection, values: Sequence[Measured]) -> None:
    """Keep what was read for values; values over the same uids share their rows."""
    table = tables.metric_input
    wanted = {each.metric.inputs: each.uids for each in values if each.uids and each.metric.inputs}
    for part in parts_of(list(wanted)):
        there = set(connection.execute(select(table.c.inputs).where(table.c.inputs.in_(part)).distinct()).scalars())
        rows = {
            (inputs, kind[:16], uid[:200])
            for inputs in part
            if inputs not in there
            for kind, uid in sorted(set(wanted[inputs]))[:MOST_INPUTS]
        }
        for some in parts_of(sorted(rows)):
            connection.execute(insert_new(connection, table), [{"inputs": inputs, "kind": kind, "uid": uid} for inputs, kind, uid in some])


def forget_inputs(connection: Connection, inputs: Collection[str]) -> None:
    """Let inputs go that no value names any more."""
    table, values = tables.metric_input, tables.metric_value
    for part in parts_of(sorted(inputs)):
        still = set(connection.execute(select(values.c.inputs).where(values.c.inputs.in_(part)).distinct()).scalars())
        gone = [one for one in part if one not in still]
        if gone:
            connection.execute(delete(table).where(table.c.inputs.in_(gone)))


def metric_of(row: Row[Any]) -> Metric:
    """Return a kept value."""
    return Metric(
        uid=row.uid,
        name=row.name,
        version=row.version,
        window=Window(row.since, row.until),
        value=row.value,
        lo=row.lo,
        hi=row.hi,
        n=row.n,
        coverage=row.coverage,
        grade=Grade(row.grade),
        unit=row.unit,
        because=row.because,
        subject=row.subject,
        flags=tuple(Flag(flag) for flag in row.flags),
        inputs=row.inputs,
        computed=row.computed,
        details=dict(row.details),
    )
