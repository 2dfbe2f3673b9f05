"""Drills on the real machinery: every run that covers a playbook's ways is played again by durable runs, approvals and the gateway."""

import tempfile
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from watchword.app.drill_house import DrillHouse, drill_house, failing, refused, stand_ins
from watchword.kit.errors import ContentError, Fault, WatchwordError
from watchword.respond.approval import ApprovalState, Approver, say_rule
from watchword.respond.asked_service import ApprovalView
from watchword.respond.drill import Drill, DrillRun, Way, drill
from watchword.respond.plan import Plan
from watchword.respond.run_move_service import plans_of
from watchword.respond.run_state import Answer, RunStatus
from watchword.respond.run_view import RunView, WaitView

MOST_TURNS: Final = 5_000
"""Answers and decisions of one run; a playbook that asks for more is given up."""
READING: Final = timedelta(seconds=30)
"""How long an approver reads, and a person takes to look."""
BY: Final = "drill"


@dataclass(frozen=True, slots=True)
class Played:
    """One run, as the real machinery played it."""

    number: int
    status: str
    said: str
    ways: tuple[Way, ...]
    """What this run takes first."""
    steps: tuple[str, ...]
    """Every step instance in the order of reaching, with how it ended."""
    actions: tuple[str, ...]
    """What the gateway was given, and what came of it."""
    approvals: tuple[str, ...]
    """Who was asked for what, and what they said."""
    refusals: tuple[str, ...]
    """What interlock, approvers and devices did not do, and why."""
    faults: tuple[str, ...]
    """Where it went another way than the drill found; nothing of this is as it should be."""


@dataclass(frozen=True, slots=True)
class Drilled:
    """What a drill of one playbook showed."""

    playbook: str
    name: str
    found: Drill
    plans: Mapping[str, Plan]
    played: tuple[Played, ...]

    @property
    def good(self) -> bool:
        """Tell whether every way was taken and every run went as it should."""
        return not self.found.missed and not any(one.faults for one in self.played)

    def words(self, way: Way) -> str:
        """Return a way in words: ``Is the place missing? → true``."""
        plan = self.plans[way.book]
        title = plan.steps[way.step].title if way.step else plan.name
        return f"{title} \N{RIGHTWARDS ARROW} {way.way}"


def drill_texts(texts: Sequence[str | bytes], values: Mapping[str, str] | None = None, *, most: int | None = None) -> Drilled:
    """Drill a playbook: find runs that take its every way, then play each on twins in a passing folder.

    Args:
        texts: CACAO JSON of the playbook, then of all that it runs.
        values: what its variables hold where any text would do, by name; for the rest there are things of the drill's own house.
        most: play so many of the runs at most; all, when nothing is said.

    Raises:
        ContentError: a text is no playbook.
        RunRefused: something stands against starting it.
    """
    with tempfile.TemporaryDirectory(prefix="watchword-drill-") as folder, drill_house(Path(folder)) as house:
        kept = [house.library.put(text, BY) for text in texts]
        faults = [Fault(one.name, fault.line, f"{fault.code}: {fault.text}") for one in kept for fault in one.errors]
        if faults:
            raise ContentError(faults)
        root = f"{kept[0].id}@{kept[0].modified}"
        plans = plans_of({f"{one.id}@{one.modified}": (one.text, True) for one in kept})
        known = stand_ins(plans) | dict(values or {})
        found = drill(plans, root, examples=known, refused=lambda action: refused(action, house))
        played = []
        taken: set[Way] = set()
        for number, run in enumerate(found.runs[:most], 1):
            ways = tuple(sorted(run.ways & found.wanted - taken))
            taken |= run.ways
            played.append(_Replay(house, plans, run).play(number, kept[0].id, ways))
        return Drilled(kept[0].id, kept[0].name, found, plans, tuple(played))


