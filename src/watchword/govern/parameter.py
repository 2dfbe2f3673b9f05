"""Parameters of policies: typed values that people decide and rooms act on, and what each of their keys binds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

Value = timedelta | float | bool | str | tuple[str, ...]
"""A parameter as machines read it."""
_ISO: Final = re.compile(
    r"P(?=\d|T\d)(?:(?P<weeks>\d+(?:\.\d+)?)W)?(?:(?P<days>\d+(?:\.\d+)?)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+(?:\.\d+)?)H)?(?:(?P<minutes>\d+(?:\.\d+)?)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
LONGEST: Final = timedelta(days=36_500)
"""No parameter is longer than a century."""


class Kind(StrEnum):
    """What a parameter holds."""

    DURATION = "duration"
    NUMBER = "number"
    FLAG = "flag"
    WORD = "word"
    WORDS = "words"


class Sense(StrEnum):
    """How a value binds what it speaks of."""

    MOST = "at most"
    LEAST = "at least"
    EXACTLY = "exactly"
    DEMANDS = "demands"
    FORBIDS = "forbids"


@dataclass(frozen=True, slots=True)
class Key:
    """What a parameter's last word means: two statements that speak of one quantity can contradict each other."""

    name: str
    quantity: str
    """What is bound, shared by keys of both trades."""
    sense: Sense
    kind: Kind
    words: str
    """For people: what the value says."""


_KEYS: Final = (
    ("account_off_within", "end of accounts", Sense.MOST, Kind.DURATION, "accounts end within so long of the last moment of employment"),
    ("badge_off_within", "end of badges", Sense.MOST, Kind.DURATION, "badges end within so long of the last moment of employment"),
    ("items_back_within", "return of items", Sense.MOST, Kind.DURATION, "keys, badges and devices are back within"),
    ("rights_follow_within", "rights after a transfer", Sense.MOST, Kind.DURATION, "rights equal the new role's within"),
    ("old_rights_kept_at_most", "rights after a transfer", Sense.MOST, Kind.DURATION, "rights of the former role live at most"),
    ("event_log_kept_for", "retention of events", Sense.EXACTLY, Kind.DURATION, "events and raw records are kept for"),
    ("evidence_kept_at_least", "retention of evidence", Sense.LEAST, Kind.DURATION, "evidence of incidents is kept at least"),
    ("footage_kept_at_least", "retention of footage", Sense.LEAST, Kind.DURATION, "footage is kept at least"),
    ("footage_kept_at_most", "retention of footage", Sense.MOST, Kind.DURATION, "footage is kept at most"),
    ("log_review_every", "rhythm of log reviews", Sense.MOST, Kind.DURATION, "access logs are looked through every"),
    ("visitor_record_kept_at_most", "retention of visitor records", Sense.MOST, Kind.DURATION, "records of visitors are kept at most"),
    ("escort_zones", "escorted zones", Sense.DEMANDS, Kind.WORDS, "visitors are escorted in zones of these kinds"),
    ("unescorted_zones", "escorted zones", Sense.FORBIDS, Kind.WORDS, "no escort is asked for in zones of these kinds"),
    ("visit_at_most", "length of visits", Sense.MOST, Kind.DURATION, "a visitor's badge lives at most"),
    ("denials_before_lock", "denials before a lock-out", Sense.MOST, Kind.NUMBER, "so many refusals in a row are looked into"),
    ("lock_for", "length of a lock-out", Sense.LEAST, Kind.DURATION, "a locked credential stays locked at least"),
    ("duress_silent", "silent duress", Sense.DEMANDS, Kind.FLAG, "a duress code raises a silent alarm"),
    ("clock_within", "clock tolerance", Sense.MOST, Kind.DURATION, "no source's clock is off by more than"),
    ("credential_life", "life of credentials", Sense.MOST, Kind.DURATION, "a credential lives at most, then it is renewed"),
    ("unused_off_after", "unused credentials", Sense.MOST, Kind.DURATION, "a credential not used for so long is switched off"),
    ("unlock_at_most", "unlocked doors", Sense.MOST, Kind.DURATION, "a door stands unlocked by schedule at most"),
    ("held_open_at_most", "held doors", Sense.MOST, Kind.DURATION, "a door may be held open for at most"),
    ("locked_zones", "always locked zones", Sense.DEMANDS, Kind.WORDS, "doors into zones of these kinds are never unlocked by schedule"),
    ("unlocked_zones", "always locked zones", Sense.FORBIDS, Kind.WORDS, "doors into zones of these kinds are unlocked in office hours"),
    ("vendor_session_at_most", "vendor sessions", Sense.MOST, Kind.DURATION, "a vendor's access, remote or on site, lasts at most"),
    ("vendor_accompanied", "accompanied vendors", Sense.DEMANDS, Kind.FLAG, "a vendor works accompanied"),
    ("approval_lasts", "life of approvals", Sense.MOST, Kind.DURATION, "a yes to an action may be used for"),
    ("engage_within", "first deed on a grave incident", Sense.MOST, Kind.DURATION, "both teams have done something within"),
    ("page_severity", "what calls a person", Sense.EXACTLY, Kind.WORD, "findings from this severity on call a person"),
    ("entry_window", "proof of presence", Sense.EXACTLY, Kind.DURATION, "a read badge vouches for its holder's presence for"),
    ("notify_within", "notification of authorities", Sense.MOST, Kind.DURATION, "authorities are told within"),
    ("freeze_changes", "changes in a freeze", Sense.FORBIDS, Kind.FLAG, "changes are forbidden while a freeze lasts"),
    ("patch_within", "changes in a freeze", Sense.MOST, Kind.DURATION, "grave faults are mended within"),
    ("action_due_within", "due dates of actions", Sense.MOST, Kind.DURATION, "an action of a review is done within"),
    ("review_held_within", "after-action reviews", Sense.MOST, Kind.DURATION, "a grave incident is reviewed within"),
)  # fmt: skip
KEYS: Final[Mapping[str, Key]] = {name: Key(name, quantity, sense, kind, words) for name, quantity, sense, kind, words in _KEYS}
"""Every key that a parameter may have; a policy with another is refused, as nothing could act on it."""

