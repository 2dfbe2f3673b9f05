"""Count: too many events of one key, or of too many kinds, within a rolling time; alike under one upstream they are one finding."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from watchword.detect.clause import read_cases, weigh
from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import event_parts, in_words, make_finding
from watchword.detect.grouping import Group, group_of, keys_of
from watchword.detect.selection import compile_selection, compile_selections, site_of
from watchword.detect.setting import duration, number, refuse, word, words
from watchword.model import Event, Finding
from watchword.resolve.directory import Directory


@dataclass(frozen=True, slots=True)
class _Limit:
    least: int
    distinct: Group | None

    def holds(self, window: Iterable[Event]) -> bool:
        """Tell whether the window reaches the limit."""
        if self.distinct is None:
            return sum(1 for _ in window) >= self.least
        return len({value for event in window for value in self.distinct(event)}) >= self.least


Window = list[Event]
"""The counted events of one group with which a limit was reached, oldest first."""


class Rolling:
    """Walks through a group's events; at the first where a limit holds, the events of that window make a finding and are spent.

    With a `group_size`, so many groups that reach a limit within `group_within` of one another under one upstream make one finding on the
    upstream: what all of them depend on is the likelier cause. Such a rule is keyed by site, since it looks across groups.
    """

    walks = True

    def __init__(self, rule: Rule, directory: Directory) -> None:
        """Compile the rule.

        Raises:
            ContentError: the file is wrong.
        """
        self.rule = rule
        self._directory = directory
        self._within = duration(rule, "within")
        self._counted = compile_selection(rule, word(rule, "event"), directory)
        self._cases = read_cases(rule, compile_selections(rule, directory))
        self._groups = [group_of(rule, name, directory, "settings", "group_by") for name in words(rule, "group_by")]
        self._limits = tuple(self._limit(entry, index) for index, entry in enumerate(rule.settings.get("any", ())))
        if not self._limits:
            raise refuse(rule, "settings.any lists no limit", "settings", remedy="any: [{at_least: 5}, {at_least: 4, distinct: place}]")
        self._places = group_of(rule, "place", directory)
        self.classes = self._counted.classes
        self._size = int(number(rule, "group_size", 0))
        self._together = duration(rule, "group_within", "2m")
        self._group_because = word(rule, "group_because") if self._size else ""
        self.reach = max(self._within, self._together if self._size else timedelta())

    def _limit(self, entry: object, index: int) -> _Limit:
        where = ("settings", "any", index)
        least = entry.get("at_least") if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or isinstance(least, bool) or not isinstance(least, int) or least < 1:
            raise refuse(self.rule, "a limit is {at_least: 5} or {at_least: 4, distinct: place}", *where)
        distinct = entry.get("distinct")
        return _Limit(least, None if distinct is None else group_of(self.rule, str(distinct), self._directory, *where))

    def keys(self, event: Event) -> Iterable[str]:
        """Return the event's groups when it is counted; its site where groups are looked at together."""
        if not self._counted.matches(event):
            return ()
        return (site_of(event, self._directory) or event.source,) if self._size else keys_of(event, self._groups)

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Return a finding for each window that reaches a limit; first and last lie at most the timespan apart."""
        del coverage
        if not self._size:
            return [self._finding(window) for _, window in self._windows(((key,), event) for event in events)]
        groups = ((tuple(keys_of(event, self._groups)), event) for event in events)
        return self._gathered(sorted(self._windows(groups), key=lambda found: found[1][-1].order))

    def _windows(self, events: Iterable[tuple[tuple[str, ...], Event]]) -> Iterable[tuple[str, Window]]:
        """Yield the windows that reach a limit, each with its group."""
        open_windows: dict[str, deque[Event]] = defaultdict(deque)
        for groups, event in events:
            for group in groups:
                window = open_windows[group]
                window.append(event)
                while event.time - window[0].time > self._within:
                    window.popleft()
                if any(limit.holds(window) for limit in self._limits):
                    yield group, list(window)
                    window.clear()

    def _gathered(self, windows: list[tuple[str, Window]]) -> Iterable[Finding]:
        """Yield one finding for those alike under one upstream, and one for every other window (all sorted by their last event)."""
        while windows:
            first = windows[0][1]
            for upstream in self._upstreams(first):
                members = [windows[0]]
                for other in windows[1:]:
                    if other[1][-1].time - members[-1][1][-1].time > self._together:
                        break
                    if upstream in self._upstreams(other[1]):
                        members.append(other)
                if len({name for name, _ in members}) >= self._size:
                    yield self._collapsed(upstream, [window for _, window in members])
                    windows = [each for each in windows if each not in members]
                    break
            else:
                yield self._finding(first)
                windows = windows[1:]

    def _upstreams(self, window: Window) -> list[str]:
        """Return what all events of a window came through, nearest first: the reporting device, what it depends on, the source."""
        ways = []
        for event in window:
            device = self._directory.asset(event.asset)
            ways.append([*((device.uid, *device.upstream) if device is not None else ()), event.source])
        return [way for way in ways[0] if all(way in other for other in ways)]

    def _collapsed(self, upstream: str, windows: Sequence[Window]) -> Finding:
        events = sorted({event.uid: event for window in windows for event in window}.values(), key=lambda event: event.order)
        places = {value for event in events for value in self._places(event)}
        parts = event_parts(events[-1], self._directory) | event_parts(events[0], self._directory, "first_")
        parts["members"] = str(len({group for event in events for group in keys_of(event, self._groups)}))
        parts["places"] = "1 door" if len(places) == 1 else f"{len(places)} doors"
        parts["after"] = in_words((events[-1].time - events[0].time).total_seconds())
        parts["upstream"] = self._directory.label(upstream)
        device = (upstream,) if self._directory.asset(upstream) is not None else ()
        return make_finding(
            self.rule,
            events,
            self._directory,
            title=f"{self.rule.title} by many at once, or an outage",
            because=self._group_because,
            parts=parts,
            assets=(*device, *(event.asset for event in events)),
            **weigh(self._cases, events),
        )

    def _finding(self, window: Sequence[Event]) -> Finding:
        places = {value for event in window for value in self._places(event)}
        parts = event_parts(window[-1], self._directory)
        parts |= event_parts(window[0], self._directory, "first_")
        parts["count"] = str(len(window))
        parts["places"] = "1 door" if len(places) == 1 else f"{len(places)} doors"
        parts["after"] = in_words((window[-1].time - window[0].time).total_seconds())
        return make_finding(self.rule, window, self._directory, parts=parts, **weigh(self._cases, window))


def count(rule: Rule, directory: Directory) -> Detector:
    """Make the detector of a rule with ``operator: count``."""
    return Rolling(rule, directory)
