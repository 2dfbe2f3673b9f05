"""The portfolio: which safeguards to buy together under a budget, exactly, with what they overlap counted once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from watchword.kit.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[Any]"
ENUMERATED: Final = 20
"""Up to so many options every choice is tried; beyond, branch and bound."""
MOST_OPTIONS: Final = 60
MOST_NODES: Final = 400_000
"""Nodes of the search tree looked at; if it ends there, the answer says how far from the best it may be."""
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Option:
    """One safeguard that could be bought."""

    uid: str
    cost: float
    """Euros over the horizon: build + run · years + people."""
    people_days: float = 0.0
    domain: str = "joint"
    requires: tuple[str, ...] = ()
    """Options without which it may not be chosen; what is in place already is not named here."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be spent over the horizon."""

    budget: float
    people_days: float = float("inf")
    floors: Mapping[str, float] | None = None
    """Domain → euros at least to be spent on it, if anything can be; joint options count for both."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Expected losses as products: each term a base loss a year, times what each chosen option leaves of it."""

    base: Floats
    """(terms,) euros a year, with everything in place already taken off."""
    left: Floats
    """(terms, options): 1 - e, so 1 where an option does nothing."""

    def reduction(self, chosen: Iterable[int]) -> float:
        """Return the loss a year avoided by these options: Σ base · (1 - Π left)."""
        picked = list(chosen)
        return float((self.base * (1 - self.left[:, picked].prod(axis=1))).sum()) if picked else 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """A portfolio."""

    options: tuple[str, ...]
    reduction: float
    """Euros a year avoided."""
    cost: float
    """Euros over the horizon."""
    people_days: float
    exact: bool = True
    bound: float = 0.0
    """No choice avoids more than this."""


def check_options(options: Sequence[Option]) -> None:
    """Refuse options that cannot be chosen among.

    Raises:
        InputError: too many, one twice, or one requires what is not there.
    """
    if len(options) > MOST_OPTIONS:
        raise InputError(f"at most {MOST_OPTIONS} options can be weighed at once; {len(options)} are given: drop some first", "options")
    known = {option.uid for option in options}
    if len(known) < len(options):
        raise InputError("an option is named twice", "options")
    for option in options:
        if lacking := sorted(set(option.requires) - known):
            raise InputError(f"{option.uid} requires {lacking[0]}, which is neither in place nor an option", "requires")


def best(losses: Losses, options: Sequence[Option], limits: Limits) -> Choice:
    """Return the choice that avoids most loss within the limits; of equals, the cheapest.

    Raises:
        InputError: the options are faulty, or no choice meets the floors.
    """
    check_options(options)
    if len(options) <= ENUMERATED:
        return _enumerated(losses, options, limits)
    return _bounded(losses, options, limits)


def feasible(options: Sequence[Option], limits: Limits) -> Floats:
    """Return every choice within the limits, as numbers whose bits say which options are chosen."""
    import numpy as np  # noqa: PLC0415 - costs memory where nothing is chosen

    count = len(options)
    masks = np.arange(1 << count, dtype=np.int64)
    allowed = _sums([option.cost for option in options]) <= limits.budget * (1 + _ROUNDING)
    if limits.people_days != float("inf"):
        allowed &= _sums([option.people_days for option in options]) <= limits.people_days * (1 + _ROUNDING)
    place = {option.uid: index for index, option in enumerate(options)}
    for index, option in enumerate(options):
        for needed in option.requires:
            allowed &= ((masks >> index) & 1) <= ((masks >> place[needed]) & 1)
    for domain, floor in (limits.floors or {}).items():
        spent = _sums([option.cost if option.domain in {domain, "joint"} else 0.0 for option in options])
        allowed &= spent >= floor * (1 - _ROUNDING)
    return np.asarray(masks[allowed])


def _sums(values: Sequence[float]) -> Floats:
    """Return the sum over the chosen, for every choice, by doubling."""
    import numpy as np  # noqa: PLC0415

    total = np.zeros(1)
    for value in values:
        total = np.concatenate((total, total + value))
    return total


def reductions(losses: Losses) -> Floats:
    """Return the loss avoided by every choice, by doubling: one product for each term and choice, never more than one term in memory."""
    import numpy as np  # noqa: PLC0415

    terms, count = losses.left.shape
    found = np.zeros(1 << count)
    for term in range(terms):
        share = np.ones(1)
        for option in range(count):
            share = np.concatenate((share, share * losses.left[term, option]))
        found += losses.base[term] * (1 - share)
    return found


