"""Fixtures that every room's tests share."""

import asyncio
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


@pytest.fixture(autouse=True)
def _own_event_loop(request):
    """Let tests run event loops of their own, though a browser's driver keeps one running in this process between its tests."""
    if "journeys" in request.node.path.parts:
        yield
        return
    kept = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(kept)
