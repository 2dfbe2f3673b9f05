"""Asking for a computation of risks: one row that the measuring process finds; asked twice, it is computed once."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from watchword.govern.risk_tables import run
from watchword.kit.ids import random_uid


def ask(connection: Connection, now: datetime, *, by: str, because: str) -> str:
    """Ask for a computation within the given transaction and return its uid; one that waits already is taken."""
    waiting = connection.execute(select(run.c.uid).where(run.c.state == "asked").order_by(run.c.asked)).first()
    if waiting is not None:
        return str(waiting.uid)
    uid = random_uid()
    connection.execute(insert(run).values(uid=uid, state="asked", asked=now, asked_by=by, because=because))
    return uid
