"""Loading a mapping: the YAML text is checked as a whole, every fault is named by path and line, then it is compiled."""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from difflib import get_close_matches
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from watchword.ingest.condition import compile_condition
from watchword.ingest.credential import card_tail
from watchword.ingest.decode import Format, decoder
from watchword.ingest.delimited import CsvFormat, DelimitedFault, Header
from watchword.ingest.mapping_entry import EntryCompiler
from watchword.ingest.mapping_run import Entry, Mapping, TimePlan
from watchword.ingest.mapping_values import Get, Row, SpecFault, ValueCompiler, column_get
from watchword.ingest.moment import LocalClock, MomentReader, moment_reader
from watchword.ingest.native import CategoryCase, NativeView
from watchword.kit.errors import ContentError, Fault
from watchword.kit.marked import Marked, read_marked
from watchword.model import Domain, SourceKind

_TOP: Final = (
    "mapping", "describes", "source", "format", "time", "id", "product", "logsource", "fields", "events", "otherwise", "empty",
)  # fmt: skip
_TIME: Final = ("from", "format", "zone", "fold")
_SOURCE: Final = ("domain", "kind", "connector", "site", "lateness", "resolution", "skew", "rhythm")
_CONNECTORS: Final = ("syslog", "webhook", "csv", "jsonl")
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s|m|h|d)")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def load_mapping(text: str, name: str, *, key: bytes = b"") -> Mapping:
    """Read and compile a mapping.

    Args:
        text: the YAML text.
        name: how the file is called in faults.
        key: the site's key under which card numbers are hashed; without one the hashes are good for trying out only.

    Raises:
        ContentError: with every fault, each as path:line and with a remedy.
    """
    return _Loader(read_marked(text, name), key).load()


def bare_mapping(kind: str = "text") -> Mapping:
    """Return the mapping of a source that has none: its records are kept and can be searched as text (`kind`: syslog, json or text)."""
    return load_mapping(f"mapping: bare-{kind}\nformat: {{kind: {kind}}}\nevents: []\n", f"bare-{kind}")


def duration_of(text: Any) -> timedelta | None:
    """Return the duration written as ``90s``, ``2m``, ``24h``, ``7d`` or ``250ms``; None when it is not so written."""
    found = _DURATION.fullmatch(str(text).strip())
    if found is None:
        return None
    try:
        return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    except OverflowError:
        return None


