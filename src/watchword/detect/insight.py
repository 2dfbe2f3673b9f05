"""Insight: reads findings and events, and answers which entities stand behind several findings, and what a finding shares with others."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from watchword.detect.address import Network, OwnNetwork
from watchword.detect.alibi import moments_of
from watchword.detect.coverage import Lost
from watchword.detect.pivot import Kind, Shared, concerns, in_order, names, nearest, query_of, shared_values, window_of
from watchword.detect.ranking import Evidence, Ranked, external_addresses, rank
from watchword.detect.service import Disposition, FindingFilter, Findings
from watchword.detect.whereabouts import DOOR_CLASSES, READ_CLASSES, Badges, Walks, Whereabouts, door_evidence, says_where
from watchword.ingest.ports import EventLog
from watchword.kit.clock import Clock
from watchword.model import CountQuery, Event, EventQuery, Finding, Grouping, Order, SourceKind
from watchword.resolve.directory import Directory
from watchword.resolve.presence import Covered

PAGE: Final = 20_000
FINDINGS: Final = 5_000
"""Findings read at a time."""
SETTLED: Final = frozenset({Disposition.FALSE, Disposition.BENIGN})
"""Findings that people closed so count neither for nor against anyone."""
UIDS: Final = 500
"""Events asked for by uid at a time."""
DOOR_WINDOW: Final = timedelta(hours=50)
"""So long before a moment the doors' word on it may reach back."""
MOST_MOMENTS: Final = 300
"""The newest so many moments get an alibi."""
RARE: Final = 5
"""An address counts further events of the window as related deeds when they are at most so many times those in findings."""
MOST_RELATED: Final = 500


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that a ranking rests on, as of one window."""

    evidence: Evidence
    directory: Directory
    own: OwnNetwork
    at: datetime

    def rank(self, kinds: Collection[Kind] = tuple(Kind), limit: int = 50) -> list[Ranked]:
        """Return the ranking, see `ranking.rank`."""
        return rank(self.evidence, self.directory, self.own, at=self.at, kinds=kinds, limit=limit)


def own_network_of(directory: Directory, ranges: Iterable[Network] = ()) -> OwnNetwork:
    """Return the organisation's network: its assets' addresses, with public ranges of its own when given."""
    return OwnNetwork(tuple(ranges), frozenset(address for asset in directory.assets.assets.values() for address in asset.addresses))


Spans = Mapping[str, tuple[datetime, datetime]]
"""Site → times of the first and the last event of its doors."""


def spans_of(doors: Iterable[Event]) -> Spans:
    """Return from when to when the doors of each site have said something."""
    spans: dict[str, tuple[datetime, datetime]] = {}
    for event in doors:
        if event.class_uid not in READ_CLASSES:
            continue
        first, last = spans.get(event.site, (event.time, event.time))
        spans[event.site] = min(first, event.time), max(last, event.time)
    return spans


def lost_within(lost: Iterable[Lost]) -> Covered:
    """Return whether doors lost records of a site within an interval."""
    holes = [(site, since, until) for kind, site, since, until in lost if kind is SourceKind.ACCESS_CONTROL]

    def holed(site: str, since: datetime, until: datetime) -> bool:
        return any(where in {"", site} and begin < until and (end is None or since < end) for where, begin, end in holes)

    return holed


def covered_within(spans: Spans, holed: Covered | None = None) -> Covered:
    """Return whether the doors' log spans an interval at a site: it has something from before and from after it, and lost nothing."""

    def covered(site: str, since: datetime, until: datetime) -> bool:
        span = spans.get(site)
        if span is None or since < span[0] or until > span[1]:
            return False
        return holed is None or not holed(site, since, until)

    return covered


def whereabouts_of(
    doors: Sequence[Event], directory: Directory, covered: Covered, holed: Covered | None = None
) -> dict[str, Whereabouts | None]:
    """Return the whereabouts of everybody in the directory by the doors; None for those who hold no badge at the time of any event."""
    by_person: dict[str, list[Event]] = defaultdict(list)
    for event in doors:
        if says_where(event):
            by_person[event.person].append(event)
    walks, badges = Walks(directory), Badges(directory)
    times = [
        moment for moment in (min((event.time for event in doors), default=None), max((e.time for e in doors), default=None)) if moment
    ]
    found: dict[str, Whereabouts | None] = {}
    for person in directory.people.people:
        holds = person in by_person or any(badges.held(person, moment) for moment in times)
        found[person] = Whereabouts(door_evidence(by_person[person], directory), directory, walks, covered, holed) if holds else None
    return found


