"""The casebook: the rows of incidents, their hash-chained timeline and their moments, written within the transaction of a deed."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, text, update

from watchword.ingest.ledger import CHANGE_LOCK, Ledger
from watchword.kit.chain import GENESIS, link
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import NotFound, TooLarge
from watchword.kit.ids import random_uid
from watchword.kit.instant import to_ms
from watchword.kit.records import Records
from watchword.model import Team
from watchword.model.incident import PER_TEAM, Closure, Incident, IncidentState, Moment, MomentEntry, TimelineEntry
from watchword.respond import incident_tables as tables
from watchword.respond.incident_state import Key, at, counts, current, is_person, state_of
from watchword.respond.ports import Auditor
from watchword.respond.roles import SAFETY_WORDS

LONGEST = 10_000
"""Characters of one entry."""
SUBSTANTIVE = frozenset({"action", "step", "evidence", "state"})
"""Kinds of entries that are a first deed (t5) of their team when a person did them."""
FIRST_COUNTS = frozenset({Moment.ONSET, Moment.SIGNAL, Moment.RAISED, *PER_TEAM})
"""Moments of which machines keep the earliest: a later signal changes nothing."""
WORDS = {
    Moment.ONSET: "onset",
    Moment.SIGNAL: "first signal",
    Moment.RAISED: "alert raised",
    Moment.NOTIFIED: "notified",
    Moment.ACKNOWLEDGED: "acknowledged",
    Moment.ENGAGED: "first deed",
    Moment.DECLARED: "declared",
    Moment.CONTAINED: "contained",
    Moment.ERADICATED: "eradicated",
    Moment.RESTORED: "restored",
    Moment.CLOSED: "closed",
    Moment.REVIEWED: "review held",
    Moment.LEARNED: "last corrective action verified",
}


class Casebook:
    """Writes on incidents; every method that takes a connection joins the caller's transaction."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor, ids: Callable[[], str] = random_uid) -> None:
        self.records, self.clock, self.auditor, self.ids = records, clock, auditor, ids
        self._news = Ledger(records)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction that will write on incidents: on PostgreSQL they take turns, so that two never wait for each other."""
        with self.records.begin() as connection:
            self.take_turn(connection)
            yield connection

    @staticmethod
    def take_turn(connection: Connection) -> None:
        """Take the lock that orders the news before any other lock of this room: the one order in which locks are taken."""
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHANGE_LOCK})

    def now(self) -> datetime:
        """Return the present moment, cut to milliseconds."""
        return to_millisecond(self.clock.now())

    # cases

    @staticmethod
    def find(connection: Connection, uid: str) -> Row[Any]:
        """Return an incident's row.

        Raises:
            NotFound: there is none.
        """
        row = connection.execute(select(tables.incident).where(tables.incident.c.uid == uid)).one_or_none()
        if row is None:
            raise NotFound(f"There is no incident {uid}.")
        return row

    def target(self, connection: Connection, uid: str) -> str:
        """Return the incident that a uid stands for now: itself, or the one that took it up.

        Raises:
            NotFound: there is none.
        """
        row = connection.execute(select(tables.incident.c.merged_into).where(tables.incident.c.uid == uid)).one_or_none()
        if row is None:
            raise NotFound(f"There is no incident {uid}.")
        return row.merged_into or uid

    def insert(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """Add an incident's row and return its number; the chain starts at its uid, so that no entry fits another incident."""
        number = (connection.execute(select(func.max(tables.incident.c.number))).scalar() or 0) + 1
        now = self.now()
        row = {"state": IncidentState.TRIAGE.value, "open": True, "opened_at": now, "changed_at": now, **values}
        connection.execute(insert(tables.incident).values(number=number, head=first_head(str(values["uid"])), **row))
        return number

    @staticmethod
    def change(connection: Connection, uid: str, **values: Any) -> None:
        """Change columns of an incident."""
        connection.execute(update(tables.incident).where(tables.incident.c.uid == uid).values(**values))

    def audit(
        self, connection: Connection, actor: str, deed: str, uid: str, reason: str = "", detail: Mapping[str, Any] | None = None
    ) -> None:
        """Write the audit entry of a person's deed."""
        self.auditor.write(actor, f"incident.{deed}", uid, reason, detail, connection=connection)

    # timeline

    def append(
        self,
        connection: Connection,
        incident: str,
        kind: str,
        said: str,
        *,
        recorded_by: str,
        occurred_at: datetime | None = None,
        team: str = "",
        refs: Mapping[str, str] | None = None,
        corrects: int = 0,
    ) -> TimelineEntry:
        """Append one entry to the chain, and a piece of news; of a merged incident: to the one that took it up.

        Raises:
            NotFound: there is no such incident.
            TooLarge: the text is longer than `LONGEST`.
        """
        if len(said) > LONGEST:
            raise TooLarge(f"An entry has at most {LONGEST} characters; this has {len(said)}.", "text")
        self.take_turn(connection)
        case, now = tables.incident, self.now()
        step = update(case).values(entries=case.c.entries + 1, changed_at=now).returning(case)
        row = connection.execute(step.where(case.c.uid == incident, case.c.merged_into == "")).one_or_none()
        if row is None:
            row = connection.execute(step.where(case.c.uid == self.target(connection, incident))).one()
        where, seq, head = row.uid, row.entries, row.head
        refs = {**(refs or {}), **({"merged_from": incident} if where != incident else {})}
        entry = TimelineEntry(
            where,
            seq,
            clean(kind)[:32],
            clean(said),
            to_millisecond(occurred_at or now),
            now,
            clean(recorded_by)[:128],
            clean(team)[:16],
            {clean(word): clean(uid) for word, uid in refs.items()},
            corrects,
        )
        values = row_of(entry)
        values["head"] = link(head, canonical(values))
        connection.execute(insert(tables.incident_entry).values(**values))
        connection.execute(update(case).where(case.c.uid == where).values(head=values["head"]))
        self._tell(connection, row, entry)
        self._consequences(connection, where, entry)
        return replace(entry, head=values["head"])

    def _tell(self, connection: Connection, row: Row[Any], entry: TimelineEntry) -> None:
        summary = {
            "number": row.number,
            "title": row.title,
            "severity": row.severity,
            "state": row.state,
            "exercise": row.exercise,
            "entry": entry.kind,
            "seq": entry.seq,
        }
        self._news.append_change(connection, "incident", row.uid, summary, entry.entered_at)

    def _consequences(self, connection: Connection, uid: str, entry: TimelineEntry) -> None:
        """See that a team has engaged (t5), and that a safety officer is needed."""
        if entry.kind in SUBSTANTIVE and entry.team in {Team.IT.value, Team.PHYSICAL.value} and is_person(entry.recorded_by):
            self.engage(connection, uid, entry.team, entry.recorded_by, entry.occurred_at, f"entry {entry.seq}")
        touched = {entry.refs.get("verb", "").partition(".")[0], *entry.refs} if entry.kind in {"action", "step"} else set()
        if touched.intersection(SAFETY_WORDS):
            case = tables.incident
            connection.execute(update(case).where(case.c.uid == uid, case.c.safety.is_(False)).values(safety=True))

    # moments

    def engage(self, connection: Connection, uid: str, team: str, person: str, when: datetime, evidence: str) -> None:
        """Record a team's first substantive deed, unless it has one."""
        if team in {Team.IT.value, Team.PHYSICAL.value}:
            entry = MomentEntry(Moment.ENGAGED, when, "deed", evidence=evidence, team=team, recorded_by=person)
            self.record(connection, uid, entry)

    def record(self, connection: Connection, uid: str, entry: MomentEntry) -> bool:
        """Add an entry to a moment's series, and derive state and teams anew; a machine's that adds nothing is left out.

        Returns:
            Whether it was added.
        """
        self.take_turn(connection)
        uid = self.target(connection, uid)
        known = current(self.series(connection, uid))
        if not entry.manual and entry.at is not None and _adds_nothing(entry, known):
            return False
        case, now = tables.incident, self.now()
        piece = connection.execute(
            update(case).where(case.c.uid == uid).values(pieces=case.c.pieces + 1).returning(case.c.pieces)
        ).scalar_one()
        connection.execute(
            insert(tables.incident_moment).values(
                incident=uid,
                piece=piece,
                moment=entry.moment.value,
                team=entry.team if entry.moment in PER_TEAM else "",
                at=None if entry.at is None else to_millisecond(entry.at),
                source=clean(entry.source)[:128],
                manual=entry.manual,
                uncertainty_ms=entry.uncertainty // timedelta(milliseconds=1),
                evidence=clean(entry.evidence),
                recorded_by=clean(entry.recorded_by)[:128],
                entered_at=now,
                reason=clean(entry.reason),
            )
        )
        self.derive(connection, uid)
        self.append(
            connection,
            uid,
            "moment",
            _said(entry),
            occurred_at=entry.at,
            recorded_by=entry.recorded_by or entry.source,
            team=entry.team,
            refs={"moment": entry.moment.value, "piece": str(piece)},
        )
        return True

    def derive(self, connection: Connection, uid: str) -> None:
        """Derive state, openness and each team's times from the moments, and keep them for lists."""
        now = current(self.series(connection, uid))
        state = state_of(now)
        row = self.find(connection, uid)
        is_open = not row.merged_into and state not in {IncidentState.CLOSED, IncidentState.LEARNED}
        self.change(connection, uid, state=state.value, open=is_open)
        teams = {team for moment, team in now if moment in PER_TEAM} | set(row.teams.split())
        known = set(connection.execute(select(tables.incident_team.c.team).where(tables.incident_team.c.incident == uid)).scalars())
        for team in sorted(teams | known):
            acknowledged = now.get((Moment.ACKNOWLEDGED, team))
            values = {
                "notified_at": at(now, Moment.NOTIFIED, team),
                "acknowledged_at": acknowledged.at if acknowledged else None,
                "acknowledged_by": (acknowledged.recorded_by if acknowledged.manual else acknowledged.evidence)[:128]
                if acknowledged
                else "",
                "engaged_at": at(now, Moment.ENGAGED, team),
            }
            if team in known:
                mine = (tables.incident_team.c.incident == uid) & (tables.incident_team.c.team == team)
                connection.execute(update(tables.incident_team).where(mine).values(**values))
            else:
                connection.execute(insert(tables.incident_team).values(incident=uid, team=team, **values))

    @staticmethod
    def series(connection: Connection, uid: str) -> tuple[MomentEntry, ...]:
        """Return every entry of every moment, in order of entry."""
        table = tables.incident_moment
        rows = connection.execute(select(table).where(table.c.incident == uid).order_by(table.c.piece))
        return tuple(moment_of(row) for row in rows)


