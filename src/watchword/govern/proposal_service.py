"""Proposals kept: texts by version, the log of each consent round, and the decision that comes of it, all in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import isfinite
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import Connection, Row, func, insert, select, update

from watchword.govern import committee_tables as tables
from watchword.govern.committee_service import Committees, roll_of
from watchword.govern.consent import CLOCK, FINAL, Deed, Entry, Stage, State, append, entry_of, replay
from watchword.govern.decision_rules import Text, canonical
from watchword.govern.decision_service import KINDS, Decisions, check, expectation_faults
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import InputError, NotFound, WatchwordError
from watchword.kit.ids import random_uid, uid_of
from watchword.kit.records import Records
from watchword.model.decision import Decision, Direction, Expectation, KeptObjection, Method
from watchword.respond.ports import Auditor

SOONEST_REVIEW: Final = timedelta(days=14)
"""A review lies at least so far ahead when a text is put to a body: it is not to come before the decision."""
LONGEST_TITLE: Final = 200
UID_LENGTH: Final = 32
LONGEST: Final = 20_000
LARGEST: Final = 1e15
MOST: Final = 500

log = structlog.get_logger()


class Numbers(Protocol):
    """Keeps Metrics on which something stands."""

    def hold(self, connection: Connection, uids: Sequence[str]) -> None:
        """Keep values for good."""
        ...


@dataclass(frozen=True, slots=True)
class TextVersion:
    """One version of a proposal's text."""

    number: int
    text: Text
    hash: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as a list shows it."""

    uid: str
    number: int
    body: str
    title: str
    kind: str
    subject: str
    proposer: str
    stage: Stage
    version: int
    until: datetime | None
    made: datetime
    meeting: str = ""
    decision: str = ""


@dataclass(frozen=True, slots=True)
class KeptProposal:
    """A proposal with its log and everything that follows from it."""

    proposal: Proposal
    state: State
    versions: tuple[TextVersion, ...]
    entries: tuple[Entry, ...]

    @property
    def text(self) -> Text:
        """Return the present text."""
        return self.versions[-1].text


class Proposals:
    """Keeps proposals in `Records`; every deed is a line of the chained log, audited, and told to followers."""

    def __init__(
        self, records: Records, clock: Clock, auditor: Auditor, committees: Committees, decisions: Decisions, numbers: Numbers
    ) -> None:
        self._records, self._clock, self._auditor = records, clock, auditor
        self._committees, self._decisions, self._numbers = committees, decisions, numbers
        self._ledger = Ledger(records)

    # writing

    def draft(self, body: str, text: Text, *, by: str, meeting: str = "") -> str:
        """Begin a proposal and return its uid; nobody but its proposer changes it.

        Raises:
            InputError: the text lacks something, each lack in words.
            Forbidden: the proposer does not sit in the body.
            NotFound: there is no such body.
        """
        self._check(text)
        uid, now = random_uid(), to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            kept = self._committees.within(connection, body)
            self._committees.seat(connection, kept.uid, by)
            held = tables.meeting
            if meeting and connection.execute(select(held.c.uid).where(held.c.uid == meeting, held.c.body == kept.uid)).first() is None:
                raise InputError("this body has no such meeting", "meeting")
            number = int(connection.execute(select(func.coalesce(func.max(tables.proposal.c.number), 0))).scalar_one()) + 1
            state, entry = append(State(), now, by, Deed.DRAFT, {"hash": text.hash})
            row = {"uid": uid, "number": number, "body": kept.uid, "proposer": by, "made": now, "meeting": meeting, "decision": ""}
            connection.execute(insert(tables.proposal).values(**row, **_of_text(text), **_of_state(state)))
            self._keep(connection, uid, entry)
            self._keep_text(connection, uid, state.version, text, now, by)
            self._told(connection, uid, entry, kept.uid)
        return uid

    def redraft(self, uid: str, text: Text, *, by: str) -> KeptProposal:
        """Change a draft's text.

        Raises:
            InputError, Conflict, Forbidden: it cannot be done.
        """
        self._check(text)
        return self._do(uid, by, Deed.DRAFT, {"hash": text.hash}, text)

    def submit(self, uid: str, *, by: str) -> KeptProposal:
        """Put a draft to its body: the round of questions begins, and the text stands still.

        Raises:
            InputError: another room refuses what would be decided.
            Conflict, Forbidden: it cannot be done.
        """
        return self._do(uid, by, Deed.SUBMIT, {})

    def revise(self, uid: str, text: Text | None, *, by: str) -> KeptProposal:
        """Put the next version, changed or not (None), to the body: the round of objections begins.

        Raises:
            InputError, Conflict, Forbidden: it cannot be done.
        """
        if text is not None:
            self._check(text)
        return self._do(uid, by, Deed.REVISE, {}, text)

    def ask(self, uid: str, text: str, *, by: str) -> KeptProposal:
        """Ask a question."""
        return self._do(uid, by, Deed.ASK, {"text": text})

    def answer(self, uid: str, question: int, text: str, *, by: str) -> KeptProposal:
        """Answer a question, named by its line of the log."""
        return self._do(uid, by, Deed.ANSWER, {"question": question, "text": text})

    def asked(self, uid: str, *, by: str) -> KeptProposal:
        """Say that one has no further question."""
        return self._do(uid, by, Deed.ASKED, {})

    def object(self, uid: str, reason: str, harm: str, *, paramount: bool, by: str) -> KeptProposal:
        """Object: say why, and what harm would come of it. Paramount: it harms the purpose, or is hard to reverse."""
        return self._do(uid, by, Deed.OBJECT, {"reason": reason, "harm": harm, "paramount": paramount})

    def agree(self, uid: str, *, by: str) -> KeptProposal:
        """Say that one sees no reason against trying it until its review."""
        return self._do(uid, by, Deed.PASS, {})

    def resolve(self, uid: str, objection: int, how: str, *, by: str) -> KeptProposal:
        """Say that one's own objection, named by its line of the log, is integrated, or take it back."""
        return self._do(uid, by, Deed.RESOLVE, {"objection": objection, "how": how})

    def vote(self, uid: str, *, agree: bool, by: str) -> KeptProposal:
        """Vote after an escalation."""
        return self._do(uid, by, Deed.VOTE, {"agree": agree})

    def decide(self, uid: str, reason: str, *, agree: bool, by: str) -> KeptProposal:
        """Decide after an escalation, as the body's named decider."""
        return self._do(uid, by, Deed.DECIDE, {"reason": reason, "agree": agree})

    def withdraw(self, uid: str, *, by: str) -> KeptProposal:
        """Take one's own proposal back."""
        return self._do(uid, by, Deed.WITHDRAW, {})

    def end_rounds(self, now: datetime) -> int:
        """End every round whose time is over and return how many ended; one that cannot be ended holds up no other."""
        table, ended = tables.proposal, 0
        with self._records.read() as connection:
            over = connection.execute(select(table.c.uid).where(table.c.until <= now).order_by(table.c.until)).scalars().all()
        for uid in over:
            try:
                self._do(uid, CLOCK, Deed.TIME, {})
                ended += 1
            except WatchwordError as error:
                log.warning("round_not_ended", proposal=uid, reason=str(error))
        return ended

    def _do(self, uid: str, by: str, deed: Deed, detail: Mapping[str, Any], text: Text | None = None) -> KeptProposal:
        with self._records.begin() as connection:
            table = tables.proposal
            row = connection.execute(select(table).where(table.c.uid == uid).with_for_update()).first()
            if row is None:
                raise NotFound("there is no such proposal")
            before, now = self._kept(connection, row), to_millisecond(self._clock.now())
            text = text or before.text
            more = dict(detail)
            if deed in {Deed.SUBMIT, Deed.REVISE}:
                self._ready(connection, row, text, now)
                more["roll"] = roll_of(self._committees.within(connection, row.body)).as_json()
            if deed is Deed.REVISE:
                more["hash"] = text.hash
            state, entry = append(before.state, now, by, deed, more)
            self._keep(connection, uid, entry)
            if state.version != before.state.version:
                self._keep_text(connection, uid, state.version, text, now, by)
            decided = self._decision(row, state, text, now) if state.stage in {Stage.CONSENTED, Stage.DECIDED} else None
            changed = {**_of_state(state), **_of_text(text), "decision": decided.uid if decided else ""}
            connection.execute(update(table).where(table.c.uid == uid).values(**changed))
            self._told(connection, uid, entry, row.body)
            if decided is not None:
                self._decisions.put(connection, decided, by)
            return self._kept(connection, connection.execute(select(table).where(table.c.uid == uid)).one())

    def _ready(self, connection: Connection, row: Row[Any], text: Text, now: datetime) -> None:
        if text.review_on < (now + SOONEST_REVIEW).date():
            raise InputError(f"the review lies at least {SOONEST_REVIEW.days} days ahead: rounds take time", "review_on")
        if text.supersedes and self._decisions.kept(text.supersedes).superseded_by:
            raise InputError("the decision that it supersedes was superseded already", "supersedes")
        trial = _decision_of(row, State(hash=text.hash), text, now)
        check(trial)
        for asked in self._decisions.checks:
            asked(connection, trial)
        self._numbers.hold(connection, text.metrics)

    def _decision(self, row: Row[Any], state: State, text: Text, now: datetime) -> Decision:
        if state.hash != text.hash:
            raise InputError("the text is not the one that was frozen", "text")
        return _decision_of(row, state, text, now)

    def _keep(self, connection: Connection, uid: str, entry: Entry) -> None:
        detail = canonical(dict(entry.detail))
        values = {"proposal": uid, "seq": entry.seq, "at": entry.at, "actor": entry.actor, "deed": entry.deed.value}
        connection.execute(insert(tables.proposal_entry).values(**values, detail=detail, head=entry.head))

    def _keep_text(self, connection: Connection, uid: str, number: int, text: Text, at: datetime, by: str) -> None:
        row = {"proposal": uid, "number": number, "content": text.canonical(), "hash": text.hash, "at": at, "by": by}
        connection.execute(insert(tables.proposal_version).values(**row))

    def _told(self, connection: Connection, uid: str, entry: Entry, body: str) -> None:
        self._auditor.write(
            entry.actor or "watchword", f"proposal.{entry.deed.value}", uid, detail={"entry": entry.seq}, connection=connection
        )
        self._ledger.append_change(connection, "proposal", uid, {"body": body, "deed": entry.deed.value}, entry.at)

    def _check(self, text: Text) -> None:
        faults = []
        if not text.title.strip() or len(text.title) > LONGEST_TITLE:
            faults.append(f"it has a title of 1 to {LONGEST_TITLE} characters")
        faults += [
            f"its {name} is missing or longer than {LONGEST:,} characters"
            for name in ("question", "choice", "because")
            if not getattr(text, name).strip() or len(getattr(text, name)) > LONGEST
        ]
        if len(text.subject) > LONGEST_TITLE or len(text.supersedes) > UID_LENGTH or "\0" in text.canonical().replace("\\u0000", "\0"):
            faults.append("what it is about, or supersedes, is too long, or it holds a sign that cannot be kept")
        if text.kind not in KINDS:
            faults.append(f"its kind is one of {', '.join(KINDS)}")
        faults += expectation_faults(expectation_of(text))
        if faults:
            raise InputError("this cannot be put to anybody yet: " + "; ".join(faults), "text")

    # reading

    def get(self, uid: str) -> KeptProposal:
        """Return a proposal with its log, its chain checked.

        Raises:
            NotFound: there is none.
            Corrupt: the log was changed.
        """
        with self._records.read() as connection:
            row = connection.execute(select(tables.proposal).where(tables.proposal.c.uid == uid)).first()
            if row is None:
                raise NotFound("there is no such proposal")
            return self._kept(connection, row)

    def list(self, body: str = "", *, meeting: str = "", under_way: bool = False) -> list[Proposal]:
        """Return proposals, the newest first, at most 500."""
        table = tables.proposal
        query = select(table).order_by(table.c.number.desc()).limit(MOST)
        if body:
            query = query.where(table.c.body == body)
        if meeting:
            query = query.where(table.c.meeting == meeting)
        if under_way:
            query = query.where(table.c.state.not_in([stage.value for stage in FINAL]))
        with self._records.read() as connection:
            return [_proposal(row) for row in connection.execute(query)]

    def _kept(self, connection: Connection, row: Row[Any]) -> KeptProposal:
        lines, texts = tables.proposal_entry, tables.proposal_version
        query = select(lines).where(lines.c.proposal == row.uid).order_by(lines.c.seq)
        entries = tuple(entry_of(each.seq, each.at, each.actor, each.deed, each.detail, each.head) for each in connection.execute(query))
        versions = connection.execute(select(texts).where(texts.c.proposal == row.uid).order_by(texts.c.number))
        found = tuple(TextVersion(each.number, Text.parse(each.content), each.hash, each.at, each.by) for each in versions)
        return KeptProposal(_proposal(row), replay(entries), found, entries)


