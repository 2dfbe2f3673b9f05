"""JSON read with the line of every value: strict (no key twice, no NaN, no half characters), without recursion, within bounds."""

import math
import re
from array import array
from dataclasses import dataclass, field
from json.decoder import scanstring  # type: ignore[attr-defined] # the compiled reader of strings that json itself uses
from typing import Any, Final

MOST_BYTES: Final = 5_000_000
MOST_VALUES: Final = 500_000
DEEPEST: Final = 100
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
_WORDS: Final = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
_MOST_DIGITS: Final = 400

Key = str | int
Pointer = tuple[Key, ...]


class JsonFault(Exception):
    """The text is no JSON that is taken; `line` counts from 1."""

    def __init__(self, line: int, text: str) -> None:
        """Keep the line beside the words."""
        self.line = line
        super().__init__(text)


@dataclass(slots=True)
class JsonText:
    """A JSON document and the line of every key and item."""

    value: Any
    lines: dict[int, "dict[Key, int] | array[int]"] = field(default_factory=dict)
    """id of a container in `value` → line by key or index."""
    first: int = 1

    def line(self, *pointer: Key) -> int:
        """Return the line of the value at a pointer, or of its nearest parent."""
        here, line = self.value, self.first
        for key in pointer:
            known = self.lines.get(id(here))
            try:
                line = known[key]  # type: ignore[index] # a pointer names keys of objects and indexes of lists
                here = here[key]
            except (KeyError, IndexError, TypeError):
                break
        return line


def read_json(raw: str | bytes) -> JsonText:
    """Read one JSON document.

    Raises:
        JsonFault: syntax, not UTF-8, a key twice in one object, NaN or a number out of range, over 5 MB, too many values, too deep.
    """
    return _Reader(_text_of(raw)).read()


def _text_of(raw: str | bytes) -> str:
    too_long = JsonFault(1, f"is longer than {MOST_BYTES // 1_000_000} MB")
    if len(raw) > MOST_BYTES:
        raise too_long
    if isinstance(raw, bytes):
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise JsonFault(raw[: error.start].count(b"\n") + 1, "is not UTF-8") from error
    try:
        if len(raw.encode("utf-8")) > MOST_BYTES:
            raise too_long
    except UnicodeEncodeError as error:
        raise JsonFault(raw[: error.start].count("\n") + 1, "is not UTF-8") from error
    return raw


@dataclass(slots=True)
class _Open:
    """An object or list whose end has not been read."""

    held: Any
    lines: "dict[Key, int] | array[int]"
    end: str
    key: str = ""


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._values = 0
        self._lines: dict[int, dict[Key, int] | array[int]] = {}

    def read(self) -> JsonText:
        self._mark()
        first = self._here()
        value = self._document()
        if self._mark():
            raise self._fault("goes on after its end")
        return JsonText(value, self._lines, first)

    def _document(self) -> Any:
        """Read one value; what is open stands in a list, so that depth costs no stack."""
        open_: list[_Open] = []
        while True:
            value, opened = self._value(open_)
            if opened is not None:
                open_.append(opened)
                continue
            while open_:
                top = open_[-1]
                self._keep(top, value)
                mark = self._mark()
                if mark == ",":
                    self._at += 1
                    self._key(top)
                    break
                if mark != top.end:
                    raise self._fault(f"a comma or {top.end} is expected")
                self._at += 1
                value = open_.pop().held
            else:
                return value

    def _value(self, open_: list[_Open]) -> tuple[Any, _Open | None]:
        """Read a scalar or an empty container; or open a container and read up to its first value."""
        mark = self._mark()
        if open_ and isinstance(open_[-1].lines, array):
            open_[-1].lines.append(self._here())
        self._values += 1
        if self._values > MOST_VALUES:
            raise self._fault(f"holds more than {MOST_VALUES:,} values")
        if mark not in ("{", "["):
            return self._scalar(mark), None
        if len(open_) == DEEPEST:
            raise self._fault(f"is nested more than {DEEPEST} deep")
        opened = _Open({}, {}, "}") if mark == "{" else _Open([], array("I"), "]")
        self._lines[id(opened.held)] = opened.lines
        self._at += 1
        if self._mark() == opened.end:
            self._at += 1
            return opened.held, None
        self._key(opened)
        return None, opened

    def _key(self, top: _Open) -> None:
        if top.end == "]":
            return
        if self._mark() != '"':
            raise self._fault("a key in double quotes is expected")
        line = self._here()
        top.key = self._string()
        if top.key in top.held:
            raise self._fault(f"key {top.key[:60]!r} stands here a second time")
        top.lines[top.key] = line  # type: ignore[call-overload] # the lines of an object are a dict
        if self._mark() != ":":
            raise self._fault("a colon is expected")
        self._at += 1

    def _keep(self, top: _Open, value: Any) -> None:
        if top.end == "}":
            top.held[top.key] = value
        else:
            top.held.append(value)

    def _scalar(self, mark: str) -> Any:
        if mark == '"':
            return self._string()
        word, value = _WORDS.get(mark, ("", None))
        if word and self._text.startswith(word, self._at):
            self._at += len(word)
            return value
        return self._number()

    def _number(self) -> int | float:
        found = _NUMBER.match(self._text, self._at)
        if found is None:
            raise self._fault("a value is expected" if self._at < len(self._text) else "ends too early")
        if found.end() - found.start() > _MOST_DIGITS:
            raise self._fault(f"a number has more than {_MOST_DIGITS} digits")
        self._at = found.end()
        if found[1] is None and found[2] is None:
            return int(found[0])
        number = float(found[0])
        if math.isinf(number):
            raise self._fault("a number is out of range")
        return number

    def _string(self) -> str:
        start = self._at + 1
        try:
            value, self._at = scanstring(self._text, start, True)
        except ValueError as error:
            raise self._fault("a text has no end, or holds a control character or a wrong escape") from error
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise self._fault("a text holds half a character (a lone surrogate)")
        return str(value)

    def _mark(self) -> str:
        """Skip blank space; return the next character, empty at the end."""
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at] if self._at < len(self._text) else ""

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _fault(self, text: str) -> JsonFault:
        return JsonFault(self._here(), text)
