"""The agenda by rule: what fits into a meeting's minutes and weighs most, with a share for each domain and what a review is owed."""

# ruff: noqa: PLC0415 - numpy and scipy cost memory and start time: only what solves a program loads them

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

from watchword.govern.candidate import Candidate, value_of

MOST: Final = 200
"""Candidates weighed exactly; of more, those that weigh most for their minutes."""
DOMAINS: Final = ("it", "physical")
SOLVER_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Weighed:
    """A candidate with its weight at this meeting."""

    candidate: Candidate
    value: float
    passed_over: int = 0
    pinned: bool = False
    """A member added it: it stands on the agenda as long as there is room."""

    @property
    def density(self) -> float:
        """Return the weight per minute: the order in which items are shown."""
        return self.value / max(1, self.candidate.minutes)


@dataclass(frozen=True, slots=True)
class Agenda:
    """What was chosen, what was left out, and which rules could not hold."""

    chosen: tuple[Weighed, ...]
    left: tuple[Weighed, ...]
    dropped: tuple[str, ...] = ()

    @property
    def minutes(self) -> int:
        """Return how long the chosen items last."""
        return sum(each.candidate.minutes for each in self.chosen)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an agenda must keep to."""

    minutes: int
    domain_share: float = 0.0
    owed: Collection[str] = field(default_factory=frozenset)
    """Review inputs that this quarter has not had yet."""
    meetings_left: int = 1
    """Meetings in this quarter, this one included: what is owed is spread over them."""

    @property
    def owed_now(self) -> int:
        """Return how many of the owed inputs this meeting takes."""
        return ceil(len(self.owed) / max(1, self.meetings_left))

    def floor(self, items: Sequence[Weighed], domain: str) -> float:
        """Return the least minutes of a domain, as far as there is something to say."""
        there = sum(each.candidate.minutes for each in items if counts_for(each.candidate, domain))
        return min(self.domain_share * self.minutes, float(there))


def counts_for(candidate: Candidate, domain: str) -> bool:
    """Tell whether an item's minutes count for a domain; joint ones count for both."""
    return candidate.domain in {domain, "joint"}


def weigh(candidate: Candidate, passed_over: int, floor_eur: float, *, pinned: bool = False) -> Weighed:
    """Return a candidate with its weight."""
    return Weighed(candidate, value_of(candidate, passed_over, floor_eur), passed_over, pinned)


def build(items: Sequence[Weighed], bounds: Bounds) -> Agenda:
    """Return the agenda of greatest total weight within the bounds.

    A 0/1 program: max Σ v·x, Σ minutes·x ≤ length. Pinned items, the share of each domain, and the inputs owed come first: each is kept
    as far as the minutes allow, in this order, and a rule that could not hold is named.
    """
    fit = [each for each in items if 0 < each.candidate.minutes <= bounds.minutes]
    fit.sort(key=lambda each: (not each.pinned, -each.density, each.candidate.key))
    fit = fit[:MOST]
    picked = _solve(fit, bounds) if fit else set()
    chosen = sorted((fit[index] for index in picked), key=_order)
    taken = {id(each) for each in chosen}
    left = sorted((each for each in items if id(each) not in taken), key=_order)
    return Agenda(tuple(chosen), tuple(left), tuple(_dropped(chosen, items, bounds)))


def _order(each: Weighed) -> tuple[float, str]:
    return (-each.density, each.candidate.key)


def _dropped(chosen: Sequence[Weighed], items: Sequence[Weighed], bounds: Bounds) -> list[str]:
    found = []
    taken = {id(each) for each in chosen}
    late = [each for each in items if each.pinned and id(each) not in taken]
    if late:
        found.append(f"{len(late)} items of members do not fit")
    for domain in DOMAINS:
        minutes = sum(each.candidate.minutes for each in chosen if counts_for(each.candidate, domain))
        if minutes < bounds.floor(items, domain) - 1e-6:
            found.append(f"{'IT' if domain == 'it' else domain} has {minutes} of at least {ceil(bounds.floor(items, domain))} minutes")
    had = {each.candidate.iso_input for each in chosen} & set(bounds.owed)
    if len(had) < bounds.owed_now:
        found.append(f"{len(had)} of {bounds.owed_now} review inputs owed at this meeting")
    return found


def _solve(items: Sequence[Weighed], bounds: Bounds) -> set[int]:
    """Solve the program by HiGHS; a rule that cannot hold costs so much that it gives way as little as possible."""
    import numpy as np
    from scipy.optimize import Bounds as Limits
    from scipy.optimize import LinearConstraint, milp
    from scipy.sparse import csr_array

    count, owed = len(items), sorted(bounds.owed)
    total = sum(each.value for each in items) or 1.0
    # Columns: items, shortfall of minutes per domain, one mark per owed input, shortfall of inputs.
    width = count + len(DOMAINS) + len(owed) + 1
    short, marks, lack = count, count + len(DOMAINS), width - 1
    cost = np.zeros(width)
    cost[:count] = [-each.value / total - 100.0 * each.pinned for each in items]
    cost[short:marks] = 10.0
    cost[lack] = 5.0
    rows: list[dict[int, float]] = [{index: float(each.candidate.minutes) for index, each in enumerate(items)}]
    low, high = [0.0], [float(bounds.minutes)]
    for number, domain in enumerate(DOMAINS):
        row = {index: float(each.candidate.minutes) for index, each in enumerate(items) if counts_for(each.candidate, domain)}
        rows.append(row | {short + number: 1.0})
        low.append(bounds.floor(items, domain))
        high.append(np.inf)
    for number, name in enumerate(owed):
        row = {index: 1.0 for index, each in enumerate(items) if each.candidate.iso_input == name}
        rows.append(row | {marks + number: -1.0})
        low.append(0.0)
        high.append(np.inf)
    rows.append({marks + number: 1.0 for number in range(len(owed))} | {lack: 1.0})
    low.append(float(bounds.owed_now))
    high.append(np.inf)
    upper = np.ones(width)
    upper[short:marks], upper[lack] = np.inf, np.inf
    whole = np.ones(width)
    whole[short:marks], whole[lack] = 0, 0
    answer: Any = milp(
        cost,
        constraints=LinearConstraint(csr_array(_matrix(rows, width)), np.array(low), np.array(high)),
        bounds=Limits(np.zeros(width), upper),
        integrality=whole,
        options={"mip_rel_gap": 0.0, "time_limit": SOLVER_SECONDS},
    )
    if answer.x is None:
        return set()
    return {index for index in range(count) if answer.x[index] > 0.5}


def _matrix(rows: Sequence[dict[int, float]], width: int) -> Any:
    import numpy as np

    made = np.zeros((len(rows), width))
    for number, row in enumerate(rows):
        for column, value in row.items():
            made[number, column] = value
    return made
