"""Entity risk: how much the findings of the last days weigh on a person, asset, place or credential, and when that calls for people.

The law is `measures.md` K3; weights, cap and sum are those of the ranking (`detect.ranking`), of which this is the part that pages.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from watchword.detect.ranking import SEVERITY_WEIGHTS, risk
from watchword.model import AssetKind, CredentialKind, Domain, Finding, FindingState
from watchword.resolve.directory import Directory

CRITICALITY = 1.5
"""Weight of a critical place, of what stands in one and of who is named there, against 1 of any other; a score stays within 0 to 1."""
NEWEST = 200
"""So many of an entity's newest findings are weighed: with at most three of each rule, 1/i^1.5 leaves next to nothing beyond."""
WALKED = 500
"""So many of an entity's newest findings are gone through in search of a crossing: bounds the work on one that everything names."""
LEAST = 0.005
"""A score below this makes no finding part of a crossing."""
PHYSICAL_ASSETS = frozenset({AssetKind.CAMERA, AssetKind.SENSOR, AssetKind.PANEL, AssetKind.CONTROLLER})
PHYSICAL_CREDENTIALS = tuple(f"{kind.value}:" for kind in (CredentialKind.BADGE, CredentialKind.MOBILE, CredentialKind.PLATE))


class EntityKind(StrEnum):
    """What can bear risk."""

    PERSON = "person"
    ASSET = "asset"
    PLACE = "place"
    CREDENTIAL = "credential"
    """Only one that nobody is known to hold: account and badge meet in their person."""


@dataclass(frozen=True, slots=True)
class RiskSettings:
    """Half-lives, and the line above which an entity calls for people."""

    transient: timedelta = timedelta(hours=24)
    posture: timedelta = timedelta(days=14)
    posture_rules: frozenset[str] = frozenset({"ww_008"})
    """Rules about a standing weakness: their findings fade slowly."""
    line: float = 15.0
    """Of 100. Two fresh high findings of both domains at confidence 0.8 weigh 20, a high and a medium one 13, two medium ones 6."""
    rules: int = 2
    """So many rules must contribute, and"""
    domains: int = 2
    """so many domains, before crossing the line calls anybody."""


@dataclass(frozen=True, slots=True)
class EntityRisk:
    """The risk of one entity at one moment, and what makes it up."""

    entity: str
    kind: EntityKind
    label: str
    score: float
    """0 to 100."""
    at: datetime
    by_domain: Mapping[str, float] = field(default_factory=dict)
    """``it``, ``physical`` or ``it+physical`` (of findings that rest on both) → K3's R, 0 to 100."""
    findings: tuple[str, ...] = ()
    """Uids of what contributes, oldest first."""
    rules: tuple[str, ...] = ()
    domains: frozenset[Domain] = frozenset()
    crossed: bool = False
    because: str = ""


def domains_of(finding: Finding, directory: Directory) -> frozenset[Domain]:
    """Return the domains that a finding rests on, by what it names: doors, badges and cameras; accounts, addresses and hosts.

    A finding that names none of them (a person only) counts as of both, since nobody can say whose it is.
    """
    found = set()
    if finding.places or any(uid.startswith(PHYSICAL_CREDENTIALS) for uid in finding.credentials):
        found.add(Domain.PHYSICAL)
    if finding.addresses or any(uid.startswith("account:") for uid in finding.credentials):
        found.add(Domain.IT)
    for uid in finding.assets:
        asset = directory.asset(uid)
        found.add(Domain.PHYSICAL if asset is not None and asset.kind in PHYSICAL_ASSETS else Domain.IT)
    return frozenset(found) or frozenset(Domain)


def entities_of(finding: Finding, directory: Directory) -> dict[str, EntityKind]:
    """Return what a finding weighs on: persons (through their badge, account or own machine too), assets, zones, unheld credentials."""
    found = dict.fromkeys(finding.persons, EntityKind.PERSON)
    for credential in finding.credentials:
        link = directory.holder(credential, finding.time)
        if link is not None:
            found[link.person] = EntityKind.PERSON
        elif credential not in found:
            found[credential] = EntityKind.CREDENTIAL
    for uid in finding.assets:
        found[uid] = EntityKind.ASSET
        asset = directory.asset(uid)
        if asset is not None and asset.kind is AssetKind.WORKSTATION and (owner := directory.owner(uid, finding.time)):
            found[owner] = EntityKind.PERSON
    for uid in finding.places:
        door = directory.door(uid)
        found[door.to_zone if door is not None else uid] = EntityKind.PLACE
    return found


@dataclass(frozen=True, slots=True)
class _Weight:
    """What of a finding weighs on an entity, before it fades."""

    uid: str
    rule: str
    time: datetime
    start: float
    """sev · conf · crit, cut at 1, so that R stays within 0 to 100."""
    half_life: timedelta
    domains: frozenset[Domain]
    group: str

    def score(self, at: datetime) -> float:
        """Return s_i(t) = start · 2^(-(t - t_i)/h)."""
        return self.start * math.exp2(-(max(timedelta(), at - self.time) / self.half_life))


