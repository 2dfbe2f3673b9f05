"""``watchword mappings``: how sources' records become events."""

from typing import Annotated

import typer

from watchword.cli.opening import opened
from watchword.cli.options import Filters, Form, Limit, Since, Until, span
from watchword.cli.output import Format, plain, print_rows

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
    """List the newest version of every mapping and the sources that use it. Filters: name."""
    from watchword.app.questions import read_filters

    chosen = read_filters(filters or [], ("name",))
    first, last = span(since, until)
    with opened(ctx) as watchword:
        kept = [each for each in watchword.ledger.mappings() if (not first or each.kept_at >= first) and (not last or each.kept_at < last)]
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
    print_rows(rows[:limit], form, COLUMNS)


@app.command()
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The mapping.")],
    version: Annotated[int | None, typer.Option("--version", min=1, help="An older version.")] = None,
) -> None:
    """Print a mapping's text as it was kept."""
    with opened(ctx) as watchword:
        print(watchword.ledger.mapping(name, version).text, end="")
