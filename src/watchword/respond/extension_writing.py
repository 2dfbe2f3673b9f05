"""Our extensions written as the JSON that stands in a playbook; what is at its default is left out."""

from collections.abc import Mapping
from typing import Any

from watchword.kit.duration import say_duration
from watchword.respond.extensions import Approvals, CatalogueAction, PlaybookExtension, Raci, StepExtension


def write_step_extension(extension: StepExtension) -> dict[str, Any]:
    """Return the JSON object of a step extension; what is at its default is left out."""
    approvals = extension.approvals
    return _given(
        {
            "approvals": approvals and _write_approvals(approvals),
            "raci": extension.raci and _write_raci(extension.raci),
            "sla_timers": [
                {"clock": one.clock, "within": say_duration(one.within), "on_breach": one.on_breach} for one in extension.sla_timers
            ],
            "evidence": extension.evidence and {"kinds": list(extension.evidence.kinds), "minimum": extension.evidence.minimum},
            "catalogue_action": extension.catalogue_action and _write_action(extension.catalogue_action),
            "loop_limit": extension.loop_limit,
            "continue_on_failure": extension.continue_on_failure,
            "exercise": extension.exercise and _given({"twin": extension.exercise.twin}) | {"allowed": extension.exercise.allowed},
            "mapped_from": extension.mapped_from and dict(extension.mapped_from),
        }
    )


def write_playbook_extension(extension: PlaybookExtension) -> dict[str, Any]:
    """Return the JSON object of a playbook extension; what is at its default is left out."""
    return _given(
        {
            "teams": list(extension.teams),
            "review_due": extension.review_due and extension.review_due.isoformat(),
            "drilled_at": extension.drilled_at and extension.drilled_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "triggers": extension.triggers and {"rules": list(extension.triggers.rules), "start": extension.triggers.start},
        }
    )


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}


def _write_raci(raci: Raci) -> dict[str, Any]:
    return _given(
        {
            "responsible": raci.responsible,
            "accountable": raci.accountable,
            "consulted": list(raci.consulted),
            "informed": list(raci.informed),
        }
    )


def _write_action(action: CatalogueAction) -> dict[str, Any]:
    return _given(
        {
            "name": action.name,
            "target": list(action.target),
            "parameters": dict(action.parameters),
            "revert_after": action.revert_after and say_duration(action.revert_after),
        }
    )


def _write_approvals(approvals: Approvals) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if approvals.hazard is not None:
        found["hazard"] = int(approvals.hazard)
    if approvals.count is not None:
        found["count"] = approvals.count
    if approvals.of:
        found["teams"] = sorted(approvals.of)
    elif approvals.teams is not None:
        found["teams"] = approvals.teams
    found["exclude_requester"] = approvals.exclude_requester
    found["expires_after"] = say_duration(approvals.expires_after)
    return found