def joined(by_domain: Mapping[str, float]) -> float:
    """Return the risk over domains, by noisy-or: 100 · (1 - Π(1 - R_d/100)). No bonus points for a second domain."""
    return 100.0 * (1.0 - math.prod(1.0 - min(100.0, part) / 100.0 for part in by_domain.values()))


def entity_risks(findings: Iterable[Finding], directory: Directory, at: datetime, settings: RiskSettings | None = None) -> list[EntityRisk]:
    """Return the risk of every entity that findings up to `at` weigh on, the highest first. Withdrawn findings do not count."""
    settings = settings or RiskSettings()
    found = []
    for (entity, kind), weights in _weights(findings, directory, settings).items():
        if counted := [weight for weight in weights if weight.time <= at]:
            found.append(_risk(entity, kind, counted, directory, at, settings))
    return sorted(found, key=lambda one: (-round(one.score, 9), one.entity))


def crossings(findings: Iterable[Finding], directory: Directory, settings: RiskSettings | None = None) -> list[EntityRisk]:
    """Return, by entity, the first moment at which its risk crossed the line, oldest first.

    Its `findings` are all that weighed anything at any moment above the line. Risk is weighed at the time of each finding, with those
    up to it, so the answer depends on the set of findings only: neither on the order in which they came nor on when it is asked. A
    further finding adds crossings and findings to them, and removes none (but for an entity that more than `WALKED` findings name).
    """
    settings = settings or RiskSettings()
    found = []
    for (entity, kind), every in _weights(findings, directory, settings).items():
        named = every[-WALKED:]
        if len({weight.rule for weight in named}) < settings.rules:
            continue
        first: EntityRisk | None = None
        behind: dict[str, None] = {}
        for number in range(settings.rules, len(named) + 1):
            at, counted = named[number - 1].time, named[max(0, number - NEWEST) : number]
            if not _crosses(counted, at, settings):
                continue
            first = first or _risk(entity, kind, counted, directory, at, settings)
            behind.update(dict.fromkeys(weight.uid for weight in counted if weight.score(at) >= LEAST))
        if first is not None:
            found.append(replace(first, findings=tuple(behind)))
    return sorted(found, key=lambda one: (one.at, one.entity))


def _weights(findings: Iterable[Finding], directory: Directory, settings: RiskSettings) -> dict[tuple[str, EntityKind], list[_Weight]]:
    """Return what weighs on each entity, oldest first."""
    found: dict[tuple[str, EntityKind], list[_Weight]] = defaultdict(list)
    for finding in sorted(findings, key=lambda one: (one.time, one.uid)):
        if finding.state is FindingState.WITHDRAWN:
            continue
        domains = domains_of(finding, directory)
        group = "+".join(sorted(domain.value for domain in domains))
        half_life = settings.posture if finding.rule in settings.posture_rules else settings.transient
        plain = SEVERITY_WEIGHTS.get(finding.severity, 0.0) * finding.confidence
        critical_place = any(_is_critical(uid, directory) for uid in finding.places)
        for entity, kind in entities_of(finding, directory).items():
            critical = critical_place or _is_critical(entity, directory)
            start = min(1.0, plain * (CRITICALITY if critical else 1.0))
            found[entity, kind].append(_Weight(finding.uid, finding.rule, finding.time, start, half_life, domains, group))
    return found


def _by_domain(weights: Sequence[_Weight], at: datetime) -> dict[str, float]:
    groups: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for weight in weights:
        groups[weight.group][weight.rule].append(weight.score(at))
    return {group: risk(rules) for group, rules in sorted(groups.items())}


def _crosses(weights: Sequence[_Weight], at: datetime, settings: RiskSettings) -> bool:
    """Tell whether the risk is over the line with enough rules and domains behind it; the cheap questions first."""
    if len({weight.rule for weight in weights}) < settings.rules:
        return False
    if len(frozenset[Domain]().union(*{weight.domains for weight in weights})) < settings.domains:
        return False
    return joined(_by_domain(weights, at)) >= settings.line


def _risk(
    entity: str, kind: EntityKind, weights: Sequence[_Weight], directory: Directory, at: datetime, settings: RiskSettings
) -> EntityRisk:
    weights = weights[-NEWEST:]
    by_domain = _by_domain(weights, at)
    score, rules = joined(by_domain), tuple(sorted({weight.rule for weight in weights}))
    domains = frozenset[Domain]().union(*(weight.domains for weight in weights))
    label, uids = directory.label(entity), tuple(weight.uid for weight in weights)
    because = f"{label}: risk {score:.0f} of 100 from {len(uids)} findings of {len(rules)} rules in {len(domains)} domains."
    crossed = _crosses(weights, at, settings)
    return EntityRisk(entity, kind, label, score, at, by_domain, uids, rules, domains, crossed, because)


def _is_critical(uid: str, directory: Directory) -> bool:
    asset = directory.asset(uid)
    place = asset.place if asset is not None else uid
    door = directory.door(place)
    return directory.is_critical(door.to_zone if door is not None else place)
