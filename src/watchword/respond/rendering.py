"""Actions, outcomes and approval rules as plain JSON values and back, for rows and records."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from watchword.kit.clock import from_ms, to_ms
from watchword.model.action import Action, Outcome, OutcomeStatus
from watchword.respond.approval import ApprovalRule


def body_of(action: Action) -> dict[str, Any]:
    """Return the whole action as JSON values; durations in seconds."""
    return {
        "verb": action.verb,
        "target": action.target,
        "parameters": dict(action.parameters),
        "revert_after": None if action.revert_after is None else action.revert_after.total_seconds(),
        "incident": action.incident,
        "run": action.run,
        "path": action.path,
        "requested_by": action.requested_by,
        "reason": action.reason,
        "exercise": action.exercise,
        "key": action.key,
    }


def action_of(body: Mapping[str, Any]) -> Action:
    """Return the action that `body_of` wrote."""
    seconds = body["revert_after"]
    return Action(**{**body, "revert_after": None if seconds is None else timedelta(seconds=seconds)})


def outcome_body(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON values; its time in milliseconds."""
    return {
        "status": outcome.status.value,
        "said": outcome.said,
        "at": to_ms(outcome.at),
        "responder": outcome.responder,
        "observed": dict(outcome.observed),
        "verified": outcome.verified,
        "code": outcome.code,
    }


def outcome_of(body: Mapping[str, Any]) -> Outcome:
    """Return the outcome that `outcome_body` wrote."""
    return Outcome(**{**body, "status": OutcomeStatus(body["status"]), "at": from_ms(body["at"])})


def rule_body(rule: ApprovalRule) -> dict[str, Any]:
    """Return an approval rule as JSON values."""
    return {
        "count": rule.count,
        "teams": rule.teams,
        "of": sorted(rule.of),
        "exclude_requester": rule.exclude_requester,
        "expires_after": rule.expires_after.total_seconds(),
    }


def rule_of(body: Mapping[str, Any]) -> ApprovalRule:
    """Return the rule that `rule_body` wrote."""
    return ApprovalRule(
        body["count"], body["teams"], frozenset(body["of"]), body["exclude_requester"], timedelta(seconds=body["expires_after"])
    )
