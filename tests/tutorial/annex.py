"""A month at the Annex: a badge log and a flow log with one culprit among the staff, seeded; the tutorial's data at any size."""

import csv
import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

DROP = "192.0.2.77"
"""Where the culprit sends what they take."""
POPULAR = "198.51.100.20"
"""A file service that everybody uses, and that goes on sending from locked machines."""
FIRST_DAY = date(2026, 9, 1)
SAMPLE: dict[str, Any] = {"staff": 24, "days": 15, "flows_a_day": 10.0, "thefts": 14, "seed": 11}
"""The month that stands in docs/tutorial/annex."""


@dataclass(frozen=True, slots=True)
class Month:
    """The files, and what is true."""

    badges: str
    flows: str
    people: str
    workstations: str
    culprit: str
    """Uid of the person."""
    victims: frozenset[str]
    """Uids of the workstations used."""
    thefts: int
    """Uploads to `DROP` while the owner was in the classified area."""
    early: int
    """Uploads to `DROP` before the owner's first badge of the day."""
    passbacks: int
    badge_rows: int
    flow_rows: int


@dataclass(slots=True)
class _Day:
    """One employee's day in minutes after midnight, local time."""

    arrive: int
    leave: int
    lunch: tuple[int, int] | None
    visits: list[tuple[int, int]] = field(default_factory=list)

    def at_desk(self, minute: int) -> bool:
        """Tell whether they sit at their own machine."""
        away = [*self.visits, *([self.lunch] if self.lunch else [])]
        return self.arrive + 3 <= minute < self.leave and not any(since - 2 <= minute <= until + 2 for since, until in away)


def month(*, staff: int = 60, days: int = 22, flows_a_day: float = 92.8, visits: float = 4.0, thefts: int = 18, seed: int = 7) -> Month:
    """Return a month at the Annex.

    Args:
        staff: Number of employees; each has one badge and one workstation.
        days: Working days, from `FIRST_DAY` on.
        flows_a_day: Flows of one workstation on a day, on average.
        visits: Visits to the classified area by one employee on a day, on average.
        thefts: Uploads by the culprit from others' machines while these are in the classified area.
        seed: Of all chance.
    """
    chance = random.Random(seed)
    dates = [day for offset in range(days * 2) if (day := FIRST_DAY + timedelta(days=offset)).weekday() < 5][:days]
    plans = {(who, day): plan for day in dates for who in range(1, staff + 1) if (plan := _plan(chance, visits))}
    culprit = staff // 2
    for day in dates:
        plans[culprit, day] = _Day(chance.randint(400, 415), 1060, (720, 750), [(780, 790)])
    victims = chance.sample([who for who in range(1, staff + 1) if who != culprit], 8)
    stolen = _thefts(chance, plans, dates, culprit, victims, thefts)
    early = _early(chance, plans, dates, victims)
    unread = _unread(chance, plans, culprit, victims, dates)
    badge_rows = sorted(_badge_rows(chance, plans, unread))
    flow_rows = sorted([*_flow_rows(chance, plans, flows_a_day), *stolen, *early])
    return Month(
        badges=_csv(("time", "badge", "reader", "in/out"), badge_rows),
        flows=_csv(("time", "source address", "destination", "port", "bytes"), flow_rows),
        people=_csv(("employee number", "name", "badge"), ((who, _name(who), _badge(who)) for who in range(1, staff + 1))),
        workstations=_csv(("name", "address", "owner"), ((f"ws-{who:02}", _address(who), who) for who in range(1, staff + 1))),
        culprit=f"person:{culprit}",
        victims=frozenset(f"asset:ws-{who:02}" for who in victims),
        thefts=len(stolen),
        early=len(early),
        passbacks=len(unread),
        badge_rows=len(badge_rows),
        flow_rows=len(flow_rows),
    )


def _plan(chance: random.Random, visits: float) -> _Day | None:
    if chance.random() < 0.05:
        return None
    arrive, leave = chance.randint(450, 570), chance.randint(960, 1080)
    lunch_at = chance.randint(700, 760)
    lunch = (lunch_at, lunch_at + chance.randint(30, 50)) if chance.random() < 0.6 else None
    day = _Day(arrive, leave, lunch)
    for _ in range(int(visits) + (chance.random() < visits % 1)):
        since = chance.randint(arrive + 10, leave - 60)
        until = since + chance.randint(20, 110)
        busy = [*day.visits, *([lunch] if lunch else [])]
        for taken_since, taken_until in sorted(busy):  # a visit that meets another moves behind it
            if since < taken_until + 5 and taken_since < until + 5:
                since, until = taken_until + 6, taken_until + 6 + (until - since)
        if until < leave - 5 and not any(since < taken[1] + 5 and taken[0] < until + 5 for taken in busy):
            day.visits.append((since, until))
    day.visits.sort()
    return day


def _thefts(
    chance: random.Random, plans: dict[tuple[int, date], _Day], dates: list[date], culprit: int, victims: list[int], number: int
) -> list[tuple[str, ...]]:
    """Return uploads at moments at which the victim is in the classified area and the culprit is not."""
    chances = [
        (who, day, visit)
        for day in dates
        for who in victims
        if (plan := plans.get((who, day)))
        for visit in plan.visits
        if visit[1] - visit[0] >= 30 and plans[culprit, day].at_desk(visit[0] + 10) and plans[culprit, day].at_desk(visit[0] + 20)
    ]
    first_each = [next(item for item in chances if item[0] == who) for who in victims]
    chosen = first_each + chance.sample([item for item in chances if item not in first_each], number - len(first_each))
    return [_upload(chance, who, day, visit[0] + chance.randint(10, 20)) for who, day, visit in chosen]


