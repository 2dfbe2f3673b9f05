"""A private PostgreSQL cluster for tests: made in a temporary folder, reached by a unix socket, gone afterwards."""

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

SKIP = "PostgreSQL absent: Records were tested on SQLite only (apt-get install postgresql, or set WATCHWORD_TEST_POSTGRES_URL)"


def _binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if found:
        return found[-1].parent
    there = shutil.which("postgres")
    return Path(there).parent if there else None


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    """The connection text of a running cluster's superuser."""
    if given := os.environ.get("WATCHWORD_TEST_POSTGRES_URL"):
        yield given
        return
    binaries = _binaries()
    if binaries is None:
        pytest.skip(SKIP)
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="wwpg", dir="/tmp"))
    try:
        if user:
            shutil.chown(folder, "postgres")
        data = folder / "data"
        subprocess.run(
            [
                *user,
                str(binaries / "initdb"),
                "-D",
                str(data),
                "-U",
                "postgres",
                "-A",
                "trust",
                "--no-sync",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        options = ["-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=60"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen([*user, str(binaries / "postgres"), *options], stdout=log, stderr=log, cwd=folder)
        try:
            _await(f"host={folder} user=postgres dbname=postgres", server)
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            pid = int((data / "postmaster.pid").read_text().split()[0]) if (data / "postmaster.pid").exists() else server.pid
            os.kill(pid, 2)  # fast shutdown
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_database(postgres_cluster: str) -> Callable[[], str]:
    """A function that makes an empty database and returns its URL."""

    def make() -> str:
        name = f"ww_{secrets.token_hex(6)}"
        with contextlib.closing(psycopg.connect(postgres_cluster, autocommit=True)) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        head, _, query = postgres_cluster.partition("?")
        return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")

    return make


def _await(dsn: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
        except psycopg.OperationalError:
            assert server.poll() is None, "postgres did not start"
            assert time.monotonic() < until, "postgres did not answer within 30 s"
            time.sleep(0.1)
        else:
            return
