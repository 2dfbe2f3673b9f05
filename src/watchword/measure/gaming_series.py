"""Signs in figures rather than in people (detectors D5 to D7): times heaped below a promise, divergence, shrinking denominators. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchword.measure.gaming import Sign, tail
from watchword.measure.xmr import Chart, chart
from watchword.model.metric import Better, Flag

TEAM: Final = -1
HEAP_FEWEST: Final = 10
HEAP_ALPHA: Final = 0.005
HEAP_BOUNDS: Final = (0.5, 0.75)
"""D5: the share just below the promise that the neighbouring bins may let expect."""
RECENT: Final = 4
"""D6, D7: a signal counts while it is among so many newest points."""


def heaping(durations: Sequence[float], promise: float) -> Sign | None:
    """D5: more durations lie just below what is promised (.9 to 1) than just above it (1 to 1.1) than their neighbours explain.

    The neighbours, .8 to .9 and 1.1 to 1.2, have centres three bins apart: the cube root of their ratio is one bin's step.

    Args:
        durations: Durations of one severity, in any unit.
        promise: The service level, in the same unit.
    """
    far_below, below, above, far_above = (
        sum(low * promise <= each < high * promise for each in durations) for low, high in ((0.8, 0.9), (0.9, 1.0), (1.0, 1.1), (1.1, 1.2))
    )
    n = below + above
    if n < HEAP_FEWEST:
        return None
    ratio = ((far_below + 0.5) / (far_above + 0.5)) ** (1 / 3)
    p = min(HEAP_BOUNDS[1], max(HEAP_BOUNDS[0], ratio / (1 + ratio)))
    chance = tail(below, n, p)
    if chance >= HEAP_ALPHA:
        return None
    words = f"Of {n} times within a tenth of the promise, {below} lie just below it; their neighbours let expect {p * n:.0f}."
    return Sign(Flag.HEAPING, TEAM, below / n, p, n, chance, words)


def divergence(
    headline: Sequence[float], better: Better, counter: Sequence[float], counter_better: Better, names: tuple[str, str]
) -> Sign | None:
    """D6: the headline signals better while its counter-metric signals worse, both among the newest points.

    Args:
        headline: Series of the measure, oldest first.
        better: Which way it improves.
        counter: Series of its counter-metric, oldest first.
        counter_better: Which way that improves.
        names: Titles of both, for the sentence.
    """
    gain, loss = _recent(chart(headline, better), headline, good=True), _recent(chart(counter, counter_better), counter, good=False)
    if gain is None or loss is None:
        return None
    words = f"{names[0]} is {gain}, while {names[1]} is {loss}."
    return Sign(Flag.DIVERGENCE, TEAM, headline[-1], counter[-1], len(headline), float("nan"), words)


def denominators(what: str, values: Sequence[float], *, suspect: Better) -> Sign | None:
    """D7: what a measure divides by, or leaves out, has moved beyond its ordinary limits in the way that flatters it.

    Args:
        what: What it is: "items that could be chosen", "planned maintenance as a share of time".
        values: Its series, oldest first.
        suspect: The direction that flatters: DOWN for a set that shrinks, UP for a share that is left out.
    """
    moved = _recent(chart(values, suspect), values, good=True)
    if moved is None:
        return None
    words = f"{what[:1].upper()}{what[1:]}: {moved.removesuffix(', an improvement')}; the measure may only look better."
    return Sign(Flag.DENOMINATOR, TEAM, values[-1], values[0], len(values), float("nan"), words)


def _recent(made: Chart | None, values: Sequence[float], *, good: bool) -> str | None:
    """Return what the newest fresh signal of that kind says; None: there is none."""
    if made is None:
        return None
    fresh = [signal for signal in made.signals if signal.good is good and signal.index >= len(values) - RECENT]
    return fresh[-1].says if fresh else None
