"""Sources over HTTP: who sends records, how well, what could not be parsed; adding one, parsing again."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.identity import House, Keeper, Reader
from watchword.api.paging import After, IfNoneMatch, Limit, Page, cursor, etag_of, not_modified, page_of
from watchword.api.people import paged
from watchword.api.problems import RESPONSES, Problem, also
from watchword.app.idempotency import Answer, Idempotency, KeyReused
from watchword.app.onboarding import SourceChoices, add_source
from watchword.app.questions import write_cursor
from watchword.app.reparsing import ask
from watchword.kit.clock import to_millisecond
from watchword.model import Domain, Source, SourceKind, SourceStatus, Unparsed

routes = APIRouter(tags=["sources"])
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200, description="The same key again does nothing a second time.")
]


class SourceRead(BaseModel):
    """A source with its counts."""

    source: Source
    status: SourceStatus


class SourceNew(BaseModel):
    """A source to be added: its name, and its mapping's text or the name of a kept mapping; the rest overrides what the mapping says."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    mapping_text: str = Field("", max_length=1_000_000)
    mapping: str = Field("", max_length=64)
    connector: str | None = Field(None, max_length=32)
    domain: Domain | None = None
    kind: SourceKind | None = None
    site: str | None = Field(None, max_length=128)
    lateness: timedelta | None = None
    resolution: timedelta | None = None
    skew: timedelta | None = None
    rhythm: timedelta | None = None


class Reparsed(BaseModel):
    """That the worker was asked to parse again."""

    source: str
    requested: datetime


@routes.get("/sources", responses=RESPONSES, summary="List sources")
def list_sources(
    request: Request, response: Response, watchword: House, _: Reader, limit: Limit = 100, after: After = None
) -> Page[SourceRead]:
    """Sources by name, with what has come from each."""
    statuses = {each.name: each for each in watchword.ledger.statuses()}
    rows = [SourceRead(source=each, status=statuses.get(each.name, SourceStatus(each.name))) for each in watchword.ledger.sources()]
    return paged(rows, lambda each: each.source.name, limit, after, request, response)


@routes.get("/sources/{name}", responses=also(404), summary="Read a source", response_model=SourceRead)
def read_source(response: Response, watchword: House, _: Reader, name: str, if_none_match: IfNoneMatch = None) -> SourceRead | Response:
    """One source with its settings and counts."""
    found = SourceRead(source=watchword.ledger.source(name), status=watchword.ledger.status(name))
    etag = etag_of(found)
    if not_modified(etag, if_none_match):
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return found


@routes.get("/sources/{name}/unparsed", responses=also(404), summary="List unparsed records")
def list_unparsed(
    request: Request, response: Response, watchword: House, _: Reader, name: str, limit: Limit = 100, after: After = None
) -> Page[Unparsed]:
    """Records of a source that are kept though nothing could be made of them yet, newest first."""
    watchword.ledger.source(name)
    found = watchword.ledger.unparsed(name, cursor(after), limit + 1)
    behind = write_cursor(found[limit - 1].received, found[limit - 1].record) if len(found) > limit else None
    return page_of(found, limit, behind, request, response)


@routes.post("/sources", responses=also(404, 409), status_code=201, summary="Add a source", response_model=Source)
def create_source(
    request: Request, response: Response, watchword: House, caller: Keeper, new: SourceNew, idempotency_key: IdempotencyKey = None
) -> Source | Response:
    """Add a source. All faults of a mapping come at once, with their lines."""
    book = Idempotency(watchword.records, watchword.clock)
    body = new.model_dump_json().encode()
    if idempotency_key is not None:
        try:
            before = book.find(caller.actor, idempotency_key, body)
        except KeyReused as error:
            raise Problem("key-reused", str(error)) from error
        if before is not None:
            return Response(before.body, before.status, media_type="application/json", headers={"Location": _address(request, new.name)})
    choices = SourceChoices(**new.model_dump(exclude={"name", "mapping_text", "mapping"}))
    made = add_source(
        watchword,
        new.name,
        mapping_text=new.mapping_text,
        mapping_path="mapping_text",
        mapping=new.mapping,
        choices=choices,
        actor=caller.actor,
    )
    watchword.mappings.forget()
    response.headers["Location"] = _address(request, made.name)
    if idempotency_key is not None:
        book.keep(caller.actor, idempotency_key, body, Answer(201, _json(made)))
    return made


@routes.post("/sources/{name}/reparse", responses=also(404), status_code=202, summary="Parse again")
def reparse(request: Request, response: Response, watchword: House, caller: Keeper, name: str) -> Reparsed:
    """Ask the worker to parse the source's unparsed records again; its counts show when that is done. Asking twice is asking once."""
    ask(watchword, name, actor=caller.actor)
    response.headers["Location"] = _address(request, name)
    return Reparsed(source=name, requested=to_millisecond(watchword.clock.now()))


def _address(request: Request, name: str) -> str:
    return str(request.url_for("read_source", name=name).path)


def _json(source: Source) -> str:
    from pydantic import TypeAdapter  # noqa: PLC0415 - only here

    found: Any = TypeAdapter(Source).dump_json(source)
    return str(found.decode())
