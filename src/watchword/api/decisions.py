"""Decisions over HTTP: what was decided, on which numbers, what was expected, and reviews."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from watchword.api.bounds import Uid, Words
from watchword.api.identity import Governor, House, Reader
from watchword.api.problems import also
from watchword.govern.decision_service import KeptDecision
from watchword.model.decision import Decision

routes = APIRouter(tags=["decisions"])


class Decisions(BaseModel):
    """The newest first."""

    items: list[KeptDecision]


class DueDecisions(BaseModel):
    """The longest due first."""

    items: list[Decision]


class ReviewNew(BaseModel):
    """What a review found."""

    model_config = ConfigDict(extra="forbid")

    found: Words


@routes.get("/decisions", responses=also(404), summary="List decisions")
def list_decisions(
    watchword: House,
    _: Reader,
    kind: Literal["decision", "policy", "exception", "acceptance", "investment", "target"] | None = None,
    subject: Annotated[str | None, Query(max_length=200, description="What it is about.")] = None,
    body: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$", description="Uid of a body.")] = None,
) -> Decisions:
    """At most 1,000."""
    return Decisions(items=list(watchword.governance.decisions.all_kept(kind or "", subject or "", body=body or "")))


@routes.get("/decisions/due", responses=also(404), summary="List reviews that are due")
def list_due(watchword: House, _: Reader) -> DueDecisions:
    """Decisions whose review date has come."""
    return DueDecisions(items=list(watchword.governance.decisions.due(watchword.clock.now().date())))


@routes.get("/decisions/{uid}", responses=also(404), summary="Read a decision")
def read_decision(watchword: House, _: Reader, uid: Uid) -> KeptDecision:
    """One decision with what came after it."""
    return watchword.governance.decisions.kept(uid)


@routes.post("/decisions/{uid}/review", responses=also(404, 409), summary="Hold a review")
def review(watchword: House, caller: Governor, uid: Uid, new: ReviewNew) -> KeptDecision:
    """Say what the review found."""
    return watchword.governance.decisions.review(uid, new.found, by=caller.name)
