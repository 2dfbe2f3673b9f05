"""The site board: keeps the last day's events of each site in memory while someone looks, so that a live plan asks only for news."""

import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from watchword.app.watchword import Watchword
from watchword.model import Event, EventQuery
from watchword.web.place_state import CLASSES, LOOK_BACK, SiteState, site_state
from watchword.web.source_rows import doors_known, source_rows

FRESH = 1.0
"""Seconds for which a state is handed out again."""
OVERLAP = timedelta(seconds=20)
"""Arrivals are asked for with so much overlap: segments become visible in the order of insertion, not of arrival."""
MOST = 50_000
PAGE = 10_000


class SiteBoard:
    """States of sites, shared by all pages of this process."""

    def __init__(self, watchword: Watchword) -> None:
        self._watchword = watchword
        self._lock = threading.Lock()
        self._events: dict[str, dict[str, Event]] = {}
        self._asked: dict[str, datetime] = {}
        self._states: dict[str, tuple[float, int, SiteState]] = {}

    def state(self, site: str, position: int = 0) -> SiteState:
        """Return the site's state, at most a second old, and with all that was news up to a position."""
        now = self._watchword.clock.now()
        with self._lock:
            kept = self._states.get(site)
            if kept is not None and time.monotonic() - kept[0] < FRESH and kept[1] >= position:
                return kept[2]
            self._refresh(site, now)
            ledger = self._watchword.ledger
            known, why = doors_known(source_rows(ledger.sources(), ledger.statuses(), now), site)
            state = site_state(site, self._events[site].values(), self._watchword.registry.directory(), now, known=known, why=why)
            self._states[site] = (time.monotonic(), position, state)
            return state

    def _refresh(self, site: str, now: datetime) -> None:
        asked = self._asked.get(site)
        known = self._events.setdefault(site, {})
        query = EventQuery(since=now - LOOK_BACK, places=(site,), classes=CLASSES, received_since=asked and asked - OVERLAP, limit=PAGE)
        for event in self._all(query):
            known[event.uid] = event
        self._asked[site] = now
        for uid in [uid for uid, event in known.items() if event.time < now - LOOK_BACK]:
            del known[uid]

    def _all(self, query: EventQuery) -> Iterable[Event]:
        found = 0
        while found < MOST:
            page = self._watchword.events.events(query)
            yield from page
            found += len(page)
            if len(page) < PAGE:
                return
            query = replace(query, after=page[-1].order)
