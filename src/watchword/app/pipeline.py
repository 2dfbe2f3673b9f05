"""The pipeline: from the spool to findings, one segment at a time; what a crash interrupts is taken up again at start."""

import gc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from watchword.app.judging import Judge
from watchword.app.watchword import Watchword
from watchword.ingest.mapping import Mapping, Parsed
from watchword.ingest.native import Native
from watchword.ingest.ports import Segment
from watchword.model import Event, Finding, RawRecord, SourceStatus, Unparsed
from watchword.resolve import Directory, unresolved_of

SAMPLE: Final = 200
"""Characters of an unparsed record that are shown in lists."""
SWEEP_PAUSE: Final = timedelta(seconds=20)
"""How long late history may gather before it is judged while more of it comes in."""
TICK: Final = timedelta(seconds=5)
GC_THRESHOLDS: Final = (50_000, 20, 100)

log = structlog.get_logger()


@dataclass(slots=True)
class Reading:
    """What a batch of records became."""

    events: list[Event] = field(default_factory=list)
    unparsed: list[Unparsed] = field(default_factory=list)
    natives: list[tuple[Event, Native]] = field(default_factory=list)
    """Sigma's view of a record, with the event that stands for it."""
    tally: dict[str, SourceStatus] = field(default_factory=dict)
    arrivals: dict[str, set[datetime]] = field(default_factory=dict)
    """By source: the moments at which its records came."""


def sample_of(body: bytes) -> str:
    """Return the first characters of a record, undecodable bytes escaped."""
    return body[: SAMPLE * 4].decode("utf-8", "backslashreplace")[:SAMPLE]


def read_records(records: Iterable[RawRecord], mapping_of: dict[str, Mapping], directory: Directory, *, again: bool = False) -> Reading:
    """Parse and resolve records (of sources that are all in `mapping_of`). Pure.

    Args:
        records: What arrived.
        mapping_of: Compiled mapping by source.
        directory: Resolves to persons, assets and places as of event time.
        again: The records were counted before: they are parsed anew.
    """
    reading = Reading()
    counts: dict[str, list[int]] = {}
    times: dict[str, tuple[datetime, datetime | None]] = {}
    identify = directory.identify
    for record in records:
        source = record.source
        parsed = mapping_of[source].parse(record)
        count = counts.setdefault(source, [0] * 6)
        count[0] += 1
        if not again:
            reading.arrivals.setdefault(source, set()).add(record.received)
        newest = times.get(source, (record.received, None))[1]
        if parsed.fault:
            count[2] += 1
            reading.unparsed.append(Unparsed(record.uid, source, record.received, parsed.fault, sample_of(record.body)))
        else:
            count[1] += 1
            if not parsed.mapped:
                count[3] += 1
            for raw in parsed.events:
                event = identify(raw)
                reading.events.append(event)
                count[5] += 1
                if unresolved_of(event):
                    count[4] += 1
                if newest is None or event.time > newest:
                    newest = event.time
            _keep_native(reading, parsed, record)
        received = times[source][0] if source in times and times[source][0] > record.received else record.received
        times[source] = received, newest
    for source, (accepted, parsed_count, unparsed, unmapped, unresolved, events) in counts.items():
        received, newest = times[source]
        reading.tally[source] = SourceStatus(
            source,
            accepted=0 if again else accepted,
            parsed=parsed_count,
            unparsed=0 if again else unparsed,
            unmapped=unmapped,
            unresolved=unresolved,
            events=events,
            last_received=None if again else received,
            last_time=newest,
        )
    return reading


def _keep_native(reading: Reading, parsed: Parsed, record: RawRecord) -> None:
    if parsed.native is not None and parsed.events:
        uid = parsed.events[0].uid
        event = next((each for each in reversed(reading.events) if each.uid == uid), None)
        if event is not None and event.record == record.uid:
            reading.natives.append((event, parsed.native))


