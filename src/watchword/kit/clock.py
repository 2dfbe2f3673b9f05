"""The clock: where "now" comes from, so that a run can be replayed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells the present moment as an aware UTC datetime."""

    def now(self) -> datetime:
        """Return the present moment (aware, UTC)."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's time (aware, UTC)."""
        return datetime.now(UTC)


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until it is moved: for replays, simulations and tests."""

    at: datetime

    def now(self) -> datetime:
        """Return the moment this clock was last set to."""
        return self.at

    def advance(self, by: timedelta) -> None:
        """Move the clock forward by a duration."""
        self.at += by


def to_millisecond(moment: datetime) -> datetime:
    """Return the moment in UTC, cut to whole milliseconds: the resolution that the event log keeps."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_ms(moment: datetime) -> int:
    """Return whole milliseconds since 1970, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """Return the moment so many milliseconds after 1970 (aware, UTC)."""
    return EPOCH + timedelta(milliseconds=ms)
