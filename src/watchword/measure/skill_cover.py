"""Skills (K8) over plain values: participation, decayed levels, cover, bus factor, gap between demand and cover."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Final

from watchword.measure.intervals import wilson
from watchword.measure.response_times import ShareFigures, share_of

HALF_LIFE: Final[Mapping[str, timedelta]] = {"hands-on": timedelta(days=180), "knowledge": timedelta(days=365)}
"""Kind of skill → after how long without practice half of a level is gone."""
EXACT: Final = 4
"""Bus factors of teams are searched exactly by trying up to so many people; larger ones come from an integer programme."""


def participation(attended: int, eligible: int) -> ShareFigures:
    """Return attended over eligible with Wilson's interval; eligible leaves out who is on leave."""
    if not eligible:
        return ShareFigures(None, None, None, 0, 0)
    lo, hi = wilson(attended, eligible)
    return ShareFigures(attended / eligible, lo, hi, eligible, attended)


def decayed(level: float, half_life: timedelta, since_practice: timedelta) -> float:
    """Return a level after so long without practice: l · 2^(-Δt/h)."""
    return float(level * 2 ** (-max(since_practice, timedelta()) / half_life))


@dataclass(frozen=True, slots=True)
class Held:
    """One person's skill."""

    person: str
    skill: str
    level: float
    practised: datetime
    half_life: timedelta
    assessed: bool = False

    def qualified(self, need: float, at: datetime) -> bool:
        """Tell whether it counts: assessed, and its decayed level reaches what is needed."""
        return self.assessed and decayed(self.level, self.half_life, at - self.practised) >= need


@dataclass(frozen=True, slots=True)
class Need:
    """So many qualified people are needed of a skill, at a site and shift."""

    skill: str
    where: str
    """Site and shift."""
    people: frozenset[str]
    """Who is there."""
    required: int = 1
    level: float = 2.0
    demand: float = 1.0


def qualified(need: Need, held: Iterable[Held], at: datetime) -> frozenset[str]:
    """Return who is qualified for a need at a moment."""
    return frozenset(one.person for one in held if one.skill == need.skill and one.person in need.people and one.qualified(need.level, at))


def cover(have: int, required: int) -> float:
    """Return min(1, q / req)."""
    return min(1.0, have / required) if required else 1.0


def cover_metric(needs: Sequence[Need], held: Sequence[Held], at: datetime) -> tuple[float | None, Mapping[tuple[str, str], float]]:
    """Return the demand-weighted cover of all needs, and that of each (skill, where); None: nothing is needed."""
    each = {(need.skill, need.where): cover(len(qualified(need, held, at)), need.required) for need in needs}
    total = sum(need.demand for need in needs)
    if total <= 0:
        return None, each
    return sum(need.demand * each[need.skill, need.where] for need in needs) / total, each


def bus_factor(have: int, required: int) -> int:
    """Return how many must be missing before a skill is not covered: q - req + 1, at least 0."""
    return max(0, have - required + 1)


def bus_metric(needs: Sequence[Need], held: Sequence[Held], at: datetime) -> tuple[int | None, tuple[str, ...]]:
    """Return the fewest people whose absence uncovers more than half of the demand, and who they would be; None: nothing is needed.

    Exact. The names are for the calculation and its tests; pages show the number.
    """
    able = [(need, qualified(need, held, at)) for need in needs]
    total = sum(need.demand for need, _ in able)
    if total <= 0:
        return None, ()
    half, people = total / 2, sorted(frozenset().union(*(who for _, who in able)))
    for size in range(min(EXACT, len(people)) + 1):
        for gone in combinations(people, size):
            lost = frozenset(gone)
            if sum(need.demand for need, who in able if len(who - lost) < need.required) > half:
                return size, gone
    return _programme(able, people, half)


def _programme(able: Sequence[tuple[Need, frozenset[str]]], people: Sequence[str], half: float) -> tuple[int | None, tuple[str, ...]]:
    """Solve the same as an integer programme: x_p = 1 is missing, u_k = 1 is uncovered, u_k · (q - req + 1) ≤ Σ missing of k."""
    import numpy as np  # noqa: PLC0415 - heavy, and wanted for large teams only
    from scipy.optimize import Bounds, LinearConstraint, milp  # noqa: PLC0415 - as above

    count = len(people)
    place = {person: index for index, person in enumerate(people)}
    rows, low, high = [], [], []
    for index, (need, who) in enumerate(able):
        row = np.zeros(count + len(able))
        for person in who:
            row[place[person]] = 1.0
        row[count + index] = -float(bus_factor(len(who), need.required))
        rows.append(row)
        low.append(0.0)
        high.append(np.inf)
    demand = np.concatenate([np.zeros(count), [need.demand for need, _ in able]])
    rows.append(demand)
    low.append(half * (1 + 1e-9) + 1e-9)
    high.append(np.inf)
    cost = np.concatenate([np.ones(count), np.zeros(len(able))])
    found = milp(cost, constraints=LinearConstraint(np.array(rows), low, high), integrality=np.ones(len(cost)), bounds=Bounds(0, 1))
    if found.x is None:
        return None, ()
    gone = tuple(person for person in people if found.x[place[person]] > 0.5)
    return len(gone), gone


def demand_of(incidents: Iterable[tuple[float, frozenset[str]]]) -> dict[str, float]:
    """Return D_k = Σ weight over the incidents in which skill k was used or missing.

    Args:
        incidents: Of each: its severity's weight, and the skills that its review names.
    """
    found: dict[str, float] = {}
    for weight, skills in incidents:
        for skill in skills:
            found[skill] = found.get(skill, 0.0) + weight
    return found


def gap_metric(demand: Mapping[str, float], covered: Mapping[str, float]) -> tuple[float | None, Mapping[str, float]]:
    """Return Σ D_k · (1 - cov_k), and that of each skill, the greatest first; what nobody has is uncovered; None: no demand."""
    gaps = {skill: weight * (1 - covered.get(skill, 0.0)) for skill, weight in demand.items()}
    ordered = dict(sorted(gaps.items(), key=lambda pair: (-pair[1], pair[0])))
    return (sum(gaps.values()) if gaps else None), ordered


def assessed_pass(passed: int, assessed: int) -> ShareFigures:
    """Return the share of assessments passed at the first attempt."""
    return share_of(passed, assessed)
