"""Reading runs: one with everything, many in a list, whom they wait for, and those that should have moved and did not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select

from watchword.kit.errors import NotFound
from watchword.kit.records import Records
from watchword.model.playbook import Playbook
from watchword.respond.cacao import decode
from watchword.respond.plan import Plan, PlanStep
from watchword.respond.run_move_service import Moves
from watchword.respond.run_state import RunStatus, StepStatus
from watchword.respond.run_tables import playbook_run, run_flow, run_pin, run_timer, run_wait, run_wake, step_attempt, step_run
from watchword.respond.run_view import AttemptView, RunView, StepView, TimerView, WaitView, statuses

GRACE = timedelta(minutes=1)
"""Beside the lease: how long after it was due a step may be owed before that is reported."""
STEPS_SHOWN = 2_000
"""Newest step instances of one view; a loop may have made many more."""


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs; fields are joined by *and*, an empty one does not restrict."""

    incident: str = ""
    playbook: str = ""
    status: tuple[RunStatus, ...] = ()
    exercise: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None
    """Start and uid of the last run that was seen: those behind it."""
    limit: int = 200


@dataclass(frozen=True, slots=True)
class Stalled:
    """A run that owes a step and makes none."""

    run: str
    name: str
    incident: str
    since: datetime
    """Since when it should have moved."""
    why: str


class RunReads:
    """Reads rows of runs; changes nothing."""

    def __init__(self, records: Records, moves: Moves, lease: timedelta) -> None:
        self._records, self._moves, self._lease = records, moves, lease

    def get(self, run: str) -> RunView:
        """Return a run with everything; NotFound when there is none."""
        with self._records.read() as connection:
            row = connection.execute(_HEAD.where(playbook_run.c.uid == run)).first()
            if row is None:
                raise NotFound(f"there is no run {run!r}")
            books = self._moves.books(connection, run)
            newest = select(step_run).where(step_run.c.run == run).order_by(step_run.c.seq.desc()).limit(STEPS_SHOWN)
            steps = [_step(one, _planned(books, one)) for one in reversed(connection.execute(newest).all())]
            values = connection.execute(select(run_flow.c["values"]).where(run_flow.c.run == run, run_flow.c.path == "")).scalar()
            waits = connection.execute(_WAITS.where(run_wait.c.run == run).order_by(run_wait.c.opened_at, run_wait.c.path))
            asked = select(run_wait.c.ref).where(run_wait.c.run == run, run_wait.c.kind == "approval").order_by(run_wait.c.opened_at)
            attempts = select(step_attempt).where(step_attempt.c.run == run).order_by(step_attempt.c.asked_at, step_attempt.c.key)
            timers = select(run_timer).where(run_timer.c.run == run).order_by(run_timer.c.due_at, run_timer.c.path, run_timer.c.kind)
            return _run(
                row,
                variables=values or {},
                steps=tuple(steps),
                waits=tuple(_wait(one) for one in waits),
                timers=tuple(_timer(one) for one in connection.execute(timers.limit(STEPS_SHOWN))),
                attempts=tuple(_attempt(one) for one in connection.execute(attempts.limit(STEPS_SHOWN))),
                approvals=tuple(connection.execute(asked).scalars()),
            )

    def pinned(self, run: str) -> Playbook:
        """Return the playbook that a run keeps to; NotFound when there is no such run."""
        same = (run_pin.c.run == playbook_run.c.uid) & (run_pin.c.book == playbook_run.c.book)
        with self._records.read() as connection:
            text = connection.execute(select(run_pin.c.text).join(playbook_run, same).where(playbook_run.c.uid == run)).scalar()
        if text is None:
            raise NotFound(f"there is no run {run!r}")
        return decode(text)

    def list(self, wanted: RunFilter) -> list[RunView]:
        """Return runs without their steps, newest first."""
        table, query = playbook_run, _HEAD.order_by(playbook_run.c.started_at.desc(), playbook_run.c.uid).limit(wanted.limit)
        if wanted.incident:
            query = query.where(table.c.incident == wanted.incident)
        if wanted.playbook:
            query = query.where(table.c.playbook == wanted.playbook)
        if wanted.status:
            query = query.where(table.c.status.in_([status.value for status in wanted.status]))
        if wanted.exercise is not None:
            query = query.where(table.c.exercise == wanted.exercise)
        if wanted.since is not None:
            query = query.where(table.c.started_at >= wanted.since)
        if wanted.until is not None:
            query = query.where(table.c.started_at < wanted.until)
        if wanted.after is not None:
            started, uid = wanted.after
            same = and_(table.c.started_at == started, table.c.uid > uid)
            query = query.where(or_(table.c.started_at < started, same))
        with self._records.read() as connection:
            return [_run(row) for row in connection.execute(query)]

    def counts(self) -> dict[RunStatus, int]:
        """Return how many runs there are by status."""
        query = select(playbook_run.c.status, func.count()).group_by(playbook_run.c.status)
        with self._records.read() as connection:
            return {RunStatus(status): int(number) for status, number in connection.execute(query)}

    def waits(self, team: str, limit: int) -> Sequence[WaitView]:
        """Return open waits, oldest first."""
        query = _WAITS.order_by(run_wait.c.opened_at, run_wait.c.run, run_wait.c.path).limit(limit)
        if team:
            query = query.where(run_wait.c.team.in_([team, ""]))
        with self._records.read() as connection:
            return [_wait(row) for row in connection.execute(query)]

    def export(self, run: str) -> Sequence[Mapping[str, Any]]:
        """Return execution-status objects."""
        view = self.get(run)
        with self._records.read() as connection:
            books = self._moves.books(connection, run)
            rows = connection.execute(select(step_run.c.path, step_run.c.book, step_run.c.step).where(step_run.c.run == run))
            plans = {row.path: books[row.book].steps[row.step] for row in rows}
        return statuses(view, plans)

    def stalled(self, now: datetime) -> Sequence[Stalled]:
        """Return the runs that owe a step and make none, those that have longest first."""
        before = now - self._lease - GRACE
        with self._records.read() as connection:
            names = {row.uid: row for row in connection.execute(_GOING)}
            owed: dict[str, tuple[datetime, str]] = {}
            for run, since, why in self._owed(connection, before):
                if run in names and (run not in owed or since < owed[run][0]):
                    owed[run] = (since, why)
            for row in names.values():
                if row.uid not in owed and row.progressed_at < before and not _waiting(connection, row.uid):
                    owed[row.uid] = (row.progressed_at, "nothing that it could wait for is open")
        found = [Stalled(run, names[run].name, names[run].incident, since, why) for run, (since, why) in owed.items()]
        return sorted(found, key=lambda one: (one.since, one.run))

    def _owed(self, connection: Connection, before: datetime) -> Sequence[tuple[str, datetime, str]]:
        timer, attempt = run_timer, step_attempt
        timers = select(timer.c.run, timer.c.due_at).where(timer.c.closed_at.is_(None), timer.c.due_at < before)
        held = or_(attempt.c.lease_until.is_(None), attempt.c.lease_until < before)
        attempts = select(attempt.c.run, attempt.c.asked_at).where(attempt.c.settled_at.is_(None), attempt.c.asked_at < before, held)
        wakes = select(run_wake.c.run, run_wake.c.at).where(run_wake.c.at < before)
        more = select(playbook_run.c.uid, playbook_run.c.progressed_at).where(playbook_run.c.more, playbook_run.c.progressed_at < before)
        texts = (
            (timers, "a timer is past and has not fired"),
            (attempts, "an action is with no worker"),
            (wakes, "a decision was not followed"),
            (more, "it was not gone on with"),
        )
        return [(row[0], row[1], text) for query, text in texts for row in connection.execute(query)]


