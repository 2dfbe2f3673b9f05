"""Traces: typed links from a Decision to what it changed, to what measures that, and down to the bytes that arrived."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class NodeKind(StrEnum):
    """What a trace passes through, from the decision to the bytes."""

    DECISION = "decision"
    POLICY = "policy"
    """A version: ``POLICY@VERSION``."""
    STATEMENT = "statement"
    PARAMETER = "parameter"
    LANDING = "landing"
    """What follows a parameter: a rule's setting, the life of approvals, the event log."""
    CONTROL = "control"
    TEST = "test"
    EVIDENCE = "evidence"
    METRIC = "metric"
    """One value, by its uid."""
    MEASURE = "measure"
    """A definition, by its name."""
    FINDING = "finding"
    INCIDENT = "incident"
    EVENT = "event"
    RECORD = "record"
    RUN = "run"
    SOURCE = "source"
    RISK = "risk"


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """One thing of a trace."""

    kind: NodeKind
    uid: str


@dataclass(frozen=True, slots=True)
class Edge:
    """One step of a trace, from what causes to what follows, true from `since` until `until` (None: still)."""

    source: Node
    verb: str
    """How it reads: ``made``, ``holds``, ``is carried by``, ``is tested by``, ``gives``, ``counts in``, ``stood on``, ``rests on`` …"""
    target: Node
    since: datetime | None = None
    until: datetime | None = None

    def holds(self, at: datetime | None) -> bool:
        """Tell whether it is true at a moment; None: at any."""
        return at is None or ((self.since is None or self.since <= at) and (self.until is None or at < self.until))


@dataclass(frozen=True, slots=True)
class Trace:
    """What was found from one thing: its links, and the words of each thing."""

    root: Node
    edges: tuple[Edge, ...]
    titles: Mapping[Node, str]
    cut: bool = False
    """More was there than is shown."""

    def nodes(self) -> Sequence[Node]:
        """Return every thing in it, the root first, then by distance."""
        return list(distances(self.root, self.edges))

    def reaches(self, kind: NodeKind) -> Sequence[Node]:
        """Return the things of a kind."""
        return [each for each in self.nodes() if each.kind is kind]

    def path(self, target: Node) -> Sequence[Edge]:
        """Return the shortest chain of steps from the root to a thing, in whichever direction each reads; empty when there is none."""
        return shortest(self.root, target, self.edges)


MOST: Final = 400
"""Things of one trace."""


def _neighbours(edges: Iterable[Edge]) -> dict[Node, list[tuple[Node, Edge]]]:
    found: dict[Node, list[tuple[Node, Edge]]] = {}
    for edge in edges:
        found.setdefault(edge.source, []).append((edge.target, edge))
        found.setdefault(edge.target, []).append((edge.source, edge))
    return found


def distances(root: Node, edges: Iterable[Edge]) -> dict[Node, int]:
    """Return thing → steps from the root, in whichever direction, nearest first."""
    near = _neighbours(edges)
    found = {root: 0}
    waiting = deque([root])
    while waiting:
        here = waiting.popleft()
        for other, _ in near.get(here, ()):
            if other not in found:
                found[other] = found[here] + 1
                waiting.append(other)
    return found


def shortest(root: Node, target: Node, edges: Iterable[Edge]) -> Sequence[Edge]:
    """Return the edges of a shortest path; empty when there is none, or the two are one."""
    near = _neighbours(edges)
    came: dict[Node, tuple[Node, Edge] | None] = {root: None}
    waiting = deque([root])
    while waiting and target not in came:
        here = waiting.popleft()
        for other, edge in near.get(here, ()):
            if other not in came:
                came[other] = (here, edge)
                waiting.append(other)
    path: list[Edge] = []
    step = came.get(target)
    while step is not None:
        path.append(step[1])
        step = came[step[0]]
    return path[::-1]
