"""``watchword sources``: who sends records, and how well."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import opened
from watchword.cli.options import Filters, Form, Limit, Since, Until, span
from watchword.cli.output import Format, plain, print_object, print_rows

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("name", "domain", "kind", "connector", "mapping", "accepted", "unparsed", "duplicate", "lost", "events", "last_received")
KEYS = ("name", "domain", "kind", "connector", "mapping", "site")


def rows_of(watchword: "Watchword") -> list[dict[str, Any]]:
    """Return every source with its settings and counts; names that only ever sent records stand without settings."""
    statuses = {each.name: plain(each) for each in watchword.ledger.statuses()}
    rows = []
    for source in watchword.ledger.sources():
        status = statuses.pop(source.name, None) or plain(watchword.ledger.status(source.name))
        rows.append(plain(source) | status)
    blank = dict.fromkeys(("domain", "kind", "connector", "mapping", "site", "lateness", "resolution", "skew", "rhythm"), "")
    return rows + [{"name": name, **blank, **status} for name, status in statuses.items()]


@app.command("list")
def list_sources(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = None,
) -> None:
    """List sources with their counts; --since and --until mean the last record. Filters: name, domain, kind, connector, mapping, site."""
    from watchword.app.questions import read_filters

    chosen = read_filters(filters or [], KEYS)
    first, last = (plain(each) for each in span(since, until))
    with opened(ctx) as watchword:
        rows = rows_of(watchword)
    rows = [row for row in rows if all(row[key] in values for key, values in chosen.items())]
    rows = [
        row for row in rows if (not first or (row["last_received"] or "") >= first) and (not last or (row["last_received"] or "") < last)
    ]
    print_rows(rows[:limit], form, COLUMNS)


@app.command()
def show(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The source.")]) -> None:
    """Show one source: settings, counts, newest unparsed records."""
    with opened(ctx) as watchword:
        source = watchword.ledger.source(name)
        row = plain(source) | plain(watchword.ledger.status(name))
        print_object(row | {"newest_unparsed": plain(watchword.ledger.unparsed(name, limit=5))})
