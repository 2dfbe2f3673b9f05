"""What people change about on call, by plain forms: swaps, overrides, layers, calendars, contacts, maintenance windows."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter, UploadFile
from starlette.responses import Response

from watchword.app.principal import Permission
from watchword.kit.errors import Conflict, ContentError, Forbidden, InputError, NotFound
from watchword.respond.quiet import QuietHours
from watchword.web.filters import find_asset, find_place
from watchword.web.forms import Fields
from watchword.web.on_call import on_call_page
from watchword.web.pages import Ask, Planning, Responding
from watchword.web.rota_form import layers_of_form, rows_of

router = APIRouter()
LARGEST: Final = 2 * 1024**2


def do(ask: Ask, where: str, deed: Callable[[], object], typed: Mapping[str, str] | None = None, said: str = "") -> Response:
    """Do a deed and show the page at its place; what stands against it is said there."""
    try:
        deed()
    except ContentError as error:
        return on_call_page(ask, 422, where=where, fault="; ".join(str(fault) for fault in error.faults[:10]), typed=typed)
    except (InputError, Conflict, Forbidden, NotFound) as error:
        status = {InputError: 422, Conflict: 409, Forbidden: 403, NotFound: 404}
        found = next((code for kind, code in status.items() if isinstance(error, kind)), 422)
        return on_call_page(ask, found, where=where, fault=str(error), typed=typed)
    if said:
        return on_call_page(ask, where=where, said=said)
    return ask.see(f"/on-call#{where}")


def _moment(text: str, zone: ZoneInfo, field: str) -> datetime:
    """Return a moment by the clock of a zone, as the browser's field for date and time sends it."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f"{text[:40]!r} is no date and time: write 2026-03-01 08:00", field) from error
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _zone_of(ask: Ask, rota: str) -> ZoneInfo:
    return ZoneInfo(ask.watchword.response.on_call.get(rota).rota.zone)


# turns


@router.post("/on-call/swaps")
def swap(ask: Responding, fields: Fields) -> Response:
    """Offer one's own turn, or take somebody's at once."""
    service = ask.watchword.response.on_call
    rota, layer, turn = fields.get("rota", ""), fields.get("layer", ""), fields.get("turn", "")

    def deed() -> object:
        if not (turn.isascii() and turn.isdigit() and len(turn) < 8):
            raise InputError("Choose a turn", "turn")
        change = service.offer_swap if fields.get("deed") == "offer" else service.take
        return change(rota, layer, int(turn), by=ask.who.actor, reason=fields.get("reason", ""))

    return do(ask, "swaps", deed)


@router.post("/on-call/swaps/{uid}")
def end_swap(ask: Responding, uid: str, fields: Fields) -> Response:
    """Take an offered turn, or take a swap or offer back."""
    service = ask.watchword.response.on_call

    def deed() -> None:
        if fields.get("deed") == "take":
            service.take_offer(uid, by=ask.who.actor)
            return
        swaps = [each for kept in service.rotas() for each in kept.rota.swaps] + [each for _, each in service.offers()]
        mine = any(each.uid == uid and ask.who.actor in {each.giver, each.taker} for each in swaps)
        if not mine and not ask.may(Permission.ROTA):
            raise Forbidden("Only who gives or takes the turn takes a swap back")
        service.withdraw_swap(uid, by=ask.who.actor)

    return do(ask, "swaps", deed)


@router.post("/on-call/rotas/{rota}/overrides")
def override(ask: Planning, rota: str, fields: Fields) -> Response:
    """Put somebody on call for a stretch, whatever the layers say."""

    def deed() -> str:
        zone = _zone_of(ask, rota)
        since, until = (_moment(fields.get(name, ""), zone, name) for name in ("since", "until"))
        service = ask.watchword.response.on_call
        return service.override(rota, since, until, fields.get("person", ""), by=ask.who.actor, reason=fields.get("reason", "")[:1000])

    return do(ask, f"rota-{rota}", deed, fields)


@router.post("/on-call/overrides/{uid}")
def end_override(ask: Planning, uid: str) -> Response:
    """Take an override back."""
    return do(ask, "swaps", lambda: ask.watchword.response.on_call.withdraw_override(uid, by=ask.who.actor))


# layers and calendars


@router.get("/on-call/new")
def new_rota(ask: Planning) -> Response:
    """Show the form of a new rota."""
    return _form(ask, "", {"team": "it", "zone": ask.house_zone.key})


@router.get("/on-call/rotas/{rota}")
def edit_rota(ask: Planning, rota: str) -> Response:
    """Show the form of a rota's layers."""
    kept = ask.watchword.response.on_call.get(rota)
    values = {"team": kept.rota.team, "zone": kept.rota.zone, "version": str(kept.version), **rows_of(kept.rota.layers)}
    return _form(ask, rota, values)


def _form(ask: Ask, rota: str, values: Mapping[str, str], status: int = 200, fault: str = "") -> Response:
    numbers = sorted({int(name.split(".")[1]) for name in values if name.startswith("layer.") and name.split(".")[1].isdigit()})
    zones = [*sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))), "UTC"]
    rows = [*numbers, (numbers[-1] + 1 if numbers else 1)]
    return ask.page(
        "on_call/rota.html", status, rota=rota, values=values, rows=rows, kept=numbers, zones=zones, fault=fault,
        people=sorted(name for team in ("it", "physical", "management") for name in ask.watchword.response.roster.members(team)),
        today=ask.now.astimezone(ask.house_zone).date().isoformat(),
    )  # fmt: skip


