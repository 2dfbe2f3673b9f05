"""Blind re-review: draws a random twentieth of closures, hides who closed them and as what, and keeps what a second person finds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Integer, Row, func, insert, select, update

from watchword.detect.tables import finding
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.kit.ids import random_uid, uid_of
from watchword.kit.records import Records
from watchword.measure.calculator import MONDAY, Measured, measured
from watchword.measure.closure_log import Closure
from watchword.measure.closure_log_service import ClosureBook, tier
from watchword.measure.definitions import definition
from watchword.measure.gaming import ErrorRate, disagreement, error_rates
from watchword.measure.review_draw import draw
from watchword.measure.review_tables import closure_review, study
from watchword.model.incident import Closure as Verdict
from watchword.model.metric import Window
from watchword.respond import incident_tables
from watchword.respond.ports import Auditor

WEEK: Final = timedelta(days=7)
MOST_WEEKS: Final = 8
"""So many weeks back are drawn at most: what is older nobody remembers."""
SECRET: Final = "review secret"  # noqa: S105 - the name of a row
DISAGREEMENT: Final = "review.disagreement"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing seen, as its rule told it when it was found: no verdict, no name of whoever worked on it."""

    uid: str
    title: str
    because: str
    time: datetime
    severity: int
    """1 gravest to 4, as the detector rates it."""
    rule: str


