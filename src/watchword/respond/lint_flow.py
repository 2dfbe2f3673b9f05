"""Lint of the workflow: its steps and where they lead, what is reached, what comes back, and which steps lie inside which branches."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from watchword.model.playbook import STEP_CLASSES
from watchword.respond.json_text import Key
from watchword.respond.lint_report import Report, items, objects, word

IDENTIFIER: Final = re.compile(
    r"([a-z][a-z0-9-]+[a-z0-9])--[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-([1-5])[0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"
)
SUCCESSORS: Final = ("on_completion", "on_success", "on_failure")
SINGLE_BRANCHES: Final[Mapping[str, tuple[str, ...]]] = {"if-condition": ("on_true", "on_false"), "while-condition": ("on_true",)}

Pointed = tuple[str, tuple[Key, ...]]
"""A step's identifier and the members that name it."""


def successors(step: Mapping[str, Any]) -> list[Pointed]:
    """Return the steps that follow a step, in its own flow."""
    return [(step[name], (name,)) for name in SUCCESSORS if isinstance(step.get(name), str)]


def branches(step: Mapping[str, Any]) -> list[Pointed]:
    """Return the first step of each branch that a step opens."""
    kind = word(step, "type")
    found: list[Pointed] = [(step[name], (name,)) for name in SINGLE_BRANCHES.get(kind, ()) if isinstance(step.get(name), str)]
    if kind == "parallel":
        found += [(one, ("next_steps", place)) for place, one in enumerate(items(step, "next_steps")) if isinstance(one, str)]
    if kind == "switch-condition" and isinstance(step.get("cases"), dict):
        found += [(one, ("cases", case)) for case, one in step["cases"].items() if isinstance(one, str)]
    return found


class Flow:
    """The workflow as a graph. Sets of steps are integers with one bit per step, so that thousands of branches cost little."""

    def __init__(self, playbook: Mapping[str, Any]) -> None:
        """Read the steps and their pointers; pointers to steps that are not there are left out."""
        self.playbook = playbook
        self.steps = objects(playbook, "workflow")
        self.number = {identifier: place for place, identifier in enumerate(self.steps)}
        self.next = {one: [to for to, _ in successors(step) if to in self.steps] for one, step in self.steps.items()}
        self.heads = {one: [to for to, _ in branches(step) if to in self.steps] for one, step in self.steps.items()}
        self.order, self.back = self._walk()
        """Steps with what they lead to first; and the pairs of steps that close a circle."""
        self.along = self._reach(deep=False)
        """Step → those reached from it by successors alone, itself included."""
        self.within = self._reach(deep=True)
        """Step → those reached from it by successors and branches, itself included."""
        self.inside = {one: self._union(self.within, heads) for one, heads in self.heads.items()}
        """Step → those inside its branches, where its variables are seen."""

    def bit(self, identifier: str) -> int:
        """Return the set that holds one step."""
        return 1 << self.number[identifier]

    def members(self, found: int) -> Iterator[str]:
        """Yield the steps of a set, in the order of the file."""
        return (one for one, place in self.number.items() if found >> place & 1)

    def _union(self, reach: Mapping[str, int], heads: list[str]) -> int:
        found = 0
        for head in heads:
            found |= reach[head]
        return found

    def _walk(self) -> tuple[list[str], list[tuple[str, str]]]:
        """Visit every step depth first, without recursion."""
        order: list[str] = []
        back: list[tuple[str, str]] = []
        state: dict[str, int] = {}
        for root in self.steps:
            if root in state:
                continue
            state[root] = 1
            stack = [(root, iter(self.next[root] + self.heads[root]))]
            while stack:
                here, rest = stack[-1]
                to = next(rest, None)
                if to is None:
                    stack.pop()
                    state[here] = 2
                    order.append(here)
                elif to not in state:
                    state[to] = 1
                    stack.append((to, iter(self.next[to] + self.heads[to])))
                elif state[to] == 1:
                    back.append((here, to))
        return order, back

    def _reach(self, *, deep: bool) -> dict[str, int]:
        """Add up what each step leads to. In a circle a step misses what lies behind it; such a playbook does not start anyway."""
        found: dict[str, int] = {}
        for one in self.order:
            reached = self.bit(one)
            for to in self.next[one] + (self.heads[one] if deep else []):
                reached |= found.get(to, 0)
            found[one] = reached
        return found


