"""The measures of a running house: the registry of metrics, what computes them, and the services of the room `measure`."""

from collections.abc import Callable
from dataclasses import dataclass, field

from watchword.app.audit import Audit
from watchword.kit.clock import Clock
from watchword.kit.records import Records
from watchword.measure.calculator import Calculator
from watchword.measure.compute_service import Computing
from watchword.measure.incident_facts_service import IncidentBookFacts, TeamOf
from watchword.measure.metric_service import Metrics
from watchword.measure.response_calculator_service import CollaborationCalculator, ResponseCalculator


@dataclass(slots=True)
class Measures:
    """Everything that measures. Part of a `Watchword`."""

    metrics: Metrics
    computing: Computing
    incidents: IncidentBookFacts
    """What is known of incidents, as measures see it."""
    calculators: list[Calculator] = field(default_factory=list)
    """What computes the measures; each slice appends its own in `open_measures`, or governance hands one in later."""


def open_measures(records: Records, clock: Clock, audit: Audit, *, team_of: TeamOf) -> Measures:
    """Put the parts together; nothing is computed."""
    metrics = Metrics(records, clock, audit)
    incidents = IncidentBookFacts(records, team_of)
    calculators: list[Calculator] = [ResponseCalculator(incidents), CollaborationCalculator(incidents)]
    listed: Callable[[], list[Calculator]] = lambda: calculators  # noqa: E731 - the list grows while the house is put together
    return Measures(metrics, Computing(metrics, listed), incidents, calculators)
