"""Incidents over HTTP: the list, one of them, what belongs to it, what was said and written, and what it shares with others."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from watchword.api.bounds import Uid
from watchword.api.identity import House, Reader, Responder
from watchword.api.incident_models import (
    Acknowledged,
    Because,
    Chain,
    FindingIn,
    IncidentChange,
    IncidentListed,
    IncidentNew,
    IncidentRead,
    Merged,
    NoteNew,
    Said,
    SimilarOnes,
    Split,
    Veris,
    listed_of,
    read_of,
)
from watchword.api.once import IdempotencyKey, once
from watchword.api.paging import After, IfMatch, Limit, Page, SinceText, UntilText, cursor, etag_of, page_of, require_match, span
from watchword.api.person import person_of
from watchword.api.problems import also
from watchword.app import taking
from watchword.app.questions import write_cursor
from watchword.kit.errors import Forbidden, InputError, NotFound
from watchword.model import Team
from watchword.model.incident import IncidentState, TimelineEntry
from watchword.respond.incident_filter_service import Cursor, IncidentFilter
from watchword.respond.reach_service import Reached
from watchword.respond.veris import veris_of

routes = APIRouter(tags=["incidents"])
_BEHIND: Final = re.compile(r"([1-4]) ([0-9a-f]{32})")
MOST_REACHED: Final = 2_000


@routes.get("/incidents", responses=also(404), summary="List incidents")
def list_incidents(
    request: Request,
    response: Response,
    watchword: House,
    _: Reader,
    limit: Limit = 100,
    after: After = None,
    since: SinceText = None,
    until: UntilText = None,
    open: bool | None = None,  # noqa: A002 - the word of the pages
    state: Annotated[list[IncidentState], Query(max_length=6)] = [],  # noqa: B006 - FastAPI copies it
    severity: Annotated[int, Query(ge=1, le=4, description="At least so grave; 1 is the gravest.")] = 4,
    team: Annotated[list[Team], Query(max_length=3)] = [],  # noqa: B006 - FastAPI copies it
    person: Annotated[str, Query(max_length=100, description="Who leads, holds a role or owns an open task.")] = "",
    entity: Annotated[str, Query(max_length=400, description="A person, asset, place, credential or address that it is about.")] = "",
    finding: Annotated[str, Query(max_length=64)] = "",
    exercise: bool | None = None,
    merged: bool = False,  # noqa: FBT002 - a query parameter
    newest: Annotated[bool, Query(description="Newest first; else the gravest first.")] = False,  # noqa: FBT002 - a query parameter
    text: Annotated[str, Query(max_length=200, description="Words of the title, or a number.")] = "",
) -> Page[IncidentListed]:
    """Incidents, the gravest first and of those the oldest, each with what is next and who owes it."""
    first, last = span(since, until)
    wanted = IncidentFilter(
        open=open,
        states=tuple(state),
        worst=severity,
        teams=tuple(team),
        person=_kept(person),
        entity=_kept(entity),
        finding=_kept(finding),
        exercise=exercise,
        since=first,
        until=last,
        text=_kept(text),
        merged=merged,
        newest=newest,
    )
    found = watchword.response.incidents.list(wanted, after=_behind(after), limit=limit + 1)
    behind = None
    if len(found) > limit:
        end = found[limit - 1].incident
        behind = write_cursor(end.opened_at, f"{end.severity} {end.uid}")
    return page_of([listed_of(each) for each in found], limit, behind, request, response)


def _kept(text: str) -> str:
    if "\0" in text:
        raise InputError("a text cannot hold the character NUL")
    return text


def _behind(after: str | None) -> Cursor | None:
    found = cursor(after)
    if found is None:
        return None
    parts = _BEHIND.fullmatch(found[1])
    if parts is None:
        raise InputError("is no cursor of this list; start again without it", "after")
    return int(parts[1]), found[0], parts[2]


@routes.post("/incidents", responses=also(404, 409), status_code=201, summary="Open an incident", response_model=IncidentRead)
def open_incident(
    request: Request, response: Response, watchword: House, caller: Responder, new: IncidentNew, idempotency_key: IdempotencyKey = None
) -> Any:
    """Open an incident by hand. Opened with a session, that is its team's acknowledgement; a program acknowledges nothing."""

    def deed() -> IncidentRead:
        uid = watchword.response.incidents.open(
            new.title,
            by=caller.actor,
            team=caller.team.value,
            because=new.because,
            severity=new.severity,
            findings=new.findings,
            teams=new.teams,
            exercise=new.exercise,
            onset=new.onset,
        )
        response.headers["Location"] = f"/api/v1/incidents/{uid}"
        return read_of(watchword, uid)

    return once(request, watchword, caller, idempotency_key, new, 201, deed)


