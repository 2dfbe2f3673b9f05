"""Drafts of playbooks: what a person has changed and not yet saved as a version; kept, so that a closed page loses nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select

from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import InputError
from watchword.kit.records import Records
from watchword.respond.draft_tables import playbook_draft
from watchword.respond.json_text import MOST_BYTES

MOST_DRAFTS: Final = 50
"""Drafts of one person."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft."""

    id: str
    account: str
    base: str
    text: str
    at: datetime


class Drafts:
    """Keeps drafts."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock

    def get(self, id: str, account: str) -> Draft | None:  # noqa: A002 - the standard's word for it
        """Return a person's draft of a playbook; None when there is none."""
        table = playbook_draft
        with self._records.read() as connection:
            row = connection.execute(select(table).where(table.c.id == id, table.c.account == account)).first()
        return None if row is None else Draft(row.id, row.account, row.base, row.text, row.at)

    def of(self, account: str) -> Sequence[Draft]:
        """Return a person's drafts, the newest first."""
        table = playbook_draft
        with self._records.read() as connection:
            rows = connection.execute(select(table).where(table.c.account == account).order_by(table.c.at.desc()).limit(MOST_DRAFTS)).all()
        return [Draft(row.id, row.account, row.base, row.text, row.at) for row in rows]

    def put(self, id: str, account: str, text: str, base: str) -> None:  # noqa: A002 - as above
        """Keep a draft in place of the one before.

        Raises:
            InputError: it is too large, or the person has too many.
        """
        if len(text.encode()) > MOST_BYTES:
            raise InputError(f"The playbook is longer than {MOST_BYTES // 1_000_000} MB: part it, and let one run the other")
        table, here = playbook_draft, (playbook_draft.c.id == id) & (playbook_draft.c.account == account)
        with self._records.begin() as connection:
            others = connection.execute(select(table.c.id).where(table.c.account == account, table.c.id != id)).all()
            if len(others) >= MOST_DRAFTS:
                raise InputError(f"You have {len(others)} drafts: save or discard one first")
            connection.execute(delete(table).where(here))
            connection.execute(insert(table).values(id=id, account=account, base=base, text=text, at=to_millisecond(self._clock.now())))

    def drop(self, id: str, account: str) -> None:  # noqa: A002 - as above
        """Forget a draft."""
        with self._records.begin() as connection:
            connection.execute(delete(playbook_draft).where(playbook_draft.c.id == id, playbook_draft.c.account == account))
