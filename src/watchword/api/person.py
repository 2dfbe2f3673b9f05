"""A person behind a call: what only a person may do, a token alone may not; the password of its account proves who is there."""

from dataclasses import replace

from fastapi import Request

from watchword.app.freshness import fresh
from watchword.app.principal import Principal
from watchword.app.watchword import Watchword
from watchword.kit.errors import Forbidden


def person_of(request: Request, watchword: Watchword, caller: Principal, password: str, *, lately: bool = False) -> Principal:
    """Return the caller as a person: a session is one; a token becomes one with the password, which is tried like a log-in.

    Args:
        request: The call: wrong passwords are counted by its address.
        watchword: Where.
        caller: Who calls.
        password: As sent; empty when there is none.
        lately: Whether the person must have given a password within the last minutes, as for approvals.

    Raises:
        Forbidden: there is no proof, or it is wrong; after several tries one has to wait.
    """
    if caller.session and not lately:
        return caller
    if fresh(watchword, caller):
        return caller
    if not password:
        why = "your log-in is older than 10 minutes" if caller.session else "a token alone is a program"
        raise Forbidden(f"Only a person may do this, and {why}: send the account's password with it")
    address = request.client.host if request.client else ""
    opened = watchword.accounts.log_in(caller.name, password, address=address, agent=request.headers.get("user-agent", ""))
    watchword.accounts.log_out(opened.token, actor=caller.actor)
    return replace(caller, token="")
