"""The daybook: who is where on a day, before anything is written to any log. Pure: seed and date in, the same day out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Final

from watchword.simulate.clocks import HOUR, MINUTE, midnight, moment
from watchword.simulate.organisation import Member, Organisation

HOLIDAYS: Final = frozenset({(1, 1), (5, 1), (12, 25), (12, 26)})
"""(month, day) on which nobody but guards comes in."""


@dataclass(slots=True)
class PersonDay:
    """One person's day: the moments at which they set out for the next zone."""

    member: Member
    mode: str
    """``office``, ``home`` (works from home), ``off``, ``shift``, ``rounds``, ``cleaning``, ``visit``, ``night``."""
    site: str = ""
    stops: list[tuple[int, str]] = field(default_factory=list)
    """(departure in ms, zone): the first is the way in, the last the way out."""
    come_by: str = ""
    leave_by: str = ""
    tailgates: bool = False
    """Walks in behind a colleague without badging."""
    hours: tuple[int, int] = (0, 0)
    """Working hours from home."""
    host: Member | None = None
    """Whom a visitor visits."""

    @property
    def arrival(self) -> int:
        """When they set out through the first door."""
        return self.stops[0][0]

    @property
    def departure(self) -> int:
        """When they set out for home."""
        return self.stops[-1][0]

    def zone_at(self, ms: int) -> str:
        """Return the zone that they are in or on the way to; empty before and after."""
        zone = ""
        for at, where in self.stops:
            if at > ms:
                break
            zone = where
        return "" if zone.endswith("/outside") else zone


@dataclass(slots=True)
class Daybook:
    """A day of everybody."""

    day: date
    start: int
    """Local midnight of the first site, ms."""
    working: bool
    people: dict[str, PersonDay]
    """By employee number."""

    def of(self, test: Callable[[PersonDay], bool]) -> list[PersonDay]:
        """Return the person-days that pass a test, in order of employee number."""
        return [entry for entry in self.people.values() if test(entry)]


def plan_day(org: Organisation, seed: int, day: date) -> Daybook:
    """Return the daybook of a date."""
    working = day.weekday() < 5 and (day.month, day.day) not in HOLIDAYS
    people = {}
    for member in org.members:
        rng = Random(f"{seed}|{day}|{member.number}")
        people[member.number] = _person_day(org, member, day, working, rng)
    start = midnight(org.sites[0].zone, day)
    book = Daybook(day, start, working, people)
    if working:
        _pair_up(book, Random(f"{seed}|{day}|pairs"))
    return book


_ENTRANCES: Final[dict[str, tuple[str, ...]]] = {
    "harbour": ("D-01", "D-01", "D-01", "D-02", "D-02", "D-02", "D-34", "D-34"),
    "lab": ("D-05", "D-05", "D-01"),
    "mill": ("M-01", "M-01", "M-02", "M-02", "M-05"),
    "floor": ("M-05", "M-05", "M-05", "M-01"),
    "dock": ("D-34", "D-01"),
}
_DAY_ROLES: Final = frozenset(
    {
        "engineer", "sales", "planner", "accountant", "scientist", "it administrator", "receptionist", "process engineer",
        "quality inspector", "network contractor", "maintenance contractor", "dock hand",
    }
)  # fmt: skip
_GUARD_SHIFTS: Final = ((5.75, 14.0), (13.75, 22.0), (21.75, 30.0))


def _doors_for(member: Member) -> tuple[str, ...]:
    if member.home.startswith("harbour/lab"):
        return _ENTRANCES["lab"]
    if member.role in {"machine operator", "warehouse hand", "maintenance contractor"}:
        return _ENTRANCES["floor"]
    return _ENTRANCES["dock" if member.role == "dock hand" else member.site]


