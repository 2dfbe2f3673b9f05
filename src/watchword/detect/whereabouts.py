"""Whereabouts: where the doors alone say that a person was, so that a log-on under judgement is no proof of itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchword.detect.coverage import tolerance
from watchword.detect.detector import Coverage, Rule
from watchword.detect.selection import is_remote
from watchword.model import OUTSIDE, Event, value_at
from watchword.model.ocsf import Access, Authentication, EventClass, Occupancy, Status, Visit
from watchword.resolve.directory import Directory
from watchword.resolve.presence import Covered, Evidence, Presence, State, evidence_of

READ_CLASSES = frozenset({int(EventClass.PHYSICAL_ACCESS), int(EventClass.VISITOR)})
"""What doors and the visitors' desk report all day long: from when to when there is something of theirs, their log covers."""
DOOR_CLASSES = READ_CLASSES | {int(EventClass.OCCUPANCY)}
"""What may say where people are."""
_DOOR_ACTIVITIES = {
    int(EventClass.PHYSICAL_ACCESS): frozenset({int(Access.GRANTED), int(Access.TAKEN), int(Access.NOT_TAKEN)}),
    int(EventClass.VISITOR): frozenset({int(Visit.CHECKED_IN), int(Visit.CHECKED_OUT)}),
    int(EventClass.OCCUPANCY): frozenset({int(Occupancy.MUSTERED)}),
}
_BADGES = ("badge:", "mobile:")


def says_where(event: Event) -> bool:
    """Tell whether the event may be evidence from a door of where its person is."""
    return bool(event.person) and event.activity_id in _DOOR_ACTIVITIES.get(event.class_uid, ())


def door_evidence(events: Iterable[Event], directory: Directory) -> list[Evidence]:
    """Return the evidence that doors give among the events."""
    return [found for event in events if says_where(event) and (found := evidence_of(event, directory)) is not None]


def covered_by(rule: Rule, coverage: Coverage) -> Covered:
    """Return whether the sources that a rule needs reported on a site throughout an interval."""
    return lambda site, since, until: coverage.decide(rule.needs, site, since, until) is not None


def bytes_sent(event: Event) -> int:
    """Return how many bytes a flow sent: out, else in both directions; 0 where none are stated."""
    traffic = event.data.get("traffic")
    if not isinstance(traffic, dict):
        return 0
    found = traffic.get("bytes_out")
    if found is None:
        found = traffic.get("bytes")
    return int(found) if isinstance(found, int | float) else 0


def direction_of(event: Event) -> str:
    """Return which way the event's reader leads, ``in`` or ``out``; empty when it does not say."""
    reader = event.data.get("ww_reader")
    return str(reader.get("direction") or "") if isinstance(reader, dict) else ""


def starts_remote_session(event: Event) -> bool:
    """Tell whether the event opens a VPN tunnel, or a remote desktop or VPN log-on that succeeded."""
    if event.class_uid == EventClass.TUNNEL_ACTIVITY:
        return event.activity_id == 1
    if event.class_uid != EventClass.AUTHENTICATION or event.activity_id != Authentication.LOGON or not _succeeded(event):
        return False
    service = str(value_at(event.data, "service.name") or "").lower()
    return (is_remote(event) and "vpn" in service) or str(event.data.get("logon_type_id")) == "10"


def logs_on_at_console(event: Event, types: frozenset[int]) -> bool:
    """Tell whether the event is a successful log-on at the machine itself, of one of these types."""
    if event.class_uid != EventClass.AUTHENTICATION or event.activity_id != Authentication.LOGON or not _succeeded(event):
        return False
    kind = event.data.get("logon_type_id")
    return kind is not None and str(kind).isdigit() and int(kind) in types and event.data.get("is_remote") is not True


def _succeeded(event: Event) -> bool:
    return str(event.data.get("status_id", int(Status.SUCCESS))) == str(int(Status.SUCCESS))


class Badges:
    """Who holds a badge or a phone that opens doors, and when; the log says nothing of anybody else's absence."""

    def __init__(self, directory: Directory) -> None:
        """Read the links of the directory."""
        self._links: dict[str, list[tuple[datetime | None, datetime | None]]] = {}
        for link in directory.people.links:
            if link.entity.startswith(_BADGES):
                self._links.setdefault(link.person, []).append((link.since, link.until))

    def held(self, person: str, at: datetime) -> bool:
        """Tell whether the person holds one at the moment."""
        return any((since is None or since <= at) and (until is None or at < until) for since, until in self._links.get(person, ()))


