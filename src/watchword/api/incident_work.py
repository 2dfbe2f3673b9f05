"""Work on incidents over HTTP: roles, tasks, hand-overs, severity, canonical moments, closing and reopening."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from watchword.api.bounds import Uid
from watchword.api.identity import House, Reader, Responder
from watchword.api.incident_models import (
    Because,
    ClosureGiven,
    HandOverNew,
    IncidentRead,
    ItemTaken,
    MomentGiven,
    Present,
    RatingGiven,
    RoleHeld,
    SecondWord,
    TaskChange,
    TaskNew,
    read_of,
)
from watchword.api.person import person_of
from watchword.api.problems import also
from watchword.app import taking
from watchword.app.watchword import Watchword
from watchword.kit.duration import read_duration
from watchword.kit.errors import InputError, NotFound
from watchword.model import Team
from watchword.model.incident import IncidentRole
from watchword.respond.hand_over import HandOver
from watchword.respond.incident_view import Task
from watchword.respond.severity import KeptRating

routes = APIRouter(tags=["incidents"])


def _known(watchword: Watchword, person: str, field: str) -> str:
    person = person.strip()
    if not watchword.response.roster.team_of(person):
        raise InputError(f"Nobody active is called {person[:64]!r}", field)
    return person


@routes.put("/incidents/{uid}/roles/{role}", responses=also(404, 409), summary="Give a role")
def assign(watchword: House, caller: Responder, uid: Uid, role: IncidentRole, said: RoleHeld) -> IncidentRead:
    """Give a role to a person, or to nobody. A lead in office hands over once something is open."""
    person = _known(watchword, said.person, "person") if said.person.strip() else ""
    watchword.response.incidents.assign(uid, role, person, by=caller.actor, team=caller.team.value)
    return read_of(watchword, uid)


# tasks


@routes.post("/incidents/{uid}/tasks", responses=also(404, 409), status_code=201, summary="Add a task")
def add_task(watchword: House, caller: Responder, uid: Uid, new: TaskNew) -> Task:
    """Give a team, or one of it, something to do; `within` sets the due time from now on."""
    owner = _known(watchword, new.owner, "owner") if new.owner.strip() else ""
    tasks = watchword.response.incidents.tasks
    made = tasks.add(
        uid,
        new.title,
        by=caller.actor,
        team=new.team,
        owner=owner,
        detail=new.detail,
        due=new.due,
        sla=_within(new.within),
        speaker=caller.team.value,
    )
    return tasks.get(made)


def _within(text: str) -> timedelta | None:
    found = read_duration(text) if text else None
    if found is not None and found > timedelta(days=3650):
        raise InputError("is longer than ten years", "within")
    return found


@routes.post("/incidents/{uid}/tasks/{task}", responses=also(404, 409), summary="Work on a task")
def work_on_task(watchword: House, caller: Responder, uid: Uid, task: Uid, said: TaskChange) -> Task:
    """Say that a task is done, drop it with a reason, or give it to a team or one of it."""
    tasks, by, speaker = watchword.response.incidents.tasks, caller.actor, caller.team.value
    kept = tasks.get(task)
    if kept.incident != uid:
        raise NotFound(f"Incident {uid} has no task {task}")
    if said.deed == "finish":
        return tasks.finish(task, by=by, team=speaker, note=said.note)
    if said.deed == "drop":
        return tasks.drop(task, by=by, reason=said.note, team=speaker)
    owner = _known(watchword, said.owner, "owner") if said.owner.strip() else ""
    team = said.team or Team(kept.team)
    return tasks.give(task, by=by, team=team, owner=owner, due=said.due, speaker=speaker, reason=said.note)


# hand-overs


@routes.post("/incidents/{uid}/hand-overs", responses=also(404, 409), status_code=201, summary="Begin a hand-over")
def begin_hand_over(watchword: House, caller: Responder, uid: Uid, new: HandOverNew) -> HandOver:
    """Begin to hand a role over: the answer lists what is open, and the incoming person acknowledges each item of it."""
    incoming = _known(watchword, new.incoming, "incoming")
    hands = watchword.response.incidents.hand_overs
    return hands.begin(uid, new.role, incoming, by=caller.actor, note=new.note, team=caller.team.value)


@routes.get("/incidents/{uid}/hand-overs/{hand}", responses=also(404), summary="Read a hand-over")
def read_hand_over(watchword: House, _: Reader, uid: Uid, hand: Uid) -> HandOver:
    """A hand-over with its items; until it is done the outgoing person is responsible."""
    found = watchword.response.incidents.hand_overs.get(hand)
    if found.incident != uid:
        raise NotFound(f"Incident {uid} has no hand-over {hand}")
    return found


@routes.post("/incidents/{uid}/hand-overs/{hand}/acknowledge", responses=also(404, 409), summary="Acknowledge an item")
def take_item(request: Request, watchword: House, caller: Responder, uid: Uid, hand: Uid, said: ItemTaken) -> HandOver:
    """Acknowledge one item as the incoming person; with the last one the role passes. A token needs the account's `password`."""
    read_hand_over(watchword, caller, uid, hand)
    person = person_of(request, watchword, caller, said.password)
    hands = watchword.response.incidents.hand_overs
    return hands.acknowledge(hand, said.kind, said.item, by=person.actor, team=person.team.value)


