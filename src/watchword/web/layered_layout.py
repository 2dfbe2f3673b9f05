"""Layout of a directed graph in layers from top to bottom: which layer, which order within it, and where to the pixel."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

MOST_BENDS: Final = 4_000
"""Bends of long edges in one picture; a graph that needs more is not drawn."""
SWEEPS: Final = 6

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands; the middle of each node."""

    width: float
    height: float
    at: Mapping[str, Point]
    bends: Mapping[tuple[str, str], tuple[Point, ...]]
    """Edge → the points that it passes on its way down, without its ends."""
    back: frozenset[tuple[str, str]]
    """Edges that lead upwards."""


class TooLarge(Exception):
    """The graph would be no picture that anybody can read."""


def layered(
    nodes: Sequence[str], edges: Iterable[tuple[str, str]], *, wide: float, high: float, across: float, down: float, thin: float = 14
) -> Layout:
    """Lay a graph out.

    Args:
        nodes: in reading order; earlier ones come further left.
        edges: pairs of nodes; loops and edges that close a circle lead upwards.
        wide: of a node, in pixels.
        high: of a node.
        across: gap between neighbours.
        down: gap between layers.
        thin: width that a passing edge takes.

    Raises:
        TooLarge: long edges would need too many bends.
    """
    pairs = [pair for pair in dict.fromkeys(edges) if pair[0] != pair[1]]
    back = _closing(nodes, pairs)
    forward = [pair for pair in pairs if pair not in back]
    layer = _layers(nodes, forward)
    rows: list[list[str]] = [[] for _ in range(max(layer.values(), default=0) + 1)]
    for node in nodes:
        rows[layer[node]].append(node)
    chains = _with_bends(forward, layer, rows)
    ups, downs = _neighbours(chains)
    _untangle(rows, ups, downs)
    widths = {name: wide if name in layer else thin for row in rows for name in row}
    x = _across(rows, ups, downs, widths, across)
    least = min((x[name] - widths[name] / 2 for name in x), default=0.0)
    most = max((x[name] + widths[name] / 2 for name in x), default=0.0)
    at = {name: (x[name] - least, number * (high + down) + high / 2) for number, row in enumerate(rows) for name in row}
    bends = {(chain[0], chain[-1]): tuple(at[name] for name in chain[1:-1]) for chain in chains}
    return Layout(most - least, len(rows) * (high + down) - down, {node: at[node] for node in nodes}, bends, frozenset(back))


def _closing(nodes: Sequence[str], pairs: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the edges that close a circle, found depth first in reading order."""
    out: dict[str, list[str]] = {node: [] for node in nodes}
    for source, target in pairs:
        out[source].append(target)
    found: set[tuple[str, str]] = set()
    state: dict[str, int] = {}
    for root in nodes:
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(out[root]))]
        while stack:
            here, rest = stack[-1]
            target = next(rest, "")
            if not target:
                state[here] = 2
                stack.pop()
            elif state.get(target) == 1:
                found.add((here, target))
            elif target not in state:
                state[target] = 1
                stack.append((target, iter(out[target])))
    return found


def _layers(nodes: Sequence[str], forward: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the layer of each node: one below the lowest of those that lead to it."""
    out: dict[str, list[str]] = {node: [] for node in nodes}
    waits = dict.fromkeys(nodes, 0)
    for source, target in forward:
        out[source].append(target)
        waits[target] += 1
    layer = dict.fromkeys(nodes, 0)
    ready = [node for node in nodes if not waits[node]]
    while ready:
        node = ready.pop()
        for target in out[node]:
            layer[target] = max(layer[target], layer[node] + 1)
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    return layer


def _with_bends(forward: Sequence[tuple[str, str]], layer: Mapping[str, int], rows: list[list[str]]) -> list[list[str]]:
    """Put a bend into every layer that an edge passes, and return each edge as a chain of neighbours."""
    chains, count = [], 0
    for source, target in forward:
        chain = [source]
        for number in range(layer[source] + 1, layer[target]):
            count += 1
            if count > MOST_BENDS:
                raise TooLarge
            bend = f"\0{count}"
            rows[number].append(bend)
            chain.append(bend)
        chains.append([*chain, target])
    return chains


def _neighbours(chains: Sequence[Sequence[str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    ups: dict[str, list[str]] = {}
    downs: dict[str, list[str]] = {}
    for chain in chains:
        for above, below in pairwise(chain):
            ups.setdefault(below, []).append(above)
            downs.setdefault(above, []).append(below)
    return ups, downs


def _untangle(rows: list[list[str]], ups: Mapping[str, Sequence[str]], downs: Mapping[str, Sequence[str]]) -> None:
    """Order each layer by the mean place of its neighbours, down and up again: fewer edges cross."""
    place = {name: float(number) for row in rows for number, name in enumerate(row)}
    for sweep in range(SWEEPS):
        beside, walk = (ups, rows[1:]) if sweep % 2 == 0 else (downs, rows[-2::-1])
        for row in walk:
            wanted = {name: _mean([place[one] for one in beside.get(name, ())], place[name]) for name in row}
            row.sort(key=wanted.__getitem__)
            for number, name in enumerate(row):
                place[name] = float(number)


def _across(
    rows: Sequence[Sequence[str]],
    ups: Mapping[str, Sequence[str]],
    downs: Mapping[str, Sequence[str]],
    widths: Mapping[str, float],
    gap: float,
) -> dict[str, float]:
    """Return where each node stands: as near as may be to the mean of its neighbours, none nearer to another than the gap."""
    x: dict[str, float] = {}
    for row in rows:
        at = 0.0
        for name in row:
            x[name] = at + widths[name] / 2
            at += widths[name] + gap
    for sweep in range(2 * SWEEPS):
        beside, walk = (ups, rows) if sweep % 2 == 0 else (downs, rows[::-1])
        for row in walk:
            _settle(row, {name: _mean([x[one] for one in beside.get(name, ())], x[name]) for name in row}, widths, gap, x)
    return x


def _settle(row: Sequence[str], wanted: Mapping[str, float], widths: Mapping[str, float], gap: float, x: dict[str, float]) -> None:
    """Move a layer's nodes to where they want to be, pushing apart those that want the same: the mean of a push from either side."""
    apart = [(widths[one] + widths[other]) / 2 + gap for one, other in pairwise(row)]
    right = [wanted[name] for name in row]
    left = list(right)
    for number in range(1, len(row)):
        right[number] = max(right[number], right[number - 1] + apart[number - 1])
    for number in range(len(row) - 2, -1, -1):
        left[number] = min(left[number], left[number + 1] - apart[number])
    for number, name in enumerate(row):
        x[name] = (left[number] + right[number]) / 2


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
