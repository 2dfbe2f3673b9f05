"""Trails over HTTP: where a person was is read with a reason, which is logged."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import Query

from watchword.app.accounts import Accounts
from watchword.app.principal import Permission, Principal
from watchword.kit.errors import ReasonRequired

ReasonText = Annotated[
    str | None, Query(max_length=4000, description="Why a trail is read (8 characters or more); it goes into the audit log.")
]


def open_trails(accounts: Accounts, caller: Principal, whose: Iterable[str], reason: str | None) -> None:
    """Let the caller read the trails of these persons or credentials, once the reason is in the audit log.

    Raises:
        Forbidden: the caller may not read trails.
        ReasonRequired: there is no reason, and none was given in the last quarter of an hour.
        InputError: the reason says nothing.
    """
    for each in whose:
        caller.require(Permission.TRAIL)
        if reason:
            accounts.grant_trail(caller, each, reason)
        elif accounts.trail_until(caller, each) is None:
            raise ReasonRequired("A person's trail needs ?reason=TEXT; it goes into the audit log with your name")
