"""Effects: what a decision or a corrective action did to a measure, told by points before and after, or against untouched sites."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from watchword.model.decision import Direction, Effect, Expectation

LEAST: Final = 8
"""Points on each side, below which nothing is said."""
LIMIT: Final = 2.66
"""3 / d₂ for moving ranges of two: the natural process limits of an XmR chart."""
RUN: Final = 8
"""So many points in a row beyond the mean of before are a shift (Western Electric / Wheeler)."""
LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a measure over one closed period. Handed in as data: this room measures nothing itself."""

    since: datetime
    until: datetime
    value: float
    uid: str = ""
    credible: bool = True
    """False: graded D, it counts for nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of it, and on which figures that rests."""

    effect: Effect
    because: str
    before: float | None = None
    after: float | None = None
    points_before: int = 0
    points_after: int = 0
    method: str = "xmr"
    metrics: tuple[str, ...] = ()
    """Uids of the values read."""


def split(points: Sequence[Point], at: datetime) -> tuple[list[Point], list[Point]]:
    """Return the credible points of periods that ended by `at`, and of those that began then or later; the one between is neither."""
    credible = sorted((each for each in points if each.credible and math.isfinite(each.value)), key=lambda each: each.since)
    return [each for each in credible if each.until <= at], [each for each in credible if each.since >= at]


def judge(expects: Expectation, points: Sequence[Point], at: datetime, *, unit: str = "") -> Verdict:
    """Return the verdict of XmR limits before and after.

    The limits rest on the points before alone: mean ± 2.66 · mean moving range. A shift is detected when eight points in a row after lie
    on one side of the mean of before, or at least a quarter of the points after (and two of them) leave the limits on one side.

    Args:
        expects: What was expected.
        points: The series of the measure, any order.
        at: When it came into force, or was done.
        unit: For the sentence.
    """
    if expects.direction is Direction.NONE:
        return Verdict(Effect.NOT_EXPECTED, "No measurable effect was expected, and that was said at the time.")
    before, after = split(points, at)
    uids = tuple(each.uid for each in (*before, *after) if each.uid)
    counts = {"points_before": len(before), "points_after": len(after), "metrics": uids}
    mean = _mean(before)
    later = _mean(after)
    if len(before) < LEAST or len(after) < LEAST:
        says = f"There are {len(before)} credible points before and {len(after)} after; each side needs {LEAST}."
        return Verdict(Effect.TOO_EARLY, says, mean, later, **counts)  # type: ignore[arg-type]
    assert mean is not None and later is not None  # noqa: S101, PT018 - both sides have points
    shift = _shift([each.value for each in before], [each.value for each in after])
    figures = f"Mean {_say(mean, unit)} over {len(before)} periods before, {_say(later, unit)} over {len(after)} after"
    return _verdict(expects, shift, later - mean, figures, Verdict(Effect.NONE_DETECTED, "", mean, later, **counts), unit)  # type: ignore[arg-type]


def _verdict(expects: Expectation, shift: int, change: float, figures: str, blank: Verdict, unit: str) -> Verdict:
    wanted = 1 if expects.direction is Direction.UP else -1
    if shift == 0:
        effect, said = Effect.NONE_DETECTED, "no shift that leaves what was ordinary before"
    elif shift != wanted:
        effect, said = Effect.CONTRARY, f"a shift {'up' if shift > 0 else 'down'}, which is contrary to what was expected"
    else:
        effect, said = Effect.AS_EXPECTED, f"a shift {'up' if shift > 0 else 'down'}, as expected"
        if expects.size and abs(change) < abs(expects.size):
            said += f", though smaller ({_say(abs(change), unit)}) than the {_say(abs(expects.size), unit)} hoped for"
    counts = {"points_before": blank.points_before, "points_after": blank.points_after, "method": blank.method, "metrics": blank.metrics}
    return Verdict(effect, f"{figures}: {said}.", blank.before, blank.after, **counts)  # type: ignore[arg-type]


