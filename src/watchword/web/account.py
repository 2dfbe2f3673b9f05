"""Account: how pages look, one's password, one's API tokens; administrators also keep the accounts."""

from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from watchword.app.accounts import Permission, Role
from watchword.kit.errors import Conflict, Forbidden, InputError
from watchword.web.cookies import can_keep
from watchword.web.login import inside
from watchword.web.pages import Ask, LoggedIn

router = APIRouter()


@router.get("/account")
def account(ask: LoggedIn) -> Response:
    """Show the page."""
    return _page(ask)


def _page(ask: Ask, status: int = 200, **more: Any) -> Response:
    accounts = ask.watchword.accounts
    keeps = ask.may(Permission.ACCOUNTS)
    context: dict[str, Any] = {
        "faults": {},
        "said": "",
        "secret": "",
        "tokens": accounts.tokens.list("" if keeps else ask.who.account),
        "accounts": accounts.accounts() if keeps else (),
        "names": {each.uid: each.name for each in accounts.accounts()} if keeps else {ask.who.account: ask.who.name},
        "zones": [*sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/"))), "UTC"],
        "roles": [(role.value, role.value.replace("_", " ")) for role in Role],
        "scopes": sorted(ask.who.permissions),
    }
    return ask.page("account/account.html", status, **{**context, **more})


@router.post("/account/look")
def look(
    ask: LoggedIn,
    theme: Annotated[str, Form()] = "",
    density: Annotated[str, Form()] = "",
    clock: Annotated[str, Form()] = "",
    zone: Annotated[str, Form()] = "",
    keys: Annotated[str, Form()] = "",
) -> Response:
    """Keep how pages shall look on this device."""
    chosen = ask.look.with_choice(theme=theme, density=density, clock=clock, zone=zone, keys=keys)
    response = RedirectResponse("/account#look", 303)
    chosen.keep(response, secure=can_keep(ask.request))
    return response


@router.post("/account/clock")
def clock(ask: LoggedIn, clock: Annotated[str, Form()] = "", back: Annotated[str, Form()] = "/") -> Response:
    """Keep in which zone times are shown."""
    response = RedirectResponse(inside(back), 303)
    ask.look.with_choice(clock=clock).keep(response, secure=can_keep(ask.request))
    return response


@router.post("/account/password")
def password(
    ask: LoggedIn,
    old: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    again: Annotated[str, Form()] = "",
) -> Response:
    """Change one's own password; other log-ins of this account end."""
    if password != again:
        return _page(ask, 422, faults={"again": "The two are not the same"})
    try:
        ask.watchword.accounts.change_password(ask.who, old, password)
    except InputError as error:
        return _page(ask, 422, faults={error.field: str(error)})
    return _page(ask, said="The password is changed; other log-ins of this account have ended.")


@router.post("/account/tokens")
def new_token(
    ask: LoggedIn,
    name: Annotated[str, Form()] = "",
    scopes: Annotated[list[str] | None, Form()] = None,
    days: Annotated[str, Form()] = "",
) -> Response:
    """Make an API token and show its secret once."""
    known = {each.value for each in Permission}
    if not set(scopes or []) <= known:
        return _page(ask, 422, faults={"scopes": "There is no such scope"})
    if days and not (days.isascii() and days.isdigit() and 0 < int(days[:9]) <= 3650):
        return _page(ask, 422, faults={"days": "Days are a number from 1 to 3650"})
    life = timedelta(days=int(days)) if days else None
    wanted = [Permission(scope) for scope in scopes or []]
    try:
        token, secret = ask.watchword.accounts.tokens.create(ask.who.account, name, wanted, actor=ask.who.actor, life=life)
    except InputError as error:
        return _page(ask, 422, faults={error.field: str(error)})
    return _page(ask, secret=secret, secret_name=token.name)


@router.post("/account/tokens/{uid}/revoke")
def revoke(ask: LoggedIn, uid: str) -> Response:
    """Make a token useless; one's own, or anybody's for an administrator."""
    mine = {token.uid for token in ask.watchword.accounts.tokens.list(ask.who.account)}
    if uid not in mine:
        ask.require(Permission.ACCOUNTS)
    ask.watchword.accounts.tokens.revoke(uid, actor=ask.who.actor)
    return ask.see("/account#tokens")


@router.post("/account/accounts")
def new_account(
    ask: LoggedIn,
    name: Annotated[str, Form()] = "",
    full_name: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """Make an account; its holder is asked for a password of their own."""
    ask.require(Permission.ACCOUNTS)
    try:
        ask.watchword.accounts.create(name, _role(role), password, actor=ask.who.actor, full_name=full_name, must_change=True)
    except (InputError, Conflict) as error:
        field = error.field if isinstance(error, InputError) else "name"
        return _page(ask, 422, faults={f"new-{field}": str(error)})
    return ask.see("/account#accounts")


@router.post("/account/accounts/{uid}")
def change_account(ask: LoggedIn, uid: str, role: Annotated[str, Form()] = "", state: Annotated[str, Form()] = "") -> Response:
    """Give an account another role, shut it or reopen it."""
    ask.require(Permission.ACCOUNTS)
    accounts = ask.watchword.accounts
    kept = accounts.account(uid)
    if kept.uid == ask.who.account and state == "shut":
        raise Forbidden("You cannot shut the account you are using")
    if role and _role(role) is not kept.role:
        accounts.set_role(kept.uid, _role(role), actor=ask.who.actor)
    if state in {"shut", "open"} and kept.disabled is not (state == "shut"):
        accounts.set_disabled(kept.uid, state == "shut", actor=ask.who.actor)
    return ask.see("/account#accounts")


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError as error:
        raise InputError(f"There is no role {text[:40]!r}", "role") from error
