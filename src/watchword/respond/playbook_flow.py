"""What a playbook's picture and its list of steps are made of: steps in reading order, and which leads to which."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from watchword.model.playbook import IfStep, ParallelStep, Playbook, Step, SwitchStep, WhileStep

COMPOSITE: Final = (IfStep, ParallelStep, SwitchStep, WhileStep)
MOST_FOLLOWED: Final = 2_000
"""Steps that are put in order; the library starts none that has more."""
LONGEST_LABEL: Final = 22


@dataclass(frozen=True, slots=True)
class Edge:
    """One step leads to another."""

    source: str
    target: str
    label: str = ""
    kind: str = "next"
    """``next``, ``way`` (out of a composite), ``failure`` or ``back`` (to the loop's test)."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The steps that are drawn, in reading order, and the edges between them."""

    order: tuple[str, ...]
    numbers: Mapping[str, int]
    """Every step but starts and ends → its number in the list, from 1."""
    edges: tuple[Edge, ...]
    exception: str
    """The first step of the exception flow; empty: there is none."""
    unreached: tuple[str, ...] = ()
    """Steps that nothing leads to."""
    left_out: int = 0
    """Steps beyond the bound."""


def flow_of(playbook: Playbook) -> Flow:
    """Return a playbook's flow. Whatever it holds, this ends: a step is visited once, and a pointer to nothing leads nowhere."""
    steps = playbook.workflow
    order = list(_reading_order(steps, (playbook.workflow_start, playbook.workflow_exception)))
    owners = _owners(steps, order)
    edges = tuple(edge for name in order for edge in _edges(steps, owners, name))
    drawn = [name for name in order if name not in owners]
    known = set(order)
    others = [name for name in steps if name not in known]
    counted = [name for name in (*drawn, *others) if steps[name].type not in {"start", "end"}]
    numbers = {name: number for number, name in enumerate(counted, 1)}
    exception = playbook.workflow_exception if playbook.workflow_exception in steps else ""
    shown = drawn[:MOST_FOLLOWED]
    unreached = [name for name in others if steps[name].type != "end"]
    return Flow(tuple(shown), numbers, edges, exception, tuple(unreached[:MOST_FOLLOWED]), len(drawn) - len(shown))


def ways_of(step: Step) -> Iterator[tuple[str, str]]:
    """Yield the branches of a composite: what leads into each, in words, and its first step."""
    if isinstance(step, IfStep):
        yield from ((word, head) for word, head in (("yes", step.on_true), ("no", step.on_false)) if head)
    elif isinstance(step, WhileStep):
        if step.on_true:
            yield "while yes", step.on_true
    elif isinstance(step, SwitchStep):
        yield from (("otherwise" if value == "default" else value, head) for value, head in step.cases.items())
    elif isinstance(step, ParallelStep):
        yield from ((f"branch {number}", head) for number, head in enumerate(step.next_steps, 1))


def after(step: Step) -> str:
    """Return the step that follows success; empty when none does."""
    return step.on_completion or step.on_success


def _reading_order(steps: Mapping[str, Step], heads: tuple[str, ...]) -> Iterator[str]:
    """Yield every step that is reached: a composite, then its branches, then what follows it, then what follows its failure."""
    todo, seen = list(reversed(heads)), set[str]()
    while todo:
        name = todo.pop()
        if name in seen or name not in steps:
            continue
        seen.add(name)
        yield name
        step = steps[name]
        todo += [one for one in (step.on_failure, after(step), *reversed([head for _, head in ways_of(step)])) if one]


def _owners(steps: Mapping[str, Step], order: list[str]) -> dict[str, str]:
    """Return the composite that each end of a branch belongs to: reaching it, the run goes on after that composite."""
    found: dict[str, str] = {}
    for owner in order:
        todo, seen = [head for _, head in ways_of(steps[owner])], set[str]()
        while todo:
            name = todo.pop()
            if name in seen or name not in steps:
                continue
            seen.add(name)
            step = steps[name]
            if step.type == "end":
                found.setdefault(name, owner)
            todo += [one for one in (after(step), step.on_failure) if one]
    return found


def _edges(steps: Mapping[str, Step], owners: Mapping[str, str], name: str) -> Iterator[Edge]:
    step = steps[name]
    if name in owners:
        return
    ways = list(ways_of(step))
    for word, head in ways:
        yield from _edge(steps, owners, name, head, word[:LONGEST_LABEL], "way")
    follows = after(step)
    if follows and (not ways or isinstance(step, WhileStep) or (isinstance(step, IfStep) and not step.on_false)):
        label = "no" if ways else ""
        yield from _edge(steps, owners, name, follows, label, "way" if ways else "next")
    if step.on_failure:
        yield from _edge(steps, owners, name, step.on_failure, "failed", "failure")


def _edge(steps: Mapping[str, Step], owners: Mapping[str, str], name: str, target: str, label: str, kind: str) -> Iterator[Edge]:
    """Yield the edge to a step, or to what follows the composite whose branch ends there."""
    for _ in range(len(steps) + 1):
        if target not in steps:
            return
        owner = owners.get(target)
        if owner is None:
            yield Edge(name, target, label, kind)
            return
        if isinstance(steps[owner], WhileStep):
            yield Edge(name, owner, label, "back")
            return
        target = after(steps[owner])