class Walks:
    """Which zones can be reached from which without passing a reader; answers are kept."""

    def __init__(self, directory: Directory) -> None:
        """Take the doors of all sites: a side of a door without reader is a way that leaves no record."""
        self._free: dict[str, list[str]] = {}
        for door in directory.doors():
            read = {reader.direction for reader in door.readers}
            if "in" not in read:
                self._free.setdefault(door.from_zone, []).append(door.to_zone)
            if "out" not in read:
                self._free.setdefault(door.to_zone, []).append(door.from_zone)
        self._reached: dict[str, frozenset[str]] = {}

    def unread(self, start: str, end: str) -> bool:
        """Tell whether someone may get from one zone to another unread."""
        reached = self._reached.get(start)
        if reached is None:
            seen, waiting = {start}, [start]
            while waiting:
                for zone in self._free.get(waiting.pop(), ()):
                    if zone not in seen:
                        seen.add(zone)
                        waiting.append(zone)
            reached = self._reached[start] = frozenset(seen)
        return end in reached or any(zone.startswith(f"{end}/") or end.startswith(f"{zone}/") for zone in reached)


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a person is at a moment, as far as the doors say."""

    zone: str
    confidence: float
    since: datetime
    event: str
    """Uid of the badge event that says so."""

    @property
    def outside(self) -> bool:
        """Tell whether the person has left the site."""
        return self.zone.endswith(f"/{OUTSIDE}")


class Whereabouts:
    """One person's whereabouts by the doors, ready to be asked about any moment."""

    __slots__ = ("_directory", "_holed", "_walks", "presence")

    def __init__(
        self,
        evidence: Iterable[Evidence],
        directory: Directory,
        walks: Walks,
        covered: Covered | None = None,
        holed: Covered | None = None,
    ) -> None:
        """Take the person's evidence in any order.

        `covered` says on which days an absence of evidence counts, `holed` when doors lost records: older evidence then proves nobody away.
        """
        self.presence = Presence(evidence, directory, covered)
        self._directory = directory
        self._walks = walks
        self._holed = holed

    def stand(self, at: datetime, min_confidence: float = 0.3) -> Stand | None:
        """Return where the person is known to be, or None."""
        found = self.presence.where(at, min_confidence)
        if found is None:
            return None
        zone, confidence = found
        for item in reversed(self.presence.evidence(at)):
            if item.place == zone:
                return Stand(zone, confidence, item.time, item.event)
        return None

    def in_zone(self, place: str, at: datetime) -> str | None:
        """Return the uid of the event that proves the person in the place, or None."""
        found = self.presence.state(place, at)
        return found.event if found.state is State.IN else None

    def not_in(self, place: str, at: datetime) -> tuple[str, str] | None:
        """Return (zone, event) that prove the person cannot be in the place, or None when they might be.

        Zone and event are empty when the proof is a covered day without any entry. A way into the place without a reader on it
        makes the proof void.
        """
        found = self.presence.state(place, at)
        if found.state is not State.OUT:
            return None
        stand = self.stand(at) if found.event else None
        if self._holed is not None and stand is not None and self._holed(place.partition("/")[0], stand.since, at):
            return None
        if stand is None:
            return ("", found.event) if not found.event or not self._walks.unread(f"{place.partition('/')[0]}/{OUTSIDE}", place) else None
        return None if self._walks.unread(stand.zone, place) else (stand.zone, stand.event)

    def entered(self, site: str, since: datetime, until: datetime) -> bool:
        """Tell whether anything puts the person into the site (any site when empty) within [since, until]."""
        return any(
            item.time >= since and not item.place.endswith(f"/{OUTSIDE}") and (not site or item.place.partition("/")[0] == site)
            for item in self.presence.evidence(until)
        )


def slack_of(coverage: Coverage, event: Event, sources: Iterable[str]) -> timedelta:
    """Return the largest tolerance between an event and any of these sources."""
    return max((tolerance(coverage, event.source, source) for source in sources), default=coverage.skew(event.source))
