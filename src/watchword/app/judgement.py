"""Judgement: what people make of a finding, written together with its entry in the audit log."""

from typing import Final

from watchword.app.watchword import Watchword
from watchword.detect.service import Disposition, KeptFinding, Work, WorkState

VERBS: Final = {WorkState.ACKNOWLEDGED: "acknowledge", WorkState.CLOSED: "close", WorkState.OPEN: "reopen"}


def work_on(
    watchword: Watchword,
    uid: str,
    state: WorkState,
    *,
    by: str,
    disposition: Disposition | None = None,
    note: str = "",
    seen: Work | None = None,
) -> KeptFinding:
    """Write how far people are with a finding, and who said so, in one transaction: neither is ever kept without the other.

    Args:
        watchword: Where.
        uid: The finding.
        state: Its new state of work; only a closed one has a disposition, and must.
        by: Who says so, as the audit log names actors.
        disposition: What it was found to be.
        note: Why.
        seen: The work as the person saw it; when it is another by now, the write is refused.

    Raises:
        NotFound: there is no such finding.
        InputError: a closed finding without disposition, or an open one with it.
        Conflict: somebody else wrote in between.
    """
    with watchword.records.begin() as connection:
        done = watchword.findings.record_work(uid, state=state, by=by, disposition=disposition, note=note, seen=seen, connection=connection)
        detail = {"disposition": disposition.value} if disposition else {}
        watchword.audit.write(by, f"finding.{VERBS[state]}", uid, note, detail, connection=connection)
    return done
