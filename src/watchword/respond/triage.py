"""Triage: which findings are one story, which story opens an incident, and which open incident a finding joins.

Two findings are one story when both name the same person, credential, asset or external address within a day, or when they happen in
one zone within the hour (or in two zones with a door between them within a quarter of one) and stand next to each other on the kill
chain. Stories are the connected groups of that relation, so they depend on the set of findings and not on the order of arrival.
A story opens an incident when one of its findings is worth a page, or when an entity's risk crosses its line.
Incidents that no person has touched follow the stories; between those that people work on, triage only suggests.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watchword.detect.address import OwnNetwork
from watchword.detect.entity_risk import EntityRisk, RiskSettings, crossings, domains_of
from watchword.detect.finding_text import in_words
from watchword.kit.ids import uid_of
from watchword.model import Finding, FindingState, Mode, Team
from watchword.resolve.directory import Directory
from watchword.respond.story import Key, Stories, Trace, trace_of

SEVERITIES = {6: 1, 5: 1, 4: 2, 3: 3}
"""OCSF severity of a finding → severity of an incident, 1 gravest; anything lower is 4."""
NAMED = 3
"""So many shared things a sentence names."""


@dataclass(frozen=True, slots=True)
class TriageSettings:
    """How near findings must be, and what opens an incident."""

    window: timedelta = timedelta(hours=24)
    """Findings that name the same thing are one story within this."""
    zone_window: timedelta = timedelta(hours=1)
    """And neighbours on the kill chain in one zone within this."""
    next_zone_window: timedelta = timedelta(minutes=15)
    page_severity: int = 4
    """OCSF severity from which a finding of mode `page` opens an incident at once."""
    hubs: frozenset[str] = frozenset()
    """Uids of what everybody touches (a proxy, a jump host): sharing it says nothing."""
    risk: RiskSettings = field(default_factory=RiskSettings)


@dataclass(frozen=True, slots=True)
class Case:
    """An open incident as triage sees it."""

    uid: str
    findings: tuple[Finding, ...]
    opened_at: datetime
    touched: bool = False
    """A person has worked on it."""
    apart: frozenset[str] = frozenset()
    """Uids of incidents that a person has parted from it."""
    barred: frozenset[str] = frozenset()
    """Uids of findings that a person has taken out of it."""


@dataclass(frozen=True, slots=True)
class Opening:
    """An incident to open."""

    uid: str
    findings: tuple[Finding, ...]
    """Oldest first."""
    title: str
    """Names no person: pages show it."""
    severity: int
    teams: tuple[Team, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Joining:
    """A finding that joins an incident."""

    finding: Finding
    case: str
    because: str


@dataclass(frozen=True, slots=True)
class Merging:
    """Two incidents that are one story: `taken` goes into `into`, or people are asked whether it should."""

    into: str
    taken: str
    because: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What triage says about a set of findings and the open incidents."""

    openings: tuple[Opening, ...] = ()
    joinings: tuple[Joining, ...] = ()
    mergings: tuple[Merging, ...] = ()
    suggestions: tuple[Merging, ...] = ()
    left: tuple[str, ...] = ()
    """Uids of the findings that stay on their own."""


def severity_of_findings(findings: Iterable[Finding]) -> int:
    """Return the severity, 1 gravest to 4, that the findings alone suggest: that of the gravest."""
    return min((SEVERITIES.get(finding.severity, 4) for finding in findings), default=4)


def teams_of(findings: Iterable[Finding], directory: Directory) -> tuple[Team, ...]:
    """Return the teams whose domain the findings rest on, IT first."""
    domains = {domain.value for finding in findings for domain in domains_of(finding, directory)}
    return tuple(team for team in (Team.IT, Team.PHYSICAL) if team.value in domains)


def triage(
    loose: Iterable[Finding], cases: Sequence[Case], directory: Directory, own: OwnNetwork, settings: TriageSettings | None = None
) -> Plan:
    """Return what becomes of the findings that are in no incident, given the open incidents. Pure, and the same for every order.

    Withdrawn findings are left out. What comes early can only be opened or joined later, never the other way round.
    """
    settings = settings or TriageSettings()
    held = {finding.uid for case in cases for finding in case.findings}
    free = {one.uid: one for one in loose if one.state is not FindingState.WITHDRAWN and one.uid not in held}
    return _Triage([free[uid] for uid in sorted(free)], cases, directory, own, settings).plan()


