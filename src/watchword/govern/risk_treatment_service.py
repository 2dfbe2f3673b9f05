"""Treatments kept: what is done about a risk, on which Decision, on the risk as it was seen; a material change reopens an acceptance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, insert, select, update

from watchword.govern.register_check import MOST_EUROS
from watchword.govern.risk_asking_service import ask
from watchword.govern.risk_run_service import RiskRuns
from watchword.govern.risk_service import Risks
from watchword.govern.risk_tables import treatment as table
from watchword.govern.scenario import Standing
from watchword.govern.treatment import RiskState, Treatment, Treats, material_change, state_of, state_plain
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.kit.ids import random_uid, uid_of
from watchword.kit.records import Records
from watchword.model.decision import Decision
from watchword.respond.ports import Auditor

LONGEST: Final = 2_000
ACCEPTANCE, INVESTMENT = "acceptance", "investment"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a treatment sets, beside its kind."""

    note: str = ""
    expires: date | None = None
    safeguard: str = ""
    retention: float = 0.0
    cover: float = 0.0


class RiskTreatments:
    """Keeps treatments; acts on Decisions of the kinds acceptance and investment."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor, risks: Risks, runs: RiskRuns) -> None:
        self._records, self._clock, self._auditor = records, clock, auditor
        self._risks, self._runs, self._ledger = risks, runs, Ledger(records)

    def listed(self, scenario: str = "", *, in_force: bool = False) -> list[Treatment]:
        """Return treatments, newest first; only those that count now when asked for."""
        query = select(table).order_by(table.c.since.desc(), table.c.uid)
        if scenario:
            query = query.where(table.c.scenario == scenario)
        now = self._clock.now()
        with self._records.read() as connection:
            found = [_treatment(row) for row in connection.execute(query)]
        return [each for each in found if each.in_force(now)] if in_force else found

    def treat(self, scenario: str, kind: Treats, terms: Terms, *, by: str) -> Treatment:
        """Reduce, transfer or avoid a risk, from now on. Accepting one takes a Decision of a body.

        Raises:
            NotFound: there is no such scenario or safeguard.
            Conflict: it would be an acceptance, or the risk is treated so already.
            InputError: the terms cannot be.
        """
        if kind is Treats.ACCEPT:
            raise Conflict("a risk is accepted by a Decision with an expiry: put a proposal of the kind acceptance to a body")
        self._risks.scenario(scenario)
        self._check(kind, terms)
        if any(each.kind is kind and each.safeguard == terms.safeguard for each in self.listed(scenario, in_force=True)):
            raise Conflict(f"it is treated so already ({kind.value}): end that treatment first")
        with self._records.begin() as connection:
            return self._keep(connection, scenario, kind, terms, by, "")

    def _check(self, kind: Treats, terms: Terms) -> None:
        if len(terms.note) > LONGEST or not terms.note.strip():
            raise InputError("say what is done, in at most 2,000 characters", "note")
        if terms.expires is not None and terms.expires < self._clock.now().date():
            raise InputError("it would have expired already", "expires")
        if kind is Treats.REDUCE and not terms.safeguard:
            raise InputError("a reduction names the safeguard that brings it about", "safeguard")
        if terms.safeguard:
            self._risks.safeguard(terms.safeguard)
        if kind is Treats.TRANSFER and not (0 <= terms.retention <= MOST_EUROS and 0 < terms.cover <= MOST_EUROS):
            raise InputError("an insurance has a retention (0 or more) and a cover above it, in euros an event", "cover")

    def _keep(self, connection: Connection, scenario: str, kind: Treats, terms: Terms, by: str, decision: str) -> Treatment:
        now = to_millisecond(self._clock.now())
        frozen = self._runs.state(scenario)
        values: dict[str, Any] = {"note": terms.note.strip(), "decision": decision, "expires": terms.expires, "safeguard": terms.safeguard}
        values |= {"retention": terms.retention, "cover": terms.cover, "since": now, "by": by}
        uid = uid_of("treatment", decision, scenario, terms.safeguard) if decision else random_uid()
        text = orjson.dumps(state_plain(frozen)).decode() if frozen else ""
        connection.execute(insert(table).values(uid=uid, scenario=scenario, kind=kind.value, frozen=text, **values))
        detail = {"scenario": scenario, "kind": kind.value, "decision": decision, "frozen": state_plain(frozen) if frozen else None}
        self._auditor.write(by, "risk.treat", uid, terms.note, detail, connection=connection)
        self._told(connection, scenario, now, by, f"a treatment began: {kind.value}")
        return _treatment(connection.execute(select(table).where(table.c.uid == uid)).one())

    def end(self, uid: str, why: str, *, by: str) -> None:
        """End a treatment.

        Raises:
            NotFound: there is no such treatment.
            Conflict: it has ended.
            InputError: no reason is given.
        """
        if not why.strip() or len(why) > LONGEST:
            raise InputError("say why it ends, in at most 2,000 characters", "why")
        now = to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            row = connection.execute(select(table).where(table.c.uid == uid)).first()
            if row is None:
                raise NotFound("there is no such treatment")
            ended = update(table).where(table.c.uid == uid, table.c.ended.is_(None)).values(ended=now, ended_why=why.strip())
            if not connection.execute(ended).rowcount:
                raise Conflict("it has ended already")
            self._auditor.write(by, "risk.untreat", uid, why, {"scenario": row.scenario}, connection=connection)
            self._told(connection, row.scenario, now, by, "a treatment ended")

    def _told(self, connection: Connection, scenario: str, now: datetime, by: str, because: str) -> None:
        ask(connection, now, by=by, because=because)
        self._ledger.append_change(connection, "risk", scenario, {"because": because}, now)

    # decisions

    def check_decision(self, connection: Connection, decision: Decision) -> None:
        """Refuse what could not be acted on when it is decided: an unknown risk, an acceptance without an end, an unknown safeguard.

        Raises:
            InputError: naming what is missing.
        """
        del connection
        if decision.kind == ACCEPTANCE:
            self._named(decision.subject, self._risks.scenario, "scenario")
            if decision.expires is None:
                raise InputError("accepting a risk needs an expiry: nobody accepts for ever", "expires")
        if decision.kind == INVESTMENT:
            for uid in _named_in(decision):
                self._named(uid, self._risks.safeguard, "safeguard")

    @staticmethod
    def _named(uid: str, read: Callable[[str], object], what: str) -> None:
        try:
            read(uid)
        except NotFound as error:
            raise InputError(f"a decision of this kind is about a {what}: {error}", "subject") from error

    def on_decided(self, connection: Connection, decision: Decision) -> None:
        """Act on a Decision in its own transaction: an acceptance freezes the risk as it is seen, an investment approves its safeguards."""
        self.check_decision(connection, decision)
        if decision.kind == ACCEPTANCE:
            terms = Terms(note=decision.choice[:LONGEST], expires=decision.expires)
            later = "a later Decision took its place"
            now = to_millisecond(self._clock.now())
            open_ = (table.c.scenario == decision.subject) & (table.c.kind == Treats.ACCEPT.value) & table.c.ended.is_(None)
            connection.execute(update(table).where(open_).values(ended=now, ended_why=later))
            self._keep(connection, decision.subject, Treats.ACCEPT, terms, f"Decision {decision.number}", decision.uid)
        if decision.kind == INVESTMENT:
            for uid in _named_in(decision):
                self._approve(connection, uid, decision)

    def _approve(self, connection: Connection, uid: str, decision: Decision) -> None:
        kept = self._risks.safeguard(uid).thing
        if kept.standing is Standing.IN_PLACE:
            return
        by = f"Decision {decision.number}"
        self._risks.put_safeguard_within(connection, replace(kept, standing=Standing.APPROVED), by=by, decision=decision.uid)
        for each in kept.protects:
            terms = Terms(note=decision.choice[:LONGEST], safeguard=uid, expires=None)
            self._keep(connection, each.scenario, Treats.REDUCE, terms, by, decision.uid)

    # reopening

    def reopen(self, now: datetime) -> int:
        """Compare each acceptance in force with the risk as it is now, and reopen those that changed materially; return how many."""
        run, found = self._runs.latest(), 0
        if run is None:
            return 0
        for each in self.listed(in_force=True):
            if each.kind is not Treats.ACCEPT or each.reopened or each.frozen is None:
                continue
            state = self._runs.state(each.scenario, run)
            why = material_change(each.frozen, state) if state else ""
            if why:
                self._reopen(each, why, state, now)
                found += 1
        return found

    def _reopen(self, each: Treatment, why: str, state: RiskState | None, now: datetime) -> None:
        detail: Mapping[str, Any] = {"scenario": each.scenario, "now": state_plain(state) if state else None}
        with self._records.begin() as connection:
            connection.execute(update(table).where(table.c.uid == each.uid).values(reopened=why))
            self._auditor.write("watchword", "risk.reopen", each.uid, why, detail, connection=connection)
            self._ledger.append_change(connection, "risk", each.scenario, {"reopened": why}, to_millisecond(now))


def _named_in(decision: Decision) -> tuple[str, ...]:
    """Return the safeguards that an investment names: its subject, several of them with spaces between."""
    return tuple(decision.subject.split())


def _treatment(row: Row[Any]) -> Treatment:
    names = ("uid", "scenario", "since", "by", "note", "decision", "expires", "safeguard", "retention", "cover", "ended", "ended_why")
    values = {name: getattr(row, name) for name in names}
    frozen = state_of(orjson.loads(row.frozen)) if row.frozen else None
    return Treatment(kind=Treats(row.kind), reopened=row.reopened, frozen=frozen, **values)
