"""Decisions kept: numbered, frozen, never changed; who subscribes acts in the same transaction; reviews are held and counted."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from watchword.govern.committee_tables import decision as table
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.kit.records import Records
from watchword.model.decision import Decision, Direction, Expectation, KeptObjection, Method
from watchword.respond.ports import Auditor

KINDS: Final = ("decision", "policy", "exception", "acceptance", "investment", "target")
LONGEST: Final = 20_000
"""Characters of a decided text."""
MOST: Final = 1_000
"""Decisions listed at once."""

Decided = Callable[[Connection, Decision], None]
"""Called with each new decision in its transaction: raising refuses it, with everything that led to it."""


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """A decision with what came after it."""

    decision: Decision
    reviewed: datetime | None = None
    """When its review was held; None: not yet."""
    review: str = ""
    review_by: str = ""
    superseded_by: str = ""

    def in_force(self, now: datetime) -> bool:
        """Tell whether it holds now: begun, not superseded, not expired."""
        decision = self.decision
        return decision.in_force <= now and not self.superseded_by and (decision.expires is None or decision.expires >= now.date())


class Decisions:
    """Keeps decisions in `Records`; each is audited and told to followers in its own transaction."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor) -> None:
        self._records, self._clock, self._auditor = records, clock, auditor
        self._ledger = Ledger(records)
        self.on_decided: list[Decided] = []
        """What the other rooms do when something is decided: policies take versions, risks acceptances, controls exceptions."""
        self.checks: list[Decided] = []
        """Asked when a text is put to a body, with the decision that it would become; raising `InputError` refuses it then already."""

    # writing

    def put(self, connection: Connection, decision: Decision, by: str = "") -> Decision:
        """Keep a decision within the caller's transaction, give it the next number, and let subscribers act on it.

        Args:
            connection: The transaction of whatever decided it.
            decision: Its number is taken from here on, whatever it says.
            by: Account that brought it about; empty: the clock, at the end of a round.

        Returns:
            The decision with its number.

        Raises:
            InputError: it lacks what every decision needs, or a subscriber refuses it.
            Conflict: it is kept already, or supersedes one that was superseded.
            NotFound: it supersedes one that is not kept.
        """
        check(decision)
        if connection.execute(select(table.c.uid).where(table.c.uid == decision.uid)).first() is not None:
            raise Conflict("this decision is kept already: a later one supersedes it, none changes it")
        number = int(connection.execute(select(func.coalesce(func.max(table.c.number), 0))).scalar_one()) + 1
        decided, in_force = to_millisecond(decision.decided), to_millisecond(decision.in_force)
        kept = replace(decision, number=number, decided=decided, in_force=in_force)
        if kept.supersedes:
            self._supersede(connection, kept)
        connection.execute(insert(table).values(**_row(kept)))
        detail = {"number": number, "body": kept.body, "method": kept.method.value, "version": kept.version_hash, "sets": dict(kept.sets)}
        self._auditor.write(by or "watchword", "decision.put", kept.uid, kept.because, detail, connection=connection)
        for act in self.on_decided:
            act(connection, kept)
        self._ledger.append_change(connection, "decision", kept.uid, {"number": number, "body": kept.body}, self._clock.now())
        return kept

    def _supersede(self, connection: Connection, kept: Decision) -> None:
        before = connection.execute(select(table.c.superseded_by, table.c.number).where(table.c.uid == kept.supersedes)).first()
        if before is None:
            raise NotFound("there is no such decision to supersede")
        if before.superseded_by:
            raise Conflict(f"decision {before.number} was superseded already; supersede the later one")
        connection.execute(update(table).where(table.c.uid == kept.supersedes).values(superseded_by=kept.uid))

    def review(self, uid: str, found: str, *, by: str) -> KeptDecision:
        """Say what the review of a decision found; it is no longer due then.

        Raises:
            NotFound: there is no such decision.
            InputError: nothing is said.
            Conflict: its review was held.
        """
        words = found.strip()
        if not words or len(words) > LONGEST:
            raise InputError("say what the review found, in at most 20,000 characters", "found")
        now = to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            kept = self._get(connection, uid)
            open_ = (table.c.uid == uid) & table.c.reviewed.is_(None)
            if not connection.execute(update(table).where(open_).values(reviewed=now, review=words, review_by=by)).rowcount:
                raise Conflict(f"the review of decision {kept.decision.number} was held")
            self._auditor.write(by, "decision.review", uid, words[:1000], connection=connection)
            self._ledger.append_change(connection, "decision", uid, {"reviewed": True}, now)
        return self.kept(uid)

    # reading

    def get(self, uid: str) -> Decision:
        """Return a decision.

        Raises:
            NotFound: there is none.
        """
        return self.kept(uid).decision

    def kept(self, uid: str) -> KeptDecision:
        """Return a decision with what came after it.

        Raises:
            NotFound: there is none.
        """
        with self._records.read() as connection:
            return self._get(connection, uid)

    def list(self, kind: str = "", subject: str = "", *, body: str = "", meeting: str = "") -> list[Decision]:
        """Return decisions, the newest first, at most 1,000."""
        return [each.decision for each in self.all_kept(kind, subject, body=body, meeting=meeting)]

    def all_kept(self, kind: str = "", subject: str = "", *, body: str = "", meeting: str = "") -> Sequence[KeptDecision]:
        """Return decisions with what came after them, the newest first, at most 1,000."""
        query = select(table).order_by(table.c.number.desc()).limit(MOST)
        for column, value in ((table.c.kind, kind), (table.c.subject, subject), (table.c.body, body), (table.c.meeting, meeting)):
            if value:
                query = query.where(column == value)
        with self._records.read() as connection:
            return [_kept(row) for row in connection.execute(query)]

    def due(self, today: date) -> Sequence[Decision]:
        """Return decisions whose review date has come and whose review was not held, the longest due first."""
        query = select(table).where(table.c.reviewed.is_(None), table.c.superseded_by == "", table.c.review_on <= today)
        with self._records.read() as connection:
            return [_kept(row).decision for row in connection.execute(query.order_by(table.c.review_on, table.c.number).limit(MOST))]

    def _get(self, connection: Connection, uid: str) -> KeptDecision:
        row = connection.execute(select(table).where(table.c.uid == uid)).first()
        if row is None:
            raise NotFound("there is no such decision")
        return _kept(row)


