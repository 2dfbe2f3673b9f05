"""Evidence over HTTP: what is kept, its chain of custody, and the original, which takes a reason."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel

from watchword.api.bounds import Uid
from watchword.api.identity import House, Reader, Responder
from watchword.api.paging import After, Limit, Page, cursor, page_of
from watchword.api.problems import also
from watchword.app.questions import write_cursor
from watchword.respond.custody import CustodyEntry
from watchword.respond.evidence_view import Piece

routes = APIRouter(tags=["evidence"])


class EvidenceListed(BaseModel):
    """A piece of evidence."""

    uid: str
    incident: str
    kind: str
    name: str
    media: str
    size: int
    sha256: str
    source: str
    place: str
    since: datetime | None
    until: datetime | None
    clock_offset: float | None
    """Seconds by which the source's clock was ahead of ours; null: not known."""
    player: str
    note: str
    acquired_at: datetime
    acquired_by: str
    custodian: str
    offered_to: str
    sealed: bool
    released: bool


class Custody(BaseModel):
    """One entry of a chain of custody."""

    seq: int
    deed: str
    by: str
    team: str
    to: str
    reason: str
    at: datetime
    detail: Mapping[str, str]
    key: str
    head: str
    signature: str


class EvidenceRead(EvidenceListed):
    """A piece with its chain, and what is wrong with it, when that was asked."""

    custody: list[Custody]
    faults: list[str] | None = None


@routes.get("/evidence", responses=also(404), summary="List evidence")
def list_evidence(
    request: Request,
    response: Response,
    watchword: House,
    _: Reader,
    limit: Limit = 100,
    after: After = None,
    incident: Annotated[str, Query(max_length=64, pattern="^([0-9a-f]{32})?$")] = "",
    custodian: Annotated[str, Query(max_length=100, description="Who has it in hand, or to whom it is offered.")] = "",
) -> Page[EvidenceListed]:
    """Pieces, the newest first; those of an incident with those of incidents merged into it."""
    found = watchword.response.evidence.list(incident, custodian=custodian.replace("\0", ""), after=cursor(after), limit=limit + 1)
    behind = write_cursor(found[limit - 1].acquired_at, found[limit - 1].uid) if len(found) > limit else None
    return page_of([_listed(each) for each in found], limit, behind, request, response)


@routes.get("/evidence/{uid}", responses=also(404), summary="Read a piece of evidence")
def read_evidence(
    watchword: House,
    _: Reader,
    uid: Uid,
    verify: Annotated[bool, Query(description="Check chain, signatures and file; reads the file to its end.")] = False,  # noqa: FBT002 - a query parameter
) -> EvidenceRead:
    """A piece with its chain of custody."""
    kept = watchword.response.evidence
    listed = _listed(kept.get(uid))
    custody = [_custody(entry) for entry in kept.custody(uid)]
    return EvidenceRead(**listed.model_dump(), custody=custody, faults=list(kept.verify(uid)) if verify else None)


@routes.get("/evidence/{uid}/original", responses=also(404, 409), response_class=FileResponse, summary="Download an original")
def original(
    watchword: House,
    caller: Responder,
    uid: Uid,
    reason: Annotated[str, Query(min_length=3, max_length=2000, description="Why; it stands in the chain of custody.")],
) -> FileResponse:
    """The file as it was acquired; the reading is written into its chain and the audit log."""
    kept = watchword.response.evidence
    piece, file = kept.open(uid, by=caller.actor, team=caller.team.value, reason=reason.replace("\0", ""))
    file.close()
    return FileResponse(kept.originals.path(piece.sha256), media_type="application/octet-stream", filename=piece.about.name)


def _listed(piece: Piece) -> EvidenceListed:
    about = piece.about
    return EvidenceListed(
        uid=piece.uid,
        incident=piece.incident,
        kind=about.kind.value,
        name=about.name,
        media=about.media,
        size=piece.size,
        sha256=piece.sha256,
        source=about.source,
        place=about.place,
        since=about.since,
        until=about.until,
        clock_offset=None if about.clock_offset is None else about.clock_offset.total_seconds(),
        player=about.player,
        note=about.note,
        acquired_at=piece.acquired_at,
        acquired_by=piece.by,
        custodian=piece.custodian,
        offered_to=piece.offered_to,
        sealed=piece.sealed,
        released=piece.released,
    )


def _custody(entry: CustodyEntry) -> Custody:
    return Custody(
        seq=entry.seq,
        deed=entry.deed.value,
        by=entry.by,
        team=entry.team,
        to=entry.to,
        reason=entry.reason,
        at=entry.at,
        detail=entry.detail,
        key=entry.key,
        head=entry.head,
        signature=entry.signature,
    )
