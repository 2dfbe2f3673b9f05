"""Computes how well steering goes (K10): time to decide, reviews, quorum, turns as chair, objections, actions, equity, effects."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from watchword.govern import committee_tables as tables
from watchword.govern.steering_service import Steering, SteeringFacts
from watchword.kit.records import Records
from watchword.learn.learning_tables import decision_effect
from watchword.measure import steering
from watchword.measure.calculator import Input, Measured, measured
from watchword.measure.collaboration import equity
from watchword.measure.definitions import definition
from watchword.measure.response_times import ShareFigures
from watchword.measure.survival import Life, kaplan_meier
from watchword.model.decision import Effect
from watchword.model.metric import Window

DOMAINS: Final = ("it", "physical")


class SteeringCalculator:
    """Computes the measures of what bodies did inside a window."""

    names: Sequence[str] = (
        "decision_latency",
        "reviews_kept",
        "quorum",
        "chair_spread",
        "objections.left_open",
        "decisions.without_effect",
        "actions.overdue",
        "meeting_equity",
    )
    historic = True

    def __init__(self, records: Records, facts: SteeringFacts) -> None:
        self._records, self._facts = records, facts
        self._kept: tuple[datetime, Steering] | None = None

    def earliest(self) -> datetime | None:
        """Return when the first question was asked or the first meeting held."""
        return self._facts.read().earliest

    def compute(self, window: Window, now: datetime) -> Iterator[Measured]:
        """Return every measure; nothing before anything was asked or held."""
        if self._kept is None or self._kept[0] != now:
            self._kept = (now, self._facts.read())
        found = self._kept[1]
        if found.earliest is None or found.earliest >= window.until:
            return
        seen = (window.until - max(window.since, found.earliest)) / window.length
        asked = steering.decision_latency(found.questions, window)
        yield _waiting(
            "decision_latency", [(one.uid, life) for one, life in asked], "proposal", "questions were decided", window, now, seen
        )
        overdue = steering.actions_overdue(found.actions, window)
        yield _waiting("actions.overdue", [(one.uid, life) for one, life in overdue], "action", "actions due were done", window, now, seen)
        mine = [each for each in found.reviews if window.since.date() <= each.due < window.until.date()]
        kept = steering.reviews_kept(found.reviews, window)
        yield _share("reviews_kept", kept, "reviews were held by their date", _refs("decision", mine), window, now, seen)
        held = [each for each in found.gatherings if window.since <= each.at < window.until]
        words = "meetings and rounds had quorum in total and in each domain"
        yield _share(
            "quorum", steering.quorum([each.met for each in held]), words, [(each.kind, each.uid) for each in held], window, now, seen
        )
        closed = [each for each in found.paramount if window.since <= each.at < window.until]
        uids: list[Input] = [("proposal", each.proposal) for each in closed]
        figures = steering.objections_open([each.resolved_in for each in closed])
        yield _share("objections.left_open", figures, "paramount objections were integrated by no version", uids, window, now, seen)
        yield self._effects(window, now, seen)
        yield from _chairs(found.chairs, window, now, seen)
        yield self._equity(window, now, seen)

    def _effects(self, window: Window, now: datetime, seen: float) -> Measured:
        table = decision_effect
        query = select(table.c.decision, table.c.effect).where(table.c.judged_at >= window.since, table.c.judged_at < window.until)
        with self._records.read() as connection:
            rows = connection.execute(query).all()
        figures = steering.without_effect(Effect(row.effect) for row in rows)
        uids = [("decision", row.decision) for row in rows]
        return _share("decisions.without_effect", figures, "measured Decisions had no effect or a contrary one", uids, window, now, seen)

    def _equity(self, window: Window, now: datetime, seen: float) -> Measured:
        """Return Jain's index over the domains' attendance at the meetings held inside the window."""
        meetings, here = tables.meeting, tables.presence
        query = select(here.c.meeting, here.c.domain).join(meetings, meetings.c.uid == here.c.meeting)
        inside = (meetings.c.state == "closed") & (meetings.c.starts >= window.since) & (meetings.c.starts < window.until)
        with self._records.read() as connection:
            rows = connection.execute(query.where(inside, here.c.state == "present", here.c.domain.in_(DOMAINS))).all()
        counts = [float(sum(row.domain == domain for row in rows)) for domain in DOMAINS]
        value, uids = equity(counts), sorted({("meeting", row.meeting) for row in rows})
        words = f"{counts[0]:.0f} attendances of IT and {counts[1]:.0f} of physical security at {len(uids)} meetings."
        if value is None:
            words = "No meeting was held in the window."
        return measured(
            definition("meeting_equity"), window, now, value=value, lo=value, hi=value, n=len(uids), coverage=seen, words=words, uids=uids
        )


def _refs(kind: str, things: Iterable[steering.Review]) -> list[Input]:
    return [(kind, each.uid) for each in things]


def _share(name: str, found: ShareFigures, words: str, uids: Iterable[Input], window: Window, now: datetime, seen: float) -> Measured:
    said = f"{found.k} of {found.n} {words}." if found.value is not None else "There was nothing to count in the window."
    return measured(
        definition(name), window, now, value=found.value, lo=found.lo, hi=found.hi, n=found.n, coverage=seen, words=said, uids=uids
    )


def _waiting(name: str, pairs: Sequence[tuple[str, Life]], kind: str, words: str, window: Window, now: datetime, seen: float) -> Measured:
    uids = [(kind, uid) for uid, _ in pairs]
    if not pairs:
        return measured(definition(name), window, now, value=None, coverage=seen, words="There was nothing to count in the window.")
    curve = kaplan_meier(life for _, life in pairs)
    lo, hi = curve.quantile_interval(0.5)
    said = f"{curve.events} of {curve.n} {words}; the others count as waiting."
    return measured(definition(name), window, now, value=curve.quantile(0.5), lo=lo, hi=hi, n=curve.n, coverage=seen, words=said, uids=uids)


def _chairs(chairs: Mapping[str, Mapping[str, int]], window: Window, now: datetime, seen: float) -> Iterator[Measured]:
    """Yield the spread of each body, and the widest for the house; turns are counted from the body's beginning."""
    widest: float | None = None
    held = 0
    if now - window.until > timedelta(days=1):
        return  # turns are kept as they stand now: nothing is said of a window long past
    for body, turns in sorted(chairs.items()):
        spread = steering.chair_spread(turns)
        count = sum(turns.values())
        if spread is None or not count:
            continue
        held += count
        widest = max(widest or 0.0, float(spread))
        words = f"Over {count} meetings the most turns as chair were {spread} more than the fewest."
        yield measured(
            definition("chair_spread"), window, now, value=float(spread), lo=spread, hi=spread, n=count, coverage=seen, subject=body,
            words=words, uids=[("body", body)],
        )  # fmt: skip
    words = f"The widest spread of any body, over {held} meetings." if held else "No meeting has been held yet."
    yield measured(
        definition("chair_spread"), window, now, value=widest, lo=widest, hi=widest, n=held, coverage=seen, words=words,
        uids=[("body", body) for body in chairs],
    )  # fmt: skip
