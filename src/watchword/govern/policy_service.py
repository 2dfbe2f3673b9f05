"""Policies as Decisions change them: each Decision that sets something makes a version or an exception, and nothing else does."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert

from watchword.govern import policy_tables as tables
from watchword.govern.policy import DRAFT, Policy, Statement, changed, document_of, params_differ, policy_name, shipped_policies
from watchword.govern.policy_book_service import Draft, PolicyVersion
from watchword.govern.policy_use_service import Acknowledgement, Applied, PolicyException, PolicyUse
from watchword.kit.clock import to_millisecond
from watchword.kit.errors import InputError
from watchword.model.decision import Decision

__all__ = ["Acknowledgement", "Applied", "Draft", "Policies", "PolicyException", "PolicyVersion"]


class Policies(PolicyUse):
    """Keeps policies in `Records`. Subscribe `decided` to `Decisions.on_decided`, and `check` to its checks."""

    # what is decided

    def check(self, connection: Connection, decision: Decision) -> None:
        """Refuse a decision that could not become a version or an exception; subscribe it to `Decisions.checks`.

        Raises:
            InputError: it sets what no policy has, a value of the wrong kind, or another draft than the one that stands.
        """
        self._next_versions(connection, decision)

    def decided(self, connection: Connection, decision: Decision) -> None:
        """Make of a decision the versions and the exception that it decides, in its own transaction.

        Raises:
            InputError: as `check`.
        """
        now = to_millisecond(self._clock.now())
        for policy in self._next_versions(connection, decision):
            before = self._newest(connection, policy.uid)
            number = before.version + 1 if before is not None else 1
            row = {"policy": policy.uid, "version": number, "document": document_of(policy), "hash": policy.hash}
            connection.execute(insert(tables.policy_version).values(**row, decision=decision.uid, in_force=decision.in_force, kept_at=now))
            connection.execute(delete(tables.policy_draft).where(tables.policy_draft.c.policy == policy.uid))
            changes = params_differ(before.policy if before is not None else None, policy)
            detail = {"version": number, "hash": policy.hash, "decision": decision.uid, "changes": [list(each) for each in changes]}
            self._auditor.write("watchword", "policy.version", policy.uid, decision.because, detail, connection=connection)
            self._ledger.append_change(connection, "policy", policy.uid, {"version": number, "decision": decision.uid}, now)
        if decision.kind == "exception" and self._statement_of(connection, decision.subject) is not None:
            self._except(connection, decision, now)

    def _next_versions(self, connection: Connection, decision: Decision) -> list[Policy]:
        if decision.kind == "exception":
            return []
        wanted: dict[str, dict[str, object]] = {}
        strict = decision.kind in {"policy", "decision"}  # what an investment or a target sets may be for another room
        for name, raw in decision.sets.items():
            if strict or self._known_policy(connection, policy_name(name)):
                wanted.setdefault(policy_name(name), {})[name] = raw
        if decision.kind == "policy" and decision.subject:
            wanted.setdefault(decision.subject, {})
        found, faults = [], []
        for uid, sets in sorted(wanted.items()):
            draft = self._draft(connection, uid)
            names_draft = sets.pop(f"{uid}.{DRAFT}", None)
            if names_draft is not None and (draft is None or draft.hash != names_draft):
                faults.append(f"the draft of policy {uid} is another text than the one that was put: put it again")
                continue
            newest = self._newest(connection, uid)
            base = draft.policy if names_draft is not None and draft is not None else newest.policy if newest is not None else None
            base = base or shipped_policies().get(uid)
            if base is None:
                faults.append(f"there is no policy {uid[:64]!r}")
                continue
            policy, wrong = changed(base, sets)
            faults += wrong
            found.append(policy)
        if faults:
            raise InputError("this cannot be set: " + "; ".join(faults), "sets")
        return found

    def _known_policy(self, connection: Connection, uid: str) -> bool:
        return uid in shipped_policies() or self._newest(connection, uid) is not None

    def _except(self, connection: Connection, decision: Decision, now: datetime) -> None:
        statement = decision.subject
        newest = self._newest(connection, policy_name(statement))
        sets = decision.sets
        row = {
            "decision": decision.uid,
            "statement": statement,
            "scope": str(sets.get("scope", decision.question))[:2000],
            "reason": decision.because,
            "compensating": str(sets.get("compensating", decision.choice))[:4000],
            "hash": newest.hash if newest is not None else "",
            "since": decision.in_force,
            "expires": decision.expires,
        }
        connection.execute(insert(tables.policy_exception).values(**row))
        detail = {"decision": decision.uid, "expires": str(decision.expires)}
        self._auditor.write("watchword", "policy.exception", statement, decision.because, detail, connection=connection)
        self._ledger.append_change(connection, "policy", policy_name(statement), {"exception": decision.uid}, now)

    def _statement_of(self, connection: Connection, uid: str) -> Statement | None:
        newest = self._newest(connection, policy_name(uid))
        return newest.policy.statement(uid) if newest is not None else None
