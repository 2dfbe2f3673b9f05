"""Requests for approval: asked once per step and rendered action, answered by people of both teams, counted and woken at once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.kit.ids import uid_of
from watchword.kit.records import Records
from watchword.model.action import Action, Team
from watchword.respond.action_tables import approval, approval_vote
from watchword.respond.approval import ApprovalRule, ApprovalState, Approver, Vote, say_rule, tally
from watchword.respond.asked_service import ApprovalView, Fatigue, came_to_nothing, fatigue_of, fault_of, view_of, votes_of
from watchword.respond.ports import Auditor, IncidentLog, Pages
from watchword.respond.rendering import action_of, body_of, rule_body, rule_of
from watchword.respond.speaker import account_of

GLASS_ROLES: Final = frozenset({"manager", "administrator"})
"""Roles that may break the glass where nothing else is said."""
BOTH_TEAMS: Final = (Team.IT.value, Team.PHYSICAL.value)
REASON_MOST: Final = 2_000


class Approvals:
    """Keeps requests and answers in `Records`. A decision, its count and the wake-up of the step that waits are one transaction."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        auditor: Auditor,
        log: IncidentLog,
        *,
        pages: Pages | None = None,
        glass_roles: frozenset[str] = GLASS_ROLES,
    ) -> None:
        self.records, self.clock, self.auditor, self.log = records, clock, auditor, log
        self.pages, self.glass_roles = pages, glass_roles
        self.wake: Callable[[Connection, str, str], None] = _nobody_waits
        """Called with (connection, run, path) when a request is decided or has expired."""
        self.longest: Callable[[], timedelta | None] = _no_limit
        """The longest that a policy in force lets a request wait and a yes be used; None: none says."""

    # asking

    def ask(
        self, connection: Connection, action: Action, rule: ApprovalRule, *, run: str, path: str, asked_by: str, again: bool = False
    ) -> str:
        """Ask for an action within the caller's transaction and return the request's uid.

        Asked again for the same run, path and rendered action it returns the same request, whatever became of it; with `again`, a new
        one when the old one is decided.
        """
        longest = self.longest()
        if longest is not None:
            rule = replace(rule, expires_after=min(rule.expires_after, longest))
        same = (approval.c.run == run) & (approval.c.path == path) & (approval.c.digest == action.digest)
        newest = connection.execute(
            select(approval.c.uid, approval.c.round, approval.c.state).where(same).order_by(approval.c.round.desc()).limit(1)
        ).first()
        if newest is not None and (not again or newest.state == ApprovalState.WAITING):
            return str(newest.uid)
        number = 1 if newest is None else int(newest.round) + 1
        uid, now = uid_of("approval", run, path, action.digest, str(number)), self._now()
        row = self._row(uid, action, rule, run, path, asked_by, number, now)
        connection.execute(insert(approval).values(**row))
        self.auditor.write(
            asked_by, "approval.ask", uid, action.reason, {"verb": action.verb, "target": action.target, "digest": action.digest},
            connection=connection,
        )  # fmt: skip
        self._tell(connection, uid, action, f"asks {say_rule(rule)} to agree: {action.verb} {action.target}", asked_by, "", now)
        return uid

    def _row(
        self, uid: str, action: Action, rule: ApprovalRule, run: str, path: str, asked_by: str, number: int, now: datetime
    ) -> dict[str, Any]:
        state = ApprovalState.WAITING if rule.needed else ApprovalState.GRANTED
        return {
            "uid": uid,
            "run": run,
            "path": path,
            "digest": action.digest,
            "round": number,
            "body": body_of(action),
            "incident": action.incident,
            "exercise": action.exercise,
            "rule": rule_body(rule),
            "asked_by": asked_by,
            "asked_at": now,
            "expires_at": now + rule.expires_after,
            "state": state.value,
            "decided_at": None if rule.needed else now,
            "glass": False,
            "used_by": "",
        }

    # answering

    def decide(self, uid: str, approver: Approver, yes: bool, reason: str, digest: str, shown_at: datetime) -> ApprovalView:
        """Take one person's answer.

        Args:
            uid: The request.
            approver: Who answers; the face vouches for a fresh log-in.
            yes: False is a veto and stops the request, whoever else agreed.
            reason: Why; needed for a veto.
            digest: Hash of the rendered action that the person was shown.
            shown_at: When it was shown, by the server's clock.

        Raises:
            NotFound: there is no such request.
            Conflict: it is decided or expired, another action was shown, or the person has answered already.
            Forbidden: the requester, or somebody of no team that is asked.
            InputError: a veto without reason, or a time of showing that cannot be.
        """
        now = self._now()
        if not yes and not reason.strip():
            raise InputError("a no needs its reason: the people who wait must know what to change", "reason")
        if shown_at > now:
            raise InputError(f"the request cannot have been shown at {shown_at.isoformat()}, later than now", "shown_at")
        with self.records.begin() as connection:
            late = self._expire_one(connection, uid, now)
            if not late:
                row = self._lock(connection, uid)
                self._refuse(connection, row, approver, digest, shown_at)
                vote = Vote(approver.identity, approver.account, approver.name, approver.team, yes, now, shown_at, reason[:REASON_MOST])
                self._count(connection, row, vote, digest, now)
        if late:
            raise Conflict("the request has expired; ask again")
        return self.get(uid)

    def _lock(self, connection: Connection, uid: str) -> Row[Any]:
        # An update takes the row's lock on both engines, so that two answers are counted one after the other.
        connection.execute(update(approval).where(approval.c.uid == uid).values(round=approval.c.round))
        row = connection.execute(select(approval).where(approval.c.uid == uid)).first()
        if row is None:
            raise NotFound(f"there is no request for approval {uid!r}")
        return row

    def _refuse(self, connection: Connection, row: Row[Any], approver: Approver, digest: str, shown_at: datetime) -> None:
        rule = rule_of(row.rule)
        if row.state != ApprovalState.WAITING:
            raise Conflict(f"the request is {row.state} already")
        if digest != row.digest:
            raise Conflict("the action has changed since it was shown; look at it again")
        if shown_at < row.asked_at:
            raise InputError("the request was shown before it was asked", "shown_at")
        if rule.exclude_requester and row.asked_by and account_of(row.asked_by) in {account_of(approver.account), approver.identity}:
            raise Forbidden("whoever asks for this action does not approve it: ask a colleague")
        if not approver.team or (rule.of and approver.team not in rule.of):
            asked = ", ".join(sorted(rule.of)) or "it, physical, management"
            raise Forbidden(f"this request is for people of {asked}, and you speak for {approver.team or 'no team'}")
        answered = select(approval_vote.c.at).where(
            approval_vote.c.approval == row.uid,
            (approval_vote.c.identity == approver.identity) | (approval_vote.c.account == approver.account),
        )
        if connection.execute(answered).first() is not None:
            raise Conflict("you have answered this request already; it takes another person")

    def _count(self, connection: Connection, row: Row[Any], vote: Vote, digest: str, now: datetime) -> None:
        connection.execute(
            insert(approval_vote).values(
                approval=row.uid, identity=vote.identity, account=vote.account, name=vote.name, team=vote.team, yes=vote.yes,
                reason=vote.reason, digest=digest, shown_at=vote.shown_at, at=now,
            )
        )  # fmt: skip
        votes = votes_of(connection, row.uid)
        count = tally(rule_of(row.rule), votes, row.asked_by)
        done = count.state is not ApprovalState.WAITING
        connection.execute(
            update(approval).where(approval.c.uid == row.uid).values(state=count.state.value, decided_at=now if done else None)
        )
        action = action_of(row.body)
        word = "approval.agree" if vote.yes else "approval.veto"
        detail = {"verb": action.verb, "target": action.target, "digest": digest, "team": vote.team, "state": count.state.value}
        self.auditor.write(vote.account, word, row.uid, vote.reason, detail, connection=connection)
        said = "agrees to" if vote.yes else "stops"
        why = f": {vote.reason}" if vote.reason else ""
        self._tell(connection, row.uid, action, f"{vote.name} {said} {action.verb} {action.target}{why}", vote.account, vote.team, now)
        if done:
            self.wake(connection, row.run, row.path)

    # break-glass

    def break_glass(self, uid: str, by: Approver, reason: str) -> ApprovalView:
        """Let one person of a named role stand in for the approvers: both teams' leads are called, and a review is due.

        It replaces missing answers only. A veto stands, and the life-safety interlock is asked all the same.

        Raises:
            NotFound: there is no such request.
            Forbidden: the role may not.
            InputError: no reason.
            Conflict: the request is decided or expired.
        """
        if by.role not in self.glass_roles:
            self.auditor.write(by.account, "approval.glass_refused", uid, reason, {"role": by.role})
            raise Forbidden(f"break-glass is for {', '.join(sorted(self.glass_roles))}; you are {by.role or 'without role'}")
        if not reason.strip():
            raise InputError("break-glass needs its reason: it is what the review starts from", "reason")
        now = self._now()
        with self.records.begin() as connection:
            late = self._expire_one(connection, uid, now)
            if not late:
                self._break(connection, self._lock(connection, uid), by, reason[:REASON_MOST], now)
        if late:
            raise Conflict("the request has expired; ask again")
        return self.get(uid)

    def _break(self, connection: Connection, row: Row[Any], by: Approver, reason: str, now: datetime) -> None:
        if row.state != ApprovalState.WAITING:
            raise Conflict(f"the request is {row.state} already")
        connection.execute(
            update(approval).where(approval.c.uid == row.uid).values(state=ApprovalState.GRANTED.value, decided_at=now, glass=True)
        )
        action = action_of(row.body)
        detail = {"verb": action.verb, "target": action.target, "digest": row.digest, "role": by.role}
        self.auditor.write(by.account, "approval.break_glass", row.uid, reason, detail, connection=connection)
        text = f"{by.name} breaks the glass for {action.verb} {action.target}: {reason}"
        self._tell(connection, row.uid, action, text, by.account, by.team, now)
        if row.incident:
            refs = {"approval": row.uid}
            review = f"A review of the break-glass by {by.name} is due: was it needed, and why was nobody there to agree?"
            self.log.append(connection, row.incident, "review", review, occurred_at=now, recorded_by=by.account, team=by.team, refs=refs)
        if self.pages is not None:
            self.pages.page(
                connection, incident=row.incident, severity=1, teams=BOTH_TEAMS, title=f"Glass broken by {by.name}", place=action.target,
                what_to_do=f"{action.verb} {action.target} goes ahead without the approvers. Look at it now; stop it if it is wrong.",
                exercise=row.exercise, key=f"glass:{row.uid}",
            )  # fmt: skip
        self.wake(connection, row.run, row.path)

    # reading

    def get(self, uid: str) -> ApprovalView:
        """Return a request with its answers.

        Raises:
            NotFound: there is no such request.
        """
        with self.records.read() as connection:
            return self.read(connection, uid)

    def read(self, connection: Connection, uid: str) -> ApprovalView:
        """Return a request within a transaction.

        Raises:
            NotFound: there is no such request.
        """
        row = connection.execute(select(approval).where(approval.c.uid == uid)).first()
        if row is None:
            raise NotFound(f"there is no request for approval {uid!r}")
        return view_of(row, votes_of(connection, uid))

    def waiting(self, team: str = "") -> list[ApprovalView]:
        """Return the requests that wait for an answer, the most urgent first; of those that a team may answer when one is named."""
        query = select(approval).where(approval.c.state == ApprovalState.WAITING.value).order_by(approval.c.expires_at, approval.c.uid)
        return [view for view in self._views(query) if not team or not view.rule.of or team in view.rule.of]

    def of_run(self, run: str) -> list[ApprovalView]:
        """Return every request of a run, oldest first."""
        return self._views(select(approval).where(approval.c.run == run).order_by(approval.c.asked_at, approval.c.uid))

    def of_incident(self, incident: str) -> list[ApprovalView]:
        """Return every request of an incident, oldest first."""
        return self._views(select(approval).where(approval.c.incident == incident).order_by(approval.c.asked_at, approval.c.uid))

    def _views(self, query: Any) -> list[ApprovalView]:
        with self.records.read() as connection:
            return [view_of(row, votes_of(connection, row.uid)) for row in connection.execute(query).all()]

    def fatigue(self, since: datetime) -> list[Fatigue]:
        """Return how each approver answered since a moment, those who clicked through first."""
        with self.records.read() as connection:
            return fatigue_of(connection, since)

    # time

    def expire(self, now: datetime) -> int:
        """End the requests that nobody answered in time, wake their steps, and return how many."""
        query = select(approval.c.uid).where(approval.c.state == ApprovalState.WAITING.value, approval.c.expires_at <= now)
        with self.records.read() as connection:
            due = [row.uid for row in connection.execute(query)]
        ended = 0
        for uid in due:
            with self.records.begin() as connection:
                ended += self._expire_one(connection, uid, now)
        return ended

    def _expire_one(self, connection: Connection, uid: str, now: datetime) -> bool:
        """End one request when its time is over; only one caller sees it happen."""
        step = (
            update(approval)
            .where(approval.c.uid == uid, approval.c.state == ApprovalState.WAITING.value, approval.c.expires_at <= now)
            .values(state=ApprovalState.EXPIRED.value, decided_at=now)
            .returning(approval)
        )
        row = connection.execute(step).first()
        if row is None:
            return False
        action = action_of(row.body)
        detail = {"verb": action.verb, "target": action.target, "digest": row.digest}
        self.auditor.write("system", "approval.expire", uid, "", detail, connection=connection)
        text = f"Nobody answered in time, so {action.verb} {action.target} is refused"
        self._tell(connection, uid, action, text, "system", "", now)
        self.wake(connection, row.run, row.path)
        return True

    # use, by the gateway

    def use(self, connection: Connection, uid: str, action: Action, rule: ApprovalRule, now: datetime) -> str:
        """Check an approval for the very action and mark it as used; return the word of a refusal, or '' when it holds.

        Answers are counted anew from their rows, by the stricter of the catalogue's rule and the request's own.
        """
        if not uid:
            return "no-approval"
        row = connection.execute(update(approval).where(approval.c.uid == uid).values(round=approval.c.round).returning(approval)).first()
        if row is None:
            return "no-approval"
        view = view_of(row, votes_of(connection, uid))
        code = fault_of(view, action, rule, now)
        if code:
            return code
        if row.used_by not in {"", action.key} and not came_to_nothing(connection, row.used_by):
            return "approval-used"
        connection.execute(update(approval).where(approval.c.uid == uid).values(used_by=action.key))
        return ""

    # telling

    def _now(self) -> datetime:
        return to_millisecond(self.clock.now())

    def _tell(self, connection: Connection, uid: str, action: Action, text: str, by: str, team: str, now: datetime) -> None:
        if action.incident:
            refs = {"approval": uid, "run": action.run}
            self.log.append(connection, action.incident, "approval", text, occurred_at=now, recorded_by=by, team=team, refs=refs)
        Ledger(self.records).append_change(connection, "approval", uid, {"text": text, "exercise": action.exercise}, now)


def _no_limit() -> timedelta | None:
    return None


def _nobody_waits(connection: Connection, run: str, path: str) -> None:
    """Wake nobody: no run has been wired to these approvals."""
