"""The phone page: what a guard or approver has to do now, one thing below the other, for a thumb; it needs no script."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.responses import Response

from watchword.app import by_hand
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.model.action import Team
from watchword.respond.approval import say_rule
from watchword.respond.asked_service import ApprovalView
from watchword.respond.page_rows_service import PageView
from watchword.respond.page_service import OPEN
from watchword.web.asked import INSTEAD, answer_form, words_of
from watchword.web.forms import Fields
from watchword.web.pages import Ask, Responding

router = APIRouter()
MOST: Final = 20
"""Things of one kind that the page shows."""
BACK: Final = "/phone"


@router.get("/phone")
def phone(ask: Responding) -> Response:
    """Show the page."""
    return _page(ask)


def _page(ask: Ask, status: int = 200, fault: tuple[str, str] = ("", "")) -> Response:
    position = ask.watchword.ledger.last_position()
    return ask.page("phone/phone.html", status, position=position, **phone_context(ask, fault))


def phone_context(ask: Ask, fault: tuple[str, str] = ("", "")) -> dict[str, Any]:
    """Return what waits for the asker: pages, approvals, steps, tasks, hand-overs, mentions."""
    response, team, by = ask.watchword.response, ask.who.team.value, ask.who.actor
    pages = [(page, _teams_open(page, team)) for page in response.pager.unanswered() if _teams_open(page, team)]
    waits = [wait for wait in response.runs.waits(team) if wait.kind == "person" and wait.owner in {"", by}]
    asked = [_asked(ask, view) for view in response.approvals.waiting(team)[:MOST]]
    return {
        "pages": pages[:MOST],
        "asked": [each for each in asked if not each["form"]["why_not"]],
        "answered": [each for each in asked if each["form"]["why_not"]],
        "waits": waits[:MOST],
        "tasks": response.incidents.tasks.open_for((Team(team),), by, limit=MOST),
        "hand_overs": response.incidents.hand_overs.waiting_for(by),
        "mentions": response.incidents.chronicle.mentioned([ask.who.name], limit=5),
        "duties": [duty for each in Team for duty in response.on_call.who(each.value, ask.now) if duty.shift.person == by],
        "fault": fault,
        "instead": INSTEAD,
    }


def _teams_open(page: PageView, team: str) -> list[str]:
    """Return the teams for which somebody of a team may still take a page; management takes it for all."""
    return [track.team for track in page.tracks if track.status in OPEN and team in {track.team, Team.MANAGEMENT.value}]


def _asked(ask: Ask, view: ApprovalView) -> dict[str, Any]:
    try:
        preview = by_hand.look(ask.watchword, view.action)
    except NotFound:
        preview = None
    return {"view": view, "words": words_of(ask, view), "preview": preview, "form": answer_form(ask, view), "rule": say_rule(view.rule)}


@router.post("/phone/pages/{uid}")
def take_page(ask: Responding, uid: str) -> Response:
    """Acknowledge a page: one has it, and calling stops."""
    try:
        ask.watchword.response.pager.acknowledge(uid, ask.who.actor, "phone")
    except (Conflict, Forbidden) as error:
        return _page(ask, 409 if isinstance(error, Conflict) else 403, (uid, str(error)))
    return ask.see(BACK)


@router.post("/phone/steps")
def answer_step(ask: Responding, fields: Fields) -> Response:
    """Say that a step is done, failed or does not apply, or that one does it."""
    run, path = fields.get("run", ""), fields.get("path", "")
    by, team = ask.who.actor, ask.who.team.value
    try:
        if fields.get("result") == "take":
            ask.watchword.response.runs.take(run, path, by, team)
        else:
            values = {name.removeprefix("v."): value.strip() for name, value in fields.items() if name.startswith("v.") and value.strip()}
            evidence = fields.get("evidence", "").split()
            done = fields.get("result", "")
            said = values if done == "done" else {}
            ask.watchword.response.runs.answer(run, path, done, said, by, team, fields.get("note", "")[:10_000], evidence)
    except (InputError, Conflict) as error:
        return _page(ask, 422 if isinstance(error, InputError) else 409, (f"{run}:{path}", str(error)))
    return ask.see(BACK)


@router.post("/phone/mentions")
def seen(ask: Responding, incident: Annotated[str, Form()] = "") -> Response:
    """Note that one has seen where one was mentioned."""
    ask.watchword.response.incidents.chronicle.saw(incident, ask.who.name)
    return ask.see(BACK)
