"""The store process: owns the event log's folder and answers the part of ClickHouse's HTTP interface that its clients need, on loopback."""

import argparse
import contextlib
import fcntl
import hmac
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
import zlib
from base64 import b64decode
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from watchword.kit.errors import Unavailable, WatchwordError
from watchword.kit.secrets import new_token
from watchword.stores.engine import TRANSPORT, Engine, EngineError, Statement, insert_head, memory_file, require_linux
from watchword.stores.request_body import HEAD_BYTES, QUERY_BYTES, RequestBody, gather, too_long, write_all

CONNECTIONS = 512
IDLE_SECONDS = 120.0
LINE_BYTES = 1_048_576
"""Longest request line: parameters of a query travel in it."""
LOCK_SECONDS = 60.0
_PIECE = 262_144

log = logging.getLogger(__name__)


class StoreServer(ThreadingHTTPServer):
    """The HTTP side of the store: a thread per connection, a bound on connections, one token."""

    daemon_threads = False
    block_on_close = True
    request_queue_size = 1024
    allow_reuse_address = True

    def __init__(self, engine: Engine, token: str, port: int = 0) -> None:
        self.engine = engine
        self.token = token
        self._room = threading.BoundedSemaphore(CONNECTIONS)
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a connection's thread; wait while all are taken."""
        self._room.acquire()
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection, then give its place free."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._guard:
                self._open.discard(request)
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log a connection that broke; the store goes on."""
        del request
        log.warning("connection of %s broke: %s", client_address, sys.exc_info()[1])

    def stop(self) -> None:
        """Take no more requests, finish those under way, close."""
        self.shutdown()
        with self._guard:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)  # wakes the idle ones; answers under way can still be written
        self.server_close()
        self.engine.close()


class _Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: StoreServer

    def handle_one_request(self) -> None:
        """Read one request, with a longer request line than the standard library allows, and answer it."""
        try:
            self.raw_requestline = self.rfile.readline(LINE_BYTES + 1)
            if not self.raw_requestline:
                self.close_connection = True
                return
            if len(self.raw_requestline) > LINE_BYTES:
                self.requestline, self.request_version, self.command = "", "", ""
                self._say(HTTPStatus.REQUEST_URI_TOO_LONG, b"the request line is too long\n", close=True)
                return
            if not self.parse_request():
                return
            self._serve()
        except (TimeoutError, ConnectionError):
            self.close_connection = True

    def _serve(self) -> None:
        address = urlsplit(self.path)
        if self.command == "GET" and address.path in {"/", "/ping"} and not address.query:
            self._say(HTTPStatus.OK, b"Ok.\n")
            return
        if self.command not in {"GET", "POST"} or address.path != "/":
            self._say(HTTPStatus.NOT_FOUND, b"there is nothing here\n", close=True)
            return
        if not self.headers.get("Content-Length", "0").isascii() or not self.headers.get("Content-Length", "0").isdigit():
            self._say(HTTPStatus.BAD_REQUEST, b"Content-Length is no number\n", close=True)
            return
        body, status = RequestBody(self.rfile, self.headers), HTTPStatus.INTERNAL_SERVER_ERROR
        try:
            if not self._allowed():
                status = HTTPStatus.FORBIDDEN
                raise EngineError("the store wants its token (AUTHENTICATION_FAILED)", 516)  # noqa: TRY301 - one way to fail
            given = dict(parse_qsl(address.query, keep_blank_values=True))
            self._answer(given | body.fields() if body.form else given, body)
        except EngineError as error:
            self._fail(error, status, body)
        except (ValueError, EOFError, zlib.error, RuntimeError, WatchwordError) as error:
            self._fail(EngineError(f"{error} (BAD_ARGUMENTS)", 36), status, body)

    def _answer(self, query: Mapping[str, str], body: "RequestBody") -> None:
        statement = Statement(
            sql=query.get("query", ""),
            format=self.headers.get("X-ClickHouse-Format") or query.get("default_format") or "TabSeparated",
            database=query.get("database", "") or self.headers.get("X-ClickHouse-Database", ""),
            settings={name: value for name, value in query.items() if name not in TRANSPORT and not name.startswith("param_")},
            parameters={name.removeprefix("param_"): value for name, value in query.items() if name.startswith("param_")},
        )
        try:
            self._fill(statement, body)
            answer = self.server.engine.run(statement)
        finally:
            if statement.data >= 0:
                os.close(statement.data)
        summary = {"read_rows": str(answer.rows_read), "written_rows": str(answer.rows_read if statement.head else answer.rows_written)}
        self._say(HTTPStatus.OK, answer.body, {"X-ClickHouse-Summary": json.dumps(summary), "X-ClickHouse-Format": statement.format})

    def _fill(self, statement: Statement, body: "RequestBody") -> None:
        """Put the body where it belongs: query text, or an insert's data in a memory file."""
        pieces = body.pieces()
        if statement.sql:
            statement.head, first = insert_head(statement.sql), b""
        else:
            first = gather(pieces, HEAD_BYTES)
            text = first.decode("utf-8", "surrogateescape")
            statement.head = insert_head(text)
            if statement.head is not None:
                first = first[len(text[: statement.head.length].encode("utf-8", "surrogateescape")) :]
        if statement.head is not None:
            statement.data = memory_file()
            write_all(statement.data, first)
            for piece in pieces:
                write_all(statement.data, piece)
            return
        text = (first + gather(pieces, QUERY_BYTES)).decode()
        if next(pieces, b""):
            raise too_long()
        statement.sql = f"{statement.sql}\n{text}" if statement.sql and text else statement.sql or text
        if not statement.sql.strip():
            raise EngineError("the query is empty (SYNTAX_ERROR)", 62)

    def _allowed(self) -> bool:
        given = self.headers.get("X-ClickHouse-Key", "")
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            given = value.strip()
        elif scheme.lower() == "basic":
            with contextlib.suppress(ValueError):
                given = b64decode(value, validate=True).decode().partition(":")[2]
        return hmac.compare_digest(given.encode(), self.server.token.encode())

    def _fail(self, error: EngineError, status: HTTPStatus, body: "RequestBody") -> None:
        body.drain()  # a client that is still sending would see a reset connection instead of the reason
        self._say(status, f"{error}\n".encode(), {"X-ClickHouse-Exception-Code": str(error.code)}, close=not body.spent)

    def _say(self, status: HTTPStatus, body: bytes, headers: Mapping[str, str] | None = None, *, close: bool = False) -> None:
        self.close_connection = self.close_connection or close
        lines = [f"HTTP/1.1 {status.value} {status.phrase}", "Content-Type: text/plain; charset=UTF-8", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += ["Connection: close"] if self.close_connection else ["Connection: Keep-Alive"]
        # Head and body in one write: two writes cost 40 ms of delayed acknowledgement.
        self.wfile.write("\r\n".join((*lines, "", "")).encode("latin-1", "replace") + body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Log nothing per request: queries carry people's names."""


def serve(path: Path, token_file: Path, ready_file: Path, *, port: int = 0, memory_bytes: int = 0, watch_stdin: bool = False) -> None:
    """Own the folder and answer until asked to stop: by SIGTERM, SIGINT or, with `watch_stdin`, by the end of standard input.

    Args:
        path: the event log's folder.
        token_file: holds the token; made (mode 0600) when it is not there.
        ready_file: JSON with url, port, pid and token_file, written once requests are answered and removed at the end.
        port: on 127.0.0.1; 0 takes a free one.
        memory_bytes: bound on the engine's memory; 0 leaves the engine's own.
        watch_stdin: a pipe held by the parent: however the parent dies, the store ends with it.

    Raises:
        Unavailable: another process has the folder open.
    """
    require_linux()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if watch_stdin:
        threading.Thread(target=_await_end, args=(stop,), daemon=True).start()
    path.mkdir(parents=True, exist_ok=True)
    with _owned(path.with_name(path.name + ".lock"), stop) as owned:
        if not owned:
            return
        server = StoreServer(Engine(path, memory_bytes=memory_bytes), _token(token_file), port)
        answering = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, name="accept")
        answering.start()
        port = int(server.server_address[1])
        ready = {"url": f"http://127.0.0.1:{port}", "port": port, "pid": os.getpid(), "token_file": str(token_file)}
        _publish(ready_file, json.dumps(ready))
        stop.wait()
        ready_file.unlink(missing_ok=True)
        server.stop()
        answering.join()


@contextlib.contextmanager
def _owned(lock: Path, stop: threading.Event) -> Iterator[bool]:
    # After kill -9 of a parent its old store still takes a moment to leave: wait for it instead of failing.
    with lock.open("a") as held:
        until = time.monotonic() + LOCK_SECONDS
        while not stop.is_set():
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise Unavailable(
                        f"another process has the event log open ({lock}); stop it first (watchword doctor names it)"
                    ) from None
                stop.wait(0.1)
            else:
                yield True
                return
        yield False


def _await_end(stop: threading.Event) -> None:
    while os.read(0, _PIECE):
        pass
    stop.set()


def _token(file: Path) -> str:
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(new_token())
    return file.read_text().strip()


def _publish(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.write_text(text)
    part.replace(file)


def main() -> None:
    """Run the store as the command line says."""
    parser = argparse.ArgumentParser(prog="watchword store", description="Own the event log's folder and answer queries on loopback.")
    parser.add_argument("--path", type=Path, required=True, help="the event log's folder")
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--token-file", type=Path, required=True, help="holds the token; made when it is not there")
    parser.add_argument("--ready-file", type=Path, required=True, help="written once requests are answered")
    parser.add_argument("--memory-bytes", type=int, default=0, help="bound on the engine's memory")
    parser.add_argument("--watch-stdin", action="store_true", help="end when standard input ends")
    given = parser.parse_args()
    try:
        serve(
            given.path,
            given.token_file,
            given.ready_file,
            port=given.port,
            memory_bytes=given.memory_bytes,
            watch_stdin=given.watch_stdin,
        )
    except WatchwordError as error:
        sys.exit(f"watchword store: {error}")
    sys.stdout.flush()
    os._exit(0)  # every session is closed; the engine's own threads have crashed the interpreter's exit before


if __name__ == "__main__":
    main()
