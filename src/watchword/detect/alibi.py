"""Alibis: whom the badge log excludes at each of several related moments, and who is never excluded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from watchword.detect.whereabouts import Whereabouts
from watchword.model import Event, Finding
from watchword.model.ocsf import is_physical
from watchword.resolve.directory import Directory

WEIGHT_POSSIBLE = 0.5
"""How a moment weighs at which the badge log neither places a person nor excludes them, against one at which it places them there."""
WEIGHT_EXCLUDED = 0.05
"""The same for a moment at which it excludes them: badges are lent and doors are held, so it is never nought."""
SAME_MOMENT = timedelta(minutes=15)
"""Deeds at one place closer than this are one moment: they say the same of everybody."""


class Word(StrEnum):
    """What the badge log says of a person at a moment."""

    PRESENT = "present"
    """It places the person there."""
    POSSIBLE = "possible"
    """It neither places nor excludes."""
    EXCLUDED = "excluded"
    """It places the person elsewhere, or not on site."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When and where a deed was done by someone."""

    at: datetime
    place: str
    """Uid of the zone in which one had to stand."""
    findings: tuple[str, ...] = ()
    """Uids of the findings that the deed is in; empty: it is in none, and only shares something with them."""
    event: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the badge log says of one person at one moment."""

    moment: Moment
    word: Word
    zone: str = ""
    """Where it places the person; empty when not on site or unknown."""
    event: str = ""
    """Uid of the badge event that says so; empty when it is the absence of any entry that day."""


@dataclass(frozen=True, slots=True)
class Alibi:
    """What the badge log says of one person at all related moments."""

    person: str
    proofs: tuple[Proof, ...]
    share: float = 0.0
    """0 to 1: this person's part of the suspicion, when exactly one of the known people did it all."""

    @property
    def excluded(self) -> int:
        """The number of moments at which the person cannot have been there."""
        return sum(proof.word is Word.EXCLUDED for proof in self.proofs)

    @property
    def possible(self) -> int:
        """The number of moments at which the person could have been there."""
        return len(self.proofs) - self.excluded

    @property
    def present(self) -> int:
        """The number of moments at which the badge log places the person there."""
        return sum(proof.word is Word.PRESENT for proof in self.proofs)

    def excluded_from(self, finding: str) -> bool:
        """Tell whether the person is excluded at every moment of this finding (which has at least one)."""
        words = [proof.word for proof in self.proofs if finding in proof.moment.findings]
        return bool(words) and all(word is Word.EXCLUDED for word in words)

    def sentence(self) -> str:
        """Return the alibi in words."""
        moments = f"{len(self.proofs)} related {'moment' if len(self.proofs) == 1 else 'moments'}"
        if not self.excluded:
            return f"The badge log excludes this person at none of {moments} (and places them there at {self.present})."
        return f"The badge log excludes this person at {self.excluded} of {moments}; could have been there: {self.possible}."


def moments_of(finding: Finding, events: Mapping[str, Event], directory: Directory) -> list[Moment]:
    """Return the moments of a finding at which someone had to be at a machine: its IT events on assets that stand in a known zone.

    `events` holds the finding's events by uid, as far as known. Without any, the finding's own time and first asset stand for it.
    """
    known = [events[uid] for uid in finding.events if uid in events]
    moments = [moment for event in known if (moment := moment_of(event, directory, finding.uid))]
    if not known and finding.assets:
        place = _stand_of(finding.assets[0], directory)
        if place:
            moments.append(Moment(finding.time, place, (finding.uid,)))
    return moments


def moment_of(event: Event, directory: Directory, finding: str = "") -> Moment | None:
    """Return when and where someone had to be for this event, or None when it says nothing of that (door events, remote log-ons)."""
    if is_physical(event.class_uid) or not event.asset or event.data.get("is_remote"):
        return None
    place = _stand_of(event.asset, directory)
    return Moment(event.time, place, (finding,) if finding else (), event.uid) if place else None


def _stand_of(asset: str, directory: Directory) -> str:
    found = directory.asset(asset)
    return found.place if found and not found.shared else ""


def distinct(moments: Iterable[Moment]) -> list[Moment]:
    """Return the moments in order of time; those at one place less than `SAME_MOMENT` after another are joined to it."""
    last: dict[str, int] = {}
    found: list[Moment] = []
    for moment in sorted(moments, key=lambda item: (item.at, item.place, item.findings, item.event)):
        index = last.get(moment.place)
        if index is not None and moment.at - found[index].at < SAME_MOMENT:
            findings = tuple(dict.fromkeys((*found[index].findings, *moment.findings)))
            found[index] = replace(found[index], findings=findings)
            continue
        last[moment.place] = len(found)
        found.append(moment)
    return found


def proof_of(whereabouts: Whereabouts | None, moment: Moment) -> Proof:
    """Return what the badge log says of one person at one moment; a person without a badge is never excluded."""
    if whereabouts is None:
        return Proof(moment, Word.POSSIBLE)
    there = whereabouts.in_zone(moment.place, moment.at)
    if there is not None:
        return Proof(moment, Word.PRESENT, moment.place, there)
    elsewhere = whereabouts.not_in(moment.place, moment.at)
    if elsewhere is not None:
        return Proof(moment, Word.EXCLUDED, *elsewhere)
    return Proof(moment, Word.POSSIBLE)


def alibis(people: Mapping[str, Whereabouts | None], moments: Sequence[Moment]) -> dict[str, Alibi]:
    """Return every person's alibi for the related moments, and the share of suspicion that each keeps.

    The share is Bayes' rule over "exactly one of these people did it all", all being equally likely before: each distinct moment
    multiplies by 1 (placed there), `WEIGHT_POSSIBLE` or `WEIGHT_EXCLUDED`.
    """
    distinct_moments = distinct(moments)
    weights: dict[str, float] = {}
    proofs: dict[str, tuple[Proof, ...]] = {}
    for person, whereabouts in people.items():
        proofs[person] = tuple(proof_of(whereabouts, moment) for moment in distinct_moments)
        weights[person] = _weight(proofs[person])
    total = sum(weights.values())
    return {
        person: Alibi(person, found, weights[person] / total if total and distinct_moments else 0.0) for person, found in proofs.items()
    }


def _weight(proofs: Iterable[Proof]) -> float:
    weight = 1.0
    for proof in proofs:
        if proof.word is Word.POSSIBLE:
            weight *= WEIGHT_POSSIBLE
        elif proof.word is Word.EXCLUDED:
            weight *= WEIGHT_EXCLUDED
    return weight