def _shift(before: Sequence[float], after: Sequence[float]) -> int:
    """Return 1 or -1 for a detected shift up or down, 0 for none or for signals on both sides."""
    mean = math.fsum(before) / len(before)
    spread = LIMIT * math.fsum(abs(b - a) for a, b in pairwise(before)) / (len(before) - 1)
    high = _longest([value > mean for value in after]) >= RUN or _enough(sum(value > mean + spread for value in after), len(after))
    low = _longest([value < mean for value in after]) >= RUN or _enough(sum(value < mean - spread for value in after), len(after))
    return 0 if high == low else 1 if high else -1


def _enough(outside: int, points: int) -> bool:
    return outside >= max(2, math.ceil(points / 4))


def _longest(flags: Sequence[bool]) -> int:
    longest = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        longest = max(longest, run)
    return longest


def compare(
    expects: Expectation, touched: Sequence[Point], untouched: Sequence[Sequence[Point]], at: datetime, *, unit: str = ""
) -> Verdict:
    """Return the verdict of a difference in differences against sites that the decision left alone.

    The effect is the touched site's change less the mean change of the others; its standard error comes from the spread of the points
    around their means (Welch), so it is honest about few points. Detected when the interval of 95 % leaves zero out.

    Args:
        expects: What was expected.
        touched: The series of where it holds.
        untouched: The series of comparable sites where it does not; without any, `judge` is asked instead.
        at: When it came into force.
        unit: For the sentence.
    """
    if expects.direction is Direction.NONE:
        return Verdict(Effect.NOT_EXPECTED, "No measurable effect was expected, and that was said at the time.")
    halves = [split(series, at) for series in untouched]
    others = [parts for parts in halves if all(len(side) >= LEAST for side in parts)]
    if not others:
        return judge(expects, touched, at, unit=unit)
    before, after = split(touched, at)
    uids = tuple(each.uid for each in (*before, *after) if each.uid)
    counts = {"points_before": len(before), "points_after": len(after), "method": "did", "metrics": uids}
    mean, later = _mean(before), _mean(after)
    if len(before) < LEAST or len(after) < LEAST:
        says = f"There are {len(before)} credible points before and {len(after)} after; each side needs {LEAST}."
        return Verdict(Effect.TOO_EARLY, says, mean, later, **counts)  # type: ignore[arg-type]
    own, error = _change(before, after)
    drifts = [_change(*parts) for parts in others]
    drift = math.fsum(change for change, _ in drifts) / len(drifts)
    error = math.sqrt(error**2 + math.fsum(each**2 for _, each in drifts) / len(drifts) ** 2)
    effect = own - drift
    shift = 0 if abs(effect) <= 1.96 * error else 1 if effect > 0 else -1
    figures = (
        f"Changed by {_say(own, unit)} here and by {_say(drift, unit)} at {len(drifts)} untouched: a difference of {_say(effect, unit)}"
    )
    figures += f" ± {_say(1.96 * error, unit)}"
    return _verdict(expects, shift, effect, figures, Verdict(Effect.NONE_DETECTED, "", mean, later, **counts), unit)  # type: ignore[arg-type]


def _mean(points: Sequence[Point]) -> float | None:
    return math.fsum(each.value for each in points) / len(points) if points else None


def _change(before: Sequence[Point], after: Sequence[Point]) -> tuple[float, float]:
    """Return the difference of the means and its standard error."""
    sides = [[each.value for each in side] for side in (before, after)]
    means = [math.fsum(side) / len(side) for side in sides]
    spreads = [
        math.fsum((value - mean) ** 2 for value in side) / (len(side) - 1) / len(side) for side, mean in zip(sides, means, strict=True)
    ]
    return means[1] - means[0], math.sqrt(math.fsum(spreads))


def _say(value: float, unit: str) -> str:
    return f"{value:.3g}{' ' + unit if unit else ''}"
