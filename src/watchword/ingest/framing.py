"""Framing: cuts a byte stream into records, octet-counted (RFC 6587) or by newline, in memory bounded however long a line is."""

from collections.abc import Iterator
from typing import Final, Literal

from watchword.ingest.intake import KEPT, MAX_RECORD, cut_record

_COUNT_DIGITS: Final = 10
Mode = Literal["auto", "lines", "counted"]


class FramingFault(ValueError):
    """The stream cannot be cut any further; the connection must be closed."""


class Framer:
    """Takes bytes in any pieces, gives whole records.

    A line longer than the limit is not kept in memory: its first 64 KiB are given, marked, when its end has passed by.
    """

    def __init__(self, mode: Mode = "auto", limit: int = MAX_RECORD) -> None:
        """In mode ``auto`` the first byte decides: a digit starts an octet count, anything else a line."""
        self._mode: Mode = mode
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0
        self._head = b""
        """The first bytes of a record that has outgrown the limit."""
        self._passed = 0
        """How many bytes of that record have gone by; 0 when there is none."""
        self._wanted = -1
        """Bytes still to come of an octet-counted record; -1 when its count is not yet read."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take more bytes; give the records that are now whole. Exhaust the iterator before feeding again.

        Raises:
            FramingFault: an octet count is malformed.
        """
        self._buffer += data
        if self._mode == "auto" and self._buffer:
            self._mode = "counted" if 0x31 <= self._buffer[0] <= 0x39 else "lines"
        if self._mode == "counted":
            yield from self._counted()
        elif self._mode == "lines":
            yield from self._lines()

    def end(self) -> Iterator[bytes]:
        """Give what is left when the stream ends: a last line without newline, or a counted record cut short."""
        if self._passed:
            self._passed += len(self._buffer)
            yield cut_record(self._head, self._passed, self._limit)
        elif self._buffer.strip(b"\r\n\x00"):
            yield bytes(self._buffer).rstrip(b"\r\n\x00")
        self._reset()

    def _reset(self) -> None:
        self._buffer.clear()
        self._head, self._passed, self._searched, self._wanted = b"", 0, 0, -1

    def _lines(self) -> Iterator[bytes]:
        buffer = self._buffer
        start = 0
        while True:
            end = buffer.find(b"\n", max(start, self._searched))
            if end < 0:
                break
            if self._passed:
                yield cut_record(self._head, self._passed + end - start, self._limit)
                self._head, self._passed = b"", 0
            else:
                line = bytes(buffer[start:end]).rstrip(b"\r\x00")
                if line:
                    yield line if len(line) <= self._limit else cut_record(line, len(line), self._limit)
            start = end + 1
            self._searched = 0
        del buffer[:start]
        self._searched = len(buffer)
        if self._passed or len(buffer) > self._limit:
            self._pass_by()

    def _pass_by(self) -> None:
        if not self._passed:
            self._head = bytes(self._buffer[:KEPT])
        self._passed += len(self._buffer)
        self._buffer.clear()
        self._searched = 0

    def _counted(self) -> Iterator[bytes]:
        buffer = self._buffer
        while buffer:
            if self._wanted < 0 and not self._read_count():
                return
            if self._wanted > self._limit:
                yield from self._counted_long()
                if self._wanted >= 0:
                    return
                continue
            if len(buffer) < self._wanted:
                return
            record = bytes(buffer[: self._wanted])
            del buffer[: self._wanted]
            self._wanted = -1
            if record:
                yield record

    def _counted_long(self) -> Iterator[bytes]:
        """Let a record longer than the limit pass by; `_wanted` keeps its whole length, `_passed` what has gone by."""
        take = min(len(self._buffer), self._wanted - self._passed)
        if len(self._head) < KEPT:
            self._head += bytes(self._buffer[: min(take, KEPT - len(self._head))])
        del self._buffer[:take]
        self._passed += take
        if self._passed >= self._wanted:
            yield cut_record(self._head, self._wanted, self._limit)
            self._head, self._passed, self._wanted = b"", 0, -1

    def _read_count(self) -> bool:
        """Read ``<digits> `` off the buffer; False when it is not all there yet."""
        while self._buffer.startswith((b"\n", b"\r")):  # some senders end counted records with a newline that they do not count
            del self._buffer[:1]
        space = self._buffer.find(b" ", 0, _COUNT_DIGITS + 1)
        digits = bytes(self._buffer[: space if space >= 0 else _COUNT_DIGITS + 1])
        if digits and (not digits.isdigit() or (space < 0 and len(digits) > _COUNT_DIGITS)):
            raise FramingFault(f"a length in digits and a space are wanted, {digits[:20]!r} came; set this sender to one way of framing")
        if space <= 0:
            return False
        self._wanted = int(digits)
        del self._buffer[: space + 1]
        return True
