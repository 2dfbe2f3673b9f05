"""A run as pages and programs read it: its steps by path, whom it waits for, its timers, and its status in the terms of other tools."""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from watchword.respond.plan import PlanStep
from watchword.respond.run_state import RunStatus, StepStatus

_NAMESPACE = uuid.UUID("5b6e8a0e-9df1-4c5b-9a41-0b5f6d2c7c11")
"""Ours, for ids of exported statuses: the same step instance always has the same id."""


@dataclass(frozen=True, slots=True)
class StepView:
    """One step instance."""

    path: str
    step: str
    seq: int
    type: str
    name: str
    status: StepStatus
    reached_at: datetime
    began_at: datetime | None
    ended_at: datetime | None
    team: str
    owner: str
    by: str
    code: str
    said: str
    note: str
    evidence: tuple[str, ...]
    values: Mapping[str, str | None]
    turn: int = 0
    machine: bool = False
    """The gateway carries it out; false: a person does, or nobody needs to."""
    words: str = ""
    """What it is, with variables still in it."""


@dataclass(frozen=True, slots=True)
class WaitView:
    """Whom the run waits for."""

    run: str
    path: str
    kind: str
    """``person`` or ``approval``."""
    ref: str
    """The request for approval."""
    title: str
    words: str
    team: str
    out_args: tuple[str, ...]
    opened_at: datetime
    owner: str = ""


@dataclass(frozen=True, slots=True)
class TimerView:
    """One timer."""

    path: str
    kind: str
    clock: str
    set_at: datetime
    due_at: datetime
    fired_at: datetime | None
    closed_at: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class AttemptView:
    """One action that was handed to the gateway."""

    path: str
    key: str
    verb: str
    target: str
    approval: str
    asked_at: datetime
    tries: int
    status: str
    said: str
    verified: bool | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunView:
    """One run."""

    uid: str
    playbook: str
    modified: str
    name: str
    sha256: str
    lint_version: str
    incident: str
    exercise: bool
    status: RunStatus
    started_by: str
    rule: str
    override: str
    started_at: datetime
    progressed_at: datetime
    ended_at: datetime | None
    code: str
    said: str
    variables: Mapping[str, str | None] = field(default_factory=dict)
    steps: tuple[StepView, ...] = ()
    waits: tuple[WaitView, ...] = ()
    """Open ones, oldest first."""
    timers: tuple[TimerView, ...] = ()
    attempts: tuple[AttemptView, ...] = ()
    approvals: tuple[str, ...] = ()
    """Uids of every request for approval, open and decided."""


_WORDS = {
    StepStatus.DONE: "successfully_executed",
    StepStatus.SKIPPED: "successfully_executed",
    StepStatus.FAILED: "failed",
    StepStatus.CANCELLED: "failed",
}


def status_word(status: StepStatus, code: str) -> str:
    """Return a step's status in the words of the workflow-status vocabulary (cyentific-rni/workflow-status, section 2.1)."""
    if status is StepStatus.FAILED and code == "ACTION_TIMEOUT":
        return "timeout_error"
    if status is StepStatus.FAILED and code in {"gateway", "unknown", "failed", "not_verified"}:
        return "server_side_error"
    if status is StepStatus.FAILED and code in {
        "unknown_value",
        "variable_type",
        "no_output",
        "condition",
        "no_case",
        "undeclared_variable",
    }:
        return "client_side_error"
    return _WORDS.get(status, "ongoing")


def statuses(view: RunView, plans: Mapping[str, PlanStep]) -> list[dict[str, Any]]:
    """Return the run's steps as execution-status objects, in the order of reaching.

    Args:
        view: the run with its steps.
        plans: the planned step of every path.
    """
    said = {StepStatus.SKIPPED: "not applicable", StepStatus.CANCELLED: "cancelled"}
    out = []
    for step in view.steps:
        began = step.began_at or step.reached_at
        one: dict[str, Any] = {
            "type": "execution-status",
            "id": f"execution-status--{uuid.uuid5(_NAMESPACE, f'{view.uid}/{step.path}')}",
            "execution_id": view.uid,
            "workflow_id": view.playbook,
            "workflow_step": step.step,
            "start_time": _z(began),
            "status": status_word(step.status, step.code),
            "automated_execution": step.machine,
            "command_b64": [base64.b64encode(words.encode()).decode() for words in _commands(view, step, plans)],
        }
        if step.ended_at is not None:
            one["duration"] = int((step.ended_at - began).total_seconds() * 1000)
        if text := "; ".join(part for part in (said.get(step.status, ""), step.said) if part):
            one["status_text"] = text
        if step.by:
            one["executed_by"] = step.by
        if step.note:
            one["notes"] = step.note
        out.append(one)
    if view.status is RunStatus.HANDLED:
        first = next((one for one, step in zip(out, view.steps, strict=True) if step.status is StepStatus.FAILED), None)
        if first is not None:
            first["status"] = "exception_condition_error"
    return out


def _commands(view: RunView, step: StepView, plans: Mapping[str, PlanStep]) -> list[str]:
    done = [f"{one.verb} {one.target}" for one in view.attempts if one.path == step.path]
    planned = plans.get(step.path)
    return done or ([planned.words] if planned is not None and planned.words and not step.machine else [])


def _z(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
