"""The syslog listeners with real senders: util-linux's logger, TLS by OpenSSL's certificates, a full spool."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from watchword.connectors.syslog import Listener, SyslogServer
from watchword.ingest.intake import Incoming
from watchword.ingest.ports import Receipt
from watchword.ingest.syslog import parse_syslog
from watchword.kit.errors import Full, WatchwordError

NOW = datetime.now(UTC)
LOGGER = shutil.which("logger")


class Kept:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.refusals = 0

    def __call__(self, source: str, items: Sequence[Incoming]) -> Receipt:  # noqa: ARG002 - the port's signature
        if self.refusals:
            self.refusals -= 1
            raise Full("the spool is full")
        self.bodies += [item.body for item in items]
        return Receipt(len(items), 0)


async def until(condition: object, seconds: float = 10) -> None:
    for _ in range(int(seconds / 0.02)):
        if condition():  # type: ignore[operator]
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come")


def run_with(kept: Kept, listener: Listener, send: object, wanted: int, limit: int = 1 << 20) -> SyslogServer:
    async def main() -> SyslogServer:
        server = SyslogServer(kept, [listener], limit=limit)
        await server.start()
        try:
            await asyncio.to_thread(send, server.ports[0])  # type: ignore[arg-type]
            await until(lambda: len(kept.bodies) >= wanted)
        finally:
            await server.stop()
        return server

    return asyncio.run(main())


@pytest.mark.skipif(LOGGER is None, reason="util-linux logger is not installed")
@pytest.mark.parametrize(
    ("transport", "options"),
    [
        ("udp", ["--udp", "--rfc5424"]),
        ("udp", ["--udp", "--rfc3164"]),
        ("tcp", ["--tcp", "--rfc5424", "--octet-count"]),
        ("tcp", ["--tcp", "--rfc3164"]),
    ],
)
def test_logger_is_understood(transport: str, options: list[str]) -> None:
    kept = Kept()

    def send(port: int) -> None:
        for number in range(3):
            command = [
                str(LOGGER),
                "--server",
                "127.0.0.1",
                "--port",
                str(port),
                *options,
                "--tag",
                "watch",
                "--priority",
                "auth.err",
                f"hello {number}",
            ]
            subprocess.run(command, check=True, timeout=10)

    run_with(kept, Listener("linux", transport), send, 3)
    messages = [parse_syslog(body.decode(), NOW) for body in kept.bodies]
    assert sorted(message.message for message in messages) == ["hello 0", "hello 1", "hello 2"]
    assert {(message.app, message.facility, message.level) for message in messages} == {("watch", 4, "err")}
    assert all(message.moment is not None and message.host for message in messages)


def test_both_ways_of_framing_on_one_port_and_a_long_line() -> None:
    kept = Kept()

    def send(port: int) -> None:
        for stream in (b"<13>one\n<13>two", b"9 <13>a\nb.c7 <13>end", b"<13>" + b"x" * 50_000 + b"\n<13>after\n", b"12345678901234 x"):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(stream)

    server = run_with(kept, Listener("s", "tcp"), send, 6, limit=10_000)
    assert {b"<13>one", b"<13>two", b"<13>a\nb.c", b"<13>end", b"<13>after"} <= set(kept.bodies)
    assert any(b"record of 50004 bytes, longer than 10000" in body for body in kept.bodies)
    assert server.tallies()["s/tcp"].faults == 1


def test_tls_with_a_throwaway_certificate(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
    ]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True, timeout=60)
    kept = Kept()

    def send(port: int) -> None:
        context = ssl.create_default_context(cafile=str(certificate))
        with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(b"11 <13>secret.<13>")
            connection.unwrap()

    run_with(kept, Listener("s", "tls", certificate=certificate, key=key), send, 2)
    assert kept.bodies == [b"<13>secret.", b"<13>"]  # the rest, though not framed, is kept
    with pytest.raises(WatchwordError, match="certificate and a key"):
        asyncio.run(SyslogServer(kept, [Listener("s", "tls")]).start())
    with pytest.raises(WatchwordError, match="cannot be used"):
        asyncio.run(SyslogServer(kept, [Listener("s", "tls", certificate=certificate, key=certificate)]).start())


def test_a_full_spool_makes_tcp_senders_wait_and_loses_nothing() -> None:
    kept = Kept()
    kept.refusals = 2

    def send(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"".join(b"<13>%d\n" % number for number in range(1000)))

    server = run_with(kept, Listener("s", "tcp"), send, 1000)
    assert [int(body[4:]) for body in kept.bodies] == list(range(1000))
    assert server.tallies()["s/tcp"].refused == 2


def test_datagrams_lost_to_a_full_spool_are_counted() -> None:
    kept = Kept()
    kept.refusals = 1
    lost: list[tuple[str, int]] = []

    async def main() -> SyslogServer:
        server = SyslogServer(kept, [Listener("s", "udp")], on_drop=lambda source, count: lost.append((source, count)))
        await server.start()
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.sendto(b"<13>lost", ("127.0.0.1", server.ports[0]))
        await until(lambda: lost)
        sock.sendto(b"<13>kept\n", ("127.0.0.1", server.ports[0]))
        await until(lambda: kept.bodies)
        sock.close()
        await server.stop()
        return server

    server = asyncio.run(main())
    assert (kept.bodies, lost, server.tallies()["s/udp"].dropped) == ([b"<13>kept"], [("s", 1)], 1)


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(WatchwordError, match="cannot be opened"):
        asyncio.run(SyslogServer(Kept(), [Listener("s", "tcp", port=taken.getsockname()[1])]).start())
