"""Metrics kept: values with their inputs, series and signals, targets with an owner in each team."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from watchword.kit.clock import to_millisecond
from watchword.kit.errors import NotFound
from watchword.kit.ids import random_uid
from watchword.measure import metric_tables as tables
from watchword.measure.calculator import Input, Measured, code_hash, is_period
from watchword.measure.grade import SHARE
from watchword.measure.metric_rows_service import (
    MOST_INPUTS,
    flagged,
    flags_in_force,
    forget_inputs,
    insert_new,
    keep_inputs,
    metric_of,
    parts_of,
    row_of,
    standing_windows,
    with_flags,
)
from watchword.measure.target_service import Targets
from watchword.measure.xmr import Chart, chart
from watchword.model.metric import Flag, Grade, Metric

MOST_POINTS: Final = 600
"""Points of one series read at once."""
KEPT: Final = timedelta(days=40)
"""How long running values are kept, but the newest and those on which a decision stands."""
RECENT: Final = timedelta(hours=3)
"""So long every running value stays: who looks at one can walk back from it."""
WALKED: Final = timedelta(days=2)
"""So long the inputs of a running value are kept; those of periods and of what is held stay."""


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
            return self._keep(connection, values)
        with self._records.begin() as own:
            new = self._keep(own, values)
            if new:
                names = sorted({each.metric.name for each in values})
                said = {"names": names[:50], "new": new}
                self._ledger.append_change(own, "metric", names[0] if len(names) == 1 else "", said, self._clock.now())
        return new

    def _keep(self, connection: Connection, values: Sequence[Measured]) -> int:
        """Keep values with few statements, however many they are."""
        table, flags = tables.metric_value, flags_in_force(connection)
        graded = {each.metric.uid: replace(each, metric=flagged(each.metric, flags)) for each in values}
        known: dict[str, bool] = {}
        for part in parts_of(list(graded)):
            known.update(
                {row.uid: row.current for row in connection.execute(select(table.c.uid, table.c.current).where(table.c.uid.in_(part)))}
            )
        now = self._clock.now()
        same = [uid for uid, current in known.items() if current]
        for part in parts_of(same):
            connection.execute(
                update(table).where(table.c.uid.in_(part)).values(computed=max(graded[uid].metric.computed or now for uid in part))
            )
        fresh = [each for uid, each in graded.items() if not known.get(uid)]
        standing = standing_windows(connection, [each.metric for each in fresh])
        rows, gone = [], set[str]()
        for each in fresh:
            metric = each.metric
            period = is_period(self.definition(metric.name), metric.window)
            row = row_of(metric, period=period, code=self.code_hash(metric.name), now=now)
            gone |= self._make_room(connection, row, standing)
            if metric.uid in known:
                connection.execute(update(table).where(table.c.uid == metric.uid).values(current=True, computed=row["computed"]))
            else:
                rows.append(row)
        for some in parts_of(rows):
            connection.execute(insert_new(connection, table), some)
        keep_inputs(connection, fresh)
        forget_inputs(connection, gone)
        return len(fresh)

    def _make_room(self, connection: Connection, row: dict[str, Any], standing: frozenset[tuple[Any, ...]]) -> set[str]:
        """Let the value of the same window before it step back; of earlier running values keep the last hours' and some a day.

        Returns the inputs of the values that went.
        """
        table = tables.metric_value
        mine = (table.c.name == row["name"]) & (table.c.subject == row["subject"]) & (table.c.period == row["period"])
        if (row["name"], row["subject"], row["period"], row["since"], row["until"]) in standing:
            window = (table.c.since == row["since"]) & (table.c.until == row["until"])
            connection.execute(update(table).where(mine & window & table.c.current).values(current=False))
        if row["period"] or (row["name"], row["subject"]) not in standing:
            return set()
        day = row["until"].replace(hour=0, minute=0, second=0, microsecond=0)
        old = mine & ~table.c.held & (table.c.until >= day) & (table.c.until < row["until"] - RECENT)
        gone = set(connection.execute(select(table.c.inputs).where(old)).scalars())
        if gone:
            connection.execute(delete(table).where(old))
        return gone

    def get(self, uid: str) -> Metric:
        """Return one value by its uid.

        Raises:
            NotFound: it is not kept, or no longer.
        """
        with self._records.read() as connection:
            row = connection.execute(select(tables.metric_value).where(tables.metric_value.c.uid == uid)).first()
        if row is None:
            raise NotFound(f"there is no value {uid}: running values are kept for {KEPT.days} days")
        return metric_of(row)

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
                    found.setdefault(row.name, {})[row.subject] = metric_of(row)
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
                    found.setdefault((row.name, row.subject), []).append(metric_of(row))
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
        known = [(point.value, point.n) for point in points if point.value is not None]
        values = [value for value, _ in known]
        shares = definition.unit == SHARE
        floor = 0.0 if shares or min(values, default=0.0) >= 0 else None
        return chart(values, definition.better, floor=floor, sizes=[n for _, n in known] if shares else None)

    def hold(self, connection: Connection, uids: Sequence[str]) -> None:
        """Keep values for good: a meeting or decision stands on them."""
        table = tables.metric_value
        for part in parts_of(uids):
            connection.execute(update(table).where(table.c.uid.in_(part)).values(held=True))

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
        """Drop old running values, superseded ones too, and inputs that nobody walks back to any more; return how many values went."""
        table, inputs = tables.metric_value, tables.metric_input
        old = ~table.c.held & (table.c.computed < now - KEPT) & (~table.c.period | ~table.c.current)
        wanted = select(table.c.inputs).where(table.c.period | table.c.held | (table.c.until >= now - WALKED))
        with self._records.begin() as connection:
            gone = connection.execute(delete(table).where(old)).rowcount
            connection.execute(delete(inputs).where(inputs.c.inputs.not_in(wanted)))
        return int(gone)
