"""A live region: a part of a page that news may change, how often it is drawn anew, and how."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from watchword.ingest.ledger import Change
from watchword.web.pages import Ask

Draw = Callable[[Ask, Mapping[str, str], Sequence[Change]], str]
SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a page."""

    name: str
    kinds: frozenset[str]
    """News that concern it."""
    draw: Draw
    """Returns the message, '' when there is nothing to show."""
    least: timedelta = SECOND
    """Shortest time between two drawings."""
    most: timedelta | None = None
    """Drawn at least so often without news, so that ages stay true."""


def partial(target: str, html: str, swap: str = "outerMorph") -> str:
    """Return one part of a message."""
    return f'<hx-partial hx-target="{target}" hx-swap="{swap}">{html}</hx-partial>'
