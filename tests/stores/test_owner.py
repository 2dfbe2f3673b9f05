"""Who owns the event log's folder: one store per data folder, found by others only when it serves, gone with its parent."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from watchword.kit.errors import Unavailable
from watchword.stores import owner
from watchword.stores.eventlog import ClickHouseEventLog
from watchword.stores.owner import OwnedStore

PARENT = """
import os, sys, time
from pathlib import Path
from watchword.stores.owner import OwnedStore
store = OwnedStore(Path(sys.argv[1]), serving=len(sys.argv) > 2)
store.__enter__()
print(store.child.pid, flush=True)
time.sleep(600)
"""


def _gone(pid: int, seconds: float = 30) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_command_runs_a_store_for_itself_and_stops_it(tmp_path: Path) -> None:
    with OwnedStore(tmp_path) as store:
        assert store.child is not None
        pid = store.child.pid
        assert store.alive()
        log = ClickHouseEventLog(store.url, store.token)
        log.prepare()
        log.close()
        ready = json.loads((tmp_path / "run" / "store.json").read_text())
        assert ready["pid"] == pid
        assert store.token not in (tmp_path / "run" / "store.json").read_text()
    assert _gone(pid)
    assert not store.alive()
    assert not (tmp_path / "run" / "store.json").exists()


@pytest.mark.parametrize("serving", [False, True])
def test_the_store_dies_with_its_parent_even_by_kill_9_and_the_next_one_finds_all(tmp_path: Path, make, serving: bool) -> None:
    for number in range(2):
        parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), *(["serving"] if serving else [])], stdout=subprocess.PIPE)
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        log = ClickHouseEventLog(
            json.loads((tmp_path / "run" / "store.json").read_text())["url"], (tmp_path / "keys" / "store.token").read_text()
        )
        log.prepare()
        log.insert(make.segment(number))
        log.close()
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        parent.stdout.close()
        if number:
            assert _gone(pid)
    with OwnedStore(tmp_path) as store:  # a stale store.json misleads nobody
        log = ClickHouseEventLog(store.url, store.token)
        assert log.holds(0) == log.holds(1) == (20, 20)
        log.close()


def test_a_serving_store_is_shared(tmp_path: Path) -> None:
    with OwnedStore(tmp_path, serving=True) as first:
        with OwnedStore(tmp_path) as second:
            assert second.child is None
            assert second.url == first.url
        assert first.alive()


def test_a_command_waits_for_another_command(tmp_path: Path, monkeypatch) -> None:
    order: list[str] = []

    def other() -> None:
        with OwnedStore(tmp_path):
            order.append("second")

    with OwnedStore(tmp_path):
        thread = threading.Thread(target=other)
        thread.start()
        time.sleep(0.7)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    with OwnedStore(tmp_path):
        monkeypatch.setattr(owner, "WAIT_SECONDS", 0.3)
        with pytest.raises(Unavailable, match="another command holds"):
            OwnedStore(tmp_path).__enter__()


def test_a_store_killed_alone_is_started_anew(tmp_path: Path, make) -> None:
    with OwnedStore(tmp_path, serving=True) as store:
        log = ClickHouseEventLog(store.url, store.token)
        log.prepare()
        segment = make.segment(1)
        log.insert(segment)
        assert store.child is not None
        os.kill(store.child.pid, signal.SIGKILL)
        store.child.wait()
        with pytest.raises(Unavailable):
            log.holds(1)
        log.close()
        store.restart()
        log = ClickHouseEventLog(store.url, store.token)
        assert log.holds(1) == (20, 20)
        log.insert(segment)  # its answer may have been lost with the old process: the token is remembered on disk
        assert log.holds(1) == (20, 20)
        log.close()


def test_the_bound_on_memory_reaches_the_engine(tmp_path: Path) -> None:
    with OwnedStore(tmp_path, memory_bytes=700_000_000) as store:
        log = ClickHouseEventLog(store.url, store.token)
        rows = (
            log._client(writing=True).query("SELECT value FROM system.server_settings WHERE name = 'max_server_memory_usage'").result_rows
        )
        assert rows == [("700000000",)]
        log.close()


def test_a_store_that_cannot_start_says_so(tmp_path: Path) -> None:
    (tmp_path / "events").write_text("in the way")
    with pytest.raises(Unavailable, match="did not start"):
        OwnedStore(tmp_path).__enter__()
