"""A mail server that takes our letters: SMTP with the protection that its address asks for, and a calendar entry beside the words."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from watchword.kit.errors import InputError, Unavailable

SECONDS: Final = 15.0
PORTS: Final = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class MailServer:
    """Sends letters by one server.

    Args:
        address: ``smtps://USER:PASSWORD@HOST``, ``smtp+starttls://…``, or ``smtp://HOST`` for one that asks for no log-in.
        sender: From whom they come.

    Raises:
        InputError: the address or the sender cannot be read; the message holds no password.
    """

    def __init__(self, address: str, sender: str) -> None:
        self._at = _read(address)
        if "@" not in sender or any(sign in sender for sign in "\r\n<> ,"):
            raise InputError("committees.sender is no mail address", "committees.sender")
        self.sender = sender

    def send(self, to: str, subject: str, text: str, calendar: bytes = b"") -> None:
        """Hand one letter over.

        Raises:
            Unavailable: the server does not answer, or does not take it.
        """
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = self.sender, to, " ".join(subject.split())
        letter["Date"], letter["Message-ID"] = formatdate(usegmt=True), make_msgid(domain=self.sender.partition("@")[2])
        letter.set_content(text)
        if calendar:
            letter.add_alternative(calendar.decode(), subtype="calendar", params={"method": "REQUEST"})
        try:
            with self._open() as server:
                server.send_message(letter)
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"the mail server {self._at.hostname} did not take it: {type(error).__name__}") from error

    def _open(self) -> smtplib.SMTP:
        host, port = self._at.hostname or "", self._at.port or PORTS[self._at.scheme]
        if self._at.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(host, port, timeout=SECONDS)
        try:
            if self._at.scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if self._at.username:
                server.login(unquote(self._at.username), unquote(self._at.password or ""))
        except BaseException:
            server.close()
            raise
        return server


def _read(address: str) -> SplitResult:
    try:
        found = urlsplit(address)
        port = found.port
    except ValueError as error:
        raise InputError("committees.mail is no address of a mail server", "committees.mail") from error
    if found.scheme not in PORTS or not found.hostname or port == 0:
        raise InputError("committees.mail is written as smtps://user:password@host", "committees.mail")
    if found.username and found.scheme == "smtp":
        raise InputError("committees.mail would send a password unprotected: write smtps:// or smtp+starttls://", "committees.mail")
    return found
