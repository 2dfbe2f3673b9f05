"""The consent round: a state machine over an append-only, hash-chained log; no score and no majority moves it before an escalation."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from watchword.govern.decision_rules import Fallback, Roll, canonical, working_days_after
from watchword.kit.chain import GENESIS, link
from watchword.kit.clock import to_ms
from watchword.kit.errors import Conflict, Corrupt, Forbidden, InputError

MOST_INTEGRATIONS: Final = 2
"""Rounds of integration before what is open goes to the body as a whole."""
LONGEST: Final = 4_000
CLOCK: Final = ""
"""The actor of what happens by time."""


class Stage(StrEnum):
    """Where a proposal stands."""

    DRAFT = "draft"
    QUESTION = "question"
    REVISION = "revision"
    OBJECTION = "objection"
    INTEGRATION = "integration"
    ESCALATED = "escalated"
    CONSENTED = "consented"
    DECIDED = "decided"
    TABLED = "tabled"


FINAL: Final = frozenset({Stage.CONSENTED, Stage.DECIDED, Stage.TABLED})
FROZEN: Final = frozenset({Stage.QUESTION, Stage.OBJECTION, Stage.ESCALATED, *FINAL})
"""Stages in which nobody changes the text."""


class Deed(StrEnum):
    """What moves a proposal, or is said about it."""

    DRAFT = "draft"
    SUBMIT = "submit"
    ASK = "ask"
    ANSWER = "answer"
    ASKED = "asked"
    """No further question."""
    REVISE = "revise"
    WITHDRAW = "withdraw"
    OBJECT = "object"
    PASS = "pass"  # noqa: S105 - the word that is said: no objection
    RESOLVE = "resolve"
    """The objector says that an objection is integrated, or takes it back."""
    VOTE = "vote"
    DECIDE = "decide"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    seq: int
    at: datetime
    actor: str
    deed: Deed
    detail: Mapping[str, Any]
    head: str = ""

    def content(self) -> bytes:
        """Return the bytes that the chain binds."""
        return canonical([self.seq, to_ms(self.at), self.actor, self.deed.value, dict(self.detail)]).encode()


@dataclass(frozen=True, slots=True)
class Objection:
    """A reason why it would not be safe to try this until the review date."""

    seq: int
    """The entry that raised it."""
    person: str
    domain: str
    version: int
    reason: str
    harm: str
    paramount: bool
    resolved_in: int = 0
    how: str = ""

    @property
    def blocks(self) -> bool:
        """Tell whether it keeps the text from being consented to."""
        return self.paramount and not self.resolved_in


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asked, and the answer."""

    seq: int
    person: str
    text: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """Where a round stands, from its log alone."""

    stage: Stage = Stage.DRAFT
    proposer: str = ""
    version: int = 0
    hash: str = ""
    roll: Roll | None = None
    until: datetime | None = None
    answered: frozenset[str] = frozenset()
    """Who has said their word in this round: passed, objected, or has no more questions."""
    passed: frozenset[str] = frozenset()
    questions: tuple[Question, ...] = ()
    objections: tuple[Objection, ...] = ()
    integrations: int = 0
    repeats: int = 0
    """Objection rounds of this version that ended without a quorum."""
    votes: Mapping[str, bool] = field(default_factory=dict)
    seq: int = 0
    head: str = GENESIS
    because: str = ""
    """Why it stands where it stands, in one sentence."""

    @property
    def rules(self) -> Roll:
        """Return by whom and how it is decided; a draft has none yet."""
        if self.roll is None:
            raise Conflict("this has not been put to its body yet")
        return self.roll

    @property
    def open_paramount(self) -> tuple[Objection, ...]:
        """Return the objections that block."""
        return tuple(each for each in self.objections if each.blocks)

    @property
    def waiting(self) -> tuple[str, ...]:
        """Return the members who have not said their word in this round."""
        if self.roll is None or self.stage not in {Stage.QUESTION, Stage.OBJECTION, Stage.ESCALATED}:
            return ()
        return tuple(sorted(set(self.roll.seats) - self.answered))


