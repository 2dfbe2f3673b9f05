"""The queue with known truth: ten analysts work a ticket queue for sixteen weeks, honestly or gaming from week eight on.

It exists to prove detectors and to show what counting closures rewards. Nothing in it is a person: analysts are numbers.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum
from math import exp
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEEK: Final = 1800.0
"""Minutes of work that one analyst does in a week; the clock of the simulation counts only these."""
WEIGHTS: Final = (1, 4, 16, 64)
"""What a closed item of each severity is worth."""
MEDIANS: Final = (10.0, 25.0, 90.0, 240.0)
"""Median minutes of handling, by severity."""
SIGMA: Final = 0.6
"""Spread of the lognormal handling time."""
MIX: Final = (0.72, 0.19, 0.07, 0.02)
"""Share of each severity among arrivals."""
NOISY_MIX: Final = (0.85, 0.10, 0.04, 0.01)
LOAD: Final = 1.08
"""Work that arrives for each minute that can be worked, before anything is reopened."""
HONEST_TOP: Final = 0.8
HONEST_DOWNGRADE: Final = 0.12
HONEST_REOPEN: Final = 0.04
PREMATURE_SHARE: Final = 0.35
PREMATURE_REOPEN: Final = 0.25
BULK_REOPEN: Final = 0.10
BULK_MINUTES: Final = 0.25
BULK_MOST: Final = 40
BULK_OFTEN: Final = 0.75
"""How often a bulk closer who is free late in the week sweeps rather than works; fitted to the design's table, which leaves it open."""
BULK_FROM: Final = 0.96
"""Share of a week after which the bulk closer sweeps the low items."""
_BELL: Final = -1
"""In place of an analyst: the end of a week."""


class Scheme(StrEnum):
    """How an analyst bends the count."""

    HONEST = "honest"
    CHERRY_PICK = "cherry_pick"
    """Takes the lowest severity that waits."""
    BULK = "bulk"
    """Sweeps low items at the end of the week without looking at them."""
    DOWNGRADE = "downgrade"
    """Marks severe items as low when closing them."""
    PREMATURE = "premature"
    """Closes after a third of the work; more comes back."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens from week `change` on; before it, everyone is honest and the load is as always."""

    name: str
    story: str
    scheme: Scheme = Scheme.HONEST
    intensity: float = 0.0
    """Probability with which a gaming analyst games each time, 0 to 1."""
    gamers: int = 0
    """How many game: the analysts with the lowest numbers."""
    mix: tuple[float, ...] = MIX
    """Severities of arrivals from `change` on, at the same load."""
    speed: float = 1.0
    """Handling times from `change` on, times this."""
    arrivals: float = 1.0
    """Arrivals from `change` on, times this."""
    away: int = 0
    """How many are away from `change` on: the analysts with the highest numbers."""
    analysts: int = 10
    weeks: int = 16
    change: int = 8


@dataclass(frozen=True, slots=True)
class QueueRun:
    """What one run left: a row for each closure in the order of closing, and a row for each week's end. Times in minutes of work."""

    scenario: Scenario
    analyst: NDArray[np.int64]
    picked: NDArray[np.float64]
    closed: NDArray[np.float64]
    entered: NDArray[np.float64]
    """When the item came into the queue (again)."""
    severity: NDArray[np.int64]
    """True severity, 0 (low) to 3 (critical)."""
    label: NDArray[np.int64]
    """Severity that the closer gave it."""
    reopened: NDArray[np.bool_]
    waiting: NDArray[np.int64]
    """Items of each severity that waited just before the pick, shape (closures, 4)."""
    open_risk_hours: NDArray[np.float64]
    """Weight times age in hours, summed over what waits at the end of each week."""
    archived: int
    """Low items that nobody touched within a week."""

    def weeks(self, first: int, last: int) -> NDArray[np.bool_]:
        """Return which closures fell into weeks `first` to `last`, both included."""
        chosen: NDArray[np.bool_] = (self.closed >= first * WEEK) & (self.closed < (last + 1) * WEEK)
        return chosen


