"""Drills: a playbook is run in memory again and again, with other answers and outcomes, until every way in it was taken once."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from watchword.model.action import Action, Outcome, OutcomeStatus
from watchword.respond.approval import ApprovalRule
from watchword.respond.drill_values import Candidates
from watchword.respond.interpreter import advance
from watchword.respond.plan import Declared, Plan, PlanStep, StepType
from watchword.respond.run_state import (
    Advance,
    Answer,
    Answered,
    AskApproval,
    AskPerson,
    Begin,
    Decided,
    Effect,
    Fired,
    GoOn,
    Input,
    Perform,
    Performed,
    RunState,
    RunStatus,
    SetTimer,
    Step,
    StepStatus,
    TimerKind,
)
from watchword.respond.start_check import inner_starts

MOST_RUNS = 3_000
"""Runs of one drill; what is not covered by then is reported as missed."""
MOST_INPUTS = 20_000
"""Transitions of one run, so that a loop whose answers never end it does not hold the drill."""
BEGIN = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""When every drill takes place: a drill gives the same result on every day."""


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """One way out of a step."""

    book: str
    step: str
    way: str
    """``success``, ``failure``, ``true``, ``false``, ``case V``, ``branch N``, ``turn`` or ``exception`` (then `step` is empty)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that a drill gave: to which step, about what, and which."""

    book: str
    step: str
    about: str
    """``result``, or the variable."""
    chosen: str


@dataclass(frozen=True, slots=True)
class DrillRun:
    """One run of a drill."""

    status: RunStatus
    said: str
    choices: tuple[Choice, ...]
    ways: frozenset[Way]
    steps: tuple[tuple[str, StepStatus], ...]
    """Path and outcome of every step instance, in the order of reaching."""
    actions: tuple[Action, ...] = ()
    """What the gateway would have been given."""


@dataclass(frozen=True, slots=True)
class Drill:
    """What a drill covered."""

    wanted: frozenset[Way]
    runs: tuple[DrillRun, ...]
    """A few runs that take every way between them."""
    missed: tuple[Way, ...]
    """Ways that no answers lead to."""
    tried: int
    """How many runs it took to find these."""


def drill(
    books: Mapping[str, Plan],
    root: str,
    *,
    most_runs: int = MOST_RUNS,
    examples: Mapping[str, str] | None = None,
    refused: Callable[[Action], bool] = lambda _action: False,
) -> Drill:
    """Run a playbook with simulated people and responders until every way was taken, and return the runs that show it.

    Args:
        books: the playbook and all that it runs, by key.
        root: its key.
        most_runs: the bound on the search.
        examples: what a variable holds where any value of its type would do, by name.
        refused: tells whether an action cannot but fail, such as one without a target.
    """
    wanted, candidates = ways_of(books, root), Candidates(books, examples or {})
    covered: set[Way] = set()
    kept: list[DrillRun] = []
    asked: set[tuple[str, str, str, int]] = set()
    fresh: deque[tuple[int, ...]] = deque([()])
    later: deque[tuple[int, ...]] = deque()
    tried = 0
    while (fresh or later) and tried < most_runs and not wanted <= covered:
        prefix = (fresh or later).popleft()
        run, points = _Session(books, root, candidates, prefix, refused).play()
        tried += 1
        if run.ways & wanted - covered:
            covered |= run.ways
            kept.append(run)
        for place in range(len(prefix), min(len(points), 200)):
            point = points[place]
            for option in range(point.options):
                if option == point.chosen:
                    continue
                word = (point.book, point.step, point.about, option)
                (later if word in asked else fresh).append((*(one.chosen for one in points[:place]), option))
                asked.add(word)
        while len(later) > 10 * most_runs:
            later.pop()
    return Drill(wanted, tuple(_fewest(kept, wanted)), tuple(sorted(wanted - covered)), tried)


def ways_of(books: Mapping[str, Plan], root: str) -> frozenset[Way]:
    """Return every way out of every step that can be reached from the start or the exception, in the playbook and in those that it runs."""
    found: set[Way] = set()
    todo, seen = [root], set[str]()
    while todo:
        plan = books[todo.pop()]
        if plan.key in seen:
            continue
        seen.add(plan.key)
        if plan.exception:
            found.add(Way(plan.key, "", "exception"))
        for step in _reachable(plan):
            found |= {Way(plan.key, step.id, way) for way in _ways(step)}
            if step.type is StepType.PLAYBOOK:
                todo.append(step.book)
    return frozenset(found)


