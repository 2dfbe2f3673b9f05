# ruff: noqa: S608 - only names of our own columns and tables are put into the text; every value is a parameter
"""The query compiler: a question to the event log becomes ClickHouse SQL whose every value is a server-side parameter."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from watchword.kit.errors import InputError
from watchword.kit.ids import UID_BYTES
from watchword.kit.instant import to_ms
from watchword.model import CountQuery, EventQuery, Order

MAX_LIMIT = 100_000
"""Most events or lines that one query returns; cursors give the rest."""
FEW_UIDS = 64
"""Up to so many uids are looked up one by one in the indexes."""
COLUMNS = (
    "uid", "record", "source", "time", "received", "class_uid", "activity_id", "severity_id", "person", "asset", "place", "credential",
    "src_ip", "dst_ip", "message", "data",
)  # fmt: skip


@dataclass(slots=True)
class Sql:
    """A statement under way: its text and its parameters."""

    text: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any, kind: str) -> str:
        """Return the placeholder of a value of a ClickHouse type."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"

    def moment(self, at: datetime) -> str:
        """Return the placeholder of a moment."""
        return f"fromUnixTimestamp64Milli({self.bind(to_ms(at), 'Int64')}, 'UTC')"

    def uid(self, value: str) -> str:
        """Return the placeholder of a uid in hex."""
        return f"toFixedString(unhex({self.bind(checked_uid(value), 'String')}), 16)"

    def uids(self, values: Sequence[str]) -> str:
        """Return the set of uids to stand behind ``IN``."""
        placed = [self.uid(value) for value in values] if len(values) <= FEW_UIDS else []
        if placed:
            return f"({', '.join(placed)})"
        # Many: the bloom filters would be asked for each of them in every granule, and then let nearly all granules pass.
        many = self.bind([checked_uid(value) for value in values], "Array(String)")
        return f"(SELECT toFixedString(unhex(arrayJoin({many})), 16))"


def checked_uid(value: str) -> str:
    """Return the uid.

    Raises:
        InputError: it is not 32 lower-case hex digits.
    """
    if len(value) != 2 * UID_BYTES or not all(digit in "0123456789abcdef" for digit in value):
        raise InputError(f"{value!r} is no uid (32 hex digits, lower case)", "uid")
    return value


def events_sql(query: EventQuery, table: str) -> Sql:
    """Return the statement that reads a query's events, in its order."""
    sql = Sql()
    where = conditions(query, sql)
    if query.after is not None:
        at, uid = query.after
        sign = "<" if query.order is Order.NEWEST else ">"
        moment = sql.moment(at)
        # The first half alone lets the primary key find the place; the tuple settles events of the same millisecond.
        where.append(f"time {sign}= {moment} AND (time, uid) {sign} ({moment}, {sql.uid(uid)})")
    # Without any condition the engine reads the first rows of every part in full width; with one, of the rows it returns only.
    where = where or ["time >= toDateTime64('1900-01-01 00:00:00', 3, 'UTC')"]
    way = "DESC" if query.order is Order.NEWEST else "ASC"
    sql.text = f"SELECT {', '.join(COLUMNS)} FROM {table}{_where(where)} ORDER BY time {way}, uid {way} LIMIT {_limit(query.limit)}"
    return sql


def counts_sql(query: CountQuery, table: str) -> Sql:
    """Return the statement that counts a query's events: columns key, at (ms or NULL), events, first and last time (ms)."""
    sql = Sql()
    where = conditions(query.events, sql)
    key = f"toString({query.by.value})" if query.by is not None else "''"
    bucket = "NULL"
    if query.bucket is not None:
        width = query.bucket // timedelta(milliseconds=1)
        if width < 1:
            raise InputError("a bucket is at least a millisecond long", "bucket")
        stamp = "toUnixTimestamp64Milli(time)"
        bucket = f"{stamp} - positiveModulo({stamp}, {sql.bind(width, 'Int64')})"
    inner = (
        f"SELECT {key} AS key, {bucket} AS at, toInt64(count()) AS events, toUnixTimestamp64Milli(min(time)) AS first_time, "
        f"toUnixTimestamp64Milli(max(time)) AS last_time FROM {table}{_where(where)} GROUP BY key, at HAVING events > 0"
    )
    order = "sum(events) OVER (PARTITION BY key) DESC, key, at" if query.by is not None and query.bucket is not None else "events DESC, key"
    if query.by is None:
        order = "at"
    sql.text = f"SELECT key, at, events, first_time, last_time FROM ({inner}) ORDER BY {order} LIMIT {_limit(query.limit)}"
    return sql


def conditions(query: EventQuery, sql: Sql) -> list[str]:
    """Return the conditions that a query's fields stand for, to be joined by *and*; binds their values."""
    found: list[str] = []
    for column, since, until in (("time", query.since, query.until), ("received", query.received_since, query.received_until)):
        found += [f"{column} >= {sql.moment(since)}"] if since is not None else []
        found += [f"{column} < {sql.moment(until)}"] if until is not None else []
    for column, uids in (("uid", query.uids), ("record", query.records)):
        found += [f"{column} IN {sql.uids(uids)}"] if uids else []
    fields = (
        ("person", query.persons), ("asset", query.assets), ("credential", query.credentials), ("source", query.sources),
    )  # fmt: skip
    found += [f"{column} IN {_texts(values, sql)}" for column, values in fields if values]
    if query.places:
        found.append("(" + " OR ".join(_within(place, sql) for place in query.places) + ")")
    if query.addresses:
        # One index covers both columns: this form, and no OR of the two, is what it answers.
        found.append(f"hasAny([src_ip, dst_ip], {sql.bind(list(query.addresses), 'Array(String)')})")
    numbers = (("class_uid", query.classes), ("activity_id", query.activities))
    found += [f"{column} IN ({', '.join(sql.bind(value, 'Int64') for value in values)})" for column, values in numbers if values]
    if query.severity > 0:
        found.append(f"severity_id >= {sql.bind(query.severity, 'Int64')}")
    if query.text.strip():
        found.append(f"hasAllTokens(message, {sql.bind(query.text, 'String')})")
    if query.segment is not None:
        found.append(f"segment = {sql.bind(query.segment, 'UInt64')}")
    return found


def _within(place: str, sql: Sql) -> str:
    return f"(place = {sql.bind(place, 'String')} OR startsWith(place, {sql.bind(place + '/', 'String')}))"


def _texts(values: Sequence[str], sql: Sql) -> str:
    return "(" + ", ".join(sql.bind(value, "String") for value in values) + ")"


def _where(parts: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(parts)}" if parts else ""


def _limit(limit: int) -> int:
    if not 0 < limit <= MAX_LIMIT:
        raise InputError(f"a limit is between 1 and {MAX_LIMIT:,}", "limit")
    return limit
