"""Risks and budget of a running house: the register with all that is computed from it, and what the measuring process does for it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from watchword.app.audit import Audit
from watchword.govern.budget_service import Budgets
from watchword.govern.candidate import Candidate
from watchword.govern.control_service import Controls
from watchword.govern.decision_service import Decisions
from watchword.govern.risk_agenda_service import RiskAgenda
from watchword.govern.risk_calculator_service import RiskCalculator
from watchword.govern.risk_event_service import RiskEvents
from watchword.govern.risk_forecast_service import RiskForecasts
from watchword.govern.risk_run_service import RiskRuns
from watchword.govern.risk_service import LOOK_BACK, Risks, Told, told_by
from watchword.govern.risk_treatment_service import RiskTreatments
from watchword.kit.clock import Clock
from watchword.kit.records import Records

if TYPE_CHECKING:
    from watchword.app.measures import Measures
    from watchword.app.watchword import Watchword


@dataclass(frozen=True, slots=True)
class RiskBook:
    """Everything about risks and the budget. Part of `Governance`."""

    register: Risks
    events: RiskEvents
    runs: RiskRuns
    treatments: RiskTreatments
    forecasts: RiskForecasts
    budgets: Budgets
    agenda: RiskAgenda

    def settle(self, now: datetime) -> None:
        """Do the computation that waits, and what follows from it: the budget, forecasts, acceptances that changed."""
        run = self.runs.do_waiting(now)
        if run is None or run.state != "done":
            return
        self.budgets.compute(run.uid, now)
        self.forecasts.make(run, now)
        self.treatments.reopen(now)

    def daily(self, now: datetime) -> None:
        """Look for events, score forecasts whose time is over, and ask for a computation of the day."""
        self.events.suggest(now)
        self.forecasts.score(now)
        self.runs.sweep(now)
        if self.register.scenarios():
            self.runs.ask(by="watchword", because="of the day")


def open_risk_book(
    records: Records, clock: Clock, audit: Audit, decisions: Decisions, measures: "Measures", controls: Controls
) -> tuple[RiskBook, Callable[[datetime], list[Candidate]]]:
    """Put the parts together, follow decisions, and hand in the calculator; return the book and what it puts forward for agendas."""

    def told(control: str, since: datetime, until: datetime) -> Told | None:
        return told_by(controls.spans(since - LOOK_BACK, until, control).get(control, ()), since, until)

    risks = Risks(records, clock, audit, told)
    events = RiskEvents(records, clock, audit, risks)
    runs = RiskRuns(records, clock, risks)
    treatments = RiskTreatments(records, clock, audit, risks, runs)
    forecasts = RiskForecasts(records, clock, risks, runs)
    budgets = Budgets(records, risks, runs)

    def present(name: str) -> str:
        found = measures.metrics.latest(name)
        return found.uid if found is not None else ""

    def fallen() -> str:
        points, found = measures.metrics.signals("loss.reduction")
        newest = [each for each in (found.signals if found else ()) if each.index == len(points) - 1 and each.good is False]
        return f"Loss avoided: {newest[-1].says}" if newest else ""

    agenda = RiskAgenda(risks, events, runs, treatments, present, fallen)
    decisions.checks.append(treatments.check_decision)
    decisions.on_decided.append(treatments.on_decided)
    measures.calculators.append(RiskCalculator(runs, forecasts, budgets, measures.metrics.definition))
    return RiskBook(risks, events, runs, treatments, forecasts, budgets, agenda), agenda.candidates


def settle_risks(watchword: "Watchword", now: datetime) -> None:
    """Do the computation of risks that waits (a job of the measuring process)."""
    watchword.governance.risks.settle(now)


def follow_risks(watchword: "Watchword", now: datetime) -> None:
    """Look for events of risks and ask for the computation of the day (a job of the measuring process)."""
    watchword.governance.risks.daily(now)
