"""Controls and frameworks over HTTP: how each control stands, its evidence and what was read for it, words, checks, exports, imports."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import DurationText, Flag, Line, Uid, Words
from watchword.api.identity import House, Reader, Responder, Steward
from watchword.api.problems import RESPONSES, also
from watchword.app.controlling import record_check
from watchword.govern.control_evidence import ControlState, Evidence, Exemption
from watchword.govern.crosswalk import MapRow
from watchword.govern.framework import Catalogue, Selection
from watchword.govern.oscal_export import plan, results
from watchword.kit.duration import read_duration
from watchword.kit.errors import InputError
from watchword.measure.compliance import Result, Way

routes = APIRouter(tags=["controls"])
ControlId = Annotated[str, Path(pattern=r"^[a-z0-9.-]{1,64}$", description="Id of a control, as `pe-3` or `pe-6.1`.")]
FrameworkName = Annotated[str, Path(pattern=r"^[a-z0-9.-]{1,64}$", description="As `sp800-53`, `csf-2.0`, `iso27001-2022`.")]
LARGEST = 16 * 1024**2
"""Bytes of an imported file over HTTP."""


class EvidenceRead(BaseModel):
    """One result on one thing, for as long as it stands."""

    uid: str
    control: str
    test: str
    asset: str
    result: Result
    way: Way
    quality: float
    first: datetime
    collected: datetime
    expires: datetime
    period_since: datetime
    period_until: datetime
    collector: str
    because: str
    read: int
    digest: str
    current: bool


class ExceptionRead(BaseModel):
    """An exception from a control."""

    uid: str
    control: str
    asset: str
    reason: str
    compensating: str
    since: datetime
    until: datetime
    decision: str


class ControlRead(BaseModel):
    """How a control stands: three shares that sum to 1, or all null where nothing applies."""

    control: str
    title: str
    domain: str
    passes: str
    state: Literal["pass", "fail", "unknown", "not applicable"]
    passed: float | None
    failed: float | None
    unknown: float | None
    things: int
    fresh: float | None
    newest: datetime | None
    csf: Sequence[str]
    iso27001: Sequence[str]
    exceptions: Sequence[ExceptionRead]


class ControlWhole(ControlRead):
    """A control with its evidence."""

    evidence: Sequence[EvidenceRead]
    reliability: float | None = Field(description="Share of the last 30 days in which it was evidenced working.")


class Read(BaseModel):
    """Something that was read for evidence."""

    kind: str
    uid: str


class WordNew(BaseModel):
    """Somebody's word on a control."""

    model_config = ConfigDict(extra="forbid")

    asset: Line = ""
    result: Literal["pass", "fail", "not applicable"]
    way: Literal["attested", "sampled"] = "attested"
    lasts: DurationText = "30d"
    statement: Words


class CheckNew(BaseModel):
    """A check that somebody, or a tool, made."""

    model_config = ConfigDict(extra="forbid")

    kind: Line
    target: Line = ""
    passed: Flag = True
    note: Words = ""
    way: Literal["telemetry", "sampled", "attested"] = "sampled"


class Recorded(BaseModel):
    """A check that was taken in."""

    record: str


class FrameworkRead(BaseModel):
    """A framework that is known."""

    name: str
    title: str
    version: str
    controls: int
    withdrawn: int
    imported_at: datetime | None
    imported_by: str


class FrameworkControl(BaseModel):
    """A control of a framework, and how far our tests reach it."""

    id: str
    title: str
    reach: str
    by: Sequence[str]


class Taken(BaseModel):
    """What was imported."""

    kind: Literal["catalogue", "baseline", "map"]
    name: str
    rows: int


def _evidence(each: Evidence) -> EvidenceRead:
    return EvidenceRead(**{name: getattr(each, name) for name in EvidenceRead.model_fields})


def _exception(each: Exemption) -> ExceptionRead:
    return ExceptionRead(**{name: getattr(each, name) for name in ExceptionRead.model_fields})


def _plain(state: ControlState) -> dict[str, Any]:
    shares = state.shares
    return {
        "control": state.control, "title": state.title, "domain": state.domain, "passes": state.passes, "state": state.word,
        "passed": shares.passed, "failed": shares.failed, "unknown": shares.unknown, "things": shares.n, "fresh": state.fresh,
        "newest": state.newest, "csf": state.csf, "iso27001": state.iso27001, "exceptions": [_exception(each) for each in state.exemptions],
    }  # fmt: skip


@routes.get("/controls", responses=RESPONSES, summary="List controls")
def list_controls(watchword: House, _: Reader) -> list[ControlRead]:
    """Every tested control: pass, fail and unknown always together."""
    return [ControlRead(**_plain(state)) for state in watchword.governance.controls.results()]


@routes.get("/controls/{control}", responses=also(404), summary="Read a control")
def read_control(watchword: House, _: Reader, control: ControlId) -> ControlWhole:
    """One control with the evidence that counts on each thing."""
    kept, now = watchword.governance.controls, watchword.clock.now()
    state = kept.control(control)
    rate = kept.reliability(control, now - timedelta(days=30), now)
    return ControlWhole(**_plain(state), evidence=[_evidence(each) for each in state.evidence], reliability=rate)


