"""How events are spread over time: from it a question takes its windows, newest or oldest first, each of about so many rows."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace

from watchword.kit.instant import from_ms, to_ms
from watchword.model import EventQuery, Order

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Density:
    """Rows stored per stretch of event time; a snapshot that may be old: it chooses how much is read at a time, never what is found."""

    begins: tuple[int, ...] = ()
    """Where the stretches that hold rows begin, in ms, ascending."""
    ends: tuple[int, ...] = ()
    """Where they end, in ms, not included."""
    rows: tuple[int, ...] = ()
    """Rows of each of them; they count as spread evenly over it."""

    @classmethod
    def of(cls, counted: Iterable[tuple[int, int, int, int]]) -> "Density":
        """Return the density of hours in any order: beginning of the hour, first and last time known of its rows (all in ms), rows."""
        ordered = sorted(counted)
        if not ordered:
            return cls()
        begins, ends = [hour for hour, *_ in ordered], [hour + HOUR_MS for hour, *_ in ordered]
        begins[0], ends[-1] = ordered[0][1], ordered[-1][2] + 1  # nothing lies before the first or after the last row
        return cls(tuple(begins), tuple(ends), tuple(rows for *_, rows in ordered))

    @property
    def total(self) -> int:
        """All rows."""
        return sum(self.rows)

    def cut(self, query: EventQuery, rows: int) -> tuple[EventQuery, EventQuery] | None:
        """Return the query's first window, in its order, of about `rows` rows, and the query for what lies beyond it.

        None when the query has no more than one such window.
        """
        edge = self._newest_edge(query, rows) if query.order is Order.NEWEST else self._oldest_edge(query, rows)
        if edge is None:
            return None
        at = from_ms(edge)
        if query.order is Order.NEWEST:
            return replace(query, since=at), replace(query, until=at, after=None)
        return replace(query, until=at), replace(query, since=at, after=None)

    def _newest_edge(self, query: EventQuery, rows: int) -> int | None:
        start = min((to_ms(at) for at in (query.until, query.after and query.after[0]) if at is not None), default=None)
        left = float(rows)
        for index in range(len(self.rows) if start is None else bisect_left(self.begins, start), 0, -1):
            begin, full_end, held = self.begins[index - 1], self.ends[index - 1], self.rows[index - 1]
            end = full_end if start is None else min(full_end, start)
            part = held * (end - begin) / (full_end - begin)
            if part >= left:
                edge = end - max(1, round((end - begin) * left / part))
                return edge if query.since is None or edge > to_ms(query.since) else None
            left -= part
        return None

    def _oldest_edge(self, query: EventQuery, rows: int) -> int | None:
        start = max((to_ms(at) for at in (query.since, query.after and query.after[0]) if at is not None), default=None)
        left = float(rows)
        for index in range(0 if start is None else bisect_right(self.ends, start), len(self.rows)):
            full_begin, end, held = self.begins[index], self.ends[index], self.rows[index]
            begin = full_begin if start is None else max(full_begin, start)
            part = held * (end - begin) / (end - full_begin)
            if part >= left:
                edge = begin + max(1, round((end - begin) * left / part))
                return edge if query.until is None or edge < to_ms(query.until) else None
            left -= part
        return None
