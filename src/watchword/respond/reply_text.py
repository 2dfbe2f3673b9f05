"""A reply by mail: whether a person wrote it, and which page it acknowledges."""

import re
from email.message import EmailMessage
from typing import Final

WORD: Final = "ACK"
"""What the first line of an answer must begin with."""
TOKEN_LENGTH: Final = 22
_REFERENCE: Final = re.compile(rf"\[ww:([A-Za-z0-9_-]{{{TOKEN_LENGTH}}})\]")
_MOST: Final = 64 * 1024


def reference(token: str) -> str:
    """Return how a token stands in a subject, so that an answer carries it back."""
    return f"[ww:{token}]"


def acknowledged_token(message: EmailMessage) -> str:
    """Return the token that a mail acknowledges; empty when it acknowledges nothing.

    A person must have written `WORD` first: an answering machine that sends the subject back stops no page.
    """
    if _by_machine(message):
        return ""
    found = _REFERENCE.search(str(message.get("subject", "")))
    if found is None or not _own_words(message).upper().startswith(WORD):
        return ""
    return found[1]


def _by_machine(message: EmailMessage) -> bool:
    """Tell whether a machine says that it wrote this (RFC 3834 and what is customary beside it)."""
    if str(message.get("auto-submitted", "no")).split(";")[0].strip().lower() != "no":
        return True
    if str(message.get("precedence", "")).strip().lower() in {"bulk", "junk", "list", "auto_reply"}:
        return True
    if any(name in message for name in ("x-autoreply", "x-autorespond", "x-auto-response-suppress-reply", "list-id")):
        return True
    return str(message.get("return-path", "")).strip() == "<>" or message.get_content_type() == "multipart/report"


def _own_words(message: EmailMessage) -> str:
    """Return the first line of plain text that is no quotation."""
    part = message.get_body(preferencelist=("plain",))
    if part is None:
        return ""
    try:
        text = str(part.get_content())[:_MOST]
    except (LookupError, ValueError):  # a character set that nobody knows
        return ""
    return next((line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith(">")), "")
