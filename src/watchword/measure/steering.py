"""Steering (K10) over plain values: how long decisions take, whether reviews, quorum and turns are kept, and what a euro brought."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from watchword.measure.intervals import Interval
from watchword.measure.response_times import ShareFigures, share_of
from watchword.measure.survival import CENSORED, EVENT, Life
from watchword.model.decision import Effect
from watchword.model.metric import Window


@dataclass(frozen=True, slots=True)
class Question:
    """One proposal on its way."""

    uid: str
    asked: datetime
    decided: datetime | None = None
    """When it was consented or decided; None: not yet."""
    dropped: datetime | None = None
    """When it was withdrawn or tabled."""


def decision_latency(questions: Iterable[Question], window: Window) -> list[tuple[Question, Life]]:
    """Return the days from question to Decision; open ones wait, withdrawn and tabled ones are censored, early ones enter late."""
    found = []
    for question in questions:
        end = question.decided or question.dropped
        if question.asked >= window.until or (end is not None and end < window.since):
            continue
        ended = question.decided is not None and question.decided < window.until
        until = min(end or window.until, window.until)
        life = Life(_days(question.asked, until), EVENT if ended else CENSORED, max(0.0, _days(question.asked, window.since)))
        found.append((question, life))
    return found


def _days(since: datetime, until: datetime) -> float:
    return max(0.0, (until - since).total_seconds() / 86_400)


@dataclass(frozen=True, slots=True)
class Review:
    """One Decision's review: when it was due and when it was held."""

    uid: str
    due: date
    held: date | None = None


def reviews_kept(reviews: Iterable[Review], window: Window) -> ShareFigures:
    """Return the share of the reviews due inside the window that were held by their date."""
    due = [review for review in reviews if window.since.date() <= review.due < window.until.date()]
    return share_of(sum(review.held is not None and review.held <= review.due for review in due), len(due))


def quorum(met: Sequence[bool]) -> ShareFigures:
    """Return the share of meetings and rounds with quorum in total and in each domain."""
    return share_of(sum(met), len(met))


def chair_spread(turns: Mapping[str, int]) -> int | None:
    """Return most turns as chair minus fewest, over all members (with 0 for who never had one); None: no members."""
    return max(turns.values()) - min(turns.values()) if turns else None


def objections_open(paramount: Sequence[int]) -> ShareFigures:
    """Return the share of paramount objections that no version integrated.

    Args:
        paramount: Of each paramount objection, the version that integrated it; 0: none.
    """
    return share_of(sum(version == 0 for version in paramount), len(paramount))


def without_effect(effects: Iterable[Effect]) -> ShareFigures:
    """Return the share of the measured Decisions with no detectable effect or a contrary one; too early and none expected stay out."""
    told = [effect for effect in effects if effect in {Effect.AS_EXPECTED, Effect.CONTRARY, Effect.NONE_DETECTED}]
    return share_of(sum(effect is not Effect.AS_EXPECTED for effect in told), len(told))


@dataclass(frozen=True, slots=True)
class Due:
    """One action: when it was due and when it was done."""

    uid: str
    due: datetime
    done: datetime | None = None


def actions_overdue(actions: Iterable[Due], window: Window) -> list[tuple[Due, Life]]:
    """Return, for each action due before the window's end and not done before its begin, the days past its due date; 0: done in time."""
    found = []
    for action in actions:
        if action.due >= window.until or (action.done is not None and action.done < window.since):
            continue
        ended = action.done is not None and action.done < window.until
        until = action.done if ended and action.done is not None else window.until
        found.append((action, Life(_days(action.due, until), EVENT if ended else CENSORED)))
    return found


def reduction_per_euro(reduction: tuple[float, float, float], yearly_cost: float) -> tuple[float, Interval] | None:
    """Return yearly loss avoided per euro a year, with its interval; None: nothing was spent.

    Args:
        reduction: Loss avoided a year: value, lower and upper bound, in euros.
        yearly_cost: What it costs a year, in euros.
    """
    if yearly_cost <= 0:
        return None
    value, lo, hi = reduction
    return value / yearly_cost, (lo / yearly_cost, hi / yearly_cost)
