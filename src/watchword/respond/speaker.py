"""Who speaks: the account behind a name in the logs, so that one person with two tokens is never two people."""

from typing import Final

PROGRAM: Final = " (token "
"""How an account that speaks through an API token is named: ``ann (token probe)``. No account's name holds this."""


def account_of(actor: str) -> str:
    """Return the account's name of an actor, without the token that it used."""
    return actor.partition(PROGRAM)[0]
