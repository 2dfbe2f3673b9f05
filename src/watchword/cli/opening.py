"""What every command begins with: the settings that were chosen, and a Watchword opened on its data folder."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from watchword.app.settings import Settings
    from watchword.app.watchword import Watchword


@dataclass(frozen=True, slots=True)
class Chosen:
    """The global options as given."""

    data: Path | None
    settings: Path | None


def settings_of(ctx: typer.Context, **overrides: Any) -> "Settings":
    """Return the settings for a command; `overrides` are further options of it by attribute.

    Raises:
        ContentError: a setting is wrong.
    """
    from watchword.app.settings import read_settings

    chosen = ctx.find_root().obj or Chosen(None, None)
    return read_settings(chosen.settings, overrides={"data": chosen.data, **overrides})


@contextmanager
def opened(ctx: typer.Context) -> Iterator["Watchword"]:
    """Open the Watchword of the data folder for one command: beside a running server, or with an event log of its own."""
    from watchword.app.watchword import open_watchword

    watchword = open_watchword(settings_of(ctx))
    try:
        yield watchword
    finally:
        watchword.close()


def actor() -> str:
    """Return how the audit log names whoever types this command."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli:unknown"
