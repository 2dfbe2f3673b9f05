"""Quiet: planned and approved maintenance windows and people's own quiet hours, and what neither may ever mute."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

LONGEST_WINDOW: Final = timedelta(days=7)
"""A window that lasts longer is planned anew, with a fresh approval."""
FURTHEST: Final = timedelta(days=400)
GRAVEST_QUIET: Final = 3
"""Quiet hours hold back pages of this severity and lighter; 1 and 2 wake people."""


@dataclass(frozen=True, slots=True)
class Window:
    """Announced work on a place: pages about it wait until the window is over. It ends by itself."""

    uid: str
    place: str
    """Uid of a place (and all within it), door or asset."""
    since: datetime
    until: datetime
    ticket: str
    planned_by: str
    approved_by: str = ""
    """Somebody else than who planned it; empty: not approved, mutes nothing."""

    def holds(self, place: str, at: datetime) -> bool:
        """Tell whether the window is approved, runs at the moment, and covers the place."""
        covered = place == self.place or place.startswith(self.place + "/")
        return bool(self.approved_by) and covered and self.since <= at < self.until


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The local hours in which a person wants no light pages; equal ends: none."""

    zone: str
    since: time
    until: time

    def holds(self, at: datetime) -> bool:
        """Tell whether the moment lies within; an end before the start runs past midnight."""
        clock = at.astimezone(ZoneInfo(self.zone)).time()
        if self.since <= self.until:
            return self.since <= clock < self.until
        return clock >= self.since or clock < self.until


def muting(windows: Iterable[Window], places: Iterable[str], at: datetime, *, life_safety: bool) -> Window | None:
    """Return the window that mutes a page about these places: the one that ends last, when every place is covered.

    What concerns people's lives is never muted.
    """
    if life_safety:
        return None
    wanted, kept = list(places), list(windows)
    found = []
    for place in wanted:
        over = [each for each in kept if each.holds(place, at)]
        if not over:
            return None
        found += over
    return max(found, key=lambda each: each.until, default=None)


def rests(hours: QuietHours | None, at: datetime, *, severity: int, life_safety: bool) -> bool:
    """Tell whether a person's quiet hours hold a page back: never one of severity 1 or 2, never one about people's lives."""
    return hours is not None and severity >= GRAVEST_QUIET and not life_safety and hours.holds(at)


def faults(window: Window, now: datetime) -> list[str]:
    """Return why a window cannot be planned, in words with the remedy."""
    found = []
    if not window.place:
        found.append("names no place; say which place, door or asset is worked on")
    if not window.ticket.strip():
        found.append("names no ticket; say under which order the work is done")
    if window.until <= window.since:
        found.append("ends before it begins")
    elif window.until - window.since > LONGEST_WINDOW:
        found.append(f"lasts longer than {LONGEST_WINDOW.days} days; plan it in parts, each with its approval")
    if window.until <= now:
        found.append("is over already")
    if window.since > now + FURTHEST:
        found.append("begins more than a year ahead")
    return found
