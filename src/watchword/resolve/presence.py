"""Presence: who was in a place, out of it, or nobody knows, as a pure function of the set of a person's events."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Final

from watchword.model import OUTSIDE, AssetKind, Door, Event
from watchword.model.ocsf import Access, Authentication, EventClass, Logon, Occupancy, Status, Video, Visit
from watchword.resolve.calendars import local_midnight
from watchword.resolve.directory import Directory

TAKEN, GRANTED, TURNSTILE, CHECKED_IN, MUSTERED, CONSOLE, PLATE = 0.95, 0.80, 0.90, 0.90, 0.90, 0.60, 0.50
"""Starting confidences of the evidence (design: presence)."""
COVERED_DAY: Final = 0.80
"""Confidence that nobody came in unread on a day on which every reader of the perimeter reported."""
SHORT_DECAY: Final = timedelta(hours=12)
LONG_DECAY: Final = timedelta(hours=24)
CANCEL_WITHIN: Final = timedelta(minutes=5)
"""A Not Taken takes back the last Granted of its holder at its door, if that is no older."""
CONSOLE_LOGONS: Final = frozenset({int(Logon.INTERACTIVE), int(Logon.CACHED_INTERACTIVE)})

Covered = Callable[[str, datetime, datetime], bool]
"""Tells whether every door reader of a site reported throughout [since, until)."""


class Sort(StrEnum):
    """What kind of evidence it is."""

    TAKEN = "taken"
    GRANTED = "granted"
    NOT_TAKEN = "not_taken"
    """Takes back a Granted; places nobody anywhere."""
    VISIT = "visit"
    MUSTER = "muster"
    """Reported at a muster point: there, and so out of everywhere else."""
    CONSOLE = "console"
    PLATE = "plate"


WEAK: Final = frozenset({Sort.CONSOLE, Sort.PLATE})
"""Says where someone is, but is no proof that they have left anywhere else: there, the state becomes unknown."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """That one event puts a person into a place."""

    time: datetime
    event: str
    person: str
    sort: Sort
    place: str
    """Uid of the zone (or site) that they were in from this moment on; ``site/outside`` when they left."""
    confidence: float
    door: str = ""


class State(StrEnum):
    """What is known of a person and a place."""

    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PresenceState:
    """The state at one moment."""

    state: State
    confidence: float = 0.0
    since: datetime | None = None
    event: str = ""
    """Uid of the event on which it rests most; empty for unknown, and for a covered day without entry."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A half-open interval [since, until) in which a state holds; between stays it is unknown."""

    state: State
    since: datetime
    until: datetime
    event: str
    """The event that began it."""


class _Vote(Enum):
    IN = "in"
    OUT = "out"
    BLUR = "blur"
    NONE = "none"


def evidence_of(event: Event, directory: Directory) -> Evidence | None:
    """Return what the (identified) event proves of its person's whereabouts, or None."""
    if not event.person:
        return None
    if event.class_uid == EventClass.PHYSICAL_ACCESS:
        return _passage(event, directory)
    if event.class_uid == EventClass.AUTHENTICATION:
        return _console(event, directory)
    if event.class_uid == EventClass.VISITOR:
        return _visit(event)
    return _seen(event, directory)


def _seen(event: Event, directory: Directory) -> Evidence | None:
    """Return what a plate read at a barrier, or a report at a muster point, proves."""
    place = event.place if event.place and directory.door(event.place) is None else _entered(event)
    if place and event.class_uid == EventClass.OCCUPANCY and event.activity_id == Occupancy.MUSTERED:
        return _evidence(event, Sort.MUSTER, place, MUSTERED)
    if place and event.class_uid == EventClass.VIDEO_ANALYTIC and event.activity_id == Video.PLATE_READ:
        return _evidence(event, Sort.PLATE, place, PLATE)
    return None


def _evidence(event: Event, sort: Sort, place: str, confidence: float, door: str = "") -> Evidence:
    return Evidence(event.time, event.uid, event.person, sort, place, confidence, door)


def _entered(event: Event) -> str:
    zone = event.data.get("ww_zone")
    return str(zone.get("uid") or "") if isinstance(zone, dict) else ""


def _passage(event: Event, directory: Directory) -> Evidence | None:
    door = directory.door(event.place)
    if door is None:
        return None
    zone = _entered(event)
    if event.activity_id == Access.NOT_TAKEN:
        return _evidence(event, Sort.NOT_TAKEN, zone, 0.0, door.uid)
    proof = _proof(event, door)
    if proof is None or zone not in {door.from_zone, door.to_zone}:
        return None
    return _evidence(event, proof[0], zone, proof[1], door.uid)


