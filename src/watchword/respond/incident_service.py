"""Incidents: opened by triage or by hand, worked on by named people, closed, reopened; every deed on the chain and in the audit log."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from watchword.detect.service import Findings
from watchword.kit.clock import Clock
from watchword.kit.errors import Conflict, InputError, TooLarge
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.model import AssetBook, Finding, PeopleBook, SiteBook, Team
from watchword.model.incident import Closure, IncidentRole, Moment, MomentEntry, Rating, TimelineEntry
from watchword.resolve.directory import Directory
from watchword.respond.casebook_service import Casebook
from watchword.respond.hand_over_service import HandOvers
from watchword.respond.incident_filter_service import Cursor, IncidentFilter
from watchword.respond.incident_reading_service import IncidentReader, OpenItems, Rows
from watchword.respond.incident_state import check_moment, current, is_person
from watchword.respond.incident_view import IncidentView
from watchword.respond.openings_service import Openings
from watchword.respond.ports import Auditor
from watchword.respond.rating_service import Verdicts
from watchword.respond.severity import KeptRating, check_rating, rating_of
from watchword.respond.similar import Similar
from watchword.respond.stale_service import Stale, Staleness
from watchword.respond.task_service import Tasks
from watchword.respond.timeline_service import Entries, Timeline
from watchword.respond.triage import TriageSettings, severity_of_findings, teams_of
from watchword.respond.triage_service import Taken, Triager

REOPEN_WITHIN = timedelta(days=14)
"""Within this, reopening voids the closure and the clock runs on; later a new incident is opened, linked to the old one."""
TITLE = 300
Directories = Callable[[], Directory]


def _empty() -> Directory:
    return Directory(SiteBook(), PeopleBook(), AssetBook())


class Incidents:
    """The one door to incidents. Implements `ports.IncidentLog`. `by` is an account's name, `team` the team that it speaks for."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        findings: Findings,
        auditor: Auditor,
        *,
        directory: Directories = _empty,
        settings: TriageSettings | None = None,
        open_items: Sequence[OpenItems] = (),
        ids: Callable[[], str] = random_uid,
    ) -> None:
        """Take where rows are kept, the clock, the findings, the audit log, and what else says what is open in an incident."""
        self.casebook = Casebook(records, clock, auditor, ids)
        self.findings, self.directory = findings, directory
        self.reader = IncidentReader(self.casebook, open_items)
        self.chronicle = Timeline(self.casebook)
        self.tasks = Tasks(self.casebook)
        self.hand_overs = HandOvers(self.casebook, self.reader)
        self.openings = Openings(self.casebook)
        self.triager = Triager(self.casebook, self.openings, findings, directory, settings)
        self.staleness = Staleness(self.casebook)
        self.verdicts = Verdicts(self.casebook, self.openings, self.reader, findings)

    # what triage does

    def take(self, findings: Sequence[Finding], *, exercise: bool = False) -> list[str]:
        """Sort new or changed findings into incidents: join, open, or leave; return the uids of incidents that changed, each once."""
        return list(dict.fromkeys(taken.incident for taken in self.triage(findings, exercise=exercise)))

    def triage(self, findings: Sequence[Finding], *, exercise: bool = False) -> list[Taken]:
        """As `take`, saying what happened to each."""
        return self.triager.take(findings, exercise=exercise)

    # opening and what belongs to it

    def open(
        self,
        title: str,
        *,
        by: str,
        team: str,
        because: str,
        severity: int = 3,
        findings: Sequence[str] = (),
        teams: Sequence[Team] = (),
        exercise: bool = False,
        onset: datetime | None = None,
    ) -> str:
        """Open an incident by hand and return its uid. Whoever opens it has seen it: that is their team's acknowledgement.

        Raises:
            InputError: no title or reason, or a severity outside 1 to 4.
            NotFound: a finding that is not kept.
        """
        if not title.strip() or not because.strip():
            raise InputError("An incident needs a title and the reason for opening it.", "title" if not title.strip() else "because")
        if len(title) > TITLE:
            raise TooLarge(f"A title has at most {TITLE} characters.", "title")
        check_rating(rating_of(severity))
        kept = [self.findings.get(uid).finding for uid in dict.fromkeys(findings)]
        both = (*teams, *teams_of(kept, self.directory()), *((Team(team),) if team in {"it", "physical"} else ()))
        with self.casebook.begin() as connection:
            now = self.casebook.now()
            uid = self.openings.open(
                connection,
                self.casebook.ids(),
                title=title.strip(),
                because=because,
                severity=min(severity, severity_of_findings(kept)),
                teams=tuple(dict.fromkeys(both)),
                findings=kept,
                by=by,
                exercise=exercise,
                onset=onset,
            )
            if is_person(by) and team:
                seen = MomentEntry(Moment.ACKNOWLEDGED, now, "opened", manual=True, team=team, recorded_by=by)
                self.casebook.record(connection, uid, seen)
            self._done(connection, uid, by, "open", because)
            return uid

    def attach(self, uid: str, finding: str, *, by: str, team: str = "", because: str = "") -> None:
        """Put a finding into an incident; it may be in others too.

        Raises:
            NotFound: no such incident or finding.
        """
        kept = self.findings.get(finding).finding
        with self.casebook.begin() as connection:
            uid = self.casebook.target(connection, uid)
            self.openings.hold(connection, uid, [kept], by=by, because=because or "Put here by hand.", team=team)
            self.openings.involve(connection, uid, teams_of([kept], self.directory()))
            self._done(connection, uid, by, "attach", because, {"finding": finding})

    def detach(self, uid: str, finding: str, *, by: str, reason: str, team: str = "") -> None:
        """Take a finding out of an incident; triage does not put it back.

        Raises:
            NotFound: the incident does not hold it.
            InputError: no reason is given.
        """
        _need(reason, "Say why it does not belong here.")
        with self.casebook.begin() as connection:
            self.openings.release(connection, uid, [finding], by=by, because=reason, team=team)
            self._done(connection, uid, by, "detach", reason, {"finding": finding})

    def merge(self, into: str, others: Sequence[str], *, by: str, reason: str, team: str = "") -> None:
        """Let one incident take others up, with their findings, tasks and earliest moments; their uids stand for it from now on.

        Raises:
            Conflict: one of them is merged already, an exercise is mixed with a real one, or a closed one would take up an open one.
        """
        _need(reason, "Say why they are one.")
        with self.casebook.begin() as connection:
            for other in dict.fromkeys(others):
                self.openings.merge(connection, into, other, by=by, because=reason, team=team)
                self.casebook.audit(connection, by, "merge", into, reason, {"taken": other})
            self.casebook.change(connection, into, touched=True)

    def split(self, uid: str, findings: Sequence[str], title: str, *, by: str, team: str, reason: str) -> str:
        """Move findings into an incident of their own, and return its uid; triage will not join the two again.

        Raises:
            InputError: none or all of its findings are named.
            NotFound: it does not hold one of them.
        """
        _need(reason, "Say why they are two.")
        view = self.get(uid)
        moved = [one for one in dict.fromkeys(findings) if one in view.incident.findings]
        if not moved or len(moved) == len(view.incident.findings):
            raise InputError("Name some of its findings, but not all: one incident must keep some, the other get some.", "findings")
        kept = [self.findings.get(one).finding for one in moved]
        with self.casebook.begin() as connection:
            severity, teams = severity_of_findings(kept), teams_of(kept, self.directory())
            new = self.openings.open(
                connection,
                self.casebook.ids(),
                title=title.strip() or kept[0].title,
                because=f"Split from incident {view.incident.number}: {reason}",
                severity=severity,
                teams=teams,
                findings=kept,
                by=by,
                exercise=view.incident.exercise,
            )
            self.openings.release(connection, uid, moved, by=by, because=reason, team=team)
            self.openings.link(connection, uid, new, "split", by=by, because=reason)
            for one in (uid, new):
                self._done(connection, one, by, "split", reason, {"from": uid, "to": new})
            return new

    def reopen(self, uid: str, *, by: str, reason: str, team: str = "") -> str:
        """Reopen a closed incident: within 14 days its closure is void and the clock runs on; later, open a new one linked to it.

        Returns:
            The uid of the incident that is open now.

        Raises:
            Conflict: it is not closed.
        """
        _need(reason, "Say why it is not over.")
        view = self.get(uid)
        closed = view.moments.get((Moment.CLOSED, ""))
        if closed is None or closed.at is None or view.incident.merged_into:
            raise Conflict(f"Incident {view.incident.number} is not closed.")
        if self.casebook.now() - closed.at > REOPEN_WITHIN:
            title, incident = f"Again: {view.incident.title}"[:TITLE], view.incident
            new = self.open(
                title, by=by, team=team, because=reason, severity=incident.severity, teams=incident.teams, exercise=incident.exercise
            )
            with self.casebook.begin() as connection:
                self.openings.link(connection, uid, new, "recurs", by=by, because=reason)
            return new
        with self.casebook.begin() as connection:
            void = MomentEntry(Moment.CLOSED, None, "reopened", manual=True, recorded_by=by, reason=reason)
            self.casebook.record(connection, uid, void)
            row = self.casebook.find(connection, uid)
            self.casebook.change(connection, uid, reopened=row.reopened + 1, closure="", closing_severity=0)
            self._write(connection, uid, "state", f"Reopened: {reason}", by, team)
            self._done(connection, uid, by, "reopen", reason)
        return uid

    # moments, notes, roles

    def moment(
        self,
        uid: str,
        moment: Moment,
        when: datetime | None,
        *,
        by: str,
        source: str = "stated",
        team: str = "",
        uncertainty: timedelta = timedelta(),
        evidence: str = "",
        reason: str = "",
        speaker: str = "",
    ) -> None:
        """State or revise a moment by hand; `when` None voids it. `team` is whose moment it is, `speaker` the team of who states it.

        Raises:
            InputError: it cannot be: see `incident_state.check_moment`.
            Conflict: closing goes through `close`, so that nothing is left open.
        """
        if moment is Moment.CLOSED:
            raise Conflict("Close or reopen the incident instead: that checks what is still open.")
        entry = MomentEntry(moment, when, source, True, uncertainty, evidence, team, by, reason=reason)
        with self.casebook.begin() as connection:
            uid = self.casebook.target(connection, uid)
            check_moment(entry, self.casebook.now(), current(self.casebook.series(connection, uid)))
            self.casebook.record(connection, uid, entry)
            if when is not None and moment in {Moment.CONTAINED, Moment.ERADICATED, Moment.RESTORED}:
                self.casebook.engage(connection, uid, speaker or team, by, self.casebook.now(), moment.value)
            self._done(
                connection, uid, by, "moment", reason, {"moment": moment.value, "at": when.isoformat() if when else None, "team": team}
            )

    def acknowledge(self, uid: str, *, by: str, team: str) -> None:
        """Say that a person of a team has it (t4)."""
        with self.casebook.begin() as connection:
            entry = MomentEntry(Moment.ACKNOWLEDGED, self.casebook.now(), "page", manual=True, team=team, recorded_by=by)
            check_moment(entry, self.casebook.now(), {})
            self.casebook.record(connection, uid, entry)
            self._done(connection, uid, by, "acknowledge", detail={"team": team})

    def note(
        self, uid: str, text: str, *, by: str, team: str = "", occurred_at: datetime | None = None, kind: str = "note"
    ) -> TimelineEntry:
        """Append what somebody saw or did; `occurred_at` is when, where that was not now (the paper log)."""
        _need(text, "Say what happened.")
        with self.casebook.begin() as connection:
            entry = self._write(connection, uid, kind, text, by, team, occurred_at)
            self._done(connection, entry.incident, by, "note", detail={"entry": entry.seq})
            return entry

    def say(self, uid: str, text: str, *, by: str, team: str = "") -> TimelineEntry:
        """Append what somebody says to the others; ``@name`` mentions."""
        return self.chronicle.say(uid, text, by=by, team=team)

    def describe(self, uid: str, *, title: str, summary: str, by: str, team: str = "") -> None:
        """Change title and summary; the timeline keeps the old title."""
        _need(title, "An incident needs a title.")
        if len(title) > TITLE:
            raise TooLarge(f"A title has at most {TITLE} characters.", "title")
        with self.casebook.begin() as connection:
            row = self.casebook.find(connection, uid)
            self.casebook.change(connection, uid, title=title.strip(), summary=summary.strip())
            text = f"Title and summary changed; the title was: {row.title}" if row.title != title.strip() else f"Summary: {summary}"
            self._write(connection, uid, "described", text, by, team)
            self._done(connection, uid, by, "describe")

    def assign(self, uid: str, role: IncidentRole, person: str, *, by: str, team: str = "") -> None:
        """Give a role to a person ('' to nobody); a lead in office changes by a hand-over once there is something open to hand over."""
        with self.casebook.begin() as connection:
            uid = self.casebook.target(connection, uid)
            self.hand_overs.seat(connection, uid, role, person, by=by, team=team)
            self._done(connection, uid, by, "assign", detail={"role": role.value, "person": person})

    # severity and the end

    def declare(self, uid: str, rating: Rating, *, by: str, team: str, reason: str = "") -> KeptRating:
        """Declare it (t6) and rate it; see `Verdicts.declare`."""
        return self.verdicts.declare(uid, rating, by=by, team=team, reason=reason)

    def rate(self, uid: str, rating: Rating, *, by: str, reason: str = "", team: str = "") -> KeptRating:
        """Rate it anew; a downgrade waits for a second person (`verdicts.confirm`)."""
        return self.verdicts.rate(uid, rating, by=by, reason=reason, team=team)

    def close(self, uid: str, closure: Closure, rating: Rating, *, by: str, team: str, note: str) -> None:
        """Close it (t10); see `Verdicts.close`."""
        self.verdicts.close(uid, closure, rating, by=by, team=team, note=note)

    # reading

    def list(self, wanted: IncidentFilter | None = None, *, after: Cursor | None = None, limit: int = 50) -> Rows:
        """Return one page of incidents, each with what is next."""
        return self.reader.list(wanted, after=after, limit=limit)

    def get(self, uid: str) -> IncidentView:
        """Return one incident with all that its page shows but the timeline."""
        return self.reader.get(uid)

    def timeline(self, uid: str, after: int = 0, limit: int = 200) -> Entries:
        """Return timeline entries after a seq; `chronicle` has the other readings."""
        return self.chronicle.page(uid, after, limit)

    def verify(self, uid: str) -> Sequence[str]:
        """Return what is wrong with the timeline's chain; nothing: intact."""
        return self.chronicle.verify(uid)

    def similar(self, uid: str, most: int = 5) -> Sequence[Similar]:
        """Return incidents like this one, each with what they share."""
        return self.reader.similar(uid, self.directory(), most)

    def stale_acknowledgements(self, now: datetime) -> Sequence[Stale]:
        """Return acknowledgements without a first deed in time: their team's paging resumes (`expire` each, then page)."""
        return self.staleness.find(now)

    def expire(self, connection: Connection, stale: Stale) -> bool:
        """Void a stale acknowledgement within the transaction that pages again; False when the team has engaged meanwhile."""
        return self.staleness.expire(connection, stale)

    # IncidentLog

    def append(
        self,
        connection: Connection,
        incident: str,
        kind: str,
        text: str,
        *,
        occurred_at: datetime,
        recorded_by: str,
        team: str = "",
        refs: Mapping[str, str] | None = None,
    ) -> None:
        """Append one timeline entry (see `ports.IncidentLog`); without an incident, as in a drill of a playbook alone, nothing."""
        if incident:
            self.casebook.append(connection, incident, kind, text, recorded_by=recorded_by, occurred_at=occurred_at, team=team, refs=refs)

    def mark(
        self, connection: Connection, incident: str, moment: str, at: datetime, *, source: str, team: str = "", evidence: str = ""
    ) -> None:
        """Record a canonical moment by machine. Of t4, `evidence` is the person who acknowledged: without one it does not count."""
        if incident:
            entry = MomentEntry(Moment(moment), at, source, evidence=evidence, team=team, recorded_by=source)
            self.casebook.record(connection, incident, entry)

    # the parts

    def _write(
        self,
        connection: Connection,
        uid: str,
        kind: str,
        text: str,
        by: str,
        team: str,
        occurred_at: datetime | None = None,
        refs: Mapping[str, str] | None = None,
    ) -> TimelineEntry:
        return self.casebook.append(connection, uid, kind, text, recorded_by=by, occurred_at=occurred_at, team=team, refs=refs)

    def _done(
        self, connection: Connection, uid: str, by: str, deed: str, reason: str = "", detail: Mapping[str, object] | None = None
    ) -> None:
        """A person has worked on it: triage no longer merges it by itself; and the audit log says so."""
        self.casebook.change(connection, self.casebook.target(connection, uid), touched=True)
        self.casebook.audit(connection, by, deed, uid, reason, detail)


def _need(text: str, message: str) -> None:
    if not text.strip():
        raise InputError(message)
