"""Uptime (K1): states of a component over time, how long each lasted, cover of a zone by k of n, and the share that is claimed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from watchword.model.metric import Window


class State(StrEnum):
    """How a component is. Only `UP` is up: it does everything that is expected of it."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"
    PLANNED = "planned"


WORSE: Final = {State.UP: 0, State.DEGRADED: 1, State.UNKNOWN: 2, State.DOWN: 3, State.PLANNED: 4}
"""Of several conditions at one moment the worst counts: what is known to be down is down, whatever else is unknown."""
NOBODY_KNOWS: Final = "nothing was ever heard of it"
ZERO: Final = timedelta()


@dataclass(frozen=True, slots=True)
class Span:
    """That something was in one state for `since` ≤ t < `until`, and why."""

    since: datetime
    until: datetime
    state: State
    because: str = ""
    event: str = ""
    """Uid of the event with which it began, if one did."""

    @property
    def length(self) -> timedelta:
        """Return how long it lasted."""
        return self.until - self.since


@dataclass(frozen=True, slots=True)
class Shares:
    """How long each state lasted within a window, and what follows: U, G, D, Q, P of K1 sum to T."""

    up: timedelta
    degraded: timedelta
    down: timedelta
    unknown: timedelta
    planned: timedelta

    @property
    def total(self) -> timedelta:
        """T: the window."""
        return self.up + self.degraded + self.down + self.unknown + self.planned

    @property
    def exposure(self) -> timedelta:
        """T - P: the time that counts."""
        return self.total - self.planned

    @property
    def value(self) -> float | None:
        """A = U / (T - P): unknown counts as down. None where no time counts."""
        return self.up / self.exposure if self.exposure else None

    @property
    def highest(self) -> float | None:
        """(U + Q) / (T - P): what it is at most, had it been up whenever nobody knew."""
        return (self.up + self.unknown) / self.exposure if self.exposure else None

    @property
    def coverage(self) -> float:
        """1 - Q / (T - P): the share of the time of which anything is known; 0 where no time counts."""
        return 1 - self.unknown / self.exposure if self.exposure else 0.0

    @property
    def planned_share(self) -> float:
        """P / T."""
        return self.planned / self.total if self.total else 0.0

    @property
    def lost(self) -> timedelta:
        """What counts against it: everything but up and planned."""
        return self.exposure - self.up


def clip(spans: Iterable[Span], window: Window) -> list[Span]:
    """Return the spans as far as they lie within the window."""
    return [
        replace(span, since=max(span.since, window.since), until=min(span.until, window.until))
        for span in spans
        if span.since < window.until and window.since < span.until
    ]


def whole(spans: Sequence[Span], window: Window) -> list[Span]:
    """Return the spans clipped to the window, what lies between them as unknown; they must not overlap and be in order."""
    found: list[Span] = []
    at = window.since
    for span in clip(spans, window):
        if span.since > at:
            found.append(Span(at, span.since, State.UNKNOWN, NOBODY_KNOWS))
        found.append(span)
        at = span.until
    if at < window.until:
        found.append(Span(at, window.until, State.UNKNOWN, NOBODY_KNOWS))
    return found


def shares(spans: Sequence[Span], window: Window) -> Shares:
    """Return how long each state lasted within the window; where no span says anything it was unknown."""
    sums = dict.fromkeys(State, ZERO)
    for span in whole(spans, window):
        sums[span.state] += span.length
    return Shares(sums[State.UP], sums[State.DEGRADED], sums[State.DOWN], sums[State.UNKNOWN], sums[State.PLANNED])


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return the spans with neighbours of one state and one reason made one."""
    found: list[Span] = []
    for span in spans:
        if found and found[-1].until == span.since and found[-1].state is span.state and found[-1].because == span.because:
            found[-1] = replace(found[-1], until=span.until)
        elif span.since < span.until:
            found.append(span)
    return found


def _steps(timelines: Sequence[Sequence[Span]], window: Window) -> Iterator[tuple[datetime, datetime, list[Span]]]:
    """Yield (since, until, the span of each timeline then) for each stretch in which none of them changes."""
    lines = [whole(line, window) for line in timelines]
    edges = sorted({window.since, window.until, *(span.since for line in lines for span in line)})
    at = [0] * len(lines)
    for since, until in pairwise(edges):
        now = []
        for number, line in enumerate(lines):
            while line[at[number]].until <= since:
                at[number] += 1
            now.append(line[at[number]])
        yield since, until, now


def worst_of(conditions: Sequence[Sequence[Span]], window: Window) -> list[Span]:
    """Return a component's states: at each moment the worst of its conditions. Without any condition nothing is known of it."""
    found = []
    for since, until, now in _steps(conditions, window):
        worst = max(now, key=lambda span: WORSE[span.state], default=Span(since, until, State.UNKNOWN, NOBODY_KNOWS))
        found.append(replace(worst, since=since, until=until))
    return joined(found)


def with_planned(spans: Sequence[Span], work: Sequence[Span], window: Window) -> list[Span]:
    """Return the spans with planned work laid over them: while it lasts, nothing counts for or against.

    Args:
        spans: The component's states.
        work: The windows of planned work, their tickets as reasons; they may overlap.
        window: Over which to answer.
    """
    if not work:
        return joined(whole(spans, window))
    over: list[Span] = []
    for each in sorted(clip(work, window), key=lambda one: (one.since, one.until)):
        since = max(each.since, over[-1].until) if over else each.since
        if since < each.until:
            over.append(Span(since, each.until, State.PLANNED, each.because))
    found = []
    for since, until, (now, then) in _steps([spans, over], window):
        found.append(replace(then if then.state is State.PLANNED else now, since=since, until=until))
    return joined(found)


def covered(members: Sequence[Sequence[Span]], least: int, window: Window) -> list[Span]:
    """Return a zone's states: up while at least `least` members are up, unknown while it may be so, else down.

    A member in planned work guards nothing meanwhile: it does not count as up, and it excuses nothing.
    """
    found = []
    for since, until, now in _steps(members, window):
        up = sum(span.state is State.UP for span in now)
        maybe = up + sum(span.state is State.UNKNOWN for span in now)
        state = State.UP if up >= least else State.UNKNOWN if maybe >= least else State.DOWN
        words = f"{up} of {len(members)} up, {least} needed"
        event = next((span.event for span in now if span.state is not State.UP and span.event), "") if state is not State.UP else ""
        found.append(Span(since, until, state, "" if state is State.UP else words, event))
    return joined(found)


def outages(spans: Sequence[Span]) -> list[Span]:
    """Return the stretches without interruption in which it was neither up nor in planned work: the worst state and its first reason."""
    found: list[Span] = []
    for span in spans:
        if span.state in {State.UP, State.PLANNED}:
            continue
        if found and found[-1].until == span.since:
            before = found[-1]
            if WORSE[span.state] > WORSE[before.state]:
                found[-1] = replace(before, until=span.until, state=span.state, because=span.because, event=span.event or before.event)
            else:
                found[-1] = replace(before, until=span.until)
        else:
            found.append(span)
    return found


def fifth_percentile(values: Sequence[float]) -> float | None:
    """Return the value below which one in twenty lies (nearest rank): it shows what a mean hides. None without values."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * 5 // 100) - 1)] if ranked else None


def weighted_mean(pairs: Iterable[tuple[float, float]]) -> float | None:
    """Return Σ w·A / Σ w over (A, w); None without weight."""
    kept = list(pairs)
    weight = sum(each for _, each in kept)
    return sum(value * each for value, each in kept) / weight if weight else None