def expectation_of(text: Text) -> Expectation:
    """Return what a text expects.

    Raises:
        InputError: it says so in words that cannot be read.
    """
    plain = text.expects
    try:
        by = date.fromisoformat(str(plain["by"])) if plain.get("by") else None
        direction, size = Direction(str(plain.get("direction", ""))), float(plain.get("size") or 0)
    except ValueError as error:
        raise InputError(f"the expected effect cannot be read: {error}", "expects") from error
    if not isfinite(size) or abs(size) > LARGEST:
        raise InputError("the expected change is a number of people's making", "expects")
    return Expectation(str(plain.get("metric", "")), direction, size, by, str(plain.get("subject", "")))


def _decision_of(row: Row[Any], state: State, text: Text, now: datetime) -> Decision:
    method = Method.CONSENT
    if state.stage is Stage.DECIDED:
        method = Method.DECIDER if not state.votes else Method.SUPERMAJORITY
    objections = tuple(
        KeptObjection(each.person, each.domain, each.reason, each.harm, each.paramount, each.resolved_in, each.how)
        for each in state.objections
    )
    return Decision(
        uid=uid_of("decision", row.uid),
        number=0,
        body=row.body,
        question=text.question,
        choice=text.choice,
        because=text.because,
        version_hash=state.hash,
        method=method,
        decided=now,
        in_force=now,
        review_on=text.review_on,
        expects=expectation_of(text),
        objections=objections,
        sets=dict(text.sets),
        metrics=text.metrics,
        meeting=row.meeting,
        proposal=row.uid,
        supersedes=text.supersedes,
        expires=text.expires,
        kind=text.kind,
        subject=text.subject,
    )


def _of_text(text: Text) -> dict[str, Any]:
    return {"title": text.title, "kind": text.kind, "subject": text.subject, "supersedes": text.supersedes}


def _of_state(state: State) -> dict[str, Any]:
    return {"state": state.stage.value, "version": state.version, "until": state.until, "seq": state.seq, "head": state.head}


def _proposal(row: Row[Any]) -> Proposal:
    names = ("uid", "number", "body", "title", "kind", "subject", "proposer", "version", "until", "made", "meeting", "decision")
    return Proposal(**{name: getattr(row, name) for name in names}, stage=Stage(row.state))