class _Replay:
    """Plays one run: gives the same answers, lets the same actions fail."""

    def __init__(self, house: DrillHouse, plans: Mapping[str, Plan], run: DrillRun) -> None:
        self._house, self._run = house, run
        self._steps = {step.id: step for plan in plans.values() for step in plan.steps.values()}
        self._starts = {plan.start for plan in plans.values()}
        self._choices: dict[tuple[str, str], deque[str]] = defaultdict(deque)
        for choice in run.choices:
            self._choices[choice.step, choice.about].append(choice.chosen)
        self._refusals: list[str] = []
        self._faults: list[str] = []

    def play(self, number: int, playbook: str, ways: tuple[Way, ...]) -> Played:
        values = {about: self._next(step, about, "") for step, about in list(self._choices) if step in self._starts}
        self._house.twins.fails = lambda action: self._next(_step(action.path), "result", "done") == "failed"
        uid = self._house.runs.start(playbook, "", values, BY, exercise=True)
        view = self._carried(uid)
        faults = [*self._faults, *self._differences(view)]
        steps = tuple(f"{one.name or one.type}: {one.status.value}" for one in view.steps)
        actions = tuple(f"{one.verb} {one.target}: {one.status}" for one in view.attempts)
        asked = tuple(_words(one) for one in self._house.approvals.of_run(uid))
        refused = tuple(f"{one.verb} {one.target}: {one.said}" for one in view.attempts if one.status != "done")
        refused += tuple(self._refusals)
        return Played(number, view.status.value, view.said, ways, steps, actions, asked, refused, tuple(faults))

    def _carried(self, uid: str) -> RunView:
        house = self._house
        house.runs.step(house.clock.now())
        for _ in range(MOST_TURNS):
            view = house.runs.get(uid)
            if view.status is not RunStatus.RUNNING:
                return view
            house.clock.advance(READING)
            waits = sorted(view.waits, key=lambda wait: wait.kind != "approval")
            if waits:
                self._serve(uid, waits[0])
            elif not self._pass_time(view):
                self._faults.append("the run waits for nobody and nothing")
                house.runs.cancel(uid, BY, "it waits for nobody")
            house.runs.step(house.clock.now())
        self._faults.append(f"the run had not ended after {MOST_TURNS} answers")
        house.runs.cancel(uid, BY, "too long")
        return house.runs.get(uid)

    def _serve(self, uid: str, wait: WaitView) -> None:
        try:
            if wait.kind == "approval":
                self._decide(wait)
            else:
                self._answer(uid, wait)
        except WatchwordError as error:
            self._faults.append(f"{wait.title}: {error}")
            self._house.runs.cancel(uid, BY, "the drill could not answer")

    def _pass_time(self, view: RunView) -> bool:
        due = [timer.due_at for timer in view.timers if timer.closed_at is None and timer.kind == "delay"]
        if due:
            self._house.clock.at = max(self._house.clock.at, min(due))
        return bool(due)

    # people

    def _answer(self, uid: str, wait: WaitView) -> None:
        step = self._steps[_step(wait.path)]
        result = self._next(step.id, "result", Answer.DONE.value)
        values = {name: self._next(step.id, name, "") for name in wait.out_args} if result == Answer.DONE else {}
        evidence = [f"drill-{place}" for place in range(step.evidence)]
        self._house.runs.answer(uid, wait.path, result, values, BY, wait.team, "", evidence)

    def _decide(self, wait: WaitView) -> None:
        house, view = self._house, self._house.approvals.get(wait.ref)
        step = self._steps[_step(wait.path)]
        kept = self._choices[step.id, "result"]
        fails = step.machine is not None and bool(kept) and kept[0] == "failed"
        how = failing(view.action, house) if fails else ""
        if how in {"refused", "fire", "veto"}:  # no device will be asked
            kept.popleft()
        shown = house.clock.now()
        for person in _approvers(view):
            if how == "veto":
                house.approvals.decide(view.uid, person, False, "the drill says no here", view.digest, shown)
                self._refusals.append(f"{view.action.verb} {view.action.target}: {person.team} said no")
                return
            if house.approvals.decide(view.uid, person, True, "", view.digest, shown).state is not ApprovalState.WAITING:
                break
        with house.fire.burning() if how == "fire" else nullcontext():
            house.runs.step(house.clock.now())

    # choices

    def _next(self, step: str, about: str, default: str) -> str:
        kept = self._choices[step, about]
        return kept.popleft() if kept else default

    def _differences(self, view: RunView) -> Iterator[str]:
        """Yield where the machinery went another way than the drill."""
        wanted, was = dict(self._run.steps), {one.path: one for one in view.steps}
        for path in sorted(wanted.keys() | was.keys()):
            one, title = was.get(path), self._steps[_step(path)].title
            if one is None:
                yield f"{title}: was not reached"
            elif path not in wanted:
                yield f"{title}: was reached"
            elif one.status is not wanted[path]:
                yield f"{title}: {one.status.value} and not {wanted[path].value}: {one.said}"
        if view.status is not self._run.status:
            yield f"the run is {view.status.value} and not {self._run.status.value}: {view.said}"


def _step(path: str) -> str:
    """Return the step of which a path names an instance."""
    return path.rpartition("/")[2].partition("#")[0]


def _approvers(view: ApprovalView) -> Iterator[Approver]:
    """Yield people who may answer, of one team after the other, none of whom asked."""
    teams = sorted(view.rule.of) or ["it", "physical", "management"]
    for number in range(max(view.rule.count, 1)):
        team = teams[number % len(teams)]
        yield Approver(f"{BY}-{team}-{number}", f"{team} {number}", team)


def _words(view: ApprovalView) -> str:
    action = view.action
    what = action.target if action.verb == "manual.do" else f"{action.verb} {action.target}"
    return f"{what}: {say_rule(view.rule)}: {view.state.value}"
