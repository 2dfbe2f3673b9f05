"""Silence: a source that should have sent something by now and has not, judged on arrival times alone (`detections.md` 2.4)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import fill, in_words, local_time
from watchword.detect.setting import duration, number
from watchword.kit.clock import to_ms
from watchword.kit.ids import uid_of
from watchword.model import Event, Finding, FindingState, Source
from watchword.model.ocsf import Severity
from watchword.resolve.directory import Directory

PAST = timedelta(days=28)
"""How far back the expected gap is learned from."""
FLOOR, CEILING = timedelta(seconds=60), timedelta(hours=24)
PERCENTILE = 0.999
LEAST_RECORDS = 20
"""Without a rhythm of its own, a source with fewer records in `PAST` is meant to be silent: it needs a probe, and is not judged."""
LEAST_GAPS = 20
"""Fewer gaps than these in an hour of the week say nothing of that hour; all hours are taken together."""


@dataclass(frozen=True, slots=True)
class Silence:
    """That nothing came from a source after `last`, for longer than can be expected."""

    source: Source
    last: datetime
    expected: timedelta
    """The longest gap to be expected."""
    noticed: datetime
    """When it counted as silent."""
    until: datetime | None
    """When the next record came; None: still silent."""


def expected_gap(source: Source, arrivals: Sequence[datetime], at: datetime) -> timedelta | None:
    """Return the longest gap to be expected after a record at `at` (UTC hour of week), or None when nothing can be expected.

    Args:
        source: Its `rhythm` is the answer when it has one.
        arrivals: Moments at which something came, sorted; only those up to `at` are looked at.
        at: A moment.
    """
    if source.rhythm is not None:
        return min(max(source.rhythm, FLOOR), CEILING)
    past = arrivals[bisect_left(arrivals, at - PAST) : bisect_right(arrivals, at)]
    if len(past) < LEAST_RECORDS:
        return None
    hour = (at.weekday(), at.hour)
    alike = [later - earlier for earlier, later in pairwise(past) if (earlier.weekday(), earlier.hour) == hour]
    gaps = sorted(alike if len(alike) >= LEAST_GAPS else [later - earlier for earlier, later in pairwise(past)])
    return min(max(gaps[min(len(gaps) - 1, int(PERCENTILE * len(gaps)))], FLOOR), CEILING)


def silences(source: Source, arrivals: Sequence[datetime], now: datetime, since: datetime, factor: float = 3.0) -> list[Silence]:
    """Return the silences of a source that began at or after `since`: a pure function of the set of arrival times.

    Args:
        source: The source.
        arrivals: Distinct moments at which something came, sorted.
        now: The arrival clock's time.
        since: Silences that began earlier are not asked for.
        factor: Silent when nothing came for so many times the expected gap.
    """
    found = []
    for position in range(bisect_left(arrivals, since), len(arrivals)):
        last = arrivals[position]
        until = arrivals[position + 1] if position + 1 < len(arrivals) else None
        quiet = (until or now) - last
        if quiet <= FLOOR * factor:
            continue
        expected = expected_gap(source, arrivals, last)
        if expected is not None and quiet > expected * factor:
            found.append(Silence(source, last, expected, last + expected * factor, until))
    return found


class SilenceRule:
    """The compiled rule. It takes no events: the engine asks `findings` with the arrival times."""

    walks = True
    classes: frozenset[int] = frozenset()

    def __init__(self, rule: Rule, directory: Directory) -> None:
        """Compile the rule.

        Raises:
            ContentError: the file is wrong.
        """
        self.rule = rule
        self.reach = timedelta()
        self._directory = directory
        self.factor = number(rule, "factor", 3)
        self._together = duration(rule, "together", "10m")
        self.lookback = duration(rule, "lookback", "2d")

    def keys(self, event: Event) -> Iterable[str]:
        """Return nothing: no event concerns it."""
        del event
        return ()

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Return nothing: no event concerns it."""
        del key, events, coverage
        return ()

    def silences(self, sources: Iterable[Source], arrivals: Mapping[str, Sequence[datetime]], now: datetime) -> list[Silence]:
        """Return the silences of all sources within the lookback, by start."""
        found = [
            silence
            for source in sources
            for silence in silences(source, arrivals.get(source.name, ()), now, now - self.lookback, self.factor)
        ]
        return sorted(found, key=lambda silence: (silence.last, silence.source.name))

    def findings(self, sources: Iterable[Source], arrivals: Mapping[str, Sequence[datetime]], now: datetime) -> list[Finding]:
        """Return one finding per silence; silences of one site that began together are high, or one finding on what they share."""
        found = self.silences(sources, arrivals, now)
        answer: list[Finding] = []
        done: set[int] = set()
        for index, silence in enumerate(found):
            if index in done:
                continue
            near = [other for other in range(len(found)) if other != index and other not in done and self._meets(silence, found[other])]
            shared = [(other, common) for other in near if (common := self._shared(silence, found[other]))]
            if shared:
                upstream = min(min(common) for _, common in shared)
                members = [index, *(other for other, common in shared if upstream in common)]
                done.update(members)
                answer.append(self._on_upstream(upstream, [found[member] for member in members]))
                continue
            independent = [found[other] for other in near if self._known(silence) and self._known(found[other])]
            answer.append(self._finding(silence, independent, unclear=bool(near) and not independent))
        return answer

    def _meets(self, one: Silence, other: Silence) -> bool:
        same_site = not one.source.site or not other.source.site or one.source.site == other.source.site
        return same_site and one.source.name != other.source.name and abs(one.last - other.last) <= self._together

    def _asset(self, silence: Silence) -> str:
        asset = self._directory.asset_at(silence.source.name, silence.last)
        return asset.uid if asset is not None else ""

    def _upstreams(self, silence: Silence) -> frozenset[str]:
        """Return everything that the source's device depends on, directly or not."""
        found: set[str] = set()
        todo = [self._asset(silence)]
        while todo:
            asset = self._directory.asset(todo.pop())
            for uid in asset.upstream if asset is not None else ():
                if uid not in found:
                    found.add(uid)
                    todo.append(uid)
        return frozenset(found)

    def _known(self, silence: Silence) -> bool:
        return bool(self._upstreams(silence))

    def _shared(self, one: Silence, other: Silence) -> frozenset[str]:
        return self._upstreams(one) & self._upstreams(other)

    def _parts(self, silence: Silence) -> dict[str, str]:
        site = silence.source.site
        return {
            "source": silence.source.name,
            "site": self._directory.label(site) if site else "all sites",
            "time": local_time(silence.last, site, self._directory),
            "expected": in_words(silence.expected.total_seconds()),
            "after": in_words((silence.noticed - silence.last).total_seconds()),
        }

    def _finding(self, silence: Silence, independent: Sequence[Silence], *, unclear: bool) -> Finding:
        sentence = fill(self.rule.because, self._parts(silence))
        if independent:
            names = " and ".join(sorted({other.source.name for other in independent}))
            sentence += f" {names} fell silent within minutes of it, and shares no feed with it."
        elif unclear:
            sentence += " Another source fell silent within minutes; whether they share a feed is not known."
        if silence.until is not None:
            sentence += f" Records came again after {in_words((silence.until - silence.last).total_seconds())}."
        return self._made(
            ("source", silence.source.name, str(to_ms(silence.last))),
            [silence],
            sentence,
            severity=max(self.rule.severity, int(Severity.HIGH)) if independent else self.rule.severity,
            assets=(self._asset(silence),),
        )

    def _on_upstream(self, upstream: str, members: Sequence[Silence]) -> Finding:
        names = ", ".join(silence.source.name for silence in members)
        where = self._directory.label(upstream)
        sentence = f"{names} fell silent within minutes of each other; all depend on {where}, which is where to look first."
        key = ("upstream", upstream, *sorted(f"{silence.source.name} {to_ms(silence.last)}" for silence in members))
        return self._made(key, members, sentence, severity=self.rule.severity, assets=(upstream, *(self._asset(item) for item in members)))

    def _made(self, key: Sequence[str], members: Sequence[Silence], sentence: str, *, severity: int, assets: Iterable[str]) -> Finding:
        rule = self.rule
        noticed = max(silence.noticed for silence in members)
        ends = [silence.until for silence in members]
        over = all(end is not None for end in ends)
        return Finding(
            uid=uid_of("finding", rule.id, str(rule.version), *key),
            rule=rule.id,
            rule_version=rule.version,
            title=rule.title,
            severity=severity,
            confidence=rule.confidence,
            time=noticed,
            first_time=min(silence.last for silence in members),
            last_time=max((end for end in ends if end is not None), default=noticed) if over else noticed,
            because=sentence,
            assets=tuple(dict.fromkeys(uid for uid in assets if uid)),
            places=tuple(dict.fromkeys(silence.source.site for silence in members if silence.source.site)),
            state=FindingState.FINAL if over else FindingState.PROVISIONAL,
            mode=rule.mode,
            author=rule.author,
            attack=rule.attack,
        )


