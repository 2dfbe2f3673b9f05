"""Evidence: what is kept of all incidents and of one, taken in, opened with a reason, handed on by two, sealed, released, handed out."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, BinaryIO, Final

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.responses import FileResponse, Response

from watchword.app.freshness import fresh
from watchword.app.principal import Permission
from watchword.app.questions import read_cursor, write_cursor
from watchword.kit.errors import Conflict, Corrupt, Forbidden, Full, InputError, NotFound, Unavailable
from watchword.kit.ids import random_uid
from watchword.model import EventQuery
from watchword.respond.evidence_view import About, EvidenceKind, offset_words
from watchword.web.forms import Fields
from watchword.web.incident_deeds import moment_in
from watchword.web.incident_page import findings_of, view_of
from watchword.web.pages import UID, Ask, Asked, Responding, needs
from watchword.web.proving import proved

router = APIRouter()
ROWS: Final = 50
MOST_EVENTS: Final = 2_000
"""Events whose records are taken in at once."""
BESIDE: Final = 1 << 20
"""Bytes of an upload that are not the file: its other fields."""
KINDS: Final = {
    EvidenceKind.CLIP: "Clip of a camera", EvidenceKind.LOG: "Log", EvidenceKind.PHOTO: "Photo", EvidenceKind.DOCUMENT: "Document",
    EvidenceKind.RECORD: "Other record",
}  # fmt: skip
responding = needs(Permission.RESPOND)


@router.get("/evidence")
def evidence(ask: Asked, after: str = "", whose: str = "") -> Response:
    """List pieces, the newest first; those in one's own hands, or offered to one, alone if wanted."""
    kept = ask.watchword.response.evidence
    mine = ask.who.actor if whose == "mine" else ""
    found = kept.list(custodian=mine, after=read_cursor(after) if after else None, limit=ROWS + 1)
    last = found[ROWS - 1] if len(found) > ROWS else None
    offered = [piece for piece in kept.list(custodian=ask.who.actor) if piece.offered_to == ask.who.actor]
    numbers = _numbers(ask, found)
    older = write_cursor(last.acquired_at, last.uid) if last else ""
    return ask.page("evidence/list.html", rows=found[:ROWS], older=older, offered=offered, whose=whose, numbers=numbers, **words())


def words() -> dict[str, Any]:
    """Return what every template about evidence needs."""
    return {"kind_words": {kind.value: said for kind, said in KINDS.items()}, "offset_words": offset_words, "size_words": size_words}


def size_words(size: int) -> str:
    """Return a size as people read it."""
    for unit, least in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= least:
            return f"{size / least:.1f} {unit}"
    return f"{size} bytes"


def _numbers(ask: Ask, pieces: Any) -> dict[str, str]:
    found = {}
    for uid in {piece.incident for piece in pieces}:
        try:
            found[uid] = f"#{view_of(ask, uid).incident.number}"
        except NotFound:
            found[uid] = uid[:8]
    return found


@router.get("/evidence/{uid}")
def piece(ask: Asked, uid: str, verify: str = "") -> Response:
    """Show a piece: what it is, in whose hands, and its chain; verified to the last byte when asked."""
    return _piece(ask, uid, verify=bool(verify))


def _piece(
    ask: Ask, uid: str, status: int = 200, fault: str = "", *, verify: bool = False, typed: Mapping[str, str] | None = None
) -> Response:
    if not UID.fullmatch(uid):
        raise NotFound("There is no such piece of evidence")
    kept = ask.watchword.response.evidence
    found = kept.get(uid)
    me = ask.who.actor
    return ask.page(
        "evidence/piece.html",
        status,
        piece=found,
        entries=kept.custody(uid),
        incident=view_of(ask, found.incident).incident,
        faults=kept.verify(uid) if verify else None,
        fault=fault,
        typed=typed or {},
        work=ask.may(Permission.RESPOND),
        holds=found.custodian == me,
        offered=found.offered_to == me,
        abandoned=not ask.watchword.response.roster.team_of(found.custodian),
        people=[name for team in ("it", "physical", "management") for name in ask.watchword.response.roster.members(team) if name != me],
        password=not fresh(ask.watchword, ask.who),
        **words(),
    )


