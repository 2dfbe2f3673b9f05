"""A running house for the benchmarks: ``watchword up`` on a passing data folder with the demo site's people, sources and rules."""

import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from watchword.app.settings import Settings, read_settings
from watchword.app.watchword import Watchword, open_watchword

MARKS = (
    ("store", "watchword.stores.server"),
    ("serve", "serve"),
    ("work", "work"),
    ("respond", "respond"),
    ("measure", "measure"),
    ("feed", "feed"),
)
START_SECONDS = 120.0


def settings_for(data: Path) -> Settings:
    """Return the default settings on a data folder; nothing of the caller's environment plays a part."""
    return read_settings(environment={}, overrides={"data": data, "listen_port": 0})


@dataclass(slots=True)
class House:
    """A running Watchword and what a sender needs to reach it."""

    data: Path
    tokens: dict[str, str]
    process: subprocess.Popen[bytes]
    url: str = ""
    pids: dict[str, int] = field(default_factory=dict)

    def sender(self, source: str) -> "Sender":
        """Return a connection over which records of a source are sent."""
        return Sender(self.url, f"/api/v1/ingest/{source}", self.tokens[source])

    def find_pids(self) -> dict[str, int]:
        """Return the pids of the processes that are up, by name."""
        found = {"up": self.process.pid}
        with contextlib.suppress(OSError):
            for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
                words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                found |= {name: int(pid) for name, mark in MARKS if mark in words}
        return found


def cpu_seconds(pids: dict[str, int]) -> dict[str, float]:
    """Return the processor time that each process has used so far."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = {}
    for name, pid in pids.items():
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            found[name] = (int(words[11]) + int(words[12])) / ticks
    return found


class Sender:
    """One kept-alive connection to the front door."""

    def __init__(self, url: str, path: str, token: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=120)
        self._path = path
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}

    def send(self, records: Sequence[bytes]) -> float:
        """Send records in one request and return the seconds until they were acknowledged."""
        body = b"\n".join(records)
        began = time.perf_counter()
        self._connection.request("POST", self._path, body, self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        took = time.perf_counter() - began
        if answer.status != http.client.OK:
            raise SystemExit(f"the front door answered {answer.status}: {text[:300].decode()}")
        if json.loads(text)["accepted"] != len(records):
            raise SystemExit(f"not every record was new: {text.decode()}")
        return took

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextlib.contextmanager
def passing_folder(data: Path | None = None) -> Iterator[Path]:
    """Yield the given folder, or one that is removed at the end."""
    if data is not None:
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as aside:
        yield Path(aside)


@contextlib.contextmanager
def running(data: Path, command: Sequence[str] = ("up", "--port", "0"), tokens: dict[str, str] | None = None) -> Iterator[House]:
    """Run a command of ours that brings processes up, wait until its pages answer and its worker works, and stop it at the end."""
    ready = data / "run" / "serve.json"
    ready.unlink(missing_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WATCHWORD_")}
    log = data / "bench.log"
    with log.open("ab") as out:
        whole = [sys.executable, "-m", "watchword", "--data", str(data), *command]
        process = subprocess.Popen(whole, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=data, env=environment)
    house = House(data, tokens or {}, process)
    try:
        until = time.monotonic() + START_SECONDS
        while not (ready.is_file() and "working" in log.read_text("utf-8", "replace")):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"watchword {command[0]} did not come up:\n{log.read_text('utf-8', 'replace')[-2000:]}")
            time.sleep(0.1)
        house.url = json.loads(ready.read_text())["url"]
        house.pids = house.find_pids()
        yield house
    finally:
        process.terminate()
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def with_tokens(watchword: Watchword, sources: Sequence[str]) -> dict[str, str]:
    """Make a token for each source."""
    from watchword.app.source_keys import keys_of

    keys = keys_of(watchword)
    return {source: keys.new_token(source, actor="bench") for source in sources}


@contextlib.contextmanager
def opened_beside(data: Path) -> Iterator[Watchword]:
    """Open the services of a data folder beside the running processes: they share its store."""
    with open_watchword(settings_for(data)) as watchword:
        yield watchword


def in_threads(jobs: Sequence[Any]) -> list[Any]:
    """Run every job in a thread of its own and return what they returned, in order."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return [done.result() for done in [pool.submit(job) for job in jobs]]


def milliseconds(times: Sequence[float]) -> dict[str, float]:
    """Return median, 99th percentile and maximum of times in seconds, in ms."""
    ordered = sorted(times)
    return {
        "p50_ms": round(statistics.median(ordered) * 1000, 2),
        "p99_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000, 2),
        "max_ms": round(ordered[-1] * 1000, 2),
    }


def say(outcome: dict[str, Any], table: Sequence[Sequence[object]]) -> None:
    """Print a table for people, then everything as one line of JSON; both say how busy the machine was."""
    outcome |= {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": [round(one, 2) for one in os.getloadavg()],
        "cores": os.cpu_count(),
    }
    rows = [[str(cell) for cell in row] for row in table]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join(
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        )
    print(f"(load average {outcome['load'][0]}, {outcome['cores']} cores, {threading.active_count()} thread)")
    print(json.dumps(outcome), flush=True)
