"""The measuring process: periodic work over what is kept (values, evidence, objectives), with the state of each job in a row."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import insert, select, update

from watchword.app.board_report import keep_monthly
from watchword.app.committee_work import end_rounds, prepare_meetings, remind
from watchword.app.controlling import look
from watchword.app.effects import judge_effects, match_recurrences
from watchword.app.furnishing_history import give_past
from watchword.app.furnishing_policies import review_past
from watchword.app.furnishing_risks import judge_past
from watchword.app.probing import probing
from watchword.app.retention import drop_old_days, tell_measured
from watchword.app.risk_book import follow_risks, settle_risks
from watchword.app.settings import Settings
from watchword.app.supervisor import held
from watchword.app.uptime_house import following
from watchword.app.watchword import Watchword, open_watchword
from watchword.kit.clock import to_millisecond
from watchword.kit.errors import Full, Unavailable, WatchwordError
from watchword.measure.metric_tables import measure_job

STEP: Final = 2.0
"""Seconds between two looks at what is due."""
SOON: Final = timedelta(minutes=5)
"""A job that failed is tried again after this, or after its own rhythm when that is shorter."""
LONGEST_FAULT: Final = 2_000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Periodic:
    """One job that is done again and again."""

    name: str
    every: timedelta
    do: Callable[[Watchword, datetime], object]
    """Gets the house and the present moment. It must bear being done twice, and being killed in its midst."""


def compute_present(watchword: Watchword, now: datetime) -> None:
    """Compute the present value of every measure."""
    _complain(watchword.measures.computing.present(now).faults)


def compute_settled(watchword: Watchword, now: datetime) -> None:
    """Compute the periods that ended lately, then those that are missing, and let go of old running values."""
    computing = watchword.measures.computing
    faults = (*computing.settled(now).faults, *computing.backfill(now).faults)
    watchword.measures.metrics.sweep(now)
    _complain(faults)


def draw_reviews(watchword: Watchword, now: datetime) -> None:
    """Draw closures of the last full weeks for blind re-review."""
    watchword.measures.reviews.draw(now)


def look_for_gaming(watchword: Watchword, now: datetime) -> None:
    """Run the detectors on what the house keeps."""
    watchword.measures.gaming.look(now)


def make_studies(watchword: Watchword, _now: datetime) -> None:
    """Compute the demonstrations that are not kept yet."""
    watchword.measures.studies.closures_versus_value()


def _complain(faults: Sequence[str]) -> None:
    if faults:
        raise WatchwordError("; ".join(faults))


def jobs() -> list[Periodic]:
    """Return every periodic job, in the order in which they are done when several are due; each slice adds its line."""
    return [
        Periodic("parameters.follow", timedelta(seconds=30), tell_measured),
        Periodic("demo.history", timedelta(days=3650), give_past),
        Periodic("demo.risks", timedelta(days=3650), judge_past),
        Periodic("demo.reviews", timedelta(hours=1), review_past),
        Periodic("rounds.end", timedelta(minutes=1), end_rounds),
        Periodic("meetings.prepare", timedelta(minutes=15), prepare_meetings),
        Periodic("reviews.remind", timedelta(hours=24), remind),
        Periodic("controls.look", timedelta(minutes=15), look),
        Periodic("risks.follow", timedelta(hours=24), follow_risks),
        Periodic("risks.settle", timedelta(seconds=15), settle_risks),
        Periodic("reviews.draw", timedelta(hours=6), draw_reviews),
        Periodic("metrics.settled", timedelta(hours=24), compute_settled),
        Periodic("metrics.present", timedelta(hours=1), compute_present),
        Periodic("gaming.look", timedelta(hours=24), look_for_gaming),
        Periodic("studies.make", timedelta(hours=24), make_studies),
        Periodic("board.monthly", timedelta(hours=6), keep_monthly),
        Periodic("retention.drop", timedelta(hours=24), drop_old_days),
        Periodic("effects.judge", timedelta(hours=24), judge_effects),
        Periodic("recurrences.match", timedelta(minutes=10), match_recurrences),
    ]


def measure(settings: Settings, stopping: threading.Event) -> None:
    """Do what is due until `stopping` is set.

    Raises:
        Conflict: another process measures on this data folder.
    """
    with held(settings, "measure"), open_watchword(settings) as watchword, probing(watchword, stopping), following(watchword, stopping):
        measuring = Measuring(watchword, jobs())
        log.info("measuring", jobs=len(measuring.jobs))
        while not stopping.is_set():
            try:
                measuring.step(stopping)
            except (Unavailable, Full) as error:
                log.warning("waiting", reason=str(error))
            stopping.wait(STEP)


class Measuring:
    """Does the jobs that are due; when each was done last stands in rows, so that a restart repeats nothing."""

    def __init__(self, watchword: Watchword, listed: Sequence[Periodic]) -> None:
        self._watchword = watchword
        self.jobs = tuple(listed)

    def step(self, stopping: threading.Event | None = None) -> int:
        """Do every job that is due, until `stopping` is set, and return how many were done.

        Raises:
            Unavailable, Full: the records database does not answer; a job that fails for it is tried again soon.
        """
        done = 0
        for job in self.jobs:
            if stopping is not None and stopping.is_set():
                break
            if self.due(job):
                self.do(job)
                done += 1
        return done

    def due(self, job: Periodic) -> bool:
        """Tell whether a job is to be done now."""
        with self._watchword.records.read() as connection:
            row = connection.execute(select(measure_job).where(measure_job.c.name == job.name)).first()
        if row is None:
            return True
        pause = min(SOON, job.every) if row.said or row.ended is None else job.every
        return bool(self._watchword.clock.now() - row.started >= pause)

    def do(self, job: Periodic) -> str:
        """Do a job and keep how it went; return what went wrong, empty when nothing did."""
        started, began = to_millisecond(self._watchword.clock.now()), time.monotonic()
        self._keep(job, started=started, ended=None, said="", took_ms=0)
        said = ""
        try:
            job.do(self._watchword, started)
        except WatchwordError as error:
            said = str(error)
            log.error("job_failed", job=job.name, fault=said)  # noqa: TRY400 - the cause is in the message
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            log.exception("job_failed", job=job.name)
        took = round((time.monotonic() - began) * 1000)
        ended = to_millisecond(self._watchword.clock.now())
        self._keep(job, started=started, ended=ended, said=said[:LONGEST_FAULT], took_ms=took, **({} if said else {"done": ended}))
        return said

    def _keep(self, job: Periodic, **values: object) -> None:
        ended = values.get("ended") is not None
        with self._watchword.records.begin() as connection:
            changed = connection.execute(
                update(measure_job).where(measure_job.c.name == job.name).values(**values, times=measure_job.c.times + int(ended))
            ).rowcount
            if not changed:
                connection.execute(insert(measure_job).values(name=job.name, **values, times=int(ended)))
