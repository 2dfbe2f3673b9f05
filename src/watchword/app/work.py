"""The worker process: carries what waits in the spool to the event log and to findings until it is told to leave."""

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

import structlog

from watchword.app.pipeline import Pipeline
from watchword.app.reparsing import do_asked
from watchword.app.settings import Settings
from watchword.app.supervisor import held
from watchword.app.watchword import Watchword, open_watchword
from watchword.kit.errors import Full, Unavailable

NAP: Final = 0.05
LONGEST_NAP: Final = 0.5
LISTEN: Final = 5.0
PURGE: Final = 3600.0
SEEN_KEPT: Final = timedelta(days=60)
"""How long uids of records are remembered, so that a file resent within that time is known."""
PATIENCE: Final = 2.0

log = structlog.get_logger()
T = TypeVar("T")


class Ripe:
    """Tells when a segment is worth sealing: enough records wait, the oldest has waited long enough, or a burst has ended."""

    def __init__(self, records: int, linger: timedelta) -> None:
        self._records = records
        self._linger = linger.total_seconds()
        self._since: float | None = None
        self._burst = False
        self._last = 0

    def ripe(self, waiting: int, now: float) -> bool:
        """Tell whether to seal now, so many records waiting: half a segment is enough, as more come in while it is read."""
        before, self._last = self._last, waiting
        if waiting <= 0:
            self._since = None
            return False
        if waiting >= self._records // 2:
            self._burst = True
            return True
        if self._burst and waiting <= before:  # nothing came since the last look: this is its tail
            self._burst = False
            return True
        if self._since is None:
            self._since = now
        return now - self._since >= self._linger

    def sealed(self) -> None:
        """Start waiting anew."""
        self._since = None
        self._last = 0


def work(settings: Settings, stopping: threading.Event) -> None:
    """Run the worker until `stopping` is set; what is in hand is finished first.

    Raises:
        Conflict: a worker runs on this data folder already.
    """
    with held(settings, "work"), open_watchword(settings) as watchword:
        _forever(watchword, stopping)


def _forever(watchword: Watchword, stopping: threading.Event) -> None:
    pipeline = Pipeline(watchword)
    _patiently(pipeline.start, stopping)
    pipeline.hear_again(watchword.clock.now())
    log.info("working", rules=len(pipeline.judge.detectors))
    ripe = Ripe(watchword.settings.work_records, watchword.settings.work_linger)
    nap, listened, purged = NAP, 0.0, time.monotonic()
    while not stopping.is_set():
        now = time.monotonic()
        carried = pipeline.carried  # asked first: what is released in between counts as carried still
        if ripe.ripe(watchword.spool.depth().records - carried, now):
            count = _patiently(partial(pipeline.step, ahead=True), stopping) or 0
            ripe.sealed()
            nap = NAP if count else min(nap * 2, LONGEST_NAP)
        else:
            _patiently(pipeline.idle, stopping)
            nap = min(nap * 1.2, LONGEST_NAP)
            stopping.wait(nap)
        if now - listened >= LISTEN:
            listened = now
            _patiently(pipeline.listen, stopping)
            _patiently(partial(do_asked, watchword, pipeline), stopping)
            _patiently(watchword.spool.fold_seen, stopping)
        if now - purged >= PURGE:
            purged = now
            oldest: datetime = watchword.clock.now() - SEEN_KEPT
            watchword.spool.purge_seen(oldest)
    with contextlib.suppress(Unavailable, Full):  # the next start takes up what is left
        pipeline.finish()


def _patiently(deed: Callable[[], T], stopping: threading.Event) -> T | None:
    """Do it, again and again while an engine does not answer or the disk is full: nothing is lost by waiting."""
    while not stopping.is_set():
        try:
            return deed()
        except (Unavailable, Full) as error:
            log.warning("waiting", reason=str(error))
            stopping.wait(PATIENCE)
    return None
