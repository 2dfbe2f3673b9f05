"""Incidents: the list, opening one by hand, and the page of one with everything that both teams need."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from watchword.app.principal import Permission
from watchword.app.questions import read_cursor, read_moment, write_cursor
from watchword.kit.errors import InputError, NotFound
from watchword.model.action import Team
from watchword.model.incident import Incident, Rating
from watchword.respond.incident_filter_service import Cursor, IncidentFilter
from watchword.respond.veris import veris_of
from watchword.web import incident_page as parts
from watchword.web.asked import answer_form, words_of
from watchword.web.filters import find_asset, find_person, find_place
from watchword.web.pages import UID, Ask, Asked, Responding
from watchword.web.timeline import names

router = APIRouter()
ROWS: Final = 50
WORKS: Final = {"open": "open", "closed": "closed", "all": "all"}
REPORTS: Final = (("executive", "For management"), ("tactical", "For both teams"), ("incident", "Everything, with its timeline"))


@router.get("/incidents")
def incidents(ask: Asked) -> Response:
    """List incidents, the gravest first."""
    position = ask.watchword.ledger.last_position()
    return ask.page("incidents/list.html", position=position, **list_context(ask, ask.request.query_params))


def list_context(ask: Ask, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the list that an address asks for."""
    typed, wanted, faults = read_incident_filter(ask, parameters)
    after: Cursor | None = None
    if parameters.get("after"):
        try:
            after = _read_cursor(parameters["after"])
        except InputError as error:
            faults["after"] = str(error)
    rows = ask.watchword.response.incidents.list(wanted, after=after, limit=ROWS + 1)
    last = rows[ROWS - 1].incident if len(rows) > ROWS else None
    return {
        "rows": rows[:ROWS],
        "older": write_cursor(last.opened_at, f"{last.severity}:{last.uid}") if last else "",
        "first": after is None,
        "typed": typed,
        "faults": faults,
        "filtered": any(value for name, value in typed.items() if name != "work" and not (name == "sort" and value == "gravest")),
        "works": list(WORKS.items()),
        "names": names(ask),
    }


def read_incident_filter(ask: Ask, parameters: Mapping[str, str]) -> tuple[dict[str, str], IncidentFilter, dict[str, str]]:
    """Return the filters as typed, as a filter, and what is wrong with them; without a word on work: what is open."""
    keys = ("q", "severity", "team", "whose", "about", "since", "until", "exercise")
    typed = {name: parameters.get(name, "").strip()[:300] for name in keys}
    typed["work"] = parameters.get("work", "open") if parameters.get("work", "open") in WORKS else "open"
    typed["sort"] = "newest" if parameters.get("sort") == "newest" else "gravest"
    faults: dict[str, str] = {}
    times: dict[str, Any] = {}
    for name in ("since", "until"):
        try:
            times[name] = read_moment(typed[name], ask.now) if typed[name] else None
        except InputError as error:
            faults[name] = str(error)
    about = typed["about"]
    entity = (find_person(ask.directory, about) or find_asset(ask.directory, about) or find_place(ask.directory, about)) if about else ""
    if about and not entity:
        faults["about"] = "Nobody and nothing is called so, or several are"
    wanted = IncidentFilter(
        open={"open": True, "closed": False}.get(typed["work"]),
        worst=int(typed["severity"]) if typed["severity"] in {"1", "2", "3"} else 4,
        teams=(Team(typed["team"]),) if typed["team"] in set(Team) else (),
        person=ask.who.actor if typed["whose"] == "mine" else "",
        entity=entity or "",
        exercise={"yes": True, "no": False}.get(typed["exercise"]),
        text=typed["q"],
        merged=typed["work"] == "all",
        newest=typed["sort"] == "newest" or typed["work"] != "open",
        **times,
    )
    return typed, wanted, faults


def _read_cursor(text: str) -> Cursor:
    at, rest = read_cursor(text)
    severity, _, uid = rest.partition(":")
    if severity not in {"1", "2", "3", "4"} or not uid:
        raise InputError("is no cursor of ours; start again without it", "after")
    return int(severity), at, uid


@router.get("/incidents/new")
def new(ask: Responding, finding: str = "") -> Response:
    """Show the form that opens an incident by hand."""
    return _new(ask, {"finding": finding})


def _new(ask: Ask, typed: Mapping[str, str], status: int = 200, faults: Mapping[str, str] | None = None) -> Response:
    kept = None
    if UID.fullmatch(typed.get("finding", "")):
        try:
            kept = ask.watchword.findings.get(typed["finding"])
        except NotFound:
            kept = None
    held = ask.watchword.response.incidents.reader.of_finding(kept.finding.uid) if kept else ()
    return ask.page("incidents/new.html", status, typed=typed, faults=faults or {}, kept=kept, held=held)


