"""The dashboard: the headline and what moved it, every measure of both teams in one row, and what is out of its limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from watchword.app.measures import Measures
from watchword.app.metric_words import MISSED, REACHED, flag_words, standing
from watchword.kit.clock import to_millisecond
from watchword.measure.grade import grade_now, is_stale
from watchword.measure.metric_service import Metrics
from watchword.measure.response_times import Move, risk_hours_moved
from watchword.measure.xmr import Chart, Signal
from watchword.model.metric import Grade, Metric, MetricDefinition, Target, Window

HEADLINE: Final = "risk_hours"
SPAN: Final = timedelta(days=400)
"""How far back series are read."""
LATELY: Final = 2
"""A signal in one of so many newest periods is news."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one section of the dashboard holds."""

    key: str
    title: str
    asks: str
    """The question that it answers."""
    first: tuple[str, ...]
    """Measures that stand open, in this order."""
    others: tuple[str, ...]
    """Measures behind a fold: names, or beginnings of names that end in a dot."""


PARTS: Final = (
    Part(
        "uptime",
        "Uptime",
        "Do the systems that protect us work?",
        ("uptime.zone", "uptime.component", "error_budget.left"),
        ("error_budget.", "uptime.", "slo.", "dependency."),
    ),
    Part(
        "risk",
        "Risk reduction",
        "What could we lose in a year, and how much of it do our controls take away?",
        ("loss.expected", "loss.reduction", "reduction_per_euro"),
        ("loss.", "forecast.", "entity_risk"),
    ),
    Part(
        "compliance",
        "Compliance and policies",
        "What is evidenced, what failed, and what does nobody know?",
        ("compliance.pass", "compliance.fail", "compliance.unknown", "policy_alignment"),
        ("compliance.", "policy_conflict", "policy."),
    ),
    Part(
        "response",
        "Response",
        "How fast is harm stopped, counting what still waits?",
        ("response.acknowledge", "response.contain", "response.resolve", "response.reopen_share"),
        ("response.", "risk_hours_backlog", "review.", "findings."),
    ),
    Part(
        "collaboration",
        "Collaboration",
        "Do both teams work on what needs both?",
        ("joint_engagement", "handoff_latency", "two_clock_gap"),
        ("missed_joins", "handoff.", "two_clock_gap.", "labels.", "meeting_equity"),
    ),
    Part(
        "skills",
        "Skills",
        "Who can do what is needed, on every shift?",
        ("participation", "skill_cover", "bus_factor"),
        ("skill_gap", "skill."),
    ),
    Part(
        "steering",
        "Steering",
        "Do decisions come, hold, and have an effect?",
        ("decision_latency", "reviews_kept", "decisions.without_effect"),
        ("quorum", "chair_spread", "objections.", "decisions.", "actions."),
    ),
)
OTHER: Final = Part("other", "Further measures", "What else is measured?", (), ("",))


@dataclass(frozen=True, slots=True)
class Cell:
    """One value with the grade that it has now."""

    metric: Metric | None
    grade: Grade = Grade.D
    because: str = ""
    stale: bool = False

    @property
    def known(self) -> bool:
        """Tell whether there is a figure at all."""
        return self.metric is not None and self.metric.value is not None

    @property
    def credible(self) -> bool:
        """Tell whether the figure may be shown as one."""
        return self.known and self.grade is not Grade.D


NOTHING: Final = Cell(None)


@dataclass(frozen=True, slots=True)
class Counter:
    """The counter-metric that stands beside a measure."""

    definition: MetricDefinition
    cell: Cell


@dataclass(frozen=True, slots=True)
class Row:
    """One measure: what both teams answer for together, and each team's part."""

    definition: MetricDefinition
    house: Cell
    """The value of both together."""
    it: Cell
    physical: Cell
    points: Sequence[Metric]
    """Closed periods that have a value, oldest first."""
    chart: Chart | None
    target: Target | None = None
    counter: Counter | None = None

    @property
    def signal(self) -> Signal | None:
        """Return the newest signal, if it fell in one of the newest periods."""
        found = [each for each in (self.chart.signals if self.chart else ()) if each.index >= len(self.points) - LATELY]
        return found[-1] if found else None

    @property
    def signal_until(self) -> datetime | None:
        """Return when the period of the newest signal ended."""
        return self.points[self.signal.index].window.until if self.signal else None

    @property
    def standing(self) -> str:
        """Return whether its target is reached, missed or too close to tell; empty: no target, or nothing credible to compare."""
        if self.target is None or self.house.metric is None or not self.house.credible:
            return ""
        return standing(self.definition, self.house.metric, self.target)

    @property
    def split(self) -> bool:
        """Tell whether the teams have values of their own."""
        return self.it.metric is not None or self.physical.metric is not None


