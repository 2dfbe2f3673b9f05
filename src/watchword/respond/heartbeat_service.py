"""Heartbeats: every shared channel is tested daily and every personal one weekly, and what came of it is shown."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import structlog
from sqlalchemy import delete, func, insert, select, update

from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import WatchwordError
from watchword.kit.records import Records
from watchword.respond import paging_tables as tables
from watchword.respond.contact_service import Contacts
from watchword.respond.page_text import heartbeat_text
from watchword.respond.ports import Channel, Delivery, Sent
from watchword.respond.reach_service import Channels

DAILY, WEEKLY = timedelta(days=1), timedelta(days=7)
AGAIN: Final = timedelta(hours=1)
"""How soon a channel that failed is tested again."""
KEPT: Final = timedelta(days=90)
AT_ONCE: Final = 8
UNDER_WAY: Final = "sending"
LOST: Final = timedelta(minutes=5)
"""A test that is under way for longer belongs to a process that died."""
_LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """How a channel fares."""

    name: str
    """``desk:<name>`` or ``contact:<uid>``."""
    label: str
    kind: str
    owner: str
    """Team of a shared channel, account name of a contact."""
    tested: datetime | None
    """None: never."""
    delivery: str
    """``sent``, ``failed``, ``timed_out``; empty: never tested."""
    detail: str
    took_ms: int
    last_good: datetime | None

    @property
    def good(self) -> bool:
        """Tell whether the last test went out; a channel that was never tested is not good."""
        return self.delivery == Delivery.SENT


@dataclass(frozen=True, slots=True)
class _Tested:
    name: str
    label: str
    kind: str
    owner: str
    every: timedelta
    open: Callable[[], Channel]


class Heartbeats:
    """Tests channels and keeps the outcomes in `Records`."""

    def __init__(self, records: Records, clock: Clock, channels: Channels, contacts: Contacts) -> None:
        self._records = records
        self._clock = clock
        self._channels = channels
        self._contacts = contacts

    def beat(self, now: datetime, *, only: str = "") -> int:
        """Test the channels that are due, or the one named, `AT_ONCE` at a time; return how many were tested."""
        due = [each for each in self._all() if each.name == only] if only else self._due(now)
        begun = []
        with self._records.begin() as connection:
            table = tables.channel_beat
            connection.execute(delete(table).where(table.c.at < now - KEPT))
            for each in due:
                row = {"channel": each.name, "at": now, "delivery": UNDER_WAY, "detail": "", "took_ms": 0}
                begun.append((each, connection.execute(insert(table).values(row).returning(table.c.position)).scalar_one()))
        for start in range(0, len(begun), AT_ONCE):
            threads = [threading.Thread(target=self._test, args=pair, daemon=True) for pair in begun[start : start + AT_ONCE]]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return len(begun)

    def health(self) -> list[ChannelHealth]:
        """Return how every channel fares: shared ones first, then contacts by person."""
        table = tables.channel_beat
        done = table.c.delivery != UNDER_WAY
        newest = select(func.max(table.c.position)).where(done).group_by(table.c.channel)
        good = select(table.c.channel, func.max(table.c.at)).where(table.c.delivery == Delivery.SENT.value).group_by(table.c.channel)
        with self._records.read() as connection:
            last = {row.channel: row for row in connection.execute(select(table).where(table.c.position.in_(newest)))}
            best = {row[0]: row[1] for row in connection.execute(good)}
        found: list[ChannelHealth] = []
        for each in self._all():
            row = last.get(each.name)
            good_at = best.get(each.name)
            if row is None:
                found.append(ChannelHealth(each.name, each.label, each.kind, each.owner, None, "", "", 0, good_at))
                continue
            said = (row.at, row.delivery, row.detail, row.took_ms)
            found.append(ChannelHealth(each.name, each.label, each.kind, each.owner, *said, good_at))
        return found

    def _all(self) -> list[_Tested]:
        desks = [
            _Tested(f"desk:{each.name}", each.name, each.kind, each.team, DAILY, partial(self._channels.desk, each.name))
            for each in self._channels.desks()
        ]
        contacts = [
            _Tested(each.name, each.label, each.kind, each.person, WEEKLY, partial(self._contacts.channel, each.uid))
            for each in self._contacts.contacts()
            if each.enabled
        ]
        return desks + contacts

    def _due(self, now: datetime) -> list[_Tested]:
        table = tables.channel_beat
        newest = select(func.max(table.c.position)).group_by(table.c.channel)
        with self._records.read() as connection:
            last = {row.channel: row for row in connection.execute(select(table).where(table.c.position.in_(newest)))}

        def waits(each: _Tested) -> bool:
            row = last.get(each.name)
            if row is None:
                return False
            pause = {UNDER_WAY: LOST, Delivery.SENT.value: each.every}.get(row.delivery, AGAIN)
            return bool(now - row.at < pause)

        return [each for each in self._all() if not waits(each)]

    def _test(self, each: _Tested, position: int) -> None:
        started = time.monotonic()
        try:
            text = heartbeat_text(each.label, f"{self._clock.now():%Y-%m-%d}")
            try:
                sent = each.open().send(text.title, text.body)
            except WatchwordError as error:
                sent = Sent(Delivery.FAILED, str(error))
            took = int((time.monotonic() - started) * 1000)
            values = {
                "delivery": sent.delivery.value,
                "detail": sent.detail[:500],
                "took_ms": took,
                "at": to_millisecond(self._clock.now()),
            }
            with self._records.begin() as connection:
                connection.execute(update(tables.channel_beat).where(tables.channel_beat.c.position == position).values(values))
        except Exception:  # noqa: BLE001 - whatever it was, it counts as lost and is tested again
            _LOG.exception("heartbeat_not_kept", channel=each.name)