class SilenceWatch:
    """What was said of silences so far, so that only changes come out; the engine's counterpart for what does not come."""

    def __init__(self, detectors: Iterable[Detector]) -> None:
        """Pick the silence rules among the detectors."""
        self._rules = [detector for detector in detectors if isinstance(detector, SilenceRule)]
        self._said: dict[str, Finding] = {}

    @property
    def factor(self) -> float:
        """How many times its rhythm a source may be silent; without a silence rule, as the catalogue says."""
        return min((rule.factor for rule in self._rules), default=3.0)

    def listen(
        self, sources: Sequence[Source], arrivals: Mapping[str, Sequence[datetime]], now: datetime
    ) -> tuple[list[Finding], list[Finding], list[Finding]]:
        """Return (new, changed, withdrawn) findings about silence at this moment.

        Args:
            sources: All sources.
            arrivals: By source name, the sorted moments at which something came: 28 days back where the rhythm is to be learned.
            now: The arrival clock's time.
        """
        found = {finding.uid: finding for rule in self._rules for finding in rule.findings(sources, arrivals, now)}
        oldest = min((now - rule.lookback for rule in self._rules), default=now)
        new = [finding for uid, finding in found.items() if uid not in self._said]
        changed = [finding for uid, finding in found.items() if uid in self._said and self._said[uid] != finding]
        gone = [
            replace(finding, state=FindingState.WITHDRAWN)
            for uid, finding in self._said.items()
            if uid not in found and finding.first_time >= oldest
        ]
        self._said = found
        return new, changed, gone


def silence(rule: Rule, directory: Directory) -> Detector:
    """Make the detector of a rule with ``operator: silence``."""
    return SilenceRule(rule, directory)
