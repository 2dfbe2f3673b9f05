"""The uptime of a house over a window: what is kept of conditions, tests and planned work becomes the states of components and zones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from watchword.measure.component import Component, Condition, Way, Zone, domain_of
from watchword.measure.condition import tried_by_hand
from watchword.measure.shared_cause import Cause, Dependencies, Matrix, Outage, causes, matrix
from watchword.measure.uptime import (
    WORSE,
    Shares,
    Span,
    State,
    clip,
    covered,
    fifth_percentile,
    joined,
    outages,
    shares,
    weighted_mean,
    whole,
    with_planned,
    worst_of,
)
from watchword.measure.uptime_signal import condition_of
from watchword.model import Domain
from watchword.model.metric import Window
from watchword.resolve.calendars import is_on, local_midnight
from watchword.resolve.directory import Directory

DAY: Final = timedelta(days=1)
NEVER_TRIED: Final = "it was never tried"


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """Work that was announced: what it concerns, and when."""

    entity: str
    """Uid of a place (and all within it), door or asset."""
    since: datetime
    until: datetime
    ticket: str
    by: str = ""
    uid: str = ""


@dataclass(frozen=True, slots=True)
class KeptTest:
    """A function that somebody tried by hand."""

    component: str
    kind: str
    at: datetime
    passed: bool
    note: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is kept, as far as a window needs it."""

    lines: Mapping[str, Mapping[str, Sequence[Span]]] = field(default_factory=dict)
    """Component → condition → its spans, up to now."""
    tests: Sequence[KeptTest] = ()
    work: Sequence[PlannedWork] = ()
    first: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    """Component → condition → when it was first heard of, ever."""

    def heard(self, component: str, otherwise: datetime) -> datetime:
        """Return when a component was first heard of, in whatever way."""
        return min(self.first.get(component, {}).values(), default=otherwise)


