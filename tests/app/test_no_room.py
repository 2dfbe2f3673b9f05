"""No room, in the spool or on the disk: senders are refused in clear words, and whatever was acknowledged comes through."""

import contextlib
import json
import os
import shutil
import socket
import subprocess

import httpx2
import pytest
from tests.app.running import Running, free_port, wait_for

from watchword.app.onboarding import add_source
from watchword.app.source_keys import keys_of
from watchword.model import EventQuery

WORDS = """\
mapping: words
describes: Numbered words
source: {domain: it, kind: host, connector: webhook, lateness: 5m, resolution: 1s}
format: {kind: json}
time: {from: time, format: iso}
events:
  - {class: base_event, activity: Other, message: "{words}", fields: {host: host}}
"""
LINES = """\
mapping: lines
describes: Any syslog
source: {domain: it, kind: host, connector: syslog, lateness: 5m, resolution: 1s}
format: {kind: syslog}
time: {zone: UTC}
events:
  - {class: base_event, activity: Other, message: "{message}", fields: {host: host}}
"""
BUNDLE = 50
RESERVE = 72 << 20
ROOM = 16 << 20


def furnished(data, settings):
    port = free_port()
    listener = f'[[syslog]]\nsource = "lines"\nprotocol = "tcp"\nhost = "127.0.0.1"\nport = {port}\n'
    house = Running(data, settings + "\napi.rate = 100000\n" + listener)
    house.tcp = port
    for name, text in (("words", WORDS), ("lines", LINES)):
        add_source(house.watchword, name, mapping_text=text, actor="test")
    house.token = keys_of(house.watchword).new_token("words", actor="test")
    return house


def bundle(number, size):
    """A body of numbered records of about so many bytes each."""
    filling = "x" * size
    rows = [{"time": "2026-03-02T08:00:00Z", "host": "h", "words": f"w{number}n{index} {filling}"} for index in range(BUNDLE)]
    return "\n".join(json.dumps(row) for row in rows).encode()


def send(client, number, size):
    return client.post("/api/v1/ingest/words", content=bundle(number, size))


def send_until_refused(client, size, most=2_000):
    """Return the numbers that were acknowledged, and the answer that was a refusal."""
    kept = []
    for number in range(most):
        answer = send(client, number, size)
        if answer.status_code != 200:
            return kept, answer
        assert answer.json() == {"accepted": BUNDLE, "duplicate": 0}
        kept.append(number)
    pytest.fail("it was never full")


def refused_for_want_of_room(answer):
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json"), answer.text
    assert int(answer.headers["retry-after"]) > 0
    problem = answer.json()
    assert problem["type"].endswith(":full"), problem
    assert "nothing was" in problem["detail"].lower(), problem
    assert "send it again" in problem["detail"], problem


def client_of(house):
    return httpx2.Client(base_url=house.url, headers={"Authorization": f"Bearer {house.token}"}, timeout=60, trust_env=False)


def words_of(house, source="words"):
    """The first word of every event of a source; none may be there twice."""
    found, after = [], None
    while page := house.watchword.events.events(EventQuery(sources=(source,), after=after, limit=5_000)):
        found += [event.message.split(" ")[0] for event in page]
        after = page[-1].order
    assert len(found) == len(set(found)), "none is doubled"
    return set(found)


def numbered(numbers):
    return {f"w{number}n{index}" for number in numbers for index in range(BUNDLE)}


@pytest.mark.slow
def test_a_full_spool_refuses_and_goes_on_once_it_is_drained(tmp_path):
    house = furnished(tmp_path / "data", 'spool.bytes = "256KiB"\nspool.reserve = "64MiB"')
    try:
        house.start()
        with client_of(house) as client:
            assert send(client, 9_999, 1).status_code == 200
            house.settled()
            with house.suspend("work"):
                kept, answer = send_until_refused(client, 400)
                refused_for_want_of_room(answer)
                assert len(kept) >= 3
                with socket.create_connection(("127.0.0.1", house.tcp)) as stream:  # a stream's sender waits, it is not refused
                    stream.sendall(b"".join(b"<13>1 2026-03-02T08:00:00Z h a - - - s%d %s\n" % (each, b"y" * 900) for each in range(40)))
                refused_for_want_of_room(send(client, len(kept), 400))
            house.settled()
            assert send(client, len(kept), 400).json() == {"accepted": BUNDLE, "duplicate": 0}, "refused whole, so taken whole"
            assert send(client, kept[0], 400).json() == {"accepted": 0, "duplicate": BUNDLE}
            wait_for(lambda: house.watchword.ledger.status("lines").accepted == 40)
            house.settled()
        assert words_of(house) == numbered([9_999, *kept, len(kept)])
        assert words_of(house, "lines") == {f"s{each}" for each in range(40)}
        assert house.watchword.ledger.status("lines").lost == 0
    finally:
        house.stop()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 160 MB; needs the right to mount one."""
    folder = tmp_path / "data"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("no small disk: mounting one needs root")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", str(folder)], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk: mount was refused: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path, leaving=0):
    """Write until not a byte, or only so many, are left."""
    with path.open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
        while shutil.disk_usage(path.parent).free > leaving:
            ballast.write(bytes(65_536))


@pytest.mark.slow
def test_a_full_disk_refuses_and_loses_nothing(small_disk):
    house = furnished(small_disk, f"spool.reserve = {RESERVE}")
    try:
        house.start()
        with client_of(house) as client:
            assert send(client, 9_999, 1).status_code == 200
            house.settled()
            with house.suspend("work"):
                fill(small_disk / "others", leaving=RESERVE + ROOM)
                kept, answer = send_until_refused(client, 8_000)
                refused_for_want_of_room(answer)
                ballast = small_disk / "ballast"
                fill(ballast)
                refused_for_want_of_room(send(client, len(kept), 8_000))
                fill(ballast)  # what the spool's log gave back
                health = client.get("/api/v1/health")
                assert (health.status_code, health.json()["checks"]["disk"]) == (503, "full: records are refused")
            pids = [house.pid(name) for name in ("serve", "work")]
            wait_for(lambda: "waiting" in (small_disk.parent / "log").read_text(), 30)  # the worker meets the full disk
            refused_for_want_of_room(send(client, len(kept), 8_000))
            assert house.waiting() == len(kept) * BUNDLE
            ballast.unlink()
            house.settled()
            wait_for(lambda: send(client, len(kept), 8_000).status_code == 200)
            house.settled()
        assert words_of(house) == numbered([9_999, *kept, len(kept)])
        assert [house.pid(name) for name in ("serve", "work")] == pids, "nobody died of it"
    finally:
        house.stop()