def _reachable(plan: Plan) -> Iterator[PlanStep]:
    todo, seen = [plan.start, plan.exception], {""}
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        step = plan.steps[name]
        yield step
        todo += [step.after_success, step.after_failure, *inner_starts(step)]


def _ways(step: PlanStep) -> Iterator[str]:
    if step.after_success:
        yield "success"
    if step.after_failure:
        yield "failure"
    if step.type is StepType.IF:
        yield from ("true", "false")
    elif step.type is StepType.WHILE:
        yield "turn"
    elif step.type is StepType.SWITCH:
        yield from (f"case {value}" for value in step.cases)
    elif step.type is StepType.PARALLEL:
        yield from (f"branch {number}" for number in range(1, len(step.next_steps) + 1))


def _fewest(runs: Sequence[DrillRun], wanted: frozenset[Way]) -> Iterator[DrillRun]:
    """Take the run that adds most, again and again: the usual greedy cover."""
    left = set(wanted)
    while left and runs:
        best = max(runs, key=lambda run: len(run.ways & left))
        if not best.ways & left:
            return
        left -= best.ways
        yield best


@dataclass(frozen=True, slots=True)
class _Point:
    book: str
    step: str
    about: str
    options: int
    chosen: int


class _Desk:
    def whole(self, action: Action) -> Action:
        return action

    def rule(self, action: Action, step: PlanStep) -> ApprovalRule:
        del action
        return step.approval or ApprovalRule()


