"""CSV rows: exact bytes, quoted line ends, stray quotes, headers."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ingest.delimited import CsvFormat, DelimitedFault, DelimitedReader, SecretColumns, rows, with_header


def lines(text: bytes) -> list[bytes]:
    return text.splitlines(keepends=True)


def test_rows_keep_their_bytes_and_lines() -> None:
    got = list(rows(lines(b'\xef\xbb\xbfa,b\r\n1,"x\r\ny"\r\n\r\n2,z'), CsvFormat()))
    assert [(row.line, row.body, row.is_header) for row in got] == [(1, b"a,b", True), (2, b'1,"x\r\ny"', False), (5, b"2,z", False)]


def test_a_stray_quote_does_not_swallow_the_file() -> None:
    text = b'a,b\n1,"oops\n' + b"".join(b"%d,x\n" % number for number in range(500))
    got = [row.body for row in rows(lines(text), CsvFormat())]
    assert b'1,"oops' in got
    assert b"499,x" in got
    assert len(got) == 502


def test_a_header_that_names_a_column_twice_is_a_fault() -> None:
    with pytest.raises(DelimitedFault, match="twice"):
        DelimitedReader(CsvFormat()).columns(b"a,a\n1,2")


def test_columns_are_read_with_and_without_header() -> None:
    assert DelimitedReader(CsvFormat(delimiter=";")).columns(b'"a;x";b\n1;"2\n3"') == {"a;x": "1", "b": "2\n3"}
    assert DelimitedReader(CsvFormat(header="none", columns=("a", "b"))).columns(b"1,2") == {"a": "1", "b": "2"}
    assert DelimitedReader(CsvFormat(encoding="cp1252")).columns("a\nSüd".encode("cp1252")) == {"a": "Süd"}
    assert DelimitedReader(CsvFormat(errors="replace")).columns(b"a\nS\xfcd") == {"a": "S\ufffdd"}


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=12)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=6))
def test_what_a_writer_wrote_is_read_back(table: list[tuple[str, str, str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["a", "b", "c"])
    writer.writerows(table)
    form, reader = CsvFormat(), DelimitedReader(CsvFormat())
    stream = io.BytesIO(out.getvalue().encode())
    header, *body = [row.body for row in rows(stream, form)]
    assert [tuple(reader.columns(with_header(header, one)).values()) for one in body] == table


def test_columns_named_like_secrets_are_blanked() -> None:
    secret = SecretColumns(("badge", "PIN", "reader"), CsvFormat())
    assert secret.blank(b"7,1234,R1") == b"7,[scrubbed],R1"
    assert b"1234" not in secret.blank(b'"7","1234","R,1"')
    plain = SecretColumns(("badge", "reader"), CsvFormat())
    assert plain.blank(b"7,R1") == b"7,R1"
