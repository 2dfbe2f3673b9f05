"""Running commands in this process, as they are typed."""

import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from watchword.cli.main import main
from watchword.stores.owner import OwnedStore

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys, monkeypatch):
    """Run one command."""

    def command(*words: str, stdin: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        out, err = capsys.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    return command


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A data folder whose event log is open already, so that commands need not start one each."""
    folder = tmp_path_factory.mktemp("cli") / "data"
    with OwnedStore(folder, serving=True):
        yield folder
