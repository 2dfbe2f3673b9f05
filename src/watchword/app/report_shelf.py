"""The shelf of board reports: one for each month, kept as it was made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import insert, select

from watchword.app.dashboard_tables import board_report as table
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records

KINDS: Final = ("pdf", "docx")


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A report as kept, without its pages."""

    month: str
    """``2026-11``."""
    since: datetime
    until: datetime
    made: datetime
    headline: str
    sha256: str
    """Of the PDF."""


class ReportShelf:
    """Keeps the monthly reports and gives them back byte for byte."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock

    def list(self, limit: int = 24) -> Sequence[KeptReport]:
        """Return what is there, the newest month first."""
        columns = [table.c[name] for name in ("month", "since", "until", "made", "headline", "sha256")]
        with self._records.read() as connection:
            return [_kept(row) for row in connection.execute(select(*columns).order_by(table.c.month.desc()).limit(limit))]

    def has(self, month: str) -> bool:
        """Tell whether the report of a month is there."""
        with self._records.read() as connection:
            return connection.execute(select(table.c.uid).where(table.c.month == month)).first() is not None

    def content(self, month: str, kind: str) -> bytes:
        """Return a report's bytes.

        Raises:
            NotFound: there is none of this month, or of this kind.
        """
        if kind in KINDS:
            with self._records.read() as connection:
                found = connection.execute(select(table.c[kind]).where(table.c.month == month)).scalar()
            if found is not None:
                return bytes(found)
        raise NotFound(f"there is no board report {month[:20]!r} as {kind[:10]!r}")

    def keep(self, month: str, since: datetime, until: datetime, headline: str, pages: tuple[bytes, bytes]) -> KeptReport:
        """Keep a month's report as PDF and Word file; one that is there already stays."""
        made, (pdf, docx) = to_millisecond(self._clock.now()), pages
        kept = KeptReport(month, to_millisecond(since), to_millisecond(until), made, headline, sha256(pdf).hexdigest())
        with self._records.begin() as connection:
            if connection.execute(select(table.c.uid).where(table.c.month == month)).first() is None:
                row = {"month": month, "since": kept.since, "until": kept.until, "made": made, "headline": headline}
                connection.execute(insert(table).values(uid=random_uid(), **row, sha256=kept.sha256, pdf=pdf, docx=docx))
        return kept


def _kept(row: Any) -> KeptReport:
    return KeptReport(row.month, row.since, row.until, row.made, row.headline, row.sha256)
