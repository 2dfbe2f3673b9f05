"""``watchword source``: set up one source: try a mapping, add, make a token, parse again."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import DryRun, Filters, Form, Limit, Since, Until, now, span
from watchword.cli.output import Format, plain, print_object, print_rows, say
from watchword.kit.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword
    from watchword.ingest.mapping import Mapping
    from watchword.model import Unparsed

app = typer.Typer(no_args_is_help=True)
TRIED = ("line", "time", "class", "activity_id", "person", "place", "credential", "src_ip", "dst_ip", "message", "fault")
STEP_SECONDS = 0.2
UNPARSED = ("received", "source", "record", "fault", "sample")
MappingFile = Annotated[Path, typer.Option("--mapping", help="The mapping file, or the name of a shipped one.", metavar="FILE")]
Name = Annotated[str, typer.Argument(help="The source.", metavar="NAME")]


@app.command("try")
def try_source(
    ctx: typer.Context,
    mapping: Annotated[Path, typer.Argument(help="The mapping file, or the name of a shipped one.", metavar="MAPPING")],
    file: Annotated[Path, typer.Argument(help="A file with records.", metavar="FILE")],
    form: Form = Format.TABLE,
    limit: Limit = 10,
) -> None:
    """Show the first records of a file as the events they would become; nothing is stored. Exit status 1 if one cannot be parsed."""
    from watchword.connectors.files import check_file, read_file
    from watchword.ingest.trial import try_mapping

    with opened(ctx, only_look=True) as watchword:
        compiled = mapping_of(watchword, mapping)
        check_file(file, compiled)
        directory = watchword.registry.directory()
        bodies = (item.body for batch in read_file(file, compiled) for item in batch)
        header = compiled.format.csv is not None and compiled.format.csv.header == "first"
        faults = 0

        def rows() -> Iterator[dict[str, Any]]:
            from watchword.cli.events import event_row

            nonlocal faults
            for tried in try_mapping(compiled, enumerate(islice(bodies, limit), 2 if header else 1), now()):
                faults += bool(tried.fault)
                blank = dict.fromkeys(("time", "class", "activity_id", "person", "place", "credential", "src_ip", "dst_ip"), "")
                if not tried.events:
                    yield {"line": tried.line, **blank, "message": tried.sample, "fault": tried.fault}
                for event in tried.events:
                    yield {"line": tried.line} | event_row(directory.identify(event)) | {"fault": tried.fault, "mapped": tried.mapped}

        count = print_rows(rows(), form, TRIED)
    say(f"{count} {'row' if count == 1 else 'rows'}; {faults} {'record' if faults == 1 else 'records'} cannot be parsed")
    raise typer.Exit(1 if faults else 0)


def mapping_of(watchword: "Watchword", path: Path) -> "Mapping":
    """Return the mapping in a file, or the shipped one of that name, without keeping it; raises `ContentError` with all faults."""
    from watchword.app.mapping_book import shipped_mappings
    from watchword.ingest.mapping import load_mapping
    from watchword.resolve.service import read_text

    shipped = shipped_mappings().get(str(path)) if not path.exists() else None
    if shipped is None and not path.exists():
        raise NotFound(
            f"There is no mapping file {path}, and none of this name is shipped: those are {', '.join(sorted(shipped_mappings()))}"
        )
    return load_mapping(shipped if shipped is not None else read_text(path), str(path), key=watchword.site_key)


@app.command()
def add(
    ctx: typer.Context,
    name: Name,
    mapping: MappingFile,
    connector: Annotated[str | None, typer.Option("--connector", help="syslog, webhook, csv or jsonl, else as the mapping says.")] = None,
    site: Annotated[str | None, typer.Option("--site", help="Uid of the site it reports on.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace the source of this name.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Add a source with its mapping. Faults of the mapping are named all at once, as path:line."""
    from watchword.app.mapping_book import shipped_mappings
    from watchword.app.onboarding import SourceChoices, add_source
    from watchword.resolve.service import read_text

    with opened(ctx, only_look=dry_run) as watchword:
        compiled = mapping_of(watchword, mapping)
        if dry_run:
            print_object(plain(compiled.source(name)) | {"dry_run": True})
            return
        text = read_text(mapping) if mapping.exists() else shipped_mappings()[str(mapping)]
        choices = SourceChoices(connector=connector, site=site)
        print_object(
            add_source(watchword, name, mapping_text=text, mapping_path=str(mapping), choices=choices, actor=actor(), replacing=replace)
        )


