"""Travel rules: nobody is at two places sooner than the way between them takes (operator ``trv``; catalogue 4, 5 and 6)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from watchword.detect.coverage import tolerance
from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import in_words, local_clock, make_finding
from watchword.detect.setting import duration, number
from watchword.detect.whereabouts import direction_of
from watchword.model import Event, Finding, FindingState, value_at
from watchword.model.ocsf import Access, EventClass
from watchword.resolve.directory import Directory
from watchword.resolve.travel import Claim, claim_of, haversine_km, impossible

SHOWN = frozenset({int(Access.GRANTED), int(Access.DENIED), int(Access.TAKEN), int(Access.ANTI_PASSBACK)})
"""Activities that say that the credential was at the reader."""


def _state(rule: Rule, coverage: Coverage, site: str, first: Event, last: Event) -> FindingState:
    """Two facts clash whatever comes later; but a record in between may still show that another pair is the nearer one."""
    until = last.time + tolerance(coverage, first.source, last.source)
    return coverage.decide(rule.needs, site, first.time, until) or FindingState.PROVISIONAL


@dataclass(slots=True, eq=False)
class SignInTravel:
    """Impossible travel between badge and sign-in, per person (catalogue 4)."""

    rule: Rule
    directory: Directory
    reach: timedelta
    least_km: float
    default_accuracy_km: float
    classes: frozenset[int] = frozenset({int(EventClass.PHYSICAL_ACCESS), int(EventClass.AUTHENTICATION)})
    walks: bool = False

    def keys(self, event: Event) -> Iterable[str]:
        """Return the person, when the event claims where they were and is no VPN, carrier, anycast or vague location."""
        return (event.person,) if event.person and claim_of(event) is not None else ()

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Compare every sign-in with the last passage before it and the first after it; once per passage and location."""
        del key
        claims = [(event, claim) for event in events if (claim := claim_of(event)) is not None]
        passages = [(event, claim) for event, claim in claims if claim.place]
        sign_ins = [(event, self._widened(event, claim)) for event, claim in claims if not claim.place]
        fired: set[tuple[str, str]] = set()
        for event, claim in sign_ins:
            before = next((item for item in reversed(passages) if item[0].order <= event.order), None)
            if before is not None and self._clash(before, (event, claim), coverage):
                pair = before[0].uid, _location(claim)
                if pair not in fired:
                    fired.add(pair)
                    yield self._finding(before, (event, claim), coverage)
        for event, claim in reversed(sign_ins):
            before = next((item for item in reversed(passages) if item[0].order <= event.order), None)
            after = next((item for item in passages if item[0].order > event.order), None)
            if after is None or (before is not None and (before[0].uid, _location(claim)) in fired):
                continue
            pair = after[0].uid, _location(claim)
            if pair not in fired and self._clash(after, (event, claim), coverage):
                fired.add(pair)
                yield self._finding(after, (event, claim), coverage)

    def _widened(self, event: Event, claim: Claim) -> Claim:
        stated = event.data.get("ww_accuracy_km")
        if stated is not None:
            return claim
        return Claim(
            claim.time,
            claim.place,
            claim.latitude,
            claim.longitude,
            claim.city,
            claim.country,
            self.default_accuracy_km,
            claim.network_kind,
            claim.confidence,
            claim.event,
        )

    def _clash(self, passage: tuple[Event, Claim], sign_in: tuple[Event, Claim], coverage: Coverage) -> bool:
        slack = tolerance(coverage, passage[0].source, sign_in[0].source)
        distance = self._distance(passage[1], sign_in[1])
        if distance is not None and distance < self.least_km:
            return False
        return impossible(passage[1], sign_in[1], slack, self.directory)[0]

    def _distance(self, passage: Claim, sign_in: Claim) -> float | None:
        site = self.directory.place(passage.place.partition("/")[0])
        if site is None or site.latitude is None or site.longitude is None or sign_in.latitude is None or sign_in.longitude is None:
            return None
        return haversine_km((site.latitude, site.longitude), (sign_in.latitude, sign_in.longitude))

    def _finding(self, passage: tuple[Event, Claim], sign_in: tuple[Event, Claim], coverage: Coverage) -> Finding:
        slack = tolerance(coverage, passage[0].source, sign_in[0].source)
        _, least, there = impossible(passage[1], sign_in[1], slack, self.directory)
        door, logon = passage[0], sign_in[0]
        first, last = sorted((door, logon), key=lambda event: event.order)
        km = self._distance(passage[1], sign_in[1])
        parts = {
            "badge_place": self.directory.label(door.place),
            "badge_site": self.directory.label(door.site),
            "badge_clock": local_clock(door.time, door.place, self.directory),
            "logon_clock": local_clock(logon.time, door.place, self.directory),
            "location": _words(logon),
            "distance": f"{km:.0f} km away" if km is not None else "another city",
            "elapsed": in_words(there.total_seconds()),
            "least": in_words((least or timedelta()).total_seconds()),
            "order": "before" if first is logon else "after",
        }
        return make_finding(
            self.rule,
            (first, last),
            self.directory,
            parts=parts,
            confidence=self.rule.confidence * min(passage[1].confidence, sign_in[1].confidence),
            state=_state(self.rule, coverage, door.site, first, last),
        )


