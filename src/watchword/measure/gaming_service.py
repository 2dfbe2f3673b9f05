"""Runs the gaming detectors on the house itself: grades doubtful measures D, and asks the team, never a person, what is behind it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.measure.calculator import MONDAY
from watchword.measure.closure_log_service import ClosureBook
from watchword.measure.gaming import Sign
from watchword.measure.gaming_house import HouseSign, look
from watchword.measure.gaming_series import denominators, divergence, heaping
from watchword.measure.incident_facts_service import IncidentBookFacts
from watchword.measure.metric_service import Metrics
from watchword.measure.response_times import lives_of
from watchword.measure.review_tables import gaming_prompt, gaming_sign
from watchword.measure.survival import EVENT
from watchword.model.metric import Better, Flag, Metric, Window
from watchword.respond.ports import Auditor

WEEK: Final = timedelta(days=7)
DOUBTFUL: Final = {
    Flag.SELECTION: ("response.standardised", "response.resolve", "response.acknowledge"),
    Flag.BULK: ("response.resolve", "response.false_share", "findings.judged_true"),
    Flag.DOWNGRADE: ("risk_hours", "response.standardised"),
    Flag.REOPEN: ("response.resolve", "risk_hours"),
}
"""Which measures a sign in people's work makes doubtful."""
CLOCKS: Final = ("response.acknowledge", "response.engage", "response.contain", "response.resolve")
DENOMINATORS: Final = (
    ("uptime.planned_share", "planned work as a share of time", Better.UP, "value", "uptime.component"),
    ("uptime.coverage", "the share of time in which states are known", Better.DOWN, "value", "uptime.component"),
    ("compliance.pass", "the number of results behind compliance", Better.DOWN, "n", "compliance.pass"),
    ("compliance.unknown", "the share of controls of which nothing is known", Better.UP, "value", "compliance.pass"),
)
"""Series whose move flatters a measure: its name, what it is, the direction that flatters, value or n, and the measure flattered."""
KEPT: Final = timedelta(days=182)
"""How long signs of persons are kept."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the team is asked to look at together."""

    uid: str
    flag: Flag
    team: str
    metric: str
    because: str
    since: datetime
    until: datetime
    opened_at: datetime
    ended_at: datetime | None
    answer: str
    answered_by: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class PersonSign:
    """A sign in one person's work: for those alone who may see it."""

    flag: Flag
    person: str
    team: str
    because: str
    p: float | None
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Doubt:
    """That a detector fired: which measure it makes doubtful, and what the team is told."""

    flag: Flag
    team: str
    metric: str
    because: str
    since: datetime
    until: datetime


