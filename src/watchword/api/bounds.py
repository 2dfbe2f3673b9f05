"""Bounds: how long and of what form the texts, names and times may be that callers send about the response."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Final

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from watchword.kit.clock import to_millisecond
from watchword.kit.duration import read_duration
from watchword.kit.errors import InputError

FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)
UID: Final = "^[0-9a-f]{32}$"
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.{0,40}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK: Final = re.compile(r"\d\d:\d\d.{0,20}")


def storable(text: str) -> str:
    """Return the text; raises `ValueError` for what a database cannot keep."""
    if "\0" in text:
        raise ValueError("a text cannot hold the character NUL")
    return text


def bounded(moment: datetime) -> datetime:
    """Return a moment in UTC, cut to milliseconds; raises `ValueError` outside the years 1970 to 2199."""
    try:
        found = to_millisecond(moment.astimezone(UTC))
    except (OverflowError, ValueError) as error:
        raise ValueError("is no moment of the years 1970 to 2199") from error
    if not FIRST <= found < LAST:
        raise ValueError("is no moment of the years 1970 to 2199")
    return found


def _written(form: re.Pattern[str], example: str) -> Any:
    """Return what lets a time in only as it is written by people: neither numbers nor seconds since 1970."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and not form.fullmatch(value):
            raise ValueError(f"is not written like {example}")
        if isinstance(value, int | float):
            raise ValueError(f"is a number; write {example}")  # noqa: TRY004 - what pydantic turns into a fault
        return value

    return BeforeValidator(check)


def _duration(text: str) -> str:
    if text:
        try:
            read_duration(text)
        except InputError as error:
            raise ValueError(str(error)) from error
    return text


Uid = Annotated[str, Path(pattern=UID, description="32 hex digits.")]
UidText = Annotated[str, Field(pattern=UID, description="32 hex digits.")]
Words = Annotated[str, Field(max_length=10_000), AfterValidator(storable)]
"""What somebody writes."""
Line = Annotated[str, Field(max_length=300), AfterValidator(storable)]
"""A title, a name, a uid of somebody else's making."""
ReasonWords = Annotated[str, Field(max_length=2_000, description="Why; it is written down."), AfterValidator(storable)]
Password = Annotated[
    str, Field(max_length=1_000, description="Of the account: what only a person may do needs it, unless a session is at work.")
]
Moment = Annotated[AwareDatetime, AfterValidator(bounded), _written(_MOMENT, "2026-03-01T08:00:00Z")]
"""RFC 3339 with its zone."""
Day = Annotated[date, _written(_DATE, "2026-03-01")]
Clock = Annotated[time, _written(_CLOCK, "08:00")]
Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True)]
DurationText = Annotated[str, Field(max_length=40, description="As people write it: 90s, 15m, 4h, 1h30m."), AfterValidator(_duration)]
