"""Active probes of our own: does a device or service answer, and rightly? ICMP, TCP, HTTP, TLS, RTSP; only where the settings allow."""

import contextlib
import ipaddress
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from watchword.connectors.probe_target import HTTP, ICMP, RTSP, TCP, TLS, Probe
from watchword.kit.errors import InputError

ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read."""
LONGEST_SAID: Final = 200
ECHO, ECHO_REPLY, ECHO6, ECHO6_REPLY = 8, 0, 128, 129
ICMP_FALLBACK: Final = (7, 80, 443, 22)
"""Ports that are knocked at where no echo request may be sent: an answer or a refusal both show that the machine is there."""


class Verdict(StrEnum):
    """What a probe found."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


class NotAllowed(InputError):
    """The address is not among those that may be probed; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try found, and how long that took."""

    verdict: Verdict
    said: str = ""
    took: timedelta = timedelta()


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Prober:
    """Carries probes out. Safe to share between threads; each try opens and closes its own connection."""

    def __init__(self, allow: Sequence[str], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Take the networks that may be probed, and the clock by which certificates are judged."""
        self._allow: tuple[Network, ...] = tuple(ipaddress.ip_network(each, strict=False) for each in allow)
        self._now = now

    def try_one(self, probe: Probe) -> Outcome:
        """Try a probe once, within its time. What goes wrong over there is the outcome, not an error.

        Raises:
            NotAllowed: none of the host's addresses may be probed; nothing was sent.
        """
        began = time.monotonic()
        try:
            family, address = self._address(probe)
            outcome = _TRIES[probe.kind](self, probe, family, address, _Deadline(began + probe.time.total_seconds()))
        except NotAllowed:
            raise
        except (OSError, ValueError) as error:
            outcome = Outcome(Verdict.DOWN, fault_words(error, probe))
        return Outcome(outcome.verdict, outcome.said[:LONGEST_SAID], timedelta(seconds=round(time.monotonic() - began, 3)))

    def _address(self, probe: Probe) -> tuple[int, str]:
        """Return family and address to try: looked up once, so that what is allowed is what is tried."""
        found = socket.getaddrinfo(probe.host, probe.port or None, type=socket.SOCK_STREAM)
        for family, _, _, _, where in found:
            address = str(where[0])
            if any(ipaddress.ip_address(address.partition("%")[0]) in network for network in self._allow):
                return int(family), address
        tried = ", ".join(sorted({str(where[0]) for *_, where in found}))
        raise NotAllowed(f"probe {probe.name}: {probe.host} ({tried}) is in no network of probe.allow", "probe.allow")

    # kinds

    def _icmp(self, probe: Probe, family: int, address: str, deadline: "_Deadline") -> Outcome:
        del probe
        six = family == socket.AF_INET6
        try:
            echo = socket.socket(family, socket.SOCK_DGRAM, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)
        except OSError:  # this system lets nobody ping without rights: knock instead
            return self._knock(family, address, deadline)
        with echo:
            mark = os.urandom(16)
            head = struct.pack("!BBHHH", ECHO6 if six else ECHO, 0, 0, 0, 1)
            sum_ = 0 if six else _checksum(head + mark)
            echo.settimeout(deadline.left())
            echo.sendto(head[:2] + struct.pack("!H", sum_) + head[4:] + mark, (address, 0))
            while True:
                echo.settimeout(deadline.left())
                answer, who = echo.recvfrom(2048)
                if who[0].partition("%")[0] == address.partition("%")[0] and answer[:1] in {b"\x00", b"\x81"} and answer.endswith(mark):
                    return Outcome(Verdict.UP)

    def _knock(self, family: int, address: str, deadline: "_Deadline") -> Outcome:
        """Knock at ports that are often open: a connection or a refusal shows that somebody is there."""
        for port in ICMP_FALLBACK:
            try:
                with _connected(family, address, port, deadline):
                    return Outcome(Verdict.UP, "answers on TCP; no echo request may be sent from here")
            except ConnectionRefusedError:
                return Outcome(Verdict.UP, "refuses on TCP, so it is there; no echo request may be sent from here")
            except TimeoutError:
                raise
            except OSError as error:
                last = error
        raise last

    def _tcp(self, probe: Probe, family: int, address: str, deadline: "_Deadline") -> Outcome:
        with _connected(family, address, probe.port, deadline):
            return Outcome(Verdict.UP)

    def _http(self, probe: Probe, family: int, address: str, deadline: "_Deadline") -> Outcome:
        host = probe.host if probe.port == (443 if probe.tls else 80) else f"{probe.host}:{probe.port}"
        with contextlib.ExitStack() as stack:
            wire = stack.enter_context(_connected(family, address, probe.port, deadline))
            if probe.tls:
                wire = stack.enter_context(_without_trust().wrap_socket(wire, server_hostname=probe.host))
            wire.sendall(f"GET {probe.path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Watchword-probe\r\nConnection: close\r\n\r\n".encode())
            status = _status(_head(wire, deadline), "HTTP/")
        right = status == probe.expect if probe.expect else status < 400
        if right:
            return Outcome(Verdict.UP)
        wanted = f", not {probe.expect}" if probe.expect else ""
        return Outcome(Verdict.DOWN, f"answers with status {status}{wanted}")

    def _tls(self, probe: Probe, family: int, address: str, deadline: "_Deadline") -> Outcome:
        """Judge the certificate: who made it is the host's own affair in many houses, so only its end and its beginning count."""
        with (
            _connected(family, address, probe.port, deadline) as plain,
            _without_trust().wrap_socket(plain, server_hostname=probe.host) as wire,
        ):
            raw = wire.getpeercert(binary_form=True)
        if not raw:
            return Outcome(Verdict.DOWN, "shows no certificate")
        from cryptography import x509  # noqa: PLC0415 - slow to import, and only where such a probe is tried

        found = x509.load_der_x509_certificate(raw)
        now = self._now()
        ends = found.not_valid_after_utc
        if ends <= now:
            return Outcome(Verdict.DOWN, f"its certificate ended on {ends:%d %b %Y %H:%M} UTC")
        if found.not_valid_before_utc > now:
            return Outcome(Verdict.DOWN, f"its certificate begins only on {found.not_valid_before_utc:%d %b %Y %H:%M} UTC")
        if ends - now < probe.warn:
            return Outcome(Verdict.UP, f"its certificate ends on {ends:%d %b %Y %H:%M} UTC, in {_ahead(ends - now)}")
        return Outcome(Verdict.UP)

    def _rtsp(self, probe: Probe, family: int, address: str, deadline: "_Deadline") -> Outcome:
        """Ask for the description of the stream: a camera that answers has a picture to give; one that asks for a password is there."""
        with _connected(family, address, probe.port, deadline) as wire:
            where = f"rtsp://{probe.host}:{probe.port}{probe.path}"
            wire.sendall(f"DESCRIBE {where} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: Watchword-probe\r\nAccept: application/sdp\r\n\r\n".encode())
            head = _head(wire, deadline)
        status = _status(head, "RTSP/")
        if status == 401:
            return Outcome(Verdict.UP, "asks for a password: it is there, its stream is not judged")
        if status >= 400:
            return Outcome(Verdict.DOWN, f"answers DESCRIBE with status {status}")
        if b"m=video" not in head:
            return Outcome(Verdict.DEGRADED, "describes no video")
        return Outcome(Verdict.UP)


class _Deadline:
    """The moment by which a try must be over, whatever it consists of."""

    def __init__(self, at: float) -> None:
        self._at = at

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: none are.
        """
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


@contextlib.contextmanager
def _connected(family: int, address: str, port: int, deadline: _Deadline) -> Iterator[socket.socket]:
    with socket.socket(family, socket.SOCK_STREAM) as wire:
        wire.settimeout(deadline.left())
        wire.connect((address, port))
        wire.settimeout(deadline.left())
        yield wire


def _without_trust() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # devices carry certificates of their own making; nothing secret is sent
    context.verify_mode = ssl.CERT_NONE
    return context


def _head(wire: socket.socket, deadline: _Deadline) -> bytes:
    """Return what comes back, until the other side ends, `ANSWER` bytes are there, or a whole body of known length is."""
    found = b""
    while len(found) < ANSWER:
        wire.settimeout(deadline.left())
        part = wire.recv(4096)
        if not part:
            break
        found += part
        head, ended, body = found.partition(b"\r\n\r\n")
        if ended and len(body) >= _length(head):
            break
    return found


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return min(int(value), ANSWER)
    return 0


def _status(head: bytes, protocol: str) -> int:
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split()
    if len(words) < 2 or not words[0].startswith(protocol) or not words[1].isdigit():
        raise ValueError(f"does not speak {protocol.rstrip('/')}")
    return int(words[1])


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def _ahead(length: timedelta) -> str:
    return f"{length.days} days" if length >= timedelta(days=2) else f"{length / timedelta(hours=1):.0f} hours"


def fault_words(error: Exception, probe: Probe) -> str:
    """Return what went wrong, as one says it at a desk."""
    if isinstance(error, TimeoutError):
        return f"no answer within {probe.time / timedelta(seconds=1):g} s"
    if isinstance(error, ConnectionRefusedError):
        return f"refuses port {probe.port}"
    if isinstance(error, socket.gaierror):
        return f"the name {probe.host} is not known"
    if isinstance(error, ConnectionError):
        return "ends the connection"
    return str(getattr(error, "strerror", "") or error)


_TRIES: Final[Mapping[str, Callable[[Prober, Probe, int, str, _Deadline], Outcome]]] = {
    ICMP: Prober._icmp,  # noqa: SLF001 - the kinds of this very class
    TCP: Prober._tcp,  # noqa: SLF001 - as above
    HTTP: Prober._http,  # noqa: SLF001 - as above
    TLS: Prober._tls,  # noqa: SLF001 - as above
    RTSP: Prober._rtsp,  # noqa: SLF001 - as above
}
