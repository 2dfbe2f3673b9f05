"""The intake: what a connector hands over becomes raw records with uids, free of secrets, and is acknowledged once it is durable."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from watchword.ingest.occurrence import Occurrences
from watchword.ingest.ports import Receipt, Spool
from watchword.ingest.scrub import scrub
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import NotFound
from watchword.kit.ids import random_uid, uid_of
from watchword.model import RawRecord, Source

MAX_RECORD: Final = 1 << 20
"""Bytes of the longest record that is kept whole, unless the settings say otherwise."""
KEPT: Final = 64 * 1024
"""Bytes kept of a longer one."""
_CUT_MARK: Final = b"\n\x00watchword: cut, "
_CUT = re.compile(rb"\n\x00watchword: cut, (record of [0-9]+ bytes, longer than [0-9]+)\Z")
_CUT_TAIL: Final = 96


@dataclass(frozen=True, slots=True)
class Incoming:
    """One record as a connector cut it from what arrived."""

    body: bytes
    id: str = ""
    """The source's own id of the record; empty when it has none."""


def cut_record(head: bytes, length: int, limit: int = MAX_RECORD) -> bytes:
    """Return what is kept of a record that is too long: its first 64 KiB and a mark that says how long it was."""
    return head[:KEPT] + _CUT_MARK + b"record of %d bytes, longer than %d" % (length, limit)


def cut_fault(body: bytes) -> str:
    """Return why a record was cut, empty when it was not."""
    if len(body) <= len(_CUT_MARK) or _CUT_MARK not in body[-_CUT_TAIL:]:
        return ""
    found = _CUT.search(body[-_CUT_TAIL:])
    if found is None:
        return ""
    return f"{found[1].decode()}: only its first {KEPT // 1024} KiB are kept; check the sender's framing, or raise ingest.record"


class Intake:
    """The one front door: every connector, file and simulation comes in through `accept`."""

    def __init__(
        self,
        spool: Spool,
        clock: Clock,
        sources: Callable[[], Mapping[str, Source]],
        *,
        id_of: Callable[[str, bytes], str] | None = None,
        max_record: int = MAX_RECORD,
    ) -> None:
        """Take `id_of` (source name, body) to find the source's own id in a record where the mapping names one."""
        self._spool = spool
        self._clock = clock
        self._sources = sources
        self._id_of = id_of
        self._max_record = max_record

    def accept(
        self,
        source: str,
        items: Sequence[Incoming],
        received: datetime | None = None,
        occurrences: Occurrences | None = None,
    ) -> Receipt:
        """Keep the records; on return they are durable and may be acknowledged to their sender.

        A record with an id (the one that the mapping names, else the one that the connector gave) is kept once per id; another record of
        a file or webhook once per content and occurrence within its delivery (give the same `occurrences` for every batch of one
        delivery); other syslog lines always, as equal lines are legal.

        Raises:
            NotFound: no such source.
            Full: the spool is full; nothing of these records was kept.
        """
        known = self._sources().get(source)
        if known is None:
            raise NotFound(f"no source is named {source!r}; add it with: watchword source add {source} --mapping FILE")
        if not items:
            return Receipt(0, 0)
        moment = to_millisecond(received or self._clock.now())
        counted = occurrences or Occurrences()
        repeatable = known.connector == "syslog"
        once: list[RawRecord] = []
        always: list[RawRecord] = []
        for item in items:
            body = item.body if len(item.body) <= self._max_record else cut_record(item.body, len(item.body), self._max_record)
            identity = (self._id_of(source, body) if self._id_of else "") or item.id
            body = scrub(body)
            if identity:
                once.append(RawRecord(uid_of("record", source, identity), source, moment, body))
            elif repeatable:
                always.append(RawRecord(uid_of("record", source, random_uid()), source, moment, body))
            else:
                once.append(RawRecord(uid_of("record", source, body, str(counted.count(body))), source, moment, body))
        receipts = [self._spool.append(records, once=is_once) for records, is_once in ((once, True), (always, False)) if records]
        return Receipt(sum(receipt.accepted for receipt in receipts), sum(receipt.duplicate for receipt in receipts))
