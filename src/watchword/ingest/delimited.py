"""Delimited text: cuts CSV into rows whose bytes are kept exactly, quoted newlines included, and reads a row back into columns."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from watchword.ingest.intake import MAX_RECORD, cut_record
from watchword.ingest.scrub import MARK, SECRET_NAME

Header = Literal["first", "skip", "none"]
"""``first``: the first row names the columns; ``skip``: it is left out, the mapping names them; ``none``: there is no such row."""
BOMS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_OPEN_BOUND: Final = 64
"""Lines that one quoted value may span; beyond, the quote is taken for a stray one."""


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How the text is written."""

    delimiter: str = ","
    encoding: str = "utf-8"
    errors: Literal["strict", "replace"] = "strict"
    """What a byte does that the encoding does not know: ``strict`` makes the row a fault, ``replace`` puts U+FFFD."""
    header: Header = "first"
    columns: tuple[str, ...] = ()
    quote: str = '"'


class DelimitedFault(ValueError):
    """A row that cannot be read into columns."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line it starts on (from 1) and its exact bytes, without the line end; a header row is told by `is_header`."""

    line: int
    body: bytes
    is_header: bool = False


def rows(lines: Iterable[bytes], form: CsvFormat, limit: int = MAX_RECORD) -> Iterator[Row]:
    """Cut lines (each with its line end) into rows; empty lines are left out.

    A quoted value may hold line ends. A quote that is not closed within 64 lines or `limit` bytes is a stray one: those lines then are rows
    each for itself, so one bad byte never swallows a file.
    """
    quote = form.quote.encode("ascii")
    await_header = form.header != "none"
    for number, body in _joined(lines, quote, limit):
        if await_header:
            await_header = False
            yield Row(number, _without_bom(body), is_header=True)
        else:
            yield Row(number, _without_bom(body) if number == 1 else body)


def _without_bom(body: bytes) -> bytes:
    return body.removeprefix(BOMS[0])


def _joined(lines: Iterable[bytes], quote: bytes, limit: int) -> Iterator[tuple[int, bytes]]:
    pending: list[tuple[int, bytes]] = []
    size = 0
    for number, line in enumerate(lines, 1):
        if not pending and (quote not in line or line.count(quote) % 2 == 0):
            body = line.rstrip(b"\r\n")
            if body:
                yield number, body
            continue
        pending.append((number, line))
        size += len(line)
        if len(pending) > 1 and line.count(quote) % 2:
            yield pending[0][0], b"".join(part for _, part in pending).rstrip(b"\r\n")
            pending, size = [], 0
        elif len(pending) > _OPEN_BOUND or size > limit:
            yield from _each(pending, limit)
            pending, size = [], 0
    yield from _each(pending, limit)


def _each(pending: Sequence[tuple[int, bytes]], limit: int) -> Iterator[tuple[int, bytes]]:
    for number, line in pending:
        body = line.rstrip(b"\r\n")
        if body:
            yield number, body if len(body) <= limit else cut_record(body, len(body), limit)


def with_header(header: bytes, row: bytes) -> bytes:
    """Return the record that is kept of a row in a file with a header: both, so that it can be read again without its file."""
    return header + b"\n" + row


class DelimitedReader:
    """Reads kept rows back into columns."""

    def __init__(self, form: CsvFormat, check: Callable[[tuple[str, ...]], None] | None = None) -> None:
        """Take `check`, which is given the names of each new header and may raise DelimitedFault."""
        self._form = form
        self._check = check
        self._names = lru_cache(maxsize=64)(self._read_names)

    def columns(self, body: bytes) -> dict[str, str]:
        """Return column name → text.

        Raises:
            DelimitedFault: undecodable bytes, or a row with more or fewer values than there are columns.
        """
        form = self._form
        if form.header == "first":
            head, _, row = body.partition(b"\n")
            if form.quote.encode() in head and head.count(form.quote.encode()) % 2:
                head, row = self._split_header(body)
            names = self._names(head)
        else:
            names, row = form.columns, body
        values = self._values(row)
        if len(values) != len(names):
            raise DelimitedFault(
                f"has {len(values)} values where {len(names)} columns are named ({', '.join(names[:12])}); "
                f"check the delimiter ({form.delimiter!r}) and quoting of this row",
            )
        return dict(zip(names, values, strict=True))

    def _values(self, row: bytes) -> list[str]:
        form = self._form
        try:
            text = row.decode(form.encoding, form.errors)
        except UnicodeDecodeError as error:
            column = row[: error.start].count(form.delimiter.encode()) + 1
            raise DelimitedFault(
                f"holds a byte 0x{row[error.start]:02x} in column {column} that is no {form.encoding}; "
                "set format.encoding (cp1252, latin-1 …), or format.errors: replace",
            ) from None
        if form.quote not in text:
            return text.split(form.delimiter)
        try:
            return next(
                csv.reader([text] if "\n" not in text else text.splitlines(keepends=True), delimiter=form.delimiter, quotechar=form.quote),
                [],
            )
        except csv.Error as error:
            raise DelimitedFault(f"cannot be read as CSV: {error}") from None

    def _read_names(self, head: bytes) -> tuple[str, ...]:
        names = tuple(name.strip() for name in self._values(_without_bom(head)))
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise DelimitedFault(
                f"has a header in which {', '.join(sorted(twice))} stands twice; give format.columns and format.header: skip"
            )
        if self._check is not None:
            self._check(names)
        return names

    def _split_header(self, body: bytes) -> tuple[bytes, bytes]:
        quote = self._form.quote.encode()
        at = body.find(b"\n")
        while at >= 0 and body.count(quote, 0, at) % 2:
            at = body.find(b"\n", at + 1)
        return (body[:at], body[at + 1 :]) if at >= 0 else (body, b"")

    def names(self, header: bytes) -> tuple[str, ...]:
        """Return the column names that a header row gives.

        Raises:
            DelimitedFault: it cannot be read.
        """
        return self._names(header)


class SecretColumns:
    """Blanks the values of columns named like a PIN or password before a row is kept."""

    def __init__(self, names: Sequence[str], form: CsvFormat) -> None:
        self._at = [index for index, name in enumerate(names) if SECRET_NAME.match(name.replace(" ", "_").encode())]
        self._form = form

    def blank(self, row: bytes) -> bytes:
        """Return the row without secrets; the very same bytes when no column is one."""
        if not self._at:
            return row
        delimiter, quote = self._form.delimiter.encode(), self._form.quote.encode()
        if quote in row:
            reader = csv.reader([row.decode("latin-1")], delimiter=self._form.delimiter, quotechar=self._form.quote)
            values = [b'"' + value.replace('"', '""').encode("latin-1") + b'"' for value in next(reader, [])]
        else:
            values = row.split(delimiter)
        for index in self._at:
            if index < len(values) and values[index].strip(b'"'):
                values[index] = MARK
        return delimiter.join(values)
