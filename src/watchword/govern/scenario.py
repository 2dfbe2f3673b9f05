"""Scenarios and safeguards: what could happen, what is done against it, and how both become values for the loss engine."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from watchword.measure.loss import PRIOR_WEIGHT, Guard, Peril, kept_frequency

YEAR: Final = timedelta(days=365.25)
MOST_SLICES: Final = 24
"""Parts into which the time of counting is cut: in each, a control has one reliability."""


class Standing(StrEnum):
    """How far a safeguard is."""

    IN_PLACE = "in place"
    APPROVED = "approved"
    """Decided on, not yet there."""
    CANDIDATE = "candidate"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Parent:
    """A scenario whose events bring another with them."""

    scenario: str
    share: float
    """Of its events, the share that do."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that could happen, with what is believed of how often and how dear before anything was seen. Euros, years."""

    uid: str
    title: str
    story: str
    """How it goes, in a sentence or two for both trades."""
    threat: str
    """Who or what brings it about."""
    shape: float
    """The rate's prior, *without* controls: Gamma(shape, years)."""
    years: float
    low: float
    """90 % interval of the loss of one event, without controls."""
    high: float
    owner: str
    """Role that answers for it."""
    places: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    parents: tuple[Parent, ...] = ()
    rules: tuple[str, ...] = ()
    """Detections whose incidents may be events of it: they are suggested, a person confirms."""
    appetite: float = 0.0
    """A year's loss beyond this is to be rare; 0: the house has said nothing."""
    appetite_share: float = 0.05
    """How rare: the largest P(L > appetite) that is borne."""
    weight: float = PRIOR_WEIGHT
    counted_since: date | None = None
    """From when events were counted; None: not yet, the prior stands alone."""
    source: str = ""
    """Where the estimate comes from, with a name that can be looked up."""
    example: bool = False
    """Shipped as an example: its numbers are to be replaced by the house's own."""
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Protection:
    """What a safeguard does against one scenario; 90 % intervals of shares."""

    scenario: str
    frequency: tuple[float, float] = (0.0, 0.0)
    loss: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Safeguard:
    """Something done, or that could be done, against scenarios: a control in place, or an investment to choose."""

    uid: str
    title: str
    domain: str
    """``it``, ``physical`` or ``joint``."""
    protects: tuple[Protection, ...]
    standing: Standing = Standing.CANDIDATE
    coverage: float = 1.0
    reliability: float = 0.8
    """Share of time working, assumed where no evidence speaks."""
    controls: tuple[str, ...] = ()
    """Ids of the controls whose evidence tells whether it works."""
    since: date | None = None
    """From when it stood."""
    build: float = 0.0
    """Euros once."""
    run: float = 0.0
    """Euros a year."""
    people_days: float = 0.0
    """Days of the house's own people, over the whole horizon."""
    requires: tuple[str, ...] = ()
    """Safeguards without which it does nothing."""
    sources: tuple[str, ...] = ()
    """Sources of events that would fall silent without it."""
    note: str = ""
    example: bool = False

    def yearly(self, horizon: float, day_rate: float) -> float:
        """Return what it costs a year: build and people spread over the horizon, and its running."""
        return (self.build + self.people_days * day_rate) / horizon + self.run

    def cost(self, horizon: float, day_rate: float) -> float:
        """Return build + run · years + people-days, in euros."""
        return self.yearly(horizon, day_rate) * horizon


@dataclass(frozen=True, slots=True)
class Reliance:
    """How far a safeguard was evidenced working over some time."""

    share: float
    evidenced: bool
    """False: nothing speaks for or against it, so `share` is assumed."""
    because: str = ""


Relied = Callable[[Safeguard, datetime, datetime], Reliance]


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a scenario that a person confirmed."""

    at: datetime
    loss: float | None = None
    """Euros; None: not known (yet)."""


@dataclass(frozen=True, slots=True)
class Treated:
    """What treatments in force do to a scenario's losses."""

    avoided: bool = False
    retention: float = 0.0
    cover: float = 0.0


def guards(scenario: str, safeguards: Iterable[Safeguard], relied: Relied, since: datetime, until: datetime) -> tuple[Guard, ...]:
    """Return what safeguards do against a scenario between two moments; those whose requirements are not among them do nothing."""
    known = list(safeguards)
    there = {safeguard.uid for safeguard in known}
    found = []
    for safeguard in known:
        for each in safeguard.protects:
            if each.scenario == scenario and there.issuperset(safeguard.requires):
                share = relied(safeguard, since, until).share
                found.append(Guard(safeguard.uid, each.frequency, each.loss, safeguard.coverage, share))
    return tuple(found)


def exposure(scenario: Scenario, safeguards: Sequence[Safeguard], relied: Relied, now: datetime) -> float:
    """Return ∫ g dt in years since events were counted: time under working controls counts less, else controls count twice."""
    if scenario.counted_since is None:
        return 0.0
    began = datetime(scenario.counted_since.year, scenario.counted_since.month, scenario.counted_since.day, tzinfo=now.tzinfo)
    if began >= now:
        return 0.0
    slices = min(MOST_SLICES, max(1, round((now - began) / timedelta(days=30))))
    step, total = (now - began) / slices, 0.0
    for index in range(slices):
        since, until = began + index * step, began + (index + 1) * step
        stood = [each for each in safeguards if each.standing is Standing.IN_PLACE and (each.since is None or each.since <= since.date())]
        total += kept_frequency(guards(scenario.uid, stood, relied, since, until)) * (step / YEAR)
    return total


@dataclass(frozen=True, slots=True)
class Register:
    """Everything known of risks at one moment."""

    scenarios: tuple[Scenario, ...]
    safeguards: tuple[Safeguard, ...]
    happened: Mapping[str, tuple[Happened, ...]]
    treated: Mapping[str, Treated]
    now: datetime
    relied: Relied
    window: timedelta = timedelta(days=30)
    """Over which the present reliability is read."""

    def perils(self, standings: Iterable[Standing] = (Standing.IN_PLACE,), *, extra: Iterable[str] = ()) -> list[Peril]:
        """Return the scenarios as the loss engine takes them, with the safeguards of these standings (and those named) at work.

        What was seen is discounted by the controls that stood then, whichever world is asked for.
        """
        wanted, more = frozenset(standings), frozenset(extra)
        chosen = [each for each in self.safeguards if each.standing in wanted or each.uid in more]
        return [self._peril(each, chosen) for each in self.scenarios if not each.retired]

    def _peril(self, scenario: Scenario, chosen: Sequence[Safeguard]) -> Peril:
        seen = self.happened.get(scenario.uid, ()) if scenario.counted_since is not None else ()
        treated = self.treated.get(scenario.uid, Treated())
        return Peril(
            uid=scenario.uid,
            shape=scenario.shape,
            years=scenario.years,
            low=scenario.low,
            high=scenario.high,
            guards=guards(scenario.uid, chosen, self.relied, self.now - self.window, self.now),
            parents=tuple((each.scenario, each.share) for each in scenario.parents),
            events=sum(each.at.date() >= scenario.counted_since for each in seen if scenario.counted_since is not None),
            exposure=exposure(scenario, self.safeguards, self.relied, self.now),
            losses=tuple(each.loss for each in seen if each.loss is not None and each.loss > 0),
            weight=scenario.weight,
            retention=treated.retention,
            cover=treated.cover,
            avoided=treated.avoided,
            appetite=scenario.appetite,
        )
