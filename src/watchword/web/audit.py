"""Audit: who read or did what, and whether the chain holds."""

from fastapi import APIRouter
from starlette.responses import Response

from watchword.app.questions import read_moment
from watchword.kit.errors import InputError
from watchword.web.pages import Auditing

router = APIRouter()
ROWS = 100
LARGEST_SEQ = 2**31 - 1


@router.get("/audit")
def audit(ask: Auditing, actor: str = "", action: str = "", target: str = "", since: str = "", before: str = "") -> Response:
    """List entries, newest first, with the outcome of the last verification."""
    fault, first = "", None
    try:
        first = read_moment(since, ask.now) if since.strip() else None
    except InputError as error:
        fault = str(error)
    position = int(before) if before.isascii() and before.isdigit() and int(before) <= LARGEST_SEQ else None
    log = ask.watchword.audit
    entries = log.entries(before=position, limit=ROWS + 1, actor=actor.strip(), action=action.strip(), target=target.strip(), since=first)
    seq, head = log.head()
    return ask.page(
        "audit/list.html",
        422 if fault else 200,
        entries=entries[:ROWS],
        older=entries[ROWS - 1].seq if len(entries) > ROWS else None,
        check=log.last_check(),
        seq=seq,
        head=head,
        filters={"actor": actor, "action": action, "target": target, "since": since},
        fault=fault,
        newest=position is None,
    )


@router.post("/audit/verify")
def verify(ask: Auditing) -> Response:
    """Verify the chain now and keep the outcome."""
    outcome = ask.watchword.audit.check()
    ask.watchword.audit.write(ask.who.actor, "audit.verify", detail={"entries": outcome.entries, "problems": len(outcome.problems)})
    return ask.see("/audit")
