"""``watchword accounts``: who may log in."""

from pathlib import Path
from typing import Annotated

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Filters, Form, Limit, Since, Until, secret, span
from watchword.cli.output import Format, plain, print_object, print_rows, say
from watchword.kit.errors import InputError

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("name", "full_name", "role", "disabled", "created")
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", metavar="FILE", help="Where the password is; else WATCHWORD_PASSWORD, a pipe or a prompt."),
]


@app.command("list")
def list_accounts(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = None,
) -> None:
    """List accounts; --since and --until mean when they were made. Filters: role, disabled (yes or no)."""
    from watchword.app.questions import read_filters

    chosen = read_filters(filters or [], ("role", "disabled"))
    first, last = span(since, until)
    with opened(ctx) as watchword:
        rows = [
            plain(each)
            for each in watchword.accounts.accounts()
            if (not first or each.created >= first) and (not last or each.created < last)
        ]
    rows = [row for row in rows if not chosen.get("role") or row["role"] in chosen["role"]]
    rows = [row for row in rows if not chosen.get("disabled") or ("yes" if row["disabled"] else "no") in chosen["disabled"]]
    print_rows(rows[:limit], form, COLUMNS)


@app.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name to log in with.")],
    role: Annotated[str, typer.Option("--role", help="administrator, it_analyst, control_room_operator, manager or auditor.")],
    full_name: Annotated[str, typer.Option("--full-name", help="Name as people say it.")] = "",
    password_file: PasswordFile = None,
) -> None:
    """Make an account."""
    from watchword.app.accounts import Role

    try:
        wanted = Role(role.replace("-", "_"))
    except ValueError as error:
        raise InputError(f"{role!r} is no role; known are {', '.join(Role)}", "role") from error
    password = secret(password_file, f"Password for {name}", "WATCHWORD_PASSWORD")
    with opened(ctx) as watchword:
        print_object(watchword.accounts.create(name, wanted, password, actor=actor(), full_name=full_name))


@app.command()
def password(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The account.")], password_file: PasswordFile = None) -> None:
    """Set an account's password and end its sessions."""
    with opened(ctx) as watchword:
        account = watchword.accounts.account(name)
        watchword.accounts.set_password(account.uid, secret(password_file, f"New password for {name}", "WATCHWORD_PASSWORD"), actor=actor())
    say(f"{name}: password set, sessions ended")


@app.command()
def disable(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The account.")]) -> None:
    """Shut an account: its sessions and tokens end."""
    with opened(ctx) as watchword:
        print_object(watchword.accounts.set_disabled(name, True, actor=actor()))


@app.command()
def enable(ctx: typer.Context, name: Annotated[str, typer.Argument(help="The account.")]) -> None:
    """Open a shut account again."""
    with opened(ctx) as watchword:
        print_object(watchword.accounts.set_disabled(name, False, actor=actor()))
