"""Once: a request that adds something is done a single time for each Idempotency-Key, and answered the same again."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Header, Request, Response
from pydantic import BaseModel

from watchword.api.problems import Problem
from watchword.app.idempotency import Answer, Idempotency, KeyReused
from watchword.app.principal import Principal
from watchword.app.watchword import Watchword

Made = TypeVar("Made", bound=BaseModel)
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200, description="The same key again does nothing a second time.")
]


def once(
    request: Request, watchword: Watchword, caller: Principal, key: str | None, body: BaseModel, status: int, deed: Callable[[], Made]
) -> Any:
    """Do a deed, or give the answer that it gave before under this key. What a body holds in secret is hashed, never kept.

    Raises:
        Problem: the key came before with another request.
    """
    if key is None:
        return deed()
    book = Idempotency(watchword.records, watchword.clock)
    said = f"{request.method} {request.url.path}\n{body.model_dump_json()}".encode()
    try:
        before = book.find(caller.actor, key, said)
    except KeyReused as error:
        raise Problem("key-reused", str(error)) from error
    if before is not None:
        return Response(before.body, before.status, media_type="application/json")
    made = deed()
    book.keep(caller.actor, key, said, Answer(status, made.model_dump_json()))
    return made
