"""The gateway: the one place that calls a responder; intent, interlock, act, read back, outcome, and the end of what is temporary."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.kit.records import Records
from watchword.model.action import Action, Outcome, OutcomeStatus
from watchword.resolve.directory import Directory
from watchword.respond import reversal_service
from watchword.respond.approval import ApprovalRule, longer
from watchword.respond.approval_service import Approvals
from watchword.respond.blast import Blast, blast_of, doors_of, rendered, scene_of
from watchword.respond.catalogue import Catalogue, LifeSafety, Refusal, Verb
from watchword.respond.deed_service import OPEN, Deed, Deeds, new_deed, refused
from watchword.respond.hands_service import Hands, attempt, released_locally
from watchword.respond.interlock import judge
from watchword.respond.ports import Auditor, FireFact, Heads, IncidentLog, Pages, Responder, SafetyFacts
from watchword.respond.telling_service import Telling

FOUND: Final = "found-set"
"""Code of an outcome: the device was asked after an interruption, and had been set already."""
ABANDONED: Final = timedelta(seconds=60)
"""An intent that nobody concluded for so long is taken up by `recover`."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an action would do, found out by the same code that does it, with nothing sent."""

    action: Action
    """Rendered: this is what approvers are asked to agree to."""
    words: str
    by_hand: str
    blast: Blast
    refusals: tuple[Refusal, ...]
    """Why it would be refused now, approvals apart."""
    rule: ApprovalRule
    facts: tuple[FireFact, ...]
    would: Outcome | None
    """What the responder says it would send; None when there is none, and a person must do it."""
    undo: Action | None

    @property
    def clear(self) -> bool:
        """Tell whether nothing but approvals stands in its way."""
        return not self.refusals


