"""Conditions: what is heard of one function of a component, put in order of time, makes a line of states with their ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from watchword.measure.uptime import WORSE, Span, State

MISSED: Final = 2
"""Unknown begins when nothing came for so many times the expected interval (K1)."""


@dataclass(frozen=True, slots=True)
class Signal:
    """What one event says of one condition of one component."""

    component: str
    condition: str
    at: datetime
    state: State
    because: str = ""
    event: str = ""
    holds: timedelta | None = None
    """The interval within which the next one is expected; None: it holds until something else is said."""

    @property
    def order(self) -> tuple[datetime, int, str]:
        """The order in which signals count; of two at one instant the worse is the last word."""
        return self.at, WORSE[self.state], self.event


@dataclass(frozen=True, slots=True)
class Standing:
    """The last that is known of a condition: a span whose end is not known yet."""

    state: State
    since: datetime
    last: datetime
    """The newest signal that said so."""
    expires: datetime | None = None
    """After this moment it is unknown; None: it holds until something else is said."""
    because: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A condition over time: closed spans, and how it stands."""

    spans: tuple[Span, ...]
    lasts: tuple[datetime, ...]
    """Of each span, the newest signal within it."""
    standing: Standing | None

    def until(self, now: datetime) -> list[Span]:
        """Return its spans up to a moment: what has expired by then is unknown."""
        return [*self.spans, *standing_spans(self.standing, now)] if self.standing is not None else list(self.spans)


def standing_spans(standing: Standing, now: datetime) -> list[Span]:
    """Return what a standing says of the time up to a moment."""
    end = now if standing.expires is None else min(now, standing.expires)
    found = []
    if standing.since < end:
        found.append(Span(standing.since, end, standing.state, standing.because, standing.event))
    if end < now and now > standing.since:
        found.append(Span(max(end, standing.since), now, State.UNKNOWN, silence_words(standing.last), ""))
    return found


def silence_words(last: datetime) -> str:
    """Return why nothing is known any more."""
    return f"nothing was heard since {last:%d %b %H:%M:%S} UTC"


def follow(signals: Sequence[Signal], standing: Standing | None = None) -> Line:
    """Return the line of one condition.

    A signal with an interval holds for twice that interval; until then a later one of the same state prolongs it, never shortens it.

    Args:
        signals: Of one condition of one component, in any order.
        standing: How it stood before the first of them; None: nothing was known.
    """
    spans: list[Span] = []
    lasts: list[datetime] = []

    def close(now: Standing, at: datetime) -> None:
        for span in standing_spans(now, at):
            spans.append(span)
            lasts.append(now.last)

    for signal in sorted(signals, key=lambda one: one.order):
        expires = None if signal.holds is None else signal.at + MISSED * signal.holds
        lapsed = standing is not None and standing.expires is not None and signal.at > standing.expires
        if standing is None or lapsed or standing.state is not signal.state:
            if standing is not None:
                close(standing, signal.at)
            standing = Standing(signal.state, signal.at, signal.at, expires, signal.because, signal.event)
        else:
            longer = None if expires is None or standing.expires is None else max(expires, standing.expires)
            words = signal.because if signal.state is State.UP else standing.because  # of what works, the newest remark counts
            standing = Standing(standing.state, standing.since, signal.at, longer, words, standing.event)
    return Line(tuple(spans), tuple(lasts), standing)


def tried_by_hand(tests: Sequence[tuple[datetime, bool, str]], holds: timedelta, now: datetime, fault: State) -> list[Span]:
    """Return the line of a function that people try by hand: a passed test counts for `holds`, a failed one until the next.

    Args:
        tests: (moment, whether it passed, what was noted), in any order.
        holds: For how long a passed test counts.
        now: Up to when to answer.
        fault: What a failed test makes of it.
    """
    found: list[Span] = []
    ranked = sorted(tests)
    for number, (at, passed, note) in enumerate(ranked):
        end = min(now, ranked[number + 1][0] if number + 1 < len(ranked) else now)
        if not passed:
            if at < end:
                found.append(Span(at, end, fault, f"the test of {at:%d %b %Y} failed{f': {note}' if note else ''}"))
            continue
        good = min(end, at + holds)
        if at < good:
            found.append(Span(at, good, State.UP))
        if good < end:
            found.append(Span(good, end, State.UNKNOWN, f"the last test, of {at:%d %b %Y}, is older than {holds.days} days"))
    if ranked and ranked[0][0] > now:
        return []
    return found
