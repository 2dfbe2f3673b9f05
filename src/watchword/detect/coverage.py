"""Coverage: up to when which sources are known to have reported, from their settings, their watermarks and their gaps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchword.detect.detector import Coverage
from watchword.model import FindingState, Source, SourceKind, SourceStatus


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time for which a source's records are lost."""

    source: str
    since: datetime
    until: datetime | None = None
    """None: still open."""


class SourceCoverage:
    """The coverage at one moment of judging. Cheap to make: the pipeline makes one per batch."""

    def __init__(self, sources: Sequence[Source], statuses: Mapping[str, SourceStatus], now: datetime, gaps: Sequence[Gap] = ()) -> None:
        """Take the settings, what has come in so far by source name, the arrival clock's time, and known gaps."""
        self._sources = tuple(sources)
        self._statuses = statuses
        self._now = now
        self._gaps = tuple(gaps)
        self._skews = {source.name: source.resolution + abs(source.skew) for source in sources}
        self._marks: dict[tuple[tuple[SourceKind, ...], str], tuple[datetime | None, datetime | None]] = {}

    def now(self) -> datetime:
        """Return the moment of judging, by the arrival clock."""
        return self._now

    def _needed(self, kinds: tuple[SourceKind, ...], site: str) -> list[Source]:
        return [source for source in self._sources if source.kind in kinds and (not source.site or not site or source.site == site)]

    def _mark(self, kinds: Iterable[SourceKind], site: str) -> tuple[datetime | None, datetime | None]:
        key = (tuple(kinds), site)
        if key not in self._marks:
            self._marks[key] = self._measure(*key)
        return self._marks[key]

    def _measure(self, kinds: tuple[SourceKind, ...], site: str) -> tuple[datetime | None, datetime | None]:
        """Return (reported, settled): the least over the sources; every kind must have one that has ever reported."""
        needed = self._needed(kinds, site)
        if {source.kind for source in needed} != set(kinds):
            return None, None
        reported: datetime | None = None
        settled: datetime | None = None
        for source in needed:
            status = self._statuses.get(source.name)
            if status is None or status.last_time is None:
                return None, None
            mark = min(status.last_time, self._now)
            safe = min(mark, self._now - source.lateness)
            reported = mark if reported is None else min(reported, mark)
            settled = safe if settled is None else min(settled, safe)
        if reported is None:  # a rule that needs no source rests on the clock alone
            return self._now, self._now
        return reported, settled

    def reported(self, kinds: Iterable[SourceKind], site: str) -> datetime | None:
        """Return the time up to which every source of these kinds that reports on the site has reported; None when one is missing."""
        return self._mark(kinds, site)[0]

    def settled(self, kinds: Iterable[SourceKind], site: str) -> datetime | None:
        """Return the time before which no record can still come in within the allowed lateness; None as `reported`."""
        return self._mark(kinds, site)[1]

    def in_gap(self, kinds: Iterable[SourceKind], site: str, since: datetime, until: datetime) -> bool:
        """Tell whether a needed source has lost records within [since, until]."""
        if not self._gaps:
            return False
        names = {source.name for source in self._needed(tuple(kinds), site)}
        return any(gap.source in names and gap.since <= until and (gap.until is None or since < gap.until) for gap in self._gaps)

    def decide(self, kinds: Iterable[SourceKind], site: str, since: datetime, until: datetime) -> FindingState | None:
        """Tell how sure an absence within [since, until] is: final, provisional, or None while nothing can be said."""
        kinds = tuple(kinds)
        reported, settled = self._mark(kinds, site)
        if reported is None or reported < until or self.in_gap(kinds, site, since, until):
            return None
        return FindingState.FINAL if settled is not None and settled >= until else FindingState.PROVISIONAL

    def skew(self, source: str) -> timedelta:
        """Return how far a source's times may be off; an unknown source counts as exact to the second."""
        return self._skews.get(source, timedelta(seconds=1))


Lost = tuple[SourceKind, str, datetime, datetime | None]
"""Something of this kind lost its records of a site (empty: of all) from the one moment to the other, or still does."""


def lost_at(gaps: Iterable[Gap], sources: Iterable[Source]) -> list[Lost]:
    """Return the gaps by what they concern."""
    known = {source.name: source for source in sources}
    return [(source.kind, source.site, gap.since, gap.until) for gap in gaps if (source := known.get(gap.source)) is not None]


def tolerance(coverage: Coverage, first: str, second: str) -> timedelta:
    """Return τ of two sources: the sum of what each may be off."""
    return coverage.skew(first) + coverage.skew(second)