def scenarios() -> tuple[Scenario, ...]:
    """Return the fourteen scenarios of the design: five honest, nine gamed."""
    one, team = "one", "team"
    gamed = []
    for scheme, story, intensities, who in (
        (Scheme.CHERRY_PICK, "with probability g takes the lowest severity that waits", (0.25, 0.6), one),
        (Scheme.CHERRY_PICK, "with probability g takes the lowest severity that waits", (0.25, 0.6), team),
        (Scheme.BULK, "sweeps low items at the end of each week", (0.6,), one),
        (Scheme.DOWNGRADE, "with probability g marks a severe item as low", (0.25, 0.6), one),
        (Scheme.PREMATURE, "with probability g closes after a third of the work", (0.25, 0.6), one),
    ):
        gamed += [Scenario(f"{scheme}_g{g:g}_{who}", story, scheme, g, 1 if who == one else 10) for g in intensities]
    return (
        Scenario("honest", "nothing changes"),
        Scenario("honest_mix_shift", "a noisy rule shifts the mix at the same load", mix=NOISY_MIX),
        Scenario("honest_automation", "handling takes 15 % less time", speed=0.85),
        Scenario("honest_surge", "a quarter more of every severity", arrivals=1.25),
        Scenario("honest_holiday", "three of ten are away", away=3),
        *gamed,
    )


def scenario(name: str) -> Scenario:
    """Return a scenario by its name.

    Raises:
        LookupError: there is none of that name.
    """
    for each in scenarios():
        if each.name == name:
            return each
    raise LookupError(f"no scenario {name!r}: there are {', '.join(one.name for one in scenarios())}")


def at_intensity(chosen: Scenario, intensity: float) -> Scenario:
    """Return a scenario with another intensity of gaming."""
    return replace(chosen, name=f"{chosen.scheme}_g{intensity:g}", intensity=intensity)


def run_queue(chosen: Scenario, seed: int) -> QueueRun:
    """Work through the weeks and return what each analyst picked and closed; the same seed gives the same run."""
    return _Desk(chosen, seed).work()


def _arrivals(chosen: Scenario, seed: int) -> tuple[list[float], list[int]]:
    """Return when items arrive, and of which severity."""
    import numpy as np  # noqa: PLC0415 - heavy, and wanted by those who compute only

    rng = np.random.default_rng([seed, 6])
    mean = np.array(MEDIANS) * np.exp(SIGMA**2 / 2)
    times, severities = [], []
    for since, until, mix, more in ((0, chosen.change, MIX, 1.0), (chosen.change, chosen.weeks, chosen.mix, chosen.arrivals)):
        rate = LOAD * chosen.analysts * WEEK / float(np.dot(mix, mean)) * more
        count = int(rng.poisson(rate * (until - since)))
        times.append(np.sort(rng.uniform(since * WEEK, until * WEEK, count)))
        severities.append(rng.choice(4, count, p=mix))
    moments = np.concatenate(times)
    return moments.tolist(), np.concatenate(severities).tolist()


