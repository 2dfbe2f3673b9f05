"""Requests for approval: asked once per step and rendered action, answered by people of both teams, counted and woken in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import BigInteger, Connection, Row, case, func, insert, select, type_coerce, update

from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.kit.ids import uid_of
from watchword.kit.records import Records
from watchword.model.action import Action, Team
from watchword.respond.action_tables import action as actions
from watchword.respond.action_tables import approval, approval_vote
from watchword.respond.approval import QUICK, ApprovalRule, ApprovalState, Approver, Vote, say_rule, stricter, tally
from watchword.respond.ports import Auditor, IncidentLog
from watchword.respond.rendering import action_of, body_of, rule_body, rule_of

GLASS_ROLES: Final = frozenset({"manager", "administrator"})
"""Roles that may break the glass where nothing else is said."""
BOTH_TEAMS: Final = (Team.IT.value, Team.PHYSICAL.value)
REASON_MOST: Final = 2_000


class Pages(Protocol):
    """How actions and approvals have people called; within the transaction of what happened, once per key."""

    def page(
        self,
        connection: Connection,
        *,
        incident: str,
        severity: int,
        teams: tuple[str, ...],
        title: str,
        place: str,
        what_to_do: str,
        exercise: bool,
        key: str,
    ) -> object:
        """Call the teams' people on duty."""
        ...


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """One request with its answers."""

    uid: str
    run: str
    path: str
    digest: str
    action: Action
    rule: ApprovalRule
    state: ApprovalState
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    votes: tuple[Vote, ...]
    glass: bool = False
    """The glass was broken: one named role in place of the approvers."""
    used_by: str = ""
    """Key of the action that it was used for; an approval is good for one."""

    @property
    def missing(self) -> str:
        """Say what is still missing, in words; empty when nothing is."""
        count = tally(self.rule, self.votes, self.asked_by)
        if self.state is not ApprovalState.WAITING:
            return ""
        return f"{count.people} of {say_rule(self.rule)}"


