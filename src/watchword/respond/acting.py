"""What an open action step does next: renders its action, has people agree to it, hands it to the gateway, or asks a person."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from watchword.kit.ids import uid_of
from watchword.model.action import Action, Outcome, OutcomeStatus
from watchword.respond.approval import ApprovalRule
from watchword.respond.plan import Plan, PlanStep
from watchword.respond.run_state import (
    Answer,
    Answered,
    AskApproval,
    AskPerson,
    Decided,
    Effect,
    Overran,
    Perform,
    RunState,
    Step,
    StepStatus,
    Told,
)
from watchword.respond.scope import ScopeFault, Scopes
from watchword.respond.variables import RenderFailed, render, render_known

MANUAL = "manual.do"
"""Verb of the action that approvers of a manual step are shown; the gateway never gets it."""


class Desk(Protocol):
    """What the interpreter asks about an action before it asks for it."""

    def whole(self, action: Action) -> Action:
        """Return the action with what only the site knows filled in."""
        ...

    def rule(self, action: Action, step: PlanStep) -> ApprovalRule:
        """Return who must agree: the stricter of what the catalogue and the playbook say."""
        ...


class Acting(ABC):
    """The open steps and flows of one transition, and what is done with action steps."""

    def __init__(self, books: Mapping[str, Plan], state: RunState, now: datetime, desk: Desk) -> None:
        self._books = books
        self._state = state
        self._now = now
        self._desk = desk
        self._steps = dict(state.steps)
        self._flows = dict(state.flows)
        self._scopes = Scopes(books, self._steps, self._flows)
        self._ended: dict[str, Step] = {}
        self._queue: deque[str] = deque()
        self._effects: list[Effect] = []

    @abstractmethod
    def _end(self, step: Step, status: StepStatus, code: str, said: str) -> None: ...

    def _decided(self, step: Step, given: Decided) -> None:
        if step.status is not StepStatus.APPROVAL:
            return
        if not given.granted:
            self._end(step, StepStatus.FAILED, given.code or "refused", given.said or "nobody agreed in time")
            return
        plan = self._plan(step)
        action = self._manual_action(step, plan) if plan.machine is None else self._action(step, plan)
        if action is None:
            return
        if action.digest != given.digest:  # what they agreed to is not what would be done
            self._ask(step, plan, action)
        elif plan.machine is None or self._talked_through(plan):
            self._ask_person(step, plan)
        else:
            self._perform(step, action, given.approval)

    def _answered(self, step: Step, given: Answered) -> None:
        if step.status is not StepStatus.ASKING:
            return
        step = self._put(replace(step, by=given.by, team=given.team))
        said = given.note or f"recorded by {given.by}"
        if given.result is Answer.FAILED:
            self._end(step, StepStatus.FAILED, "reported_failed", said)
        elif given.result is Answer.NOT_APPLICABLE:
            self._end(step, StepStatus.SKIPPED, "", said)
        elif self._store_out(step, given.values):
            self._end(self._steps[step.path], StepStatus.DONE, "", said)

    def _performed(self, step: Step, work: int, outcome: Outcome) -> None:
        plan = self._plan(step)
        if step.status is not StepStatus.ACTING or step.work != work or plan.machine is None:
            return
        if outcome.status is not OutcomeStatus.DONE:
            self._end(step, StepStatus.FAILED, outcome.code or outcome.status.value, outcome.said)
        elif outcome.verified is False:
            self._end(step, StepStatus.FAILED, "not_verified", f"{outcome.said}; the read-back says otherwise")
        elif self._store_out(step, outcome.observed):
            step = self._put(replace(self._steps[step.path], work=work + 1))
            if step.work < len(plan.machine.targets):
                self._next_work(step, plan)
            else:
                unread = "" if outcome.verified else " (not read back)"
                self._end(step, StepStatus.DONE, "", outcome.said + unread)

    def _overran(self, step: Step, given: Overran) -> None:
        if step.status is StepStatus.ACTING and step.work == given.work:
            self._end(step, StepStatus.FAILED, "ACTION_TIMEOUT", f"the responder of {self._plan(step).title!r} did not answer in time")

    def _act(self, step: Step, plan: PlanStep) -> None:
        if plan.machine is not None and not self._talked_through(plan):
            self._next_work(step, plan)
        elif plan.approval is not None and plan.approval.needed:
            if (action := self._manual_action(step, plan)) is not None:
                self._ask(step, plan, action)
        else:
            self._ask_person(step, plan)

    def _next_work(self, step: Step, plan: PlanStep) -> None:
        action = self._action(step, plan)
        if action is None:
            return
        if self._desk.rule(action, plan).needed:
            self._ask(step, plan, action)
        else:
            self._perform(step, action, "")

    def _action(self, step: Step, plan: PlanStep) -> Action | None:
        assert plan.machine is not None  # noqa: S101 - callers looked
        seen, machine = self._scopes.visible(step.path), plan.machine
        try:
            target = render(machine.targets[step.work], seen)
            parameters = {name: render(text, seen) for name, text in machine.parameters.items()}
        except RenderFailed as error:
            self._end(step, StepStatus.FAILED, "unknown_value", str(error))
            return None
        return self._desk.whole(self._said_by(step, plan, Action(machine.verb, target, parameters, machine.revert_after)))

    def _manual_action(self, step: Step, plan: PlanStep) -> Action:
        return self._said_by(step, plan, Action(MANUAL, plan.title[:300], {"words": self._words(step, plan)}))

    def _words(self, step: Step, plan: PlanStep) -> str:
        try:
            return render_known(plan.words, self._scopes.visible(step.path))
        except RenderFailed:  # too long with its values in it: a person reads it without them
            return plan.words

    def _said_by(self, step: Step, plan: PlanStep, action: Action) -> Action:
        return replace(
            action,
            incident=self._state.incident,
            run=self._state.uid,
            path=step.path,
            requested_by=self._state.requested_by,
            reason=plan.title,
            exercise=self._state.exercise,
        )

    def _ask(self, step: Step, plan: PlanStep, action: Action) -> None:
        rule = plan.approval if action.verb == MANUAL and plan.approval is not None else self._desk.rule(action, plan)
        self._put(replace(step, status=StepStatus.APPROVAL))
        self._effects.append(AskApproval(step.path, action, rule))

    def _perform(self, step: Step, action: Action, approval: str) -> None:
        key = uid_of("attempt", self._state.uid, step.path, str(step.work), action.digest)
        action = replace(action, key=key)
        self._put(replace(step, status=StepStatus.ACTING))
        self._effects.append(Perform(step.path, step.work, action, approval))

    def _ask_person(self, step: Step, plan: PlanStep) -> None:
        words = self._words(step, plan)
        self._put(replace(step, status=StepStatus.ASKING))
        self._effects.append(AskPerson(step.path, plan.title, words, plan.team, plan.out_args))

    def _talked_through(self, plan: PlanStep) -> bool:
        return self._state.exercise and not plan.exercise_allowed

    def _store_out(self, step: Step, values: Mapping[str, str]) -> bool:
        """Write a step's outputs where the playbook keeps them; a lacking or unfit one fails the step, and then this is false."""
        given = {name: values.get(name, values.get(name.strip("_"))) for name in self._plan(step).out_args}
        code, said = "", ""
        for name, value in given.items():
            if value is None:
                code, said = "no_output", f"nothing was given for {name}"
                break
            try:
                self._scopes.write(step.path, name, value)
            except ScopeFault as error:
                code, said = error.code, str(error)
                break
        if code:
            self._end(self._steps[step.path], StepStatus.FAILED, code, said)
        return not code

    def _plan(self, step: Step) -> PlanStep:
        return self._books[step.book].steps[step.step]

    def _put(self, step: Step) -> Step:
        self._steps[step.path] = step
        return step

    def _tell(self, kind: str, text: str, *, path: str = "", by: str = "", team: str = "", page: str = "") -> None:
        self._effects.append(Told(kind, text, path, by, team, page))
