"""How commands print: tables for people, one JSON object a line for programs, CSV that no spreadsheet takes for a formula."""

import csv
import json
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Final

from watchword.kit.duration import say_duration

WIDEST: Final = 60
"""Columns of a table are cut to this many characters; NDJSON and CSV are never cut."""
SHOWN_ROWS: Final = 200
"""Rows whose width a table's columns are measured by; it prints them and goes on in the same widths."""


class Format(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    NDJSON = "ndjson"
    CSV = "csv"


def plain(value: Any) -> Any:
    """Return a value as JSON can say it: times as RFC 3339 in UTC, durations as ``1h30m``, dataclasses as objects."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [plain(each) for each in value]
    return _as_text(value)


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return say_duration(value)
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def print_rows(rows: Iterable[Mapping[str, Any]], form: Format, columns: Sequence[str]) -> int:
    """Print rows in the form asked for and return how many; `columns` are those of a table, the other forms have every key."""
    if form is Format.NDJSON:
        return _ndjson(rows)
    if form is Format.CSV:
        return _csv(rows)
    count = _table(rows, columns)
    if not count:
        say("nothing found")
    return count


def print_object(value: Any) -> None:
    """Print one JSON object on one line."""
    print(json.dumps(plain(value), ensure_ascii=False))


def _ndjson(rows: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the count is the answer
        print_object(row)
    return count


def _csv(rows: Iterable[Mapping[str, Any]]) -> int:
    writer, count = None, 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the count is the answer
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(row), extrasaction="ignore", lineterminator="\r\n")
            writer.writeheader()
        writer.writerow({key: _csv_cell(plain(value)) for key, value in row.items()})
    return count


def _csv_cell(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = " ".join(value)
    elif isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    return guarded(value) if isinstance(value, str) else value


def guarded(text: str) -> str:
    """Return the text with an apostrophe before it when a spreadsheet would take it for a formula."""
    return "'" + text if text.lstrip(" \n\v\f")[:1] in ("=", "+", "-", "@", "\t", "\r") and text[:1] else text


def printable(text: str) -> str:
    """Return the text on one line without control characters, so that no record can move the reader's cursor or colours."""
    return "".join(" " if char in "\n\r\t" else char if unicodedata.category(char)[0] != "C" else "\ufffd" for char in text)


def _cell(value: Any) -> str:
    value = plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_cell(each) for each in value)
    if isinstance(value, dict):
        return printable(json.dumps(value, ensure_ascii=False))
    return printable(str(value))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> int:
    rows = iter(rows)
    first = [[_cell(row.get(column)) for column in columns] for row, _ in zip(rows, range(SHOWN_ROWS), strict=False)]
    if not first:
        return 0
    widths = [max(_width(name), *(_width(line[index]) for line in first)) for index, name in enumerate(columns)]
    fit = _fitted(widths)
    print(_line([column.replace("_", " ") for column in columns], fit))
    count = 0
    for count, line in enumerate(_chain(first, rows, columns), 1):  # noqa: B007 - the count is the answer
        print(_line(line, fit))
    return count


def _chain(first: list[list[str]], rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterable[list[str]]:
    yield from first
    for row in rows:
        yield [_cell(row.get(column)) for column in columns]


def _fitted(widths: list[int]) -> list[int]:
    """Return the widths cut to `WIDEST`; the last column takes what a terminal has left, and everything in a pipe."""
    fit = [min(width, WIDEST) for width in widths]
    if sys.stdout.isatty():
        fit[-1] = max(20, shutil.get_terminal_size().columns - sum(fit[:-1]) - 2 * (len(fit) - 1))
    else:
        fit[-1] = max(widths[-1], 100_000)
    return fit


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    out = []
    for text, width in zip(cells, widths, strict=True):
        shown = text
        if _width(shown) > width:
            while shown and _width(shown) > width - 1:
                shown = shown[:-1]
            shown += "…"
        out.append(shown + " " * max(0, width - _width(shown)) if width < 100_000 else shown)
    return "  ".join(out).rstrip()


def say(text: str) -> None:
    """Say something to the person at the terminal, beside the results: on stderr."""
    print(text, file=sys.stderr)


def shown_path(path: Path) -> str:
    """Return the path as short as it can be said from here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


Row = Callable[[Any], dict[str, Any]]
