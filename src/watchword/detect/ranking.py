"""The ranking: which persons, assets, credentials and addresses stand behind the findings, with what counts for and against each."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watchword.detect.address import OwnNetwork
from watchword.detect.alibi import Alibi, Moment, alibis, moment_of, moments_of
from watchword.detect.pivot import Kind
from watchword.detect.whereabouts import Whereabouts
from watchword.model import Event, Finding, FindingState
from watchword.resolve.directory import Directory

ZETA = 2.612
"""ζ(1.5): what the weights 1/i^1.5 add up to, so that any number of findings of score s weighs at most 2.612·s."""
SEVERITY_WEIGHTS: Mapping[int, float] = {1: 0.005, 2: 0.03, 3: 0.1, 4: 0.35, 5: 1.0, 6: 1.0}
"""OCSF severity → weight; each step from low to critical is wider than the weight that any number of the step below can reach at
like confidence."""
RULE_CAP = 3.0
"""One rule counts at most this many times its largest score per entity."""
HALF_LIFE = timedelta(days=14)
"""After this long a finding counts half."""
HUB_FINDINGS = 2
"""So many findings must share an external address before their moments count as related."""

SHARE_SHOWN = 0.1
"""Below this share of suspicion a hub is not worth naming for a person."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One entity in the ranking."""

    entity: str
    kind: Kind
    label: str
    score: float
    """0 to 100, see `risk`; for persons joined with what the alibi leaves them of the related findings' risk."""
    findings_for: tuple[str, ...] = ()
    """Uids of the findings that count for it, newest first."""
    findings_against: tuple[str, ...] = ()
    """For persons: uids of findings at whose moments the badge log excludes them."""
    alibi: Alibi | None = None
    hub: str = ""
    """For persons: the address whose related moments the alibi is about."""
    because: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the ranking is handed: all as of one window of time."""

    findings: Sequence[Finding]
    events: Mapping[str, Event] = field(default_factory=dict)
    """The findings' events by uid, as far as known."""
    related: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    """External address → further events of the window that name it, in no finding."""
    volumes: Mapping[str, int] = field(default_factory=dict)
    """Address → number of all events of the window that name it; missing: only those in findings."""
    whereabouts: Mapping[str, Whereabouts | None] = field(default_factory=dict)
    """Person → what the badge log says; None for someone without a badge. Empty: no alibis."""


def score_of(finding: Finding, at: datetime, half_life: timedelta = HALF_LIFE) -> float:
    """Return one finding's score (0 to 1): severity weight times confidence times 2^(-age / half-life) (`measures.md` K3)."""
    age = max(timedelta(), at - finding.time)
    return SEVERITY_WEIGHTS.get(finding.severity, 0.0) * finding.confidence * math.exp2(-(age / half_life))


def risk(scores: Mapping[str, Sequence[float]]) -> float:
    """Return the risk, 0 to 100, of scores by rule: 100 · Σ s_(i) / i^1.5 / (2.612 · s_max), s falling, s_max = 1.

    A rule's scores count from the largest down until they reach `RULE_CAP` times the largest; what is over is cut. (Scaling every
    term down to fit, the other reading, would let further findings lower the risk.)
    """
    counted: list[float] = []
    for of_rule in scores.values():
        falling = sorted(of_rule, reverse=True)
        left = RULE_CAP * falling[0] if falling else 0.0
        for score in falling:
            counted.append(min(score, left))
            left -= counted[-1]
            if left <= 0:
                break
    counted.sort(reverse=True)
    return 100.0 * math.fsum(score / rank**1.5 for rank, score in enumerate(counted, start=1)) / ZETA


def external_addresses(finding: Finding, events: Mapping[str, Event], own: OwnNetwork) -> list[str]:
    """Return the external addresses of a finding and its known events, each once."""
    found = dict.fromkeys(address for address in finding.addresses if own.external(address))
    for uid in finding.events:
        event = events.get(uid)
        if event is not None:
            found.update(dict.fromkeys(address for address in (event.dst_ip, event.src_ip) if own.external(address)))
    return list(found)