class Gaming:
    """The detectors at work."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        auditor: Auditor,
        metrics: Metrics,
        book: ClosureBook,
        incidents: IncidentBookFacts,
        *,
        persons: bool,
    ) -> None:
        self._records, self._clock, self._auditor = records, clock, auditor
        self._metrics, self._book, self._incidents = metrics, book, incidents
        self._ledger = Ledger(records)
        self.persons = persons
        """Whether this house allows measures of single persons."""

    def look(self, now: datetime) -> int:
        """Look at the newest full weeks; return how many prompts stand. Looked at twice, nothing changes."""
        end = now - (now - MONDAY) % WEEK
        first = self._book.first()
        signs = look(self._book.read(now), end, first) if first is not None else []
        doubts = [
            Doubt(each.flag, each.team, metric, each.told, each.since, each.until) for each in signs for metric in DOUBTFUL[each.flag]
        ]
        doubts += self._figures(end, now)
        self.keep_persons([each for each in signs if each.person], now)
        self.settle(doubts, now)
        return len(doubts)

    def _figures(self, end: datetime, now: datetime) -> Iterator[Doubt]:
        """Yield what detectors D5 to D7 say of the figures themselves."""
        window = Window(end - 12 * WEEK, end)
        facts = self._incidents.at(now)
        for name in CLOCKS:
            target = self._metrics.target(name)
            if target is None:
                continue
            pairs = lives_of(facts.cases, name.removeprefix("response."), window)
            done = [life.end for _, life in pairs if life.event == EVENT]
            sign = heaping(done, target.value)
            if sign is not None:
                yield _doubt(sign, name, window)
        series = self._metrics.all_series(subject="")
        for definition in self._metrics.definitions():
            counter = definition.counter
            one, other = _values(series.get((definition.name, ""), ())), _values(series.get((counter, ""), ()))
            if counter and one and other:
                paired = self._metrics.definition(counter)
                names = (f"“{definition.title}”", f"its counter-metric “{paired.title}”")
                sign = divergence(one, definition.better, other, paired.better, names)
                if sign is not None:
                    yield _doubt(sign, definition.name, window)
        for name, what, suspect, figure, flattered in DENOMINATORS:
            points = series.get((name, ""), ())
            values = [float(point.n) for point in points] if figure == "n" else _values(points)
            sign = denominators(what, values, suspect=suspect)
            if sign is not None:
                yield _doubt(sign, flattered, window)

    def keep_persons(self, signs: Sequence[HouseSign], now: datetime) -> None:
        """Keep signs of persons while the house allows it; else let go of any that were kept before."""
        table = gaming_sign
        with self._records.begin() as connection:
            if not self.persons:
                connection.execute(delete(table))
                return
            connection.execute(delete(table).where(table.c.until < now - KEPT))
            for each in signs:
                same = (table.c.flag == each.flag.value) & (table.c.person == each.person) & (table.c.until == each.until)
                connection.execute(delete(table).where(same))
                connection.execute(
                    insert(table).values(
                        uid=random_uid(),
                        flag=each.flag.value,
                        person=each.person,
                        team=each.team,
                        seen=each.sign.seen,
                        expected=each.sign.expected,
                        n=each.sign.n,
                        p=None if isnan(each.sign.p) else each.sign.p,
                        because=each.sign.because,
                        since=each.since,
                        until=each.until,
                        found_at=to_millisecond(now),
                    )
                )

    def settle(self, doubts: Sequence[Doubt], now: datetime) -> None:
        """Open prompts that are new, end those whose detector no longer fires, and grade the measures; doing it twice changes nothing."""
        table = gaming_prompt
        wanted = {(each.flag.value, each.team, each.metric): each for each in doubts}
        with self._records.begin() as connection:
            standing = {
                (row.flag, row.team, row.metric): row.uid for row in connection.execute(select(table).where(table.c.ended_at.is_(None)))
            }
            for key, uid in standing.items():
                if key in wanted:
                    values = {"because": wanted[key].because, "since": wanted[key].since, "until": wanted[key].until}
                    connection.execute(update(table).where(table.c.uid == uid).values(**values))
                else:
                    connection.execute(update(table).where(table.c.uid == uid).values(ended_at=to_millisecond(now)))
            for key, each in wanted.items():
                if key not in standing:
                    self._open(connection, each, now)
        flagged = {(flag, metric): each.because for (flag, _, metric), each in wanted.items()}
        for (flag, metric), because in flagged.items():
            self._metrics.raise_flag(metric, "", Flag(flag), because)
        for flag, _, metric in standing:
            if (flag, metric) not in flagged:
                self._metrics.clear_flag(metric, "", Flag(flag))

    def _open(self, connection: Connection, doubt: Doubt, now: datetime) -> None:
        uid = random_uid()
        connection.execute(
            insert(gaming_prompt).values(
                uid=uid,
                flag=doubt.flag.value,
                team=doubt.team,
                metric=doubt.metric,
                because=doubt.because,
                since=to_millisecond(doubt.since),
                until=to_millisecond(doubt.until),
                opened_at=to_millisecond(now),
                answer="",
            )
        )
        self._ledger.append_change(connection, "review", uid, {"flag": doubt.flag.value, "metric": doubt.metric}, now)

    # what people see

    def prompts(self, limit: int = 100) -> list[Prompt]:
        """Return prompts: those that stand first, the newest first."""
        table = gaming_prompt
        query = select(table).order_by(table.c.ended_at.is_not(None), table.c.opened_at.desc(), table.c.flag, table.c.metric)
        with self._records.read() as connection:
            return [_prompt(row) for row in connection.execute(query.limit(limit))]

    def answer(self, uid: str, answer: str, by: str) -> Prompt:
        """Write down what the team found behind a prompt.

        Raises:
            NotFound: there is no such prompt.
            Conflict: it has been answered.
            InputError: the answer is empty.
        """
        if not answer.strip():
            raise InputError("say in a sentence what the team found")
        table, now = gaming_prompt, to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            row = connection.execute(select(table).where(table.c.uid == uid)).first()
            if row is None:
                raise NotFound(f"there is no prompt {uid}")
            mine = (table.c.uid == uid) & table.c.answered_at.is_(None)
            values = {"answer": answer.strip(), "answered_by": by, "answered_at": now}
            if not connection.execute(update(table).where(mine).values(**values)).rowcount:
                raise Conflict(f"{row.answered_by} has answered this prompt")
            self._auditor.write(by, "gaming.answer", uid, answer.strip(), {"metric": row.metric}, connection=connection)
            self._ledger.append_change(connection, "review", uid, {"answered": True}, now)
            return _prompt(connection.execute(select(table).where(table.c.uid == uid)).one())

    def people(self, by: str) -> list[PersonSign]:
        """Return signs in single persons' work, the newest first; each reading is logged. Needs the permission and the setting.

        Raises:
            Forbidden: the house does not allow measures of persons (setting ``measure.persons``).
        """
        if not self.persons:
            raise Forbidden("measures of single persons are switched off in this house (setting measure.persons)")
        self._auditor.write(by, "person_measures.read", "signs of detectors")
        table = gaming_sign
        with self._records.read() as connection:
            rows = connection.execute(select(table).order_by(table.c.until.desc(), table.c.person).limit(200))
            return [PersonSign(Flag(row.flag), row.person, row.team, row.because, row.p, row.since, row.until) for row in rows]


def _values(points: Sequence[Metric]) -> list[float]:
    return [point.value for point in points if point.value is not None]


def _doubt(sign: Sign, metric: str, window: Window) -> Doubt:
    return Doubt(sign.flag, "", metric, sign.because, window.since, window.until)


def _prompt(row: Row[Any]) -> Prompt:
    return Prompt(
        row.uid,
        Flag(row.flag),
        row.team,
        row.metric,
        row.because,
        row.since,
        row.until,
        row.opened_at,
        row.ended_at,
        row.answer,
        row.answered_by,
        row.answered_at,
    )
