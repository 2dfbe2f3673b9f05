"""Proving who one is, again: a deed that binds a person takes a password where the log-in is older than 10 minutes."""

from collections.abc import Callable, Mapping

from starlette.responses import Response

from watchword.app.accounts import LogInRefused
from watchword.app.freshness import fresh
from watchword.kit.errors import Forbidden
from watchword.web.cookies import SESSION, keep_secret
from watchword.web.pages import Ask


def proved(ask: Ask, fields: Mapping[str, str], deed: Callable[[], Response]) -> Response:
    """Do a deed once the asker's log-in is fresh: where it is older, the form's password begins a new session, and the old one ends.

    Raises:
        Forbidden: the password is lacking or wrong.
    """
    if fresh(ask.watchword, ask.who):
        return deed()
    address = ask.request.client.host if ask.request.client else ""
    agent = ask.request.headers.get("user-agent", "")
    try:
        token = ask.watchword.accounts.log_in(ask.who.name, fields.get("password", ""), address=address, agent=agent).token
    except LogInRefused as refused:
        said = "Your log-in is older than 10 minutes: give your password." if not fields.get("password") else str(refused)
        raise Forbidden(said) from refused
    ask.watchword.accounts.log_out(ask.request.cookies.get(SESSION, ""), actor=ask.who.actor)
    response = deed()
    keep_secret(response, SESSION, token)
    return response