def insight_of(
    findings: Sequence[Finding], events: Iterable[Event], directory: Directory, *, at: datetime | None = None, own: OwnNetwork | None = None
) -> Outlook:
    """Return the outlook from findings and all events of a window held in memory. Pure.

    Args:
        findings: Of the window.
        events: All events of the window.
        directory: Who and what they name.
        at: The end of the window; None: the last finding's time.
        own: The organisation's network; None: as `own_network_of`.
    """
    own = own or own_network_of(directory)
    wanted = {uid for finding in findings for uid in finding.events}
    known: dict[str, Event] = {}
    volumes: Counter[str] = Counter()
    doors: list[Event] = []
    by_address: dict[str, list[Event]] = defaultdict(list)
    named = {address for finding in findings for address in finding.addresses if own.external(address)}
    for event in events:
        if event.uid in wanted:
            known[event.uid] = event
        if event.class_uid in DOOR_CLASSES:
            doors.append(event)
        for address in {event.src_ip, event.dst_ip} & named:
            volumes[address] += 1
            by_address[address].append(event)
    related = {
        address: [event for event in by_address[address] if event.uid not in wanted]
        for address in named
        if is_rare(volumes[address], sum(event.uid in wanted for event in by_address[address]))
    }
    covered = covered_within(spans_of(doors))
    evidence = Evidence(findings, known, related, volumes, whereabouts_of(doors, directory, covered))
    return Outlook(evidence, directory, own, at or max((finding.time for finding in findings), default=datetime.max.replace(tzinfo=UTC)))


def is_rare(volume: int, in_findings: int) -> bool:
    """Tell whether an address is so seldom named outside findings that its other events are related deeds."""
    return in_findings > 0 and volume <= RARE * in_findings


