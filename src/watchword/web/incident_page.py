"""What the page of an incident shows: its head, what is open, runs, deeds, both sides' evidence, who was reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from watchword.app.by_hand import in_force_of
from watchword.app.principal import Permission
from watchword.app.roster import CALLED
from watchword.app.starting import Answer, Starter, variables_of
from watchword.detect.service import KeptFinding
from watchword.kit.errors import NotFound, Unavailable
from watchword.model import EventQuery
from watchword.model.incident import IncidentRole, IncidentState, Moment
from watchword.respond.asked_service import ApprovalView
from watchword.respond.deed_service import Deed
from watchword.respond.hand_over import HandOver, ItemKind, OpenItem
from watchword.respond.incident_view import IncidentView, TeamTimes
from watchword.respond.library_view import KeptPlaybook
from watchword.respond.run_read_service import RunFilter
from watchword.respond.severity import KeptRating, RatingStatus
from watchword.web.findings import axis_of, evidence_of
from watchword.web.incident_words import KIND_GROUPS
from watchword.web.pages import Ask

ENTRIES: Final = 25
"""Timeline entries of one page."""
SAID: Final = 12
MOST_EVENTS: Final = 60
"""Events of both sides that one picture bears."""
MOST_VERIFIED: Final = 2_000
"""A longer timeline is verified when somebody asks for it, not at every look."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A playbook that answers one of the incident's findings, with what it would be started with."""

    kept: KeptPlaybook
    auto: bool
    fields: tuple[tuple[str, str, str], ...]
    """(variable, what it is, value found)."""
    running: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """Findings of an incident, and the events of both sides on one axis."""

    findings: Sequence[KeptFinding]
    axis: str
    events: Sequence[Any]
    more: int
    trouble: str


def view_of(ask: Ask, uid: str) -> IncidentView:
    """Return an incident as it stands."""
    return ask.watchword.response.incidents.get(uid)


def head_context(ask: Ask, view: IncidentView) -> dict[str, Any]:
    """Return the first thing on the page: state, lead, both teams, what is next and who owes it."""
    incident = view.incident
    known = {each.team: each for each in view.teams}
    teams = [known.get(team.value, TeamTimes(team.value)) for team in incident.teams]
    teams += [each for each in view.teams if each.team not in {team.value for team in incident.teams}]
    mine = ask.who.team.value if ask.principal else ""
    waiting = [each.team for each in teams if each.acknowledged_at is None]
    return {
        "view": view,
        "incident": incident,
        "place": incident.places[0] if incident.places else "",
        "teams": teams,
        "mine": mine,
        "can_take": _can_take(ask, mine, waiting) if incident.open else [],
        "reached_step": [step for step, _ in _steps(view)],
        "step_times": dict(_steps(view)),
        "work": ask.may(Permission.RESPOND) and not incident.merged_into,
    }


def _can_take(ask: Ask, mine: str, waiting: Sequence[str]) -> list[str]:
    if not ask.may(Permission.RESPOND):
        return []
    return list(waiting) if mine == "management" else [team for team in waiting if team == mine]


def _steps(view: IncidentView) -> list[tuple[str, Any]]:
    moments = {
        IncidentState.TRIAGE: Moment.RAISED, IncidentState.ACTIVE: Moment.DECLARED, IncidentState.CONTAINED: Moment.CONTAINED,
        IncidentState.RESTORED: Moment.RESTORED, IncidentState.CLOSED: Moment.CLOSED, IncidentState.LEARNED: Moment.LEARNED,
    }  # fmt: skip
    found: list[tuple[str, Any]] = [("triage", view.incident.opened_at)]
    for state, moment in list(moments.items())[1:]:
        entry = view.moments.get((moment, ""))
        if entry is not None and entry.at is not None:
            found.append((state.value, entry.at))
    return found


def open_context(ask: Ask, view: IncidentView) -> dict[str, Any]:
    """Return what is open: what waits for somebody, states in force, hand-overs, downgrades."""
    items = _told_once(view.open_items)
    items.sort(key=lambda item: (item.due is None, item.due or view.now, item.kind.value, item.uid))
    return {
        "view": view,
        "incident": view.incident,
        "items": items,
        "in_force": forces_of(ask, view.incident.uid),
        "hand_overs": [hand_context(ask, hand) for hand in view.hand_overs],
        "downgrades": [rating for rating in view.ratings if rating.status is RatingStatus.WAITING],
        "work": ask.may(Permission.RESPOND),
    }


