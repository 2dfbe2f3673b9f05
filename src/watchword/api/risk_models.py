"""What risks and the budget look like over HTTP: scenarios and safeguards as they are kept, figures with their bands, the best choice."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import Line, Moment, Words

Euros = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Pair = Annotated[list[Share], Field(min_length=2, max_length=2)]
Names = Annotated[list[Line], Field(max_length=50)]


class Band(BaseModel):
    """A figure with its 90 % interval over what is not known."""

    value: float
    lo: float
    hi: float


class Point(BaseModel):
    """One point of a loss exceedance curve."""

    loss: float
    probability: float
    lo: float
    hi: float


class Figures(BaseModel):
    """What simulated years say. Euros a year."""

    mean: Band
    var95: Band
    var99: float
    tvar95: Band
    over_appetite: Band
    any_event: float
    events: float
    curve: Sequence[Point] = ()


class ParentBody(BaseModel):
    """A scenario whose events bring this one with them."""

    model_config = ConfigDict(extra="forbid")

    scenario: Name
    share: Share


class ScenarioBody(BaseModel):
    """A scenario: the rate is that without safeguards (`shape` events in `years` years); `low` and `high` hold a loss 9 times in 10."""

    model_config = ConfigDict(extra="forbid")

    title: Words
    story: Words
    threat: Words
    owner: Words
    shape: Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)]
    years: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
    low: Euros
    high: Euros
    places: Names = []
    assets: Names = []
    parents: Annotated[list[ParentBody], Field(max_length=20)] = []
    rules: Names = []
    appetite: Euros = 0.0
    appetite_share: Share = 0.05
    weight: Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)] = 4.0
    counted_since: date | None = None
    source: Words = ""
    example: bool = False
    retired: bool = False


class ScenarioRead(ScenarioBody):
    """A scenario as it is kept, with what was computed of it last; `figures` is null until it was."""

    uid: str
    version: int
    changed_at: datetime
    changed_by: str
    stand: str
    avoided: Band | None = None
    figures: Figures | None = None
    assumed: Sequence[str] = ()


class ProtectionBody(BaseModel):
    """What a safeguard does against a scenario: 90 % intervals of shares."""

    model_config = ConfigDict(extra="forbid")

    scenario: Name
    frequency: Pair = [0.0, 0.0]
    loss: Pair = [0.0, 0.0]


class SafeguardBody(BaseModel):
    """A control in place, or one that could be bought."""

    model_config = ConfigDict(extra="forbid")

    title: Words
    domain: Literal["it", "physical", "joint"]
    protects: Annotated[list[ProtectionBody], Field(max_length=50)]
    standing: Literal["in place", "approved", "candidate", "dropped"] = "candidate"
    coverage: Share = 1.0
    reliability: Share = 0.8
    controls: Names = []
    since: date | None = None
    build: Euros = 0.0
    run: Euros = 0.0
    people_days: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] = 0.0
    requires: Annotated[list[Name], Field(max_length=20)] = []
    sources: Names = []
    note: Words = ""
    example: bool = False


class SafeguardRead(SafeguardBody):
    """A safeguard as it is kept."""

    uid: str
    version: int
    changed_at: datetime
    changed_by: str
    decision: str


class RunRead(BaseModel):
    """A computation of risks."""

    uid: str
    state: Literal["asked", "done", "failed"]
    asked: datetime
    asked_by: str
    because: str
    done: datetime | None
    seed: str
    inputs: str
    outer: int
    inner: int
    took_ms: int
    fault: str


class RisksRead(BaseModel):
    """The register with the house's own figures."""

    run: RunRead | None
    waiting: bool
    appetite: float
    appetite_share: float
    house: Figures | None
    avoided: Band | None
    scenarios: Sequence[ScenarioRead]


class AppetiteBody(BaseModel):
    """A year's loss beyond `euros` may come with a probability of at most `share`."""

    model_config = ConfigDict(extra="forbid")

    euros: Euros
    share: Share


class EventNew(BaseModel):
    """An event that no incident speaks of."""

    model_config = ConfigDict(extra="forbid")

    at: Moment
    loss: Euros | None = None
    because: Words


class EventWord(BaseModel):
    """Whether a suggested incident was an event of its scenario."""

    model_config = ConfigDict(extra="forbid")

    is_one: bool
    loss: Euros | None = None
    because: Words = ""


class EventRead(BaseModel):
    """An event of a scenario, or what may be one."""

    uid: str
    scenario: str
    incident: str
    state: Literal["suggested", "confirmed", "rejected"]
    at: datetime
    loss: float | None
    because: str
    by: str


class TreatmentNew(BaseModel):
    """What is done about a risk; accepting one takes a Decision."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["reduce", "transfer", "avoid"]
    note: Words
    expires: date | None = None
    safeguard: Annotated[str, Field(max_length=63)] = ""
    retention: Euros = 0.0
    cover: Euros = 0.0


class TreatmentRead(BaseModel):
    """A treatment; `frozen_mean` is the expected loss that was seen when it began."""

    uid: str
    scenario: str
    kind: str
    since: datetime
    by: str
    note: str
    decision: str
    expires: date | None
    safeguard: str
    retention: float
    cover: float
    ended: datetime | None
    ended_why: str
    reopened: str
    frozen_mean: float | None


class Why(BaseModel):
    """A reason."""

    model_config = ConfigDict(extra="forbid")

    why: Words


class ForecastRead(BaseModel):
    """A forecast, and what came of it."""

    uid: str
    scenario: str
    made: datetime
    until: datetime
    any_event: float
    events: tuple[int, int]
    loss: tuple[float, float]
    mean: float
    came: int | None
    came_loss: float | None


class PlanBody(BaseModel):
    """What may be spent."""

    model_config = ConfigDict(extra="forbid")

    budget: Euros
    people_days: Euros = 0.0
    horizon: Annotated[float, Field(ge=1, le=20, allow_inf_nan=False)] = 3.0
    day_rate: Euros = 600.0
    floor_it: Euros = 0.0
    floor_physical: Euros = 0.0
    threshold: Euros = 0.0


class OptionRead(BaseModel):
    """An option as it was weighed."""

    uid: str
    alone: float
    added: float
    cost: float
    people_days: float
    robust: float
    chosen: bool


class ToolRead(BaseModel):
    """What a tool in place adds to the others."""

    uid: str
    adds: Band
    below: float
    threshold: float
    yearly: float
    redundant: bool


class BudgetRead(BaseModel):
    """What the newest computation says of the budget."""

    plan: PlanBody
    options: Sequence[OptionRead]
    reduction: Band | None
    cost: float | None
    exact: bool | None
    solo_reduction: float | None
    greedy_reduction: float | None
    draws: int
    tools: Sequence[ToolRead]
    fault: str