def rank(
    evidence: Evidence,
    directory: Directory,
    own: OwnNetwork,
    *,
    at: datetime,
    kinds: Collection[Kind] = tuple(Kind),
    limit: int = 50,
) -> list[Ranked]:
    """Return the entities behind the findings, the most suspicious first, at most `limit` of each kind.

    Pure: the same evidence gives the same ranking. Withdrawn findings do not count. `at` is the end of the window.
    """
    live = [finding for finding in evidence.findings if finding.state is not FindingState.WITHDRAWN]
    addresses = _rank_addresses(live, evidence, own, at)
    moments = {finding.uid: moments_of(finding, evidence.events, directory) for finding in live}
    cleared = _cleared(live, moments, evidence)
    found: list[Ranked] = []
    if Kind.PERSON in kinds:
        found += _rank_persons(live, evidence, directory, addresses, moments, cleared, at)[:limit]
    if Kind.ASSET in kinds:
        found += _rank_assets(live, directory, at)[:limit]
    if Kind.CREDENTIAL in kinds:
        found += _rank_credentials(live, cleared, directory, at)[:limit]
    if Kind.ADDRESS in kinds:
        found += addresses[:limit]
    return sorted(found, key=_order)


def _order(item: Ranked) -> tuple[float, str]:
    return -round(item.score, 9), item.entity


def _by_rule(findings: Iterable[Finding], at: datetime) -> dict[str, list[float]]:
    scores: dict[str, list[float]] = defaultdict(list)
    for finding in findings:
        scores[finding.rule].append(score_of(finding, at))
    return scores


