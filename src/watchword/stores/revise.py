"""Writes a migration: the difference between the tables that rooms declare and what the migrations so far make of an empty database.

Usage: ``python -m watchword.stores.revise "why the schema changes"``; read what it wrote before you commit it.
"""

import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from alembic import command

from watchword.stores.catalogue import MODULES
from watchword.stores.records import migration_config, open_records


def revise(why: str) -> None:
    """Write the next migration into the package's folder, numbered one higher than the newest."""
    with as_file(files("watchword.stores") / "migrations") as folder, tempfile.TemporaryDirectory() as aside:
        number = 1 + max((int(path.name[:4]) for path in (folder / "versions").glob("[0-9]*.py")), default=0)
        records = open_records(f"sqlite:///{Path(aside) / 'empty.sqlite3'}")
        if number > 1:
            records.migrate()
        with records.begin() as connection:
            command.revision(migration_config(folder, connection, MODULES), why, autogenerate=True, rev_id=f"{number:04d}")
        records.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    revise(sys.argv[1])
