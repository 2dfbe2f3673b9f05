"""Channels by Apprise: mail, push, chat, SMS and webhooks, each message sent by a process of its own that is ended when its time is up."""

import contextlib
import multiprocessing
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.forkserver import ensure_running
from typing import Final
from urllib.parse import quote

from watchword.kit.errors import InputError, NotFound
from watchword.respond.ports import Channel, Delivery, Sent
from watchword.respond.reach_service import DeskChannel

BOUND: Final = 15.0
"""Seconds after which a message that is still under way counts as timed out, and its process is ended."""
AT_ONCE: Final = 24
"""Most sending processes at a time; a further message waits for a place within its own time."""
PERSONAL: Final = frozenset(
    {"mailto", "mailtos", "ntfy", "ntfys", "slack", "workflows", "matrix", "matrixs", "mmost", "mmosts", "signal", "signals", "tgram"}
    | {"twilio", "smseagle", "smseagles", "pagerduty", "opsgenie", "goalert", "goalerts"}
)
"""Services that a person may enter an address of. The rest, such as bare HTTP, could reach any machine in the house: for the settings."""
_MAIL: Final = re.compile(r"[^\s@/:?&#<>\"']{1,64}@[A-Za-z0-9.-]{1,253}")
_NUMBER: Final = re.compile(r"\+?[0-9][0-9 ()-]{5,24}")
_places = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Gateways:
    """Through what bare mail addresses and telephone numbers are reached: Apprise addresses without a recipient; empty: not at all."""

    mail: str = ""
    sms: str = ""


class AppriseChannel:
    """One address of one service. The address holds secrets: it is in no message, log line or representation."""

    def __init__(self, name: str, kind: str, address: str, bound: float = BOUND) -> None:
        self.name = name
        self.kind = kind
        self._address = address
        self._bound = bound

    def __repr__(self) -> str:
        """Return the name and kind, never the address."""
        return f"AppriseChannel({self.name!r}, {self.kind!r})"

    def send(self, title: str, body: str, *, to: Sequence[str] = ()) -> Sent:
        """Send within the bound; `sent` means that the service took the message, not that anybody read it.

        `to` is not used: the address says who is reached.
        """
        del to
        if not _places.acquire(timeout=self._bound):
            return Sent(Delivery.TIMED_OUT, f"{AT_ONCE} messages were under way for {self._bound:g} s: no place to send this one")
        try:
            return _in_process(self._address, title, body, self._bound)
        finally:
            _places.release()


class AppriseChannels:
    """Opens channels: shared ones from the settings, personal ones from contacts."""

    def __init__(
        self,
        desks: Sequence[tuple[DeskChannel, str]] = (),
        gateways: Gateways | None = None,
        *,
        personal: frozenset[str] = PERSONAL,
        bound: float = BOUND,
    ) -> None:
        """Check every shared channel.

        Args:
            desks: each with its Apprise address.
            gateways: for bare mail addresses and telephone numbers.
            personal: schemes that contacts may use.
            bound: seconds for one message.

        Raises:
            InputError: the channel whose address no service reads, by name.
        """
        self._gateways = gateways or Gateways()
        self._personal = personal
        self._bound = bound
        self._desks: Mapping[str, tuple[DeskChannel, AppriseChannel]] = {
            desk.name: (desk, self._checked(address, desk.kind, desk.name, f"paging.channels {desk.name!r}")) for desk, address in desks
        }

    def desks(self) -> Sequence[DeskChannel]:
        """Return the shared channels."""
        return [desk for desk, _ in self._desks.values()]

    def desk(self, name: str) -> Channel:
        """Return a shared channel.

        Raises:
            NotFound: the settings name none of this name.
        """
        if name not in self._desks:
            raise NotFound(f"the settings name no shared channel {name!r}; add it to paging.channels")
        return self._desks[name][1]

    def open(self, address: str, kind: str, name: str) -> Channel:
        """Return the channel of a personal address.

        Raises:
            InputError: no service reads it, or persons may not enter such a one.
        """
        return self._checked(self._whole(address.strip(), kind, name), kind, name, f"contact {name!r}")

    def _whole(self, address: str, kind: str, name: str) -> str:
        if "://" in address:
            if address.partition("://")[0].lower() not in self._personal:
                said = ", ".join(sorted(self._personal))
                raise InputError(f"contact {name!r}: a personal address is one of {said}; others stand in paging.channels", "address")
            return address
        if kind == "mail" and _MAIL.fullmatch(address):
            return _with(self._gateways.mail, "paging.mail", name, f"to={quote(address, safe='@')}")
        if kind in {"sms", "voice"} and _NUMBER.fullmatch(address):
            return _with(self._gateways.sms, "paging.sms", name, f"to={quote('+' + re.sub('[^0-9]', '', address))}")
        raise InputError(f"contact {name!r}: this is no {kind} address; write a mail address, a number, or an Apprise address", "address")

    def _checked(self, address: str, kind: str, name: str, place: str) -> AppriseChannel:
        if not _readable(address):
            raise InputError(f"{place}: no service reads this address; see docs/reference/paging.md for its form", "address")
        return AppriseChannel(name, kind, address, self._bound)


def _with(gateway: str, setting: str, name: str, query: str) -> str:
    if not gateway:
        raise InputError(f"contact {name!r}: there is no gateway for this; set {setting}, or write a whole Apprise address", "address")
    return gateway + ("&" if "?" in gateway else "?") + query


def _readable(address: str) -> bool:
    """Tell whether Apprise makes exactly one service of the address; one that it would split in two is none."""
    from watchword.connectors.apprise_sender import services  # noqa: PLC0415 - loading every service takes half a second

    apprise = services(BOUND)
    return bool(apprise.add(address)) and len(apprise) == 1


def warm() -> None:
    """Start the process that sending processes are copied from, so that the first page does not wait for it."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["watchword.connectors.apprise_sender"])
    ensure_running()


def _in_process(address: str, title: str, body: str, bound: float) -> Sent:
    from watchword.connectors.apprise_sender import deliver  # noqa: PLC0415 - as above

    ours, theirs = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["watchword.connectors.apprise_sender"])
    sender = context.Process(target=deliver, args=(theirs, address, title, body, bound), daemon=True)
    try:
        sender.start()
        theirs.close()
        if not ours.poll(bound):
            return Sent(Delivery.TIMED_OUT, f"no answer within {bound:g} s")
        delivery, detail = ours.recv()
        return Sent(Delivery(delivery), detail)
    except EOFError:  # it met a bound, or was ended
        return Sent(
            Delivery.FAILED, "the sending process ended without an answer: the other side sent too much, or the machine lacks memory"
        )
    except OSError as error:
        return Sent(Delivery.FAILED, f"no sending process could be started: {error.strerror}")
    finally:
        ours.close()
        if sender.pid is not None:
            sender.kill()
            sender.join(5)
            with contextlib.suppress(ValueError):
                sender.close()
