"""The calculator: what computes some measures over one window, and how a computed value becomes a graded Metric."""

import hashlib
import importlib
import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, Protocol

from watchword.kit.clock import to_millisecond
from watchword.kit.ids import uid_of
from watchword.measure.grade import grade_of
from watchword.model.metric import Flag, Metric, MetricDefinition, Window

MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)
"""Periods are aligned to it: a week begins on Monday, 00:00 UTC."""
Input = tuple[str, str]
"""Kind (``incident``, ``finding``, ``run``, ``event`` …) and uid of something read."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A computed value with what was read for it."""

    metric: Metric
    uids: tuple[Input, ...] = ()


class Calculator(Protocol):
    """Computes some measures over one window. It reads; it keeps nothing and changes nothing."""

    @property
    def names(self) -> Sequence[str]:
        """Return the names of the definitions that it computes."""
        ...

    @property
    def historic(self) -> bool:
        """Tell whether it can compute a window long past (backfill); False: only the present, or a window that has just ended."""
        ...

    def earliest(self) -> datetime | None:
        """Return the moment before which it has no data; None: there are none yet."""
        ...

    def compute(self, window: Window, now: datetime) -> Iterable[Measured]:
        """Compute over a window; `now` is what is known (a window may end in the past). What it has no data for it may leave out."""
        ...


def measured(
    definition: MetricDefinition,
    window: Window,
    now: datetime,
    *,
    value: float | None,
    lo: float | None = None,
    hi: float | None = None,
    n: int = 0,
    coverage: float = 1.0,
    subject: str = "",
    words: str = "",
    flags: Sequence[Flag] = (),
    details: Mapping[str, float] | None = None,
    uids: Iterable[Input] = (),
) -> Measured:
    """Return a value as a graded Metric, its uid made of what it was computed from.

    Args:
        definition: What is measured.
        window: Over which stretch.
        now: When it is computed.
        value: The value; None: it cannot be known.
        lo: Lower bound at the definition's level.
        hi: Upper bound.
        n: Observations behind it.
        coverage: Share seen of what should have been seen.
        subject: Zone, asset, team or severity; empty: the whole house.
        words: How it came about, in one plain sentence with its full stop; the reason of the grade follows it.
        flags: Detectors that fired.
        details: Further figures of the same computation.
        uids: What was read.
    """
    read = tuple(sorted(set(uids)))
    inputs = uid_of("inputs", *(part for pair in read for part in pair))
    grade, why = grade_of(definition, value=value, lo=lo, hi=hi, n=n, coverage=coverage, flags=flags)
    moment = to_millisecond(now)
    metric = Metric(
        uid="",
        name=definition.name,
        version=definition.version,
        window=Window(to_millisecond(window.since), to_millisecond(window.until)),
        value=value,
        lo=lo,
        hi=hi,
        n=n,
        coverage=coverage,
        grade=grade,
        unit=definition.unit,
        because=f"{words} {why}".strip(),
        subject=subject,
        flags=tuple(flags),
        inputs=inputs,
        computed=moment,
        details=dict(details or {}),
    )
    return Measured(replace(metric, uid=metric_uid(metric)), read)


def metric_uid(metric: Metric) -> str:
    """Return the uid of a value: definition, version, subject, window, inputs and figures."""
    figures = [metric.value, metric.lo, metric.hi, metric.n, metric.coverage]
    window = (metric.window.since.isoformat(), metric.window.until.isoformat())
    flags = ",".join(flag.value for flag in metric.flags)
    return uid_of("metric", metric.name, str(metric.version), metric.subject, *window, metric.inputs, flags, *map(repr, figures))


def is_period(definition: MetricDefinition, window: Window) -> bool:
    """Tell whether a window is one of the definition's aligned periods: a point of its series."""
    return window.length == definition.window and not (window.since - MONDAY) % definition.window


def last_period(definition: MetricDefinition, now: datetime) -> Window:
    """Return the newest period that has ended."""
    until = now - (now - MONDAY) % definition.window
    return Window(until - definition.window, until)


def periods(definition: MetricDefinition, since: datetime, now: datetime) -> list[Window]:
    """Return every period that has ended and lies wholly after `since`, oldest first."""
    window = last_period(definition, now)
    found = []
    while window.since >= since:
        found.append(window)
        window = Window(window.since - definition.window, window.since)
    return found[::-1]


def running(definition: MetricDefinition, now: datetime) -> Window:
    """Return the window of a definition's length that ends now: the value shown as the present one."""
    until = to_millisecond(now)
    return Window(until - definition.window, until)


@lru_cache(maxsize=512)
def code_hash(formula: str) -> str:
    """Return a hash (16 hex digits) of a formula's source text: ``module.function`` in `watchword.measure`.

    Raises:
        LookupError: there is no such function; definitions are checked for this when they are read by the tests.
    """
    module, _, name = formula.rpartition(".")
    try:
        function = getattr(importlib.import_module(f"watchword.{module}" if "." in module else f"watchword.measure.{module}"), name)
    except (ImportError, AttributeError) as error:
        raise LookupError(f"no function {formula!r}: {error}") from error
    return hashlib.blake2b(inspect.getsource(function).encode(), digest_size=8).hexdigest()


def hours(length: timedelta) -> float:
    """Return a duration in hours."""
    return length / timedelta(hours=1)
