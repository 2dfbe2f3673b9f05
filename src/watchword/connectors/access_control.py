"""Access control: the one interface that door products are driven through, and the responder that speaks it for our uids."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

from watchword.connectors.product import PeerFault, Product
from watchword.connectors.responder_options import Ids
from watchword.kit.clock import Clock
from watchword.model.action import Action

DOOR_VERBS: Final = frozenset({"door.secure_ingress", "door.release_ingress", "zone.secure_ingress", "zone.release_ingress"})
CREDENTIAL_VERBS: Final = frozenset({"credential.suspend", "credential.reinstate"})
HOLD: Final = timedelta(hours=8, minutes=5)
"""A product that ends a securing by itself does so after this: a little more than the catalogue ever lets one last, extensions included."""
MIXED: Final = "mixed"
"""What several doors read that do not agree; it equals no state that is ever wanted."""


class AccessControl(Protocol):
    """A door product, by its own ids. Each call sets a state and may be made again; none toggles, pulses, or touches the way out."""

    def suspend(self, card: str, key: str) -> str:
        """Let a card open nothing, everywhere; say what was answered; raises PeerFault."""
        ...

    def reinstate(self, card: str, key: str) -> str:
        """Give a suspended card the rights that it had; raises PeerFault."""
        ...

    def secure(self, doors: Sequence[str], until: datetime, key: str) -> str:
        """Let nobody in through doors; leaving stays free; whatever becomes of us, not beyond `until`; raises PeerFault."""
        ...

    def release(self, doors: Sequence[str], key: str) -> str:
        """Return doors to their normal way of letting people in; raises PeerFault."""
        ...

    def card(self, card: str) -> Mapping[str, str]:
        """Read a card: ``state`` is ``suspended`` or ``active``; raises PeerFault."""
        ...

    def door(self, door: str) -> Mapping[str, str]:
        """Read a door: ``ingress`` is ``secured``, ``normal`` or ``released`` (by hand, at the door), ``egress`` is ``free`` or not."""
        ...

    def would(self, verb: str, ids: Sequence[str], until: datetime) -> str:
        """Say what would be sent."""
        ...

    def reach(self) -> str:
        """Ask for something harmless and say what answered; raises PeerFault."""
        ...


class AccessControlResponder(Product):
    """Turns our uids into a product's ids. It serves an action only when the product has every door that the action is about."""

    kind = "access_control"

    def __init__(self, name: str, clock: Clock, control: AccessControl, *, doors: Ids, credentials: Ids) -> None:
        verbs = (DOOR_VERBS if doors else frozenset()) | (CREDENTIAL_VERBS if credentials else frozenset())
        super().__init__(name, verbs, clock)
        self.control, self._doors, self._credentials = control, doors, credentials

    def serves(self, action: Action) -> bool:
        """Tell whether every door, or the credential, is this product's."""
        return super().serves(action) and bool(self._ids(action))

    def would(self, action: Action) -> str:
        """Say what would be sent."""
        return self.control.would(action.verb, self._ids(action), self._until())

    def carry_out(self, action: Action) -> str:
        """Set the state."""
        ids = self._ids(action)
        match action.verb:
            case "credential.suspend":
                return self.control.suspend(ids[0], action.key)
            case "credential.reinstate":
                return self.control.reinstate(ids[0], action.key)
            case "door.secure_ingress" | "zone.secure_ingress":
                return self.control.secure(ids, self._until(), action.key)
            case "door.release_ingress" | "zone.release_ingress":
                return self.control.release(ids, action.key)
        raise PeerFault("unknown-verb", f"no door product does {action.verb}", sent=False)

    def observe(self, action: Action) -> Mapping[str, str] | None:
        """Read the state; of several doors, only what all agree on."""
        ids = self._ids(action)
        if action.verb in CREDENTIAL_VERBS:
            return self.control.card(ids[0])
        return agreed([self.control.door(door) for door in ids])

    def reach(self) -> str:
        """Ask for something harmless."""
        return self.control.reach()

    def _ids(self, action: Action) -> tuple[str, ...]:
        """Return the product's ids; none when one of them is not known here."""
        if action.verb in CREDENTIAL_VERBS:
            found = [self._credentials.get(action.target)]
        elif action.verb.startswith("zone."):
            found = [self._doors.get(door) for door in action.parameters.get("doors", "").split()]
        else:
            found = [self._doors.get(action.target)]
        return tuple(found) if all(found) else ()

    def _until(self) -> datetime:
        return self._now() + HOLD


def agreed(states: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return what several things read: where they differ, or one does not say, ``mixed``; one that was released by hand speaks for all."""
    keys = {key for state in states for key in state}
    found = {}
    for key in sorted(keys):
        values = {state.get(key, MIXED) for state in states}
        found[key] = values.pop() if len(values) == 1 else MIXED
        if key == "ingress" and "released" in values:
            found[key] = "released"
    return found