def _early(chance: random.Random, plans: dict[tuple[int, date], _Day], dates: list[date], victims: list[int]) -> list[tuple[str, ...]]:
    """Return uploads from three machines before their owners come."""
    found = []
    for day, who in zip(dates[2:], victims[:3], strict=False):
        plans[who, day] = plans.get((who, day)) or _Day(520, 1000, None)
        found.append(_upload(chance, who, day, 425 + chance.randint(0, 15)))
    return found


def _upload(chance: random.Random, who: int, day: date, minute: int) -> tuple[str, ...]:
    return _stamp(day, minute * 60 + chance.randint(0, 59)), _address(who), DROP, "443", str(chance.randint(8_000_000, 14_000_000))


def _unread(
    chance: random.Random, plans: dict[tuple[int, date], _Day], culprit: int, victims: list[int], dates: list[date]
) -> set[tuple[int, date]]:
    """Choose people who leave the classified area behind someone else and go in again later that day."""
    able = sorted(key for key, plan in plans.items() if len(plan.visits) >= 2 and key[0] not in {culprit, *victims} and key[1] in dates)
    return set(chance.sample(able, 5))


def _badge_rows(chance: random.Random, plans: dict[tuple[int, date], _Day], unread: set[tuple[int, date]]) -> Iterator[tuple[str, ...]]:
    for (who, day), plan in plans.items():
        yield _read(chance, day, plan.arrive, who, "front", "in")
        if plan.lunch:
            yield _read(chance, day, plan.lunch[1], who, "front", "in")
        for number, (since, until) in enumerate(plan.visits):
            yield _read(chance, day, since, who, "vault", "in")
            if number or (who, day) not in unread:
                yield _read(chance, day, until, who, "vault", "out")


def _read(chance: random.Random, day: date, minute: int, who: int, reader: str, way: str) -> tuple[str, ...]:
    return _stamp(day, minute * 60 + chance.randint(0, 59)), _badge(who), reader, way


def _flow_rows(chance: random.Random, plans: dict[tuple[int, date], _Day], a_day: float) -> Iterator[tuple[str, ...]]:
    places = [f"198.51.100.{number}" for number in range(20, 200)] + [f"203.0.113.{number}" for number in range(1, 120)]
    weights = list(accumulate(1 / (rank + 1) for rank in range(len(places))))
    inner = ["10.8.1.10", "10.8.1.11", "10.8.1.12"]
    locked = set(chance.sample(sorted(key for key, plan in plans.items() if plan.visits), 3))
    for (who, day), plan in plans.items():
        minutes = [minute for minute in range(plan.arrive, plan.leave) if plan.at_desk(minute)]
        for _ in range(int(a_day) + (chance.random() < a_day % 1)):
            minute = chance.choice(minutes)
            dst = chance.choice(inner) if chance.random() < 0.3 else chance.choices(places, cum_weights=weights)[0]
            size = min(900_000, int(chance.lognormvariate(8.0, 1.4)))
            yield (
                _stamp(day, minute * 60 + int(chance.random() * 60)),
                _address(who),
                dst,
                "80" if chance.random() < 0.3 else "443",
                str(size),
            )
        if chance.random() < 0.03:  # honest large uploads, from one's own desk
            size = chance.randint(5_000_000, 30_000_000)
            yield (
                _stamp(day, chance.choice(minutes) * 60 + 30),
                _address(who),
                chance.choices(places, cum_weights=weights)[0],
                "443",
                str(size),
            )
        if (who, day) in locked:  # a locked machine goes on synchronising while its owner is in the classified area
            yield _stamp(day, plan.visits[0][0] * 60 + 300), _address(who), POPULAR, "443", "6100000"


def _stamp(day: date, second: int) -> str:
    moment = datetime(day.year, day.month, day.day) + timedelta(seconds=second)  # noqa: DTZ001 - the device writes local time
    return moment.strftime("%Y-%m-%d %H:%M:%S")


GIVEN = [
    "Ada",
    "Bela",
    "Cleo",
    "Dora",
    "Emil",
    "Fine",
    "Gita",
    "Hugo",
    "Ines",
    "Jona",
    "Kiko",
    "Lena",
    "Milo",
    "Nora",
    "Otto",
    "Pia",
    "Rosa",
    "Sami",
    "Tilda",
    "Urs",
]
FAMILY = ["Albrecht", "Bauer", "Castelli", "Duarte", "Eklund", "Fischer"]


def _name(who: int) -> str:
    return f"{GIVEN[who % len(GIVEN)]} {FAMILY[who // 10 % len(FAMILY)]}"


def _badge(who: int) -> str:
    return str(410_000 + who * 37)


def _address(who: int) -> str:
    return f"10.8.0.{who}"


def _csv(header: tuple[str, ...], rows: object) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)  # type: ignore[arg-type]
    return text.getvalue()


def write(folder: Path) -> Month:
    """Write the small month that the tutorial's reader works with, and return it."""
    data = month(**SAMPLE)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("badges", "flows", "people", "workstations"):
        (folder / f"{name}.csv").write_text(getattr(data, name), encoding="utf-8")
    return data


if __name__ == "__main__":
    write(Path(__file__).parents[2] / "docs/tutorial/annex")