def _uids(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(finding.uid for finding in sorted(findings, key=lambda item: (item.time, item.uid), reverse=True))


def _cleared(
    findings: Sequence[Finding], moments: Mapping[str, Sequence[Moment]], evidence: Evidence
) -> dict[str, tuple[Alibi, frozenset[str]]]:
    """Return, by person whom findings name, their alibi at these findings' own moments and the findings that it clears them of."""
    named: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        for person in finding.persons:
            named[person].append(finding)
    found: dict[str, tuple[Alibi, frozenset[str]]] = {}
    for person, of_person in named.items():
        own = [moment for finding in of_person for moment in moments[finding.uid]]
        alibi = alibis({person: evidence.whereabouts.get(person)}, own)[person]
        found[person] = alibi, frozenset(finding.uid for finding in of_person if alibi.excluded_from(finding.uid))
    return found


def _rank_assets(findings: Sequence[Finding], directory: Directory, at: datetime) -> list[Ranked]:
    behind: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        for asset in finding.assets:
            behind[asset].append(finding)
    ranked = [
        Ranked(asset, Kind.ASSET, directory.label(asset), risk(_by_rule(named, at)), _uids(named), because=f"Named by {_count(named)}")
        for asset, named in behind.items()
    ]
    return sorted(ranked, key=_order)


def _rank_credentials(
    findings: Sequence[Finding], cleared: Mapping[str, tuple[Alibi, frozenset[str]]], directory: Directory, at: datetime
) -> list[Ranked]:
    """Rank badges and accounts; what clears the holder of a badge clears the badge too: it was with them. An account it does not."""
    counted: dict[str, list[Finding]] = defaultdict(list)
    against: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        for credential in finding.credentials:
            link = directory.holder(credential, finding.time)
            clear = not credential.startswith("account:") and link is not None and finding.uid in cleared.get(link.person, (None, ()))[1]
            (against if clear else counted)[credential].append(finding)
    ranked = [
        Ranked(
            credential,
            Kind.CREDENTIAL,
            directory.label(credential),
            risk(_by_rule(counted[credential], at)),
            _uids(counted[credential]),
            _uids(against[credential]),
            because=f"Named by {_count(counted[credential])}"
            if counted[credential]
            else "Elsewhere at the moment of every finding that names it.",
        )
        for credential in sorted({*counted, *against})
    ]
    return sorted(ranked, key=_order)


def _count(findings: Sequence[Finding]) -> str:
    rules = len({finding.rule for finding in findings})
    return f"{_plural(len(findings), 'finding')} of {_plural(rules, 'rule')}."


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _rank_addresses(findings: Sequence[Finding], evidence: Evidence, own: OwnNetwork, at: datetime) -> list[Ranked]:
    behind: dict[str, list[Finding]] = defaultdict(list)
    seen: dict[str, set[str]] = defaultdict(set)
    for finding in findings:
        for address in external_addresses(finding, evidence.events, own):
            behind[address].append(finding)
            seen[address].update(
                uid for uid in finding.events if (event := evidence.events.get(uid)) and address in (event.src_ip, event.dst_ip)
            )
    ranked = []
    for address, named in behind.items():
        share = min(1.0, max(1, len(seen[address])) / max(1, evidence.volumes.get(address, 0)))
        machines = len({asset for finding in named for asset in finding.assets})
        because = f"{_count(named)[:-1]} on {_plural(machines, 'machine')} share this address, which is in {share:.0%} of its traffic."
        ranked.append(
            Ranked(address, Kind.ADDRESS, address, risk(_by_rule(named, at)) * share**0.25, _uids(named), hub=address, because=because)
        )
    return sorted(ranked, key=_order)


def _rank_persons(
    findings: Sequence[Finding],
    evidence: Evidence,
    directory: Directory,
    addresses: Sequence[Ranked],
    moments: Mapping[str, Sequence[Moment]],
    cleared: Mapping[str, tuple[Alibi, frozenset[str]]],
    at: datetime,
) -> list[Ranked]:
    by_uid = {finding.uid: finding for finding in findings}
    hubs = _hubs(addresses, moments, evidence, directory)
    judged = {hub.entity: alibis(evidence.whereabouts, related) for hub, related in hubs}
    ranked: list[Ranked] = []
    for person in {*cleared, *(evidence.whereabouts if judged else ())}:
        own_alibi, clear = cleared.get(person, (None, frozenset()))
        counted = [finding for finding in findings if person in finding.persons and finding.uid not in clear]
        part, alibi, hub = _heaviest(person, hubs, judged)
        for_uids, against = {finding.uid for finding in counted}, set(clear)
        if alibi is not None and hub is not None:
            excluded = {uid for uid in hub.findings_for if alibi.excluded_from(uid)}
            related = {uid for proof in alibi.proofs for uid in proof.moment.findings}
            for_uids, against = (for_uids | related) - excluded - clear, against | excluded
        score = 100.0 * (1.0 - (1.0 - risk(_by_rule(counted, at)) / 100.0) * (1.0 - part / 100.0))
        ranked.append(
            Ranked(
                person,
                Kind.PERSON,
                directory.label(person),
                score,
                _uids(by_uid[uid] for uid in for_uids),
                _uids(by_uid[uid] for uid in against),
                alibi or (own_alibi if own_alibi is not None and own_alibi.proofs else None),
                hub.entity if hub is not None else "",
                _because(counted, alibi, hub),
            )
        )
    return sorted(ranked, key=_order)


def _hubs(
    addresses: Sequence[Ranked], moments: Mapping[str, Sequence[Moment]], evidence: Evidence, directory: Directory, most: int = 5
) -> list[tuple[Ranked, list[Moment]]]:
    """Return the addresses that several findings share, with the moments related through each."""
    found: list[tuple[Ranked, list[Moment]]] = []
    for address in addresses:
        if len(address.findings_for) < HUB_FINDINGS:
            continue
        related = [moment for uid in address.findings_for for moment in moments[uid]]
        related += [moment for event in evidence.related.get(address.entity, ()) if (moment := moment_of(event, directory))]
        if related:
            found.append((address, related))
        if len(found) == most:
            break
    return found


def _heaviest(
    person: str, hubs: Sequence[tuple[Ranked, list[Moment]]], judged: Mapping[str, Mapping[str, Alibi]]
) -> tuple[float, Alibi | None, Ranked | None]:
    """Return the largest part of a hub's risk that its alibi leaves to the person, and the alibi and hub to show.

    Shown is the hub of that part where the person keeps a share worth naming, else the one with the highest risk.
    """
    known = [(hub, alibi) for hub, _ in hubs if (alibi := judged[hub.entity].get(person)) is not None]
    if not known:
        return 0.0, None, None
    hub, alibi = max(known, key=lambda item: item[0].score * item[1].share)
    part = hub.score * alibi.share
    if alibi.share < SHARE_SHOWN:
        hub, alibi = known[0]
    return part, alibi, hub


def _because(counted: Sequence[Finding], alibi: Alibi | None, hub: Ranked | None) -> str:
    parts = [f"Named by {_count(counted)}"] if counted else []
    if alibi is not None and hub is not None:
        parts.append(f"Of the findings that share {hub.label}: {alibi.sentence()}")
    return " ".join(parts) or "Nothing counts for this person."
