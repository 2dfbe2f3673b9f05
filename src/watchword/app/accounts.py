"""Accounts and log-ins: sessions as rows, a rate limit that backs off, and the reasons that open people's trails."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from watchword.app import tables
from watchword.app.audit import Audit
from watchword.app.passwords import Passwords, check_password
from watchword.app.principal import PERMISSIONS, Permission, Principal, Role
from watchword.app.tokens import ApiToken, Tokens
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.kit.ids import random_uid, uid_of
from watchword.kit.records import Records
from watchword.kit.secrets import new_token, token_digest

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
FREE_TRIES: Final = 4
"""Failures before the first wait, per account and address."""
FREE_TRIES_PER_ADDRESS: Final = 20
LONGEST_WAIT: Final = timedelta(minutes=15)
FORGET_FAILURES: Final = timedelta(hours=24)
ON_DUTY: Final = timedelta(minutes=15)
"""A session used within this time counts its account as present."""
TRAIL_TIME: Final = timedelta(minutes=15)
"""How long one reason opens one person's trail to one session."""
TOUCH: Final = timedelta(minutes=1)
"""Coarseness of a session's last use: one write a minute, not one a request."""

__all__ = [
    "PERMISSIONS",
    "Account",
    "Accounts",
    "ApiToken",
    "LogIn",
    "LogInRefused",
    "Passwords",
    "Permission",
    "Presence",
    "Principal",
    "Role",
    "check_password",
]


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who can log in."""

    uid: str
    name: str
    full_name: str
    role: Role
    disabled: bool
    must_change: bool
    """The password was made by the system: ask for a new one."""
    created: datetime


@dataclass(frozen=True, slots=True)
class LogIn:
    """A fresh session: the token goes to the browser once, only its digest is kept."""

    token: str
    account: Account
    expires: datetime


@dataclass(frozen=True, slots=True)
class Presence:
    """An account that is logged in, and since when."""

    name: str
    full_name: str
    role: Role
    since: datetime
    last_used: datetime


class LogInRefused(Forbidden):
    """Name or password do not fit, or too many tries; `wait` says how long to wait before the next."""

    def __init__(self, message: str, wait: timedelta = timedelta()) -> None:
        """Keep the wait beside the message."""
        self.wait = wait
        super().__init__(message)


class Accounts:
    """Keeps accounts, sessions, tokens and trail grants; every change and log-in is audited in the same transaction."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        audit: Audit,
        *,
        passwords: Passwords | None = None,
        session_life: timedelta = timedelta(hours=12),
        session_idle: timedelta = timedelta(hours=2),
    ) -> None:
        self._records = records
        self._clock = clock
        self._audit = audit
        self._passwords = passwords or Passwords()
        self._life = session_life
        self._idle = session_idle
        self.tokens = Tokens(records, clock, audit)

    # accounts

    def first_run(self, name: str = "admin") -> str | None:
        """Make the administrator when there is no account yet; return its random password, to be printed once, else None."""
        with self._records.read() as connection:
            if connection.execute(select(func.count()).select_from(tables.account)).scalar_one():
                return None
        password = "-".join(secrets.token_hex(2) for _ in range(5))
        self.create(name, Role.ADMINISTRATOR, password, actor="system", must_change=True)
        return password

    def create(self, name: str, role: Role, password: str, *, actor: str, full_name: str = "", must_change: bool = False) -> Account:
        """Make an account.

        Raises:
            InputError: name, role or password are not acceptable; says why.
            Conflict: the name is taken.
        """
        name = name.strip().lower()
        if not NAME.fullmatch(name):
            raise InputError("A name is 1 to 64 of a-z, 0-9, dot, hyphen and underscore, and begins with a letter or digit", "name")
        check_password(password, name)
        encoded = self._passwords.hash(password)
        now = self._now()
        uid = random_uid()
        with self._records.begin() as connection:
            if connection.execute(select(tables.account.c.uid).where(tables.account.c.name == name)).first():
                raise Conflict(f"There is an account {name!r} already")
            connection.execute(
                insert(tables.account).values(
                    uid=uid,
                    name=name,
                    full_name=full_name.strip()[:200],
                    role=role.value,
                    password=encoded,
                    disabled=False,
                    must_change=must_change,
                    created=now,
                    password_changed=now,
                )
            )
            self._audit.write(actor, "account.create", name, detail={"role": role.value}, connection=connection)
        return self.account(uid)

    def accounts(self) -> tuple[Account, ...]:
        """Return all accounts by name."""
        with self._records.read() as connection:
            return tuple(_account(row) for row in connection.execute(select(tables.account).order_by(tables.account.c.name)))

    def account(self, uid_or_name: str) -> Account:
        """Return one account; raises `NotFound`."""
        table = tables.account
        with self._records.read() as connection:
            row = connection.execute(select(table).where((table.c.uid == uid_or_name) | (table.c.name == uid_or_name))).first()
        if row is None:
            raise NotFound(f"There is no account {uid_or_name!r}")
        return _account(row)

    def set_role(self, uid: str, role: Role, *, actor: str) -> Account:
        """Give the account another role; its sessions feel it at once."""
        kept = self.account(uid)
        with self._records.begin() as connection:
            self._keep_one_administrator(connection, kept, leaves=role is not Role.ADMINISTRATOR)
            connection.execute(update(tables.account).where(tables.account.c.uid == kept.uid).values(role=role.value))
            self._audit.write(
                actor, "account.set_role", kept.name, detail={"from": kept.role.value, "to": role.value}, connection=connection
            )
        return self.account(kept.uid)

    def set_disabled(self, uid: str, disabled: bool, *, actor: str) -> Account:
        """Shut or reopen an account; shutting ends its sessions and its tokens stop working."""
        kept = self.account(uid)
        with self._records.begin() as connection:
            self._keep_one_administrator(connection, kept, leaves=disabled)
            connection.execute(update(tables.account).where(tables.account.c.uid == kept.uid).values(disabled=disabled))
            if disabled:
                connection.execute(delete(tables.session).where(tables.session.c.account == kept.uid))
            self._audit.write(actor, "account.disable" if disabled else "account.enable", kept.name, connection=connection)
        return self.account(kept.uid)

    def set_password(self, uid: str, password: str, *, actor: str, keep_session: str = "", must_change: bool = False) -> None:
        """Set a password and end the account's other sessions."""
        kept = self.account(uid)
        check_password(password, kept.name)
        encoded = self._passwords.hash(password)
        with self._records.begin() as connection:
            connection.execute(
                update(tables.account)
                .where(tables.account.c.uid == kept.uid)
                .values(password=encoded, must_change=must_change, password_changed=self._now())
            )
            connection.execute(delete(tables.session).where(tables.session.c.account == kept.uid, tables.session.c.digest != keep_session))
            self._audit.write(actor, "account.set_password", kept.name, connection=connection)

    def change_password(self, principal: Principal, old: str, new: str) -> None:
        """Change one's own password.

        Raises:
            InputError: the old one does not fit (field ``old``), or the new one is not acceptable (field ``password``).
        """
        with self._records.read() as connection:
            encoded = connection.execute(
                select(tables.account.c.password).where(tables.account.c.uid == principal.account)
            ).scalar_one_or_none()
        if not self._passwords.fits(encoded, old):
            raise InputError("The present password does not fit", "old")
        self.set_password(principal.account, new, actor=principal.actor, keep_session=principal.session)

    def _keep_one_administrator(self, connection: Connection, kept: Account, *, leaves: bool) -> None:
        if not leaves or kept.role is not Role.ADMINISTRATOR or kept.disabled:
            return
        table = tables.account
        others = select(func.count()).where(table.c.role == Role.ADMINISTRATOR.value, table.c.disabled.is_(False), table.c.uid != kept.uid)
        if connection.execute(others).scalar_one() == 0:
            raise Conflict(f"{kept.name} is the last administrator: give someone else that role first")

    # sessions

    def log_in(self, name: str, password: str, *, address: str, agent: str = "") -> LogIn:
        """Open a session.

        Raises:
            LogInRefused: name and password do not fit, or there were too many tries; `wait` says for how long.
        """
        name = name.strip().lower()[:64]
        keys = {uid_of("account", name, address): FREE_TRIES, uid_of("address", address): FREE_TRIES_PER_ADDRESS}
        self._refuse_while_blocked(keys, name, address)
        with self._records.read() as connection:
            row = connection.execute(select(tables.account).where(tables.account.c.name == name)).first()
        fits = self._passwords.fits(row.password if row else None, password)
        now = self._now()
        if row is None or not fits or row.disabled:
            with self._records.begin() as connection:
                wait = max(self._count_failure(connection, key, free, now) for key, free in keys.items())
                self._audit.write(name or "(no name)", "session.refuse", name, detail={"address": address}, connection=connection)
            raise LogInRefused("Name and password do not fit", wait)
        if self._passwords.outdated(row.password):
            encoded = self._passwords.hash(password)
            with self._records.begin() as connection:
                connection.execute(update(tables.account).where(tables.account.c.uid == row.uid).values(password=encoded))
        token = new_token()
        expires = now + self._life
        with self._records.begin() as connection:
            connection.execute(delete(tables.session).where(tables.session.c.expires < now))
            connection.execute(delete(tables.trail_grant).where(tables.trail_grant.c.until < now))
            connection.execute(delete(tables.login_attempt).where(tables.login_attempt.c.key == next(iter(keys))))
            connection.execute(
                insert(tables.session).values(
                    digest=token_digest(token),
                    account=row.uid,
                    created=now,
                    last_used=now,
                    expires=expires,
                    address=address[:64],
                    agent=_printable(agent)[:200],
                )
            )
            self._audit.write(row.name, "session.log_in", row.name, detail={"address": address}, connection=connection)
        return LogIn(token, _account(row), expires)

    def log_out(self, token: str, *, actor: str) -> None:
        """End the session of this token."""
        with self._records.begin() as connection:
            ended = connection.execute(delete(tables.session).where(tables.session.c.digest == token_digest(token)))
            if ended.rowcount:
                self._audit.write(actor, "session.log_out", actor, connection=connection)

    def by_session(self, token: str, *, touch: bool = True) -> Principal | None:
        """Return whose session this is, or None when it is unknown, expired, idle for too long or its account is shut.

        Without `touch` the look does not count as a use: a page left open does not keep a session alive.
        """
        now = self._now()
        digest = token_digest(token)
        query = (
            select(tables.session, tables.account)
            .join(tables.account, tables.account.c.uid == tables.session.c.account)
            .where(tables.session.c.digest == digest)
        )
        with self._records.read() as connection:
            row = connection.execute(query).first()
        if row is None or row.disabled or row.expires <= now or row.last_used + self._idle <= now:
            return None
        if touch and now - row.last_used >= TOUCH:
            with self._records.begin() as connection:
                connection.execute(update(tables.session).where(tables.session.c.digest == digest).values(last_used=now))
        role = Role(row.role)
        return Principal(row.uid, row.name, role, PERMISSIONS[role], session=digest, full_name=row.full_name, must_change=row.must_change)

    def logged_in(self) -> tuple[Presence, ...]:
        """Return who has used a session within the last 15 minutes, by name."""
        now = self._now()
        query = (
            select(
                tables.account.c.name,
                tables.account.c.full_name,
                tables.account.c.role,
                func.min(tables.session.c.created).label("since"),
                func.max(tables.session.c.last_used).label("last_used"),
            )
            .join(tables.account, tables.account.c.uid == tables.session.c.account)
            .where(tables.session.c.last_used > now - ON_DUTY, tables.session.c.expires > now)
            .group_by(tables.account.c.name, tables.account.c.full_name, tables.account.c.role)
            .order_by(tables.account.c.name)
        )
        with self._records.read() as connection:
            return tuple(Presence(row.name, row.full_name, Role(row.role), row.since, row.last_used) for row in connection.execute(query))

    def _refuse_while_blocked(self, keys: Iterable[str], name: str, address: str) -> None:
        now = self._now()
        table = tables.login_attempt
        query = select(func.max(table.c.blocked_until)).where(table.c.key.in_(list(keys)), table.c.blocked_until > now)
        with self._records.read() as connection:
            until = connection.execute(query).scalar_one_or_none()
        if until is not None:
            wait = until - now
            raise LogInRefused(f"Too many tries for {name!r} from {address}: wait {_words(wait)}", wait)

    def _count_failure(self, connection: Connection, key: str, free: int, now: datetime) -> timedelta:
        table = tables.login_attempt
        connection.execute(delete(table).where(table.c.last < now - FORGET_FAILURES))
        failures = 1 + (connection.execute(select(table.c.failures).where(table.c.key == key)).scalar_one_or_none() or 0)
        wait = timedelta() if failures < free else min(LONGEST_WAIT, timedelta(seconds=2 ** min(failures - free + 1, 20)))
        connection.execute(delete(table).where(table.c.key == key))
        connection.execute(insert(table).values(key=key, failures=failures, last=now, blocked_until=now + wait))
        return wait

    def by_token(self, secret: str) -> Principal | None:
        """Return who holds this API token, or None (see `Tokens.principal`)."""
        return self.tokens.principal(secret)

    # trails

    def grant_trail(self, principal: Principal, person: str, reason: str) -> datetime:
        """Open a person's trail to this session for 15 minutes, with the reason in the audit log; return until when.

        Raises:
            Forbidden: the principal may not read trails.
            InputError: the reason says nothing (fewer than 8 characters).
        """
        principal.require(Permission.TRAIL)
        reason = reason.strip()
        if len(reason) < 8:
            raise InputError("Say in a few words why you need this trail, so that the audit log can tell", "reason")
        until = self._now() + TRAIL_TIME
        key = principal.session or uid_of("token", principal.account, principal.token)
        table = tables.trail_grant
        with self._records.begin() as connection:
            connection.execute(delete(table).where(table.c.session == key, table.c.person == person))
            connection.execute(insert(table).values(session=key, person=person, reason=reason[:4000], until=until))
            self._audit.write(principal.actor, "trail.read", person, reason, connection=connection)
        return until

    def trail_until(self, principal: Principal, person: str) -> datetime | None:
        """Return until when this session may read the person's trail, or None."""
        found = self.trail(principal, person)
        return found[0] if found else None

    def trail(self, principal: Principal, person: str) -> tuple[datetime, str] | None:
        """Return until when this session may read the person's trail, and for which reason; None: it may not."""
        key = principal.session or uid_of("token", principal.account, principal.token)
        table = tables.trail_grant
        query = select(table.c.until, table.c.reason).where(table.c.session == key, table.c.person == person, table.c.until > self._now())
        with self._records.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row.until, row.reason)

    def _now(self) -> datetime:
        return to_millisecond(self._clock.now())


def _account(row: Any) -> Account:
    return Account(row.uid, row.name, row.full_name, Role(row.role), row.disabled, row.must_change, row.created)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _words(wait: timedelta) -> str:
    seconds = max(1, round(wait.total_seconds()))
    return f"{seconds} s" if seconds < 90 else f"{round(seconds / 60)} min"
