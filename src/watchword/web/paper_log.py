"""The paper log: what was done by paper while systems were down is entered on one screen, with the times and initials of the sheets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.respond.playbook_flow import flow_of
from watchword.respond.playbook_words import title_of
from watchword.respond.run_service import RunFilter
from watchword.web.forms import Fields
from watchword.web.incident_deeds import moment_in
from watchword.web.incident_page import view_of
from watchword.web.pages import UID, Ask, Responding

router = APIRouter()
ROWS: Final = 15
MOST: Final = 60
SHOWN: Final = 38
"""Characters of a step in the list: a row fits a screen."""
RESULTS: Final = (("done", "done"), ("failed", "failed"), ("not_applicable", "not applicable"))
NAMES: Final = ("step", "result", "time", "initials", "values", "note")
SOURCE: Final = "paper log"


@dataclass(frozen=True, slots=True)
class Choice:
    """A step that a row may name."""

    key: str
    """``run uid:step id``, or ``playbook id:step id`` where no run of it is under way."""
    words: str


@dataclass(slots=True)
class Line:
    """One row of the sheet as typed, and what became of it."""

    number: int
    typed: dict[str, str]
    fault: str = ""

    @property
    def empty(self) -> bool:
        """Tell whether nothing was typed that means anything."""
        return not any(self.typed.get(name) for name in ("step", "time", "initials", "note", "values"))


@router.get("/incidents/{uid}/paper")
def paper(ask: Responding, uid: str, playbook: str = "", rows: int = ROWS) -> Response:
    """Show the sheet: rows of step, result, time, initials, note."""
    lines = [Line(number, {}) for number in range(1, max(1, min(rows, MOST)) + 1)]
    return _page(ask, uid, lines, playbook)


def _page(
    ask: Ask, uid: str, lines: Sequence[Line], playbook: str, status: int = 200, date: str = "", done: Sequence[str] = ()
) -> Response:
    view = view_of(ask, uid)
    place = view.incident.places[0] if view.incident.places else ""
    return ask.page(
        "incidents/paper.html",
        status,
        incident=view.incident,
        lines=lines,
        groups=_choices(ask, view.incident.uid, playbook),
        playbook=playbook,
        playbooks=sorted(ask.watchword.response.library.names().items(), key=lambda pair: pair[1]),
        results=RESULTS,
        date=date,
        zone=ask.zone_at(place).key,
        done=done,
    )


def _choices(ask: Ask, uid: str, playbook: str) -> list[tuple[str, list[Choice]]]:
    response, found = ask.watchword.response, []
    shown = set()
    for run in response.runs.list(RunFilter(incident=uid)):
        kept = _kept(ask, run.playbook, run.modified)
        if kept is not None:
            shown.add(run.playbook)
            found.append((f"{run.name}, run since {run.started_at:%H:%M} UTC ({run.status.value})", _steps(kept, run.uid)))
    if playbook and playbook not in shown:
        kept = _kept(ask, playbook, "")
        if kept is not None:
            found.append((f"{kept.name}, done on paper only", _steps(kept, kept.id)))
    return found


def _kept(ask: Ask, playbook: str, modified: str) -> Any:
    try:
        return ask.watchword.response.library.get(playbook, modified)
    except NotFound:
        return None


def _steps(kept: Any, prefix: str) -> list[Choice]:
    flow = flow_of(kept.playbook)
    numbered = sorted(flow.numbers.items(), key=lambda pair: pair[1])
    return [Choice(f"{prefix}:{name}", f"{number} {title_of(kept.playbook.workflow[name])}"[:SHOWN]) for name, number in numbered]


@router.post("/incidents/{uid}/paper")
def enter(ask: Responding, uid: str, fields: Fields) -> Response:
    """Enter the sheet row by row; what is wrong is said at its row, and only those rows are left to be mended and sent again."""
    view = view_of(ask, uid)
    place = view.incident.places[0] if view.incident.places else ""
    count = int(fields["rows"]) if fields.get("rows", "").isdigit() else ROWS
    date, playbook = fields.get("date", "").strip(), fields.get("playbook", "")
    lines = [_line(fields, number) for number in range(1, min(count, MOST) + 1)]
    words = {choice.key: choice.words for _, choices in _choices(ask, view.incident.uid, playbook) for choice in choices}
    done: list[str] = []
    for line in lines:
        if line.empty:
            continue
        try:
            done.append(_enter(ask, view.incident.uid, line, words, date, place))
        except (InputError, Conflict, NotFound) as error:
            line.fault = str(error)
    left = [line for line in lines if line.fault]
    if not left and done:
        return ask.see(f"/incidents/{view.incident.uid}#timeline")
    if not done and not left:
        left = [Line(1, {}, "Nothing was typed")]
    again = [Line(number, line.typed, line.fault) for number, line in enumerate(left, 1)]
    return _page(ask, uid, again, playbook, 422, date, done)


def _line(fields: Mapping[str, str], number: int) -> Line:
    return Line(number, {name: fields.get(f"{name}.{number}", "").strip()[:2_000] for name in NAMES})


def _enter(ask: Ask, uid: str, line: Line, words: Mapping[str, str], date: str, place: str) -> str:
    typed = line.typed
    at = _time(ask, typed["time"], date, place)
    if not typed["initials"]:
        raise InputError("Whose initials stand there?", "initials")
    step = words.get(typed["step"])
    if typed["step"] and step is None:
        raise InputError("Choose the step from the list", "step")
    if not step and not typed["note"]:
        raise InputError("Choose a step, or write what was done", "note")
    result = dict(RESULTS).get(typed["result"], "")
    if step and not result:
        raise InputError("Was it done?", "result")
    said = f"Paper log: {f'step {step}: {result}' if step else typed['note']}, by {typed['initials']}"
    said += f". {typed['note']}" if step and typed["note"] else ""
    response, by, team = ask.watchword.response, ask.who.actor, ask.who.team.value
    values = _values(typed["values"])
    wait = _wait(ask, typed["step"]) if step else None
    if wait is not None:
        note = f"{SOURCE}: {typed['initials']}, {at:%Y-%m-%d %H:%M} UTC. {typed['note']}".strip()
        response.runs.answer(wait.run, wait.path, typed["result"], values if result == "done" else {}, by, team, note)
    shown = f"{said} ({', '.join(f'{name} {value}' for name, value in values.items())})" if values else said
    response.incidents.note(uid, shown, by=by, team=team, occurred_at=at, kind="step")
    return f"{said}{'; the run was answered' if wait is not None else ''}"


def _time(ask: Ask, text: str, date: str, place: str) -> datetime:
    try:
        at = moment_in(ask, f"{date} {text}" if date and text else text, place)
    except InputError as error:
        raise InputError(f"{text[:20]!r} is no time of the sheet's day: write 08:41", "time") from error
    if at is None:
        raise InputError("What time stands there?", "time")
    if at > ask.now:
        raise InputError("That time has not come yet", "time")
    return at


def _values(text: str) -> dict[str, str]:
    """Return what a step recorded, typed as ``name=value, name=value``."""
    found = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if part.strip() and not equals:
            raise InputError("Write what it recorded as name=value, name=value", "values")
        if equals:
            plain = name.strip().strip("_")
            found[f"__{plain}__"] = value.strip()
    return found


def _wait(ask: Ask, key: str) -> Any:
    """Return the wait of a run for the step that a row names, None while it does not wait for a person."""
    run, _, step = key.partition(":")
    if not UID.fullmatch(run):
        return None
    waits = ask.watchword.response.runs.get(run).waits
    return next((wait for wait in waits if wait.kind == "person" and step_of(wait.path) == step), None)


def step_of(path: str) -> str:
    """Return the step at the end of a path."""
    return path.rpartition("/")[2].partition("#")[0]
