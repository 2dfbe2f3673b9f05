"""Decisions: what was decided, on which numbers, what was expected of it, and its review."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from watchword.kit.errors import NotFound
from watchword.model.decision import Decision
from watchword.web.forms import Fields
from watchword.web.governing import Governing, answered, governance, measure_choices, words
from watchword.web.pages import Ask, Asked
from watchword.web.proposals import numbers_then

router = APIRouter()
SHOWS: Final = ("in force", "due", "all")


@router.get("/decisions")
def decisions(ask: Asked, show: str = "all", kind: str = "") -> Response:
    """List decisions, the newest first."""
    position = ask.watchword.ledger.last_position()
    return ask.page("decisions/list.html", position=position, **list_context(ask, {"show": show, "kind": kind}))


def list_context(ask: Ask, parameters: dict[str, str]) -> dict[str, Any]:
    """Return the decisions that an address asks for."""
    show = parameters.get("show", "all")
    show = show if show in SHOWS else "all"
    kind = parameters.get("kind", "")
    service, today = governance(ask).decisions, ask.now.date()
    due = {each.uid for each in service.due(today)}
    found = service.all_kept(kind if kind in words()["kinds"] else "")
    if show == "in force":
        found = [each for each in found if each.in_force(ask.now)]
    if show == "due":
        found = [each for each in found if each.decision.uid in due]
    bodies = {each.uid: each.name for each in governance(ask).committees.list()}
    under_way = governance(ask).proposals.list(under_way=True)
    return {"rows": found, "due": due, "show": show, "shows": SHOWS, "kind": kind, "bodies": bodies, "under_way": under_way, **words()}


@router.get("/decisions/{uid}")
def decision(ask: Asked, uid: str) -> Response:
    """Show one decision."""
    return _page(ask, uid)


def _page(ask: Ask, uid: str, status: int = 200, fault: str = "") -> Response:
    position = ask.watchword.ledger.last_position()
    return ask.page("decisions/decision.html", status, position=position, fault=fault, **decision_context(ask, uid))


def decision_context(ask: Ask, uid: str) -> dict[str, Any]:
    """Return everything that a decision's page shows."""
    house = governance(ask)
    kept = house.decisions.kept(uid)
    each = kept.decision
    proposal = house.proposals.get(each.proposal) if each.proposal else None
    meeting = None
    if each.meeting:
        try:
            meeting = house.meetings.get(each.meeting)
        except NotFound:
            meeting = None
    names = {one.uid: one for one in house.decisions.list()}
    return {
        "kept": kept,
        "decision": each,
        "body": next((one for one in house.committees.list() if one.uid == each.body), None),
        "proposal": proposal,
        "text_now": proposal.text if proposal else None,
        "meeting": meeting,
        "numbers": numbers_then(ask, each.metrics),
        "numbers_now": _now(ask, each),
        "effect": house.retrospectives.effect(uid),
        "measure_names": dict(measure_choices(ask)),
        "before": names.get(each.supersedes),
        "after": names.get(kept.superseded_by),
        "due": not kept.reviewed and each.review_on <= ask.now.date() and not kept.superseded_by,
        "holds": kept.in_force(ask.now),
        "actions": [one for one in house.minutes.actions(each.body) if one.decision == uid],
        **words(),
    }


def _now(ask: Ask, decision: Decision) -> Any:
    expects = decision.expects
    if not expects.metric:
        return None
    try:
        return ask.watchword.measures.metrics.latest(expects.metric, expects.subject)
    except NotFound:
        return None


@router.post("/decisions/{uid}/review")
def review(ask: Governing, uid: str, fields: Fields) -> Response:
    """Hold the review of a decision."""
    found = fields.get("found", "")
    service, by = governance(ask).decisions, ask.who.name
    return answered(
        ask, lambda: service.review(uid, found, by=by), f"/decisions/{uid}", lambda status, fault: _page(ask, uid, status, fault)
    )
