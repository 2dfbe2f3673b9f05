"""Proposals: one put to a body, its rounds live, and everybody's own voice in them."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from watchword.govern.consent import FINAL, Stage
from watchword.govern.proposal_service import KeptProposal
from watchword.kit.errors import InputError
from watchword.web.forms import Fields
from watchword.web.governing import Governing, answered, fields_of, governance, measure_choices, seat_of, text_of, tried, whole, words
from watchword.web.pages import Ask, Asked

router = APIRouter()
DEED_WORDS: Final = {
    "draft": "wrote a draft",
    "submit": "put it to the body",
    "ask": "asked",
    "answer": "answered",
    "asked": "has no further question",
    "revise": "put a version to the body",
    "withdraw": "took it back",
    "object": "objected",
    "pass": "sees no reason against it",
    "resolve": "says an objection is resolved",
    "vote": "voted",
    "decide": "decided",
    "time": "the time was over",
}


@router.get("/proposals/new")
def new(ask: Governing, body: str = "", meeting: str = "", kind: str = "decision", subject: str = "") -> Response:
    """Show the form of a proposal."""
    typed = {"kind": kind, "subject": subject, "review_on": (ask.now.date() + timedelta(days=180)).isoformat()}
    return _form(ask, body, meeting, typed)


def _form(ask: Ask, body: str, meeting: str, typed: Mapping[str, str], status: int = 200, fault: str = "", uid: str = "") -> Response:
    mine = [each for each in governance(ask).committees.list() if seat_of(ask, each)]
    context = {"bodies": mine, "body": body, "meeting": meeting, "typed": typed, "fault": fault, "uid": uid}
    return ask.page("proposals/form.html", status, **context, **words(), measures=measure_choices(ask))


@router.post("/proposals")
def put(ask: Governing, fields: Fields) -> Response:
    """Begin a proposal."""
    body, meeting, made = fields.get("body", ""), fields.get("meeting", ""), list[str]()
    status, fault = tried(
        lambda: made.append(governance(ask).proposals.draft(body, text_of(ask, fields), by=ask.who.name, meeting=meeting))
    )
    return _form(ask, body, meeting, fields, status, fault) if fault else ask.see(f"/proposals/{made[0]}")


@router.get("/proposals/{uid}")
def proposal(ask: Asked, uid: str) -> Response:
    """Show one proposal."""
    return _page(ask, uid)


def _page(ask: Ask, uid: str, status: int = 200, fault: str = "", typed: Mapping[str, str] | None = None) -> Response:
    position = ask.watchword.ledger.last_position()
    context = proposal_context(ask, uid) | {"fault": fault, "typed": typed or {}}
    return ask.page("proposals/proposal.html", status, position=position, **context)


def proposal_context(ask: Ask, uid: str) -> dict[str, Any]:
    """Return everything that a proposal's page shows."""
    kept = governance(ask).proposals.get(uid)
    body = governance(ask).committees.get(kept.proposal.body)
    decisions = governance(ask).decisions
    decision = decisions.get(kept.proposal.decision) if kept.proposal.decision else None
    return {
        "kept": kept,
        "proposal": kept.proposal,
        "state": kept.state,
        "text": kept.text,
        "body": body,
        "decision": decision,
        "deed_words": DEED_WORDS,
        "over": kept.state.stage in FINAL,
        "expected": expected_words(ask, kept),
        "number_then": numbers_then(ask, kept.text.metrics),
        "fields": fields_of(kept.text),
        "measures": measure_choices(ask),
        **voice_context(ask, kept, body.seats),
        **words(),
    }


def voice_context(ask: Ask, kept: KeptProposal, seats: Mapping[str, str]) -> dict[str, Any]:
    """Return what the asker can say to a proposal now."""
    own = ask.who.name
    state = kept.state
    member = bool(seat_of(ask, governance(ask).committees.get(kept.proposal.body)))
    return {
        "own": own,
        "member": member,
        "mine": kept.proposal.proposer == own and member,
        "spoken": own in state.answered,
        "own_open": [each for each in state.objections if each.person == own and not each.resolved_in],
        "seats": seats,
        "lack": state.roll.quorum_lack(state.answered) if state.roll and state.stage is Stage.OBJECTION else [],
    }


def expected_words(ask: Ask, kept: KeptProposal) -> str:
    """Return what a text expects, in one sentence."""
    expects = kept.text.expects
    if not expects.get("metric"):
        return "No measurable effect is expected."
    names = dict(measure_choices(ask))
    way = {"up": "rises", "down": "falls"}.get(str(expects.get("direction")), "moves")
    size = f" by {float(expects.get('size') or 0):g}" if expects.get("size") else ""
    return f"{names.get(str(expects['metric']), expects['metric'])} {way}{size} until {expects.get('by')}."


def numbers_then(ask: Ask, uids: tuple[str, ...]) -> list[Any]:
    """Return the values that a text stands on, as far as they are kept."""
    found = []
    for uid in uids:
        status, _ = tried(lambda uid=uid: found.append(ask.watchword.measures.metrics.get(uid)))  # type: ignore[misc]
        del status
    return found


@router.post("/proposals/{uid}/{deed}")
def do(ask: Governing, uid: str, deed: str, fields: Fields) -> Response:
    """Say something to a proposal, or move it."""
    proposals, by = governance(ask).proposals, ask.who.name

    def revise() -> object:
        text = text_of(ask, fields) if fields.get("title") else None
        return proposals.revise(uid, text, by=by)

    deeds: dict[str, Callable[[], object]] = {
        "redraft": lambda: proposals.redraft(uid, text_of(ask, fields), by=by),
        "submit": lambda: proposals.submit(uid, by=by),
        "revise": revise,
        "ask": lambda: proposals.ask(uid, fields.get("text", ""), by=by),
        "answer": lambda: proposals.answer(uid, whole(fields.get("question", ""), "question"), fields.get("text", ""), by=by),
        "asked": lambda: proposals.asked(uid, by=by),
        "agree": lambda: proposals.agree(uid, by=by),
        "object": lambda: proposals.object(
            uid, fields.get("reason", ""), fields.get("harm", ""), paramount=fields.get("paramount") == "1", by=by
        ),
        "resolve": lambda: proposals.resolve(uid, whole(fields.get("objection", ""), "objection"), fields.get("how", ""), by=by),
        "vote": lambda: proposals.vote(uid, agree=fields.get("agree") == "1", by=by),
        "decide": lambda: proposals.decide(uid, fields.get("reason", ""), agree=fields.get("agree") == "1", by=by),
        "withdraw": lambda: proposals.withdraw(uid, by=by),
    }

    def unknown() -> object:
        raise InputError("say what shall be done with it", "deed")

    back = fields.get("back", "")
    path = f"/meetings/{back[:32]}#proposal-{uid}" if back and back.isalnum() else f"/proposals/{uid}"
    return answered(ask, deeds.get(deed, unknown), path, lambda status, fault: _page(ask, uid, status, fault, fields))