@routes.get("/incidents/{uid}", responses=also(404), summary="Read an incident")
def read_incident(response: Response, watchword: House, _: Reader, uid: Uid) -> IncidentRead:
    """One incident with its moments, durations, teams, roles, ratings, tasks, hand-overs and what is owed; its `ETag` is for changes."""
    found = read_of(watchword, uid)
    response.headers["ETag"] = etag_of(found.incident)
    return found


@routes.patch("/incidents/{uid}", responses=also(404, 409, 412, 413, 428), summary="Describe an incident")
def describe(
    response: Response, watchword: House, caller: Responder, uid: Uid, change: IncidentChange, if_match: IfMatch = None
) -> IncidentRead:
    """Change title and summary. Needs `If-Match`."""
    require_match(etag_of(read_of(watchword, uid).incident), if_match)
    watchword.response.incidents.describe(uid, title=change.title, summary=change.summary, by=caller.actor, team=caller.team.value)
    found = read_of(watchword, uid)
    response.headers["ETag"] = etag_of(found.incident)
    return found


@routes.post("/incidents/{uid}/acknowledge", responses=also(404, 409), summary="Take an incident")
def acknowledge(request: Request, watchword: House, caller: Responder, uid: Uid, said: Acknowledged) -> IncidentRead:
    """Say that a person has it: the team's pages are taken and calling stops. A token needs the account's `password`."""
    person = person_of(request, watchword, caller, said.password)
    team = said.team or person.team
    if team is not person.team and person.team is not Team.MANAGEMENT:
        raise Forbidden(f"You speak for {person.team.value}, not for {team.value}")
    taking.acknowledge(watchword, uid, by=person.actor, team=team.value)
    return read_of(watchword, uid)


# what belongs to it


@routes.post("/incidents/{uid}/findings", responses=also(404, 409), summary="Put a finding into an incident")
def attach(watchword: House, caller: Responder, uid: Uid, said: FindingIn) -> IncidentRead:
    """Put a finding in; it may be in others too."""
    watchword.response.incidents.attach(uid, said.finding, by=caller.actor, team=caller.team.value, because=said.because)
    return read_of(watchword, uid)


@routes.post("/incidents/{uid}/findings/{finding}/detach", responses=also(404, 409), summary="Take a finding out of an incident")
def detach(watchword: House, caller: Responder, uid: Uid, finding: Uid, said: Because) -> IncidentRead:
    """Take a finding out, with the reason; triage does not put it back."""
    watchword.response.incidents.detach(uid, finding, by=caller.actor, reason=said.reason, team=caller.team.value)
    return read_of(watchword, uid)


@routes.post("/incidents/{uid}/merge", responses=also(404, 409), summary="Merge incidents")
def merge(watchword: House, caller: Responder, uid: Uid, said: Merged) -> IncidentRead:
    """Let this incident take others up; their uids stand for it from now on."""
    if uid in said.others:
        raise InputError("An incident is not merged with itself", "others")
    watchword.response.incidents.merge(uid, said.others, by=caller.actor, reason=said.reason, team=caller.team.value)
    return read_of(watchword, uid)


@routes.post("/incidents/{uid}/split", responses=also(404, 409), status_code=201, summary="Split an incident")
def split(response: Response, watchword: House, caller: Responder, uid: Uid, said: Split) -> IncidentRead:
    """Move some of its findings into an incident of their own, which is the answer."""
    new = watchword.response.incidents.split(uid, said.findings, said.title, by=caller.actor, team=caller.team.value, reason=said.reason)
    response.headers["Location"] = f"/api/v1/incidents/{new}"
    return read_of(watchword, new)


# what was said and written


