"""The engine: events in any order go to the keys that they concern, touched keys are judged anew, and what changed comes out."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from watchword.detect.detector import Coverage, Detector
from watchword.detect.maintenance import Maintenance, under_maintenance
from watchword.detect.slot import Question, Recorder, Slot
from watchword.kit.ids import uid_of
from watchword.model import Event, Finding, FindingState, Mode, SourceKind
from watchword.model.ocsf import Severity
from watchword.resolve.directory import Directory

EVENTS_PER_KEY = 10_000
KEYS = 1_000_000
SWEEP = timedelta(hours=1)
BOUNDS_RULE = "ww_bounds"


@dataclass(frozen=True, slots=True)
class Changes:
    """What one batch changed. A finding stands in at most one of the three."""

    new: tuple[Finding, ...] = ()
    changed: tuple[Finding, ...] = ()
    """Known before, now with another state or another text."""
    withdrawn: tuple[Finding, ...] = ()
    """No longer following from the events; `refuted_by` names the event that showed it."""
    overdue: tuple[Event, ...] = ()
    """Events later than allowed: not judged here, because what stood beside them may be forgotten; `replay` their range."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return everything that must be written, in the order in which it may be written."""
        return self.withdrawn + self.changed + self.new


class _Batch:
    """What one call gathers."""

    def __init__(self) -> None:
        self.new: dict[str, Finding] = {}
        self.changed: dict[str, Finding] = {}
        self.withdrawn: dict[str, Finding] = {}
        self.overdue: list[Event] = []

    def changes(self) -> Changes:
        """Return the changes in a fixed order; a finding that moved from one key to another is no withdrawal."""
        gone = [finding for uid, finding in self.withdrawn.items() if uid not in self.new and uid not in self.changed]

        def order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
            return tuple(sorted(findings, key=lambda finding: (finding.time, finding.uid)))

        return Changes(order(self.new.values()), order(self.changed.values()), order(gone), tuple(self.overdue))


