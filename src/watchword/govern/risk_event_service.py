"""Events of risks: incidents that may be one are suggested by their rules, a person says whether they are, and what they cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from watchword.govern.register_check import MOST_EUROS
from watchword.govern.risk_asking_service import ask
from watchword.govern.risk_service import Risks
from watchword.govern.risk_tables import event as table
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.kit.ids import random_uid, uid_of
from watchword.kit.records import Records
from watchword.respond.incident_tables import incident, incident_entity
from watchword.respond.ports import Auditor

SUGGESTED, CONFIRMED, REJECTED = "suggested", "confirmed", "rejected"
LONGEST: Final = 2_000
BACK: Final = timedelta(days=400)
"""Incidents older than this are no longer suggested."""
_CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class RiskEvent:
    """One event of a scenario, or what may be one."""

    uid: str
    scenario: str
    incident: str
    """Empty: told by hand."""
    state: str
    at: datetime
    loss: float | None
    because: str
    by: str
    """Whoever said so last; ``watchword``: suggested by its rules."""
    number: int = 0
    """Of the incident."""
    title: str = ""


class RiskEvents:
    """Keeps which incidents were events of which scenario."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor, risks: Risks) -> None:
        self._records, self._clock, self._auditor, self._risks = records, clock, auditor, risks
        self._ledger = Ledger(records)

    def listed(self, scenario: str = "", state: str = "", limit: int = 200) -> list[RiskEvent]:
        """Return events, newest first."""
        query = select(table, incident.c.number, incident.c.title).outerjoin(incident, incident.c.uid == table.c.incident)
        if scenario:
            query = query.where(table.c.scenario == scenario)
        if state:
            query = query.where(table.c.state == state)
        with self._records.read() as connection:
            return [_event(row) for row in connection.execute(query.order_by(table.c.at.desc(), table.c.uid).limit(limit))]

    def suggest(self, now: datetime) -> int:
        """Suggest the incidents whose rules a scenario names, unless a person said something of them, and return how many are new.

        An incident that was closed as false, merged into another, or played as an exercise, is none; a suggestion that has become
        so is taken back.
        """
        wanted: dict[str, list[str]] = {}
        for each in self._risks.scenarios():
            for rule in each.rules:
                wanted.setdefault(rule, []).append(each.uid)
        found: dict[str, tuple[str, datetime, str]] = {}
        with self._records.begin() as connection:
            for rule, one, at, number in self._touched(connection, sorted(wanted), now - BACK):
                for scenario in wanted[rule]:
                    found.setdefault(
                        uid_of("risk event", scenario, one), (scenario + "|" + one, at, f"Incident {number} met the rule {rule}.")
                    )
            fresh = self._keep(connection, found, now)
            self._withdraw(connection, found, now)
        return fresh

    @staticmethod
    def _touched(connection: Connection, rules: Sequence[str], since: datetime) -> list[tuple[str, str, datetime, int]]:
        rows: list[tuple[str, str, datetime, int]] = []
        for start in range(0, len(rules), _CHUNK):
            query = (
                select(incident_entity.c.entity, incident.c.uid, incident.c.opened_at, incident.c.number)
                .join(incident, incident.c.uid == incident_entity.c.incident)
                .where(incident_entity.c.kind == "rule", incident_entity.c.entity.in_(rules[start : start + _CHUNK]))
                .where(incident.c.opened_at >= since, incident.c.merged_into == "", incident.c.closure != "false")
                .where(incident.c.exercise.is_(False))
                .order_by(incident.c.opened_at)
            )
            rows += [(row.entity, row.uid, row.opened_at, row.number) for row in connection.execute(query)]
        return rows

    @staticmethod
    def _keep(connection: Connection, found: Mapping[str, tuple[str, datetime, str]], now: datetime) -> int:
        known = {row.uid for row in connection.execute(select(table.c.uid))}
        fresh = [uid for uid in found if uid not in known]
        for uid in fresh:
            pair, at, because = found[uid]
            scenario, _, one = pair.partition("|")
            values = {"scenario": scenario, "incident": one, "state": SUGGESTED, "at": at, "loss": None}
            connection.execute(insert(table).values(uid=uid, because=because, by="watchword", changed_at=now, **values))
        return len(fresh)

    @staticmethod
    def _withdraw(connection: Connection, found: Mapping[str, object], now: datetime) -> None:
        query = select(table.c.uid).where(table.c.state == SUGGESTED, table.c.at >= now - BACK)
        for row in connection.execute(query).all():
            if row.uid not in found:
                connection.execute(table.delete().where(table.c.uid == row.uid, table.c.state == SUGGESTED))

    def judge(self, uid: str, *, is_one: bool, loss: float | None = None, because: str = "", by: str) -> RiskEvent:
        """Say whether a suggested incident was an event of its scenario, and what it cost; a later word replaces an earlier one.

        Raises:
            NotFound: there is no such suggestion.
            InputError: the loss cannot be.
            Conflict: events of the scenario are not counted yet.
        """
        _check_loss(loss)
        now = to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            row = connection.execute(select(table).where(table.c.uid == uid)).first()
            if row is None:
                raise NotFound("there is no such event")
            if is_one:
                self._counted(row.scenario, row.at)
            state = CONFIRMED if is_one else REJECTED
            values = {"state": state, "loss": loss if is_one else None, "by": by, "changed_at": now}
            if because.strip():
                values["because"] = because.strip()[:LONGEST]
            connection.execute(update(table).where(table.c.uid == uid).values(**values))
            self._say(connection, row.scenario, uid, {"state": state, "loss": loss, "incident": row.incident}, because, by, now)
        return self._one(uid)

    def tell(self, scenario: str, at: datetime, *, loss: float | None, because: str, by: str) -> RiskEvent:
        """Tell of an event that no incident speaks of.

        Raises:
            NotFound: there is no such scenario.
            InputError: it lies ahead, nothing is said of it, or the loss cannot be.
            Conflict: events of the scenario are not counted since before it.
        """
        _check_loss(loss)
        now = to_millisecond(self._clock.now())
        if at > now:
            raise InputError("it cannot have happened yet", "at")
        if not because.strip() or len(because) > LONGEST:
            raise InputError("say what happened, in at most 2,000 characters", "because")
        self._counted(scenario, at)
        uid = random_uid()
        values = {"scenario": scenario, "incident": "", "state": CONFIRMED, "at": to_millisecond(at), "loss": loss}
        with self._records.begin() as connection:
            connection.execute(insert(table).values(uid=uid, because=because.strip(), by=by, changed_at=now, **values))
            self._say(connection, scenario, uid, {"state": CONFIRMED, "loss": loss}, because, by, now)
        return self._one(uid)

    def _counted(self, scenario: str, at: datetime) -> None:
        kept = self._risks.scenario(scenario).thing
        if kept.counted_since is None or at.date() < kept.counted_since:
            since = "not counted yet" if kept.counted_since is None else f"counted from {kept.counted_since.isoformat()} on"
            raise Conflict(
                f"events of this scenario are {since}: say in the scenario from when they were all counted, then confirm this one"
            )

    def _say(
        self, connection: Connection, scenario: str, uid: str, detail: Mapping[str, Any], because: str, by: str, now: datetime
    ) -> None:
        self._auditor.write(by, "risk.event", uid, because, {"scenario": scenario, **detail}, connection=connection)
        ask(connection, now, by=by, because="an event was judged")
        self._ledger.append_change(connection, "risk", scenario, {"event": uid}, now)

    def _one(self, uid: str) -> RiskEvent:
        query = select(table, incident.c.number, incident.c.title).outerjoin(incident, incident.c.uid == table.c.incident)
        with self._records.read() as connection:
            return _event(connection.execute(query.where(table.c.uid == uid)).one())

    def waiting(self) -> dict[str, int]:
        """Return how many suggestions wait for a person's word, by scenario."""
        query = select(table.c.scenario, func.count()).where(table.c.state == SUGGESTED).group_by(table.c.scenario)
        with self._records.read() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(query)}


def _check_loss(loss: float | None) -> None:
    if loss is not None and not 0 <= loss <= MOST_EUROS:
        raise InputError("the loss is an amount of euros, or left open", "loss")


def _event(row: Row[Any]) -> RiskEvent:
    return RiskEvent(
        row.uid, row.scenario, row.incident, row.state, row.at, row.loss, row.because, row.by, row.number or 0, row.title or ""
    )
