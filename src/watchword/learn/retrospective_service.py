"""Retrospectives kept: reviews with their actions, what was done and what worked, recurrences, and what came of Decisions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.learn import learning_tables as tables
from watchword.learn.after_action import faults_of, is_open, opening
from watchword.learn.effect import Verdict
from watchword.learn.recurrence import Match, Pattern, match
from watchword.model.after_action import AfterAction, CorrectiveAction
from watchword.model.decision import Direction, Effect, Expectation
from watchword.respond.ports import Auditor

MOST = 500


@dataclass(frozen=True, slots=True)
class KeptAction:
    """A corrective action with the review that set it and what came back."""

    action: CorrectiveAction
    review: str
    incident: str
    number: int
    set_at: datetime
    done_by: str = ""
    done_note: str = ""
    effect_at: datetime | None = None
    recurrences: int = 0


@dataclass(frozen=True, slots=True)
class KeptReview:
    """A review, the pattern of its incident, and which actions stood open when it was held."""

    review: AfterAction
    pattern: Pattern
    carried: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A later incident that looks like one whose action is still open."""

    action: str
    incident: str
    score: float
    because: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KeptEffect:
    """What came of a Decision, as last judged."""

    decision: str
    verdict: Verdict
    judged_at: datetime


class Retrospectives:
    """Keeps reviews in `Records`; each change is audited and told in its own transaction."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor) -> None:
        self._records, self._clock, self._auditor = records, clock, auditor
        self._ledger = Ledger(records)

    # reviews

    def hold(self, review: AfterAction, pattern: Pattern, *, by: str) -> KeptReview:
        """Keep a review with its actions; every action that stands open is carried over and counted.

        Args:
            review: Its uid and those of its actions are made here, whatever it says.
            pattern: What its incident looks like.
            by: Account of who keeps it.

        Raises:
            InputError: it lacks something; every lack is named.
            Conflict: the incident has its review.
        """
        faults = faults_of(review)
        if faults:
            raise InputError("this review cannot be kept: " + "; ".join(faults), "review")
        now = to_millisecond(self._clock.now())
        uid = random_uid()
        actions = tuple(replace(each, uid=random_uid(), done=None, effect=Effect.TOO_EARLY, carried=0) for each in review.actions)
        kept = replace(review, uid=uid, actions=actions, held=to_millisecond(review.held))
        with self._records.begin() as connection:
            if connection.execute(select(tables.after_action.c.uid).where(tables.after_action.c.of == review.of)).first() is not None:
                raise Conflict("this incident has its review; its actions are followed there")
            carried = tuple(each.action.uid for each in self._open(connection))
            connection.execute(insert(tables.after_action).values(**_review_row(kept, pattern, carried, by, now)))
            for number, action in enumerate(actions, 1):
                connection.execute(insert(tables.corrective_action).values(**_action_row(action, uid, number, now)))
            table = tables.corrective_action
            if carried:
                connection.execute(update(table).where(table.c.uid.in_(carried)).values(carried=table.c.carried + 1))
            detail = {"incident": review.of, "actions": len(actions), "carried": len(carried)}
            self._auditor.write(by, "review.hold", uid, "", detail, connection=connection)
            self._ledger.append_change(connection, "review", uid, {"incident": review.of}, now)
        return self.get(uid)

    def get(self, uid: str) -> KeptReview:
        """Return a review.

        Raises:
            NotFound: there is none.
        """
        with self._records.read() as connection:
            row = connection.execute(select(tables.after_action).where(tables.after_action.c.uid == uid)).first()
            if row is None:
                raise NotFound("there is no such review")
            return _review(row, self._actions(connection, tables.corrective_action.c.review == uid))

    def of_incident(self, incident: str) -> KeptReview | None:
        """Return an incident's review, if it was held."""
        with self._records.read() as connection:
            row = connection.execute(select(tables.after_action.c.uid).where(tables.after_action.c.of == incident)).first()
        return self.get(row.uid) if row is not None else None

    def list(self, limit: int = MOST) -> Sequence[KeptReview]:
        """Return reviews, the newest first."""
        with self._records.read() as connection:
            rows = connection.execute(select(tables.after_action).order_by(tables.after_action.c.held.desc()).limit(limit)).all()
            actions = self._actions(connection, tables.corrective_action.c.review.in_([row.uid for row in rows]))
        return [_review(row, [each for each in actions if each.review == row.uid]) for row in rows]

    # actions

    def actions(self, *, only_open: bool = False) -> Sequence[KeptAction]:
        """Return actions, those due first, first."""
        with self._records.read() as connection:
            return self._open(connection) if only_open else self._actions(connection)

    def action(self, uid: str) -> KeptAction:
        """Return an action.

        Raises:
            NotFound: there is none.
        """
        with self._records.read() as connection:
            found = self._actions(connection, tables.corrective_action.c.uid == uid)
        if not found:
            raise NotFound("there is no such action")
        return found[0]

    def done(self, uid: str, note: str, *, by: str) -> KeptAction:
        """Say that an action is done, and how; whether it worked is told by measuring, not by saying.

        Raises:
            NotFound: there is no such action.
            InputError: nothing is said.
            Conflict: it is done.
        """
        words = note.strip()
        if not words or len(words) > 4000:
            raise InputError("say what was done, in at most 4,000 characters", "note")
        self.action(uid)
        now, table = to_millisecond(self._clock.now()), tables.corrective_action
        with self._records.begin() as connection:
            mine = (table.c.uid == uid) & table.c.done.is_(None)
            if not connection.execute(update(table).where(mine).values(done=now, done_by=by, done_note=words)).rowcount:
                raise Conflict("this action is done already")
            self._auditor.write(by, "action.done", uid, words[:1000], connection=connection)
            self._ledger.append_change(connection, "review", uid, {"action": "done"}, now)
        return self.action(uid)

    def judge(self, uid: str, verdict: Verdict) -> bool:
        """Keep what measuring says of an action; tell whether it is another verdict than before.

        Raises:
            NotFound: there is no such action.
        """
        kept = self.action(uid)
        now, table = to_millisecond(self._clock.now()), tables.corrective_action
        values = {"effect": verdict.effect.value, "effect_because": verdict.because, "effect_at": now}
        with self._records.begin() as connection:
            connection.execute(update(table).where(table.c.uid == uid).values(**values))
            if kept.action.effect is verdict.effect:
                return False
            self._auditor.write("watchword", "action.effect", uid, verdict.because, {"effect": verdict.effect.value}, connection=connection)
            self._ledger.append_change(connection, "review", uid, {"effect": verdict.effect.value}, now)
        return True

    def _open(self, connection: Connection) -> Sequence[KeptAction]:
        found = {each.action.uid: each for each in self._actions(connection)}
        return [found[each.uid] for each in opening(each.action for each in found.values())]

    def _actions(self, connection: Connection, *conditions: Any) -> Sequence[KeptAction]:
        action, review = tables.corrective_action, tables.after_action
        query = select(action, review.c.of).join(review, review.c.uid == action.c.review).where(*conditions)
        return [_action(row) for row in connection.execute(query.order_by(action.c.due, action.c.review, action.c.number))]

    # recurrences

    def recur(self, incident: str, pattern: Pattern) -> Sequence[Recurrence]:
        """Compare a new incident with those whose actions stand open, keep what recurs, and return it."""
        now, found = to_millisecond(self._clock.now()), []
        with self._records.begin() as connection:
            reviews = {row.uid: row for row in connection.execute(select(tables.after_action))}
            for kept in self._actions(connection):
                row = reviews[kept.review]
                if row.of == incident or not is_open(kept.action):
                    continue
                said: Match = match(_pattern(row.pattern), pattern)
                if said.alike:
                    found.append(Recurrence(kept.action.uid, incident, said.score, said.because, now))
            for each in found:
                self._keep_recurrence(connection, each)
        return found

    def _keep_recurrence(self, connection: Connection, each: Recurrence) -> None:
        table, action = tables.recurrence, tables.corrective_action
        same = (table.c.action == each.action) & (table.c.incident == each.incident)
        if connection.execute(delete(table).where(same)).rowcount == 0:
            connection.execute(update(action).where(action.c.uid == each.action).values(recurrences=action.c.recurrences + 1))
            detail = {"incident": each.incident, "score": round(each.score, 3)}
            self._auditor.write("watchword", "action.recurrence", each.action, each.because, detail, connection=connection)
            self._ledger.append_change(connection, "review", each.action, {"recurs": each.incident}, each.at)
        row = {"action": each.action, "incident": each.incident, "score": each.score, "because": each.because, "at": each.at}
        connection.execute(insert(table).values(**row))

    def recurrences(self, *, action: str = "", incident: str = "") -> Sequence[Recurrence]:
        """Return recurrences of an action, or those that an incident is, the newest first."""
        table = tables.recurrence
        query = select(table).order_by(table.c.at.desc(), table.c.incident).limit(MOST)
        for column, value in ((table.c.action, action), (table.c.incident, incident)):
            if value:
                query = query.where(column == value)
        with self._records.read() as connection:
            return [Recurrence(row.action, row.incident, row.score, row.because, row.at) for row in connection.execute(query)]

    # what came of decisions

    def put_effect(self, decision: str, verdict: Verdict) -> bool:
        """Keep what came of a Decision; tell whether it is another verdict than before."""
        table, now = tables.decision_effect, to_millisecond(self._clock.now())
        row = {
            "decision": decision,
            "effect": verdict.effect.value,
            "because": verdict.because,
            "before": verdict.before,
            "after": verdict.after,
            "points_before": verdict.points_before,
            "points_after": verdict.points_after,
            "method": verdict.method,
            "metrics": list(verdict.metrics),
            "judged_at": now,
        }
        with self._records.begin() as connection:
            before = connection.execute(select(table.c.effect).where(table.c.decision == decision)).scalar()
            connection.execute(delete(table).where(table.c.decision == decision))
            connection.execute(insert(table).values(**row))
            if before == verdict.effect.value:
                return False
            detail = {"effect": verdict.effect.value}
            self._auditor.write("watchword", "decision.effect", decision, verdict.because, detail, connection=connection)
            self._ledger.append_change(connection, "decision", decision, {"effect": verdict.effect.value}, now)
        return True

    def effect(self, decision: str) -> KeptEffect | None:
        """Return what came of a Decision; None: nobody has looked yet."""
        return self.effects([decision]).get(decision)

    def effects(self, decisions: Sequence[str] | None = None) -> dict[str, KeptEffect]:
        """Return decision → what came of it, of those named or of all."""
        table = tables.decision_effect
        query = select(table)
        if decisions is not None:
            query = query.where(table.c.decision.in_(decisions[:MOST]))
        with self._records.read() as connection:
            return {row.decision: _effect(row) for row in connection.execute(query)}


