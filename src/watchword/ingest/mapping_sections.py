"""Sections of a mapping: source, format and time, read from the marked document; every fault is noted with its line and remedy."""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from difflib import get_close_matches
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from watchword.ingest.credential import card_tail
from watchword.ingest.decode import Format
from watchword.ingest.delimited import CsvFormat, Header
from watchword.ingest.mapping_run import TimePlan
from watchword.ingest.mapping_values import SpecFault, ValueCompiler
from watchword.ingest.moment import LocalClock, MomentReader, moment_reader
from watchword.kit.errors import Fault
from watchword.kit.marked import Marked
from watchword.model import Domain, SourceKind

TOP: Final = (
    "mapping", "describes", "source", "format", "time", "id", "product", "logsource", "fields", "events", "otherwise", "empty",
)  # fmt: skip
FORMAT: Final = ("kind", "delimiter", "encoding", "errors", "header", "columns", "quote", "message", "optional")
TIME: Final = ("from", "format", "zone", "fold")
SOURCE: Final = ("domain", "kind", "connector", "site", "lateness", "resolution", "skew", "rhythm")
CONNECTORS: Final = ("syslog", "webhook", "csv", "jsonl")
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s|m|h|d)")


def duration_of(text: Any) -> timedelta | None:
    """Return the duration written as ``90s``, ``2m``, ``24h``, ``7d`` or ``250ms``; None when it is not so written."""
    found = _DURATION.fullmatch(str(text).strip())
    if found is None:
        return None
    try:
        return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    except OverflowError:
        return None


def card_tail_masked(number: str) -> str:
    """Return how a card number is written in a message: its last digits."""
    return "…" + card_tail(number)


