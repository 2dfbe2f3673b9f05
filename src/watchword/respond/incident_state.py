"""The state of an incident and the durations between its moments, derived from the series of what was learnt about each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchword.kit.errors import InputError
from watchword.model import Team
from watchword.model.incident import PER_TEAM, IncidentState, Moment, MomentEntry
from watchword.respond.speaker import PROGRAM

MACHINES = frozenset({"machine", "system", "rule", "playbook", "auto", "triage", "watchword"})
"""Sources and writers that are no person: their acknowledgement is no t4, their deed no t5."""
MACHINE_PREFIXES = ("machine:", "system:", "rule:", "playbook:", "run:", "token:")
FUTURE = timedelta(minutes=5)
"""A moment may lie so far ahead of the clock: clocks differ."""
STALE: Mapping[int, timedelta] = {
    1: timedelta(minutes=15),
    2: timedelta(minutes=30),
    3: timedelta(hours=4),
    4: timedelta(hours=24),
}
"""Severity → how long an acknowledgement holds without a first deed of that team."""

Key = tuple[Moment, str]
"""Moment and team; team '' for those that are the incident's."""


@dataclass(frozen=True, slots=True)
class Duration:
    """One derived duration, with the moments that it runs between."""

    name: str
    value: timedelta | None
    """None: one of its moments is not known yet."""
    uncertainty: timedelta
    """Half-width: the sum of both moments'."""
    since: MomentEntry | None
    until: MomentEntry | None

    @property
    def running(self) -> bool:
        """Tell whether it has begun and not ended: such a one is censored, not missing."""
        return self.since is not None and self.until is None


def is_person(name: str) -> bool:
    """Tell whether a writer or source is a person."""
    return bool(name) and name not in MACHINES and not name.startswith(MACHINE_PREFIXES) and PROGRAM not in name


def counts(entry: MomentEntry) -> bool:
    """Tell whether an entry says what its moment means.

    A t4 counts when a person acknowledged: entered by hand, or recorded by a machine that names who did as evidence. A t7 counts with the
    read-back, or what else proves it, as evidence.
    """
    if entry.at is None:
        return False
    if entry.moment is Moment.ACKNOWLEDGED:
        return entry.manual or (is_person(entry.source) and is_person(entry.evidence))
    if entry.moment is Moment.CONTAINED:
        return bool(entry.evidence)
    return True


def current(series: Iterable[MomentEntry]) -> dict[Key, MomentEntry]:
    """Return the entry in force for each moment (and team): the last that a person made, else the last that counts.

    `series` is in order of entry. A machine's later entry never displaces a person's; a void entry ends what stands before it,
    whoever made that.
    """
    found: dict[Key, MomentEntry] = {}
    for entry in series:
        key = (entry.moment, entry.team if entry.moment in PER_TEAM else "")
        if entry.at is None:
            found.pop(key, None)
        elif counts(entry) and (entry.manual or key not in found or not found[key].manual):
            found[key] = entry
    return found


def at(now: Mapping[Key, MomentEntry], moment: Moment, team: str = "") -> datetime | None:
    """Return when a moment was; of a moment that each team has, without a team: the earliest of the teams'."""
    if moment in PER_TEAM and not team:
        return min((entry.at for (kind, _), entry in now.items() if kind is moment and entry.at is not None), default=None)
    entry = now.get((moment, team))
    return entry.at if entry is not None else None


def state_of(now: Mapping[Key, MomentEntry]) -> IncidentState:
    """Return the state: triage → active (t6) → contained (t7) → restored (t9) → closed (t10) → learned (t12, once closed)."""
    have = {moment for moment, _ in now}
    if Moment.CLOSED in have:
        return IncidentState.LEARNED if Moment.LEARNED in have else IncidentState.CLOSED
    for moment, state in (
        (Moment.RESTORED, IncidentState.RESTORED),
        (Moment.CONTAINED, IncidentState.CONTAINED),
        (Moment.DECLARED, IncidentState.ACTIVE),
    ):
        if moment in have:
            return state
    return IncidentState.TRIAGE


