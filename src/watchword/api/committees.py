"""Committees over HTTP: bodies, their meetings with agendas and minutes, actions, and proposals with everybody's voice."""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from watchword.api.bounds import Day, Flag, Line, Moment, Uid, Words
from watchword.api.identity import Governor, House, Reader
from watchword.api.problems import also
from watchword.app.committee_work import appointments
from watchword.govern.agenda import Agenda
from watchword.govern.body import Body
from watchword.govern.decision_rules import Text
from watchword.govern.meeting import BodyAction, Item, Meeting, MeetingState, MinutesVersion, Present
from watchword.govern.meeting_calendar import feed
from watchword.govern.proposal_service import KeptProposal, Proposal
from watchword.kit.errors import InputError

routes = APIRouter(tags=["committees"])
CALENDAR: Final[dict[str, Any]] = {"content": {"text/calendar": {"schema": {"type": "string"}}}}


class Bodies(BaseModel):
    """Every body by name."""

    items: list[Body]


class Meetings(BaseModel):
    """Meetings by time."""

    items: list[Meeting]


class MeetingRead(BaseModel):
    """A meeting: before its agenda stands, what would be on it now; then its items with their frozen numbers; then its minutes."""

    meeting: Meeting
    preview: Agenda | None
    items: list[Item]
    present: list[Present]
    actions: list[BodyAction]
    minutes: list[MinutesVersion]


class Actions(BaseModel):
    """The open ones by their due date, then those that are closed."""

    items: list[BodyAction]


class Proposals(BaseModel):
    """The newest first."""

    items: list[Proposal]


class Expected(BaseModel):
    """What a proposal is expected to do to a measure; an empty measure says that no measurable effect is expected."""

    model_config = ConfigDict(extra="forbid")

    metric: Line = ""
    direction: Literal["up", "down", "none"] = "none"
    size: Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)] = 0.0
    by: Day | None = None
    subject: Line = ""


class ProposalNew(BaseModel):
    """A text for a body, as a draft."""

    model_config = ConfigDict(extra="forbid")

    body: Line = Field(description="Uid or name of the body.")
    title: Line
    question: Words
    choice: Words = Field(description="What is decided, word for word.")
    because: Words
    review_on: Day
    expects: Expected = Expected()
    sets: dict[Line, Line | float | bool] = Field({}, max_length=50, description="Policy parameters: `STATEMENT.KEY` to value.")
    kind: Literal["decision", "policy", "exception", "acceptance", "investment", "target"] = "decision"
    subject: Annotated[Line, Field(max_length=200)] = ""
    expires: Day | None = None
    supersedes: Annotated[Line, Field(max_length=32)] = ""


class Said(BaseModel):
    """What somebody says to a proposal. Which fields a deed needs stands at each."""

    model_config = ConfigDict(extra="forbid")

    deed: Literal["submit", "revise", "withdraw", "ask", "answer", "asked", "agree", "object", "resolve", "vote", "decide"]
    text: Words = Field("", description="Of `ask` and `answer`.")
    entry: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = Field(0, description="Line of the log: of `answer` and `resolve`.")
    reason: Words = Field("", description="Of `object` and `decide`.")
    harm: Words = Field("", description="Of `object`.")
    paramount: Flag = False
    how: Words = Field("", description="Of `resolve`.")
    agree: Flag = Field(False, description="Of `vote` and `decide`.")


class ActionNew(BaseModel):
    """Something to be done by a member."""

    model_config = ConfigDict(extra="forbid")

    text: Words
    owner: Line
    due: Day
    metric: Annotated[Line, Field(max_length=64)] = ""


class ActionDone(BaseModel):
    """How it was done, or why it is dropped."""

    model_config = ConfigDict(extra="forbid")

    said: Words
    dropped: Flag = False


class MeetingNew(BaseModel):
    """A meeting called by hand."""

    model_config = ConfigDict(extra="forbid")

    starts: Moment
    minutes: Annotated[int, Field(strict=True, ge=5, le=480)] = 60


class Made(BaseModel):
    """The uid of what was made."""

    uid: str


@routes.get("/committees", responses=also(404), summary="List bodies")
def list_bodies(watchword: House, _: Reader) -> Bodies:
    """Every body with its rules and members."""
    return Bodies(items=watchword.governance.committees.list())


@routes.get("/committees/{uid}", responses=also(404), summary="Read a body")
def read_body(watchword: House, _: Reader, uid: Uid) -> Body:
    """One body."""
    return watchword.governance.committees.get(uid)


@routes.get("/committees/{uid}/meetings", responses=also(404), summary="List a body's meetings")
def list_meetings(watchword: House, _: Reader, uid: Uid) -> Meetings:
    """Its meetings, those past too."""
    return Meetings(items=watchword.governance.meetings.list(watchword.governance.committees.get(uid).uid))


@routes.post("/committees/{uid}/meetings", responses=also(404, 409), status_code=201, summary="Call a meeting")
def call_meeting(watchword: House, caller: Governor, uid: Uid, new: MeetingNew) -> Made:
    """Call a meeting by hand; roles are given by the rotation."""
    return Made(uid=watchword.governance.meetings.call(uid, new.starts, new.minutes, by=caller.name))


