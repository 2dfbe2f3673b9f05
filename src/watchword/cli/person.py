"""A person at the terminal: who agrees to actions or takes pages gives the password of an account, here and now."""

import sys
from typing import TYPE_CHECKING

import typer

from watchword.kit.errors import Forbidden

if TYPE_CHECKING:
    from watchword.app.principal import Principal
    from watchword.app.watchword import Watchword


def must_be_terminal() -> None:
    """Raise `Forbidden` unless somebody sits at a terminal: neither a pipe nor a file is a person."""
    if not sys.stdin.isatty():
        raise Forbidden("Only a person may do this: type it at a terminal, where the password can be asked for")


def person_at(watchword: "Watchword", account: str) -> "Principal":
    """Ask for the account's password and return who it is.

    Raises:
        Forbidden: there is no terminal, or name and password do not fit; wrong ones are counted as at any log-in.
    """
    must_be_terminal()
    password = str(typer.prompt(f"Password of {account}", hide_input=True, err=True))
    opened = watchword.accounts.log_in(account, password, address="terminal", agent="command line")
    found = watchword.accounts.by_session(opened.token)
    watchword.accounts.log_out(opened.token, actor=account)
    if found is None:
        raise Forbidden("The log-in did not hold; try again")
    return found
