"""Who owns the event log's folder: finds the running store of a data folder, or runs one for as long as it is needed."""

import contextlib
import fcntl
import json
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from watchword.kit.errors import Unavailable

START_SECONDS = 90.0
STOP_SECONDS = 60.0
WAIT_SECONDS = 60.0
_local = build_opener(ProxyHandler({}))  # loopback never goes through a proxy


class OwnedStore:
    """A store that answers while the context is open: the running one of the data folder, else a child process of ours.

    Args:
        data_dir: the data folder: ``events/`` (chDB), ``keys/store.token``, ``run/store.json``.
        serving: true for the supervisor: its store may be used by other commands; a command's own one may not.
        memory_bytes: bound on the engine's memory; 0 leaves the engine's own.
    """

    def __init__(self, data_dir: Path, *, serving: bool = False, memory_bytes: int = 0) -> None:
        self._data = data_dir
        self._run = data_dir / "run"
        self._ready = self._run / "store.json"
        self._token_file = data_dir / "keys" / "store.token"
        self._serving = serving
        self._memory = memory_bytes
        self._lock: IO[str] | None = None
        self.child: subprocess.Popen[bytes] | None = None
        """The child process, or None when the store belongs to someone else."""
        self.url = ""
        """Address without the token, for people and logs."""

    @property
    def token(self) -> str:
        """The token that the store wants."""
        return self._token_file.read_text().strip()

    def __enter__(self) -> Self:
        """Find or start the store and wait until it answers.

        Raises:
            Unavailable: it does not start, or another command holds the folder for too long.
        """
        self._run.mkdir(parents=True, exist_ok=True)
        until = time.monotonic() + WAIT_SECONDS
        while not self._found():
            if self._taken():
                self._start()
                break
            if time.monotonic() > until:
                raise Unavailable(f"another command holds the event log of {self._data}; wait for it to end (watchword doctor names it)")
            time.sleep(0.1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop the store if it is ours, and wait until it has left."""
        self.stop()

    def stop(self) -> None:
        """Stop the child, if there is one: it finishes what it was asked, closes the folder and leaves."""
        if self.child is not None:
            if self.child.stdin is not None:
                self.child.stdin.close()
            self.child.terminate()
            try:
                self.child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
            self.child = None
            self._ready.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def restart(self) -> None:
        """Start the store anew after its process has died; the address may change."""
        self.stop()
        self.__enter__()

    def alive(self) -> bool:
        """Tell whether the store answers now."""
        return bool(self.url) and _answers(self.url)

    def _found(self) -> bool:
        with contextlib.suppress(OSError, ValueError, KeyError):
            known = json.loads(self._ready.read_text())
            if (self._run / "store.shared").exists() and _answers(known["url"]):
                self.url = known["url"]
                return True
        return False

    def _taken(self) -> bool:
        lock = (self._run / "store.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        return True

    def _start(self) -> None:
        shared = self._run / "store.shared"
        self._ready.unlink(missing_ok=True)
        shared.unlink(missing_ok=True)
        command = [sys.executable, "-m", "watchword.stores.server", "--path", str(self._data / "events"), "--watch-stdin"]
        command += ["--token-file", str(self._token_file), "--ready-file", str(self._ready), "--memory-bytes", str(self._memory)]
        # The child sees our end of this pipe close however we die; other children never inherit it.
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own module, no shell
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            with contextlib.suppress(OSError, ValueError, KeyError):
                known = json.loads(self._ready.read_text())
                if known["pid"] == self.child.pid and _answers(known["url"]):
                    self.url = known["url"]
                    if self._serving:
                        shared.touch()
                    return
            if self.child.poll() is not None:
                break
            time.sleep(0.03)
        status = self.child.poll()
        self.stop()
        raise Unavailable(f"the store of {self._data} did not start" + (f": it left with status {status}" if status is not None else ""))


def _answers(url: str) -> bool:
    try:
        with _local.open(f"{url}/ping", timeout=5) as answer:
            return bool(answer.read() == b"Ok.\n")
    except (OSError, URLError, ValueError):
        return False
