"""Reaching people over HTTP: one's own contacts, how every channel fares, and maintenance windows in which pages rest."""

from datetime import time
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import Clock, Flag, Line, Moment, Uid
from watchword.api.identity import House, Planner, Reader, Responder
from watchword.api.problems import also
from watchword.app.principal import Permission, Principal
from watchword.app.watchword import Watchword
from watchword.kit.errors import NotFound
from watchword.respond.contact_service import Contact
from watchword.respond.heartbeat_service import ChannelHealth
from watchword.respond.quiet import QuietHours, Window

routes = APIRouter(tags=["reaching people"])
Person = Annotated[str, Query(max_length=64, pattern="^[a-z0-9._-]*$", description="Whose; one's own when left out, others' need `rota`.")]


class Contacts(BaseModel):
    """Contacts in the order in which they are used; no answer holds an address."""

    items: list[Contact]


class QuietGiven(BaseModel):
    """Local hours in which light pages wait for another contact."""

    model_config = ConfigDict(extra="forbid")

    zone: Line
    since: Clock
    until: Clock


class ContactNew(BaseModel):
    """A way of reaching a person."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["mail", "push", "chat", "sms", "voice", "webhook"]
    label: str = Field(min_length=1, max_length=100)
    address: str = Field(min_length=1, max_length=2_000, description="An Apprise address; kept sealed, never shown again.")
    person: str = Field("", max_length=64, pattern="^[a-z0-9._-]*$")
    quiet: QuietGiven | None = None


class ContactChange(BaseModel):
    """Whether a contact is used."""

    model_config = ConfigDict(extra="forbid")

    enabled: Flag


class ContactOrder(BaseModel):
    """Every contact of a person, in the order in which they are to be used."""

    model_config = ConfigDict(extra="forbid")

    contacts: list[Annotated[str, Field(pattern="^[0-9a-f]{32}$")]] = Field(min_length=1, max_length=20)
    person: str = Field("", max_length=64, pattern="^[a-z0-9._-]*$")


class Channels(BaseModel):
    """How every channel fares."""

    items: list[ChannelHealth]


class Windows(BaseModel):
    """Maintenance windows to come, running, and over for less than 30 days."""

    items: list[Window]


class WindowNew(BaseModel):
    """Announced work on a place; it mutes nothing until another person approves it, and never what is about people's lives."""

    model_config = ConfigDict(extra="forbid")

    place: Line
    since: Moment
    until: Moment
    ticket: Annotated[Line, Field(max_length=200)]


def _whose(caller: Principal, person: str) -> str:
    """Return whose contacts are meant; raises `Forbidden` for those of others."""
    if person and person != caller.name:
        caller.require(Permission.ROTA)
    return person or caller.name


def _own(watchword: Watchword, caller: Principal, uid: str) -> Contact:
    """Return a contact that the caller may change; of others' nobody learns without the right whether it exists."""
    everybody = caller.may(Permission.ROTA)
    found = next((each for each in watchword.response.contacts.contacts("" if everybody else caller.name) if each.uid == uid), None)
    if found is None:
        raise NotFound("There is no such contact")
    return found


@routes.get("/contacts", responses=also(404), summary="List contacts")
def list_contacts(watchword: House, caller: Responder, person: Person = "") -> Contacts:
    """One's own contacts, in their order."""
    return Contacts(items=watchword.response.contacts.contacts(_whose(caller, person)))


@routes.post("/contacts", responses=also(404, 409), status_code=201, summary="Add a contact")
def add_contact(watchword: House, caller: Responder, new: ContactNew) -> Contact:
    """Keep a way of reaching a person behind those that there are."""
    quiet = None if new.quiet is None else QuietHours(new.quiet.zone, _plain(new.quiet.since), _plain(new.quiet.until))
    whose = _whose(caller, new.person)
    return watchword.response.contacts.add(whose, new.kind, new.label, new.address, by=caller.actor, quiet=quiet)


def _plain(clock: time) -> time:
    return clock.replace(tzinfo=None, microsecond=0, fold=0)


@routes.put("/contacts", responses=also(404, 409), summary="Order contacts")
def order_contacts(watchword: House, caller: Responder, said: ContactOrder) -> Contacts:
    """Put a person's contacts in the order in which they are used; each is named once."""
    whose = _whose(caller, said.person)
    watchword.response.contacts.order(whose, said.contacts, by=caller.actor)
    return Contacts(items=watchword.response.contacts.contacts(whose))


@routes.post("/contacts/{uid}", responses=also(404, 409), summary="Use a contact or leave it out")
def change_contact(watchword: House, caller: Responder, uid: Uid, said: ContactChange) -> Contact:
    """Use a contact, or leave it out until further notice."""
    _own(watchword, caller, uid)
    watchword.response.contacts.enable(uid, by=caller.actor, enabled=said.enabled)
    return _own(watchword, caller, uid)


@routes.delete("/contacts/{uid}", responses=also(404), status_code=204, summary="Forget a contact")
def remove_contact(watchword: House, caller: Responder, uid: Uid) -> None:
    """Forget a contact and its address."""
    _own(watchword, caller, uid)
    watchword.response.contacts.remove(uid, by=caller.actor)


@routes.get("/channels", responses=also(404), summary="How channels fare")
def channels(watchword: House, caller: Reader) -> Channels:
    """Each shared channel's last test, and those of one's own contacts; with the scope `rota` everybody's."""
    mine = {each.name for each in watchword.response.contacts.contacts(caller.name)}
    seen = watchword.response.pager.channels()
    return Channels(
        items=[each for each in seen if not each.name.startswith("contact:") or each.name in mine or caller.may(Permission.ROTA)]
    )


@routes.get("/maintenance-windows", responses=also(404), summary="List maintenance windows")
def list_windows(watchword: House, _: Reader) -> Windows:
    """Windows in order of time; one that nobody has approved mutes nothing."""
    return Windows(items=watchword.response.quiet.windows())


@routes.post("/maintenance-windows", responses=also(404, 409), status_code=201, summary="Plan a maintenance window")
def plan_window(watchword: House, caller: Planner, new: WindowNew) -> Window:
    """Announce work on a place; pages about it wait while it runs, once somebody else has approved it."""
    return watchword.response.quiet.plan(new.place, new.since, new.until, new.ticket, by=caller.actor)


@routes.post("/maintenance-windows/{uid}/approve", responses=also(404, 409), summary="Approve a maintenance window")
def approve_window(watchword: House, caller: Planner, uid: Uid) -> Window:
    """Approve a window that somebody else planned; another token of the same account is the same person."""
    return watchword.response.quiet.approve(uid, by=caller.actor)


@routes.post("/maintenance-windows/{uid}/end", responses=also(404, 409), status_code=204, summary="End a maintenance window")
def end_window(watchword: House, caller: Planner, uid: Uid) -> None:
    """End a window before its time."""
    watchword.response.quiet.end(uid, by=caller.actor)
