"""Answers by mail from a real IMAP peer on loopback."""

import re
import socketserver
import threading
from email.message import EmailMessage

import pytest

from watchword.connectors.reply_mailbox import Looked, Mailbox, look, mailbox_of
from watchword.kit.errors import Conflict, InputError, Unavailable
from watchword.respond.reply_text import reference

TOKEN = "AbCdEfGhIjKlMnOpQrStUv"


class Imap(socketserver.ThreadingTCPServer):
    """Speaks as much IMAP4rev1 (RFC 3501) as a mailbox that is read needs."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.mails: list[bytes] = []
        self.seen: set[int] = set()
        self.password = "right"
        self.silent = threading.Event()


class Session(socketserver.StreamRequestHandler):
    server: Imap

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self) -> None:
        self.say("* OK here")
        while line := self.rfile.readline().decode().strip():
            tag, _, rest = line.partition(" ")
            word = rest.upper()
            if word.startswith("CAPABILITY"):
                self.say("* CAPABILITY IMAP4rev1")
            elif word.startswith("LOGIN") and f'"{self.server.password}"' not in rest:
                self.say(f"{tag} NO wrong")
                continue
            elif word.startswith("SELECT"):
                self.say(f"* {len(self.server.mails)} EXISTS")
            elif word.startswith("UID SEARCH"):
                found = [str(uid) for uid in range(1, len(self.server.mails) + 1) if uid not in self.server.seen]
                self.say("* SEARCH " + " ".join(found))
            elif word.startswith("UID FETCH"):
                uid = int(rest.split()[2])
                body = self.server.mails[uid - 1]
                self.say(f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(body)}}}")
                self.wfile.write(body + b")\r\n")
            elif word.startswith("UID STORE"):
                self.server.seen.add(int(re.findall(r"\d+", rest)[0]))
            elif word.startswith("LOGOUT"):
                self.say("* BYE")
                self.say(f"{tag} OK bye")
                return
            self.say(f"{tag} OK done")


@pytest.fixture
def imap():
    server = Imap()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def answer(body: str, **headers: str) -> bytes:
    message = EmailMessage()
    message["Subject"] = f"Re: REAL sev 1 {reference(TOKEN)}"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message.as_bytes()


def box(server: Imap, password: str = "right") -> Mailbox:  # noqa: S107 - a test password
    return Mailbox("127.0.0.1", server.server_address[1], "watchword", password, security="none")


def test_answers_acknowledge_and_everything_else_is_left_alone(imap):
    imap.mails = [answer("ACK on my way"), answer("ACK", Auto_Submitted="auto-replied"), b"\xff\xfe nonsense \x00", answer("I am away")]
    taken: list[str] = []
    assert look(box(imap), taken.append) == Looked(seen=4, acknowledged=1, ignored=3, refused=0)
    assert taken == [TOKEN]
    assert look(box(imap), taken.append).seen == 0
    imap.mails.append(answer("ack"))

    def used(token: str) -> None:
        raise Conflict("this link was used already")

    assert look(box(imap), used) == Looked(seen=1, acknowledged=0, ignored=0, refused=1)


def test_an_answer_that_could_not_be_kept_stays_unseen(imap):
    imap.mails = [answer("ACK")]

    def broken(token: str) -> None:
        raise RuntimeError("the database is away")

    with pytest.raises(RuntimeError):
        look(box(imap), broken)
    assert imap.seen == set()


def test_a_mailbox_that_refuses_or_is_away_is_named_without_its_password(imap):
    with pytest.raises(Unavailable, match="mailbox for answers") as caught:
        look(box(imap, "wr0ngPassw0rd"), print)
    assert "wr0ngPassw0rd" not in str(caught.value)
    assert "wr0ngPassw0rd" not in repr(box(imap, "wr0ngPassw0rd"))
    with pytest.raises(Unavailable):
        look(Mailbox("127.0.0.1", 9, "a", "b", security="none"), print)


def test_the_address_of_a_mailbox():
    assert mailbox_of("imaps://a%40b:p%2Fw@imap.example.org") == Mailbox("imap.example.org", 993, "a@b", "p/w", "tls", "INBOX")
    assert mailbox_of("imap://a:b@h:144/Pages?security=none") == Mailbox("h", 144, "a", "b", "none", "Pages")
    assert mailbox_of("imap://a:b@h").security == "starttls"
    for wrong in ("", "imap://h", "pop3://a:secret@h", "imaps://a:secret@h:99999999", "imap://a:secret@h?security=maybe"):
        with pytest.raises(InputError) as caught:
            mailbox_of(wrong)
        assert "secret" not in str(caught.value)
