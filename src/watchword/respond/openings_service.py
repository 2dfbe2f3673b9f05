"""What an incident holds: opened with its findings, given more, relieved of some, merged into another, linked."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from watchword.detect.kept import parts
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.model import Finding, Team
from watchword.model.incident import Moment, MomentEntry
from watchword.respond import incident_tables as tables
from watchword.respond.casebook_service import Casebook, clean
from watchword.respond.incident_state import at, current, is_person
from watchword.respond.severity import KeptRating, RatingStatus, rating_of

ENTITY = 200
KINDS: Mapping[str, str] = {"persons": "person", "assets": "asset", "places": "place", "credentials": "credential", "addresses": "address"}
EARLIEST = (Moment.ONSET, Moment.SIGNAL, Moment.RAISED)
"""Moments that a merged incident hands on to the one that takes it up, where it has them earlier."""


class Openings:
    """Changes what incidents hold; every method joins the caller's transaction."""

    def __init__(self, casebook: Casebook) -> None:
        self._casebook = casebook

    def open(
        self,
        connection: Connection,
        uid: str,
        *,
        title: str,
        because: str,
        severity: int,
        teams: Sequence[Team],
        findings: Sequence[Finding],
        by: str,
        exercise: bool = False,
        onset: datetime | None = None,
    ) -> str:
        """Add an incident with its findings, first rating and first moments (t0, t1 from the findings, t2 now); return its uid."""
        now, casebook = self._casebook.now(), self._casebook
        values = {
            "uid": uid,
            "title": clean(title),
            "because": clean(because),
            "severity": severity,
            "teams": " ".join(team.value for team in teams),
            "exercise": exercise,
            "opened_by": clean(by)[:128],
            "touched": is_person(by),
            "last_time": max((finding.last_time for finding in findings), default=now),
        }
        number = casebook.insert(connection, values)
        said = f"Opened as {number}{' (EXERCISE)' if exercise else ''}, severity {severity}. {because}"
        casebook.append(connection, uid, "opened", said, recorded_by=by)
        rating = KeptRating(casebook.ids(), rating_of(severity), severity, "opened", RatingStatus.IN_FORCE, by, now, because)
        self.keep_rating(connection, uid, rating)
        casebook.record(connection, uid, MomentEntry(Moment.RAISED, now, "triage" if not is_person(by) else "opened", recorded_by=by))
        if onset is not None:
            casebook.record(connection, uid, MomentEntry(Moment.ONSET, onset, "stated", manual=is_person(by), recorded_by=by))
        self.hold(connection, uid, findings, by=by, because=because)
        return uid

    def hold(
        self, connection: Connection, uid: str, findings: Sequence[Finding], *, by: str, because: str | Mapping[str, str], team: str = ""
    ) -> None:
        """Put findings into an incident; t0 and t1 move to the earliest evidence. `because` may differ by finding uid."""
        table, now = tables.incident_finding, self._casebook.now()
        if not findings:
            return
        there = {
            row.finding: row.held
            for chunk in parts([finding.uid for finding in findings])
            for row in connection.execute(select(table.c.finding, table.c.held).where(table.c.incident == uid, table.c.finding.in_(chunk)))
        }
        fresh = [finding for finding in findings if not there.get(finding.uid, False)]
        if not fresh:
            return
        for finding in fresh:
            why = because if isinstance(because, str) else because.get(finding.uid, "")
            values = {"time": finding.time, "held": True, "by": clean(by)[:128], "at": now, "because": clean(why)}
            if finding.uid in there:
                mine = (table.c.incident == uid) & (table.c.finding == finding.uid)
                connection.execute(update(table).where(mine).values(**values))
            else:
                connection.execute(insert(table).values(incident=uid, finding=finding.uid, **values))
            text = f"{finding.title} ({finding.rule}, {finding.time.isoformat(timespec='seconds')}): {finding.because} {why}".strip()
            refs = {"finding": finding.uid}
            self._casebook.append(connection, uid, "finding", text[:10_000], occurred_at=finding.time, recorded_by=by, team=team, refs=refs)
        self._name(connection, uid, fresh)
        row = self._casebook.find(connection, uid)
        newest = max(finding.last_time for finding in fresh)
        if newest > row.last_time:
            self._casebook.change(connection, uid, last_time=newest)
        first = min(fresh, key=lambda one: (one.first_time, one.uid))
        for moment in (Moment.ONSET, Moment.SIGNAL):
            entry = MomentEntry(moment, first.first_time, "finding", evidence=first.uid, recorded_by="triage" if not is_person(by) else by)
            self._casebook.record(connection, uid, entry)

    def release(self, connection: Connection, uid: str, findings: Sequence[str], *, by: str, because: str, team: str = "") -> None:
        """Take findings out of an incident; triage does not put them back.

        Raises:
            NotFound: the incident does not hold one of them.
        """
        table = tables.incident_finding
        for finding in findings:
            mine = (table.c.incident == uid) & (table.c.finding == finding) & table.c.held
            values = {"held": False, "by": clean(by)[:128], "at": self._casebook.now(), "because": clean(because)}
            if not connection.execute(update(table).where(mine).values(**values)).rowcount:
                raise NotFound(f"Incident {uid} does not hold finding {finding}.")
            text = f"A finding was taken out: {because}"
            self._casebook.append(connection, uid, "released", text, recorded_by=by, team=team, refs={"finding": finding})

    def involve(self, connection: Connection, uid: str, teams: Iterable[Team]) -> None:
        """Add teams to an incident, and say so on its timeline."""
        row = self._casebook.find(connection, uid)
        have = row.teams.split()
        new = [team for team in dict.fromkeys(teams) if team.value not in have]
        if not new:
            return
        self._casebook.change(connection, uid, teams=" ".join([*have, *(team.value for team in new)]))
        self._casebook.derive(connection, uid)
        for team in new:
            self._casebook.append(connection, uid, "team", f"{team.value} is involved.", recorded_by="triage", team=team.value)

    def merge(self, connection: Connection, into: str, other: str, *, by: str, because: str, team: str = "") -> None:
        """Let one incident take up another: findings, tasks, teams, earliest moments; the graver severity holds.

        Raises:
            InputError: an incident with itself.
            Conflict: one is merged already, one is closed and the other open, or one is an exercise and the other is not.
        """
        casebook = self._casebook
        one, taken = casebook.find(connection, into), casebook.find(connection, other)
        _check_merge(one, taken)
        series = casebook.series(connection, other)
        held = tables.incident_finding
        connection.execute(update(tables.incident).where(tables.incident.c.merged_into == other).values(merged_into=into))
        rows = connection.execute(select(held).where(held.c.incident == other, held.c.held)).all()
        mine = set(connection.execute(select(held.c.finding).where(held.c.incident == into, held.c.held)).scalars())
        moved = [row for row in rows if row.finding not in mine]
        for chunk in parts([row.finding for row in moved]):
            connection.execute(delete(held).where(held.c.incident == into, held.c.finding.in_(chunk)))
        values = [
            {"incident": into, "finding": row.finding, "time": row.time, "held": True, "by": clean(by)[:128], "at": casebook.now()}
            for row in moved
        ]
        for part in parts(values):
            connection.execute(insert(held), [{**row, "because": clean(because)} for row in part])
        connection.execute(update(held).where(held.c.incident == other).values(held=False))
        task = tables.incident_task
        connection.execute(update(task).where(task.c.incident == other, task.c.state == "open").values(incident=into))
        hand = tables.hand_over
        ended = {"state": "cancelled", "ended_at": casebook.now()}
        connection.execute(update(hand).where(hand.c.incident == other, hand.c.state == "open").values(**ended))
        self._inherit_names(connection, into, other)
        text = f"Merged into {one.number}: {because}"
        casebook.append(connection, other, "merged", text, recorded_by=by, team=team, refs={"into": into})
        casebook.change(connection, other, merged_into=into, open=False)
        casebook.change(
            connection,
            into,
            severity=min(one.severity, taken.severity),
            last_time=max(one.last_time, taken.last_time),
            safety=one.safety or taken.safety,
        )
        text = f"Took up {taken.number} ({taken.title}) with {len(moved)} findings: {because}"
        casebook.append(connection, into, "merged", text, recorded_by=by, team=team, refs={"taken": other})
        self.involve(connection, into, (Team(name) for name in taken.teams.split()))
        self._inherit_moments(connection, into, series, by)
        self.link(connection, into, other, "merged", by=by, because=because)

    def link(self, connection: Connection, one: str, other: str, kind: str, *, by: str, because: str) -> bool:
        """Link two incidents, once per kind; False when the link was there."""
        table = tables.incident_link
        same = or_((table.c.one == one) & (table.c.other == other), (table.c.one == other) & (table.c.other == one))
        if connection.execute(select(table.c.kind).where(same, table.c.kind == kind)).first() is not None:
            return False
        values = {"one": one, "other": other, "kind": kind, "because": clean(because), "by": clean(by)[:128], "at": self._casebook.now()}
        connection.execute(insert(table).values(**values))
        return True

    @staticmethod
    def keep_rating(connection: Connection, uid: str, kept: KeptRating) -> None:
        """Add a rating to an incident's."""
        rating = kept.rating
        connection.execute(
            insert(tables.incident_rating).values(
                uid=kept.uid,
                incident=uid,
                people=rating.people,
                operations=rating.operations,
                data=rating.data,
                money=rating.money,
                law=rating.law,
                in_doubt=" ".join(rating.in_doubt),
                severity=kept.severity,
                occasion=kept.occasion,
                status=kept.status.value,
                reason=clean(kept.reason),
                by=clean(kept.by)[:128],
                at=kept.at,
                second=kept.second,
                second_at=kept.second_at,
            )
        )

    def _inherit_moments(self, connection: Connection, into: str, series: Sequence[MomentEntry], by: str) -> None:
        """Hand on what was earlier: the clock of one story starts with the first alert of it, and every team's times stay the first."""
        now = current(series)
        known = current(self._casebook.series(connection, into))
        for (moment, team), entry in now.items():
            there = at(known, moment, team)
            wanted = moment in EARLIEST or team
            if wanted and entry.at is not None and (there is None or entry.at < there):
                self._casebook.record(
                    connection,
                    into,
                    MomentEntry(
                        moment,
                        entry.at,
                        entry.source,
                        entry.manual,
                        entry.uncertainty,
                        entry.evidence,
                        team,
                        entry.recorded_by,
                        reason="Merged.",
                    ),
                )
        del by

    @staticmethod
    def _inherit_names(connection: Connection, into: str, other: str) -> None:
        table = tables.incident_entity
        mine = {tuple(row) for row in connection.execute(select(table.c.kind, table.c.entity).where(table.c.incident == into))}
        theirs = {tuple(row) for row in connection.execute(select(table.c.kind, table.c.entity).where(table.c.incident == other))}
        rows = [{"incident": into, "kind": kind, "entity": entity} for kind, entity in sorted(theirs - mine)]
        for part in parts(rows):
            connection.execute(insert(table), part)

    @staticmethod
    def _name(connection: Connection, uid: str, findings: Sequence[Finding]) -> None:
        """Keep what the findings name, for filters and for finding similar incidents."""
        table = tables.incident_entity
        wanted: set[tuple[Any, ...]] = set()
        for finding in findings:
            wanted.update((kind, clean(one)[:ENTITY]) for name, kind in KINDS.items() for one in getattr(finding, name))
            wanted.update(("attack", clean(one)[:ENTITY]) for one in finding.attack)
            wanted.add(("rule", clean(finding.rule)[:ENTITY]))
        there = {tuple(row) for row in connection.execute(select(table.c.kind, table.c.entity).where(table.c.incident == uid))}
        rows = [{"incident": uid, "kind": kind, "entity": one} for kind, one in sorted(wanted - there)]
        for part in parts(rows):
            connection.execute(insert(table), part)


def _check_merge(one: Row[Any], taken: Row[Any]) -> None:
    if one.uid == taken.uid:
        raise InputError("An incident is not merged with itself.", "others")
    for row in (one, taken):
        if row.merged_into:
            raise Conflict(f"Incident {row.number} is merged already.")
    if one.exercise != taken.exercise:
        raise Conflict("An exercise is not merged with a real incident.")
    if taken.open and not one.open:
        raise Conflict(f"Incident {one.number} is closed: reopen it, or merge the other way round.")
