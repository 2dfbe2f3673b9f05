"""Findings over HTTP: what looks wrong and why, and what people made of it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.identity import House, Judge, Reader
from watchword.api.paging import (
    After,
    IfMatch,
    IfNoneMatch,
    Limit,
    Page,
    SinceText,
    UntilText,
    cursor,
    etag_of,
    not_modified,
    page_of,
    require_match,
    span,
)
from watchword.api.problems import RESPONSES, Problem, also
from watchword.app.judgement import work_on
from watchword.app.questions import read_severity, write_cursor
from watchword.detect.service import Disposition, FindingFilter, KeptFinding, WorkState, finding_json
from watchword.kit.errors import Conflict
from watchword.model import Event, FindingState, Mode

routes = APIRouter(tags=["findings"])
Word = Annotated[str, Query(max_length=400)]


class FindingRead(BaseModel):
    """A finding and the work on it."""

    uid: str
    rule: str
    title: str
    severity: int
    confidence: float
    time: datetime
    first_time: datetime
    last_time: datetime
    because: str
    persons: list[str]
    assets: list[str]
    places: list[str]
    credentials: list[str]
    addresses: list[str]
    events: list[str]
    state: FindingState
    mode: Mode
    work: WorkState
    disposition: Disposition | None
    note: str
    worked_by: str
    worked_at: datetime | None


class FindingChange(BaseModel):
    """What people make of a finding. A closed one has a disposition, and only that."""

    model_config = ConfigDict(extra="forbid")

    work: WorkState
    disposition: Disposition | None = None
    note: str = Field("", max_length=4000)


class SharedThing(BaseModel):
    """One thing that a finding shares with other events or findings."""

    kind: str
    value: str
    events: list[Event]
    findings: list[str]
    total: int


class Related(BaseModel):
    """What a finding shares with others, external addresses first."""

    items: list[SharedThing]


def read_of(kept: KeptFinding) -> FindingRead:
    """Return a finding as the API shows it."""
    work = kept.work
    return FindingRead(
        **finding_json(kept.finding), work=work.state, disposition=work.disposition, note=work.note, worked_by=work.by, worked_at=work.at
    )


@routes.get("/findings", responses=RESPONSES, summary="List findings")
def list_findings(
    request: Request,
    response: Response,
    watchword: House,
    _: Reader,
    limit: Limit = 100,
    after: After = None,
    since: SinceText = None,
    until: UntilText = None,
    rule: Annotated[list[str], Query(max_length=50)] = [],  # noqa: B006 - FastAPI copies it
    severity: Annotated[str | None, Query(max_length=10, description="At least: a word or 1 to 6.")] = None,
    mode: Mode | None = None,
    state: Annotated[list[FindingState], Query(max_length=3)] = [],  # noqa: B006 - FastAPI copies it
    work: Annotated[list[WorkState], Query(max_length=3)] = [],  # noqa: B006 - FastAPI copies it
    person: Word = "",
    asset: Word = "",
    place: Word = "",
    credential: Word = "",
    address: Word = "",
    event: Word = "",
    text: Annotated[str, Query(max_length=400, description="Words that must all stand in the title or the sentence.")] = "",
) -> Page[FindingRead]:
    """Findings, newest first. Withdrawn ones only with `state=withdrawn`."""
    first, last = span(since, until)
    wanted = FindingFilter(
        since=first,
        until=last,
        rules=tuple(rule),
        severity=read_severity(severity) if severity else 0,
        mode=mode,
        states=tuple(state) or (FindingState.PROVISIONAL, FindingState.FINAL),
        work=tuple(work),
        person=person,
        asset=asset,
        place=place,
        credential=credential,
        address=address,
        event=event,
        text=text,
    )
    found = watchword.findings.list(wanted, after=cursor(after), limit=limit + 1)
    behind = write_cursor(found[limit - 1].finding.time, found[limit - 1].finding.uid) if len(found) > limit else None
    return page_of([read_of(each) for each in found], limit, behind, request, response)


@routes.get("/findings/{uid}", responses=also(404), summary="Read a finding", response_model=FindingRead)
def read_finding(response: Response, watchword: House, _: Reader, uid: str, if_none_match: IfNoneMatch = None) -> FindingRead | Response:
    """One finding; its `ETag` is what a change needs."""
    found = read_of(watchword.findings.get(uid))
    etag = etag_of(found)
    if not_modified(etag, if_none_match):
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return found


@routes.patch("/findings/{uid}", responses=also(404, 409, 412, 428), summary="Work on a finding")
def change_finding(
    response: Response, watchword: House, caller: Judge, uid: str, change: FindingChange, if_match: IfMatch = None
) -> FindingRead:
    """Acknowledge, close with a disposition, or reopen. Needs `If-Match`."""
    kept = watchword.findings.get(uid)
    require_match(etag_of(read_of(kept)), if_match)
    try:
        done = work_on(watchword, uid, change.work, by=caller.actor, disposition=change.disposition, note=change.note, seen=kept.work)
    except Conflict as error:
        raise Problem("stale", str(error)) from error
    found = read_of(done)
    response.headers["ETag"] = etag_of(found)
    return found


@routes.get("/findings/{uid}/related", responses=also(404), summary="Pivot from a finding")
def related(watchword: House, _: Reader, uid: str) -> Related:
    """What the finding shares with other events and findings: external addresses, credentials, assets."""
    found = watchword.insight.related(uid)
    return Related(
        items=[
            SharedThing(kind=each.kind.value, value=each.value, events=list(each.events), findings=list(each.findings), total=each.total)
            for each in found
        ]
    )
