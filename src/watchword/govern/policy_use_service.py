"""The use of policies: exceptions with their end, who has read which version, and which parameter a running process acts on."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update

from watchword.govern import policy_tables as tables
from watchword.govern.parameter import Parameter, Value, plain
from watchword.govern.policy import policy_name
from watchword.govern.policy_book_service import PolicyBook, PolicyVersion
from watchword.kit.clock import to_millisecond
from watchword.kit.errors import InputError, NotFound

MOST: Final = 500


@dataclass(frozen=True, slots=True)
class PolicyException:
    """Leave to do otherwise, for a time."""

    decision: str
    statement: str
    scope: str
    reason: str
    compensating: str
    hash: str
    since: datetime
    expires: date
    ended: datetime | None

    def expired(self, today: date) -> bool:
        """Tell whether its time is over and nobody ended it."""
        return self.ended is None and self.expires < today


@dataclass(frozen=True, slots=True)
class Applied:
    """A parameter that began to act in a running process."""

    parameter: str
    lands: str
    before: str
    value: str
    version: int
    decision: str
    process: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who has read which version."""

    policy: str
    version: int
    account: str
    statements: tuple[str, ...]
    at: datetime


class PolicyUse(PolicyBook):
    """What people and processes do with policies in force."""

    # exceptions

    def exceptions(self, policy: str = "", *, decision: str = "") -> Sequence[PolicyException]:
        """Return exceptions, those that end first, first; ended ones last."""
        table = tables.policy_exception
        query = select(table).order_by(table.c.ended.is_not(None), table.c.expires, table.c.decision).limit(MOST)
        if decision:
            query = query.where(table.c.decision == decision)
        if policy:
            query = query.where(table.c.statement.startswith(policy + ".", autoescape=True))
        with self._records.read() as connection:
            return [PolicyException(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - its public name

    def end_exception(self, decision: str, *, by: str, reason: str) -> None:
        """End an exception before its time, or say that an expired one is dealt with.

        Raises:
            NotFound: there is none of this decision, or it was ended.
            InputError: no reason is given.
        """
        if not reason.strip():
            raise InputError("say why it ends", "reason")
        table, now = tables.policy_exception, to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            row = connection.execute(select(table.c.statement).where(table.c.decision == decision, table.c.ended.is_(None))).first()
            if row is None:
                raise NotFound("there is no such exception, or it was ended")
            connection.execute(update(table).where(table.c.decision == decision).values(ended=now))
            self._auditor.write(by, "policy.exception.end", row.statement, reason, {"decision": decision}, connection=connection)
            self._ledger.append_change(connection, "policy", policy_name(row.statement), {"exception": decision}, now)

    # acknowledgements

    def acknowledge(self, uid: str, *, account: str, roles: Iterable[str]) -> Acknowledgement:
        """Keep that somebody has read the extract of the version in force that concerns their roles.

        Raises:
            NotFound: the policy is not in force.
        """
        kept = self.in_force().get(uid)
        if kept is None:
            raise NotFound(f"policy {uid} is not in force: there is nothing to acknowledge")
        extract = [each.id for each in kept.policy.extract(roles)]
        now, table = to_millisecond(self._clock.now()), tables.policy_acknowledgement
        mine = (table.c.policy == uid) & (table.c.version == kept.version) & (table.c.account == account)
        with self._records.begin() as connection:
            connection.execute(delete(table).where(mine))
            row = {"policy": uid, "version": kept.version, "account": account, "statements": extract, "at": now}
            connection.execute(insert(table).values(**row))
            detail = {"version": kept.version, "hash": kept.hash, "statements": extract}
            self._auditor.write(account, "policy.acknowledge", uid, "", detail, connection=connection)
            self._ledger.append_change(connection, "policy", uid, {"acknowledged": kept.version}, now)
        return Acknowledgement(uid, kept.version, account, tuple(extract), now)

    def acknowledgements(self, uid: str = "", *, account: str = "") -> Sequence[Acknowledgement]:
        """Return who has read which version, the newest first."""
        table = tables.policy_acknowledgement
        query = select(table).order_by(table.c.at.desc()).limit(10 * MOST)
        for column, value in ((table.c.policy, uid), (table.c.account, account)):
            if value:
                query = query.where(column == value)
        with self._records.read() as connection:
            rows = connection.execute(query)
            return [Acknowledgement(row.policy, row.version, row.account, tuple(row.statements), row.at) for row in rows]

    def unread(self, account: str, roles: Iterable[str]) -> Sequence[PolicyVersion]:
        """Return the versions in force that concern somebody and that they have not acknowledged."""
        mine = tuple(roles)
        read = {(each.policy, each.version) for each in self.acknowledgements(account=account)}
        return [each for uid, each in sorted(self.in_force().items()) if each.policy.extract(mine) and (uid, each.version) not in read]

    # what was applied

    def log_applied(self, lands: str, value: Value | None, parameter: Parameter | None, *, process: str, name: str = "") -> bool:
        """Log that a process acts on a parameter from now on; tell whether that is news (the landing had another value).

        Args:
            lands: What follows it, as in ``ww_007.granted_after``.
            value: What it acts on, as JSON; None: the default again.
            parameter: Where it comes from; None: no policy binds it any more.
            process: ``work``, ``respond``, ``measure``, ``serve``.
            name: The parameter's name where there is none in force any more.
        """
        table, now = tables.parameter_applied, to_millisecond(self._clock.now())
        said = "" if value is None else json.dumps(plain(value), sort_keys=True)
        with self._records.begin() as connection:
            query = select(table.c.value, table.c.parameter).where(table.c.lands == lands).order_by(table.c.position.desc()).limit(1)
            last = connection.execute(query).first()
            before = last.value if last is not None else ""
            if before == said:
                return False
            source = parameter.name if parameter is not None else name or (last.parameter if last is not None else "")
            decision = parameter.decision if parameter is not None else ""
            row = {"parameter": source, "lands": lands, "before": before, "value": said, "process": process, "at": now}
            version = parameter.version if parameter is not None else 0
            connection.execute(insert(table).values(**row, policy_version=version, decision=decision))
            detail = {"lands": lands, "before": before, "value": said, "decision": decision, "process": process}
            self._auditor.write("watchword", "parameter.applied", source, "", detail, connection=connection)
            self._ledger.append_change(connection, "policy", policy_name(source), {"applied": source, "lands": lands}, now)
        return True

    def applied(self, parameter: str = "", *, decision: str = "", limit: int = MOST) -> Sequence[Applied]:
        """Return what was applied where, the newest first."""
        table = tables.parameter_applied
        query = select(table).order_by(table.c.position.desc()).limit(limit)
        if parameter:
            query = query.where((table.c.parameter == parameter) | table.c.parameter.startswith(parameter + ".", autoescape=True))
        if decision:
            query = query.where(table.c.decision == decision)
        with self._records.read() as connection:
            return [_applied(row) for row in connection.execute(query)]


def _applied(row: Row[Any]) -> Applied:
    return Applied(row.parameter, row.lands, row.before, row.value, row.policy_version, row.decision, row.process, row.at)