class Sections:
    """A mapping being read: its document, the faults found so far, and what its sections say."""

    def __init__(self, marked: Marked, key: bytes) -> None:
        self.marked = marked
        self.key = key
        self.faults: list[Fault] = []
        self.values = ValueCompiler(frozenset({""}), card_tail_masked)

    def fault(self, message: str, *path: Any, remedy: str = "") -> None:
        """Note a fault at a path of the document."""
        self.faults.append(self.marked.fault(message, *path, remedy=remedy))

    def guarded(self, make: Callable[[], Any], *path: Any) -> Any:
        """Run a compile step; a SpecFault becomes a fault at its path, and the result None."""
        try:
            return make()
        except SpecFault as fault:
            self.fault(str(fault), *path, *fault.path, remedy=fault.remedy)
            return None

    def known(self, section: Any, names: Iterable[str], *path: Any) -> dict[str, Any]:
        """Return the section as a mapping, with unknown names reported; an empty one when it is none."""
        names = tuple(names)
        if section is None:
            return {}
        if not isinstance(section, dict):
            self.fault("a mapping with names and values is wanted here", *path, remedy="known names: " + ", ".join(names))
            return {}
        for one in section:
            if one not in names:
                near = get_close_matches(str(one), names, 1)
                self.fault(
                    f"{one!r} is not known here", *path, one, remedy=f"did you mean {near[0]}?" if near else "known: " + ", ".join(names)
                )
        return section

    def choice(self, section: dict[str, Any], name: str, allowed: tuple[Any, ...], *path: Any, default: Any = None) -> Any:
        """Return a word that must be one of those allowed; note a fault when it is not."""
        value = section.get(name, default)
        if value in allowed and not (isinstance(value, bool) and True not in allowed and False not in allowed):
            return value
        self.fault(
            f"{value!r} is not known here" if name in section else f"{name} is missing",
            *path,
            name,
            remedy="one of " + ", ".join(map(str, allowed)),
        )
        return default if default is not None else allowed[0]

    def read_empty(self, top: dict[str, Any]) -> frozenset[str]:
        """Return the texts that mean: no value."""
        wanted = top.get("empty", [])
        if not isinstance(wanted, list) or not all(isinstance(item, str) for item in wanted):
            self.fault("empty is a list of texts that mean: no value", "empty", remedy='empty: ["-", "N/A"]')
            return frozenset({""})
        return frozenset({"", *wanted})

    def read_product(self, top: dict[str, Any]) -> dict[str, str] | None:
        """Return the product that the records come from."""
        if "product" not in top:
            return None
        if isinstance(top["product"], str):
            return {"name": top["product"]}
        section = self.known(top["product"], ("name", "vendor_name", "version"), "product")
        return {one: str(value) for one, value in section.items()}

    def read_source(self, top: dict[str, Any]) -> dict[str, Any]:
        """Return the settings of a source, as `Source` takes them."""
        section = self.known(top.get("source"), SOURCE, "source")
        settings: dict[str, Any] = {
            "domain": Domain(self.choice(section, "domain", tuple(Domain), "source", default=Domain.IT)),
            "kind": SourceKind(self.choice(section, "kind", tuple(SourceKind), "source", default=SourceKind.OTHER)),
            "connector": self.choice(section, "connector", CONNECTORS, "source", default="webhook"),
        }
        if "site" in section:
            settings["site"] = str(section["site"])
        for one in ("lateness", "resolution", "skew", "rhythm"):
            if one in section:
                length = duration_of(section[one])
                if length is None:
                    self.fault(f"{section[one]!r} is no duration", "source", one, remedy="write 500ms, 90s, 2m, 24h or 7d")
                else:
                    settings[one] = length
        return settings

    def read_format(self, top: dict[str, Any]) -> Format:
        """Return how records are written."""
        if "format" not in top:
            self.fault("format is missing", remedy="format: {kind: json}, or csv, syslog, text")
            return Format()
        section = self.known(top["format"], FORMAT, "format")
        kind = self.choice(section, "kind", ("json", "csv", "syslog", "text"), "format", default="json" if "kind" in section else None)
        message = self.choice(section, "message", ("auto", "json", "pairs", "none"), "format", default="auto")
        for one in ("delimiter", "encoding", "errors", "header", "columns", "quote", "optional"):
            if one in section and kind != "csv":
                self.fault(f"{one} belongs to csv", "format", one, remedy="leave it out, or set kind: csv")
        if "message" in section and kind not in {"syslog", "text"}:
            self.fault("message belongs to syslog and text", "format", "message", remedy="leave it out")
        return Format(kind, self._csv(section) if kind == "csv" else CsvFormat(), message)

    def _csv(self, section: dict[str, Any]) -> CsvFormat:
        delimiter, quote = section.get("delimiter", ","), section.get("quote", '"')
        for one, value in (("delimiter", delimiter), ("quote", quote)):
            if not isinstance(value, str) or len(value) != 1 or not value.isascii() or value in "\r\n":
                self.fault(f"{one} is one ASCII character", "format", one, remedy='delimiter: ";" or "\\t"')
        encoding = str(section.get("encoding", "utf-8"))
        try:
            ascii_alike = b'a";\n'.decode(encoding) == 'a";\n'
        except (LookupError, UnicodeError):
            ascii_alike = False
        if not ascii_alike:
            self.fault(
                f"{encoding!r} cannot be read line by line", "format", "encoding", remedy="utf-8, cp1252, latin-1 …; convert UTF-16 first"
            )
        errors = self.choice(section, "errors", ("strict", "replace"), "format", default="strict")
        columns = section.get("columns", [])
        if not isinstance(columns, list) or not all(isinstance(one, str) and one for one in columns) or len(set(columns)) != len(columns):
            self.fault("columns is a list of different names", "format", "columns", remedy="columns: [time, badge, reader]")
            columns = []
        stated = section.get("header", not columns)
        if stated not in {True, False, "skip"}:
            self.fault(f"{stated!r} is not known here", "format", "header", remedy="true, false or skip")
        if stated is True and columns:
            self.fault(
                "names come either from the file's first row or from columns",
                "format",
                "columns",
                remedy="set header: skip, or leave columns out",
            )
        if stated is not True and not columns:
            self.fault("columns are wanted where the file does not name them", "format", remedy="columns: [time, badge, reader]")
        header: Header = "first" if stated is True else "skip" if stated == "skip" else "none"
        return CsvFormat(
            str(delimiter)[:1] or ",", encoding if ascii_alike else "utf-8", errors, header, tuple(columns), str(quote)[:1] or '"'
        )

    def read_optional(self) -> frozenset[str]:
        """Return the CSV columns that a file may lack."""
        section = self.marked.value.get("format")
        wanted = section.get("optional", []) if isinstance(section, dict) else []
        if not isinstance(wanted, list):
            self.fault("optional is a list of columns", "format", "optional")
            return frozenset()
        return frozenset(map(str, wanted))

    def read_time(self, top: dict[str, Any]) -> TimePlan:
        """Return where the time stands and how it is read."""
        section = self.known(top.get("time"), TIME, "time")
        names = section.get("from", [])
        names = names if isinstance(names, list) else [names]
        if "from" in section and not names:
            self.fault("from names no column", "time", "from")
        columns = []
        for index, one in enumerate(names):
            at = ("time", "from", index) if isinstance(section["from"], list) else ("time", "from")
            own = self.known(one, TIME, *at) if isinstance(one, dict) else {"from": one}
            reader = self._reader({**section, **own}, at if isinstance(one, dict) else ("time",))
            get = self.guarded(partial(self.values.column, own.get("from")), *at)
            columns.append((str(own.get("from")), get, reader))
        if not names:
            self._reader(section, ("time",))
        return TimePlan(tuple(columns), LocalClock(self._zone(section, ("time",), quiet=True), self._fold(section, ("time",), quiet=True)))

    def _reader(self, section: dict[str, Any], at: tuple[Any, ...]) -> MomentReader:
        formats = section.get("format", "iso")
        formats = formats if isinstance(formats, list) and formats else [formats]
        try:
            return moment_reader(tuple(str(one) for one in formats), self._zone(section, at), self._fold(section, at))
        except ValueError as error:
            self.fault(str(error), *at, "format")
            return moment_reader(("iso",))

    def _zone(self, section: dict[str, Any], at: tuple[Any, ...], *, quiet: bool = False) -> ZoneInfo | None:
        if "zone" not in section:
            return None
        try:
            return ZoneInfo(str(section["zone"]))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            if not quiet:
                remedy = "write a name of the tz database, such as Europe/Berlin or UTC"
                self.fault(f"{section['zone']!r} is no time zone", *at, "zone", remedy=remedy)
            return None

    def _fold(self, section: dict[str, Any], at: tuple[Any, ...], *, quiet: bool = False) -> int:
        if quiet:
            return int(section.get("fold") == "second")
        return int(self.choice(section, "fold", ("first", "second"), *at, default="first") == "second")
