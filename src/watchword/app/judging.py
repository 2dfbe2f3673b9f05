"""Judging: the engine of detection with everything it needs from the house: rules, directory, coverage, silence, Sigma, and sweeps."""

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from watchword.app.parameters import Followed, with_parameters
from watchword.app.settings import Settings
from watchword.app.watchword import Watchword
from watchword.detect.coverage import SourceCoverage
from watchword.detect.engine import Changes, Engine, replay
from watchword.detect.hearing import REMEMBERED, Hearing
from watchword.detect.loader import build_detectors, load_rules, shipped_rules
from watchword.detect.maintenance import Maintenance
from watchword.detect.sigma import SigmaSet, load_sigma, own_view
from watchword.detect.silence import SilenceWatch
from watchword.ingest.native import Native
from watchword.model import Event, EventQuery, Finding, FindingState, Order, SourceStatus

PAGE: Final = 20_000
"""Events read from the log at a time."""
LONGEST_LATENESS: Final = timedelta(hours=24)
RUN: Final = timedelta(seconds=60)
"""Arrivals closer together than this say nothing more of silence than their first and last."""
KEPT_ARRIVALS: Final = 50_000
REMOTE_SESSION: Final = "ww_003"

log = structlog.get_logger()


@dataclass(slots=True)
class Range:
    """A stretch of event time."""

    since: datetime
    until: datetime

    def widened(self, event: Event) -> "Range":
        """Return the stretch that also holds the event."""
        return Range(min(self.since, event.time), max(self.until, event.time))


