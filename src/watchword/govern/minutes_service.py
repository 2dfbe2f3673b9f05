"""Minutes, actions and pulses kept: what a meeting was, consented to by those who were there; what it wants done; how it felt."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from watchword.govern import committee_tables as tables
from watchword.govern.agenda_service import item_of
from watchword.govern.committee_service import Committees, roll_of
from watchword.govern.decision_rules import canonical
from watchword.govern.decision_service import Decisions
from watchword.govern.meeting import BodyAction, MinutesVersion
from watchword.govern.minutes import HIGHEST_SCORE, LOWEST_SCORE, PULSE, PulseResult, approved, jain, minutes_hash, pulse_results
from watchword.govern.proposal_service import Proposals
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.respond.ports import Auditor

LONGEST: Final = 4_000
MOST: Final = 1_000


class MinuteBook:
    """Keeps minutes, actions and pulses in `Records`; everything but an answer to a pulse is audited in the same transaction."""

    def __init__(
        self, records: Records, clock: Clock, auditor: Auditor, committees: Committees, decisions: Decisions, proposals: Proposals
    ) -> None:
        self._records, self._clock, self._auditor = records, clock, auditor
        self._committees, self._decisions, self._proposals = committees, decisions, proposals
        self._ledger = Ledger(records)

    # minutes

    def write(self, meeting: str, *, by: str, note: str = "") -> int:
        """Write the next version of a closed meeting's minutes from what was done; return its number.

        Raises:
            Conflict: the meeting is not closed.
            NotFound: there is none.
            Forbidden: whoever writes does not sit in the body.
        """
        if len(note) > LONGEST:
            raise InputError(f"a note has at most {LONGEST:,} characters", "note")
        decisions = self._decisions.all_kept(meeting=meeting)
        table, now = tables.minutes, to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            row = self._closed(connection, meeting)
            self._committees.seat(connection, row.body, by)
            number = int(
                connection.execute(select(func.coalesce(func.max(table.c.number), 0)).where(table.c.meeting == meeting)).scalar_one()
            )
            content = self._content(connection, row, note, [each.decision.uid for each in decisions])
            values = {"meeting": meeting, "number": number + 1, "content": canonical(content), "hash": minutes_hash(content)}
            connection.execute(insert(table).values(**values, at=now, by=by))
            self._told(connection, row, by, "minutes.write", {"version": number + 1})
        return number + 1

    def _content(self, connection: Connection, row: Row[Any], note: str, decisions: Sequence[str]) -> dict[str, Any]:
        items, presence, actions = tables.agenda_item, tables.presence, tables.body_action
        found = [item_of(each) for each in connection.execute(select(items).where(items.c.meeting == row.uid).order_by(items.c.position))]
        here = list(connection.execute(select(presence).where(presence.c.meeting == row.uid).order_by(presence.c.person)))
        wanted = connection.execute(select(actions).where(actions.c.meeting == row.uid).order_by(actions.c.due, actions.c.text))
        proposals = [self._proposals.get(each.uid) for each in self._proposals.list(meeting=row.uid)]
        words = self._words(connection, row)
        return {
            "body": row.body,
            "number": row.number,
            "starts": row.starts.isoformat(),
            "opened": row.opened.isoformat() if row.opened else None,
            "closed": row.closed.isoformat() if row.closed else None,
            "roles": dict(row.roles),
            "present": {each.person: each.domain for each in here if each.state == "present"},
            "excused": sorted(each.person for each in here if each.state != "present"),
            "items": [
                {
                    "title": each.title,
                    "why": each.why,
                    "state": each.state.value,
                    "outcome": each.outcome,
                    "minutes": each.minutes,
                    "domain": each.domain,
                    "iso_input": each.iso_input,
                    "metrics": [dict(number) for number in each.metrics],
                    "metrics_hash": each.metrics_hash,
                }
                for each in found
                if each.position
            ],
            "left_out": [{"title": each.title, "value": each.value} for each in found if not each.position],
            "questions": [
                {"proposal": each.proposal.number, "person": asked.person, "text": asked.text, "answer": asked.answer}
                for each in proposals
                for asked in each.state.questions
            ],
            "objections": [
                {
                    "proposal": each.proposal.number,
                    "person": one.person,
                    "reason": one.reason,
                    "harm": one.harm,
                    "paramount": one.paramount,
                    "resolved_in": one.resolved_in,
                }
                for each in proposals
                for one in each.state.objections
            ],
            "decisions": list(decisions),
            "actions": [{"text": each.text, "owner": each.owner, "due": each.due.isoformat(), "metric": each.metric} for each in wanted],
            "words": words,
            "equity": jain(words.values()),
            "note": note,
        }

    def _words(self, connection: Connection, row: Row[Any]) -> dict[str, int]:
        """Return how often each person who was there asked, objected, answered or agreed, from the opening to the close."""
        presence, lines, proposals = tables.presence, tables.proposal_entry, tables.proposal
        here = connection.execute(select(presence.c.person).where(presence.c.meeting == row.uid, presence.c.state == "present")).scalars()
        found = dict.fromkeys(sorted(here), 0)
        if row.opened is None or row.closed is None:
            return found
        query = select(lines.c.actor, func.count()).join(proposals, proposals.c.uid == lines.c.proposal)
        query = query.where(proposals.c.body == row.body, lines.c.at >= row.opened, lines.c.at <= row.closed).group_by(lines.c.actor)
        for actor, count in connection.execute(query):
            if actor in found:
                found[actor] = int(count)
        return found

    def answer(self, meeting: str, number: int, *, objects: bool, reason: str = "", by: str) -> bool:
        """Agree to a version of the minutes, or object; tell whether it is approved by that.

        Raises:
            InputError: an objection says no reason.
            Conflict: it is approved, or there is a later version.
            Forbidden: whoever answers does not sit in the body.
        """
        if (objects and not reason.strip()) or len(reason) > LONGEST:
            raise InputError("say what is not right in the minutes", "reason")
        table, answers, now = tables.minutes, tables.minutes_answer, to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            row = self._closed(connection, meeting)
            self._committees.seat(connection, row.body, by)
            newest = connection.execute(select(table).where(table.c.meeting == meeting).order_by(table.c.number.desc()).limit(1)).first()
            if newest is None or newest.number != number:
                raise Conflict("there is another version of these minutes; read it first")
            if newest.approved:
                raise Conflict("these minutes are approved; what is wrong in them needs a new version")
            mine = (answers.c.meeting == meeting) & (answers.c.number == number)
            connection.execute(answers.delete().where(mine, answers.c.person == by))
            values = {"meeting": meeting, "number": number, "person": by, "objects": objects, "reason": reason.strip(), "at": now}
            connection.execute(insert(answers).values(**values))
            said = {each.person: each.objects for each in connection.execute(select(answers).where(mine))}
            present = dict(json.loads(newest.content)["present"])
            agreed = approved(said, present, roll_of(self._committees.within(connection, row.body)))
            if agreed:
                connection.execute(update(table).where(table.c.meeting == meeting, table.c.number == number).values(approved=now))
            self._told(connection, row, by, "minutes.answer", {"version": number, "objects": objects, "approved": agreed})
        return agreed

    def versions(self, meeting: str) -> list[MinutesVersion]:
        """Return the versions of a meeting's minutes, the newest first."""
        table, answers = tables.minutes, tables.minutes_answer
        with self._records.read() as connection:
            said: dict[int, dict[str, tuple[bool, str]]] = {}
            for row in connection.execute(select(answers).where(answers.c.meeting == meeting).order_by(answers.c.at)):
                said.setdefault(row.number, {})[row.person] = (row.objects, row.reason)
            rows = connection.execute(select(table).where(table.c.meeting == meeting).order_by(table.c.number.desc()))
            return [
                MinutesVersion(
                    meeting, row.number, json.loads(row.content), row.hash, row.at, row.by, row.approved, said.get(row.number, {})
                )
                for row in rows
            ]

    def _closed(self, connection: Connection, meeting: str) -> Row[Any]:
        row = connection.execute(select(tables.meeting).where(tables.meeting.c.uid == meeting)).first()
        if row is None:
            raise NotFound("there is no such meeting")
        if row.state != "closed":
            raise Conflict(f"this meeting is {row.state}: minutes are written once it is closed")
        return row

    # actions

    def add_action(
        self, body: str, text: str, owner: str, due: date, *, by: str, meeting: str = "", decision: str = "", metric: str = ""
    ) -> str:
        """Keep something that a body wants done, and return its uid.

        Raises:
            InputError: it has no words, or is due in the past.
            Forbidden: its owner, or whoever adds it, does not sit in the body.
        """
        now = to_millisecond(self._clock.now())
        if not text.strip() or len(text) > LONGEST:
            raise InputError(f"say in at most {LONGEST:,} characters what is to be done", "text")
        if due < now.date():
            raise InputError("an action is due from today on", "due")
        uid = random_uid()
        with self._records.begin() as connection:
            kept = self._committees.within(connection, body)
            self._committees.seat(connection, kept.uid, by)
            seat = self._committees.seat(connection, kept.uid, owner)
            values = {"uid": uid, "body": kept.uid, "meeting": meeting, "decision": decision, "text": text.strip(), "owner": owner}
            domain = "joint" if seat == "other" else seat
            connection.execute(insert(tables.body_action).values(**values, domain=domain, due=due, metric=metric[:64], made=now))
            self._auditor.write(by, "action.add", uid, detail={"owner": owner, "due": due.isoformat()}, connection=connection)
            self._ledger.append_change(connection, "meeting", meeting or kept.uid, {"body": kept.uid}, now)
        return uid

    def finish(self, action: str, said: str, *, by: str, drop: bool = False) -> None:
        """Say that an action is done, and how, or that it is dropped, and why.

        Raises:
            InputError: nothing is said.
            Conflict: it is done or dropped.
            NotFound: there is none.
        """
        if not said.strip() or len(said) > LONGEST:
            raise InputError("say how it was done, or why it is dropped", "said")
        table, now = tables.body_action, to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            row = connection.execute(select(table).where(table.c.uid == action)).first()
            if row is None:
                raise NotFound("there is no such action")
            self._committees.seat(connection, row.body, by)
            if row.done is not None:
                raise Conflict("this action is closed")
            connection.execute(update(table).where(table.c.uid == action).values(done=now, done_said=said.strip(), dropped=drop))
            self._auditor.write(by, "action.drop" if drop else "action.done", action, said[:1000], connection=connection)
            self._ledger.append_change(connection, "meeting", row.meeting or row.body, {"body": row.body}, now)

    def actions(self, body: str = "", *, meeting: str = "", open_only: bool = False) -> Sequence[BodyAction]:
        """Return actions: the open ones by their due date, then those that are closed."""
        table = tables.body_action
        query = select(table).order_by(table.c.done.is_not(None), table.c.due, table.c.text).limit(MOST)
        if body:
            query = query.where(table.c.body == body)
        if meeting:
            query = query.where(table.c.meeting == meeting)
        if open_only:
            query = query.where(table.c.done.is_(None))
        with self._records.read() as connection:
            return [BodyAction(**row) for row in connection.execute(query).mappings()]

    # pulses

    def answer_pulse(self, meeting: str, scores: Mapping[str, int], *, by: str) -> None:
        """Take somebody's answers: who answered is kept, and what was answered, and nothing that leads from one to the other.

        Raises:
            InputError: a score is out of 1 to 5, or of no question.
            Conflict: they have answered, or the meeting has not begun.
            Forbidden: they were not there.
        """
        if set(scores) != set(PULSE) or not all(LOWEST_SCORE <= score <= HIGHEST_SCORE for score in scores.values()):
            raise InputError(f"answer every question with {LOWEST_SCORE} to {HIGHEST_SCORE}", "scores")
        answered, table, presence = tables.pulse_answered, tables.pulse, tables.presence
        with self._records.begin() as connection:
            row = connection.execute(select(tables.meeting).where(tables.meeting.c.uid == meeting)).first()
            if row is None:
                raise NotFound("there is no such meeting")
            if row.state not in {"open", "closed"}:
                raise Conflict("the meeting has not begun")
            here = select(presence.c.person).where(presence.c.meeting == meeting, presence.c.person == by, presence.c.state == "present")
            if connection.execute(here).first() is None:
                raise Forbidden("whoever was there answers")
            mine = select(answered.c.person).where(answered.c.meeting == meeting, answered.c.person == by)
            if connection.execute(mine).first() is not None:
                raise Conflict("you have answered; nobody can tell which answers are yours, so they cannot be changed")
            connection.execute(insert(answered).values(meeting=meeting, person=by))
            rows = [{"uid": random_uid(), "meeting": meeting, "question": name, "score": score} for name, score in scores.items()]
            connection.execute(insert(table), rows)

    def pulse(self, meeting: str) -> list[PulseResult]:
        """Return what a meeting's pulse says; nothing of a question that fewer than five people answered."""
        table = tables.pulse
        with self._records.read() as connection:
            return pulse_results([(row.question, row.score) for row in connection.execute(select(table).where(table.c.meeting == meeting))])

    def has_answered(self, meeting: str, person: str) -> bool:
        """Tell whether somebody has answered a meeting's pulse."""
        table = tables.pulse_answered
        with self._records.read() as connection:
            found = connection.execute(select(table.c.person).where(table.c.meeting == meeting, table.c.person == person)).first()
        return found is not None

    def _told(self, connection: Connection, row: Row[Any], by: str, deed: str, detail: Mapping[str, Any]) -> None:
        self._auditor.write(by, deed, row.uid, detail=detail, connection=connection)
        self._ledger.append_change(connection, "meeting", row.uid, {"body": row.body, "deed": deed}, to_millisecond(self._clock.now()))
