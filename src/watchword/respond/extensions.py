"""What we add to CACAO playbooks, as typed views of three extensions: approvals, RACI, timers, evidence, catalogue actions, places.

An engine that does not know these extensions shows the step's ``manual`` command to a person and can move no door.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from watchword.model.action import Hazard, Team
from watchword.model.playbook import AgentTarget, Playbook, Step
from watchword.respond.approval import BY_HAZARD, EXPIRY, ApprovalRule
from watchword.respond.extension_reading import ExtensionFault, Members

__all__ = ["ExtensionFault"]

STEP: Final = "extension-definition--dd38c051-743b-439b-8a43-d07fc55fcab0"
PLAYBOOK: Final = "extension-definition--378719e7-a32f-4f5d-8893-37d99cce695d"
AGENT_TARGET: Final = "extension-definition--818e3f3c-460e-4d80-b810-23a6702da985"
CREATED_BY: Final = "identity--4f4c9a52-0a07-4f8e-9a5f-2f1f0f0b7d31"
"""Watchword's own identity, which its extensions and shipped playbooks name as their maker."""
DEFINITIONS: Final[Mapping[str, Mapping[str, str]]] = {
    identifier: {
        "type": "extension-definition",
        "name": f"Watchword {what}",
        "description": description,
        "created_by": CREATED_BY,
        "schema": "docs/reference/playbooks.md",
        "version": "1.0.0",
    }
    for identifier, what, description in (
        (STEP, "step", "Approvals, RACI, timers, evidence, catalogue action and exercise rules of a step"),
        (PLAYBOOK, "playbook", "Teams, triggers, review and drill dates of a playbook"),
        (AGENT_TARGET, "agent and target", "The place, door, asset or person that an agent or target is"),
    )
}
"""What to put under ``extension_definitions`` for each of ours that a playbook uses."""
MOST_TURNS: Final = 10_000
MOST_APPROVERS: Final = 10
CLOCKS: Final = frozenset({"acknowledge", "complete"})
ON_BREACH: Final = frozenset({"page", "note"})
STARTS: Final = frozenset({"suggest", "auto"})
_VERB: Final = re.compile(r"[a-z][a-z_]{0,39}\.[a-z][a-z_]{0,39}")


@dataclass(frozen=True, slots=True)
class Approvals:
    """Who must agree before a step acts; more than the catalogue asks for, never less."""

    hazard: Hazard | None = None
    count: int | None = None
    teams: int | None = None
    of: frozenset[str] = frozenset()
    """Teams whose people may answer; empty: all."""
    exclude_requester: bool = True
    expires_after: timedelta = EXPIRY

    @property
    def rule(self) -> ApprovalRule:
        """Return the rule: what the hazard asks for, with what is written beside it in its place."""
        by_hazard = ApprovalRule() if self.hazard is None else BY_HAZARD[self.hazard]
        count = by_hazard.count if self.count is None else self.count
        teams = by_hazard.teams if self.teams is None else self.teams
        return ApprovalRule(count, min(max(teams, 1), count), self.of, self.exclude_requester, self.expires_after)


@dataclass(frozen=True, slots=True)
class Raci:
    """Who does a step, who answers for it, who is asked, who is told: teams, or roles of the incident."""

    responsible: str = ""
    accountable: str = ""
    consulted: tuple[str, ...] = ()
    informed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlaTimer:
    """A time within which people should have come so far."""

    clock: str
    """``acknowledge``: until somebody has taken the step; ``complete``: until it has ended."""
    within: timedelta
    on_breach: str = "page"
    """``page`` or ``note``."""


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """What a record of the step must name."""

    kinds: tuple[str, ...] = ()
    minimum: int = 0