class Gateway:
    """Performs actions. Nothing else in Watchword calls a responder."""

    def __init__(  # noqa: PLR0917 - everything that an action may touch, named once
        self,
        records: Records,
        clock: Clock,
        catalogue: Catalogue,
        responders: Sequence[Responder],
        twins: Sequence[Responder],
        safety: SafetyFacts,
        directory: Callable[[], Directory],
        heads: Heads,
        approvals: Approvals,
        auditor: Auditor,
        log: IncidentLog,
        tell: Callable[[bytes], None],
        *,
        pages: Pages | None = None,
    ) -> None:
        self.records, self.clock, self.catalogue = records, clock, catalogue
        self.safety, self.directory, self.heads, self.approvals = safety, directory, heads, approvals
        self.pages, self.hands, self.deeds = pages, Hands(responders, twins), Deeds(records)
        self.telling = Telling(catalogue, self.deeds, directory, auditor, log, tell)

    # before acting

    def render(self, action: Action) -> Action:
        """Return the action with what only the site file knows filled in; ask approvals for this one."""
        verb = self.catalogue.verbs.get(action.verb)
        return action if verb is None else rendered(action, verb, self.directory())

    def preview(self, action: Action) -> Preview:
        """Return what an action would do.

        Raises:
            NotFound: the catalogue has no such verb.
        """
        verb, directory, now = self.catalogue.verb(action.verb), self.directory(), self.now()
        whole = rendered(action, verb, directory)
        refusals, facts = self.refusals(whole, directory, now)
        hand = self.hands.of(whole)
        wrong = self.catalogue.check(whole)
        label = directory.label(whole.target)
        return Preview(
            whole,
            verb.words(whole, label),
            verb.by_hand(whole, label),
            blast_of(whole, verb, directory, self.heads.people_in, now),
            refusals,
            verb.rule,
            facts,
            attempt(hand, whole, now, dry_run=True) if hand is not None and not wrong else None,
            self.catalogue.undoing(whole),
        )

    def refusals(self, action: Action, directory: Directory, now: datetime) -> tuple[tuple[Refusal, ...], tuple[FireFact, ...]]:
        """Return why an action may not be done now, approvals apart, with the fire facts that were read for it."""
        wrong = self.catalogue.check(action)
        verb = self.catalogue.verbs.get(action.verb)
        if verb is None:
            return wrong, ()
        scene = scene_of(action, verb, directory, now)
        facts = tuple(self.safety.fire(building) for building in scene.buildings)
        found = [*wrong, *judge(scene, facts, now.date())]
        if verb.target == "zone" and verb.life_safety is LifeSafety.SECURING:
            doors = " ".join(door.uid for door in doors_of(action, verb, directory)[0])
            if action.parameters.get("doors", doors) != doors:
                found.append(Refusal("site-changed", "the zone's doors are no longer those that were asked for: look again"))
        return tuple(found), facts

    # acting

    def perform(self, action: Action, approval: str = "") -> Outcome:
        """Do an action once, whoever asks how often: a concluded one gives its kept outcome, an open one is carried on.

        Args:
            action: Rendered, with its key.
            approval: Uid of the request that was granted for it, where its verb needs one.

        Raises:
            InputError: it has no key.
        """
        return self.perform_by_right(action, approval)

    def perform_by_right(self, action: Action, approval: str, reverts: str = "") -> Outcome:
        """Do an action; the undoing of the deed with key `reverts` needs no approval, because its end was part of what was approved.

        Raises:
            InputError: it has no key.
        """
        if not action.key or len(action.key) > 200:
            raise InputError("an action needs a key of 1 to 200 characters: the same key never has its effect twice", "key")
        for _ in range(3):
            try:
                with self.records.begin() as connection:
                    deed, ready = self._intend(connection, action, approval, reverts)
                break
            except IntegrityError:  # another worker committed the same key between our look and our row
                continue
        else:
            raise Conflict(f"the key {action.key!r} is being used by another worker; ask again")
        if deed.outcome is not None:
            if ready:
                self.telling.speak(deed)
            return deed.outcome
        return self._carry_out(deed, ask_first=not ready)

    def _intend(self, connection: Connection, action: Action, approval: str, reverts: str) -> tuple[Deed, bool]:
        """Find or keep the intent; the flag says that it is new."""
        now, known = self.now(), self.deeds.find(connection, action.key)
        if known is not None:
            if known.digest != action.digest:
                return self._refuse(connection, action, approval, now, (Refusal("key-reused", "its key stands for another action"),)), False
            if known.outcome is None:
                known = self.deeds.take_up(connection, known.uid, now) or self.deeds.find(connection, action.key) or known
            return known, False
        directory = self.directory()
        verb = self.catalogue.verbs.get(action.verb)
        sent = action if verb is None else rendered(action, verb, directory)
        refusals, _ = self.refusals(sent, directory, now)
        if verb is not None and not refusals and verb.rule.needed and not self._undoes(connection, sent, reverts):
            code = self.approvals.use(connection, approval, action, verb.rule, now)
            if code:
                refusals = (Refusal(code, _APPROVAL_WORDS[code]),)
        if refusals or verb is None:
            return self._refuse(connection, sent, approval, now, refusals, action.digest), True
        scene = scene_of(sent, verb, directory, now)
        deed = new_deed(
            sent, action.digest, now, securing=verb.life_safety is LifeSafety.SECURING, buildings=scene.buildings, approval=approval,
            reverts=reverts, revert_at=None if sent.revert_after is None else now + sent.revert_after,
        )  # fmt: skip
        self.deeds.intend(connection, deed)
        self.telling.audit(connection, deed, "action.intend", {"approval": approval, "reverts": reverts})
        return deed, True

    def _undoes(self, connection: Connection, action: Action, reverts: str) -> bool:
        """Tell whether an action is nothing but the undoing of a deed that was done."""
        deed = self.deeds.find(connection, reverts) if reverts else None
        undo = None if deed is None or deed.state == OutcomeStatus.REFUSED else self.catalogue.undoing(deed.sent)
        return undo is not None and undo.digest == action.digest

    def _refuse(
        self, connection: Connection, action: Action, approval: str, now: datetime, refusals: tuple[Refusal, ...], digest: str = ""
    ) -> Deed:
        said = "; ".join(refusal.text for refusal in refusals)
        outcome = Outcome(OutcomeStatus.REFUSED, f"Refused: {said}", now, code=refusals[0].code)
        deed = refused(action, digest or action.digest, outcome, approval=approval)
        if self.deeds.find(connection, action.key) is None:
            self.deeds.intend(connection, deed)
        codes = [refusal.code for refusal in refusals]
        self.telling.audit(connection, deed, "action.refuse", {"codes": codes, "approval": approval, "key": action.key})
        self.telling.note(connection, deed, f"{self.telling.words(action)}: {outcome.said}", now)
        return deed

    def _carry_out(self, deed: Deed, *, ask_first: bool) -> Outcome:
        outcome = self._try(deed, ask_first=ask_first)
        revert_at, ended_at = self._until(deed, outcome)
        with self.records.begin() as connection:
            kept = self.deeds.conclude(connection, deed, outcome, revert_at=revert_at, ended_at=ended_at)
            if kept:
                self._concluded(connection, deed, outcome)
        if not kept:
            return self._lost(deed, outcome)
        self.telling.speak(replace(deed, outcome=outcome, state=outcome.status.value))
        return outcome

    def _try(self, deed: Deed, *, ask_first: bool) -> Outcome:
        """Act and read back. The interlock is asked again right before, because an alarm may have come since the intent was kept."""
        sent, verb = deed.sent, self.catalogue.verb(deed.sent.verb)
        hand, now = self.hands.of(sent), self.now()
        if hand is None:
            return Outcome(OutcomeStatus.FAILED, f"No responder does {sent.verb}. By hand: {verb.by_hand(sent)}", now, code="no-responder")
        if deed.cancelled_at is not None:
            return self._undo_at_once(deed, hand, Refusal("fire-alarm", "a fire alarm cancelled it"))
        found = self.hands.read(hand, sent) if ask_first else None
        if released_locally(verb, found):
            return Outcome(
                OutcomeStatus.FAILED, "Released at the door itself: that stands", now, hand.name, found or {}, False, "local-release"
            )
        refusals, _ = self.refusals(sent, self.directory(), now)
        if refusals:
            if not ask_first:
                return Outcome(OutcomeStatus.REFUSED, f"Refused: {refusals[0].text}", now, hand.name, code=refusals[0].code)
            return self._undo_at_once(deed, hand, refusals[0])
        if found is not None and verb.agrees(found):
            outcome = Outcome(OutcomeStatus.DONE, "Found set when asked after an interruption", now, hand.name, found, True, FOUND)
        elif deed.revert_at is not None and deed.revert_at <= now:
            said = "Its time was over before it could be set"
            outcome = Outcome(OutcomeStatus.FAILED, said, now, hand.name, found or {}, False, "too-late")
        else:
            outcome = self._read_back(attempt(hand, sent, now), hand, deed, verb)
        late, _ = self.refusals(sent, self.directory(), self.now()) if deed.securing else ((), ())
        return self._undo_at_once(deed, hand, late[0]) if late else outcome

    def _read_back(self, said: Outcome, hand: Responder, deed: Deed, verb: Verb) -> Outcome:
        observed = self.hands.read(hand, deed.sent)
        agrees = verb.agrees(observed)
        outcome = replace(said, observed=dict(observed or {}), verified=agrees, at=self.now(), responder=hand.name)
        if released_locally(verb, observed):
            return replace(outcome, status=OutcomeStatus.FAILED, said="Released at the door itself: that stands", code="local-release")
        if said.status is OutcomeStatus.DONE and agrees is False:
            return replace(outcome, status=OutcomeStatus.FAILED, said=f"{said.said}, but it reads otherwise", code="read-back")
        if said.status is OutcomeStatus.UNKNOWN and agrees:
            return replace(outcome, status=OutcomeStatus.DONE, said=f"{said.said}; it reads as set")
        return outcome

    def _undo_at_once(self, deed: Deed, hand: Responder, why: Refusal) -> Outcome:
        """Release what was, or may have been, secured although it must not be any more."""
        undo = self.catalogue.undoing(deed.sent)
        if undo is None or not deed.securing:
            return Outcome(OutcomeStatus.REFUSED, f"Refused: {why.text}", self.now(), hand.name, code=why.code)
        done = attempt(hand, replace(undo, key=f"{deed.uid}:once:{deed.fence}"), self.now())
        observed = self.hands.read(hand, undo)
        said = f"Released at once, because {why.text}"
        return Outcome(
            OutcomeStatus.FAILED, said if done.status is OutcomeStatus.DONE else f"{said}; the release is not sure: {done.said}",
            self.now(), hand.name, dict(observed or {}), False, why.code,
        )  # fmt: skip

    def _until(self, deed: Deed, outcome: Outcome) -> tuple[datetime | None, datetime | None]:
        """Return when the state ends by itself, and when it is over already."""
        undo = self.catalogue.undoing(deed.sent)
        if outcome.status is OutcomeStatus.REFUSED or undo is None or outcome.code in {"local-release", "no-responder"}:
            return None, outcome.at
        lasts = deed.sent.revert_after
        if outcome.status in {OutcomeStatus.DONE, OutcomeStatus.UNKNOWN}:
            if outcome.code == FOUND:  # set by whoever was interrupted, some time after the intent: count from there
                return deed.revert_at, None
            return (None if lasts is None else outcome.at + lasts), None
        if self.catalogue.verb(undo.verb).agrees(outcome.observed):
            return None, outcome.at  # it reads as never set
        if deed.securing:
            return outcome.at, None  # some of its doors may be secured: set them back now
        return (None if lasts is None else outcome.at + lasts), (outcome.at if lasts is None else None)

    def _concluded(self, connection: Connection, deed: Deed, outcome: Outcome) -> None:
        if outcome.status is OutcomeStatus.DONE:
            undone = [verb.name for verb in self.catalogue if verb.undo == deed.sent.verb]
            same = [
                each
                for each in self.deeds.holding(connection, undone, deed.sent.target, deed.uid)
                if each.sent.exercise == deed.sent.exercise and _same_place(each.sent, deed.sent)
            ]
            self.deeds.end(connection, [each.uid for each in same if each.state != OPEN], outcome.at, deed.key)
        detail = {"status": outcome.status.value, "code": outcome.code, "verified": outcome.verified, "responder": outcome.responder}
        self.telling.audit(connection, deed, f"action.{outcome.status.value}", detail)
        self.telling.note(connection, deed, f"{self.telling.words(deed.sent)}: {outcome.said}", outcome.at)

    def _lost(self, deed: Deed, outcome: Outcome) -> Outcome:
        """Conclude after an alarm cancelled the deed, or return what another worker concluded."""
        now = self.deeds.of_key(deed.key)
        if now is not None and now.outcome is not None:
            return now.outcome
        if now is None or now.fence != deed.fence:
            return replace(outcome, status=OutcomeStatus.UNKNOWN, said="Another worker carries it on", code="taken-over")
        hand = self.hands.of(deed.sent)
        ended = outcome if hand is None else self._undo_at_once(deed, hand, Refusal("fire-alarm", "a fire alarm came meanwhile"))
        revert_at, ended_at = self._until(deed, ended)
        with self.records.begin() as connection:
            if self.deeds.conclude(connection, deed, ended, revert_at=revert_at, ended_at=ended_at, cancelled=True):
                self._concluded(connection, deed, ended)
        self.telling.speak(replace(deed, outcome=ended, state=ended.status.value))
        return ended

    # after acting

    def read(self, action: Action) -> dict[str, str] | None:
        """Read the state that an action would set, from the device or, in an exercise, its twin; None when it cannot be read."""
        hand = self.hands.of(action)
        found = None if hand is None else self.hands.read(hand, action)
        return None if found is None else dict(found)

    def deed(self, key: str) -> Deed | None:
        """Return what is kept of an action."""
        return self.deeds.of_key(key)

    def in_force(self) -> list[Deed]:
        """Return the states that hold, or may hold, and were not undone: what a hand-over must list."""
        return [deed for deed in self.deeds.standing() if self.catalogue.undoing(deed.sent) is not None]

    def recover(self, older_than: timedelta = ABANDONED) -> int:
        """Carry on intents that nobody concluded, asking the device first, hand over what the front door has not had; return how many."""
        now = self.now()
        count = 0
        for left in self.deeds.open_before(now - older_than):
            with self.records.begin() as connection:
                deed = self.deeds.take_up(connection, left.uid, now)
            if deed is not None:
                self._carry_out(deed, ask_first=True)
                count += 1
        for deed in self.deeds.untold(now - timedelta(seconds=5)):
            self.telling.speak(deed)
        return count

    def revert_due(self, now: datetime) -> int:
        """End the temporary states whose time is over and return how many; what cannot be verified is paged and tried again."""
        return reversal_service.revert_due(self, now)

    def extension(self, key: str, total: timedelta) -> Action:
        """Return the action to ask approval for when a temporary state shall last `total`, counted from when it was set.

        Raises:
            NotFound: nothing of this key is in force.
        """
        deed = self.deeds.of_key(key)
        if deed is None or deed.ended_at is not None or deed.revert_at is None:
            raise NotFound(f"no temporary state of key {key!r} is in force")
        return replace(longer(deed.sent, total), key=f"{deed.uid}:extend:{int(total.total_seconds())}")

    def extend(self, key: str, total: timedelta, approval: str, by: str, reason: str) -> Outcome:
        """Let a temporary state last longer. It needs approval as setting it did, and passes the interlock.

        Raises:
            NotFound: nothing of this key is in force.
        """
        return reversal_service.extend(self, key, total, approval, by, reason)

    def alarm(self, building: str) -> int:
        """End every securing of a building at once, because fire is reported there; return how many were released."""
        return reversal_service.alarm(self, building)

    # telling

    def now(self) -> datetime:
        """Return the present moment, cut to milliseconds."""
        return to_millisecond(self.clock.now())


def _same_place(one: Action, other: Action) -> bool:
    return one.parameters.get("port", "") == other.parameters.get("port", "")


_APPROVAL_WORDS: Final = {
    "no-approval": "it needs approval and has none",
    "approval-void": "what was approved is not what is asked for now",
    "approval-elsewhere": "the approval was given for another step",
    "vetoed": "somebody said no",
    "approval-expired": "the approval has expired",
    "approval-incomplete": "not enough people of enough teams have agreed",
    "approval-used": "the approval was used for another action already",
}
