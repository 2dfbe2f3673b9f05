"""Retention: days of the event log older than the policy in force allows are dropped, each with its entry, and never one that is held."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy import insert, select, update

from watchword.app.parameters import Followed
from watchword.govern.parameter import Parameter
from watchword.govern.policy_tables import event_day, legal_hold
from watchword.ingest.segments import SegmentRow, SegmentState
from watchword.kit.clock import to_millisecond
from watchword.kit.errors import InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.model import EventQuery
from watchword.respond.incident_filter_service import IncidentFilter

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword

PARAMETER: Final = "evidence-retention.1.event_log_kept_for"
LANDING: Final = "ingest.event_log_kept_for"
LEAST: Final = timedelta(days=14)
"""Whatever a policy says, so much stays: rules, sweeps and running incidents read it."""
MOST_DAYS: Final = 40
"""Days dropped at one look; the rest at the next."""
PAGE: Final = 200
CHUNK: Final = 500

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Hold:
    """An order that nothing of some days is dropped."""

    uid: str
    reason: str
    since: date | None
    until: date | None
    by: str
    at: datetime
    released_by: str
    released_at: datetime | None

    def covers(self, day: date) -> bool:
        """Tell whether it holds a day now."""
        return self.released_at is None and (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class DroppedDay:
    """A day that went: how much, by whose decision."""

    day: date
    state: str
    records: int
    events: int
    segments: int
    decision: str
    digest: str
    begun_at: datetime
    dropped_at: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a look at retention would do."""

    kept_for: timedelta | None
    """None: no policy in force says, so nothing is dropped."""
    due: tuple[date, ...]
    """Days that would go."""
    held: tuple[tuple[date, str], ...]
    """Days that are over, and why they stay."""


