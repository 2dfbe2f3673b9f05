"""Redundancy: what would still be avoided without one of the tools in place, so that the house knows which could go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from watchword.measure.intervals import Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[Any]"
SURE: Final = 0.9
"""A tool is redundant when it brings less than the threshold in this share of draws."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one tool adds to all the others. Euros a year."""

    uid: str
    mean: float
    """Reduction with everything minus reduction without it."""
    band: Interval
    below: float
    """P(it adds less than the threshold)."""
    threshold: float
    yearly: float
    """What it costs a year."""

    @property
    def redundant(self) -> bool:
        """Tell whether it could go, as far as losses are concerned."""
        return self.below >= SURE

    @property
    def per_euro(self) -> float | None:
        """Return the loss avoided per euro; None where it costs nothing."""
        return self.mean / self.yearly if self.yearly > 0 else None


def contributions(
    with_all: Sequence[float], without: Mapping[str, Sequence[float]], yearly: Mapping[str, float], threshold: float | None = None
) -> list[Contribution]:
    """Return what each tool adds, smallest first, draw by draw under common random numbers.

    Args:
        with_all: Expected loss a year of each draw with everything in place.
        without: Tool → the same, without it.
        yearly: Tool → its cost a year.
        threshold: Euros a year that are worth keeping a tool for; None: its own cost.
    """
    import numpy as np  # noqa: PLC0415 - costs memory where nothing is computed

    base = np.array(with_all)
    found = []
    for uid, losses in without.items():
        gaps = np.array(losses) - base
        worth = yearly.get(uid, 0.0) if threshold is None else threshold
        low, high = np.quantile(gaps, (0.05, 0.95))
        mean, below = float(gaps.mean()), float((gaps < worth).mean())
        found.append(Contribution(uid, mean, (float(low), float(high)), below, worth, yearly.get(uid, 0.0)))
    return sorted(found, key=lambda each: (each.mean, each.uid))
