"""YAML with marks: every value remembers its line, so that a fault can be named as path:line; duplicate keys are faults."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from watchword.kit.errors import ContentError, Fault

MAX_VALUES = 500_000
"""Most values that one document may hold, aliases expanded: a page of aliases can stand for billions."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The compiled reader where it is installed: ten times as fast, the same nodes and marks."""
Path = tuple[str | int | float, ...]


@dataclass(slots=True)
class Marked:
    """A YAML document: plain values, and the line (from 1) of every key and item by its path."""

    name: str
    value: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, *path: str | float) -> int:
        """Return the line of the value at the path, or of its nearest parent that has one."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def fault(self, message: str, *path: str | float, remedy: str = "") -> Fault:
        """Return a fault that points at the path's line in this document."""
        return Fault(self.name, self.line(*path), message, remedy)


def read_marked(text: str, name: str) -> Marked:
    """Parse one YAML document (safe tags only).

    Raises:
        ContentError: the text is no YAML, or a mapping has the same key twice; all duplicates are listed.
    """
    documents = list(read_all_marked(text, name))
    if len(documents) > 1:
        raise ContentError([Fault(name, 1, f"holds {len(documents)} YAML documents, one is expected")])
    return documents[0] if documents else Marked(name, None)


def read_all_marked(text: str, name: str) -> Iterator[Marked]:
    """Parse every YAML document in the text.

    Raises:
        ContentError: as `read_marked`.
    """
    try:
        loader = _Loader(text)
    except yaml.YAMLError as error:
        raise ContentError([Fault(name, 1, f"is not valid YAML: {error}")]) from error
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is None:
                break
            marked = Marked(name, None)
            faults: list[Fault] = []
            marked.value = _plain(loader, node, (), marked, faults)
            if faults:
                raise ContentError(faults)
            yield marked
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ContentError([Fault(name, mark.line + 1 if mark else 1, f"is not valid YAML: {error.problem}")]) from error
    except yaml.YAMLError as error:
        raise ContentError([Fault(name, 1, f"is not valid YAML: {error}")]) from error
    except (ValueError, OverflowError) as error:
        raise ContentError([Fault(name, loader.line + 1, f"holds a value that cannot be read: {error}", "put it in quotes")]) from error
    except RecursionError as error:
        raise ContentError([Fault(name, 1, "is nested too deeply")]) from error
    finally:
        loader.dispose()


def _plain(loader: yaml.SafeLoader, node: yaml.Node, path: Path, marked: Marked, faults: list[Fault]) -> Any:
    line = node.start_mark.line + 1
    marked.lines.setdefault(path, line)
    if len(marked.lines) > MAX_VALUES:
        raise ContentError([Fault(marked.name, line, f"holds more than {MAX_VALUES:,} values", "split the file")])
    if isinstance(node, yaml.CollectionNode) and not node.tag.endswith((":map", ":seq")):
        faults.append(Fault(marked.name, line, f"tag {node.tag!r} is not allowed here", "write a plain mapping or list"))
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        seen: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            if not isinstance(key, str | int | float | bool):
                faults.append(Fault(marked.name, key_node.start_mark.line + 1, "a key must be a plain word"))
                continue
            if key in seen:
                faults.append(Fault(marked.name, key_node.start_mark.line + 1, f"key {key!r} stands here a second time", "remove one"))
            marked.lines[(*path, key)] = key_node.start_mark.line + 1
            seen[key] = _plain(loader, value_node, (*path, key), marked, faults)
        return seen
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, (*path, index), marked, faults) for index, item in enumerate(node.value)]
    try:
        return loader.construct_object(node, deep=True)
    except (ValueError, OverflowError) as error:  # a date or number that only looks like one, such as 2026-13-01
        faults.append(Fault(marked.name, line, f"{str(node.value)[:40]!r} is no value: {error}", "mend it, or put it in quotes"))
        return None
