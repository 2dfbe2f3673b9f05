"""The dashboard's page, its board reports and its share links."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from markupsafe import Markup
from starlette.responses import Response

from watchword.app.board_report import board_docx, board_pdf, report_of
from watchword.app.dashboard import HEADLINE, Cell, Dashboard, Row, all_rows, dashboard, notices
from watchword.app.metric_words import GRADE_WORDS, figure, say_interval, say_share, say_value, target_words, why_not, why_not_shared
from watchword.app.principal import Permission
from watchword.app.xmr_chart import SMALL, Series, move_bar, spark, xmr_chart
from watchword.kit.errors import InputError
from watchword.model.metric import Grade
from watchword.web.pages import Ask, Asked, Measuring
from watchword.web.papers import pdf

router = APIRouter()
WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
LONGEST: Final = 366
SHOWN: Final = 20
FRESH: Final = 30.0
"""Seconds for which other pages show the same picture of the measures."""


def words_of_measures() -> dict[str, Any]:
    """Return what the templates of measures call."""
    return {
        "figure": figure,
        "say_value": say_value,
        "say_interval": say_interval,
        "say_share": say_share,
        "target_words": target_words,
        "grade_word": lambda letter: GRADE_WORDS[Grade(letter)],
        "why_not": lambda cell, shared: _why(cell, shared=shared),
        "course_of": lambda row: spark(_series(row)),
        "move_bar": move_bar,
    }


def _why(cell: Cell, *, shared: bool) -> str:
    return (why_not_shared if shared else why_not)(cell.metric, cell.because)


def _series(row: Row) -> Series:
    return Series(row.definition, row.points, row.chart, row.target)


def board_context(ask: Ask, *, shared: bool = False) -> dict[str, Any]:
    """Return what the dashboard shows; shared: nothing that names anybody."""
    board: Dashboard = dashboard(ask.watchword.measures, ask.now)
    chart: Callable[[Row], Markup] = lambda row: xmr_chart(_series(row), ask.zone_at(), SMALL)  # noqa: E731 - bound to the asker's clock
    grades = {grade.value: count for grade, count in board.grades.items()}
    day: Callable[[datetime], str] = lambda moment: f"{moment.astimezone(ask.zone_at()).day} {moment.astimezone(ask.zone_at()):%b}"  # noqa: E731 - as above
    return {"board": board, "day": day, "grades": grades, "chart": chart, "shared": shared, **words_of_measures()}


def glance(ask: Ask) -> dict[str, Any]:
    """Return what other pages show of measures: the headline, and what is out of its limits; read anew every half minute at most."""
    state = ask.request.app.state
    made, kept = getattr(state, "glance", (None, {}))
    moment = time.monotonic()
    if made is None or moment - made > FRESH:
        rows = all_rows(ask.watchword.measures.metrics, ask.now)
        kept = {
            "headline": rows[HEADLINE],
            "speaking": notices(list(rows.values())),
            "judged": sum(row.house.known for row in rows.values()),
        }
        state.glance = (moment, kept)
    return {**kept, **words_of_measures()}


def page(ask: Ask, status: int = 200, **more: Any) -> Response:
    """Answer with the dashboard."""
    measures = ask.watchword.measures
    shares = measures.shares.list(SHOWN) if ask.may(Permission.MEASURE) else []
    kept = {"shares": shares, "reports": measures.reports.list(SHOWN), "made": None, "share_fault": "", "share_title": ""}
    position = ask.watchword.ledger.last_position()
    return ask.page("metrics/dashboard.html", status, position=position, **{**board_context(ask), **kept, **more})


@router.get("/metrics")
def metrics_page(ask: Asked) -> Response:
    """Show the dashboard: headline, what moved it, every measure of both teams."""
    return page(ask)


@router.get("/metrics/board.pdf")
def board_report_pdf(ask: Asked, days: int = 30) -> Response:
    """Print the board report of the last days."""
    content = board_pdf(ask.watchword, report_of(ask.watchword, ask.now - _days(days), ask.now))
    ask.watchword.audit.write(ask.who.actor, "report.print", detail={"kind": "board", "days": days})
    return pdf(content, f"board-{ask.now:%Y-%m-%d}")


@router.get("/metrics/board.docx")
def board_report_docx(ask: Asked, days: int = 30) -> Response:
    """Give the board report of the last days as a Word file that can be edited."""
    content = board_docx(ask.watchword, report_of(ask.watchword, ask.now - _days(days), ask.now))
    ask.watchword.audit.write(ask.who.actor, "report.print", detail={"kind": "board", "days": days})
    return _docx(content, f"board-{ask.now:%Y-%m-%d}")


@router.get("/metrics/reports/{month}.{kind}")
def monthly_report(ask: Asked, month: str, kind: str) -> Response:
    """Give the report of a month as it was made then."""
    content = ask.watchword.measures.reports.content(month, kind)
    ask.watchword.audit.write(ask.who.actor, "report.print", detail={"kind": "board", "month": month})
    return pdf(content, f"board-{month}") if kind == "pdf" else _docx(content, f"board-{month}")


@router.post("/metrics/shares")
def make_share(ask: Measuring, title: Annotated[str, Form()] = "", days: Annotated[int, Form()] = 7) -> Response:
    """Make a share link and show its address, once."""
    try:
        share, secret = ask.watchword.measures.shares.create(title, timedelta(days=max(0, min(days, LONGEST))), ask.who.actor)
    except InputError as error:
        return page(ask, 422, share_fault=str(error), share_title=title[:100])
    address = f"{str(ask.request.base_url).rstrip('/')}/shared/{secret}"
    return page(ask, made=(share, address))


@router.post("/metrics/shares/{uid}/revoke")
def revoke_share(ask: Measuring, uid: str) -> Response:
    """Make a share link useless."""
    ask.watchword.measures.shares.revoke(uid, ask.who.actor)
    return ask.see("/metrics#share")


def _days(days: int) -> timedelta:
    if not 1 <= days <= LONGEST:
        raise InputError(f"a period has 1 to {LONGEST} days", "days")
    return timedelta(days=days)


def _docx(content: bytes, name: str) -> Response:
    return Response(content, media_type=WORD, headers={"Content-Disposition": f'attachment; filename="{name}.docx"'})
