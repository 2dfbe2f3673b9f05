"""Papers: reports and offline runbooks as PDF."""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from watchword.app.paper import incident_paper, period_paper
from watchword.app.runbook import playbook_paper
from watchword.kit.errors import InputError, NotFound
from watchword.respond.library_view import slug_of
from watchword.web.pages import Asked, Responding

router = APIRouter()
LONGEST: Final = 366


def pdf(content: bytes, name: str) -> Response:
    """Answer with a PDF."""
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}.pdf"'})


@router.get("/incidents/{uid}/report/{kind}.pdf")
def incident_report(ask: Asked, uid: str, kind: str) -> Response:
    """Print a report on an incident: executive, tactical, or everything with its timeline."""
    try:
        content = incident_paper(ask.watchword, uid, kind)
    except InputError as error:
        raise NotFound(str(error)) from error
    ask.watchword.audit.write(ask.who.actor, "report.print", uid, detail={"kind": kind})
    return pdf(content, f"incident-{uid[:8]}-{kind}")


@router.get("/reports/{kind}.pdf")
def period_report(ask: Asked, kind: str, days: int = 30) -> Response:
    """Print the executive or the tactical report of the last days."""
    if not 1 <= days <= LONGEST:
        raise InputError(f"a period has 1 to {LONGEST} days", "days")
    try:
        content = period_paper(ask.watchword, kind, ask.now - timedelta(days=days), ask.now)
    except InputError as error:
        raise NotFound(str(error)) from error
    ask.watchword.audit.write(ask.who.actor, "report.print", detail={"kind": kind, "days": days})
    return pdf(content, f"{kind}-{ask.now:%Y-%m-%d}")


@router.get("/playbooks/{id}/paper.pdf")
def runbook(ask: Responding, id: str, version: str = "") -> Response:  # noqa: A002 - the standard's word for it
    """Print the offline runbook of a playbook; colleagues' telephone numbers stand on it, so it is for those who respond."""
    kept = ask.watchword.response.library.get(id, version)
    content = playbook_paper(ask.watchword, kept)
    ask.watchword.audit.write(ask.who.actor, "playbook.print", kept.id, detail={"version": kept.modified})
    return pdf(content, slug_of(kept.name)[:80] or "runbook")