class _Session:
    """One run in memory: people answer at once, responders do as they are told or fail, time passes when nothing else happens."""

    def __init__(
        self,
        books: Mapping[str, Plan],
        root: str,
        candidates: Candidates,
        prefix: Sequence[int],
        refused: Callable[[Action], bool],
    ) -> None:
        self._books, self._root, self._candidates, self._prefix, self._refused = books, root, candidates, prefix, refused
        self._now = BEGIN
        self._points: list[_Point] = []
        self._choices: list[Choice] = []
        self._times: Counter[tuple[str, str, str]] = Counter()
        self._ways: set[Way] = set()
        self._seen: dict[str, Step] = {}
        self._actions: list[Action] = []
        self._timers: dict[tuple[str, TimerKind, str], datetime] = {}
        self._todo: deque[Input] = deque()

    def play(self) -> tuple[DrillRun, list[_Point]]:
        state = RunState("drill", self._root, "drill", "drill", exercise=False)
        plan = self._books[self._root]
        external = {name: one for name, one in plan.variables.items() if one.external}
        self._todo.append(Begin({name: self._value(plan.key, plan.start, name, one) for name, one in external.items()}))
        for _ in range(MOST_INPUTS):
            if not self._todo and not self._pass_time(state):
                break
            made = advance(self._books, state, self._todo.popleft(), self._now, _Desk())
            self._note(made)
            state = made.state
            if state.status is not RunStatus.RUNNING:
                break
            self._todo.extend(given for effect in made.effects for given in self._answer(state, effect))
            if made.more:
                self._todo.append(GoOn())
        steps = sorted(self._seen.values(), key=lambda step: step.seq)
        ended = tuple((step.path, step.status) for step in steps)
        run = DrillRun(state.status, state.said, tuple(self._choices), frozenset(self._ways), ended, tuple(self._actions))
        return run, self._points

    def _pass_time(self, state: RunState) -> bool:
        open_ = {key: due for key, due in self._timers.items() if key[0] in state.steps and key[1] is TimerKind.DELAY}
        if not open_:
            return False
        key = min(open_, key=lambda one: (open_[one], one[0]))
        self._now = max(self._now, self._timers.pop(key))
        self._todo.append(Fired(key[0], key[1], key[2]))
        return True

    def _answer(self, state: RunState, effect: Effect) -> Iterator[Input]:
        if isinstance(effect, SetTimer):
            self._timers[effect.path, effect.kind, effect.clock] = effect.due
        elif isinstance(effect, AskApproval):
            yield Decided(effect.path, effect.action.digest, granted=True, approval="drill")
        elif isinstance(effect, AskPerson):
            step = state.steps[effect.path]
            self._now += timedelta(minutes=1)
            result = self._choose(step.book, step.step, "result", tuple(Answer))
            values = self._outputs(step) if result == Answer.DONE else {}
            yield Answered(effect.path, Answer(result), values, "drill", "", "")
        elif isinstance(effect, Perform):
            step = state.steps[effect.path]
            self._actions.append(effect.action)
            self._now += timedelta(seconds=1)
            possible = ("failed",) if self._refused(effect.action) else ("done", "failed")
            failed = self._choose(step.book, step.step, "result", possible) == "failed"
            status = OutcomeStatus.FAILED if failed else OutcomeStatus.DONE
            observed = {} if failed else self._outputs(step)
            yield Performed(effect.path, effect.work, Outcome(status, status.value, self._now, "drill", observed, not failed))

    def _outputs(self, step: Step) -> dict[str, str]:
        plan, book = self._books[step.book].steps[step.step], self._books[step.book]
        out = {}
        for name in plan.out_args:
            declared = plan.variables.get(name) or book.variables.get(name) or self._inner(book, name)
            out[name] = self._value(step.book, step.step, name, declared)
        return out

    def _inner(self, book: Plan, name: str) -> Declared:
        """Return the declaration of a variable that some composite step keeps."""
        return next((one.variables[name] for one in book.steps.values() if name in one.variables), Declared("string"))

    def _value(self, book: str, step: str, name: str, declared: Declared) -> str:
        return self._choose(book, step, name, self._candidates.of(name, declared), turning=True)

    def _choose(self, book: str, step: str, about: str, options: Sequence[str], *, turning: bool = False) -> str:
        """Choose as the prefix says, then the first option; of a value that is asked for again, the next one, so that loops end."""
        place, key = len(self._points), (book, step, about)
        chosen = self._prefix[place] if place < len(self._prefix) else (self._times[key] if turning else 0)
        chosen %= len(options)
        self._times[key] += 1
        self._points.append(_Point(book, step, about, len(options), chosen))
        self._choices.append(Choice(book, step, about, options[chosen]))
        return options[chosen]

    def _note(self, made: Advance) -> None:
        """Note which ways were taken in a transition."""
        for step in made.steps:
            if step.path not in self._seen:
                self._entered(step)
            self._seen[step.path] = step
        for step in made.steps:
            plan = self._books[step.book].steps[step.step]
            if step.status in {StepStatus.DONE, StepStatus.SKIPPED}:
                self._ways.add(Way(step.book, step.step, "success"))
                if plan.type is StepType.IF and not any(path.startswith(step.path + "/") for path in self._seen):
                    self._ways.add(Way(step.book, step.step, "false"))
            elif step.status is StepStatus.FAILED and plan.after_failure:
                self._ways.add(Way(step.book, step.step, "failure"))

    def _entered(self, step: Step) -> None:
        """Note the way that led into a step that is the first of its flow."""
        if step.flow.rpartition("/")[2] == "exception":
            self._ways.add(Way(step.book, "", "exception"))
            return
        owner, _, number = (step.flow, "", "") if step.flow in self._seen else _split(step.flow)
        outer = self._seen.get(owner)
        if outer is None:
            return
        plan = self._books[outer.book].steps[outer.step]
        if plan.type is StepType.WHILE:
            self._ways.add(Way(outer.book, outer.step, "turn"))
        elif plan.type is StepType.PARALLEL:
            self._ways.add(Way(outer.book, outer.step, f"branch {number}"))
        elif plan.type is StepType.IF and step.step in {plan.on_true, plan.on_false}:
            self._ways.add(Way(outer.book, outer.step, "true" if step.step == plan.on_true else "false"))
        elif plan.type is StepType.SWITCH:
            self._ways |= {Way(outer.book, outer.step, f"case {value}") for value, way in plan.cases.items() if way == step.step}


def _split(flow: str) -> tuple[str, str, str]:
    """Part the path of a branch or turn into its owner's path and its number."""
    at = max(flow.rfind("/"), flow.rfind("#"))
    return flow[:at], flow[at : at + 1], flow[at + 1 :]