def _told_once(items: Sequence[OpenItem]) -> list[OpenItem]:
    """Return the items that people look at: a step carries its own clocks, a team's unanswered pages are one, states in force apart."""
    clocks: dict[str, list[datetime]] = {}
    for item in items:
        if item.kind is ItemKind.TIMER and item.due is not None:
            clocks.setdefault(item.uid.rpartition(":")[0], []).append(item.due)
    found: list[OpenItem] = []
    called: set[str] = set()
    steps = {item.uid for item in items if item.kind is ItemKind.WAIT}
    for item in items:
        if item.kind is ItemKind.TEMPORARY_ACTION or (item.kind is ItemKind.TIMER and item.uid.rpartition(":")[0] in steps):
            continue
        if item.kind is ItemKind.UNANSWERED_PAGE:
            if item.team in called:
                continue
            called.add(item.team)
        due = min(clocks.get(item.uid, ())) if item.kind is ItemKind.WAIT and clocks.get(item.uid) else item.due
        found.append(replace(item, due=due))
    return found


@dataclass(frozen=True, slots=True)
class Force:
    """A state in force, in words, with how it may be ended."""

    deed: Deed
    words: str
    at_once: bool
    """Ending it needs nobody's word."""


def forces_of(ask: Ask, incident: str) -> list[Force]:
    """Return the states in force of an incident."""
    catalogue = ask.watchword.response.gateway.catalogue
    found = []
    for deed in in_force_of(ask.watchword, incident):
        verb = catalogue.verbs.get(deed.sent.verb)
        undo = catalogue.undoing(deed.sent)
        words = verb.words(deed.sent, ask.label(deed.sent.target)) if verb else deed.sent.verb
        found.append(Force(deed, words, undo is not None and not catalogue.verb(undo.verb).rule.needed))
    return found


def hand_context(ask: Ask, hand: HandOver) -> dict[str, Any]:
    """Return a hand-over with whether it is the asker's to acknowledge."""
    return {"hand": hand, "mine": ask.principal is not None and hand.incoming == ask.who.actor}


def runs_context(ask: Ask, view: IncidentView) -> dict[str, Any]:
    """Return the incident's runs, and whom they wait for."""
    runs = ask.watchword.response.runs
    found = runs.list(RunFilter(incident=view.incident.uid))
    uids = {run.uid for run in found}
    waits = [wait for wait in runs.waits() if wait.run in uids and wait.kind == "person"] if uids else []
    return {"view": view, "incident": view.incident, "runs": found, "waits": waits, "work": ask.may(Permission.RESPOND)}


def starter_of(ask: Ask) -> Starter:
    """Return this process' reader of playbooks with triggers."""
    state = ask.request.app.state
    if getattr(state, "starter", None) is None:
        response = ask.watchword.response
        state.starter = Starter(response.library, response.runs, ask.watchword.clock)
    found: Starter = state.starter
    return found


def suggestions(ask: Ask, view: IncidentView, findings: Sequence[KeptFinding], started: set[str]) -> list[Suggestion]:
    """Return the playbooks that answer the incident's findings."""
    answers = starter_of(ask).answers(kept.finding.rule for kept in findings)
    return [_suggestion(ask, view, answer, findings, started) for answer in answers]


def _suggestion(ask: Ask, view: IncidentView, answer: Answer, findings: Sequence[KeptFinding], started: set[str]) -> Suggestion:
    known = variables_of(answer.kept, [kept.finding for kept in findings], view.incident.uid, ask.directory)
    declared = answer.kept.playbook.playbook_variables or {}
    fields = tuple(
        (name, one.description or name.strip("_").replace("_", " "), known.get(name, ""))
        for name, one in declared.items()
        if one.external and name not in {"__incident__", "__finding__"}
    )
    return Suggestion(answer.kept, answer.auto, fields, answer.kept.id in started)


def findings_of(ask: Ask, view: IncidentView) -> list[KeptFinding]:
    """Return the incident's findings, the newest last; one that retention took is left out."""
    found = []
    for uid in view.incident.findings[-200:]:
        try:
            found.append(ask.watchword.findings.get(uid))
        except NotFound:
            continue
    return found


