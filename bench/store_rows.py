"""Rows for the benchmarks of the store: OCSF-shaped events of a site with 200 people and 250 hosts, about 500 bytes of text each."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from watchword.ingest.ports import Segment
from watchword.model import Event, RawRecord
from watchword.stores.eventlog import ClickHouseEventLog

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 8
ROWS = 10_000
WORDS = ("Logon", "Logoff", "Granted", "Denied", "Accepted", "Failed")


def segment(uid: int, start: datetime, step: timedelta, rows: int = ROWS, *, bodies: bool = True) -> Segment:
    """Return a segment of so many events, one step apart."""
    chance = random.Random(uid)
    events = [_event(chance, start + step * n) for n in range(rows)]
    records = (
        tuple(RawRecord(e.record, e.source, e.received, b'{"raw":"%s","n":1}' % e.message.encode() * 3) for e in events) if bodies else ()
    )
    return Segment(uid, (uid,), records, tuple(events))


def _event(chance: random.Random, at: datetime) -> Event:
    who, host = chance.randrange(200), chance.randrange(250)
    src = f"10.9.{chance.randrange(250)}.{chance.randrange(250)}"
    word = chance.choice(WORDS)
    data = {
        "metadata": {"uid": str(chance.getrandbits(64)), "version": "1.8.0", "product": {"name": "Windows"}},
        "class_uid": 3002,
        "activity_id": 1,
        "user": {"name": f"user{who}", "uid": f"S-1-5-21-{who}"},
        "device": {"hostname": f"host{host}", "ip": src},
        "src_endpoint": {"ip": src, "port": chance.randrange(65536)},
        "status_id": 1,
        "logon_type_id": chance.randrange(12),
        "process": {"name": "winlogon.exe", "pid": chance.randrange(9999)},
        "ww_zone": {"uid": f"harbour/main/{who % 5}/office"},
    }
    return Event(
        uid=chance.randbytes(16).hex(),
        record=chance.randbytes(16).hex(),
        source=f"source{host % 10}",
        time=at,
        received=at + timedelta(milliseconds=chance.randrange(900)) if at.second < 59 else at,
        class_uid=chance.choice((3002, 3003, 4001, 4004, 7731001, 7731023)),
        activity_id=chance.randrange(1, 12),
        severity_id=chance.choice((1, 1, 1, 1, 2, 3, 4)),
        person=f"person:{who}",
        asset=f"asset:host{host}",
        place=f"harbour/main/{who % 5}/office",
        credential=f"account:user{who}",
        src_ip=src,
        dst_ip=f"198.51.100.{chance.randrange(250)}",
        message=f"{word} of user{who} on host{host} with ticket{chance.randrange(100_000)} from {src}",
        data=data,
    )


def segments(events: int, first: int = 1) -> Iterator[Segment]:
    """Yield segments of events spread evenly over the days, without raw records beyond the first ones."""
    step = timedelta(days=DAYS) / events
    step = timedelta(milliseconds=max(1, step // timedelta(milliseconds=1)))
    per_day = timedelta(days=1) // step
    uid = first
    for day in range(DAYS):
        done = 0
        while done < per_day:
            rows = min(ROWS, per_day - done)
            yield segment(uid, SINCE + timedelta(days=day) + step * done, step, rows, bodies=uid % 20 == 1)
            done += rows
            uid += 1


def fill(log: ClickHouseEventLog, events: int) -> int:
    """Fill the event log up to so many events and return how many were added; it is left alone when it has them already."""
    if sum(count for _, count, _ in log.days()) >= events * 0.95:
        return 0
    added = 0
    for made in segments(events):
        log.insert(made)
        added += len(made.events)
    return added
