"""How commands print: nothing in a record can act on a terminal or a spreadsheet."""

import csv
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest

from watchword.cli.main import exit_status, hoisted
from watchword.cli.output import Format, guarded, plain, print_rows, printable
from watchword.kit.errors import Conflict, ContentError, Fault, InputError, NotFound, Unavailable


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Thing:
    at: datetime
    took: timedelta
    colour: Colour
    tags: tuple[str, ...]
    body: bytes


def test_plain_values():
    thing = Thing(datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC), timedelta(minutes=90), Colour.RED, ("a", "b"), b"\xffx")
    assert plain(thing) == {"at": "2026-01-02T03:04:05.678Z", "took": "1h30m", "colour": "red", "tags": ["a", "b"], "body": "\\xffx"}
    assert json.loads(json.dumps(plain({"x": {1: None, "y": {2.5}}}))) == {"x": {"1": None, "y": [2.5]}}


@pytest.mark.parametrize("evil", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1"])
def test_no_cell_is_a_formula(evil, capsys):
    assert guarded(evil).startswith("'")
    print_rows([{"a": evil, "b": [evil], "c": 5, "d": "x"}], Format.CSV, ())
    row = next(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert row["a"].startswith("'")
    assert row["b"].startswith("'")
    assert (row["c"], row["d"]) == ("5", "x")


def test_plain_cells_stay(capsys):
    for text in ("", "badge", "10.0.0.1", "a=b", "2026-01-01"):
        assert guarded(text) == text
    print_rows([{"a": {"k": "v"}, "b": ["x", "y"]}], Format.CSV, ())
    assert capsys.readouterr().out == 'a,b\r\n"{""k"": ""v""}",x y\r\n'


def test_no_record_moves_the_cursor(capsys):
    print_rows([{"a": "\x1b[2Jred\x07\u202eright\nline", "b": True}], Format.TABLE, ("a", "b"))
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert printable("a\nb\x00") == "a b\ufffd"
    assert out.splitlines()[1].endswith("yes")
    assert len(out.splitlines()) == 2


def test_ndjson_is_one_object_a_line(capsys):
    assert print_rows([{"a": "x\ny"}, {"a": 1.5}], Format.NDJSON, ()) == 2
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [{"a": "x\ny"}, {"a": 1.5}]


def test_nothing_prints_nothing(capsys):
    for form in Format:
        assert print_rows([], form, ("a",)) == 0
    assert capsys.readouterr().out == ""


def test_wide_tables_are_cut_but_the_last_column_is_not_in_a_pipe(capsys):
    print_rows([{"a": "x" * 200, "b": "y" * 200}], Format.TABLE, ("a", "b"))
    line = capsys.readouterr().out.splitlines()[1]
    assert "x" * 59 + "…" in line
    assert line.endswith("y" * 200)


def test_global_options_may_stand_anywhere():
    assert hoisted(["findings", "list", "--data", "d", "--since", "1h"]) == ["--data", "d", "findings", "list", "--since", "1h"]
    assert hoisted(["a", "--data=d"]) == ["--data=d", "a"]
    assert hoisted(["a", "--", "--data", "d"]) == ["a", "--", "--data", "d"]
    assert hoisted(["a", "--data"]) == ["--data", "a"]


def test_a_noun_with_options_alone_asks_for_its_list():
    assert hoisted(["events", "--since", "24h", "--data", "d"]) == ["--data", "d", "events", "list", "--since", "24h"]
    assert hoisted(["audit", "--format", "csv"]) == ["audit", "list", "--format", "csv"]
    for stays in (
        ["events"],
        ["events", "-h"],
        ["audit", "--help"],
        ["entities", "--rank"],
        ["sources", "show", "doors"],
        ["doctor", "--x"],
    ):
        assert hoisted(stays) == stays


def test_an_empty_table_says_so_beside_the_results(capsys):
    assert print_rows([], Format.TABLE, ("a",)) == 0
    assert capsys.readouterr() == ("", "nothing found\n")
    assert print_rows([], Format.NDJSON, ("a",)) == 0
    assert capsys.readouterr() == ("", "")


def test_exit_statuses():
    assert exit_status(InputError("x")) == 2
    assert exit_status(Unavailable("x")) == 3
    assert {exit_status(each) for each in (NotFound("x"), Conflict("x"), ContentError([Fault("a", 1, "b")]))} == {1}
