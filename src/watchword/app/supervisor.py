"""The supervisor: starts store, serve and work, starts again what dies, and stops all in the order in which facts flow."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import structlog

from watchword.app.settings import Settings
from watchword.kit.errors import Conflict, Unavailable
from watchword.stores.owner import OwnedStore

STOP_SECONDS: Final = 20.0
"""How long a child may take to finish what it has begun, before it is killed."""
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 15.0
STEADY_SECONDS: Final = 60.0
"""A child that ran this long has earned an immediate restart."""
STEP: Final = 0.1

log = structlog.get_logger()


@dataclass(slots=True)
class Child:
    """One child process and how often it had to be started again. The pipe on its stdin tells it that its supervisor has died."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    pause: float = FIRST_PAUSE
    started: float = 0.0
    due: float = 0.0
    restarts: int = field(default=0)

    def start(self) -> None:
        """Start the process."""
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE)  # noqa: S603 - our own module, no shell
        self.started = time.monotonic()
        log.info("started", child=self.name, pid=self.process.pid)

    def watch(self, now: float) -> None:
        """Start the process again when it has died and its pause is over."""
        if self.process is None:
            if now >= self.due:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        self.process = None
        self.restarts += 1
        if now - self.started > STEADY_SECONDS:
            self.pause = FIRST_PAUSE
        self.due = now + self.pause
        log.warning("child died, starting it again", child=self.name, status=status, pause=round(self.pause, 1))
        self.pause = min(self.pause * 2, LONGEST_PAUSE)

    def stop(self) -> None:
        """Ask the process to finish and leave; kill it when it does not."""
        if self.process is None:
            return
        with contextlib.suppress(OSError):
            self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def command_of(settings: Settings, settings_file: Path | None, *words: str) -> list[str]:
    """Return the command line of one of our own processes on this data folder."""
    chosen = ["--settings", str(settings_file)] if settings_file else []
    return [sys.executable, "-m", "watchword", "--data", str(settings.data), *chosen, *words]


@contextlib.contextmanager
def held(settings: Settings, name: str) -> Iterator[None]:
    """Hold a lock of the data folder: ``up`` and ``work`` run once each.

    Raises:
        Conflict: another process holds it.
    """
    folder = settings.data / "run"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("a") as lock:
        if not taken(lock):
            raise Conflict(f"watchword {name} runs on {settings.data} already; stop it, or choose another folder with --data")
        yield


def taken(lock: IO[str]) -> bool:
    """Take the file's lock if nobody else has it; tell whether that worked."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def supervise(
    settings: Settings,
    children: Sequence[Child],
    *,
    when_up: Callable[[], None] = lambda: None,
    stopping: threading.Event | None = None,
) -> None:
    """Run the children, and the store unless events are kept elsewhere, until SIGTERM, SIGINT or `stopping`.

    Raises:
        Conflict: a supervisor runs on this data folder already.
        Unavailable: the store does not start.
    """
    stop = stopping or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    with held(settings, "up"), contextlib.ExitStack() as stack:
        store = None
        if not settings.events_url:
            store = OwnedStore(settings.data, serving=True, memory_bytes=settings.events_memory)
            stack.enter_context(store)
        for child in children:
            stack.callback(child.stop)
            child.start()
        when_up()
        while not stop.wait(STEP):
            if store is not None and store.child is not None and store.child.poll() is not None:
                _revive(store, stop)
            for child in children:
                child.watch(time.monotonic())


def _revive(store: OwnedStore, stop: threading.Event) -> None:
    log.warning("the store died, starting it again")
    pause = FIRST_PAUSE
    while not stop.is_set():
        try:
            store.restart()
        except Unavailable as error:
            log.error("the store does not start", error=str(error), pause=pause)  # noqa: TRY400 - the cause is in the message
            stop.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        else:
            return


def leave_with_supervisor(leave: Callable[[], None]) -> None:
    """Call `leave` once the pipe on stdin closes: the supervisor has died, however it died."""

    def watch() -> None:
        with contextlib.suppress(OSError, ValueError):
            while os.read(0, 4096):  # never through sys.stdin: its lock would be held when the interpreter ends
                pass
        leave()

    threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()
