"""Agendas kept: what a meeting would talk about now, what was frozen for it with its numbers, and what was left out."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Row, insert, select, update

from watchword.govern import committee_tables as tables
from watchword.govern.agenda import Agenda, Bounds, Weighed, build, weigh
from watchword.govern.body import Body
from watchword.govern.candidate import Candidate, IsoInput, staleness_of, urgency_of
from watchword.govern.committee_service import Committees
from watchword.govern.decision_service import Decisions
from watchword.govern.meeting import Item, ItemState, Meeting, MeetingState, frozen_number, numbers_hash
from watchword.govern.meeting_calendar import meetings_left, quarter_of
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.model.metric import Metric
from watchword.respond.ports import Auditor

LONGEST_TITLE: Final = 300
LONGEST: Final = 4_000
STANDING: Final = 5
"""Minutes of a standing item: a review input that nothing else brings up."""
OWN: Final = frozenset({"action", "review", "proposal", "item", "standing"})
"""Kinds that every body takes, whatever it takes otherwise."""


class Numbers(Protocol):
    """Reads Metrics, and keeps those on which something stands."""

    def get(self, uid: str) -> Metric:
        """Return one value."""
        ...

    def hold(self, connection: Connection, uids: Sequence[str]) -> None:
        """Keep values for good."""
        ...


class Agendas:
    """Builds agendas by rule from what the rooms hand in, and freezes them."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        auditor: Auditor,
        committees: Committees,
        decisions: Decisions,
        numbers: Numbers,
        candidates: Callable[[datetime], Sequence[Candidate]],
    ) -> None:
        self._records, self._clock, self._auditor, self._numbers = records, clock, auditor, numbers
        self._committees, self._decisions, self._candidates = committees, decisions, candidates
        self._ledger = Ledger(records)

    # members' items

    def add(self, meeting: str, title: str, why: str, minutes: int, domain: str, *, by: str) -> str:
        """Put a member's item on a meeting's agenda; return its uid. It comes first as long as there is room.

        Raises:
            InputError: something is missing or out of bounds.
            Conflict: the meeting is over.
            Forbidden: whoever adds it does not sit in the body.
        """
        if not title.strip() or len(title) > LONGEST_TITLE or len(why) > LONGEST:
            raise InputError(f"an item has a title of 1 to {LONGEST_TITLE} characters, and words of at most {LONGEST:,}", "title")
        if not 1 <= minutes <= 240 or domain not in {"it", "physical", "joint"}:
            raise InputError("an item lasts 1 to 240 minutes, and is of it, physical or joint", "minutes")
        now = to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            row = self._open(connection, meeting)
            self._committees.seat(connection, row.body, by)
            body = self._committees.within(connection, row.body)
            candidate = Candidate("item", title.strip(), why.strip(), minutes=minutes, domain=domain)
            placed = row.state != MeetingState.PLANNED.value and self._room(connection, row) >= minutes
            position = self._last(connection, meeting) + 1 if placed else 0
            uid = self._keep(connection, meeting, weigh(candidate, 0, body.rules.floor_eur, pinned=True), position, by)
            self._auditor.write(by, "agenda.add", meeting, detail={"item": uid, "title": title[:100]}, connection=connection)
            self._ledger.append_change(connection, "meeting", meeting, {"body": row.body}, now)
        return uid

    def drop(self, item: str, *, by: str) -> None:
        """Take a member's item off an agenda that is not frozen.

        Raises:
            Conflict: the agenda stands.
            NotFound: there is no such item of a member.
        """
        table = tables.agenda_item
        with self._records.begin() as connection:
            row = connection.execute(select(table).where(table.c.uid == item, table.c.added_by != "")).first()
            if row is None:
                raise NotFound("there is no such item of a member")
            kept = self._open(connection, row.meeting)
            self._committees.seat(connection, kept.body, by)
            if kept.state != MeetingState.PLANNED.value:
                raise Conflict("the agenda stands; close the item at the meeting")
            connection.execute(table.delete().where(table.c.uid == item))
            self._auditor.write(by, "agenda.drop", row.meeting, detail={"title": row.title[:100]}, connection=connection)
            self._ledger.append_change(connection, "meeting", row.meeting, {"body": kept.body}, self._clock.now())

    # by rule

    def preview(self, meeting: Meeting) -> Agenda:
        """Return the agenda as it would be frozen now."""
        body, handed = self._committees.get(meeting.body), self._candidates(self._clock.now())
        with self._records.read() as connection:
            return self._build(connection, meeting, body, handed)

    def freeze(self, meeting: Meeting, *, by: str) -> None:
        """Build the agenda and keep it with the numbers of this moment; done once.

        Raises:
            Conflict: it stands already.
        """
        now = to_millisecond(self._clock.now())
        body, handed = self._committees.get(meeting.body), self._candidates(now)
        table = tables.meeting
        with self._records.begin() as connection:
            mine = (table.c.uid == meeting.uid) & (table.c.state == MeetingState.PLANNED.value)
            frozen = {"state": MeetingState.FROZEN.value, "frozen": now}
            if not connection.execute(update(table).where(mine).values(**frozen)).rowcount:
                raise Conflict("this agenda stands already")
            agenda = self._build(connection, meeting, body, handed)
            items = tables.agenda_item
            before = {
                row.key: row for row in connection.execute(select(items).where(items.c.meeting == meeting.uid, items.c.added_by != ""))
            }
            for position, each in [*enumerate(agenda.chosen, 1), *((0, each) for each in agenda.left)]:
                kept = before.get(_pinned_key(each.candidate)) if each.pinned else None
                if kept is not None:
                    connection.execute(update(items).where(items.c.uid == kept.uid).values(position=position, value=each.value))
                else:
                    self._keep(connection, meeting.uid, each, position, "")
            connection.execute(update(table).where(table.c.uid == meeting.uid).values(agenda_dropped=list(agenda.dropped)))
            detail = {"items": len(agenda.chosen), "left": len(agenda.left), "dropped": list(agenda.dropped)}
            self._auditor.write(by, "agenda.freeze", meeting.uid, detail=detail, connection=connection)
            self._ledger.append_change(connection, "meeting", meeting.uid, {"body": body.uid, "state": "frozen"}, now)

    def items(self, meeting: str) -> list[Item]:
        """Return a meeting's items: those on the agenda in their order, then what was left out, the heaviest first."""
        table = tables.agenda_item
        with self._records.read() as connection:
            found = [item_of(row) for row in connection.execute(select(table).where(table.c.meeting == meeting))]
        return sorted(found, key=lambda each: (not each.position, each.position, -each.value, each.title))

    def _build(self, connection: Connection, meeting: Meeting, body: Body, handed: Sequence[Candidate]) -> Agenda:
        day = meeting.starts.date()
        takes = set(body.rules.takes)
        found = {each.key: each for each in handed if not takes or each.kind in takes | OWN}
        found |= {each.key: each for each in self._own(connection, body, day)}
        owed = self._owed(connection, body.uid, day)
        covered = {each.iso_input for each in found.values()}
        for name in sorted(owed - {str(each) for each in covered if each}):
            standing = Candidate("standing", f"Review: {name}", "The quarter's review has not had this yet.", None, 1.0, 1.0, STANDING)
            found[f"standing|{name}"] = replace(standing, iso_input=IsoInput(name))
        passed = self._passed_over(connection, body.uid, meeting.starts)
        floor = body.rules.floor_eur
        items = [weigh(each, passed.get(each.key[:400], 0), floor) for each in found.values()]
        table = tables.agenda_item
        for row in connection.execute(select(table).where(table.c.meeting == meeting.uid, table.c.added_by != "")):
            each = Candidate("item", row.title, row.why, minutes=row.minutes, domain=row.domain)
            items.append(weigh(each, passed.get(row.key, 0), floor, pinned=True))
        left = meetings_left(meeting.starts, self._starts(connection, body.uid))
        return build(items, Bounds(meeting.minutes, body.rules.domain_share, frozenset(owed), left))

    def _own(self, connection: Connection, body: Body, day: date) -> list[Candidate]:
        """Return what the body itself left to be done: overdue actions, proposals under way, decisions whose review is near."""
        found = []
        actions = tables.body_action
        query = select(actions).where(actions.c.body == body.uid, actions.c.done.is_(None), ~actions.c.dropped, actions.c.due <= day)
        for row in connection.execute(query.order_by(actions.c.due).limit(100)):
            late = (day - row.due).days
            why = f"It was due on {row.due.isoformat()}, {late} days before this meeting; {row.owner} has it."
            stale = staleness_of(late, 14)
            refs = (f"action:{row.uid}",)
            found.append(Candidate("action", row.text[:200], why, None, 3.0, stale, 5, row.domain, IsoInput.ACTIONS, refs))
        table = tables.proposal
        waits = table.c.state.in_(["question", "objection", "integration", "escalated"])
        for row in connection.execute(select(table).where(table.c.body == body.uid, waits).limit(100)):
            urgency = 3.0 if row.state == "escalated" else 2.0
            why = f"The proposal stands at {row.state}, version {row.version}."
            refs = (f"proposal:{row.uid}",)
            found.append(Candidate("proposal", row.title, why, None, urgency, 1.0, 15, "joint", IsoInput.IMPROVEMENT, refs))
        for each in self._decisions.due(day):
            if each.body == body.uid:
                why = f"Decision {each.number} is to be reviewed on {each.review_on.isoformat()}: did it do what was expected?"
                refs, press = (f"decision:{each.uid}",), urgency_of(each.review_on, day)
                title = f"Review of decision {each.number}: {each.question}"[:200]
                found.append(Candidate("review", title, why, None, press, 1.0, 10, "joint", IsoInput.OBJECTIVES, refs, each.metrics))
        return found

    def _owed(self, connection: Connection, body: str, day: date) -> set[str]:
        first, after = quarter_of(day)
        items, meetings = tables.agenda_item, tables.meeting
        query = select(items.c.iso_input, meetings.c.starts).join(meetings, meetings.c.uid == items.c.meeting)
        query = query.where(meetings.c.body == body, meetings.c.state == "closed", items.c.position > 0, items.c.iso_input != "")
        query = query.where(items.c.state == ItemState.DONE.value)
        had = {row.iso_input for row in connection.execute(query) if first <= row.starts.date() < after}
        return {each.value for each in IsoInput} - had

    def _passed_over(self, connection: Connection, body: str, before: datetime) -> dict[str, int]:
        """Return how many meetings running each thing was left out of."""
        items, meetings = tables.agenda_item, tables.meeting
        query = select(items.c.key, items.c.position, items.c.state).join(meetings, meetings.c.uid == items.c.meeting)
        query = query.where(meetings.c.body == body, meetings.c.starts < before, meetings.c.frozen.is_not(None))
        found: dict[str, int] = {}
        for row in connection.execute(query.order_by(meetings.c.starts)):
            missed = row.position == 0 or row.state == ItemState.CARRIED.value
            found[row.key] = found.get(row.key, 0) + 1 if missed else 0
        return found

    def _starts(self, connection: Connection, body: str) -> list[datetime]:
        table = tables.meeting
        return list(connection.execute(select(table.c.starts).where(table.c.body == body, table.c.state != "cancelled")).scalars())

    def _keep(self, connection: Connection, meeting: str, each: Weighed, position: int, by: str) -> str:
        candidate, uid = each.candidate, random_uid()
        found = [metric for name in candidate.metrics if (metric := self._number(name)) is not None]
        numbers = [frozen_number(metric) for metric in found]
        self._numbers.hold(connection, [metric.uid for metric in found])
        connection.execute(
            insert(tables.agenda_item).values(
                uid=uid,
                meeting=meeting,
                key=candidate.key[:400],
                kind=candidate.kind[:32],
                title=candidate.title[:LONGEST_TITLE],
                why=candidate.why[:LONGEST],
                value=each.value,
                delta_risk_eur=candidate.delta_risk_eur,
                urgency=candidate.urgency,
                staleness=candidate.staleness,
                passed_over=each.passed_over,
                minutes=candidate.minutes,
                domain=candidate.domain,
                iso_input=candidate.iso_input or "",
                refs=list(candidate.refs),
                metrics=numbers,
                metrics_hash=numbers_hash(numbers),
                position=position,
                added_by=by,
                state=ItemState.OPEN.value,
                outcome="",
            )
        )
        return uid

    def _number(self, uid: str) -> Metric | None:
        """Return a value; None when it was swept since: the item stands without it, and says so by having no number."""
        try:
            return self._numbers.get(uid)
        except NotFound:
            return None

    def _open(self, connection: Connection, meeting: str) -> Row[Any]:
        row = connection.execute(select(tables.meeting).where(tables.meeting.c.uid == meeting)).first()
        if row is None:
            raise NotFound("there is no such meeting")
        if row.state in {MeetingState.CLOSED.value, MeetingState.CANCELLED.value}:
            raise Conflict(f"this meeting is {row.state}")
        return row

    def _room(self, connection: Connection, meeting: Row[Any]) -> int:
        table = tables.agenda_item
        taken = connection.execute(select(table.c.minutes).where(table.c.meeting == meeting.uid, table.c.position > 0)).scalars()
        return int((meeting.ends - meeting.starts).total_seconds() // 60 - sum(taken))

    def _last(self, connection: Connection, meeting: str) -> int:
        table = tables.agenda_item
        return int(max(connection.execute(select(table.c.position).where(table.c.meeting == meeting)).scalars(), default=0))


def _pinned_key(candidate: Candidate) -> str:
    return candidate.key[:400]


def item_of(row: Row[Any]) -> Item:
    """Return an item from its row."""
    names = ("uid", "meeting", "key", "kind", "title", "why", "value", "delta_risk_eur", "urgency", "staleness", "passed_over")
    more = ("minutes", "domain", "iso_input", "metrics_hash", "position", "added_by", "outcome", "closed")
    plain = {name: getattr(row, name) for name in (*names, *more)}
    return Item(**plain, refs=tuple(row.refs), metrics=tuple(row.metrics), state=ItemState(row.state))
