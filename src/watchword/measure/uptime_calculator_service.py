"""What computes the measures of uptime and error budgets over a window, from what is kept."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from sqlalchemy import func, select

from watchword.kit.records import Records
from watchword.measure import uptime_measures as made
from watchword.measure import uptime_tables as tables
from watchword.measure.calculator import Measured
from watchword.measure.objective_service import Objectives
from watchword.measure.uptime_service import Uptime
from watchword.model import Domain
from watchword.model.metric import MetricDefinition, Window


class UptimeCalculator:
    """Implements `calculator.Calculator` for K1 and K2."""

    names: Sequence[str] = made.NAMES
    historic = True

    def __init__(self, records: Records, uptime: Uptime, objectives: Objectives, definition: Callable[[str], MetricDefinition]) -> None:
        self._records = records
        self._uptime = uptime
        self._objectives = objectives
        self._definition = definition

    def earliest(self) -> datetime | None:
        """Return when the first component was heard of; None before that."""
        with self._records.read() as connection:
            found: datetime | None = connection.execute(select(func.min(tables.span.c.since))).scalar()
        return found

    def compute(self, window: Window, now: datetime) -> Iterator[Measured]:
        """Compute the measures whose definitions have a window of this length."""
        wanted = {name: each for name in self.names if (each := self._definition(name)).window == window.length}
        if not wanted:
            return
        house = self._uptime.house(window, now)
        uids = sorted(uid for uid, each in house.components.items() if each.conditions)
        sides = {domain: [uid for uid in uids if house.components[uid].domain is domain] for domain in Domain}
        if {made.COMPONENT, made.COVERAGE, made.PLANNED} & set(wanted):
            for uid in uids:
                yield from made.component_values(wanted, house, now, [uid], uid, house.directory.label(uid))
            for domain, those in sides.items():
                if those:
                    yield from made.component_values(wanted, house, now, those, domain.value, f"What the {domain.value} side keeps")
            if uids:
                yield from made.component_values(wanted, house, now, uids, "", "The house")
        if made.ZONE in wanted:
            yield from made.zone_values(wanted[made.ZONE], house, now)
        if {made.LEFT, made.BURN} & set(wanted):
            yield from made.budget_values(wanted, house, now, [each.objective for each in self._objectives.kept()])
        if made.SHARED in wanted:
            yield from made.shared_cause_values(wanted[made.SHARED], house, now)