@dataclass(frozen=True, slots=True)
class Blind:
    """A closure as its reviewer sees it."""

    uid: str
    kind: str
    drawn_at: datetime
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A re-review that is done: both results side by side. Who closed it first is not part of it."""

    uid: str
    kind: str
    subject: str
    verdict: str
    severity: int
    second_verdict: str
    second_severity: int
    note: str
    reviewer: str
    reviewed_at: datetime
    differs: bool
    closed_at: datetime


class Reviews:
    """Draws, shows and keeps re-reviews."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor, book: ClosureBook) -> None:
        self._records, self._clock, self._auditor, self._book = records, clock, auditor, book
        self._ledger = Ledger(records)

    def draw(self, now: datetime) -> int:
        """Draw from every full week not drawn from yet, at most eight back; return how many closures were drawn."""
        end = now - (now - MONDAY) % WEEK
        with self._records.begin() as connection:
            secret = self._secret(connection, now)
            newest = connection.execute(select(study.c.content).where(study.c.name == "review drawn")).scalar()
        begun = datetime.fromisoformat(newest["until"]) if newest else end - MOST_WEEKS * WEEK
        begun = max(begun, end - MOST_WEEKS * WEEK)
        if begun >= end:
            return 0
        log = self._book.read(now)
        drawn = 0
        while begun < end:
            week = [each for each in log.closures if begun <= each.at < begun + WEEK]
            drawn += self._keep(draw(week, secret, begun.isoformat()), log.teams, begun, now)
            begun += WEEK
        with self._records.begin() as connection:
            put_study(connection, "review drawn", {"until": end.isoformat()}, now)
        return drawn

    def _secret(self, connection: Connection, now: datetime) -> str:
        kept = connection.execute(select(study.c.content).where(study.c.name == SECRET)).scalar()
        if kept is None:
            kept = {"secret": random_uid()}
            put_study(connection, SECRET, kept, now)
        return str(kept["secret"])

    def _keep(self, chosen: Sequence[Closure], teams: Mapping[str, str], week: datetime, now: datetime) -> int:
        new = 0
        with self._records.begin() as connection:
            for each in chosen:
                uid = uid_of("closure review", each.kind, each.item, each.at.isoformat())
                if connection.execute(select(closure_review.c.uid).where(closure_review.c.uid == uid)).first() is not None:
                    continue
                connection.execute(
                    insert(closure_review).values(
                        uid=uid,
                        kind=each.kind,
                        subject=each.item,
                        closed_at=to_millisecond(each.at),
                        closer=each.person,
                        team=teams.get(each.person, ""),
                        severity=each.kept,
                        verdict=each.verdict,
                        week=week,
                        drawn_at=to_millisecond(now),
                        note="",
                    )
                )
                new += 1
            if new:
                self._ledger.append_change(connection, "review", "", {"drawn": new}, now)
        return new

    def waiting(self, reviewer: str, limit: int = 50) -> list[Blind]:
        """Return what waits for a second look by this person: nothing that they closed themselves, in the shuffled order of the draw."""
        table = closure_review
        query = select(table).where(table.c.reviewed_at.is_(None), table.c.closer != reviewer).order_by(table.c.week, table.c.uid)
        with self._records.read() as connection:
            rows = connection.execute(query.limit(limit)).all()
            return [Blind(row.uid, row.kind, row.drawn_at, tuple(_facts(connection, row.kind, row.subject))) for row in rows]

    def blind(self, uid: str, reviewer: str) -> Blind:
        """Return one closure as its reviewer sees it.

        Raises:
            NotFound: it was not drawn, or has been reviewed already.
            Forbidden: the reviewer closed it.
        """
        with self._records.read() as connection:
            row = _waiting_row(connection, uid, reviewer)
            return Blind(row.uid, row.kind, row.drawn_at, tuple(_facts(connection, row.kind, row.subject)))

    def give(self, uid: str, verdict: str, severity: int, note: str, by: str) -> Reviewed:
        """Keep what a second person finds, and return both results side by side.

        Args:
            uid: The re-review.
            verdict: ``true``, ``benign``, ``false`` or ``undecided``.
            severity: 1 gravest to 4.
            note: Why.
            by: Who.

        Raises:
            NotFound: it was not drawn.
            Forbidden: the reviewer closed it.
            Conflict: somebody else has reviewed it.
            InputError: no such verdict or severity.
        """
        if verdict not in {each.value for each in Verdict}:
            raise InputError(f"{verdict!r} is no verdict: {', '.join(each.value for each in Verdict)}")
        if severity not in range(1, 5):
            raise InputError(f"{severity} is no severity: 1 is the gravest, 4 the least grave")
        now, table = to_millisecond(self._clock.now()), closure_review
        with self._records.begin() as connection:
            row = _waiting_row(connection, uid, by)
            differs = verdict != row.verdict or (row.kind == "incident" and severity != row.severity)
            values = {"reviewer": by, "second_verdict": verdict, "second_severity": severity, "note": note, "reviewed_at": now}
            mine = (table.c.uid == uid) & table.c.reviewed_at.is_(None)
            if not connection.execute(update(table).where(mine).values(**values, differs=differs)).rowcount:
                raise Conflict("somebody else has just reviewed this closure: take the next one")
            self._auditor.write(by, "review.give", uid, note, {"verdict": verdict, "severity": severity}, connection=connection)
            self._ledger.append_change(connection, "review", uid, {"reviewed": True}, now)
            done = connection.execute(select(table).where(table.c.uid == uid)).one()
        return _reviewed(done)

    def done(self, since: datetime | None = None, until: datetime | None = None, limit: int = 500) -> list[Reviewed]:
        """Return re-reviews done within a stretch, newest first."""
        table = closure_review
        query = select(table).where(table.c.reviewed_at.is_not(None))
        if since is not None:
            query = query.where(table.c.reviewed_at >= since)
        if until is not None:
            query = query.where(table.c.reviewed_at < until)
        with self._records.read() as connection:
            return [_reviewed(row) for row in connection.execute(query.order_by(table.c.reviewed_at.desc()).limit(limit))]

    def drawn(self, since: datetime, until: datetime) -> int:
        """Return how many closures were drawn within a stretch."""
        table = closure_review
        query = select(func.count()).where(table.c.drawn_at >= since, table.c.drawn_at < until)
        with self._records.read() as connection:
            return int(connection.execute(query).scalar_one())

    def first(self) -> datetime | None:
        """Return when a re-review was done first; None: never."""
        with self._records.read() as connection:
            return connection.execute(select(func.min(closure_review.c.reviewed_at))).scalar()

    def rates_by_severity(self) -> Mapping[int, ErrorRate]:
        """Return the error rate of each severity that was reviewed."""
        return self._rates("severity")

    def rates_by_closer(self, by: str, *, allowed: bool) -> Mapping[str, ErrorRate]:
        """Return the error rate of each closer; each reading is logged.

        Raises:
            Forbidden: the house does not allow measures of persons (setting ``measure.persons``).
        """
        if not allowed:
            raise Forbidden("measures of single persons are switched off in this house (setting measure.persons)")
        self._auditor.write(by, "person_measures.read", "closure reviews by closer")
        return self._rates("closer")

    def _rates(self, column: str) -> dict[Any, ErrorRate]:
        table = closure_review
        group = table.c[column]
        different = func.sum(func.coalesce(table.c.differs.cast(Integer), 0))
        query = select(group.label("of"), func.count().label("n"), different.label("k")).where(table.c.reviewed_at.is_not(None))
        with self._records.read() as connection:
            rows = connection.execute(query.group_by(group).order_by(group)).all()
        rates = error_rates([int(row.k) for row in rows], [row.n for row in rows])
        return {row.of: rate for row, rate in zip(rows, rates, strict=True)}


