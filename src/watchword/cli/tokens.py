"""``watchword tokens``: tokens with which programs use the API."""

from typing import Annotated

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Filters, Form, Limit, Since, Until, span
from watchword.cli.output import Format, plain, print_object, print_rows
from watchword.kit.errors import InputError

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("uid", "name", "account", "scopes", "created", "expires", "last_used", "revoked")


@app.command("list")
def list_tokens(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = None,
) -> None:
    """List tokens, never their secrets; --since and --until mean when they were made. Filters: account, name."""
    from watchword.app.questions import read_filters

    chosen = read_filters(filters or [], ("account", "name"))
    first, last = span(since, until)
    with opened(ctx) as watchword:
        names = {each.uid: each.name for each in watchword.accounts.accounts()}
        tokens = [
            each for each in watchword.accounts.tokens.list() if (not first or each.created >= first) and (not last or each.created < last)
        ]
    rows = [plain(each) | {"account": names.get(each.account, each.account)} for each in tokens]
    rows = [row for row in rows if all(row[key] in values for key, values in chosen.items())]
    print_rows(rows[:limit], form, COLUMNS)


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    account: Annotated[str, typer.Option("--account", help="Whose rights it has.")],
    scope: Annotated[
        list[str], typer.Option("--scope", help="What it may do: read, trail, judge, ingest, sources, directory, audit, accounts.")
    ],
    life: Annotated[
        str | None, typer.Option("--life", metavar="DURATION", help="How long it works, as 90d; for ever when left out.")
    ] = None,
) -> None:
    """Make a token; its secret is printed once and never kept."""
    from watchword.app.principal import Permission
    from watchword.kit.duration import read_duration

    try:
        scopes = [Permission(each) for each in scope]
    except ValueError as error:
        raise InputError(f"{error}; known are {', '.join(Permission)}", "scope") from error
    with opened(ctx) as watchword:
        token, secret = watchword.accounts.tokens.create(account, name, scopes, actor=actor(), life=read_duration(life) if life else None)
    print_object(plain(token) | {"secret": secret})


@app.command()
def revoke(ctx: typer.Context, uid: Annotated[str, typer.Argument(help="The token's uid.")]) -> None:
    """Make a token useless from now on."""
    with opened(ctx) as watchword:
        watchword.accounts.tokens.revoke(uid, actor=actor())
