"""Freshness: who agrees to an action has given a password lately, not merely left a page open."""

from datetime import timedelta
from typing import Final

from sqlalchemy import select

from watchword.app import tables
from watchword.app.principal import Principal
from watchword.app.watchword import Watchword

FRESH: Final = timedelta(minutes=10)
"""So long after a log-in an approval needs no further password."""


def fresh(watchword: Watchword, principal: Principal) -> bool:
    """Tell whether the principal's session began within `FRESH`; a token has no session and is never fresh."""
    if not principal.session:
        return False
    table = tables.session
    with watchword.records.read() as connection:
        created = connection.execute(select(table.c.created).where(table.c.digest == principal.session)).scalar()
    return created is not None and timedelta() <= watchword.clock.now() - created < FRESH
