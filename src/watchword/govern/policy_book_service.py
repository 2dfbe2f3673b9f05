"""The book of policies: versions and drafts as they are kept, the parameters in force now or at a moment, and conflicts between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from watchword.govern import policy_tables as tables
from watchword.govern.conflict import Conflict, find_conflicts
from watchword.govern.parameter import Parameter
from watchword.govern.policy import Policy, changed, document_of, policy_name, policy_of, shipped_policies
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import InputError, NotFound
from watchword.kit.records import Records
from watchword.respond.ports import Auditor


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a policy: what was decided, by which Decision, and since when it holds."""

    policy: Policy
    version: int
    hash: str
    decision: str
    in_force: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """A text on the way to a body."""

    policy: Policy
    hash: str
    by: str
    at: datetime


class PolicyBook:
    """Reads policies, and keeps drafts."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor) -> None:
        self._records, self._clock, self._auditor = records, clock, auditor
        self._ledger = Ledger(records)
        self._lock = Lock()
        self._known: tuple[int, dict[str, PolicyVersion]] | None = None

    # drafts

    def put_draft(self, policy: Policy, *, by: str) -> Draft:
        """Keep a text as the draft of its policy; a Decision that sets ``POLICY.draft`` to its hash makes it a version.

        Raises:
            InputError: it is the version that stands.
        """
        now = to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            newest = self._newest(connection, policy.uid)
            if newest is not None and newest.hash == policy.hash:
                raise InputError(f"this is word for word version {newest.version} of {policy.uid}", "policy")
            connection.execute(delete(tables.policy_draft).where(tables.policy_draft.c.policy == policy.uid))
            row = {"policy": policy.uid, "document": document_of(policy), "hash": policy.hash, "by": by, "at": now}
            connection.execute(insert(tables.policy_draft).values(**row))
            self._auditor.write(by, "policy.draft", policy.uid, "", {"hash": policy.hash}, connection=connection)
            self._ledger.append_change(connection, "policy", policy.uid, {"draft": policy.hash}, now)
        return Draft(policy, policy.hash, by, now)

    def draft(self, uid: str) -> Draft | None:
        """Return a policy's draft, if there is one."""
        with self._records.read() as connection:
            return self._draft(connection, uid)

    def drafts(self) -> Sequence[Draft]:
        """Return every draft."""
        with self._records.read() as connection:
            rows = connection.execute(select(tables.policy_draft).order_by(tables.policy_draft.c.policy))
            return [Draft(policy_of(row.document), row.hash, row.by, row.at) for row in rows]

    def _draft(self, connection: Connection, uid: str) -> Draft | None:
        row = connection.execute(select(tables.policy_draft).where(tables.policy_draft.c.policy == uid)).first()
        return Draft(policy_of(row.document), row.hash, row.by, row.at) if row is not None else None

    # versions and parameters

    def version(self) -> int:
        """Return a number that grows whenever another version of any policy comes into force; 0: none is in force."""
        table = tables.policy_version
        query = select(func.count()).select_from(table).where(table.c.in_force <= to_millisecond(self._clock.now()))
        with self._records.read() as connection:
            return int(connection.execute(query).scalar_one())

    def in_force(self) -> Mapping[str, PolicyVersion]:
        """Return policy → the version in force."""
        version = self.version()
        with self._lock:
            if self._known is not None and self._known[0] == version:
                return self._known[1]
        found = self.at(self._clock.now())
        with self._lock:
            self._known = (version, found)
        return found

    def at(self, moment: datetime) -> dict[str, PolicyVersion]:
        """Return policy → the version that was in force at a moment."""
        table = tables.policy_version
        query = select(table).where(table.c.in_force <= to_millisecond(moment)).order_by(table.c.policy, table.c.version)
        with self._records.read() as connection:
            return {row.policy: _version(row) for row in connection.execute(query)}

    def versions(self, uid: str) -> Sequence[PolicyVersion]:
        """Return the versions of a policy, the newest first, those that are not in force yet included.

        Raises:
            NotFound: no policy of this name is known at all.
        """
        table = tables.policy_version
        with self._records.read() as connection:
            query = select(table).where(table.c.policy == uid).order_by(table.c.version.desc())
            found = [_version(row) for row in connection.execute(query)]
        if not found and uid not in shipped_policies() and self.draft(uid) is None:
            raise NotFound(f"there is no policy {uid}")
        return found

    def of_decision(self, decision: str) -> Sequence[PolicyVersion]:
        """Return the versions that a Decision made."""
        table = tables.policy_version
        with self._records.read() as connection:
            rows = connection.execute(select(table).where(table.c.decision == decision).order_by(table.c.policy))
            return [_version(row) for row in rows]

    def parameters(self, moment: datetime | None = None) -> Mapping[str, Parameter]:
        """Return ``STATEMENT.KEY`` → parameter, for every policy in force, now or at a moment."""
        found: dict[str, Parameter] = {}
        for each in (self.in_force() if moment is None else self.at(moment)).values():
            found |= each.policy.parameters(each.version, each.decision)
        return found

    def get(self, uid: str) -> Policy:
        """Return the policy as it is in force, else its draft, else as it is shipped.

        Raises:
            NotFound: there is none.
        """
        if (known := self.in_force().get(uid)) is not None:
            return known.policy
        if (draft := self.draft(uid)) is not None:
            return draft.policy
        if uid not in shipped_policies():
            raise NotFound(f"there is no policy {uid}")
        return shipped_policies()[uid]

    def names(self) -> Sequence[str]:
        """Return the uid of every policy that is in force, drafted or shipped."""
        return sorted({*self.in_force(), *shipped_policies(), *(each.policy.uid for each in self.drafts())})

    def conflicts(self) -> Sequence[Conflict]:
        """Return the conflicts between the policies in force."""
        return find_conflicts([each.policy for each in self.in_force().values()])

    def conflicts_with(self, sets: Mapping[str, object]) -> Sequence[Conflict]:
        """Return the conflicts that would be new if these parameters were set.

        Raises:
            InputError: they cannot be set.
        """
        after = {uid: each.policy for uid, each in self.in_force().items()}
        wanted: dict[str, dict[str, object]] = {}
        for name, raw in sets.items():
            wanted.setdefault(policy_name(name), {})[name] = raw
        for uid, own in wanted.items():
            base = after.get(uid) or shipped_policies().get(uid)
            if base is None:
                raise InputError(f"there is no policy {uid[:64]!r}", "sets")
            policy, faults = changed(base, own)
            if faults:
                raise InputError("this cannot be set: " + "; ".join(faults), "sets")
            after[uid] = policy
        before = {each.key for each in self.conflicts()}
        return [each for each in find_conflicts(after.values()) if each.key not in before]

    def _newest(self, connection: Connection, uid: str) -> PolicyVersion | None:
        table = tables.policy_version
        row = connection.execute(select(table).where(table.c.policy == uid).order_by(table.c.version.desc()).limit(1)).first()
        return _version(row) if row is not None else None


def _version(row: Row[Any]) -> PolicyVersion:
    return PolicyVersion(policy_of(row.document), row.version, row.hash, row.decision, row.in_force)
