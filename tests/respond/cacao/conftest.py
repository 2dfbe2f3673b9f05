"""Where the third-party playbooks are."""

import csv
from pathlib import Path

import pytest

from watchword.respond.json_text import read_json


@pytest.fixture(scope="session")
def cacao_data(shared_data: Path) -> Path:
    folder = shared_data / "cacao"
    if not folder.is_dir():
        pytest.skip(f"shared data absent: {folder}")
    return folder


@pytest.fixture(scope="session")
def expected(cacao_data):
    """File → its row of expected.csv, and the bytes of the file."""
    with (cacao_data / "expected.csv").open(encoding="utf-8", newline="") as rows:
        return {row["file"]: (row, (cacao_data / row["file"]).read_bytes()) for row in csv.DictReader(rows)}


@pytest.fixture(scope="session")
def sound(expected):
    """The files that the schema accepts, as JSON."""
    return {name: read_json(raw).value for name, (row, raw) in expected.items() if row["schema"] == "PASS"}
