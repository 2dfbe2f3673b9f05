"""Entities: the ranking of who and what stands behind several findings, with what counts for and against each."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from watchword.detect.pivot import Kind
from watchword.web.pages import Asked
from watchword.web.rows import page_of

router = APIRouter()
ROWS: Final = 25


@router.get("/entities")
def entities(ask: Asked, kind: str = "") -> Response:
    """Rank persons, assets, credentials and addresses behind the findings of the last 31 days."""
    kinds = (Kind(kind),) if kind in set(Kind) else tuple(Kind)
    ranked = ask.watchword.insight.rank(kinds=kinds, limit=ROWS)
    groups = [(each, [item for item in ranked if item.kind is each]) for each in kinds]
    return ask.page("entities/list.html", groups=groups, kind=kind, kinds=list(Kind), page_of=page_of, named=_named(ask))


def _named(ask: Asked) -> object:
    def words(kind: Kind) -> str:
        return {Kind.PERSON: "People", Kind.ASSET: "Assets", Kind.CREDENTIAL: "Credentials", Kind.ADDRESS: "External addresses"}[kind]

    del ask
    return words
