"""The worker of runs: fires timers, follows decisions, carries actions to the gateway under leases that others may take over."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.exc import DBAPIError

from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, Unavailable
from watchword.model.action import Action, Outcome, OutcomeStatus
from watchword.respond import run_rows_service as rows
from watchword.respond.rendering import action_of, outcome_body
from watchword.respond.run_move_service import Moves, Renders
from watchword.respond.run_state import Decided, Fired, GoOn, Overran, Performed, RunState, RunStatus, StepStatus
from watchword.respond.run_tables import playbook_run, run_timer, run_wait, run_wake, step_attempt

LEASE = timedelta(seconds=30)
"""How long a worker has an action in hand without renewing before another may take it over."""
BACK_OFF = timedelta(seconds=5)
"""How long an action waits after the store or gateway could not be reached."""
LATE = timedelta(minutes=1)
"""A timer that fires so long after it was due is marked late."""
AT_ONCE = 50
"""Runs and actions taken up in one round."""
HANDS = 8
"""Actions in hand at the same time."""
PATIENCE = 2.0
"""Seconds that one call of `step` waits for actions in hand; slower ones go on and are looked after by later calls."""
ROUNDS = 100
"""Rounds of one call of `step`."""
TAKEN_OVER = "taken-over"
"""Code of an outcome that the gateway gives when another worker carries the same action on: that one says what came of it."""
_log = structlog.get_logger(__name__)


class Performs(Renders, Protocol):
    """The one gate that actions go through."""

    def perform(self, action: Action, approval: str = "") -> Outcome:
        """Carry out an action; asked again under its key, it has its effect once."""
        ...


@dataclass(slots=True)
class _InHand:
    run: str
    path: str
    work: int
    future: Future[None]
    until: float
    """By the monotonic clock, so that moving the machine's clock ends nothing."""


