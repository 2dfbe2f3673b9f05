"""The world goes on: days are planned, stories put into them, everything written to the wire, and handed out in order of arrival."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count, cycle
from random import Random
from zlib import crc32

from watchword.simulate.clocks import MINUTE, SECOND, midnight, moment, ms_of
from watchword.simulate.daybook import Daybook, plan_day
from watchword.simulate.delivery import Delivery, NearMiss, Story
from watchword.simulate.life import Life
from watchword.simulate.machines import write_machines, write_traffic
from watchword.simulate.near_misses import NEAR_MISSES
from watchword.simulate.organisation import Organisation
from watchword.simulate.stage import NoCast, Stage
from watchword.simulate.stories import ANY_DAY, ENCORES, OPENERS, STORIES
from watchword.simulate.wire import BATCH, HEADERS, Item, Wire

Agenda = Callable[[date], Sequence[tuple[str, int]]]
"""Which stories a day is to hold: (name, opening moment in ms or 0)."""


class Simulation(Iterator[Delivery]):
    """Deliveries in order of arrival, and the truth about them. Two simulations with the same arguments give the same bytes."""

    def __init__(self, org: Organisation, seed: int, days: Iterator[date], agenda: Agenda, since: datetime | None = None) -> None:
        """Take the days to play, what is on each of them, and the moment before which deliveries are left out."""
        self.org, self.seed, self._agenda = org, seed, agenda
        self._days = days
        self._told: dict[date, tuple[list[Story], list[NearMiss]]] = {}
        self._since = since
        self._planned: tuple[date, ...] = ()
        self._deliveries = self._play()

    def __iter__(self) -> "Simulation":
        """Return itself: a simulation is played once."""
        return self

    def __next__(self) -> Delivery:
        """Return the next delivery."""
        return next(self._deliveries)

    def truth(self) -> list[Story]:
        """Return the stories, in order of time: all of a run with a fixed number of days, else those of the days begun so far."""
        self._foresee()
        return sorted((story for told, _ in self._told.values() for story in told), key=lambda story: (story.since, story.name))

    def near_misses(self) -> list[NearMiss]:
        """Return the harmless look-alikes, in order of time."""
        self._foresee()
        return sorted((miss for _, misses in self._told.values() for miss in misses), key=lambda miss: (miss.since, miss.name))

    def benign_days(self) -> list[date]:
        """Return the days that hold no part of any story."""
        self._foresee()
        return [day for day, (told, _) in self._told.items() if not told]

    def _foresee(self) -> None:
        for day in self._planned:
            if day not in self._told:
                self._stage(day, Wire(self.org))

    def _stage(self, day: date, wire: Wire) -> tuple[Daybook, Life]:
        """Plan a day and play its stories and near misses, which change the plan and write to the wire."""
        book = plan_day(self.org, self.seed, day)
        life = Life(self.org, book, wire, self.seed)
        stage = Stage(self.org, book, wire, life)
        told, misses = [], []
        for name, opening in self._agenda(day):
            stage.opening = opening
            try:
                told.append(STORIES[name](stage, Random(f"{self.seed}|{day}|{name}|{opening}")))
            except NoCast:
                continue
        stage.opening = 0
        if book.working:
            for play, chance in NEAR_MISSES.items():
                rng = Random(f"{self.seed}|{day}|{play.__name__}")
                if rng.random() < chance:
                    try:
                        misses.append(play(stage, rng))
                    except NoCast:
                        continue
        self._told[day] = (told, misses)
        return book, life

    def _play(self) -> Iterator[Delivery]:
        carried: list[Item] = []
        for day in self._days:
            wire = Wire(self.org)
            book, life = self._stage(day, wire)
            life.write()
            write_traffic(self.org, life.sessions, wire, Random(f"{self.seed}|{day}|traffic"))
            write_machines(self.org, book, wire, Random(f"{self.seed}|{day}|machines"))
            end = midnight(self.org.sites[0].zone, day + timedelta(days=1))
            items = carried + wire.items
            items.sort()
            split = next((index for index, item in enumerate(items) if item[0] >= end), len(items))
            carried = items[split:]
            yield from self._hand_out(items[:split])
        yield from self._hand_out(self._epilogue(carried))

    def _epilogue(self, carried: list[Item]) -> list[Item]:
        """Return what still comes in after the last day, among the heartbeats of machines, so that no source seems to fall silent."""
        if not carried:
            return carried
        wire = Wire(self.org)
        day = max(self._told) + timedelta(days=1)
        book = Daybook(day, midnight(self.org.sites[0].zone, day), working=False, people={})
        write_machines(self.org, book, wire, Random(f"{self.seed}|{day}|machines"))
        last = max(item[0] for item in carried)
        return sorted(carried + [item for item in wire.items if item[0] <= last])

    def _hand_out(self, items: list[Item]) -> Iterator[Delivery]:
        """Put lines that travel together into one body; send one mill file in eight twice, as after a lost acknowledgement."""
        since = ms_of(self._since) if self._since else 0
        index = 0
        while index < len(items):
            at, source, file = items[index][:3]
            if not file and source not in BATCH:
                if at >= since:
                    yield Delivery(moment(at), source, items[index][5])
                index += 1
                continue
            lines = []
            while index < len(items) and items[index][:3] == (at, source, file):
                lines.append(items[index][5])
                index += 1
            if at < since:
                continue
            header = HEADERS.get(source)
            body = b"\n".join(lines if header is None else [header, *lines]) + (b"" if header is None else b"\n")
            yield Delivery(moment(at), source, body, file)
            if source == "mill-doors" and crc32(file.encode()) % 8 == 0:
                yield Delivery(moment(at), source, body, file)


def simulate(
    organisation: Organisation, since: date, days: int, seed: int, stories: Mapping[date, Sequence[str]] | Sequence[str] | None = None
) -> Simulation:
    """Return a run of so many days.

    Args:
        organisation: who lives there.
        since: first local day.
        days: how many.
        seed: decides everything else; the same seed gives the same bytes.
        stories: which stories to spread over the days (all of them when None, none when empty), or exactly what each day holds.
    """
    calendar = tuple(since + timedelta(days=offset) for offset in range(days))
    if isinstance(stories, Mapping):
        programme = {day: tuple(stories.get(day, ())) for day in calendar}
    else:
        programme = _spread(calendar, tuple(STORIES) if stories is None else tuple(stories), Random(f"{seed}|{since}|programme"))
    run = Simulation(organisation, seed, iter(calendar), lambda day: [(name, 0) for name in programme.get(day, ())])
    run._planned = calendar  # noqa: SLF001 - the two make one
    return run


def _spread(calendar: Sequence[date], stories: Sequence[str], rng: Random) -> dict[date, tuple[str, ...]]:
    """Spread stories over working days, week by week; the first and every third working day stay quiet, as do weekends."""
    programme: dict[date, list[str]] = {day: [] for day in calendar}
    for week in range(0, len(calendar), 7):
        days = list(calendar[week : week + 7])
        working = [day for day in days if day.weekday() < 5] or days
        stage = [day for index, day in enumerate(working) if index % 3 != 0] or working
        order = list(stories)
        rng.shuffle(order)
        for index, name in enumerate(order):
            programme[stage[index % len(stage)]].append(name)
    return {day: tuple(names) for day, names in programme.items()}


def live(
    organisation: Organisation, start: datetime, seed: int, *, stories_first: bool = True, history: timedelta = timedelta(0)
) -> Simulation:
    """Return an endless run from a moment on; with `stories_first` an attack begins after a quarter of a minute, and two more soon after.

    Args:
        organisation: who lives there.
        start: the moment at which a demonstration begins (aware).
        seed: decides everything else.
        stories_first: open with stories that need nobody on site, and play one more every 20 minutes for the rest of that day.
        history: also give out what arrived so long before `start` (whole days are planned from the local day of that moment).
    """
    start = start.astimezone(UTC)
    first = (start - history).astimezone(UTC)
    zone = organisation.sites[0].zone
    start_day = _local_day(ms_of(start), zone)
    begin = ms_of(start)
    night = midnight(zone, start_day + timedelta(days=1))
    opening = [(name, begin + seconds * SECOND) for name, seconds in zip(OPENERS, (15, 90, 300), strict=True)]
    opening += [(name, at) for name, at in zip(cycle(ENCORES), range(begin + 20 * MINUTE, night - 20 * MINUTE, 20 * MINUTE), strict=False)]

    def agenda(day: date) -> list[tuple[str, int]]:
        if day == start_day:
            return opening if stories_first else []
        rng = Random(f"{seed}|{day}|agenda")
        pool = [name for name in STORIES if name != "silenced controllers"] if day.weekday() < 5 else list(ANY_DAY)
        if day < start_day or rng.random() < 0.25:
            return []
        return [(name, 0) for name in rng.sample(pool + ["silenced controllers"] * (day.weekday() < 5), 4 if day.weekday() < 5 else 2)]

    first_day = _local_day(ms_of(first), zone)
    return Simulation(organisation, seed, (first_day + timedelta(days=offset) for offset in count()), agenda, first)


def _local_day(ms: int, zone: str) -> date:
    """Return the local day that a moment belongs to by the simulation's own midnights."""
    day = moment(ms).date()
    for candidate in (day + timedelta(days=1), day, day - timedelta(days=1)):
        if midnight(zone, candidate) <= ms:
            return candidate
    return day
