"""Reversals: temporary states end by themselves, last longer only with approval, and end at once on a fire alarm."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from watchword.kit.errors import NotFound
from watchword.model.action import Action, Outcome, OutcomeStatus, Team
from watchword.respond.catalogue import LifeSafety, Refusal
from watchword.respond.deed_service import Deed
from watchword.respond.fire_fact import FireState

if TYPE_CHECKING:
    from watchword.respond.gateway_service import Gateway

BACKOFF: Final = (timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5), timedelta(minutes=15))
"""When a revert that is not verified is tried again; the last one repeats."""
LATE: Final = timedelta(minutes=1)
"""A revert that starts later than this is marked as late."""


def revert_due(gateway: "Gateway", now: datetime) -> int:
    """End the temporary states whose time is over; return how many were taken on."""
    count = catch_up(gateway)
    for deed in gateway.deeds.due(now):
        again = now + BACKOFF[min(deed.revert_tries, len(BACKOFF) - 1)]
        with gateway.records.begin() as connection:
            mine = gateway.deeds.claim_revert(connection, deed, again)
            if mine and _held_by_another(gateway, deed, now):
                gateway.deeds.end(connection, [deed.uid], now, "held by another action")
                gateway.telling.note(
                    connection, deed, f"{gateway.telling.words(deed.sent)}: its time is over; another action keeps the state", now
                )
                mine = False
        if mine:
            late = f", {now - deed.revert_at} late" if deed.revert_at and now - deed.revert_at > LATE else ""
            undo_deed(gateway, deed, f"{deed.uid}:revert:{deed.revert_tries}", f"time is over{late}")
            count += 1
    return count


def undo_deed(gateway: "Gateway", deed: Deed, key: str, why: str) -> Outcome:
    """Set a state back by right: it needs no approval, since its end was part of what was approved; whatever is unverified is paged."""
    undo = gateway.catalogue.undoing(deed.sent)
    if undo is None:
        raise NotFound(f"{deed.sent.verb} cannot be undone")
    outcome = gateway.perform_by_right(replace(undo, key=key, reason=why), "", deed.key)
    if outcome.status is OutcomeStatus.DONE:
        with gateway.records.begin() as connection:
            gateway.deeds.end(connection, [deed.uid], outcome.at, key)
    if outcome.status is not OutcomeStatus.DONE or outcome.verified is not True:
        _page(gateway, deed, undo, outcome)
    return outcome


def catch_up(gateway: "Gateway") -> int:
    """End securings in buildings that burn, should whoever heard the alarm have died before it could end them; return how many."""
    held = [deed for deed in gateway.deeds.standing() if deed.securing and deed.cancelled_at is None]
    buildings = sorted({building for deed in held for building in deed.buildings})
    return sum(alarm(gateway, building) for building in buildings if gateway.safety.fire(building).state is FireState.ALARM)


def _page(gateway: "Gateway", deed: Deed, undo: Action, outcome: Outcome) -> None:
    verb = gateway.catalogue.verb(undo.verb)
    words, by_hand = verb.words(undo), verb.by_hand(undo)
    with gateway.records.begin() as connection:
        gateway.telling.audit(connection, deed, "action.unverified_revert", {"said": outcome.said, "status": outcome.status.value})
        gateway.telling.note(connection, deed, f"Not verified: {words}. {outcome.said}", outcome.at)
        if gateway.pages is not None:
            gateway.pages.page(
                connection, incident=deed.sent.incident, severity=1 if deed.securing else 2,
                teams=(Team.PHYSICAL.value if verb.domain == "physical" else Team.IT.value,), title=f"Not verified: {words}",
                place=deed.sent.target, what_to_do=by_hand, exercise=deed.sent.exercise, key=f"revert:{deed.uid}",
            )  # fmt: skip


def _held_by_another(gateway: "Gateway", deed: Deed, now: datetime) -> bool:
    """Tell whether another action keeps the same state on the same target for longer."""
    for other in gateway.deeds.search(target=deed.sent.target):
        if (
            other.uid != deed.uid
            and other.sent.verb == deed.sent.verb
            and other.sent.exercise == deed.sent.exercise
            and other.sent.parameters.get("port") == deed.sent.parameters.get("port")
            and other.ended_at is None
            and other.cancelled_at is None
            and other.state == OutcomeStatus.DONE
            and (other.revert_at is None or other.revert_at > now)
        ):
            return True
    return False


def extend(gateway: "Gateway", key: str, total: timedelta, approval: str, by: str, reason: str) -> Outcome:
    """Let a temporary state last until `total` after it was set, if people agree and nothing forbids it."""
    asked = replace(gateway.extension(key, total), requested_by=by, reason=reason)
    deed = gateway.deeds.of_key(key)
    if deed is None or deed.outcome is None:
        raise NotFound(f"no temporary state of key {key!r} is in force")
    verb, now = gateway.catalogue.verb(asked.verb), gateway.now()
    refusals, _ = gateway.refusals(asked, gateway.directory(), now)
    ends = deed.outcome.at + total
    if not refusals and deed.revert_at is not None and ends <= deed.revert_at:
        refusals = (Refusal("no-longer", "it ends later than that already"),)
    if not refusals and verb.life_safety is LifeSafety.SECURING and verb.agrees(gateway.read(deed.sent)) is not True:
        refusals = (Refusal("local-release", "it does not read as set any more: set it anew if it is still needed"),)
    with gateway.records.begin() as connection:
        if not refusals and verb.rule.needed and (code := gateway.approvals.use(connection, approval, asked, verb.rule, now)):
            refusals = (Refusal(code, "lasting longer needs its own approval"),)
        if not refusals and not gateway.deeds.extend(connection, deed.uid, ends):
            refusals = (Refusal("over", "it is ending, or over"),)
        word = "action.refuse" if refusals else "action.extend"
        said = f"Refused: {refusals[0].text}" if refusals else f"Lasts until {ends.isoformat(timespec='seconds')}"
        detail = {"codes": [each.code for each in refusals], "until": ends.isoformat(), "approval": approval, "key": key}
        gateway.telling.audit(connection, replace(deed, sent=asked, digest=asked.digest), word, detail)
        gateway.telling.note(connection, deed, f"{gateway.telling.words(asked)}: {said}", now)
    if refusals:
        return Outcome(OutcomeStatus.REFUSED, said, now, code=refusals[0].code)
    return replace(deed.outcome, said=said, at=now)


def alarm(gateway: "Gateway", building: str) -> int:
    """Release every securing that touches a building; an intent under way is marked, so that whoever carries it out releases too."""
    now = gateway.now()
    touched = [deed.uid for deed in gateway.deeds.standing() if deed.securing and building in deed.buildings]
    if not touched:
        return 0
    with gateway.records.begin() as connection:
        ended = gateway.deeds.cancel(connection, touched, now)
        for deed in ended:
            gateway.telling.audit(connection, deed, "action.cancel", {"because": "fire-alarm", "building": building})
            gateway.telling.note(connection, deed, f"Fire alarm in {building}: {gateway.telling.words(deed.sent)} ends now", now)
    for deed in ended:
        undo_deed(gateway, deed, f"{deed.uid}:alarm", "fire alarm")
    return len(ended)
