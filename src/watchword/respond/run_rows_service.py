"""How the state of a run is read from its rows and a transition is written to them, within the transaction of whoever asks."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from watchword.kit.errors import Conflict
from watchword.respond.rendering import body_of
from watchword.respond.run_state import (
    Advance,
    AskPerson,
    Flow,
    FlowKind,
    Perform,
    RunState,
    RunStatus,
    SetTimer,
    Step,
    StepStatus,
    TimerKind,
)
from watchword.respond.run_tables import playbook_run, run_flow, run_timer, run_wait, step_attempt, step_run

BACKWARDS = timedelta(minutes=1)
"""A timer set so much later than now was set before the clock was put back."""


def load(connection: Connection, uid: str) -> tuple[RunState, Row[Any]] | None:
    """Return what is open in a run and its row, holding the row's lock until the transaction ends; None when there is no such run."""
    row = connection.execute(select(playbook_run).where(playbook_run.c.uid == uid).with_for_update()).first()
    if row is None:
        return None
    steps = connection.execute(select(step_run).where(step_run.c.run == uid, step_run.c.open).order_by(step_run.c.seq))
    flows = connection.execute(select(run_flow).where(run_flow.c.run == uid))
    state = RunState(
        uid,
        row.book,
        row.incident,
        f"rule:{row.rule}" if row.rule else row.started_by,
        row.exercise,
        RunStatus(row.status),
        row.reached,
        row.code,
        row.said,
        {one.path: step_of(one) for one in steps},
        {one.path: _flow_of(one) for one in flows},
    )
    return state, row


def step_of(row: Row[Any]) -> Step:
    """Return the step instance that a row keeps."""
    return Step(
        row.path,
        row.step,
        row.flow,
        row.book,
        row.seq,
        StepStatus(row.status),
        row.reached_at,
        row.began_at,
        row.ended_at,
        row.values,
        row.work,
        row.turn,
        row.code,
        row.said,
        row.by,
        row.team,
    )


def save(connection: Connection, made: Advance, version: int, now: datetime, timeouts: Mapping[str, timedelta]) -> None:
    """Write a transition: changed instances and flows, timers, waits and attempts; what belongs to ended steps is closed.

    Args:
        connection: a transaction in which the run was loaded.
        made: the transition.
        version: that of the run's row when it was loaded.
        now: the moment of the transition.
        timeouts: how long an action may take, by path of its step.

    Raises:
        Conflict: another transition was quicker; nothing of this one may be kept.
    """
    state = made.state
    over = state.status is not RunStatus.RUNNING
    changed = connection.execute(
        update(playbook_run)
        .where(playbook_run.c.uid == state.uid, playbook_run.c.version == version)
        .values(
            version=version + 1,
            status=state.status.value,
            reached=state.reached,
            more=made.more,
            code=state.code[:64],
            said=state.said,
            progressed_at=now,
            ended_at=now if over else None,
        )
    )
    if changed.rowcount != 1:
        raise Conflict(f"run {state.uid} was moved on by another worker")
    for step in made.steps:
        _keep_step(connection, state.uid, step)
    for flow in made.flows:
        _upsert(connection, run_flow, {"run": state.uid, "path": flow.path}, _flow_row(flow))
    if made.closed:
        connection.execute(delete(run_flow).where(run_flow.c.run == state.uid, run_flow.c.path.in_(made.closed)))
    close(connection, state.uid, [step.path for step in made.steps if step.status.ended], now)
    for effect in made.effects:
        if isinstance(effect, SetTimer):
            _set_timer(connection, state.uid, effect, now)
        elif isinstance(effect, AskPerson):
            words = {"title": effect.title, "words": effect.words, "team": effect.team, "out_args": list(effect.out_args)}
            keep_wait(connection, state.uid, effect.path, "person", "", words, now)
        elif isinstance(effect, Perform):
            _keep_attempt(connection, state.uid, effect, timeouts[effect.path], now)


def keep_wait(connection: Connection, run: str, path: str, kind: str, ref: str, words: Mapping[str, Any], now: datetime) -> None:
    """Keep that a run waits for somebody; asked again, the same wait."""
    row = {"title": "", "words": "", "team": "", "out_args": []} | dict(words) | {"opened_at": now, "closed_at": None}
    key = {"run": run, "path": path, "kind": kind, "ref": ref}
    connection.execute(_insert(connection, run_wait).values(**key, **row).on_conflict_do_nothing())


def close(connection: Connection, run: str, paths: Iterable[str], now: datetime) -> None:
    """Close the waits and timers of steps that have ended; an action that nobody has carried out yet is not carried out any more."""
    for path in paths:
        for table in (run_wait, run_timer):
            mine = (table.c.run == run) & (table.c.path == path) & table.c.closed_at.is_(None)
            connection.execute(update(table).where(mine).values(closed_at=now))
        unsettled = (step_attempt.c.run == run) & (step_attempt.c.path == path) & step_attempt.c.settled_at.is_(None)
        connection.execute(update(step_attempt).where(unsettled).values(settled_at=now, status="cancelled"))


