"""A segment under way: sealed and stored beside the worker's own thread, which parses the next one and judges the one before."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from watchword.app.reading import Reading
from watchword.ingest.ports import Segment
from watchword.ingest.sealing import Sealer
from watchword.model import RawRecord


@dataclass(slots=True)
class UnderWay:
    """One segment on its way from parsed records to the event log. What fails is taken up at the step it had reached.

    Only one of a sealer's segments may be under way at a time.
    """

    sealer: Sealer
    batches: Sequence[int]
    records: Sequence[RawRecord]
    reading: Reading
    mended: Sequence[str] = ()
    segment: Segment | None = None
    """None until it is sealed."""
    _done: "Future[Segment] | None" = field(default=None)

    @property
    def waiting(self) -> int:
        """How many of its records may still stand in the spool."""
        return 0 if self._done is not None and self._done.done() else len(self.records)

    def begin(self) -> "Future[Segment]":
        """Start, in a thread of its own."""
        done = self._done = Future[Segment]()
        threading.Thread(target=self._run, args=(done,), name="sealing", daemon=True).start()
        return done

    def stored(self) -> Segment:
        """Wait until the segment is in the event log, and return it.

        Raises:
            Full, Unavailable, Conflict, Corrupt: as `Sealer.seal` and `Sealer.store`; asked again, it is tried again.
        """
        done = self._done or self.begin()
        try:
            return done.result()
        except BaseException:
            self._done = None
            raise

    def _run(self, done: "Future[Segment]") -> None:
        try:
            done.set_result(self._carry())
        except BaseException as error:  # noqa: BLE001 - whatever it is, the worker must hear of it
            done.set_exception(error)

    def _carry(self) -> Segment:
        if self.segment is None:
            reading = self.reading
            self.segment = self.sealer.seal(
                self.batches, self.records, reading.events, reading.unparsed, reading.tally.values(), mended=self.mended
            )
        self.sealer.store(self.segment)
        return self.segment
