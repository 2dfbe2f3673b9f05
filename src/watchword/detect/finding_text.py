"""Findings and their sentence: who, what, where, when in local time, why it is odd, and what is not known."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from watchword.detect.detector import Rule
from watchword.detect.selection import zone_of
from watchword.kit.ids import uid_of
from watchword.model import Event, Finding, FindingState, Mode, value_at
from watchword.model.ocsf import EventClass, is_physical
from watchword.resolve.directory import Directory

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_UNKNOWN = "unknown"


def local_time(at: datetime, place: str, directory: Directory) -> str:
    """Return a moment as people at the place read it, with the zone's name: ``Tue 4 Nov 14:03:05 CET``."""
    local = at.astimezone(directory.time_zone(place))
    return f"{local:%a} {local.day} {local:%b %H:%M:%S %Z}"


def local_clock(at: datetime, place: str, directory: Directory) -> str:
    """Return a moment's time of day at the place: ``14:03:05``."""
    return f"{at.astimezone(directory.time_zone(place)):%H:%M:%S}"


def in_words(seconds: float) -> str:
    """Return a duration in plain words: ``45 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def fill(template: str, parts: Mapping[str, str]) -> str:
    """Put the parts into the template's ``{placeholders}``; one that is missing reads *unknown*, a sentence never fails."""
    return " ".join(_PLACEHOLDER.sub(lambda found: parts.get(found[1]) or _UNKNOWN, template).split())


def event_parts(event: Event, directory: Directory, prefix: str = "") -> dict[str, str]:
    """Return the words of one event that templates may use.

    They are ``person place zone site asset credential account address mac time clock source``, each with the prefix before it.
    """
    zone = zone_of(event, directory)
    where = event.place or zone
    account = event.data.get("user")
    name = str(account.get("name") or "") if isinstance(account, Mapping) else ""
    credential = directory.label(event.credential) if event.credential else ""
    return {
        prefix + "person": directory.label(event.person) if event.person else credential or name or "an unknown person",
        prefix + "place": directory.label(where) if where else "an unknown place",
        prefix + "zone": directory.label(zone) if zone else "an unknown zone",
        prefix + "site": directory.label(where.partition("/")[0]) if where else "an unknown site",
        prefix + "asset": directory.label(event.asset)
        if event.asset
        else str((event.data.get("device") or {}).get("hostname") or "an unknown host"),
        prefix + "credential": credential or "no credential",
        prefix + "account": name or credential,
        prefix + "address": event.src_ip or event.dst_ip or "an unknown address",
        prefix + "time": local_time(event.time, where, directory),
        prefix + "clock": local_clock(event.time, where, directory),
        prefix + "source": event.source,
        prefix + "mac": str(value_at(event.data, "src_endpoint.mac") or value_at(event.data, "device.mac") or "no address given"),
    }


def _distinct(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def make_finding(
    rule: Rule,
    events: Sequence[Event],
    directory: Directory,
    *,
    parts: Mapping[str, str] | None = None,
    because: str | None = None,
    notes: Sequence[str] = (),
    persons: Iterable[str] | None = None,
    assets: Iterable[str] | None = None,
    places: Iterable[str] | None = None,
    credentials: Iterable[str] | None = None,
    addresses: Iterable[str] | None = None,
    confidence: float | None = None,
    severity: int | None = None,
    mode: Mode | None = None,
    title: str | None = None,
    time: datetime | None = None,
    state: FindingState = FindingState.FINAL,
) -> Finding:
    """Make the finding of a rule on these events (at least one; any order).

    Args:
        rule: The rule that fired.
        events: The events that it rests on; their uids make the finding's.
        directory: Names people, things and places for the sentence.
        parts: More words for the template; those of the last event (`event_parts`) are there already.
        because: Another template than the rule's.
        notes: Sentences put behind it: what is not known, what lowers confidence.
        persons: Uids; None: those of the events. The same for assets, places, credentials and addresses.
        assets: See persons.
        places: See persons.
        credentials: See persons.
        addresses: See persons.
        confidence: Another than the rule's, 0 to 1.
        severity: Another than the rule's.
        mode: Another than the rule's.
        title: Another than the rule's.
        time: When the condition came true; None: at the last event.
        state: Provisional while late events can still refute it.
    """
    ordered = sorted(events, key=lambda event: event.order)
    last = ordered[-1]
    words = event_parts(last, directory)
    words.update(parts or {})
    sentence = " ".join([fill(because if because is not None else rule.because, words), *notes])
    found = _distinct(address for event in ordered if not is_physical(event.class_uid) for address in (event.src_ip, event.dst_ip))
    return Finding(
        uid=uid_of("finding", rule.id, str(rule.version), *sorted(event.uid for event in ordered)),
        rule=rule.id,
        rule_version=rule.version,
        title=title or rule.title,
        severity=rule.severity if severity is None else severity,
        confidence=round(min(1.0, max(0.0, rule.confidence if confidence is None else confidence)), 4),
        time=last.time if time is None else time,
        first_time=ordered[0].time,
        last_time=last.time,
        because=sentence,
        persons=_distinct(persons if persons is not None else (event.person for event in ordered)),
        assets=_distinct(assets if assets is not None else (event.asset for event in ordered)),
        places=_distinct(places if places is not None else (event.place for event in ordered)),
        credentials=_distinct(credentials if credentials is not None else (event.credential for event in ordered)),
        addresses=_distinct(addresses) if addresses is not None else found,
        events=tuple(event.uid for event in ordered),
        state=state,
        mode=mode or rule.mode,
        author=rule.author,
        attack=rule.attack,
    )


def what_happened(event: Event) -> str:
    """Return an event's kind in a few plain words, for sentences that list events."""
    words = {
        (EventClass.PHYSICAL_ACCESS, 1): "was let in",
        (EventClass.PHYSICAL_ACCESS, 2): "was refused",
        (EventClass.PHYSICAL_ACCESS, 3): "went through",
        (EventClass.PHYSICAL_ACCESS, 5): "door forced",
        (EventClass.PHYSICAL_ACCESS, 6): "door held open",
        (EventClass.PHYSICAL_ACCESS, 11): "lock mode changed",
    }
    return (
        words.get((EventClass(event.class_uid), event.activity_id), event.message) if event.class_uid in set(EventClass) else event.message
    )