class Pipeline:
    """Carries records from the spool to the event log and to findings. One per data folder at a time."""

    def __init__(self, watchword: Watchword) -> None:
        self._watchword = watchword
        self.judge = Judge(watchword)
        self._mappings: dict[str, Mapping] = {}
        self._book_version = -1
        self._directory_version = watchword.registry.version()
        self._swept = watchword.clock.now()
        self._ticked = watchword.clock.now()
        self._in_hand: tuple[Segment, Reading] | None = None
        self._unkept: dict[str, Finding] = {}
        self._judged: list[int] = []
        self._unswept: list[int] = []

    def start(self) -> None:
        """Take up what was left: segments half stored, segments not judged, and the engine's state."""
        recovery = self._watchword.sealer.recover()
        if recovery.marked or recovery.released or recovery.set_aside:
            log.info("recovered", inserted=recovery.inserted, marked=recovery.marked, released=recovery.released, aside=recovery.set_aside)
        # A segment is some hundred thousand objects and no cycle: looking for cycles as often as Python does costs a fifth of the worker.
        gc.set_threshold(*GC_THRESHOLDS)
        findings = self.judge.warm()
        unjudged = []
        for segment in self._watchword.sealer.unjudged():
            unjudged.append(segment.uid)
            reading = read_records(segment.records, self._mappings_for(segment.records), self.judge.directory)
            findings += self.judge.judge(segment.events, reading.natives)
        self._keep_judged(findings, unjudged)
        self._sweep()

    def step(self, *, sweeping: bool = True) -> int:
        """Carry one segment through, and return how many records it had; 0 when nothing waits.

        Without `sweeping`, late history waits until nothing more does: whoever takes in old files judges their past once, not once a while.
        """
        self._finish()
        batches = self._watchword.sealer.pending(self._watchword.settings.work_records)
        if not batches:
            self.idle()
            return 0
        records = [record for batch in batches for record in batch.records]
        self._renew()
        reading = read_records(records, self._mappings_for(records), self.judge.directory)
        self.judge.hear(reading.arrivals)
        self._seal(records, reading, [batch.uid for batch in batches])
        if sweeping and self.judge.overdue is not None and self._watchword.clock.now() - self._swept > SWEEP_PAUSE:
            self._sweep()
        return len(records)

    def run_until_empty(self) -> int:
        """Carry everything through that waits, judge the late history it brought, and return the number of records."""
        total = 0
        while count := self.step(sweeping=False):
            total += count
        self._sweep()
        return total

    def reparse(self, source: str, records: Sequence[RawRecord]) -> tuple[int, int]:
        """Parse kept records of a source anew with its present mapping; return how many were mended and how many were not."""
        self._renew()
        mapping = self._watchword.mappings.of(source)
        good, bad = 0, 0
        for day in sorted({record.received.date() for record in records}):
            group = [record for record in records if record.received.date() == day]
            reading = read_records(group, {source: mapping}, self.judge.directory, again=True)
            faulty = {each.record for each in reading.unparsed}
            mended = [record.uid for record in group if record.uid not in faulty]
            good += len(mended)
            bad += len(faulty)
            if reading.events:
                self._seal([], reading, [], mended=mended)
        self._sweep()
        return good, bad

    def _seal(self, records: Sequence[RawRecord], reading: Reading, batches: Sequence[int], *, mended: Sequence[str] = ()) -> Segment:
        sealer = self._watchword.sealer
        segment = sealer.seal(batches, records, reading.events, reading.unparsed, reading.tally.values(), mended=mended)
        self._in_hand = segment, reading
        self._finish()
        return segment

    def _finish(self) -> None:
        """Store and judge the segment in hand, if there is one: again, where the event log did not answer or a disk was full before.

        Its batches are sealed, so that nothing else would take them up before the next start.
        """
        if self._in_hand is not None:
            segment, reading = self._in_hand
            self._watchword.sealer.store(segment)
            self.judge.note(reading.tally.values(), reading.arrivals)
            findings = self.judge.judge(reading.events, reading.natives)
            self._in_hand = None
            self._keep_judged(findings, [segment.uid])
        self._keep((), ())

    def _keep_judged(self, findings: Sequence[Finding], segments: Sequence[int]) -> None:
        """Commit findings; segments wait for their mark while late history waits for a sweep, so that a crash in between repeats both."""
        if self.judge.overdue is None:
            self._keep(findings, segments)
        else:
            self._unswept += segments
            self._keep(findings, ())

    def _keep(self, findings: Sequence[Finding], segments: Sequence[int]) -> None:
        """Commit findings together with the mark that their segments are judged; what cannot be committed now goes with the next."""
        self._unkept |= {finding.uid: finding for finding in findings}
        self._judged += segments
        if not self._unkept and not self._judged:
            return
        with self._watchword.records.begin() as connection:
            self._watchword.findings.put(tuple(self._unkept.values()), connection)
            self._watchword.sealer.mark_judged(self._judged, connection)
        self._unkept, self._judged = {}, []

    def idle(self) -> None:
        """Use a quiet moment: judge late history, and what only the passing of time decides."""
        now = self._watchword.clock.now()
        if self.judge.overdue is not None:
            self._sweep()
        if now - self._ticked >= TICK:
            self._ticked = now
            self._renew()
            self._keep(self.judge.tick(), ())

    def hear_again(self, now: datetime) -> None:
        """Count the time in which nothing of ours listened as heard: our own outage is no source's silence."""
        for source in self._watchword.mappings.sources():
            if source in self.judge.statuses:
                self.judge.arrivals.note(source, now)

    def listen(self) -> None:
        """Judge the silence of sources; for a running worker and for simulations, not for files of the past."""
        self._keep(self.judge.listen(), ())

    def _sweep(self) -> None:
        self._swept = self._watchword.clock.now()
        if self.judge.overdue is None:
            return
        held = self.judge.holds_what_is_overdue()
        findings = self.judge.sweep()
        unswept, self._unswept = self._unswept, []
        self._keep(findings, unswept)
        if held:
            self._keep(self.judge.rebuild(), ())

    def _mappings_for(self, records: Iterable[RawRecord]) -> dict[str, Mapping]:
        book = self._watchword.mappings
        return {source: book.of(source) for source in {record.source for record in records}}

    def _renew(self) -> None:
        """Take in a changed directory: rules are compiled on it, so the judge is made anew and warmed."""
        version = self._watchword.registry.version()
        if version == self._directory_version:
            return
        self._directory_version = version
        arrivals = self.judge.arrivals
        self.judge = Judge(self._watchword)
        self.judge.arrivals = arrivals
        self._keep(self.judge.warm(), ())
        log.info("the directory changed; rules were compiled anew")


__all__ = ["Pipeline", "Reading", "read_records"]
