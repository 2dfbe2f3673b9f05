"""The board report: the dashboard on a few pages that name nobody, as PDF and as a Word file that can be edited; one is kept each month."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from watchword.app.dashboard import Cell, Dashboard, Headline, Notice, Row, dashboard
from watchword.app.metric_words import GRADE_WORDS, MISSED, say_interval, say_share, say_value, target_words, why_not_shared
from watchword.app.runbook import house_zone, local
from watchword.app.typeset import typeset
from watchword.app.watchword import Watchword
from watchword.app.xmr_chart import Series, on_paper, spark, xmr_chart
from watchword.kit.clock import to_millisecond
from watchword.measure.response_times import Move, risk_hours_moved
from watchword.model.metric import Grade, Window

TITLE: Final = "Security of both worlds: board report"
READING: Final = (
    "Each value stands with its 95 % interval, the number of observations behind it (n), the share seen of what should have been seen, "
    "and a grade: A firm, B sound, C rough. D is not credible: its figure is not printed, only why. Unknown is never 0. A course shows "
    "closed periods with the limits of the ordinary; only what leaves them, or eight in a row on one side of the mean, is a signal. A "
    "target whose value lies inside the interval is too close to tell."
)


@dataclass(frozen=True, slots=True)
class BoardReport:
    """What a report says."""

    since: datetime
    until: datetime
    board: Dashboard
    moves: Sequence[Move]
    """What moved the risk-hours from the period before to this one: severities and teams, never single incidents."""
    summary: Sequence[str]
    """A few sentences that stand for the whole."""


def report_of(watchword: Watchword, since: datetime, until: datetime) -> BoardReport:
    """Return the report of a period: the values of now, and what moved the risk-hours over the period."""
    now = watchword.clock.now()
    board = dashboard(watchword.measures, now)
    after = Window(to_millisecond(since), to_millisecond(until))
    before = Window(after.since - after.length, after.since)
    facts = watchword.measures.incidents.at(now)
    known = facts.earliest is not None and facts.earliest < before.until
    moves = [move for move in risk_hours_moved(facts.cases, before, after) if move.kind != "incident"] if known else []
    return BoardReport(since, until, board, moves, list(_summary(board, moves, after.length)))


def board_pdf(watchword: Watchword, report: BoardReport) -> bytes:
    """Return the report as PDF."""
    zone, board, now = house_zone(watchword), report.board, watchword.clock.now()
    made = local(now, zone)
    pictures: dict[str, str] = {}
    parts = []
    for section in board.sections:
        rows = []
        for row in section.rows:
            key = f"spark_{len(pictures)}"
            pictures[key] = on_paper(spark(_series(row))) if row.points else ""
            rows.append({**_cells(row), "spark": key})
        if rows:
            parts.append({"title": section.part.title, "asks": section.part.asks, "rows": rows})
    head = board.headline.row
    data = {
        "title": TITLE,
        "banner": "NAMES NOBODY",
        "head": "board report",
        "house": watchword.settings.name,
        "foot": f"made {made}",
        "facts": _facts(watchword, report),
        "summary": report.summary,
        "headline": f"{head.definition.title}: {_short(head.house, head.definition.unit)}",
        "moves": [[move.title, *map(_count, (move.before, move.after)), _change(move.change)] for move in report.moves],
        "parts": parts,
        "sections": [*_sections(board)],
    }
    pictures["chart"] = on_paper(xmr_chart(_series(head), zone)) if head.points else ""
    return typeset("board", data, now, verbatim=pictures)


def board_docx(watchword: Watchword, report: BoardReport) -> bytes:
    """Return the report as a Word file: headings, paragraphs and tables that anybody can edit."""
    import docx  # noqa: PLC0415 - costs memory that only this needs
    from docx.shared import Pt  # noqa: PLC0415 - as above

    board, paper = report.board, docx.Document()
    paper.styles["Normal"].font.size = Pt(10)
    paper.core_properties.title, paper.core_properties.author = TITLE, watchword.settings.name
    paper.add_heading(TITLE, 0)
    _table(paper, ("", ""), _facts(watchword, report), head_row=False)
    for sentence in report.summary:
        paper.add_paragraph(sentence, style="List Bullet")
    head = board.headline.row
    paper.add_heading(f"{head.definition.title}: {_short(head.house, head.definition.unit)}", 1)
    moves = [[move.title, *map(_count, (move.before, move.after)), _change(move.change)] for move in report.moves]
    _table(paper, ("What moved it", "Before", "After", "Change"), moves or [["Nothing can be compared yet.", "", "", ""]])
    for section in board.sections:
        if not section.rows:
            continue
        paper.add_heading(section.part.title, 1)
        paper.add_paragraph(section.part.asks)
        found = [_cells(row) for row in section.rows]
        columns = ("title", "it", "physical", "together", "signal", "target")
        _table(paper, ("Measure", "IT", "Physical", "Together", "Course", "Target"), [[row[key] for key in columns] for row in found])
    for each in _sections(board):
        paper.add_heading(each["title"], 1)
        if "text" in each:
            paper.add_paragraph(each["text"])
        if each.get("rows"):
            _table(paper, each["head"], each["rows"])
        elif "none" in each:
            paper.add_paragraph(each["none"])
    written = io.BytesIO()
    paper.save(written)
    return written.getvalue()


def keep_monthly(watchword: Watchword, now: datetime) -> None:
    """Make and keep the report of the month that ended last, unless it is there; the values that it prints are held for good."""
    zone = house_zone(watchword)
    until = now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    since = (until - timedelta(days=1)).replace(day=1)
    month, shelf = f"{since:%Y-%m}", watchword.measures.reports
    if shelf.has(month) or not watchword.measures.metrics.all_present():
        return
    report = report_of(watchword, since, until)
    shelf.keep(month, since, until, report.summary[0], (board_pdf(watchword, report), board_docx(watchword, report)))
    uids = [cell.metric.uid for row in report.board.rows for cell in (row.house, row.it, row.physical) if cell.metric is not None]
    with watchword.records.begin() as connection:
        watchword.measures.metrics.hold(connection, uids)
        watchword.audit.write("measure", "report.keep", month, detail={"values": len(uids)}, connection=connection)


def _series(row: Row) -> Series:
    return Series(row.definition, row.points, row.chart, row.target)


def _facts(watchword: Watchword, report: BoardReport) -> list[tuple[str, str]]:
    zone = house_zone(watchword)
    return [
        ("House", watchword.settings.name),
        ("Period", f"{local(report.since, zone)} to {local(report.until, zone)}"),
        ("Values as of", local(report.board.made, zone)),
    ]


def _summary(board: Dashboard, moves: Sequence[Move], length: timedelta) -> Iterator[str]:
    headline = board.headline
    yield _headline_words(headline)
    teams = [move for move in moves if move.kind == "team" and round(move.change)]
    if teams:
        said = "; ".join(f"{move.title} {_change(move.change)}" for move in teams)
        yield f"Over the period ({_days(length)}) against the one before it, in weighted hours: {said}."
    bad = [notice for notice in board.notices if not notice.good]
    if bad:
        yield f"Out of limits, missed or not credible: {'; '.join(_notice(each) for each in bad[:8])}."
    good = [notice for notice in board.notices if notice.good]
    if good:
        yield f"Improved beyond chance: {'; '.join(each.row.definition.title for each in good[:8])}."
    counts = ", ".join(f"{board.grades[grade]} {GRADE_WORDS[grade]}" for grade in Grade)
    yield f"Of {len(board.rows)} measures: {counts}, {board.unknown} unknown."


def _headline_words(headline: Headline) -> str:
    cell, unit = headline.row.house, headline.row.definition.unit
    title = headline.row.definition.title
    if cell.metric is None or not cell.known:
        return f"{title}: unknown. {why_not_shared(cell.metric, cell.because)}"
    if not cell.credible:
        return f"{title}: not credible. {why_not_shared(cell.metric, cell.because)}"
    said = f"{title}: {say_value(cell.metric.value, unit)} in {_days(headline.window)}"
    if cell.metric.lo != cell.metric.hi:
        said += f" ({say_interval(cell.metric.lo, cell.metric.hi, 'count')})"
    if headline.change is None:
        return f"{said}."
    said += f", {_change(headline.change)} against the window before"
    if headline.by_chance is None:
        return f"{said}."
    return f"{said}: {'chance alone moves it as far' if headline.by_chance else 'more than chance moves it'}."


def _notice(notice: Notice) -> str:
    return f"{notice.row.definition.title} ({notice.says})"


def _short(cell: Cell, unit: str) -> str:
    if cell.metric is None or not cell.known:
        return "unknown"
    return say_value(cell.metric.value, unit) if cell.credible else "not credible"


def _cell(cell: Cell, unit: str) -> str:
    """Return a value as paper says it: figure, interval, basis, grade; or why there is none."""
    if cell.metric is None or not cell.known or not cell.credible:
        return _short(cell, unit)
    bounds = "" if cell.metric.lo == cell.metric.hi else say_interval(cell.metric.lo, cell.metric.hi, unit)
    basis = f"n {cell.metric.n}, {say_share(cell.metric.coverage)} seen, {cell.grade.value} {GRADE_WORDS[cell.grade]}"
    return "\n".join(part for part in (say_value(cell.metric.value, unit), bounds, basis) if part)


def _cells(row: Row) -> dict[str, str]:
    definition = row.definition
    counter = ""
    if row.counter is not None:
        counter = f"beside it: {row.counter.definition.title} {_short(row.counter.cell, row.counter.definition.unit)}"
    target = "none"
    if row.target is not None:
        owners = f"{definition.owner_it} / {definition.owner_physical}"
        target = "\n".join(part for part in (target_words(definition, row.target), row.standing, owners) if part)
    return {
        "title": definition.title,
        "beside": counter,
        "it": _cell(row.it, definition.unit) if row.it.metric else "",
        "physical": _cell(row.physical, definition.unit) if row.physical.metric else "",
        "together": _cell(row.house, definition.unit),
        "signal": row.signal.says if row.signal else "within its limits" if row.chart else "no limits yet",
        "target": target,
    }


def _sections(board: Dashboard) -> Iterator[dict[str, Any]]:
    missed = [row for row in board.rows if row.standing == MISSED]
    yield {
        "title": "Targets missed",
        "widths": (2, 1, 1, 2),
        "head": ("Measure", "Target", "Now", "Answer for it"),
        "rows": [
            [r.definition.title, target_words(r.definition, r.target), _short(r.house, r.definition.unit),
             f"{r.definition.owner_it} / {r.definition.owner_physical}"]
            for r in missed if r.target
        ],
        "none": "None of those that have one.",
    }  # fmt: skip
    doubtful = [row for row in board.rows if row.house.known and not row.house.credible]
    yield {
        "title": "Not credible, and why",
        "widths": (1, 3),
        "head": ("Measure", "Why"),
        "rows": [[row.definition.title, why_not_shared(row.house.metric, row.house.because)] for row in doubtful],
        "none": "Every value that is known is credible.",
    }
    unknown = [row.definition.title for row in board.rows if not row.house.known]
    if unknown:
        yield {"title": "Unknown", "text": "; ".join(unknown) + "."}
    yield {"title": "How to read this", "text": READING}


def _days(length: timedelta) -> str:
    days = round(length / timedelta(days=1))
    return "1 day" if days == 1 else f"{days} days"


def _count(value: float) -> str:
    return say_value(value, "count")


def _change(change: float) -> str:
    sign = "+" if change > 0 else "\N{MINUS SIGN}" if change < 0 else "± "
    return f"{sign}{say_value(abs(change), 'count')}"


def _table(paper: Any, head: Sequence[str], rows: Sequence[Sequence[str]], *, head_row: bool = True) -> None:
    table = paper.add_table(rows=0, cols=len(head), style="Light Grid Accent 1" if head_row else "Light List")
    for cells in ([head] if head_row else []) + list(rows):
        for cell, text in zip(table.add_row().cells, cells, strict=True):
            cell.text = text
