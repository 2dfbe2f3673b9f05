"""Sizes of the main pages, time until their first byte, and what a first visit transfers, on a data folder with two simulated days.

Usage: python bench/pages.py [--days 2] [--rounds 20] [--data DIR]
"""

import argparse
import gzip
import http.client
import re
import statistics
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from house import House, passing_folder, running, say, settings_for

from watchword.app.demo import run_once
from watchword.app.watchword import open_watchword
from watchword.cli.logs import log_to_stderr

PASSWORD = "seven brown badges at noon"  # noqa: S105 - of a passing data folder
ASSET = re.compile(r'(?:href|src)="(/static/[^"]+)"')
GZIP = {"Accept-Encoding": "gzip"}


@dataclass(slots=True)
class Visitor:
    """A browser with one kept-alive connection and a session."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        address = urlsplit(self.url)
        self.connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=120)

    def ask(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> tuple[int, float, bytes, str]:
        """Return status, seconds to the first byte, body as transferred and its encoding."""
        sent = {"Sec-Fetch-Site": "same-origin", "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        began = time.perf_counter()
        self.connection.request(method, path, body, sent | (headers or {}))
        answer = self.connection.getresponse()
        first = time.perf_counter() - began
        content = answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return answer.status, first, content, answer.getheader("Content-Encoding", "")

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def log_in(self, name: str = "admin") -> None:
        """Open a session, as the administrator if nobody else is named."""
        form = urlencode({"name": name, "password": PASSWORD})
        status, *_ = self.ask("POST", "/log-in", form, {"Content-Type": "application/x-www-form-urlencoded"})
        if status != http.client.SEE_OTHER:
            raise SystemExit(f"the log-in was answered {status}")

    def page(self, path: str) -> tuple[float, bytes, bytes]:
        """Return seconds to first byte, the page, and the bytes that were transferred for it."""
        status, first, content, encoding = self.ask("GET", path, headers=GZIP)
        if status != http.client.OK:
            raise SystemExit(f"{path} was answered {status}")
        return first, gzip.decompress(content) if encoding == "gzip" else content, content


def fill(data: Path, days: int, most: int | None) -> None:
    """Play days that end yesterday into the folder."""
    today = datetime.now(UTC).date()
    run_once(settings_for(data), days, 1, since=today - timedelta(days=days), order=lambda run: islice(run, most))


def admit(data: Path) -> str:
    """Make an administrator, and return the uid of a grave finding, if there is any."""
    with open_watchword(settings_for(data)) as watchword:
        if watchword.accounts.first_run() is not None:
            watchword.accounts.set_password(watchword.accounts.account("admin").uid, PASSWORD, actor="bench")
        findings = watchword.findings.since(datetime.min.replace(tzinfo=UTC))
        return max(findings, key=lambda finding: (finding.severity, len(finding.events))).uid if findings else ""


def measure(house: House, finding: str, rounds: int) -> dict[str, Any]:
    """Return the figures of each page and of a first visit; the page of a finding only where there is one."""
    paths = {
        "Log-in": "/log-in", "Overview": "/", "Timeline": "/timeline", "Findings": "/findings", "Finding": f"/findings/{quote(finding)}",
        "Places": "/places", "Sources": "/sources",
    }  # fmt: skip
    if not finding:
        del paths["Finding"]
    pages: dict[str, dict[str, float]] = {}
    with closing(Visitor(house.url)) as stranger, closing(Visitor(house.url)) as visitor, closing(Visitor(house.url)) as newcomer:
        visitor.log_in()
        for name, path in paths.items():
            asking = stranger if name == "Log-in" else visitor
            cold, page, sent = asking.page(path)
            warm = [asking.page(path)[0] for _ in range(rounds)]
            pages[name] = {
                "bytes": len(page), "gzip_bytes": len(gzip.compress(page, 6)), "sent_bytes": len(sent), "first_ms": round(cold * 1000, 1),
                "p50_ms": round(statistics.median(warm) * 1000, 1), "max_ms": round(max(warm) * 1000, 1),
            }  # fmt: skip
        return {"pages": pages, "first_visit": first_visit(newcomer)}


def first_visit(visitor: Visitor) -> dict[str, int]:
    """Return the bytes that a browser with an empty cache transfers for its first Overview, by kind, bodies only."""
    visitor.log_in()
    _, page, sent = visitor.page("/")
    found = {"html": len(sent), "css": 0, "js": 0, "other": 0}
    for path in dict.fromkeys(ASSET.findall(page.decode())):
        kind = next((kind for kind in ("css", "js") if urlsplit(path).path.endswith(f".{kind}")), "other")
        found[kind] += len(visitor.page(path)[2])
    return found | {"together": sum(found.values())}


def report(found: dict[str, Any]) -> None:
    """Print sizes and times."""
    table: list[list[object]] = [["page", "bytes", "gzip", "sent", "first ms", "then p50 ms", "max ms"]]
    table += [[name, *one.values()] for name, one in found["pages"].items()]
    table += [[f"first visit: {kind}", "", "", size, "", "", ""] for kind, size in found["first_visit"].items()]
    say({"bench": "pages", **found}, table)


def main() -> None:
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--deliveries", type=int, default=None, help="play no more than so many of the days' deliveries")
    parser.add_argument("--data", type=Path, default=None, help="fill this folder and keep it")
    given = parser.parse_args()
    with passing_folder(given.data) as data:
        fill(data, given.days, given.deliveries)
        finding = admit(data)
        with running(data) as house:
            report(measure(house, finding, given.rounds))


if __name__ == "__main__":
    main()
