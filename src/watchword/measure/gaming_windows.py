"""Detectors D3 and D4 over a quarter: the same shares looked at over the last 4, 8 and 12 weeks at once. Pure.

A mild habit hides in four weeks: of some twenty severe closures a person that marks down a third more cannot be told from chance.
Three windows that end together find it however long it has lasted; the least of their chances is made three times as large
(Bonferroni) before people are compared, so that looking thrice finds no more by luck than looking once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from watchword.measure.gaming import DOWNGRADE_EXCESS, FEWEST, REOPEN_EXCESS, Sign, discoveries, tail
from watchword.model.metric import Flag

if TYPE_CHECKING:
    from collections.abc import Sequence

SPANS: Final = (4, 8, 12)
"""Weeks that each window reaches back from the end."""
ALPHA: Final = 0.003
"""Level over people: stricter than in four weeks, for there is more to see; measured to raise fewer false signs than those do."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Of each person: closures that were such, of those that could have been, over one window."""

    weeks: int
    counts: tuple[int, ...]
    totals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Tested:
    who: int
    k: int
    n: int
    p0: float
    chance: float
    weeks: int


def lasting(flag: Flag, tallies: Sequence[Tally], names: Sequence[str], words: str, effect: float, alpha: float = ALPHA) -> list[Sign]:
    """Return the persons whose share stands out from peers' in any of these windows that end together.

    Args:
        flag: What it would be a sign of.
        tallies: One for each window.
        names: Of the persons, by number.
        words: What such a closure is, as in "were <words>".
        effect: Least difference of shares that matters.
        alpha: Level of Benjamini and Hochberg over people.
    """
    tested = [best for who in range(len(names)) if (best := _least(tallies, who, effect)) is not None]
    found = discoveries([each.chance for each in tested], alpha)
    return [
        Sign(
            flag,
            each.who,
            each.k / each.n,
            each.p0,
            each.n,
            each.chance,
            f"Of {each.n} closures by {names[each.who]} in {each.weeks} weeks, {each.k} were {words} "
            f"({each.k / each.n:.0%}); of peers' {each.p0:.0%}.",
        )
        for each, hit in zip(tested, found, strict=True)
        if hit and each.k / each.n - each.p0 > effect
    ]


def _least(tallies: Sequence[Tally], who: int, effect: float) -> _Tested | None:
    """Return the window in which this person stands out most; None: too few closures in each."""
    best: _Tested | None = None
    for each in tallies:
        k, n = each.counts[who], each.totals[who]
        others = sum(each.totals) - n
        if n < FEWEST or others <= 0:
            continue
        p0 = (sum(each.counts) - k + 1) / (others + 2)
        chance = min(1.0, len(tallies) * tail(k, n, p0)) if k / n - p0 > effect else 1.0
        if best is None or chance < best.chance:
            best = _Tested(who, k, n, p0, chance, each.weeks)
    return best


def lasting_downgrades(tallies: Sequence[Tally], names: Sequence[str]) -> list[Sign]:
    """D3 over a quarter."""
    return lasting(Flag.DOWNGRADE, tallies, names, "marked down", DOWNGRADE_EXCESS)


def lasting_reopenings(tallies: Sequence[Tally], names: Sequence[str]) -> list[Sign]:
    """D4 over a quarter."""
    return lasting(Flag.REOPEN, tallies, names, "reopened within 14 days", REOPEN_EXCESS)
