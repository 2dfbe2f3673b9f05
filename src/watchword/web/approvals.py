"""Approvals: what waits for an answer, and one request with its dry run, where people agree, say no, or break the glass."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from watchword.app import by_hand
from watchword.app.accounts import LogInRefused
from watchword.app.freshness import fresh
from watchword.app.principal import Permission, Role
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.model.action import Outcome
from watchword.respond.approval import say_rule
from watchword.respond.asked_service import ApprovalView
from watchword.respond.interlock import INTERLOCK_CODES
from watchword.web.asked import INSTEAD, answer_form, shown_at, words_of
from watchword.web.cookies import SESSION, keep_secret
from watchword.web.forms import Fields
from watchword.web.login import inside
from watchword.web.pages import Approving, Ask, Asked

router = APIRouter()
GLASS: Final = frozenset({Role.MANAGER, Role.ADMINISTRATOR})


@router.get("/approvals")
def approvals(ask: Asked) -> Response:
    """List what waits for somebody's word, the most urgent first."""
    position = ask.watchword.ledger.last_position()
    return ask.page("approvals/list.html", position=position, **waiting_context(ask))


def waiting_context(ask: Ask, team: str = "") -> dict[str, Any]:
    """Return the requests that wait, each with what it is in words."""
    waiting = ask.watchword.response.approvals.waiting(team)
    return {"waiting": [(view, words_of(ask, view)) for view in waiting]}


@router.get("/approvals/{uid}")
def approval(ask: Asked, uid: str) -> Response:
    """Show one request with what the action would do now."""
    return _page(ask, uid)


def _page(ask: Ask, uid: str, status: int = 200, fault: tuple[str, str] = ("", ""), typed: Mapping[str, str] | None = None) -> Response:
    position = ask.watchword.ledger.last_position()
    view = ask.watchword.response.approvals.get(uid)
    try:
        preview = by_hand.look(ask.watchword, view.action)
    except NotFound:
        preview = None
    incident = None
    if view.action.incident:
        try:
            incident = ask.watchword.response.incidents.get(view.action.incident).incident
        except NotFound:
            incident = None
    return ask.page(
        "approvals/approval.html",
        status,
        position=position,
        approval=view,
        incident=incident,
        preview=preview,
        words=words_of(ask, view),
        rule_words=say_rule(view.rule),
        instead=INSTEAD,
        interlock=INTERLOCK_CODES,
        form=answer_form(ask, view),
        glass=ask.who.role in GLASS and ask.may(Permission.APPROVE),
        fault=fault,
        typed=typed or {},
        deed=ask.watchword.response.gateway.deed(view.action.key) if view.action.key else None,
        back=inside(ask.request.query_params.get("back", "")) if ask.request.query_params.get("back") else "",
    )


@router.post("/approvals/{uid}")
def answer(ask: Approving, uid: str, fields: Fields) -> Response:
    """Take an answer."""
    who = by_hand.approver_of(ask.watchword, ask.who, ask.now)
    reason = fields.get("reason", "")[:2_000]

    def deed() -> tuple[ApprovalView, Outcome | None]:
        if fields.get("answer") not in {"yes", "no"}:
            raise InputError("Agree, or say no", "answer")
        shown, yes = shown_at(ask, uid, fields.get("shown", "")), fields["answer"] == "yes"
        return by_hand.decide(ask.watchword, uid, who, yes=yes, reason=reason, digest=fields.get("digest", ""), shown_at=shown)

    return _answer(ask, uid, fields, deed)


@router.post("/approvals/{uid}/glass")
def glass(ask: Approving, uid: str, fields: Fields) -> Response:
    """Stand in for the approvers, in an emergency: both teams' leads are called and a review is due."""
    who = by_hand.approver_of(ask.watchword, ask.who, ask.now)
    return _answer(ask, uid, fields, lambda: by_hand.break_glass(ask.watchword, uid, who, fields.get("reason", "")[:2_000]))


def _answer(ask: Ask, uid: str, fields: Mapping[str, str], deed: Callable[[], object]) -> Response:
    """Do a deed that needs a fresh log-in: where the session is older, the password comes with the form and a new session begins."""
    token = ""
    if not fresh(ask.watchword, ask.who):
        if not fields.get("password"):
            return _page(ask, uid, 403, ("password", "Your log-in is older than 10 minutes: give your password"), fields)
        address = ask.request.client.host if ask.request.client else ""
        agent = ask.request.headers.get("user-agent", "")
        try:
            token = ask.watchword.accounts.log_in(ask.who.name, fields["password"], address=address, agent=agent).token
        except LogInRefused as refused:
            return _page(ask, uid, 403, ("password", str(refused)), fields)
        ask.watchword.accounts.log_out(ask.request.cookies.get(SESSION, ""), actor=ask.who.actor)
    try:
        deed()
    except (InputError, Conflict, Forbidden) as error:
        status = 422 if isinstance(error, InputError) else 409 if isinstance(error, Conflict) else 403
        response = _page(ask, uid, status, ("reason", str(error)), fields)
    else:
        back = fields.get("back", "")
        response = ask.see(inside(back) if back else f"/approvals/{uid}")
    if token:
        keep_secret(response, SESSION, token)
    return response
