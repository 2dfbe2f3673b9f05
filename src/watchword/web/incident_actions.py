"""Actions and playbooks from an incident's page: looked at before anything is sent, asked for, ended early; runs started."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.responses import Response

from watchword.app import by_hand
from watchword.app.starting import variables_of
from watchword.kit.duration import read_duration, say_duration
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.model.action import Action
from watchword.respond.approval import say_rule
from watchword.respond.catalogue import Verb
from watchword.respond.gateway_service import Preview
from watchword.respond.interlock import INTERLOCK_CODES
from watchword.web import incident_page as parts
from watchword.web.asked import INSTEAD
from watchword.web.filters import find_asset, find_place
from watchword.web.forms import Fields
from watchword.web.incident_deeds import do
from watchword.web.incidents import incident_page
from watchword.web.pages import UID, Ask, Responding

router = APIRouter()
PARAMETER: Final = "p."
"""What fields for parameters begin with."""


@router.get("/incidents/{uid}/actions")
def look(ask: Responding, uid: str) -> Response:
    """Show what an action would do; nothing is sent."""
    return _look(ask, uid, dict(ask.request.query_params))


def _look(ask: Ask, uid: str, typed: Mapping[str, str], status: int = 200, fault: str = "") -> Response:
    view = parts.view_of(ask, uid)
    catalogue = ask.watchword.response.gateway.catalogue
    verb = catalogue.verbs.get(typed.get("verb", ""))
    preview: Preview | None = None
    typed = {**typed, "nonce": typed.get("nonce") or secrets.token_hex(12)}
    if typed.get("release") and UID.fullmatch(typed["release"]):
        action = by_hand.releasing(ask.watchword, typed["release"], by=ask.who.actor, nonce=typed["nonce"])
        verb = catalogue.verb(action.verb)
        typed = {
            **typed,
            "verb": action.verb,
            "target": action.target,
            **{f"{PARAMETER}{name}": value for name, value in action.parameters.items()},
        }
    if verb is not None and typed.get("target", "").strip():
        try:
            preview = by_hand.look(ask.watchword, _action(ask, uid, verb, typed))
        except InputError as error:
            status, fault = 422, str(error)
    context: dict[str, Any] = {
        "view": view,
        "incident": view.incident,
        "typed": typed,
        "verb": verb,
        "verbs": list(catalogue),
        "preview": preview,
        "fault": fault,
        "targets": targets_of(ask, verb, view.incident.uid) if verb else [],
        "rule_words": say_rule(preview.rule) if preview else "",
        "instead": INSTEAD,
        "interlock": INTERLOCK_CODES,
        "shown": {name.removeprefix(PARAMETER): value for name, value in typed.items() if name.startswith(PARAMETER)},
        "usual": usual_time(verb) if verb else "",
    }
    return ask.page("incidents/action.html", status, **context)


@router.post("/incidents/{uid}/actions")
def ask_for(ask: Responding, uid: str, fields: Fields) -> Response:
    """Ask for what was looked at: done at once, sent to those who must agree, or refused with the reason."""
    catalogue = ask.watchword.response.gateway.catalogue
    verb = catalogue.verbs.get(fields.get("verb", ""))
    if verb is None:
        return _look(ask, uid, fields, 422, "Choose what shall be done")
    try:
        asked = by_hand.ask(ask.watchword, _action(ask, uid, verb, fields))
    except InputError as error:
        return _look(ask, uid, fields, 422, str(error))
    return ask.see(f"/approvals/{asked.approval}" if asked.approval else f"/incidents/{uid}#actions")


def _action(ask: Ask, uid: str, verb: Verb, fields: Mapping[str, str]) -> Action:
    lasts = fields.get("lasts", "").strip()
    parameters = {name.removeprefix(PARAMETER): value.strip() for name, value in fields.items() if name.startswith(PARAMETER)}
    return by_hand.wanted(
        ask.watchword, uid, verb.name, target_of(ask, verb, fields.get("target", "")), parameters, read_duration(lasts) if lasts else None,
        reason=fields.get("reason", ""), by=ask.who.actor, nonce=fields.get("nonce", ""),
    )  # fmt: skip


def target_of(ask: Ask, verb: Verb, text: str) -> str:
    """Return the uid that a typed name stands for, or what was typed."""
    text = text.strip()
    if verb.target in {"door", "zone", "place"}:
        return find_place(ask.directory, text) or text
    if verb.target in {"host", "switch", "camera"}:
        return find_asset(ask.directory, text) or text
    if verb.target == "account" and ":" not in text:
        return f"account:{text.lower()}"
    return text


def usual_time(verb: Verb) -> str:
    """Return how long a state is proposed to last."""
    if verb.temporary.value == "never" or not verb.undo:
        return ""
    return say_duration(min(verb.longest or timedelta(hours=4), timedelta(hours=4)))


def targets_of(ask: Ask, verb: Verb, uid: str) -> list[tuple[str, str]]:
    """Return what the incident itself offers as targets of a verb: its doors, zones, machines, credentials, accounts."""
    view = parts.view_of(ask, uid)
    found = [kept.finding for kept in parts.findings_of(ask, view)]
    doors = {door.uid for door in ask.directory.doors()}
    places = [place for finding in found for place in finding.places]
    credentials = [one for finding in found for one in finding.credentials]
    assets = [one for finding in found for one in finding.assets]
    held = [link.entity for finding in found for person in finding.persons for link in _links(ask, person)]
    zones = [place for place in places if place not in doors]
    for door in (ask.directory.door(place) for place in places if place in doors):
        zones += [door.to_zone] if door is not None else []
    if verb.target == "account":
        wanted = [one for one in [*credentials, *held] if one.startswith("account:")]
    elif verb.target == "credential":
        wanted = [one for one in [*credentials, *held] if one.startswith("badge:")]
    else:
        by_kind = {"door": [place for place in places if place in doors], "zone": zones, "place": zones}
        wanted = by_kind.get(verb.target, assets if verb.target in {"host", "switch", "camera"} else [])
    if verb.target == "switch":
        switches = [up for one in assets if (asset := ask.directory.asset(one)) is not None for up in asset.upstream]
        wanted = [*switches, *wanted]
    if verb.target == "address":
        wanted = [one for finding in found for one in finding.addresses]
    return [(one, ask.label(one)) for one in dict.fromkeys(wanted)][:40]


def _links(ask: Ask, person: str) -> list[Any]:
    return [link for link in ask.directory.people.links if link.person == person and link.holds(ask.now)]


@router.post("/incidents/{uid}/release")
def release(ask: Responding, uid: str, deed: Annotated[str, Form()] = "") -> Response:
    """End a state in force at once, where that needs nobody's word."""

    def end() -> None:
        if not UID.fullmatch(deed):
            raise InputError("Choose what shall be released", "deed")
        action = by_hand.releasing(ask.watchword, deed, by=ask.who.actor, nonce=deed)
        if action.incident != uid:
            raise NotFound("This state belongs to another incident")
        known = ask.watchword.response.gateway.deed(action.key)
        if known is not None and known.outcome is not None:  # it did not come about the last time: this is a further try
            action = by_hand.releasing(ask.watchword, deed, by=ask.who.actor, nonce=secrets.token_hex(12))
        asked = by_hand.ask(ask.watchword, by_hand.because(action, "released early by hand"))
        if asked.outcome is not None and asked.outcome.status.value != "done":
            raise Conflict(asked.outcome.said)

    return do(ask, uid, "actions", end)