@dataclass(slots=True)
class Arrivals:
    """The moments at which something came from each source: runs of close arrivals are kept by their two ends."""

    by_source: dict[str, list[datetime]] = field(default_factory=dict)

    def note(self, source: str, at: datetime) -> None:
        """Note an arrival."""
        moments = self.by_source.setdefault(source, [])
        if len(moments) >= 2 and moments[-2] < moments[-1] < at and at - moments[-2] <= RUN:
            moments[-1] = at
        elif not moments or at > moments[-1]:
            moments.append(at)
        elif at not in moments:
            insort(moments, at)
        if len(moments) > KEPT_ARRIVALS:
            del moments[: KEPT_ARRIVALS // 10]


def sigma_files(folders: Iterable[Path]) -> list[tuple[str, str]]:
    """Return (name, text) of every rule file in the folders, by path."""
    return [(str(path), path.read_text("utf-8", "replace")) for folder in folders for path in sorted(folder.rglob("*.y*ml"))]


def overrides_of(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return what the settings change in rules; the own egress addresses go to the rule that asks where a session came from."""
    found: dict[str, dict[str, Any]] = {rule: dict(change) for rule, change in settings.detect_overrides.items()}
    if settings.detect_egress:
        change = found.setdefault(REMOTE_SESSION, {})
        change["settings"] = {"own_networks": list(settings.detect_egress), **change.get("settings", {})}
    return found


class Judge:
    """Turns batches of events into changes of findings. State lives in the engine and can be rebuilt from the event log."""

    def __init__(self, watchword: Watchword) -> None:
        """Compile the rules.

        Raises:
            ContentError: a rule is wrong; every fault is named.
        """
        settings = watchword.settings
        self._watchword = watchword
        self.directory = watchword.registry.directory()
        self.followed = Followed(watchword.governance.policies, "work")
        self.rules = load_rules(shipped_rules(), with_parameters(overrides_of(settings), self.followed.parameters()))
        loaded = build_detectors(self.rules, self.directory)
        for fault in loaded.broken:
            log.error("a detection plug-in does not load", fault=str(fault))
        self.detectors = loaded.detectors
        self._maintenance = tuple(Maintenance(each.place, each.since, each.until, each.ticket) for each in settings.maintenance)
        self.sigma: SigmaSet = load_sigma(sigma_files(settings.detect_rules))
        for fault in self.sigma.rejected:
            log.warning("a Sigma rule was not loaded", fault=str(fault))
        self.engine = self._new_engine()
        self.reach = max((detector.reach for detector in self.detectors), default=timedelta())
        self.statuses: dict[str, SourceStatus] = {status.name: status for status in watchword.ledger.statuses()}
        self.arrivals = Arrivals()
        self._silence = SilenceWatch(self.detectors)
        last = {name: status.last_received for name, status in self.statuses.items() if status.last_received is not None}
        known = watchword.gaps.list(watchword.clock.now() - REMEMBERED)
        self._hearing = Hearing(last, known, self._silence.factor)
        self.overdue: Range | None = None

    def _new_engine(self) -> Engine:
        return Engine(
            self.detectors,
            self.directory,
            lateness=LONGEST_LATENESS,
            maintenance=self._maintenance,
            keys=self._watchword.settings.detect_keys,
        )

    def coverage(self, now: datetime | None = None) -> SourceCoverage:
        """Return what is known to have been reported by now."""
        sources = tuple(self._watchword.mappings.sources().values())
        return SourceCoverage(sources, self.statuses, now or self._watchword.clock.now(), self._hearing.gaps)

    def hear(self, arrivals: Mapping[str, Iterable[datetime]]) -> None:
        """Keep what sources lost before these arrivals: before the records are sealed, so that a crash in between loses no gap."""
        sources = self._watchword.mappings.sources()
        for name, moments in arrivals.items():
            source = sources.get(name)
            if source is not None and self._hearing.hear(source, moments):
                self._watchword.gaps.put(name, self._hearing.of(name))

    def note(self, deltas: Iterable[SourceStatus], arrivals: Mapping[str, Iterable[datetime]]) -> None:
        """Take notice of what a segment brought from each source, and when it came."""
        for delta in deltas:
            known = self.statuses.get(delta.name, SourceStatus(delta.name))
            self.statuses[delta.name] = replace(
                known,
                accepted=known.accepted + delta.accepted,
                last_received=_later(known.last_received, delta.last_received),
                last_time=_later(known.last_time, delta.last_time),
            )

        for source, moments in arrivals.items():
            for moment in sorted(moments):
                self.arrivals.note(source, moment)

    def judge(self, events: Sequence[Event], natives: Iterable[tuple[Event, Native]] = ()) -> list[Finding]:
        """Judge a batch and return every finding that is new or changed, withdrawn ones included."""
        changes = self.engine.feed(events, self.coverage())
        self._keep_overdue(changes)
        return [*changes.findings, *self._sigma_findings(events, natives)]

    def tick(self) -> list[Finding]:
        """Judge what only the passing of time decides."""
        changes = self.engine.tick(self.coverage())
        return list(changes.findings)

    def listen(self) -> list[Finding]:
        """Judge silence."""
        sources = tuple(self._watchword.mappings.sources().values())
        new, changed, gone = self._silence.listen(sources, self.arrivals.by_source, self._watchword.clock.now())
        return [*gone, *changed, *new]

    def _sigma_findings(self, events: Sequence[Event], natives: Iterable[tuple[Event, Native]]) -> Iterator[Finding]:
        """Match Sigma rules against the records' own fields, and against ours for rules that name this product."""
        if not self.sigma.loaded:
            return
        own = ((event, view) for event in events if (view := own_view(event)) is not None)
        for event, native in (*natives, *own):
            for rule in self.sigma.match(native):
                yield self.sigma.finding(rule, event, self.directory, native)

    def _keep_overdue(self, changes: Changes) -> None:
        for event in changes.overdue:
            self.overdue = Range(event.time, event.time) if self.overdue is None else self.overdue.widened(event)

    def warm(self) -> list[Finding]:
        """Rebuild the engine from the event log, and return what differs from the findings kept."""
        now = self._watchword.clock.now()
        since = now - LONGEST_LATENESS - 2 * self.reach
        stored = self._watchword.findings.since(since)
        changes = self.engine.warm(self._read(since, None), self.coverage(), stored)
        self._keep_overdue(changes)
        return list(changes.findings)

    def rebuild(self) -> list[Finding]:
        """Make the engine anew from the event log, late history included, and return what differs from the findings kept."""
        self.engine = self._new_engine()
        return self.warm()

    def holds_what_is_overdue(self) -> bool:
        """Tell whether the engine still judges events next to the late history: without it, it would say again what a sweep withdrew."""
        oldest = self.engine.oldest()
        return self.overdue is not None and oldest is not None and self.overdue.until + self.reach >= oldest

    def sweep(self) -> list[Finding]:
        """Judge the touched stretch of the past anew from the event log; return what is new, changed or no longer follows."""
        if self.overdue is None:
            return []
        touched = self.overdue
        since, until = touched.since - 2 * self.reach, touched.until + 2 * self.reach
        found: dict[str, Finding] = {}
        engine = self._new_engine()
        for changes in replay(engine, self._read(since, until), self.coverage()):
            for finding in changes.withdrawn:
                found.pop(finding.uid, None)
            for finding in (*changes.changed, *changes.new):
                found[finding.uid] = finding
        low, high = touched.since - self.reach, touched.until + self.reach
        near = {uid: finding for uid, finding in found.items() if finding.last_time >= low and finding.first_time <= high}
        rules = {detector.rule.id for detector in self.detectors}
        stale = [
            replace(finding, state=FindingState.WITHDRAWN)
            for finding in self._watchword.findings.since(low)
            if finding.uid not in found
            and finding.rule in rules
            and finding.events
            and low <= finding.first_time
            and finding.last_time <= high
            and finding.state is not FindingState.WITHDRAWN
        ]
        self.overdue = None  # only now: a sweep that an engine's failure broke off is done again
        log.info("swept", since=since.isoformat(), until=until.isoformat(), findings=len(near), withdrawn=len(stale))
        return [*stale, *near.values()]

    def _read(self, since: datetime, until: datetime | None) -> Iterator[Event]:
        """Yield the events that any rule reads, oldest first."""
        classes = tuple(sorted(set().union(*(detector.classes for detector in self.detectors))))
        after: tuple[datetime, str] | None = None
        while True:
            query = EventQuery(since=since, until=until, classes=classes, order=Order.OLDEST, after=after, limit=PAGE)
            events = self._watchword.events.events(query)
            yield from events
            if len(events) < PAGE:
                return
            after = events[-1].order


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)
