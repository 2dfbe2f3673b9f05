"""Plain words: what is written for the chain, with uids, verbs and UTC times in it, as a person reads it."""

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from watchword.model.action import Action
from watchword.resolve.directory import Directory
from watchword.respond.catalogue import Catalogue

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)")
_UID: Final = re.compile(r"\b(?:person|badge|account|asset):[A-Za-z0-9._@-]*[A-Za-z0-9]|\b[a-z0-9-]+(?:/[A-Za-z0-9_-]+)+")
_DEED: Final = re.compile(r"\b([a-z]{2,20}\.[a-z_]{2,30})(?: on)? ((?:[a-z]+:|[a-z0-9-]+/)?[A-Za-z0-9._@/-]*[A-Za-z0-9])")
_HEX: Final = re.compile(r"\b([0-9a-f]{8})[0-9a-f]{24}\b")
_CLOCK: Final = re.compile(r"\bclock '(acknowledge|complete)/([0-9a-z]{1,12})' runs")
_CLOCKS: Final = {"acknowledge": "A step is to be taken within", "complete": "A step is to be done within"}
_UNKNOWN: Final = re.compile(r"\s*\[[a-z_]+\]")


def plain(text: str, directory: Directory, catalogue: Catalogue, zone: ZoneInfo) -> str:
    """Return the text with verbs as sentences, uids as names, times by the clock of a zone, and long numbers shortened."""

    def deed(found: re.Match[str]) -> str:
        verb = catalogue.verbs.get(found[1])
        if verb is None:
            return found[0]
        return _UNKNOWN.sub("", verb.words(Action(found[1], found[2]), _name(found[2], directory)))

    text = _CLOCK.sub(lambda found: f"{_CLOCKS[found[1]]} {found[2]}", text)
    text = _DEED.sub(deed, text)
    text = _UID.sub(lambda found: _name(found[0], directory), text)
    text = _HEX.sub(r"\1…", text)
    return _TIME.sub(lambda found: _clock(found[0], zone), text)


def _name(uid: str, directory: Directory) -> str:
    known = ":" in uid or directory.place(uid) is not None or directory.door(uid) is not None
    return directory.label(uid) if known else uid


def _clock(text: str, zone: ZoneInfo) -> str:
    try:
        return f"{datetime.fromisoformat(text).astimezone(zone):%H:%M:%S}"
    except (ValueError, OverflowError):
        return text
