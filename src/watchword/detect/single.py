"""Single: one event says it all. Repetitions within a quiet time are the same doing and make no further finding."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from watchword.detect.clause import read_cases, weigh
from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import event_parts, make_finding
from watchword.detect.grouping import group_of, keys_of
from watchword.detect.selection import compile_selections
from watchword.detect.setting import duration, refuse, words
from watchword.model import Event, Finding
from watchword.resolve.directory import Directory


class Single:
    """Fires on each event that one of the selections matches, at most once in `quiet` per group."""

    walks = True

    def __init__(self, rule: Rule, directory: Directory) -> None:
        """Compile the rule.

        Raises:
            ContentError: the file is wrong.
        """
        self.rule = rule
        self.reach = duration(rule, "quiet", "0s") or timedelta(milliseconds=1)
        self._quiet = duration(rule, "quiet", "0s")
        self._directory = directory
        selections = compile_selections(rule, directory)
        names = words(rule, "events", tuple(selections))
        if not names or any(name not in selections for name in names):
            raise refuse(rule, "settings.events names what is not in select", "settings", "events")
        self._matches = tuple(selections[name].matches for name in names)
        self._cases = read_cases(rule, selections)
        self._groups = [group_of(rule, name, directory, "settings", "group_by") for name in words(rule, "group_by", ())]
        self.classes = frozenset().union(*(selections[name].classes for name in names))

    def keys(self, event: Event) -> Iterable[str]:
        """Return the event's groups; without any, the event stands alone."""
        if not any(matches(event) for matches in self._matches):
            return ()
        return keys_of(event, self._groups) if self._groups else (event.uid,)

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Return a finding for each event that no earlier one within the quiet time stands for."""
        del key, coverage
        last: Event | None = None
        weight = None
        for event in events:
            now = weigh(self._cases, [event])
            if last is not None and event.time - last.time <= self._quiet and now == weight:
                continue
            last, weight = event, now
            yield make_finding(self.rule, [event], self._directory, parts=self._parts(event), **now)

    def _parts(self, event: Event) -> dict[str, str]:
        parts = event_parts(event, self._directory)
        person = self._directory.person(event.person)
        if person is not None and person.until is not None:
            local = person.until.astimezone(self._directory.time_zone(event.place))
            parts["left"] = f"{local.day} {local:%b %Y}"
        return parts


def single(rule: Rule, directory: Directory) -> Detector:
    """Make the detector of a rule with ``operator: single``."""
    return Single(rule, directory)