def _proof(event: Event, door: Door) -> tuple[Sort, float] | None:
    """Return what a passage, or the leave to pass, proves; None where a passage sensor will say more."""
    if event.activity_id not in {Access.GRANTED, Access.TAKEN}:
        return None
    if event.credential.startswith("plate:"):
        return Sort.PLATE, PLATE
    if event.activity_id == Access.TAKEN:
        return Sort.TAKEN, TAKEN
    if door.kind == "turnstile":
        return Sort.GRANTED, TURNSTILE
    return None if door.passage_sensor else (Sort.GRANTED, GRANTED)


def _console(event: Event, directory: Directory) -> Evidence | None:
    data = event.data
    if event.activity_id != Authentication.LOGON or data.get("status_id", Status.SUCCESS) != Status.SUCCESS or data.get("is_remote"):
        return None
    asset = directory.asset(event.asset)
    if asset is None or asset.kind is not AssetKind.CONSOLE or not asset.place or data.get("logon_type_id") not in CONSOLE_LOGONS:
        return None
    return _evidence(event, Sort.CONSOLE, asset.place, CONSOLE)


def _visit(event: Event) -> Evidence | None:
    if not event.place:
        return None
    if event.activity_id == Visit.CHECKED_IN:
        return _evidence(event, Sort.VISIT, event.place, CHECKED_IN)
    if event.activity_id == Visit.CHECKED_OUT:
        return _evidence(event, Sort.VISIT, f"{event.site}/{OUTSIDE}", CHECKED_IN)
    return None


