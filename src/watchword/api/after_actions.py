"""After-action reviews and traces over HTTP: reviews, their actions with done and worked, recurrences, effects of decisions, links."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import Line, Uid, Words
from watchword.api.identity import Governor, House, Reader
from watchword.api.problems import also
from watchword.app.effects import pattern_of
from watchword.app.tracing import Tracer
from watchword.learn.retrospective_service import KeptAction, KeptEffect, KeptReview, Recurrence
from watchword.model.after_action import AfterAction, CorrectiveAction
from watchword.model.decision import Direction, Expectation

routes = APIRouter(tags=["after-actions"])
Team = Literal["it", "physical", "management"]


class ReviewList(BaseModel):
    """The newest first."""

    items: Sequence[KeptReview]


class ActionList(BaseModel):
    """Those due first, first."""

    items: Sequence[KeptAction]


class Present(BaseModel):
    """Somebody who was there."""

    model_config = ConfigDict(extra="forbid")

    person: Line
    team: Team


class ActionNew(BaseModel):
    """One thing that is changed."""

    model_config = ConfigDict(extra="forbid")

    text: Words
    owner: Line
    team: Team
    due: date
    verify_on: date
    metric: Annotated[str, Field(max_length=64)] = ""
    direction: Direction = Direction.NONE
    size: float = 0.0


class ReviewNew(BaseModel):
    """A review that was held."""

    model_config = ConfigDict(extra="forbid")

    incident: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    held: date
    facilitator: Line
    present: Annotated[list[Present], Field(max_length=60)]
    helped: Annotated[list[Line], Field(max_length=30)] = []
    hindered: Annotated[list[Line], Field(max_length=30)] = []
    skills_used: Annotated[list[Line], Field(max_length=30)] = []
    skills_missing: Annotated[list[Line], Field(max_length=30)] = []
    actions: Annotated[list[ActionNew], Field(max_length=3)] = []


class Done(BaseModel):
    """What was done."""

    model_config = ConfigDict(extra="forbid")

    note: Words


class RecurrenceList(BaseModel):
    """The newest first."""

    items: Sequence[Recurrence]


class LinkRead(BaseModel):
    """One link of a trace, from what causes to what follows."""

    source_kind: str
    source: str
    verb: str
    target_kind: str
    target: str
    since: datetime | None
    until: datetime | None


class ThingRead(BaseModel):
    """One thing of a trace."""

    kind: str
    uid: str
    title: str


class TraceRead(BaseModel):
    """Everything between the decisions above a thing and the records below it."""

    things: list[ThingRead]
    links: list[LinkRead]
    cut: bool


@routes.get("/after-actions", summary="List reviews")
def list_reviews(watchword: House, _: Reader) -> ReviewList:
    """At most 500."""
    return ReviewList(items=watchword.governance.retrospectives.list())


@routes.get("/after-actions/actions", summary="List corrective actions")
def list_actions(watchword: House, _: Reader, open: bool = False) -> ActionList:  # noqa: A002, FBT002 - the parameter's name in the query
    """Done and worked are two columns; `open` restricts to those that open the next review."""
    return ActionList(items=watchword.governance.retrospectives.actions(only_open=open))


@routes.post("/after-actions", status_code=201, responses=also(404, 409), summary="Hold a review")
def hold(watchword: House, caller: Governor, new: ReviewNew) -> KeptReview:
    """Keep a review with at most three actions."""
    review = AfterAction(
        uid="",
        of=new.incident,
        held=datetime.combine(new.held, time(12), UTC),
        facilitator=new.facilitator,
        present=tuple((each.person, each.team) for each in new.present),
        helped=tuple(new.helped),
        hindered=tuple(new.hindered),
        skills_used=tuple(new.skills_used),
        skills_missing=tuple(new.skills_missing),
        actions=tuple(_action(each) for each in new.actions),
    )
    return watchword.governance.retrospectives.hold(review, pattern_of(watchword, new.incident), by=caller.name)


def _action(new: ActionNew) -> CorrectiveAction:
    expects = Expectation(new.metric, new.direction, new.size, new.verify_on)
    return CorrectiveAction("", new.text, new.owner, new.team, new.due, expects, new.verify_on)


@routes.get("/after-actions/{uid}", responses=also(404), summary="Read a review")
def read(watchword: House, _: Reader, uid: Uid) -> KeptReview:
    """One review."""
    return watchword.governance.retrospectives.get(uid)


@routes.post("/after-actions/actions/{uid}/done", responses=also(404, 409), summary="Do an action")
def done(watchword: House, caller: Governor, uid: Uid, new: Done) -> KeptAction:
    """Say that an action is done, and how; whether it worked is told by measuring."""
    return watchword.governance.retrospectives.done(uid, new.note, by=caller.name)


@routes.get("/after-actions/actions/{uid}/recurrences", responses=also(404), summary="List recurrences")
def list_recurrences(watchword: House, _: Reader, uid: Uid) -> RecurrenceList:
    """Later incidents that look like the one that the action came from."""
    watchword.governance.retrospectives.action(uid)
    return RecurrenceList(items=watchword.governance.retrospectives.recurrences(action=uid))


@routes.get("/decisions/{uid}/effect", responses=also(404), summary="Read the effect of a decision")
def read_effect(watchword: House, _: Reader, uid: Uid) -> KeptEffect | None:
    """What came of a decision, as last judged; null: nobody has looked yet."""
    watchword.governance.decisions.get(uid)
    return watchword.governance.retrospectives.effect(uid)


@routes.get("/trace/{kind}/{uid:path}", responses=also(404), summary="Trace a thing")
def read_trace(
    watchword: House,
    _: Reader,
    kind: Annotated[str, Path(pattern="^[a-z]{1,16}$", description="decision, policy, statement, control, metric, finding …")],
    uid: Annotated[str, Path(max_length=200)],
    at: datetime | None = None,
) -> TraceRead:
    """Why a thing is there, and what it did: typed links, each with its times; `at` keeps those that were true then."""
    found = Tracer(watchword).trace(kind, uid, at)
    things = [ThingRead(kind=each.kind.value, uid=each.uid, title=found.titles.get(each, each.uid)) for each in found.nodes()]
    links = [
        LinkRead(
            source_kind=each.source.kind.value,
            source=each.source.uid,
            verb=each.verb,
            target_kind=each.target.kind.value,
            target=each.target.uid,
            since=each.since,
            until=each.until,
        )
        for each in found.edges
    ]
    return TraceRead(things=things, links=links, cut=found.cut)
