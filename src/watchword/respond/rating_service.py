"""Verdicts on an incident: declared, rated, downgraded by two people, closed."""

from collections.abc import Mapping

from sqlalchemy import Connection, select, update

from watchword.detect.kept import Disposition, WorkState
from watchword.detect.service import Findings
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.model.incident import Closure, Moment, MomentEntry, Rating
from watchword.respond import incident_tables as tables
from watchword.respond.casebook_service import Casebook
from watchword.respond.incident_reading_service import IncidentReader, rating_of_row
from watchword.respond.next_step import closing_faults
from watchword.respond.openings_service import Openings
from watchword.respond.severity import KeptRating, RatingStatus, check_change, check_rating, check_second, is_downgrade, severity_of


class Verdicts:
    """Declares, rates and closes."""

    def __init__(self, casebook: Casebook, openings: Openings, reader: IncidentReader, findings: Findings) -> None:
        self._casebook, self._openings, self._reader, self._findings = casebook, openings, reader, findings

    def declare(self, uid: str, rating: Rating, *, by: str, team: str, reason: str = "") -> KeptRating:
        """Declare it an incident (t6), and rate it: the severity at declaration is kept. A milder one than triage's waits for a second.

        Raises:
            Conflict: it is declared already (rate it), or not open.
        """
        check_rating(rating)
        with self._casebook.begin() as connection:
            uid = self._casebook.target(connection, uid)
            view = self._reader.view(connection, uid)
            if not view.incident.open or (Moment.DECLARED, "") in view.moments:
                raise Conflict(f"Incident {view.incident.number} is {'declared' if view.incident.open else 'closed'} already.")
            kept = self._rate(connection, uid, rating, "declared", by, reason, team)
            self._casebook.change(connection, uid, declared_severity=self._casebook.find(connection, uid).severity)
            now = self._casebook.now()
            entry = MomentEntry(Moment.DECLARED, now, "declared", manual=True, recorded_by=by, reason=reason)
            self._casebook.record(connection, uid, entry)
            self._casebook.engage(connection, uid, team, by, now, "declaration")
            self._done(connection, uid, by, "declare", reason, {"severity": kept.severity})
            return kept

    def rate(self, uid: str, rating: Rating, *, by: str, reason: str = "", team: str = "") -> KeptRating:
        """Rate it anew. A graver value counts at once; a milder one needs a reason and waits for a second person."""
        check_rating(rating)
        with self._casebook.begin() as connection:
            uid = self._casebook.target(connection, uid)
            kept = self._rate(connection, uid, rating, "changed", by, reason, team)
            self._done(connection, uid, by, "rate", reason, {"severity": kept.severity, "status": kept.status.value})
            return kept

    def confirm(self, uid: str, rating: str, *, by: str, yes: bool, team: str = "", reason: str = "") -> KeptRating:
        """Confirm or refuse a downgrade as the second person.

        Raises:
            NotFound: the incident has no such rating.
            InputError: it waits for nobody.
            Forbidden: it is the one who asked for it.
        """
        table = tables.incident_rating
        with self._casebook.begin() as connection:
            row = connection.execute(select(table).where(table.c.uid == rating, table.c.incident == uid)).one_or_none()
            if row is None:
                raise NotFound(f"Incident {uid} has no rating {rating}.")
            check_second(rating_of_row(row), by)
            status = RatingStatus.IN_FORCE if yes else RatingStatus.REFUSED
            values = {"status": status.value, "second": by, "second_at": self._casebook.now()}
            connection.execute(update(table).where(table.c.uid == rating).values(**values))
            if yes:
                declared = {"declared_severity": row.severity} if row.occasion == "declared" else {}
                self._casebook.change(connection, uid, severity=row.severity, **declared)
            said = f"Downgrade to {row.severity} {'confirmed' if yes else 'refused'}. {reason}".strip()
            self._casebook.append(connection, uid, "severity", said, recorded_by=by, team=team, refs={"rating": rating})
            self._done(connection, uid, by, "confirm", reason, {"rating": rating, "yes": yes})
            return rating_of_row(connection.execute(select(table).where(table.c.uid == rating)).one())

    def close(self, uid: str, closure: Closure, rating: Rating, *, by: str, team: str, note: str) -> None:
        """Close it (t10): what it was, and its severity as seen at the end, kept beside the one at declaration; its findings close too.

        Raises:
            Conflict: with all that is still open, at once; or the rating is milder than the severity in force: rate it first, so that a
                second person confirms that.
            InputError: no note.
        """
        if not note.strip():
            raise InputError("Say in a sentence what it was.", "note")
        check_rating(rating)
        with self._casebook.begin() as connection:
            view = self._reader.view(connection, uid)
            incident, severity = view.incident, severity_of(rating)
            if not incident.open:
                raise Conflict(f"Incident {incident.number} is not open.")
            faults = closing_faults(view, closure)
            if is_downgrade(incident.severity, severity):
                faults.append(f"severity {severity} is milder than {incident.severity}: rate it first, a second person confirms")
            if faults:
                raise Conflict(f"Incident {incident.number} cannot be closed: {'; '.join(faults)}.")
            self._keep(connection, uid, rating, "closed", RatingStatus.IN_FORCE, by, note)
            self._casebook.change(connection, uid, closure=closure.value, closing_severity=severity, severity=severity)
            said = f"Closed as {closure.value}, severity {severity}. {note}"
            self._casebook.append(connection, uid, "state", said, recorded_by=by, team=team)
            entry = MomentEntry(Moment.CLOSED, self._casebook.now(), "closed", manual=True, recorded_by=by, reason=note)
            self._casebook.record(connection, uid, entry)
            state, disposition, words = WorkState.CLOSED, Disposition(closure.value), f"Incident {incident.number}: {note}"
            for finding in incident.findings:
                self._findings.record_work(finding, state=state, by=by, disposition=disposition, note=words, connection=connection)
            self._done(connection, uid, by, "close", note, {"closure": closure.value, "severity": severity})

    def _rate(self, connection: Connection, uid: str, rating: Rating, occasion: str, by: str, reason: str, team: str) -> KeptRating:
        old, new = self._casebook.find(connection, uid).severity, severity_of(rating)
        status = check_change(old, new, reason)
        kept = self._keep(connection, uid, rating, occasion, status, by, reason)
        if status is RatingStatus.IN_FORCE:
            self._casebook.change(connection, uid, severity=new)
        waits = "; a second person has to confirm it" if status is RatingStatus.WAITING else ""
        said = f"Severity {old} → {new} ({occasion}){waits}. {reason}".strip()
        self._casebook.append(connection, uid, "severity", said, recorded_by=by, team=team, refs={"rating": kept.uid})
        return kept

    def _keep(
        self, connection: Connection, uid: str, rating: Rating, occasion: str, status: RatingStatus, by: str, reason: str
    ) -> KeptRating:
        kept = KeptRating(self._casebook.ids(), rating, severity_of(rating), occasion, status, by, self._casebook.now(), reason)
        self._openings.keep_rating(connection, uid, kept)
        return kept

    def _done(self, connection: Connection, uid: str, by: str, deed: str, reason: str, detail: Mapping[str, object]) -> None:
        self._casebook.change(connection, uid, touched=True)
        self._casebook.audit(connection, by, deed, uid, reason, detail)
