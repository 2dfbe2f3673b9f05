"""Minutes that write themselves: their hash and approval, how evenly people took part, and the anonymous pulse of a meeting."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from watchword.govern.decision_rules import Roll, canonical

LEAST_ANSWERS: Final = 5
"""Answers to a pulse below which nothing of it is shown: with fewer, one could tell whose they are."""
PULSE: Final[Mapping[str, str]] = {
    "worth": "This meeting was worth its time",
    "heard": "I was heard",
    "other_side": "I learned how the other side of the house works",
}
LOWEST_SCORE, HIGHEST_SCORE = 1, 5


@dataclass(frozen=True, slots=True)
class PulseResult:
    """What a pulse says of one question."""

    question: str
    words: str
    n: int
    mean: float | None
    """None: fewer than `LEAST_ANSWERS` people answered."""
    counts: tuple[int, ...] = ()


def jain(shares: Iterable[float]) -> float | None:
    """Return Jain's fairness index (Σx)²/(n·Σx²), 1/n to 1; None when nobody did anything."""
    found = [max(0.0, each) for each in shares]
    squares = sum(each * each for each in found)
    return None if not squares else sum(found) ** 2 / (len(found) * squares)


def pulse_results(answers: Sequence[tuple[str, int]]) -> list[PulseResult]:
    """Return what a pulse says, per question; nothing of a question that fewer than five people answered."""
    found = []
    for question, words in PULSE.items():
        scores = [score for asked, score in answers if asked == question]
        if len(scores) < LEAST_ANSWERS:
            found.append(PulseResult(question, words, len(scores), None))
            continue
        counts = tuple(scores.count(value) for value in range(LOWEST_SCORE, HIGHEST_SCORE + 1))
        found.append(PulseResult(question, words, len(scores), sum(scores) / len(scores), counts))
    return found


def minutes_hash(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the minutes' canonical JSON (64 hex digits)."""
    return sha256(canonical(content).encode()).hexdigest()


def approved(answers: Mapping[str, bool], present: Mapping[str, str], roll: Roll) -> bool:
    """Tell whether minutes are consented to: nobody objects, and those who agree are a quorum, or everybody who was there.

    Args:
        answers: Account → whether they object.
        present: Account → domain of those who were there.
        roll: The body's rule.
    """
    if any(answers.values()):
        return False
    agree = set(answers) & set(roll.seats)
    return bool(agree) and (not roll.quorum_lack(agree) or (bool(present) and set(present) <= agree))
