"""Durations as people write them: ``90s``, ``15m``, ``24h``, ``7d``, ``2w``, or several in a row (``1h30m``)."""

import re
from datetime import timedelta

from watchword.kit.errors import InputError

SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_ALL = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+")


def read_duration(text: str) -> timedelta:
    """Return the duration that the text says.

    Raises:
        InputError: it is none, or longer than a timedelta can say.
    """
    text = text.strip().lower()
    if not _ALL.fullmatch(text):
        raise InputError(f"{text[:40]!r} is no duration; write a number and ms, s, m, h, d or w, as in 15m or 1h30m")
    try:
        return timedelta(seconds=sum(float(number) * SECONDS[unit] for number, unit in _PART.findall(text)))
    except OverflowError as error:
        raise InputError(f"{text[:40]!r} is too long a duration") from error


def say_duration(duration: timedelta) -> str:
    """Return the duration in the same notation, exact to the millisecond: ``1h30m``; ``0s`` for none."""
    rest = duration // timedelta(milliseconds=1)
    parts = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
