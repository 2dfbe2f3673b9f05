"""Count: too many events of one key, or of too many kinds, within a rolling time."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from watchword.detect.clause import read_cases, weigh
from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import event_parts, in_words, make_finding
from watchword.detect.grouping import Group, group_of, keys_of
from watchword.detect.selection import compile_selection, compile_selections
from watchword.detect.setting import duration, refuse, word, words
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


class Rolling:
    """Walks through a key's events; at the first where a limit holds, the events of that window make a finding and are spent."""

    walks = True

    def __init__(self, rule: Rule, directory: Directory) -> None:
        """Compile the rule.

        Raises:
            ContentError: the file is wrong.
        """
        self.rule = rule
        self._directory = directory
        self._within = self.reach = duration(rule, "within")
        self._counted = compile_selection(rule, word(rule, "event"), directory)
        self._cases = read_cases(rule, compile_selections(rule, directory))
        self._groups = [group_of(rule, name, directory, "settings", "group_by") for name in words(rule, "group_by")]
        self._limits = tuple(self._limit(entry, index) for index, entry in enumerate(rule.settings.get("any", ())))
        if not self._limits:
            raise refuse(rule, "settings.any lists no limit", "settings", remedy="any: [{at_least: 5}, {at_least: 4, distinct: place}]")
        self._places = group_of(rule, "place", directory)
        self.classes = self._counted.classes

    def _limit(self, entry: object, index: int) -> _Limit:
        where = ("settings", "any", index)
        least = entry.get("at_least") if isinstance(entry, Mapping) else None
        if not isinstance(entry, Mapping) or isinstance(least, bool) or not isinstance(least, int) or least < 1:
            raise refuse(self.rule, "a limit is {at_least: 5} or {at_least: 4, distinct: place}", *where)
        distinct = entry.get("distinct")
        return _Limit(least, None if distinct is None else group_of(self.rule, str(distinct), self._directory, *where))

    def keys(self, event: Event) -> Iterable[str]:
        """Return the event's groups when it is counted."""
        return keys_of(event, self._groups) if self._counted.matches(event) else ()

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Return a finding for each window that reaches a limit; first and last lie at most the timespan apart."""
        del key, coverage
        window: deque[Event] = deque()
        for event in events:
            window.append(event)
            while event.time - window[0].time > self._within:
                window.popleft()
            if any(limit.holds(window) for limit in self._limits):
                yield self._finding(list(window))
                window.clear()

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
