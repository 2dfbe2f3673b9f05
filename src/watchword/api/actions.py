"""Actions over HTTP: the catalogue, what one would do, what is in force, and actions asked for, released and extended by hand."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import DurationText, Line, ReasonWords, Uid, Words
from watchword.api.identity import House, Reader, Responder
from watchword.api.once import IdempotencyKey, once
from watchword.api.paging import After, Limit, Page, in_time
from watchword.api.problems import also
from watchword.app import by_hand
from watchword.app.lasting import ask_longer
from watchword.app.watchword import Watchword
from watchword.kit.duration import read_duration
from watchword.kit.errors import Conflict, NotFound
from watchword.kit.ids import uid_of
from watchword.model.action import Action, Hazard, Outcome
from watchword.respond.approval import say_rule
from watchword.respond.catalogue import LifeSafety, Temporary, Verb
from watchword.respond.deed_service import Deed
from watchword.respond.gateway_service import Preview

routes = APIRouter(tags=["actions"])


class ParameterRead(BaseModel):
    """One parameter of a verb."""

    name: str
    says: str
    optional: bool


class VerbRead(BaseModel):
    """One verb of the catalogue."""

    name: str
    says: str
    domain: str
    target: str
    hazard: Hazard
    approval: str = Field(description="Who must agree, in words.")
    parameters: list[ParameterRead]
    expects: Mapping[str, str] = Field(description="What is read back when it is done.")
    undo: str
    temporary: Temporary
    longest: timedelta | None
    life_safety: LifeSafety
    by_hand: str


class Catalogue(BaseModel):
    """Every verb, by name."""

    items: list[VerbRead]


class ActionWanted(BaseModel):
    """An action: a verb of the catalogue, on what, for how long."""

    model_config = ConfigDict(extra="forbid")

    incident: Annotated[str, Field(pattern="^([0-9a-f]{32})?$")] = ""
    verb: Line
    target: Line
    parameters: dict[Line, Words] = Field({}, max_length=20)
    lasts: DurationText = ""


class ActionAsked(ActionWanted):
    """An action that somebody asks for, and why."""

    reason: ReasonWords


class Released(BaseModel):
    """Why a state ends before its time."""

    model_config = ConfigDict(extra="forbid")

    reason: ReasonWords


class Longer(Released):
    """How long a state shall last, counted from when it was set."""

    lasts: DurationText


class PreviewRead(BaseModel):
    """What an action would do, found out by the code that does it; nothing is sent."""

    preview: Preview
    clear: bool = Field(description="Whether nothing but approvals stands in its way.")
    rule_words: str


class Asked(BaseModel):
    """A request that waits for people, or the outcome at once."""

    approval: str
    outcome: Outcome | None


def verb_of(verb: Verb) -> VerbRead:
    """Return a verb as the API shows it."""
    return VerbRead(
        name=verb.name,
        says=verb.says,
        domain=verb.domain,
        target=verb.target,
        hazard=verb.hazard,
        approval=say_rule(verb.rule),
        parameters=[ParameterRead(name=each.name, says=each.says, optional=each.optional) for each in verb.parameters.values()],
        expects=verb.expects,
        undo=verb.undo,
        temporary=verb.temporary,
        longest=verb.longest,
        life_safety=verb.life_safety,
        by_hand=verb.manual,
    )


def _wanted(watchword: Watchword, said: ActionWanted, reason: str, by: str, nonce: str) -> Action:
    lasts = read_duration(said.lasts) if said.lasts else None
    return by_hand.wanted(watchword, said.incident, said.verb, said.target, said.parameters, lasts, reason=reason, by=by, nonce=nonce)


@routes.get("/actions/catalogue", responses=also(404), summary="Read the action catalogue")
def catalogue(watchword: House, _: Reader) -> Catalogue:
    """Every verb with its target, parameters, hazard, undo, longest time and who must agree."""
    return Catalogue(items=[verb_of(each) for each in watchword.response.gateway.catalogue])


@routes.post("/previews", responses=also(404), summary="Look at an action first")
def preview(watchword: House, caller: Responder, said: ActionWanted) -> PreviewRead:
    """What it would touch, what forbids it now, who must agree, what the device would be sent."""
    seen = by_hand.look(watchword, _wanted(watchword, said, "", caller.actor, secrets.token_hex(12)))
    return PreviewRead(preview=seen, clear=seen.clear, rule_words=say_rule(seen.rule))


@routes.get("/actions", responses=also(404), summary="List actions")
def list_actions(
    request: Request,
    response: Response,
    watchword: House,
    _: Reader,
    limit: Limit = 100,
    after: After = None,
    in_force: Annotated[bool, Query(description="Only states that hold, or may hold.")] = True,  # noqa: FBT002 - a query parameter
    incident: Annotated[str, Query(pattern="^([0-9a-f]{32})?$")] = "",
    run: Annotated[str, Query(pattern="^([0-9a-f]{32})?$")] = "",
    target: Annotated[str, Query(max_length=300, pattern="^[^\\x00]*$")] = "",
) -> Page[Deed]:
    """States in force, oldest first; with `in_force=false` the newest 200 actions, refused and ended ones too."""
    gateway = watchword.response.gateway
    found = gateway.in_force() if in_force else gateway.deeds.search(incident=incident, run=run, target=target)
    chosen = [
        deed
        for deed in found
        if (not incident or deed.sent.incident == incident)
        and (not run or deed.sent.run == run)
        and (not target or deed.sent.target == target)
    ]
    return in_time(chosen, lambda deed: (deed.intended_at, deed.uid), limit, after, request, response)


@routes.post("/actions", responses=also(404, 409), status_code=202, summary="Ask for an action", response_model=Asked)
def ask(request: Request, watchword: House, caller: Responder, said: ActionAsked, idempotency_key: IdempotencyKey = None) -> Any:
    """Ask for an action: what must not be done is refused and written down, what needs approvals waits for them, the rest is done.

    Every action passes the life-safety interlock, whoever asks. With an `Idempotency-Key` it has its effect once.
    """
    nonce = uid_of("api", caller.account, idempotency_key) if idempotency_key else secrets.token_hex(12)

    def deed() -> Asked:
        made = by_hand.ask(watchword, _wanted(watchword, said, said.reason, caller.actor, nonce))
        return Asked(approval=made.approval, outcome=made.outcome)

    return once(request, watchword, caller, idempotency_key, said, 202, deed)


@routes.get("/actions/{uid}", responses=also(404), summary="Read an action")
def read_action(watchword: House, _: Reader, uid: Uid) -> Deed:
    """One action: what was asked, what came of it, whether its state still holds and until when."""
    return _deed(watchword, uid)


def _deed(watchword: Watchword, uid: str) -> Deed:
    found = watchword.response.gateway.deeds.get(uid)
    if found is None:
        raise NotFound(f"There is no action {uid!r}")
    return found


@routes.post("/actions/{uid}/release", responses=also(404, 409), status_code=202, summary="End a state early")
def release(watchword: House, caller: Responder, uid: Uid, said: Released) -> Asked:
    """End a state in force before its time: at once where that needs nobody's word, else asked for like any action."""
    known = _deed(watchword, uid)
    action = by_hand.releasing(watchword, known.uid, by=caller.actor, nonce=secrets.token_hex(12))
    made = by_hand.ask(watchword, by_hand.because(action, said.reason))
    return Asked(approval=made.approval, outcome=made.outcome)


@routes.post("/actions/{uid}/extend", responses=also(404, 409), status_code=202, summary="Let a state last longer")
def extend(watchword: House, caller: Responder, uid: Uid, said: Longer) -> Asked:
    """Let a temporary state last longer, counted from when it was set. It needs approval as setting it did: ask, and again once agreed."""
    known = _deed(watchword, uid)
    if known.ended_at is not None:
        raise Conflict("This state has ended: ask for it anew if it is still needed")
    total = read_duration(said.lasts) if said.lasts else timedelta()
    made = ask_longer(watchword, known.uid, total, by=caller.actor, reason=said.reason)
    return Asked(approval=made.approval, outcome=made.outcome)
