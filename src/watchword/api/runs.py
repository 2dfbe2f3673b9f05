"""Runs of playbooks over HTTP: started on an incident or as an exercise, read, answered, taken, ended, exported."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import Flag, Line, ReasonWords, Uid, UidText, Words
from watchword.api.identity import House, Reader, Responder
from watchword.api.once import IdempotencyKey, once
from watchword.api.paging import After, Limit, Page, SinceText, UntilText, cursor, page_of, span
from watchword.api.problems import also
from watchword.app.questions import write_cursor
from watchword.app.starting import variables_of
from watchword.app.watchword import Watchword
from watchword.kit.errors import InputError, NotFound
from watchword.model import Finding
from watchword.respond.run_service import RunFilter
from watchword.respond.run_state import RunStatus
from watchword.respond.run_view import RunView, WaitView

routes = APIRouter(tags=["runs"])
PLAYBOOK = "^playbook--[0-9a-f-]{36}$"
VERSION = "^[0-9TZtz:.+-]{0,40}$"
FILLING = 50
"""Findings of an incident that are looked at for values."""


class RunListed(BaseModel):
    """A run in the list."""

    uid: str
    playbook: str
    modified: str
    name: str
    incident: str
    exercise: bool
    status: RunStatus
    started_by: str
    rule: str
    started_at: datetime
    progressed_at: datetime
    ended_at: datetime | None
    code: str
    said: str


class RunNew(BaseModel):
    """A playbook to be started: on an incident, or as an exercise of its own."""

    model_config = ConfigDict(extra="forbid")

    playbook: Annotated[str, Field(pattern=PLAYBOOK)]
    version: Annotated[str, Field(pattern=VERSION, description="Its `modified`; the newest when left out.")] = ""
    incident: Annotated[str, Field(pattern="^([0-9a-f]{32})?$")] = ""
    variables: dict[Line, Words] = Field({}, max_length=200, description="Of external variables; the incident's findings fill the rest.")
    exercise: Flag = Field(False, description="Every action goes to twins.")
    override: ReasonWords = ""


class StepAnswer(BaseModel):
    """What became of a step that a person does."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1, max_length=4_000, description="Of the step instance, as the run shows it.")
    result: Literal["done", "failed", "not_applicable"]
    values: dict[Line, Words] = Field({}, max_length=200)
    note: Words = ""
    evidence: list[UidText] = Field([], max_length=100)


class StepTaken(BaseModel):
    """A step that somebody takes on."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1, max_length=4_000)


class RunEnded(BaseModel):
    """Why a run is ended."""

    model_config = ConfigDict(extra="forbid")

    reason: ReasonWords


class Waits(BaseModel):
    """Whom running playbooks wait for, oldest first."""

    items: list[WaitView]


class WorkflowStatus(BaseModel):
    """A run's steps as execution-status objects."""

    items: list[dict[str, Any]]


def listed_of(run: RunView) -> RunListed:
    """Return a run as the list shows it."""
    return RunListed(**{name: getattr(run, name) for name in RunListed.model_fields})


@routes.get("/runs", responses=also(404), summary="List runs")
def list_runs(
    request: Request,
    response: Response,
    watchword: House,
    _: Reader,
    limit: Limit = 100,
    after: After = None,
    since: SinceText = None,
    until: UntilText = None,
    incident: Annotated[str, Query(pattern="^([0-9a-f]{32})?$")] = "",
    playbook: Annotated[str, Query(max_length=100, pattern="^[a-z0-9-]*$")] = "",
    status: Annotated[list[RunStatus], Query(max_length=5)] = [],  # noqa: B006 - FastAPI copies it
    exercise: bool | None = None,
) -> Page[RunListed]:
    """Runs, newest first."""
    first, last = span(since, until)
    wanted = RunFilter(incident, playbook, tuple(status), exercise, first, last, cursor(after), limit + 1)
    found = watchword.response.runs.list(wanted)
    behind = write_cursor(found[limit - 1].started_at, found[limit - 1].uid) if len(found) > limit else None
    return page_of([listed_of(each) for each in found], limit, behind, request, response)


