"""Log-in and log-out."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from watchword.app.accounts import LogInRefused
from watchword.web.cookies import SESSION, can_keep, forget, keep_secret
from watchword.web.pages import Anyone
from watchword.web.words import age_words

router = APIRouter()


@router.get("/log-in")
def log_in_page(ask: Anyone, next: str = "/") -> Response:  # noqa: A002 - the parameter's name in the address
    """Show the form; who is logged in already goes on."""
    if ask.principal is not None:
        return ask.see(inside(next))
    return ask.page("log_in.html", next=inside(next), name="", fault="", can_keep=can_keep(ask.request))


@router.post("/log-in")
def log_in(
    ask: Anyone,
    name: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - as above
) -> Response:
    """Open a session, or show the form again with what was wrong."""
    address = ask.request.client.host if ask.request.client else ""
    try:
        opened = ask.watchword.accounts.log_in(name, password, address=address, agent=ask.request.headers.get("user-agent", ""))
    except LogInRefused as refused:
        fault = str(refused) + (
            f". Wait {age_words(refused.wait)} before the next try." if refused.wait and "wait" not in str(refused) else ""
        )
        status = 429 if refused.wait else 401
        again = ask.page("log_in.html", status, next=inside(next), name=name[:64], fault=fault, can_keep=can_keep(ask.request))
        if refused.wait:
            again.headers["Retry-After"] = str(int(refused.wait.total_seconds()) + 1)
        return again
    response = RedirectResponse("/account#password" if opened.account.must_change and inside(next) == "/" else inside(next), 303)
    keep_secret(response, SESSION, opened.token)
    return response


@router.post("/log-out")
def log_out(ask: Anyone) -> Response:
    """End the session."""
    token = ask.request.cookies.get(SESSION, "")
    if ask.principal is not None and token:
        ask.watchword.accounts.log_out(token, actor=ask.principal.actor)
    response = RedirectResponse("/log-in", 303)
    forget(response, SESSION)
    return response


def inside(address: str) -> str:
    """Return the address when it is a path of ours, else the Overview: a log-in never leads to another site."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not address.startswith("/") or address.startswith(("//", "/\\")) or "\n" in address:
        return "/"
    return address