def append(state: State, at: datetime, actor: str, deed: Deed, detail: Mapping[str, Any]) -> tuple[State, Entry]:
    """Do a deed: return the state after it and the line to be kept.

    Raises:
        Conflict: the proposal does not stand where this can be done.
        Forbidden: this is another person's to do.
        InputError: something that must be said is missing.
    """
    bare = Entry(state.seq + 1, at, actor, deed, detail)
    entry = replace(bare, head=link(state.head, bare.content()))
    return _apply(state, entry), entry


def replay(entries: Iterable[Entry]) -> State:
    """Return the state after a log.

    Raises:
        Corrupt: the chain does not hold.
    """
    state = State()
    for entry in entries:
        if entry.seq != state.seq + 1 or link(state.head, entry.content()) != entry.head:
            raise Corrupt(f"entry {entry.seq} of the round was changed, or one before it is missing")
        state = _apply(state, entry)
    return state


def due(state: State, now: datetime) -> bool:
    """Tell whether the round is over by time."""
    return state.until is not None and state.until <= now and state.stage in {Stage.QUESTION, Stage.OBJECTION}


def _apply(state: State, entry: Entry) -> State:
    return replace(_DEEDS[entry.deed](state, entry), seq=entry.seq, head=entry.head)


def _at(state: State, *stages: Stage) -> None:
    if state.stage not in stages:
        raise Conflict(f"this stands at {state.stage.value}: that is done at {' or '.join(stage.value for stage in stages)}")


def _proposer(state: State, entry: Entry) -> None:
    if entry.actor != state.proposer:
        raise Forbidden(f"that is for {state.proposer}, whose proposal it is")


def _member(state: State, entry: Entry) -> str:
    domain = state.rules.seats.get(entry.actor)
    if domain is None:
        raise Forbidden("only members of the body ask, object, pass and vote")
    return domain


def _said(entry: Entry, name: str, words: str) -> str:
    text = str(entry.detail.get(name, "")).strip()
    if not text or len(text) > LONGEST or "\0" in text:
        raise InputError(f"{words}, in at most {LONGEST:,} characters", name)
    return text


def _draft(state: State, entry: Entry) -> State:
    if state.seq:
        _at(state, Stage.DRAFT)
        _proposer(state, entry)
    return replace(state, proposer=entry.actor, version=state.version + 1, hash=_said(entry, "hash", "give the hash of the text"))


def _submit(state: State, entry: Entry) -> State:
    _at(state, Stage.DRAFT)
    _proposer(state, entry)
    roll = Roll.from_json(entry.detail["roll"])
    until = working_days_after(entry.at, roll.question_days, roll.zone, roll.holidays)
    because = "Everybody may ask; the text stands still meanwhile."
    # The proposer need not ask themselves anything.
    return replace(
        state, stage=Stage.QUESTION, roll=roll, until=until, answered=frozenset({entry.actor} & set(roll.seats)), because=because
    )


def _ask(state: State, entry: Entry) -> State:
    _at(state, Stage.QUESTION)
    _member(state, entry)
    question = Question(entry.seq, entry.actor, _said(entry, "text", "write the question"))
    return replace(state, questions=(*state.questions, question), answered=state.answered - {entry.actor})


def _answer(state: State, entry: Entry) -> State:
    _at(state, Stage.QUESTION, Stage.REVISION, Stage.INTEGRATION)
    _proposer(state, entry)
    seq, text = entry.detail.get("question"), _said(entry, "text", "write the answer")
    if seq not in {each.seq for each in state.questions}:
        raise InputError("there is no such question", "question")
    return replace(state, questions=tuple(replace(each, answer=text) if each.seq == seq else each for each in state.questions))