ORDERS: Final = (
    ("badge_off_within", "account_off_within", "a badge outlives its account: whoever has no account any more is still let in"),
    ("engage_within", "notify_within", "authorities are to be told before anybody must have looked"),
    ("lock_for", "credential_life", "a lock-out lasts longer than the credential itself"),
)
"""Required orders (conflict of kind c): the first key's value must not exceed the second's; else it is said why that is wrong."""

PURPOSES: Final = (
    ("retention of footage", "rhythm of log reviews", "footage is gone before the log review that would ask for it"),
    ("retention of events", "rhythm of log reviews", "events are gone before the log review that would read them"),
    ("retention of evidence", "rhythm of log reviews", "evidence is gone before the log review that would ask for it"),
    ("retention of events", "after-action reviews", "events are gone before the review of the incident"),
)
"""Kind d: what is kept must be kept at least as long as the rhythm of whoever needs it."""


def read_iso(text: str) -> timedelta:
    """Return the duration of an ISO 8601 text such as ``PT1H``, ``P90D`` or ``P1DT12H``; months and years are no fixed durations.

    Raises:
        ValueError: it is none, or longer than a century.
    """
    found = _ISO.fullmatch(text.strip().upper())
    if found is None:
        raise ValueError(f"{text[:40]!r} is no ISO duration: write PT15M, PT1H, P30D (no months, no years)")
    try:
        duration = timedelta(**{unit: float(number) for unit, number in found.groupdict().items() if number is not None})
    except OverflowError as error:
        raise ValueError(f"{text[:40]!r} is too long") from error
    if duration > LONGEST:
        raise ValueError(f"{text[:40]!r} is longer than a century")
    return duration


def write_iso(duration: timedelta) -> str:
    """Return the duration in ISO 8601: ``P90D``, ``PT1H30M``, ``PT0S``."""
    seconds = duration.total_seconds()
    days, rest = divmod(seconds, 86_400)
    parts = []
    for unit, size in (("H", 3600), ("M", 60), ("S", 1)):
        count, rest = divmod(rest, size) if unit != "S" else (rest, 0)
        if count:
            parts.append(f"{count:g}{unit}")
    date = f"{days:g}D" if days else ""
    if not date and not parts:
        return "PT0S"
    return f"P{date}" + (f"T{''.join(parts)}" if parts else "")


def read_value(key: str, raw: object) -> Value:
    """Return a parameter's value, typed as its key asks.

    Raises:
        ValueError: the key is unknown, or the value is not of its kind.
    """
    known = KEYS.get(key)
    if known is None:
        raise ValueError(f"{key[:64]!r} is no key of a parameter")
    if known.kind is Kind.DURATION:
        return raw if isinstance(raw, timedelta) else read_iso(_text(raw))
    if known.kind is Kind.FLAG:
        if not isinstance(raw, bool):
            raise ValueError(f"{raw!r} is neither true nor false")
        return raw
    if known.kind is Kind.NUMBER:
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw < 1e12:
            raise ValueError(f"{raw!r} is no number from 0")
        return float(raw)
    if known.kind is Kind.WORD:
        return _text(raw)
    if not isinstance(raw, list | tuple) or not raw or not all(isinstance(each, str) and each.strip() for each in raw):
        raise ValueError(f"{raw!r} is no list of words")
    return tuple(sorted({each.strip() for each in raw}))


def _text(raw: object) -> str:
    if not isinstance(raw, str) or not 0 < len(raw.strip()) <= 200:
        raise ValueError(f"{raw!r} is no text")
    return raw.strip()


def plain(value: Value) -> object:
    """Return a value as JSON and YAML hold it; `read_value` reads it back."""
    if isinstance(value, timedelta):
        return write_iso(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def say_value(value: Value) -> str:
    """Return a value for people: ``1 h 30 min``, ``90 days``, ``yes``, ``restricted, critical``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str):
        return value
    rest = round(value.total_seconds(), 3)
    parts = []
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count:g} {'day' if unit == 'days' and count == 1 else unit}")
    if rest or not parts:
        parts.append(f"{rest:g} s")
    return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in force, and where it comes from."""

    name: str
    """``STATEMENT.KEY``, as in ``leaver-access.1.badge_off_within``."""
    value: Value
    policy: str
    version: int
    decision: str
    """Uid of the Decision that brought this version into force."""

    @property
    def statement(self) -> str:
        """Return the statement's id."""
        return self.name.rpartition(".")[0]

    @property
    def key(self) -> str:
        """Return the last word, which is a key of `KEYS`."""
        return self.name.rpartition(".")[2]
