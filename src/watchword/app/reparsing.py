"""Parsing again: after a mapping was mended, a source's unparsed records are read anew, by the worker or by a command while none runs."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select

from watchword.app.tables import reparse_request as table
from watchword.kit.clock import to_millisecond
from watchword.model import Unparsed

if TYPE_CHECKING:
    from watchword.app.pipeline import Pipeline
    from watchword.app.watchword import Watchword

BATCH: Final = 2_000
"""Records read and parsed at a time: bounds memory."""
PAGE: Final = 500


def all_unparsed(watchword: "Watchword", source: str = "") -> Iterator[Unparsed]:
    """Yield every unparsed record, newest first, read page by page."""
    after = None
    while page := watchword.ledger.unparsed(source, after=after, limit=PAGE):
        yield from page
        after = page[-1].received, page[-1].record


def reparse(watchword: "Watchword", pipeline: "Pipeline", source: str, *, actor: str) -> tuple[int, int]:
    """Parse a source's unparsed records again; return how many were mended and how many still cannot be parsed."""
    listed = [each.record for each in all_unparsed(watchword, source)]
    good = bad = 0
    for start in range(0, len(listed), BATCH):
        mended, faulty = pipeline.reparse(source, watchword.events.records(listed[start : start + BATCH]))
        good, bad = good + mended, bad + faulty
    watchword.audit.write(actor, "source.reparse", source, detail={"mended": good, "unparsed": bad})
    return good, bad


def ask(watchword: "Watchword", source: str, *, actor: str) -> None:
    """Ask the worker to parse the source's unparsed records again; asking twice is asking once.

    Raises:
        NotFound: there is no such source.
    """
    watchword.ledger.source(source)
    with watchword.records.begin() as connection:
        connection.execute(delete(table).where(table.c.source == source))
        connection.execute(insert(table).values(source=source, by=actor[:200], at=to_millisecond(watchword.clock.now())))


def asked(watchword: "Watchword") -> list[tuple[str, str]]:
    """Return (source, who asked) of what the worker has not done yet, oldest first."""
    with watchword.records.read() as connection:
        return [(row.source, row.by) for row in connection.execute(select(table).order_by(table.c.at))]


def do_asked(watchword: "Watchword", pipeline: "Pipeline") -> int:
    """Do what was asked of the worker; return for how many sources."""
    waiting = asked(watchword)
    for source, by in waiting:
        reparse(watchword, pipeline, source, actor=by)
        with watchword.records.begin() as connection:
            connection.execute(delete(table).where(table.c.source == source))
    return len(waiting)
