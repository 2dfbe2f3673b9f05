"""Rows of a people, credential or account file: CSV and YAML read into the same columns, each row knowing its line."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchword.kit.errors import ContentError, Fault
from watchword.kit.marked import read_marked
from watchword.resolve.cursor import did_you_mean

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "employee": ("employee number", "employee id", "employee no", "number", "person", "personnel number", "staff id", "holder", "emp id"),
    "name": ("full name", "display name", "employee name"),
    "kind": ("type", "person type", "category"),
    "role": ("title", "job title", "position", "job"),
    "site": ("location", "office", "home site"),
    "since": ("start", "start date", "valid from", "from", "issued", "hired", "hire date"),
    "until": ("end", "valid until", "valid to", "expires", "left"),
    "last_day": ("last day", "end date", "leaving date", "last working day", "termination date"),
    "remote": ("works remotely", "home office", "remote worker"),
    "shift": ("calendar", "working hours", "schedule"),
    "works_alone": ("alone", "lone worker"),
    "badges": ("badge", "card", "cards", "card number", "badge number", "badge id", "credential", "credentials", "prox card"),
    "phones": ("phone", "mobile", "mobile credential"),
    "plates": ("plate", "licence plate", "license plate"),
    "accounts": ("account", "user", "user name", "username", "login", "logins", "email", "e-mail", "mail", "upn"),
    "assets": ("asset", "workstation", "workstations", "host", "hosts", "computer", "device", "devices"),
}
"""Column → other names under which it is found; case, spaces, ``_`` and ``-`` do not matter."""
MANY: Final = frozenset({"badges", "phones", "plates", "accounts", "assets"})
SECTIONS: Final = ("people", "credentials", "accounts", "assets")
MAX_ROWS: Final = 1_000_000


def _folded(word: str) -> str:
    return " ".join(word.strip().lower().replace("_", " ").replace("-", " ").split())


COLUMNS: Final = {_folded(word): column for column, words in ALIASES.items() for word in (column, *words)}


@dataclass(slots=True)
class Row:
    """One row: its cells by column, and where it stands."""

    file: str
    line: int
    cells: dict[str, list[Any]]
    faults: list[Fault]
    person: bool
    """Whether the row describes a person, so that since and until are theirs; else they are the credential's."""

    def fault(self, message: str, remedy: str = "") -> None:
        """Note a fault at this row's line."""
        self.faults.append(Fault(self.file, self.line, message, remedy))

    def one(self, column: str) -> Any:
        """Return the only value of a column, or None."""
        values = self.cells.get(column) or [None]
        if len(values) > 1:
            self.fault(f"{column!r} must hold one value")
        return values[0]


def read_rows(text: str, name: str, faults: list[Fault]) -> Iterator[Row]:
    """Yield the rows of a file: YAML when its name says so, else CSV; what is wrong is noted in `faults`."""
    if name.lower().endswith((".yaml", ".yml")):
        yield from _yaml_rows(text, name, faults)
    else:
        yield from _csv_rows(text, name, faults)


def _csv_rows(text: str, name: str, faults: list[Fault]) -> Iterator[Row]:
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    delimiter = max((",", ";", "\t"), key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
        columns = _columns(header, name, faults)
        if columns is None:
            return
        for count, cells in enumerate(reader):
            line = reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if count >= MAX_ROWS:
                faults.append(Fault(name, line, f"holds more than {MAX_ROWS:,} rows", "split the file"))
                return
            if len(cells) > len(header):
                faults.append(
                    Fault(name, line, f"has {len(cells)} cells, the header has {len(header)}", f"quote cells that hold {delimiter!r}")
                )
                continue
            row = Row(name, line, {}, faults, person="name" in columns)
            for column, cell in zip(columns, cells, strict=False):
                if column and cell.strip():
                    row.cells.setdefault(column, []).extend(_split(cell) if column in MANY else [cell.strip()])
            yield row
    except csv.Error as error:
        faults.append(Fault(name, reader.line_num, f"is no CSV: {error}", "close the quotes"))


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.replace("|", ";").split(";") if part.strip()]


def _columns(header: list[str], name: str, faults: list[Fault]) -> list[str] | None:
    """Return the column that each cell of the header names ('' for foreign ones), or None when the file cannot be used."""
    columns = [COLUMNS.get(_folded(word), "") for word in header]
    if "employee" not in columns:
        seen = ", ".join(repr(word) for word in header if not any(sign.isdigit() for sign in word)) or "no words"
        remedy = "the first line names the columns, 'employee' among them"
        faults.append(Fault(name, 1, f"has no column for the employee number; found {seen}"[:300], remedy))
        return None
    for column in set(columns) - {"", *MANY}:
        if columns.count(column) > 1:
            faults.append(Fault(name, 1, f"has {columns.count(column)} columns for {column!r}", "rename or remove one"))
            return None
    return columns


def _yaml_rows(text: str, name: str, faults: list[Fault]) -> Iterator[Row]:
    try:
        marked = read_marked(text, name)
    except ContentError as error:
        faults += error.faults
        return
    if not isinstance(marked.value, dict):
        faults.append(Fault(name, 1, "expected sections", f"sections: {', '.join(SECTIONS)}"))
        return
    for section, entries in marked.value.items():
        if section not in SECTIONS:
            faults.append(marked.fault(f"unknown section {section!r}", section, remedy=did_you_mean(str(section), SECTIONS)))
        elif not isinstance(entries, list):
            faults.append(marked.fault(f"{section!r} must be a list", section, remedy="begin each entry with '- '"))
        else:
            for index, entry in enumerate(entries):
                row = Row(name, marked.line(section, index), {}, faults, person=section == "people")
                if not isinstance(entry, dict):
                    row.fault("expected keys and values", "write - {employee: ..., name: ...}")
                    continue
                _fill(row, entry)
                yield row


def _fill(row: Row, entry: Mapping[Any, Any]) -> None:
    for key, value in entry.items():
        column = COLUMNS.get(_folded(str(key)))
        if column is None:
            row.fault(f"unknown key {key!r}", did_you_mean(str(key), ALIASES))
        elif value is not None:
            row.cells.setdefault(column, []).extend(value if isinstance(value, list) else [value])
