"""Unlock: a door that opened or was unlocked though no grant, exit request, schedule, operator command or fire release explains it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from watchword.detect.clause import NOTHING, near, read_cases, weigh
from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import event_parts, make_finding
from watchword.detect.selection import getter_of, plain, site_of
from watchword.detect.setting import duration
from watchword.model import Event, Finding
from watchword.model.ocsf import Access, BuildingControl, EventClass
from watchword.resolve.directory import Directory

FIRE_SIGNAL = 6
"""Activity of ``ww_alarm_signal`` for an environmental alarm: fire."""
_COMMANDS = frozenset({BuildingControl.COMMAND, BuildingControl.OVERRIDE})
_RELEASES = frozenset({BuildingControl.ALARM, BuildingControl.RELEASED})
_EXPLAIN = frozenset({Access.GRANTED, Access.REQUEST_TO_EXIT, Access.DURESS})
_UNLOCKED = frozenset({"unlocked", "unlock", "schedule", "open", "free"})
_MARGIN = timedelta(minutes=2)


class Explanation:
    """Judges whether an opening of a door is explained by the events of the door and its site; shared by the rules that ask it."""

    def __init__(self, directory: Directory, *, around: timedelta, fire_holds: timedelta, unlocked_holds: timedelta) -> None:
        """Take how far around an opening its reason may lie, how long a fire alarm holds, and how long an unlocked mode.

        A fire alarm holds until it is restored, an unlocked mode until the door is locked again.
        """
        self._directory = directory
        self.around, self.fire_holds, self.unlocked_holds = around, fire_holds, unlocked_holds
        self._value, self._operator = getter_of("value"), getter_of("operator")

    @property
    def reach(self) -> timedelta:
        """Return how far from the opening an explanation may lie."""
        return max(self.around, self.fire_holds, self.unlocked_holds) + _MARGIN

    def keys(self, event: Event) -> tuple[str, ...]:
        """Return the doors on which an event may explain or be an opening; a fire or a command concerns the doors of its building."""
        if event.class_uid == EventClass.PHYSICAL_ACCESS:
            return (event.place,) if event.place else ()
        if event.class_uid == EventClass.BUILDING_CONTROL or (
            event.class_uid == EventClass.ALARM_SIGNAL and event.activity_id == FIRE_SIGNAL
        ):
            site = site_of(event, self._directory)
            if self._directory.door(event.place) is not None:
                return (event.place,)
            doors = self._directory.doors(site)
            return tuple(
                door.uid for door in doors if not event.place or self._directory.within(door.uid, event.place) or event.place == site
            )
        return ()

    def is_opening(self, event: Event) -> bool:
        """Tell whether the event says that the door was passed or unlocked."""
        if event.class_uid != EventClass.PHYSICAL_ACCESS:
            return False
        return event.activity_id == Access.TAKEN or (event.activity_id == Access.MODE_CHANGED and self._unlocks(event))

    def _unlocks(self, event: Event) -> bool:
        return plain(self._value(event)) in _UNLOCKED

    def explained(self, opening: Event, events: Sequence[Event], coverage: Coverage) -> bool:
        """Tell whether an opening has a reason among the door's events, or in its timetable."""
        return (
            (opening.activity_id == Access.MODE_CHANGED and (self._operator(opening) is not None or self._by_timetable(opening)))
            or self._timetable_open(opening, coverage)
            or any(
                self._reason_near(opening, event, coverage)
                for event in near(events, opening.time - self.around, opening.time + self.around)
            )
            or self._fire_on(opening, events, coverage)
            or (opening.activity_id == Access.TAKEN and self._stands_unlocked(opening, events))
        )

    def _by_timetable(self, event: Event) -> bool:
        return plain(self._value(event)) == "schedule"

    def _timetable_open(self, opening: Event, coverage: Coverage) -> bool:
        door = self._directory.door(opening.place)
        if door is None or not door.schedule:
            return False
        slack = self.around + coverage.skew(opening.source)
        return any(
            self._directory.on_calendar(door.schedule, moment) for moment in (opening.time - slack, opening.time, opening.time + slack)
        )

    def _reason_near(self, opening: Event, event: Event, coverage: Coverage) -> bool:
        tau = coverage.skew(opening.source) + coverage.skew(event.source)
        return event.uid != opening.uid and abs(opening.time - event.time) <= self.around + tau and self._is_reason(event)

    def _fire_on(self, opening: Event, events: Sequence[Event], coverage: Coverage) -> bool:
        """Tell whether a fire alarm was on that had not been restored."""
        burning = False
        for event in near(events, opening.time - self.fire_holds, opening.time):
            if event.class_uid == EventClass.PHYSICAL_ACCESS:
                continue
            age = opening.time - event.time
            tau = coverage.skew(opening.source) + coverage.skew(event.source)
            if -tau <= age <= self.fire_holds + tau:
                burning = self._is_fire(event) or (burning and event.activity_id != BuildingControl.RESTORED)
        return burning

    def _stands_unlocked(self, opening: Event, events: Sequence[Event]) -> bool:
        for event in reversed(near(events, opening.time - self.unlocked_holds, opening.time, NOTHING)):
            if event.class_uid == EventClass.PHYSICAL_ACCESS and event.activity_id == Access.MODE_CHANGED:
                return self._unlocks(event)
        return False

    def _is_reason(self, event: Event) -> bool:
        if event.class_uid == EventClass.PHYSICAL_ACCESS:
            return event.activity_id in _EXPLAIN
        return self._is_fire(event) or (event.class_uid == EventClass.BUILDING_CONTROL and event.activity_id in _COMMANDS)

    @staticmethod
    def _is_fire(event: Event) -> bool:
        if event.class_uid == EventClass.BUILDING_CONTROL:
            return event.activity_id in _RELEASES
        return event.class_uid == EventClass.ALARM_SIGNAL and event.activity_id == FIRE_SIGNAL