@routes.get("/incidents/{uid}/timeline", responses=also(404), summary="Read an incident's timeline")
def timeline(
    request: Request,
    response: Response,
    watchword: House,
    _: Reader,
    uid: Uid,
    limit: Limit = 100,
    after: After = None,
    kind: Annotated[list[Annotated[str, Query(pattern="^[a-z_]{1,32}$")]], Query(max_length=20)] = [],  # noqa: B006 - FastAPI copies it
) -> Page[TimelineEntry]:
    """Entries in the order in which they were written; `occurred_at` is when it happened."""
    watchword.response.incidents.get(uid)
    behind = cursor(after)
    if behind is not None and not (behind[1].isascii() and behind[1].isdigit() and len(behind[1]) < 10):
        raise InputError("is no cursor of this list; start again without it", "after")
    seen = int(behind[1]) if behind is not None else 0
    found = watchword.response.incidents.chronicle.page(uid, seen, limit + 1, kinds=kind)
    more = write_cursor(found[limit - 1].entered_at, str(found[limit - 1].seq)) if len(found) > limit else None
    return page_of(found, limit, more, request, response)


@routes.post("/incidents/{uid}/notes", responses=also(404, 409), status_code=201, summary="Note what happened")
def note(watchword: House, caller: Responder, uid: Uid, said: NoteNew) -> TimelineEntry:
    """Append to the timeline; `corrects` names an entry that was wrong and stays."""
    incidents, by, team = watchword.response.incidents, caller.actor, caller.team.value
    if said.corrects:
        return incidents.chronicle.correct(uid, said.corrects, said.text, by=by, team=team, occurred_at=said.at)
    return incidents.note(uid, said.text, by=by, team=team, occurred_at=said.at)


@routes.post("/incidents/{uid}/chat", responses=also(404, 409), status_code=201, summary="Say something in an incident")
def say(watchword: House, caller: Responder, uid: Uid, said: Said) -> TimelineEntry:
    """Say something to the others; `@name` mentions."""
    return watchword.response.incidents.say(uid, said.text, by=caller.actor, team=caller.team.value)


@routes.post("/incidents/{uid}/verify", responses=also(404), summary="Verify an incident's timeline")
def verify(watchword: House, _: Reader, uid: Uid) -> Chain:
    """Walk the timeline's hash chain and say what is wrong with it."""
    entries = watchword.response.incidents.get(uid).incident.entries
    problems = list(watchword.response.incidents.verify(uid))
    return Chain(intact=not problems, entries=entries, problems=problems)


# what it shares with others, and whom it reached


@routes.get("/incidents/{uid}/similar", responses=also(404), summary="Find similar incidents")
def similar(
    watchword: House, _: Reader, uid: Uid, most: Annotated[int, Query(ge=1, le=20, description="At most so many.")] = 5
) -> SimilarOnes:
    """Incidents of the past that are like this one, and what they share."""
    watchword.response.incidents.get(uid)
    return SimilarOnes(items=list(watchword.response.incidents.similar(uid, most)))


@routes.get("/incidents/{uid}/veris", responses=also(404), summary="Export an incident as VERIS")
def veris(watchword: House, _: Reader, uid: Uid) -> Veris:
    """The incident in VERIS 1.3.7; it names no person, address or credential, and guesses nothing."""
    view = watchword.response.incidents.get(uid)
    found = []
    for each in view.incident.findings:
        try:
            found.append(watchword.findings.get(each).finding)
        except NotFound:
            continue
    directory = watchword.registry.directory()
    return Veris(record=veris_of(view.incident, view.moments, found, directory, watchword.settings.name))


@routes.get("/incidents/{uid}/reached", responses=also(404), summary="List who was reached")
def reached(
    request: Request, response: Response, watchword: House, _: Reader, uid: Uid, limit: Limit = 100, after: After = None
) -> Page[Reached]:
    """Every attempt to reach somebody for the incident, oldest first: by what, what came of it, who acknowledged."""
    watchword.response.incidents.get(uid)
    found = watchword.response.pager.reached(uid)[:MOST_REACHED]
    behind = cursor(after)
    if behind is not None and not (behind[1].isascii() and behind[1].isdigit() and len(behind[1]) < 10):
        raise InputError("is no cursor of this list; start again without it", "after")
    seen = int(behind[1]) if behind is not None else 0
    rest = found[seen : seen + limit + 1]
    more = write_cursor(rest[limit - 1].made, str(seen + limit)) if len(rest) > limit else None
    return page_of(rest, limit, more, request, response)
