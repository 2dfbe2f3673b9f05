"""UHPPOTE controllers over UDP: a peer that speaks the 64-byte frames, loses some, lies, and hangs; exit buttons always work."""

import socket
import struct
import threading

import pytest

from watchword.kit.errors import InputError
from watchword.model.action import Action

SERIAL = 405419896
D1, D2 = "harbour/doors/D-1", "harbour/doors/D-2"
NONE = 0xFFFFFFFF


class Controller:
    """A four-door controller: cards, modes; frames are read and written here byte by byte, not by the library under test."""

    def __init__(self) -> None:
        self.cards = {
            8165537: {"rights": [1, 1, 0, 29], "pin": 7531, "first": 5, "dates": bytes.fromhex("2023010120271231")},
            8165538: {"rights": [0, 1, 1, 1], "pin": 0, "first": 0, "dates": bytes.fromhex("2023010120271231")},
            8165539: {"rights": [1, 0, 0, 0], "pin": 0, "first": 0, "dates": bytes.fromhex("2023010120271231")},
        }
        self.modes = {number: [3, 5] for number in (1, 2, 3, 4)}
        self.asked, self.lose, self.deaf, self.silent, self.serial = [], 0, False, False, SERIAL
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"stop", self._socket.getsockname())
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            frame, sender = self._socket.recvfrom(1024)
            if frame == b"stop":
                return
            assert len(frame) == 64
            assert frame[0] == 0x17
            self.asked.append(frame[1])
            if self.silent:
                continue
            if self.lose:
                self.lose -= 1
                continue
            self._socket.sendto(self._answer(frame), sender)

    def _answer(self, frame: bytes) -> bytes:
        out = bytearray(64)
        out[0:2] = frame[0:2]
        struct.pack_into("<I", out, 4, self.serial)
        (first,) = struct.unpack_from("<I", frame, 8)
        match frame[1]:
            case 0x94:
                out[8:20] = bytes([127, 0, 0, 1, 255, 0, 0, 0, 127, 0, 0, 1])
                out[26:32] = bytes.fromhex("089220180816")
            case 0x58:
                struct.pack_into("<I", out, 8, len(self.cards))
            case 0x5A:
                self._card(out, first if first in self.cards else 0)
            case 0x5C:
                numbers = [*list(self.cards)[:1], NONE, *list(self.cards)[1:]]  # a deleted card leaves a hole
                self._card(out, numbers[first - 1] if first <= len(numbers) else 0)
            case 0x50:
                out[8] = 1
                if not self.deaf:
                    self.cards[first] = {
                        "rights": list(frame[20:24]), "pin": int.from_bytes(frame[24:27], "little"), "first": frame[27], "dates": frame[12:20],
                    }  # fmt: skip
            case 0x82:
                out[8:11] = bytes([frame[8], *self.modes[frame[8]]])
            case 0x80:
                self.modes[frame[8]] = [frame[9], frame[10]]
                out[8:11] = frame[8:11]
        return bytes(out)

    def _card(self, out: bytearray, number: int) -> None:
        struct.pack_into("<I", out, 8, number)
        if number in self.cards:
            card = self.cards[number]
            out[12:20], out[20:24], out[27] = card["dates"], bytes(card["rights"]), card["first"]
            out[24:27] = card["pin"].to_bytes(3, "little")

    def rights(self, door: int) -> list[int]:
        return [card["rights"][door - 1] for card in self.cards.values()]


@pytest.fixture
def controller():
    made = Controller()
    yield made
    made.close()


@pytest.fixture
def options(controller):
    return {
        "controllers": {str(SERIAL): controller.address}, "time": "300ms", "whole": "5s",
        "doors": {D1: f"{SERIAL}:1", D2: f"{SERIAL}:2"}, "credentials": {"badge:5f2e": "8165537"},
    }  # fmt: skip


@pytest.fixture
def responder(make, options):
    return make("uhppote", **options)


def secure(door=D2, key="k", verb="door.secure_ingress"):
    return Action(verb, door, key=key)


def test_the_gateway_secures_a_door_leaves_the_exit_button_alone_and_gives_every_right_back(responder, controller, perform):
    before = {number: dict(card, rights=list(card["rights"])) for number, card in controller.cards.items()}
    controller.modes[2] = [1, 5]  # held open, as by day
    outcome = perform(responder, "door.secure_ingress", D2)
    assert (outcome.status, outcome.verified, outcome.observed) == ("done", True, {"ingress": "secured", "egress": "free"}), outcome
    assert controller.modes[2] == [3, 5]
    assert controller.rights(2) == [0, 0, 0]
    assert controller.rights(1) == [1, 0, 1]
    assert perform(responder, "door.release_ingress", D2, "k2").verified is True
    assert controller.cards == before