@app.command()
def remove(ctx: typer.Context, name: Name, dry_run: DryRun = False) -> None:
    """Forget a source's settings; what it sent stays."""
    with opened(ctx, only_look=dry_run) as watchword:
        source = watchword.ledger.source(name)
        if not dry_run:
            watchword.ledger.remove_source(source.name)
            watchword.audit.write(actor(), "source.remove", name)
    say(f"{name}: {'would be ' if dry_run else ''}removed; what it sent stays")


@app.command()
def unparsed(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The source; all when left out.", metavar="NAME")] = "",
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = 100,
) -> None:
    """List records that are kept though nothing could be made of them yet, newest first. Filters: source, fault (a part of it)."""
    from watchword.app.questions import read_filters
    from watchword.app.reparsing import all_unparsed

    chosen = read_filters(filters or [], ("source", "fault"))
    first, last = span(since, until)
    with opened(ctx) as watchword:

        def wanted(each: "Unparsed") -> bool:
            return (
                (not first or each.received >= first)
                and (not last or each.received < last)
                and (not chosen.get("source") or each.source in chosen["source"])
                and (not chosen.get("fault") or any(part in each.fault for part in chosen["fault"]))
            )

        found = (plain(each) for each in all_unparsed(watchword, name) if wanted(each))
        print_rows(islice(found, limit), form, UNPARSED)


@app.command()
def token(
    ctx: typer.Context,
    name: Name,
    signing: Annotated[bool, typer.Option("--signing", help="Make a signing key instead: the source must then sign its requests.")] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take token and signing key away instead.")] = False,
) -> None:
    """Make the source's token for HTTP, in place of the one before; it is printed once and never kept."""
    from watchword.app.source_keys import keys_of

    with opened(ctx) as watchword:
        source = watchword.ledger.source(name)
        keys = keys_of(watchword)
        if revoke:
            keys.revoke(source.name, actor=actor())
            say(f"{name}: can no longer send over HTTP")
            return
        secret = keys.new_signing_key(source.name, actor=actor()) if signing else keys.new_token(source.name, actor=actor())
        print_object({"source": name, "path": f"/api/v1/ingest/{name}", ("signing_key" if signing else "token"): secret})


@app.command()
def reparse(ctx: typer.Context, name: Name) -> None:
    """Parse the unparsed records of a source again, after its mapping was mended. Exit status 1 when some still cannot be parsed.

    When a worker runs on the data folder it does so, and the command waits for it.
    """
    from watchword.app import reparsing
    from watchword.app.pipeline import Pipeline
    from watchword.app.supervisor import held
    from watchword.kit.errors import Conflict

    with opened(ctx) as watchword:
        watchword.ledger.source(name)
        before = watchword.ledger.status(name).unparsed
        try:
            with held(watchword.settings, "work"):
                pipeline = Pipeline(watchword)
                pipeline.start()
                good, bad = reparsing.reparse(watchword, pipeline, name, actor=actor())
        except Conflict:
            reparsing.ask(watchword, name, actor=actor())
            say("a worker runs on this data folder; waiting for it to do so")
            wait_for(lambda: all(source != name for source, _ in reparsing.asked(watchword)))
            bad = watchword.ledger.status(name).unparsed
            good = max(0, before - bad)
    print_object({"source": name, "mended": good, "unparsed": bad})
    raise typer.Exit(1 if bad else 0)


def wait_for(done: Callable[[], bool], seconds: float = 3600.0) -> None:
    """Wait until it is done.

    Raises:
        Unavailable: it is not done in time.
    """
    import time

    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise Unavailable("the worker has not done it in time; see its log")
        time.sleep(STEP_SECONDS)
