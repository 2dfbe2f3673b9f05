"""Options that all list commands share: form, time span, filters, limit."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from watchword.cli.output import Format
from watchword.kit.errors import InputError

Form: TypeAlias = Annotated[Format, typer.Option("--format", "-f", help="How to print.")]
Since: TypeAlias = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="At or after: 2026-03-01T08:00:00Z, 2026-03-01, or 24h for so long ago.")
]
Until: TypeAlias = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Before; written as --since.")]
Filters: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--filter", "-F", metavar="KEY=VALUE", help="Only these; again for more: one key's values are alternatives."),
]
Limit: TypeAlias = Annotated[int | None, typer.Option("--limit", "-n", min=1, help="At most so many.")]
Reason: TypeAlias = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why you read this; it goes into the audit log.")]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, do nothing.")]


def now() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


def span(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """Return both ends of a time span given in words.

    Raises:
        InputError: one of them is no time, or the span ends before it begins.
    """
    from watchword.app.questions import read_moment

    at = now()
    ends = read_moment(since, at) if since else None, read_moment(until, at) if until else None
    if ends[0] and ends[1] and ends[0] >= ends[1]:
        raise InputError("--until is not after --since", "until")
    return ends


def secret(file: Path | None, prompt: str, variable: str) -> str:
    """Return a secret from a file, the environment, a pipe or a prompt; never from the command line.

    Raises:
        InputError: there is none, or the file cannot be read.
    """
    import os

    if file is not None:
        try:
            return file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{file}: cannot be read: {error}") from error
    if value := os.environ.get(variable):
        return value
    if not sys.stdin.isatty():
        if value := sys.stdin.readline().rstrip("\r\n"):
            return value
        raise InputError(f"no secret on stdin; give it there, in {variable} or in a file")
    return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True))