class _Desk:
    """The queue and the people at it."""

    def __init__(self, chosen: Scenario, seed: int) -> None:
        self.scenario = chosen
        self.chance = random.Random(f"queue {seed}")
        self.times, self.severities = _arrivals(chosen, seed)
        self.times.append(float("inf"))
        self.next = 0
        self.queues: list[deque[float]] = [deque() for _ in range(4)]
        self.rows: list[tuple[int, float, float, float, int, int, bool, int, int, int, int]] = []
        self.held: dict[int, list[tuple[int, float, float]]] = {}
        self.risk: list[float] = []
        self.archived = 0
        self.turn = chosen.change * WEEK

    def work(self) -> QueueRun:
        import numpy as np  # noqa: PLC0415 - heavy, and wanted by those who compute only

        end = self.scenario.weeks * WEEK
        calendar = [(self.chance.random(), each) for each in range(self.scenario.analysts)]
        calendar += [((week + 1) * WEEK, _BELL) for week in range(self.scenario.weeks)]
        heapq.heapify(calendar)
        while calendar:
            now, who = heapq.heappop(calendar)
            self._admit(now)
            if who == _BELL:
                self._ring(now)
                continue
            for severity, _, _ in self.held.pop(who, ()):
                self.queues[severity].append(now)
            if now >= end or (now >= self.turn and who >= self.scenario.analysts - self.scenario.away):
                continue
            end_of_week = now - now % WEEK + WEEK
            free = self._take(who, now, end_of_week)
            if free >= end_of_week:
                free = end_of_week + self.chance.random()
            heapq.heappush(calendar, (free, who))
        rows = np.array(sorted((row for row in self.rows if row[2] < end), key=lambda row: row[2]), dtype=float).reshape(-1, 11)
        whole = rows.astype(np.int64)
        return QueueRun(
            self.scenario,
            whole[:, 0],
            rows[:, 1],
            rows[:, 2],
            rows[:, 3],
            whole[:, 4],
            whole[:, 5],
            whole[:, 6].astype(bool),
            whole[:, 7:11],
            np.array(self.risk),
            self.archived,
        )

    def _admit(self, now: float) -> None:
        """Let in what has arrived, and archive the low items that waited for a week."""
        times, at = self.times, self.next
        while times[at] <= now and at < len(self.severities):
            self.queues[self.severities[at]].append(times[at])
            at += 1
        self.next = at
        low = self.queues[0]
        while low and low[0] < now - WEEK:
            low.popleft()
            self.archived += 1

    def _ring(self, now: float) -> None:
        hours = (weight * sum(now - entered for entered in queue) / 60 for weight, queue in zip(WEIGHTS, self.queues, strict=True))
        self.risk.append(sum(hours))

    def _take(self, who: int, now: float, end_of_week: float) -> float:
        """Pick and work; return when this analyst looks again. What is begun is finished, after hours if need be."""
        waiting = [len(queue) for queue in self.queues]
        if not any(waiting):
            return self.times[self.next]
        scheme, gaming = self.scenario.scheme, now >= self.turn and who < self.scenario.gamers
        games = gaming and self.chance.random() < self.scenario.intensity
        late = now % WEEK >= BULK_FROM * WEEK
        if gaming and scheme is Scheme.BULK and waiting[0] and late and self.chance.random() < BULK_OFTEN:
            return self._sweep(who, now, end_of_week, waiting[0])
        severity = self._pick(waiting, lowest=games and scheme is Scheme.CHERRY_PICK)
        hasty = games and scheme is Scheme.PREMATURE
        minutes = MEDIANS[severity] * self._spread() * (PREMATURE_SHARE if hasty else 1.0)
        if now >= self.turn:
            minutes *= self.scenario.speed
        downgraded = severity > 1 and (self.chance.random() < HONEST_DOWNGRADE or (games and scheme is Scheme.DOWNGRADE))
        again = self.chance.random() < (PREMATURE_REOPEN if hasty else HONEST_REOPEN)
        self._close(who, now, min(now + minutes, end_of_week), severity, 0 if downgraded else severity, again, waiting)
        return now + minutes

    def _spread(self) -> float:
        return exp(SIGMA * self.chance.gauss(0.0, 1.0))

    def _pick(self, waiting: list[int], *, lowest: bool) -> int:
        present = [severity for severity in range(4) if waiting[severity]]
        if lowest:
            return present[0]
        if self.chance.random() < HONEST_TOP:
            return present[-1]
        place = self.chance.random() * sum(waiting)
        for severity in present:
            place -= waiting[severity]
            if place < 0:
                return severity
        return present[-1]

    def _sweep(self, who: int, now: float, end_of_week: float, low: int) -> float:
        moment = now
        for _ in range(min(round(BULK_MOST * self.scenario.intensity), low)):
            before = [len(queue) for queue in self.queues]
            self._close(who, moment, min(moment + BULK_MINUTES, end_of_week), 0, 0, self.chance.random() < BULK_REOPEN, before)
            moment += BULK_MINUTES
        return moment

    def _close(self, who: int, now: float, done: float, severity: int, label: int, again: bool, waiting: list[int]) -> None:
        entered = self.queues[severity].popleft()
        if again:
            self.held.setdefault(who, []).append((severity, entered, done))
        self.rows.append((who, now, done, entered, severity, label, again, *waiting))  # type: ignore[arg-type]
