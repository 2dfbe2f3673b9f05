"""Source rows: how each source is doing: whether it speaks in its rhythm, what could not be parsed, how far it lags behind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from watchword.model import Domain, Source, SourceKind, SourceStatus

SILENT_AFTER: Final = 3
"""A source is silent when nothing came for so many times its expected gap (design: heartbeat)."""
FLOOR: Final = timedelta(seconds=60)
CEILING: Final = timedelta(hours=24)


class Voice(StrEnum):
    """Whether a source is heard."""

    REPORTING = "reporting"
    SILENT = "silent"
    NEVER = "never heard"
    UNJUDGED = "no rhythm set"


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source and how it is doing."""

    source: Source
    status: SourceStatus
    voice: Voice
    expected: timedelta | None
    """The longest gap to be expected; None: not known."""
    silent_since: datetime | None = None

    @property
    def unparsed_share(self) -> float | None:
        """Share of its records that nothing could be made of; None before the first one."""
        return self.status.unparsed / self.status.accepted if self.status.accepted else None

    @property
    def unmapped_share(self) -> float | None:
        """Share of its records that no mapping made more of than a line of text."""
        return self.status.unmapped / self.status.accepted if self.status.accepted else None

    @property
    def lag(self) -> timedelta | None:
        """How far its newest event lies behind its newest arrival."""
        if self.status.last_received is None or self.status.last_time is None:
            return None
        return max(timedelta(), self.status.last_received - self.status.last_time)

    @property
    def heard(self) -> bool:
        """Whether what it reports on counts as known."""
        return self.voice in {Voice.REPORTING, Voice.UNJUDGED}


def source_rows(sources: Iterable[Source], statuses: Iterable[SourceStatus], now: datetime) -> list[SourceRow]:
    """Return every source with its state, those that need someone first."""
    by_name: Mapping[str, SourceStatus] = {status.name: status for status in statuses}
    rows = [source_row(source, by_name.get(source.name, SourceStatus(source.name)), now) for source in sources]
    order = {Voice.SILENT: 0, Voice.NEVER: 1, Voice.UNJUDGED: 2, Voice.REPORTING: 2}
    return sorted(rows, key=lambda row: (order[row.voice], row.source.name))


def source_row(source: Source, status: SourceStatus, now: datetime) -> SourceRow:
    """Return one source with its state."""
    expected = None if source.rhythm is None else min(max(source.rhythm, FLOOR), CEILING)
    if status.last_received is None:
        return SourceRow(source, status, Voice.NEVER, expected)
    if expected is None:
        return SourceRow(source, status, Voice.UNJUDGED, None)
    if now - status.last_received > expected * SILENT_AFTER:
        return SourceRow(source, status, Voice.SILENT, expected, status.last_received)
    return SourceRow(source, status, Voice.REPORTING, expected)


def known_sides(rows: Iterable[SourceRow], site: str = "") -> dict[Domain, bool]:
    """Tell for each side of the house whether every source that reports on the site is heard; no source at all: nobody knows."""
    found: dict[Domain, bool] = {}
    for domain in Domain:
        mine = [row for row in rows if row.source.domain is domain and row.source.site in {"", site or row.source.site}]
        found[domain] = bool(mine) and any(row.heard for row in mine)
    return found


def doors_known(rows: Iterable[SourceRow], site: str) -> tuple[bool, str]:
    """Tell whether the state of the site's doors is known, and if not, why, in words."""
    mine = [row for row in rows if row.source.kind is SourceKind.ACCESS_CONTROL and row.source.site in {"", site}]
    if not mine:
        return False, "No access control source reports on this site."
    dumb = [row for row in mine if not row.heard]
    if dumb:
        return False, f"{dumb[0].source.name} is {dumb[0].voice.value}."
    slow = [row for row in mine if row.source.lateness > timedelta(hours=1)]
    if slow:
        return False, f"{slow[0].source.name} uploads in batches, so what stands here is as old as its last upload."
    return True, ""
