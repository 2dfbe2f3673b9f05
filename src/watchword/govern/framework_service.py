"""Frameworks kept: catalogues, baselines and maps that somebody imported, beside the ids and titles of our own that come with Watchword."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml
from sqlalchemy import Connection, delete, func, insert, select

from watchword.govern import control_tables as tables
from watchword.govern.control_checks import shipped_tests
from watchword.govern.crosswalk import MapRow, Reached, Relation, reach, turned
from watchword.govern.framework import Catalogue, Control, Framework, MapFile, Selection, read_framework
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import NotFound
from watchword.kit.records import Records
from watchword.respond.ports import Auditor

SP800: Final = "sp800-53"
CSF: Final = "csf-2.0"
ISO: Final = "iso27001-2022"
SHIPPED: Final = {SP800: "sp800-53.yaml", CSF: "csf-2.0.yaml"}
CHUNK: Final = 300


@dataclass(frozen=True, slots=True)
class KeptFramework:
    """A framework, imported or shipped."""

    name: str
    title: str
    version: str
    controls: int
    withdrawn: int
    digest: str = ""
    imported_at: datetime | None = None
    """None: it came with Watchword."""
    imported_by: str = ""


@cache
def shipped_titles(framework: str) -> Mapping[str, str]:
    """Return our own titles by id; empty for frameworks of which none are shipped."""
    name = SHIPPED.get(framework)
    if name is None:
        return {}
    text = (files("watchword") / "content" / "controls" / name).read_text(encoding="utf-8")
    return {str(uid): str(title) for part in yaml.safe_load(text).values() for uid, title in part.items()}


class Frameworks:
    """Keeps frameworks in `Records`."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor) -> None:
        self._records, self._clock, self._auditor = records, clock, auditor

    def take(self, raw: bytes, name: str, *, by: str) -> Framework:
        """Read a file and keep what it says; a framework, baseline or map of the same name is replaced.

        Raises:
            ContentError: it is no framework file, or is faulty; nothing is kept then.
        """
        found = read_framework(raw, name)
        with self._records.begin() as connection:
            if isinstance(found, Catalogue):
                self._catalogue(connection, found, by)
            elif isinstance(found, Selection):
                self._selection(connection, found)
            else:
                self._map(connection, found)
            self._auditor.write(by, "framework.import", name, "", {"digest": found.digest}, connection=connection)
        return found

    def _catalogue(self, connection: Connection, found: Catalogue, by: str) -> None:
        head, table = tables.framework, tables.framework_control
        connection.execute(delete(table).where(table.c.framework == found.name))
        connection.execute(delete(head).where(head.c.name == found.name))
        withdrawn = sum(each.withdrawn for each in found.controls)
        active = sum(not each.withdrawn and each.kind not in {"group", "function", "category"} for each in found.controls)
        connection.execute(
            insert(head).values(
                name=found.name, title=found.title, version=found.version, digest=found.digest, controls=active, withdrawn=withdrawn,
                imported_at=to_millisecond(self._clock.now()), imported_by=by[:200],
            )
        )  # fmt: skip
        rows = [
            {
                "framework": found.name,
                "id": each.id,
                "parent": each.parent,
                "kind": each.kind,
                "title": each.title,
                "withdrawn": each.withdrawn,
                "position": place,
            }
            for place, each in enumerate(found.controls)
        ]
        _insert(connection, table, rows)

    @staticmethod
    def _selection(connection: Connection, found: Selection) -> None:
        table = tables.framework_selection
        connection.execute(delete(table).where(table.c.name == found.name, table.c.framework == found.framework))
        _insert(connection, table, [{"name": found.name, "framework": found.framework, "id": uid} for uid in found.ids])

    @staticmethod
    def _map(connection: Connection, found: MapFile) -> None:
        table = tables.framework_map
        connection.execute(delete(table).where(table.c.source == found.source, table.c.target == found.target))
        rows = [
            {
                "source": found.source,
                "source_id": row.source,
                "target": found.target,
                "target_id": row.target,
                "relation": row.relation.value,
            }
            for row in found.rows
        ]
        _insert(connection, table, rows)

    def all(self) -> list[KeptFramework]:
        """Return the frameworks that are known: imported ones, and those of which ids and titles are shipped."""
        table = tables.framework
        with self._records.read() as connection:
            kept = {row.name: KeptFramework(**row._mapping) for row in connection.execute(select(table))}  # noqa: SLF001 - public way to names
        for name in SHIPPED:
            kept.setdefault(name, KeptFramework(name, "ids, with titles in our own words", "", len(shipped_titles(name)), 0))
        return sorted(kept.values(), key=lambda each: each.name)

    def controls(self, framework: str) -> list[Control]:
        """Return a framework's controls: the imported ones, else ids with our own titles.

        Raises:
            NotFound: it is neither imported nor shipped.
        """
        table = tables.framework_control
        query = select(table.c.id, table.c.title, table.c.kind, table.c.parent, table.c.withdrawn).where(table.c.framework == framework)
        with self._records.read() as connection:
            found = [Control(*row) for row in connection.execute(query.order_by(table.c.position))]
        if found:
            return found
        titles = shipped_titles(framework)
        if not titles:
            raise NotFound(f"there is no framework {framework!r}: import its file (watchword frameworks import FILE)")
        return [Control(uid, title, _kind(uid)) for uid, title in titles.items()]

    def title(self, framework: str, uid: str) -> str:
        """Return a control's title: ours, else the imported one, else its id."""
        own = shipped_titles(framework).get(uid)
        if own:
            return own
        table = tables.framework_control
        with self._records.read() as connection:
            found = connection.execute(select(table.c.title).where(table.c.framework == framework, table.c.id == uid)).scalar()
        return str(found or uid)

    def titles(self, framework: str) -> dict[str, str]:
        """Return titles by id: ours, else the imported ones; ids stand for themselves where neither is known."""
        try:
            imported = {each.id: each.title for each in self.controls(framework)}
        except NotFound:
            imported = {}
        return imported | dict(shipped_titles(framework))

    def baselines(self, framework: str = SP800) -> dict[str, int]:
        """Return how many controls each baseline of a framework selects."""
        table = tables.framework_selection
        query = select(table.c.name, func.count()).where(table.c.framework == framework).group_by(table.c.name).order_by(table.c.name)
        with self._records.read() as connection:
            return {row[0]: int(row[1]) for row in connection.execute(query)}

    def baselines_of(self, uid: str, framework: str = SP800) -> list[str]:
        """Return the names of the baselines that select a control."""
        table = tables.framework_selection
        query = select(table.c.name).where(table.c.framework == framework, table.c.id == uid).order_by(table.c.name)
        with self._records.read() as connection:
            return list(connection.execute(query).scalars())

    def maps(self, source: str, target: str) -> list[MapRow]:
        """Return the crosswalk from one framework to another: what was imported, read either way, and what our tests say themselves."""
        table = tables.framework_map
        query = select(table.c.source_id, table.c.target_id, table.c.relation)
        with self._records.read() as connection:
            there = [
                MapRow(a, b, Relation(word))
                for a, b, word in connection.execute(query.where(table.c.source == source, table.c.target == target))
            ]
            back = [
                MapRow(a, b, Relation(word))
                for a, b, word in connection.execute(query.where(table.c.source == target, table.c.target == source))
            ]
        own = []
        if source == SP800:
            for test in shipped_tests():
                own += [MapRow(test.control, uid, Relation.INTERSECT) for uid in {CSF: test.csf, ISO: test.iso27001}.get(target, ())]
        return list({(row.source, row.target): row for row in [*own, *turned(back), *there]}.values())

    def reached(self, framework: str) -> list[Reached]:
        """Return how far our tests reach each control of a framework; an overlap is never more than partial.

        Raises:
            NotFound: the framework is unknown.
        """
        tested = [test.control for test in shipped_tests()]
        if framework == SP800:
            return reach(
                [], tested, [each.id for each in self.controls(SP800) if not each.withdrawn and each.kind in {"control", "enhancement"}]
            )
        rows = self.maps(SP800, framework)
        try:
            wanted = [
                each.id for each in self.controls(framework) if not each.withdrawn and each.kind not in {"function", "category", "group"}
            ]
        except NotFound:
            if not rows:
                raise
            wanted = sorted({row.target for row in rows})
        return reach(rows, tested, wanted)


def _insert(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), CHUNK):
        connection.execute(insert(table), rows[start : start + CHUNK])


def _kind(uid: str) -> str:
    if uid[:1].isupper():
        return "subcategory" if "-" in uid else "category" if "." in uid else "function"
    return "enhancement" if "." in uid else "control" if "-" in uid else "group"
