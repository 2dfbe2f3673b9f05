"""Plug-ins: one that breaks is reported, and the others work."""

from collections.abc import Callable
from importlib.metadata import EntryPoint
from typing import Any

from watchword.connectors.registry import GROUP, faults_of, load_plugins


class Good:
    name = "good"

    def start(self, settings: dict[str, Any], accept: Callable[..., Any]) -> Callable[[], None]:  # noqa: ARG002 - the seam's signature
        return lambda: None


class Raising:
    name = "raising"

    def __init__(self) -> None:
        raise RuntimeError("no such driver")


class NoSource:
    name = "none"


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def test_a_broken_plug_in_stops_nothing_else(monkeypatch: Any) -> None:
    import sys
    import types

    module = types.ModuleType("stranger")
    module.Good, module.Raising, module.NoSource = Good, Raising, NoSource  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "stranger", module)
    registry = load_plugins(
        [
            point("a", "absent_package:x"),
            point("b", "stranger:Raising"),
            point("c", "stranger:NoSource"),
            point("d", "stranger:Good"),
            point("e", "stranger:Good"),
        ]
    )
    assert list(registry.plugins) == ["good"]
    assert [broken.name for broken in registry.broken] == ["a", "b", "c", "e"]
    text = "\n".join(faults_of(registry))
    for words in ("ModuleNotFoundError", "no such driver", "lacks name or start", "is taken"):
        assert words in text


def test_the_installed_plug_ins_load() -> None:
    assert not load_plugins().broken
