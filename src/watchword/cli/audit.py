"""``watchword audit``: who read or did what, and whether the log is whole."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from watchword.cli.opening import opened
from watchword.cli.options import Filters, Form, Limit, Since, Until, span
from watchword.cli.output import Format, plain, print_object, print_rows, say
from watchword.kit.errors import InputError

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("seq", "time", "actor", "action", "target", "reason")
PAGE = 500


@app.command("list")
def list_entries(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = 100,
) -> None:
    """List the audit log, newest first. Filters: actor, action (a prefix will do), target."""
    from watchword.app.questions import read_filters

    chosen = {key: values[-1] for key, values in read_filters(filters or [], ("actor", "action", "target")).items()}
    first, last = span(since, until)
    with opened(ctx) as watchword:

        def rows() -> Iterator[dict[str, Any]]:
            left, before = limit or 0, None
            while left > 0:
                page = watchword.audit.entries(before=before, limit=min(PAGE, left), since=first, until=last, **chosen)
                yield from (plain(entry) for entry in page)
                if len(page) < min(PAGE, left):
                    return
                left, before = left - len(page), page[-1].seq

        print_rows(rows(), form, COLUMNS)


@app.command()
def verify(
    ctx: typer.Context,
    anchor: Annotated[
        Path | None, typer.Option("--anchor", metavar="FILE", help="A file that an earlier --write-anchor made: it must still fit.")
    ] = None,
    write_anchor: Annotated[
        Path | None, typer.Option("--write-anchor", metavar="FILE", help="Write the newest entry's number and hash, to be kept elsewhere.")
    ] = None,
) -> None:
    """Check that no entry was changed or taken away; exit status 1 when one was."""
    with opened(ctx) as watchword:
        problems = list(watchword.audit.check().problems)
        if anchor is not None:
            problems += [each for each in watchword.audit.verify(anchor=_read_anchor(anchor)) if each not in problems]
        seq, head = watchword.audit.head()
    for problem in problems:
        say(f"audit: {problem}")
    print_object({"intact": not problems, "entries": seq, "head": head, "problems": problems})
    if write_anchor is not None and not problems:
        write_anchor.write_text(f"{seq} {head}\n", encoding="ascii")
    raise typer.Exit(1 if problems else 0)


def _read_anchor(path: Path) -> tuple[int, str]:
    try:
        seq, head = path.read_text(encoding="ascii").split()
        return int(seq), head
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is no anchor; make one with --write-anchor") from error
