"""The stage on which stories and near misses are played: the day's people and doors, and the wire that carries what they do."""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from watchword.simulate.clocks import MINUTE, SECOND, midnight, moment
from watchword.simulate.daybook import Daybook, PersonDay
from watchword.simulate.delivery import Story
from watchword.simulate.life import Life
from watchword.simulate.organisation import Host, Member, Organisation
from watchword.simulate.premises import DoorPlan
from watchword.simulate.wire import Wire


class NoCast(Exception):
    """Nobody is about that day who could play the part."""


@dataclass(slots=True)
class Stage:
    """What a story may use on one day. A story changes the daybook before the day is written."""

    org: Organisation
    book: Daybook
    wire: Wire
    life: Life
    used: set[str] = field(default_factory=set)
    """Employee numbers that already have a part today."""
    opening: int = 0
    """When the first story must begin, ms; 0: whenever it suits."""

    def hour(self, site: str, hours: float) -> int:
        """Return the moment of a local hour of the day at a site."""
        return midnight(self.org.site[site].zone, self.book.day) + round(hours * 60 * MINUTE)

    def start(self, rng: Random, site: str, earliest: float, latest: float) -> int:
        """Return when a story begins: at the opening when one is set, else between two local hours."""
        return self.opening or self.hour(site, earliest + (latest - earliest) * rng.random())

    def door(self, name: str) -> DoorPlan:
        """Return a door by its number."""
        return self.org.doorways.doors[name]

    def cast(self, rng: Random, entries: list[PersonDay]) -> PersonDay:
        """Pick someone who has no other part today.

        Raises:
            NoCast: there is nobody.
        """
        free = [entry for entry in entries if entry.member.number not in self.used]
        if not free:
            raise NoCast
        chosen = rng.choice(free)
        self.used.add(chosen.member.number)
        return chosen

    def absent(self, rng: Random, role: str = "", site: str = "") -> PersonDay:
        """Pick someone with a badge in force who stays away all day."""
        away = [
            entry
            for entry in self.book.people.values()
            if entry.mode == "off" and entry.member.until is None and entry.member.kind == "employee"
            and (not role or entry.member.role == role) and (not site or entry.member.site == site)
        ]  # fmt: skip
        if away:
            return self.cast(rng, away)
        chosen = self.cast(
            rng, [e for e in self.book.people.values() if e.mode in {"office", "home"} and e.member.site == (site or e.member.site)]
        )
        chosen.mode, chosen.stops = "off", []
        return chosen

    def at_desk(self, ms: int, until: int, site: str = "", test: str = "") -> list[PersonDay]:
        """Return office people who are in their home zone from one moment to another; `test` names a zone that it must be."""
        return [
            entry
            for entry in self.book.people.values()
            if entry.mode == "office" and entry.member.host and (not site or entry.site == site) and entry.site == entry.member.site
            and entry.zone_at(ms) == entry.member.home == entry.zone_at(until) and (not test or entry.member.home == test)
            and not any(ms < at <= until for at, _ in entry.stops)
        ]  # fmt: skip

    def enter(self, card: str, door: DoorPlan, at: int, direction: str = "in") -> int:
        """Let a card open a door and its bearer go through; return the moment of passing."""
        reader = door.reader(direction)
        self.wire.door(at, door, "granted", reader=reader, card=card)
        self.wire.door(at + 1700, door, "passed", reader=reader, card=card)
        return at + 1700

    def camera_at(self, door: str) -> Host:
        """Return the camera that sees a door."""
        uid = self.door(door).uid
        return next(host for host in self.org.hosts if uid in host.sees)

    def story(
        self,
        name: str,
        rules: tuple[str, ...],
        since: int,
        until: int,
        says: str,
        *,
        members: tuple[Member, ...] = (),
        places: tuple[str, ...] = (),
        any_of: tuple[str, ...] = (),
        assets: tuple[str, ...] = (),
        addresses: tuple[str, ...] = (),
    ) -> Story:
        """Write the truth record, with a minute to spare on both sides."""
        spare = timedelta(minutes=1)
        return Story(
            name=name,
            rules=rules,
            since=moment(since - since % SECOND) - spare,
            until=moment(until - until % SECOND) + spare,
            persons=tuple(member.uid for member in members),
            places=places,
            says=says,
            any_of=any_of,
            assets=assets,
            addresses=addresses,
        )
