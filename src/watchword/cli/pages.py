"""``watchword pages``: whom Watchword calls and who has not answered; a page is taken by a person, with a password."""

from typing import Annotated, Any

import typer

from watchword.cli.opening import opened
from watchword.cli.options import Filters, Form, Limit, Since, Until, span
from watchword.cli.output import Format, plain, print_object, print_rows
from watchword.cli.person import must_be_terminal, person_at
from watchword.kit.errors import InputError

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("made", "severity", "waits_for", "exercise", "place", "incident", "uid", "title")
TAKEN = frozenset({"acknowledged", "stopped"})


def row_of(page: Any) -> dict[str, Any]:
    """Return a page as it is printed."""
    row: dict[str, Any] = plain(page)
    return row | {"waits_for": [track["team"] for track in row["tracks"] if track["status"] not in TAKEN]}


@app.command("list")
def list_pages(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = 200,
) -> None:
    """List pages that some team has not taken yet, the gravest and oldest first; of an incident all. Filters: incident, severity, team."""
    from watchword.app.questions import read_filters
    from watchword.cli.incidents import uid_of

    chosen = read_filters(filters or [], ("incident", "severity", "team"))
    first, last = span(since, until)
    one = {key: values[-1] for key, values in chosen.items()}
    if one.get("severity", "4") not in {"1", "2", "3", "4"}:
        raise InputError("--filter severity is 1 (gravest) to 4: at least so grave", "filter")
    with opened(ctx) as watchword:
        pager = watchword.response.pager
        found = pager.pages(uid_of(watchword, one["incident"])) if one.get("incident") else pager.unanswered()
        rows = [
            row_of(each)
            for each in found
            if each.severity <= int(one.get("severity", "4"))
            and (not one.get("team") or one["team"] in {track.team for track in each.tracks})
            and (first is None or each.made >= first)
            and (last is None or each.made < last)
        ]
        print_rows(rows[:limit], form, COLUMNS)


@app.command()
def acknowledge(
    ctx: typer.Context,
    uid: Annotated[str, typer.Argument(help="The page's uid.", metavar="PAGE")],
    account: Annotated[str, typer.Option("--account", metavar="NAME", help="Who takes it.")],
    team: Annotated[str, typer.Option("--team", help="For which team; the account's own when left out.")] = "",
) -> None:
    """Take a page, so that calling of the team stops: at a terminal, with the account's password."""
    from watchword.app.principal import Permission

    must_be_terminal()
    with opened(ctx) as watchword:
        watchword.response.pager.get(uid)
        person = person_at(watchword, account)
        person.require(Permission.RESPOND)
        print_object(row_of(watchword.response.pager.acknowledge(uid, person.name, "page", team)))