def check(decision: Decision) -> None:
    """Raise `InputError`, naming every lack, unless a decision has what every decision needs."""
    faults = []
    if not decision.choice.strip() or len(decision.choice) > LONGEST:
        faults.append("it has no text of 1 to 20,000 characters")
    if decision.kind not in KINDS:
        faults.append(f"its kind {decision.kind[:32]!r} is none of {', '.join(KINDS)}")
    if decision.review_on <= decision.decided.date():
        faults.append("its review lies not after the day on which it was decided")
    if decision.expires is not None and decision.expires <= decision.decided.date():
        faults.append("it expires before it begins")
    if decision.kind in {"exception", "acceptance"} and decision.expires is None:
        faults.append(f"an {decision.kind} has an expiry")
    faults += expectation_faults(decision.expects)
    if faults:
        raise InputError("this is no decision yet: " + "; ".join(faults), "decision")


def expectation_faults(expects: Expectation) -> Sequence[str]:
    """Return what an expectation lacks; that no measurable effect is expected is allowed, and must be said."""
    if expects.direction is Direction.NONE:
        return ["whoever expects no measurable effect names no measure"] if expects.metric else []
    faults = [] if expects.metric else ["name the measure on which an effect is expected, or say that none is expected"]
    if expects.by is None:
        faults.append("say until when the effect is expected")
    return faults


def _row(decision: Decision) -> dict[str, Any]:
    expects = decision.expects
    return {
        **{name: getattr(decision, name) for name in _PLAIN},
        "method": decision.method.value,
        "decided": decision.decided,
        "in_force": decision.in_force,
        "expects": {
            "metric": expects.metric,
            "direction": expects.direction.value,
            "size": expects.size,
            "by": expects.by.isoformat() if expects.by else None,
            "subject": expects.subject,
        },
        "objections": [asdict(each) for each in decision.objections],
        "sets": dict(decision.sets),
        "metrics": list(decision.metrics),
    }


_PLAIN: Final = (
    *("uid", "number", "body", "question", "choice", "because", "version_hash", "review_on", "meeting", "proposal"),
    *("supersedes", "expires", "kind", "subject"),
)


def _kept(row: Row[Any]) -> KeptDecision:
    expects = row.expects
    decision = Decision(
        **{name: getattr(row, name) for name in _PLAIN},
        method=Method(row.method),
        decided=row.decided,
        in_force=row.in_force,
        expects=Expectation(
            expects["metric"],
            Direction(expects["direction"]),
            float(expects["size"]),
            date.fromisoformat(expects["by"]) if expects["by"] else None,
            expects.get("subject", ""),
        ),
        objections=tuple(KeptObjection(**each) for each in row.objections),
        sets=dict(row.sets),
        metrics=tuple(row.metrics),
    )
    return KeptDecision(decision, row.reviewed, row.review, row.review_by, row.superseded_by)