@dataclass(frozen=True, slots=True)
class Section:
    """Measures that answer one question."""

    part: Part
    rows: Sequence[Row]
    more: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Headline:
    """The risk-hours, and what moved them between two windows."""

    row: Row
    before: float | None
    after: float | None
    window: timedelta
    moves: Sequence[Move]

    @property
    def change(self) -> float | None:
        """Return by how much it rose: above 0 is a worsening."""
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def chance(self) -> tuple[float, float] | None:
        """Return the band within which chance alone moves it from window to window."""
        details = self.row.house.metric.details if self.row.house.metric else {}
        return (details["by_chance_lo"], details["by_chance_hi"]) if {"by_chance_lo", "by_chance_hi"} <= set(details) else None

    @property
    def by_chance(self) -> bool | None:
        """Tell whether the value before lies within what chance alone does; None: nobody knows."""
        return None if self.chance is None or self.before is None else self.chance[0] <= self.before <= self.chance[1]

    def of(self, kind: str) -> list[Move]:
        """Return the moves of severities, teams or incidents."""
        return [move for move in self.moves if move.kind == kind]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a measure says about itself: out of limits, target missed, or no longer credible."""

    kind: str
    """``signal``, ``target``, ``flag``."""
    row: Row
    says: str
    good: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything that the page shows."""

    made: datetime
    headline: Headline
    sections: Sequence[Section]
    notices: Sequence[Notice]
    grades: Mapping[Grade, int] = field(default_factory=dict)
    """How many measures have which grade now; what is unknown is not counted."""
    unknown: int = 0

    @property
    def rows(self) -> list[Row]:
        """Return every row."""
        return [self.headline.row, *(row for section in self.sections for row in (*section.rows, *section.more))]


def dashboard(measures: Measures, now: datetime) -> Dashboard:
    """Put the dashboard together from what is kept: three readings, and one of the incidents for what moved the headline."""
    rows = all_rows(measures.metrics, now)
    headline = _headline(measures, rows.pop(HEADLINE), now)
    sections, left = [], dict(rows)
    for part in (*PARTS, OTHER):
        first = [left.pop(name) for name in part.first if name in left]
        names = [name for name in left if any(name == one or (name.startswith(one) and one[-1:] in {".", ""}) for one in part.others)]
        more = [left.pop(name) for name in names]
        if first or more:
            sections.append(Section(part, first, more))
    every = [headline.row, *rows.values()]
    grades = {grade: sum(1 for row in every if row.house.known and row.house.grade is grade) for grade in Grade}
    return Dashboard(now, headline, sections, notices(every), grades, sum(1 for row in every if not row.house.known))


def all_rows(metrics: Metrics, now: datetime, names: Sequence[str] = ()) -> dict[str, Row]:
    """Return measure → its row, for all measures or those named, in the order of the definitions.

    Raises:
        NotFound: there is no such measure.
    """
    every = {each.name: each for each in metrics.definitions()}
    wanted = [metrics.definition(name) for name in names] if names else list(every.values())
    counters = [each.counter for each in wanted if each.counter in every]
    asked = [*dict.fromkeys([*(each.name for each in wanted), *counters])] if names else []
    present, targets = metrics.all_present(asked), metrics.all_targets()
    series = metrics.all_series([each.name for each in wanted] if names else [], since=now - SPAN, subject="")

    def cell(definition: MetricDefinition, *subjects: str) -> Cell:
        found = present.get(definition.name, {})
        return cell_of(definition, next((found[subject] for subject in subjects if subject in found), None), now)

    rows = {}
    for definition in wanted:
        points = [point for point in series.get((definition.name, ""), ()) if point.value is not None]
        counter = every.get(definition.counter)
        rows[definition.name] = Row(
            definition,
            cell(definition, "", "joint"),
            cell(definition, "it"),
            cell(definition, "physical"),
            points,
            metrics.chart_of(definition.name, points),
            targets.get(definition.name),
            Counter(counter, cell(counter, "", "joint")) if counter else None,
        )
    return rows


def cell_of(definition: MetricDefinition, metric: Metric | None, now: datetime) -> Cell:
    """Return a value with the grade that it has at this moment."""
    if metric is None:
        return NOTHING
    grade, because = grade_now(definition, metric, now)
    return Cell(metric, grade, because, is_stale(definition, metric, now))


def notices(rows: Sequence[Row]) -> list[Notice]:
    """Return what measures say about themselves, the bad news first: signals of charts, targets missed, flags."""
    found = []
    for row in rows:
        if row.house.metric is not None and row.house.metric.flags:
            found.append(Notice("flag", row, f"not credible: {flag_words(row.house.metric.flags[0])}"))
            continue
        if row.signal is not None and not row.house.stale:
            found.append(Notice("signal", row, row.signal.says, good=row.signal.good is True))
        if row.standing == MISSED:
            found.append(Notice("target", row, "its target is missed"))
        elif row.standing == REACHED and row.signal is not None and row.signal.good:
            found[-1] = Notice("signal", row, f"{row.signal.says}; its target is reached", good=True)
    return sorted(found, key=lambda notice: notice.good)


def _headline(measures: Measures, row: Row, now: datetime) -> Headline:
    window = row.definition.window
    end = row.house.metric.window.until if row.house.metric else to_millisecond(now)
    after = Window(end - window, end)
    before = Window(after.since - window, after.since)
    if row.house.metric is None:
        return Headline(row, None, None, window, ())
    facts = measures.incidents.at(now)
    moves = risk_hours_moved(facts.cases, before, after)
    known = facts.earliest is not None and facts.earliest < before.until
    total = sum(move.before for move in moves if move.kind == "severity")
    return Headline(row, total if known else None, row.house.metric.value, window, moves if known else ())
