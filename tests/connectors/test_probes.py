"""Probes against peers on loopback: each kind's successes, its faults in words, its bounds, and what may be probed at all."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from watchword.connectors import probes
from watchword.connectors.probe_target import Probe, read_probes
from watchword.connectors.probes import NotAllowed, Prober, Verdict
from watchword.kit.errors import InputError

HERE = ("127.0.0.0/8", "::1/128")


@contextlib.contextmanager
def peer(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """Listen on a free port of loopback and hand each connection to `serve`, one after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        stopping = threading.Event()

        def run() -> None:
            while not stopping.is_set():
                try:
                    wire, _ = listener.accept()
                except TimeoutError:
                    continue
                with wire, contextlib.suppress(OSError):
                    wire.settimeout(5)
                    serve(wire)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stopping.set()
            thread.join(10)


def answering(answer: bytes, seen: list[bytes] | None = None) -> Callable[[socket.socket], None]:
    def serve(wire: socket.socket) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked and (part := wire.recv(4096)):
            asked += part
        if seen is not None:
            seen.append(asked)
        wire.sendall(answer)

    return serve


def silent(wire: socket.socket) -> None:
    """Take a connection and say nothing."""
    del wire


def probe(kind: str, port: int = 0, **more) -> Probe:
    return Probe(**{"name": "p", "asset": "a", "kind": kind, "host": "127.0.0.1", "port": port, "time": timedelta(seconds=5), **more})


def found(kind: str, port: int = 0, **more) -> tuple[Verdict, str]:
    outcome = Prober(HERE).try_one(probe(kind, port, **more))
    return outcome.verdict, outcome.said


def closed_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_tcp_is_up_when_a_connection_is_taken():
    with peer(silent) as port:
        assert found("tcp", port) == (Verdict.UP, "")
    port = closed_port()
    assert found("tcp", port) == (Verdict.DOWN, f"refuses port {port}")


def test_http_is_judged_by_its_status():
    seen: list[bytes] = []
    with peer(answering(b"HTTP/1.1 204 No Content\r\n\r\n", seen)) as port:
        assert found("http", port, path="/health?x=1") == (Verdict.UP, "")
        assert found("http", port, expect=200) == (Verdict.DOWN, "answers with status 204, not 200")
    assert seen[0].startswith(b"GET /health?x=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    with peer(answering(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad")) as port:
        assert found("http", port) == (Verdict.DOWN, "answers with status 502")
    with peer(answering(b"SSH-2.0-OpenSSH\r\n")) as port:
        assert found("http", port) == (Verdict.DOWN, "does not speak HTTP")
    with peer(silent) as port:
        verdict, said = found("http", port)
        assert verdict is Verdict.DOWN
        assert said


def test_a_peer_that_never_answers_costs_no_more_than_the_time_set():
    def drip(wire: socket.socket) -> None:
        for _ in range(40):
            wire.sendall(b"HTTP/1.1 2")
            time.sleep(0.05)

    with peer(drip) as port:
        began = time.monotonic()
        assert found("http", port, time=timedelta(milliseconds=400)) == (Verdict.DOWN, "no answer within 0.4 s")
        assert time.monotonic() - began < 5


def test_an_endless_answer_is_read_no_further_than_it_must():
    with peer(answering(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200_000)) as port:
        assert found("http", port)[0] is Verdict.UP


@contextlib.contextmanager
def tls_peer(tmp_path, since: datetime, until: datetime) -> Iterator[int]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "device")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(since).not_valid_after(until).sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path / "device.pem"
    plain = serialization.NoEncryption()
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def serve(wire: socket.socket) -> None:
        with context.wrap_socket(wire, server_side=True) as secured:
            asked = secured.recv(4096)
            if asked:
                secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with peer(serve) as port:
        yield port


def test_tls_tells_how_long_a_certificate_still_holds(tmp_path):
    now = datetime.now(UTC).replace(microsecond=0)
    with tls_peer(tmp_path, now - timedelta(days=1), now + timedelta(days=90)) as port:
        assert found("tls", port) == (Verdict.UP, "")
        assert found("http", port, tls=True) == (Verdict.UP, "")
    with tls_peer(tmp_path, now - timedelta(days=80), now + timedelta(days=3, hours=1)) as port:
        verdict, said = found("tls", port)
        assert verdict is Verdict.UP
        assert said == f"its certificate ends on {now + timedelta(days=3, hours=1):%d %b %Y %H:%M} UTC, in 3 days"
        assert found("tls", port, warn=timedelta(days=1)) == (Verdict.UP, "")
    with tls_peer(tmp_path, now - timedelta(days=80), now - timedelta(hours=1)) as port:
        verdict, said = found("tls", port)
        assert (verdict, said.partition(" on ")[0]) == (Verdict.DOWN, "its certificate ended")
    with tls_peer(tmp_path, now + timedelta(days=2), now + timedelta(days=9)) as port:
        assert found("tls", port)[1].startswith("its certificate begins only on")


def test_tls_with_somebody_who_does_not_speak_it_is_down():
    with peer(answering(b"220 smtp ready\r\n")) as port:
        assert found("tls", port, time=timedelta(seconds=2))[0] is Verdict.DOWN


SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=cam\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"


def rtsp(status: bytes, body: bytes = b"") -> bytes:
    return b"RTSP/1.0 %s\r\nCSeq: 1\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def test_rtsp_asks_a_camera_for_its_stream():
    seen: list[bytes] = []
    with peer(answering(rtsp(b"200 OK", SDP), seen)) as port:
        assert found("rtsp", port, path="/main") == (Verdict.UP, "")
        assert seen[0].startswith(f"DESCRIBE rtsp://127.0.0.1:{port}/main RTSP/1.0\r\n".encode())
    with peer(answering(rtsp(b"200 OK", SDP.replace(b"m=video", b"m=audio")))) as port:
        assert found("rtsp", port) == (Verdict.DEGRADED, "describes no video")
    with peer(answering(rtsp(b"401 Unauthorized"))) as port:
        assert found("rtsp", port) == (Verdict.UP, "asks for a password: it is there, its stream is not judged")
    with peer(answering(rtsp(b"503 Service Unavailable"))) as port:
        assert found("rtsp", port) == (Verdict.DOWN, "answers DESCRIBE with status 503")
    with peer(answering(b"HTTP/1.1 200 OK\r\n\r\n")) as port:
        assert found("rtsp", port) == (Verdict.DOWN, "does not speak RTSP")


def test_icmp_reaches_loopback_by_echo_or_by_its_named_fallback():
    verdict, said = found("icmp")
    assert verdict is Verdict.UP
    assert said == "" or said.endswith("no echo request may be sent from here")


def test_icmp_knocks_where_no_echo_may_be_sent(monkeypatch):
    real = socket.socket

    def without_echo(family=socket.AF_INET, kind=socket.SOCK_STREAM, proto=0, *more):
        if kind == socket.SOCK_DGRAM:
            raise PermissionError("no")
        return real(family, kind, proto, *more)

    monkeypatch.setattr(probes.socket, "socket", without_echo)
    monkeypatch.setattr(probes, "ICMP_FALLBACK", (closed_port(),))
    assert found("icmp") == (Verdict.UP, "refuses on TCP, so it is there; no echo request may be sent from here")


def test_nothing_is_sent_to_an_address_that_is_not_allowed():
    with peer(silent) as port:
        with pytest.raises(NotAllowed, match=r"is in no network of probe\.allow"):
            Prober(("192.0.2.0/24",)).try_one(probe("tcp", port))
        with pytest.raises(NotAllowed):
            Prober(()).try_one(probe("tcp", port))
        assert Prober(("127.0.0.1",)).try_one(probe("tcp", port)).verdict is Verdict.UP


def test_an_unknown_name_is_down(monkeypatch):
    def unknown(*_args, **_more):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(probes.socket, "getaddrinfo", unknown)
    assert found("tcp", 80, host="nowhere.invalid") == (Verdict.DOWN, "the name nowhere.invalid is not known")


def test_targets_are_read_with_every_option():
    read = read_probes(
        [
            {
                "name": "a",
                "asset": "srv",
                "kind": "http",
                "host": "srv.example.org",
                "tls": True,
                "expect": 200,
                "every": "5m",
                "time": "2s",
            },
            {"name": "b", "asset": "cam", "kind": "rtsp", "host": "192.0.2.7", "path": "/main"},
            {"name": "c", "asset": "sw", "kind": "icmp", "host": "192.0.2.8"},
        ]
    )
    assert [(each.port, each.every, each.time) for each in read] == [
        (443, timedelta(minutes=5), timedelta(seconds=2)), (554, timedelta(minutes=1), timedelta(seconds=5)),
        (0, timedelta(minutes=1), timedelta(seconds=5)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "snmp"}, "is not one of icmp, tcp, http, tls, rtsp"),
        ({"host": " "}, "'host' is missing"),
        ({"port": 0}, "name the port"),
        ({"port": True}, "of the wrong kind"),
        ({"path": "no slash"}, "does not begin with '/'"),
        ({"path": "/a b"}, "holds spaces"),
        ({"path": "/a\r\nHost: x"}, "holds spaces"),
        ({"every": "1s"}, "choose 5s to 12h"),
        ({"time": "1h"}, "choose 0.1s to 30s"),
        ({"every": "soon"}, "is no duration"),
        ({"colour": "red"}, "there is no 'colour' here"),
        ({"name": "x" * 65}, "longer than 64"),
    ],
)
def test_a_wrong_target_says_what_is_wrong(change, words):
    row = {"name": "a", "asset": "srv", "kind": "tcp", "host": "192.0.2.1", "port": 80, **change}
    with pytest.raises(InputError, match=words) as caught:
        read_probes([{"name": "z", "asset": "srv", "kind": "icmp", "host": "192.0.2.1"}, row])
    assert caught.value.field == "1"


def test_two_targets_of_one_name_are_refused():
    row = {"name": "a", "asset": "srv", "kind": "icmp", "host": "192.0.2.1"}
    with pytest.raises(InputError, match="stands here twice"):
        read_probes([row, row])