def read_explanation(rule: Rule, directory: Directory) -> Explanation:
    """Read the settings ``around``, ``fire_holds`` and ``unlocked_holds``.

    Raises:
        ContentError: one is wrong.
    """
    return Explanation(
        directory,
        around=duration(rule, "around", "10s"),
        fire_holds=duration(rule, "fire_holds", "1h"),
        unlocked_holds=duration(rule, "unlocked_holds", "12h"),
    )


class Unlock:
    """The compiled rule; a key is a door."""

    walks = False
    classes: frozenset[int] = frozenset({EventClass.PHYSICAL_ACCESS, EventClass.BUILDING_CONTROL, EventClass.ALARM_SIGNAL})

    def __init__(self, rule: Rule, directory: Directory) -> None:
        """Compile the rule.

        Raises:
            ContentError: the file is wrong.
        """
        self.rule = rule
        self._directory = directory
        self._explanation = read_explanation(rule, directory)
        self._cases = read_cases(rule, {})
        self.reach = self._explanation.reach

    def keys(self, event: Event) -> Iterable[str]:
        """Return the doors that the event concerns."""
        return self._explanation.keys(event)

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Return a finding for each opening that nothing explains."""
        for opening in events:
            if not self._explanation.is_opening(opening) or self._explanation.explained(opening, events, coverage):
                continue
            slack = self._explanation.around + 2 * coverage.skew(opening.source)
            state = coverage.decide(self.rule.needs, key.partition("/")[0], opening.time - slack, opening.time + slack)
            if state is None:
                continue
            parts = event_parts(opening, self._directory)
            parts["how"] = "was opened" if opening.activity_id == Access.TAKEN else "was unlocked"
            yield make_finding(self.rule, [opening], self._directory, parts=parts, state=state, **weigh(self._cases, [opening]))


def unlock(rule: Rule, directory: Directory) -> Detector:
    """Make the detector of a rule with ``operator: unlock``."""
    return Unlock(rule, directory)
