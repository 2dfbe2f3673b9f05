"""Forecasts: what was said to come of each risk, kept until its time is over, and then scored against what came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from watchword.measure import loss
from watchword.measure.response_times import ShareFigures

HORIZONS: Final = (timedelta(days=91), timedelta(days=365))
"""How far forecasts reach: a quarter, so that something is learnt soon, and a year."""
EVERY: Final = timedelta(days=28)
"""A new forecast of each horizon is made this often."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is said of one scenario between two moments."""

    uid: str
    scenario: str
    made: datetime
    until: datetime
    any_event: float
    """P(at least one event)."""
    events: tuple[int, int]
    """Between these the number of events falls, at least 9 times in 10."""
    loss: tuple[float, float]
    """Between these the loss falls, at least 9 times in 10."""
    mean: float
    run: str
    """Uid of the computation."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came."""

    events: int
    loss: float | None
    """None: the losses of some events are not known."""


@dataclass(frozen=True, slots=True)
class Score:
    """How good a forecast was."""

    brier: float
    """(P(any event) - whether there was one)²: 0 is best, a coin's .25."""
    events_held: bool
    loss_held: bool | None


def score(forecast: Forecast, outcome: Outcome) -> Score:
    """Return how good a forecast was, once its time is over."""
    low, high = forecast.events
    held = None if outcome.loss is None else forecast.loss[0] <= outcome.loss <= forecast.loss[1]
    return Score((forecast.any_event - float(outcome.events > 0)) ** 2, low <= outcome.events <= high, held)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How good the forecasts were together."""

    held: ShareFigures
    """Share of 90 % intervals (of the number of events) that held."""
    brier: float | None
    baseline: float | None
    """The Brier score of saying every time the share that came: what is not below it knew nothing."""


def calibration(scored: Sequence[tuple[Forecast, Outcome]]) -> Calibration:
    """Return how good forecasts were whose time is over; unknown while there are none."""
    if not scored:
        return Calibration(loss.calibration(()), None, None)
    scores = [score(forecast, outcome) for forecast, outcome in scored]
    came = sum(outcome.events > 0 for _, outcome in scored) / len(scored)
    return Calibration(
        loss.calibration([each.events_held for each in scores]),
        sum(each.brier for each in scores) / len(scores),
        came * (1 - came),
    )
