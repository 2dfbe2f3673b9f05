"""From the arrival of an attack's last record to the page that both desks are sent, with the real processes of ``watchword up``.

Each round forces the door of another network closet over HTTP, then lets an unknown device speak on the switch behind it over syslog. The
clock starts when that last line is written to the socket. The page is there when both teams' desks have it: on their screen, and in an HTTP
request that a service of this bench receives.

Usage: python bench/finding_to_page.py [--rounds 8]
"""

import argparse
import contextlib
import json
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from house import House, cpu_seconds, opened_beside, passing_folder, running, say, settings_for, with_tokens

from watchword.app.demo import furnish
from watchword.app.living import free_ports
from watchword.app.principal import Role
from watchword.app.settings import FILE_NAME
from watchword.app.watchword import Watchword, open_watchword
from watchword.cli.logs import log_to_stderr
from watchword.model.incident import Closure
from watchword.respond.incident_filter_service import IncidentFilter
from watchword.respond.severity import rating_of
from watchword.simulate import organisation
from watchword.simulate.wire import Wire

SEED = 1
CLOSETS = ("D-10", "D-18", "D-23", "D-28")
PATIENCE = 60.0
TARGET = 5.0
PASSWORD = "seven brown badges at noon"  # noqa: S105 - of a passing data folder


@dataclass(slots=True)
class Heard:
    """What the messaging service received: when, and for which desk."""

    times: list[tuple[float, str]] = field(default_factory=list)

    def since(self, began: float) -> dict[str, float]:
        """Return seconds until the first message for each desk after a moment."""
        found: dict[str, float] = {}
        for at, desk in list(self.times):
            if at >= began:
                found.setdefault(desk, at - began)
        return found


@contextlib.contextmanager
def service(heard: Heard) -> Iterator[int]:
    """Receive messages over HTTP on a free port of loopback; yield the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if "unknown device" in json.dumps(body) or "new device" in json.dumps(body):  # and no daily test message
                heard.times.append((time.monotonic(), self.path.strip("/")))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def prepare(data: Path, sink: int) -> tuple[dict[str, str], int]:
    """Furnish the data folder; return the tokens of its sources and the port of its switches' syslog."""
    (port,) = free_ports(1)
    lines = ["[respond]", "simulated = true", "", "[[syslog]]", 'protocol = "tcp"', 'host = "127.0.0.1"', f"port = {port}"]
    lines += ['source = "switches"', ""]
    for team in ("it", "physical"):
        for kind, url in (("screen", "screen:"), ("webhook", f"json://127.0.0.1:{sink}/{team}")):
            lines += ["[[paging.channels]]", f'name = "{team} {kind}"', f'kind = "{kind}"', f'url = "{url}"', f'team = "{team}"', ""]
    with open_watchword(settings_for(data)) as watchword:
        furnish(watchword, organisation(SEED))
        tokens = with_tokens(watchword, ["harbour-doors"])
        for name, role in (("ada", Role.IT_ANALYST), ("otto", Role.CONTROL_ROOM_OPERATOR)):
            watchword.accounts.create(name, role, PASSWORD, actor="bench")
    (data / FILE_NAME).write_text("\n".join(lines))
    return tokens, port


def break_in(house: House, line: socket.socket, number: int) -> float:
    """Force a door, let a device speak behind it, and return the moment at which its last line was sent."""
    org, now = organisation(SEED), int(time.time() * 1000)
    door = org.doorways.doors[CLOSETS[number % len(CLOSETS)]]
    switch = next(host for host in org.hosts_in(door.inner, "switch"))
    wire = Wire(org)
    wire.door(now - 20_000, door, "forced")
    wire.link_up(now - 2_000, switch, 40 + number % 8, f"02:be:9c:00:00:{number:02x}")
    wire.lease(now - 900, switch, f"10.10.23.{20 + number}", f"02:be:9c:00:00:{number:02x}", "raspberrypi")
    sender = house.sender("harbour-doors")
    sender.send([item[5] for item in wire.items if item[1] == "harbour-doors"])
    sender.close()
    time.sleep(3)  # the door is stored and judged: what is timed is the last record alone
    for item in wire.items:
        if item[1] == "switches":
            began = time.monotonic()
            line.sendall(b"%d %b" % (len(item[5]), item[5]))
    return began


def settle(watchword: Watchword) -> None:
    """Close what is open, so that the next round opens an incident of its own."""
    response = watchword.response
    for run in response.runs.list():
        if run.status.value == "running":
            response.runs.cancel(run.uid, "ada", "the round is over")
    for row in response.incidents.list(IncidentFilter(open=True)):
        incident = row.incident
        response.incidents.acknowledge(incident.uid, by="ada", team="it")
        response.incidents.close(incident.uid, Closure.FALSE, rating_of(incident.severity), by="ada", team="it", note="a round")


def measure(house: House, heard: Heard, port: int, rounds: int) -> list[dict[str, float]]:
    """Return for each round the seconds until both desks had the page, and the processor time that it took."""
    found = []
    with opened_beside(house.data) as watchword, socket.create_connection(("127.0.0.1", port), 10) as line:
        for number in range(rounds):
            used = cpu_seconds(house.pids)
            began = break_in(house, line, number)
            while len(heard.since(began)) < 2:
                if time.monotonic() - began > PATIENCE:
                    raise SystemExit(f"no page in round {number + 1} after {PATIENCE:.0f} s: {heard.since(began)}")
                time.sleep(0.02)
            after = cpu_seconds(house.pids)
            spent = {f"cpu_{name}_s": round(after[name] - used[name], 2) for name in ("serve", "work", "respond", "store") if name in used}
            reach = heard.since(began)
            found.append({"first_s": round(min(reach.values()), 2), "both_s": round(max(reach.values()), 2), **spent})
            settle(watchword)
    return found


def report(rounds: list[dict[str, float]]) -> None:
    """Print the rounds, their median and maximum, and the target."""
    both = [one["both_s"] for one in rounds]
    outcome: dict[str, Any] = {"bench": "finding_to_page", "p50_s": round(statistics.median(both), 2), "max_s": max(both), "rounds": rounds}
    outcome |= {"target_s": TARGET, "met": max(both) <= TARGET}
    table: list[list[object]] = [["round", "first desk s", "both desks s"]]
    table += [[number, one["first_s"], one["both_s"]] for number, one in enumerate(rounds, 1)]
    table.append(["median", statistics.median(one["first_s"] for one in rounds), outcome["p50_s"]])
    say(outcome, table)


def main() -> None:
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--data", type=Path, default=None, help="keep the data folder here")
    given = parser.parse_args()
    heard = Heard()
    with passing_folder(given.data) as data, service(heard) as sink:
        tokens, port = prepare(data, sink)
        with running(data, tokens=tokens) as house:
            report(measure(house, heard, port, given.rounds))


if __name__ == "__main__":
    main()
