"""The Overview: what needs a person now, of both sides in one list; who is on duty; which sources are silent; counts."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from watchword.app.principal import Permission
from watchword.detect.service import FindingFilter, KeptFinding, WorkState
from watchword.kit.errors import Unavailable
from watchword.model import Domain, Mode
from watchword.respond.incident_filter_service import IncidentFilter
from watchword.web.charts import hourly
from watchword.web.metrics import glance
from watchword.web.on_call import duty_context
from watchword.web.pages import Ask, Asked
from watchword.web.source_rows import Voice, known_sides
from watchword.web.sources import rows_of
from watchword.web.sparkline import Hour, sparkline

router = APIRouter()
SHOWN = 25
ODD = 12
MOST = 500
INCIDENTS = 10
MOST_INCIDENTS = 60
DAY = timedelta(hours=24)


@router.get("/")
def overview(ask: Asked) -> Response:
    """Show the page."""
    position = ask.watchword.ledger.last_position()
    return ask.page("overview/overview.html", position=position, **(needs_context(ask) | response_context(ask) | side_context(ask)))


def needs_context(ask: Ask) -> dict[str, Any]:
    """Return the findings that call a person and that nobody has acknowledged, the worst first, of like ones the newest."""
    found = ask.watchword.findings.list(FindingFilter(work=(WorkState.OPEN,), mode=Mode.PAGE), limit=MOST)
    found.sort(key=_order, reverse=True)
    odd = ask.watchword.findings.list(FindingFilter(work=(WorkState.OPEN,), mode=Mode.RISK), limit=ODD)
    return {"needs": found[:SHOWN], "waiting": len(found), "most": MOST, "odd": odd, **_heard(ask)}


def response_context(ask: Ask) -> dict[str, Any]:
    """Return the open incidents that need a person, those first whose next step is overdue; and what waits for approval."""
    rows = ask.watchword.response.incidents.list(IncidentFilter(open=True), limit=MOST_INCIDENTS + 1)
    shown = sorted(rows[:MOST_INCIDENTS], key=lambda row: (row.incident.severity, not row.next_step.overdue, row.incident.opened_at))
    return {
        "incidents": shown[:INCIDENTS],
        "more_incidents": len(rows) > INCIDENTS,
        "open_incidents": sum(ask.watchword.response.incidents.reader.counts().values()),
        "asked": len(ask.watchword.response.approvals.waiting(ask.who.team.value)) if ask.may(Permission.APPROVE) else 0,
    }


def _order(kept: KeptFinding) -> tuple[int, Any, str]:
    return kept.finding.severity, kept.finding.time, kept.finding.uid


def _heard(ask: Ask) -> dict[str, Any]:
    rows = rows_of(ask)
    return {"silent": [row for row in rows if row.voice in {Voice.SILENT, Voice.NEVER}], "sources": len(rows)}


def side_context(ask: Ask) -> dict[str, Any]:
    """Return what stands beside the list."""
    findings = ask.watchword.findings
    rows = rows_of(ask)
    risk = findings.counts(FindingFilter(work=(WorkState.OPEN,), mode=Mode.RISK, since=ask.now - DAY))
    held = findings.counts(FindingFilter(work=(WorkState.ACKNOWLEDGED,)))
    return {
        **_heard(ask),
        "on_duty": ask.watchword.accounts.logged_in(),
        **duty_context(ask),
        "risk": sum(risk.values()),
        "held": sum(held.values()),
        **_hours(ask, rows),
        **glance(ask),
    }


def _hours(ask: Ask, rows: list[Any]) -> dict[str, Any]:
    known = known_sides(rows)
    try:
        counts = hourly(ask, DAY)
    except Unavailable as error:
        return {"spark": "", "events": None, "physical": None, "trouble": str(error)}
    hours = [Hour(at, it if it or known[Domain.IT] else None, phys if phys or known[Domain.PHYSICAL] else None) for at, it, phys in counts]
    return {
        "spark": sparkline(hours, ask.zone_at()),
        "events": sum(it for _, it, _ in counts),
        "physical": sum(phys for _, _, phys in counts),
        "trouble": "",
    }