class _Loader:
    def __init__(self, marked: Marked, key: bytes) -> None:
        self.marked = marked
        self.key = key
        self.faults: list[Fault] = []
        self.values = ValueCompiler(frozenset({""}), card_tail_masked)

    def fault(self, message: str, *path: Any, remedy: str = "") -> None:
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

    def load(self) -> Mapping:
        if not isinstance(self.marked.value, dict):
            raise ContentError([self.marked.fault("is no mapping", remedy="start with mapping: NAME")])
        top = self.known(self.marked.value, _TOP)
        name = top.get("mapping")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.fault("mapping wants a name of small letters, digits, - and _", "mapping", remedy="mapping: harbour-doors")
        self.values.empty = self._empty(top)
        settings = self._source(top)
        form = self._format(top)
        time = self._time(top)
        id_get = self.guarded(lambda: self.values.compile(top["id"]), "id") if "id" in top else None
        entries, equals = self._events(top, form)
        view = self._logsource(top["logsource"]) if "logsource" in top else None
        otherwise = self.choice(top, "otherwise", ("keep", "unparsed"), default="keep")
        product = self._product(top)
        columns = frozenset(self.values.columns)
        check = self._header_check(form, columns)
        if form.kind == "csv" and form.csv.header != "first":
            self._check_columns(form, columns)
        if self.faults:
            raise ContentError(self.faults)
        index_get, index, rest = _index(entries, equals, self.values.empty)
        return Mapping(
            name=str(name),
            describes=str(top.get("describes", "")),
            format=form,
            source_settings=settings,
            decode=decoder(form, check),
            time=time,
            entries=entries,
            index_get=index_get,
            index=index,
            rest=rest,
            otherwise=otherwise,
            id_get=id_get,
            view=view,
            product=product,
            columns=columns,
            check_header=check,
        )

    def _empty(self, top: dict[str, Any]) -> frozenset[str]:
        wanted = top.get("empty", [])
        if not isinstance(wanted, list) or not all(isinstance(item, str) for item in wanted):
            self.fault("empty is a list of texts that mean: no value", "empty", remedy='empty: ["-", "N/A"]')
            return frozenset({""})
        return frozenset({"", *wanted})

    def _product(self, top: dict[str, Any]) -> dict[str, str] | None:
        if "product" not in top:
            return None
        if isinstance(top["product"], str):
            return {"name": top["product"]}
        section = self.known(top["product"], ("name", "vendor_name", "version"), "product")
        return {one: str(value) for one, value in section.items()}

    def _source(self, top: dict[str, Any]) -> dict[str, Any]:
        section = self.known(top.get("source"), _SOURCE, "source")
        settings: dict[str, Any] = {
            "domain": Domain(self.choice(section, "domain", tuple(Domain), "source", default=Domain.IT)),
            "kind": SourceKind(self.choice(section, "kind", tuple(SourceKind), "source", default=SourceKind.OTHER)),
            "connector": self.choice(section, "connector", _CONNECTORS, "source", default="webhook"),
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

    def _format(self, top: dict[str, Any]) -> Format:
        if "format" not in top:
            self.fault("format is missing", remedy="format: {kind: json}, or csv, syslog, text")
            return Format()
        names = ("kind", "delimiter", "encoding", "errors", "header", "columns", "quote", "message", "optional")
        section = self.known(top["format"], names, "format")
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

    def _optional(self) -> frozenset[str]:
        section = self.marked.value.get("format")
        wanted = section.get("optional", []) if isinstance(section, dict) else []
        if not isinstance(wanted, list):
            self.fault("optional is a list of columns", "format", "optional")
            return frozenset()
        return frozenset(map(str, wanted))

    def _header_check(self, form: Format, columns: frozenset[str]) -> Callable[[tuple[str, ...]], None]:
        needed = columns - self._optional() - self.values.derived if form.kind == "csv" else frozenset()

        def check(names: tuple[str, ...]) -> None:
            missing = sorted(needed.difference(names))
            if missing:
                raise DelimitedFault(
                    f"header (line 1) lacks column {', '.join(map(repr, missing))}; it names {', '.join(map(repr, names[:20]))}: "
                    "name the column as the file does, mend the delimiter, or list it in format.optional",
                )

        return check

    def _check_columns(self, form: Format, columns: frozenset[str]) -> None:
        for missing in sorted(columns - self._optional() - self.values.derived - set(form.csv.columns)):
            near = get_close_matches(missing, form.csv.columns, 1)
            self.fault(
                f"column {missing!r} is used but not among format.columns", "format", "columns",
                remedy=f"did you mean {near[0]}?" if near else "add it, or name another",
            )  # fmt: skip

    def _time(self, top: dict[str, Any]) -> TimePlan:
        section = self.known(top.get("time"), _TIME, "time")
        names = section.get("from", [])
        names = names if isinstance(names, list) else [names]
        if "from" in section and not names:
            self.fault("from names no column", "time", "from")
        columns = []
        for index, one in enumerate(names):
            at = ("time", "from", index) if isinstance(section["from"], list) else ("time", "from")
            own = self.known(one, _TIME, *at) if isinstance(one, dict) else {"from": one}
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

    def _events(self, top: dict[str, Any], form: Format) -> tuple[tuple[Entry, ...], list[dict[str, frozenset[str]]]]:
        items = top.get("events")
        if not isinstance(items, list):
            self.fault(
                "events is missing: the list of what becomes of a record",
                *(["events"] if "events" in top else []),
                remedy="events: [{class: …, fields: …}]",
            )
            return (), []
        compiler = EntryCompiler(self, form)
        entries: list[Entry] = []
        equals: list[dict[str, frozenset[str]]] = []
        for index, item in enumerate(items):
            entry, needed = compiler.compile(item, top.get("fields"), index)
            if entry is not None:
                entries.append(entry)
                equals.append(needed)
        return tuple(entries), equals

    def _logsource(self, spec: Any) -> NativeView | None:
        section = self.known(spec, ("product", "service", "category", "under", "fields"), "logsource")
        product = section.get("product", "")
        if not isinstance(product, str):
            self.fault("product is a word", "logsource", "product", remedy="product: windows")
        service: Get | None = _nothing
        if "service" in section:
            stated = section["service"]
            service = self.guarded(
                lambda: self.values.compile({"value": stated} if isinstance(stated, str) else stated), "logsource", "service"
            )
        category = section.get("category", [])
        cases = [self._category(one, *path) for one, path in _each(category, "logsource", "category")]
        under = section.get("under", [])
        gets = [
            self.guarded(partial(self.values.column, one), "logsource", "under") for one in (under if isinstance(under, list) else [under])
        ]
        fields = self._names(section.get("fields"), "logsource", "fields")
        if service is None or None in gets or None in cases:
            return None
        return NativeView(str(product), service, tuple(case for case in cases if case), tuple(gets), fields)

    def _category(self, spec: Any, *path: Any) -> CategoryCase | None:
        if isinstance(spec, str):
            return CategoryCase(None, lambda _row: spec)
        names = ("when", "from", "value", "values", "fields", "blind")
        section = self.known(spec, names, *path)
        condition = self.guarded(lambda: compile_condition(section.get("when"), self.values), *path, "when")
        value = {one: section[one] for one in ("from", "value", "values") if one in section}
        get = self.guarded(lambda: self.values.compile(value), *path)
        blind = section.get("blind", [])
        if not isinstance(blind, list):
            self.fault("blind is a list of fields that this source cannot supply", *path, "blind")
            blind = []
        fields = self._names(section.get("fields"), *path, "fields")
        return None if condition is None or get is None else CategoryCase(condition.test, get, fields, frozenset(map(str, blind)))

    def _names(self, spec: Any, *path: Any) -> tuple[tuple[str, Get], ...]:
        if spec is None:
            return ()
        if not isinstance(spec, dict):
            self.fault("a mapping from field name to column is wanted", *path)
            return ()
        compiled = [(str(one), self.guarded(partial(self.values.compile, value), *path, one)) for one, value in spec.items()]
        return tuple((one, get) for one, get in compiled if get is not None)


def _each(spec: Any, *path: Any) -> list[tuple[Any, tuple[Any, ...]]]:
    return [(one, (*path, index)) for index, one in enumerate(spec)] if isinstance(spec, list) else [(spec, path)]


def _nothing(row: Row) -> None:
    """Find no value."""
    del row


def card_tail_masked(number: str) -> str:
    """Return how a card number is written in a message: its last digits."""
    return "…" + card_tail(number)


def _index(
    entries: tuple[Entry, ...],
    equals: list[dict[str, frozenset[str]]],
    empty: frozenset[str],
) -> tuple[Get | None, dict[str, tuple[Entry, ...]], tuple[Entry, ...]]:
    """Choose the column on which most entries insist, and group the entries by its values."""
    counts: dict[str, int] = {}
    for needed in equals:
        for column in needed:
            counts[column] = counts.get(column, 0) + 1
    if not counts or max(counts.values()) < 2:
        return None, {}, entries
    column = max(sorted(counts), key=lambda one: counts[one])
    rest = tuple(entry for entry, needed in zip(entries, equals, strict=True) if column not in needed)
    texts = frozenset().union(*(needed[column] for needed in equals if column in needed))
    index = {
        text: tuple(entry for entry, needed in zip(entries, equals, strict=True) if column not in needed or text in needed[column])
        for text in texts
    }
    return column_get(column, empty), index, rest