@routes.post("/runs", responses=also(404, 409), status_code=201, summary="Start a playbook", response_model=RunView)
def start(
    request: Request, response: Response, watchword: House, caller: Responder, new: RunNew, idempotency_key: IdempotencyKey = None
) -> Any:
    """Start a playbook; a 409 lists everything that stands against it. With an `Idempotency-Key` it starts once."""
    runs = watchword.response.runs

    def deed() -> _Started:
        if not new.incident and not new.exercise:
            raise InputError("Name the incident that it answers, or start it as an exercise", "incident")
        kept = watchword.response.library.get(new.playbook, new.version)
        values: dict[str, str | None] = {}
        exercise = new.exercise
        if new.incident:
            incident = watchword.response.incidents.get(new.incident).incident
            values |= variables_of(kept, _findings(watchword, incident.findings), new.incident, watchword.registry.directory())
            exercise = exercise or incident.exercise
        values |= new.variables
        key = f"api:{caller.account}:{idempotency_key}" if idempotency_key else ""
        run = runs.start(kept.id, new.incident, values, caller.actor, exercise, new.override.strip(), modified=new.version, key=key)
        return _Started(run=run)

    made = once(request, watchword, caller, idempotency_key, new, 201, deed)
    run = made.run if isinstance(made, _Started) else _Started.model_validate_json(made.body).run
    response.headers["Location"] = f"/api/v1/runs/{run}"
    return runs.get(run)


class _Started(BaseModel):
    run: str


def _findings(watchword: Watchword, uids: tuple[str, ...]) -> list[Finding]:
    found = []
    for uid in uids[:FILLING]:
        try:
            found.append(watchword.findings.get(uid).finding)
        except NotFound:
            continue
    return found


@routes.get("/runs/waits", responses=also(404), summary="List what waits for people")
def waits(
    watchword: House,
    _: Reader,
    team: Literal["", "it", "physical", "management"] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Waits:
    """Steps of running playbooks that wait for a person or for approval, oldest first."""
    return Waits(items=list(watchword.response.runs.waits(team, limit)))


@routes.get("/runs/{uid}", responses=also(404), summary="Read a run")
def read_run(watchword: House, _: Reader, uid: Uid) -> RunView:
    """One run with its steps, open waits, timers, actions and requests for approval."""
    return watchword.response.runs.get(uid)


@routes.post("/runs/{uid}/answer", responses=also(404, 409), summary="Answer a step")
def answer(watchword: House, caller: Responder, uid: Uid, said: StepAnswer) -> RunView:
    """Record a step that a person does: done with its values and evidence, failed, or not applicable."""
    runs = watchword.response.runs
    runs.answer(uid, said.path, said.result, said.values, caller.actor, caller.team.value, said.note, said.evidence)
    return runs.get(uid)


@routes.post("/runs/{uid}/take", responses=also(404, 409), summary="Take a step")
def take(watchword: House, caller: Responder, uid: Uid, said: StepTaken) -> RunView:
    """Take a step on: whoever takes it owes it."""
    watchword.response.runs.take(uid, said.path, caller.actor, caller.team.value)
    return watchword.response.runs.get(uid)


@routes.post("/runs/{uid}/cancel", responses=also(404, 409), summary="End a run")
def cancel(watchword: House, caller: Responder, uid: Uid, said: RunEnded) -> RunView:
    """End a run: nothing more is asked or done; what is in force stays until it reverts or is released."""
    watchword.response.runs.cancel(uid, caller.actor, said.reason)
    return watchword.response.runs.get(uid)


@routes.get("/runs/{uid}/status", responses=also(404), summary="Export a run's status")
def workflow_status(watchword: House, _: Reader, uid: Uid) -> WorkflowStatus:
    """The run's steps as execution-status objects of the workflow-status vocabulary."""
    return WorkflowStatus(items=[dict(each) for each in watchword.response.runs.export(uid)])