def _person_day(org: Organisation, member: Member, day: date, working: bool, rng: Random) -> PersonDay:
    """Return one person's day by what they are."""
    entry = PersonDay(member, "off", member.site)
    if member.until is not None or member.since > day:
        return entry
    zone = org.site[member.site].zone
    base = midnight(zone, day)
    doors = _doors_for(member)
    entry.come_by, entry.leave_by = rng.choice(doors), rng.choice(doors)
    if member.kind == "guard":
        _guard(entry, base, day, rng)
    elif member.role == "night maintenance":
        if working and day.weekday() in {1, 3}:
            entry.mode = "night"
            _stay(entry, base + round((21.1 + rng.random() * 0.4) * HOUR), base + round((23.3 + rng.random() * 0.4) * HOUR), rng, [])
    elif not working:
        _called_in(entry, base, rng)
    elif member.kind == "cleaner":
        _cleaner(entry, base, rng)
    elif member.role in {"machine operator", "warehouse hand"}:
        _shift_worker(entry, base, day, rng)
    elif member.kind == "visitor":
        _visitor(entry, base, rng)
    elif member.role in _DAY_ROLES:
        _day_worker(org, entry, base, rng)
    return entry


def _called_in(entry: PersonDay, base: int, rng: Random) -> None:
    """Call an administrator in on a day on which nobody works, now and then."""
    if entry.member.role == "it administrator" and rng.random() < 0.12:
        entry.mode = "office"
        arrive = base + round((9 + rng.random() * 8) * HOUR)
        _stay(entry, arrive, arrive + HOUR, rng, [])


def _visitor(entry: PersonDay, base: int, rng: Random) -> None:
    if rng.random() < 0.5:
        entry.mode = "visit"
        arrive = base + round((9.2 + rng.random() * 5) * HOUR)
        entry.come_by = entry.leave_by = "D-01" if entry.site == "harbour" else "M-01"
        _stay(entry, arrive, arrive + round((0.8 + rng.random() * 2) * HOUR), rng, [])


def _stay(entry: PersonDay, arrive: int, leave: int, rng: Random, outings: list[tuple[int, int, str]]) -> None:
    """Fill the stops: home zone between outings (start, end, zone); those that overlap the one before are dropped."""
    home = entry.member.home if entry.member.site == entry.site else f"{entry.site}/{_GUEST_DESK[entry.site]}"
    stops = [(arrive, home)]
    free = arrive + 25 * MINUTE
    for start, end, zone in sorted(outings):
        if start >= free and end <= leave - 15 * MINUTE:
            stops += [(start, zone), (end, home)]
            free = end + 12 * MINUTE
    stops.append((leave + rng.randrange(MINUTE), f"{entry.site}/outside"))
    entry.stops = stops


_GUEST_DESK: Final = {"harbour": "main/1/south", "mill": "hall/1/offices"}
_MEETING: Final = {
    "harbour": ("harbour/main/1/meet-a", "harbour/main/1/meet-b", "harbour/main/1/meet-a", "harbour/lab/1/meet-c"),
    "mill": ("mill/hall/1/meet-d", "mill/hall/1/training"),
}
_CANTEEN: Final = {"harbour": "harbour/main/0/canteen", "mill": "mill/hall/0/canteen"}


def _day_worker(org: Organisation, entry: PersonDay, base: int, rng: Random) -> None:
    member = entry.member
    chance = rng.random()
    at_desk = bool(member.host)
    if at_desk and chance < (0.9 if member.remote else 0.07):
        entry.mode = "home"
        begin = base + round((7.6 + rng.random() * 1.8) * HOUR)
        entry.hours = (begin, begin + round((7.5 + rng.random() * 1.5) * HOUR))
        return
    if chance > 0.96:
        return
    entry.mode = "office"
    if at_desk and chance > 0.945 and not member.remote and member.role not in {"receptionist", "network contractor"}:
        entry.site = "mill" if member.site == "harbour" else "harbour"
        base = midnight(org.site[entry.site].zone, day_of(base))
        entry.come_by = entry.leave_by = "D-01" if entry.site == "harbour" else "M-01"
    early = 6.0 if member.role == "dock hand" else 8.15
    arrive = base + round(min(max(rng.gauss(early, 0.55), 5.6), 10.2) * HOUR)
    leave = arrive + round(min(max(rng.gauss(8.7, 0.65), 6), 10.5) * HOUR)
    _stay(entry, arrive, leave, rng, _outings(entry, arrive, leave, base, rng))
    entry.tailgates = rng.random() < 0.006


