"""Shown: when a request for approval was shown to an account, signed, so that an answer can say how long it was looked at."""

from datetime import datetime

from watchword.app.watchword import Watchword
from watchword.kit.errors import Conflict
from watchword.kit.secrets import sign, verify
from watchword.respond.sealed import derived_key

PURPOSE = "approval shown"


def shown_now(watchword: Watchword, approval: str, account: str) -> str:
    """Return the text that comes back with the answer: the moment, and our signature on it for this request and account."""
    moment = watchword.clock.now().isoformat()
    return f"{moment} {sign(derived_key(watchword.site_key, PURPOSE), f'{approval} {account} {moment}'.encode())}"


def shown_at(watchword: Watchword, approval: str, account: str, text: str) -> datetime:
    """Return when a request was shown to an account.

    Raises:
        Conflict: it was not.
    """
    moment, _, signature = text.partition(" ")
    if not verify(derived_key(watchword.site_key, PURPOSE), f"{approval} {account} {moment}".encode(), signature):
        raise Conflict("This request was not shown to you: read it again, and send what it says as shown")
    return datetime.fromisoformat(moment)
