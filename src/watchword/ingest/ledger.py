"""The ledger of ingest: sources, mappings by version, counts, what could not be parsed, and the news that browsers follow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Table, delete, func, insert, select, text, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from watchword.ingest import tables
from watchword.kit.errors import NotFound
from watchword.kit.records import Records
from watchword.model import Domain, Source, SourceKind, SourceStatus, Unparsed

CHANGE_LOCK = 0x57574348
"""Key of PostgreSQL's advisory lock that keeps positions of changes in the order of commits."""
_COUNTS = ("accepted", "parsed", "unparsed", "unmapped", "duplicate", "lost", "unresolved", "events")
_CHUNK = 500
"""How many values one statement names: within the bounds of both engines."""


@dataclass(frozen=True, slots=True)
class Change:
    """One piece of news: something of this kind was added or changed."""

    position: int
    at: datetime
    kind: str
    uid: str
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class KeptMapping:
    """One version of a mapping's text."""

    name: str
    version: int
    text: str
    kept_at: datetime


class Ledger:
    """What ingest keeps in `Records`, beside the segments. Methods that take a connection join the caller's transaction."""

    def __init__(self, records: Records) -> None:
        self.records = records

    # sources

    def put_source(self, source: Source) -> None:
        """Keep a source; one of the same name is replaced."""
        row = {
            "domain": source.domain.value,
            "kind": source.kind.value,
            "connector": source.connector,
            "mapping": source.mapping,
            "site": source.site,
            "lateness_ms": _ms(source.lateness),
            "resolution_ms": _ms(source.resolution),
            "skew_ms": _ms(source.skew),
            "rhythm_ms": None if source.rhythm is None else _ms(source.rhythm),
        }
        with self.records.begin() as connection:
            _upsert(connection, tables.source, {"name": source.name}, row)

    def source(self, name: str) -> Source:
        """Return a source.

        Raises:
            NotFound: no source has this name.
        """
        with self.records.read() as connection:
            row = connection.execute(select(tables.source).where(tables.source.c.name == name)).first()
        if row is None:
            raise NotFound(f"there is no source named {name!r} (watchword sources list shows those that are)")
        return _source(row)

    def sources(self) -> list[Source]:
        """Return every source, by name."""
        with self.records.read() as connection:
            return [_source(row) for row in connection.execute(select(tables.source).order_by(tables.source.c.name))]

    def remove_source(self, name: str) -> None:
        """Forget a source's settings; what it sent stays."""
        with self.records.begin() as connection:
            connection.execute(delete(tables.source).where(tables.source.c.name == name))

    # counts

    def tally(self, connection: Connection, deltas: Iterable[SourceStatus]) -> None:
        """Add counts to the sources' statuses and move their newest times forward, within the given transaction."""
        table = tables.source_status
        for delta in sorted(deltas, key=lambda item: item.name):
            added = {name: getattr(delta, name) for name in _COUNTS}
            times = {name: value for name in ("last_received", "last_time") if (value := getattr(delta, name)) is not None}
            statement = _insert(connection, table).values(name=delta.name, **added, **times)
            merged: dict[str, Any] = {name: table.c[name] + value for name, value in added.items() if value}
            for name in times:
                new = statement.excluded[name]
                merged[name] = func.coalesce(_later(connection, table.c[name], new), new)
            if merged:
                connection.execute(statement.on_conflict_do_update(index_elements=[table.c.name], set_=merged))

    def add_tally(self, deltas: Iterable[SourceStatus]) -> None:
        """Add counts in a transaction of their own."""
        with self.records.begin() as connection:
            self.tally(connection, deltas)

    def statuses(self) -> list[SourceStatus]:
        """Return the counts of every source that ever sent anything, by name."""
        with self.records.read() as connection:
            rows = connection.execute(select(tables.source_status).order_by(tables.source_status.c.name))
            return [SourceStatus(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public way to a row's names

    def status(self, name: str) -> SourceStatus:
        """Return one source's counts; zeros when nothing came from it yet."""
        with self.records.read() as connection:
            row = connection.execute(select(tables.source_status).where(tables.source_status.c.name == name)).first()
        return SourceStatus(name) if row is None else SourceStatus(**row._mapping)  # noqa: SLF001 - as above

    # mappings

    def put_mapping(self, name: str, content: str, at: datetime) -> int:
        """Keep a mapping's text and return its version: the one it has already when the newest text is the same."""
        digest = sha256(content.encode()).hexdigest()
        table = tables.mapping
        with self.records.begin() as connection:
            newest = connection.execute(
                select(table.c.version, table.c.digest).where(table.c.name == name).order_by(table.c.version.desc()).limit(1),
            ).first()
            if newest is not None and newest.digest == digest:
                return int(newest.version)
            version = 1 if newest is None else int(newest.version) + 1
            connection.execute(insert(table).values(name=name, version=version, text=content, digest=digest, kept_at=at))
        return version

    def mapping(self, name: str, version: int | None = None) -> KeptMapping:
        """Return a version of a mapping, the newest when none is named.

        Raises:
            NotFound: there is no such mapping or version.
        """
        table = tables.mapping
        query = select(table.c.name, table.c.version, table.c.text, table.c.kept_at).where(table.c.name == name)
        query = query.order_by(table.c.version.desc()).limit(1) if version is None else query.where(table.c.version == version)
        with self.records.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound(f"there is no mapping named {name!r}" + (f" with version {version}" if version else ""))
        return KeptMapping(*row)

    def mappings(self) -> list[KeptMapping]:
        """Return the newest version of every mapping, by name."""
        table = tables.mapping
        newest = select(table.c.name, func.max(table.c.version)).group_by(table.c.name)
        query = select(table.c.name, table.c.version, table.c.text, table.c.kept_at).order_by(table.c.name)
        with self.records.read() as connection:
            return [KeptMapping(*row) for row in connection.execute(query.where(tuple_(table.c.name, table.c.version).in_(newest)))]

    # what could not be parsed

    def unparsed(
        self,
        source: str = "",
        after: tuple[datetime, str] | None = None,
        limit: int = 200,
    ) -> list[Unparsed]:
        """Return unparsed records, newest first; `after` is (received, record) of the last one already seen."""
        table = tables.unparsed
        query = select(table).order_by(table.c.received.desc(), table.c.record.desc()).limit(limit)
        if source:
            query = query.where(table.c.source == source)
        if after is not None:
            at, record = after
            query = query.where((table.c.received < at) | ((table.c.received == at) & (table.c.record < record)))
        with self.records.read() as connection:
            return [Unparsed(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - as above

    def keep_unparsed(self, connection: Connection, items: Iterable[Unparsed]) -> None:
        """Keep what could not be parsed, within the given transaction; a record that is listed already gets the newer fault."""
        for item in items:
            row = {"source": item.source, "received": item.received, "fault": _clean(item.fault), "sample": _clean(item.sample)}
            _upsert(connection, tables.unparsed, {"record": item.record}, row)

    def remove_unparsed(self, connection: Connection, records: Sequence[str]) -> int:
        """Take records off the list after they were parsed, correct their sources' counts, and return how many were listed."""
        table, status, removed = tables.unparsed, tables.source_status, 0
        for start in range(0, len(records), _CHUNK):
            listed = table.c.record.in_(records[start : start + _CHUNK])
            by_source = connection.execute(select(table.c.source, func.count()).where(listed).group_by(table.c.source)).all()
            connection.execute(delete(table).where(listed))
            for name, count in by_source:
                removed += count
                connection.execute(update(status).where(status.c.name == name).values(unparsed=status.c.unparsed - count))
        return removed

    # news

    def append_change(self, connection: Connection, kind: str, uid: str, summary: Mapping[str, Any], at: datetime) -> None:
        """Add a piece of news within the given transaction: whoever follows sees it once that commits, in the order of commits."""
        if connection.dialect.name == "postgresql":  # SQLite has one writer anyhow
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHANGE_LOCK})
        connection.execute(insert(tables.change).values(at=at, kind=kind, uid=uid, summary=orjson.dumps(dict(summary)).decode()))

    def changes(self, after: int, limit: int = 500) -> list[Change]:
        """Return the news after a position, oldest first."""
        table = tables.change
        query = select(table).where(table.c.position > after).order_by(table.c.position).limit(limit)
        with self.records.read() as connection:
            return [Change(row.position, row.at, row.kind, row.uid, orjson.loads(row.summary)) for row in connection.execute(query)]

    def last_position(self) -> int:
        """Return the position of the newest piece of news; 0 when there is none."""
        with self.records.read() as connection:
            return int(connection.execute(select(func.coalesce(func.max(tables.change.c.position), 0))).scalar_one())

    def forget_changes(self, before: datetime) -> int:
        """Drop news older than a moment and return how many."""
        with self.records.begin() as connection:
            return connection.execute(delete(tables.change).where(tables.change.c.at < before)).rowcount


def _insert(connection: Connection, table: Table) -> Any:
    # Both engines know ON CONFLICT, yet each dialect has its own class for it.
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)


def _upsert(connection: Connection, table: Table, key: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    statement = _insert(connection, table).values(**key, **row)
    connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(row)))


def _later(connection: Connection, one: Any, other: Any) -> Any:
    return (func.greatest if connection.dialect.name == "postgresql" else func.max)(one, other)


def _clean(value: str) -> str:
    # PostgreSQL's text holds neither NUL nor lone surrogates.
    return value.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)


def _source(row: Row[Any]) -> Source:
    return Source(
        name=row.name,
        domain=Domain(row.domain),
        kind=SourceKind(row.kind),
        connector=row.connector,
        mapping=row.mapping,
        site=row.site,
        lateness=timedelta(milliseconds=row.lateness_ms),
        resolution=timedelta(milliseconds=row.resolution_ms),
        skew=timedelta(milliseconds=row.skew_ms),
        rhythm=None if row.rhythm_ms is None else timedelta(milliseconds=row.rhythm_ms),
    )
