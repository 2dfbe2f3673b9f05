"""Clauses and cases: what must not have happened around an event, and how a finding's weight depends on what it was."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from watchword.detect.detector import Coverage, Rule
from watchword.detect.grouping import Group, group_of
from watchword.detect.loader import LEVELS
from watchword.detect.selection import Selection
from watchword.detect.setting import parse_duration, refuse
from watchword.model import Event, Mode
from watchword.resolve.directory import Directory

NOTHING = timedelta()
MARGIN = timedelta(minutes=2)
"""More than two clocks together may be off; what lies within is then compared exactly."""


@dataclass(frozen=True, slots=True)
class Clause:
    """No event of a selection within [anchor - before, anchor + after] that agrees with the anchor in every group of `same`."""

    selection: Selection
    around: str
    """Name of the positive event that is the anchor; empty: the only one."""
    before: timedelta
    after: timedelta
    same: tuple[Group, ...]

    def window(self, anchor: Event, tolerance: timedelta) -> tuple[datetime, datetime]:
        """Return the window, widened by the tolerance at both ends where it is open to that side."""
        return anchor.time - self.before - tolerance, anchor.time + self.after + tolerance

    def broken_by(self, anchor: Event, events: Sequence[Event], coverage: Coverage) -> Event | None:
        """Return the first event that the clause forbids."""
        skew = coverage.skew(anchor.source)
        for event in near(events, anchor.time - self.before, anchor.time + self.after):
            since, until = self.window(anchor, skew + coverage.skew(event.source))
            if not since <= event.time <= until or event.uid == anchor.uid or not self.selection.matches(event):
                continue
            if all(set(group(event)) & set(group(anchor)) for group in self.same):
                return event
        return None


def near(events: Sequence[Event], since: datetime, until: datetime, margin: timedelta = MARGIN) -> Sequence[Event]:
    """Return the events (sorted by time) within [since, until], widened by a margin for what clocks may be off."""
    left = bisect_left(events, since - margin, key=_time)
    return events[left : bisect_right(events, until + margin, key=_time)]


def _time(event: Event) -> datetime:
    return event.time


def read_clauses(rule: Rule, selections: Mapping[str, Selection], directory: Directory, setting: str = "unless") -> tuple[Clause, ...]:
    """Read the list ``settings.unless``: ``{event, around, before, after, same}``.

    Raises:
        ContentError: an entry is wrong.
    """
    entries = rule.settings.get(setting, [])
    if not isinstance(entries, list):
        raise refuse(rule, f"settings.{setting}: a list is expected", "settings", setting)
    return tuple(_clause(rule, entry, selections, directory, ("settings", setting, index)) for index, entry in enumerate(entries))


def _clause(rule: Rule, entry: Any, selections: Mapping[str, Selection], directory: Directory, where: tuple[str | int, ...]) -> Clause:
    if not isinstance(entry, Mapping) or entry.get("event") not in selections:
        raise refuse(rule, "an entry names an event of select", *where, remedy="{event: grant, before: 10s, after: 10s, same: [place]}")
    same = entry.get("same", [])
    try:
        before, after = parse_duration(entry.get("before", NOTHING)), parse_duration(entry.get("after", NOTHING))
    except ValueError as error:
        raise refuse(rule, str(error), *where) from error
    groups = tuple(group_of(rule, name, directory, *where, "same") for name in ([same] if isinstance(same, str) else same))
    return Clause(selections[entry["event"]], str(entry.get("around", "")), before, after, groups)


def widest(clauses: Sequence[Clause]) -> timedelta:
    """Return how far from its anchor a clause looks at most."""
    return max((max(clause.before, clause.after) for clause in clauses), default=NOTHING)


@dataclass(frozen=True, slots=True)
class Case:
    """What a finding weighs when one of its events matches a selection."""

    selection: Selection
    severity: int | None
    mode: Mode | None
    confidence: float | None
    because: str | None
    title: str | None


def read_cases(rule: Rule, selections: Mapping[str, Selection]) -> tuple[Case, ...]:
    """Read the list ``settings.cases``: ``{if: selection, level, mode, confidence, because, title}``; the first that matches counts.

    Raises:
        ContentError: an entry is wrong.
    """
    entries = rule.settings.get("cases", [])
    if not isinstance(entries, list):
        raise refuse(rule, "settings.cases: a list is expected", "settings", "cases")
    found = []
    for index, entry in enumerate(entries):
        where = ("settings", "cases", index)
        if not isinstance(entry, Mapping) or entry.get("if") not in selections:
            raise refuse(rule, "a case names a selection in if:", *where)
        level, mode = entry.get("level"), entry.get("mode")
        if (level is not None and level not in LEVELS) or (mode is not None and mode not in set(Mode)):
            raise refuse(rule, f"level {level!r} or mode {mode!r} is unknown", *where)
        found.append(
            Case(
                selections[entry["if"]],
                None if level is None else int(LEVELS[level]),
                None if mode is None else Mode(mode),
                entry.get("confidence"),
                entry.get("because"),
                entry.get("title"),
            )
        )
    return tuple(found)


def weigh(cases: Sequence[Case], events: Sequence[Event]) -> dict[str, Any]:
    """Return what `make_finding` is told otherwise by the first case that matches one of the events."""
    for case in cases:
        if any(case.selection.matches(event) for event in events):
            return {
                name: value for name in ("severity", "mode", "confidence", "because", "title") if (value := getattr(case, name)) is not None
            }
    return {}
