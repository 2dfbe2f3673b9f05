"""The engine inside ``watchword store``: chDB on one folder, a few threads with a session of their own, statements in, answers out."""

import os
import queue
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from watchword.kit.errors import InputError, Unavailable, WatchwordError

THREADS = 8
WAITING = 1_024
"""How many statements may wait for a thread."""
WAIT_SECONDS = 30.0
TRANSPORT: Final = frozenset(
    {
        "add_http_cors_header", "buffer_size", "cancel_http_readonly_queries_on_client_close", "client_protocol_version", "compress",
        "database", "decompress", "default_format", "enable_http_compression", "http_headers_progress_interval_ms", "query", "query_id",
        "quota_key", "role", "send_progress_in_http_headers", "session_check", "session_id", "session_timeout", "wait_end_of_query",
    },
)  # fmt: skip
"""Parameters of the HTTP interface that are no settings of the engine."""

_INSERT_HEAD = re.compile(
    r"\A\s*INSERT\s+INTO\s+(?:TABLE\s+)?(?P<target>[\w.`\"]+\s*(?:\([^()]*\))?)"
    r"(?:\s+SETTINGS\s+(?P<inline>[^()]*?))?\s+FORMAT\s+(?P<format>\w+)[ \t]*(?:;[ \t]*)?(?:\r?\n|\Z)",
    re.IGNORECASE,
)
_TAKES_SETTINGS = re.compile(
    r"\A\s*(?:\(|(?:SELECT|WITH|EXPLAIN|SHOW|DESC|DESCRIBE|EXISTS|CREATE|INSERT\s.+\sSELECT)\b)", re.IGNORECASE | re.DOTALL
)
_CHANGES_SESSION = re.compile(r"\A\s*(?:SET|USE|CREATE\s+TEMPORARY)\b", re.IGNORECASE)
_CODE = re.compile(r"\bCode: (\d+)\.")
_NAME = re.compile(r"\A\w+\Z")


class EngineError(WatchwordError):
    """The engine refused a statement; carries its own error code."""

    def __init__(self, message: str, code: int = 0) -> None:
        """Take the code from the engine's text when none is given."""
        found = _CODE.search(message)
        self.code = code or (int(found.group(1)) if found else 1002)
        super().__init__(message if found else f"Code: {self.code}. DB::Exception: {message}")


@dataclass(frozen=True, slots=True)
class InsertHead:
    """The statement of an insert whose data follow in a format."""

    target: str
    inline: str
    format: str
    length: int
    """Characters of the statement, up to the first byte of data."""


def insert_head(text: str) -> InsertHead | None:
    """Return the head of ``INSERT INTO t (…) [SETTINGS …] FORMAT f`` when the text begins with one."""
    found = _INSERT_HEAD.match(text)
    if found is None or found["format"].lower() == "values":
        return None
    return InsertHead(found["target"], found["inline"] or "", found["format"], found.end())


