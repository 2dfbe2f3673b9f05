"""A piece of evidence: what it is, where it came from, in whose hands it is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import PurePath
from typing import Final

from watchword.kit.errors import InputError

LONGEST_NAME: Final = 255
LONGEST_TEXT: Final = 10_000
LONGEST_SOURCE: Final = 200


class EvidenceKind(StrEnum):
    """What a piece is."""

    CLIP = "clip"
    """Of a camera, as its recorder exports it."""
    LOG = "log"
    """Records of one or several sources, raw."""
    PHOTO = "photo"
    DOCUMENT = "document"
    RECORD = "record"
    """Anything else that a product or person handed over."""


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a piece as it is acquired."""

    kind: EvidenceKind
    name: str
    """Of the file, as it came."""
    media: str = ""
    """Media type as the source states it."""
    source: str = ""
    """Device, product or person that it came from."""
    place: str = ""
    """Uid of a place."""
    since: datetime | None = None
    """What it shows: from when, by the source's clock."""
    until: datetime | None = None
    clock_offset: timedelta | None = None
    """By how much the source's clock was ahead of ours (negative: behind); None: not known."""
    player: str = ""
    """What opens it: program and version, codec."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece as it is kept."""

    uid: str
    incident: str
    about: About
    sha256: str
    """Of the original, in hex, taken while it came in."""
    size: int
    """Bytes."""
    by: str
    team: str
    acquired_at: datetime
    custodian: str
    offered_to: str = ""
    """To whom it is offered; '' while no offer stands."""
    sealed: bool = False
    released: bool = False
    entries: int = 0
    """Of its chain of custody."""
    head: str = ""


def clean_text(said: str) -> str:
    """Replace what no database or chain keeps in text: NUL and lone surrogates."""
    return said.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def checked(about: About) -> About:
    """Return what is said of a piece, fit to be kept.

    Raises:
        InputError: the name is none, a text is too long, or the span ends before it begins.
    """
    name = PurePath(clean_text(about.name).replace("\\", "/")).name.strip()
    if name in {"", ".", ".."} or len(name) > LONGEST_NAME:
        raise InputError(f"a piece of evidence has a file name of 1 to {LONGEST_NAME} characters", "name")
    for word in ("media", "source", "place"):
        if len(getattr(about, word)) > LONGEST_SOURCE:
            raise InputError(f"{word} has at most {LONGEST_SOURCE} characters", word)
    for word in ("player", "note"):
        if len(getattr(about, word)) > LONGEST_TEXT:
            raise InputError(f"{word} has at most {LONGEST_TEXT} characters", word)
    if about.since and about.until and about.until < about.since:
        raise InputError("what it shows ends before it begins", "until")
    texts = {word: clean_text(getattr(about, word)) for word in ("media", "source", "place", "player", "note")}
    return About(about.kind, name, since=about.since, until=about.until, clock_offset=about.clock_offset, **texts)


def offset_words(offset: timedelta | None) -> str:
    """Return a clock's offset in words."""
    if offset is None:
        return "not known"
    seconds = offset.total_seconds()
    if not seconds:
        return "none: it agrees with ours"
    return f"{abs(seconds):.3f} s {'ahead of' if seconds > 0 else 'behind'} ours"
