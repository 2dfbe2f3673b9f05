"""Hearing: notes which sources were silent for longer than they can make good later, so that coverage leaves that stretch out."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from watchword.detect.coverage import Gap
from watchword.detect.silence import CEILING, FLOOR
from watchword.model import Source

LONGEST_UNBUFFERED = timedelta(hours=1)
"""A source that may be this late keeps what it could not send, and sends it later: its silence loses nothing."""
REMEMBERED = timedelta(days=90)
"""How far back lost stretches are known: further than any rule or ranking looks."""


def lost_after(source: Source, factor: float) -> timedelta | None:
    """Return the silence from which on a source's records are lost, or None when its silence says nothing of that.

    Only a stated rhythm counts: what past weeks teach of a source without one is good for a finding, but a quiet night must not blind
    the rules that rest on absence.
    """
    if source.rhythm is None or source.lateness >= LONGEST_UNBUFFERED:
        return None
    return max(min(max(source.rhythm, FLOOR), CEILING) * factor, source.lateness)


class Hearing:
    """The stretches that sources lost: a pure function of the set of arrivals, in whatever order they are noted."""

    def __init__(self, last: Mapping[str, datetime], known: Iterable[Gap] = (), factor: float = 3.0) -> None:
        """Take when each source was last heard, the stretches known, and how many times its rhythm a source may be silent."""
        self._last = dict(last)
        self._gaps: dict[str, list[Gap]] = {}
        self._factor = factor
        for gap in known:
            self._gaps.setdefault(gap.source, []).append(gap)

    @property
    def gaps(self) -> list[Gap]:
        """All stretches that are known to be lost."""
        return [gap for gaps in self._gaps.values() for gap in gaps]

    def of(self, source: str) -> list[Gap]:
        """Return the stretches that one source lost, oldest first."""
        return list(self._gaps.get(source, ()))

    def hear(self, source: Source, moments: Iterable[datetime]) -> bool:
        """Note arrivals from a source; tell whether its lost stretches are others now."""
        longest = lost_after(source, self._factor)
        before = self._gaps.get(source.name, [])
        gaps = before
        for moment in sorted(moments):
            last = self._last.get(source.name)
            if last is None or moment > last:
                self._last[source.name] = moment
                if last is not None and longest is not None and moment - last > longest:
                    gaps = [*gaps, Gap(source.name, last, moment)]
            elif longest is not None:
                gaps = [part for gap in gaps for part in _split(gap, moment, longest)]
        if gaps is before:
            return False
        gaps = [gap for gap in gaps if gap.until is None or gap.until >= self._last[source.name] - REMEMBERED]
        self._gaps[source.name] = gaps
        return gaps != before


def _split(gap: Gap, moment: datetime, longest: timedelta) -> list[Gap]:
    """Return what is left of a stretch in which something did come."""
    if gap.until is None or not gap.since < moment < gap.until:
        return [gap]
    parts = (Gap(gap.source, gap.since, moment), Gap(gap.source, moment, gap.until))
    return [part for part in parts if part.until is not None and part.until - part.since > longest]
