"""A bounded memory of what was worked out for an event: judging a key again must not work it out again."""

from collections.abc import Callable
from typing import Generic, TypeVar

from watchword.model import Event

Answer = TypeVar("Answer")
YOUNG = 50_000
"""Answers in one generation; there are two, the old one is dropped when the young one is full."""


class Memo(Generic[Answer]):
    """A pure function of an event, remembered by the event's uid."""

    __slots__ = ("_function", "_old", "_size", "_young")

    def __init__(self, function: Callable[[Event], Answer], size: int = YOUNG) -> None:
        self._function = function
        self._size = size
        self._young: dict[str, Answer] = {}
        self._old: dict[str, Answer] = {}

    def __call__(self, event: Event) -> Answer:
        """Return the function's answer."""
        uid = event.uid
        young = self._young
        if uid in young:
            return young[uid]
        answer = self._old[uid] if uid in self._old else self._function(event)
        if len(young) >= self._size:
            self._old, self._young = young, {}
        self._young[uid] = answer
        return answer
