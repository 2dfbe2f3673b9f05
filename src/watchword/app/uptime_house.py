"""Uptime in a running house: its services put together, and the periodic work of following events and watching budgets."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Final

import structlog

from watchword.app.audit import Audit
from watchword.app.settings import Settings
from watchword.detect.service import Findings
from watchword.kit.clock import Clock
from watchword.kit.errors import WatchwordError
from watchword.kit.records import Records
from watchword.measure.component import ProbeOf
from watchword.measure.objective_service import Objectives
from watchword.measure.uptime_following_service import EventReader
from watchword.measure.uptime_service import Uptime
from watchword.measure.uptime_view import PlannedWork
from watchword.model.metric import Window
from watchword.resolve.directory import Directory
from watchword.respond.quiet import Window as QuietWindow

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword

log = structlog.get_logger()


def open_uptime(
    settings: Settings,
    records: Records,
    clock: Clock,
    audit: Audit,
    *,
    events: EventReader,
    findings: Findings,
    directory: Callable[[], Directory],
    quiet: Callable[[], Sequence[QuietWindow]],
) -> tuple[Uptime, Objectives]:
    """Return what follows components, and what keeps their objectives; nothing is read yet."""
    objectives = Objectives(records, clock, audit, findings, directory)
    uptime = Uptime(
        records,
        clock,
        audit,
        events,
        directory,
        probes=[ProbeOf(each.name, f"asset:{each.asset}", each.kind) for each in settings.probe_targets],
        announced=lambda: announced(settings, quiet()),
        named=objectives.subjects,
    )
    return uptime, objectives


def announced(settings: Settings, windows: Sequence[QuietWindow]) -> list[PlannedWork]:
    """Return the maintenance that was announced elsewhere: in the settings, and in quiet windows that somebody else approved."""
    found = [PlannedWork(each.place, each.since, each.until, each.ticket) for each in settings.maintenance]
    return found + [PlannedWork(each.place, each.since, each.until, each.ticket, each.planned_by) for each in windows if each.approved_by]


def follow_uptime(watchword: "Watchword", now: datetime) -> None:
    """Take new events into account, then watch the budgets."""
    measures = watchword.measures
    measures.uptime.advance(now)
    if measures.objectives.kept():
        longest = measures.objectives.longest()
        measures.objectives.watch(measures.uptime.house(Window(now - longest, now), now))


EVERY: Final = 60.0
"""Seconds between two looks at new events and budgets."""


@contextmanager
def following(watchword: "Watchword", stopping: threading.Event) -> Iterator[None]:
    """Follow events beside whatever else this process does, until it ends.

    It has a thread of its own: were it late for a long computation, what is well would look unknown.
    """
    ended = threading.Event()
    thread = threading.Thread(target=_forever, args=(watchword, stopping, ended), name="following", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(60)


def _forever(watchword: "Watchword", stopping: threading.Event, ended: threading.Event) -> None:
    due = time.monotonic()
    while not stopping.is_set() and not ended.wait(1.0):
        if time.monotonic() < due:
            continue
        try:
            follow_uptime(watchword, watchword.clock.now())
        except WatchwordError as error:  # an engine is away: what has arrived waits
            log.warning("following_waits", reason=str(error))
        except Exception:
            log.exception("following_failed")
        due = time.monotonic() + EVERY
