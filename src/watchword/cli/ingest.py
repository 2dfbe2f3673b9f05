"""``watchword ingest``: take files in and judge them, with no server running or beside one."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.output import print_object, say, shown_path
from watchword.cli.source import mapping_of, wait_for
from watchword.kit.errors import Conflict, NotFound

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword
    from watchword.ingest.ports import Receipt


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ingest)


def ingest(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="CSV or JSON-lines files, or text with a record a line.", metavar="FILE…")],
    source: Annotated[str, typer.Option("--source", help="Whose records they are; made from the mapping when it is new.", metavar="NAME")],
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="The mapping file or the name of a shipped one; else the source's own.", metavar="FILE")
    ] = None,
    no_judging: Annotated[
        bool, typer.Option("--no-judging", help="Only take the records in; a later command or server judges them.")
    ] = False,
) -> None:
    """Take files in: prints accepted, parsed, unparsed, duplicate. A file given again, whole or grown, brings only what is new.

    Exit status 1 when a record could not be parsed; `watchword source unparsed` lists those.
    """
    with opened(ctx) as watchword:
        before = watchword.ledger.status(source)
        accepted = duplicate = 0
        _prepare(watchword, source, mapping)
        for file in files:
            receipt = _take(watchword, file, source)
            accepted, duplicate = accepted + receipt.accepted, duplicate + receipt.duplicate
        parsed = unparsed = 0
        if not no_judging:
            _judge(watchword)
            after = watchword.ledger.status(source)
            parsed, unparsed = after.parsed - before.parsed, after.unparsed - before.unparsed
    print_object({"accepted": accepted, "parsed": parsed, "unparsed": unparsed, "duplicate": duplicate})
    if unparsed:
        words = "1 record is" if unparsed == 1 else f"{unparsed} records are"
        say(f"{words} kept but could not be parsed: watchword source unparsed {source}")
    raise typer.Exit(1 if unparsed else 0)


def _prepare(watchword: "Watchword", source: str, path: Path | None) -> None:
    from watchword.app.mapping_book import shipped_mappings
    from watchword.app.onboarding import add_source
    from watchword.resolve.service import read_text

    try:
        known = watchword.ledger.source(source)
    except NotFound:
        if path is None:
            raise NotFound(f"There is no source {source!r} yet; say how its records are read with --mapping FILE") from None
        known = None
    if path is None:
        return
    compiled = mapping_of(watchword, path)
    text = read_text(path) if path.exists() else shipped_mappings()[str(path)]
    if known is None or known.mapping != compiled.name:
        add_source(watchword, source, mapping_text=text, mapping_path=str(path), actor=actor(), replacing=True)
    else:
        watchword.ledger.put_mapping(compiled.name, text, watchword.clock.now())
    watchword.mappings.forget()


def _take(watchword: "Watchword", file: Path, source: str) -> "Receipt":
    from watchword.connectors.files import check_file, ingest_file

    mapping = watchword.mappings.of(source)
    check_file(file, mapping)
    seen = 0

    def progress(receipt: "Receipt") -> None:
        nonlocal seen
        seen += receipt.accepted + receipt.duplicate
        if sys.stderr.isatty():
            print(f"\r{shown_path(file)}: {seen} records", end="", file=sys.stderr)

    receipt = ingest_file(file, source, mapping, watchword.intake, progress)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return receipt


def _judge(watchword: "Watchword") -> None:
    """Carry what waits to findings: here, or by waiting for the server's worker when one runs."""
    from watchword.app.pipeline import Pipeline
    from watchword.app.supervisor import held

    try:
        with held(watchword.settings, "work"):
            pipeline = Pipeline(watchword)
            pipeline.start()
            pipeline.run_until_empty()
    except Conflict:
        say("a worker runs on this data folder; waiting for it to take the records up")
        wait_for(lambda: watchword.spool.depth().records == 0)
