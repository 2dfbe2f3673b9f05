"""Paging and versions: opaque cursors with a Link to the next page, strong ETags, and changes that say which version they mean."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any, Generic, TypeVar

import orjson
from fastapi import Header, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel

from watchword.api.problems import Problem
from watchword.app.questions import MOST, read_cursor, read_moment, write_cursor
from watchword.kit.errors import InputError

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """One page of a list; `next` is the cursor behind its last item, null on the last page."""

    items: list[Item]
    next: str | None = None


Limit = Annotated[int, Query(ge=1, le=MOST, description="Most items on this page.")]
After = Annotated[str | None, Query(max_length=1000, description="Cursor: `next` of the page before.")]
SinceText = Annotated[str | None, Query(alias="since", max_length=64, description="At or after: RFC 3339, or a duration such as 24h.")]
UntilText = Annotated[str | None, Query(alias="until", max_length=64, description="Before; written as `since`.")]
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=200, description="ETag of the version that you read.")]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", max_length=2000, description="ETag that you have already.")]


def span(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Return both ends of a time span in words.

    Raises:
        InputError: one of them is no time.
    """
    now = datetime.now(UTC)
    found = []
    for name, text in (("since", since), ("until", until)):
        try:
            found.append(read_moment(text, now) if text else None)
        except InputError as error:
            raise InputError(str(error), name) from error
    return found[0], found[1]


def cursor(after: str | None) -> tuple[datetime, str] | None:
    """Return the time and uid of a cursor, None for the first page."""
    return read_cursor(after) if after else None


def page_of(items: Sequence[Item], limit: int, after: str | None, request: Request, response: Response) -> Page[Item]:
    """Return a page of at most `limit` of the items, of which there may be one more; `after` is the cursor behind the last one shown."""
    more = len(items) > limit and after is not None
    if more:
        response.headers["Link"] = (
            f'<{request.url.include_query_params(after=after).path}?{request.url.include_query_params(after=after).query}>; rel="next"'
        )
    return Page(items=list(items[:limit]), next=after if more else None)


def in_time(
    things: Iterable[Item], key: Callable[[Item], tuple[datetime, str]], limit: int, after: str | None, request: Request, response: Response
) -> Page[Item]:
    """Return a page of things that are few, oldest first: by the time and uid that `key` gives."""
    behind = cursor(after)
    found = sorted((each for each in things if behind is None or key(each) > behind), key=key)[: limit + 1]
    return page_of(found, limit, write_cursor(*key(found[limit - 1])) if len(found) > limit else None, request, response)


def etag_of(value: Any) -> str:
    """Return the strong ETag of what is shown."""
    return '"' + sha256(orjson.dumps(jsonable_encoder(value), option=orjson.OPT_SORT_KEYS)).hexdigest()[:32] + '"'


def not_modified(etag: str, if_none_match: str | None) -> bool:
    """Tell whether the caller has this version already."""
    return if_none_match is not None and (if_none_match.strip() == "*" or etag in {each.strip() for each in if_none_match.split(",")})


def require_match(etag: str, if_match: str | None) -> None:
    """Raise `Problem` unless the caller names the newest version."""
    if if_match is None:
        raise Problem("precondition-required", "Send If-Match with the ETag of the version that you read")
    if if_match.strip() != "*" and etag not in {each.strip() for each in if_match.split(",")}:
        raise Problem("stale", f"The newest version is {etag}; read it again", {"ETag": etag})