class House:
    """States of every component and zone over a window. Made once per question; pure."""

    def __init__(
        self, directory: Directory, watched: Mapping[str, Component], covers: Mapping[str, Zone], facts: Facts, window: Window
    ) -> None:
        """Take what the site files say, what is kept, and the window; it must not end after the facts do."""
        self.directory = directory
        self.components = watched
        self.zones = covers
        self.window = window
        self._facts = facts
        self._tests: dict[tuple[str, str], list[tuple[datetime, bool, str]]] = {}
        for test in facts.tests:
            self._tests.setdefault((test.component, test.kind), []).append((test.at, test.passed, test.note))
        self._spans: dict[str, list[Span]] = {}
        self._zone_spans: dict[str, list[Span]] = {}
        self._began = min((at for each in facts.first.values() for at in each.values()), default=window.until)

    # states

    def since(self, uid: str) -> datetime:
        """Return the moment from which a component's time counts: when it was first heard of, else when the house's watch began."""
        component = self.components[uid]
        began = self._began
        if any(each.way in {Way.HEARD, Way.PROBE} for each in component.conditions):
            began = self._facts.heard(uid, began)
        for each in component.conditions:
            if each.way is Way.FOLLOWS:
                began = max(began, self._facts.heard(each.of, began))
        return min(max(self.window.since, began), self.window.until)

    def window_of(self, uid: str) -> Window:
        """Return the part of the window that counts for a component."""
        return Window(self.since(uid), self.window.until)

    def spans(self, uid: str) -> list[Span]:
        """Return a component's states, planned work laid over them."""
        known = self._spans.get(uid)
        if known is None:
            window = self.window_of(uid)
            known = self._spans[uid] = with_planned(self._working(uid, window, ()), self._work(uid), window)
        return known

    def _working(self, uid: str, window: Window, on_the_way: tuple[str, ...]) -> list[Span]:
        component = self.components[uid]
        lines = [self.condition(component, each, window, on_the_way) for each in component.conditions]
        return worst_of(lines, window)

    def condition(self, component: Component, each: Condition, window: Window, on_the_way: tuple[str, ...] = ()) -> list[Span]:
        """Return one condition's states over a window."""
        kept = self._facts.lines.get(component.uid, {})
        if each.way is Way.TEST:
            tests = self._tests.get((component.uid, each.name), [])
            line = tried_by_hand(tests, each.holds or DAY, window.until, State.DEGRADED)
            return line or [Span(window.since, window.until, State.UNKNOWN, f"{each.words}: {NEVER_TRIED}")]
        if each.way is Way.FOLLOWS:
            other = self.components.get(each.of)
            if other is None or component.uid in on_the_way:
                return [Span(window.since, window.until, State.UNKNOWN, "its controller is not described")]
            spans = self._working(other.uid, window, (*on_the_way, component.uid))
            return [_followed(span, other) for span in spans]
        if each.way is Way.ARMED:
            return self._armed(kept.get("set", ()), each.of, window)
        if each.way is Way.FAULT:
            parts = [_without_gaps(line, window) for name, line in kept.items() if condition_of(name) == each.name]
            return worst_of(parts, window) if parts else [Span(window.since, window.until, State.UP)]
        line = whole(list(kept.get(each.name, ())), window)
        first = self._facts.first.get(component.uid, {}).get(each.name)
        if each.way is Way.PROBE and first is not None and window.since < first:
            # A probe that was set up later says nothing of the time before, for or against.
            before = Span(window.since, min(first, window.until), State.UP)
            line = [before, *clip(line, Window(before.until, window.until))]
        return line

    def _armed(self, line: Sequence[Span], calendar: str, window: Window) -> list[Span]:
        """Return up whenever it need not be armed, else whether it is."""
        found: list[Span] = []
        known = whole(list(line), window)
        for since, until, on in self._periods(calendar, window):
            if not on:
                found.append(Span(since, until, State.UP))
                continue
            for span in clip(known, Window(since, until)):
                words = "it is not armed although its schedule says so" if span.state is State.DOWN else span.because
                found.append(Span(span.since, span.until, span.state, words, span.event))
        return joined(found)

    def _periods(self, uid: str, window: Window) -> list[tuple[datetime, datetime, bool]]:
        """Return the window cut at the calendar's edges, with whether it is on in each part."""
        calendar = self.directory.site.calendars.get(uid)
        if calendar is None:
            return [(window.since, window.until, False)]
        zone = ZoneInfo(calendar.zone)
        edges = {window.since, window.until}
        at = local_midnight(window.since, zone) - DAY
        while at < window.until:
            local = at.astimezone(zone).date()
            for period in calendar.periods:
                for clock in (period.since, period.until):
                    edges.add(datetime.combine(local, clock, zone).astimezone(window.since.tzinfo))
            edges.add(at)
            at = local_midnight(at + timedelta(hours=36), zone)
        ranked = sorted(edge for edge in edges if window.since <= edge <= window.until)
        return [(since, until, is_on(calendar, since)) for since, until in pairwise(ranked)]

    def _work(self, uid: str) -> list[Span]:
        component = self.components[uid]
        return [
            Span(each.since, each.until, State.PLANNED, each.ticket)
            for each in self._facts.work
            if each.since < each.until and (each.entity == uid or (component.place and self.directory.within(component.place, each.entity)))
        ]

    def zone_spans(self, uid: str) -> list[Span]:
        """Return a zone's states: whether enough of its components are up."""
        known = self._zone_spans.get(uid)
        if known is None:
            zone = self.zones[uid]
            window = self.zone_window
            known = self._zone_spans[uid] = covered([self.spans(each) for each in zone.members], zone.cover.least, window)
        return known

    @property
    def zone_window(self) -> Window:
        """The part of the window that counts for zones: since the house's watch began."""
        return Window(min(max(self.window.since, self._began), self.window.until), self.window.until)

    def subject_spans(self, uid: str) -> list[Span]:
        """Return the states of a component or a zone, whichever the uid names; none where it names neither."""
        if uid in self.components:
            return self.spans(uid)
        return self.zone_spans(uid) if uid in self.zones else []

    # figures

    def shares(self, uid: str) -> Shares:
        """Return how long each state of a component lasted."""
        return shares(self.spans(uid), self.window_of(uid))

    def zone_shares(self, uid: str) -> Shares:
        """Return how long a zone was covered, was not, and may have been."""
        return shares(self.zone_spans(uid), self.zone_window)

    @cached_property
    def zone_values(self) -> dict[str, float]:
        """Zone → A_z, those without any time left out."""
        found = {uid: self.zone_shares(uid).value for uid in self.zones}
        return {uid: value for uid, value in found.items() if value is not None}

    @property
    def zone_mean(self) -> float | None:
        """Σ w·A / Σ w over the zones."""
        return weighted_mean((value, self.zones[uid].cover.weight) for uid, value in self.zone_values.items())

    @property
    def zone_fifth(self) -> float | None:
        """5th percentile of the zones' shares."""
        return fifth_percentile(list(self.zone_values.values()))

    @property
    def worst_zone(self) -> str:
        """Uid of the zone that was covered least; empty without zones."""
        return min(self.zone_values, key=lambda uid: (self.zone_values[uid], uid), default="")

    def now(self, uid: str) -> Span | None:
        """Return the state in which a component or zone is at the end of the window; None where the window is empty."""
        spans = self.subject_spans(uid)
        return spans[-1] if spans else None

    # causes

    @cached_property
    def graph(self) -> Dependencies:
        """Who depends on whom: assets by the site files, doors on their controllers."""
        upstream = {asset.uid: asset.upstream for asset in self.directory.assets.assets.values()}
        upstream |= {uid: each.upstream for uid, each in self.components.items()}
        return Dependencies(upstream, self.components)

    @cached_property
    def causes(self) -> list[Cause]:
        """Every outage of the window, those of one cause together, the most component-time lost first.

        Functions that nobody tried in time are no outage: they say what is not known, and no ancestor brings them about.
        """
        found = []
        for uid, component in self.components.items():
            window = self.window_of(uid)
            lines = [self.condition(component, each, window) for each in component.conditions if each.way is not Way.TEST]
            spans = with_planned(worst_of(lines, window), self._work(uid), window)
            found += [Outage(uid, span) for span in outages(spans) if component.conditions]
        return causes(found, self.graph, self.zone_window.since)

    @cached_property
    def lost(self) -> Matrix:
        """Component-minutes lost, domain that suffers by domain of the cause."""
        domains = {uid: each.domain for uid, each in self.components.items()}
        for cause in self.causes:
            domains.setdefault(cause.root, self.domain_of(cause.root))
        return matrix(self.causes, domains)

    def domain_of(self, uid: str) -> Domain:
        """Return the side of the house that keeps an asset or door: switches, hosts and what feeds them are IT's."""
        component = self.components.get(uid)
        if component is not None:
            return component.domain
        asset = self.directory.asset(uid)
        return domain_of(asset.kind) if asset is not None else Domain.PHYSICAL


def _followed(span: Span, other: Component) -> Span:
    words = "" if span.state is State.UP else f"{other.name}: {span.because or span.state.value}"
    return Span(span.since, span.until, span.state, words, span.event)


def _without_gaps(line: Sequence[Span], window: Window) -> list[Span]:
    """Return the line of a fault with up wherever nothing was reported: no news of trouble is no trouble, while the device is heard."""
    filled = whole(list(line), window)
    known = clip(line, window)
    heard = {(span.since, span.until, span.state) for span in known}
    return [span if (span.since, span.until, span.state) in heard else Span(span.since, span.until, State.UP) for span in filled]


def worst_first(house: House) -> list[str]:
    """Return the zones, the least covered first, then by uid."""
    return sorted(house.zones, key=lambda uid: (house.zone_values.get(uid, 2.0), uid))


def ranked(house: House, uids: Sequence[str]) -> list[str]:
    """Return components, those in the worst state now first, then by the share of time up."""

    def key(uid: str) -> tuple[int, float, str]:
        state = house.now(uid)
        value = house.shares(uid).value
        rank = 0 if state is None or state.state is State.PLANNED else WORSE[state.state]
        return -rank, 2.0 if value is None else value, uid

    return sorted(uids, key=key)
