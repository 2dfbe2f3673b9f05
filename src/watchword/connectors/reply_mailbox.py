"""Answers by mail: an IMAP mailbox is looked at, and each answer that a person wrote acknowledges the page that it quotes."""

import contextlib
import email
import imaplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default as policy
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import structlog

from watchword.kit.errors import InputError, Unavailable, WatchwordError
from watchword.respond.reply_text import acknowledged_token

TIMEOUT: Final = 15.0
"""Seconds for one answer of the server."""
AT_ONCE: Final = 100
"""Most messages taken by one look."""
LARGEST: Final = 256 * 1024
"""Bytes of a message that are fetched: the answer stands at its beginning."""
_LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where answers arrive. Give it a mailbox of its own: whatever is in it is marked as seen."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    security: str = "tls"
    """``tls``, ``starttls`` or ``none`` (for a server on this machine)."""
    folder: str = "INBOX"


def mailbox_of(address: str) -> Mailbox:
    """Return the mailbox of ``imaps://user:password@host:port/folder``, or ``imap://…?security=starttls`` (or ``none``).

    Raises:
        InputError: it is none; the message does not hold it.
    """
    wrong = InputError("paging.mailbox is no mailbox; write it as imaps://user:password@host/INBOX", "paging.mailbox")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise wrong from None
    asked = dict(parse_qsl(parts.query)).get("security", "starttls")
    if parts.scheme not in {"imap", "imaps"} or not parts.hostname or not parts.username or asked not in {"starttls", "none"}:
        raise wrong
    security = "tls" if parts.scheme == "imaps" else asked
    folder = unquote(parts.path.strip("/")) or "INBOX"
    known = port or (993 if security == "tls" else 143)
    return Mailbox(parts.hostname, known, unquote(parts.username), unquote(parts.password or ""), security, folder)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look found."""

    seen: int
    acknowledged: int
    ignored: int
    """Messages without a token, by machines, or without the word."""
    refused: int
    """Answers to pages that were taken already, or too old."""


def look(mailbox: Mailbox, acknowledge: Callable[[str], object]) -> Looked:
    """Read what is new, acknowledge what answers a page, and mark each message as seen once that is kept.

    When the process dies between the two, the message is read again; a token is used once, so nothing is acknowledged twice.

    Args:
        mailbox: where to look.
        acknowledge: takes a token; raises a WatchwordError when it cannot be used.

    Raises:
        Unavailable: the server does not answer, or does not let us in.
    """
    counts = {"seen": 0, "acknowledged": 0, "ignored": 0, "refused": 0}
    try:
        with _opened(mailbox) as server:
            _right(server.select(mailbox.folder), "select")
            found = _right(server.uid("SEARCH", "UNSEEN"), "search")
            for uid in (found[0] or b"").decode("ascii", "replace").split()[:AT_ONCE]:
                message = _fetch(server, uid)
                counts["seen"] += 1
                counts[_taken(message, acknowledge)] += 1
                _right(server.uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)"), "store")
    except (OSError, imaplib.IMAP4.error) as error:
        said = str(error)[:200].replace(mailbox.password, "…") if mailbox.password else str(error)[:200]
        raise Unavailable(f"the mailbox for answers at {mailbox.host}:{mailbox.port} does not work: {said}") from error
    return Looked(**counts)


@contextlib.contextmanager
def _opened(mailbox: Mailbox) -> Any:
    context = ssl.create_default_context()
    if mailbox.security == "tls":
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=context, timeout=TIMEOUT)
    else:
        server = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=TIMEOUT)
    try:
        if mailbox.security == "starttls":
            server.starttls(context)
        server.login(mailbox.user, mailbox.password)
        yield server
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            server.logout()


def _right(answer: tuple[str, list[Any]], what: str) -> list[Any]:
    if answer[0] != "OK":
        raise imaplib.IMAP4.error(f"{what} was refused")
    return answer[1]


def _fetch(server: imaplib.IMAP4, uid: str) -> EmailMessage:
    parts = _right(server.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST}>)"), "fetch")
    raw = next((part[1] for part in parts if isinstance(part, tuple)), b"")
    message = email.message_from_bytes(raw, policy=policy)
    return message if isinstance(message, EmailMessage) else EmailMessage()


def _taken(message: EmailMessage, acknowledge: Callable[[str], object]) -> str:
    try:
        token = acknowledged_token(message)
    except Exception:  # noqa: BLE001 - the parser's own faults on hostile mail; a message that cannot be read acknowledges nothing
        return "ignored"
    if not token:
        return "ignored"
    try:
        acknowledge(token)
    except WatchwordError as error:
        _LOG.warning("reply_refused", why=str(error))
        return "refused"
    return "acknowledged"