@routes.get(
    "/committees/{uid}/calendar",
    responses={**also(404), 200: CALENDAR},
    summary="Export a body's meetings as a calendar",
    response_class=Response,
)
def calendar(watchword: House, _: Reader, uid: Uid) -> Response:
    """All its meetings as an iCalendar file."""
    body, now = watchword.governance.committees.get(uid), watchword.clock.now()
    found = feed(body.name, appointments(watchword, body, now.replace(year=1971)), now)
    return Response(found, media_type="text/calendar; charset=utf-8")


@routes.get("/committees/{uid}/actions", responses=also(404), summary="List a body's actions")
def list_actions(watchword: House, _: Reader, uid: Uid) -> Actions:
    """What it wants done."""
    body = watchword.governance.committees.get(uid)
    return Actions(items=list(watchword.governance.minutes.actions(body.uid)))


@routes.post("/committees/{uid}/actions", responses=also(404, 409), status_code=201, summary="Add an action")
def add_action(watchword: House, caller: Governor, uid: Uid, new: ActionNew) -> Made:
    """Keep something that the body wants done."""
    minutes = watchword.governance.minutes
    return Made(uid=minutes.add_action(uid, new.text, new.owner, new.due, by=caller.name, metric=new.metric))


@routes.post("/actions-of-bodies/{uid}/done", responses=also(404, 409), status_code=204, summary="Close an action")
def close_action(watchword: House, caller: Governor, uid: Uid, done: ActionDone) -> None:
    """Say how it was done, or why it is dropped."""
    watchword.governance.minutes.finish(uid, done.said, by=caller.name, drop=done.dropped)


@routes.get("/meetings/{uid}", responses=also(404), summary="Read a meeting")
def read_meeting(watchword: House, _: Reader, uid: Uid) -> MeetingRead:
    """One meeting with its agenda, who was there, actions and minutes."""
    house = watchword.governance
    meeting = house.meetings.get(uid)
    return MeetingRead(
        meeting=meeting,
        preview=house.agendas.preview(meeting) if meeting.state is MeetingState.PLANNED else None,
        items=house.agendas.items(uid),
        present=house.meetings.present(uid),
        actions=list(house.minutes.actions(meeting.body, meeting=uid)),
        minutes=house.minutes.versions(uid),
    )


@routes.get("/proposals", responses=also(404), summary="List proposals")
def list_proposals(
    watchword: House,
    _: Reader,
    body: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$", description="Uid of a body.")] = None,
    state: Annotated[Literal["under-way", "all"], Query(description="Only those not settled yet, or all.")] = "all",
) -> Proposals:
    """At most 500."""
    return Proposals(items=watchword.governance.proposals.list(body or "", under_way=state == "under-way"))


@routes.post("/proposals", responses=also(404, 409), status_code=201, summary="Begin a proposal")
def new_proposal(watchword: House, caller: Governor, new: ProposalNew) -> Made:
    """Keep a draft; nobody is asked before it is submitted."""
    given = new.model_dump(mode="json")
    body = given.pop("body")
    text = Text(**given | {"review_on": new.review_on, "expires": new.expires})
    return Made(uid=watchword.governance.proposals.draft(body, text, by=caller.name))


@routes.get("/proposals/{uid}", responses=also(404), summary="Read a proposal")
def read_proposal(watchword: House, _: Reader, uid: Uid) -> KeptProposal:
    """One proposal with its versions, where its round stands, and its log, whose chain was checked."""
    return watchword.governance.proposals.get(uid)


@routes.post("/proposals/{uid}/say", responses=also(404, 409), summary="Say something to a proposal")
def say(watchword: House, caller: Governor, uid: Uid, said: Said) -> KeptProposal:
    """Ask, object, agree, vote, or move one's own proposal on. A revision by this way puts the text to the body unchanged."""
    proposals, by = watchword.governance.proposals, caller.name
    deeds = {
        "submit": lambda: proposals.submit(uid, by=by),
        "revise": lambda: proposals.revise(uid, None, by=by),
        "withdraw": lambda: proposals.withdraw(uid, by=by),
        "ask": lambda: proposals.ask(uid, said.text, by=by),
        "answer": lambda: proposals.answer(uid, said.entry, said.text, by=by),
        "asked": lambda: proposals.asked(uid, by=by),
        "agree": lambda: proposals.agree(uid, by=by),
        "object": lambda: proposals.object(uid, said.reason, said.harm, paramount=said.paramount, by=by),
        "resolve": lambda: proposals.resolve(uid, said.entry, said.how, by=by),
        "vote": lambda: proposals.vote(uid, agree=said.agree, by=by),
        "decide": lambda: proposals.decide(uid, said.reason, agree=said.agree, by=by),
    }
    if said.deed not in deeds:
        raise InputError("there is no such deed", "deed")
    return deeds[said.deed]()
