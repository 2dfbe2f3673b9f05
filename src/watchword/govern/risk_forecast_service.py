"""Forecasts kept: made with a computation, scored when their time is over, and shown beside the next ones."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from watchword.govern.forecast import EVERY, HORIZONS, Calibration, Forecast, Outcome, calibration
from watchword.govern.risk_run_service import NOW, RiskRuns, Run
from watchword.govern.risk_service import Risks
from watchword.govern.risk_tables import event
from watchword.govern.risk_tables import forecast as table
from watchword.govern.scenario import YEAR
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.ids import uid_of
from watchword.kit.records import Records
from watchword.measure.loss import Peril
from watchword.measure.loss_simulation import INNER, OUTER, simulate


class RiskForecasts:
    """Makes and scores forecasts of the number of events and of the loss."""

    def __init__(self, records: Records, clock: Clock, risks: Risks, runs: RiskRuns) -> None:
        self._records, self._clock, self._risks, self._runs = records, clock, risks, runs

    def make(self, run: Run, now: datetime, *, outer: int = OUTER, inner: int = INNER) -> int:
        """Forecast every scenario whose events are counted, unless that was done lately; return how many forecasts were made."""
        results = self._runs.results(run.uid, NOW)
        counted = {each.uid for each in self._risks.scenarios() if each.counted_since is not None}
        perils = [each.peril for uid, each in results.items() if uid in counted and each.peril is not None]
        fresh = [each.peril for each in results.values() if each.peril is not None]
        if not perils or not self._due(now):
            return 0
        made = to_millisecond(now)
        rows = []
        for horizon in HORIZONS:
            share = horizon / YEAR
            pictures = simulate({NOW: [_over(each, share) for each in fresh]}, outer=outer, inner=inner, seed=f"forecast {run.seed}")[NOW]
            for peril in perils:
                each = pictures[peril.uid]
                values = {"scenario": peril.uid, "made": made, "until": made + horizon, "run": run.uid, "mean": each.mean}
                values |= {"any_event": each.any_event, "events_low": each.events_range[0], "events_high": each.events_range[1]}
                values |= {"loss_low": each.loss_range[0], "loss_high": each.loss_range[1]}
                rows.append({"uid": uid_of("forecast", peril.uid, made.isoformat(), str(horizon.days)), **values})
        with self._records.begin() as connection:
            connection.execute(insert(table), rows)
        return len(rows)

    def _due(self, now: datetime) -> bool:
        with self._records.read() as connection:
            last = connection.execute(select(func.max(table.c.made))).scalar()
        return last is None or now - last >= EVERY

    def score(self, now: datetime) -> int:
        """Note what came of every forecast whose time is over, and return how many.

        Only events that a person confirmed count; while a suggestion of that time still waits for a word, the forecast waits too.
        """
        scored = 0
        with self._records.begin() as connection:
            for row in connection.execute(select(table).where(table.c.scored.is_(None), table.c.until <= now)).all():
                mine = (event.c.scenario == row.scenario, event.c.at >= row.made, event.c.at < row.until)
                events = connection.execute(select(event.c.state, event.c.loss).where(*mine)).all()
                if any(each.state == "suggested" for each in events):
                    continue
                losses = [each.loss for each in events if each.state == "confirmed"]
                known = None if any(loss is None for loss in losses) else sum(losses)
                values = {"scored": to_millisecond(now), "came": len(losses), "came_loss": known}
                connection.execute(update(table).where(table.c.uid == row.uid).values(**values))
                scored += 1
        return scored

    def listed(self, scenario: str = "", limit: int = 200) -> list[tuple[Forecast, Outcome | None]]:
        """Return forecasts with what came of them (None: not over yet), newest first."""
        query = select(table).order_by(table.c.made.desc(), table.c.until.desc(), table.c.scenario).limit(limit)
        if scenario:
            query = query.where(table.c.scenario == scenario)
        with self._records.read() as connection:
            return [(_forecast(row), _outcome(row)) for row in connection.execute(query)]

    def calibration(self, scenario: str = "", since: datetime | None = None) -> Calibration:
        """Return how good the forecasts were whose time is over (and that were scored since a moment)."""
        query = select(table).where(table.c.scored.is_not(None))
        if scenario:
            query = query.where(table.c.scenario == scenario)
        if since is not None:
            query = query.where(table.c.scored >= since)
        with self._records.read() as connection:
            rows: Sequence[Row[Any]] = connection.execute(query).all()
        return calibration([(_forecast(row), Outcome(row.came, row.came_loss)) for row in rows])


def _over(peril: Peril, share: float) -> Peril:
    """Return a scenario as it is over a part of a year: the rate is per year, so its years are stretched."""
    return Peril(
        uid=peril.uid,
        shape=peril.shape + peril.events,
        years=(peril.years + peril.exposure) / share,
        low=peril.low,
        high=peril.high,
        guards=peril.guards,
        parents=peril.parents,
        losses=peril.losses,
        weight=peril.weight,
        retention=peril.retention,
        cover=peril.cover,
        avoided=peril.avoided,
        appetite=peril.appetite,
    )


def _forecast(row: Row[Any]) -> Forecast:
    events, losses = (row.events_low, row.events_high), (row.loss_low, row.loss_high)
    return Forecast(row.uid, row.scenario, row.made, row.until, row.any_event, events, losses, row.mean, row.run)


def _outcome(row: Row[Any]) -> Outcome | None:
    return None if row.scored is None else Outcome(row.came, row.came_loss)
