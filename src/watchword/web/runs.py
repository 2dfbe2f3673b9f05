"""Runs: the list, and one run live: where it stands, whom it waits for, what was done and refused, and what people do there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.responses import Response

from watchword.app.dry_run import dry_run
from watchword.kit.errors import Conflict, InputError, WatchwordError
from watchword.model.playbook import Playbook
from watchword.respond.approval import say_rule
from watchword.respond.asked_service import ApprovalView
from watchword.respond.deed_service import Deed
from watchword.respond.interlock import INTERLOCK_CODES
from watchword.respond.library_view import KeptPlaybook
from watchword.respond.plan_making import plan_of
from watchword.respond.playbook_flow import flow_of
from watchword.respond.run_service import RunFilter
from watchword.respond.run_state import RunStatus, StepStatus
from watchword.respond.run_view import RunView, StepView, TimerView
from watchword.web.asked import INSTEAD, answer_form, words_of
from watchword.web.forms import Fields
from watchword.web.pages import UID, Ask, Asked, Responding
from watchword.web.playbook_graph import Standing, playbook_svg

router = APIRouter()
ROWS: Final = 100
MOST_STEPS: Final = 300
"""Newest step instances that a page shows."""
MOST_ATTEMPTS: Final = 60
VALUE: Final = "v."
"""What fields for output variables begin with."""
STATES: Final = {
    StepStatus.READY: ("now", "about to begin"),
    StepStatus.DELAYED: ("waits", "waits for its time"),
    StepStatus.APPROVAL: ("waits", "waits for approval"),
    StepStatus.ACTING: ("now", "being done"),
    StepStatus.ASKING: ("waits", "waits for a person"),
    StepStatus.OPEN: ("now", "running"),
    StepStatus.DONE: ("done", "done"),
    StepStatus.SKIPPED: ("off", "not applicable"),
    StepStatus.FAILED: ("failed", "failed"),
    StepStatus.CANCELLED: ("off", "cancelled"),
}
TIMER_WORDS: Final = {"delay": "Begins", "timeout": "Fails", "sla": "Due"}
SHOWN: Final = {
    "running": (RunStatus.RUNNING,),
    "ended": (RunStatus.COMPLETED, RunStatus.HANDLED, RunStatus.FAILED, RunStatus.CANCELLED),
    "all": (),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that waits for a person's record."""

    path: str
    number: int
    title: str
    words: str
    team: str
    owner: str
    opened_at: Any
    fields: tuple[tuple[str, str, str, str], ...]
    """Output variables: name, type, description, value so far."""
    evidence: int
    timers: tuple[TimerView, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """A request for approval of this run that waits."""

    view: ApprovalView
    words: str
    rule_words: str
    form: Mapping[str, Any]


@router.get("/runs")
def runs(ask: Asked, show: str = "running", playbook: str = "") -> Response:
    """List runs, the newest first."""
    position = ask.watchword.ledger.last_position()
    return ask.page("runs/list.html", position=position, **list_context(ask, {"show": show, "playbook": playbook}))


def list_context(ask: Ask, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the list of runs that an address asks for, each with whom it waits for."""
    show = parameters.get("show", "running")
    show = show if show in SHOWN else "running"
    wanted = RunFilter(playbook=parameters.get("playbook", "")[:80], status=SHOWN[show], limit=ROWS)
    found = ask.watchword.response.runs.list(wanted)
    waits: dict[str, list[Any]] = {}
    for wait in ask.watchword.response.runs.waits():
        waits.setdefault(wait.run, []).append(wait)
    return {"runs": found, "waits": waits, "show": show, "shows": list(SHOWN), "numbers": _numbers(ask, found), "most": ROWS}


def _numbers(ask: Ask, found: list[RunView]) -> dict[str, tuple[int, str]]:
    """Return number and title of the incidents that runs belong to."""
    return ask.watchword.response.incidents.reader.names({run.incident for run in found if run.incident})


@router.get("/runs/{uid}")
def run_page(ask: Asked, uid: str) -> Response:
    """Show one run."""
    return _page(ask, uid)


def _page(ask: Ask, uid: str, status: int = 200, fault: str = "", where: str = "", typed: Mapping[str, str] | None = None) -> Response:
    position = ask.watchword.ledger.last_position()
    context = run_context(ask, uid) | {"fault": fault, "where": where, "typed": typed or {}}
    return ask.page("runs/run.html", status, position=position, **context)


def run_context(ask: Ask, uid: str) -> dict[str, Any]:
    """Return everything that a run's page shows."""
    response = ask.watchword.response
    view = response.runs.get(uid)
    playbook, kept = response.runs.pinned(uid), _kept(ask, view)
    flow = flow_of(playbook)
    numbers = flow.numbers
    standings = {name: one for name, one in standings_of(view).items() if name in playbook.workflow}
    picture = playbook_svg(
        playbook, flow=flow, standings=standings, beyond=f"{ask.url(f'/playbooks/{view.playbook}', version=view.modified)}#step-{{}}"
    )
    incident = _numbers(ask, [view]).get(view.incident)
    return {
        "run": view,
        "incident": incident,
        "kept": kept,
        "picture": picture,
        "numbers": numbers,
        "states": STATES,
        "waiting": sorted(_waiting(view, playbook, numbers), key=lambda one: one.team not in {ask.who.team.value, ""}),
        "asking": [_asking(ask, one) for one in response.approvals.of_run(uid) if one.state.value == "waiting"],
        "decided": [(one, words_of(ask, one)) for one in response.approvals.of_run(uid) if one.state.value != "waiting"],
        "timers": [(one, _name_at(view, one.path)) for one in view.timers if one.closed_at is None and one.fired_at is None],
        "missed": [(one, _name_at(view, one.path)) for one in view.timers if one.fired_at is not None and one.kind == "sla"],
        "timer_words": TIMER_WORDS,
        "log": view.steps[::-1][:MOST_STEPS],
        "deeds": _deeds(ask, view),
        "insteads": INSTEAD,
        "interlock": INTERLOCK_CODES,
        "ended": view.status is not RunStatus.RUNNING,
        "same": kept is not None and kept.sha256 == view.sha256,
        "by_hand": lambda deed: _by_hand(ask, deed),
        "step_count": len(playbook.workflow),
    }


def _kept(ask: Ask, view: RunView) -> KeptPlaybook | None:
    """Return the version that the run is pinned to, as the library has it now; None when it has it no more."""
    try:
        return ask.watchword.response.library.get(view.playbook, view.modified)
    except WatchwordError:
        return None


def standings_of(view: RunView) -> dict[str, Standing]:
    """Return where a run stands at each step that it has reached: of a step that was reached more than once, the newest."""
    counts: dict[str, int] = {}
    newest: dict[str, StepView] = {}
    for step in view.steps:
        counts[step.step] = counts.get(step.step, 0) + 1
        newest[step.step] = step
    return {name: Standing(*STATES[step.status], counts[name]) for name, step in newest.items()}


def _waiting(view: RunView, playbook: Playbook, numbers: Mapping[str, int]) -> list[Waiting]:
    steps = {step.path: step for step in view.steps}
    plan = plan_of(playbook, "", (), {})
    found = []
    for wait in view.waits:
        if wait.kind != "person":
            continue
        step = steps.get(wait.path)
        planned = plan.steps.get(step.step) if step else None
        fields = []
        for name in wait.out_args:
            declared = (planned.variables.get(name) if planned else None) or plan.variables.get(name)
            known = view.variables.get(name) or ""
            fields.append((name, declared.type if declared else "string", declared.description if declared else "", known))
        timers = tuple(one for one in view.timers if one.path == wait.path and one.closed_at is None)
        found.append(
            Waiting(
                wait.path,
                numbers.get(step.step, 0) if step else 0,
                wait.title,
                wait.words,
                wait.team,
                wait.owner,
                wait.opened_at,
                tuple(fields),
                planned.evidence if planned else 0,
                timers,
            )
        )
    return found


def _asking(ask: Ask, view: ApprovalView) -> Asking:
    return Asking(view, words_of(ask, view), say_rule(view.rule), answer_form(ask, view))


def _deeds(ask: Ask, view: RunView) -> dict[str, list[tuple[Any, Deed | None]]]:
    """Return the actions that were handed to the gateway, by step instance, with what is kept of each."""
    found: dict[str, list[tuple[Any, Deed | None]]] = {}
    for attempt in view.attempts[-MOST_ATTEMPTS:]:
        found.setdefault(attempt.path, []).append((attempt, ask.watchword.response.gateway.deed(attempt.key)))
    return found


def _by_hand(ask: Ask, deed: Deed) -> str:
    verb = ask.watchword.response.gateway.catalogue.verbs.get(deed.sent.verb)
    return verb.by_hand(deed.sent, ask.label(deed.sent.target)) if verb else ""


def _name_at(view: RunView, path: str) -> str:
    return next((step.name for step in reversed(view.steps) if step.path == path), "")


@router.get("/runs/{uid}/dry-run")
def preview(ask: Responding, uid: str) -> Response:
    """Show what the actions of the run's playbook would do with what is known now."""
    view = ask.watchword.response.runs.get(uid)
    playbook = ask.watchword.response.runs.pinned(uid)
    found, more = dry_run(ask.watchword, playbook, view.variables, incident=view.incident, by=ask.who.actor, exercise=view.exercise)
    reached = {step.step: STATES[step.status][1] for step in view.steps}
    return ask.page(
        "runs/dry_run.html",
        run=view,
        foreseen=found,
        more=more,
        reached=reached,
        say_rule=say_rule,
        instead=INSTEAD,
        interlock=INTERLOCK_CODES,
        numbers=flow_of(playbook).numbers,
    )


@router.post("/runs/{uid}/take")
def take(ask: Responding, uid: str, path: Annotated[str, Form()] = "") -> Response:
    """Take a step: whoever takes it owes it."""
    try:
        ask.watchword.response.runs.take(uid, path, ask.who.actor, ask.who.team.value)
    except Conflict as error:
        return _page(ask, uid, 409, str(error), path)
    return ask.see(f"/runs/{uid}#waiting")


@router.post("/runs/{uid}/answer")
def answer(ask: Responding, uid: str, fields: Fields) -> Response:
    """Record what came of a step that a person does."""
    path, result = fields.get("path", ""), fields.get("result", "")
    values = {name.removeprefix(VALUE): value.strip() for name, value in fields.items() if name.startswith(VALUE) and value.strip()}
    evidence = [word for word in fields.get("evidence", "").replace(",", " ").split() if UID.fullmatch(word)][:50]
    note = fields.get("note", "").strip()
    try:
        _need_note(result, note)
        given = values if result == "done" else {}
        ask.watchword.response.runs.answer(uid, path, result, given, ask.who.actor, ask.who.team.value, note, evidence)
    except (InputError, Conflict) as error:
        return _page(ask, uid, 422 if isinstance(error, InputError) else 409, str(error), path, fields)
    return ask.see(f"/runs/{uid}#waiting")


def _need_note(result: str, note: str) -> None:
    if result == "failed" and not note:
        raise InputError("Say what went wrong: the next step, and the review, start from it", "note")


@router.post("/runs/{uid}/cancel")
def cancel(ask: Responding, uid: str, reason: Annotated[str, Form()] = "") -> Response:
    """End a run, with the reason."""
    try:
        ask.watchword.response.runs.cancel(uid, ask.who.actor, reason.strip()[:2_000])
    except (InputError, Conflict) as error:
        return _page(ask, uid, 422 if isinstance(error, InputError) else 409, str(error), "cancel")
    return ask.see(f"/runs/{uid}")