def _asked(state: State, entry: Entry) -> State:
    _at(state, Stage.QUESTION)
    _member(state, entry)
    spoke = replace(state, answered=state.answered | {entry.actor})
    return _to_revision(spoke, "Everybody has asked.") if not spoke.waiting else spoke


def _to_revision(state: State, because: str) -> State:
    words = f"{because} The proposer writes the text that is put to the body, changed or not."
    return replace(state, stage=Stage.REVISION, until=None, answered=frozenset(), because=words)


def _revise(state: State, entry: Entry) -> State:
    _at(state, Stage.REVISION, Stage.INTEGRATION)
    _proposer(state, entry)
    roll = Roll.from_json(entry.detail["roll"])
    fresh = replace(state, version=state.version + 1, hash=_said(entry, "hash", "give the hash of the text"), roll=roll, repeats=0)
    return _open_objections(fresh, entry.at, "Is it safe to try this until its review date? Whoever sees harm says so.")


def _open_objections(state: State, at: datetime, because: str) -> State:
    roll = state.rules
    until = working_days_after(at, roll.objection_days, roll.zone, roll.holidays)
    return replace(state, stage=Stage.OBJECTION, until=until, answered=frozenset(), passed=frozenset(), because=because)


def _withdraw(state: State, entry: Entry) -> State:
    if state.stage in FINAL:
        raise Conflict(f"this is {state.stage.value}; a new proposal may supersede it")
    _proposer(state, entry)
    return replace(state, stage=Stage.TABLED, until=None, because="The proposer took it back.")


def _object(state: State, entry: Entry) -> State:
    _at(state, Stage.OBJECTION)
    domain = _member(state, entry)
    reason, harm = _said(entry, "reason", "say why"), _said(entry, "harm", "say what harm would come of it")
    objection = Objection(entry.seq, entry.actor, domain, state.version, reason, harm, bool(entry.detail.get("paramount")))
    spoke = replace(state, objections=(*state.objections, objection), answered=state.answered | {entry.actor})
    return _close_early(replace(spoke, passed=spoke.passed - {entry.actor}), entry.at)


def _pass(state: State, entry: Entry) -> State:
    _at(state, Stage.OBJECTION)
    _member(state, entry)
    if any(each.person == entry.actor for each in state.open_paramount):
        raise Conflict("an objection of yours is open: say first whether it is integrated")
    return _close_early(replace(state, answered=state.answered | {entry.actor}, passed=state.passed | {entry.actor}), entry.at)


def _resolve(state: State, entry: Entry) -> State:
    _at(state, Stage.OBJECTION, Stage.INTEGRATION, Stage.ESCALATED)
    seq, how = entry.detail.get("objection"), _said(entry, "how", "say how it is integrated, or why it is taken back")
    found = next((each for each in state.objections if each.seq == seq), None)
    if found is None:
        raise InputError("there is no such objection", "objection")
    if found.person != entry.actor:
        raise Forbidden(f"only {found.person}, who objected, says whether it is integrated")
    if found.resolved_in:
        raise Conflict("this objection is resolved")
    solved = replace(found, resolved_in=state.version, how=how)
    after = replace(state, objections=tuple(solved if each.seq == seq else each for each in state.objections))
    return _close_early(after, entry.at) if after.stage is Stage.OBJECTION else after


def _close_early(state: State, at: datetime) -> State:
    """End an objection round once everybody has spoken; who objected may still be asked, so open objections wait for nobody."""
    return state if state.waiting else _close_objections(state, at, "Everybody has spoken.")


