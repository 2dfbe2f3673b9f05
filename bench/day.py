"""One day of the demo site as JSON over HTTP: its webhook sources as they are, its firewall's connections written as JSON lines.

The day is moved in time so that it ends now: nothing is late, as with live sources.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from random import Random

from watchword.app.demo import furnish
from watchword.app.watchword import Watchword
from watchword.ingest.jsonl import cut_lines
from watchword.simulate import organisation, simulate

DAY = date(2026, 6, 2)
"""A Tuesday."""
SEED = 1
SOURCES = ("harbour-doors", "windows", "idp", "cameras", "flows")
CLONES = 3
"""Each connection of the simulated day stands for so many, with its bytes shared among them: a day then has about 110,000 records."""
FLOWS = """\
mapping: flows
describes: Finished connections as JSON lines, for benchmarks
source: {domain: it, kind: network, connector: webhook, lateness: 2m, resolution: 1s, rhythm: 15m}
format: {kind: json}
time: {from: time, format: iso}
id: {from: id}
events:
  - when: {type: flow}
    class: network_activity
    activity: traffic
    severity: info
    message: "{src} sent {out} bytes to {dst}"
    fields: {src_ip: src, src_port: spt, dst_ip: dst, dst_port: dpt, protocol: proto, bytes_out: out, bytes_in: in}
otherwise: keep
"""
FLOW = b'{"id":"%s","type":"flow","time":"%s","host":"%s","src":"%s","spt":%d,"dst":"%s","dpt":%d,"proto":"%s","out":%d,"in":%d}'
_FLOW = re.compile(
    rb'<134>1 (?P<time>\S+) (?P<host>\S+) filterlog 812 FLOW \[flow@32473 src="(?P<src>[^"]*)" spt="(?P<spt>\d+)" dst="(?P<dst>[^"]*)" '
    rb'dpt="(?P<dpt>\d+)" proto="(?P<proto>\w+)" out="(?P<out>\d+)" in="(?P<in>\d+)"\]'
)
_TIME = re.compile(rb"2026-0[56]-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def furnish_for_day(watchword: Watchword) -> None:
    """Load the demo site and the source of JSON connections."""
    furnish(watchword, organisation(SEED))
    watchword.mappings.put(FLOWS, "flows.yaml", source="flows")


def day_records(most: int, end: datetime | None = None) -> list[tuple[str, bytes]]:
    """Return (source, JSON record) in order of arrival: the last `most` of the day that ends at `end` (now unless given)."""
    shift = (end or datetime.now(UTC)) - datetime(DAY.year, DAY.month, DAY.day + 1, tzinfo=UTC)

    def moved(found: re.Match[bytes]) -> bytes:
        return (datetime.fromisoformat(found[0].decode()) + shift).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()

    records = [(source, _TIME.sub(moved, body)) for source, body in _told()]
    return records[-most:]


def _told() -> Iterator[tuple[str, bytes]]:
    chance, number = Random(SEED), 0
    for delivery in simulate(organisation(SEED), DAY, 1, SEED):
        if delivery.source in SOURCES:
            for line in cut_lines(delivery.body):
                yield delivery.source, line
        elif (flow := _FLOW.fullmatch(delivery.body)) is not None:
            for _ in range(CLONES):
                number += 1
                yield "flows", _flow(flow, number, chance)


def _flow(flow: re.Match[bytes], number: int, chance: Random) -> bytes:
    identity, port = b"%x-%x" % (number, chance.getrandbits(32)), 32768 + chance.randrange(28000)
    out, back = int(flow["out"]) // CLONES, int(flow["in"]) // CLONES
    return FLOW % (identity, flow["time"], flow["host"], flow["src"], port, flow["dst"], int(flow["dpt"]), flow["proto"], out, back)


def bundles(records: Sequence[tuple[str, bytes]], size: int) -> list[tuple[str, list[bytes]]]:
    """Return the records as bundles of at most `size`, each of one source, in the order in which they fill up."""
    filling: dict[str, list[bytes]] = {}
    made = []
    for source, record in records:
        bundle = filling.setdefault(source, [])
        bundle.append(record)
        if len(bundle) >= size:
            made.append((source, filling.pop(source)))
    return made + list(filling.items())