@routes.get("/control-evidence/{uid}", responses=also(404), summary="Read evidence of a control")
def read_control_evidence(watchword: House, _: Reader, uid: Uid) -> EvidenceRead:
    """One piece of evidence of a control."""
    return _evidence(watchword.governance.controls.evidence(uid))


@routes.get("/control-evidence/{uid}/inputs", responses=also(404), summary="List what evidence rests on")
def list_control_inputs(watchword: House, _: Reader, uid: Uid) -> list[Read]:
    """Kinds and uids of what was read: events, findings, incidents, files, sources, tests by hand."""
    return [Read(kind=kind, uid=each) for kind, each in watchword.governance.controls.inputs(uid)]


@routes.post("/controls/{control}/word", responses=also(404), status_code=201, summary="Give one's word on a control")
def attest(watchword: House, caller: Steward, control: ControlId, new: WordNew) -> EvidenceRead:
    """Keep somebody's word; it counts where no machine tells, at its lower quality."""
    lasts = read_duration(new.lasts or "30d")
    made = watchword.governance.controls.attest(
        control, new.asset, Result(new.result), new.statement, by=caller.actor, lasts=lasts, way=Way(new.way)
    )
    return _evidence(made)


@routes.post("/control-checks", responses=RESPONSES, status_code=202, summary="Record a check")
def post_check(watchword: House, caller: Responder, new: CheckNew) -> Recorded:
    """Hand a check in at the front door; the next look counts it."""
    record = record_check(watchword, new.kind, new.target, by=caller.actor, note=new.note, passed=new.passed, way=Way(new.way))
    return Recorded(record=record)


@routes.get("/controls-export", responses=RESPONSES, summary="Export as OSCAL")
def export_controls(watchword: House, _: Reader, what: Annotated[Literal["results", "plan"], Query()] = "results") -> dict[str, Any]:
    """OSCAL assessment results, one observation for each piece of evidence; or the assessment plan with its frequencies."""
    kept, now = watchword.governance.controls, watchword.clock.now()
    if what == "plan":
        return plan(list(kept.tests.values()), watchword.settings.name, now)
    states = kept.results(now)
    inputs = kept.all_inputs()
    return results(states, inputs, watchword.settings.name, now)


@routes.get("/frameworks", responses=RESPONSES, summary="List frameworks")
def list_frameworks(watchword: House, _: Reader) -> list[FrameworkRead]:
    """Imported frameworks, and those of which ids with our own titles are shipped."""
    found = watchword.governance.frameworks.all()
    return [FrameworkRead(**{name: getattr(each, name) for name in FrameworkRead.model_fields}) for each in found]


@routes.get("/frameworks/{framework}", responses=also(404), summary="Read a framework")
def read_framework(watchword: House, _: Reader, framework: FrameworkName) -> list[FrameworkControl]:
    """Its controls, and how far our tests reach each: whole, partial or none."""
    kept = watchword.governance.frameworks
    titles = kept.titles(framework)
    return [
        FrameworkControl(id=each.id, title=titles.get(each.id, each.id), reach=each.reach, by=each.by) for each in kept.reached(framework)
    ]


@routes.post("/frameworks", responses=RESPONSES, status_code=201, summary="Import a framework file")
async def import_framework(request: Request, watchword: House, caller: Steward, name: Annotated[Line, Query(min_length=1)]) -> Taken:
    """Import an OSCAL catalogue or profile, CSF's flat list or a map; the body is the file itself, gzipped or not."""
    from starlette.concurrency import run_in_threadpool  # noqa: PLC0415 - only here

    raw = b""
    async for piece in request.stream():
        raw += piece
        if len(raw) > LARGEST:
            raise InputError(f"The file is larger than {LARGEST // 2**20} MiB; use watchword frameworks import", "body")
    found = await run_in_threadpool(watchword.governance.frameworks.take, raw, name, by=caller.actor)
    if isinstance(found, Catalogue):
        return Taken(kind="catalogue", name=found.name, rows=len(found.controls))
    if isinstance(found, Selection):
        return Taken(kind="baseline", name=found.name, rows=len(found.ids))
    return Taken(kind="map", name=f"{found.source} to {found.target}", rows=len(found.rows))


class MapRead(BaseModel):
    """A row of a crosswalk."""

    source: str
    target: str
    relation: str


@routes.get("/framework-maps", responses=RESPONSES, summary="Read a crosswalk")
def read_map(
    watchword: House, _: Reader, source: Annotated[Line, Query(min_length=1)], target: Annotated[Line, Query(min_length=1)]
) -> list[MapRead]:
    """Rows of the crosswalk between two frameworks; `intersect` is partial overlap, never coverage."""
    rows: list[MapRow] = watchword.governance.frameworks.maps(source, target)
    return [MapRead(source=row.source, target=row.target, relation=row.relation.value) for row in rows]
