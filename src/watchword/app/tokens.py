"""API tokens: rows with scopes and an end; the secret is shown once and only its digest is kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert, select, update

from watchword.app import tables
from watchword.app.audit import Audit
from watchword.app.principal import PERMISSIONS, Permission, Principal, Role
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.kit.secrets import new_token, token_digest

TOUCH: Final = timedelta(minutes=1)
"""Coarseness of a token's last use: one write a minute, not one a request."""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """An API token as kept, without its secret."""

    uid: str
    account: str
    name: str
    scopes: tuple[Permission, ...]
    created: datetime
    expires: datetime | None = None
    last_used: datetime | None = None
    revoked: datetime | None = None


class Tokens:
    """Makes, lists, revokes and recognises API tokens."""

    def __init__(self, records: Records, clock: Clock, audit: Audit) -> None:
        self._records = records
        self._clock = clock
        self._audit = audit

    def create(
        self, account: str, name: str, scopes: Iterable[Permission], *, actor: str, life: timedelta | None = None
    ) -> tuple[ApiToken, str]:
        """Make an API token; the secret is returned once and only its digest is kept.

        Raises:
            InputError: no name, no scope, or a scope that the account's role does not hold.
        """
        owner = self._owner(account)
        wanted = tuple(sorted(set(scopes)))
        name = _printable(name).strip()[:100]
        if not name:
            raise InputError("A token needs a name that says what it is for", "name")
        if not wanted:
            raise InputError("A token needs at least one scope", "scopes")
        beyond = [scope.value for scope in wanted if scope not in PERMISSIONS[Role(owner.role)]]
        if beyond:
            raise InputError(f"{owner.name} ({owner.role}) cannot give away what that role does not hold: {', '.join(beyond)}", "scopes")
        secret = "ww_" + new_token()
        now = self._now()
        token = ApiToken(random_uid(), owner.uid, name, wanted, now, now + life if life else None)
        with self._records.begin() as connection:
            connection.execute(
                insert(tables.api_token).values(
                    uid=token.uid,
                    digest=token_digest(secret),
                    account=owner.uid,
                    name=name,
                    scopes=[scope.value for scope in wanted],
                    created=now,
                    expires=token.expires,
                )
            )
            detail = {"name": name, "scopes": [scope.value for scope in wanted], "account": owner.name}
            self._audit.write(actor, "token.create", token.uid, detail=detail, connection=connection)
        return token, secret

    def list(self, account: str = "") -> tuple[ApiToken, ...]:
        """Return tokens, newest first: all of them, or one account's."""
        table = tables.api_token
        query = select(table).order_by(table.c.created.desc(), table.c.uid)
        if account:
            query = query.where(table.c.account == account)
        with self._records.read() as connection:
            return tuple(_token(row) for row in connection.execute(query))

    def revoke(self, uid: str, *, actor: str) -> None:
        """Make a token useless from now on; raises `NotFound`."""
        with self._records.begin() as connection:
            table = tables.api_token
            done = connection.execute(update(table).where(table.c.uid == uid, table.c.revoked.is_(None)).values(revoked=self._now()))
            if not done.rowcount:
                raise NotFound(f"There is no working token {uid!r}")
            self._audit.write(actor, "token.revoke", uid, connection=connection)

    def principal(self, secret: str) -> Principal | None:
        """Return who holds this API token, or None when it is unknown, expired, revoked or its account is shut."""
        now = self._now()
        table, owner = tables.api_token, tables.account
        query = (
            select(table, owner.c.name.label("owner"), owner.c.role, owner.c.disabled)
            .join(owner, owner.c.uid == table.c.account)
            .where(table.c.digest == token_digest(secret))
        )
        with self._records.read() as connection:
            row = connection.execute(query).first()
        if row is None or row.disabled or row.revoked is not None or (row.expires is not None and row.expires <= now):
            return None
        if row.last_used is None or now - row.last_used >= TOUCH:
            with self._records.begin() as connection:
                connection.execute(update(table).where(table.c.uid == row.uid).values(last_used=now))
        role = Role(row.role)
        held = frozenset(Permission(scope) for scope in row.scopes) & PERMISSIONS[role]
        return Principal(row.account, row.owner, role, held, token=row.name)

    def _owner(self, uid_or_name: str) -> Any:
        table = tables.account
        with self._records.read() as connection:
            row = connection.execute(select(table).where((table.c.uid == uid_or_name) | (table.c.name == uid_or_name))).first()
        if row is None:
            raise NotFound(f"There is no account {uid_or_name!r}")
        return row

    def _now(self) -> datetime:
        return to_millisecond(self._clock.now())


def _token(row: Any) -> ApiToken:
    scopes = tuple(Permission(scope) for scope in row.scopes)
    return ApiToken(row.uid, row.account, row.name, scopes, row.created, row.expires, row.last_used, row.revoked)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
