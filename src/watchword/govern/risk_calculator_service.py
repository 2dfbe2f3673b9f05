"""Computes the measures of risk: expected loss, loss avoided, calibration of forecasts, loss avoided per euro decided on."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from watchword.govern.budget_service import Budgets
from watchword.govern.risk_forecast_service import RiskForecasts
from watchword.govern.risk_run_service import BARE, NOW, Result, RiskRuns
from watchword.measure.calculator import Input, Measured, measured
from watchword.measure.loss import expected_metric, reduction_metric
from watchword.measure.loss_simulation import HOUSE
from watchword.measure.steering import reduction_per_euro
from watchword.model.metric import MetricDefinition, Window

EXPECTED, REDUCTION, CALIBRATION, PER_EURO = "loss.expected", "loss.reduction", "forecast.calibration", "reduction_per_euro"


class RiskCalculator:
    """Implements `measure.calculator.Calculator` for K4 and the euro of K10; it reads the newest computation, it simulates nothing."""

    names: Sequence[str] = (EXPECTED, REDUCTION, CALIBRATION, PER_EURO)
    historic = False

    def __init__(self, runs: RiskRuns, forecasts: RiskForecasts, budgets: Budgets, definition: Callable[[str], MetricDefinition]) -> None:
        self._runs, self._forecasts, self._budgets, self._definition = runs, forecasts, budgets, definition

    def earliest(self) -> datetime | None:
        """Return when risks were first computed; None before that."""
        run = self._runs.latest()
        return run.done if run else None

    def compute(self, window: Window, now: datetime) -> Iterator[Measured]:
        """Compute the measures whose definitions have a window of this length."""
        wanted = {name: each for name in self.names if (each := self._definition(name)).window == window.length}
        run = self._runs.latest(window.until)
        if run is not None and {EXPECTED, REDUCTION} & set(wanted):
            with_them, without = self._runs.results(run.uid, NOW), self._runs.results(run.uid, BARE)
            if EXPECTED in wanted:
                yield from self._expected(wanted[EXPECTED], window, now, with_them)
            if REDUCTION in wanted:
                yield from self._reduction(wanted[REDUCTION], window, now, with_them, without)
        if CALIBRATION in wanted:
            yield self._calibration(wanted[CALIBRATION], window, now)
        if PER_EURO in wanted:
            yield from self._per_euro(wanted[PER_EURO], window, now)

    def _expected(self, definition: MetricDefinition, window: Window, now: datetime, found: dict[str, Result]) -> Iterator[Measured]:
        for uid, result in sorted(found.items()):
            value = expected_metric(result.picture.draws)
            if value is None:
                continue
            inputs = _inputs(found if uid == HOUSE else {uid: result})
            picture = result.picture
            yield measured(
                definition,
                window,
                now,
                value=value[0],
                lo=value[1][0],
                hi=value[1][1],
                n=max(1, len(found) - 1) if uid == HOUSE else 1,
                coverage=_evidenced(found if uid == HOUSE else {uid: result}),
                subject=uid,
                words=f"Mean of simulated years; the worst 5 % of years lose € {picture.tvar95:,.0f} on average.",
                details={"var95": picture.var95, "var99": picture.var99, "tvar95": picture.tvar95, "over_appetite": picture.over},
                uids=inputs,
            )

    def _reduction(
        self, definition: MetricDefinition, window: Window, now: datetime, after: dict[str, Result], before: dict[str, Result]
    ) -> Iterator[Measured]:
        for uid in sorted(set(after) & set(before)):
            value = reduction_metric(before[uid].picture.draws, after[uid].picture.draws)
            if value is None:
                continue
            mine = after if uid == HOUSE else {uid: after[uid]}
            yield measured(
                definition,
                window,
                now,
                value=value[0],
                lo=value[1][0],
                hi=value[1][1],
                n=max(1, len(mine) - 1) if uid == HOUSE else 1,
                coverage=_evidenced(mine),
                subject=uid,
                words="Simulated with and without the safeguards in place, on the same random numbers.",
                details={"without": before[uid].picture.mean, "with": after[uid].picture.mean},
                uids=_inputs(mine),
            )

    def _calibration(self, definition: MetricDefinition, window: Window, now: datetime) -> Measured:
        found = self._forecasts.calibration()
        held = found.held
        waiting = sum(outcome is None for _, outcome in self._forecasts.listed())
        words = (
            f"{held.k} of {held.n} intervals held."
            if held.n
            else f"No forecast is old enough to be scored; {waiting} wait for their time to be over."
        )
        details = {} if found.brier is None or found.baseline is None else {"brier": found.brier, "brier_baseline": found.baseline}
        return measured(definition, window, now, value=held.value, lo=held.lo, hi=held.hi, n=held.n, words=words, details=details)

    def _per_euro(self, definition: MetricDefinition, window: Window, now: datetime) -> Iterator[Measured]:
        bought = self._budgets.bought(now)
        value = reduction_per_euro((bought.mean, *bought.band), bought.yearly) if bought else None
        if bought is None or value is None:
            return
        words = f"€ {bought.mean:,.0f} a year avoided for € {bought.yearly:,.0f} a year, by {len(bought.uids)} investments decided on."
        uids = [("safeguard", uid) for uid in bought.uids]
        (low, high), count = value[1], len(bought.uids)
        yield measured(definition, window, now, value=value[0], lo=low, hi=high, n=count, words=words, uids=uids)


def _inputs(results: dict[str, Result]) -> list[Input]:
    return [("risk", uid) for uid in results if uid != HOUSE]


def _evidenced(results: dict[str, Result]) -> float:
    """Return the share of safeguards at work whose reliability was evidenced, not assumed; 1 where there are none."""
    guards = {guard.uid for result in results.values() if result.peril for guard in result.peril.guards}
    assumed = {uid for result in results.values() for uid in result.assumed}
    return 1 - len(guards & assumed) / len(guards) if guards else 1.0