class Presence:
    """Where one person was, from all the evidence there is of them; the order in which it is given does not matter.

    Args:
        evidence: Evidence of one person.
        directory: The places that the evidence names.
        covered: Whether a site's readers all reported in [since, until); without it no day counts as covered.
    """

    __slots__ = ("_covered", "_directory", "_evidence", "_times")

    def __init__(self, evidence: Iterable[Evidence], directory: Directory, covered: Covered | None = None) -> None:
        self._directory = directory
        self._covered = covered
        self._evidence = _standing(evidence)
        self._times = [item.time for item in self._evidence]

    def state(self, place: str, at: datetime, min_confidence: float = 0.3, ignoring: Collection[str] = ()) -> PresenceState:
        """Return the state at a moment.

        Args:
            place: Uid of a site, building, floor, zone (or of a door: the zone behind it).
            at: The moment; evidence of that very moment counts.
            min_confidence: Below this, the state is unknown.
            ignoring: Uids of events that shall not count, such as the log-on whose plausibility is being judged.
        """
        place = self._area(place)
        found = self._proved(place, at, ignoring)
        if found.state is not State.UNKNOWN and found.confidence >= min_confidence:
            return found
        if min_confidence <= COVERED_DAY and self._never_entered(place, at, ignoring):
            return PresenceState(State.OUT, COVERED_DAY, self._midnight(place, at))
        return PresenceState(State.UNKNOWN)

    def where(self, at: datetime, min_confidence: float = 0.3) -> tuple[str, float] | None:
        """Return the narrowest place that the person is known to be in (``site/outside`` after leaving), and with what confidence."""
        found: Evidence | None = None
        for item in self._before(at):
            if found is None or (item.place != found.place and self._directory.within(item.place, found.place)):
                if self._left(item, item.place, item.place, at) >= min_confidence:
                    found = item
                elif found is None:
                    return None
            elif not self._directory.within(found.place, item.place):
                break
        return (found.place, self._left(found, found.place, found.place, at)) if found else None

    def stays(self, place: str) -> tuple[Stay, ...]:
        """Return every interval in which the person was proved to be in or out of the place, in order of time."""
        place = self._area(place)
        stays: list[Stay] = []
        for item in self._evidence:
            vote = self._vote(item, place)
            if vote is _Vote.NONE:
                continue
            last = stays[-1] if stays else None
            open_ = last is not None and item.time < last.until
            if vote is _Vote.BLUR:
                if last is not None and open_:
                    stays[-1] = Stay(last.state, last.since, item.time, last.event)
                continue
            state, until = State(vote.value), item.time + self._decay(item.place, place)
            if last is not None and (open_ or item.time == last.until) and last.state is state:
                stays[-1] = Stay(state, last.since, until, last.event)
                continue
            if last is not None and open_:
                stays[-1] = Stay(last.state, last.since, item.time, last.event)
            stays.append(Stay(state, item.time, until, item.event))
        return tuple(stay for stay in stays if stay.since < stay.until)

    def evidence(self, at: datetime) -> Sequence[Evidence]:
        """Return the standing evidence up to and including a moment, oldest first (what was taken back is not in it)."""
        return self._evidence[: bisect_right(self._times, at)]

    # How it is judged

    def _area(self, place: str) -> str:
        door = self._directory.door(place)
        return door.to_zone if door else place

    def _before(self, at: datetime, ignoring: Collection[str] = ()) -> Iterator[Evidence]:
        for index in range(bisect_right(self._times, at) - 1, -1, -1):
            if self._evidence[index].event not in ignoring:
                yield self._evidence[index]

    def _vote(self, item: Evidence, place: str) -> _Vote:
        vote = self._vote_of(item.place, place)
        return _Vote.BLUR if vote is _Vote.OUT and item.sort in WEAK else vote

    def _vote_of(self, area: str, place: str) -> _Vote:
        if self._directory.within(area, place):
            return _Vote.IN
        return _Vote.NONE if self._directory.within(place, area) else _Vote.OUT

    def _decay(self, area: str, place: str) -> timedelta:
        """Return how long being in an area lasts as proof for a place: the longest of the areas that one would have to leave unseen."""
        inside, longest = self._directory.within(area, place), SHORT_DECAY
        while area and (inside or not self._directory.within(place, area)):
            if not self._directory.exits_unread(area):
                longest = LONG_DECAY
            if area == place or area.endswith(f"/{OUTSIDE}"):
                break
            area = area.rpartition("/")[0]
        return longest

    def _left(self, item: Evidence, area: str, place: str, at: datetime) -> float:
        share = (at - item.time) / self._decay(area, place)
        return item.confidence * (1 - share) if share < 1 else 0.0

    def _around(self, one: str, other: str) -> str:
        """Return the narrowest area that holds both places, or ''."""
        while one and not self._directory.within(other, one):
            one = "" if one.endswith(f"/{OUTSIDE}") else one.rpartition("/")[0]
        return one

    def _proved(self, place: str, at: datetime, ignoring: Collection[str]) -> PresenceState:
        """Return what the evidence proves; what is older counts only for the area in which the person has stayed since."""
        verdict: _Vote | None = None
        best, since, event, area = 0.0, at, "", ""
        for item in self._before(at, ignoring):
            vote = self._vote(item, place)
            if vote is _Vote.NONE:
                continue
            if vote is _Vote.BLUR or (verdict is not None and vote is not verdict):
                break
            if verdict is None:
                area = item.place
                if self._left(item, area, place, at) <= 0:
                    break
            elif item.time + self._decay(item.place, place) < since:
                break
            verdict, since = vote, item.time
            area = self._around(area, item.place)
            left = self._left(item, area, place, at) if area and self._vote_of(area, place) is vote else 0.0
            if left > best:
                best, event = left, item.event
        if verdict is None:
            return PresenceState(State.UNKNOWN)
        return PresenceState(State(verdict.value), best, since, event)

    def _midnight(self, place: str, at: datetime) -> datetime:
        return local_midnight(at, self._directory.time_zone(place))

    def _never_entered(self, place: str, at: datetime, ignoring: Collection[str]) -> bool:
        """Tell whether this is a covered day with no entry, nothing carried over, and a perimeter that is read throughout."""
        site = place.partition("/")[0]
        midnight = self._midnight(place, at)
        if self._covered is None or place.endswith(f"/{OUTSIDE}") or not self._covered(site, midnight, at):
            return False
        today = [item for item in self._before(at, ignoring) if item.time >= midnight]
        area = place
        while area:
            entered = any(self._vote(item, area) is _Vote.IN for item in today)
            if not entered and self._entries_read(area) and self._proved(area, midnight, ignoring).state is not State.IN:
                return True
            area = area.rpartition("/")[0]
        return False

    def _entries_read(self, area: str) -> bool:
        ways = self._directory.boundary(area)
        return bool(ways) and all(any(reader.direction == inward for reader in door.readers) for door, inward in ways)


def _standing(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Return the evidence in order of (time, uid), each event once, without what a Not Taken took back."""
    once = {item.event: item for item in evidence}
    ordered = sorted(once.values(), key=lambda item: (item.time, item.event))
    gone: set[str] = set()
    grants: dict[tuple[str, str], list[Evidence]] = {}
    for item in ordered:
        if item.sort is Sort.GRANTED:
            grants.setdefault((item.person, item.door), []).append(item)
    for item in ordered:
        if item.sort is not Sort.NOT_TAKEN:
            continue
        gone.add(item.event)
        for grant in reversed(grants.get((item.person, item.door), ())):
            fits = grant.time <= item.time <= grant.time + CANCEL_WITHIN and item.place in {"", grant.place}
            if fits and grant.event not in gone:
                gone.add(grant.event)
                break
    return [item for item in ordered if item.event not in gone]
