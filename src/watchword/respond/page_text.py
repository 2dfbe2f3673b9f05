"""The words of a page: REAL or EXERCISE first, then severity, place, what to do; no secrets, no names of suspects, short enough for SMS."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

REAL, EXERCISE, TEST = "REAL", "EXERCISE", "TEST"
SMS_PARTS: Final = 2
"""How many parts a text message may have: more arrive late, or out of order."""
TITLE: Final = 120
BODY: Final = 2_000
_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet of text messages (3GPP TS 23.038)."""
_GSM_DOUBLE: Final = frozenset("^{}\\[~]|€\f")
"""Of its extension: each takes two places."""
_PART_GSM, _PART_WIDE = 153, 67
_PLAIN: Final = str.maketrans(
    {"–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": "...", "\u00a0": " ", "→": "->", "•": "-", "`": "'"}  # noqa: RUF001 - what they are replaced by
)
_LINK: Final = re.compile(r"\b(?:[a-z][a-z0-9+.-]{1,20}://|www\.)\S+", re.IGNORECASE)
_SECRETS: Final = (
    re.compile(
        r"\b(pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|pin|authorization)\b\s*(?:[:=]|\bis\b)\s*(?:bearer\s+)?\S+", re.IGNORECASE
    ),
    re.compile(r"\bbearer\s+\S+", re.IGNORECASE),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.?[\w-]*"),
    re.compile(r"\b[0-9a-f]{32,}\b", re.IGNORECASE),
    re.compile(r"\b(?:\d[ -]?){12,18}\d\b"),
    re.compile(r"\b(?:AKIA|ghp_|xox[abp]-|whsec_)[\w-]{8,}"),
)
"""What looks like a credential: named ones, bearer and JSON web tokens, long hexadecimal, card numbers, keys of well-known services."""
WITHHELD, NO_LINK, NO_SECRET = "[name withheld]", "[link removed]", "[withheld]"


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says, before it is cut to a channel's length."""

    severity: int
    title: str
    place: str
    what_to_do: str
    exercise: bool = False
    life_safety: bool = False
    withhold: tuple[str, ...] = ()
    """Names of the people that the incident is about: none of them leaves the house by a page."""


@dataclass(frozen=True, slots=True)
class PageText:
    """A title and a body, within the limits of the channel."""

    title: str
    body: str


def clean(text: str, withhold: Iterable[str] = ()) -> str:
    """Return the text on one line, without control and direction marks, links, what looks like a secret, and the names given."""
    text = " ".join("".join(" " if unicodedata.category(each).startswith(("C", "Z")) else each for each in text).split())
    text = _LINK.sub(NO_LINK, text)
    for pattern in _SECRETS:
        text = pattern.sub(NO_SECRET, text)
    for name in _forms(withhold):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", WITHHELD, text, flags=re.IGNORECASE)
    return re.sub(rf"(?:{re.escape(WITHHELD)}[ ,]*){{2,}}", WITHHELD + " ", text).strip()


def opening(words: Words) -> str:
    """Return the first words of every page: ``REAL sev 1 LIFE SAFETY, Harbour house: Door forced``."""
    mark = EXERCISE if words.exercise else REAL
    place = clean(words.place) or "place unknown"
    gravity = f"sev {words.severity}" + (" LIFE SAFETY" if words.life_safety else "")
    return f"{mark} {gravity}, {place}: {clean(words.title, words.withhold)}"


def page_text(words: Words, kind: str, *, link: str = "", reference: str = "", how: str = "") -> PageText:
    """Return title and body for a kind of channel.

    Args:
        words: what is to be said.
        kind: ``sms`` is cut to `SMS_PARTS` parts and has no title; all others get both.
        link: where to acknowledge; it is never cut.
        reference: the code by which a reply is known; it ends the title, so that an answer carries it.
        how: one sentence on how to answer.
    """
    do = clean(words.what_to_do, words.withhold)
    if kind == "sms":
        return PageText("", _sms(opening(words), do, link))
    title = _cut(opening(words), TITLE)
    said = [_cut(opening(words), BODY // 2)] + ([f"What to do: {_cut(do, BODY // 2)}"] if do else [])
    answer = [part for part in (how, link) if part]
    body = "\n".join([*said, "", *answer] if answer else said)
    return PageText(f"{title} {reference}".strip(), body)


def heartbeat_text(name: str, day: str) -> PageText:
    """Return what the daily test of a channel says: nobody needs to do anything."""
    said = f"{TEST} of the channel {clean(name)} on {day}: nothing to do."
    return PageText(said, f"{said} When no such message comes, tell whoever looks after Watchword.")


def sms_length(text: str) -> tuple[int, int]:
    """Return the length of a text message in its alphabet's places, and how many places `SMS_PARTS` parts have."""
    if all(each in _GSM or each in _GSM_DOUBLE for each in text):
        used = sum(2 if each in _GSM_DOUBLE else 1 for each in text)
        return used, _PART_GSM * SMS_PARTS
    return len(text.encode("utf-16-le")) // 2, _PART_WIDE * SMS_PARTS


def _sms(start: str, do: str, link: str) -> str:
    start, do = start.translate(_PLAIN), do.translate(_PLAIN)
    tail = f" {link}" if link else ""
    said = f"{start}. {do}" if do else start
    while said and (length := sms_length(said + tail))[0] > length[1]:
        over = length[0] - length[1]
        said = _cut(said, max(0, len(said) - max(1, over // 2))).removesuffix("…")
    return (said.rstrip() + tail).strip()


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(0, most - 1)].rstrip() + "…"


def _forms(names: Iterable[str]) -> list[str]:
    """Return the names, and each word of three letters or more in them, longest first."""
    found = set()
    for name in names:
        bare = " ".join(name.split())
        found.add(bare)
        words = [word for word in re.split(r"[\s,]+", bare) if word]
        found |= {word for word in words if len(word) >= 3}
        found |= {f"{words[-1]}, {' '.join(words[:-1])}", f"{words[-1]} {' '.join(words[:-1])}"} if len(words) > 1 else set()
    return sorted((each for each in found if len(each) >= 2), key=len, reverse=True)
