"""What every form for an answer to a request needs: words, whether one may answer, when it was shown, and what to do instead."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from watchword.app import by_hand
from watchword.app.freshness import fresh
from watchword.app.principal import Permission
from watchword.kit.errors import Conflict
from watchword.kit.secrets import sign, verify
from watchword.respond.asked_service import ApprovalView
from watchword.respond.sealed import derived_key
from watchword.web.pages import Ask

INSTEAD: Final[Mapping[str, str]] = {
    "fire-alarm": "Let everybody out. Securing comes after the all-clear of the fire brigade.",
    "fire-fault": "Post a guard outside the door, and have the panel's fault mended.",
    "fire-unknown": "Post a guard outside the door; connect the building's fire panel as a source, so that its state is known.",
    "fire-stale": "Ask somebody at the panel what it shows, post a guard meanwhile, and mend the line to the panel.",
    "egress-unverified": "Post a guard; have the door's way out checked by hand and written into the site file.",
    "life-safety-device": "Do not cut it off. Cut off what attacks it instead: the neighbouring port, the account, the route.",
    "unknown-target": "Name a door or zone of the site file.",
    "no-door": "Secure the zone's doors one by one, or post a guard.",
    "no-end": "Say how long it shall last.",
    "too-long": "Choose a shorter time; it can be extended with approval.",
    "site-changed": "Look again: the doors below are those of now.",
}
"""Code of a refusal → what to do instead."""


def words_of(ask: Ask, view: ApprovalView) -> str:
    """Return what a request is about, in words."""
    verb = ask.watchword.response.gateway.catalogue.verbs.get(view.action.verb)
    return verb.words(view.action, ask.label(view.action.target)) if verb else f"{view.action.verb} {view.action.target}"


def answer_form(ask: Ask, view: ApprovalView) -> dict[str, Any]:
    """Return what the form for an answer needs: whether one may, whether a password is asked, and the moment at which it was shown."""
    who = by_hand.approver_of(ask.watchword, ask.who, ask.now)
    why = ""
    if not ask.may(Permission.APPROVE):
        why = "Your role agrees to no actions."
    elif view.state.value != "waiting":
        why = f"It is {view.state.value}."
    elif view.rule.exclude_requester and view.asked_by in {who.account, who.identity}:
        why = "You asked for it: a colleague has to agree."
    elif view.rule.of and who.team not in view.rule.of:
        why = f"It is for people of {', '.join(sorted(view.rule.of))}."
    elif any(vote.identity == who.identity or vote.account == who.account for vote in view.votes):
        why = "You have answered; it takes another person."
    return {"why_not": why, "password": not fresh(ask.watchword, ask.who), "shown": _shown(ask, view.uid), "digest": view.digest}


def _shown(ask: Ask, uid: str) -> str:
    said = f"{uid} {ask.who.account} {ask.now.isoformat()}"
    return f"{ask.now.isoformat()} {sign(derived_key(ask.watchword.site_key, 'approval shown'), said.encode())}"


def shown_at(ask: Ask, uid: str, text: str) -> datetime:
    """Return when a form was shown to this account.

    Raises:
        Conflict: it was not.
    """
    moment, _, signature = text.partition(" ")
    said = f"{uid} {ask.who.account} {moment}"
    if not verify(derived_key(ask.watchword.site_key, "approval shown"), said.encode(), signature):
        raise Conflict("This form was not shown to you: open the request again")
    return datetime.fromisoformat(moment)
