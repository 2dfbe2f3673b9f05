"""Signs that a count is being played (detectors D1 to D4): easy picks, bulk closes, downgrades, premature closes. Pure.

Every test compares people who could have done the same work in the same weeks. A sign is a question to the team, never a judgement.
Methods: expected counts given what waited, Benjamini and Hochberg 1995 over people, the exact binomial tail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, exp, lgamma, log, log1p, sqrt
from typing import TYPE_CHECKING, Final

from watchword.measure.intervals import jeffreys
from watchword.model.metric import Flag

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALPHA: Final = 0.01
"""Share of false signs among signs that is borne (Benjamini and Hochberg)."""
EXCESS: Final = 0.05
"""D1: easy picks above what peers would have picked, as a share of picks."""
PERSON_PICKS: Final = 20
TEAM_PICKS: Final = 50
TEAM_Z: Final = 4.0
REFERENCE_PICKS: Final = 15
"""D1 of a team: a state of the queue counts when it was seen so often before."""
PRIOR: Final = 5.0
"""Weight of the overall share in the share of one state of the queue."""
DOWNGRADE_EXCESS: Final = 0.10
REOPEN_EXCESS: Final = 0.03
FEWEST: Final = 8
"""Closures below which D3 and D4 say nothing of a person."""
_STATES: Final = 40
_STRENGTH: Final = (2.0, 200.0)
_PEERS: Final = "peers would have taken it {}"


@dataclass(frozen=True, slots=True)
class Picks:
    """A log of picks: who took which severity, and what waited just before. Columns of equal length."""

    person: NDArray[np.int64]
    severity: NDArray[np.int64]
    """Severity of what was taken, 0 (low) to 3 (critical)."""
    waiting: NDArray[np.int64]
    """Shape (picks, 4): items of each severity that this person was eligible for, by skill and shift, when picking."""

    def where(self, chosen: NDArray[np.bool_]) -> Picks:
        """Return the picks that are chosen."""
        return Picks(self.person[chosen], self.severity[chosen], self.waiting[chosen])


@dataclass(frozen=True, slots=True)
class Sign:
    """What a detector saw in one person (`person` ≥ 0) or in the team (-1)."""

    flag: Flag
    person: int
    seen: float
    """Share or count seen."""
    expected: float
    """Share or count that peers, or the time before, let expect."""
    n: int
    p: float
    """Probability of so much by chance; nan where the detector is a threshold."""
    because: str


def tail(k: int, n: int, p: float) -> float:
    """Return P(Bin(n, p) ≥ k)."""
    if k <= 0 or p >= 1:
        return 1.0
    if p <= 0 or k > n:
        return 0.0
    rise, fall = log(p), log1p(-p)
    base = lgamma(n + 1)
    return min(1.0, sum(exp(base - lgamma(i + 1) - lgamma(n - i + 1) + i * rise + (n - i) * fall) for i in range(k, n + 1)))


def upper(z: float) -> float:
    """Return P(Z ≥ z) of a standard normal."""
    return 0.5 * erfc(z / sqrt(2))


def discoveries(chances: Sequence[float], alpha: float = ALPHA) -> list[bool]:
    """Return which of these p-values Benjamini and Hochberg 1995 take for discoveries at `alpha`."""
    ranked = sorted(range(len(chances)), key=lambda index: chances[index])
    last = max((rank for rank, index in enumerate(ranked, 1) if chances[index] <= alpha * rank / len(chances)), default=0)
    found = [False] * len(chances)
    for index in ranked[:last]:
        found[index] = True
    return found


def choices(picks: Picks) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return person, state of the queue (0 to 39) and whether the low item was taken, of the picks that were a choice.

    A pick was a choice when both a low item and a higher one waited. The state is the highest severity present and the tenth of the
    queue that was low.
    """
    import numpy as np  # noqa: PLC0415 - heavy, and wanted by those who compute only

    waiting = picks.waiting
    kept = (waiting[:, 0] > 0) & (waiting[:, 1:].sum(axis=1) > 0)
    waiting = waiting[kept]
    highest = 3 - np.argmax(waiting[:, ::-1] > 0, axis=1)
    tenth = np.minimum(9, 10 * waiting[:, 0] // np.maximum(1, waiting.sum(axis=1)))
    return picks.person[kept], highest * 10 + tenth, (picks.severity[kept] == 0).astype(np.int64)


def selection(picks: Picks, names: Sequence[str]) -> list[Sign]:
    """D1 of persons: who takes low items more often than peers did when the same waited (`names`: of persons, by number)."""
    import numpy as np  # noqa: PLC0415 - heavy, and wanted by those who compute only

    person, state, low = choices(picks)
    count = np.zeros((len(names), _STATES))
    lows = np.zeros((len(names), _STATES))
    np.add.at(count, (person, state), 1)
    np.add.at(lows, (person, state), low)
    tested: list[tuple[int, float, float, float, int]] = []
    for who in range(len(names)):
        own, n = count[who], int(count[who].sum())
        peers, peer_low = count.sum(axis=0) - own, lows.sum(axis=0) - lows[who]
        if n < PERSON_PICKS or peers.sum() < PERSON_PICKS:
            continue
        p = (peer_low + PRIOR * peer_low.sum() / peers.sum()) / (peers + PRIOR)
        spread = float((own * p * (1 - p) * (1 + 1 / np.maximum(1, peers / np.maximum(1, own)))).sum())
        seen, expected = float(lows[who].sum()), float((own * p).sum())
        tested.append((who, seen, expected, upper((seen - expected) / sqrt(spread)) if spread > 0 else 1.0, n))
    found = discoveries([each[3] for each in tested])
    return [
        Sign(
            Flag.SELECTION,
            who,
            seen / n,
            expected / n,
            n,
            chance,
            _of_choice(names[who], _PEERS, seen, expected, n),
        )
        for (who, seen, expected, chance, n), hit in zip(tested, found, strict=True)
        if hit and (seen - expected) / n > EXCESS
    ]


def team_selection(picks: Picks, before: Picks) -> list[Sign]:
    """D1 of the team: are low items taken more often than the same team took them before, when the same waited?"""
    import numpy as np  # noqa: PLC0415 - heavy, and wanted by those who compute only

    _, state, low = choices(picks)
    _, old_state, old_low = choices(before)
    reference = np.bincount(old_state, minlength=_STATES)
    reference_low = np.bincount(old_state, weights=old_low, minlength=_STATES)
    known = reference[state] >= REFERENCE_PICKS
    state, low = state[known], low[known]
    n = len(state)
    if n < TEAM_PICKS:
        return []
    share = (reference_low + PRIOR * reference_low.sum() / reference.sum()) / (reference + PRIOR)
    p = share[state]
    seen, expected, spread = float(low.sum()), float(p.sum()), float((p * (1 - p)).sum())
    z = (seen - expected) / sqrt(2 * spread) if spread > 0 else 0.0
    if z <= TEAM_Z or (seen - expected) / n <= EXCESS:
        return []
    words = _of_choice("The team", "it would have taken it {} before", seen, expected, n)
    return [Sign(Flag.SELECTION, -1, seen / n, expected / n, n, upper(z), words)]


def _of_choice(who: str, whom: str, seen: float, expected: float, n: int) -> str:
    return (
        f"{who} took the low item in {seen:.0f} of {n} choices in which something more severe waited; "
        f"with the same queue {whom.format(f'{expected:.0f} times')}."
    )


def burst(moments: NDArray[np.float64], width: float) -> int:
    """Return the most moments (sorted) that fall into any stretch of `width`."""
    import numpy as np  # noqa: PLC0415 - heavy, and wanted by those who compute only

    if not len(moments):
        return 0
    ends = np.searchsorted(moments, moments + width, side="left")
    return int((ends - np.arange(len(moments))).max())


def bulk(bursts: Sequence[int], baseline: int, names: Sequence[str]) -> list[Sign]:
    """D2: who closed more in a quarter of an hour than twice the largest such count of anyone in the baseline, and two more.

    Args:
        bursts: Of each person, the most closures in any 15 minutes; those with a rule or merge id are not counted.
        baseline: The largest such count of anyone in the baseline.
        names: Of the persons.
    """
    limit = 2 * baseline + 2
    return [
        Sign(
            Flag.BULK,
            who,
            count,
            baseline,
            count,
            float("nan"),
            f"{names[who]} closed {count} items within 15 minutes; nobody closed more than {baseline} so fast in the weeks before.",
        )
        for who, count in enumerate(bursts)
        if count >= limit
    ]


def shares(
    flag: Flag, counts: Sequence[int], totals: Sequence[int], names: Sequence[str], words: str, effect: float, alpha: float = ALPHA
) -> list[Sign]:
    """D3 and D4: whose share of such closures is above that of peers, by more than chance and by more than `effect`.

    Args:
        flag: What it would be a sign of.
        counts: Of each person, closures that were such.
        totals: Of each person, closures that could have been.
        names: Of the persons.
        words: What such a closure is, as in "were <words>".
        effect: Least difference of shares that matters.
        alpha: Level of Benjamini and Hochberg.
    """
    all_counts, all_totals = sum(counts), sum(totals)
    tested = []
    for who, (k, n) in enumerate(zip(counts, totals, strict=True)):
        if n >= FEWEST and all_totals > n:
            p0 = (all_counts - k + 1) / (all_totals - n + 2)
            tested.append((who, k, n, p0, tail(k, n, p0)))
    found = discoveries([each[4] for each in tested], alpha)
    return [
        Sign(flag, who, k / n, p0, n, chance, f"Of {n} closures by {names[who]}, {k} were {words} ({k / n:.0%}); of peers' {p0:.0%}.")
        for (who, k, n, p0, chance), hit in zip(tested, found, strict=True)
        if hit and k / n - p0 > effect
    ]


def downgrades(counts: Sequence[int], totals: Sequence[int], names: Sequence[str]) -> list[Sign]:
    """D3: of closures that detectors or assets rate high, who marks more as low than peers do."""
    return shares(Flag.DOWNGRADE, counts, totals, names, "marked down", DOWNGRADE_EXCESS)


def reopenings(counts: Sequence[int], totals: Sequence[int], names: Sequence[str]) -> list[Sign]:
    """D4: of closures at least 14 days old, whose come back within 14 days more often than those of peers."""
    return shares(Flag.REOPEN, counts, totals, names, "reopened within 14 days", REOPEN_EXCESS)


def disagreement(differing: int, reviewed: int) -> tuple[float, float, float] | None:
    """Return the share of blind re-reviews that came to another verdict or severity, with Jeffreys' interval; None: none was done."""
    if reviewed <= 0:
        return None
    low, high = jeffreys(differing, reviewed)
    return differing / reviewed, low, high


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """How often re-review came to another result, drawn towards the house's mean as far as the cases are few."""

    share: float
    lo: float
    hi: float
    differing: int
    reviewed: int


def error_rates(differing: Sequence[int], reviewed: Sequence[int], level: float = 0.95) -> list[ErrorRate]:
    """Return the Beta-binomial error rate of each group (closer, rule or severity), in the order given.

    The prior's mean is that of all groups; its strength comes from how much more they differ than chance lets expect (moments), between
    2 and 200 cases. A group without cases has the prior's.

    Args:
        differing: Of each group, re-reviews that came to another result.
        reviewed: Of each group, re-reviews done.
        level: Of the interval.
    """
    from scipy.stats import beta  # noqa: PLC0415 - heavy, and wanted by those who compute only

    total = sum(reviewed)
    mean = (sum(differing) + 0.5) / (total + 1)
    strength = _strength(differing, reviewed, mean)
    a, b = mean * strength, (1 - mean) * strength
    found = []
    for k, n in zip(differing, reviewed, strict=True):
        one, two = a + k, b + n - k
        low, high = beta.ppf([(1 - level) / 2, (1 + level) / 2], one, two)
        found.append(ErrorRate(one / (one + two), float(low), float(high), k, n))
    return found


def _strength(differing: Sequence[int], reviewed: Sequence[int], mean: float) -> float:
    groups = [(k, n) for k, n in zip(differing, reviewed, strict=True) if n > 0]
    if len(groups) < 2:
        return _STRENGTH[1]
    total = sum(n for _, n in groups)
    spread = sum(n * (k / n - mean) ** 2 for k, n in groups)
    by_chance = (len(groups) - 1) * mean * (1 - mean)
    room = total - sum(n * n for _, n in groups) / total
    between = (spread - by_chance) / room if room > 0 else 0.0
    if between <= 0:
        return _STRENGTH[1]
    return min(_STRENGTH[1], max(_STRENGTH[0], mean * (1 - mean) / between - 1))
