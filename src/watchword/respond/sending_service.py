"""Sending: due attempts are claimed, sent in threads within a bounded time, tried again with growing pauses, and their outcome kept."""

import threading
import time
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection, Row, func, insert, select, update

from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import WatchwordError
from watchword.kit.records import Records
from watchword.respond import paging_tables as tables
from watchword.respond.calling_service import Calling
from watchword.respond.contact_service import Contacts
from watchword.respond.escalation import Policy, Status, Unreached, advance
from watchword.respond.page_rows_service import decode, keep
from watchword.respond.page_text import Words, page_text
from watchword.respond.ports import Channel, Delivery, IncidentLog, Sent
from watchword.respond.quiet import rests
from watchword.respond.reach_service import Channels
from watchword.respond.reply_text import WORD, reference

MOST_TRIES: Final = 3
BACKOFF: Final = (timedelta(seconds=15), timedelta(seconds=60))
"""The pause before the second and the third try."""
LEASE: Final = timedelta(seconds=90)
"""Longer than any channel may take: an attempt that is still `sending` after it belongs to a process that died."""
AT_ONCE: Final = 64
"""Most messages under way at a time."""
FINAL: Final = ("sent", "failed", "timed_out", "dropped", "nobody")
_LOG = structlog.get_logger()


class Sending:
    """Sends attempts. A contact has one message under way at a time, so that one which hangs holds up nobody else.

    An attempt is marked before it is sent and again after. When the process dies in between, nobody knows whether the message went
    out: it is sent again, and shown as perhaps sent twice.
    """

    def __init__(
        self,
        records: Records,
        clock: Clock,
        channels: Channels,
        contacts: Contacts,
        calling: Calling,
        log: IncidentLog,
        address: str,
        *,
        replies: bool,
    ) -> None:
        self._records = records
        self._clock = clock
        self._channels = channels
        self._contacts = contacts
        self._calling = calling
        self._log = log
        self._address = address.rstrip("/")
        self._replies = replies
        self._under_way: dict[str, str] = {}
        self._changed = threading.Condition()

    def send_due(self, now: datetime) -> int:
        """Claim what is due and start sending it; return how many were started. Does not wait for any."""
        with self._changed:
            busy = {*self._under_way.values()}
            free = AT_ONCE - len(self._under_way)
        if free <= 0:
            return 0
        rows = self._claim(now, busy, free)
        for row in rows:
            with self._changed:
                self._under_way[row.uid] = row.contact
            threading.Thread(target=self._run, args=(row,), name=f"page-{row.uid[:8]}", daemon=True).start()
        return len(rows)

    def drain(self, seconds: float) -> bool:
        """Wait until nothing is under way, at most so long; tell whether that came true."""
        until = time.monotonic() + seconds
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, max(0.0, until - time.monotonic()))

    def _claim(self, now: datetime, busy: set[str], free: int) -> list[Row[Any]]:
        table, page = tables.page_attempt, tables.page
        waiting = (table.c.status == "due") & (table.c.due <= now)
        orphaned = (table.c.status == "sending") & (table.c.lease_until <= now)
        with self._records.read() as connection:
            if connection.execute(select(table.c.uid).where(waiting | orphaned).limit(1)).first() is None:
                return []
        words = (page.c.incident, page.c.severity, page.c.title, page.c.place, page.c.what_to_do, page.c.exercise, page.c.life_safety)
        order = (page.c.severity, table.c.due, table.c.uid)
        ranked = (
            select(table, *words, func.row_number().over(partition_by=table.c.contact, order_by=order).label("rank"))
            .join(page, page.c.uid == table.c.page)
            .where((waiting | orphaned) & table.c.contact.notin_(sorted(busy)))
            .subquery()
        )
        # One per contact, whatever the length of its queue: a thousand messages to one do not hide one to another.
        first = select(ranked).where(ranked.c.rank == 1).order_by(ranked.c.severity, ranked.c.due, ranked.c.uid).limit(free)
        claimed: list[Row[Any]] = []
        with self._records.begin() as connection:
            for row in connection.execute(first).all():
                same = (table.c.uid == row.uid) & (table.c.status == row.status) & (table.c.tries == row.tries)
                lost = row.status == "sending"
                if lost and row.tries >= MOST_TRIES:
                    gone = {"status": "failed", "ended": now, "again": True, "detail": "the process died while this was sent"}
                    connection.execute(update(table).where(same).values(gone))
                    self._unreached(connection, row, now)
                    continue
                values = {"status": "sending", "lease_until": now + LEASE, "tries": row.tries + 1, "again": row.again or lost}
                if connection.execute(update(table).where(same).values(values)).rowcount:
                    claimed.append(row)
        return claimed

    def _run(self, row: Row[Any]) -> None:
        try:
            self._keep(row, self._send(row))
        except Exception:  # noqa: BLE001 - whatever it was, the attempt is sent again when its lease is over
            _LOG.exception("page_not_kept", attempt=row.uid)
        finally:
            with self._changed:
                self._under_way.pop(row.uid, None)
                self._changed.notify_all()

    def _send(self, row: Row[Any]) -> Sent:
        try:
            kind, _, name = row.contact.partition(":")
            channel: Channel = self._channels.desk(name) if kind == "desk" else self._contacts.channel(name)
        except WatchwordError as error:
            return Sent(Delivery.FAILED, str(error)[:300])
        words = Words(row.severity, row.title, row.place, row.what_to_do, row.exercise, row.life_safety)
        token = self._calling.token_of(row.uid)
        if not row.person:
            text = page_text(words, row.kind, link=f"{self._address}/incidents/{row.incident}", how="See:")
        elif row.kind == "mail" and self._replies:
            how = f"To acknowledge, answer with {WORD} as the first word, or open:"
            text = page_text(words, row.kind, link=f"{self._address}/ack/{token}", reference=reference(token), how=how)
        else:
            text = page_text(words, row.kind, link=f"{self._address}/ack/{token}", how="Acknowledge:")
        return channel.send(text.title, text.body)

    def _keep(self, row: Row[Any], sent: Sent) -> None:
        now = to_millisecond(self._clock.now())
        table, tracks = tables.page_attempt, tables.page_track
        tries = row.tries + 1
        with self._records.begin() as connection:
            track = connection.execute(
                select(tracks).where((tracks.c.page == row.page) & (tracks.c.team == row.team)).with_for_update()
            ).one()
            mine = (table.c.uid == row.uid) & (table.c.status == "sending") & (table.c.tries == tries)
            over = track.status in {Status.ACKNOWLEDGED, Status.STOPPED} or tries >= MOST_TRIES
            values: dict[str, Any] = {"status": sent.delivery.value, "detail": sent.detail[:500], "ended": now, "lease_until": None}
            if sent.delivery is not Delivery.SENT and not over:
                values |= {"status": "due", "ended": None, "due": now + BACKOFF[min(tries, len(BACKOFF)) - 1]}
            if not connection.execute(update(table).where(mine).values(values)).rowcount:
                return
            if sent.delivery is Delivery.SENT:
                self._notified(connection, row, track, now)
                return
            if tries == 1 and row.person and track.status not in {Status.ACKNOWLEDGED, Status.STOPPED}:
                self._by_another_way(connection, row, now)
            if values["status"] != "due":
                self._unreached(connection, row, now)

    def _notified(self, connection: Connection, row: Row[Any], track: Row[Any], now: datetime) -> None:
        if track.notified is not None:
            return
        tracks = tables.page_track
        connection.execute(update(tracks).where((tracks.c.page == row.page) & (tracks.c.team == row.team)).values(notified=now))
        self._log.mark(connection, row.incident, "t3", now, source="page", team=row.team, evidence=row.page)
        said = f"The page went out to {row.person or row.channel} of {row.team} by {row.kind}."
        refs = {"page": row.page}
        self._log.append(connection, row.incident, "page", said, occurred_at=now, recorded_by="system", team=row.team, refs=refs)

    def _by_another_way(self, connection: Connection, row: Row[Any], now: datetime) -> None:
        """Try the person's next contact at once when one fails, beside trying the first again."""
        table = tables.page_attempt
        same = (table.c.page == row.page) & (table.c.team == row.team) & (table.c.person == row.person)
        used = {
            *connection.execute(select(table.c.contact).where(same & (table.c.step == row.step) & (table.c.round == row.round))).scalars()
        }
        for each in self._contacts.within(connection, row.person):
            quiet = rests(each.quiet, now, severity=row.severity, life_safety=row.life_safety)
            if each.name not in used and not quiet:
                made = self._calling.attempt(row.page, row.team, row.person, each.name, each.label, each.kind, row.step, row.round, now)
                connection.execute(insert(table).values(made))
                return

    def _unreached(self, connection: Connection, row: Row[Any], now: datetime) -> None:
        """Escalate at once when every attempt of the latest step has failed."""
        table, tracks = tables.page_attempt, tables.page_track
        of_team = (table.c.page == row.page) & (table.c.team == row.team)
        open_or_sent = table.c.status.notin_(FINAL) | (table.c.status == "sent")
        step = of_team & (table.c.step >= row.step) & (table.c.round >= row.round)
        if connection.execute(select(table.c.uid).where(step & open_or_sent).limit(1)).first() is not None:
            return
        found = connection.execute(select(tracks).where((tracks.c.page == row.page) & (tracks.c.team == row.team))).one()
        policy = connection.execute(select(tables.page.c.policy).where(tables.page.c.uid == row.page)).scalar_one()
        track, _ = advance(msgspec.json.decode(policy, type=Policy), decode(found.state), Unreached(), now)
        keep(connection, row.page, row.team, track, found.version)