class Insight:
    """Answers ``entities --rank`` and *related* from the event log and the findings kept."""

    def __init__(
        self,
        events: EventLog,
        findings: Findings,
        directory: Callable[[], Directory],
        clock: Clock,
        own_ranges: Sequence[Network] = (),
        lost: Callable[[], Sequence[Lost]] = tuple,
    ) -> None:
        """Take the log, the findings, the current directory, the clock, the organisation's public ranges, and what sources lost."""
        self._events = events
        self._findings = findings
        self._directory = directory
        self._clock = clock
        self._own_ranges = tuple(own_ranges)
        self._lost = lost

    def rank(
        self, since: datetime | None = None, until: datetime | None = None, kinds: Collection[Kind] = tuple(Kind), limit: int = 50
    ) -> list[Ranked]:
        """Return the entities behind the findings of a window, the most suspicious first, at most `limit` of each kind.

        Without a window: the 31 days before the newest event.
        """
        since, until = self._window(since, until)
        findings = self._standing(since, until)
        directory = self._directory()
        own = own_network_of(directory, self._own_ranges)
        known = self._by_uid(uid for finding in findings for uid in finding.events)
        addresses = sorted({address for finding in findings for address in external_addresses(finding, known, own)})
        volumes = self._volumes(addresses, since, until)
        related: dict[str, Sequence[Event]] = {}
        for address in addresses:
            inside = sum(address in (event.src_ip, event.dst_ip) for event in known.values())
            if is_rare(volumes.get(address, 0), inside) and volumes.get(address, 0) > inside:
                more = self._events.events(EventQuery(since=since, until=until, addresses=(address,), limit=MOST_RELATED))
                related[address] = [event for event in more if event.uid not in known]
        whereabouts: Mapping[str, Whereabouts | None] = {}
        if Kind.PERSON in kinds:
            moments = sorted(moment.at for finding in findings for moment in moments_of(finding, known, directory))
            moments += [event.time for events in related.values() for event in events]
            doors = self._doors(sorted(moments)[-MOST_MOMENTS:])
            holed = lost_within(self._lost())
            covered = covered_within(self._spans(directory), holed)
            whereabouts = whereabouts_of(doors, directory, covered, holed) if doors else {}
        evidence = Evidence(findings, known, related, volumes, whereabouts)
        return Outlook(evidence, directory, own, until).rank(kinds, limit)

    def related(self, uid: str, around: timedelta = timedelta(days=31), limit: int = 50) -> list[Shared]:
        """Return what a finding shares with other events within `around` of it, and with other findings.

        Raises:
            NotFound: there is no such finding.
        """
        finding = self._findings.get(uid).finding
        directory = self._directory()
        own = own_network_of(directory, self._own_ranges)
        since, until = window_of(finding, around)
        mine = frozenset(finding.events)
        others = [other for other in self._standing(since, until) if other.uid != uid]
        found: list[Shared] = []
        own_events = self._by_uid(finding.events).values()
        for kind, value in shared_values(finding, own_events, own):
            rest = self._nearest(query_of(kind, value, since, until, limit + len(mine)), finding.time, mine)
            naming = tuple(other.uid for other in others if concerns(other, kind, value))
            if rest or naming:
                total = (
                    len(rest)
                    if len(rest) < limit
                    else self._total(query_of(kind, value, since, until, 1), sum(names(event, kind, value) for event in own_events))
                )
                found.append(Shared(kind, value, nearest(rest, finding.time, limit), naming, total))
        return in_order(found)

    def _window(self, since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
        until = until or (self._events.newest() or self._clock.now()) + timedelta(milliseconds=1)
        return since or until - timedelta(days=31), until

    def _standing(self, since: datetime, until: datetime) -> list[Finding]:
        """Return the findings of a window that nobody found to be false or benign, oldest first, withdrawn ones left out."""
        found: list[Finding] = []
        after: tuple[datetime, str] | None = None
        while True:
            page = self._findings.list(FindingFilter(since=since, until=until), after=after, limit=FINDINGS)
            found.extend(kept.finding for kept in page if kept.work.disposition not in SETTLED)
            if len(page) < FINDINGS:
                return found[::-1]
            after = page[-1].finding.time, page[-1].finding.uid

    def _by_uid(self, uids: Iterable[str]) -> dict[str, Event]:
        found: dict[str, Event] = {}
        wanted = list(dict.fromkeys(uids))
        for start in range(0, len(wanted), UIDS):
            part = tuple(wanted[start : start + UIDS])
            found.update({event.uid: event for event in self._events.events(EventQuery(uids=part, limit=len(part)))})
        return found

    def _volumes(self, addresses: Sequence[str], since: datetime, until: datetime) -> dict[str, int]:
        found: Counter[str] = Counter()
        for start in range(0, len(addresses), UIDS):
            part = tuple(addresses[start : start + UIDS])
            asked = EventQuery(since=since, until=until, addresses=part)
            for by in (Grouping.DST_IP, Grouping.SRC_IP):
                for count in self._events.counts(CountQuery(asked, by=by, limit=10_000)):
                    if count.key in part:
                        found[count.key] += count.events
        return dict(found)

    def _nearest(self, query: EventQuery, at: datetime, mine: frozenset[str]) -> list[Event]:
        """Return the query's events on both sides of a moment, at most its limit on each, without those of the finding itself."""
        before = self._events.events(replace(query, until=at))
        after = self._events.events(replace(query, since=at, order=Order.OLDEST))
        return [event for event in (*before, *after) if event.uid not in mine]

    def _total(self, query: EventQuery, mine: int) -> int:
        """Return how many events match, less those of the finding."""
        return max(0, sum(count.events for count in self._events.counts(CountQuery(query))) - mine)

    def _spans(self, directory: Directory) -> Spans:
        classes = tuple(sorted(READ_CLASSES))
        found: dict[str, tuple[datetime, datetime]] = {}
        for site in {door.uid.partition("/")[0] for door in directory.doors()}:
            query = EventQuery(classes=classes, places=(site,), limit=1)
            newest, oldest = self._events.events(query), self._events.events(replace(query, order=Order.OLDEST))
            if newest and oldest:
                found[site] = oldest[0].time, newest[0].time
        return found

    def _doors(self, moments: Sequence[datetime]) -> list[Event]:
        """Return the door events that say where people were at the moments: windows before them, joined where they meet."""
        windows: list[tuple[datetime, datetime]] = []
        for moment in moments:
            since, until = moment - DOOR_WINDOW, moment + timedelta(hours=1)
            if windows and since <= windows[-1][1]:
                windows[-1] = windows[-1][0], max(until, windows[-1][1])
            else:
                windows.append((since, until))
        found: list[Event] = []
        for since, until in windows:
            after: tuple[datetime, str] | None = None
            while True:
                query = EventQuery(
                    since=since, until=until, classes=tuple(sorted(DOOR_CLASSES)), order=Order.OLDEST, after=after, limit=PAGE
                )
                page = self._events.events(query)
                found.extend(page)
                if len(page) < PAGE:
                    break
                after = page[-1].order
        return found