@dataclass(frozen=True, slots=True)
class CatalogueAction:
    """An action of the catalogue with variables still in it."""

    name: str
    """The verb, ``door.secure_ingress``."""
    target: tuple[str, ...] = ()
    """What it acts on, one action each; empty: the uids that the step's targets name."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    revert_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ExerciseRule:
    """Whether a step is carried out in an exercise, against its twin, or only talked through."""

    allowed: bool = True
    twin: str = ""


@dataclass(frozen=True, slots=True)
class StepExtension:
    """What we say of a step."""

    approvals: Approvals | None = None
    raci: Raci | None = None
    sla_timers: tuple[SlaTimer, ...] = ()
    evidence: EvidenceRule | None = None
    catalogue_action: CatalogueAction | None = None
    loop_limit: int | None = None
    continue_on_failure: bool = False
    exercise: ExerciseRule | None = None
    mapped_from: Mapping[str, Any] | None = None
    """The foreign command or agent that this step had before it was mapped, whole."""


@dataclass(frozen=True, slots=True)
class Triggers:
    """Which findings a playbook answers."""

    rules: tuple[str, ...] = ()
    start: str = "suggest"
    """``suggest`` to the people on the incident, or ``auto``."""


@dataclass(frozen=True, slots=True)
class PlaybookExtension:
    """What we say of a playbook."""

    teams: tuple[str, ...] = ()
    review_due: date | None = None
    drilled_at: datetime | None = None
    triggers: Triggers | None = None


@dataclass(frozen=True, slots=True)
class AgentTargetExtension:
    """The uid of what an agent or target is in the site file; at most one is usual."""

    place: str = ""
    door: str = ""
    asset: str = ""
    person: str = ""


def step_extension(step: Step) -> StepExtension:
    """Return what we say of a step; all at its default where nothing is.

    Raises:
        ExtensionFault: something cannot be read. Lint says the same, so a playbook without lint errors never raises.
    """
    return read_step_extension(step.step_extensions.get(STEP, {}))


def playbook_extension(playbook: Playbook) -> PlaybookExtension:
    """Return what we say of a playbook.

    Raises:
        ExtensionFault: as `step_extension`.
    """
    return read_playbook_extension(playbook.playbook_extensions.get(PLAYBOOK, {}))


def agent_target_extension(agent: AgentTarget) -> AgentTargetExtension:
    """Return what we say of an agent or target.

    Raises:
        ExtensionFault: as `step_extension`.
    """
    return read_agent_target_extension(agent.agent_target_extensions.get(AGENT_TARGET, {}))


def read_step_extension(value: Mapping[str, Any]) -> StepExtension:
    """Read the object under our step extension.

    Raises:
        ExtensionFault: a member is unknown, or its value is none; all faults at once. A misspelt safeguard must not fall away in silence.
    """
    members = Members(value)
    found = StepExtension(
        approvals=members.part("approvals", _approvals),
        raci=members.part("raci", _raci),
        sla_timers=members.parts("sla_timers", _sla_timer),
        evidence=members.part("evidence", _evidence),
        catalogue_action=members.part("catalogue_action", _catalogue_action),
        loop_limit=members.number("loop_limit", 1, MOST_TURNS),
        continue_on_failure=members.flag("continue_on_failure", default=False),
        exercise=members.part("exercise", _exercise),
        mapped_from=members.anything("mapped_from"),
    )
    members.finish()
    return found


def read_playbook_extension(value: Mapping[str, Any]) -> PlaybookExtension:
    """Read the object under our playbook extension.

    Raises:
        ExtensionFault: as `read_step_extension`.
    """
    members = Members(value)
    found = PlaybookExtension(
        teams=members.words("teams", among=frozenset(Team)),
        review_due=members.day("review_due"),
        drilled_at=members.moment("drilled_at"),
        triggers=members.part("triggers", _triggers),
    )
    members.finish()
    return found


def read_agent_target_extension(value: Mapping[str, Any]) -> AgentTargetExtension:
    """Read the object under our agent and target extension.

    Raises:
        ExtensionFault: as `read_step_extension`.
    """
    members = Members(value)
    found = AgentTargetExtension(**{name: members.text(name) for name in ("place", "door", "asset", "person")})
    members.finish()
    return found


def _approvals(members: Members) -> Approvals:
    hazard = members.hazard("hazard")
    count = members.number("count", 0, MOST_APPROVERS)
    teams: int | None = None
    of: tuple[str, ...] = ()
    if isinstance(members.peek("teams"), list):
        of = members.words("teams", among=frozenset(Team))
        teams = len(set(of))
    else:
        teams = members.number("teams", 0, len(Team))
    if hazard is None and count is None:
        members.wrong("says neither hazard nor count", "count")
    if teams is not None and count is not None and teams > count and not of:
        members.wrong(f"{count} people cannot be of {teams} teams", "teams")
    exclude = members.flag("exclude_requester", default=True)
    expires = members.duration("expires_after", needed=False)
    return Approvals(hazard, count, teams, frozenset(of), exclude, EXPIRY if expires is None else expires)


def _raci(members: Members) -> Raci:
    return Raci(members.text("responsible"), members.text("accountable"), members.words("consulted"), members.words("informed"))


def _sla_timer(members: Members) -> SlaTimer:
    clock = members.choice("clock", CLOCKS, "")
    within = members.duration("within", needed=True)
    return SlaTimer(clock, timedelta() if within is None else within, members.choice("on_breach", ON_BREACH, "page"))


def _evidence(members: Members) -> EvidenceRule:
    kinds = members.words("kinds")
    minimum = members.number("minimum", 0, 100)
    return EvidenceRule(kinds, (1 if kinds else 0) if minimum is None else minimum)


def _catalogue_action(members: Members) -> CatalogueAction:
    name = members.text("name")
    if not _VERB.fullmatch(name):
        members.wrong("is no verb of the catalogue, such as door.secure_ingress", "name")
    target = members.peek("target")
    if isinstance(target, str):
        members.text("target")
        targets: tuple[str, ...] = (target,)
    else:
        targets = members.words("target")
    return CatalogueAction(name, targets, members.texts("parameters"), members.duration("revert_after", needed=False))


def _exercise(members: Members) -> ExerciseRule:
    return ExerciseRule(members.flag("allowed", default=True), members.text("twin"))


def _triggers(members: Members) -> Triggers:
    return Triggers(members.words("rules"), members.choice("start", STARTS, "suggest"))