def day_of(base: int) -> date:
    """Return the date of a local midnight, whichever the zone (all sites lie within two hours of UTC)."""
    return moment(base + 12 * HOUR).date()


def _outings(entry: PersonDay, arrive: int, leave: int, base: int, rng: Random) -> list[tuple[int, int, str]]:
    member, site = entry.member, entry.site
    outings = []

    def go(zone: str, chance: float, least: int, most: int, since: int = arrive, until: int = leave) -> None:
        if rng.random() < chance and until - since > 40 * MINUTE:
            start = since + round(rng.random() * (until - since))
            outings.append((start, start + round((least + rng.random() * (most - least)) * MINUTE), zone))

    noon = base + round(11.6 * HOUR)
    go(_CANTEEN[site] if rng.random() < 0.68 else f"{site}/outside", 0.94, 25, 55, noon, noon + round(1.6 * HOUR))
    for _ in range(2):
        go(rng.choice(_MEETING[site]), 0.42, 25, 75)
    if member.site != site:
        return outings
    role = member.role
    if role in {"engineer", "planner", "accountant"}:
        go("harbour/main/2/reading", 0.3, 25, 80)
    elif role == "scientist":
        go("harbour/lab/0/wet", 0.8, 30, 110)
        go("harbour/lab/1/clean", 0.5, 40, 120)
        go("harbour/lab/0/store", 0.3, 4, 10)
    elif role == "process engineer":
        go("mill/hall/0/floor", 0.7, 20, 60)
        go("mill/hall/1/records", 0.3, 20, 60)
        go("mill/hall/0/control", 0.15, 10, 30)
    elif role == "network contractor":
        go(rng.choice(("harbour/main/1/closet", "harbour/main/2/closet", "harbour/main/0/closet")), 0.4, 10, 35)
    elif role == "maintenance contractor":
        go(rng.choice(("mill/hall/0/closet", "mill/hall/0/control", "mill/hall/0/store")), 0.6, 15, 40)
    return outings


def _shift_worker(entry: PersonDay, base: int, day: date, rng: Random) -> None:
    if rng.random() < 0.05:
        return
    entry.mode = "shift"
    late = (int(entry.member.number) + day.isocalendar().week) % 2
    arrive = base + round(((13.65 if late else 5.7) + rng.random() * 0.3) * HOUR)
    leave = arrive + round((8.3 + rng.random() * 0.2) * HOUR)
    break_at = arrive + round((3.5 + rng.random()) * HOUR)
    outings = [(break_at, break_at + round((25 + rng.random() * 10) * MINUTE), "mill/hall/0/canteen")]
    if entry.member.role == "warehouse hand":
        for hours in (1.2, 2.4, 5.6, 7.0):
            begin = arrive + round((hours + rng.random() * 0.5) * HOUR)
            outings.append((begin, begin + round((8 + rng.random() * 14) * MINUTE), "mill/hall/0/dock"))
    _stay(entry, arrive, leave, rng, outings)


_ROUNDS: Final = {
    "harbour": (
        "main/0/dock",
        "main/1/corridor",
        "main/1/north",
        "main/1/south",
        "main/2/corridor",
        "main/2/east",
        "lab/0/airlock",
        "lab/1/corridor",
    ),
    "mill": ("hall/0/floor", "hall/0/store", "hall/1/corridor", "hall/1/offices"),
}


