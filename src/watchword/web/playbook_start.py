"""Starting a playbook: on an incident or as an exercise, with its values, looked at as a dry run before anything begins."""

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from watchword.app.dry_run import Foreseen, dry_run
from watchword.app.starting import variables_of
from watchword.kit.errors import InputError, NotFound
from watchword.respond.approval import say_rule
from watchword.respond.incident_filter_service import IncidentFilter
from watchword.respond.interlock import INTERLOCK_CODES
from watchword.respond.library_view import KeptPlaybook
from watchword.respond.playbook_flow import flow_of
from watchword.respond.start_check import Refusal, RunRefused
from watchword.web.asked import INSTEAD
from watchword.web.forms import Fields
from watchword.web.pages import UID, Ask, Responding

router = APIRouter()
VALUE: Final = "v."
"""What fields for external variables begin with."""
MOST_INCIDENTS: Final = 100
LONGEST_VALUE: Final = 4_000


@router.get("/playbooks/{id}/start")
def start_form(ask: Responding, id: str, incident: str = "") -> Response:  # noqa: A002 - the standard's word for it
    """Show what is needed to start, filled in from the incident's findings."""
    return _page(ask, id, {"incident": incident})


@router.post("/playbooks/{id}/start")
def start(ask: Responding, id: str, fields: Fields) -> Response:  # noqa: A002 - the standard's word for it
    """Look at what it would do, or start it."""
    if fields.get("deed") != "start":
        return _page(ask, id, fields, look=True)
    try:
        run = _started(ask, id, fields)
    except RunRefused as error:
        return _page(ask, id, fields, status=409, refusals=error.refusals)
    except (InputError, NotFound) as error:
        return _page(ask, id, fields, status=422, fault=str(error))
    return ask.see(f"/runs/{run}")


def _started(ask: Ask, identifier: str, fields: Mapping[str, str]) -> str:
    incident, exercise = fields.get("incident", ""), "exercise" in fields
    if incident and UID.fullmatch(incident):
        exercise = exercise or ask.watchword.response.incidents.get(incident).incident.exercise
    elif incident:
        raise InputError("Choose an incident", "incident")
    elif not exercise:
        raise InputError("Choose the incident that it answers, or start it as an exercise", "incident")
    kept = ask.watchword.response.library.get(identifier, fields.get("version", ""))
    # What the form does not ask for comes from the incident; what a person emptied stays empty.
    given = {**_suggested(ask, kept, incident), **_values(fields)}
    values = {name: value for name, value in given.items() if value}
    override = fields.get("override", "").strip()[:LONGEST_VALUE]
    return ask.watchword.response.runs.start(
        identifier, incident, values, ask.who.actor, exercise, override, modified=fields.get("version", "")
    )


def _values(fields: Mapping[str, str]) -> dict[str, str]:
    found = {name.removeprefix(VALUE): value.strip() for name, value in fields.items() if name.startswith(VALUE)}
    return {name: value[:LONGEST_VALUE] for name, value in found.items()}


def _page(
    ask: Ask,
    id: str,  # noqa: A002 - the standard's word for it
    typed: Mapping[str, str],
    *,
    status: int = 200,
    look: bool = False,
    refusals: Sequence[Refusal] = (),
    fault: str = "",
) -> Response:
    response = ask.watchword.response
    kept = response.library.get(id, typed.get("version", ""))
    incident = typed.get("incident", "")
    suggested = _suggested(ask, kept, incident)
    values = _values(typed)
    given = {"__incident__", "__finding__"} if suggested else set()
    external = [(name, one) for name, one in kept.playbook.playbook_variables.items() if one.external and name not in given][:60]
    filled = {**suggested, **{name: values.get(name, suggested.get(name, one.value or "")) for name, one in external}}
    foreseen: list[Foreseen] = []
    more = 0
    if look and not kept.errors:
        foreseen, more = dry_run(ask.watchword, kept.playbook, filled, incident=incident, by=ask.who.actor, exercise="exercise" in typed)
    return ask.page(
        "playbooks/start.html",
        status,
        kept=kept,
        playbook=kept.playbook,
        external=external,
        filled=filled,
        typed=typed,
        incident=incident,
        incidents=[row.incident for row in response.incidents.list(IncidentFilter(open=True), limit=MOST_INCIDENTS)],
        refusals=refusals,
        fault=fault,
        looked=look,
        foreseen=foreseen,
        more=more,
        numbers=flow_of(kept.playbook).numbers,
        reached={},
        say_rule=say_rule,
        instead=INSTEAD,
        interlock=INTERLOCK_CODES,
    )


def _suggested(ask: Ask, kept: KeptPlaybook, incident: str) -> Mapping[str, str]:
    """Return values that the incident's findings give."""
    if not UID.fullmatch(incident):
        return {}
    try:
        view = ask.watchword.response.incidents.get(incident)
    except NotFound:
        return {}
    findings = []
    for uid in view.incident.findings[:50]:
        try:
            findings.append(ask.watchword.findings.get(uid).finding)
        except NotFound:
            continue
    return variables_of(kept, findings, incident, ask.directory)
