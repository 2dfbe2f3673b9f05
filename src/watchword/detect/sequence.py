"""Sequence: events of one key in the listed order within a time, with negations whose windows are exact (`detections.md` 2.1).

A name in ``settings.order`` with ``not`` before it must not occur: listed before the first positive name, in [first - T, first); between
two, strictly between them; after the last, in (last, last + T]. Each event counts in one finding at most.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from watchword.detect.clause import read_cases, read_clauses, weigh, widest
from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import event_parts, in_words, local_clock, make_finding
from watchword.detect.grouping import group_of, keys_of
from watchword.detect.inside import EVENTS_PER_DAY, PRESENCE_CLASSES, PRESENCE_REACH, STALE_FACTOR, BadgeLog, is_of_day, site_days
from watchword.detect.memo import Memo
from watchword.detect.selection import Selection, compile_selections, site_of, zone_of
from watchword.detect.setting import duration, refuse, word, words
from watchword.model import Event, Finding, FindingState
from watchword.resolve.directory import Directory
from watchword.resolve.presence import State

CLOSE_FACTOR = 0.8
"""Confidence is multiplied by this when two events are closer than their clocks can tell apart."""
_MARGIN = timedelta(minutes=2)
"""Added to the reach for the tolerance of clocks."""


@dataclass(frozen=True, slots=True)
class _Negation:
    selection: Selection
    after: int
    """Index of the positive name before it, -1 for none; it looks up to the next positive, or a whole timespan beyond an end."""


class Ordered:
    """The compiled rule."""

    walks = True
    bound: int | None = None

    def __init__(self, rule: Rule, directory: Directory) -> None:
        """Compile the rule.

        Raises:
            ContentError: the file is wrong.
        """
        self.rule = rule
        self._directory = directory
        self._within = duration(rule, "within")
        selections = compile_selections(rule, directory)
        self._positive: list[Selection] = []
        self._names: list[str] = []
        self._negations: list[_Negation] = []
        for index, item in enumerate(words(rule, "order")):
            name = item.removeprefix("not ").strip()
            if name not in selections:
                raise refuse(rule, f"order names {name!r}, which is not in select", "settings", "order", index)
            if item.startswith("not "):
                self._negations.append(_Negation(selections[name], len(self._positive) - 1))
            else:
                self._positive.append(selections[name])
                self._names.append(name)
        if not self._positive:
            raise refuse(rule, "a sequence needs a name without not", "settings", "order", remedy="use the silence operator")
        self._clauses = read_clauses(rule, selections, directory)
        for clause in self._clauses:
            if clause.around not in self._names:
                raise refuse(rule, f"unless: around names {clause.around!r}, which is no positive name", "settings", "unless")
        self._cases = read_cases(rule, selections)
        self._groups = [group_of(rule, name, directory, "settings", "group_by") for name in words(rule, "group_by")]
        self._differ = [group_of(rule, name, directory, "settings", "differ") for name in words(rule, "differ", ())]
        used = [*self._positive, *(item.selection for item in self._negations), *(clause.selection for clause in self._clauses)]
        self._matches = tuple({id(item): item.matches for item in used}.values())
        self.classes = frozenset().union(*(item.classes for item in used))
        self._outside = word(rule, "not_inside", "")
        """The positive name whose person must not be known to be in the zone; keys are then a site's days."""
        if self._outside and self._outside not in self._names:
            raise refuse(rule, f"not_inside names {self._outside!r}, which is no positive name", "settings", "not_inside")
        self._member = Memo(lambda event: tuple(keys_of(event, self._groups)) if any(test(event) for test in self._matches) else ())
        self.reach = max(self._within * (2 if self._negations else 1), self._within + widest(self._clauses)) + _MARGIN
        if self._outside:
            self.classes |= PRESENCE_CLASSES
            self.reach = max(self.reach, PRESENCE_REACH + self._within)
            self.bound = EVENTS_PER_DAY

    def keys(self, event: Event) -> Iterable[str]:
        """Return the event's groups when any of the rule's selections matches it."""
        concerned = any(matches(event) for matches in self._matches)
        if not self._outside:
            return keys_of(event, self._groups) if concerned else ()
        return site_days(event, self._directory) if concerned or event.person else ()

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Walk through the events that complete the sequence; each finding spends everything up to its own end."""
        badges = BadgeLog(events, self._directory, coverage)
        if not self._outside:
            yield from self._walk(events, badges, coverage)
            return
        groups: dict[str, list[Event]] = {}
        for event in events:
            for group in self._member(event):
                groups.setdefault(group, []).append(event)
        for _, members in sorted(groups.items()):
            yield from self._walk(members, badges, coverage, key)

    def _walk(self, members: Sequence[Event], badges: BadgeLog, coverage: Coverage, day: str = "") -> Iterator[Finding]:
        """Return the findings of one group. With a day, only those are made that are complete on that day."""
        hits = [[event for event in members if item.matches(event)] for item in self._positive]
        spent: tuple[datetime, str] | None = None
        for last in hits[-1]:
            if (spent is not None and last.order <= spent) or (day and not is_of_day(last, day)):
                continue
            for chosen in self._choices(hits, last, spent, coverage):
                inside, faded = self._inside(chosen, badges)
                state = None if inside is State.IN else self._state(chosen, members, coverage)
                if state is not None:
                    yield self._finding(chosen, coverage, state, faded=faded)
                    spent = max(event.order for event in chosen)
                    break

    def _inside(self, chosen: Sequence[Event], badges: BadgeLog) -> tuple[State, bool]:
        """Return whether the person who must be elsewhere was in the zone, and whether that has only faded."""
        if not self._outside:
            return State.OUT, False
        event = chosen[self._names.index(self._outside)]
        return badges.standing(event.person, zone_of(event, self._directory), event)

    def _choices(
        self, hits: Sequence[Sequence[Event]], last: Event, spent: tuple[datetime, str] | None, coverage: Coverage
    ) -> Iterator[tuple[Event, ...]]:
        """Return, earliest first, the events that stand for the names when `last` stands for the last."""

        def extend(chosen: tuple[Event, ...]) -> Iterator[tuple[Event, ...]]:
            index = len(chosen)
            candidates = hits[index] if index < len(hits) - 1 else (last,)
            for event in candidates:
                if last.time - event.time > self._within or event in chosen or (spent is not None and event.order <= spent):
                    continue
                if event is not last and event.time > last.time + _tau(event, last, coverage):
                    break
                if chosen and event.time < chosen[-1].time - _tau(chosen[-1], event, coverage):
                    continue
                if index < len(hits) - 1 and event.uid == last.uid:
                    continue
                if not self._differs(chosen, event):
                    continue
                if index == len(hits) - 1:
                    yield (*chosen, event)
                else:
                    yield from extend((*chosen, event))

        return extend(())

    def _differs(self, chosen: Sequence[Event], event: Event) -> bool:
        for group in self._differ:
            values = set(group(event))
            if not values or any(values & set(group(other)) for other in chosen):
                return False
        return True

    def _state(self, chosen: Sequence[Event], events: Sequence[Event], coverage: Coverage) -> FindingState | None:
        """Return the state of a finding on these events; None when a negation forbids it or cannot be judged yet."""
        if not self._negations and not self._clauses and not self._outside:
            return FindingState.FINAL
        windows: list[tuple[datetime, datetime]] = []
        for negation in self._negations:
            since, until, inside = self._window(negation, chosen, coverage)
            windows.append((since, until))
            if any(inside(event) for event in events if negation.selection.matches(event) and event not in chosen):
                return None
        for clause in self._clauses:
            anchor = chosen[self._names.index(clause.around)]
            windows.append(clause.window(anchor, coverage.skew(anchor.source) * 2))
            if clause.broken_by(anchor, events, coverage) is not None:
                return None
        if self._outside:
            windows.append((chosen[-1].time, chosen[-1].time))
        since, until = min(window[0] for window in windows), max(window[1] for window in windows)
        return coverage.decide(self.rule.needs, site_of(chosen[-1], self._directory), since, until)

    def _window(
        self, negation: _Negation, chosen: Sequence[Event], coverage: Coverage
    ) -> tuple[datetime, datetime, Callable[[Event], bool]]:
        first, last = min(event.time for event in chosen), max(event.time for event in chosen)
        if negation.after == -1:
            anchor = min(chosen, key=lambda event: event.order)
            return (
                first - self._within,
                first,
                lambda event: first - self._within - _tau(anchor, event, coverage) <= event.time < first + _tau(anchor, event, coverage),
            )
        if negation.after == len(self._positive) - 1:
            anchor = max(chosen, key=lambda event: event.order)
            return (
                last,
                last + self._within + coverage.skew(anchor.source) * 2,
                lambda event: last - _tau(anchor, event, coverage) < event.time <= last + self._within + _tau(anchor, event, coverage),
            )
        left, right = chosen[negation.after], chosen[negation.after + 1]
        return (
            left.time,
            right.time,
            lambda event: left.time - _tau(left, event, coverage) < event.time < right.time + _tau(right, event, coverage),
        )

    def _finding(self, chosen: Sequence[Event], coverage: Coverage, state: FindingState, *, faded: bool) -> Finding:
        parts: dict[str, str] = {}
        for name, event in zip(self._names, chosen, strict=True):
            parts |= event_parts(event, self._directory, f"{name}_")
        first, last = chosen[0], chosen[-1]
        parts["after"] = in_words(abs((last.time - first.time).total_seconds()))
        parts["first_clock"] = local_clock(first.time, first.place, self._directory)
        close = any(abs(after.time - before.time) < _tau(before, after, coverage) for before, after in pairwise(chosen))
        weight = weigh(self._cases, chosen)
        notes: list[str] = []
        factor = 1.0
        if close:
            notes.append("The clocks cannot tell which came first.")
            factor *= CLOSE_FACTOR
        if faded:
            notes.append("Whether that person was still inside from earlier is not known.")
            factor *= STALE_FACTOR
        weight["confidence"] = weight.get("confidence", self.rule.confidence) * factor
        return make_finding(self.rule, chosen, self._directory, parts=parts, state=state, notes=notes, **weight)


def _tau(first: Event, second: Event, coverage: Coverage) -> timedelta:
    return coverage.skew(first.source) + coverage.skew(second.source)


def sequence(rule: Rule, directory: Directory) -> Detector:
    """Make the detector of a rule with ``operator: sequence``."""
    return Ordered(rule, directory)