def _guard(entry: PersonDay, base: int, day: date, rng: Random) -> None:
    """Fill a guard's shift: one of three, or a day off, in rotation; at night a round every 100 minutes or so, by day two rounds."""
    crew = int(entry.member.number) + day.toordinal()
    turn = crew % (4 if entry.site == "mill" else 7)
    shift = (0, 1, 2, None, 0, 1, None)[turn]
    if shift is None:
        return
    entry.mode = "rounds"
    begin, end = _GUARD_SHIFTS[shift]
    arrive, leave = base + round((begin + rng.random() * 0.2) * HOUR), base + round((end + rng.random() * 0.2) * HOUR)
    stops = [(arrive, entry.member.home)]
    at = arrive + round((0.6 + rng.random()) * HOUR)
    while at < leave - HOUR:
        for zone in rng.sample(_ROUNDS[entry.site], 3 if shift < 2 else len(_ROUNDS[entry.site]) - 1):
            stops.append((at, f"{entry.site}/{zone}"))
            at += round((4.5 + rng.random() * 4) * MINUTE)
        stops.append((at, entry.member.home))
        at += round((1.5 + rng.random()) * (1 if shift == 2 else 2) * HOUR)
    stops.append((leave, f"{entry.site}/outside"))
    entry.stops = stops


def _cleaner(entry: PersonDay, base: int, rng: Random) -> None:
    if rng.random() < 0.04:
        return
    entry.mode = "cleaning"
    zones = (
        (
            "main/0/lobby",
            "main/1/north",
            "main/1/south",
            "main/1/meet-a",
            "main/1/meet-b",
            "main/2/east",
            "main/2/finance",
            "lab/1/office",
            "main/0/workshop",
        )
        if entry.site == "harbour"
        else ("hall/0/lobby", "hall/1/offices", "hall/1/meet-d", "hall/1/training", "hall/0/canteen")
    )
    at = base + round((18.5 + rng.random() * 0.3) * HOUR)
    entry.come_by = entry.leave_by = "D-01" if entry.site == "harbour" else "M-01"
    entry.stops = [(at, entry.member.home)]
    for zone in rng.sample(zones, len(zones) - 1):
        at += round((12 + rng.random() * 12) * MINUTE)
        entry.stops.append((at, f"{entry.site}/{zone}"))
    entry.stops.append((at + 20 * MINUTE, f"{entry.site}/outside"))


def _pair_up(book: Daybook, rng: Random) -> None:
    """Send administrators to their server rooms, mostly in pairs, and give every visitor a host who is in."""
    rooms = {"harbour": ("harbour/main/2/servers", 4), "mill": ("mill/hall/0/servers", 2)}
    for site, (room, visits) in rooms.items():
        crew = [
            entry
            for entry in book.people.values()
            if entry.mode == "office" and entry.site == site and entry.member.role == "it administrator"
        ]
        for _ in range(visits):
            if not crew:
                break
            pair = rng.sample(crew, min(len(crew), 2 if rng.random() < 0.7 else 1))
            begin = max(entry.arrival for entry in pair) + round((0.5 + rng.random() * 6.5) * HOUR)
            for number, entry in enumerate(pair):
                insert_outing(entry, begin + number * 4000, begin + round((12 + rng.random() * 22) * MINUTE), room)
    hosts = [entry for entry in book.people.values() if entry.mode == "office" and entry.member.host]
    for entry in book.people.values():
        if entry.mode == "visit":
            able = [
                host
                for host in hosts
                if host.site == entry.site and host.arrival < entry.arrival - 20 * MINUTE and host.departure > entry.departure
            ]
            if able:
                entry.host = rng.choice(able).member
            else:
                entry.mode, entry.stops = "off", []


def insert_outing(entry: PersonDay, begin: int, end: int, zone: str) -> bool:
    """Put one more outing into a day; tell whether it fitted: both moments must lie within one stay in the home zone."""
    for index in range(len(entry.stops) - 1):
        at, where = entry.stops[index]
        following = entry.stops[index + 1][0]
        if where == entry.member.home and at + 10 * MINUTE <= begin and end + 10 * MINUTE <= following:
            entry.stops[index + 1 : index + 1] = [(begin, zone), (end, where)]
            return True
    return False
