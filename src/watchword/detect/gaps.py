"""Gaps as they are kept: the stretches that sources lost, so that a restart and the pages know them as the worker does."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, insert, or_, select

from watchword.detect.coverage import Gap
from watchword.detect.tables import gap as table
from watchword.kit.records import Records


class Gaps:
    """The repository of gaps."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def put(self, source: str, gaps: Sequence[Gap]) -> None:
        """Keep these as the gaps of a source, in place of those kept before."""
        rows = [{"source": source, "since": gap.since, "until": gap.until} for gap in gaps]
        with self._records.begin() as connection:
            connection.execute(delete(table).where(table.c.source == source))
            if rows:
                connection.execute(insert(table), rows)

    def list(self, since: datetime | None = None) -> list[Gap]:
        """Return the gaps that end at or after a moment, or all, by source and start."""
        query = select(table.c.source, table.c.since, table.c.until).order_by(table.c.source, table.c.since)
        if since is not None:
            query = query.where(or_(table.c.until.is_(None), table.c.until >= since))
        with self._records.read() as connection:
            return [Gap(*row) for row in connection.execute(query)]
