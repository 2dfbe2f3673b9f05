"""Requests for approval over HTTP: what waits, one with its dry run, and a person's answer to exactly what was shown."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import Password, ReasonWords, Uid
from watchword.api.identity import Approving, House, Reader
from watchword.api.paging import After, Limit, Page, in_time
from watchword.api.person import person_of
from watchword.api.problems import also
from watchword.app import by_hand
from watchword.app.principal import Principal
from watchword.app.shown import shown_at, shown_now
from watchword.app.watchword import Watchword
from watchword.kit.errors import NotFound
from watchword.model import Team
from watchword.model.action import Outcome
from watchword.respond.approval import ApprovalState, say_rule
from watchword.respond.asked_service import ApprovalView
from watchword.respond.gateway_service import Preview

routes = APIRouter(tags=["approvals"])


class ApprovalListed(BaseModel):
    """A request with its answers, and what it is about in words."""

    approval: ApprovalView
    words: str
    missing: str = Field(description="What is still missing, in words.")


class ApprovalRead(ApprovalListed):
    """A request with what its action would do now."""

    rule_words: str
    preview: Preview | None = Field(description="Null when the catalogue no longer has its verb.")
    outcome: Outcome | None = Field(description="What came of the action.")
    shown: str = Field(description="Send it back with the answer: when this was shown to you.")


class ApprovalAnswer(BaseModel):
    """One person's answer to the action that was shown."""

    model_config = ConfigDict(extra="forbid")

    answer: Literal["agree", "stop"]
    digest: str = Field(max_length=64, description="Of the action that was shown.")
    shown: str = Field(max_length=200, description="As the reading gave it.")
    reason: ReasonWords = ""
    password: Password = ""


class Decided(BaseModel):
    """The request as it stands, and what came of its action where that was done at once."""

    approval: ApprovalView
    missing: str
    outcome: Outcome | None


def words_of(watchword: Watchword, view: ApprovalView) -> str:
    """Return what a request is about, in words."""
    verb = watchword.response.gateway.catalogue.verbs.get(view.action.verb)
    label = watchword.registry.directory().label(view.action.target)
    return verb.words(view.action, label) if verb else f"{view.action.verb} {view.action.target}"


@routes.get("/approvals", responses=also(404), summary="List requests for approval")
def list_approvals(
    request: Request,
    response: Response,
    watchword: House,
    _: Reader,
    limit: Limit = 100,
    after: After = None,
    state: ApprovalState | None = None,
    team: Annotated[Team | None, Query(description="Those that this team may answer.")] = None,
    incident: Annotated[str, Query(pattern="^([0-9a-f]{32})?$")] = "",
    run: Annotated[str, Query(pattern="^([0-9a-f]{32})?$")] = "",
) -> Page[ApprovalListed]:
    """Requests that wait for an answer, the most urgent first; of an `incident` or `run` every one, decided ones too."""
    approvals = watchword.response.approvals
    if incident or run:
        found = approvals.of_incident(incident) if incident else approvals.of_run(run)
        found = [each for each in found if not run or each.run == run]
    else:
        found = approvals.waiting()
    kept = [
        each
        for each in found
        if (state is None or each.state is state) and (team is None or not each.rule.of or team.value in each.rule.of)
    ]
    rows = [ApprovalListed(approval=each, words=words_of(watchword, each), missing=each.missing) for each in kept]
    return in_time(rows, lambda row: (row.approval.expires_at, row.approval.uid), limit, after, request, response)


@routes.get("/approvals/{uid}", responses=also(404), summary="Read a request for approval")
def read_approval(watchword: House, caller: Reader, uid: Uid) -> ApprovalRead:
    """One request with its answers and the dry run of its action as of now: what it touches, what forbids it, who must agree."""
    view = watchword.response.approvals.get(uid)
    try:
        preview = by_hand.look(watchword, view.action)
    except NotFound:
        preview = None
    deed = watchword.response.gateway.deed(view.action.key) if view.action.key else None
    return ApprovalRead(
        approval=view,
        words=words_of(watchword, view),
        missing=view.missing,
        rule_words=say_rule(view.rule),
        preview=preview,
        outcome=deed.outcome if deed else None,
        shown=shown_now(watchword, uid, caller.account),
    )


@routes.post("/approvals/{uid}/answer", responses=also(404, 409), summary="Answer a request for approval")
def answer(request: Request, watchword: House, caller: Approving, uid: Uid, said: ApprovalAnswer) -> Decided:
    """Agree to the action that was shown, or stop it with a reason. A person gave the account's `password` within the last ten minutes.

    A token is no person: it always needs the `password`. The glass is not broken over the API.
    """
    view = watchword.response.approvals.get(uid)
    person: Principal = person_of(request, watchword, caller, said.password, lately=True)
    approver = by_hand.approver_of(watchword, person, watchword.clock.now())
    shown = shown_at(watchword, uid, caller.account, said.shown)
    view, outcome = by_hand.decide(
        watchword, uid, approver, yes=said.answer == "agree", reason=said.reason, digest=said.digest, shown_at=shown
    )
    return Decided(approval=view, missing=view.missing, outcome=outcome)