def _enumerated(losses: Losses, options: Sequence[Option], limits: Limits) -> Choice:
    import numpy as np  # noqa: PLC0415

    masks = feasible(options, limits)
    if not len(masks):
        raise InputError("no choice meets the floors within the budget: lower a floor, or raise the budget", "floors")
    worth = reductions(losses)[masks]
    cost = _sums([option.cost for option in options])[masks]
    at = int(np.lexsort((cost, -np.round(worth, 6)))[0])
    return _choice(losses, options, [index for index in range(len(options)) if int(masks[at]) >> index & 1], exact=True)


def _choice(losses: Losses, options: Sequence[Option], chosen: Sequence[int], *, exact: bool, bound: float | None = None) -> Choice:
    reduction = losses.reduction(chosen)
    return Choice(
        tuple(options[index].uid for index in chosen),
        reduction,
        sum(options[index].cost for index in chosen),
        sum(options[index].people_days for index in chosen),
        exact,
        reduction if bound is None else max(bound, reduction),
    )


def _bounded(losses: Losses, options: Sequence[Option], limits: Limits) -> Choice:
    """Search depth first; a branch is left when even its bound does not beat the best so far.

    The bound: avoided loss never grows faster than the sum of what each option adds alone (submodular), so the budget filled by
    gain per euro, the last one in part, is never too low.
    """
    search = _Search(losses, options, limits)
    search.run()
    if search.chosen is None:
        raise InputError("no choice that meets the floors within the budget was found: lower a floor, or raise the budget", "floors")
    return _choice(losses, options, sorted(search.chosen), exact=search.open_bound <= search.found, bound=search.open_bound)


class _Search:
    def __init__(self, losses: Losses, options: Sequence[Option], limits: Limits) -> None:
        self.losses, self.options, self.limits = losses, options, limits
        self.place = {option.uid: index for index, option in enumerate(options)}
        self.found, self.nodes, self.open_bound = -1.0, 0, 0.0
        self.chosen: tuple[int, ...] | None = None
        if not limits.floors:
            start = greedy(losses, options, limits)
            self.chosen, self.found = tuple(self.place[uid] for uid in start.options), start.reduction

    def run(self) -> None:
        import numpy as np  # noqa: PLC0415

        stack: list[tuple[tuple[int, ...], frozenset[int], Floats]] = [((), frozenset(), np.ones(len(self.losses.base)))]
        while stack:
            chosen, shut, share = stack.pop()
            worth = float((self.losses.base * (1 - share)).sum())
            if worth > self.found and self._floors_met(chosen):
                self.found, self.chosen = worth, chosen
            left = self._left(chosen, shut)
            if not left:
                continue
            gains = (self.losses.base * share) @ (1 - self.losses.left[:, left])
            bound = worth + self._filled(left, gains, chosen)
            if bound <= self.found * (1 + _ROUNDING) + _ROUNDING:
                continue
            self.nodes += 1
            if self.nodes > MOST_NODES:
                self.open_bound = max(self.open_bound, bound)
                continue
            costs = np.array([self.options[index].cost for index in left])
            pick = left[int(np.argmax(gains / np.maximum(costs, 1e-9)))]
            stack.append((chosen, shut | {pick}, share))
            stack.append(self._with(chosen, shut, share, pick))

    def _with(
        self, chosen: tuple[int, ...], shut: frozenset[int], share: Floats, pick: int
    ) -> tuple[tuple[int, ...], frozenset[int], Floats]:
        """Choose an option with all that it requires; where that does not fit, shut it out."""
        needed = self._needs(pick) - set(chosen)
        more = (*chosen, *sorted(needed))
        if needed & shut or not self._fits(more):
            return chosen, shut | {pick}, share
        for index in sorted(needed):
            share = share * self.losses.left[:, index]
        return more, shut, share

    def _needs(self, pick: int) -> set[int]:
        found, todo = {pick}, [pick]
        while todo:
            for uid in self.options[todo.pop()].requires:
                if self.place[uid] not in found:
                    found.add(self.place[uid])
                    todo.append(self.place[uid])
        return found

    def _left(self, chosen: tuple[int, ...], shut: frozenset[int]) -> list[int]:
        there = set(chosen)
        return [
            index
            for index in range(len(self.options))
            if index not in there and not self._needs(index) & shut and self._fits((*chosen, index))
        ]

    def _fits(self, chosen: Sequence[int]) -> bool:
        cost = sum(self.options[index].cost for index in chosen)
        days = sum(self.options[index].people_days for index in chosen)
        return cost <= self.limits.budget * (1 + _ROUNDING) and days <= self.limits.people_days * (1 + _ROUNDING)

    def _floors_met(self, chosen: Sequence[int]) -> bool:
        return all(
            sum(self.options[index].cost for index in chosen if self.options[index].domain in {domain, "joint"}) >= floor * (1 - _ROUNDING)
            for domain, floor in (self.limits.floors or {}).items()
        )

    def _filled(self, left: Sequence[int], gains: Floats, chosen: Sequence[int]) -> float:
        money = self.limits.budget - sum(self.options[index].cost for index in chosen)
        total = 0.0
        ranked = sorted(zip(left, gains, strict=True), key=lambda pair: -pair[1] / max(self.options[pair[0]].cost, 1e-9))
        for index, gain in ranked:
            part = min(1.0, money / self.options[index].cost) if self.options[index].cost > 0 else 1.0
            total += float(gain) * max(0.0, part)
            money -= self.options[index].cost * part
            if money <= 0:
                break
        return total


