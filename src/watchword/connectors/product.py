"""What every responder to a real product is made of: dry run, bounded attempt, honest outcome, read-back, and whether it can be reached."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import structlog

from watchword.kit.clock import Clock, to_millisecond
from watchword.model.action import Action, Outcome, OutcomeStatus

LONGEST_SAID = 300
"""Characters of what a product answered that are passed on to people."""

log = structlog.get_logger()


class PeerFault(Exception):
    """Why a product could not be told, or did not say that it did it."""

    def __init__(self, code: str, text: str, *, sent: bool) -> None:
        """Keep a word for machines, a sentence for people, and whether the product may have acted all the same."""
        self.code, self.sent = code, sent
        super().__init__(clipped(text))


@dataclass(frozen=True, slots=True)
class Clip:
    """A piece of recording as it came from the recorder, never encoded anew; the file is gone once the taker returns."""

    camera: str
    """Uid of the camera."""
    since: datetime
    until: datetime
    sha256: str
    """Of the bytes as they came over the wire (hex)."""
    size: int
    path: Path
    source: str
    """Name of the responder."""
    action: Action


class GuardDesk(Protocol):
    """How a guard is given a task and is seen to accept it."""

    def send(self, action: Action) -> str:
        """Give the task, once per ``action.key``, and say to whom; raises PeerFault when it cannot."""
        ...

    def accepted(self, action: Action) -> str:
        """Return who accepted it, or ''."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What responders need of the house that they work for."""

    clock: Clock
    folder: Path
    """Where a responder may keep what it must know to set a state back."""
    keep_clip: Callable[[Clip], str] | None = None
    """Takes a clip into evidence, once per digest and action, and returns its uid; None: there is no evidence store."""
    guards: GuardDesk | None = None


class Product(ABC):
    """A responder. Whoever makes one writes `would`, `carry_out`, `observe` and `reach`; the rest is the same for all."""

    kind: str = ""

    def __init__(self, name: str, verbs: frozenset[str], clock: Clock) -> None:
        self.name, self.verbs, self.clock = name, verbs, clock

    def serves(self, action: Action) -> bool:
        """Tell whether this product has the target of an action."""
        return action.verb in self.verbs

    @abstractmethod
    def would(self, action: Action) -> str:
        """Say what would be sent, without secrets; raises PeerFault when that is known to be impossible."""

    @abstractmethod
    def carry_out(self, action: Action) -> str:
        """Set the state and say what the product answered; raises PeerFault."""

    @abstractmethod
    def observe(self, action: Action) -> Mapping[str, str] | None:
        """Read the state; None when this product does not tell; raises PeerFault."""

    @abstractmethod
    def reach(self) -> str:
        """Ask the product for something harmless and say what answered; raises PeerFault."""

    def do(self, action: Action, *, dry_run: bool = False) -> Outcome:
        """Set the state, or say what would be sent; what the product does or fails to do is in the outcome."""
        if not self.serves(action):
            said = f"{self.name} does not do {action.verb} on {action.target}"
            return Outcome(OutcomeStatus.FAILED, said, self._now(), self.name, code="no-target")
        try:
            said = f"Would send: {self.would(action)}" if dry_run else self.carry_out(action)
        except PeerFault as fault:
            status = OutcomeStatus.UNKNOWN if fault.sent else OutcomeStatus.FAILED
            return Outcome(status, f"{self.name}: {fault}", self._now(), self.name, code=fault.code)
        return Outcome(OutcomeStatus.DONE, said, self._now(), self.name)

    def read(self, action: Action) -> Mapping[str, str] | None:
        """Read the state that the action would set; None when the product does not tell, or does not answer."""
        if not self.serves(action):
            return None
        try:
            return self.observe(action)
        except PeerFault as fault:
            log.warning("responder_not_read", responder=self.name, verb=action.verb, code=fault.code, fault=str(fault))
            return None

    def _now(self) -> datetime:
        return to_millisecond(self.clock.now())


def clipped(text: str) -> str:
    """Return what a product said, on one line, without control characters, not longer than people read."""
    words = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return words if len(words) <= LONGEST_SAID else words[: LONGEST_SAID - 1] + "…"


Maker = Callable[[Parts], Product]
"""Makes a responder whose options were read and found right."""