def _close_objections(state: State, at: datetime, because: str) -> State:
    ended = replace(state, until=None)
    if state.open_paramount:
        who = ", ".join(sorted({each.person for each in state.open_paramount}))
        if state.integrations >= MOST_INTEGRATIONS:
            words = f"{because} After {MOST_INTEGRATIONS} rounds of integration, objections of {who} are still open."
            return _escalate(ended, words)
        words = f"{because} The proposer and {who} look for a text that meets the objection."
        return replace(ended, stage=Stage.INTEGRATION, integrations=state.integrations + 1, answered=frozenset(), because=words)
    # Silence counts only where the body's rule says so.
    lack = state.rules.quorum_lack(state.rules.seats if state.rules.silence_consents else state.answered)
    if not lack:
        return replace(ended, stage=Stage.CONSENTED, because=f"{because} No paramount objection is open, and the quorum is met.")
    if not state.repeats:
        again = replace(ended, repeats=1)
        return _open_objections(again, at, f"{because} The quorum was not met ({'; '.join(lack)}): the round is held once more.")
    return replace(ended, stage=Stage.TABLED, because=f"{because} The quorum was not met a second time ({'; '.join(lack)}).")


def _escalate(state: State, because: str) -> State:
    if state.rules.fallback is Fallback.TABLE:
        return replace(state, stage=Stage.TABLED, because=f"{because} By the body's rule it is tabled.")
    who = f"{state.rules.decider} decides" if state.rules.fallback is Fallback.DECIDER else f"{state.rules.majority} members must agree"
    words = f"{because} By the body's rule {who}; that is never called consent."
    return replace(state, stage=Stage.ESCALATED, votes={}, answered=frozenset(), because=words)


def _vote(state: State, entry: Entry) -> State:
    _at(state, Stage.ESCALATED)
    _member(state, entry)
    if state.rules.fallback is not Fallback.SUPERMAJORITY:
        raise Conflict(f"{state.rules.decider} decides; nobody votes")
    votes = {**state.votes, entry.actor: bool(entry.detail.get("agree"))}
    after = replace(state, votes=votes, answered=frozenset(votes))
    agree = sum(votes.values())
    if agree >= state.rules.majority and not state.rules.quorum_lack(votes):
        return replace(after, stage=Stage.DECIDED, because=f"{agree} of {len(state.rules.seats)} members agree, against open objections.")
    if len(votes) - agree > len(state.rules.seats) - state.rules.majority or not after.waiting:
        return replace(after, stage=Stage.TABLED, because=f"{agree} of {len(state.rules.seats)} members agree: too few.")
    return after


def _decide(state: State, entry: Entry) -> State:
    _at(state, Stage.ESCALATED)
    if state.rules.fallback is not Fallback.DECIDER:
        raise Conflict("the members decide by their votes")
    if entry.actor != state.rules.decider:
        raise Forbidden(f"that is for {state.rules.decider}")
    reason = _said(entry, "reason", "say why")
    stage = Stage.DECIDED if entry.detail.get("agree") else Stage.TABLED
    return replace(state, stage=stage, because=f"{entry.actor} decided: {reason}")


def _time(state: State, entry: Entry) -> State:
    if entry.actor != CLOCK:
        raise Forbidden("time passes by itself")
    if not due(state, entry.at):
        raise Conflict("the round is not over")
    if state.stage is Stage.QUESTION:
        return _to_revision(state, "The time for questions is over.")
    return _close_objections(state, entry.at, "The time is over.")


_DEEDS: Final[Mapping[Deed, Callable[[State, Entry], State]]] = {
    Deed.DRAFT: _draft,
    Deed.SUBMIT: _submit,
    Deed.ASK: _ask,
    Deed.ANSWER: _answer,
    Deed.ASKED: _asked,
    Deed.REVISE: _revise,
    Deed.WITHDRAW: _withdraw,
    Deed.OBJECT: _object,
    Deed.PASS: _pass,
    Deed.RESOLVE: _resolve,
    Deed.VOTE: _vote,
    Deed.DECIDE: _decide,
    Deed.TIME: _time,
}


def entry_of(seq: int, at: datetime, actor: str, deed: str, detail: str, head: str) -> Entry:
    """Return a line of the log from what a row holds."""
    return Entry(seq, at, actor, Deed(deed), json.loads(detail), head)
