"""The column type for moments: aware UTC datetimes kept as whole milliseconds since 1970, alike in SQLite and PostgreSQL."""

from datetime import datetime

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator

from watchword.kit.clock import from_ms, to_ms

__all__ = ["Instant", "from_ms", "to_ms"]


class Instant(TypeDecorator[datetime]):
    """Aware datetime ↔ BIGINT milliseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn a moment into milliseconds."""
        del dialect
        return None if value is None else to_ms(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Turn milliseconds into a moment."""
        del dialect
        return None if value is None else from_ms(value)
