"""The interpreter: (pinned playbooks, run state, what came in, now) → (state, what is asked for); it does nothing itself."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from watchword.respond.acting import Acting, Desk
from watchword.respond.condition import ConditionFailed, evaluate
from watchword.respond.plan import MOST_TURNS, Plan, PlanStep, StepType
from watchword.respond.run_state import (
    Advance,
    Answered,
    Begin,
    Cancel,
    Decided,
    Fired,
    Flow,
    FlowKind,
    GoOn,
    Input,
    Performed,
    RunState,
    RunStatus,
    SetTimer,
    Step,
    StepStatus,
    TimerKind,
)
from watchword.respond.variables import fits

BOUND = 200
"""Steps begun in one transition, so that a loop without actions holds no transaction for long."""
MOST_STEPS = 100_000
"""Step instances of one run: the bound on what a run can grow to."""


def advance(books: Mapping[str, Plan], state: RunState, given: Input, now: datetime, desk: Desk) -> Advance:
    """Make one transition. What no longer fits the state (a late outcome, a second answer) changes nothing.

    Args:
        books: the pinned playbooks by key, the run's own and those that it runs.
        state: what is open.
        given: what came in.
        now: the moment of the transition; the interpreter has no clock.
        desk: what is asked about an action.
    """
    walk = _Walk(books, state, now, desk)
    walk.take(given)
    return walk.finish()


class _Walk(Acting):
    # what comes in

    def take(self, given: Input) -> None:
        if self._state.status is not RunStatus.RUNNING:
            return
        if isinstance(given, Begin):
            self._begin_run(given)
        elif isinstance(given, Cancel):
            self._cancel_run(given)
        elif isinstance(given, GoOn):
            ready = [step for step in self._steps.values() if step.status is StepStatus.READY]
            self._queue.extend(step.path for step in sorted(ready, key=lambda step: step.seq))
        elif (step := self._steps.get(given.path)) is not None:
            if isinstance(given, Fired):
                self._fired(step, given)
            elif isinstance(given, Decided):
                self._decided(step, given)
            elif isinstance(given, Answered):
                self._answered(step, given)
            elif isinstance(given, Performed):
                self._performed(step, given.work, given.outcome)
            else:
                self._overran(step, given)
        self._walk_on()

    def finish(self) -> Advance:
        kept = self._state
        state = replace(kept, steps=self._steps, flows=self._flows)
        steps = [step for path, step in self._steps.items() if kept.steps.get(path) != step]
        flows = [flow for path, flow in self._flows.items() if kept.flows.get(path) != flow]
        closed = tuple(path for path in kept.flows if path not in self._flows)
        changed = sorted([*steps, *self._ended.values()], key=lambda step: step.seq)
        return Advance(state, tuple(self._effects), tuple(changed), tuple(flows), closed, more=bool(self._queue))

    def _begin_run(self, given: Begin) -> None:
        plan = self._books[self._state.book]
        values = {name: one.value for name, one in plan.variables.items()} | dict(given.values)
        self._flows[""] = Flow("", FlowKind.PLAYBOOK, "", plan.key, values=values)
        mark = " (exercise)" if self._state.exercise else ""
        self._tell("run", f"Playbook {plan.name!r} started by {self._state.requested_by}{mark}", by=self._state.requested_by)
        self._reach("", plan.start)

    def _cancel_run(self, given: Cancel) -> None:
        self._drop(list(self._steps), "cancelled", f"{given.by} ended the run: {given.reason}")
        self._flows.clear()
        self._end_run(RunStatus.CANCELLED, "cancelled", f"{given.by} ended the run: {given.reason}", by=given.by)

    def _fired(self, step: Step, given: Fired) -> None:
        late = ", late" if given.late else ""
        if given.kind is TimerKind.DELAY and step.status is StepStatus.DELAYED:
            self._start(step)
        elif given.kind is TimerKind.TIMEOUT:
            self._time_out(step)
        elif given.kind is TimerKind.SLA:
            plan = self._plan(step)
            breach = next((sla for sla in plan.slas if sla.key == given.clock), None)
            page = "team" if breach is not None and breach.on_breach == "page" else ""
            what, _, within = given.clock.partition("/")
            text = f"Step {plan.title!r}: the {within} to {what} are over{late}"
            self._tell("timer", text, path=step.path, team=plan.team, page=page)

    def _time_out(self, step: Step) -> None:
        inside = (step.path + "/", step.path + "#")
        self._drop([path for path in self._steps if path.startswith(inside)], "cancelled", "the step around it ran out of time")
        for path in [path for path, flow in self._flows.items() if flow.owner and (flow.owner == step.path or path.startswith(inside))]:
            del self._flows[path]
        self._end(step, StepStatus.FAILED, "ACTION_TIMEOUT", f"{self._plan(step).title!r} did not end within its time ({step.path})")

    # walking

    def _walk_on(self) -> None:
        begun = 0
        while self._queue and begun < BOUND:
            step = self._steps.get(self._queue.popleft())
            begun += 1
            if step is not None and step.status is StepStatus.READY:
                delay = self._plan(step).delay
                if delay:
                    self._put(replace(step, status=StepStatus.DELAYED))
                    self._effects.append(SetTimer(step.path, TimerKind.DELAY, self._now + delay))
                else:
                    self._start(step)

    def _reach(self, flow: str, step: str) -> None:
        home = self._flows[flow]
        reached = self._state.reached + 1
        self._state = replace(self._state, reached=reached)
        if reached > MOST_STEPS:
            self._close(home, "too_many_steps", f"the run has reached its bound of {MOST_STEPS} steps")
            return
        path = f"{flow}/{step}" if flow else step
        self._put(Step(path, step, flow, home.book, reached, StepStatus.READY, self._now))
        self._queue.append(path)

    def _start(self, step: Step) -> None:
        plan = self._plan(step)
        values = {name: one.value for name, one in plan.variables.items()}
        step = self._put(replace(step, began_at=self._now, values=values, status=StepStatus.OPEN))
        for sla in plan.slas:
            self._effects.append(SetTimer(step.path, TimerKind.SLA, self._now + sla.within, sla.key, sla.on_breach))
        if plan.timeout is not None and plan.machine is None:  # a machine's time is measured where it works
            self._effects.append(SetTimer(step.path, TimerKind.TIMEOUT, self._now + plan.timeout))
        _KINDS[plan.type](self, step, plan)

    def _pass(self, step: Step, plan: PlanStep) -> None:
        del plan
        self._end(step, StepStatus.DONE, "", "")

    def _parallel(self, step: Step, plan: PlanStep) -> None:
        for number in range(1, len(plan.next_steps) + 1):
            path = f"{step.path}/{number}"
            self._flows[path] = Flow(path, FlowKind.BRANCH, step.path, step.book, number)
        for number, first in enumerate(plan.next_steps, 1):
            self._reach(f"{step.path}/{number}", first)

    def _if(self, step: Step, plan: PlanStep) -> None:
        true = self._holds(step, plan)
        if true is not None:
            self._choose(step, plan.on_true if true else plan.on_false)

    def _switch(self, step: Step, plan: PlanStep) -> None:
        seen = self._scopes.visible(step.path).get(plan.switch)
        if seen is None or seen.value is None:
            self._end(step, StepStatus.FAILED, "unknown_value", f"{plan.switch} has no value to choose by")
        elif (way := plan.cases.get(seen.value) or plan.cases.get("default")) is None:
            self._end(step, StepStatus.FAILED, "no_case", f"no case is {seen.value!r}, and there is no default")
        else:
            self._choose(step, way)

    def _while(self, step: Step, plan: PlanStep) -> None:
        true = self._holds(step, plan)
        if true is None:
            return
        limit = min(plan.loop_limit, MOST_TURNS)
        if not true:
            self._end(step, StepStatus.DONE, "", f"{step.turn} turns")
        elif step.turn >= limit:
            self._end(step, StepStatus.FAILED, "loop_limit", f"the condition still holds after {limit} turns")
        else:
            step = self._put(replace(step, turn=step.turn + 1))
            path = f"{step.path}#{step.turn}"
            self._flows[path] = Flow(path, FlowKind.TURN, step.path, step.book, step.turn)
            self._reach(path, plan.on_true)

    def _playbook(self, step: Step, plan: PlanStep) -> None:
        inner = self._books[plan.book]
        values = {name: one.value for name, one in inner.variables.items()}
        seen = self._scopes.visible(step.path)
        for name in plan.in_args:
            if name not in seen or name not in inner.variables:
                self._end(step, StepStatus.FAILED, "undeclared_variable", f"{name} is not known on both sides of the call")
                return
            if not _fitting(inner.variables[name].type, seen[name].value):
                self._end(step, StepStatus.FAILED, "variable_type", f"{name} does not fit {inner.variables[name].type} in {inner.name!r}")
                return
            values[name] = seen[name].value
        if lacking := [name for name, one in inner.variables.items() if one.external and values[name] is None]:
            self._end(step, StepStatus.FAILED, "missing_variable", f"{inner.name!r} wants a value for {', '.join(lacking)}")
            return
        self._flows[step.path] = Flow(step.path, FlowKind.PLAYBOOK, step.path, inner.key, values=values)
        self._reach(step.path, inner.start)

    def _choose(self, step: Step, way: str) -> None:
        if not way:
            self._end(step, StepStatus.DONE, "", "")
            return
        self._flows[step.path] = Flow(step.path, FlowKind.CHOICE, step.path, step.book)
        self._reach(step.path, way)

    def _holds(self, step: Step, plan: PlanStep) -> bool | None:
        assert plan.condition is not None, "the plan gives every condition"  # noqa: S101 - lint refused the playbook otherwise
        try:
            return evaluate(plan.condition, self._scopes.visible(step.path))
        except ConditionFailed as error:
            self._end(step, StepStatus.FAILED, "condition", str(error))
            return None

    # ending

    def _end(self, step: Step, status: StepStatus, code: str, said: str) -> None:
        """End a step and go where the playbook sends: onwards, or outwards with a failure."""
        plan = self._plan(step)
        ended = replace(step, status=status, ended_at=self._now, code=code, said=said)
        self._steps.pop(step.path)
        self._ended[step.path] = ended
        if plan.type is StepType.ACTION or status is StepStatus.FAILED:
            what = said if status is not StepStatus.FAILED else f"{said} ({code})"
            self._tell("step", f"Step {plan.title!r} {status.value}: {what}", path=step.path, by=step.by, team=step.team or plan.team)
        flow = self._flows[step.flow]
        follows = plan.after_failure if status is StepStatus.FAILED else plan.after_success
        if plan.type is StepType.END:
            self._close(flow, "", "")
        elif follows:
            self._reach(step.flow, follows)
        elif status is StepStatus.FAILED:
            self._close(flow, code, f"{plan.title!r}: {said}" if flow.kind is not FlowKind.TURN else said)
        else:
            self._close(flow, "no_successor", f"nothing follows {plan.title!r}")

    def _close(self, flow: Flow, code: str, said: str) -> None:
        if flow.kind is FlowKind.BRANCH:
            self._close_branch(flow, code, said)
        elif flow.kind is FlowKind.PLAYBOOK:
            self._close_playbook(flow, code, said)
        elif flow.kind is FlowKind.EXCEPTION:
            del self._flows[flow.path]
            self._close_handled(self._flows[flow.owner], code, said)
        else:
            del self._flows[flow.path]
            owner = self._steps[flow.owner]
            if code:
                self._end(owner, StepStatus.FAILED, code, said)
            elif flow.kind is FlowKind.TURN:
                self._while(owner, self._plan(owner))
            else:
                self._end(owner, StepStatus.DONE, "", "")

    def _close_branch(self, flow: Flow, code: str, said: str) -> None:
        self._flows[flow.path] = replace(self._flows[flow.path], ended=True, code=code, said=said)
        branches = sorted((one for one in self._flows.values() if one.owner == flow.owner), key=lambda one: one.number)
        if not all(one.ended for one in branches):
            return
        self._scopes.join(flow.owner)
        for one in branches:
            del self._flows[one.path]
        owner = self._steps[flow.owner]
        if failed := [one for one in branches if one.code]:
            which = "; ".join(f"branch {one.number}: {one.said}" for one in failed)
            self._end(owner, StepStatus.FAILED, "branch_failed", which)
        else:
            self._end(owner, StepStatus.DONE, "", f"{len(branches)} branches")

    def _close_playbook(self, flow: Flow, code: str, said: str) -> None:
        plan = self._books[flow.book]
        if code and plan.exception and not flow.caught:
            self._flows[flow.path] = replace(flow, caught=True, code=code, said=said)
            path = f"{flow.path}/exception" if flow.path else "exception"
            self._flows[path] = Flow(path, FlowKind.EXCEPTION, flow.path, flow.book)
            self._tell("run", f"Playbook {plan.name!r} goes to its exception flow: {said}", path=flow.path)
            self._reach(path, plan.exception)
        elif not flow.owner:
            del self._flows[flow.path]
            self._end_run(RunStatus.FAILED if code else RunStatus.COMPLETED, code, said)
        else:
            self._return(flow, code, said)

    def _close_handled(self, flow: Flow, code: str, said: str) -> None:
        del self._flows[flow.path]
        if not flow.owner:
            status = RunStatus.FAILED if code else RunStatus.HANDLED
            self._end_run(status, code or flow.code, f"{flow.said}; then in the exception flow: {said}" if code else flow.said)
        else:
            self._end(self._steps[flow.owner], StepStatus.FAILED, flow.code, flow.said)

    def _return(self, flow: Flow, code: str, said: str) -> None:
        del self._flows[flow.path]
        owner = self._steps[flow.owner]
        if code:
            self._end(owner, StepStatus.FAILED, code, said)
        elif self._store_out(owner, {name: value for name, value in flow.values.items() if value is not None}):
            self._end(self._steps[owner.path], StepStatus.DONE, "", f"{self._books[flow.book].name!r} ended")

    def _end_run(self, status: RunStatus, code: str, said: str, by: str = "") -> None:
        self._queue.clear()
        self._state = replace(self._state, status=status, code=code, said=said)
        page = "lead" if status is RunStatus.FAILED else ""
        text = f"Playbook {self._books[self._state.book].name!r} {status.value}" + (f": {said}" if said else "")
        self._tell("run", text, by=by, page=page)

    def _drop(self, paths: list[str], code: str, said: str) -> None:
        for path in paths:
            step = self._steps.pop(path)
            self._ended[path] = replace(step, status=StepStatus.CANCELLED, ended_at=self._now, code=code, said=said)


def _fitting(kind: str, value: str | None) -> bool:
    return value is None or fits(kind, value)


_KINDS: Mapping[StepType, Callable[[_Walk, Step, PlanStep], None]] = {
    StepType.START: _Walk._pass,  # noqa: SLF001 - the table of the class's own methods
    StepType.END: _Walk._pass,  # noqa: SLF001 - as above
    StepType.ACTION: _Walk._act,  # noqa: SLF001 - as above
    StepType.PARALLEL: _Walk._parallel,  # noqa: SLF001 - as above
    StepType.IF: _Walk._if,  # noqa: SLF001 - as above
    StepType.SWITCH: _Walk._switch,  # noqa: SLF001 - as above
    StepType.WHILE: _Walk._while,  # noqa: SLF001 - as above
    StepType.PLAYBOOK: _Walk._playbook,  # noqa: SLF001 - as above
}
