"""Playbooks over HTTP: the library's list, texts, versions and differences; keeping, linting and signing."""

from datetime import date, datetime
from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import Moment
from watchword.api.identity import Author, House, Reader
from watchword.api.ingest import read_body
from watchword.api.paging import After, IfNoneMatch, Limit, Page, not_modified
from watchword.api.people import paged
from watchword.api.problems import Problem, also
from watchword.app.principal import Principal
from watchword.app.watchword import Watchword
from watchword.respond.library_view import KeptPlaybook, Version
from watchword.respond.lint import validate
from watchword.respond.lint_report import Fault
from watchword.respond.playbook_diff import Change
from watchword.respond.signature import Verdict

routes = APIRouter(tags=["playbooks"])
LONGEST: Final = 5 * 1024 * 1024
"""Bytes of a playbook."""
Identifier = Annotated[str, Path(pattern="^playbook--[0-9a-f-]{36}$")]
VersionText = Annotated[str, Query(pattern="^[0-9TZtz:.+-]{0,40}$", description="Its `modified`; the newest when left out.")]
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "CACAO 2.0 as JSON.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}

ANYTHING: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "CACAO 2.0 as JSON; what is none is answered with its faults.",
        "content": {"application/json": {"schema": {}}},
    }
}


class VersionRead(BaseModel):
    """A version without its text."""

    id: str
    modified: str
    name: str
    errors: int
    warnings: int
    shipped: bool
    by: str
    at: datetime
    sha256: str
    review_due: date
    reviewed_by: str
    reviewed_at: datetime | None


class PlaybookRead(BaseModel):
    """A version with what was found in it and the verdicts on its signatures; its text is an address of its own."""

    id: str
    modified: str
    name: str
    sha256: str
    faults: list[Fault]
    starts: bool = Field(description="Whether nothing in its text keeps it from starting.")
    signatures: list[Verdict]
    signature_fault: str = Field(description="Why its signatures do not satisfy this site's policy; empty when they do.")
    review_due: date
    shipped: bool
    by: str
    at: datetime
    cut: list[str] = Field(description="JSON pointers of secrets that were cut out on arrival.")


class Versions(BaseModel):
    """Every version of a playbook, the newest first."""

    items: list[VersionRead]


class Differences(BaseModel):
    """What differs from one version to another."""

    items: list[Change]


class Linted(BaseModel):
    """What both stages of the validation find in a text that is not kept."""

    starts: bool
    faults: list[Fault]


class SignatureWanted(BaseModel):
    """Which version is signed, and until when that holds."""

    model_config = ConfigDict(extra="forbid")

    version: str = Field("", pattern="^[0-9TZtz:.+-]{0,40}$")
    valid_until: Moment | None = None


def _version(found: Version) -> VersionRead:
    return VersionRead(**{name: getattr(found, name) for name in VersionRead.model_fields})


def _read(watchword: Watchword, kept: KeptPlaybook) -> PlaybookRead:
    same = {name: getattr(kept, name) for name in ("id", "modified", "name", "sha256", "review_due", "shipped", "by", "at")}
    return PlaybookRead(
        **same,
        faults=list(kept.faults),
        starts=not kept.errors,
        signatures=list(kept.signatures),
        signature_fault=watchword.response.library.signature_fault(kept),
        cut=list(kept.cut),
    )


@routes.get("/playbooks", responses=also(404), summary="List playbooks")
def list_playbooks(
    request: Request, response: Response, watchword: House, _: Reader, limit: Limit = 100, after: After = None
) -> Page[VersionRead]:
    """The newest version of every playbook, by id."""
    rows = [_version(each) for each in watchword.response.library.list()]
    return paged(rows, lambda each: each.id, limit, after, request, response)


@routes.post("/playbooks", responses=also(404, 409, 413), status_code=201, summary="Keep a playbook", openapi_extra=BODY)
async def put_playbook(
    request: Request,
    response: Response,
    watchword: House,
    caller: Author,
    restamp: Annotated[bool, Query(description="Give it the present moment as `modified`, as an edit does.")] = False,  # noqa: FBT002 - a query parameter
) -> PlaybookRead:
    """Keep a playbook, or a further version of it. Faults do not keep it out, but from starting; secrets in clear are cut out."""
    body = await read_body(request, LONGEST)
    found = await to_thread.run_sync(_put, watchword, body, caller, restamp, limiter=request.app.state.ingest_gate)
    response.headers["Location"] = f"/api/v1/playbooks/{found.id}"
    return found


def _put(watchword: Watchword, body: bytes, caller: Principal, restamp: bool) -> PlaybookRead:
    return _read(watchword, watchword.response.library.put(body, caller.actor, restamp=restamp))


@routes.post("/lints", responses=also(404, 413), summary="Lint a playbook without keeping it", openapi_extra=ANYTHING)
async def lint_playbook(request: Request, _: Reader) -> Linted:
    """What both stages of the validation find, by line; nothing is kept."""
    body = await read_body(request, LONGEST)
    if not body:
        raise Problem("bad-request", "There is no body; send the playbook's text")
    faults = await to_thread.run_sync(validate, body, limiter=request.app.state.ingest_gate)
    return Linted(starts=not any(each.severity == "error" for each in faults), faults=faults)


@routes.get("/playbooks/{id}", responses=also(404), summary="Read a playbook")
def read_playbook(watchword: House, _: Reader, id: Identifier, version: VersionText = "") -> PlaybookRead:  # noqa: A002 - the standard's word for it
    """A version with its faults and the verdicts on its signatures."""
    return _read(watchword, watchword.response.library.get(id, version))


@routes.get(
    "/playbooks/{id}/text",
    responses={**also(404), 200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    summary="Read a playbook's text",
    response_class=Response,
)
def read_text(
    watchword: House,
    _: Reader,
    id: Identifier,  # noqa: A002 - the standard's word for it
    version: VersionText = "",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The CACAO text as it is kept; its `ETag` is the SHA-256 that runs pin."""
    kept = watchword.response.library.get(id, version)
    etag = f'"{kept.sha256}"'
    if not_modified(etag, if_none_match):
        return Response(status_code=304, headers={"ETag": etag})
    return Response(kept.text, media_type="application/json", headers={"ETag": etag})


@routes.get("/playbooks/{id}/versions", responses=also(404), summary="List a playbook's versions")
def list_versions(watchword: House, _: Reader, id: Identifier) -> Versions:  # noqa: A002 - the standard's word for it
    """Every version, the newest first."""
    return Versions(items=[_version(each) for each in watchword.response.library.versions(id)])


@routes.get("/playbooks/{id}/diff", responses=also(404), summary="Compare two versions")
def diff(watchword: House, _: Reader, id: Identifier, a: VersionText, b: VersionText = "") -> Differences:  # noqa: A002 - the standard's word for it
    """What differs from version `a` to version `b`, by JSON pointer."""
    return Differences(items=list(watchword.response.library.diff(id, a, b)))


@routes.post("/playbooks/{id}/sign", responses=also(404, 409), summary="Sign a playbook")
def sign(watchword: House, caller: Author, id: Identifier, said: SignatureWanted) -> PlaybookRead:  # noqa: A002 - the standard's word for it
    """Put this site's signature on a version; it stays the version that it is."""
    kept = watchword.response.library.sign(id, caller.actor, modified=said.version, valid_until=said.valid_until)
    return _read(watchword, kept)
