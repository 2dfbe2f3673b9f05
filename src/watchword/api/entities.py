"""Entities over HTTP: who and what stands behind several findings."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from watchword.api.identity import House, Reader
from watchword.api.paging import SinceText, UntilText, span
from watchword.api.problems import RESPONSES
from watchword.detect.alibi import Alibi
from watchword.detect.pivot import Kind

routes = APIRouter(tags=["entities"])


class EntityRanked(BaseModel):
    """One entity in the ranking."""

    entity: str
    kind: Kind
    label: str
    score: float
    findings_for: tuple[str, ...]
    findings_against: tuple[str, ...]
    alibi: Alibi | None
    alibi_in_words: str
    because: str


class Ranking(BaseModel):
    """The ranking, the most suspicious first."""

    items: list[EntityRanked]


@routes.get("/entities", responses=RESPONSES, summary="Rank entities")
def rank_entities(
    watchword: House,
    _: Reader,
    since: SinceText = None,
    until: UntilText = None,
    kind: Annotated[list[Kind], Query()] = [],  # noqa: B006 - FastAPI copies it
    limit: Annotated[int, Query(ge=1, le=200, description="Most of each kind.")] = 50,
) -> Ranking:
    """Persons, assets, credentials and addresses behind the findings of a window (else: the 31 days before the newest event).

    Each comes with the findings that count for and against it, and a person with the alibi: whom the badge log excludes.
    """
    first, last = span(since, until)
    ranked = watchword.insight.rank(first, last, tuple(kind) or tuple(Kind), limit)
    return Ranking(
        items=[
            EntityRanked(
                entity=each.entity,
                kind=each.kind,
                label=each.label,
                score=each.score,
                findings_for=each.findings_for,
                findings_against=each.findings_against,
                alibi=each.alibi,
                alibi_in_words=each.alibi.sentence() if each.alibi else "",
                because=each.because,
            )
            for each in ranked
        ]
    )