def evidence_context(ask: Ask, view: IncidentView, findings: Sequence[KeptFinding]) -> Evidence:
    """Return both sides' events on one time axis."""
    uids = list(dict.fromkeys(event for kept in findings for event in kept.finding.events))
    place = view.incident.places[0] if view.incident.places else ""
    try:
        shown = uids[-MOST_EVENTS:]
        events = ask.watchword.events.events(EventQuery(uids=tuple(shown), limit=MOST_EVENTS)) if shown else []
        evidence = evidence_of(ask, sorted(events, key=lambda event: event.order))
    except Unavailable as error:
        return Evidence(findings, "", (), len(uids), str(error))
    raised = view.moments.get((Moment.RAISED, ""))
    axis = axis_of(ask, evidence, raised.at if raised else None, place)
    return Evidence(findings, axis, evidence, len(uids) - len(evidence), "")


def timeline_context(ask: Ask, view: IncidentView, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return one page of the timeline, newest first, with what its chain says."""
    before = parameters.get("before", "")
    group = parameters.get("kinds", "") if parameters.get("kinds", "") in KIND_GROUPS else ""
    start = int(before) if before.isascii() and before.isdigit() and int(before[:9]) > 0 else -1
    kinds = KIND_GROUPS[group][1] if group else ()
    chronicle, uid = ask.watchword.response.incidents.chronicle, view.incident.uid
    entries = chronicle.page(uid, limit=ENTRIES + 1, before=start, kinds=kinds)
    checked = view.incident.entries <= MOST_VERIFIED or parameters.get("verify") == "1"
    faults = ask.watchword.response.incidents.verify(uid) if checked else None
    return {
        "view": view,
        "incident": view.incident,
        "place": view.incident.places[0] if view.incident.places else "",
        "entries": entries[:ENTRIES],
        "older": entries[ENTRIES - 1].seq if len(entries) > ENTRIES else 0,
        "first_page": start < 0,
        "group": group,
        "groups": [(key, words) for key, (words, _) in KIND_GROUPS.items()],
        "faults": faults,
    }


def talk_context(ask: Ask, view: IncidentView) -> dict[str, Any]:
    """Return what people said lately, oldest first."""
    said = ask.watchword.response.incidents.chronicle.page(view.incident.uid, limit=SAID, before=-1, kinds=("said",))
    return {"incident": view.incident, "said": said[::-1], "place": view.incident.places[0] if view.incident.places else ""}


def reached_context(ask: Ask, view: IncidentView) -> dict[str, Any]:
    """Return who was called, by what, and with which outcome."""
    pager = ask.watchword.response.pager
    return {"incident": view.incident, "pages": pager.pages(view.incident.uid), "reached": pager.reached(view.incident.uid)[::-1]}


def approvals_context(ask: Ask, view: IncidentView) -> dict[str, Any]:
    """Return the incident's requests for approval: those that wait, and those lately decided."""
    asked = ask.watchword.response.approvals.of_incident(view.incident.uid)
    waiting = [each for each in asked if each.state.value == "waiting"]
    decided: Sequence[ApprovalView] = [each for each in asked if each.state.value != "waiting"][-8:][::-1]
    return {"waiting": waiting, "decided": decided}


def people_of(ask: Ask) -> list[tuple[str, str]]:
    """Return who can be given something: account names with words."""
    accounts = (each for each in ask.watchword.accounts.accounts() if not each.disabled and each.role in CALLED)
    return [(each.name, f"{each.full_name or each.name} ({each.role.value.replace('_', ' ')})") for each in accounts]


def roles_context(view: IncidentView) -> dict[str, Any]:
    """Return who holds what role now, in order, and those that nobody holds."""
    held = {each.role: each for each in view.roles if each.until is None}
    return {"held": [held[role] for role in IncidentRole if role in held], "past": [each for each in view.roles if each.until is not None]}


def rating_now(view: IncidentView) -> KeptRating | None:
    """Return the rating in force."""
    return next((each for each in reversed(view.ratings) if each.status is RatingStatus.IN_FORCE), None)


def deeds_of(ask: Ask, view: IncidentView) -> list[tuple[Deed, str]]:
    """Return what was done to the world, newest first, with words."""
    gateway = ask.watchword.response.gateway
    found = gateway.deeds.search(incident=view.incident.uid, limit=40)
    verbs = gateway.catalogue.verbs
    return [
        (deed, verbs[deed.sent.verb].words(deed.sent, ask.label(deed.sent.target)) if deed.sent.verb in verbs else deed.sent.verb)
        for deed in found
    ]


def similar_of(ask: Ask, view: IncidentView) -> Sequence[Any]:
    """Return incidents of the past that are like this one."""
    return ask.watchword.response.incidents.similar(view.incident.uid)


AGES: Final = timedelta(seconds=30)
"""How often ages and times left are drawn anew."""
