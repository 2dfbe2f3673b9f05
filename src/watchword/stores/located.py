"""An event log that is found again: when the store has died and come back at another address, calls go there and are repeated."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final, TypeVar

from watchword.ingest.ports import Segment
from watchword.kit.errors import Unavailable
from watchword.model import Count, CountQuery, Event, EventQuery, RawRecord
from watchword.stores.eventlog import ClickHouseEventLog

PATIENCE: Final = 20.0
"""Seconds for which a call waits for a store that is being started again."""
PAUSE: Final = 0.2

T = TypeVar("T")


class LocatedEventLog:
    """`ingest.ports.EventLog` that opens the log anew through `locate` when it does not answer. Every call may be repeated safely.

    Args:
        locate: opens the event log at its present address.
        patience: seconds to wait for it; 0: one try.
    """

    def __init__(self, locate: Callable[[], ClickHouseEventLog], patience: float = PATIENCE) -> None:
        self._locate = locate
        self._patience = patience
        self._guard = threading.Lock()
        self._log: ClickHouseEventLog | None = None

    def _call(self, work: Callable[[ClickHouseEventLog], T]) -> T:
        until = time.monotonic() + self._patience
        while True:
            log = None
            try:
                log = self._found()
                return work(log)
            except Unavailable:
                self._lose(log)
                if time.monotonic() >= until:
                    raise
                time.sleep(PAUSE)

    def _found(self) -> ClickHouseEventLog:
        with self._guard:
            if self._log is None:
                self._log = self._locate()
            return self._log

    def _lose(self, log: ClickHouseEventLog | None) -> None:
        with self._guard:
            if log is not None and self._log is log:
                self._log = None

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        self._call(lambda log: log.prepare())

    def insert(self, segment: Segment) -> None:
        """Insert a segment; again changes nothing."""
        self._call(lambda log: log.insert(segment))

    def holds(self, segment: int) -> tuple[int, int]:
        """Return how many records and events of a segment are stored."""
        return self._call(lambda log: log.holds(segment))

    def events(self, query: EventQuery) -> list[Event]:
        """Return the events of a query."""
        return self._call(lambda log: log.events(query))

    def counts(self, query: CountQuery) -> list[Count]:
        """Return counts by group and bucket."""
        return self._call(lambda log: log.counts(query))

    def records(self, uids: Sequence[str]) -> list[RawRecord]:
        """Return raw records, verbatim."""
        return self._call(lambda log: log.records(uids))

    def newest(self) -> datetime | None:
        """Return the newest event time stored."""
        return self._call(lambda log: log.newest())

    def drop_day(self, day: date) -> None:
        """Drop everything that arrived on a day."""
        self._call(lambda log: log.drop_day(day))

    def ping(self) -> bool:
        """Tell whether the event log answers now."""
        try:
            return self._found().ping()
        except Unavailable:
            return False

    @property
    def address(self) -> str:
        """The present address, without secrets."""
        return self._found().address

    def close(self) -> None:
        """Close the connections."""
        with self._guard:
            if self._log is not None:
                self._log.close()
                self._log = None