@router.post("/evidence/{uid}/open")
def open_(ask: Responding, uid: str, fields: Fields) -> Response:
    """Hand a piece out to be looked at; the reason stands in its chain. It is a download: nothing of it is shown as a page of ours."""
    try:
        found, file = ask.watchword.response.evidence.open(uid, by=ask.who.actor, team=ask.who.team.value, reason=fields.get("reason", ""))
    except (InputError, Conflict, Corrupt) as error:
        return _piece(ask, uid, 409 if isinstance(error, Conflict) else 422, str(error), typed=fields)
    file.close()
    path = ask.watchword.response.evidence.originals.path(found.sha256)
    return FileResponse(path, media_type="application/octet-stream", filename=found.about.name)


@router.post("/evidence/{uid}/custody")
def hand(ask: Responding, uid: str, fields: Fields) -> Response:
    """Offer, accept, withdraw, take over, seal or release; each is signed by whoever does it, who proves it with a fresh log-in."""

    def deed() -> Response:
        _hand(ask, uid, fields)
        return ask.see(f"/evidence/{uid}")

    try:
        return proved(ask, fields, deed)
    except (InputError, Conflict, Forbidden) as error:
        status = 422 if isinstance(error, InputError) else 409 if isinstance(error, Conflict) else 403
        return _piece(ask, uid, status, str(error), typed=fields)


def _hand(ask: Ask, uid: str, fields: Mapping[str, str]) -> None:
    kept = ask.watchword.response.evidence
    who: dict[str, str] = {"by": ask.who.actor, "team": ask.who.team.value, "reason": fields.get("reason", "")}
    to = fields.get("to", "").strip()
    match fields.get("deed", ""):
        case "offer":
            kept.transfer(uid, to, **who)
        case "accept":
            kept.accept(uid, **who)
        case "withdraw":
            kept.withdraw(uid, **who)
        case "take":
            kept.take_over(uid, **who)
        case "seal":
            kept.seal(uid, **who)
        case "release":
            kept.release(uid, to, **who)
        case _:
            raise InputError("Choose what is to be done with it", "deed")


# of one incident


@router.get("/incidents/{uid}/evidence")
def of_incident(ask: Asked, uid: str) -> Response:
    """Show the evidence of an incident, with the forms that add a file and hand everything out."""
    return _of_incident(ask, uid)


