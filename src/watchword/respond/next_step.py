"""What is next in an incident and who owes it: the first thing on its page, and what stands in the way of closing it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from watchword.model import Team
from watchword.model.incident import Closure, IncidentRole, Moment
from watchword.respond.hand_over import ItemKind, OpenItem
from watchword.respond.incident_state import at
from watchword.respond.incident_view import IncidentView, Owed, TeamTimes

ACKNOWLEDGE_WITHIN = {1: timedelta(minutes=5), 2: timedelta(minutes=15), 3: timedelta(hours=4), 4: timedelta(hours=24)}
"""Severity → how soon after t2 each team acknowledges."""
ENGAGE_WITHIN = {1: timedelta(minutes=15), 2: timedelta(minutes=30), 3: timedelta(hours=4), 4: timedelta(hours=24)}
DECLARE_WITHIN = {1: timedelta(minutes=15), 2: timedelta(minutes=30), 3: timedelta(hours=8), 4: timedelta(hours=48)}
REVIEW_DAYS = 3
"""Calendar days to the review of a severity 1."""
REVIEW_BUSINESS_DAYS = 5
"""Business days to that of a severity 2; the others need none."""
SATURDAY = 5
ITEM_WORDS = {
    ItemKind.APPROVAL: "Decide",
    ItemKind.UNANSWERED_PAGE: "Answer the page",
    ItemKind.WAIT: "Do",
    ItemKind.TASK: "Do",
    ItemKind.TEMPORARY_ACTION: "In force for a time",
    ItemKind.RATING: "Confirm or refuse the downgrade",
    ItemKind.EVIDENCE: "Evidence in hand",
    ItemKind.TIMER: "Timer",
}
ASKING = (ItemKind.APPROVAL, ItemKind.RATING, ItemKind.WAIT, ItemKind.TASK)
"""Kinds that ask somebody for something, in the order in which they are offered."""
IN_THE_WAY = (ItemKind.APPROVAL, ItemKind.WAIT, ItemKind.TEMPORARY_ACTION, ItemKind.TASK, ItemKind.RATING)
"""Kinds that stand in the way of closing."""


def owed(view: IncidentView, now: datetime) -> tuple[Owed, ...]:
    """Return what is next, most pressing first; never empty.

    Unacknowledged, then not engaged, then a hand-over under way, then nobody leading, then what others wait for (approvals before
    steps before tasks, the earliest due first), then the next moment that is missing.
    """
    incident = view.incident
    if incident.merged_into:
        return (Owed("merged", "Merged into another incident: work on that one.", link=f"/incidents/{incident.merged_into}"),)
    found: list[Owed] = []
    if incident.open:
        found += _unanswered(view, now)
        found += [
            Owed(
                "hand-over",
                f"Acknowledge {len(hand.left)} open item{'s' * (len(hand.left) != 1)} of the hand-over from {hand.outgoing}."
                if hand.left
                else f"Finish the hand-over from {hand.outgoing}.",
                person=hand.incoming,
            )
            for hand in view.hand_overs
        ]
        if not incident.lead:
            found.append(Owed("lead", "Take the lead: nobody leads.", due=incident.opened_at + timedelta(minutes=10)))
        found += _asked(view.open_items)
        found.append(_next_moment(view))
    else:
        found.append(_after_closure(view))
    return tuple(_marked(one, now) for one in found)


def next_step(view: IncidentView, now: datetime) -> Owed:
    """Return what is next and who owes it."""
    return owed(view, now)[0]


def closing_faults(view: IncidentView, closure: Closure) -> list[str]:
    """Return what stands in the way of closing, all at once; an incident that turned out to be nothing needs no containment."""
    faults = []
    if not any(team.acknowledged_at for team in view.teams):
        faults.append("no person has acknowledged it")
    if closure is Closure.TRUE:
        for moment, words in ((Moment.DECLARED, "declared"), (Moment.CONTAINED, "contained, with evidence"), (Moment.RESTORED, "restored")):
            if at(view.moments, moment) is None:
                faults.append(f"it is not {words} ({moment.value})")
    faults += [f"a hand-over to {hand.incoming} is under way" for hand in view.hand_overs]
    faults += [f"open {item.kind.value.replace('_', ' ')}: {item.text}" for item in view.open_items if item.kind in IN_THE_WAY]
    return faults


def review_due(severity: int, closed_at: datetime) -> datetime | None:
    """Return when the review is due: 3 calendar days (severity 1) or 5 business days (severity 2) after closure, else None."""
    if severity == 1:
        return closed_at + timedelta(days=REVIEW_DAYS)
    if severity != 2:
        return None
    due, left = closed_at, REVIEW_BUSINESS_DAYS
    while left:
        due += timedelta(days=1)
        left -= due.weekday() < SATURDAY
    return due


def _marked(one: Owed, now: datetime) -> Owed:
    overdue = one.due is not None and one.due < now
    return Owed(one.code, one.text, one.team, one.person, one.due, overdue, one.link) if overdue else one


def _unanswered(view: IncidentView, now: datetime) -> list[Owed]:
    del now
    incident = view.incident
    raised = at(view.moments, Moment.RAISED) or incident.opened_at
    found = []
    for team in _teams(view):
        if team.acknowledged_at is None:
            due = (team.notified_at or raised) + ACKNOWLEDGE_WITHIN[incident.severity]
            found.append(Owed("acknowledge", "Acknowledge: say that a person has it.", team.team, due=due))
        elif team.engaged_at is None:
            due = team.acknowledged_at + ENGAGE_WITHIN[incident.severity]
            text = "First deed: change a state, secure evidence, or do a step."
            found.append(Owed("engage", text, team.team, team.acknowledged_by, due))
    return sorted(found, key=lambda one: (one.code != "acknowledge", one.due, one.team))


def _teams(view: IncidentView) -> list[TeamTimes]:
    known = {team.team: team for team in view.teams}
    return [known.get(team.value, TeamTimes(team.value)) for team in view.incident.teams]


def _asked(items: Iterable[OpenItem]) -> list[Owed]:
    asking = [item for item in items if item.kind in ASKING]
    asking.sort(key=lambda one: (ASKING.index(one.kind), one.due is None, one.due, one.uid))
    return [
        Owed(item.kind.value, f"{ITEM_WORDS[item.kind]}: {item.text}", item.team, item.owner, item.due, link=item.link) for item in asking
    ]


def _next_moment(view: IncidentView) -> Owed:
    incident, lead = view.incident, view.incident.lead
    have = {moment for moment, _ in view.moments}
    if Moment.DECLARED not in have:
        raised = at(view.moments, Moment.RAISED) or incident.opened_at
        due = raised + DECLARE_WITHIN[incident.severity]
        return Owed("declare", "Decide: declare it, or close it as benign or false.", person=lead, due=due)
    if Moment.CONTAINED not in have:
        team = incident.teams[0].value if incident.teams and not lead else ""
        return Owed("contain", "Contain it, and record the read-back that proves it.", team, lead)
    if Moment.ERADICATED not in have and Moment.RESTORED not in have:
        return Owed("eradicate", "Remove what let it happen, or say that nothing is left to remove.", person=lead)
    if Moment.RESTORED not in have:
        return Owed("restore", "Restore, and let the owner confirm it.", person=lead)
    return Owed("close", "Close it: rate its severity once more and say what it was.", person=lead)


def _after_closure(view: IncidentView) -> Owed:
    incident = view.incident
    closed = at(view.moments, Moment.CLOSED)
    due = review_due(incident.closing_severity or incident.severity, closed) if closed is not None else None
    if due is not None and at(view.moments, Moment.REVIEWED) is None:
        owner = next((held.person for held in view.roles if held.role is IncidentRole.LEAD and held.until is None), incident.lead)
        return Owed("review", "Hold the review, with both teams.", person=owner, due=due)
    if at(view.moments, Moment.REVIEWED) is not None and at(view.moments, Moment.LEARNED) is None:
        return Owed("learn", "Verify the last corrective action.", Team.MANAGEMENT.value)
    return Owed("nothing", "Nothing is left to do.")
