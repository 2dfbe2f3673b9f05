"""Fixtures that every room's tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of third-party test data beside the repository; the test skips, saying so, where it is absent."""
    folder = Path(os.environ.get("WATCHWORD_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"shared data absent: {folder} (set WATCHWORD_SHARED)")
    return folder