@router.post("/on-call/rotas")
def put_rota(ask: Planning, fields: Fields) -> Response:
    """Keep a rota's layers."""
    name, old = fields.get("name", "").strip(), fields.get("version", "")
    try:
        layers = layers_of_form(fields)
        version = int(old) if old.isascii() and old.isdigit() else None
        zone = fields.get("zone", "")
        ask.watchword.response.on_call.put(name, fields.get("team", ""), zone, layers, by=ask.who.actor, version=version)
    except (InputError, Conflict) as error:
        return _form(ask, name if old else "", fields, 422 if isinstance(error, InputError) else 409, str(error))
    return ask.see(f"/on-call#rota-{name}")


@router.post("/on-call/rotas/{rota}/feed")
def renew_feed(ask: Planning, rota: str) -> Response:
    """Make the calendar's address void and show the new one."""
    return do(ask, f"rota-{rota}", lambda: ask.watchword.response.on_call.renew_feed(rota, by=ask.who.actor))


@router.post("/on-call/rotas/{rota}/calendar")
def import_calendar(ask: Planning, rota: str, file: UploadFile) -> Response:
    """Take the duties of a calendar as overrides."""
    found: list[Any] = []

    def deed() -> None:
        data = file.file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise InputError("The calendar is larger than 2 MB: export a shorter stretch of time", "file")
        found.append(ask.watchword.response.on_call.import_calendar(rota, data, (file.filename or "calendar")[:100], by=ask.who.actor))

    return do(ask, f"rota-{rota}", deed)


# contacts


@router.post("/on-call/contacts")
def add_contact(ask: Responding, fields: Fields) -> Response:
    """Add a way of reaching oneself."""

    def deed() -> object:
        quiet = None
        if fields.get("quiet-since") and fields.get("quiet-until"):
            try:
                hours = [time.fromisoformat(fields[name]) for name in ("quiet-since", "quiet-until")]
            except ValueError as error:
                raise InputError("Quiet hours are times such as 22:00", "quiet") from error
            quiet = QuietHours(ask.house_zone.key, *hours)
        own, kind, label = ask.who.actor, fields.get("kind", ""), fields.get("label", "")
        return ask.watchword.response.contacts.add(own, kind, label, fields.get("address", "").strip(), by=own, quiet=quiet)

    kept = {name: value for name, value in fields.items() if name != "address"}
    return do(ask, "contacts", deed, kept)


@router.post("/on-call/contacts/{uid}")
def change_contact(ask: Responding, uid: str, fields: Fields) -> Response:
    """Test a contact of one's own, use it first, rest it, or forget it."""
    contacts, own = ask.watchword.response.contacts, ask.who.actor
    mine = contacts.contacts(own)
    found = next((each for each in mine if each.uid == uid), None)
    wish = fields.get("deed", "")

    def deed() -> None:
        if found is None:
            raise NotFound("There is no such contact of yours")
        if wish == "test":
            ask.watchword.response.pager.heartbeat(ask.now, only=found.name)
        elif wish == "first":
            contacts.order(own, [uid, *(each.uid for each in mine if each.uid != uid)], by=own)
        elif wish in {"rest", "use"}:
            contacts.enable(uid, by=own, enabled=wish == "use")
        elif wish == "forget":
            contacts.remove(uid, by=own)
        else:
            raise InputError("Say what shall be done with it", "deed")

    return do(ask, "contacts", deed)


@router.post("/on-call/channels")
def test_channel(ask: Planning, fields: Fields) -> Response:
    """Test a shared channel now."""
    name = fields.get("name", "")

    def deed() -> None:
        if not name.startswith("desk:") or not ask.watchword.response.pager.heartbeat(ask.now, only=name):
            raise NotFound("The settings name no such channel")

    return do(ask, "channels", deed)


# planned quiet


@router.post("/on-call/windows")
def plan_window(ask: Planning, fields: Fields) -> Response:
    """Plan a maintenance window; somebody else approves it."""

    def deed() -> object:
        typed = fields.get("place", "").strip()
        place = find_place(ask.directory, typed) or find_asset(ask.directory, typed)
        if not place:
            raise InputError(f"No place, door or machine is called {typed[:60]!r}", "place")
        zone = ask.zone_at(place)
        since, until = (_moment(fields.get(name, ""), zone, name) for name in ("since", "until"))
        return ask.watchword.response.quiet.plan(place, since, until, fields.get("ticket", ""), by=ask.who.actor)

    return do(ask, "windows", deed, fields)


@router.post("/on-call/windows/{uid}")
def window(ask: Planning, uid: str, fields: Fields) -> Response:
    """Approve a window, or end it."""
    quiet, by = ask.watchword.response.quiet, ask.who.actor

    def deed() -> None:
        if fields.get("deed") == "approve":
            quiet.approve(uid, by=by)
        else:
            quiet.end(uid, by=by)

    return do(ask, "windows", deed)
