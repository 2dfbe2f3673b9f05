"""Occupancy: how many known people are in each zone now, by the doors' word, and of how many it is unknown."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from watchword.detect.insight import DOOR_WINDOW, PAGE, covered_within, spans_of, whereabouts_of
from watchword.detect.whereabouts import DOOR_CLASSES
from watchword.kit.errors import Unavailable
from watchword.model import Event, EventQuery, Order

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword

FRESH: Final = timedelta(seconds=5)
"""So long one count serves everybody who asks."""


@dataclass(frozen=True, slots=True)
class Count:
    """Heads at one moment."""

    at: datetime
    by_zone: Mapping[str, int]
    unknown: int
    """People with a badge of whom the doors do not say where they are: never counted as absent."""


@dataclass(slots=True)
class Occupancy:
    """Counts heads; reads the doors' events anew at most every few seconds."""

    watchword: "Watchword"
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _last: Count | None = None

    def now(self) -> Count:
        """Return the count of this moment."""
        with self._guard:
            at = self.watchword.clock.now()
            if self._last is None or not timedelta() <= at - self._last.at < FRESH:
                self._last = count_at(self.watchword, at)
            return self._last


@dataclass(slots=True)
class Heads:
    """Implements `respond.ports.Heads`; knows whom to ask once the house stands."""

    occupancy: Occupancy | None = None

    def people_in(self, zone: str) -> int | None:
        """Return how many people are in a zone now; None when the event log does not answer or nobody has been counted."""
        if self.occupancy is None:
            return None
        try:
            return self.occupancy.now().by_zone.get(zone, 0)
        except Unavailable:
            return None


def count_at(watchword: "Watchword", at: datetime) -> Count:
    """Count heads at a moment."""
    directory = watchword.registry.directory()
    doors = _doors(watchword, at)
    found: Counter[str] = Counter()
    unknown = 0
    for whereabouts in whereabouts_of(doors, directory, covered_within(spans_of(doors))).values():
        if whereabouts is None:
            continue
        stand = whereabouts.stand(at)
        if stand is None:
            unknown += 1
        elif not stand.outside:
            found[stand.zone] += 1
    return Count(at, dict(found), unknown)


def _doors(watchword: "Watchword", at: datetime) -> list[Event]:
    found: list[Event] = []
    after: tuple[datetime, str] | None = None
    while True:
        query = EventQuery(
            since=at - DOOR_WINDOW,
            until=at + timedelta(milliseconds=1),
            classes=tuple(sorted(DOOR_CLASSES)),
            order=Order.OLDEST,
            after=after,
            limit=PAGE,
        )
        page = watchword.events.events(query)
        found += page
        if len(page) < PAGE:
            return found
        after = page[-1].order
