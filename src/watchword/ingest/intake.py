"""The intake: what a connector hands over becomes raw records with uids, free of secrets, and is acknowledged once it is durable."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from watchword.ingest.occurrence import Occurrences
from watchword.ingest.ports import Receipt, Spool
from watchword.ingest.scrub import scrub_all
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import NotFound
from watchword.kit.ids import random_uid, uid_of, uids_under
from watchword.model import RawRecord, Source
from watchword.model.making import make_record

MAX_RECORD: Final = 1 << 20
"""Bytes of the longest record that is kept whole, unless the settings say otherwise."""
KEPT: Final = 64 * 1024
"""Bytes kept of a longer one."""
_CUT_MARK: Final = b"\n\x00watchword: cut, "
_CUT = re.compile(rb"\n\x00watchword: cut, (record of [0-9]+ bytes, longer than [0-9]+)\Z")
_CUT_TAIL: Final = 96
IdReader = Callable[[bytes], str]
"""Body → the source's own id of that record, empty when it has none."""


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
        ids: Callable[[str], IdReader | None] | None = None,
        max_record: int = MAX_RECORD,
    ) -> None:
        """Take `ids`, which gives for a source's name what finds its own id in a record; None where its mapping names none."""
        self._spool = spool
        self._clock = clock
        self._sources = sources
        self._ids = ids
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
        bodies = [
            item.body if len(item.body) <= self._max_record else cut_record(item.body, len(item.body), self._max_record) for item in items
        ]
        identities = self._identities(source, items, bodies)
        counted = occurrences or Occurrences()
        repeatable = known.connector == "syslog"
        by_id = uids_under("record", source)
        once: list[RawRecord] = []
        always: list[RawRecord] = []
        for identity, body in zip(identities, scrub_all(bodies), strict=True):
            if identity:
                once.append(make_record(by_id(identity.encode("utf-8", "surrogatepass")), source, moment, body))
            elif repeatable:
                always.append(make_record(random_uid(), source, moment, body))
            else:
                once.append(make_record(uid_of("record", source, body, str(counted.count(body))), source, moment, body))
        receipts = [self._spool.append(records, once=is_once) for records, is_once in ((once, True), (always, False)) if records]
        return Receipt(sum(receipt.accepted for receipt in receipts), sum(receipt.duplicate for receipt in receipts))

    def _identities(self, source: str, items: Sequence[Incoming], bodies: Sequence[bytes]) -> list[str]:
        read = self._ids(source) if self._ids is not None else None
        if read is None:
            return [item.id for item in items]
        return [read(body) or item.id for item, body in zip(items, bodies, strict=True)]
