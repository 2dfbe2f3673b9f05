"""Computing: runs the calculators over the present and over every period that is missing, and keeps what comes of it."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from watchword.kit.errors import WatchwordError
from watchword.measure.calculator import Calculator, last_period, periods, running
from watchword.measure.metric_service import Metrics
from watchword.model.metric import MetricDefinition, Window

LONGEST: Final = timedelta(days=400)
"""Backfill reaches back no further: a year and a month."""
SETTLES: Final = timedelta(days=16)
"""Periods that ended within this time are computed anew once a day: a closure may be undone within 14 days, records come late."""

log = structlog.get_logger()


@dataclass(slots=True)
class Outcome:
    """What one computation did."""

    values: int = 0
    """Values computed."""
    new: int = 0
    """Values that were not kept already."""
    windows: int = 0
    seconds: float = 0.0
    faults: tuple[str, ...] = ()
    """Calculators that failed, each with its reason."""


class Computing:
    """Runs calculators. One that fails is named in the outcome and stops no other."""

    def __init__(self, metrics: Metrics, calculators: Sequence[Calculator] | Callable[[], Sequence[Calculator]]) -> None:
        self._metrics = metrics
        self._calculators = calculators if callable(calculators) else lambda: calculators

    def present(self, now: datetime, names: Iterable[str] = ()) -> Outcome:
        """Compute the value of each measure over the window that ends now; of some measures only, when they are named.

        Raises:
            NotFound: there is no such measure.
        """
        wanted = self._wanted(names)
        jobs = [
            (calculator, running(definition, now), definition)
            for calculator in self._calculators()
            for definition in self._of(calculator, wanted)
        ]
        return self._run(jobs, now)

    def settled(self, now: datetime, names: Iterable[str] = ()) -> Outcome:
        """Compute the periods that have ended lately, anew where they were computed before: late records and reopenings count.

        Raises:
            NotFound: there is no such measure.
        """
        wanted = self._wanted(names)
        jobs = []
        for calculator in self._calculators():
            for definition in self._of(calculator, wanted):
                newest = last_period(definition, now)
                recent = periods(definition, max(newest.since, now - SETTLES - definition.window), now) if calculator.historic else [newest]
                jobs += [(calculator, window, definition) for window in (recent or [newest])]
        return self._run([job for job in jobs if _has_data(job[0], job[1])], now)

    def backfill(self, now: datetime, since: datetime | None = None, names: Iterable[str] = (), *, anew: bool = False) -> Outcome:
        """Compute every closed period that is missing, from the first data (or `since`) on, at most 400 days back.

        Args:
            now: What is known.
            since: From when; None: from the first data.
            names: Of which measures; none: of all.
            anew: Compute those that are there too.

        Raises:
            NotFound: there is no such measure.
        """
        wanted, jobs = self._wanted(names), []
        for calculator in self._calculators():
            first = calculator.earliest() if calculator.historic else None
            if first is None:
                continue
            begin = max(first, now - LONGEST, *([since] if since else []))
            for definition in self._of(calculator, wanted):
                there = set() if anew else self._there(definition)
                ended = periods(definition, begin - definition.window, now)
                jobs += [(calculator, window, definition) for window in ended if window not in there and window.until > begin]
        return self._run(jobs, now)

    def _there(self, definition: MetricDefinition) -> set[Window]:
        """Return the periods for which a value is kept, whatever its subject."""
        return {point.window for points in self._metrics.all_series([definition.name]).values() for point in points}

    def _wanted(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(self._metrics.definition(name).name for name in names)

    def _of(self, calculator: Calculator, wanted: frozenset[str]) -> list[MetricDefinition]:
        return [self._metrics.definition(name) for name in calculator.names if not wanted or name in wanted]

    def _run(self, jobs: Iterable[tuple[Calculator, Window, MetricDefinition]], now: datetime) -> Outcome:
        """Run each calculator once per window, however many of its measures have that window."""
        grouped: dict[tuple[int, datetime, datetime], tuple[Calculator, Window, set[str]]] = {}
        for calculator, window, definition in jobs:
            key = (id(calculator), window.since, window.until)
            grouped.setdefault(key, (calculator, window, set()))[2].add(definition.name)
        outcome, faults, began = Outcome(), {}, time.monotonic()
        for calculator, window, names in grouped.values():
            try:
                found = [each for each in calculator.compute(window, now) if each.metric.name in names]
            except WatchwordError as error:  # an engine out of reach too: the other calculators may need none
                faults[type(calculator).__name__] = str(error)
                continue
            except Exception as error:
                log.exception("calculator_failed", calculator=type(calculator).__name__)
                faults[type(calculator).__name__] = repr(error)
                continue
            outcome.windows += 1
            outcome.values += len(found)
            outcome.new += self._metrics.put_all(found)
        outcome.faults = tuple(f"{name}: {why}" for name, why in sorted(faults.items()))
        outcome.seconds = time.monotonic() - began
        return outcome


def _has_data(calculator: Calculator, window: Window) -> bool:
    first = calculator.earliest()
    return first is not None and first < window.until
