"""What a site expects of its equipment: which functions count, how many cameras cover a zone, how much uptime is promised."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Cover:
    """That a zone counts as covered while at least so many of its components are up (k of n)."""

    place: str
    """Uid of the zone, floor, building or site."""
    least: int
    """k: how many must be up."""
    of: tuple[str, ...] = ()
    """Uids of the components; empty: every camera that stands in the place."""
    weight: float = 1.0
    """How much the zone counts in the mean over zones."""


@dataclass(frozen=True, slots=True)
class ServiceObjective:
    """How much uptime is promised of a component or of a zone's cover, over a rolling window."""

    subject: str
    """Uid of an asset, a door or a covered place."""
    share: float
    """Promised share of time up, above 0 and below 1."""
    window: timedelta = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class UptimeBook:
    """Everything that the site files say of expected function, by uid."""

    controllers: Mapping[str, str] = field(default_factory=dict)
    """Door → the asset that drives it."""
    expects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Component → names of the functions that count, in place of what its kind implies."""
    tests: Mapping[str, timedelta] = field(default_factory=dict)
    """Kind of test (``lock``, ``walk``, ``footage``) → for how long one counts."""
    armed: Mapping[str, str] = field(default_factory=dict)
    """Panel → uid of the calendar during which it must be armed."""
    covers: tuple[Cover, ...] = ()
    objectives: tuple[ServiceObjective, ...] = ()
