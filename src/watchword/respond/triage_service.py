"""Triage at work: reads the findings of the window and the open incidents, and carries out what the plan says in one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, or_, select

from watchword.detect.insight import own_network_of
from watchword.detect.kept import WorkState, parts
from watchword.detect.service import FindingFilter, Findings
from watchword.kit.ids import uid_of
from watchword.model import Finding, FindingState, Team
from watchword.model.incident import Incident
from watchword.resolve.directory import Directory
from watchword.respond import incident_tables as tables
from watchword.respond.casebook_service import Casebook, incident_of
from watchword.respond.openings_service import Openings
from watchword.respond.severity import KeptRating, RatingStatus, rating_of
from watchword.respond.triage import Case, Opening, Plan, TriageSettings, severity_of_findings, teams_of, triage

BY = "triage"
"""How timelines name what triage did; starts like no account."""
LOOK_BACK = timedelta(days=3)
"""Findings so much older than the newest batch may still be part of a story."""
MOST = 5_000
"""So many findings of the window are weighed, the newest: bounds time and memory."""
Hook = Callable[[Connection, Incident, Sequence[Finding]], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """What triage did to one incident."""

    incident: str
    what: str
    """``opened``, ``joined``, ``merged`` (took another up), ``suggested`` (a merge, for people to decide) or ``withdrawn``."""
    findings: tuple[str, ...] = ()
    severity: int = 4
    """As it is now."""


class Triager:
    """Carries out triage. `on_open` and `on_graver` are called within its transaction: whom to page is settled with the opening."""

    def __init__(
        self,
        casebook: Casebook,
        openings: Openings,
        findings: Findings,
        directory: Callable[[], Directory],
        settings: TriageSettings | None = None,
    ) -> None:
        self._casebook, self._openings, self._findings, self._directory = casebook, openings, findings, directory
        self.settings = settings or TriageSettings()
        self.on_open: list[Hook] = []
        self.on_graver: list[Hook] = []

    def take(self, findings: Sequence[Finding], *, exercise: bool = False) -> list[Taken]:
        """Sort findings into incidents; asked again about the same, it does nothing twice."""
        if not findings:
            return []
        fresh = [one for one in findings if one.state is not FindingState.WITHDRAWN]
        known, closed = self._window(fresh, exercise=exercise)
        # Planned before the writing begins, so that a big window holds up nobody; planned again where somebody was quicker.
        with self._casebook.records.read() as connection:
            seen = self._cases(connection, known, exercise=exercise)
        plan = self._plan(known, closed, *seen)
        with self._casebook.begin() as connection:
            done = self._withdrawn(connection, [one for one in findings if one.state is FindingState.WITHDRAWN])
            now = self._cases(connection, known, exercise=exercise)
            if now != seen:
                plan = self._plan(known, closed, *now)
            return done + self._carry_out(connection, plan, known, exercise=exercise)

    def _plan(self, known: Mapping[str, Finding], closed: AbstractSet[str], cases: Sequence[Case], held: AbstractSet[str]) -> Plan:
        directory = self._directory()
        loose = [one for uid, one in known.items() if uid not in held and uid not in closed]
        return triage(loose, cases, directory, own_network_of(directory), self.settings)

    def _window(self, fresh: Sequence[Finding], *, exercise: bool) -> tuple[dict[str, Finding], frozenset[str]]:
        """Return the findings of the window by uid, the fresh ones among them, and the uids of those that people have closed."""
        if not fresh:
            return {}, frozenset()
        since = min(finding.first_time for finding in fresh) - LOOK_BACK
        kept = [] if exercise else self._findings.list(FindingFilter(since=since, states=tuple(FindingState)), limit=MOST)
        known = {one.finding.uid: one.finding for one in kept} | {one.uid: one for one in fresh}
        return known, frozenset(one.finding.uid for one in kept if one.work.state is WorkState.CLOSED)

    def _cases(self, connection: Connection, known: Mapping[str, Finding], *, exercise: bool) -> tuple[list[Case], frozenset[str]]:
        """Return the open incidents that hold findings of the window, and the uids of all findings that any incident holds."""
        held, case, link = tables.incident_finding, tables.incident, tables.incident_link
        rows = [
            row
            for chunk in parts(sorted(known))
            for row in connection.execute(
                select(held.c.incident, held.c.finding, held.c.held, case.c.open, case.c.touched, case.c.opened_at, case.c.exercise)
                .select_from(held.join(case, case.c.uid == held.c.incident))
                .where(held.c.finding.in_(chunk))
            )
        ]
        inside = [row for row in rows if row.held and row.open and row.exercise == exercise]
        uids = sorted({row.incident for row in inside})
        apart: dict[str, set[str]] = {uid: set() for uid in uids}
        for chunk in parts(uids):
            parted = or_(link.c.one.in_(chunk), link.c.other.in_(chunk))
            for one, other in connection.execute(select(link.c.one, link.c.other).where(link.c.kind == "split", parted)):
                apart.setdefault(one, set()).add(other)
                apart.setdefault(other, set()).add(one)
        first = {row.incident: row for row in inside}
        cases = [
            Case(
                uid,
                tuple(known[row.finding] for row in inside if row.incident == uid),
                first[uid].opened_at,
                first[uid].touched,
                frozenset(apart[uid]),
                frozenset(row.finding for row in rows if row.incident == uid and not row.held),
            )
            for uid in uids
        ]
        return cases, frozenset(row.finding for row in rows if row.held)

    def _carry_out(self, connection: Connection, plan: Plan, known: Mapping[str, Finding], *, exercise: bool) -> list[Taken]:
        done = [self._open(connection, opening, exercise=exercise) for opening in plan.openings]
        for merging in plan.mergings:
            self._openings.merge(connection, merging.into, merging.taken, by=BY, because=merging.because)
            done.append(Taken(merging.into, "merged", severity=self._casebook.find(connection, merging.into).severity))
        by_case: dict[str, dict[str, str]] = {}
        for joining in plan.joinings:
            by_case.setdefault(joining.case, {})[joining.finding.uid] = joining.because
        for uid, because in by_case.items():
            joined = [known[finding] for finding in because]
            self._openings.hold(connection, uid, joined, by=BY, because=because)
            self._openings.involve(connection, uid, teams_of(joined, self._directory()))
            self._weigh(connection, uid, joined)
            done.append(Taken(uid, "joined", tuple(because), self._casebook.find(connection, uid).severity))
        for suggestion in plan.suggestions:
            if self._openings.link(connection, suggestion.into, suggestion.taken, "suggested", by=BY, because=suggestion.because):
                self._suggest(connection, suggestion.into, suggestion.taken, suggestion.because)
                done += [Taken(uid, "suggested") for uid in (suggestion.into, suggestion.taken)]
        return done

    def _open(self, connection: Connection, opening: Opening, *, exercise: bool) -> Taken:
        uid, table, turn = opening.uid, tables.incident.c.uid, 1
        while connection.execute(select(table).where(table == uid)).first() is not None:  # its seed was in an incident before
            turn += 1
            uid = uid_of("incident", opening.uid, str(turn))
        teams = opening.teams or (Team.IT, Team.PHYSICAL)
        self._openings.open(
            connection,
            uid,
            title=opening.title,
            because=opening.because,
            severity=opening.severity,
            teams=teams,
            findings=opening.findings,
            by=BY,
            exercise=exercise,
        )
        self._tell(self.on_open, connection, uid, opening.findings)
        return Taken(uid, "opened", tuple(finding.uid for finding in opening.findings), opening.severity)

    def _weigh(self, connection: Connection, uid: str, joined: Sequence[Finding]) -> None:
        """Raise the severity when a graver finding joins, unless a person has rated it: then only say so."""
        row, severity = self._casebook.find(connection, uid), severity_of_findings(joined)
        if severity >= row.severity:
            return
        table = tables.incident_rating
        rated = connection.execute(select(table.c.uid).where(table.c.incident == uid, table.c.by != BY).limit(1)).first()
        if rated is not None:
            text = f"A finding of severity {severity} joined; people rated it {row.severity}: rate it anew."
            self._casebook.append(connection, uid, "severity", text, recorded_by=BY)
        else:
            text = f"A graver finding joined: severity {row.severity} → {severity}."
            kept = KeptRating(
                self._casebook.ids(), rating_of(severity), severity, "changed", RatingStatus.IN_FORCE, BY, self._casebook.now(), text
            )
            self._openings.keep_rating(connection, uid, kept)
            self._casebook.change(connection, uid, severity=severity)
            self._casebook.append(connection, uid, "severity", text, recorded_by=BY)
        self._tell(self.on_graver, connection, uid, joined)

    def _suggest(self, connection: Connection, one: str, other: str, because: str) -> None:
        for uid, far in ((one, other), (other, one)):
            number = self._casebook.find(connection, far).number
            text = f"Perhaps one with incident {number}: {because} Merge them, or leave them apart."
            self._casebook.append(connection, uid, "suggested", text, recorded_by=BY, refs={"incident": far})

    def _withdrawn(self, connection: Connection, findings: Iterable[Finding]) -> list[Taken]:
        """Say on the timelines that a finding no longer holds; people decide what that means."""
        table, entry = tables.incident_finding, tables.incident_entry
        done = []
        for finding in findings:
            holding = connection.execute(select(table.c.incident).where(table.c.finding == finding.uid, table.c.held)).scalars().all()
            for uid in holding:
                said = select(entry.c.seq).where(entry.c.incident == uid, entry.c.kind == "withdrawn", entry.c.refs.contains(finding.uid))
                if connection.execute(said.limit(1)).first() is None:
                    text = f"The detector withdrew: {finding.title}. Later events refute it."
                    refs = {"finding": finding.uid, "refuted_by": finding.refuted_by}
                    self._casebook.append(connection, uid, "withdrawn", text, recorded_by=BY, refs=refs)
                    done.append(Taken(uid, "withdrawn", (finding.uid,)))
        return done

    def _tell(self, hooks: Sequence[Hook], connection: Connection, uid: str, findings: Sequence[Finding]) -> None:
        if hooks:
            incident = incident_of(self._casebook.find(connection, uid), tuple(finding.uid for finding in findings))
            for hook in hooks:
                hook(connection, incident, findings)