class ReviewCalculator:
    """Computes how often re-reviews came to another result: the counter-metric of response."""

    names: Sequence[str] = (DISAGREEMENT,)
    historic = True

    def __init__(self, reviews: Reviews) -> None:
        self._reviews = reviews

    def earliest(self) -> datetime | None:
        """Return when the first re-review was done."""
        return self._reviews.first()

    def compute(self, window: Window, now: datetime) -> Iterator[Measured]:
        """Compute the share over the re-reviews done in a window."""
        done = self._reviews.done(window.since, min(window.until, now), limit=10_000)
        drawn = max(self._reviews.drawn(window.since, min(window.until, now)), len(done))
        differing = sum(each.differs for each in done)
        found = disagreement(differing, len(done))
        words = f"Of {len(done)} closures reviewed blind, {differing} came to another verdict or severity."
        if found is None:
            words = "No closure was reviewed blind in the window."
        share, low, high = found or (None, None, None)
        yield measured(
            definition(DISAGREEMENT),
            window,
            now,
            value=share,
            lo=low,
            hi=high,
            n=len(done),
            coverage=len(done) / drawn if drawn else 0.0,
            words=words,
            details={"drawn": float(drawn), "differing": float(differing)},
            uids=[(each.kind, each.subject) for each in done],
        )


def _waiting_row(connection: Connection, uid: str, reviewer: str) -> Row[Any]:
    row = connection.execute(select(closure_review).where(closure_review.c.uid == uid)).first()
    if row is None:
        raise NotFound(f"no closure {uid} was drawn for re-review")
    if row.closer == reviewer:
        raise Forbidden("whoever closed it cannot review it: leave it to a colleague")
    if row.reviewed_at is not None:
        raise Conflict("this closure has been reviewed: take the next one")
    return row


def _facts(connection: Connection, kind: str, subject: str) -> Iterator[Fact]:
    held = incident_tables.incident_finding
    query = select(finding).where(finding.c.uid == subject)
    if kind == "incident":
        query = select(finding).join(held, held.c.finding == finding.c.uid).where(held.c.incident == subject, held.c.held)
    for row in connection.execute(query.order_by(finding.c.time).limit(50)):
        yield Fact(row.uid, row.title, row.because, row.time, tier(row.severity), row.rule)


def _reviewed(row: Row[Any]) -> Reviewed:
    return Reviewed(
        row.uid,
        row.kind,
        row.subject,
        row.verdict,
        row.severity,
        row.second_verdict,
        row.second_severity,
        row.note,
        row.reviewer,
        row.reviewed_at,
        bool(row.differs),
        row.closed_at,
    )


def put_study(connection: Connection, name: str, content: Mapping[str, Any], now: datetime, code: str = "") -> None:
    """Keep something computed under its name, in place of what stood there."""
    values = {"code": code, "content": dict(content), "made_at": to_millisecond(now)}
    if not connection.execute(update(study).where(study.c.name == name).values(**values)).rowcount:
        connection.execute(insert(study).values(name=name, **values))