def lint_flow(flow: Flow, report: Report) -> None:
    """Report what is wrong with the steps and where they lead."""
    kinds = [word(step, "type") for step in flow.steps.values()]
    start, exception = word(flow.playbook, "workflow_start"), flow.playbook.get("workflow_exception")
    if start and word(flow.steps.get(start), "type") != "start":
        report.add("no-start", f"workflow_start names {start[:80]}, which is no step of type start", "workflow_start")
    if "end" not in kinds:
        report.add("no-end", "no step is of type end", "workflow")
    if not {"action", "playbook-action"} & set(kinds):
        report.add("no-action", "no step is of type action or playbook-action", "workflow")
    if isinstance(exception, str) and exception not in flow.steps:
        report.add("dangling-step", f"workflow_exception names {exception[:80]}, which is not there", "workflow_exception")
    for identifier, step in flow.playbook["workflow"].items():
        if isinstance(step, dict):
            _lint_step(flow, identifier, step, report)
        elif identifier.partition("--")[0] not in STEP_CLASSES:
            report.add("unknown-step-type", f"{identifier[:80]} is no object", "workflow", identifier)
    for here, to in flow.back:
        report.add("cycle", f"{here} leads back to {to}, which led to it", "workflow", here)
    _lint_reached(flow, start, exception if isinstance(exception, str) else "", report)


def _lint_step(flow: Flow, identifier: str, step: Mapping[str, Any], report: Report) -> None:
    at = ("workflow", identifier)
    kind = step.get("type")
    prefix = identifier.partition("--")[0]
    found = IDENTIFIER.fullmatch(identifier)
    if found is not None and found[2] != "4":
        report.add("step-uuid", f"the UUID of {identifier} is of version {found[2]}, not 4", *at)
    if kind not in STEP_CLASSES if isinstance(kind, str) else prefix not in STEP_CLASSES:
        report.add("unknown-step-type", f"{str(kind)[:40]!r} is no type of step", *at, "type")
        return
    if isinstance(kind, str) and kind != prefix:
        report.add("unread-step", f"the key of a step of type {kind} begins with {prefix[:40]}--", *at)
    for to, members in successors(step) + branches(step):
        if to not in flow.steps:
            report.add("dangling-step", f"{'.'.join(map(str, members))} names {to[:80]}, which is not there", *at, *members)
    if "on_completion" in step and ("on_success" in step or "on_failure" in step):
        report.add("both-successors", "on_completion stands beside on_success or on_failure", *at, "on_completion")
    if kind != "end" and "on_completion" not in step and "on_success" not in step:
        report.add("no-successor", "neither on_completion nor on_success is given", *at)
    if kind == "start" and identifier != word(flow.playbook, "workflow_start"):
        report.add("extra-start", "workflow_start names another step", *at)
    if kind == "switch-condition" and isinstance(step.get("cases"), dict) and "default" not in step["cases"]:
        report.add("switch-no-default", "a value that no case names fails the step", *at, "cases")


def _lint_reached(flow: Flow, start: str, exception: str, report: Report) -> None:
    if start in flow.steps:
        reached = flow.within[start] | (flow.within[exception] if exception in flow.steps else 0)
        if flow.back:
            reached = _reached(flow, [start, exception])
        for identifier in flow.members(((1 << len(flow.steps)) - 1) & ~reached):
            report.add("unreachable", "nothing that begins at workflow_start leads here", "workflow", identifier)
    ends = sum(flow.bit(one) for one, step in flow.steps.items() if step.get("type") == "end")
    once = flow.along.get(start, 0) & ends
    twice = 0
    for heads in flow.heads.values():
        for head in heads:
            now = flow.along[head] & ends
            twice |= once & now
            once |= now
    for identifier in flow.members(twice):
        report.add("shared-end", "more than one of the main flow and the branches ends here", "workflow", identifier)


def _reached(flow: Flow, roots: list[str]) -> int:
    """Return what roots lead to where there are circles."""
    found, waiting = 0, [root for root in roots if root in flow.steps]
    while waiting:
        here = waiting.pop()
        if not found & flow.bit(here):
            found |= flow.bit(here)
            waiting += flow.next[here] + flow.heads[here]
    return found
