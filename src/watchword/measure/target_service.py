"""Definitions and targets: what is measured, what it is to reach, and who answers for it in each team."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.measure import metric_tables as tables
from watchword.measure.definitions import definition as definition_of
from watchword.measure.definitions import shipped_definitions
from watchword.measure.grade import SHARE
from watchword.model.metric import MetricDefinition, Target
from watchword.respond.ports import Auditor


@dataclass(frozen=True, slots=True)
class KeptTarget:
    """A target as it was set."""

    name: str
    target: Target
    until: datetime | None
    by: str


class Targets:
    """Reads definitions; sets, ends and reads targets."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor) -> None:
        self._records, self._clock, self._auditor = records, clock, auditor
        self._ledger = Ledger(records)

    # definitions

    def definitions(self) -> list[MetricDefinition]:
        """Return every definition, in the order in which they are shown."""
        return list(shipped_definitions().values())

    def definition(self, name: str) -> MetricDefinition:
        """Return one definition.

        Raises:
            NotFound: there is none of this name.
        """
        return definition_of(name)

    # targets

    def set_target(self, name: str, target: Target, by: str) -> None:
        """Set what a measure is to reach, from `target.since` on; the one before ends then.

        Raises:
            NotFound: there is no such measure.
            Conflict: it has no counter-metric: a number that is aimed at needs one that shows what it costs.
            InputError: an owner is missing, or the value cannot be.
        """
        definition = self.definition(name)
        check_target(definition, target)
        with self._records.begin() as connection:
            self.put_target(connection, name, target, by)

    def put_target(self, connection: Connection, name: str, target: Target, by: str) -> None:
        """Set a target within the given transaction, as `set_target` does: how a Decision sets one."""
        check_target(self.definition(name), target)
        table, since = tables.metric_target, to_millisecond(target.since)
        connection.execute(update(table).where(table.c.name == name, table.c.until.is_(None)).values(until=since))
        row = {"owner_it": target.owner_it, "owner_physical": target.owner_physical, "decision": target.decision, "by": by}
        connection.execute(insert(table).values(uid=random_uid(), name=name, value=target.value, since=since, until=None, **row))
        detail = {"value": target.value, "owner_it": target.owner_it, "owner_physical": target.owner_physical, "decision": target.decision}
        self._auditor.write(by, "metric.target", name, detail=detail, connection=connection)
        self._ledger.append_change(connection, "metric", name, {"names": [name], "target": target.value}, self._clock.now())

    def end_target(self, name: str, by: str, reason: str) -> None:
        """End the target in force.

        Raises:
            NotFound: there is no such measure, or no target.
        """
        self.definition(name)
        table, now = tables.metric_target, to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            ended = connection.execute(update(table).where(table.c.name == name, table.c.until.is_(None)).values(until=now)).rowcount
            if not ended:
                raise NotFound(f"{name} has no target")
            self._auditor.write(by, "metric.untarget", name, reason, connection=connection)
            self._ledger.append_change(connection, "metric", name, {"names": [name], "target": None}, self._clock.now())

    def target(self, name: str) -> Target | None:
        """Return the target in force; None: there is none.

        Raises:
            NotFound: there is no such measure.
        """
        self.definition(name)
        return self.all_targets().get(name)

    def all_targets(self) -> dict[str, Target]:
        """Return measure → its target in force."""
        table = tables.metric_target
        with self._records.read() as connection:
            rows = connection.execute(select(table).where(table.c.until.is_(None)).order_by(table.c.since))
            return {row.name: _target(row).target for row in rows}

    def targets(self, name: str) -> list[KeptTarget]:
        """Return every target that a measure ever had, oldest first.

        Raises:
            NotFound: there is no such measure.
        """
        self.definition(name)
        table = tables.metric_target
        with self._records.read() as connection:
            return [_target(row) for row in connection.execute(select(table).where(table.c.name == name).order_by(table.c.since))]


def check_target(definition: MetricDefinition, target: Target) -> None:
    """Refuse a target that breaks the rules of measures.md section 4.

    Raises:
        Conflict, InputError: as `Metrics.set_target`.
    """
    if not definition.counter:
        raise Conflict(f"{definition.title} has no counter-metric: name one in its definition before it gets a target")
    for field, owner in (("owner_it", target.owner_it), ("owner_physical", target.owner_physical)):
        if not owner.strip():
            raise InputError("a target needs an owner in each team", field)
    if definition.unit == SHARE and not 0 <= target.value <= 1:
        raise InputError("a share lies between 0 and 1", "value")


def _target(row: Row[Any]) -> KeptTarget:
    return KeptTarget(row.name, Target(row.value, row.owner_it, row.owner_physical, row.since, row.decision), row.until, row.by)
