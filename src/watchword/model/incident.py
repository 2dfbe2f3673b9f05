"""The incident: people are working on it; with its canonical moments, roles, ratings and timeline entries."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from watchword.model.action import Team


class IncidentState(StrEnum):
    """How far an incident is; always derived from its moments, never set."""

    TRIAGE = "triage"
    ACTIVE = "active"
    """Declared (t6)."""
    CONTAINED = "contained"
    """Contained, verified by read-back (t7)."""
    RESTORED = "restored"
    """Restored, and its owner says so (t9)."""
    CLOSED = "closed"
    """Closed (t10)."""
    LEARNED = "learned"
    """The last corrective action is verified (t12)."""


class Moment(StrEnum):
    """The canonical moments of an incident."""

    ONSET = "t0"
    """Earliest evidence."""
    SIGNAL = "t1"
    """First signal in telemetry."""
    RAISED = "t2"
    """Alert raised: the clock starts here."""
    NOTIFIED = "t3"
    """Notified; one per team."""
    ACKNOWLEDGED = "t4"
    """Acknowledged by a human; one per team."""
    ENGAGED = "t5"
    """First substantive deed (state change, evidence, executed step; not a view); one per team."""
    DECLARED = "t6"
    CONTAINED = "t7"
    """Counts with its evidence only: the read-back."""
    ERADICATED = "t8"
    RESTORED = "t9"
    CLOSED = "t10"
    REVIEWED = "t11"
    LEARNED = "t12"


PER_TEAM = frozenset({Moment.NOTIFIED, Moment.ACKNOWLEDGED, Moment.ENGAGED})
"""Moments that each team has its own of."""


class IncidentRole(StrEnum):
    """What one person does in an incident; one person each."""

    LEAD = "lead"
    DEPUTY = "deputy"
    SCRIBE = "scribe"
    IT_LEAD = "it_lead"
    PHYSICAL_LEAD = "physical_lead"
    EXPERT = "expert"
    INTERNAL_LIAISON = "internal_liaison"
    EXTERNAL_LIAISON = "external_liaison"
    EVIDENCE_CUSTODIAN = "evidence_custodian"
    SAFETY_OFFICER = "safety_officer"
    """Needed once a door, lift or alarm is involved."""


class Closure(StrEnum):
    """What an incident was found to be; the same words as a finding's disposition."""

    TRUE = "true"
    BENIGN = "benign"
    FALSE = "false"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class MomentEntry:
    """One entry of a moment's series: a later and better knowledge is a further entry, never an overwrite."""

    moment: Moment
    at: datetime | None
    """None: the moment is void from here on, as a closure is when the incident is reopened."""
    source: str
    """How it is known: ``finding``, ``page``, ``read-back``, ``paper log``, a product's name."""
    manual: bool = False
    """A person said so, else a machine recorded it."""
    uncertainty: timedelta = timedelta()
    """Half-width: the true moment lies within `at` ± this."""
    evidence: str = ""
    """Uid or words of what proves it; of an acknowledgement: who acknowledged."""
    team: str = ""
    """Of t3, t4 and t5."""
    recorded_by: str = ""
    entered_at: datetime | None = None
    reason: str = ""
    """Why it was revised or voided."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One link of an incident's timeline, append-only and hash-chained."""

    incident: str
    seq: int
    """From 1 without gaps."""
    kind: str
    """A word: ``finding``, ``note``, ``said``, ``moment``, ``step``, ``action``, ``page``, ``approval``, ``evidence``, ``role`` …"""
    text: str
    occurred_at: datetime
    """When it happened."""
    entered_at: datetime
    """When it was written here."""
    recorded_by: str
    """Who wrote it."""
    team: str = ""
    refs: Mapping[str, str] = field(default_factory=dict)
    """Word → uid of what it is about."""
    corrects: int = 0
    """Seq of the entry that this one corrects; 0: none. The corrected entry stays."""
    head: str = ""
    """Hash chain head after this entry (64 hex digits)."""


@dataclass(frozen=True, slots=True)
class Rating:
    """How grave, by what is at stake: 1 gravest to 4. The incident's severity is the gravest of them, no sum."""

    people: int = 4
    operations: int = 4
    data: int = 4
    money: int = 4
    law: int = 4
    in_doubt: tuple[str, ...] = ()
    """Names of those that the assessor was not sure of: they count one graver."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What people are working on: findings of one story, with its state, severity, teams and lead."""

    uid: str
    number: int
    """For people: counts from 1 without reuse."""
    title: str
    state: IncidentState
    severity: int
    """1 gravest to 4."""
    opened_at: datetime
    """When it was opened here."""
    because: str
    """Why it was opened, in one sentence."""
    findings: tuple[str, ...] = ()
    """Uids, oldest first."""
    teams: tuple[Team, ...] = ()
    lead: str = ""
    """Account name; '' while nobody leads."""
    exercise: bool = False
    merged_into: str = ""
    """Uid of the incident that took this one up."""
    reopened: int = 0
    """How often."""
    declared_severity: int = 0
    """As set at declaration; 0: not yet."""
    closing_severity: int = 0
    """As set at closure; 0: not yet."""
    closure: Closure | None = None
    safety: bool = False
    """Whether a door, lift or alarm is involved."""
    places: tuple[str, ...] = ()
    summary: str = ""
    """What people write about it, newest version."""
    opened_by: str = ""
    changed_at: datetime | None = None
    entries: int = 0
    """How many timeline entries it has."""

    @property
    def open(self) -> bool:
        """Tell whether people still work on it."""
        return not self.merged_into and self.state not in {IncidentState.CLOSED, IncidentState.LEARNED}