class Engine:
    """Judges batches of events by compiled detectors. Holds state, does no I/O, and reads no clock.

    The set of findings that are not withdrawn depends only on the set of events (within the lateness), never on their order or on
    how they were cut into batches.
    """

    def __init__(
        self,
        detectors: Sequence[Detector],
        directory: Directory,
        *,
        lateness: timedelta = timedelta(hours=24),
        maintenance: Sequence[Maintenance] = (),
        events_per_key: int = EVENTS_PER_KEY,
        keys: int = KEYS,
    ) -> None:
        """Route the detectors by class.

        Args:
            detectors: Compiled rules.
            directory: Tells which places a maintenance window covers.
            lateness: The largest lateness of any source: so long after an event's time it is still judged in full.
            maintenance: Windows in which findings do not page.
            events_per_key: Bound, unless a detector states a greater `bound`; on overflow the oldest are forgotten and a finding says so.
            keys: Bound on keys in all; on overflow new keys are not watched and a finding says so.
        """
        self.detectors = tuple(detectors)
        self.maintenance = tuple(maintenance)
        self.lateness = lateness
        self.counters: Counter[str] = Counter()
        """``events``, ``overdue``, ``judged``, ``overflowed``, ``unwatched`` and, per rule, ``uncovered:<rule>``, ``failed:<rule>``."""
        self.failures: dict[str, str] = {}
        """By rule, the last error that its detector raised."""
        self._directory = directory
        self._events_per_key, self._keys = events_per_key, keys
        self._slots: list[dict[str, Slot]] = [{} for _ in self.detectors]
        self._routes: dict[int, list[tuple[int, Detector]]] = {}
        for index, detector in enumerate(self.detectors):
            for number in detector.classes:
                self._routes.setdefault(number, []).append((index, detector))
        self._size = 0
        self._waits: dict[tuple[tuple[SourceKind, ...], str, bool], list[tuple[datetime, int, str]]] = {}
        self._swept: datetime | None = None

    def feed(self, events: Iterable[Event], coverage: Coverage, *, low: datetime | None = None) -> Changes:
        """Take a batch of events (any order, duplicates allowed), judge each touched key once, and return what changed.

        Args:
            events: New events, resolved.
            coverage: What is known to have been reported by now.
            low: No event older than this will come any more; None: now less the lateness.
        """
        batch = _Batch()
        low = coverage.now() - self.lateness if low is None else low
        dirty: dict[tuple[int, str], list[Event]] = {}
        count = 0
        for event in events:
            count += 1
            route = self._routes.get(event.class_uid)
            if route is None:
                continue
            if event.time < low:
                batch.overdue.append(event)
                continue
            self._place(event, route, dirty, batch)
        self.counters["events"] += count
        self.counters["overdue"] += len(batch.overdue)
        self._wake(coverage, dirty)
        for (index, key), added in dirty.items():
            self._judge(index, key, added, coverage, batch)
            self._bound(index, key, batch)
        if self._swept is None or low - self._swept >= SWEEP:
            self._sweep(low)
        return batch.changes()

    def tick(self, coverage: Coverage, *, low: datetime | None = None) -> Changes:
        """Judge the keys whose open questions can be answered now, though no event came."""
        return self.feed((), coverage, low=low)

    def warm(self, events: Iterable[Event], coverage: Coverage, stored: Iterable[Finding], *, low: datetime | None = None) -> Changes:
        """Rebuild the state after a restart.

        Args:
            events: At least every event since `oldest()` of the run before.
            coverage: As for `feed`.
            stored: The findings kept so far; what they say already is not said again.
            low: As for `feed`.
        """
        batch = _Batch()
        low = coverage.now() - self.lateness if low is None else low
        dirty: dict[tuple[int, str], list[Event]] = {}
        for event in events:
            route = self._routes.get(event.class_uid)
            if route is not None:
                self._place(event, route, dirty, batch)
        kept = {finding.uid: finding for finding in stored if finding.state is not FindingState.WITHDRAWN}
        for index, key in dirty:
            slot = self._slots[index][key]
            slot.floor = low - self.detectors[index].reach
            found, _ = self._found(index, key, slot, coverage)
            slot.findings = {uid: kept[uid] for uid in found if uid in kept}
            self._judge(index, key, [], coverage, batch)
        spoken = {uid for slots in self._slots for slot in slots.values() for uid in slot.findings}
        reaches = {detector.rule.id: detector.reach for detector in self.detectors}
        for uid, finding in kept.items():
            reach = reaches.get(finding.rule)
            if reach is not None and finding.last_time >= low - reach and uid not in spoken and finding.events:
                batch.withdrawn[uid] = replace(finding, state=FindingState.WITHDRAWN)
        for index, key in dirty:
            self._bound(index, key, batch)
        self._sweep(low)
        return batch.changes()

    def oldest(self) -> datetime | None:
        """Return the time of the oldest event still held: after a restart `warm` needs every event since then."""
        return min((slot.events[0].time for slots in self._slots for slot in slots.values() if slot.events), default=None)

    def sizes(self) -> Mapping[str, tuple[int, int]]:
        """Return, by rule, how many keys and events are held."""
        return {
            detector.rule.id: (len(slots), sum(len(slot.events) for slot in slots.values()))
            for detector, slots in zip(self.detectors, self._slots, strict=True)
        }

    def _place(self, event: Event, route: Sequence[tuple[int, Detector]], dirty: dict[tuple[int, str], list[Event]], batch: _Batch) -> None:
        for index, detector in route:
            try:
                keys = tuple(detector.keys(event))
            except Exception as error:  # noqa: BLE001 - one detector's fault must not stop the others
                self._failed(detector, error)
                continue
            for key in keys:
                slot = self._slots[index].get(key)
                if slot is None:
                    if self._size >= self._keys:
                        self._overflow(detector, "", event, batch, self._keys)
                        continue
                    slot = self._slots[index][key] = Slot()
                    self._size += 1
                if slot.insert(event):
                    dirty.setdefault((index, key), []).append(event)

    def _failed(self, detector: Detector, error: Exception) -> None:
        self.counters[f"failed:{detector.rule.id}"] += 1
        self.failures[detector.rule.id] = f"{type(error).__name__}: {error}"

    def _wake(self, coverage: Coverage, dirty: dict[tuple[int, str], list[Event]]) -> None:
        """Add the keys whose open questions have an answer now."""
        for (kinds, site, settled), heap in self._waits.items():
            mark = coverage.settled(kinds, site) if settled else coverage.reported(kinds, site)
            while heap and mark is not None and heap[0][0] <= mark:
                until, index, key = heapq.heappop(heap)
                slot = self._slots[index].get(key)
                if slot is not None and Question(kinds, site, until, settled) in slot.waiting:
                    slot.waiting.discard(Question(kinds, site, until, settled))
                    dirty.setdefault((index, key), [])

    def _found(self, index: int, key: str, slot: Slot, coverage: Coverage) -> tuple[dict[str, Finding], Recorder]:
        detector, asked = self.detectors[index], Recorder(coverage)
        self.counters["judged"] += 1
        try:
            found = {
                finding.uid: under_maintenance(finding, self.maintenance, self._directory)
                for finding in detector.judge(key, slot.events, asked)
                if slot.floor is None or finding.last_time >= slot.floor
            }
        except Exception as error:  # noqa: BLE001 - one detector's fault must not stop the others
            self._failed(detector, error)
            return dict(slot.findings), asked
        return found, asked

    def _judge(self, index: int, key: str, added: Sequence[Event], coverage: Coverage, batch: _Batch) -> None:
        slot = self._slots[index][key]
        found, asked = self._found(index, key, slot, coverage)
        for question in asked.open():
            if question not in slot.waiting:
                slot.waiting.add(question)
                heap = self._waits.setdefault((question.kinds, question.site, question.settled), [])
                heapq.heappush(heap, (question.until, index, key))
        slot.lost = asked.lost
        for uid, finding in found.items():
            before = slot.findings.get(uid)
            if before is None:
                batch.new[uid] = finding
            elif before != finding:
                batch.changed[uid] = finding
        reach = self.detectors[index].reach
        for uid, finding in slot.findings.items():
            if uid not in found:
                near = [event for event in added if finding.first_time - reach <= event.time <= finding.last_time + reach]
                refuted = max(near, key=lambda event: event.order).uid if near else ""
                batch.withdrawn[uid] = replace(finding, state=FindingState.WITHDRAWN, refuted_by=refuted)
        slot.findings = found

    def _bound(self, index: int, key: str, batch: _Batch) -> None:
        """Set the oldest events of a key aside when it holds too many."""
        detector, slot = self.detectors[index], self._slots[index][key]
        bound = max(self._events_per_key, getattr(detector, "bound", None) or 0)
        if len(slot.events) > bound:
            self._overflow(detector, key, slot.events[0], batch, bound)
            slot.shorten(bound * 9 // 10)

    def _forget(self, index: int, key: str, low: datetime) -> None:
        """Forget what can matter to no verdict any more."""
        detector, slot = self.detectors[index], self._slots[index][key]
        slot.prune(low - detector.reach, detector.reach, walks=getattr(detector, "walks", True))
        if not slot.events:
            self.counters[f"uncovered:{detector.rule.id}"] += len(slot.waiting) + slot.lost
            del self._slots[index][key]
            self._size -= 1

    def _sweep(self, low: datetime) -> None:
        """Forget old events of all keys."""
        self._swept = low
        for index, slots in enumerate(self._slots):
            border = low - self.detectors[index].reach
            for key in [key for key, slot in slots.items() if slot.events[0].time < border]:
                self._forget(index, key, low)

    def _overflow(self, detector: Detector, key: str, event: Event, batch: _Batch, bound: int) -> None:
        self.counters["overflowed" if key else "unwatched"] += 1
        rule = detector.rule
        what = f"more than {bound} events of {key}" if key else f"more than {bound} keys"
        finding = Finding(
            uid=uid_of("finding", BOUNDS_RULE, "1", rule.id, key),
            rule=BOUNDS_RULE,
            rule_version=1,
            title="A detection's memory is full",
            severity=int(Severity.MEDIUM),
            confidence=1.0,
            time=event.time,
            first_time=event.time,
            last_time=event.time,
            because=f"Rule {rule.id} ({rule.title}) held {what}; the oldest were set aside, so that something may have been missed there.",
            mode=Mode.RISK,
        )
        batch.new[finding.uid] = finding


def replay(engine: Engine, events: Iterable[Event], coverage: Coverage, *, batch: int = 5000) -> Iterator[Changes]:
    """Judge stored events of any age, given in order of time, with bounded memory; the last `Changes` closes what was open.

    Args:
        engine: A fresh one.
        events: Every event of the range and of the longest reach before it, oldest first.
        coverage: What is known to have been reported by now.
        batch: Events at a time.
    """
    source = iter(events)
    while chunk := list(islice(source, batch)):
        yield engine.feed(chunk, coverage, low=chunk[0].time)
    yield engine.tick(coverage)
