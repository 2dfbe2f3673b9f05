"""Loading Sigma: every document ends up loaded or rejected, with path:line and remedy, all at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sigma.exceptions import SigmaError
from sigma.rule import SigmaDetectionItem, SigmaRule
from sigma.types import Placeholder, SigmaExpansion, SigmaString

from watchword.detect.detector import Rule
from watchword.detect.loader import LEVELS
from watchword.detect.sigma_tree import Node, compile_node
from watchword.detect.sigma_values import View
from watchword.kit.errors import ContentError, Fault
from watchword.kit.ids import uid_of
from watchword.kit.marked import Marked, read_all_marked
from watchword.model import Mode
from watchword.model.ocsf import Severity

_CONFIDENCE = 0.6
_SAME = {"utf16le": "wide"}
"""Modifiers of the specification under the names by which the parser knows them."""


@dataclass(frozen=True, slots=True)
class SigmaEntry:
    """One loaded rule."""

    rule: Rule
    product: str
    category: str
    service: str
    trees: tuple[Node, ...] = field(repr=False)
    """One per condition; the rule matches where any does."""

    @property
    def id(self) -> str:
        """Return the rule's own id."""
        return self.rule.id

    def matches(self, view: View) -> bool:
        """Tell whether any condition holds; the logsource is not looked at."""
        return self.trees[0].holds(view) if len(self.trees) == 1 else any(tree.holds(view) for tree in self.trees)

    def pins(self) -> frozenset[str] | None:
        """Return the event ids without which it cannot match, None when it names none."""
        found: set[str] = set()
        for tree in self.trees:
            if tree.pins is None:
                return None
            found |= tree.pins
        return frozenset(found)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of every document: `documents` = loaded + rejected."""

    documents: int
    loaded: tuple[SigmaEntry, ...]
    rejected: tuple[Fault, ...]
    """At least one fault for each document that was not loaded."""
    warnings: tuple[Fault, ...]
    refused: int
    """Documents that were not loaded."""


class SigmaLoader:
    """Takes files one after another and reports at the end."""

    def __init__(self, lists: Mapping[str, tuple[str, ...]]) -> None:
        self._lists = lists
        self._documents = self._refused = 0
        self._loaded: list[SigmaEntry] = []
        self._faults: list[Fault] = []
        self._warnings: list[Fault] = []
        self._ids: dict[str, str] = {}

    def report(self) -> LoadReport:
        """Return what became of every document so far."""
        return LoadReport(self._documents, tuple(self._loaded), tuple(self._faults), tuple(self._warnings), self._refused)

    def take(self, path: str, text: str) -> None:
        """Read the documents of one file."""
        try:
            for document in read_all_marked(text, path):
                self._documents += 1
                faults = self._document(document)
                self._refused += bool(faults)
                self._faults.extend(faults)
        except ContentError as error:
            self._documents += 1
            self._refused += 1
            self._faults.extend(error.faults)

    def _document(self, document: Marked) -> list[Fault]:
        """Load one document, or return why not."""
        rewritten, faults = (None, fault) if (fault := _unfit(document)) else _rewritten(document)
        if faults or rewritten is None:
            return faults
        try:
            parsed = SigmaRule.from_dict(rewritten)
            trees, faults = self._compiled(parsed, document)
        except (SigmaError, ValueError) as error:
            where = ("detection", "condition") if "ondition" in type(error).__name__ + str(error)[:60] else ("detection",)
            return _item_faults(document) or [document.fault(str(error).strip() or type(error).__name__, *where)]
        except Exception as error:  # noqa: BLE001 - the parser lets other exceptions through; one file must not stop the rest
            return [document.fault(f"the parser fails: {type(error).__name__}: {error}", "detection")]
        return faults or self._keep(_entry(parsed, trees, document), document)

    def _compiled(self, parsed: SigmaRule, document: Marked) -> tuple[tuple[Node, ...], list[Fault]]:
        conditions = [condition.parsed for condition in parsed.detection.parsed_condition]
        faults = [fault for tree in conditions for fault in self._expand(tree, document)]
        return (() if faults else tuple(compile_node(tree) for tree in conditions)), faults

    def _keep(self, entry: SigmaEntry, document: Marked) -> list[Fault]:
        if entry.id in self._ids:
            return [document.fault(f"the id {entry.id} is taken by {self._ids[entry.id]}", "id", remedy="give it another")]
        self._ids[entry.id] = f"{document.name}:{document.line('id')}"
        self._warnings.extend(_unused(document))
        self._loaded.append(entry)
        return []

    def _expand(self, tree: Any, document: Marked) -> list[Fault]:
        """Put lists in for placeholders; return what lists are missing."""
        missing: dict[str, None] = {}
        for node in _nodes(tree):
            if isinstance(getattr(node, "value", None), SigmaString) and node.value.contains_placeholder():
                names = [part.name for part in node.value.s if isinstance(part, Placeholder)]
                missing.update((name, None) for name in names if name not in self._lists)
                if any(not self._lists.get(name, ("",)) for name in names):
                    node.value = SigmaExpansion([])  # an empty list matches nothing
                elif all(name in self._lists for name in names):
                    node.value = SigmaExpansion(list(node.value.replace_placeholders(lambda part: iter(self._lists[part.name]))))
        return [
            document.fault(f"needs the list %{name}%", "detection", remedy=f"set it in the configuration: lists.{name}") for name in missing
        ]


def _unfit(document: Marked) -> list[Fault]:
    """Return why a document is no rule of single events, if it is none."""
    value = document.value
    if not isinstance(value, dict):
        return [document.fault("a rule is a mapping")]
    for kind in ("correlation", "filter"):
        if kind in value:
            return [document.fault(f"a {kind} rule is not evaluated yet", kind, remedy="load rules of single events only")]
    if not isinstance(value.get("detection"), dict):
        return [document.fault("lacks detection", remedy="add detection with its condition")]
    logsource = value.get("logsource")
    if not isinstance(logsource, dict) or not any(logsource.get(name) for name in ("product", "category", "service")):
        return [document.fault("lacks a logsource, so it would be looked at for every record", remedy="add logsource")]
    return []


def _nodes(tree: Any) -> Iterator[Any]:
    yield tree
    for item in getattr(tree, "args", ()):
        yield from _nodes(item)


def _rewritten(document: Marked) -> tuple[dict[str, Any], list[Fault]]:
    """Return the document as the parser takes it, and the faults of single items with their lines."""
    value = dict(document.value)
    faults: list[Fault] = []
    detection: dict[str, Any] = {}
    for name, item in value["detection"].items():
        where = ("detection", name)
        detection[name] = item if name == "condition" else _selection(item, where, document, faults)
    value["detection"] = detection
    return value, faults


def _selection(item: Any, where: tuple[Any, ...], document: Marked, faults: list[Fault]) -> Any:
    if isinstance(item, list):
        if not item:
            faults.append(document.fault("an empty list matches nothing", *where, remedy="write a value, or null"))
        return [_selection(part, (*where, index), document, faults) if isinstance(part, dict) else part for index, part in enumerate(item)]
    if not isinstance(item, dict):
        return item
    found = {}
    for key, value in item.items():
        if isinstance(value, list) and not value:
            faults.append(document.fault(f"{key}: an empty list matches nothing", *where, key, remedy="write a value, or null"))
            continue
        field_name, *modifiers = str(key).split("|")
        renamed = "|".join([field_name, *(_SAME.get(modifier, modifier) for modifier in modifiers)])
        found[renamed] = value
    return found


def _item_faults(document: Marked) -> list[Fault]:
    """Parse every item by itself, to find out which lines the parser does not take."""
    faults: list[Fault] = []
    for name, selection in document.value["detection"].items():
        if name == "condition":
            continue
        for index, part in enumerate(selection if isinstance(selection, list) else [selection]):
            where = ("detection", name, index) if isinstance(selection, list) else ("detection", name)
            for key, value in part.items() if isinstance(part, dict) else ():
                field_name, *modifiers = str(key).split("|")
                try:
                    SigmaDetectionItem.from_mapping("|".join([field_name, *(_SAME.get(one, one) for one in modifiers)]), value)
                except (SigmaError, ValueError, TypeError) as error:
                    faults.append(document.fault(f"{key}: {error}", *where, key))
    return faults


def _unused(document: Marked) -> list[Fault]:
    """Return a warning for each selection that no condition can mean."""
    detection = document.value["detection"]
    conditions = detection.get("condition")
    words = set(" ".join(conditions if isinstance(conditions, list) else [str(conditions)]).replace("(", " ").replace(")", " ").split())
    if "them" in words:
        return []
    stems = tuple(word.partition("*")[0] for word in words if "*" in word)
    return [
        document.fault(f"the selection {name!r} is never used", "detection", name)
        for name in detection
        if name != "condition" and name not in words and not any(name.startswith(stem) for stem in stems)
    ]


def _entry(parsed: SigmaRule, trees: tuple[Node, ...], document: Marked) -> SigmaEntry:
    level = parsed.level.name.lower() if parsed.level is not None else "low"
    rule_id = str(parsed.id) if parsed.id is not None else parsed.name or uid_of("sigma", document.name, parsed.title)
    tags = tuple(
        f"{tag.name.upper()}" for tag in parsed.tags if tag.namespace == "attack" and tag.name[:1] in "tT" and tag.name[1:2].isdigit()
    )
    rule = Rule(
        id=rule_id,
        title=parsed.title or rule_id,
        version=int(uid_of("sigma", repr(document.value.get("detection")), repr(document.value.get("logsource")))[:6], 16),
        severity=int(LEVELS.get(level, Severity.LOW)),
        mode=Mode.RISK,
        confidence=_CONFIDENCE,
        attack=tags,
        author=parsed.author or "",
        path=document.name,
        operator="sigma",
        description=parsed.description or "",
        status=parsed.status.name.lower() if parsed.status is not None else "",
        falsepositives=tuple(parsed.falsepositives or ()),
        document=document,
    )
    source = parsed.logsource
    return SigmaEntry(rule, source.product or "", source.category or "", source.service or "", trees)