@dataclass(slots=True)
class Statement:
    """What one request asks of the engine."""

    sql: str
    head: InsertHead | None = None
    data: int = -1
    """File descriptor of an insert's data (a memory file), or -1."""
    format: str = "TabSeparated"
    database: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine returned."""

    body: bytes
    rows_read: int
    rows_written: int


class Engine:
    """chDB on one folder. Only one process may have a folder open.

    A raw session that threads share mixes up parameters, so every engine thread opens one of its own; callers hand statements over.
    """

    def __init__(self, path: Path, threads: int = THREADS, memory_bytes: int = 0) -> None:
        path.mkdir(parents=True, exist_ok=True)
        session: Any = import_module("chdb.session").Session  # 0.5 s and 180 MB: only the store process pays for it
        self._open: Callable[[], Any] = partial(session, f"{path}?max_server_memory_usage={memory_bytes}" if memory_bytes else str(path))
        self._anchor: Any = self._open()  # keeps the folder open while threads replace their sessions
        listed = self._anchor.query("SELECT name FROM system.settings FORMAT TabSeparated", "TabSeparated")
        self._settings = frozenset(bytes(listed.bytes()).decode().split())
        self._work: queue.Queue[tuple[Statement, Future[Answer]] | None] = queue.Queue(WAITING)
        self._threads = [threading.Thread(target=self._serve, name=f"engine-{n}") for n in range(threads)]
        self._closed = False
        for thread in self._threads:
            thread.start()

    def run(self, statement: Statement) -> Answer:
        """Run a statement on an engine thread and return its answer.

        Raises:
            EngineError: the engine refused it, or too many statements wait.
        """
        if self._closed:
            raise EngineError("the store is stopping (SHUTDOWN)", 394)
        done: Future[Answer] = Future()
        try:
            self._work.put((statement, done), timeout=WAIT_SECONDS)
        except queue.Full:
            raise EngineError("too many statements wait (TOO_MANY_SIMULTANEOUS_QUERIES)", 202) from None
        return done.result()

    def close(self) -> None:
        """Finish what was handed over, then close every session: leaving with a live one can crash the process."""
        if self._closed:
            return
        self._closed = True
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()
        self._anchor.close()

    def compile(self, statement: Statement) -> tuple[str, str]:
        """Return the statement as the engine gets it, and a ``SET`` to run before it, or ''.

        Settings of the request stand inside the statement, so that they end with it; an insert reads its memory file.

        Raises:
            InputError: a setting is not one of the engine's.
        """
        settings = ", ".join(f"{name} = {_literal(value)}" for name, value in statement.settings.items() if self._known(name))
        if statement.head is not None:
            head = statement.head
            inside = ", ".join(part for part in (head.inline, settings) if part)
            clause = f" SETTINGS {inside}" if inside else ""
            return f"INSERT INTO {head.target} FROM INFILE '/proc/self/fd/{statement.data}'{clause} FORMAT {head.format}", ""
        if not settings:
            return statement.sql, ""
        if _TAKES_SETTINGS.match(statement.sql):
            return f"{statement.sql.rstrip().rstrip(';')}\nSETTINGS {settings}", ""
        return statement.sql, f"SET {settings}"

    def _known(self, name: str) -> bool:
        if not _NAME.match(name) or name not in self._settings:
            raise InputError(f"Setting {name!r} is neither a setting of the engine nor of its HTTP interface (UNKNOWN_SETTING)")
        return True

    def _serve(self) -> None:
        session, database = self._open(), "default"
        while (item := self._work.get()) is not None:
            statement, done = item
            clean = False
            try:
                sql, before = self.compile(statement)
                wanted = statement.database or "default"
                if wanted != database:
                    session.query(f"USE {_identifier(wanted)}")
                    database = wanted
                if before:
                    session.query(before)
                result = session.query(sql, statement.format, params=dict(statement.parameters) or None)
                done.set_result(Answer(bytes(result.bytes() or b""), int(result.rows_read() or 0), int(result.rows_written() or 0)))
                clean = not before and not _CHANGES_SESSION.match(sql)
            except InputError as error:
                done.set_exception(EngineError(str(error), 115))
                clean = True
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller must hear of it
                done.set_exception(EngineError(str(error)))
            if not clean:  # what a statement or its failure left behind must not reach the next caller; a new session costs 1 ms
                session.close()
                session, database = self._open(), "default"
        session.close()


def memory_file() -> int:
    """Return the descriptor of a new, empty file in memory."""
    return os.memfd_create("watchword-insert", os.MFD_CLOEXEC)


def require_linux() -> None:
    """Raise where the embedded engine cannot run.

    Raises:
        Unavailable: this is no Linux.
    """
    if not hasattr(os, "memfd_create"):
        raise Unavailable("the embedded event log needs Linux; elsewhere set WATCHWORD_EVENTS_URL to a ClickHouse server")


def _literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _identifier(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
