"""What risks put forward for an agenda: over the appetite, risen, accepted but changed or at an end, words that are owed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from watchword.govern.appetite import Appetite, Stand, stand_of, words_of
from watchword.govern.candidate import Candidate, IsoInput, staleness_of, urgency_of
from watchword.govern.risk_event_service import SUGGESTED, RiskEvents
from watchword.govern.risk_run_service import NOW, Result, RiskRuns, Run
from watchword.govern.risk_service import Risks
from watchword.govern.risk_treatment_service import RiskTreatments
from watchword.govern.scenario import Scenario
from watchword.govern.treatment import Treatment, Treats
from watchword.measure.loss_simulation import HOUSE

OVER: Final = frozenset({Stand.OVER, Stand.SURELY_OVER})
LOOK_BACK: Final = timedelta(days=28)
"""A risk is compared with what it was this long ago."""
MOVED: Final = 0.25
"""A mean that rose by more than this share is put forward …"""
LEAST: Final = 1_000.0
"""… if it is this many euros a year, too."""
OWED: Final = timedelta(days=14)
"""A suggested event waits this long for a word before it is put forward."""
WORDS: Final = {
    "estimate": "a changed estimate",
    "events": "what was seen",
    "controls": "its safeguards",
    "reliability": "how far they worked",
    "treatment": "its treatment",
}


class RiskAgenda:
    """Hands in candidates of the kind ``risk``."""

    def __init__(
        self,
        risks: Risks,
        events: RiskEvents,
        runs: RiskRuns,
        treatments: RiskTreatments,
        metric: Callable[[str], str],
        fallen: Callable[[], str] = str,
    ) -> None:
        self._risks, self._events, self._runs, self._treatments = risks, events, runs, treatments
        self._metric = metric
        """Name of a measure → uid of its present value; empty: none."""
        self._fallen = fallen
        """What the newest signal in the loss avoided says, if it is a turn to the worse; empty: there is none."""

    def candidates(self, now: datetime) -> list[Candidate]:
        """Return what could be talked about now."""
        run = self._runs.latest()
        if run is None:
            return []
        results = self._runs.results(run.uid, NOW)
        accepted = self._accepted(now)
        found = self._house(results)
        for scenario in self._risks.scenarios():
            result = results.get(scenario.uid)
            if result is None:
                continue
            mine = accepted.get(scenario.uid)
            if mine is not None:
                found += self._acceptance(scenario, mine, result, now)
            if mine is None or not mine.in_force(now):
                found += self._over(scenario, result, run, now)
            found += self._risen(scenario, result, run, now)
        return found + self._owed(now) + self._signal(results)

    def _accepted(self, now: datetime) -> dict[str, Treatment]:
        """Return scenario → its newest acceptance that nobody ended."""
        found: dict[str, Treatment] = {}
        for each in self._treatments.listed():
            if each.kind is Treats.ACCEPT and each.ended is None and each.since <= now:
                found.setdefault(each.scenario, each)
        return found

    def _metrics(self) -> tuple[str, ...]:
        return tuple(uid for name in ("loss.expected", "loss.reduction") if (uid := self._metric(name)))

    def _house(self, results: dict[str, Result]) -> list[Candidate]:
        appetite, house = self._risks.appetite(), results.get(HOUSE)
        if house is None or stand_of(appetite, house.picture.over, house.picture.over_band) not in OVER:
            return []
        why = words_of(appetite, house.picture.over, house.picture.over_band)
        worth = _to_shed(house, appetite)
        return [
            Candidate(
                "risk",
                "All risks together are over the appetite",
                why,
                worth,
                2.0,
                1.0,
                20,
                "joint",
                IsoInput.RISKS,
                ("risk:",),
                self._metrics(),
            )
        ]

    def _over(self, scenario: Scenario, result: Result, run: Run, now: datetime) -> list[Candidate]:
        appetite, picture = Appetite(scenario.appetite, scenario.appetite_share), result.picture
        stand = stand_of(appetite, picture.over, picture.over_band)
        if stand not in OVER:
            return []
        why = words_of(appetite, picture.over, picture.over_band)
        age = (now - (run.done or now)) / timedelta(days=1)
        urgency, worth = (3.0 if stand is Stand.SURELY_OVER else 2.0), _to_shed(result, appetite)
        title, refs = f"Over the appetite: {scenario.title}", (f"risk:{scenario.uid}",)
        return [Candidate("risk", title, why, worth, urgency, staleness_of(age, 7), 15, "joint", IsoInput.RISKS, refs, self._metrics())]

    def _acceptance(self, scenario: Scenario, mine: Treatment, result: Result, now: datetime) -> list[Candidate]:
        refs = (f"risk:{scenario.uid}", f"decision:{mine.decision}")
        worth = result.picture.mean
        if mine.reopened and mine.in_force(now):
            title, why = f"Accepted, but changed since: {scenario.title}", f"{mine.reopened} It was accepted as it stood then."
            return [Candidate("acceptance", title, why, worth, 3.0, 1.0, 15, "joint", IsoInput.RISKS, refs, self._metrics())]
        if mine.expires is not None and (mine.expires - now.date()).days <= 30:
            urgency = urgency_of(mine.expires, now.date())
            ended = "has ended" if mine.expires < now.date() else "ends"
            title, why = (
                f"Acceptance {ended}: {scenario.title}",
                f"The acceptance {ended} on {mine.expires.isoformat()}; expected loss € {worth:,.0f} a year.",
            )
            return [Candidate("acceptance", title, why, worth, urgency, 1.0, 10, "joint", IsoInput.RISKS, refs, self._metrics())]
        return []

    def _risen(self, scenario: Scenario, result: Result, run: Run, now: datetime) -> list[Candidate]:
        before = self._runs.latest(now - LOOK_BACK)
        old = self._runs.result(before.uid, NOW, scenario.uid) if before is not None and before.uid != run.uid else None
        if before is None or old is None:
            return []
        rise = result.picture.mean - old.picture.mean
        if rise < LEAST or rise < MOVED * old.picture.mean:
            return []
        moves = self._runs.moves(run, before, scenario.uid)
        cause = max(moves, key=lambda name: moves[name]) if moves else ""
        most = f", most of it by {WORDS[cause]} (€ {moves[cause]:+,.0f})" if cause and moves[cause] > 0 else ""
        why = f"Expected loss rose from € {old.picture.mean:,.0f} to € {result.picture.mean:,.0f} a year in four weeks{most}."
        refs = (f"risk:{scenario.uid}",)
        return [
            Candidate("risk-change", f"Risen: {scenario.title}", why, rise, 2.0, 1.0, 10, "joint", IsoInput.RISKS, refs, self._metrics())
        ]

    def _signal(self, results: dict[str, Result]) -> list[Candidate]:
        """Return that the safeguards avoid less than they did, where the series of daily values says so beyond its own noise."""
        why = self._fallen()
        if not why or HOUSE not in results:
            return []
        title, refs = "The safeguards avoid less loss than they did", ("metric:loss.reduction|",)
        worth = results[HOUSE].picture.mean * MOVED
        return [Candidate("risk-change", title, why, worth, 2.0, 1.0, 15, "joint", IsoInput.RISKS, refs, self._metrics())]

    def _owed(self, now: datetime) -> list[Candidate]:
        old = [each for each in self._events.listed(state=SUGGESTED) if now - each.at > OWED]
        if not old:
            return []
        days = max((now - each.at).days for each in old)
        title = f"{len(old)} incidents wait for a word whether they were events of a risk"
        why = f"The oldest waits {days} days; until somebody says, the estimates learn nothing from them."
        refs = ("risk-events:",)
        return [Candidate("risk-events", title, why, None, 1.5, staleness_of(days, OWED.days), 5, "joint", IsoInput.MEASUREMENTS, refs)]


def _to_shed(result: Result, appetite: Appetite) -> float:
    """Return about how much expected loss would have to go: the part of the mean by which the probability is too high."""
    over = result.picture.over
    return result.picture.mean * max(0.0, 1 - appetite.share / over) if over > 0 else 0.0