def _adds_nothing(entry: MomentEntry, known: Mapping[Key, MomentEntry]) -> bool:
    there = known.get((entry.moment, entry.team if entry.moment in PER_TEAM else ""))
    if there is None or there.at is None or entry.at is None or not counts(entry):
        return False
    when = to_millisecond(entry.at)
    if entry.moment in FIRST_COUNTS:
        return there.manual or when >= there.at
    return (when, entry.source, entry.evidence) == (there.at, there.source, there.evidence)


def _said(entry: MomentEntry) -> str:
    team = f" by {entry.team}" if entry.team else ""
    name = f"{entry.moment.value} {WORDS[entry.moment]}{team}"
    if entry.at is None:
        return f"{name}: void. {entry.reason}"
    more = f", give or take {entry.uncertainty.total_seconds():.0f} s" if entry.uncertainty else ""
    proof = f"; evidence: {entry.evidence}" if entry.evidence else ""
    reason = f" {entry.reason}" if entry.reason else ""
    counted = "" if counts(entry) else " Does not count: no person acknowledged, or nothing proves it."
    return f"{name}: {entry.at.isoformat(timespec='seconds')} ({entry.source}{more}{proof}).{reason}{counted}"[:LONGEST]


def moment_of(row: Any) -> MomentEntry:
    """Return the entry of a moment's row."""
    return MomentEntry(
        Moment(row.moment),
        row.at,
        row.source,
        row.manual,
        timedelta(milliseconds=row.uncertainty_ms),
        row.evidence,
        row.team,
        row.recorded_by,
        row.entered_at,
        row.reason,
    )