def _of_incident(
    ask: Ask, uid: str, status: int = 200, where: str = "", fault: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    view = view_of(ask, uid)
    rows = ask.watchword.response.evidence.list(view.incident.uid, limit=500)
    return ask.page(
        "evidence/of_incident.html",
        status,
        incident=view.incident,
        rows=rows,
        numbers={},
        kinds=[(kind.value, said) for kind, said in KINDS.items()],
        work=ask.may(Permission.RESPOND),
        key=ask.watchword.response.evidence.public_key,
        largest=size_words(ask.watchword.settings.evidence_largest),
        where=where,
        fault=fault,
        typed=typed or {},
        **words(),
    )


@router.post("/incidents/{uid}/evidence")
async def add(request: Request, uid: str) -> Response:
    """Take an uploaded file in. Who asks and how much comes is looked at before the body is read."""
    ask = await run_in_threadpool(responding, request)
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > ask.watchword.settings.evidence_largest + BESIDE:
        said = (
            f"A piece of evidence has at most {size_words(ask.watchword.settings.evidence_largest)}: see evidence.largest in the settings."
        )
        return await run_in_threadpool(_of_incident, ask, uid, 422, "add", said)
    async with request.form(max_files=1, max_fields=20, max_part_size=64 * 1024) as form:
        return await run_in_threadpool(_add, ask, uid, form)


def _add(ask: Ask, uid: str, form: FormData) -> Response:
    typed = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    upload = form.get("file")
    try:
        kept = ask.watchword.response.evidence
        about, file = _about(ask, typed, upload)
        made = kept.acquire(file, about, incident=uid, by=ask.who.actor, team=ask.who.team.value, reason=typed.get("reason", ""))
    except (InputError, Full) as error:
        return _of_incident(ask, uid, 422 if isinstance(error, InputError) else 503, "add", str(error), typed)
    return ask.see(f"/evidence/{made.uid}")


def _about(ask: Ask, typed: Mapping[str, str], upload: UploadFile | str | None) -> tuple[About, BinaryIO]:
    if not isinstance(upload, UploadFile) or not upload.filename:
        raise InputError("Choose a file", "file")
    if typed.get("kind") not in set(EvidenceKind):
        raise InputError("Choose what it is", "kind")
    if len(typed.get("reason", "").strip()) < 3:
        raise_lacking()
    offset = typed.get("offset", "").strip().replace(",", ".")
    try:
        clock = timedelta(seconds=float(offset)) if offset else None
    except (ValueError, OverflowError) as error:
        raise InputError(f"{offset[:40]!r} is no number of seconds: write 2.5, or -90 when its clock is behind", "offset") from error
    about = About(
        EvidenceKind(typed["kind"]),
        upload.filename,
        upload.content_type or "",
        source=typed.get("source", ""),
        place=typed.get("place", ""),
        since=moment_in(ask, typed.get("since", "")),
        until=moment_in(ask, typed.get("until", "")),
        clock_offset=clock,
        player=typed.get("player", ""),
        note=typed.get("note", ""),
    )
    return about, upload.file


@router.post("/incidents/{uid}/evidence/records")
def keep_records(ask: Responding, uid: str, fields: Fields) -> Response:
    """Take the raw records behind the incident's findings in, from the event log, as they arrived."""
    view = view_of(ask, uid)
    uids = tuple(dict.fromkeys(event for kept in findings_of(ask, view) for event in kept.finding.events))[:MOST_EVENTS]
    try:
        if len(fields.get("reason", "").strip()) < 3:
            raise_lacking()
        events = ask.watchword.events.events(EventQuery(uids=uids, limit=MOST_EVENTS)) if uids else []
        kept = ask.watchword.response.evidence
        made = kept.acquire_events(view.incident.uid, events, by=ask.who.actor, team=ask.who.team.value, reason=fields["reason"])
    except (InputError, Unavailable, Full) as error:
        return _of_incident(ask, uid, 422 if isinstance(error, InputError) else 503, "records", str(error), fields)
    return ask.see(f"/evidence/{made.uid}")


def raise_lacking() -> None:
    """Refuse a form without a reason."""
    raise InputError("Say why it is taken in: it stands in the chain of custody", "reason")


@router.post("/incidents/{uid}/evidence/export")
def export(ask: Responding, uid: str, fields: Fields) -> Response:
    """Hand everything out as a signed bundle; the reason stands in every chain."""
    kept = ask.watchword.response.evidence
    number = view_of(ask, uid).incident.number
    out = kept.originals.outgoing / f"{random_uid()}.zip"
    without = [piece.uid for piece in kept.list(uid, limit=500) if piece.uid in fields.get("without", "").split()]
    try:
        kept.export(uid, out, by=ask.who.actor, team=ask.who.team.value, reason=fields.get("reason", ""), without=without)
    except (InputError, Corrupt, Conflict) as error:
        return _of_incident(ask, uid, 409 if isinstance(error, Corrupt | Conflict) else 422, "export", str(error), fields)
    name = f"incident-{number}-evidence.zip"
    return FileResponse(out, media_type="application/zip", filename=name, background=BackgroundTask(out.unlink, missing_ok=True))
