"""Runs of playbooks: started on pinned snapshots, moved on by workers, answered by people, ended by people, read by pages."""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.kit.ids import uid_of
from watchword.kit.records import Records
from watchword.model.playbook import Playbook
from watchword.respond.lint_report import LINT_VERSION
from watchword.respond.plan import Plan, PlanStep
from watchword.respond.ports import Auditor, IncidentLog, Pages
from watchword.respond.run_move_service import Asks, Moves, Rules
from watchword.respond.run_read_service import RunFilter, RunReads, Stalled
from watchword.respond.run_start_service import Kept, Pins, Shelf
from watchword.respond.run_state import Answer, Answered, Begin, Cancel, RunState, RunStatus, StepStatus
from watchword.respond.run_tables import playbook_run, run_pin, run_timer, run_wake, step_run
from watchword.respond.run_view import RunView, WaitView
from watchword.respond.run_work_service import LEASE, Performs, Worker
from watchword.respond.start_check import RunRefused
from watchword.respond.variables import fits

__all__ = ["RunFilter", "RunRefused", "Runs", "Stalled"]

NOTE_MOST = 10_000
"""Characters of a person's note on a step."""


class Runs:
    """The repository and the machinery of runs.

    Args:
        records: where rows are kept.
        clock: for the moments of what people do and of outcomes.
        library: where playbooks are looked up when a run starts.
        gateway: the one gate that actions go through.
        approvals: where people are asked; its `wake` is set to ours.
        log: the incidents' timeline.
        ids: makes uids.
        catalogue: the action catalogue: which verbs there are, and who must agree to each.
        auditor: writes the audit log.
        pager: calls people; None calls nobody.
        severity_of: an incident's severity, for pages.
        signature_fault: why a playbook's signature does not satisfy the policy; empty when it does.
        lint_version: pinned beside the snapshot, so that a verdict can be explained later.
        worker: this worker's name.
        lease: how long an action stays with a worker that does not renew.
    """

    def __init__(
        self,
        records: Records,
        clock: Clock,
        library: Shelf,
        gateway: Performs,
        approvals: Asks,
        log: IncidentLog,
        ids: Callable[[], str],
        *,
        catalogue: Rules,
        auditor: Auditor,
        pager: Pages | None = None,
        severity_of: Callable[[Connection, str], int] = lambda _connection, _incident: 2,
        signature_fault: Callable[[Kept], str] = lambda _kept: "",
        lint_version: str = str(LINT_VERSION),
        worker: str = "",
        lease: timedelta = LEASE,
    ) -> None:
        self._clock, self._ids = clock, ids
        self._auditor, self._log, self._lint_version = auditor, log, lint_version
        self._pins = Pins(library, catalogue, signature_fault)
        self._moves = Moves(
            records, approvals, log, gateway=gateway, catalogue=catalogue, auditor=auditor, pager=pager, severity_of=severity_of
        )
        name = worker or f"{socket.gethostname()[:30]}:{os.getpid()}:{ids()[:8]}"
        self._worker = Worker(self._moves, gateway, clock, name, lease=lease)
        self._reads = RunReads(records, self._moves, lease)
        approvals.wake = self.wake

    # starting

    def start(
        self,
        playbook: str,
        incident: str,
        variables: Mapping[str, str | None],
        by: str,
        exercise: bool = False,  # noqa: FBT002 - beside `override`, as every face calls it
        override: str = "",
        *,
        modified: str = "",
        rule: str = "",
        key: str = "",
    ) -> str:
        """Start a run on a snapshot of the playbook and of all that it runs, and return the run's uid.

        Args:
            playbook: its id.
            incident: uid of the incident that it belongs to; empty: none.
            variables: values for its external variables.
            by: who starts it.
            exercise: every action goes to twins.
            override: a named person's reason for starting it outside its validity.
            modified: which version; the newest when empty.
            rule: the detection rule that starts it, when no person does.
            key: whoever may ask twice for the same start gives the same key and gets the same run.

        Raises:
            RunRefused: something stands against it; everything is listed.
            NotFound: the library has no such playbook.
        """
        uid = uid_of("run", key) if key else self._ids()
        kept, latest, missing = self._pins.pin(playbook, modified)
        root = f"{kept[0].id}@{kept[0].modified}"
        now = to_millisecond(self._clock.now())
        found = self._pins.against(kept, missing, variables, now, rule, override)
        if found:
            detail = {"refusals": [str(one) for one in found][:50], "playbook": root}
            self._auditor.write(by, "run.refused", incident, override, detail)
            raise RunRefused(found)
        with self._moves.begin() as connection:
            if key and connection.execute(select(playbook_run.c.uid).where(playbook_run.c.uid == uid)).first() is not None:
                return uid
            row = {"playbook": playbook, "book": root, "name": kept[0].playbook.name, "incident": incident, "exercise": exercise}
            self._insert(connection, uid, row | {"started_by": by, "rule": rule, "override": override}, now)
            for one in kept:
                book = f"{one.id}@{one.modified}"
                pin = {"run": uid, "book": book, "latest": latest.get(one.id) == book, "sha256": one.sha256, "text": one.text}
                connection.execute(insert(run_pin).values(**pin))
            said = {"playbook": root, "sha256": kept[0].sha256, "exercise": exercise, "rule": rule, "pinned": len(kept)}
            self._auditor.write(by, "run.start", uid, override, said, connection=connection)
            state = RunState(uid, root, incident, f"rule:{rule}" if rule else by, exercise)
            self._moves.move(connection, state, 0, Begin(dict(variables)), now)
        return uid

    def _insert(self, connection: Connection, uid: str, row: Mapping[str, Any], now: datetime) -> None:
        fresh = {"lint_version": self._lint_version, "started_at": now, "progressed_at": now, "version": 0, "reached": 0}
        none = {"status": RunStatus.RUNNING.value, "more": False, "code": "", "said": ""}
        connection.execute(insert(playbook_run).values(uid=uid, **row, **fresh, **none))

    # moving

    def step(self, now: datetime) -> int:
        """Do what is due and return how much was done. Call it every second or so, and after news; several workers may."""
        return self._worker.step(now)

    def wake(self, connection: Connection, run: str, path: str) -> None:
        """Note, within the transaction of a decision, that a run has something to go on with."""
        connection.execute(insert(run_wake).values(run=run, path=path, at=to_millisecond(self._clock.now())))

    def close(self) -> None:
        """Let the actions in hand end, and take no more."""
        self._worker.close()

    # what people do

    def answer(
        self,
        run: str,
        path: str,
        result: str,
        values: Mapping[str, str],
        by: str,
        team: str = "",
        note: str = "",
        evidence: Sequence[str] = (),
    ) -> None:
        """Record a manual step.

        Args:
            run: uid.
            path: of the step instance.
            result: ``done``, ``failed`` or ``not_applicable``.
            values: of its output variables; all of them when it is done.
            by: who records it.
            team: for which team.
            note: in words.
            evidence: uids of pieces of evidence.

        Raises:
            NotFound: there is no such run or step.
            Conflict: the step does not wait for a record.
            InputError: a value or piece of evidence is lacking or wrong.
        """
        answer = _answer(result)
        if len(note) > NOTE_MOST:
            raise InputError(f"the note has {len(note)} characters; write at most {NOTE_MOST}", "note")
        now = to_millisecond(self._clock.now())
        with self._moves.begin() as connection:
            state, row = self._moves.load(connection, run)
            plan = self._asked(connection, state, path, StepStatus.ASKING)
            _check_values(plan, answer, values, self._moves.books(connection, run)[state.steps[path].book])
            if answer is Answer.DONE and len(set(evidence)) < plan.evidence:
                kinds = f" ({', '.join(plan.evidence_kinds)})" if plan.evidence_kinds else ""
                raise InputError(f"{plan.title!r} needs {plan.evidence} pieces of evidence{kinds}; {len(set(evidence))} named", "evidence")
            mine = (step_run.c.run == run) & (step_run.c.path == path)
            connection.execute(update(step_run).where(mine).values(note=note, evidence=list(dict.fromkeys(evidence))))
            detail = {"path": path, "result": answer.value, "team": team, "evidence": list(evidence)}
            self._auditor.write(by, "run.answer", run, note, detail, connection=connection)
            first = not self._deed_of(connection, run, team)
            self._moves.move(connection, state, row.version, Answered(path, answer, dict(values), by, team, note), now)
            if state.incident and first and team:
                self._log.mark(connection, state.incident, "t5", now, source=f"run {run}", team=team, evidence=path)

    def take(self, run: str, path: str, by: str, team: str = "") -> None:
        """Take a step: whoever takes it owes it, and its clock for acknowledgement stops.

        Raises:
            NotFound: there is no such run or step.
            Conflict: the step waits for nobody, or another has it.
        """
        now = to_millisecond(self._clock.now())
        with self._moves.begin() as connection:
            state, row = self._moves.load(connection, run)
            plan = self._asked(connection, state, path, StepStatus.ASKING)
            mine = (step_run.c.run == run) & (step_run.c.path == path)
            owner = connection.execute(select(step_run.c.owner).where(mine)).scalar_one()
            if owner and owner != by:
                raise Conflict(f"{plan.title!r} is with {owner} already; agree with them who does it")
            connection.execute(update(step_run).where(mine).values(owner=by, owner_at=now))
            timer = (run_timer.c.run == run) & (run_timer.c.path == path) & run_timer.c.clock.startswith("acknowledge/")
            connection.execute(update(run_timer).where(timer, run_timer.c.closed_at.is_(None)).values(closed_at=now))
            self._auditor.write(by, "run.take", run, "", {"path": path, "team": team}, connection=connection)
            if state.incident:
                text, refs = f"{by} takes step {plan.title!r}", {"run": run, "path": path}
                self._log.append(connection, state.incident, "step", text, occurred_at=now, recorded_by=by, team=team, refs=refs)
            self._moves.ledger.append_change(connection, "run", run, {"status": row.status, "incident": state.incident}, now)

    def cancel(self, run: str, by: str, reason: str) -> None:
        """End a run: nothing more is asked or done; what is in force stays until it reverts or is released.

        Raises:
            NotFound: there is no such run.
            InputError: no reason is given.
            Conflict: it has ended.
        """
        if not reason.strip():
            raise InputError("say why the run is ended", "reason")
        now = to_millisecond(self._clock.now())
        with self._moves.begin() as connection:
            state, row = self._moves.load(connection, run)
            if state.status is not RunStatus.RUNNING:
                raise Conflict(f"the run is {state.status.value} already")
            self._auditor.write(by, "run.cancel", run, reason, connection=connection)
            self._moves.move(connection, state, row.version, Cancel(by, reason), now)

    # reading

    def get(self, run: str) -> RunView:
        """Return a run with its steps, open waits, timers, attempts and requests for approval.

        Raises:
            NotFound: there is no such run.
        """
        return self._reads.get(run)

    def pinned(self, run: str) -> Playbook:
        """Return the playbook that a run keeps to, decoded from its own copy, whatever became of the library's.

        Raises:
            NotFound: there is no such run.
        """
        return self._reads.pinned(run)

    def list(self, wanted: RunFilter | None = None) -> list[RunView]:
        """Return runs without their steps, newest first."""
        return self._reads.list(wanted or RunFilter())

    def counts(self) -> Mapping[RunStatus, int]:
        """Return how many runs there are by status."""
        return self._reads.counts()

    def waits(self, team: str = "", limit: int = 500) -> Sequence[WaitView]:
        """Return whom running playbooks wait for, oldest first; those of a team (or of none) when one is named."""
        return self._reads.waits(team, limit)

    def stalled(self, now: datetime) -> Sequence[Stalled]:
        """Return the runs that owe a step and make none: their leases ran out, their timers are past, and no worker came."""
        return self._reads.stalled(now)

    def export(self, run: str) -> Sequence[Mapping[str, Any]]:
        """Return the run's steps as execution-status objects (the workflow-status vocabulary).

        Raises:
            NotFound: there is no such run.
        """
        return self._reads.export(run)

    def _asked(self, connection: Connection, state: RunState, path: str, status: StepStatus) -> PlanStep:
        step = state.steps.get(path)
        if step is None:
            known = connection.execute(select(step_run.c.status).where(step_run.c.run == state.uid, step_run.c.path == path)).scalar()
            if known is None:
                raise NotFound(f"run {state.uid} has no step {path!r}")
            raise Conflict(f"the step is {known} already")
        plan = self._moves.books(connection, state.uid)[step.book].steps[step.step]
        if step.status is not status:
            raise Conflict(f"{plan.title!r} is {step.status.value}: it does not wait for a person's record")
        return plan

    def _deed_of(self, connection: Connection, run: str, team: str) -> bool:
        query = select(step_run.c.path).where(step_run.c.run == run, step_run.c.team == team, step_run.c.by != "").limit(1)
        return connection.execute(query).first() is not None


def _answer(result: str) -> Answer:
    try:
        return Answer(result)
    except ValueError:
        raise InputError(f"{result[:40]!r} is no result; say done, failed or not_applicable", "result") from None


def _check_values(plan: PlanStep, answer: Answer, values: Mapping[str, str], book: Plan) -> None:
    if unknown := sorted(set(values) - set(plan.out_args)):
        raise InputError(f"{plan.title!r} gives no {', '.join(unknown)[:200]}", "values")
    if answer is Answer.DONE and (lacking := [name for name in plan.out_args if name not in values]):
        raise InputError(f"{plan.title!r} needs a value for {', '.join(lacking)}", "values")
    for name, value in values.items():
        declared = plan.variables.get(name) or book.variables.get(name)
        if declared is not None and not fits(declared.type, value):
            raise InputError(f"{value[:60]!r} for {name} is no {declared.type}", "values")
