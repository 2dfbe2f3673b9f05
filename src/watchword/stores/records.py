"""The relational store: SQLite (write-ahead log, every commit fsynced) or PostgreSQL by URL, behind the port `Records`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import InterfaceError, OperationalError

from watchword.kit.errors import Unavailable
from watchword.stores.catalogue import MODULES

BUSY_MS = 30_000
"""How long a SQLite writer waits for another one, milliseconds."""
MIGRATION_LOCK = 0x57415443
"""Key of PostgreSQL's advisory lock around migrations."""
_WRITES = "watchword_writes"


class SqlRecords:
    """A SQLite or PostgreSQL database as `Records`; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction: committed on leaving, rolled back on an exception. On SQLite it holds the write lock from its start."""
        with self._connected({_WRITES: True}) as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection for reading one consistent state; nothing written through it is kept."""
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._connected(options if self.engine.dialect.name == "postgresql" else {}) as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def _connected(self, options: dict[str, Any]) -> Iterator[Connection]:
        try:
            connection = self.engine.connect().execution_options(**options)
        except (OperationalError, InterfaceError) as error:
            where = self.engine.url.render_as_string(hide_password=True)
            raise Unavailable(f"the records database {where} does not answer: {error.orig}") from error
        with connection:
            yield connection

    def migrate(self, modules: Sequence[str] = MODULES) -> None:
        """Bring the schema to this release's revision; what is there already is left alone. Safe when several processes start at once."""
        with as_file(files("watchword.stores") / "migrations") as folder, self.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            command.upgrade(migration_config(folder, connection, modules), "head")

    def revision(self) -> tuple[str | None, str | None]:
        """Return the revision that the database has and the one that this release wants."""
        with as_file(files("watchword.stores") / "migrations") as folder, self.read() as connection:
            have = MigrationContext.configure(connection).get_current_revision()
            return have, ScriptDirectory.from_config(migration_config(folder, connection, ())).get_current_head()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def open_records(url: str) -> SqlRecords:
    """Open the database of a URL: ``sqlite:///path`` or ``postgresql://user@host/name``; SQLite makes the file and its folder.

    Raises:
        sqlalchemy.exc.ArgumentError: the text is no database URL.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return SqlRecords(create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=10, max_overflow=20))
    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, pool_size=10, max_overflow=20, connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False})
    event.listen(engine, "connect", _tune_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return SqlRecords(engine)


def migration_config(folder: Path, connection: Connection, modules: Sequence[str]) -> Config:
    """Return Alembic's settings for the migrations in a folder, run on a connection."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    config.attributes["modules"] = tuple(modules)
    return config


def _tune_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are opened by _begin_sqlite, so that DDL is inside them too
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}", "journal_size_limit=67108864"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns writer midway fails at once when another writer was quicker; waiting only works from the start.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")
