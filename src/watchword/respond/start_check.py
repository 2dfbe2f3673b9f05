"""What stands against starting a run: every refusal at once, each with its code and the step that it is about."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from watchword.kit.errors import Conflict
from watchword.respond.plan import Plan, PlanStep, StepType
from watchword.respond.variables import fits

MOST_DEPTH = 8
"""How deep playbooks may call one another."""
MOST_NESTED = 60
"""How deep steps may nest before their paths are not even measured."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason for which a run does not start."""

    code: str
    text: str
    step: str = ""
    playbook: str = ""
    """Key of the pinned playbook that it is about."""

    def __str__(self) -> str:
        """Return it as a line for people."""
        where = " ".join(part for part in (self.playbook, self.step) if part)
        return f"{self.code}: {self.text}" + (f" ({where})" if where else "")


class RunRefused(Conflict):
    """The run does not start; all refusals are listed."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__("the playbook cannot start:\n" + "\n".join(str(one) for one in self.refusals))


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one pinned playbook besides its steps."""

    key: str
    name: str
    revoked: bool
    attack: bool
    valid_from: datetime | None
    valid_until: datetime | None
    signature: str = ""
    """Why its signature does not satisfy the policy; empty: it does."""


def refusals(
    plans: Mapping[str, Plan],
    standings: Sequence[Standing],
    *,
    now: datetime,
    rule: str,
    override: str,
    verbs: Collection[str],
) -> list[Refusal]:
    """Return what stands against the pinned playbooks, each as if it ran alone.

    Args:
        plans: every pinned playbook by key.
        standings: the same, with their validity.
        now: the moment of starting.
        rule: the detection rule that starts it; empty when a person does.
        override: the person's reason for starting outside validity.
        verbs: names in the action catalogue.
    """
    found = [refusal for standing in standings for refusal in _standing(standing, now, rule, override)]
    for plan in plans.values():
        for step in plan.steps.values():
            if step.machine is not None and step.machine.verb not in verbs:
                found.append(Refusal("unknown_verb", f"the action catalogue has no verb {step.machine.verb!r}", step.id, plan.key))
            if step.machine is not None and not step.machine.targets:
                found.append(Refusal("no_target", "its action names no target", step.id, plan.key))
    return found


def _standing(one: Standing, now: datetime, rule: str, override: str) -> list[Refusal]:
    found = []
    if one.revoked:
        found.append(Refusal("revoked", f"{one.name!r} is revoked", playbook=one.key))
    if one.attack and rule:
        found.append(Refusal("attack_by_rule", f"{one.name!r} describes an attack: only a person may start it", playbook=one.key))
    overridden = bool(override.strip()) and not rule
    if one.valid_from is not None and now < one.valid_from and not overridden:
        found.append(Refusal("not_yet_valid", f"{one.name!r} is valid from {one.valid_from.isoformat()}", playbook=one.key))
    if one.valid_until is not None and now >= one.valid_until and not overridden:
        found.append(Refusal("expired", f"{one.name!r} was valid until {one.valid_until.isoformat()}", playbook=one.key))
    if one.signature:
        found.append(Refusal("signature", one.signature, playbook=one.key))
    return found


def wrong_variables(plan: Plan, given: Mapping[str, str | None]) -> list[Refusal]:
    """Return what is wrong with the values that the caller of a playbook gives."""
    found = []
    for name, value in given.items():
        declared = plan.variables.get(name)
        if declared is None or not declared.external:
            found.append(Refusal("unknown_variable", f"{name} is no external variable of {plan.name!r}", playbook=plan.key))
        elif value is not None and not fits(declared.type, value):
            found.append(Refusal("variable_type", f"{value[:60]!r} for {name} is no {declared.type}", playbook=plan.key))
    for name, declared in plan.variables.items():
        if declared.external and declared.value is None and given.get(name) is None:
            found.append(
                Refusal("missing_variable", f"a value for {name} must be given: {declared.description or declared.type}", playbook=plan.key)
            )
    return found


def nesting(plans: Mapping[str, Plan], key: str, longest_path: int) -> list[Refusal]:
    """Return whether playbooks call themselves, call too deep, or nest so deep that a step's path would be too long to keep."""
    found: list[Refusal] = []
    height = _height(plans, key, (), {}, found)
    if not found and height > MOST_DEPTH:
        found.append(Refusal("too_deep", f"playbooks call one another {height} deep, {MOST_DEPTH} is the most", playbook=key))
    if not found:
        longest = _Paths(plans).of_book(key, 0)
        if longest > longest_path:
            found.append(
                Refusal("too_deep", f"steps nest so deep that a path has {longest} characters, {longest_path} are kept", playbook=key)
            )
    return found


def _height(plans: Mapping[str, Plan], key: str, above: tuple[str, ...], known: dict[str, int], found: list[Refusal]) -> int:
    if key in known:
        return known[key]
    highest, ids = 0, {one.partition("@")[0] for one in (*above, key)}
    for step in plans[key].steps.values():
        if step.type is not StepType.PLAYBOOK or step.book not in plans:
            continue
        if step.book.partition("@")[0] in ids:
            found.append(Refusal("recursion", "the playbook would run itself", step.id, key))
        else:
            highest = max(highest, _height(plans, step.book, (*above, key), known, found))
    known[key] = highest + 1
    return highest + 1


class _Paths:
    """The longest path of a step, in characters; flows are without cycles, as the linter leaves them."""

    def __init__(self, plans: Mapping[str, Plan]) -> None:
        self._plans = plans
        self._known: dict[tuple[str, str], int] = {}

    def of_book(self, key: str, depth: int) -> int:
        plan = self._plans[key]
        longest = self._of_flow(plan, plan.start, depth)
        return max(longest, len("exception/") + self._of_flow(plan, plan.exception, depth)) if plan.exception else longest

    def _of_flow(self, plan: Plan, first: str, depth: int) -> int:
        if depth > MOST_NESTED:
            return sys.maxsize // 2
        if (plan.key, first) in self._known:
            return self._known[plan.key, first]
        todo, seen, longest = [first], set[str](), 0
        while todo:
            name = todo.pop()
            step = plan.steps.get(name)
            if step is None or name in seen:
                continue
            seen.add(name)
            longest = max(longest, len(name))
            todo += [one for one in (step.after_success, step.after_failure) if one]
            for one in filter(None, inner_starts(step)):
                longest = max(longest, len(name) + len("#10000/") + self._of_flow(plan, one, depth + 1))
            if step.type is StepType.PLAYBOOK and step.book in self._plans:
                longest = max(longest, len(name) + 1 + self.of_book(step.book, depth + 1))
        self._known[plan.key, first] = longest
        return longest


def inner_starts(step: PlanStep) -> tuple[str, ...]:
    """Return the first steps of what runs inside a step."""
    return (*step.next_steps, step.on_true, step.on_false, *step.cases.values())
