"""Files: CSV and JSON-lines files are cut into records in bounded memory, given once or dropped into a watched folder."""

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from watchword.ingest.delimited import BOMS, DelimitedFault, DelimitedReader, Row, SecretColumns, rows, with_header
from watchword.ingest.intake import KEPT, MAX_RECORD, Incoming, Intake, cut_record
from watchword.ingest.mapping import Mapping
from watchword.ingest.occurrence import Occurrences
from watchword.ingest.ports import Receipt
from watchword.ingest.trial import Tried, try_mapping
from watchword.kit.errors import ContentError, Fault, InputError

BATCH: Final = 5_000
"""Records handed over at once."""
BATCH_BYTES: Final = 8 << 20
"""Bytes of records handed over at once."""
_PIECE: Final = 1 << 20


def lines_of(stream: BinaryIO, limit: int = MAX_RECORD) -> Iterator[bytes]:
    """Return the lines of a stream, each with its line end; a line longer than the limit is cut and marked, never held in memory."""
    rest = b""
    head, passed = b"", 0
    while piece := stream.read(_PIECE):
        if passed:
            end = piece.find(b"\n")
            if end < 0:
                passed += len(piece)
                continue
            yield cut_record(head, passed + end, limit) + b"\n"
            head, passed, piece = b"", 0, piece[end + 1 :]
        parts = (rest + piece).split(b"\n")
        rest = parts.pop()
        for part in parts:
            yield (part if len(part) <= limit else cut_record(part, len(part), limit)) + b"\n"
        if len(rest) > limit:
            head, passed, rest = rest[:KEPT], len(rest), b""
    if passed:
        yield cut_record(head, passed, limit)
    elif rest:
        yield rest


def read_file(path: Path, mapping: Mapping, limit: int = MAX_RECORD) -> Iterator[list[Incoming]]:
    """Return the records of a CSV or JSON-lines file in batches; the bytes of each record are kept as they stand in the file.

    A row of a CSV file whose first row names the columns is kept together with that row, so that it can be read again without its file.

    Raises:
        InputError: the file cannot be opened, or is UTF-16.
    """
    batch: list[Incoming] = []
    size = 0
    for _, body in records_of(path, mapping, limit):
        batch.append(Incoming(body))
        size += len(body)
        if len(batch) >= BATCH or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def records_of(path: Path, mapping: Mapping, limit: int = MAX_RECORD) -> Iterator[tuple[int, bytes]]:
    """Return (line, bytes) of every record in a file; raises as `read_file`."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "file") from None
    with stream:
        start = stream.read(4)
        if start[:2] in BOMS[1:]:
            raise InputError(f"{path} is UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 {path.name} > utf8-{path.name}", "file")
        stream.seek(0)
        yield from _csv_records(stream, mapping, limit) if mapping.format.kind == "csv" else _line_records(stream, limit)


def try_file(path: Path, mapping: Mapping, rows_wanted: int, received: datetime) -> list[Tried]:
    """Return what the first records of a file would become; nothing is stored. Raises as `read_file`."""
    return list(try_mapping(mapping, islice(records_of(path, mapping), rows_wanted), received))


def _line_records(stream: BinaryIO, limit: int) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(lines_of(stream, limit), 1):
        record = line.strip(b"\r\n \t")
        if number == 1:
            record = record.removeprefix(BOMS[0])
        if record:
            yield number, record


def _csv_records(stream: BinaryIO, mapping: Mapping, limit: int) -> Iterator[tuple[int, bytes]]:
    form = mapping.format.csv
    header = b""
    secret = SecretColumns(form.columns, form)
    for row in rows(lines_of(stream, limit), form, limit):
        if row.is_header:
            if form.header == "first":
                header = row.body
                secret = SecretColumns(_names(header, mapping), form)
            continue
        body = secret.blank(row.body)
        yield row.line, with_header(header, body) if form.header == "first" else body


def _names(header: bytes, mapping: Mapping) -> tuple[str, ...]:
    try:
        return DelimitedReader(mapping.format.csv).names(header)
    except DelimitedFault:
        return ()


def check_file(path: Path, mapping: Mapping) -> None:
    """Check that a CSV file's first row names the columns that the mapping uses, before anything is taken from it.

    Raises:
        ContentError: it does not; the fault names file, line, column and remedy.
        InputError: the file cannot be read.
    """
    form = mapping.format.csv
    if mapping.format.kind != "csv" or form.header != "first":
        return
    try:
        with path.open("rb") as stream:
            header: Row | None = next(rows(lines_of(stream), form), None)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "file") from None
    if header is None:
        raise ContentError(
            [Fault(str(path), 1, "is empty; its first row must name the columns", "set format.columns if it has no such row")]
        )
    try:
        DelimitedReader(form, mapping.check_header).names(header.body)
    except DelimitedFault as fault:
        raise ContentError([Fault(str(path), header.line, str(fault))]) from None


def ingest_file(path: Path, source: str, mapping: Mapping, intake: Intake, on_batch: Callable[[Receipt], None] | None = None) -> Receipt:
    """Take a whole file in; sent again, whole or grown, only what is new is taken.

    Raises:
        InputError, Full, NotFound: as `read_file` and `Intake.accept`.
    """
    occurrences = Occurrences()
    accepted = duplicate = 0
    for batch in read_file(path, mapping):
        receipt = intake.accept(source, batch, occurrences=occurrences)
        accepted += receipt.accepted
        duplicate += receipt.duplicate
        if on_batch is not None:
            on_batch(receipt)
    return Receipt(accepted, duplicate)
