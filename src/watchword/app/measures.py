"""The measures of a running house: the registry of metrics, what computes them, and the services of the room `measure`."""

from collections.abc import Callable
from dataclasses import dataclass, field

from watchword.app.audit import Audit
from watchword.app.closure_deeds import FindingDeeds
from watchword.app.report_shelf import ReportShelf
from watchword.app.share import Shares
from watchword.kit.clock import Clock
from watchword.kit.records import Records
from watchword.measure.calculator import Calculator
from watchword.measure.closure_log_service import ClosureBook
from watchword.measure.compute_service import Computing
from watchword.measure.gaming_service import Gaming
from watchword.measure.incident_facts_service import IncidentBookFacts, TeamOf
from watchword.measure.metric_service import Metrics
from watchword.measure.objective_service import Objectives
from watchword.measure.response_calculator_service import CollaborationCalculator, ResponseCalculator
from watchword.measure.review_service import ReviewCalculator, Reviews
from watchword.measure.study_service import Studies
from watchword.measure.uptime_calculator_service import UptimeCalculator
from watchword.measure.uptime_service import Uptime


@dataclass(slots=True)
class Measures:
    """Everything that measures. Part of a `Watchword`."""

    metrics: Metrics
    computing: Computing
    incidents: IncidentBookFacts
    """What is known of incidents, as measures see it."""
    uptime: Uptime
    """Components and zones: whether they did their work."""
    objectives: Objectives
    """How much uptime is promised, and what is left of it."""
    shares: Shares
    """Links by which others read the dashboard."""
    reports: ReportShelf
    """The board reports of the months past."""
    reviews: Reviews
    """Closures that a second person looks at, blind."""
    gaming: Gaming
    """Detectors that ask whether a measure is being played."""
    studies: Studies
    """Demonstrations from simulation."""
    calculators: list[Calculator] = field(default_factory=list)
    """What computes the measures; each slice appends its own in `open_measures`, or governance hands one in later."""


def open_measures(
    records: Records, clock: Clock, audit: Audit, *, team_of: TeamOf, uptime: Uptime, objectives: Objectives, persons: bool = False
) -> Measures:
    """Put the parts together; nothing is computed."""
    metrics = Metrics(records, clock, audit)
    incidents = IncidentBookFacts(records, team_of)
    calculators: list[Calculator] = [ResponseCalculator(incidents), CollaborationCalculator(incidents)]
    calculators.append(UptimeCalculator(records, uptime, objectives, metrics.definition))
    book = ClosureBook(records, FindingDeeds(records), team_of)
    reviews = Reviews(records, clock, audit, book)
    calculators.append(ReviewCalculator(reviews))
    listed: Callable[[], list[Calculator]] = lambda: calculators  # noqa: E731 - the list grows while the house is put together
    return Measures(
        metrics,
        Computing(metrics, listed),
        incidents,
        uptime,
        objectives,
        Shares(records, clock, audit),
        ReportShelf(records, clock),
        reviews,
        Gaming(records, clock, audit, metrics, book, incidents, persons=persons),
        Studies(records, clock),
        calculators,
    )
