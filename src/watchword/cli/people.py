"""``watchword people``: people, their badges and accounts; where someone was is read with a reason only."""

from pathlib import Path
from typing import Annotated

import typer

from watchword.cli.events import COLUMNS as EVENT_COLUMNS
from watchword.cli.events import all_events, event_row
from watchword.cli.opening import opened, read_trail
from watchword.cli.options import DryRun, Filters, Form, Limit, Reason, Since, Until, span
from watchword.cli.output import Format, plain, print_object, print_rows
from watchword.cli.site import check_file, load_file
from watchword.kit.errors import NotFound

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("uid", "name", "kind", "role", "site", "since", "until")
KEYS = ("uid", "name", "kind", "role", "site")
Who = Annotated[str, typer.Argument(help="The person's uid.", metavar="UID")]


@app.command()
def load(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV or YAML of people, badges or accounts.", metavar="FILE")],
    dry_run: DryRun = False,
) -> None:
    """Load people, badges and accounts; the rows of a file replace those of the file of the same name."""
    with opened(ctx, only_look=dry_run) as watchword:
        if dry_run:
            check_file(watchword, file, "people")
        else:
            load_file(watchword, file, "people")


@app.command("list")
def list_people(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = None,
) -> None:
    """List people; --since and --until: who belonged here at any moment in between. Filters: uid, name, kind, role, site."""
    from watchword.app.questions import read_filters

    chosen = read_filters(filters or [], KEYS)
    first, last = span(since, until)
    with opened(ctx) as watchword:
        people = watchword.registry.directory().people.people.values()
    rows = [
        plain(each)
        for each in people
        if (not first or each.until is None or each.until > first) and (not last or each.since is None or each.since < last)
    ]
    print_rows([row for row in rows if all(row[key] in values for key, values in chosen.items())][:limit], form, COLUMNS)


@app.command()
def show(ctx: typer.Context, uid: Who, reason: Reason = "") -> None:
    """Show one person with badges, accounts and machines. Needs a reason, which is logged."""
    with opened(ctx) as watchword:
        directory = watchword.registry.directory()
        person = directory.person(uid)
        if person is None:
            raise NotFound(f"There is no person {uid!r}; watchword people list shows those that are")
        read_trail(watchword, [uid], reason)
        links = [plain(link) | {"label": directory.label(link.entity)} for link in directory.people.links if link.person == uid]
        print_object(plain(person) | {"links": links, "assets": [asset.uid for asset in directory.assets_of(uid)]})


@app.command()
def trail(
    ctx: typer.Context,
    uid: Who,
    reason: Reason = "",
    form: Form = Format.TABLE,
    since: Since = "24h",
    until: Until = None,
    filters: Filters = None,
    limit: Limit = 1000,
) -> None:
    """List what is known of a person, oldest first. Needs a reason, which is logged. Filters: as for events."""
    from watchword.app.questions import event_query, read_filters
    from watchword.cli.events import KEYS as EVENT_KEYS
    from watchword.model import Order

    first, last = span(since, until)
    chosen = read_filters(filters or [], EVENT_KEYS) | {"person": [uid]}
    query = event_query(chosen, since=first, until=last, order=Order.OLDEST)
    with opened(ctx) as watchword:
        read_trail(watchword, [uid], reason)
        print_rows((event_row(event) for event in all_events(watchword, query, limit or 0)), form, EVENT_COLUMNS)
