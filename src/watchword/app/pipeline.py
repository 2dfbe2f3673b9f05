"""The pipeline: from the spool to findings, one segment at a time; what a crash interrupts is taken up again at start."""

import gc
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from watchword.app.judging import Judge
from watchword.app.parameters import patiently
from watchword.app.reading import Reading, read_records
from watchword.app.underway import UnderWay
from watchword.app.watchword import Watchword
from watchword.ingest.mapping import Mapping
from watchword.ingest.ports import Segment
from watchword.model import Finding, RawRecord

SWEEP_PAUSE: Final = timedelta(seconds=20)
"""How long late history may gather before it is judged while more of it comes in."""
TICK: Final = timedelta(seconds=5)
GC_THRESHOLDS: Final = (50_000, 20, 100)

log = structlog.get_logger()


class Pipeline:
    """Carries records from the spool to the event log and to findings. One per data folder at a time."""

    def __init__(self, watchword: Watchword) -> None:
        self._watchword = watchword
        self.judge = Judge(watchword)
        self._mappings: dict[str, Mapping] = {}
        self._book_version = -1
        self._compiled = self._versions()
        self._swept = watchword.clock.now()
        self._ticked = watchword.clock.now()
        self._under_way: UnderWay | None = None
        self._unjudged: list[tuple[Segment, Reading]] = []
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
            self._watchword.response.safety.hear(segment.events, self.judge.directory)
            findings += self.judge.judge(segment.events, reading.natives)
        self._keep_judged(findings, unjudged)
        self._sweep()
        patiently(self.judge.followed.tell)

    @property
    def carried(self) -> int:
        """How many of the spool's records are under way: nobody else needs to take them up."""
        return 0 if self._under_way is None else self._under_way.waiting

    def step(self, *, sweeping: bool = True, ahead: bool = False) -> int:
        """Carry one segment through, and return how many records it had; 0 when nothing waits.

        Args:
            sweeping: Without it, late history waits until nothing more does: whoever takes in old files judges their past once, not once
                a while.
            ahead: Return as soon as the segment is read: it is stored while the next step reads the next one, and judged after that.
        """
        if not ahead:
            self.finish()
        batches = self._watchword.sealer.pending(self._watchword.settings.work_records, self._under_way.batches if self._under_way else ())
        if not batches:
            self.idle()
            return 0
        records = [record for batch in batches for record in batch.records]
        self._renew()
        reading = read_records(records, self._mappings_for(records), self.judge.directory)
        self._await()
        self.judge.hear(reading.arrivals)
        self._begin(UnderWay(self._watchword.sealer, [batch.uid for batch in batches], records, reading))
        if ahead:
            self._judge()
        else:
            self.finish()
        if sweeping and self.judge.overdue is not None and self._watchword.clock.now() - self._swept > SWEEP_PAUSE:
            self._sweep()
        return len(records)

    def run_until_empty(self) -> int:
        """Carry everything through that waits, judge the late history it brought, and return the number of records."""
        total = 0
        while count := self.step(sweeping=False, ahead=True):
            total += count
        self._sweep()
        return total

    def reparse(self, source: str, records: Sequence[RawRecord]) -> tuple[int, int]:
        """Parse kept records of a source anew with its present mapping; return how many were mended and how many were not."""
        self.finish()
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
                self._begin(UnderWay(self._watchword.sealer, (), (), reading, mended))
                self.finish()
        self._sweep()
        return good, bad

    def _begin(self, segment: UnderWay) -> None:
        self._under_way = segment
        segment.begin()

    def _await(self) -> None:
        """Wait until the segment under way is stored: tried again, where the event log did not answer or a disk was full before.

        Its batches are taken, so that nothing else would take them up before the next start.
        """
        if self._under_way is not None:
            self._unjudged.append((self._under_way.stored(), self._under_way.reading))
            self._under_way = None

    def _judge(self) -> None:
        """Judge what is stored."""
        while self._unjudged:
            segment, reading = self._unjudged[0]
            self.judge.note(reading.tally.values(), reading.arrivals)
            self._watchword.response.safety.hear(reading.events, self.judge.directory)
            findings = self.judge.judge(reading.events, reading.natives)
            del self._unjudged[0]
            self._keep_judged(findings, [segment.uid])

    def finish(self) -> None:
        """Store and judge everything that was begun."""
        self._await()
        self._judge()
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
        """Use a quiet moment: finish what is under way, judge late history, and what only the passing of time decides."""
        self.finish()
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
        self.finish()
        held = self.judge.holds_what_is_overdue()
        findings = self.judge.sweep()
        unswept, self._unswept = self._unswept, []
        self._keep(findings, unswept)
        if held:
            self._keep(self.judge.rebuild(), ())

    def _mappings_for(self, records: Iterable[RawRecord]) -> dict[str, Mapping]:
        book = self._watchword.mappings
        return {source: book.of(source) for source in {record.source for record in records}}

    def _versions(self) -> tuple[int, int]:
        """Return what rules are compiled on: the version of the directory, and that of the policies in force."""
        return self._watchword.registry.version(), self._watchword.governance.policies.version()

    def _renew(self) -> None:
        """Take in a changed directory or policy: rules are compiled on both, so the judge is made anew and warmed."""
        versions = self._versions()
        if versions == self._compiled:
            return
        self.finish()
        before, self._compiled = self._compiled, versions
        arrivals = self.judge.arrivals
        self.judge = Judge(self._watchword)
        self.judge.arrivals = arrivals
        self._keep(self.judge.warm(), ())
        if versions[1] != before[1]:
            patiently(self.judge.followed.tell)
        log.info("rules were compiled anew", directory=versions[0] != before[0], policies=versions[1] != before[1])


__all__ = ["Pipeline", "Reading", "read_records"]
