"""The metric: a number about the house, with its window, interval, evidence and credibility."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class MeasureClass(StrEnum):
    """What a measure tells of (SP 800-55)."""

    IMPLEMENTATION = "implementation"
    EFFECTIVENESS = "effectiveness"
    EFFICIENCY = "efficiency"
    IMPACT = "impact"


class MeasureDomain(StrEnum):
    """Whose work a measure describes."""

    IT = "it"
    PHYSICAL = "physical"
    JOINT = "joint"


class Better(StrEnum):
    """Which direction is an improvement."""

    UP = "up"
    DOWN = "down"


class Grade(StrEnum):
    """How credible a metric is; D is shown as "not credible" and kept out of composites and thresholds."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Flag(StrEnum):
    """How a measure may have been gamed, intentionally or not (detectors D1 to D7)."""

    SELECTION = "selection"
    BULK = "bulk"
    DOWNGRADE = "downgrade"
    REOPEN = "reopen"
    HEAPING = "heaping"
    DIVERGENCE = "divergence"
    DENOMINATOR = "denominator"


@dataclass(frozen=True, slots=True)
class Window:
    """A half-open stretch of time, `since` ≤ t < `until`; both aware UTC."""

    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        """Return how long it is."""
        return self.until - self.since


@dataclass(frozen=True, slots=True)
class Target:
    """What a team wants a measure to reach, and who answers for it."""

    value: float
    owner_it: str
    owner_physical: str
    since: datetime
    decision: str = ""
    """Uid of the Decision that set it; empty: set at hand."""


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """What a measure is, in words and in code; a changed definition has a new version and starts a new series."""

    name: str
    version: int
    title: str
    measure_class: MeasureClass
    domain: MeasureDomain
    unit: str
    better: Better
    window: timedelta
    formula: str
    """Name of the pure function in `watchword.measure`, as ``module.function``; its code hash is kept beside each series."""
    owner_it: str
    """Role that answers for it on the IT side."""
    owner_physical: str
    counter: str = ""
    """Name of the paired counter-metric; may be empty only while no target is set."""
    min_n: int = 20
    ttl: timedelta = timedelta(hours=26)
    """A value older than this is shown as stale and graded D."""
    because: str = ""
    """The definition in words, for both trades."""
    weaknesses: tuple[str, ...] = ()
    """How it could mislead or be gamed: the four Goodhart modes (regressional, extremal, causal, adversarial) as far as they apply."""
    level: float = 0.95
    """Confidence of the interval."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One value of one measure over one window, for one subject."""

    uid: str
    """Hash of the definition, its version, subject, window and inputs: computed twice, it is the same."""
    name: str
    version: int
    window: Window
    value: float | None
    """None: cannot be known; never 0 instead."""
    lo: float | None
    hi: float | None
    n: int
    """How many observations stand behind it."""
    coverage: float
    """Share of what should have been observed that was, 0 to 1."""
    grade: Grade
    unit: str
    because: str
    """One plain sentence: how it was computed, and why it has its grade."""
    subject: str = ""
    """Uid of the zone, asset, team (``it``, ``physical``) or severity that it is about; empty: the whole house."""
    flags: tuple[Flag, ...] = ()
    inputs: str = ""
    """Hash of the uids read; the uids themselves are kept beside, so that a person can walk back to the events."""
    computed: datetime | None = None
    details: dict[str, float] = field(default_factory=dict)
    """Further figures of the same computation (percentiles, worst zone, planned share …)."""
