"""A running `watchword up` on a data folder of its own, and what its processes take."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from watchword.app.settings import read_settings
from watchword.app.watchword import open_watchword

PATIENCE = 90.0


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(deed, seconds=PATIENCE):
    """Return what `deed` gives once that is true; fail when it is not in time."""
    end = time.monotonic() + seconds
    while not (found := deed()):
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)
    return found


class Running:
    """`watchword up`, started; stop it when done. `watchword` is opened beside it, as a command would."""

    def __init__(self, data, settings_text):
        self.data = data
        self.file = data / "watchword.toml"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(settings_text)
        self.settings = read_settings(self.file, {}, {"data": data})
        self.watchword = open_watchword(self.settings)
        self.up = None

    def start(self):
        command = [sys.executable, "-m", "watchword", "--settings", str(self.file), "--data", str(self.data), "up", "--port", "0"]
        with (self.data.parent / "log").open("ab") as log:
            self.up = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        wait_for(lambda: self.url and self.pid("serve") and self.pid("work"))
        return self

    @property
    def url(self):
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.data / "run" / "serve.json").read_text())["url"]
        return ""

    def pid(self, name):
        """The process that does this part, 0 when it is not there."""
        with contextlib.suppress(OSError):
            for pid in Path(f"/proc/{self.up.pid}/task/{self.up.pid}/children").read_text().split():
                if name in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
                    return int(pid)
        return 0

    def suspend(self, name):
        """Let a process sleep for the length of a with block."""
        return _asleep(self.pid(name))

    @contextlib.contextmanager
    def growth(self, name="serve"):
        """Yield a list that afterwards holds by how many MB the process grew beyond what it took before, at its highest."""
        pid, found = self.pid(name), []
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the highest is now the present
        before = _megabytes(pid, "VmRSS")
        yield found
        assert self.pid(name) == pid, "the process lives"
        found.append(_megabytes(pid, "VmHWM") - before)

    def waiting(self):
        return self.watchword.spool.depth().records

    def settled(self, seconds=PATIENCE):
        """Wait until nothing waits in the spool."""
        wait_for(lambda: self.waiting() == 0, seconds)

    def stop(self):
        self.watchword.close()
        if self.up is not None:
            self.up.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.up.wait(60)
            self.up.kill()
            self.up.wait()


@contextlib.contextmanager
def _asleep(pid):
    import os

    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _megabytes(pid, name):
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) / 1024
