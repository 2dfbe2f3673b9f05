"""Server time of the pages of the response, with 500 open incidents, 50 runs under way and 5,000 timeline entries on one incident.

Usage: python bench/response_pages.py [--incidents 500] [--runs 50] [--entries 5000] [--rounds 20] [--data DIR]
"""

import argparse
import statistics
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from house import House, cpu_seconds, passing_folder, running, say, settings_for
from pages import PASSWORD, Visitor

from watchword.app.demo import furnish
from watchword.app.principal import Role
from watchword.app.responding import Responding
from watchword.app.watchword import Watchword, open_watchword
from watchword.cli.logs import log_to_stderr
from watchword.kit.ids import uid_of
from watchword.model import Finding, Mode, Team
from watchword.respond.rota import Layer
from watchword.simulate import organisation

SEED = 1
TARGET = 300.0
PLAYBOOK = "Forced door, then unknown device"
BATCH = 500
"""Timeline entries that are kept in one transaction while the house is filled."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What the pages are asked for."""

    incident: str
    """The one with the long timeline."""
    run: str
    playbook: str


def fill(data: Path, incidents: int, runs: int, entries: int) -> Filled:
    """Fill the folder: incidents with a finding each, runs on them, and one incident that has been written on all night."""
    with open_watchword(settings_for(data)) as watchword:
        furnish(watchword, organisation(SEED))
        since = watchword.clock.now().date() - timedelta(days=7)
        for person, role, team in (("ada", Role.IT_ANALYST, "it"), ("otto", Role.CONTROL_ROOM_OPERATOR, "physical")):
            watchword.accounts.create(person, role, PASSWORD, actor="bench")
            watchword.response.on_call.put(f"{team} rota", team, "Europe/Berlin", [Layer("desk", (person,), since)], by="bench")
        responding = Responding(watchword)
        responding.start()
        uids = [_incident(watchword, number) for number in range(incidents)]
        kept = next(one for one in watchword.response.library.list() if one.name == PLAYBOOK)
        doors = [door.uid for door in watchword.registry.directory().doors()]
        started = [_run(watchword, kept.id, uids[number % len(uids)], doors[number % len(doors)], number) for number in range(runs)]
        _write(watchword, uids[0], entries)
        responding.step()
        return Filled(uids[0], started[0], kept.id)


def _incident(watchword: Watchword, number: int) -> str:
    now = watchword.clock.now() - timedelta(minutes=number % 600)
    doors = watchword.registry.directory().doors()
    door = doors[number % len(doors)]
    because = f"{door.name} was forced or held open; a minute later a switch behind it reported device {number}."
    finding = Finding(
        uid_of("bench", str(number)), "ww_014", 1, "Door forced or held, then a new device", 4, 0.85, now, now, now, because,
        places=(door.uid,), addresses=(f"10.9.{number // 250}.{number % 250}",), mode=Mode.PAGE,
    )  # fmt: skip
    watchword.findings.put([finding])
    title, both = f"Door forced, then a new device, {door.name}", (Team.IT, Team.PHYSICAL)
    return watchword.response.incidents.open(
        title, by="bench", team="", because=because, severity=1 + number % 4, findings=[finding.uid], teams=both
    )


def _run(watchword: Watchword, playbook: str, incident: str, door: str, number: int) -> str:
    values = {"__door__": door, "__place__": door.rpartition("/doors/")[0], "__asset__": "asset:sw-h-core"}
    return watchword.response.runs.start(playbook, incident, values, "otto", key=f"bench {number}")


def _write(watchword: Watchword, incident: str, entries: int) -> None:
    book = watchword.response.incidents.casebook
    for first in range(0, entries, BATCH):
        with book.begin() as connection:
            for number in range(first, min(first + BATCH, entries)):
                said = f"Line {number}: the guard at the closet reports nobody there, the port is watched, the camera looks at the door."
                kind, team = ("said", "it") if number % 2 else ("note", "physical")
                book.append(connection, incident, kind, said, recorded_by="ada" if number % 2 else "otto", team=team)


def measure(house: House, filled: Filled, rounds: int) -> dict[str, dict[str, float]]:
    """Return the figures of each page, fetched over one kept-alive connection."""
    paths = {
        "Overview": "/", "Incidents": "/incidents", "Incident": f"/incidents/{filled.incident}", "Runs": "/runs",
        "Run": f"/runs/{filled.run}", "Playbooks": "/playbooks", "Playbook": f"/playbooks/{filled.playbook}", "Approvals": "/approvals",
        "On call": "/on-call", "Evidence": "/evidence", "Phone": "/phone",
    }  # fmt: skip
    found: dict[str, dict[str, float]] = {}
    with closing(Visitor(house.url)) as visitor:
        visitor.log_in("otto")
        for name, path in paths.items():
            cold, page, sent = visitor.page(path)
            used = cpu_seconds(house.pids)["serve"]
            warm = [visitor.page(path)[0] for _ in range(rounds)]
            spent = (cpu_seconds(house.pids)["serve"] - used) / rounds
            found[name] = {
                "bytes": len(page), "sent_bytes": len(sent), "first_ms": round(cold * 1000, 1),
                "p50_ms": round(statistics.median(warm) * 1000, 1), "max_ms": round(max(warm) * 1000, 1), "cpu_ms": round(spent * 1000, 1),
            }  # fmt: skip
    return found


def report(found: dict[str, dict[str, float]], sizes: dict[str, int]) -> None:
    """Print sizes and times of each page, and whether every median meets the target."""
    table: list[list[object]] = [["page", "bytes", "sent", "first ms", "then p50 ms", "max ms", "processor ms"]]
    table += [[name, *one.values()] for name, one in found.items()]
    met = all(one["p50_ms"] <= TARGET for one in found.values())
    say({"bench": "response_pages", "pages": found, **sizes, "target_ms": TARGET, "met": met}, table)


def main() -> None:
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=500)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--entries", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--data", type=Path, default=None, help="fill this folder and keep it")
    given = parser.parse_args()
    with passing_folder(given.data) as data:
        filled = fill(data, given.incidents, given.runs, given.entries)
        with running(data) as house:
            sizes = {"incidents": given.incidents, "runs": given.runs, "entries": given.entries}
            report(measure(house, filled, given.rounds), sizes)


if __name__ == "__main__":
    main()
