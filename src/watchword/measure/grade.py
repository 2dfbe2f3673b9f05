"""Grades: how credible a value is, by its observations, the width of its interval, its coverage and its flags, and why in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from watchword.model.metric import Flag, Grade, Metric, MetricDefinition

SHARE: Final = "share"
"""The unit of values between 0 and 1: their intervals are judged in points, not in per cent of the value."""


@dataclass(frozen=True, slots=True)
class Rung:
    """What a grade asks for (measures.md section 2)."""

    grade: Grade
    part_of_n: float
    """Of the definition's `min_n`."""
    relative: float
    """Largest half-width of the interval as a share of the value."""
    points: float
    """Largest half-width of a share's interval."""
    coverage: float


RUNGS: Final = (
    Rung(Grade.A, 1.0, 0.10, 0.05, 0.95),
    Rung(Grade.B, 1.0, 0.25, 0.12, 0.90),
    Rung(Grade.C, 0.5, 0.50, 0.25, 0.75),
)
FLAG_WORDS: Final = {
    Flag.SELECTION: "easy items were picked while harder ones waited",
    Flag.BULK: "an unusual number of items was closed within minutes",
    Flag.DOWNGRADE: "severities were lowered unusually often before closing",
    Flag.REOPEN: "closed items came back unusually often",
    Flag.HEAPING: "times pile up just inside the limit",
    Flag.DIVERGENCE: "it improved while its counter-metric got worse",
    Flag.DENOMINATOR: "what is counted has changed",
}


def grade_of(
    definition: MetricDefinition,
    *,
    value: float | None,
    lo: float | None,
    hi: float | None,
    n: int,
    coverage: float,
    flags: Sequence[Flag] = (),
) -> tuple[Grade, str]:
    """Return the grade and the reason in one plain sentence.

    A value of a whole population, such as a count, has `lo` = `hi` = `value`: then its width fails no grade.
    """
    if value is None:
        return Grade.D, "Not credible: it cannot be known from what is kept."
    if flags:
        return Grade.D, f"Not credible: {FLAG_WORDS[flags[0]]}" + (f" ({len(flags) - 1} more flags)." if len(flags) > 1 else ".")
    half = None if lo is None or hi is None else (hi - lo) / 2
    why = ""
    for rung in RUNGS:
        fault = _fault(rung, definition, value, half, n, coverage)
        if not fault:
            return rung.grade, f"Grade {rung.grade.value}" + (
                f": {why}." if why else ": enough observations, a narrow interval, full coverage."
            )
        why = fault
    return Grade.D, f"Not credible: {why}."


def _fault(rung: Rung, definition: MetricDefinition, value: float, half: float | None, n: int, coverage: float) -> str:
    """Return what keeps a value from a rung, in words; empty: nothing does."""
    need = definition.min_n * rung.part_of_n
    if n < need:
        return f"it rests on {n} observations where {rung.grade.value} asks for {need:g}"
    if half is None:
        return "it has no interval"
    if definition.unit == SHARE:
        if half > rung.points:
            return f"its interval is ± {100 * half:.0f} points wide where {rung.grade.value} allows {100 * rung.points:.0f}"
    elif half > rung.relative * abs(value) and half > 0:
        wide = f"± {100 * half / abs(value):.0f} %" if value else "open"
        return f"its interval is {wide} where {rung.grade.value} allows {100 * rung.relative:.0f} %"
    if coverage < rung.coverage:
        return f"only {100 * coverage:.0f} % of what should be seen was seen where {rung.grade.value} asks for {100 * rung.coverage:.0f} %"
    return ""


def is_stale(definition: MetricDefinition, metric: Metric, now: datetime) -> bool:
    """Tell whether a value is older than its definition lets it be: then it is shown as stale and counts as D."""
    return now - (metric.computed or metric.window.until) > definition.ttl


def grade_now(definition: MetricDefinition, metric: Metric, now: datetime) -> tuple[Grade, str]:
    """Return the grade that a kept value has at this moment, and why: D once it is stale."""
    if is_stale(definition, metric, now):
        age = now - (metric.computed or metric.window.until)
        return Grade.D, f"Not credible: it is {_age(age.total_seconds())} old and was good for {_age(definition.ttl.total_seconds())}."
    return metric.grade, metric.because


def _age(seconds: float) -> str:
    hours = seconds / 3600
    return f"{hours / 24:.0f} days" if hours >= 72 else f"{hours:.0f} hours"