def greedy(losses: Losses, options: Sequence[Option], limits: Limits) -> Choice:
    """Return what is chosen by taking, again and again, what adds most per euro: shown beside the best, not instead of it."""
    chosen: list[int] = []
    names: set[str] = set()
    while True:
        ranked = []
        have = losses.reduction(chosen)
        for index in _open(options, limits, chosen, names):
            gain = losses.reduction([*chosen, index]) - have
            ranked.append((gain / max(options[index].cost, 1e-9), -index))
        if not ranked or max(ranked)[0] <= 0:
            return _choice(losses, options, sorted(chosen), exact=False)
        pick = -max(ranked)[1]
        chosen.append(pick)
        names.add(options[pick].uid)


def by_solo_return(losses: Losses, options: Sequence[Option], limits: Limits) -> Choice:
    """Return what is chosen by each option's return alone, as most lists do: overlap is paid for twice."""
    order = sorted(range(len(options)), key=lambda index: -losses.reduction([index]) / max(options[index].cost, 1e-9))
    chosen: list[int] = []
    names: set[str] = set()
    for index in order:
        if index in _open(options, limits, chosen, names):
            chosen.append(index)
            names.add(options[index].uid)
    return _choice(losses, options, sorted(chosen), exact=False)


def _open(options: Sequence[Option], limits: Limits, chosen: Sequence[int], names: set[str]) -> list[int]:
    cost = sum(options[index].cost for index in chosen)
    days = sum(options[index].people_days for index in chosen)
    return [
        index
        for index, option in enumerate(options)
        if option.uid not in names
        and names.issuperset(option.requires)
        and cost + option.cost <= limits.budget * (1 + _ROUNDING)
        and days + option.people_days <= limits.people_days * (1 + _ROUNDING)
    ]


MOST_WORK: Final = 400_000_000
"""Products computed for robustness: beyond this, fewer draws are weighed."""


def robustness(draws: Sequence[Losses], options: Sequence[Option], limits: Limits) -> tuple[dict[str, float], int]:
    """Return how often each option is part of the best choice, over draws of what is not known, and how many draws were weighed.

    With many options fewer draws are weighed, evenly spread, so that a page's worth of work stays bounded.

    Raises:
        InputError: as `best`.
    """
    count = len(options)
    work = (1 << min(count, ENUMERATED)) * max(1, count) * (len(draws[0].base) if draws else 1)
    many = min(len(draws), max(8, MOST_WORK // max(work, 1)))
    step = max(1, len(draws) // many) if many else 1
    weighed = list(draws[::step][:many])
    taken = dict.fromkeys((option.uid for option in options), 0)
    for losses in weighed:
        for uid in best(losses, options, limits).options:
            taken[uid] += 1
    return {uid: times / len(weighed) for uid, times in taken.items()} if weighed else {}, len(weighed)