_HEAD = select(playbook_run, run_pin.c.sha256).join(
    run_pin, (run_pin.c.run == playbook_run.c.uid) & (run_pin.c.book == playbook_run.c.book)
)
_GOING = select(playbook_run.c.uid, playbook_run.c.name, playbook_run.c.incident, playbook_run.c.progressed_at).where(
    playbook_run.c.status == RunStatus.RUNNING.value
)
_WAITS = (
    select(run_wait, step_run.c.owner)
    .join(step_run, (step_run.c.run == run_wait.c.run) & (step_run.c.path == run_wait.c.path))
    .where(run_wait.c.closed_at.is_(None))
)


def _waiting(connection: Connection, run: str) -> bool:
    wait = select(run_wait.c.path).where(run_wait.c.run == run, run_wait.c.closed_at.is_(None)).limit(1)
    timer = select(run_timer.c.path).where(run_timer.c.run == run, run_timer.c.closed_at.is_(None)).limit(1)
    attempt = select(step_attempt.c.path).where(step_attempt.c.run == run, step_attempt.c.settled_at.is_(None)).limit(1)
    return any(connection.execute(query).first() is not None for query in (wait, timer, attempt))


def _planned(books: Mapping[str, Plan], row: Row[Any]) -> PlanStep:
    return books[row.book].steps[row.step]


def _run(row: Row[Any], **more: Any) -> RunView:
    modified = row.book.partition("@")[2]
    names = ("uid", "playbook", "name", "sha256", "lint_version", "incident", "exercise", "started_by", "rule", "override")
    times = ("started_at", "progressed_at", "ended_at", "code", "said")
    kept = {name: getattr(row, name) for name in (*names, *times)}
    return RunView(modified=modified, status=RunStatus(row.status), **kept, **more)


def _step(row: Row[Any], plan: PlanStep) -> StepView:
    return StepView(
        row.path,
        row.step,
        row.seq,
        plan.type.value,
        plan.title,
        StepStatus(row.status),
        row.reached_at,
        row.began_at,
        row.ended_at,
        row.team or plan.team,
        row.owner,
        row.by,
        row.code,
        row.said,
        row.note,
        tuple(row.evidence),
        row.values,
        row.turn,
        plan.machine is not None,
        plan.words,
    )


def _wait(row: Row[Any]) -> WaitView:
    head = (row.run, row.path, row.kind, row.ref, row.title, row.words, row.team)
    return WaitView(*head, tuple(row.out_args), row.opened_at, row.owner)


def _timer(row: Row[Any]) -> TimerView:
    return TimerView(row.path, row.kind, row.clock, row.set_at, row.due_at, row.fired_at, row.closed_at, row.late)


def _attempt(row: Row[Any]) -> AttemptView:
    outcome = row.outcome or {}
    action = row.action
    return AttemptView(
        row.path,
        row.key,
        action["verb"],
        action["target"],
        row.approval,
        row.asked_at,
        row.tries,
        row.status,
        outcome.get("said", ""),
        outcome.get("verified"),
        row.settled_at,
    )
