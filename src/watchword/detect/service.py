"""Findings as they are kept: written from what the engine says, read by filters, with the state of people's work on them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, insert, or_, select, update

from watchword.detect.kept import (
    KINDS,
    Disposition,
    KeptFinding,
    Work,
    WorkState,
    entity_rows,
    finding_json,
    kept_of,
    parts,
    row_of,
    summary_of,
)
from watchword.detect.tables import finding as table
from watchword.detect.tables import finding_entity as named
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.kit.records import Records
from watchword.model import Finding, FindingState, Mode

__all__ = ["Disposition", "FindingFilter", "Findings", "KeptFinding", "Work", "WorkState", "finding_json"]

LIMIT = 200
KeptFindings = list[KeptFinding]
PlainFindings = list[Finding]
UidsByEvent = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class FindingFilter:
    """Which findings. Fields are joined by *and*; an empty field does not restrict. Withdrawn ones come only when asked for."""

    since: datetime | None = None
    """`time` at or after."""
    until: datetime | None = None
    rules: tuple[str, ...] = ()
    severity: int = 0
    """Least."""
    mode: Mode | None = None
    states: tuple[FindingState, ...] = (FindingState.PROVISIONAL, FindingState.FINAL)
    work: tuple[WorkState, ...] = ()
    person: str = ""
    asset: str = ""
    place: str = ""
    """Also everything inside it, by path."""
    credential: str = ""
    address: str = ""
    event: str = ""
    text: str = ""
    """Words that must all stand in the title or the sentence."""


class Findings:
    """The repository of findings."""

    def __init__(self, records: Records, clock: Clock) -> None:
        """Take where rows are kept, and the clock for the moments of writing."""
        self._records = records
        self._clock = clock
        self._news = Ledger(records)

    # writing

    def put(self, findings: Sequence[Finding], connection: Connection | None = None) -> int:
        """Keep findings as the engine says they are now, each with a piece of news; what is kept already so is left alone.

        A finding of a known uid changes in what the detector says; people's work on it stays.

        Args:
            findings: In the order of `Changes.findings`; of two with one uid the last counts.
            connection: The caller's transaction; None: one of its own.

        Returns:
            How many were written.
        """
        if not findings:
            return 0
        if connection is None:
            with self._records.begin() as own:
                return self.put(findings, own)
        wanted = {finding.uid: finding for finding in findings}
        known = {kept.finding.uid: kept.finding for kept in self._by_uid(connection, [*wanted])}
        now = to_millisecond(self._clock.now())
        fresh = [finding for uid, finding in wanted.items() if uid not in known and finding.state is not FindingState.WITHDRAWN]
        changed = [finding for uid, finding in wanted.items() if uid in known and known[uid] != finding]
        for part in parts(fresh):
            connection.execute(insert(table), [{**row_of(finding), "kept_at": now, "changed_at": now} for finding in part])
        for finding in changed:
            row = {**row_of(finding), "changed_at": now}
            connection.execute(update(table).where(table.c.uid == finding.uid).values(**row))
        for chunk in parts([finding.uid for finding in changed]):
            connection.execute(delete(named).where(named.c.finding.in_(chunk)))
        rows = [row for finding in (*fresh, *changed) for row in entity_rows(finding)]
        for piece in parts(rows):
            connection.execute(insert(named), piece)
        for finding in (*changed, *fresh):
            self._news.append_change(connection, "finding", finding.uid, summary_of(finding), now)
        return len(fresh) + len(changed)

    def record_work(
        self,
        uid: str,
        *,
        state: WorkState,
        by: str,
        disposition: Disposition | None = None,
        note: str = "",
        seen: Work | None = None,
        connection: Connection | None = None,
    ) -> KeptFinding:
        """Write how far people are with a finding, and return it.

        Args:
            uid: The finding.
            state: Its new state of work; only a closed one has a disposition, and must.
            by: Who says so.
            disposition: What it was found to be.
            note: Why.
            seen: The work as the person saw it; when it is another by now, the write is refused.
            connection: The caller's transaction, so that the deed and its audit entry are kept or lost together; None: one of its own.

        Raises:
            NotFound: there is no such finding.
            InputError: a closed finding without disposition, or an open one with it.
            Conflict: somebody else wrote in between.
        """
        if (state is WorkState.CLOSED) != (disposition is not None):
            raise InputError(
                "A finding is closed with a disposition: true, benign, false or undecided; an open one has none.", "disposition"
            )
        if connection is None:
            with self._records.begin() as own:
                return self.record_work(uid, state=state, by=by, disposition=disposition, note=note, seen=seen, connection=own)
        now = to_millisecond(self._clock.now())
        found = self._by_uid(connection, [uid], lock=True)
        if not found:
            raise NotFound(f"There is no finding {uid}.")
        if seen is not None and found[0].work != seen:
            raise Conflict(f"{found[0].work.by or 'Somebody'} has changed this finding meanwhile: read it again.")
        said = disposition.value if disposition else ""
        connection.execute(
            update(table).where(table.c.uid == uid).values(work=state.value, disposition=said, note=note, work_by=by, work_at=now)
        )
        summary = {**summary_of(found[0].finding), "work": state.value, "disposition": said, "by": by}
        self._news.append_change(connection, "finding", uid, summary, now)
        return self._by_uid(connection, [uid])[0]

    # reading

    def exists(self, uid: str) -> bool:
        """Tell whether a finding of this uid is kept."""
        with self._records.read() as connection:
            return connection.execute(select(table.c.uid).where(table.c.uid == uid)).first() is not None

    def get(self, uid: str) -> KeptFinding:
        """Return a finding, withdrawn or not.

        Raises:
            NotFound: there is none.
        """
        with self._records.read() as connection:
            found = self._by_uid(connection, [uid])
        if not found:
            raise NotFound(f"There is no finding {uid}.")
        return found[0]

    def list(
        self,
        wanted: FindingFilter | None = None,
        *,
        person: str = "",
        asset: str = "",
        place: str = "",
        event: str = "",
        after: tuple[datetime, str] | None = None,
        limit: int = LIMIT,
    ) -> KeptFindings:
        """Return findings, newest first.

        Args:
            wanted: The filter; None: everything that is not withdrawn.
            person: Beside the filter, for short: findings that name this person. The same for asset, place and event.
            asset: See person.
            place: See person.
            event: See person.
            after: Keyset cursor: (time, uid) of the last one already seen.
            limit: Most.
        """
        wanted = wanted or FindingFilter()
        query = select(table).where(*_conditions(wanted))
        for kind, uid in (("person", person), ("asset", asset), ("place", place), ("event", event)):
            if uid:
                query = query.where(_names(kind, uid))
        if after is not None:
            time, uid = after
            query = query.where(or_(table.c.time < time, and_(table.c.time == time, table.c.uid < uid)))
        query = query.order_by(table.c.time.desc(), table.c.uid.desc()).limit(limit)
        with self._records.read() as connection:
            return [kept_of(row) for row in connection.execute(query)]

    def since(self, moment: datetime) -> PlainFindings:
        """Return every finding that is not withdrawn and whose last event is not older: what an engine is warmed with."""
        query = (
            select(table)
            .where(table.c.last_time >= moment, table.c.state != FindingState.WITHDRAWN.value)
            .order_by(table.c.time, table.c.uid)
        )
        with self._records.read() as connection:
            return [kept_of(row).finding for row in connection.execute(query)]

    def of_events(self, events: Iterable[str]) -> UidsByEvent:
        """Return, by event uid, the uids of the findings that rest on it and are not withdrawn."""
        found: UidsByEvent = {}
        with self._records.read() as connection:
            for chunk in parts(sorted(set(events))):
                query = (
                    select(named.c.entity, named.c.finding)
                    .join(table, table.c.uid == named.c.finding)
                    .where(named.c.kind == "event", named.c.entity.in_(chunk), table.c.state != FindingState.WITHDRAWN.value)
                    .order_by(named.c.time, named.c.finding)
                )
                for entity, uid in connection.execute(query):
                    found.setdefault(entity, []).append(uid)
        return found

    def counts(self, wanted: FindingFilter | None = None) -> Counter[tuple[str, int, str]]:
        """Return how many findings there are by (rule, severity, mode)."""
        query: Select[Any] = (
            select(table.c.rule, table.c.severity, table.c.mode, func.count())
            .where(*_conditions(wanted or FindingFilter()))
            .group_by(table.c.rule, table.c.severity, table.c.mode)
        )
        with self._records.read() as connection:
            return Counter({(rule, severity, mode): count for rule, severity, mode, count in connection.execute(query)})

    @staticmethod
    def _by_uid(connection: Connection, uids: Sequence[str], *, lock: bool = False) -> KeptFindings:
        found: list[KeptFinding] = []
        for chunk in parts([*uids]):
            query = select(table).where(table.c.uid.in_(chunk)).order_by(table.c.uid)
            found.extend(kept_of(row) for row in connection.execute(query.with_for_update() if lock else query))
        return found


def _names(kind: str, uid: str) -> ColumnElement[bool]:
    same: ColumnElement[bool] = named.c.entity == uid
    if kind == "place":
        same = or_(same, named.c.entity.startswith(uid + "/", autoescape=True))
    return table.c.uid.in_(select(named.c.finding).where(named.c.kind == kind, same))


def _conditions(wanted: FindingFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [table.c.state.in_([state.value for state in wanted.states])]
    if wanted.since is not None:
        found.append(table.c.time >= wanted.since)
    if wanted.until is not None:
        found.append(table.c.time < wanted.until)
    if wanted.rules:
        found.append(table.c.rule.in_(wanted.rules))
    if wanted.severity:
        found.append(table.c.severity >= wanted.severity)
    if wanted.mode is not None:
        found.append(table.c.mode == wanted.mode.value)
    if wanted.work:
        found.append(table.c.work.in_([state.value for state in wanted.work]))
    found.extend(_names(kind, uid) for kind in KINDS.values() if (uid := getattr(wanted, kind)))
    found.extend(
        or_(table.c.because.icontains(word, autoescape=True), table.c.title.icontains(word, autoescape=True))
        for word in wanted.text.split()
    )
    return found
