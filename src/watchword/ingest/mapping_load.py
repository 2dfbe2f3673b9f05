"""Loading a mapping: the YAML text is checked as a whole, every fault is named by path and line, then it is compiled."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from typing import Any, Final

from watchword.ingest.condition import compile_condition
from watchword.ingest.decode import Format, decoder
from watchword.ingest.delimited import DelimitedFault
from watchword.ingest.mapping_entry import EntryCompiler
from watchword.ingest.mapping_run import Entry, Mapping
from watchword.ingest.mapping_sections import TOP, Sections, duration_of
from watchword.ingest.mapping_values import Get, Row, column_get
from watchword.ingest.native import CategoryCase, NativeView
from watchword.kit.errors import ContentError
from watchword.kit.marked import read_marked

__all__ = ["bare_mapping", "duration_of", "load_mapping"]

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


class _Loader(Sections):
    def load(self) -> Mapping:
        if not isinstance(self.marked.value, dict):
            raise ContentError([self.marked.fault("is no mapping", remedy="start with mapping: NAME")])
        top = self.known(self.marked.value, TOP)
        name = top.get("mapping")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.fault("mapping wants a name of small letters, digits, - and _", "mapping", remedy="mapping: harbour-doors")
        self.values.empty = self.read_empty(top)
        settings = self.read_source(top)
        form = self.read_format(top)
        time = self.read_time(top)
        id_get = self.guarded(lambda: self.values.compile(top["id"]), "id") if "id" in top else None
        entries, equals = self._events(top, form)
        view = self._logsource(top["logsource"]) if "logsource" in top else None
        otherwise = self.choice(top, "otherwise", ("keep", "unparsed"), default="keep")
        product = self.read_product(top)
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

    def _header_check(self, form: Format, columns: frozenset[str]) -> Callable[[tuple[str, ...]], None]:
        needed = columns - self.read_optional() - self.values.derived if form.kind == "csv" else frozenset()

        def check(names: tuple[str, ...]) -> None:
            missing = sorted(needed.difference(names))
            if missing:
                raise DelimitedFault(
                    f"header (line 1) lacks column {', '.join(map(repr, missing))}; it names {', '.join(map(repr, names[:20]))}: "
                    "name the column as the file does, mend the delimiter, or list it in format.optional",
                )

        return check

    def _check_columns(self, form: Format, columns: frozenset[str]) -> None:
        for missing in sorted(columns - self.read_optional() - self.values.derived - set(form.csv.columns)):
            near = get_close_matches(missing, form.csv.columns, 1)
            self.fault(
                f"column {missing!r} is used but not among format.columns", "format", "columns",
                remedy=f"did you mean {near[0]}?" if near else "add it, or name another",
            )  # fmt: skip

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
