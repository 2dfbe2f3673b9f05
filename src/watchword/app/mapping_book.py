"""The mapping book: every mapping in force, compiled, by source; kept up to date with what the ledger holds."""

import threading
import time
from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from importlib.resources import files
from pathlib import Path
from typing import Final

from watchword.ingest.ledger import Ledger
from watchword.ingest.mapping import Mapping, bare_mapping, load_mapping
from watchword.kit.clock import Clock
from watchword.kit.errors import NotFound
from watchword.model import Source

FRESH: Final = 2.0
"""Seconds for which the book is trusted before the ledger is asked again."""
BARE_KINDS: Final[dict[str, str]] = {"syslog": "syslog", "webhook": "json", "csv": "text", "jsonl": "json"}
"""How records of a source without a mapping are read, by connector."""


def shipped_mappings() -> dict[str, str]:
    """Return the text of every mapping that comes with Watchword, by name."""
    folder = files("watchword") / "content" / "mappings"
    return {item.name.removesuffix(".yaml"): item.read_text("utf-8") for item in folder.iterdir() if item.name.endswith(".yaml")}


class MappingBook:
    """Finds the compiled mapping of a source; safe to share between threads."""

    def __init__(self, ledger: Ledger, clock: Clock, key: bytes) -> None:
        self._ledger = ledger
        self._clock = clock
        self._key = key
        self._guard = threading.RLock()
        self._checked = -FRESH
        self._sources: dict[str, Source] = {}
        self._versions: dict[str, int] = {}
        self._compiled: dict[tuple[str, int], Mapping] = {}
        self._bare: dict[str, Mapping] = {}
        self.version = 0
        """Counts up whenever sources or mappings change."""

    def sources(self) -> MappingOf[str, Source]:
        """Return every source by name."""
        with self._guard:
            self._refresh()
            return self._sources

    def of(self, source: str) -> Mapping:
        """Return the mapping of a source; one that keeps lines of text when it has none.

        Raises:
            ContentError: the mapping kept in the ledger does not compile any more.
        """
        with self._guard:
            self._refresh()
            known = self._sources.get(source)
            name = known.mapping if known else ""
            version = self._versions.get(name)
            if version is None:
                kind = BARE_KINDS.get(known.connector if known else "", "text")
                return self._bare.setdefault(kind, bare_mapping(kind))
            return self._compile(name, version)

    def put(self, text: str, name: str, *, source: str = "") -> Mapping:
        """Check and keep a mapping; with `source`, make the source that it describes, or give it to the one of that name.

        Raises:
            ContentError: the mapping has faults; nothing is kept.
        """
        mapping = load_mapping(text, name, key=self._key)
        self._ledger.put_mapping(mapping.name, text, self._clock.now())
        if source:
            self._ledger.put_source(mapping.source(source))
        self.forget()
        return mapping

    def put_file(self, path: Path, *, source: str = "") -> Mapping:
        """Check and keep the mapping in a file, as `put`.

        Raises:
            NotFound: there is no such file, and no shipped mapping of that name.
        """
        if path.is_file():
            return self.put(path.read_text("utf-8", "replace"), str(path), source=source)
        shipped = shipped_mappings().get(str(path))
        if shipped is None:
            names = ", ".join(sorted(shipped_mappings()))
            raise NotFound(f"there is no mapping file {path}; give a path, or the name of a shipped one: {names}")
        return self.put(shipped, f"{path}.yaml", source=source)

    def ids_of(self, source: str) -> Callable[[bytes], str] | None:
        """Return what finds the source's own id in a record; None where its mapping does not say which column holds it."""
        mapping = self.of(source)
        if mapping.id_get is None:
            return None
        now = self._clock.now()
        return lambda body: mapping.record_id(body, now)

    def forget(self) -> None:
        """Ask the ledger again at the next question."""
        with self._guard:
            self._checked = -FRESH

    def _compile(self, name: str, version: int) -> Mapping:
        found = self._compiled.get((name, version))
        if found is None:
            kept = self._ledger.mapping(name, version)
            found = self._compiled[name, version] = load_mapping(kept.text, f"mapping {name}", key=self._key)
        return found

    def _refresh(self) -> None:
        now = time.monotonic()  # not the clock of events: a simulated day may pass in a second
        if now - self._checked < FRESH:
            return
        sources = {source.name: source for source in self._ledger.sources()}
        versions = {kept.name: kept.version for kept in self._ledger.mappings()}
        if (sources, versions) != (self._sources, self._versions):
            self._sources, self._versions = sources, versions
            self.version += 1
        self._checked = now
