"""The registry of sources: built-in connectors and those of other packages come in through one entry-point group."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Protocol, runtime_checkable

GROUP: Final = "watchword.source"


@runtime_checkable
class SourcePlugin(Protocol):
    """What an entry point of the group gives: a connector for one kind of product."""

    name: str
    """Word under ``connector`` in a mapping's source section."""

    def start(self, settings: dict[str, Any], accept: Callable[..., Any]) -> Callable[[], None]:
        """Start receiving; hand records to ``accept(source, items)``, and return what stops it."""
        ...


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plug-in that could not be loaded. It is reported, and stops nothing else."""

    name: str
    package: str
    fault: str


@dataclass(slots=True)
class Registry:
    """The plug-ins that could be loaded and those that could not."""

    plugins: dict[str, SourcePlugin] = field(default_factory=dict)
    broken: list[BrokenPlugin] = field(default_factory=list)


def load_plugins(points: Iterable[EntryPoint] | None = None) -> Registry:
    """Load every plug-in of the group; whatever one of them raises is kept as its fault."""
    registry = Registry()
    for point in sorted(points if points is not None else entry_points(group=GROUP), key=lambda one: one.name):
        package = point.dist.name if point.dist is not None else ""
        try:
            loaded = point.load()
            plugin = loaded() if isinstance(loaded, type) else loaded
        except Exception as error:  # noqa: BLE001 - a stranger's package may raise anything at all
            registry.broken.append(BrokenPlugin(point.name, package, f"{type(error).__name__}: {error}"))
            continue
        if not isinstance(plugin, SourcePlugin):
            registry.broken.append(BrokenPlugin(point.name, package, "is no source: it lacks name or start()"))
        elif plugin.name in registry.plugins:
            registry.broken.append(BrokenPlugin(point.name, package, f"the name {plugin.name!r} is taken by another plug-in"))
        else:
            registry.plugins[plugin.name] = plugin
    return registry


def faults_of(registry: Registry) -> Iterator[str]:
    """Return one sentence for each plug-in that could not be loaded."""
    for broken in registry.broken:
        yield f"source plug-in {broken.name} of {broken.package or 'an unknown package'} is left out: {broken.fault}"
