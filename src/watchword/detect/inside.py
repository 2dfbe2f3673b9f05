"""Inside: what the badge log says of somebody and a zone at a moment, for rules whose keys are a site's days."""

from collections.abc import Sequence
from datetime import timedelta

from watchword.detect.clause import NOTHING, near
from watchword.detect.detector import Coverage
from watchword.detect.selection import site_of
from watchword.model import Event
from watchword.model.ocsf import EventClass
from watchword.resolve.directory import Directory
from watchword.resolve.presence import Presence, State, evidence_of

PRESENCE_REACH = timedelta(hours=24)
"""The longest decay of a presence: older evidence says nothing."""
PRESENCE_CLASSES = frozenset({int(EventClass.PHYSICAL_ACCESS), int(EventClass.VISITOR), int(EventClass.OCCUPANCY)})
"""Where evidence comes from."""
EVENTS_PER_DAY = 100_000
"""Bound on the events of one key: two days of a site's doors."""
STALE_FACTOR = 0.6
"""Confidence is multiplied by this when someone whose presence has faded to unknown may still be inside."""
_DAY = timedelta(days=1)


def site_days(event: Event, directory: Directory) -> tuple[str, ...]:
    """Return the keys of an event: its site's day (UTC), and the next, for which it is still evidence."""
    site = site_of(event, directory)
    return (f"{site}|{event.time:%Y-%m-%d}", f"{site}|{event.time + _DAY:%Y-%m-%d}") if site else ()


def is_of_day(event: Event, key: str) -> bool:
    """Tell whether a key is the event's own day, on which it is judged."""
    return key.endswith(f"|{event.time:%Y-%m-%d}")


class BadgeLog:
    """The evidence among a key's events, by person; sorted out when first asked."""

    __slots__ = ("_by_person", "_coverage", "_directory", "_events")

    def __init__(self, events: Sequence[Event], directory: Directory, coverage: Coverage) -> None:
        self._events, self._directory, self._coverage = events, directory, coverage
        self._by_person: dict[str, list[Event]] | None = None

    def _of(self, person: str) -> list[Event]:
        if self._by_person is None:
            self._by_person = {}
            for event in self._events:
                if event.person and event.class_uid in PRESENCE_CLASSES:
                    self._by_person.setdefault(event.person, []).append(event)
        return self._by_person.get(person, [])

    def standing(self, person: str, zone: str, anchor: Event) -> tuple[State, bool]:
        """Return whether a person was in a zone at the anchor's time.

        Who left so short a time before that the clocks cannot tell still counts as inside. The second value is true when it is
        unknown although the last that was heard of the person was coming into the zone.
        """
        mine = near(self._of(person), anchor.time - PRESENCE_REACH, anchor.time, NOTHING)
        evidence = [found for event in mine if (found := evidence_of(event, self._directory)) is not None]
        presence = Presence(evidence, self._directory)
        state = presence.state(zone, anchor.time).state
        skew = self._coverage.skew
        slack = skew(anchor.source) + max((skew(event.source) for event in mine), default=NOTHING)
        if state is not State.IN and presence.state(zone, anchor.time - slack).state is State.IN:
            state = State.IN
        return state, state is State.UNKNOWN and bool(evidence) and self._directory.within(evidence[-1].place, zone)
