"""Loss (K4) in plain values: what is known of one scenario's rate and loss, updated by what was seen, and what controls leave of it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Final

from watchword.kit.errors import InputError
from watchword.measure.intervals import Interval
from watchword.measure.response_times import ShareFigures, share_of

SPREAD: Final = 3.2897072539029435
"""A 90 % interval of a normal law is this many standard deviations wide."""
PRIOR_WEIGHT: Final = 4.0
"""How many observed losses the first estimate of a loss is worth, unless the scenario says otherwise."""
FASTEST: Final = 100.0
"""Events a year beyond which something is an operating matter, not a scenario."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What one control does against one scenario; shares from 0 to 1."""

    uid: str
    frequency: Interval = (0.0, 0.0)
    """90 % interval of the share of events that it prevents while it works."""
    loss: Interval = (0.0, 0.0)
    """90 % interval of the share of an event's loss that it spares while it works."""
    coverage: float = 1.0
    """Share of what the scenario may strike that it covers."""
    reliability: float = 1.0
    """Share of time in which it was evidenced working (or is assumed to)."""

    @property
    def presence(self) -> float:
        """Return the share of places and time in which it is there at all."""
        return self.coverage * self.reliability


@dataclass(frozen=True, slots=True)
class Peril:
    """One scenario as the loss engine sees it. Euros, years."""

    uid: str
    shape: float
    """Of the Gamma prior of the yearly rate *without* controls."""
    years: float
    """Its second parameter: the years that the prior is worth. Mean rate = shape / years."""
    low: float
    """Lower bound of the 90 % interval of one event's loss."""
    high: float
    guards: tuple[Guard, ...] = ()
    parents: tuple[tuple[str, float], ...] = ()
    """Scenarios whose events bring this one with them, each with the share of times that they do."""
    events: int = 0
    """Events seen (confirmed)."""
    exposure: float = 0.0
    """∫ g dt over the years in which they were counted: time under working controls counts less."""
    losses: tuple[float, ...] = ()
    """Losses of the events seen, as far as they are known."""
    weight: float = PRIOR_WEIGHT
    retention: float = 0.0
    """Of an insurance: what each event leaves to the house …"""
    cover: float = 0.0
    """… and what the insurer pays at most above it; 0: not insured."""
    avoided: bool = False
    """The house no longer does what the scenario needs."""
    appetite: float = 0.0
    """Loss a year that is to be exceeded only rarely; 0: none was said."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed of a scenario after what was seen: Λ ~ Gamma(shape, years), ln X ~ N(μ, σ²) with μ ~ N(mean, σ²/weight)."""

    shape: float
    years: float
    mean: float
    sigma: float
    weight: float

    @property
    def rate(self) -> float:
        """Return the mean yearly rate without controls."""
        return self.shape / self.years

    @property
    def loss(self) -> float:
        """Return the mean loss of one event without controls."""
        return math.exp(self.mean + self.sigma**2 * (1 + 1 / self.weight) / 2)


def loss_law(low: float, high: float) -> tuple[float, float]:
    """Return centre and spread of the lognormal law with this 90 % interval: (ln lo + ln hi)/2 and ln(hi/lo)/3.2897.

    Raises:
        InputError: the bounds are not 0 < low < high.
    """
    if not 0 < low < high:
        raise InputError("the 90 % interval of a loss needs 0 < low < high", "loss")
    return (math.log(low) + math.log(high)) / 2, (math.log(high) - math.log(low)) / SPREAD


def posterior(peril: Peril) -> Posterior:
    """Return prior and evidence together.

    The rate: Λ | n ~ Gamma(a + n, b + ∫g dt). The loss: conjugate normal on its logarithm with known spread; the prior is worth
    `weight` observations, and its stated interval is that of the *predictive* law, so that not knowing μ widens nothing twice.
    """
    mu, spread = loss_law(peril.low, peril.high)
    weight, seen = peril.weight, [math.log(loss) for loss in peril.losses if loss > 0]
    within = spread**2 * weight / (weight + 1)
    count = len(seen)
    if count:
        centre = sum(seen) / count
        off = sum((value - centre) ** 2 for value in seen) + weight * count / (weight + count) * (centre - mu) ** 2
        mu = (weight * mu + count * centre) / (weight + count)
        within = (weight * within + off) / (weight + count)
    return Posterior(peril.shape + peril.events, peril.years + peril.exposure, mu, math.sqrt(within), weight + count)


def middle(interval: Interval) -> float:
    """Return the typical value of a 90 % interval of a share: the middle on the log-odds scale."""
    low, high = interval
    if low == high or low <= 0 or high >= 1:
        return (low + high) / 2
    odds = math.sqrt(low / (1 - low) * high / (1 - high))
    return odds / (1 + odds)


