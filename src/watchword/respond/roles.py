"""Roles in an incident: one person each, and the warnings when that is not so."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchword.model import Team
from watchword.model.incident import IncidentRole

EMPTY_AFTER = timedelta(minutes=10)
"""A needed role may be empty so long."""
WORDS = {
    IncidentRole.LEAD: "lead",
    IncidentRole.DEPUTY: "deputy",
    IncidentRole.SCRIBE: "scribe",
    IncidentRole.IT_LEAD: "IT team lead",
    IncidentRole.PHYSICAL_LEAD: "physical team lead",
    IncidentRole.EXPERT: "expert",
    IncidentRole.INTERNAL_LIAISON: "internal liaison",
    IncidentRole.EXTERNAL_LIAISON: "external liaison",
    IncidentRole.EVIDENCE_CUSTODIAN: "evidence custodian",
    IncidentRole.SAFETY_OFFICER: "safety officer",
}
SAFETY_WORDS = ("door", "lift", "alarm", "zone", "fire")
"""What a deed touches that needs a safety officer: first part of a catalogue verb, or a word of a timeline entry's references."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Who holds a role, and since when."""

    role: IncidentRole
    person: str
    since: datetime
    until: datetime | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class RoleWarning:
    """One thing that is wrong with the roles."""

    code: str
    """``doubled``, ``lead-executes``, ``empty`` or ``no-safety-officer``."""
    role: IncidentRole
    person: str
    text: str


def needed(severity: int, teams: Collection[Team], *, safety: bool) -> tuple[IncidentRole, ...]:
    """Return the roles that an incident needs: a lead; from severity 2 on a deputy, a scribe and each team's lead; at 1 liaison too."""
    found = [IncidentRole.LEAD]
    if severity <= 2:
        found += [IncidentRole.DEPUTY, IncidentRole.SCRIBE]
        found += [role for team, role in ((Team.IT, IncidentRole.IT_LEAD), (Team.PHYSICAL, IncidentRole.PHYSICAL_LEAD)) if team in teams]
    if severity == 1:
        found.append(IncidentRole.INTERNAL_LIAISON)
    if safety:
        found.append(IncidentRole.SAFETY_OFFICER)
    return tuple(found)


def warnings(
    holdings: Sequence[Holding],
    *,
    severity: int,
    teams: Collection[Team],
    safety: bool,
    executed_by: Collection[str],
    since: datetime,
    now: datetime,
) -> list[RoleWarning]:
    """Return what is wrong with the roles, in the order of the roles.

    Args:
        holdings: Who holds what now; those that have ended are left out.
        severity: Of the incident.
        teams: Its teams.
        safety: Whether a door, lift or alarm is involved.
        executed_by: Who carried out steps or actions.
        since: From when on the roles should be filled: its declaration, else its opening.
        now: The present moment.
    """
    held = [one for one in holdings if one.until is None]
    by_person: dict[str, list[IncidentRole]] = defaultdict(list)
    for one in held:
        by_person[one.person].append(one.role)
    found = []
    for person, roles in sorted(by_person.items()):
        if len(roles) > 1:
            said = " and ".join(WORDS[role] for role in sorted(roles, key=list(IncidentRole).index))
            found.append(RoleWarning("doubled", roles[0], person, f"{person} is {said}: one person, one role. Hand one over."))
    for one in held:
        if one.role is IncidentRole.LEAD and one.person in executed_by:
            text = f"{one.person} leads and carries out steps: leave the steps to the teams, or hand over the lead."
            found.append(RoleWarning("lead-executes", one.role, one.person, text))
    filled = {one.role for one in held}
    for role in needed(severity, teams, safety=safety):
        if role in filled:
            continue
        if role is IncidentRole.SAFETY_OFFICER:
            found.append(RoleWarning("no-safety-officer", role, "", "A door, lift or alarm is involved: name a safety officer now."))
        elif now - since > EMPTY_AFTER:
            minutes = int((now - since).total_seconds() // 60)
            found.append(RoleWarning("empty", role, "", f"No {WORDS[role]} for {minutes} min: name one."))
    order = list(IncidentRole)
    return sorted(found, key=lambda one: (order.index(one.role), one.code, one.person))
