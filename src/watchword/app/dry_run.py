"""Dry run: what the actions of a playbook would do with the values that are known now, found out by the code that does them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from watchword.app.watchword import Watchword
from watchword.model.action import Action
from watchword.model.playbook import Playbook
from watchword.respond.approval import ApprovalRule, stricter
from watchword.respond.gateway_service import Preview
from watchword.respond.plan import Declared, Machine, Plan, PlanStep
from watchword.respond.plan_making import plan_of
from watchword.respond.variables import RenderFailed, render

MOST: Final = 60
"""Actions of one dry run."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One action that a playbook may ask for."""

    step: str
    title: str
    verb: str
    target: str
    preview: Preview | None = None
    rule: ApprovalRule | None = None
    """Who must agree: the stricter of what the catalogue and the step ask for."""
    unknown: str = ""
    """Why it cannot be looked at yet: a value that only the run will bring."""


def dry_run(
    watchword: Watchword, playbook: Playbook, values: Mapping[str, str | None], *, incident: str, by: str, exercise: bool
) -> tuple[list[Foreseen], int]:
    """Return what each action of a playbook without lint errors would do, in the order of its text, and how many more there are."""
    plan = plan_of(playbook, f"{playbook.id}@{playbook.modified}", (), {})
    steps = [step for step in plan.steps.values() if step.machine is not None]
    wanted = [(step, step.machine, target) for step in steps if step.machine is not None for target in step.machine.targets]
    found = [
        one
        for step, machine, target in wanted[:MOST]
        for one in _foresee(watchword, plan, step, machine, target, values, incident, by, exercise)
    ]
    return found, max(0, len(wanted) - MOST)


def _foresee(
    watchword: Watchword,
    plan: Plan,
    step: PlanStep,
    machine: Machine,
    target: str,
    values: Mapping[str, str | None],
    incident: str,
    by: str,
    exercise: bool,
) -> Iterator[Foreseen]:
    verb = watchword.response.gateway.catalogue.verbs.get(machine.verb)
    if verb is None:
        yield Foreseen(step.id, step.title, machine.verb, target, unknown=f"the action catalogue has no verb {machine.verb}")
        return
    rule = stricter(verb.rule, step.approval) if step.approval else verb.rule
    seen = _visible(plan, step, values)
    try:
        rendered = render(target, seen)
        parameters = {name: render(value, seen) for name, value in machine.parameters.items()}
    except RenderFailed as error:
        yield Foreseen(step.id, step.title, machine.verb, target, rule=rule, unknown=str(error))
        return
    if not rendered.strip():
        yield Foreseen(step.id, step.title, machine.verb, target, rule=rule, unknown=f"{target} is still empty")
        return
    action = Action(machine.verb, rendered, parameters, machine.revert_after, incident, "", step.id, by, "dry run", exercise)
    yield Foreseen(step.id, step.title, machine.verb, rendered, replace(watchword.response.gateway.preview(action), rule=rule), rule)


def _visible(plan: Plan, step: PlanStep, values: Mapping[str, str | None]) -> Mapping[str, Declared]:
    declared = {**plan.variables, **step.variables}
    return {name: replace(one, value=values[name]) if values.get(name) is not None else one for name, one in declared.items()}
