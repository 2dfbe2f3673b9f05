"""UHPPOTE controllers over UDP: cards suspended, doors secured by taking cards' rights, never by a mode that stops the exit button."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from hashlib import sha256
from typing import Any, Final, TypeVar

from uhppoted import uhppote
from uhppoted.errors import CardDeleted, CardNotFound

from watchword.connectors.access_control import AccessControlResponder
from watchword.connectors.kept_states import KeptStates
from watchword.connectors.product import Maker, Parts, PeerFault, Product, clipped
from watchword.connectors.responder_options import Options
from watchword.kit.errors import InputError

NORMALLY_OPEN: Final = 1
NORMALLY_CLOSED: Final = 2
CONTROLLED: Final = 3
"""Modes of a door. In `NORMALLY_CLOSED` the controller also refuses the exit button (its event 31, "push button invalid: forced lock"),
so that mode is never set, and a door found in it does not read as left freely. `CONTROLLED` keeps button and fire input working."""
DOORS: Final = (1, 2, 3, 4)
TRIES: Final = 3
"""A datagram may be lost; every request here sets or reads a state, so asking again does no harm."""
DELETED: Final = 0xFFFFFFFF
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Card:
    """A card as a controller has it."""

    number: int
    since: date
    until: date
    rights: tuple[int, int, int, int]
    """Per door: 0 none, 1 always, 2 to 254 a time profile."""
    pin: int
    firsts: Mapping[int, bool]


class UhppoteDoors:
    """Controllers by serial number. A card's rights are on disk before they are taken, and given back when the last reason is gone."""

    def __init__(self, controllers: Mapping[int, str], seconds: float, whole: float, most_cards: int, kept: KeptStates) -> None:
        self._controllers, self._seconds, self._whole, self._most, self._kept = controllers, seconds, whole, most_cards, kept
        self._api = uhppote.Uhppote()

    # the interface

    def suspend(self, card: str, key: str) -> str:  # noqa: ARG002 - setting a state needs no key to be set once
        """Take a card's rights at every door of every controller that has it."""
        ends, found = time.monotonic() + self._whole, 0
        for controller in self._controllers:
            held = self._card(controller, int(card), ends)
            if held is not None:
                found += 1
                self._hold(controller, held, DOORS, f"card {card}", ends)
        if not found:
            raise PeerFault("no-card", f"no controller has the card {_masked(card)}", sent=False)
        return f"card {_masked(card)} opens nothing at {found} of {len(self._controllers)} controllers"

    def reinstate(self, card: str, key: str) -> str:  # noqa: ARG002 - as above
        """Give a card back the rights that it had."""
        ends = time.monotonic() + self._whole
        count = self._let_go(f"card {card}", ends)
        if not count and self.card(card).get("state") != "active":
            raise PeerFault("no-rights", f"nothing is known of the rights of card {_masked(card)}: give them by hand", sent=False)
        return f"card {_masked(card)} has its rights again at {count} controllers"

    def secure(self, doors: Sequence[str], until: datetime, key: str) -> str:  # noqa: ARG002 - the controller has no timer of its own for it
        """Let no card open the doors: mode `CONTROLLED`, and every card's right for them taken."""
        ends, count = time.monotonic() + self._whole, 0
        for controller, numbers in _by_controller(doors).items():
            cards = list(self._cards(controller, ends))
            for number in numbers:
                self._set_controlled(controller, number, ends)
                self._kept.keep(f"{controller}:{number}", "secured", "1")
            for card in cards:
                for number in numbers:
                    # A suspended card has no right to take, but must not get one back with its reinstatement.
                    if card.rights[number - 1] or self._held(controller, card.number, number):
                        count += 1
                        self._hold(
                            controller, self._card(controller, card.number, ends) or card, (number,), f"door {controller}:{number}", ends
                        )
        return f"{count} rights of cards taken at {len(doors)} doors; exit buttons and handles work as before"

    def release(self, doors: Sequence[str], key: str) -> str:  # noqa: ARG002 - as above
        """Give every card its right for the doors back."""
        ends, count = time.monotonic() + self._whole, 0
        for door in doors:
            count += self._let_go(f"door {door}", ends)
            self._kept.drop(door, "secured")
        return f"{count} cards have their rights again at {len(doors)} doors"

    def card(self, card: str) -> Mapping[str, str]:
        """Read a card at every controller."""
        ends = time.monotonic() + self._whole
        found = [held for controller in self._controllers if (held := self._card(controller, int(card), ends)) is not None]
        if not found:
            return {}
        return {"state": "active" if any(any(held.rights) for held in found) else "suspended"}

    def door(self, door: str) -> Mapping[str, str]:
        """Read a door's mode, and whether any card opens it."""
        ends = time.monotonic() + self._whole
        [(controller, [number])] = _by_controller([door]).items()
        mode = self._mode(controller, number, ends)
        egress = "blocked" if mode == NORMALLY_CLOSED else "free"
        if mode == NORMALLY_OPEN:
            return {"ingress": "released" if self._kept.of(door).get("secured") else "normal", "egress": egress}
        opens = any(card.rights[number - 1] for card in self._cards(controller, ends))
        return {"ingress": "normal" if opens or not self._kept.of(door).get("secured") else "secured", "egress": egress}

    def would(self, verb: str, ids: Sequence[str], until: datetime) -> str:  # noqa: ARG002 - as above
        """Say what would be sent."""
        if verb.startswith("credential."):
            word = "put-card with no rights" if verb.endswith("suspend") else "put-card with the rights it had"
            return f"{word} for card {_masked(ids[0])} to {', '.join(self._controllers.values())}"
        word = "taking" if "secure" in verb else "giving back"
        return f"set-door-control controlled and put-card {word} every card's right, for {', '.join(ids)}"

    def reach(self) -> str:
        """Ask every controller for its version."""
        ends = time.monotonic() + self._whole
        for controller in self._controllers:
            self._ask(controller, ends, lambda at: self._api.get_controller(at, timeout=self._seconds))
        return f"{len(self._controllers)} controllers answer"

    # rights

    def _hold(self, controller: int, card: Card, numbers: Sequence[int], why: str, ends: float) -> None:
        rights = list(card.rights)
        kept: dict[str, int] = json.loads(self._kept.of(f"{controller}/{card.number}").get(why, "{}"))
        for number in numbers:
            # A right that stands now is the newest truth; one that another reason took already is copied from there.
            if rights[number - 1] or str(number) not in kept:
                kept[str(number)] = rights[number - 1] or self._held(controller, card.number, number)
            rights[number - 1] = 0
        self._kept.keep(f"{controller}/{card.number}", why, json.dumps(kept, sort_keys=True))
        if tuple(rights) != card.rights:
            self._put(controller, card, rights, ends)

    def _let_go(self, why: str, ends: float) -> int:
        count = 0
        for thing, value in self._kept.under(why).items():
            place, _, number = thing.partition("/")
            controller = int(place)
            if controller not in self._controllers:
                raise PeerFault("no-controller", f"controller {controller} is no longer in the settings", sent=count > 0)
            card = self._card(controller, int(number), ends)
            if card is not None:
                rights = list(card.rights)
                for door, right in json.loads(value).items():
                    others = any(door in json.loads(each) for reason, each in self._kept.of(thing).items() if reason != why)
                    if not others and not rights[int(door) - 1]:
                        rights[int(door) - 1] = right
                if tuple(rights) != card.rights:
                    self._put(controller, card, rights, ends)
                count += 1
            self._kept.drop(thing, why)
        return count

    def _held(self, controller: int, card: int, door: int) -> int:
        found = (json.loads(each).get(str(door), 0) for each in self._kept.of(f"{controller}/{card}").values())
        return max(found, default=0)

    # the wire

    def _cards(self, controller: int, ends: float) -> Iterator[Card]:
        count = self._ask(controller, ends, lambda at: self._api.get_cards(at, timeout=self._seconds)).cards
        if count > self._most:
            raise PeerFault("too-many", f"controller {controller} has {count} cards, more than {self._most} (cards)", sent=False)
        index, seen = 0, 0
        while seen < count and index < 2 * self._most + 64:
            index += 1
            held = self._read(controller, ends, partial(self._at, index))
            if held is not None:
                seen += 1
                yield held

    def _at(self, index: int, at: Any) -> Any:
        return self._api.get_card_by_index(at, index, timeout=self._seconds)

    def _card(self, controller: int, number: int, ends: float) -> Card | None:
        return self._read(controller, ends, lambda at: self._api.get_card(at, number, timeout=self._seconds))

    def _read(self, controller: int, ends: float, call: Callable[[Any], Any]) -> Card | None:
        try:
            said = self._ask(controller, ends, call)
        except (CardNotFound, CardDeleted):
            return None
        if said.card_number in {0, DELETED} or said.start_date is None or said.end_date is None:
            return None
        return Card(
            said.card_number, said.start_date, said.end_date, (said.door_1, said.door_2, said.door_3, said.door_4), said.pin, said.firstcard
        )

    def _put(self, controller: int, card: Card, rights: Sequence[int], ends: float) -> None:
        said = self._ask(
            controller, ends,
            lambda at: self._api.put_card(
                at, card.number, card.since, card.until, *rights, card.pin, dict(card.firsts), timeout=self._seconds
            ),
            sent=True,
        )  # fmt: skip
        if not said.stored:
            raise PeerFault("not-stored", f"controller {controller} does not store the card {_masked(str(card.number))}", sent=True)

    def _mode(self, controller: int, number: int, ends: float) -> int:
        return int(self._ask(controller, ends, lambda at: self._api.get_door_control(at, number, timeout=self._seconds)).mode)

    def _set_controlled(self, controller: int, number: int, ends: float) -> None:
        now = self._ask(controller, ends, lambda at: self._api.get_door_control(at, number, timeout=self._seconds))
        if now.mode != CONTROLLED:
            call = lambda at: self._api.set_door_control(at, number, CONTROLLED, now.delay, timeout=self._seconds)  # noqa: E731 - one call
            if self._ask(controller, ends, call, sent=True).mode != CONTROLLED:
                raise PeerFault("not-set", f"controller {controller} does not set door {number}", sent=True)

    def _ask(self, controller: int, ends: float, call: Callable[[Any], _T | None], *, sent: bool = False) -> _T:
        address = self._controllers.get(controller)
        if address is None:
            raise PeerFault("no-controller", f"there is no controller {controller} in the settings", sent=False)
        for _ in range(TRIES):
            if time.monotonic() > ends:
                break
            try:
                said = call((controller, address, "udp"))
            except TimeoutError:
                continue
            except (CardNotFound, CardDeleted):
                raise
            except Exception as error:  # noqa: BLE001 - the library raises what it likes for an answer that it cannot read
                raise PeerFault(
                    "bad-answer", f"controller {controller}: {clipped(str(error)) or type(error).__name__}", sent=sent
                ) from None
            if said is not None and getattr(said, "controller", controller) == controller:
                return said
        raise PeerFault("timeout", f"controller {controller} at {address} did not answer, asked {TRIES} times", sent=sent)