def _location(claim: Claim) -> str:
    if claim.latitude is None or claim.longitude is None:
        return claim.city.casefold()
    return f"{claim.latitude:.1f},{claim.longitude:.1f}"


def _words(event: Event) -> str:
    city, country = value_at(event.data, "src_endpoint.location.city"), value_at(event.data, "src_endpoint.location.country")
    words = ", ".join(str(word) for word in (city, country) if word)
    return words or event.src_ip or "an unnamed place"


@dataclass(frozen=True, slots=True)
class Showing:
    """One showing of a credential at a door: a grant and its passage are one."""

    event: Event
    """The first event: nobody was elsewhere at its time. Passages may be reported only when the door closes."""
    uids: frozenset[str]


def showings(events: Iterable[Event], within: timedelta) -> Iterator[Showing]:
    """Return the showings among sorted events: events at one reader that follow the first by less than `within` are one."""
    first: Event | None = None
    uids: list[str] = []
    for event in events:
        if first is not None and _reader(event) == _reader(first) and event.time - first.time <= within:
            uids.append(event.uid)
            continue
        if first is not None:
            yield Showing(first, frozenset(uids))
        first, uids = event, [event.uid]
    if first is not None:
        yield Showing(first, frozenset(uids))


def _reader(event: Event) -> tuple[str, str]:
    return event.place, direction_of(event)


@dataclass(slots=True, eq=False)
class BadgeTravel:
    """One credential at two doors sooner than a run between them takes: of two sites (5) or of one (6)."""

    rule: Rule
    directory: Directory
    reach: timedelta
    between_sites: bool
    one_showing: timedelta
    classes: frozenset[int] = frozenset({int(EventClass.PHYSICAL_ACCESS)})
    walks: bool = False

    def keys(self, event: Event) -> Iterable[str]:
        """Return the credential that was shown at a known door."""
        return (event.credential,) if event.credential and event.place and event.activity_id in SHOWN else ()

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Compare each showing of the credential with the next one."""
        del key
        before: Event | None = None
        for showing in showings(events, self.one_showing):
            event = showing.event
            if before is not None and self._concerns(before, event):
                least = self.directory.least_travel(before.place, event.place)
                there = event.time - before.time
                if least is not None and least > there + tolerance(coverage, before.source, event.source):
                    yield self._finding(before, event, least, there, coverage)
            before = event

    def _concerns(self, a: Event, b: Event) -> bool:
        if (a.site != b.site) is not self.between_sites or a.place == b.place:
            return False
        return self.between_sites or not self._parallel(a.place, b.place)

    def _parallel(self, a: str, b: str) -> bool:
        """Tell whether two doors stand side by side between the same two zones, as turnstiles do."""
        one, other = self.directory.door(a), self.directory.door(b)
        return one is None or other is None or {one.from_zone, one.to_zone} == {other.from_zone, other.to_zone}

    def _finding(self, a: Event, b: Event, least: timedelta, there: timedelta, coverage: Coverage) -> Finding:
        label = self.directory.label
        parts = {
            "who": label(b.person) if b.person else "an unknown holder",
            "badge": label(b.credential),
            "first_place": label(a.place),
            "first_site": label(a.site),
            "first_clock": local_clock(a.time, a.place, self.directory),
            "second_place": label(b.place),
            "second_site": label(b.site),
            "second_clock": local_clock(b.time, b.place, self.directory),
            "elapsed": in_words(there.total_seconds()),
            "least": in_words(least.total_seconds()),
        }
        late = [event for event in (a, b) if event.received - event.time > timedelta(minutes=15)]
        notes = ("One of the two records came in late; its own clock's time is used.",) if late else ()
        sites = a.site if a.site == b.site else ""
        return make_finding(self.rule, (a, b), self.directory, parts=parts, notes=notes, state=_state(self.rule, coverage, sites, a, b))


def sign_in_travel(rule: Rule, directory: Directory) -> Detector:
    """Build the detector of impossible travel between badge and sign-in.

    Raises:
        ContentError: a setting is wrong.
    """
    return SignInTravel(
        rule, directory, duration(rule, "reach", "24h"), number(rule, "least_km", 0.0), number(rule, "default_accuracy_km", 50.0)
    )


def two_sites(rule: Rule, directory: Directory) -> Detector:
    """Build the detector of one badge at two sites.

    Raises:
        ContentError: a setting is wrong.
    """
    return BadgeTravel(rule, directory, duration(rule, "reach", "24h"), True, duration(rule, "one_showing", "60s"))


def two_readers(rule: Rule, directory: Directory) -> Detector:
    """Build the detector of one credential at two readers of a site too fast.

    Raises:
        ContentError: a setting is wrong.
    """
    return BadgeTravel(rule, directory, duration(rule, "reach", "1h"), False, duration(rule, "one_showing", "60s"))