PAIRS: Sequence[tuple[str, Moment, Moment]] = (
    ("dwell", Moment.ONSET, Moment.RAISED),
    ("detect", Moment.SIGNAL, Moment.RAISED),
    ("declare", Moment.RAISED, Moment.DECLARED),
    ("contain", Moment.RAISED, Moment.CONTAINED),
    ("restore", Moment.RAISED, Moment.RESTORED),
    ("learn", Moment.CLOSED, Moment.LEARNED),
)
"""Name → since, until (response.md, section 2). The clock starts at t2; none of them is ever printed as a bare "MTTR"."""


def durations(now: Mapping[Key, MomentEntry]) -> dict[str, Duration]:
    """Return every derived duration by name.

    Per team ``acknowledge:it``, ``engage:physical``; over both ``cross-team lag`` and ``hand-off latency``.
    """
    found = {name: _duration(name, now.get((since, "")), now.get((until, ""))) for name, since, until in PAIRS}
    for team in sorted({team for moment, team in now if moment in PER_TEAM}):
        notified = now.get((Moment.NOTIFIED, team))
        for word, moment in (("acknowledge", Moment.ACKNOWLEDGED), ("engage", Moment.ENGAGED)):
            found[f"{word}:{team}"] = _duration(f"{word}:{team}", notified, now.get((moment, team)))
    for name, moment in (("cross-team lag", Moment.ACKNOWLEDGED), ("hand-off latency", Moment.ENGAGED)):
        pair = [now.get((moment, team.value)) for team in (Team.IT, Team.PHYSICAL)]
        known = sorted(
            ((entry.at, entry.team, entry) for entry in pair if entry is not None and entry.at is not None), key=lambda one: one[:2]
        )
        found[name] = _duration(name, known[0][2] if known else None, known[1][2] if len(known) > 1 else None)
    return found


def _duration(name: str, since: MomentEntry | None, until: MomentEntry | None) -> Duration:
    value = None
    uncertainty = sum((entry.uncertainty for entry in (since, until) if entry is not None), timedelta())
    if since is not None and until is not None and since.at is not None and until.at is not None:
        value = until.at - since.at
    return Duration(name, value, uncertainty, since, until)


def check_moment(entry: MomentEntry, now: datetime, known: Mapping[Key, MomentEntry]) -> None:
    """Refuse an entry that cannot be: in the future, without its team, a containment that nothing proves, an order that cannot be.

    Raises:
        InputError: with what is wrong and what to do.
    """
    name = entry.moment.value
    if entry.moment in PER_TEAM and entry.team not in {team.value for team in Team}:
        raise InputError(f"{name} belongs to a team: say which, it, physical or management.", "team")
    if entry.uncertainty < timedelta():
        raise InputError("An uncertainty is not negative.", "uncertainty")
    if entry.at is None:
        if not entry.reason:
            raise InputError(f"Say why {name} no longer holds.", "reason")
        return
    if entry.at > now + FUTURE:
        raise InputError(f"{name} cannot lie in the future ({entry.at.isoformat()}).", "at")
    if entry.moment is Moment.CONTAINED and not entry.evidence:
        raise InputError("Contained (t7) needs its evidence: the read-back of what was set, or what else proves it.", "evidence")
    _check_order(entry, entry.at, known)


def _check_order(entry: MomentEntry, when: datetime, known: Mapping[Key, MomentEntry]) -> None:
    for earlier, later in ORDER:
        if entry.moment not in {earlier, later}:
            continue
        far = later if entry.moment is earlier else earlier
        there = known.get((far, ""))
        if there is None or there.at is None:
            continue
        one, other = (when, there.at) if far is later else (there.at, when)
        if one > other + entry.uncertainty + there.uncertainty:
            raise InputError(f"{later.value} ({other.isoformat()}) cannot come before {earlier.value} ({one.isoformat()}).", "at")


ORDER: Sequence[tuple[Moment, Moment]] = (
    (Moment.ONSET, Moment.RAISED),
    (Moment.ONSET, Moment.CONTAINED),
    (Moment.ONSET, Moment.RESTORED),
    (Moment.CLOSED, Moment.LEARNED),
)
"""Pairs that can only be in this order, uncertainty allowed for."""