def _by_controller(doors: Sequence[str]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for door in doors:
        controller, _, number = door.partition(":")
        found.setdefault(int(controller), []).append(int(number))
    return found


def _masked(card: str) -> str:
    return f"…{card[-4:]}"


def plan(name: str, options: Options) -> Maker:
    """Read the options of a ``uhppote``."""
    controllers: dict[int, str] = {}
    for serial, address in options.table("controllers").items():
        host, _, port = address.partition(":")
        if not serial.isdigit() or not 0 < int(serial) < 2**32 or not host or not (port or "60000").isdigit():
            raise InputError(f"controllers: {serial} = {address!r}; write serial number = address:port")
        controllers[int(serial)] = f"{host}:{port or 60000}"
    if not controllers:
        raise InputError("controllers: name at least one, as serial number = address:port")
    doors, cards = options.ids("doors", r"[0-9]{1,10}:[1-4]"), options.ids("credentials", r"[0-9]{1,10}")
    for door in doors.own.values():
        if int(door.partition(":")[0]) not in controllers:
            raise InputError(f"doors: {door} is at a controller that is not named under controllers")
    seconds, whole = options.seconds("time", "2s", most=10), options.seconds("whole", "60s", most=300)
    most = options.number("cards", 5000, least=1, most=100_000)

    def make(parts: Parts) -> Product:
        kept = KeptStates(parts.folder / f"{sha256(name.encode()).hexdigest()[:16]}.sqlite3")
        control = UhppoteDoors(controllers, seconds, whole, most, kept)
        return AccessControlResponder(name, parts.clock, control, doors=doors, credentials=cards)

    return make