def close_wait(connection: Connection, run: str, path: str, ref: str, now: datetime) -> None:
    """Close one wait for an approval."""
    mine = (run_wait.c.run == run) & (run_wait.c.path == path) & (run_wait.c.ref == ref) & run_wait.c.closed_at.is_(None)
    connection.execute(update(run_wait).where(mine).values(closed_at=now))


def due_timers(connection: Connection, run: str, now: datetime) -> list[tuple[str, TimerKind, str, datetime]]:
    """Return the open timers of a run that are due: path, kind, clock and when they were."""
    due = (run_timer.c.run == run) & run_timer.c.closed_at.is_(None) & (run_timer.c.due_at <= now)
    rows = connection.execute(select(run_timer).where(due).order_by(run_timer.c.due_at, run_timer.c.path, run_timer.c.kind))
    return [(row.path, TimerKind(row.kind), row.clock, row.due_at) for row in rows]


def fire(connection: Connection, run: str, path: str, kind: TimerKind, clock: str, now: datetime, *, late: bool) -> None:
    """Keep that a timer has fired: it fires once."""
    mine = (run_timer.c.run == run) & (run_timer.c.path == path) & (run_timer.c.kind == kind.value) & (run_timer.c.clock == clock)
    connection.execute(update(run_timer).where(mine).values(closed_at=now, fired_at=now, late=late))


def reset_clock(connection: Connection, now: datetime) -> int:
    """Move timers back that were set while the clock was ahead, so that each still lasts as long as it was meant to; return how many."""
    ahead = run_timer.c.closed_at.is_(None) & (run_timer.c.set_at > now + BACKWARDS)
    rows = connection.execute(select(run_timer).where(ahead)).all()
    for row in rows:
        mine = (run_timer.c.run == row.run) & (run_timer.c.path == row.path) & (run_timer.c.kind == row.kind)
        shifted = {"set_at": now, "due_at": now + (row.due_at - row.set_at)}
        connection.execute(update(run_timer).where(mine & (run_timer.c.clock == row.clock)).values(**shifted))
    return len(rows)


def _keep_step(connection: Connection, run: str, step: Step) -> None:
    row = {
        "step": step.step,
        "flow": step.flow,
        "book": step.book,
        "seq": step.seq,
        "status": step.status.value,
        "open": not step.status.ended,
        "reached_at": step.reached_at,
        "began_at": step.began_at,
        "ended_at": step.ended_at,
        "values": dict(step.values),
        "work": step.work,
        "turn": step.turn,
        "code": step.code[:64],
        "said": step.said,
        "by": step.by,
        "team": step.team,
    }
    fresh: dict[str, Any] = {"owner": "", "owner_at": None, "note": "", "evidence": []}
    statement = _insert(connection, step_run).values(run=run, path=step.path, **row, **fresh)
    connection.execute(statement.on_conflict_do_update(index_elements=["run", "path"], set_=row))


def _flow_row(flow: Flow) -> dict[str, Any]:
    return {
        "kind": flow.kind.value,
        "owner": flow.owner,
        "book": flow.book,
        "number": flow.number,
        "values": dict(flow.values),
        "writes": [[scope, name, value] for (scope, name), value in flow.writes.items()],
        "ended": flow.ended,
        "caught": flow.caught,
        "code": flow.code[:64],
        "said": flow.said,
    }


def _flow_of(row: Row[Any]) -> Flow:
    writes = {(scope, name): value for scope, name, value in row.writes}
    return Flow(
        row.path,
        FlowKind(row.kind),
        row.owner,
        row.book,
        row.number,
        row.values,
        writes,
        row.ended,
        row.code,
        row.said,
        row.caught,
    )


def _set_timer(connection: Connection, run: str, effect: SetTimer, now: datetime) -> None:
    key = {"run": run, "path": effect.path, "kind": effect.kind.value, "clock": effect.clock}
    row = {"set_at": now, "due_at": effect.due, "on_breach": effect.on_breach, "closed_at": None, "fired_at": None, "late": False}
    connection.execute(_insert(connection, run_timer).values(**key, **row).on_conflict_do_nothing())


def _keep_attempt(connection: Connection, run: str, effect: Perform, timeout: timedelta, now: datetime) -> None:
    row = {
        "run": run,
        "path": effect.path,
        "work": effect.work,
        "action": body_of(effect.action),
        "approval": effect.approval,
        "timeout_ms": timeout // timedelta(milliseconds=1),
        "asked_at": now,
        "lease": "",
        "lease_until": None,
        "tries": 0,
        "status": "open",
        "outcome": None,
        "settled_at": None,
    }
    connection.execute(_insert(connection, step_attempt).values(key=effect.action.key, **row).on_conflict_do_nothing())


def _insert(connection: Connection, table: Table) -> Any:
    # Both engines know ON CONFLICT, yet each dialect has its own class for it.
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)


def _upsert(connection: Connection, table: Table, key: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    connection.execute(_insert(connection, table).values(**key, **row).on_conflict_do_update(index_elements=list(key), set_=dict(row)))
