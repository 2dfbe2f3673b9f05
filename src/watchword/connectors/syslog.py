"""Syslog listeners: UDP, TCP (octet-counted or by line, told apart per connection) and TLS; a full spool makes TCP senders wait."""

import asyncio
import contextlib
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from watchword.ingest.framing import Framer, FramingFault
from watchword.ingest.intake import MAX_RECORD, Incoming, cut_record
from watchword.ingest.ports import Receipt
from watchword.kit.errors import Full, WatchwordError

BATCH: Final = 2_000
"""Records handed over at once."""
LINGER: Final = 0.01
"""Seconds that a batch waits for more."""
CONNECTIONS: Final = 512
"""Connections at a time, unless the settings say otherwise: each may hold one unfinished record."""
WAITING: Final = 20_000
"""Datagrams that may wait; one more is dropped, and counted."""
WAITING_BYTES: Final = 32 << 20
RETRY: Final = 0.5
"""Seconds until a full spool is tried again."""
PARTING: Final = 5.0
"""Seconds that connections have, when the listeners close, to see what was read of them kept."""
_READ: Final = 64 * 1024


class Accept(Protocol):
    """`Intake.accept`, or what stands for it."""

    def __call__(self, source: str, items: Sequence[Incoming]) -> Receipt:
        """Keep the records durably."""
        ...


@dataclass(frozen=True, slots=True)
class Listener:
    """Where one source is listened for."""

    source: str
    transport: str
    """``udp``, ``tcp`` or ``tls``."""
    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None
    client_authorities: Path | None = None
    """CA file; when given, senders must show a certificate signed by it."""


@dataclass(slots=True)
class Tally:
    """What has come to one listener."""

    accepted: int = 0
    dropped: int = 0
    """Datagrams lost because the spool was full, or the queue, or the system's own buffer in front of it: shown on the source's page."""
    connections: int = 0
    turned_away: int = 0
    """Connections closed at once, since as many as are allowed were open."""
    faults: int = 0
    """Connections closed because their framing broke."""
    last_fault: str = ""
    refused: int = 0
    """Times that the spool was full."""


@dataclass(slots=True)
class _Bound:
    listener: Listener
    tally: Tally = field(default_factory=Tally)
    port: int = 0
    told: int = 0
    """How many of `tally.dropped` have been told of."""


class SyslogServer:
    """Runs listeners in the running event loop; records go to `accept` in a worker thread."""

    def __init__(
        self,
        accept: Accept,
        listeners: Sequence[Listener],
        *,
        limit: int = MAX_RECORD,
        connections: int = CONNECTIONS,
        on_drop: Callable[[str, int], None] | None = None,
    ) -> None:
        """Take `on_drop` (source, how many), called in a thread when datagrams are lost, and the most `connections` at a time."""
        self._accept = accept
        self._bound = [_Bound(listener) for listener in listeners]
        self._limit = limit
        self._connections = connections
        self._on_drop = on_drop
        self._servers: list[asyncio.Server] = []
        self._transports: list[asyncio.DatagramTransport] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._drains: list[asyncio.Task[None]] = []
        self._open: dict[asyncio.StreamReader, asyncio.StreamWriter] = {}

    @property
    def ports(self) -> list[int]:
        """The ports that are listened on, in the listeners' order."""
        return [bound.port for bound in self._bound]

    def tallies(self) -> dict[str, Tally]:
        """Return what came, by ``<source>/<transport>``."""
        return {f"{bound.listener.source}/{bound.listener.transport}": bound.tally for bound in self._bound}

    async def start(self) -> None:
        """Open every listener.

        Raises:
            WatchwordError: one cannot be opened; the message names it and the remedy.
        """
        for bound in self._bound:
            listener = bound.listener
            try:
                if listener.transport == "udp":
                    await self._open_udp(bound)
                else:
                    await self._open_tcp(bound)
            except OSError as error:
                await self.stop()
                remedy = (
                    "ports below 1024 need the right to bind them (setcap cap_net_bind_service, or a port above)"
                    if listener.port < 1024
                    else "is it in use?"
                )
                raise WatchwordError(
                    f"syslog {listener.transport} {listener.host}:{listener.port} cannot be opened: {error}; {remedy}"
                ) from error

    async def _open_udp(self, bound: _Bound) -> None:
        queue = _Datagrams(bound.tally, self._limit)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: queue, local_addr=(bound.listener.host, bound.listener.port))
        sock = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(_SOL_SOCKET, _SO_RCVBUF, 8 << 20)
        bound.port = sock.getsockname()[1]
        self._transports.append(transport)
        self._drains.append(loop.create_task(self._drain(bound, queue, sock)))

    async def _open_tcp(self, bound: _Bound) -> None:
        listener = bound.listener

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await self._serve(bound, reader, writer)

        context = tls_context(listener) if listener.transport == "tls" else None
        server = await asyncio.start_server(serve, listener.host, listener.port, ssl=context, limit=_READ)
        bound.port = server.sockets[0].getsockname()[1]
        self._servers.append(server)

    async def _serve(self, bound: _Bound, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= self._connections:
            bound.tally.turned_away += 1
            writer.close()
            return
        bound.tally.connections += 1
        framer = Framer("auto", self._limit)
        self._open[reader] = writer
        try:
            while data := await reader.read(_READ):
                records: list[Incoming] = []
                try:
                    records.extend(Incoming(body) for body in framer.feed(data))
                finally:  # what was whole before the framing broke is kept
                    if records:
                        await self._keep(bound, records)
        except FramingFault as fault:
            bound.tally.faults += 1
            bound.tally.last_fault = str(fault)
        except (ConnectionError, ssl.SSLError, TimeoutError):
            pass
        finally:
            self._open.pop(reader, None)
            rest = [Incoming(body) for body in framer.end()]
            if rest:
                await self._keep(bound, rest)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _keep(self, bound: _Bound, records: list[Incoming]) -> None:
        """Keep records of a stream; while the spool is full nothing more is read, so the sender waits."""
        while True:
            try:
                receipt = await asyncio.to_thread(self._accept, bound.listener.source, records)
            except Full:
                bound.tally.refused += 1
                await asyncio.sleep(RETRY)
                continue
            bound.tally.accepted += receipt.accepted
            return

    async def _drain(self, bound: _Bound, queue: "_Datagrams", sock: socket.socket) -> None:
        unread = 0
        while True:
            await queue.some.wait()
            await asyncio.sleep(LINGER)
            records = queue.take(BATCH)
            if records:
                await self._offer(bound, records)
            before, unread = unread, _never_read(sock)
            bound.tally.dropped += unread - before
            await self._tell(bound)

    async def _tell(self, bound: _Bound) -> None:
        news = bound.tally.dropped - bound.told
        if news and self._on_drop is not None:
            bound.told += news
            await asyncio.to_thread(self._on_drop, bound.listener.source, news)

    async def _offer(self, bound: _Bound, records: list[Incoming]) -> None:
        """Keep datagrams; when the spool is full they are lost, which is counted and told."""
        try:
            receipt = await asyncio.to_thread(self._accept, bound.listener.source, records)
        except Full:
            bound.tally.refused += 1
            bound.tally.dropped += len(records)
            return
        bound.tally.accepted += receipt.accepted

    async def stop(self) -> None:
        """Close the listeners; what has been read is kept first."""
        for server in self._servers:
            server.close()
        for transport in self._transports:
            protocol = transport.get_protocol()
            transport.close()
            if isinstance(protocol, _Datagrams):
                bound = next(one for one in self._bound if one.tally is protocol.tally)
                while records := protocol.take(BATCH):
                    await self._offer(bound, records)
                await self._tell(bound)
        for drain in self._drains:
            drain.cancel()
        for reader, writer in list(self._open.items()):
            with contextlib.suppress(RuntimeError):
                writer.transport.pause_reading()  # type: ignore[attr-defined]
            reader.feed_eof()
        tasks = list(self._tasks)
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=PARTING)
            for task in unfinished:
                task.cancel()
        await asyncio.gather(*self._drains, *tasks, return_exceptions=True)
        self._servers.clear()
        self._transports.clear()
        self._drains.clear()


