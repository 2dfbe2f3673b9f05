"""The feeder of the living demo site: records go in by the same doors as real ones: HTTP with a token, syslog, dropped files."""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

import structlog

from watchword.app.settings import Settings
from watchword.simulate import Delivery, live, organisation

HISTORY: Final = timedelta(hours=10)
"""How much of the past is told at the start, so that pages have something to show: less than the allowed lateness."""
BUNDLE: Final = 400
"""Records that go into one request while history is told."""
PATIENCE: Final = 1.0
FILE: Final = "feed.json"
"""In the data folder's ``run/``: what the feeder needs to know."""

_local = build_opener(ProxyHandler({}))
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Feed:
    """How the feeder reaches the front door."""

    url: str
    seed: int
    tokens: dict[str, str]
    syslog: dict[str, int]
    """UDP or TCP port by source."""
    folders: dict[str, str]

    def write(self, data: Path) -> None:
        """Keep it for the feeder process, readable by its owner only: it holds tokens."""
        path = data / "run" / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(
                {
                    "url": self.url,
                    "seed": self.seed,
                    "tokens": self.tokens,
                    "syslog": self.syslog,
                    "folders": self.folders,
                },
                file,
            )

    @classmethod
    def read(cls, data: Path) -> "Feed":
        """Return what `write` kept."""
        kept: dict[str, Any] = json.loads((data / "run" / FILE).read_text())
        return cls(kept["url"], kept["seed"], kept["tokens"], kept["syslog"], kept["folders"])


@dataclass(slots=True)
class Feeder:
    """Sends deliveries when they are due; what cannot be delivered now is tried again, as real senders do."""

    feed: Feed
    stopping: threading.Event
    bundles: dict[str, list[bytes]] = field(default_factory=dict)
    lines: dict[str, socket.socket] = field(default_factory=dict)
    sent: int = 0

    def run(self, deliveries: Iterator[Delivery]) -> None:
        """Send until told to stop: the past as fast as it is taken, then everything at its time."""
        for delivery in deliveries:
            if self.stopping.is_set():
                return
            ahead = (delivery.at - datetime.now(UTC)).total_seconds()
            if ahead > 0:
                self._flush()
                if self.stopping.wait(ahead):
                    return
            self._send(delivery)

    def _send(self, delivery: Delivery) -> None:
        if delivery.file:
            self._drop(delivery)
        elif delivery.source in self.feed.syslog:
            self._say(delivery)
        else:
            bundle = self.bundles.setdefault(delivery.source, [])
            bundle.append(delivery.body.rstrip(b"\n"))
            if len(bundle) >= BUNDLE:
                self._post(delivery.source)

    def _flush(self) -> None:
        for source, bundle in self.bundles.items():
            if bundle:
                self._post(source)

    def _post(self, source: str) -> None:
        body = b"\n".join(self.bundles[source]) + b"\n"
        request = Request(  # noqa: S310 - our own address on loopback
            f"{self.feed.url}/api/v1/ingest/{source}",
            data=body,
            headers={"Authorization": f"Bearer {self.feed.tokens[source]}", "Content-Type": "application/x-ndjson"},
        )
        while not self.stopping.is_set():
            try:
                with _local.open(request, timeout=60) as answer:
                    answer.read()
                break
            except HTTPError as error:
                log.warning("refused", source=source, status=error.code, body=error.read(300).decode("utf-8", "replace"))
            except (URLError, OSError) as error:
                log.info("the front door is closed", source=source, reason=str(error))
            self.stopping.wait(PATIENCE)
        self.sent += len(self.bundles[source])
        self.bundles[source] = []

    def _say(self, delivery: Delivery) -> None:
        """Send a syslog line over TCP, octet-counted."""
        while not self.stopping.is_set():
            try:
                line = self.lines.get(delivery.source)
                if line is None:
                    line = self.lines[delivery.source] = socket.create_connection(("127.0.0.1", self.feed.syslog[delivery.source]), 10)
                line.sendall(b"%d %b" % (len(delivery.body), delivery.body))
            except OSError as error:
                log.info("syslog is closed", source=delivery.source, reason=str(error))
                with contextlib.suppress(KeyError):
                    self.lines.pop(delivery.source).close()
                self.stopping.wait(PATIENCE)
            else:
                self.sent += 1
                return

    def _drop(self, delivery: Delivery) -> None:
        folder = Path(self.feed.folders[delivery.source])
        folder.mkdir(parents=True, exist_ok=True)
        whole = folder / delivery.file
        number = 1
        while whole.exists():
            number += 1
            whole = folder / f"{number}-{delivery.file}"
        part = whole.with_name(whole.name + ".part")
        part.write_bytes(delivery.body)
        part.rename(whole)
        self.sent += 1


def feed_forever(settings: Settings, stopping: threading.Event) -> None:
    """Feed the front door of a data folder with its demo site until told to stop."""
    feed = Feed.read(settings.data)
    org = organisation(feed.seed)
    _wait_for(feed.url, stopping)
    feeder = Feeder(feed, stopping)
    feeder.run(live(org, datetime.now(UTC), feed.seed, history=HISTORY))  # the first story opens once there is a page to see it on


def _wait_for(url: str, stopping: threading.Event) -> None:
    while not stopping.is_set():
        with contextlib.suppress(OSError, URLError), _local.open(f"{url}/api/v1/health/live", timeout=5):
            return
        time.sleep(0.2)
