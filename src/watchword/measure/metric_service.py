"""Metrics kept: values with their inputs, series and signals, targets with an owner in each team."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, exists, func, insert, select, update

from watchword.kit.clock import to_millisecond
from watchword.kit.errors import NotFound
from watchword.kit.ids import random_uid
from watchword.measure import metric_tables as tables
from watchword.measure.calculator import Input, Measured, code_hash, is_period
from watchword.measure.grade import SHARE
from watchword.measure.target_service import Targets
from watchword.measure.xmr import Chart, chart
from watchword.model.metric import Flag, Grade, Metric, Window

MOST_POINTS: Final = 600
"""Points of one series read at once."""
MOST_INPUTS: Final = 10_000
"""Inputs kept of one value; beyond them the hash still covers all."""
KEPT: Final = timedelta(days=40)
"""How long running values are kept, but the newest and those on which a decision stands."""
_CHUNK: Final = 400


@dataclass(frozen=True, slots=True)
class KeptFlag:
    """A flag in force."""

    name: str
    subject: str
    flag: Flag
    because: str
    since: datetime


class Metrics(Targets):
    """Keeps and reads measures: definitions and targets (from `Targets`), values, series, flags.

    Methods that take a connection join the caller's transaction.
    """

    def code_hash(self, name: str) -> str:
        """Return the hash of the code that computes a measure now; empty: its formula is not part of this house.

        Raises:
            NotFound: there is no such measure.
        """
        try:
            return code_hash(self.definition(name).formula)
        except LookupError:
            return ""

    # values

    def put(self, metric: Metric, uids: Iterable[Input] = (), *, connection: Connection | None = None) -> None:
        """Keep a value with what was read for it; the same value again changes nothing, another of the same window takes its place."""
        self.put_all([Measured(metric, tuple(uids))], connection=connection)

    def put_all(self, values: Sequence[Measured], *, connection: Connection | None = None) -> int:
        """Keep values in one transaction and return how many were new."""
        if not values:
            return 0
        if connection is not None:
            return sum(self._put(connection, each) for each in values)
        with self._records.begin() as own:
            new = sum(self._put(own, each) for each in values)
            names = sorted({each.metric.name for each in values})
            if new:
                self._ledger.append_change(
                    own, "metric", names[0] if len(names) == 1 else "", {"names": names[:50], "new": new}, self._clock.now()
                )
        return new

    def _put(self, connection: Connection, each: Measured) -> bool:
        metric, table = _flagged(connection, each.metric), tables.metric_value
        definition = self.definition(metric.name)
        period = is_period(definition, metric.window)
        same = (
            (table.c.name == metric.name)
            & (table.c.subject == metric.subject)
            & (table.c.period == period)
            & (table.c.since == to_millisecond(metric.window.since))
            & (table.c.until == to_millisecond(metric.window.until))
        )
        known = connection.execute(select(table.c.current).where(table.c.uid == metric.uid)).scalar()
        if known:
            connection.execute(update(table).where(table.c.uid == metric.uid).values(computed=metric.computed or self._clock.now()))
            return False
        connection.execute(update(table).where(same & table.c.current).values(current=False))
        if known is not None:
            connection.execute(
                update(table).where(table.c.uid == metric.uid).values(current=True, computed=metric.computed or self._clock.now())
            )
            return True
        if not period:
            _forget_running(connection, metric, KEPT)
        connection.execute(insert(table).values(**_row(metric, period, self.code_hash(metric.name), self._clock.now())))
        _keep_inputs(connection, metric.inputs, each.uids)
        return True

    def get(self, uid: str) -> Metric:
        """Return one value by its uid.

        Raises:
            NotFound: it is not kept, or no longer.
        """
        with self._records.read() as connection:
            row = connection.execute(select(tables.metric_value).where(tables.metric_value.c.uid == uid)).first()
        if row is None:
            raise NotFound(f"there is no value {uid}: running values are kept for {KEPT.days} days")
        return _metric(row)

    def latest(self, name: str, subject: str = "") -> Metric | None:
        """Return the newest value, running or of a period; None: it was never computed.

        Raises:
            NotFound: there is no such measure.
        """
        return self.present(name).get(subject)

    def present(self, name: str) -> dict[str, Metric]:
        """Return the newest value of each subject (empty: the whole house).

        Raises:
            NotFound: there is no such measure.
        """
        return self.all_present([name]).get(name, {})

    def all_present(self, names: Sequence[str] = ()) -> dict[str, dict[str, Metric]]:
        """Return measure → subject → its newest value, for all measures or those named, in one reading.

        Raises:
            NotFound: there is no such measure.
        """
        wanted = [self.definition(name) for name in names] if names else self.definitions()
        table = tables.metric_value
        newest = (
            select(table.c.name, table.c.subject, table.c.version, func.max(table.c.until).label("until"))
            .where(table.c.current, table.c.name.in_([each.name for each in wanted]))
            .group_by(table.c.name, table.c.subject, table.c.version)
            .subquery()
        )
        join = (
            (table.c.name == newest.c.name)
            & (table.c.subject == newest.c.subject)
            & (table.c.version == newest.c.version)
            & (table.c.until == newest.c.until)
            & table.c.current
        )
        versions = {each.name: each.version for each in wanted}
        found: dict[str, dict[str, Metric]] = {}
        with self._records.read() as connection:
            for row in connection.execute(select(table).join(newest, join).order_by(table.c.computed)):
                if row.version == versions[row.name]:
                    found.setdefault(row.name, {})[row.subject] = _metric(row)
        return found

    def series(self, name: str, subject: str = "", since: datetime | None = None) -> list[Metric]:
        """Return the values of closed periods, oldest first: one of each period, of the present version alone. At most the newest 600.

        Raises:
            NotFound: there is no such measure.
        """
        return self.all_series([name], since=since, subject=subject).get((name, subject), [])

    def all_series(
        self, names: Sequence[str] = (), since: datetime | None = None, subject: str | None = None
    ) -> dict[tuple[str, str], list[Metric]]:
        """Return (measure, subject) → its series, for all measures or those named, in one reading.

        Raises:
            NotFound: there is no such measure.
        """
        wanted = [self.definition(name) for name in names] if names else self.definitions()
        versions = {each.name: each.version for each in wanted}
        table = tables.metric_value
        query = select(table).where(table.c.period, table.c.current, table.c.name.in_(list(versions)))
        if subject is not None:
            query = query.where(table.c.subject == subject)
        if since is not None:
            query = query.where(table.c.since >= since)
        query = query.order_by(table.c.since.desc(), table.c.computed.desc()).limit(MOST_POINTS * max(1, len(wanted)))
        found: dict[tuple[str, str], list[Metric]] = {}
        with self._records.read() as connection:
            for row in connection.execute(query):
                if row.version == versions[row.name]:
                    found.setdefault((row.name, row.subject), []).append(_metric(row))
        return {key: points[:MOST_POINTS][::-1] for key, points in found.items()}

    def subjects(self, name: str) -> list[str]:
        """Return the subjects for which a measure has values; the whole house ('') first.

        Raises:
            NotFound: there is no such measure.
        """
        definition, table = self.definition(name), tables.metric_value
        query = select(table.c.subject).where(table.c.name == name, table.c.version == definition.version, table.c.current).distinct()
        with self._records.read() as connection:
            return sorted(connection.execute(query).scalars())

    def inputs(self, uid: str) -> list[Input]:
        """Return (kind, uid) of everything read for a value: the walk back. At most 10,000.

        Raises:
            NotFound: the value is not kept.
        """
        metric, table = self.get(uid), tables.metric_input
        query = select(table.c.kind, table.c.uid).where(table.c.inputs == metric.inputs).order_by(table.c.kind, table.c.uid)
        with self._records.read() as connection:
            return [(row.kind, row.uid) for row in connection.execute(query.limit(MOST_INPUTS))]

    def signals(self, name: str, subject: str = "", since: datetime | None = None) -> tuple[list[Metric], Chart | None]:
        """Return the points of a series that have a value, and their XmR chart; None with fewer than six points.

        Raises:
            NotFound: there is no such measure.
        """
        points = [point for point in self.series(name, subject, since) if point.value is not None]
        return points, self.chart_of(name, points)

    def chart_of(self, name: str, points: Sequence[Metric]) -> Chart | None:
        """Return the XmR chart of points of a series.

        Raises:
            NotFound: there is no such measure.
        """
        definition = self.definition(name)
        values = [point.value for point in points if point.value is not None]
        lowest = min(values, default=0.0)
        return chart(values, definition.better, floor=0.0 if definition.unit == SHARE or lowest >= 0 else None)

    def hold(self, connection: Connection, uids: Sequence[str]) -> None:
        """Keep values for good: a meeting or decision stands on them."""
        table = tables.metric_value
        for start in range(0, len(uids), _CHUNK):
            connection.execute(update(table).where(table.c.uid.in_(uids[start : start + _CHUNK])).values(held=True))

    # flags

    def raise_flag(self, name: str, subject: str, flag: Flag, because: str) -> bool:
        """Grade a measure D from now on because a detector fired; tell whether that is new.

        Args:
            name: The measure.
            subject: Of which subject; empty: of the whole house.
            flag: Which detector.
            because: What it saw, in one sentence with its full stop.

        Raises:
            NotFound: there is no such measure.
        """
        present = self.present(name).get(subject)
        table, values = tables.metric_flag, tables.metric_value
        mine = (table.c.name == name) & (table.c.subject == subject) & (table.c.flag == flag.value) & table.c.until.is_(None)
        with self._records.begin() as connection:
            if connection.execute(select(table.c.uid).where(mine)).first() is not None:
                connection.execute(update(table).where(mine).values(because=because))
                return False
            row = {"uid": random_uid(), "name": name, "subject": subject, "flag": flag.value, "because": because}
            connection.execute(insert(table).values(**row, since=to_millisecond(self._clock.now()), until=None))
            if present is not None:
                graded = with_flags(present, [(flag, because)])
                changed = {"flags": [each.value for each in graded.flags], "grade": Grade.D.value, "because": graded.because}
                connection.execute(update(values).where(values.c.uid == present.uid).values(**changed))
            self._ledger.append_change(connection, "metric", name, {"names": [name], "flag": flag.value}, self._clock.now())
        return True

    def clear_flag(self, name: str, subject: str, flag: Flag) -> bool:
        """End a flag: the detector no longer fires. Values computed from now on are graded by their figures; tell whether there was one."""
        table = tables.metric_flag
        mine = (table.c.name == name) & (table.c.subject == subject) & (table.c.flag == flag.value) & table.c.until.is_(None)
        with self._records.begin() as connection:
            ended = connection.execute(update(table).where(mine).values(until=to_millisecond(self._clock.now()))).rowcount
        return bool(ended)

    def flags(self) -> list[KeptFlag]:
        """Return the flags in force, newest first."""
        table = tables.metric_flag
        with self._records.read() as connection:
            rows = connection.execute(select(table).where(table.c.until.is_(None)).order_by(table.c.since.desc()))
            return [KeptFlag(row.name, row.subject, Flag(row.flag), row.because, row.since) for row in rows]

    def sweep(self, now: datetime) -> int:
        """Drop running values that are old, superseded ones too, and inputs that no value names; return how many values went."""
        table, inputs = tables.metric_value, tables.metric_input
        old = ~table.c.held & (table.c.computed < now - KEPT) & (~table.c.period | ~table.c.current)
        with self._records.begin() as connection:
            gone = connection.execute(delete(table).where(old)).rowcount
            if gone:
                connection.execute(delete(inputs).where(~exists().where(table.c.inputs == inputs.c.inputs)))
        return int(gone)


def _row(metric: Metric, period: bool, code: str, now: datetime) -> dict[str, Any]:
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


def _flagged(connection: Connection, metric: Metric) -> Metric:
    table = tables.metric_flag
    query = select(table.c.flag, table.c.because).where(table.c.name == metric.name, table.c.subject == metric.subject)
    query = query.where(table.c.since < metric.window.until, table.c.until.is_(None) | (table.c.until > metric.window.since))
    return with_flags(metric, [(Flag(row.flag), row.because) for row in connection.execute(query)])


def _forget_running(connection: Connection, metric: Metric, kept: timedelta) -> None:
    """Let the running values before this one go: of each day one stays, and those on which something stands."""
    table = tables.metric_value
    day = metric.window.until.replace(hour=0, minute=0, second=0, microsecond=0)
    mine = (table.c.name == metric.name) & (table.c.subject == metric.subject) & ~table.c.period & ~table.c.held
    gone = (table.c.until >= day) | (table.c.until < metric.window.until - kept)
    connection.execute(delete(table).where(mine & gone & (table.c.until < metric.window.until)))


def _keep_inputs(connection: Connection, inputs: str, uids: Sequence[Input]) -> None:
    if not uids or not inputs:
        return
    table = tables.metric_input
    if connection.execute(select(table.c.inputs).where(table.c.inputs == inputs).limit(1)).first() is not None:
        return
    unique = sorted(set(uids))[:MOST_INPUTS]
    rows = [{"inputs": inputs, "kind": kind[:16], "uid": uid[:200]} for kind, uid in unique]
    connection.execute(insert(table), list({(row["kind"], row["uid"]): row for row in rows}.values()))


def _metric(row: Row[Any]) -> Metric:
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
