"""Raw records as NDJSON, read as a stream: what is acquired of a log."""

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO, RawIOBase
from typing import Any, Final

from watchword.kit.clock import to_ms
from watchword.model import Event, RawRecord
from watchword.respond.evidence_view import LONGEST_SOURCE, About, EvidenceKind

Record = Callable[[Sequence[str]], Sequence[RawRecord]]
"""Of uids of raw records, those records, verbatim."""
AT_ONCE: Final = 500


class Lines(RawIOBase):
    """Lines as a stream to be read in pieces: never more than a batch of them in memory."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        super().__init__()
        self._lines, self._rest = iter(lines), b""

    def read(self, size: int = -1) -> bytes:
        """Return about so many bytes; none at the end."""
        parts = BytesIO()
        parts.write(self._rest)
        while size < 0 or parts.tell() < size:
            line = next(self._lines, b"")
            if not line:
                break
            parts.write(line)
        found = parts.getvalue()
        self._rest = b"" if size < 0 else found[size:]
        return found if size < 0 else found[:size]


def record_line(record: RawRecord) -> bytes:
    """Return a raw record as a line of NDJSON; a body that is no UTF-8 in base64."""
    said: dict[str, Any] = {"uid": record.uid, "source": record.source, "received": to_ms(record.received)}
    try:
        said["body"] = record.body.decode()
    except UnicodeDecodeError:
        said["body_base64"] = base64.b64encode(record.body).decode()
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def lines_of(uids: Sequence[str], raw: Record) -> Iterable[bytes]:
    """Yield records as lines, a batch at a time."""
    for start in range(0, len(uids), AT_ONCE):
        for record in raw(uids[start : start + AT_ONCE]):
            yield record_line(record)


def about_records(events: Sequence[Event], name: str) -> About:
    """Return what is said of the raw records behind events, which are in order of time."""
    sources = sorted({event.source for event in events})
    said = ", ".join(sources)
    return About(
        EvidenceKind.LOG,
        name or f"records-{events[0].time:%Y%m%d-%H%M%S}.ndjson",
        "application/x-ndjson",
        source=said if len(said) <= LONGEST_SOURCE else f"{len(sources)} sources",
        since=events[0].time,
        until=events[-1].time,
        player="any editor; one JSON object a line",
        note=f"Raw records of {len(events)} events, as they arrived.",
    )
