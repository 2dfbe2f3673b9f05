"""The process that sends one message by Apprise and says what came of it, within bounds of time and memory."""

import logging
import re
import resource
import warnings
from multiprocessing.connection import Connection
from typing import Final

import apprise

from watchword.respond.ports import Delivery

MEMORY: Final = 1 << 30
"""Most address space of a sending process: an endpoint that answers without end meets it."""
_CODE: Final = re.compile(r"error=(\d{3})\b")

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # one of its 189 services imports a module that Python is about to drop
    apprise.Apprise.instantiate(
        "json://localhost"
    )  # loads every service: done once here, each sending process is a copy of what imported this


def services(bound: float) -> apprise.Apprise:
    """Return an empty set of services: no redirects, nothing kept on disk, no log line of its own."""
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its lines may hold parts of addresses
    asset = apprise.AppriseAsset(
        app_id="Watchword",
        app_desc="Watchword",
        app_url="",
        secure_logging=True,
        http_redirects=False,  # a redirect would lead a message, and its secrets, anywhere
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        async_mode=False,
        pgp_autogen=False,
        pem_autogen=False,
        service_timeout=bound,
    )
    return apprise.Apprise(asset=asset)


def deliver(answer: Connection, address: str, title: str, body: str, bound: float) -> None:
    """Send one message and say what came of it; runs in a process of its own."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        answer.send(_said(address, title, body, bound))
    except MemoryError:
        answer.send((Delivery.FAILED.value, "the other side sent more than can be held"))


def _said(address: str, title: str, body: str, bound: float) -> tuple[str, str]:
    senders = services(bound)
    if not senders.add(address):
        return Delivery.FAILED.value, "no service reads this address"
    for service in senders:
        service.socket_connect_timeout = min(float(service.socket_connect_timeout or bound), bound)
        service.socket_read_timeout = min(float(service.socket_read_timeout or bound), bound)
    lines: list[str] = []
    apprise_log = logging.getLogger("apprise")
    apprise_log.setLevel(logging.WARNING)
    apprise_log.propagate = False
    handler = _Lines(lines)
    apprise_log.addHandler(handler)
    try:
        taken = bool(senders.notify(body=body, title=title, body_format="text"))
    finally:
        apprise_log.removeHandler(handler)
    return (Delivery.SENT.value, "") if taken else (Delivery.FAILED.value, _reason(" ".join(lines)))


class _Lines(logging.Handler):
    """Keeps what Apprise says, for `_reason`: nothing of it leaves the process as it is."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._kept = lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, of the first hundred."""
        if len(self._kept) < 100:
            self._kept.append(record.getMessage())


def _reason(said: str) -> str:
    """Return why it failed in our own words: Apprise's may hold parts of the address."""
    code = _CODE.search(said)
    if code is not None:
        return f"the service answered {code[1]}"
    low = said.lower()
    if "connection error" in low or "socket" in low or "connect" in low:
        return "no connection, or it broke off"
    return "the service did not take it"