def _effect(row: Row[Any]) -> KeptEffect:
    counts = (row.points_before, row.points_after, row.method, tuple(row.metrics))
    return KeptEffect(row.decision, Verdict(Effect(row.effect), row.because, row.before, row.after, *counts), row.judged_at)


def _pattern(kept: dict[str, list[str]]) -> Pattern:
    return Pattern(*(frozenset(kept.get(name, ())) for name in ("rules", "techniques", "places", "entities")))


def _review_row(review: AfterAction, pattern: Pattern, carried: Sequence[str], by: str, now: datetime) -> dict[str, Any]:
    return {
        "uid": review.uid,
        "of": review.of,
        "held": review.held,
        "facilitator": review.facilitator,
        "present": [list(each) for each in review.present],
        **{name: list(getattr(review, name)) for name in ("helped", "hindered", "skills_used", "skills_missing")},
        "pattern": {name: sorted(getattr(pattern, name)) for name in ("rules", "techniques", "places", "entities")},
        "carried": list(carried),
        "by": by,
        "at": now,
    }


def _action_row(action: CorrectiveAction, review: str, number: int, now: datetime) -> dict[str, Any]:
    expects = action.expects
    return {
        "uid": action.uid,
        "review": review,
        "number": number,
        **{name: getattr(action, name) for name in ("text", "owner", "team", "due", "verify_on", "done", "carried")},
        "expects": {
            "metric": expects.metric,
            "direction": expects.direction.value,
            "size": expects.size,
            "by": expects.by.isoformat() if expects.by else None,
            "subject": expects.subject,
        },
        "effect": action.effect.value,
        "set_at": now,
    }


def _action(row: Row[Any]) -> KeptAction:
    kept = row.expects
    by = date.fromisoformat(kept["by"]) if kept["by"] else None
    expects = Expectation(kept["metric"], Direction(kept["direction"]), float(kept["size"]), by, kept["subject"])
    action = CorrectiveAction(
        row.uid,
        row.text,
        row.owner,
        row.team,
        row.due,
        expects,
        row.verify_on,
        row.done,
        Effect(row.effect),
        row.effect_because,
        row.carried,
    )
    return KeptAction(action, row.review, row.of, row.number, row.set_at, row.done_by, row.done_note, row.effect_at, row.recurrences)


def _review(row: Row[Any], actions: Sequence[KeptAction]) -> KeptReview:
    review = AfterAction(
        row.uid,
        row.of,
        row.held,
        row.facilitator,
        tuple((each[0], each[1]) for each in row.present),
        tuple(row.helped),
        tuple(row.hindered),
        tuple(row.skills_used),
        tuple(row.skills_missing),
        tuple(each.action for each in actions),
    )
    return KeptReview(review, _pattern(row.pattern), tuple(row.carried), row.by, row.at)
