"""The risk register kept: scenarios and safeguards with their versions, the house's appetite, and all of it as values for the engine."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, Table, insert, select, update

from watchword.govern import risk_tables as tables
from watchword.govern.appetite import Appetite
from watchword.govern.register_check import MOST_EUROS, check_requirements, check_safeguard, check_scenario
from watchword.govern.register_file import RegisterFile, as_plain, safeguard_of, scenario_of
from watchword.govern.risk_asking_service import ask
from watchword.govern.scenario import Happened, Register, Reliance, Safeguard, Scenario, Standing, Treated
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.kit.records import Records
from watchword.measure.compliance import Result, Span, reliability
from watchword.respond.ports import Auditor

MOST: Final = 200
"""Scenarios, and safeguards, of one house."""
APPETITE: Final = "appetite"
EVIDENCED: Final = 0.5
"""From this share of the time on, a reliability counts as evidenced, not assumed."""
NEW: Final = 0
"""As the version that a change was made to: there was none, and there must be none."""

LOOK_BACK: Final = timedelta(days=400)
"""How far back it is looked for when evidence of a control began."""


@dataclass(frozen=True, slots=True)
class Told:
    """What evidence tells of a control between two moments."""

    share: float
    """Of the time since `since`, the share in which it was evidenced working; silence counts as not working."""
    since: datetime
    """From when there is evidence at all."""


Reliability = Callable[[str, datetime, datetime], Told | None]
"""Control, since, until → what evidence tells; None: it has never told anything."""


def never_looked(control: str, since: datetime, until: datetime) -> Told | None:
    """Return None for every control: nothing tells yet, so each safeguard's assumed reliability stands."""
    del control, since, until
    return None


def told_by(spans: Iterable[Span], since: datetime, until: datetime) -> Told | None:
    """Return what spans of results tell of the time from the first pass or fail on; None: there was neither."""
    known = list(spans)
    first = min((each.since for each in known if each.result in {Result.PASS, Result.FAIL}), default=None)
    if first is None or first >= until:
        return None
    begin = max(since, first)
    return Told(reliability(known, begin, until) or 0.0, begin)


@dataclass(frozen=True, slots=True)
class KeptScenario:
    """A scenario as it is kept."""

    thing: Scenario
    version: int
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class KeptSafeguard:
    """A safeguard as it is kept."""

    thing: Safeguard
    version: int
    changed_at: datetime
    changed_by: str
    decision: str
    """Uid of the Decision that approved it; empty: none did."""