@router.post("/incidents")
def open_by_hand(
    ask: Responding,
    title: Annotated[str, Form()] = "",
    because: Annotated[str, Form()] = "",
    severity: Annotated[str, Form()] = "3",
    teams: Annotated[list[str] | None, Form()] = None,
    finding: Annotated[str, Form()] = "",
    exercise: Annotated[str, Form()] = "",
) -> Response:
    """Open an incident; whoever opens it has it."""
    typed = {"title": title, "because": because, "severity": severity, "finding": finding, "exercise": exercise}
    try:
        uid = ask.watchword.response.incidents.open(
            title, by=ask.who.actor, team=ask.who.team.value, because=because, severity=_severity(severity),
            findings=(finding,) if finding else (), teams=tuple(Team(team) for team in teams or () if team in set(Team)),
            exercise=exercise == "yes",
        )  # fmt: skip
    except InputError as error:
        return _new(ask, typed, 422, {error.field or "title": str(error)})
    return ask.see(f"/incidents/{uid}")


def _severity(text: str) -> int:
    if text not in {"1", "2", "3", "4"}:
        raise InputError("A severity is 1 (gravest) to 4", "severity")
    return int(text)


@router.get("/incidents/{uid}")
def incident(ask: Asked, uid: str) -> Response:
    """Show one incident; one that was taken up by another leads there."""
    if not UID.fullmatch(uid):
        found = ask.watchword.response.incidents.reader.uid_of_number(int(uid)) if uid.isascii() and uid.isdigit() and len(uid) < 10 else ""
        if not found:
            raise NotFound(f"There is no incident {uid[:40]!r}")
        return RedirectResponse(f"/incidents/{found}", 303)
    return incident_page(ask, uid)


def incident_page(
    ask: Ask, uid: str, status: int = 200, *, where: str = "", fault: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    """Answer with the page; a fault stands at the form that it belongs to, with what was typed."""
    position = ask.watchword.ledger.last_position()
    response = ask.watchword.response
    view = parts.view_of(ask, uid)
    findings = parts.findings_of(ask, view)
    runs = parts.runs_context(ask, view)
    started = {run.playbook for run in runs["runs"]}
    context = {
        **parts.timeline_context(ask, view, ask.request.query_params),
        **parts.talk_context(ask, view),
        **parts.reached_context(ask, view),
        **parts.approvals_context(ask, view),
        **parts.roles_context(view),
        **runs,
        **parts.open_context(ask, view),
        **parts.head_context(ask, view),
        "evidence": parts.evidence_context(ask, view, findings),
        "suggestions": parts.suggestions(ask, view, findings, started) if view.incident.open else [],
        "deeds": parts.deeds_of(ask, view),
        "similar": parts.similar_of(ask, view),
        "rating": parts.rating_now(view),
        "people": parts.people_of(ask) if ask.may(Permission.RESPOND) else [],
        "verbs": list(response.gateway.catalogue),
        "playbooks": _playbooks(ask),
        "reports": reports_of(uid),
        "ask_form": lambda asked: answer_form(ask, asked),
        "request_words": lambda asked: words_of(ask, asked),
        "where": where,
        "fault": fault,
        "typed": typed or {},
    }
    return ask.page("incidents/incident.html", status, position=position, **context)


def _playbooks(ask: Ask) -> list[tuple[str, str]]:
    if not ask.may(Permission.RESPOND):
        return []
    return sorted(((kept.id, kept.name) for kept in ask.watchword.response.library.list()), key=lambda pair: pair[1])


def reports_of(uid: str) -> list[tuple[str, str]]:
    """Return the addresses of an incident's reports, with words."""
    return [(f"/incidents/{uid}/report/{kind}.pdf", words) for kind, words in REPORTS]


@router.get("/incidents/{uid}/veris.json")
def veris(ask: Asked, uid: str) -> Response:
    """Hand the incident out in the VERIS vocabulary; it names no person."""
    view = parts.view_of(ask, uid)
    found = [kept.finding for kept in parts.findings_of(ask, view)]
    said = veris_of(view.incident, view.moments, found, ask.directory, ask.watchword.settings.name)
    ask.watchword.audit.write(ask.who.actor, "incident.veris", uid)
    headers = {"Content-Disposition": f'attachment; filename="incident-{view.incident.number}.veris.json"'}
    return Response(json.dumps(said, ensure_ascii=False, indent=1) + "\n", media_type="application/json", headers=headers)


def rating_of_form(form: Mapping[str, str], incident: Incident) -> Rating:
    """Return the rating that the five fields of a form say; what is not said stays as grave as the incident is on operations.

    Raises:
        InputError: a value outside of 1 to 4.
    """
    values: dict[str, int] = {}
    for name in ("people", "operations", "data", "money", "law"):
        text = form.get(name, "")
        if text and text not in {"1", "2", "3", "4"}:
            raise InputError(f"{name} is rated 1 (gravest) to 4", name)
        values[name] = int(text) if text else 4
    if not any(form.get(name) for name in values):
        values["operations"] = incident.severity
    return Rating(**values, in_doubt=tuple(name for name in values if form.get(f"doubt-{name}")))
