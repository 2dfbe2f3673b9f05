"""What steering is measured by (K10), as plain values: questions and their ends, reviews, quorums, turns as chair, objections, actions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time

from sqlalchemy import Connection, select

from watchword.govern import committee_tables as tables
from watchword.govern.body import CHAIR
from watchword.govern.committee_service import Committees, roll_of
from watchword.govern.consent import Deed, Entry, Stage, entry_of, replay
from watchword.kit.records import Records
from watchword.measure.steering import Due, Question, Review


@dataclass(frozen=True, slots=True)
class Gathering:
    """Whether one meeting or one round of objections had its quorum, in total and in each domain."""

    uid: str
    kind: str
    """``meeting`` or ``proposal``."""
    at: datetime
    met: bool


@dataclass(frozen=True, slots=True)
class Paramount:
    """A paramount objection of a round that ended: the version that integrated it, 0 when none did."""

    proposal: str
    at: datetime
    resolved_in: int


@dataclass(frozen=True, slots=True)
class ItemCount:
    """Items of one meeting: raised by rule, put on the agenda, and settled there."""

    meeting: str
    at: datetime
    raised: int
    chosen: int
    done: int


@dataclass(frozen=True, slots=True)
class Steering:
    """Everything at once, read in one go."""

    questions: tuple[Question, ...]
    reviews: tuple[Review, ...]
    gatherings: tuple[Gathering, ...]
    chairs: Mapping[str, Mapping[str, int]]
    """Body → member → turns as chair at meetings that were held."""
    paramount: tuple[Paramount, ...]
    actions: tuple[Due, ...]
    items: tuple[ItemCount, ...]
    earliest: datetime | None


class SteeringFacts:
    """Reads them from what bodies keep."""

    def __init__(self, records: Records, committees: Committees) -> None:
        self._records, self._committees = records, committees

    def read(self) -> Steering:
        """Return all of it."""
        bodies = {each.uid: each for each in self._committees.list()}
        with self._records.read() as connection:
            questions, rounds, paramount = _proposals(connection)
            meetings = list(connection.execute(select(tables.meeting).where(tables.meeting.c.state == "closed")))
            gatherings = [*rounds]
            here: dict[str, set[str]] = {}
            for row in connection.execute(select(tables.presence).where(tables.presence.c.state == "present")):
                here.setdefault(row.meeting, set()).add(row.person)
            chairs = {uid: dict.fromkeys(body.seats, 0) for uid, body in bodies.items()}
            for row in meetings:
                body = bodies.get(row.body)
                if body is None:
                    continue
                lack = roll_of(body).quorum_lack(here.get(row.uid, set()))
                gatherings.append(Gathering(row.uid, "meeting", row.closed or row.ends, not lack))
                chair = row.roles.get(CHAIR, "")
                if chair in chairs[row.body]:
                    chairs[row.body][chair] += 1
            starts = [each.asked for each in questions] + [row.starts for row in meetings]
            return Steering(
                tuple(questions),
                tuple(_reviews(connection)),
                tuple(sorted(gatherings, key=lambda each: each.at)),
                chairs,
                tuple(paramount),
                tuple(_actions(connection)),
                tuple(_items(connection)),
                min(starts, default=None),
            )


def _proposals(connection: Connection) -> tuple[list[Question], list[Gathering], list[Paramount]]:
    questions: list[Question] = []
    rounds: list[Gathering] = []
    paramount: list[Paramount] = []
    lines: dict[str, list[Entry]] = {}
    table = tables.proposal_entry
    for row in connection.execute(select(table).order_by(table.c.proposal, table.c.seq)):
        lines.setdefault(row.proposal, []).append(entry_of(row.seq, row.at, row.actor, row.deed, row.detail, row.head))
    for uid, entries in lines.items():
        asked = next((each.at for each in entries if each.deed is Deed.SUBMIT), None)
        if asked is None:
            continue
        state, ended = replay(entries), entries[-1].at
        decided = ended if state.stage in {Stage.CONSENTED, Stage.DECIDED} else None
        dropped = ended if state.stage is Stage.TABLED else None
        questions.append(Question(uid, asked, decided, dropped))
        if decided or (dropped and state.repeats):
            rounds.append(Gathering(uid, "proposal", ended, state.stage is not Stage.TABLED))
        if decided:
            paramount += [Paramount(uid, ended, each.resolved_in) for each in state.objections if each.paramount]
    return questions, rounds, paramount


def _reviews(connection: Connection) -> list[Review]:
    table = tables.decision
    rows = connection.execute(select(table.c.uid, table.c.review_on, table.c.reviewed).where(table.c.superseded_by == ""))
    return [Review(row.uid, row.review_on, row.reviewed.date() if row.reviewed else None) for row in rows]


def _actions(connection: Connection) -> list[Due]:
    table = tables.body_action
    rows = connection.execute(select(table).where(~table.c.dropped))
    return [Due(row.uid, datetime.combine(row.due, time.max, UTC), row.done) for row in rows]


def _items(connection: Connection) -> list[ItemCount]:
    items, meetings = tables.agenda_item, tables.meeting
    query = select(items, meetings.c.starts).join(meetings, meetings.c.uid == items.c.meeting).where(meetings.c.frozen.is_not(None))
    found: dict[str, ItemCount] = {}
    for row in connection.execute(query.order_by(meetings.c.starts)):
        before = found.get(row.meeting, ItemCount(row.meeting, row.starts, 0, 0, 0))
        raised, chosen, done = not row.added_by, row.position > 0, row.state == "done"
        found[row.meeting] = ItemCount(
            row.meeting, row.starts, before.raised + raised, before.chosen + chosen, before.done + (chosen and done)
        )
    return list(found.values())
