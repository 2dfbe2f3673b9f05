"""Absence: an event that something else should explain, and nothing does: no grant, no request to exit, nobody known to be inside."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from watchword.detect.clause import NOTHING, near, read_cases, read_clauses, weigh, widest
from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import event_parts, make_finding
from watchword.detect.grouping import group_of, keys_of
from watchword.detect.inside import EVENTS_PER_DAY, PRESENCE_CLASSES, PRESENCE_REACH, STALE_FACTOR, BadgeLog, site_days
from watchword.detect.memo import Memo
from watchword.detect.selection import compile_selections, site_of, zone_of
from watchword.detect.setting import duration, flag, refuse, word, words
from watchword.model import Event, Finding, FindingState
from watchword.resolve.directory import Directory
from watchword.resolve.presence import State

_MARGIN = timedelta(minutes=2)


class Absence:
    """Fires on an anchor when every clause of ``settings.unless`` holds and, if asked, nobody is known to be in its zone.

    With ``nobody_in`` the keys are a site's days (UTC), each with the evidence of the day before it that can still count: presence
    needs to know where else people have gone.
    """

    walks = True
    bound: int | None = None

    def __init__(self, rule: Rule, directory: Directory) -> None:
        """Compile the rule.

        Raises:
            ContentError: the file is wrong.
        """
        self.rule = rule
        self._directory = directory
        selections = compile_selections(rule, directory)
        anchor = word(rule, "anchor")
        if anchor not in selections:
            raise refuse(rule, f"anchor names {anchor!r}, which is not in select", "settings", "anchor")
        self._anchor = selections[anchor]
        self._clauses = read_clauses(rule, selections, directory)
        self._cases = read_cases(rule, selections)
        self._nobody = flag(rule, "nobody_in", default=False)
        self._quiet = duration(rule, "quiet", "0s")
        self._groups = [group_of(rule, name, directory, "settings", "group_by") for name in words(rule, "group_by")]
        self._matches = (self._anchor.matches, *(clause.selection.matches for clause in self._clauses))
        self.classes = self._anchor.classes.union(*(clause.selection.classes for clause in self._clauses))
        self.reach = max(widest(self._clauses), self._quiet) + _MARGIN
        self._enters = Memo(lambda event: zone_of(event, directory))
        if self._nobody:
            self.classes |= PRESENCE_CLASSES
            self.reach = max(self.reach, PRESENCE_REACH)
            self.bound = EVENTS_PER_DAY

    def keys(self, event: Event) -> Iterable[str]:
        """Return the groups of an anchor or of what could explain it; with presence, the site's day and, for evidence, the next."""
        concerned = any(matches(event) for matches in self._matches)
        if not self._nobody:
            return keys_of(event, self._groups) if concerned else ()
        if not concerned and not event.person:
            return ()
        days = site_days(event, self._directory)
        return days[:1] if self._anchor.matches(event) else days

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Return a finding for each unexplained anchor that no earlier one of the same group within the quiet time stands for."""
        del key
        spent: dict[tuple[str, ...], Event] = {}
        badges = BadgeLog(events, self._directory, coverage)
        for anchor in events:
            if anchor.class_uid not in self._anchor.classes or not self._anchor.matches(anchor):
                continue
            group = tuple(keys_of(anchor, self._groups))
            earlier = spent.get(group)
            if earlier is not None and anchor.time - earlier.time <= self._quiet:
                continue
            finding = self._verdict(anchor, events, coverage, badges)
            if finding is not None:
                spent[group] = anchor
                yield finding

    def _verdict(self, anchor: Event, events: Sequence[Event], coverage: Coverage, badges: BadgeLog) -> Finding | None:
        if any(clause.broken_by(anchor, events, coverage) is not None for clause in self._clauses):
            return None
        stale: tuple[str, ...] = ()
        if self._nobody:
            inside, stale = self._inside(anchor, events, badges)
            if inside:
                return None
        state = self._state(anchor, coverage)
        if state is None:
            return None
        weight = weigh(self._cases, [anchor])
        notes: list[str] = []
        if stale:
            names = ", ".join(self._directory.label(person) for person in stale[:3])
            notes.append(f"It is not known whether {names} had left by then.")
            weight["confidence"] = weight.get("confidence", self.rule.confidence) * STALE_FACTOR
        return make_finding(
            self.rule, [anchor], self._directory, parts=event_parts(anchor, self._directory), notes=notes, state=state, **weight
        )

    def _state(self, anchor: Event, coverage: Coverage) -> FindingState | None:
        windows = [clause.window(anchor, coverage.skew(anchor.source) * 2) for clause in self._clauses]
        since = min((window[0] for window in windows), default=anchor.time)
        until = max((window[1] for window in windows if window[1] > anchor.time), default=anchor.time)
        return coverage.decide(self.rule.needs, site_of(anchor, self._directory), since, until)

    def _inside(self, anchor: Event, events: Sequence[Event], badges: BadgeLog) -> tuple[bool, tuple[str, ...]]:
        """Return whether someone is known to be in the anchor's zone, and who came in and is not known to have left."""
        zone = zone_of(anchor, self._directory)
        inner = zone + "/"
        asked: set[str] = set()
        stale = []
        for event in reversed(near(events, anchor.time - PRESENCE_REACH, anchor.time, NOTHING)):
            person = event.person
            if not person or person in asked or not (self._enters(event) + "/").startswith(inner):
                continue
            asked.add(person)
            state, faded = badges.standing(person, zone, anchor)
            if state is State.IN:
                return True, ()
            if faded:
                stale.append(person)
        return False, tuple(stale)


def absence(rule: Rule, directory: Directory) -> Detector:
    """Make the detector of a rule with ``operator: absence``."""
    return Absence(rule, directory)
