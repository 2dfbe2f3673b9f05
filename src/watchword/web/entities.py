"""Entities: the ranking of who and what stands behind several findings, with what counts for and against each."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from watchword.detect.pivot import Kind
from watchword.web.pages import Asked
from watchword.web.rows import page_of

router = APIRouter()
ROWS: Final = 25
SHOWN: Final = 4
TITLES: Final = {Kind.PERSON: "People", Kind.ASSET: "Assets", Kind.CREDENTIAL: "Credentials", Kind.ADDRESS: "External addresses"}


@router.get("/entities")
def entities(ask: Asked, kind: str = "") -> Response:
    """Rank persons, assets, credentials and addresses behind the findings of the last 31 days."""
    kinds = (Kind(kind),) if kind in set(Kind) else tuple(Kind)
    ranked = ask.watchword.insight.rank(kinds=kinds, limit=ROWS)
    groups = [(each, TITLES[each], [item for item in ranked if item.kind is each]) for each in kinds]
    uids = {uid for item in ranked for uid in (*item.findings_for[:SHOWN], *item.findings_against[:SHOWN])}
    found = {uid: ask.watchword.findings.get(uid) for uid in uids}
    return ask.page("entities/list.html", groups=groups, kind=kind, kinds=list(TITLES.items()), page_of=page_of, found=found)
