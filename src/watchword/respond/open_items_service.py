"""Open items: what runs, approvals, temporary states and pages leave open in an incident, for its page and for hand-overs."""

from typing import Final

from sqlalchemy import Connection, select

from watchword.respond.action_tables import action, approval
from watchword.respond.escalation import Status
from watchword.respond.evidence_rows_service import merged_into
from watchword.respond.evidence_tables import evidence
from watchword.respond.hand_over import ItemKind, OpenItem
from watchword.respond.paging_tables import page, page_track
from watchword.respond.run_tables import playbook_run, run_timer, run_wait

CALLED: Final = (Status.CALLING.value, Status.GIVEN_UP.value)
MOST: Final = 200
"""Of one kind: a list that nobody can acknowledge item by item helps nobody."""


def waits_of(connection: Connection, incident: str) -> list[OpenItem]:
    """Return the steps that wait for a person."""
    query = (
        select(run_wait.c.run, run_wait.c.path, run_wait.c.title, run_wait.c.team)
        .join(playbook_run, playbook_run.c.uid == run_wait.c.run)
        .where(playbook_run.c.incident == incident, run_wait.c.closed_at.is_(None), run_wait.c.kind == "person")
        .order_by(run_wait.c.opened_at)
        .limit(MOST)
    )
    rows = connection.execute(query)
    return [OpenItem(ItemKind.WAIT, f"{row.run}:{row.path}", row.title, team=row.team, link=f"/runs/{row.run}") for row in rows]


def approvals_of(connection: Connection, incident: str) -> list[OpenItem]:
    """Return the requests for approval that wait."""
    query = (
        select(approval.c.uid, approval.c.body, approval.c.expires_at)
        .where(approval.c.incident == incident, approval.c.state == "waiting")
        .order_by(approval.c.expires_at)
        .limit(MOST)
    )
    rows = connection.execute(query)
    return [OpenItem(ItemKind.APPROVAL, row.uid, _deed(row.body), row.expires_at, link=f"/approvals/{row.uid}") for row in rows]


def timers_of(connection: Connection, incident: str) -> list[OpenItem]:
    """Return the timers of people's steps that have not run out."""
    query = (
        select(run_timer.c.run, run_timer.c.path, run_timer.c.clock, run_timer.c.due_at)
        .join(playbook_run, playbook_run.c.uid == run_timer.c.run)
        .where(playbook_run.c.incident == incident, run_timer.c.closed_at.is_(None), run_timer.c.kind == "sla")
        .order_by(run_timer.c.due_at)
        .limit(MOST)
    )
    rows = connection.execute(query)
    return [
        OpenItem(ItemKind.TIMER, f"{row.run}:{row.path}:{row.clock}", f"clock {row.clock!r} runs", row.due_at, link=f"/runs/{row.run}")
        for row in rows
    ]


def temporary_of(connection: Connection, incident: str) -> list[OpenItem]:
    """Return the states in force that were set for a time."""
    query = (
        select(action.c.uid, action.c.body, action.c.revert_at)
        .where(action.c.incident == incident, action.c.revert_at.is_not(None), action.c.ended_at.is_(None), action.c.state != "open")
        .order_by(action.c.revert_at)
        .limit(MOST)
    )
    link = f"/incidents/{incident}#actions"
    return [OpenItem(ItemKind.TEMPORARY_ACTION, row.uid, _deed(row.body), row.revert_at, link=link) for row in connection.execute(query)]


def pages_of(connection: Connection, incident: str) -> list[OpenItem]:
    """Return the pages that some team has not taken."""
    query = (
        select(page.c.uid, page.c.title, page_track.c.team)
        .join(page_track, page_track.c.page == page.c.uid)
        .where(page.c.incident == incident, page_track.c.status.in_(CALLED))
        .order_by(page.c.made)
        .limit(MOST)
    )
    link = f"/incidents/{incident}#reached"
    rows = connection.execute(query)
    return [OpenItem(ItemKind.UNANSWERED_PAGE, f"{row.uid}:{row.team}", row.title, None, row.team, link=link) for row in rows]


def evidence_of(connection: Connection, incident: str) -> list[OpenItem]:
    """Return the evidence in hand: custody is handed over with it."""
    query = (
        select(evidence.c.uid, evidence.c.name, evidence.c.custodian, evidence.c.offered_to)
        .where(evidence.c.incident.in_(merged_into(connection, incident)), evidence.c.released.is_(False))
        .order_by(evidence.c.acquired_at, evidence.c.uid)
        .limit(MOST)
    )
    found = []
    for row in connection.execute(query):
        text = f"{row.name}, in the hands of {row.custodian}" + (f", offered to {row.offered_to}" if row.offered_to else "")
        found.append(OpenItem(ItemKind.EVIDENCE, row.uid, text, owner=row.custodian, link=f"/evidence/{row.uid}"))
    return found


ALL: Final = (waits_of, approvals_of, timers_of, temporary_of, pages_of, evidence_of)


def _deed(body: dict[str, str]) -> str:
    return f"{body.get('verb', '')} on {body.get('target', '')}"
