"""The responders that the settings name: kinds of ours and of other packages, options checked before anything starts, faults kept apart."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from watchword.connectors.product import Maker, Parts, PeerFault, clipped
from watchword.connectors.responder_options import Options
from watchword.kit.errors import InputError

if TYPE_CHECKING:  # settings are read by every command: what they import stays light
    from watchword.respond.ports import Responder

GROUP: Final = "watchword.responder"
KINDS: Final[Mapping[str, str]] = {
    "door_webhook": "watchword.connectors.door_webhook",
    "frigate": "watchword.connectors.frigate",
    "guard": "watchword.connectors.guard",
    "host_webhook": "watchword.connectors.host_webhook",
    "ldap_identity": "watchword.connectors.ldap_identity",
    "scim_identity": "watchword.connectors.scim_identity",
    "switch_ssh": "watchword.connectors.switch_ssh",
    "ticket_webhook": "watchword.connectors.ticket_webhook",
    "uhppote": "watchword.connectors.uhppote",
}
"""Kind → module with ``plan(name, options) -> Maker``; it is imported only where the settings name it."""
MOST: Final = 200
"""Responders that the settings may name."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ResponderEntry:
    """One ``[[responder]]`` table: its options name where secrets are, and never hold one."""

    name: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = Path()
    """What its paths are relative to."""


@dataclass(frozen=True, slots=True)
class BrokenResponder:
    """A responder that could not be made. It is reported, and stops nothing else."""

    name: str
    fault: str


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether a responder's product answers."""

    name: str
    kind: str
    ok: bool
    said: str


def read_responders(rows: Any, folder: Path) -> tuple[ResponderEntry, ...]:
    """Read the tables and check every option; nothing is asked of any product.

    Raises:
        InputError: a table is wrong; `field` is its number from 0.
    """
    if not isinstance(rows, list) or len(rows) > MOST:
        raise InputError(f"is no list of at most {MOST} tables")
    found: list[ResponderEntry] = []
    for number, row in enumerate(rows):
        entry = _entry(row, number, folder)
        if entry.name in {each.name for each in found}:
            raise InputError(f"the name {entry.name!r} stands here twice", str(number))
        try:
            maker_of(entry)
        except InputError as error:
            raise InputError(f"{entry.name}: {error}", str(number)) from error
        except _StrangersFault:
            pass  # a plug-in that breaks is no fault of the settings: `make_responders` reports it
        found.append(entry)
    return tuple(found)


def _entry(row: Any, number: int, folder: Path) -> ResponderEntry:
    if not isinstance(row, dict):
        raise InputError(f"{row!r} is no table", str(number))
    options = dict(row)
    name, kind = options.pop("name", None), options.pop("kind", None)
    if not isinstance(name, str) or not name.strip() or len(name) > 64 or not name.isprintable():
        raise InputError(f"name: {name!r} is no text of 1 to 64 characters", str(number))
    if not isinstance(kind, str) or not kind:
        raise InputError(f"{name}: kind is missing; known are {', '.join(sorted({*KINDS, *_points()}))}", str(number))
    return ResponderEntry(name, kind, options, folder)


def maker_of(entry: ResponderEntry) -> Maker:
    """Return what makes the responder of an entry.

    Raises:
        InputError: an option is wrong, or there is no such kind.
    """
    plan = _plan(entry.kind)
    options = Options(entry.options, entry.folder)
    try:
        maker = plan(entry.name, options)
    except InputError:
        raise
    except Exception as error:
        if entry.kind in KINDS:
            raise
        raise _StrangersFault(f"{type(error).__name__}: {error}") from error
    options.done()
    return maker


def make_responders(entries: Sequence[ResponderEntry], parts: Parts) -> "tuple[list[Responder], list[BrokenResponder]]":
    """Make the responders in the order of the settings; one that breaks is kept apart, with its fault."""
    made: list[Responder] = []
    broken: list[BrokenResponder] = []
    for entry in entries:
        try:
            responder = maker_of(entry)(parts)
        except Exception as error:  # noqa: BLE001 - a stranger's package may raise anything; the other responders are needed
            broken.append(BrokenResponder(entry.name, clipped(f"{type(error).__name__}: {error}")))
            log.warning("responder_left_out", responder=entry.name, kind=entry.kind, fault=broken[-1].fault)
            continue
        if not all(hasattr(responder, part) for part in ("name", "verbs", "do", "read")):
            broken.append(BrokenResponder(entry.name, f"kind {entry.kind} is no responder: it lacks name, verbs, do or read"))
            continue
        made.append(responder)
    return made, broken


def reach_all(responders: "Sequence[Responder]") -> list[Reach]:
    """Ask every product at once whether it answers, each within its own bounded time."""
    asked = [each for each in responders if hasattr(each, "reach")]
    if not asked:
        return []
    with ThreadPoolExecutor(min(len(asked), 16), thread_name_prefix="reach") as pool:
        return list(pool.map(_reach, asked))


def _reach(responder: Any) -> Reach:
    kind = str(getattr(responder, "kind", ""))
    try:
        return Reach(responder.name, kind, ok=True, said=str(responder.reach()))
    except PeerFault as fault:
        return Reach(responder.name, kind, ok=False, said=str(fault))
    except Exception as error:  # noqa: BLE001 - as above
        return Reach(responder.name, kind, ok=False, said=clipped(f"{type(error).__name__}: {error}"))


class _StrangersFault(Exception):
    """Another package's kind could not be loaded, or broke over its options."""


def _points(points: Iterable[EntryPoint] | None = None) -> dict[str, EntryPoint]:
    return {point.name: point for point in (entry_points(group=GROUP) if points is None else points)}


def _plan(kind: str) -> Callable[[str, Options], Maker]:
    if kind in KINDS:
        return partial(import_module(KINDS[kind]).plan)
    point = _points().get(kind)
    if point is None:
        raise InputError(f"there is no kind {kind!r}; known are {', '.join(sorted({*KINDS, *_points()}))}")
    try:
        loaded = point.load()
    except Exception as error:
        raise _StrangersFault(f"the plug-in of kind {kind} does not load: {type(error).__name__}: {error}") from error
    if not callable(loaded):
        raise _StrangersFault(f"the plug-in of kind {kind} is no function (name, options)")
    return partial(loaded)