@dataclass(frozen=True, slots=True)
class Fatigue:
    """How one approver has answered lately: a person who always says yes, at once, is no safeguard."""

    account: str
    decisions: int
    yes: int
    quick: int
    """Yeses within five seconds of being shown."""

    @property
    def tired(self) -> bool:
        """Tell whether it looks like clicking through: five answers or more, all of them yes, half of them at once."""
        return self.decisions >= 5 and self.yes == self.decisions and self.quick * 2 >= self.decisions


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

    # asking

    def ask(
        self, connection: Connection, action: Action, rule: ApprovalRule, *, run: str, path: str, asked_by: str, again: bool = False
    ) -> str:
        """Ask for an action within the caller's transaction and return the request's uid.

        Asked again for the same run, path and rendered action it returns the same request, whatever became of it; with `again`, a new
        one when the old one is decided.
        """
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
        if rule.exclude_requester and row.asked_by and row.asked_by in {approver.account, approver.identity}:
            raise Forbidden("whoever asks for this action does not approve it: ask a colleague")
        if not approver.team or (rule.of and approver.team not in rule.of):
            asked = ", ".join(sorted(rule.of)) or "it, physical, management"
            raise Forbidden(f"this request is for people of {asked}, and you speak for {approver.team or 'no team'}")
        answered = select(approval_vote.c.at).where(
            approval_vote.c.approval == row.uid, (approval_vote.c.identity == approver.identity) | (approval_vote.c.account == approver.account)
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
        votes = _votes(connection, row.uid)
        count = tally(rule_of(row.rule), votes, row.asked_by)
        done = count.state is not ApprovalState.WAITING
        connection.execute(
            update(approval)
            .where(approval.c.uid == row.uid)
            .values(state=count.state.value, decided_at=now if done else None)
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
        return _view(row, _votes(connection, uid))

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
            return [_view(row, _votes(connection, row.uid)) for row in connection.execute(query).all()]

    def fatigue(self, since: datetime) -> list[Fatigue]:
        """Return how each approver answered since a moment, those who clicked through first."""
        table = approval_vote
        took = type_coerce(table.c.at, BigInteger) - type_coerce(table.c.shown_at, BigInteger)
        quick = case((table.c.yes & (took <= QUICK // timedelta(milliseconds=1)), 1), else_=0)
        query = (
            select(table.c.account, func.count(), func.sum(case((table.c.yes, 1), else_=0)), func.sum(quick))
            .where(table.c.at >= since)
            .group_by(table.c.account)
            .order_by(table.c.account)
        )
        with self.records.read() as connection:
            found = [Fatigue(account, int(count), int(yes), int(soon)) for account, count, yes, soon in connection.execute(query)]
        return sorted(found, key=lambda each: (not each.tired, -each.quick, each.account))

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
        row = connection.execute(
            update(approval).where(approval.c.uid == uid).values(round=approval.c.round).returning(approval)
        ).first()
        if row is None:
            return "no-approval"
        view = _view(row, _votes(connection, uid))
        code = _fault(view, action, rule, now)
        if code:
            return code
        if row.used_by not in {"", action.key} and not _came_to_nothing(connection, row.used_by):
            return "approval-used"
        connection.execute(update(approval).where(approval.c.uid == uid).values(used_by=action.key))
        return ""

    # telling

    def _now(self) -> datetime:
        return to_millisecond(self.clock.now())

    def _tell(self, connection: Connection, uid: str, action: Action, text: str, by: str, team: str, now: datetime) -> None:
        if action.incident:
            refs = {"approval": uid, "run": action.run}
            self.log.append(
                connection, action.incident, "approval", text, occurred_at=now, recorded_by=by, team=team, refs=refs
            )
        Ledger(self.records).append_change(connection, "approval", uid, {"text": text, "exercise": action.exercise}, now)


def _fault(view: ApprovalView, action: Action, rule: ApprovalRule, now: datetime) -> str:
    """Return why an approval does not stand for an action, or ''."""
    if view.digest != action.digest or view.action.digest != action.digest:
        return "approval-void"
    if view.run != action.run or view.path != action.path:
        return "approval-elsewhere"
    if view.state is ApprovalState.VETOED or any(not vote.yes for vote in view.votes):
        return "vetoed"
    if view.state is ApprovalState.EXPIRED or view.decided_at is None:
        return "approval-expired" if view.state is ApprovalState.EXPIRED else "approval-incomplete"
    whole = stricter(rule, view.rule)
    if now > view.decided_at + whole.expires_after:
        return "approval-expired"
    if view.glass:
        return ""
    for requester in {view.asked_by, action.requested_by}:
        if not tally(whole, view.votes, requester).complete:
            return "approval-incomplete"
    return ""


def _came_to_nothing(connection: Connection, key: str) -> bool:
    """Tell whether the action that an approval was used for did nothing, so that it may be tried again."""
    state = connection.execute(select(actions.c.state).where(actions.c.key == key)).scalar()
    return state in {"refused", "failed"}


def _votes(connection: Connection, uid: str) -> tuple[Vote, ...]:
    table = approval_vote
    rows = connection.execute(select(table).where(table.c.approval == uid).order_by(table.c.at, table.c.identity))
    return tuple(Vote(row.identity, row.account, row.name, row.team, row.yes, row.at, row.shown_at, row.reason) for row in rows)


def _view(row: Row[Any], votes: tuple[Vote, ...]) -> ApprovalView:
    return ApprovalView(
        row.uid,
        row.run,
        row.path,
        row.digest,
        action_of(row.body),
        rule_of(row.rule),
        ApprovalState(row.state),
        row.asked_by,
        row.asked_at,
        row.expires_at,
        row.decided_at,
        votes,
        row.glass,
        row.used_by,
    )


def _nobody_waits(connection: Connection, run: str, path: str) -> None:
    """Wake nobody: no run has been wired to these approvals."""
