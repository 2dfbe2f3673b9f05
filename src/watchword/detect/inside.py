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
PRESENCE_CLASSES = frozenset({int(EventClass.PHYSICAL_ACCESS), int(EventClass.VISITOR)})
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


def standing(
    person: str, zone: str, anchor: Event, events: Sequence[Event], directory: Directory, coverage: Coverage
) -> tuple[State, bool]:
    """Return whether a person was in a zone at the anchor's time, by the evidence among the events (sorted by time).

    Who left so short a time before that the clocks cannot tell still counts as inside. The second value is true when it is unknown
    although the last that was heard of the person was coming into the zone.
    """
    mine = [
        event
        for event in near(events, anchor.time - PRESENCE_REACH, anchor.time, NOTHING)
        if event.person == person and event.class_uid in PRESENCE_CLASSES
    ]
    evidence = [found for event in mine if (found := evidence_of(event, directory)) is not None]
    presence = Presence(evidence, directory)
    state = presence.state(zone, anchor.time).state
    slack = coverage.skew(anchor.source) + max((coverage.skew(event.source) for event in mine), default=NOTHING)
    if state is not State.IN and presence.state(zone, anchor.time - slack).state is State.IN:
        state = State.IN
    return state, state is State.UNKNOWN and bool(evidence) and directory.within(evidence[-1].place, zone)