@routes.post("/incidents/{uid}/hand-overs/{hand}/finish", responses=also(404, 409), summary="Finish a hand-over")
def finish_hand_over(request: Request, watchword: House, caller: Responder, uid: Uid, hand: Uid, said: Present) -> HandOver:
    """Take a role over when nothing is left to acknowledge. A token needs the account's `password`."""
    read_hand_over(watchword, caller, uid, hand)
    person = person_of(request, watchword, caller, said.password)
    return watchword.response.incidents.hand_overs.finish(hand, by=person.actor, team=person.team.value)


@routes.post("/incidents/{uid}/hand-overs/{hand}/cancel", responses=also(404, 409), summary="Cancel a hand-over")
def cancel_hand_over(watchword: House, caller: Responder, uid: Uid, hand: Uid, said: Because) -> HandOver:
    """Cancel a hand-over: the outgoing person keeps the role."""
    read_hand_over(watchword, caller, uid, hand)
    return watchword.response.incidents.hand_overs.cancel(hand, by=caller.actor, reason=said.reason, team=caller.team.value)


# severity, moments, the end


@routes.post("/incidents/{uid}/declare", responses=also(404, 409), summary="Declare an incident")
def declare(watchword: House, caller: Responder, uid: Uid, said: RatingGiven) -> KeptRating:
    """Declare it (t6) and rate it; a milder severity than triage's waits for a second person."""
    return watchword.response.incidents.declare(uid, said.rating(), by=caller.actor, team=caller.team.value, reason=said.reason)


@routes.post("/incidents/{uid}/ratings", responses=also(404, 409), status_code=201, summary="Rate an incident")
def rate(watchword: House, caller: Responder, uid: Uid, said: RatingGiven) -> KeptRating:
    """Rate it anew. A graver severity counts at once; a milder one needs a reason and waits for a second person."""
    return watchword.response.incidents.rate(uid, said.rating(), by=caller.actor, reason=said.reason, team=caller.team.value)


@routes.post("/incidents/{uid}/ratings/{rating}", responses=also(404, 409), summary="Confirm a downgrade")
def confirm(request: Request, watchword: House, caller: Responder, uid: Uid, rating: Uid, said: SecondWord) -> KeptRating:
    """Confirm or refuse a downgrade as the second person. A token needs the account's `password`."""
    person = person_of(request, watchword, caller, said.password)
    verdicts = watchword.response.incidents.verdicts
    return verdicts.confirm(uid, rating, by=person.actor, yes=said.yes, team=person.team.value, reason=said.reason)


@routes.post("/incidents/{uid}/moments", responses=also(404, 409), summary="State a moment")
def state_moment(watchword: House, caller: Responder, uid: Uid, said: MomentGiven) -> IncidentRead:
    """State or revise a canonical moment (t0 to t12), or void it with a reason; every entry is kept."""
    unsure = _within(said.uncertainty)
    watchword.response.incidents.moment(
        uid,
        said.moment,
        said.at,
        by=caller.actor,
        source=said.source,
        team=said.team.value if said.team else "",
        uncertainty=unsure or timedelta(),
        evidence=said.evidence,
        reason=said.reason,
        speaker=caller.team.value,
    )
    return read_of(watchword, uid)


@routes.post("/incidents/{uid}/close", responses=also(404, 409), summary="Close an incident")
def close(watchword: House, caller: Responder, uid: Uid, said: ClosureGiven) -> IncidentRead:
    """Close it with what it was; refused with everything that is still open. Its findings are closed with it, and nobody is called."""
    taking.close(watchword, uid, said.closure, said.rating(), by=caller.actor, team=caller.team.value, note=said.reason)
    return read_of(watchword, uid)


@routes.post("/incidents/{uid}/reopen", responses=also(404, 409), summary="Reopen an incident")
def reopen(response: Response, watchword: House, caller: Responder, uid: Uid, said: Because) -> IncidentRead:
    """Reopen it; one that was closed over 14 days ago goes on in a new incident, which is the answer."""
    now_open = watchword.response.incidents.reopen(uid, by=caller.actor, reason=said.reason, team=caller.team.value)
    response.headers["Location"] = f"/api/v1/incidents/{now_open}"
    return read_of(watchword, now_open)
