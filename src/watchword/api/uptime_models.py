"""What the API says and takes of uptime: states, shares, causes, objectives, planned work, tests by hand, probes."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import Moment, ReasonWords


class SpanRead(BaseModel):
    """That something was in one state for a while."""

    since: datetime
    until: datetime
    state: str
    because: str
    event: str
    """Uid of the event with which it began; empty where none did."""


class SharesRead(BaseModel):
    """How long each state lasted, in minutes, and what is claimed of it."""

    value: float | None
    """U / (T - P): unknown counts as down. Null where no time counts."""
    lo: float | None
    hi: float | None
    highest: float | None
    """(U + Q) / (T - P): had it been up whenever nobody knew."""
    coverage: float
    planned_share: float
    up: float
    degraded: float
    down: float
    unknown: float
    planned: float
    outages: int


class ComponentRead(BaseModel):
    """A component in a list."""

    uid: str
    name: str
    kind: str
    domain: str
    place: str
    now: SpanRead | None
    shares: SharesRead


class ZoneRead(BaseModel):
    """A covered place in a list."""

    uid: str
    name: str
    least: int
    members: list[str]
    weight: float
    assumed: bool
    now: SpanRead | None
    shares: SharesRead


class CauseRead(BaseModel):
    """Outages that one cause explains."""

    root: str
    inferred: bool
    domain: str
    since: datetime
    until: datetime
    lost_minutes: float
    components: list[str]


class UptimeRead(BaseModel):
    """Everything over a window."""

    since: datetime
    until: datetime
    zone_mean: float | None
    zone_fifth_percentile: float | None
    worst_zone: str
    zones: list[ZoneRead]
    components: list[ComponentRead]
    lost_minutes: dict[str, dict[str, float]]
    """Domain that suffers → domain of the cause → component-minutes."""
    causes: list[CauseRead]


class ConditionRead(BaseModel):
    """One function that is expected of a component."""

    name: str
    way: str
    words: str
    spans: list[SpanRead]


class ThingRead(BaseModel):
    """A component or zone over a window."""

    uid: str
    name: str
    shares: SharesRead
    spans: list[SpanRead]
    outages: list[SpanRead]
    conditions: list[ConditionRead]
    depends_on: list[str]
    takes_down: list[str]


class ObjectiveRead(BaseModel):
    """An objective with its budget now."""

    subject: str
    name: str
    share: float
    days: float
    by: str
    """Empty: the site file says so."""
    allowed_minutes: float
    spent_minutes: float
    unknown_minutes: float
    left_minutes: float
    burn: float
    """Over the last three days."""
    exhausted: bool
    alerts: list[str]


class ObjectiveNew(BaseModel):
    """What is promised."""

    model_config = ConfigDict(extra="forbid")

    share: float = Field(ge=0.5, le=0.99999, description="Promised share of the time.")
    days: float = Field(30, ge=1, le=92, description="Length of the rolling window.")


class WorkRead(BaseModel):
    """Planned work."""

    uid: str
    entity: str
    since: datetime
    until: datetime
    ticket: str
    by: str


class WorkNew(BaseModel):
    """Work to be announced."""

    model_config = ConfigDict(extra="forbid")

    entity: str = Field(min_length=1, max_length=200)
    since: Moment
    until: Moment
    ticket: ReasonWords


class TestNew(BaseModel):
    """A function that somebody tried by hand."""

    model_config = ConfigDict(extra="forbid")

    component: str = Field(min_length=1, max_length=200)
    kind: str = Field(min_length=1, max_length=40)
    passed: bool
    at: Moment | None = None
    note: ReasonWords = ""


class TestRead(BaseModel):
    """A kept test."""

    component: str
    kind: str
    at: datetime
    passed: bool
    note: str
    by: str


class ProbeRead(BaseModel):
    """A probe of the settings."""

    name: str
    asset: str
    kind: str
    host: str
    port: int
    every_seconds: float


class Objectives(BaseModel):
    """Objectives, the most overdrawn first."""

    items: list[ObjectiveRead]


class Work(BaseModel):
    """Planned work, by start."""

    items: list[WorkRead]


class Probes(BaseModel):
    """Probes, by name."""

    items: list[ProbeRead]
