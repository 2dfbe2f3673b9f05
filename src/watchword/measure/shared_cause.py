"""Shared causes: outages that one ancestor in the dependency graph explains are one; minutes lost, by who suffers and who caused it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from watchword.measure.uptime import ZERO, Span
from watchword.model import Domain

SLACK: Final = timedelta(minutes=5)
"""How far apart the starts of a cause and of what it takes down may be noticed."""
LAG: Final = timedelta(hours=1)
"""How much later than its cause an outage may be noticed: what went on working for longer has another cause."""
LEAST_TOGETHER: Final = 2
"""An ancestor that nobody watches is held to be the cause when at least so many of its dependants went within `SLACK`..."""
LEAST_SHARE: Final = 0.6
"""...and they are at least this share of those that are watched."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One component's outage."""

    component: str
    span: Span


@dataclass(frozen=True, slots=True)
class Cause:
    """Outages that count as one, and what explains them."""

    root: str
    """Uid of the ancestor that explains them; of a lone outage the component itself."""
    outages: tuple[Outage, ...]
    """In order of start; the root's own first, if it is watched."""
    inferred: bool = False
    """Nobody watches the root: what depends on it went together."""

    @property
    def since(self) -> datetime:
        """When it began."""
        return min(one.span.since for one in self.outages)

    @property
    def until(self) -> datetime:
        """When the last of it ended."""
        return max(one.span.until for one in self.outages)

    @property
    def lost(self) -> timedelta:
        """Component-time lost: the sum over its outages."""
        return sum((one.span.length for one in self.outages), ZERO)


class Dependencies:
    """The dependency graph: component → what it depends on. Cycles are borne: each of them is an ancestor of the others."""

    def __init__(self, upstream: Mapping[str, Sequence[str]], watched: Iterable[str] = ()) -> None:
        """Take for each component what it depends on directly, and which components are watched."""
        self._upstream = {uid: tuple(others) for uid, others in upstream.items()}
        self._watched = frozenset(watched)
        self._ancestors: dict[str, dict[str, int]] = {}
        self._below: dict[str, frozenset[str]] = {}

    def watched_below(self, uid: str) -> frozenset[str]:
        """Return the watched components that depend on it, directly or not."""
        known = self._below.get(uid)
        if known is None:
            known = self._below[uid] = frozenset(each for each in self._watched if uid in self.ancestors(each))
        return known

    def ancestors(self, uid: str) -> Mapping[str, int]:
        """Return everything that the component depends on, directly or not, with the number of steps to it."""
        known = self._ancestors.get(uid)
        if known is None:
            known, todo = {}, [(uid, 0)]
            for each, steps in todo:  # breadth first: the list grows as it is walked
                for other in self._upstream.get(each, ()):
                    if other != uid and other not in known:
                        known[other] = steps + 1
                        todo.append((other, steps + 1))
            self._ancestors[uid] = known
        return known

    def cycles(self) -> list[tuple[str, ...]]:
        """Return the groups of components that depend on each other in a circle, each in order of uid."""
        groups = set()
        for uid in self._upstream:
            circle = [other for other in self.ancestors(uid) if uid in self.ancestors(other)]
            if circle:
                groups.add(tuple(sorted([uid, *circle])))
        return sorted(groups)


def causes(outages: Iterable[Outage], graph: Dependencies, after: datetime | None = None) -> list[Cause]:
    """Return the outages put together by what explains them, the longest component-time lost first.

    An outage is explained by the farthest ancestor that was itself out when it began, no longer than `LAG`; else by the nearest ancestor
    that nobody watches and whose watched dependants went together with it; else by itself.

    Args:
        outages: Of any components, in any order.
        graph: Who depends on whom.
        after: When the window begins: what was out by then began nobody knows when, and explains nothing.
    """
    ranked = sorted(outages, key=lambda one: (one.span.since, one.component))
    by_component: dict[str, list[Outage]] = {}
    for one in ranked:
        by_component.setdefault(one.component, []).append(one)
    parent = {one: source for one in ranked if (source := _watched_cause(one, by_component, graph, after)) is not None}
    found: dict[Outage, list[Outage]] = {}
    for one in ranked:
        root = _root(one, parent)
        if root != one:
            found.setdefault(root, [root]).append(one)
    lone = [one for one in ranked if one not in parent and one not in found]
    answer = [Cause(root.component, tuple(members)) for root, members in found.items()]
    early = [one for one in lone if after is not None and one.span.since <= after]
    answer += [Cause(one.component, (one,)) for one in early]
    answer += _inferred([one for one in lone if one not in set(early)], set(by_component), graph)
    return sorted(answer, key=lambda cause: (-cause.lost, cause.since, cause.root))


def _root(one: Outage, parent: Mapping[Outage, Outage]) -> Outage:
    """Return the outage from which the explanations start; in a circle of explanations, where they first close."""
    seen = {one}
    while (above := parent.get(one)) is not None and above not in seen:
        one = above
        seen.add(one)
    return one


def _watched_cause(one: Outage, by_component: Mapping[str, Sequence[Outage]], graph: Dependencies, after: datetime | None) -> Outage | None:
    best: tuple[int, str, Outage] | None = None
    back = graph.ancestors
    for ancestor, steps in back(one.component).items():
        if one.component in back(ancestor) and ancestor > one.component:  # in a circle the first by name is the cause of the others
            continue
        for other in by_component.get(ancestor, ()):
            begun = one.span.since - other.span.since
            if (after is None or other.span.since > after) and -SLACK <= begun <= LAG and one.span.since < other.span.until + SLACK:
                best = max(best, (steps, ancestor, other), key=lambda each: each[:2]) if best else (steps, ancestor, other)
    return best[2] if best else None


def _inferred(lone: Sequence[Outage], failing: set[str], graph: Dependencies) -> list[Cause]:
    """Return the rest by ancestors that never failed themselves but whose dependants went together."""
    left = dict.fromkeys(lone)
    answer = []
    for one in lone:
        if one not in left:
            continue
        near = [other for other in left if abs(other.span.since - one.span.since) <= SLACK]
        chosen: list[Outage] = []
        root = ""
        for ancestor in sorted(graph.ancestors(one.component), key=lambda uid: (graph.ancestors(one.component)[uid], uid)):
            together = [other for other in near if ancestor in graph.ancestors(other.component)]
            dependants = graph.watched_below(ancestor)
            enough = len({other.component for other in together}) >= max(LEAST_TOGETHER, LEAST_SHARE * len(dependants))
            if ancestor not in failing and enough and len(together) > len(chosen):
                chosen, root = together, ancestor
        for other in chosen or [one]:
            left.pop(other, None)
        answer.append(Cause(root, tuple(chosen), inferred=True) if chosen else Cause(one.component, (one,)))
    return answer


Matrix = dict[tuple[Domain, Domain], float]
"""(domain that suffers, domain of the cause) → minutes lost."""


def matrix(found: Iterable[Cause], domains: Mapping[str, Domain]) -> Matrix:
    """Return the component-minutes lost, domain that suffers by domain of the cause; what has no domain is left out."""
    sums: Matrix = {(suffers, caused): 0.0 for suffers in Domain for caused in Domain}
    for cause in found:
        caused = domains.get(cause.root)
        for one in cause.outages:
            suffers = domains.get(one.component)
            if suffers is not None and caused is not None:
                sums[suffers, caused] += one.span.length / timedelta(minutes=1)
    return sums
