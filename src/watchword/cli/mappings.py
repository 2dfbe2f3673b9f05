"""``watchword mappings``: how sources' records become events."""

from typing import Annotated

import typer

from watchword.cli.opening import opened
from watchword.cli.options import Filters, Form, Limit, Since, Until, span
from watchword.cli.output import Format, plain, print_rows
from watchword.kit.errors import NotFound

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("name", "version", "kept_at", "sources")


@app.command("list")
def list_mappings(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = None,
) -> None:
    """List the newest version of every mapping and the sources that use it; unused shipped ones come last, version 0. Filters: name."""
    from watchword.app.mapping_book import shipped_mappings
    from watchword.app.questions import read_filters

    chosen = read_filters(filters or [], ("name",))
    first, last = span(since, until)
    with opened(ctx, only_look=True) as watchword:
        every = watchword.ledger.mappings()
        kept = [each for each in every if (not first or each.kept_at >= first) and (not last or each.kept_at < last)]
        sources = watchword.ledger.sources()
    rows = [
        {
            "name": each.name,
            "version": each.version,
            "kept_at": plain(each.kept_at),
            "sources": [one.name for one in sources if one.mapping == each.name],
        }
        for each in kept
        if not chosen.get("name") or each.name in chosen["name"]
    ]
    if not first and not last:
        unused = sorted(shipped_mappings().keys() - {each.name for each in every})
        shipped = {"version": 0, "kept_at": "", "sources": []}
        rows += [{"name": name} | shipped for name in unused if not chosen.get("name") or name in chosen["name"]]
    print_rows(rows[:limit], form, COLUMNS)


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The mapping.")],
    version: Annotated[int | None, typer.Option("--version", min=1, help="An older version.")] = None,
) -> None:
    """Print a mapping's text as it was kept, or as it is shipped."""
    from watchword.app.mapping_book import shipped_mappings

    with opened(ctx, only_look=True) as watchword:
        try:
            text = watchword.ledger.mapping(name, version).text
        except NotFound:
            if version is not None or (shipped := shipped_mappings().get(name)) is None:
                raise
            text = shipped
    print(text, end="")
