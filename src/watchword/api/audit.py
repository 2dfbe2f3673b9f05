"""The audit log over HTTP."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from watchword.api.identity import Auditor, House
from watchword.api.paging import After, Limit, Page, SinceText, UntilText, cursor, page_of, span
from watchword.api.problems import RESPONSES
from watchword.app.questions import write_cursor
from watchword.kit.errors import InputError

routes = APIRouter(tags=["audit"])


class Entry(BaseModel):
    """One entry of the audit log."""

    seq: int
    time: datetime
    actor: str
    action: str
    target: str
    reason: str
    detail: Mapping[str, Any]
    head: str


class Check(BaseModel):
    """What one verification of the chain found."""

    time: datetime
    intact: bool
    entries: int
    head: str
    problems: list[str]


@routes.get("/audit", responses=RESPONSES, summary="List the audit log")
def list_entries(
    request: Request,
    response: Response,
    watchword: House,
    _: Auditor,
    limit: Limit = 100,
    after: After = None,
    since: SinceText = None,
    until: UntilText = None,
    actor: Annotated[str, Query(max_length=200)] = "",
    action: Annotated[str, Query(max_length=64, description="An action or the beginning of one.")] = "",
    target: Annotated[str, Query(max_length=400)] = "",
) -> Page[Entry]:
    """Entries, newest first."""
    first, last = span(since, until)
    behind = cursor(after)
    before = None
    if behind is not None:
        if not behind[1].isascii() or not behind[1].isdigit() or len(behind[1]) > 15:
            raise InputError("is no cursor of this list; start again without it", "after")
        before = int(behind[1])
    found = watchword.audit.entries(before=before, limit=limit + 1, since=first, until=last, actor=actor, action=action, target=target)
    entries = [
        Entry(
            seq=each.seq,
            time=each.time,
            actor=each.actor,
            action=each.action,
            target=each.target,
            reason=each.reason,
            detail=each.detail,
            head=each.head,
        )
        for each in found
    ]
    return page_of(
        entries, limit, write_cursor(found[limit - 1].time, str(found[limit - 1].seq)) if len(found) > limit else None, request, response
    )


@routes.post("/audit/verify", responses=RESPONSES, summary="Verify the audit log")
def verify(watchword: House, _: Auditor) -> Check:
    """Walk the whole chain; the outcome is kept and shown on the Audit page."""
    outcome = watchword.audit.check()
    return Check(time=outcome.time, intact=outcome.intact, entries=outcome.entries, head=outcome.head, problems=list(outcome.problems))