class Worker:
    """Moves runs on. Several may work on the same records, in one process or many."""

    def __init__(self, moves: Moves, gateway: Performs, clock: Clock, name: str, *, lease: timedelta = LEASE) -> None:
        self._moves, self._gateway, self._clock, self._name = moves, gateway, clock, name
        self._lease = lease
        self._hands: dict[str, _InHand] = {}
        self._lost: set[str] = set()
        """Keys whose time ran out while they are still in hand: their leases are not renewed."""
        self._pool = ThreadPoolExecutor(HANDS, thread_name_prefix="run")
        self._lock = threading.Lock()

    def step(self, now: datetime) -> int:
        """Do what is due and return how much was done: timers, decisions, continuations, actions."""
        done = 0
        self._reset_clock(now)
        for _ in range(ROUNDS):
            moved = self._move_due(now) + self._take_up(now)
            self._watch(now)
            if self._hands:
                wait([one.future for one in self._hands.values()], timeout=PATIENCE)
                moved += self._let_go()
            done += moved
            if not moved:
                break
            now = max(now, to_millisecond(self._clock.now()))
        return done

    def close(self) -> None:
        """Wait for the actions in hand and take no more."""
        self._pool.shutdown(wait=True)

    # what is due without the gateway

    def _reset_clock(self, now: datetime) -> None:
        with self._moves.records.read() as connection:
            ahead = run_timer.c.closed_at.is_(None) & (run_timer.c.set_at > now + rows.BACKWARDS)
            found = connection.execute(select(run_timer.c.run).where(ahead).limit(1)).first()
        if found is not None:
            with self._moves.records.begin() as connection:
                moved = rows.reset_clock(connection, now)
            _log.warning("clock was put back: timers moved", timers=moved)

    def _move_due(self, now: datetime) -> int:
        with self._moves.records.read() as connection:
            due = self._due(connection, now)
        done = 0
        for run in due:
            try:
                with self._moves.begin() as connection:
                    done += self._move(connection, run, now)
            except Conflict:
                continue
        return done

    def _due(self, connection: Connection, now: datetime) -> list[str]:
        going = playbook_run.c.status == RunStatus.RUNNING.value
        woken = select(run_wake.c.run).distinct().limit(AT_ONCE)
        timed = select(run_timer.c.run).where(run_timer.c.closed_at.is_(None), run_timer.c.due_at <= now).distinct().limit(AT_ONCE)
        more = select(playbook_run.c.uid).where(going, playbook_run.c.more).limit(AT_ONCE)
        return list(dict.fromkeys(run for query in (woken, timed, more) for run in connection.execute(query).scalars()))

    def _move(self, connection: Connection, run: str, now: datetime) -> int:
        loaded = rows.load(connection, run)
        wakes = connection.execute(select(run_wake.c.position).where(run_wake.c.run == run)).scalars().all()
        if wakes:
            connection.execute(delete(run_wake).where(run_wake.c.position.in_(wakes)))
        if loaded is None:
            return len(wakes)
        state, row = loaded
        version, done = row.version, len(wakes)
        for decided in self._decisions(connection, state, now):
            state, version = self._moves.move(connection, state, version, decided, now)
            done += 1
        for path, kind, clock, due in rows.due_timers(connection, run, now):
            late = now - due > LATE
            rows.fire(connection, run, path, kind, clock, now, late=late)
            state, version = self._moves.move(connection, state, version, Fired(path, kind, clock, late), now)
            done += 1
        if row.more:
            state, version = self._moves.move(connection, state, version, GoOn(), now)
            done += 1
        return done

    def _decisions(self, connection: Connection, state: RunState, now: datetime) -> list[Decided]:
        waits = (run_wait.c.run == state.uid) & (run_wait.c.kind == "approval") & run_wait.c.closed_at.is_(None)
        found = []
        for row in connection.execute(select(run_wait.c.path, run_wait.c.ref).where(waits).order_by(run_wait.c.path)):
            step = state.steps.get(row.path)
            view = self._moves.approvals.read(connection, row.ref)
            if step is None or step.status is not StepStatus.APPROVAL or view.state == "waiting":
                continue
            rows.close_wait(connection, state.uid, row.path, row.ref, now)
            code = "" if view.state == "granted" else str(view.state.value)
            why = next((f"{vote.name}: {vote.reason}" for vote in view.votes if not vote.yes), "nobody agreed in time")
            found.append(Decided(row.path, view.digest, not code, row.ref, code, why if code else ""))
        return found

    # actions

    def _take_up(self, now: datetime) -> int:
        free = HANDS - len(self._hands)
        if free <= 0:
            return 0
        attempt = step_attempt
        # A lease further ahead than any lease lasts was given before the clock was put back.
        unheld = or_(attempt.c.lease_until.is_(None), attempt.c.lease_until <= now, attempt.c.lease_until > now + 2 * self._lease)
        open_ = attempt.c.settled_at.is_(None) & unheld
        with self._moves.records.read() as connection:
            found = connection.execute(select(attempt).where(open_).order_by(attempt.c.asked_at, attempt.c.key).limit(free)).all()
        taken = 0
        for row in found:
            if row.key in self._hands:
                continue
            with self._moves.records.begin() as connection:
                claim = update(attempt).where(attempt.c.key == row.key, open_)
                claimed = connection.execute(claim.values(lease=self._name, lease_until=now + self._lease, tries=attempt.c.tries + 1))
            if claimed.rowcount == 1:
                taken += 1
                future = self._pool.submit(self._perform, row.key, row.run, row.path, row.work, action_of(row.action), row.approval)
                until = time.monotonic() + row.timeout_ms / 1000
                self._hands[row.key] = _InHand(row.run, row.path, row.work, future, until)
        return taken

    def _perform(self, key: str, run: str, path: str, work: int, action: Action, approval: str) -> None:
        try:
            outcome = self._gateway.perform(action, approval)
        except (DBAPIError, Unavailable) as error:  # our own store, not the device: nothing is known to have happened, so it is asked again
            _log.warning("gateway not reached: asked again soon", run=run, path=path, error=str(error)[:300])
            self._give_back(key)
            return
        except Exception as error:  # noqa: BLE001 - whatever it was, the step must not hang
            _log.exception("gateway failed", run=run, path=path)
            outcome = Outcome(OutcomeStatus.FAILED, f"the gateway failed: {type(error).__name__}", self._now(), code="gateway")
        if outcome.code == TAKEN_OVER:
            self._give_back(key)
            return
        try:
            self._settle(key, run, Performed(path, work, outcome), outcome)
        except (DBAPIError, Unavailable, Conflict):
            _log.warning("outcome not kept: asked again soon", run=run, path=path)
            self._give_back(key)

    def _settle(self, key: str, run: str, given: Performed | Overran, outcome: Outcome | None) -> None:
        now = self._now()
        with self._moves.begin() as connection:
            loaded = rows.load(connection, run)
            if loaded is None:
                return
            values: dict[str, Any] = {"settled_at": now, "status": "overran", "lease": ""}
            if outcome is not None:
                values |= {"status": outcome.status.value, "outcome": outcome_body(outcome)}
            open_ = update(step_attempt).where(step_attempt.c.key == key, step_attempt.c.settled_at.is_(None))
            if connection.execute(open_.values(**values)).rowcount == 1:
                state, row = loaded
                self._moves.move(connection, state, row.version, given, now)
            elif outcome is not None:  # it came after its time was up or the run was ended: kept for the record, it moves nothing
                late = update(step_attempt).where(step_attempt.c.key == key, step_attempt.c.outcome.is_(None))
                connection.execute(late.values(outcome=outcome_body(outcome)))

    def _give_back(self, key: str) -> None:
        mine = (step_attempt.c.key == key) & (step_attempt.c.lease == self._name)
        try:
            with self._moves.records.begin() as connection:
                connection.execute(update(step_attempt).where(mine).values(lease_until=self._now() + BACK_OFF))
        except (DBAPIError, Unavailable):
            _log.warning("lease not given back: it runs out by itself", key=key)

    def _watch(self, now: datetime) -> None:
        """Renew the leases of what is in hand, and fail the steps whose time is up."""
        for key, one in list(self._hands.items()):
            if one.future.done():
                continue
            if time.monotonic() > one.until and key not in self._lost:
                self._lost.add(key)
                self._settle(key, one.run, Overran(one.path, one.work), None)
            elif key not in self._lost:
                mine = (step_attempt.c.key == key) & (step_attempt.c.lease == self._name) & step_attempt.c.settled_at.is_(None)
                soon = or_(step_attempt.c.lease_until < now + self._lease / 2, step_attempt.c.lease_until > now + self._lease)
                with self._moves.records.begin() as connection:
                    connection.execute(update(step_attempt).where(mine & soon).values(lease_until=now + self._lease))

    def _let_go(self) -> int:
        done = [key for key, one in self._hands.items() if one.future.done()]
        for key in done:
            self._hands.pop(key).future.result()
            self._lost.discard(key)
        return len(done)

    def _now(self) -> datetime:
        return to_millisecond(self._clock.now())