class _Datagrams(asyncio.DatagramProtocol):
    """The bounded queue in front of the worker thread."""

    def __init__(self, tally: Tally, limit: int) -> None:
        self.tally = tally
        self.some = asyncio.Event()
        self._limit = limit
        self._waiting: list[Incoming] = []
        self._bytes = 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        del addr
        body = data.rstrip(b"\r\n\x00")
        if not body:
            body = data
        if len(self._waiting) >= WAITING or self._bytes + len(body) > WAITING_BYTES:
            self.tally.dropped += 1
            return
        if len(body) > self._limit:
            body = cut_record(body, len(body), self._limit)
        self._waiting.append(Incoming(body))
        self._bytes += len(body)
        self.some.set()

    def error_received(self, exc: Exception) -> None:
        self.tally.last_fault = str(exc)

    def take(self, most: int) -> list[Incoming]:
        """Take the oldest datagrams off the queue."""
        taken, self._waiting = self._waiting[:most], self._waiting[most:]
        self._bytes -= sum(len(item.body) for item in taken)
        if not self._waiting:
            self.some.clear()
        return taken


def _never_read(sock: socket.socket) -> int:
    """Return how many datagrams the system dropped before they could be read, since the socket was opened; 0 where it does not say."""
    try:
        return int.from_bytes(sock.getsockopt(_SOL_SOCKET, _SO_MEMINFO, 36)[32:36], sys.byteorder)
    except OSError:
        return 0


def tls_context(listener: Listener) -> ssl.SSLContext:
    """Return the server side of TLS 1.2 or newer.

    Raises:
        WatchwordError: certificate or key are missing or do not belong together.
    """
    if listener.certificate is None or listener.key is None:
        raise WatchwordError(f"syslog tls for {listener.source} needs a certificate and a key; set both, or use tcp")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(listener.certificate, listener.key)
        if listener.client_authorities is not None:
            context.load_verify_locations(listener.client_authorities)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise WatchwordError(
            f"syslog tls for {listener.source}: {listener.certificate} or {listener.key} cannot be used: {error}"
        ) from error
    return context


_SOL_SOCKET: Final = 1
_SO_RCVBUF: Final = 8
_SO_MEMINFO: Final = 55
"""Nine numbers of 32 bits about the socket's memory; the last counts drops (Linux)."""
