"""Hands: which responder carries out an action, real or, in an exercise, its twin; the one spot where the two are told apart."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog

from watchword.model.action import Action, Outcome, OutcomeStatus
from watchword.respond.catalogue import LifeSafety, Verb
from watchword.respond.ports import Responder

RELEASED: Final = "released"
"""What ``ingress`` reads when somebody released a door by hand, at the door: that always wins."""

log = structlog.get_logger()


class Hands:
    """The responders by verb. Of several that know a verb, the first whose `serves(action)` agrees; without `serves`, the first."""

    def __init__(self, responders: Sequence[Responder], twins: Sequence[Responder]) -> None:
        self._real, self._twins = tuple(responders), tuple(twins)

    def of(self, action: Action) -> Responder | None:
        """Return who carries an action out; with the exercise mark, never anything but a twin."""
        for responder in self._twins if action.exercise else self._real:
            if action.verb in responder.verbs and getattr(responder, "serves", _always)(action):
                return responder
        return None

    def read(self, hand: Responder, action: Action) -> Mapping[str, str] | None:
        """Read the state that an action would set; None when it cannot be read, for whatever reason."""
        try:
            return hand.read(action)
        except Exception as error:  # noqa: BLE001 - a stranger's package may raise anything; unread is unknown, never agreed
            log.warning("responder_not_read", responder=hand.name, verb=action.verb, fault=f"{type(error).__name__}: {error}")
            return None


def attempt(hand: Responder, action: Action, now: datetime, *, dry_run: bool = False) -> Outcome:
    """Have a responder do an action; whatever it raises is an outcome that nobody knows."""
    try:
        return hand.do(action, dry_run=dry_run)
    except Exception as error:  # noqa: BLE001 - as above: what a responder breaks with says nothing of what it did
        log.warning("responder_broke", responder=hand.name, verb=action.verb, fault=f"{type(error).__name__}: {error}")
        return Outcome(OutcomeStatus.UNKNOWN, f"{hand.name} broke: {type(error).__name__}", now, hand.name, code="broke")


def released_locally(verb: Verb, observed: Mapping[str, str] | None) -> bool:
    """Tell whether somebody at the door released what a securing would set."""
    return verb.life_safety is LifeSafety.SECURING and bool(observed) and (observed or {}).get("ingress") == RELEASED


def _always(action: Action) -> bool:
    return bool(action.verb)