def incident_of(row: Any, findings: tuple[str, ...] = (), places: tuple[str, ...] = ()) -> Incident:
    """Return the incident of a row."""
    return Incident(
        uid=row.uid,
        number=row.number,
        title=row.title,
        state=IncidentState(row.state),
        severity=row.severity,
        opened_at=row.opened_at,
        because=row.because,
        findings=findings,
        teams=tuple(Team(name) for name in row.teams.split()),
        lead=row.lead,
        exercise=row.exercise,
        merged_into=row.merged_into,
        reopened=row.reopened,
        declared_severity=row.declared_severity,
        closing_severity=row.closing_severity,
        closure=Closure(row.closure) if row.closure else None,
        safety=row.safety,
        places=places,
        summary=row.summary,
        opened_by=row.opened_by,
        changed_at=row.changed_at,
        entries=row.entries,
    )


def first_head(uid: str) -> str:
    """Return the head before an incident's first entry."""
    return link(GENESIS, b"incident " + uid.encode())


def clean(said: str) -> str:
    """Replace what PostgreSQL cannot keep in text: NUL and lone surrogates."""
    return said.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def row_of(entry: TimelineEntry) -> dict[str, Any]:
    """Return an entry as a row, its head empty."""
    return {
        "incident": entry.incident,
        "seq": entry.seq,
        "kind": entry.kind,
        "text": entry.text,
        "occurred_at": entry.occurred_at,
        "entered_at": entry.entered_at,
        "recorded_by": entry.recorded_by,
        "team": entry.team,
        "refs": json.dumps(dict(entry.refs), sort_keys=True, ensure_ascii=False, separators=(",", ":")),
        "corrects": entry.corrects,
        "head": "",
    }


def canonical(row: Mapping[str, Any]) -> bytes:
    """Return the bytes that the chain binds: every column but the head."""
    times = to_ms(row["occurred_at"]), to_ms(row["entered_at"])
    said = (row["incident"], row["seq"], row["kind"], row["text"], *times, row["recorded_by"], row["team"], row["refs"], row["corrects"])
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
