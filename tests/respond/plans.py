"""Plans written by hand for tests of the interpreter: short ids, no JSON."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from watchword.model.action import Outcome, OutcomeStatus
from watchword.respond.approval import ApprovalRule
from watchword.respond.condition import parse
from watchword.respond.interpreter import advance
from watchword.respond.plan import Declared, Machine, Plan, PlanStep, StepType
from watchword.respond.run_state import (
    Answer,
    Answered,
    AskApproval,
    AskPerson,
    Begin,
    Decided,
    Fired,
    GoOn,
    Perform,
    Performed,
    RunState,
    RunStatus,
    SetTimer,
    TimerKind,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def text(value=None, **more):
    return Declared("string", value, **more)


def number(value=None, **more):
    return Declared("integer", value, **more)


def act(name, follows="", *, verb="door.hold", targets=("door-1",), **more):
    machine = Machine(verb, targets, more.pop("parameters", {}))
    return PlanStep(name, StepType.ACTION, on_completion=follows, machine=machine, **more)


def ask(name, follows="", **more):
    return PlanStep(name, StepType.ACTION, on_completion=follows, words=more.pop("words", f"do {name}"), **more)


def step(kind, name, follows="", *, condition="", **more):
    read = parse(condition) if condition else None
    return PlanStep(name, StepType(kind), on_completion=follows, condition=read, condition_text=condition, **more)


def plan(*steps, key="p@1", exception="", first="", **variables):
    """A playbook: start, the given steps in a row as they say, and an end called end."""
    first = first or steps[0].id
    every = [PlanStep("start", StepType.START, on_completion=first), *steps, PlanStep("end", StepType.END)]
    names = {f"__{name}__": one for name, one in variables.items()}
    return Plan(key, key, "start", exception, {one.id: one for one in every}, names)


class Desk:
    """Nobody but the playbook asks for approval."""

    def whole(self, action):
        return action

    def rule(self, _action, planned):
        return planned.approval or ApprovalRule()


class Table:
    """A run in memory that tests move by hand."""

    def __init__(self, *plans, values=None, exercise=False):
        self.books = {one.key: one for one in plans}
        self.state = RunState("run", plans[0].key, "incident", "ana", exercise)
        self.now = NOON
        self.effects, self.history, self.last = [], {}, None
        self.give(Begin(values or {}))

    def give(self, given):
        made = advance(self.books, self.state, given, self.now, Desk())
        self.state, self.last = made.state, made
        self.effects += made.effects
        self.history.update({one.path: one for one in made.steps})
        while made.more:
            return self.give(GoOn())
        return made

    def open(self, kind):
        """The newest unanswered effects of a kind, by path."""
        found = {one.path: one for one in self.effects if isinstance(one, kind)}
        return {path: one for path, one in found.items() if path in self.state.steps}

    def done(self, path, observed=None, *, status=OutcomeStatus.DONE, verified=True, work=0, code=""):
        self.give(Performed(path, work, Outcome(status, status.value, self.now, "twin", observed or {}, verified, code)))

    def fail(self, path, **more):
        self.done(path, status=OutcomeStatus.FAILED, verified=None, **more)

    def answer(self, path, result="done", **values):
        self.give(Answered(path, Answer(result), {f"__{name}__": value for name, value in values.items()}, "bo", "it"))

    def decide(self, path, granted=True):
        asked = self.open(AskApproval)[path]
        self.give(Decided(path, asked.action.digest, granted, "request", "" if granted else "vetoed", "no"))

    def later(self, **span):
        self.now += timedelta(**span)

    def status(self, path):
        return self.history[path].status.value

    @property
    def ended(self):
        return self.state.status.value

    @property
    def order(self):
        return [one.path for one in sorted(self.history.values(), key=lambda one: one.seq)]


__all__ = [
    "NOON", "AskApproval", "AskPerson", "Fired", "Perform", "RunStatus", "SetTimer", "Table", "TimerKind", "act", "ask", "number",
    "plan", "replace", "step", "text",
]  # fmt: skip
