"""What the API says and takes of incidents."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import Count, DurationText, Flag, Line, Moment, Password, ReasonWords, UidText, Words
from watchword.app.watchword import Watchword
from watchword.model import Team
from watchword.model.incident import Closure, Incident, IncidentRole, MomentEntry, Rating
from watchword.model.incident import Moment as Canonical
from watchword.respond.hand_over import HandOver, OpenItem
from watchword.respond.incident_state import Duration
from watchword.respond.incident_view import IncidentRow, Link, Owed, Task, TeamTimes
from watchword.respond.roles import Holding, RoleWarning
from watchword.respond.severity import KeptRating
from watchword.respond.similar import Similar

MOST: int = 50
"""Findings or incidents named in one request."""
Grade = Annotated[int, Field(strict=True, ge=1, le=4)]
Stake = Literal["people", "operations", "data", "money", "law"]


class IncidentListed(BaseModel):
    """An incident in the list, with what is next and who owes it."""

    incident: Incident
    open: bool
    teams: list[TeamTimes]
    open_tasks: int
    late_tasks: int
    next_step: Owed


class IncidentRead(BaseModel):
    """An incident with everything but its timeline, which comes in pages."""

    incident: Incident
    open: bool
    now: datetime
    teams: list[TeamTimes]
    moments: list[MomentEntry] = Field(description="Those in force.")
    series: list[MomentEntry] = Field(description="Every entry of every moment, in order of entry.")
    durations: list[Duration]
    roles: list[Holding]
    warnings: list[RoleWarning]
    ratings: list[KeptRating]
    tasks: list[Task]
    links: list[Link]
    hand_overs: list[HandOver]
    open_items: list[OpenItem]
    owed: list[Owed] = Field(description="What is next, the first thing first.")


class Chain(BaseModel):
    """What one walk along an incident's timeline found."""

    intact: bool
    entries: int
    problems: list[str]


class SimilarOnes(BaseModel):
    """Incidents of the past that are like this one, the most similar first."""

    items: list[Similar]


class Veris(BaseModel):
    """An incident in the VERIS vocabulary."""

    record: dict[str, Any]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class IncidentNew(_Body):
    """An incident that somebody opens."""

    title: Line
    because: ReasonWords
    severity: Grade = 3
    findings: list[UidText] = Field([], max_length=MOST)
    teams: list[Team] = Field([], max_length=3)
    exercise: Flag = False
    onset: Moment | None = Field(None, description="The earliest evidence, where it is known.")


class IncidentChange(_Body):
    """A new title and summary; the timeline keeps the old title."""

    title: Line
    summary: Words = ""


class FindingIn(_Body):
    """A finding that belongs here."""

    finding: UidText
    because: ReasonWords = ""


class Because(_Body):
    """A deed that needs its reason."""

    reason: ReasonWords


class Merged(_Body):
    """Incidents that are taken up."""

    others: list[UidText] = Field(min_length=1, max_length=MOST)
    reason: ReasonWords


class Split(_Body):
    """Findings that become an incident of their own."""

    findings: list[UidText] = Field(min_length=1, max_length=MOST)
    title: Line = ""
    reason: ReasonWords


class NoteNew(_Body):
    """What happened; with `corrects` the entry that was wrong, which stays."""

    text: Words
    at: Moment | None = Field(None, description="When it happened; else now.")
    corrects: Count = Field(0, ge=0, le=2**31 - 1)


class Said(_Body):
    """What somebody says to the others; `@name` mentions."""

    text: Words


class RoleHeld(_Body):
    """Who holds a role; '' nobody."""

    person: Line = ""


class TaskNew(_Body):
    """Something that somebody has to do."""

    title: Line
    team: Team
    owner: Line = ""
    detail: Words = ""
    due: Moment | None = None
    within: DurationText = ""


class TaskChange(_Body):
    """What becomes of a task: done, dropped with a reason, or given to a team or one of it."""

    deed: Literal["finish", "drop", "give"]
    note: ReasonWords = ""
    team: Team | None = None
    owner: Line = ""
    due: Moment | None = None


class HandOverNew(_Body):
    """A role that is handed over."""

    role: IncidentRole
    incoming: Line
    note: ReasonWords = ""


class ItemTaken(_Body):
    """One item that the incoming person acknowledges."""

    kind: Line
    item: Line
    password: Password = ""


class Present(_Body):
    """That a person is there."""

    password: Password = ""


class Acknowledged(Present):
    """That a team has it; a manager says which team."""

    team: Team | None = None


class RatingGiven(_Body):
    """How grave by what is at stake: 1 gravest to 4; the severity is the gravest, and what is in doubt counts one graver."""

    people: Grade = 4
    operations: Grade = 4
    data: Grade = 4
    money: Grade = 4
    law: Grade = 4
    in_doubt: list[Stake] = Field([], max_length=5)
    reason: ReasonWords = ""

    def rating(self) -> Rating:
        """Return it as the rooms take it."""
        return Rating(self.people, self.operations, self.data, self.money, self.law, tuple(dict.fromkeys(self.in_doubt)))


class SecondWord(_Body):
    """What the second person says to a downgrade."""

    yes: Flag
    reason: ReasonWords = ""
    password: Password = ""


class MomentGiven(_Body):
    """When something was; without `at` the moment no longer holds."""

    moment: Canonical
    at: Moment | None
    team: Team | None = None
    source: Line = "stated"
    uncertainty: DurationText = ""
    evidence: Line = ""
    reason: ReasonWords = ""


class ClosureGiven(RatingGiven):
    """What it was found to be, and its severity as seen at the end; `reason` says what it was."""

    closure: Closure


def listed_of(row: IncidentRow) -> IncidentListed:
    """Return a row of the list."""
    return IncidentListed(
        incident=row.incident,
        open=row.incident.open,
        teams=list(row.teams),
        open_tasks=row.open_tasks,
        late_tasks=row.late_tasks,
        next_step=row.next_step,
    )


def read_of(watchword: Watchword, uid: str) -> IncidentRead:
    """Return an incident as it stands; raises `NotFound`."""
    view = watchword.response.incidents.get(uid)
    return IncidentRead(
        incident=view.incident,
        open=view.incident.open,
        now=view.now,
        teams=list(view.teams),
        moments=list(view.moments.values()),
        series=list(view.series),
        durations=list(view.durations.values()),
        roles=list(view.roles),
        warnings=list(view.warnings),
        ratings=list(view.ratings),
        tasks=list(view.tasks),
        links=list(view.links),
        hand_overs=list(view.hand_overs),
        open_items=list(view.open_items),
        owed=list(view.owed),
    )