@router.post("/incidents/{uid}/carry-out")
def carry_out(ask: Responding, uid: str, approval: Annotated[str, Form()] = "") -> Response:
    """Do what was asked for by hand and agreed to, where it was not done at once."""

    def deed() -> None:
        view = ask.watchword.response.approvals.get(approval)
        if view.action.incident != uid:
            raise NotFound("This request belongs to another incident")
        by_hand.carry_out(ask.watchword, view)

    return do(ask, uid, "actions", deed)


@router.post("/incidents/{uid}/runs")
def start(ask: Responding, uid: str, fields: Fields) -> Response:
    """Start a playbook."""
    response = ask.watchword.response
    try:
        view = parts.view_of(ask, uid)
        kept = response.library.get(fields.get("playbook", ""))
        found = [one.finding for one in parts.findings_of(ask, view)]
        values: dict[str, str | None] = dict(variables_of(kept, found, uid, ask.directory))
        values |= {name.removeprefix("v."): value.strip() for name, value in fields.items() if name.startswith("v.") and value.strip()}
        run = response.runs.start(kept.id, uid, values, ask.who.actor, view.incident.exercise, fields.get("override", "").strip()[:2000])
    except (InputError, Conflict, Forbidden) as error:
        status = 422 if isinstance(error, InputError) else 409 if isinstance(error, Conflict) else 403
        return incident_page(ask, uid, status, where="runs", fault=str(error), typed=fields)
    made = any(getattr(route, "path", "") == "/runs/{uid}" for route in ask.request.app.routes)
    return ask.see(f"/runs/{run}" if made else f"/incidents/{uid}#runs")
