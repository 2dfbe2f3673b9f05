"""Sources: who sends, whether they speak in their rhythm, what could not be parsed."""

from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from watchword.app.questions import read_cursor, write_cursor
from watchword.kit.errors import InputError
from watchword.web.charts import by_day
from watchword.web.pages import Ask, Asked
from watchword.web.source_rows import SourceRow, Voice, source_row, source_rows

router = APIRouter()
SAMPLES = 50


def rows_of(ask: Ask) -> list[SourceRow]:
    """Return every source with its state."""
    ledger = ask.watchword.ledger
    return source_rows(ledger.sources(), ledger.statuses(), ask.now)


@router.get("/sources")
def sources(ask: Asked) -> Response:
    """List the sources, those that need someone first."""
    position = ask.watchword.ledger.last_position()
    rows = rows_of(ask)
    silent = [row for row in rows if row.voice is Voice.SILENT]
    return ask.page("sources/list.html", rows=rows, silent=silent, position=position, days=by_day(ask))


@router.get("/sources/{name}")
def source(ask: Asked, name: str) -> Response:
    """Show one source: its settings, its counts, and samples of what could not be parsed."""
    ledger = ask.watchword.ledger
    row = source_row(ledger.source(name), ledger.status(name), ask.now)
    samples, older = _samples(ask, name)
    return ask.page("sources/source.html", row=row, samples=samples, older=older, hour=timedelta(hours=1))


def _samples(ask: Ask, name: str) -> tuple[list[object], str]:
    after = ask.request.query_params.get("after", "")
    try:
        cursor = read_cursor(after) if after else None
    except InputError:
        cursor = None
    found = ask.watchword.ledger.unparsed(name, cursor, SAMPLES + 1)
    older = write_cursor(found[SAMPLES - 1].received, found[SAMPLES - 1].record) if len(found) > SAMPLES else ""
    return list(found[:SAMPLES]), older
