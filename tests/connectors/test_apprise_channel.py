"""Channels against real peers on loopback: mail, HTTP, and endpoints that hang, drip, flood, lie, redirect or answer 500."""

import json
import logging
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from watchword.connectors.apprise_channel import AppriseChannel, AppriseChannels, Gateways
from watchword.kit.errors import InputError, NotFound
from watchword.respond.ports import Delivery
from watchword.respond.reach_service import DeskChannel

SECRET = "s3cr3tPassw0rd"


class Peer(ThreadingHTTPServer):
    """An HTTP service that behaves as its path says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.taken: list[dict] = []
        self.leave = threading.Event()

    def handle_error(self, request, client_address) -> None:
        pass  # clients are ended while they wait: that is what is tested

    def url(self, path: str, query: str = "") -> str:
        return f"json://me:{SECRET}@127.0.0.1:{self.server_port}/{path}{query}"


class Handler(BaseHTTPRequestHandler):
    server: Peer

    def log_message(self, *args) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        kind = self.path.split("?")[0].strip("/")
        if kind == "hang":
            self.server.leave.wait(30)
            return
        if kind == "lie":
            self.wfile.write(b"SSH-2.0-nonsense\r\n\r\n")
            return
        if kind == "close":
            return
        code = {"500": 500, "redirect": 302}.get(kind, 200)
        self.send_response(code)
        if kind == "redirect":
            self.send_header("location", "/ok")
        if kind in {"drip", "flood"}:
            self.end_headers()
            piece = b"x" if kind == "drip" else b"x" * (1 << 20)
            while not self.server.leave.wait(0.2 if kind == "drip" else 0):
                self.wfile.write(piece)
                self.wfile.flush()
            return
        self.send_header("content-length", "0")
        self.end_headers()
        if kind == "ok":
            self.server.taken.append(json.loads(body))


@pytest.fixture
def peer():
    server = Peer()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.leave.set()
    server.shutdown()
    server.server_close()
    thread.join()


class Smtp(socketserver.ThreadingTCPServer):
    """Takes mail as RFC 5321 says, and keeps it."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), SmtpSession)
        self.mails: list[tuple[str, str]] = []


class SmtpSession(socketserver.StreamRequestHandler):
    server: Smtp

    def handle(self) -> None:
        to = ""
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word in {b"EHLO", b"HELO"}:
                self.wfile.write(b"250 here\r\n")
            elif word == b"RCPT":
                to = line.decode().strip().partition(":")[2].strip("<>")
                self.wfile.write(b"250 ok\r\n")
            elif word == b"DATA":
                self.wfile.write(b"354 go\r\n")
                text = b""
                while (part := self.rfile.readline()) not in {b".\r\n", b""}:
                    text += part
                self.server.mails.append((to, text.decode()))
                self.wfile.write(b"250 kept\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def smtp():
    server = Smtp()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_message_arrives(peer):
    sent = AppriseChannel("desk", "webhook", peer.url("ok"), 10).send("REAL sev 1", "Go there")
    assert (sent.delivery, sent.detail) == (Delivery.SENT, "")
    assert [(each["title"], each["message"]) for each in peer.taken] == [("REAL sev 1", "Go there")]


def test_mail_arrives_through_the_gateway(smtp):
    gateway = f"mailto://127.0.0.1:{smtp.server_address[1]}?from=watchword@example.org&mode=insecure"
    channel = AppriseChannels((), Gateways(mail=gateway)).open("jane@example.org", "mail", "my mail")
    assert channel.send("REAL sev 1 [ww:AbCdEfGhIjKlMnOpQrStUv]", "What to do: look").delivery is Delivery.SENT
    ((to, text),) = smtp.mails
    assert to == "jane@example.org"
    assert "Subject: REAL sev 1 [ww:AbCdEfGhIjKlMnOpQrStUv]" in text
    assert "What to do: look" in text


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_an_endpoint_that_hangs_or_drips_is_given_up_in_time(peer, kind):
    started = time.monotonic()
    sent = AppriseChannel("desk", "webhook", peer.url(kind), 1.5).send("a", "b")
    assert sent.delivery in {Delivery.TIMED_OUT, Delivery.FAILED}
    assert time.monotonic() - started < 8


def test_an_endpoint_that_answers_without_end_meets_a_bound(peer):
    started = time.monotonic()
    sent = AppriseChannel("desk", "webhook", peer.url("flood"), 4).send("a", "b")
    assert sent.delivery in {Delivery.TIMED_OUT, Delivery.FAILED}
    assert time.monotonic() - started < 12


@pytest.mark.parametrize(("kind", "words"), [("500", "answered 500"), ("lie", ""), ("close", ""), ("redirect", "answered 302")])
def test_an_endpoint_that_refuses_or_lies_fails_with_our_own_words(peer, kind, words):
    sent = AppriseChannel("desk", "webhook", peer.url(kind), 10).send("a", "b")
    assert sent.delivery is Delivery.FAILED
    assert words in sent.detail
    assert sent.detail
    assert SECRET not in sent.detail
    assert peer.taken == []


def test_nobody_listening_fails():
    sent = AppriseChannel("desk", "webhook", f"json://me:{SECRET}@127.0.0.1:9/x", 5).send("a", "b")
    assert (sent.delivery, sent.detail) == (Delivery.FAILED, "no connection, or it broke off")


def test_what_hangs_holds_up_nobody_else(peer):
    hanging = [threading.Thread(target=AppriseChannel("h", "webhook", peer.url("hang"), 6).send, args=("a", "b")) for _ in range(4)]
    for thread in hanging:
        thread.start()
    started = time.monotonic()
    assert AppriseChannel("desk", "webhook", peer.url("ok"), 10).send("a", "b").delivery is Delivery.SENT
    assert time.monotonic() - started < 5
    for thread in hanging:
        thread.join()


def test_an_address_that_no_service_reads_is_a_fault_that_names_its_place_and_not_the_address():
    with pytest.raises(InputError, match=r"paging\.channels 'desk'") as caught:
        AppriseChannels([(DeskChannel("desk", "chat", "it"), f"msteams://{SECRET}/b/c")])
    assert SECRET not in str(caught.value)
    channels = AppriseChannels((), Gateways())
    for address, kind in (
        (f"nonsense://{SECRET}", "push"),
        (f"json://{SECRET}@127.0.0.1", "webhook"),
        ("jane@example.org", "mail"),
        (SECRET, "sms"),
        ("+49 170 1234567", "sms"),
        ("mailto://a.b, mailto://c.d", "mail"),
        ("syslog://", "push"),
    ):
        with pytest.raises(InputError, match="contact 'mine'") as caught:
            channels.open(address, kind, "mine")
        assert SECRET not in str(caught.value)
    with pytest.raises(NotFound, match=r"paging\.channels"):
        channels.desk("none")


def test_addresses_are_in_no_log_line_and_no_representation(peer, caplog):
    caplog.set_level(logging.DEBUG)
    channel = AppriseChannels([(DeskChannel("desk", "webhook", "it"), peer.url("500"))]).desk("desk")
    channel.send("a", "b")
    assert SECRET not in caplog.text
    assert SECRET not in repr(channel)


def test_numbers_and_mail_addresses_cannot_smuggle_parameters():
    channels = AppriseChannels((), Gateways(mail="mailto://127.0.0.1?from=a@example.org"))
    for address in ("a@b.org&smtp=evil.example", "a@b.org?x=y", "a@b.org,c@d.org", "a b@c.org", "a@b.org#x"):
        with pytest.raises(InputError):
            channels.open(address, "mail", "mine")
