"""Severity: 1 gravest to 4, the gravest of what is at stake; both values kept, and a downgrade needs a reason and a second person."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from watchword.kit.errors import Forbidden, InputError
from watchword.model.incident import Rating
from watchword.respond.speaker import account_of

GRAVEST, LEAST = 1, 4
STAKES = tuple(item.name for item in fields(Rating) if item.name != "in_doubt")
"""What may be at stake: people's safety, operations, data, money, law."""
WORDS = {1: "critical", 2: "high", 3: "medium", 4: "low"}


class RatingStatus(StrEnum):
    """Whether a rating counts."""

    IN_FORCE = "in_force"
    WAITING = "waiting"
    """A downgrade that waits for a second person; until then the graver value holds."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class KeptRating:
    """A rating as it was given, and what became of it."""

    uid: str
    rating: Rating
    severity: int
    occasion: str
    """``opened``, ``changed``, ``declared`` or ``closed``."""
    status: RatingStatus
    by: str
    at: datetime
    reason: str = ""
    second: str = ""
    second_at: datetime | None = None


def check_rating(rating: Rating) -> None:
    """Raise `InputError` for a value outside 1 to 4, or a doubt about something that is not at stake."""
    for name in STAKES:
        value = getattr(rating, name)
        if not GRAVEST <= value <= LEAST:
            raise InputError(f"{name} is rated 1 (gravest) to 4, not {value}.", name)
    for name in rating.in_doubt:
        if name not in STAKES:
            raise InputError(f"There is no {name!r} to be in doubt about: {', '.join(STAKES)}.", "in_doubt")


def severity_of(rating: Rating) -> int:
    """Return the severity: the gravest of what is at stake, no sum; what the assessor doubts counts one graver."""
    values: list[int] = [getattr(rating, name) - (name in rating.in_doubt) for name in STAKES]
    return max(GRAVEST, min(values))


def rating_of(severity: int) -> Rating:
    """Return a first rating that gives this severity, laid on operations, until a person rates what is at stake."""
    return Rating(operations=severity)


def is_downgrade(old: int, new: int) -> bool:
    """Tell whether the new severity is the milder."""
    return new > old


def check_change(old: int, new: int, reason: str) -> RatingStatus:
    """Return whether a change counts at once or waits for a second person.

    Raises:
        InputError: a downgrade without a reason.
    """
    if not is_downgrade(old, new):
        return RatingStatus.IN_FORCE
    if not reason.strip():
        raise InputError(f"A downgrade from {old} to {new} needs a reason; a second person confirms it.", "reason")
    return RatingStatus.WAITING


def check_second(rating: KeptRating, by: str) -> None:
    """Refuse a second person who is the first, or a rating that waits for none.

    Raises:
        Forbidden: the same person.
        InputError: nothing waits.
    """
    if rating.status is not RatingStatus.WAITING:
        raise InputError("This rating waits for no second person.", "rating")
    if account_of(rating.by) == account_of(by):
        raise Forbidden("A downgrade is confirmed by a second person, not by the one who asked for it.")