def kept_frequency(guards: Iterable[Guard]) -> float:
    """Return g = Π (1 - e·cov·rel): the share of events that the controls let through."""
    return math.prod(1 - middle(guard.frequency) * guard.presence for guard in guards)


def kept_loss(guards: Iterable[Guard]) -> float:
    """Return the share of an event's loss that the controls leave: a product like g."""
    return math.prod(1 - middle(guard.loss) * guard.presence for guard in guards)


def in_order(perils: Sequence[Peril]) -> list[Peril]:
    """Return the scenarios with parents before children; a parent that is not among them is left out of account.

    Raises:
        InputError: they lead back to themselves.
    """
    known = {peril.uid: peril for peril in perils}
    graph = {uid: sorted(parent for parent, _ in peril.parents if parent in known) for uid, peril in sorted(known.items())}
    try:
        return [known[uid] for uid in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise InputError(f"these scenarios bring each other about in a circle: {' → '.join(error.args[1])}", "parents") from error


def rate_paths(perils: Sequence[Peril]) -> list[tuple[str, float, tuple[str, ...]]]:
    """Return each way in which events come about: (scenario struck, rate factor over the first rate, scenarios on the way).

    A scenario's own events are a path of length 1. A parent's events bring it with the stated share, thinned by the controls of
    every scenario on the way. The first of the way gives the rate; the last is the one struck.
    """
    ordered = in_order(perils)
    paths: dict[str, list[tuple[float, tuple[str, ...]]]] = {}
    for peril in ordered:
        found: list[tuple[float, tuple[str, ...]]] = [(1.0, (peril.uid,))]
        for parent, share in peril.parents:
            found += [(factor * share, (*way, peril.uid)) for factor, way in paths.get(parent, ())]
        paths[peril.uid] = found
    return [(uid, factor, way) for uid, found in paths.items() for factor, way in found]


def expected(perils: Sequence[Peril]) -> dict[str, float]:
    """Return each scenario's expected loss a year at the middle of every estimate, insurance left out: exact, without simulation."""
    known = {peril.uid: peril for peril in perils}
    believed = {uid: posterior(peril) for uid, peril in known.items()}
    kept = {uid: 0.0 if peril.avoided else kept_frequency(peril.guards) for uid, peril in known.items()}
    found = dict.fromkeys(known, 0.0)
    for uid, factor, way in rate_paths(perils):
        rate = factor * believed[way[0]].rate * math.prod(kept[step] for step in way)
        found[uid] += rate * believed[uid].loss * kept_loss(known[uid].guards)
    return found


CAUSES: Final = ("estimate", "events", "controls", "reliability", "treatment")
"""Why an expected loss moves, in the order in which the differences are told."""


def moved(before: Peril, after: Peril) -> dict[str, float]:
    """Return how much each cause moved a scenario's expected loss between two states: first the estimate, last the treatment.

    Each step puts one more part of the new state into the old one, so the differences sum to the whole.
    """
    old = {guard.uid: guard for guard in before.guards}
    prior = {
        "shape": after.shape,
        "years": after.years,
        "low": after.low,
        "high": after.high,
        "weight": after.weight,
    }
    steps: list[Mapping[str, object]] = [
        prior,
        {"events": after.events, "exposure": after.exposure, "losses": after.losses},
        {"guards": tuple(replace(guard, reliability=old[guard.uid].reliability) if guard.uid in old else guard for guard in after.guards)},
        {"guards": after.guards},
        {"avoided": after.avoided, "cover": after.cover, "retention": after.retention},
    ]
    found, state = {}, before
    worth = expected([state])[state.uid]
    for cause, step in zip(CAUSES, steps, strict=True):
        state = replace(state, **step)  # type: ignore[arg-type]
        now = expected([state])[state.uid]
        found[cause], worth = now - worth, now
    return found


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile of some values by linear interpolation; 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def expected_metric(draws: Sequence[float]) -> tuple[float, Interval] | None:
    """Return the expected loss a year with its 90 % interval, from the yearly mean of each outer draw; None: there are none."""
    if not draws:
        return None
    return sum(draws) / len(draws), (quantile(draws, 0.05), quantile(draws, 0.95))


def reduction_metric(without: Sequence[float], with_controls: Sequence[float]) -> tuple[float, Interval] | None:
    """Return the loss a year avoided with its 90 % interval, draw by draw under common random numbers; None: there are none.

    Raises:
        ValueError: the two do not come from the same draws.
    """
    return expected_metric([before - after for before, after in zip(without, with_controls, strict=True)])


def calibration(held: Sequence[bool]) -> ShareFigures:
    """Return the share of forecasts whose 90 % interval held what came, with its Jeffreys interval."""
    return share_of(sum(held), len(held))
