"""On call over HTTP: who is on duty and who is next, rotas with their shifts, overrides, swaps and calendars, and gaps ahead."""

from datetime import datetime, time, timedelta
from typing import Annotated, Any, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import Clock, Count, Day, Line, Moment, ReasonWords, Uid, bounded
from watchword.api.identity import House, Planner, Reader, Responder
from watchword.api.ingest import read_body
from watchword.api.paging import IfMatch, SinceText, UntilText, etag_of, require_match, span
from watchword.api.problems import also
from watchword.app.principal import Permission, Principal
from watchword.app.questions import read_moment
from watchword.app.watchword import Watchword
from watchword.kit.errors import InputError, NotFound
from watchword.model import Team
from watchword.respond.on_call_service import Duty, KeptRota
from watchword.respond.rota import Gap, Hours, Layer, Shift, Swap
from watchword.respond.rota_calendar import MOST_BYTES

routes = APIRouter(tags=["on call"])
AHEAD: Final = timedelta(days=28)
Rota = Annotated[str, Path(min_length=1, max_length=64, pattern="^[^/\\x00-\\x1f\\x7f]+$", description="Its name.")]
CALENDAR: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "An iCalendar file; the summary or attendee of each event names an account.",
        "content": {"text/calendar": {"schema": {"type": "string"}}},
    }
}


class OnDuty(BaseModel):
    """Who is on call in each rota, and who comes after."""

    now: list[Duty]
    next: list[Duty]


class Rotas(BaseModel):
    """Every rota, by team and name."""

    items: list[KeptRota]


class Shifts(BaseModel):
    """Shifts in order of time; what none covers is a gap."""

    items: list[Shift]


class Gaps(BaseModel):
    """Stretches in which nobody is on call, earliest first."""

    items: list[Gap]


class HoursGiven(BaseModel):
    """Local hours of some weekdays; 0 is Monday."""

    model_config = ConfigDict(extra="forbid")

    since: Clock
    until: Clock
    days: list[Annotated[int, Field(strict=True, ge=0, le=6)]] = Field(list(range(7)), min_length=1, max_length=7)


class LayerGiven(BaseModel):
    """People who take turns of so many days; a later layer beats an earlier one."""

    model_config = ConfigDict(extra="forbid")

    name: Line
    people: list[Line] = Field(min_length=1, max_length=100)
    first: Day = Field(description="The local day on which turn 0 begins.")
    hand_over: Clock = time(9)
    days: Count = Field(7, ge=1, le=366)
    hours: list[HoursGiven] = Field([], max_length=50)
    until: Day | None = None

    def layer(self) -> Layer:
        """Return it as the rooms take it; raises `InputError` for a day that no calendar reaches."""
        if not 1970 <= self.first.year < 2200 or (self.until is not None and not 1970 <= self.until.year < 2200):
            raise InputError("a layer begins and ends in the years 1970 to 2199", "layers")
        hours = tuple(Hours(_plain(each.since), _plain(each.until), frozenset(each.days)) for each in self.hours)
        return Layer(self.name, tuple(self.people), self.first, _plain(self.hand_over), self.days, hours, self.until)


def _plain(clock: time) -> time:
    return clock.replace(tzinfo=None, second=0, microsecond=0, fold=0)


class RotaGiven(BaseModel):
    """A rota's team, time zone and layers; its swaps and overrides stay."""

    model_config = ConfigDict(extra="forbid")

    team: Team
    zone: Line = Field(description="As in Europe/Berlin.")
    layers: list[LayerGiven] = Field(max_length=20)


class OverrideNew(BaseModel):
    """A person put on call for a stretch, whatever the layers say."""

    model_config = ConfigDict(extra="forbid")

    since: Moment
    until: Moment
    person: Line
    reason: ReasonWords = ""


class SwapNew(BaseModel):
    """A turn that one offers, or takes at once."""

    model_config = ConfigDict(extra="forbid")

    deed: Literal["offer", "take"]
    layer: Line
    turn: Count = Field(ge=0, le=100_000)
    reason: ReasonWords = ""


class Made(BaseModel):
    """The uid of what was made."""

    uid: str


class Offer(BaseModel):
    """A turn that waits for a taker."""

    rota: str
    swap: Swap


class Offers(BaseModel):
    """Every turn that waits for a taker."""

    items: list[Offer]


class CalendarTaken(BaseModel):
    """What a calendar brought."""

    duties: int
    outside: int = Field(description="Entries that lie in the past, or too far ahead.")


def _within(moment: datetime, field: str) -> datetime:
    try:
        return bounded(moment)
    except ValueError as error:
        raise InputError(str(error), field) from error


@routes.get("/on-call", responses=also(404), summary="Who is on call")
def who(
    watchword: House,
    _: Reader,
    team: Team | None = None,
    at: Annotated[str | None, Query(max_length=64, description="At which moment, written as `since`; else now.")] = None,
) -> OnDuty:
    """Who of each team is on call, and who comes after, one per rota."""
    on_call, moment = watchword.response.on_call, watchword.clock.now()
    if at:
        moment = _within(read_moment(at, moment), "at")
    teams = [team] if team else list(Team)
    return OnDuty(
        now=[each for one in teams for each in on_call.who(one.value, moment)],
        next=[each for one in teams for each in on_call.next(one.value, moment)],
    )


@routes.get("/on-call/gaps", responses=also(404), summary="List gaps ahead")
def gaps(watchword: House, _: Reader, days: Annotated[int, Query(ge=1, le=366)] = 28) -> Gaps:
    """Stretches of the days ahead in which nobody of a rota is on call; somebody who left leaves a gap too."""
    return Gaps(items=watchword.response.on_call.gaps(watchword.clock.now() + timedelta(days=days)))


