"""What every command begins with: the settings that were chosen, and a Watchword opened on its data folder."""

import getpass
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from watchword.kit.errors import ReasonRequired

if TYPE_CHECKING:
    from watchword.app.settings import Settings
    from watchword.app.watchword import Watchword

LEAST_REASON = 8
"""Characters of a reason that says something."""


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
def opened(ctx: typer.Context, *, only_look: bool = False) -> Iterator["Watchword"]:
    """Open the Watchword of the data folder for one command: beside a running server, or with an event log of its own.

    With `only_look` a data folder that does not exist yet is not made: a passing one stands in for it.
    """
    from watchword.app.watchword import open_watchword

    settings = settings_of(ctx)
    with ExitStack() as stack:
        if only_look and not settings.data.exists():
            settings = replace(settings, data=Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="watchword-"))))
        watchword = open_watchword(settings)
        stack.callback(watchword.close)
        yield watchword


def actor() -> str:
    """Return how the audit log names whoever types this command."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return "cli:unknown"


def read_trail(watchword: "Watchword", persons: list[str], reason: str) -> None:
    """Write into the audit log that people's trails are read now, and why.

    Raises:
        ReasonRequired: the reason says nothing.
    """
    if len(reason.strip()) < LEAST_REASON:
        raise ReasonRequired(f"A person's trail needs --reason TEXT ({LEAST_REASON} characters or more); it goes into the audit log")
    for person in persons:
        watchword.audit.write(actor(), "trail.read", person, reason.strip())