class _Triage:
    """One run: the stories, then what each says."""

    def __init__(
        self, free: Sequence[Finding], cases: Sequence[Case], directory: Directory, own: OwnNetwork, settings: TriageSettings
    ) -> None:
        self.free = sorted(free, key=_order)
        self.cases = {case.uid: case for case in cases}
        self.directory, self.settings = directory, settings
        every = [*self.free, *(finding for case in cases for finding in case.findings)]
        self.traces = {finding.uid: trace_of(finding, directory, own, settings.hubs) for finding in every}
        live = [finding for finding in every if finding.state is not FindingState.WITHDRAWN]
        self.crossings = crossings(live, directory, settings.risk)
        stories = Stories(settings.window, settings.zone_window, settings.next_zone_window)
        # What the detector withdrew still says what an open incident is about: what takes its place joins it, and calls nobody twice.
        stories.add([self.traces[finding.uid] for finding in every], directory)
        for crossing in self.crossings:
            stories.unite(crossing.findings)
        for case in cases:
            stories.unite([case.uid, *(finding.uid for finding in case.findings)])
        self.stories = stories
        self.openings: list[Opening] = []
        self.joinings: list[Joining] = []
        self.mergings: list[Merging] = []
        self.suggestions: list[Merging] = []
        self.left: list[str] = []

    def plan(self) -> Plan:
        """Go through the stories, each on its own."""
        loose: dict[str, list[Finding]] = defaultdict(list)
        cases: dict[str, list[Case]] = defaultdict(list)
        for finding in self.free:
            loose[self.stories.of(finding.uid)].append(finding)
        for case in sorted(self.cases.values(), key=lambda one: (one.opened_at, one.uid)):
            cases[self.stories.of(case.uid)].append(case)
        crossed: dict[str, list[EntityRisk]] = defaultdict(list)
        for crossing in self.crossings:
            crossed[self.stories.of(crossing.findings[0])].append(crossing)
        for story in dict.fromkeys([*cases, *loose]):
            if cases[story]:
                self._settle(loose[story], cases[story])
            else:
                self._open(loose[story], crossed[story])
        return Plan(tuple(self.openings), tuple(self.joinings), tuple(self.mergings), tuple(self.suggestions), tuple(self.left))

    def _open(self, findings: list[Finding], crossed: list[EntityRisk]) -> None:
        least = self.settings.page_severity
        worthy = [finding for finding in findings if finding.mode is Mode.PAGE and finding.severity >= least]
        behind = {uid for crossing in crossed for uid in crossing.findings}
        seeds = worthy or [finding for finding in findings if finding.uid in behind]
        if not seeds:
            self.left.extend(finding.uid for finding in findings)
            return
        gravest = min(seeds, key=lambda one: (-one.severity, *_order(one)))
        because = f"A finding worth a page: {gravest.because}" if worthy else f"Risk crossed its line. {crossed[0].because}"
        title = self._title(gravest, findings)
        severity, teams = severity_of_findings(findings), teams_of(findings, self.directory)
        self.openings.append(Opening(uid_of("incident", seeds[0].uid), tuple(findings), title, severity, teams, because))

    def _title(self, seed: Finding, findings: Sequence[Finding]) -> str:
        where = next(iter(seed.places), "") or next((one.places[0] for one in findings if one.places), "")
        return f"{seed.title}, {self.directory.label(where)}" if where else seed.title

    def _settle(self, findings: list[Finding], cases: list[Case]) -> None:
        touched = [case for case in cases if case.touched]
        standing = touched or cases[:1]
        for case in cases:
            if case not in standing:
                into = self._nearest([self.traces[one.uid] for one in case.findings], standing)
                self.mergings.append(Merging(into.uid, case.uid, self._because(case.findings, into)))
        for index, case in enumerate(standing):
            for other in standing[:index]:
                if other.uid not in case.apart and case.uid not in other.apart:
                    self.suggestions.append(Merging(other.uid, case.uid, self._because(case.findings, other)))
        for finding in findings:
            open_to = [case for case in standing if finding.uid not in case.barred]
            if open_to:
                nearest = self._nearest([self.traces[finding.uid]], open_to)
                self.joinings.append(Joining(finding, nearest.uid, self._because([finding], nearest)))
            else:
                self.left.append(finding.uid)

    def _nearest(self, traces: Sequence[Trace], cases: Sequence[Case]) -> Case:
        """Return the case that shares most with the traces, then the nearest in time, then the oldest."""
        if len(cases) == 1:
            return cases[0]
        keys = frozenset[Key]().union(*(trace.keys for trace in traces))

        def rank(case: Case) -> tuple[int, timedelta, datetime, str]:
            theirs = [self.traces[finding.uid] for finding in case.findings]
            shared = len(keys.intersection(*[frozenset[Key]().union(*(trace.keys for trace in theirs))]))
            gap = min((one.gap(other) for one in traces for other in theirs), default=timedelta.max)
            return -shared, gap, case.opened_at, case.uid

        return min(cases, key=rank)

    def _because(self, findings: Sequence[Finding], case: Case) -> str:
        mine = [self.traces[finding.uid] for finding in findings]
        theirs = [self.traces[finding.uid] for finding in case.findings]
        shared = frozenset[Key]().union(*(one.keys for one in mine)) & frozenset[Key]().union(*(one.keys for one in theirs))
        if shared:
            names = [self.directory.label(value) for _, value in sorted(shared)]
            told = [*names[:NAMED], *([f"{len(names) - NAMED} more"] if len(names) > NAMED else [])]
            return f"Both name {' and '.join(filter(None, [', '.join(told[:-1]), told[-1]]))}."
        near = [(one.gap(other), min(both)) for one in mine for other in theirs if (both := one.zones & other.zones)]
        if near:
            gap, zone = min(near)
            return f"Both happened in {self.directory.label(zone)} within {in_words(gap.total_seconds())}, as steps of one attack may."
        return "Joined through findings between them, or through doors between their places."


def _order(finding: Finding) -> tuple[datetime, str]:
    return finding.time, finding.uid
