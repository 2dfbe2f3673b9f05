"""Appetite: how much loss a house bears how often, and whether what is simulated stays within it."""

from dataclasses import dataclass
from enum import StrEnum

from watchword.measure.intervals import Interval


class Stand(StrEnum):
    """Where a risk stands towards the appetite."""

    WITHIN = "within"
    UNSURE = "unsure"
    """The band crosses the limit: what is not known decides."""
    OVER = "over"
    SURELY_OVER = "surely over"
    """Even the lower end of the band is over it."""
    UNSAID = "unsaid"
    """The house has not said what it bears."""


@dataclass(frozen=True, slots=True)
class Appetite:
    """A year's loss beyond `euros` may come with a probability of at most `share`."""

    euros: float
    share: float

    @property
    def said(self) -> bool:
        """Tell whether the house has said anything."""
        return self.euros > 0


def stand_of(appetite: Appetite, over: float, band: Interval) -> Stand:
    """Return where P(L > appetite) stands, with its 90 % band over what is not known."""
    if not appetite.said:
        return Stand.UNSAID
    if band[0] > appetite.share:
        return Stand.SURELY_OVER
    if over > appetite.share:
        return Stand.OVER
    return Stand.UNSURE if band[1] > appetite.share else Stand.WITHIN


def words_of(appetite: Appetite, over: float, band: Interval) -> str:
    """Return the stand in one sentence."""
    stand = stand_of(appetite, over, band)
    if stand is Stand.UNSAID:
        return "The house has not said what it bears."
    found = (
        f"A year beyond € {appetite.euros:,.0f} has a probability of {percent(over)} (90 % band {percent(band[0])} to {percent(band[1])})"
    )
    said = f"at most {percent(appetite.share)} is borne"
    ends = {
        Stand.WITHIN: f"{said}: within, even at the upper end of the band.",
        Stand.UNSURE: f"{said}: within, but the band reaches over it.",
        Stand.OVER: f"{said}: over, though the band begins below.",
        Stand.SURELY_OVER: f"{said}: over, even at the lower end of the band.",
    }
    return f"{found}; {ends[stand]}"


def percent(share: float) -> str:
    """Return a probability for people: two digits, never a bare 0 for what is not impossible."""
    if 0 < share < 0.001:
        return "under 0.1 %"
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"