@routes.get("/rotas", responses=also(404), summary="List rotas")
def list_rotas(watchword: House, _: Reader) -> Rotas:
    """Every rota with its layers, swaps and overrides."""
    return Rotas(items=watchword.response.on_call.rotas())


@routes.get("/rotas/{name}", responses=also(404), summary="Read a rota")
def read_rota(response: Response, watchword: House, _: Reader, name: Rota) -> KeptRota:
    """One rota; its `ETag` is for changes."""
    found = watchword.response.on_call.get(name)
    response.headers["ETag"] = _etag(found)
    return found


def _etag(found: KeptRota) -> str:
    return etag_of([found.rota.name, found.version])


@routes.put("/rotas/{name}", responses=also(404, 409, 412, 428), summary="Change a rota")
def put_rota(response: Response, watchword: House, caller: Planner, name: Rota, given: RotaGiven, if_match: IfMatch = None) -> KeptRota:
    """Make a rota, or change its layers; changing one needs `If-Match`."""
    on_call = watchword.response.on_call
    try:
        before = on_call.get(name)
    except NotFound:
        before = None
    if before is not None:
        require_match(_etag(before), if_match)
    layers = [each.layer() for each in given.layers]
    found = on_call.put(name, given.team.value, given.zone, layers, by=caller.actor, version=before.version if before else None)
    response.headers["ETag"] = _etag(found)
    return found


@routes.get("/rotas/{name}/shifts", responses=also(404), summary="List a rota's shifts")
def shifts(watchword: House, _: Reader, name: Rota, since: SinceText = None, until: UntilText = None) -> Shifts:
    """Who is on call within a stretch (else: the four weeks ahead), at most 800 days of it."""
    first, last = span(since, until)
    start = _within(first or watchword.clock.now(), "since")
    end = _within(last or start + AHEAD, "until")
    return Shifts(items=watchword.response.on_call.shifts(name, start, end))


# overrides and swaps


@routes.post("/rotas/{name}/overrides", responses=also(404, 409), status_code=201, summary="Override a rota")
def override(watchword: House, caller: Planner, name: Rota, new: OverrideNew) -> Made:
    """Put a person on call for a stretch."""
    on_call = watchword.response.on_call
    return Made(uid=on_call.override(name, new.since, new.until, new.person, by=caller.actor, reason=new.reason))


@routes.delete("/overrides/{uid}", responses=also(404), status_code=204, summary="Withdraw an override")
def withdraw_override(watchword: House, caller: Planner, uid: Uid) -> None:
    """Take an override back."""
    watchword.response.on_call.withdraw_override(uid, by=caller.actor)


@routes.get("/swaps", responses=also(404), summary="List offered turns")
def list_offers(watchword: House, _: Reader) -> Offers:
    """Turns that wait for a taker; until then they stay with their giver."""
    return Offers(items=[Offer(rota=rota, swap=swap) for rota, swap in watchword.response.on_call.offers()])


@routes.post("/rotas/{name}/swaps", responses=also(404, 409), status_code=201, summary="Offer or take a turn")
def swap(watchword: House, caller: Responder, name: Rota, new: SwapNew) -> Made:
    """Offer a turn of one's own, or take somebody's at once."""
    on_call = watchword.response.on_call
    deed = on_call.offer_swap if new.deed == "offer" else on_call.take
    return Made(uid=deed(name, new.layer, new.turn, by=caller.name, reason=new.reason))


@routes.post("/swaps/{uid}/take", responses=also(404, 409), status_code=204, summary="Take an offered turn")
def take_offer(watchword: House, caller: Responder, uid: Uid) -> None:
    """Take a turn that somebody offers."""
    watchword.response.on_call.take_offer(uid, by=caller.name)


@routes.delete("/swaps/{uid}", responses=also(404), status_code=204, summary="Withdraw a swap")
def withdraw_swap(watchword: House, caller: Responder, uid: Uid) -> None:
    """Take an offer of one's own back; any other swap needs the scope `rota`."""
    own = {each.uid for _, each in watchword.response.on_call.offers() if each.giver == caller.name}
    if uid not in own:
        caller.require(Permission.ROTA)
    watchword.response.on_call.withdraw_swap(uid, by=caller.actor)


# calendars


@routes.get(
    "/rotas/{name}/calendar",
    responses={**also(404), 200: {"content": {"text/calendar": {"schema": {"type": "string"}}}}},
    summary="Export a rota as a calendar",
    response_class=Response,
)
def export_calendar(watchword: House, _: Reader, name: Rota) -> Response:
    """The rota's shifts as an iCalendar file: 30 days back, 180 ahead."""
    return Response(watchword.response.on_call.calendar(name), media_type="text/calendar; charset=utf-8")


@routes.post("/rotas/{name}/calendar", responses=also(404, 409, 413), summary="Import a calendar", openapi_extra=CALENDAR)
async def import_calendar(
    request: Request,
    watchword: House,
    caller: Planner,
    name: Rota,
    file: Annotated[
        str, Query(pattern="^[^\\x00-\\x1f\\x7f]{1,100}$", description="Its name: the same name again replaces what it brought.")
    ] = "calendar.ics",
) -> CalendarTaken:
    """Take a calendar's duties as overrides; nothing is taken while one entry is wrong."""
    body = await read_body(request, MOST_BYTES)
    return await to_thread.run_sync(_import, watchword, caller, name, body, file, limiter=request.app.state.ingest_gate)


def _import(watchword: Watchword, caller: Principal, name: str, body: bytes, file: str) -> CalendarTaken:
    found = watchword.response.on_call.import_calendar(name, body, file, by=caller.actor)
    return CalendarTaken(duties=len(found.overrides), outside=found.outside)
