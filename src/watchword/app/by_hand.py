"""Actions that a person asks for by hand: looked at first, asked for, agreed to by others, done once; the same for every face."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from watchword.app.principal import Principal
from watchword.app.watchword import Watchword
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.model.action import Action, Outcome
from watchword.respond.approval import ApprovalState, Approver
from watchword.respond.asked_service import ApprovalView
from watchword.respond.deed_service import Deed
from watchword.respond.gateway_service import Preview

HAND: Final = "hand/"
"""First part of the path of an action that no run asks for."""
LONGER: Final = "#extend"
"""Last part of the path of what asks that a state lasts longer (`respond.approval.longer`)."""
BOTH: Final = ("it", "physical")
LONGEST_REASON: Final = 2_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of asking: a request that waits for people, or an outcome at once."""

    approval: str = ""
    outcome: Outcome | None = None


def wanted(
    watchword: Watchword,
    incident: str,
    verb: str,
    target: str,
    parameters: Mapping[str, str],
    lasts: timedelta | None,
    *,
    reason: str,
    by: str,
    nonce: str,
) -> Action:
    """Return the action that a person wants, rendered; the same nonce is the same action, asked how often soever.

    Raises:
        NotFound: there is no such incident or verb.
        InputError: the nonce is none.
    """
    if not nonce.isalnum() or not 8 <= len(nonce) <= 64:
        raise InputError("This form is not ours: open the incident again", "nonce")
    exercise = watchword.response.incidents.get(incident).incident.exercise if incident else False
    watchword.response.gateway.catalogue.verb(verb)
    given = {name: value for name, value in parameters.items() if value}
    said = reason.strip()[:LONGEST_REASON]
    action = Action(verb, target.strip(), given, lasts, incident, "", f"{HAND}{nonce}", by, said, exercise, f"{HAND}{nonce}")
    return watchword.response.gateway.render(action)


def look(watchword: Watchword, action: Action) -> Preview:
    """Return what an action would do; nothing is sent."""
    return watchword.response.gateway.preview(action)


def ask(watchword: Watchword, action: Action) -> Asked:
    """Ask for an action: what must not be done is refused and written down, what needs approvals waits for them, the rest is done.

    Raises:
        InputError: no reason is given.
    """
    if len(action.reason) < 3:
        raise InputError("Say in a few words why: those who agree, and the review, read it", "reason")
    gateway, approvals = watchword.response.gateway, watchword.response.approvals
    seen = gateway.preview(action)
    if seen.refusals or not seen.rule.needed:
        return Asked(outcome=gateway.perform(action))
    with watchword.records.begin() as connection:
        uid = approvals.ask(connection, action, seen.rule, run="", path=action.path, asked_by=action.requested_by)
        if action.incident:
            incident = watchword.response.incidents.reader.view(connection, action.incident).incident
            teams = sorted(seen.rule.of & set(BOTH)) or list(BOTH)
            watchword.response.pager.page(
                connection, incident=action.incident, severity=incident.severity, teams=teams,
                title=f"Approval asked for incident {incident.number}", place=watchword.registry.directory().label(action.target),
                what_to_do=f"Look at it and agree or say no: {seen.words}.", exercise=action.exercise, key=f"approval:{uid}",
            )  # fmt: skip
    return Asked(approval=uid)


def decide(
    watchword: Watchword, uid: str, approver: Approver, *, yes: bool, reason: str, digest: str, shown_at: datetime
) -> tuple[ApprovalView, Outcome | None]:
    """Take one person's answer; with the last one that was lacking, an action that was asked for by hand is done.

    Raises:
        See `Approvals.decide`.
    """
    view = watchword.response.approvals.decide(uid, approver, yes, reason, digest, shown_at)
    return view, carry_out(watchword, view) if _ready(view) else None


def break_glass(watchword: Watchword, uid: str, approver: Approver, reason: str) -> tuple[ApprovalView, Outcome | None]:
    """Stand in for the approvers; an action that was asked for by hand is done.

    Raises:
        See `Approvals.break_glass`.
    """
    view = watchword.response.approvals.break_glass(uid, approver, reason)
    return view, carry_out(watchword, view) if _ready(view) else None


def carry_out(watchword: Watchword, view: ApprovalView) -> Outcome:
    """Do what was asked for by hand and agreed to; asked again, it gives the same outcome.

    Raises:
        Conflict: it is not agreed to, or a run asked for it and does it itself.
    """
    if not _ready(view):
        raise Conflict("The run that asked does it itself" if view.run else f"The request is {view.state.value}")
    gateway = watchword.response.gateway
    if not view.path.endswith(LONGER):
        return gateway.perform(view.action, view.uid)
    held = gateway.deeds.get(view.action.key.partition(":")[0])
    if held is None or view.action.revert_after is None:
        raise Conflict("The state that was to last longer is not known any more")
    return gateway.extend(held.key, view.action.revert_after, view.uid, view.asked_by, view.action.reason)


def releasing(watchword: Watchword, deed: str, *, by: str, nonce: str) -> Action:
    """Return the action that ends a state in force before its time, to be looked at and asked for as any other.

    Raises:
        NotFound: nothing of this uid is in force.
    """
    found = next((each for each in watchword.response.gateway.in_force() if each.uid == deed), None)
    undo = None if found is None else watchword.response.gateway.catalogue.undoing(found.sent)
    if found is None or undo is None:
        raise NotFound("This state is not in force any more")
    return replace(undo, run="", path=f"{HAND}{nonce}", requested_by=by, reason="", key=f"{HAND}{nonce}")


def because(action: Action, reason: str) -> Action:
    """Return the action with its reason."""
    return replace(action, reason=reason.strip()[:LONGEST_REASON])


def in_force_of(watchword: Watchword, incident: str) -> list[Deed]:
    """Return the states that hold, or may hold, because of an incident, those that end first first."""
    found = [deed for deed in watchword.response.gateway.in_force() if deed.sent.incident == incident]
    return sorted(found, key=lambda deed: (deed.revert_at is None, deed.revert_at or deed.intended_at, deed.uid))


def approver_of(watchword: Watchword, principal: Principal, now: datetime) -> Approver:
    """Return the principal as who answers requests: two accounts of one person are one approver."""
    link = watchword.registry.directory().holder(f"account:{principal.name}", now)
    name = principal.full_name or principal.name
    return Approver(principal.actor, name, principal.team.value, principal.role.value, link.person if link else "")


def _ready(view: ApprovalView) -> bool:
    by_hand = not view.run and view.path.startswith(HAND)
    return view.state is ApprovalState.GRANTED and (by_hand or view.path.endswith(LONGER))