class Retention:
    """Drops days. Safe to be killed in its midst: a day that was begun is finished at the next look."""

    def __init__(self, watchword: "Watchword") -> None:
        self._house = watchword
        self._followed = Followed(watchword.governance.policies, "measure")

    # what is due

    def plan(self, now: datetime) -> Plan:
        """Return what would be dropped now, and what stays for which reason."""
        parameter = self._followed.parameters().get(PARAMETER)
        if parameter is None or not isinstance(parameter.value, timedelta):
            return Plan(None, (), ())
        kept_for = max(parameter.value, LEAST)
        before = (now - kept_for).astimezone(UTC).date()
        days = self._house.sealer.segments.days(before.isoformat())
        needed = self._needed_days() if days else {}
        holds = [each for each in self.holds() if each.released_at is None]
        due: list[date] = []
        held: list[tuple[date, str]] = []
        for text, segments in days.items():
            day = date.fromisoformat(text)
            why = next((f"legal hold: {each.reason}" for each in holds if each.covers(day)), "") or needed.get(day, "")
            if not why and any(each.state is not SegmentState.JUDGED for each in segments):
                why = "not everything of it has been judged"
            if why:
                held.append((day, why))
            else:
                due.append(day)
        return Plan(kept_for, tuple(due), tuple(held))

    def _needed_days(self) -> dict[date, str]:
        """Return arrival day → why it stays, of every day that holds an event on which an open incident rests."""
        found: dict[date, str] = {}
        after = None
        while True:
            rows = self._house.response.incidents.list(IncidentFilter(open=True), after=after, limit=PAGE)
            for row in rows:
                findings = self._house.response.incidents.get(row.incident.uid).incident.findings
                events = [event for uid in findings for event in self._house.findings.get(uid).finding.events]
                for start in range(0, len(events), CHUNK):
                    chunk = tuple(events[start : start + CHUNK])
                    for event in self._house.events.events(EventQuery(uids=chunk, limit=len(chunk))):
                        found.setdefault(event.received.astimezone(UTC).date(), f"incident {row.incident.number} is open and rests on it")
            if len(rows) < PAGE:
                return found
            last = rows[-1].incident
            after = (last.severity, last.opened_at, last.uid)

    # doing it

    def drop(self, now: datetime) -> list[date]:
        """Drop the days that are due, at most 40, those first that were begun; return them."""
        self._followed.tell([LANDING])
        parameter = self._followed.parameters().get(PARAMETER)
        done = [self._finish(day) for day in self._begun()]
        if parameter is None:
            return done
        days = self._house.sealer.segments.days((now.astimezone(UTC).date() + timedelta(days=1)).isoformat())
        for day in self.plan(now).due[:MOST_DAYS]:
            self._begin(day, days[day.isoformat()], parameter)
            done.append(self._finish(day))
        return done

    def _begun(self) -> list[date]:
        query = select(event_day.c.day).where(event_day.c.state == "begun").order_by(event_day.c.day)
        with self._house.records.read() as connection:
            return [date.fromisoformat(day) for day in connection.execute(query).scalars()]

    def _begin(self, day: date, segments: Sequence[SegmentRow], parameter: Parameter) -> None:
        now = to_millisecond(self._house.clock.now())
        digest = sha256("\n".join(each.digest for each in segments).encode()).hexdigest()
        row = {
            "day": day.isoformat(),
            "state": "begun",
            "records": sum(each.records for each in segments),
            "events": sum(each.events for each in segments),
            "segments": len(segments),
            "kept": 0,
            "parameter": parameter.name,
            "policy_version": parameter.version,
            "decision": parameter.decision,
            "digest": digest,
            "begun_at": now,
        }
        with self._house.records.begin() as connection:
            connection.execute(insert(event_day).values(**row))
            detail = {name: row[name] for name in ("records", "events", "segments", "digest", "parameter", "policy_version", "decision")}
            self._house.audit.write("watchword", "retention.drop", day.isoformat(), "", detail, connection=connection)

    def _finish(self, day: date) -> date:
        text = day.isoformat()
        following = (day + timedelta(days=1)).isoformat()
        segments = self._house.sealer.segments.days(following).get(text, [])
        self._house.sealer.drop_day(day, segments)
        now = to_millisecond(self._house.clock.now())
        with self._house.records.begin() as connection:
            self._house.sealer.segments.drop(connection, text)
            connection.execute(update(event_day).where(event_day.c.day == text).values(state="dropped", dropped_at=now))
            self._house.ledger.append_change(connection, "policy", PARAMETER.partition(".")[0], {"dropped": text}, now)
        log.info("day_dropped", day=text, segments=len(segments))
        return day

    def days(self) -> list[DroppedDay]:
        """Return the days that went, the newest first."""
        names = ("state", "records", "events", "segments", "decision", "digest", "begun_at", "dropped_at")
        with self._house.records.read() as connection:
            rows = connection.execute(select(event_day).order_by(event_day.c.day.desc())).all()
        return [DroppedDay(date.fromisoformat(row.day), *(getattr(row, name) for name in names)) for row in rows]

    # legal holds

    def hold(self, reason: str, since: date | None, until: date | None, *, by: str) -> Hold:
        """Order that nothing that arrived between two days (both included) is dropped.

        Raises:
            InputError: no reason is given, or the days are in the wrong order.
        """
        words = reason.strip()
        if not words or len(words) > 2000:
            raise InputError("say why it is held, in at most 2,000 characters", "reason")
        if since is not None and until is not None and until < since:
            raise InputError("the last day lies before the first", "until")
        uid, now = random_uid(), to_millisecond(self._house.clock.now())
        row = {"uid": uid, "reason": words, "since": since, "until": until, "by": by, "at": now}
        with self._house.records.begin() as connection:
            connection.execute(insert(legal_hold).values(**row))
            detail = {"since": since.isoformat() if since else "", "until": until.isoformat() if until else ""}
            self._house.audit.write(by, "retention.hold", uid, words, detail, connection=connection)
        return Hold(uid, words, since, until, by, now, "", None)

    def release(self, uid: str, reason: str, *, by: str) -> None:
        """End a hold.

        Raises:
            NotFound: there is none of this uid, or it was released.
            InputError: no reason is given.
        """
        if not reason.strip():
            raise InputError("say why it is released", "reason")
        now = to_millisecond(self._house.clock.now())
        with self._house.records.begin() as connection:
            mine = (legal_hold.c.uid == uid) & legal_hold.c.released_at.is_(None)
            if not connection.execute(update(legal_hold).where(mine).values(released_by=by, released_at=now)).rowcount:
                raise NotFound("there is no such hold, or it was released")
            self._house.audit.write(by, "retention.release", uid, reason, connection=connection)

    def holds(self) -> list[Hold]:
        """Return every hold, those that stand first."""
        with self._house.records.read() as connection:
            rows = connection.execute(select(legal_hold).order_by(legal_hold.c.released_at.is_not(None), legal_hold.c.at.desc())).all()
        return [Hold(row.uid, row.reason, row.since, row.until, row.by, row.at, row.released_by, row.released_at) for row in rows]


def drop_old_days(watchword: "Watchword", now: datetime) -> None:
    """Do what retention asks; a job of the measuring process."""
    Retention(watchword).drop(now)


def tell_measured(watchword: "Watchword", now: datetime) -> None:
    """Log which parameters the measuring process follows from now on."""
    del now
    Followed(watchword.governance.policies, "measure").tell()