def test_with_fire_no_frame_is_sent(responder, controller, perform, world):
    world.burn()
    assert perform(responder, "door.secure_ingress", D2).status == "refused"
    assert controller.asked == []


def test_a_card_is_suspended_with_everything_else_of_it_kept_and_reinstated_after_a_restart(make, options, responder, controller, perform):
    card = dict(controller.cards[8165537])
    assert perform(responder, "credential.suspend", "badge:5f2e").verified is True
    assert controller.cards[8165537] == {**card, "rights": [0, 0, 0, 0]}
    assert perform(make("uhppote", **options), "credential.reinstate", "badge:5f2e", "k2").verified is True
    assert controller.cards[8165537] == card


@pytest.mark.parametrize("door_first", [True, False])
def test_a_suspended_card_gets_nothing_back_with_a_door_and_a_secured_door_opens_to_no_reinstated_card(responder, controller, door_first):
    card = Action("credential.suspend", "badge:5f2e", key="c")
    deeds = [secure(key="d"), card] if door_first else [card, secure(key="d")]
    for deed in deeds:
        assert responder.do(deed).status == "done"
    assert responder.do(secure(key="e", verb="door.release_ingress")).status == "done"
    assert controller.cards[8165537]["rights"] == [0, 0, 0, 0]
    assert responder.do(secure(key="f")).status == "done"
    assert responder.do(Action("credential.reinstate", "badge:5f2e", key="g")).status == "done"
    assert controller.cards[8165537]["rights"] == [1, 0, 0, 29]
    assert responder.do(secure(key="h", verb="door.release_ingress")).status == "done"
    assert controller.cards[8165537]["rights"] == [1, 1, 0, 29]


def test_a_door_that_was_opened_by_hand_reads_as_released_and_a_forced_lock_as_not_free(responder, controller):
    assert responder.do(secure()).status == "done"
    controller.modes[2][0] = 1
    assert responder.read(secure())["ingress"] == "released"
    controller.modes[2][0] = 2
    assert responder.read(secure())["egress"] == "blocked"


def test_a_lost_frame_is_asked_for_again_and_silence_is_left_in_time(responder, controller):
    controller.lose = 2
    assert responder.do(secure()).status == "done"
    controller.silent = True
    outcome = responder.do(secure(key="k2", door=D1))
    assert (outcome.status, outcome.code) == ("failed", "timeout")
    assert responder.read(secure()) is None


def test_a_controller_that_lies_is_found_out(responder, controller, perform):
    controller.deaf = True
    assert perform(responder, "door.secure_ingress", D2).code == "read-back"


def test_an_answer_of_another_controller_is_not_believed(responder, controller):
    controller.serial = 7
    assert responder.do(secure()).status == "failed"


def test_a_controller_with_too_many_cards_is_left_as_it_is(make, options, controller):
    outcome = make("uhppote", **options, cards=2).do(secure())
    assert (outcome.status, outcome.code) == ("failed", "too-many")
    assert controller.rights(2) == [1, 1, 0]


def test_an_unknown_card_and_rights_that_nobody_kept_are_named(make, options, controller):
    given = make("uhppote", **{**options, "credentials": {"badge:x": "99", "badge:y": "8165538"}})
    assert given.do(Action("credential.suspend", "badge:x", key="k")).code == "no-card"
    controller.cards[8165538]["rights"] = [0, 0, 0, 0]
    assert given.do(Action("credential.reinstate", "badge:y", key="k")).code == "no-rights"


def test_a_dry_run_sends_nothing(responder, controller):
    assert "controlled" in responder.do(secure(), dry_run=True).said
    assert controller.asked == []
    assert "1 controllers answer" in responder.reach()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"controllers": {}}, "at least one"),
        ({"controllers": {"x": "127.0.0.1"}}, "serial number"),
        ({"doors": {D1: f"{SERIAL}:5"}}, "no id"),
    ],
)
def test_a_wrong_option_is_named(make, options, changed, said):
    with pytest.raises(InputError, match=said):
        make("uhppote", **{**options, **changed})