class Risks:
    """Keeps the register. Every change asks for a new computation, which the measuring process does."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor, reliability: Reliability = never_looked) -> None:
        self._records, self._clock, self._auditor = records, clock, auditor
        self._ledger = Ledger(records)
        self.reliability = reliability

    # scenarios

    def scenarios(self, *, retired: bool = False) -> list[Scenario]:
        """Return the scenarios by name; those retired only when asked for."""
        return [each.thing for each in self.kept_scenarios() if retired or not each.thing.retired]

    def kept_scenarios(self) -> list[KeptScenario]:
        """Return every scenario with its version, those retired too."""
        return [KeptScenario(scenario_of(orjson.loads(row.content)), *_stamp(row)) for row in self._rows(tables.scenario)]

    def scenario(self, uid: str) -> KeptScenario:
        """Return one scenario.

        Raises:
            NotFound: there is none of this name.
        """
        for kept in self.kept_scenarios():
            if kept.thing.uid == uid:
                return kept
        raise NotFound(f"there is no scenario {uid!r} (watchword risks list shows those that are)")

    def put_scenario(self, scenario: Scenario, *, by: str, version: int | None = None) -> int:
        """Keep a scenario, new or changed, and return its version.

        Args:
            scenario: As it is to be.
            by: Whoever changes it.
            version: The version that the change was made to; None: whatever is kept.

        Raises:
            InputError: it cannot be.
            Conflict: it has been changed meanwhile.
        """
        others = [each for each in self.scenarios(retired=True) if each.uid != scenario.uid]
        check_scenario(scenario, others)
        with self._records.begin() as connection:
            return self._put(connection, tables.scenario, scenario, {"retired": scenario.retired}, by, version)

    # safeguards

    def safeguards(self, *, dropped: bool = False) -> list[Safeguard]:
        """Return the safeguards by name; those dropped only when asked for."""
        return [each.thing for each in self.kept_safeguards() if dropped or each.thing.standing is not Standing.DROPPED]

    def kept_safeguards(self) -> list[KeptSafeguard]:
        """Return every safeguard with its version and the Decision that approved it."""
        rows = self._rows(tables.safeguard)
        return [KeptSafeguard(safeguard_of(orjson.loads(row.content)), *_stamp(row), row.decision) for row in rows]

    def safeguard(self, uid: str) -> KeptSafeguard:
        """Return one safeguard.

        Raises:
            NotFound: there is none of this name.
        """
        for kept in self.kept_safeguards():
            if kept.thing.uid == uid:
                return kept
        raise NotFound(f"there is no safeguard {uid!r} (watchword budget list shows those that are)")

    def put_safeguard(self, safeguard: Safeguard, *, by: str, version: int | None = None) -> int:
        """Keep a safeguard, new or changed, and return its version.

        Raises:
            InputError: it cannot be.
            Conflict: it has been changed meanwhile, or is dropped while others require it.
        """
        with self._records.begin() as connection:
            return self.put_safeguard_within(connection, safeguard, by=by, version=version)

    def put_safeguard_within(
        self, connection: Connection, safeguard: Safeguard, *, by: str, version: int | None = None, decision: str = ""
    ) -> int:
        """Keep a safeguard within the given transaction, as `put_safeguard` does: how a Decision approves one."""
        others = [each for each in self.safeguards() if each.uid != safeguard.uid]
        check_safeguard(safeguard, [each.uid for each in self.scenarios(retired=True)], others)
        if safeguard.standing is Standing.DROPPED and (needing := [each.uid for each in others if safeguard.uid in each.requires]):
            raise Conflict(f"{needing[0]} requires it: change that one first")
        more = {"standing": safeguard.standing.value} | ({"decision": decision} if decision else {})
        return self._put(connection, tables.safeguard, safeguard, more, by, version)

    # the whole register

    def load(self, found: RegisterFile, *, by: str) -> tuple[int, int]:
        """Keep all that a file holds, new or changed, in one transaction, and return how many of each changed.

        Raises:
            InputError: something in it does not fit what is kept.
        """
        scenarios = {each.uid: each for each in self.scenarios(retired=True)}
        safeguards = {each.uid: each for each in self.safeguards(dropped=True)}
        whole = scenarios | {each.uid: each for each in found.scenarios}
        for each in found.scenarios:
            check_scenario(each, whole.values())
        for one in found.safeguards:
            check_safeguard(one, whole, (safeguards | {each.uid: each for each in found.safeguards}).values())
        check_requirements(list((safeguards | {each.uid: each for each in found.safeguards}).values()))
        fresh = [each for each in found.scenarios if scenarios.get(each.uid) != each]
        new = [each for each in found.safeguards if safeguards.get(each.uid) != each]
        with self._records.begin() as connection:
            for each in fresh:
                self._put(connection, tables.scenario, each, {"retired": each.retired}, by, None)
            for one in new:
                self._put(connection, tables.safeguard, one, {"standing": one.standing.value}, by, None)
        return len(fresh), len(new)

    def _put(
        self, connection: Connection, table: Table, thing: Scenario | Safeguard, more: Mapping[str, Any], by: str, version: int | None
    ) -> int:
        now = to_millisecond(self._clock.now())
        row = connection.execute(select(table.c.version, table.c.content).where(table.c.uid == thing.uid)).first()
        if row is not None and version == NEW:
            raise Conflict(f"{thing.uid} is kept already: open it and change it there")
        if row is not None and version is not None and row.version != version:
            raise Conflict(f"{thing.title} has been changed meanwhile: look again, then change it")
        values = {"content": orjson.dumps(as_plain(thing)).decode(), "changed_at": now, "changed_by": by, **more}
        number = 1 if row is None else row.version + 1
        if row is None:
            self._room_for(connection, table)
            connection.execute(insert(table).values(uid=thing.uid, version=number, **values))
        else:
            connection.execute(update(table).where(table.c.uid == thing.uid).values(version=number, **values))
        kind = "scenario" if isinstance(thing, Scenario) else "safeguard"
        before = {} if row is None else orjson.loads(row.content)
        changed = {key: value for key, value in as_plain(thing).items() if before.get(key) != value}
        self._auditor.write(by, f"risk.{kind}", thing.uid, detail={"version": number, "changed": changed}, connection=connection)
        self._told(connection, thing.uid, now, by, f"{thing.title} was changed")
        return number

    @staticmethod
    def _room_for(connection: Connection, table: Table) -> None:
        if len(connection.execute(select(table.c.uid)).all()) >= MOST:
            raise InputError(f"the register holds at most {MOST} of these: retire one first")

    def _told(self, connection: Connection, uid: str, now: datetime, by: str, because: str) -> None:
        ask(connection, now, by=by, because=because)
        self._ledger.append_change(connection, "risk", uid, {"because": because}, now)

    def _rows(self, table: Table) -> Sequence[Row[Any]]:
        with self._records.read() as connection:
            return connection.execute(select(table).order_by(table.c.uid)).all()

    # the house's appetite

    def appetite(self) -> Appetite:
        """Return what the house bears in all; nothing is said until somebody says it."""
        found = self.setting(APPETITE)
        return Appetite(float(found["euros"]), float(found["share"])) if found else Appetite(0.0, 0.05)

    def set_appetite(self, appetite: Appetite, *, by: str) -> None:
        """Say what the house bears in all.

        Raises:
            InputError: it cannot be.
        """
        if not 0 <= appetite.euros <= MOST_EUROS:
            raise InputError("the appetite is an amount of euros a year, or 0 for none", "euros")
        if not 0 < appetite.share < 1:
            raise InputError("how rare a year beyond it must be is a share between 0 and 1, such as 0.05", "share")
        self.put_setting(APPETITE, asdict(appetite), by=by, because="the house's appetite was changed")

    def setting(self, name: str) -> dict[str, Any]:
        """Return a setting of the register; empty: none was made."""
        with self._records.read() as connection:
            row = connection.execute(select(tables.setting.c.content).where(tables.setting.c.name == name)).first()
        return dict(orjson.loads(row.content)) if row is not None else {}

    def put_setting(self, name: str, content: Mapping[str, Any], *, by: str, because: str) -> None:
        """Keep a setting that was checked, and ask for a new computation."""
        table, now = tables.setting, to_millisecond(self._clock.now())
        values = {"content": orjson.dumps(dict(content)).decode(), "changed_at": now, "changed_by": by}
        with self._records.begin() as connection:
            if not connection.execute(update(table).where(table.c.name == name).values(**values)).rowcount:
                connection.execute(insert(table).values(name=name, **values))
            self._auditor.write(by, f"risk.{name}", name, detail=dict(content), connection=connection)
            self._told(connection, "", now, by, because)

    # as values

    def relied(self, safeguard: Safeguard, since: datetime, until: datetime) -> Reliance:
        """Return how far a safeguard worked: its weakest control; for the time before there was evidence, what is assumed."""
        told = {control: each for control in safeguard.controls if (each := self.reliability(control, since, until)) is not None}
        if not told or until <= since:
            why = "no evidence speaks of it" if safeguard.controls else "no control is named whose evidence could tell"
            return Reliance(safeguard.reliability, evidenced=False, because=f"Assumed: {why}.")
        parts = {control: (until - max(each.since, since)) / (until - since) for control, each in told.items()}
        shares = {control: parts[control] * each.share + (1 - parts[control]) * safeguard.reliability for control, each in told.items()}
        weakest = min(shares, key=lambda control: (shares[control], control))
        part, evidenced = parts[weakest], parts[weakest] >= EVIDENCED
        of = f"Evidence of {weakest}" + (f", the weakest of {len(told)} with any" if len(told) > 1 else "")
        rest = "" if part > 1 - 1e-6 else f"; it began {_ago(until - told[weakest].since)} before the end, the time before that is assumed"
        return Reliance(shares[weakest], evidenced=evidenced, because=f"{of}{rest}.")

    def register(self, now: datetime) -> Register:
        """Return all that is known of risks at this moment, as plain values; what controls were seen to do is read once for each time."""
        seen: dict[tuple[str, datetime, datetime], Reliance] = {}

        def relied(safeguard: Safeguard, since: datetime, until: datetime) -> Reliance:
            key = (safeguard.uid, since, until)
            if key not in seen:
                seen[key] = self.relied(safeguard, since, until)
            return seen[key]

        happened: dict[str, list[Happened]] = {}
        treated: dict[str, Treated] = {}
        with self._records.read() as connection:
            table = tables.event
            for row in connection.execute(select(table).where(table.c.state == "confirmed", table.c.at <= now).order_by(table.c.at)):
                happened.setdefault(row.scenario, []).append(Happened(row.at, row.loss))
            table = tables.treatment
            query = select(table).where(table.c.ended.is_(None), table.c.kind.in_(("avoid", "transfer"))).order_by(table.c.since)
            for row in connection.execute(query):
                if row.expires is None or row.expires >= now.date():
                    before = treated.get(row.scenario, Treated())
                    after = {"avoided": True} if row.kind == "avoid" else {"retention": row.retention, "cover": row.cover}
                    treated[row.scenario] = replace(before, **after)
        events = {uid: tuple(each) for uid, each in happened.items()}
        return Register(tuple(self.scenarios()), tuple(self.safeguards()), events, treated, now, relied)


def _ago(length: timedelta) -> str:
    return f"{length.days} days" if length.days > 1 else f"{length / timedelta(hours=1):.1f} hours"


def _stamp(row: Row[Any]) -> tuple[int, datetime, str]:
    return row.version, row.changed_at, row.changed_by
