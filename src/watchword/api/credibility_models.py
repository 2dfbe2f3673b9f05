"""What the API says and takes of credibility: re-reviews, the detectors' questions, what counting closures rewards."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from watchword.model.incident import Closure


class FactRead(BaseModel):
    """One finding as its rule told it."""

    uid: str
    title: str
    because: str
    time: datetime
    severity: int
    """1 gravest to 4."""
    rule: str


class BlindRead(BaseModel):
    """A closure as its reviewer sees it: neither the closer nor the first verdict."""

    uid: str
    kind: str
    drawn_at: datetime
    facts: list[FactRead]


class Blinds(BaseModel):
    """What waits for a second look by the caller."""

    items: list[BlindRead]


class ReviewNew(BaseModel):
    """What a second look found."""

    model_config = ConfigDict(extra="forbid")

    verdict: Closure
    severity: int = Field(ge=1, le=4, description="1 gravest to 4.")
    note: str = Field(default="", max_length=4000)


class ReviewRead(BaseModel):
    """A re-review that is done: both results. Who closed it first is not told."""

    uid: str
    kind: str
    subject: str
    verdict: str
    severity: int
    second_verdict: str
    second_severity: int
    note: str
    reviewer: str
    reviewed_at: datetime
    differs: bool


class RateRead(BaseModel):
    """How often re-review differs, drawn towards the house's mean as far as cases are few."""

    of: str
    share: float
    lo: float
    hi: float
    differing: int
    reviewed: int


class ReviewsRead(BaseModel):
    """Re-reviews done, newest first, and the rate of each severity."""

    items: list[ReviewRead]
    by_severity: list[RateRead]


class PromptRead(BaseModel):
    """What a detector asks the team."""

    uid: str
    flag: str
    team: str
    metric: str
    because: str
    since: datetime
    until: datetime
    opened_at: datetime
    ended_at: datetime | None
    answer: str
    answered_by: str
    answered_at: datetime | None


class Prompts(BaseModel):
    """Prompts, those that stand first."""

    items: list[PromptRead]


class AnswerNew(BaseModel):
    """What the team found."""

    model_config = ConfigDict(extra="forbid")

    answer: str = Field(min_length=1, max_length=4000)


class AnalystRead(BaseModel):
    """One simulated analyst."""

    letter: str
    closures: float
    value: float
    by_count: int
    by_value: int
    games: bool


class LeagueRead(BaseModel):
    """Ten simulated analysts, one of whom takes the easy items with this intensity."""

    intensity: float
    runs: int
    analysts: list[AnalystRead]


class StoryRead(BaseModel):
    """One story of a whole team, before and after, a week."""

    name: str
    closures_before: float
    closures_after: float
    value_before: float
    value_after: float
    reopened_before: float
    reopened_after: float
    found: float


class DemonstrationRead(BaseModel):
    """Closures counted, value delivered: from simulation."""

    made_at: datetime
    leagues: list[LeagueRead]
    stories: list[StoryRead]
