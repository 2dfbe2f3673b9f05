"""What the engine holds per key: events in order, the findings that follow from them, and the questions still open."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchword.detect.detector import Coverage
from watchword.model import Event, Finding, FindingState, SourceKind


@dataclass(frozen=True, slots=True)
class Question:
    """An absence that could not be judged for good: ask again once the sources have reported, or settled, past `until`."""

    kinds: tuple[SourceKind, ...]
    site: str
    until: datetime
    settled: bool


class Recorder:
    """A coverage that notes which questions had no final answer."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self._open: set[Question] = set()
        self.lost = 0
        """Questions that can never be answered: a needed source lost records there."""

    def now(self) -> datetime:
        """Return the moment of judging."""
        return self._coverage.now()

    def reported(self, kinds: Iterable[SourceKind], site: str) -> datetime | None:
        """Pass the question on."""
        return self._coverage.reported(kinds, site)

    def settled(self, kinds: Iterable[SourceKind], site: str) -> datetime | None:
        """Pass the question on."""
        return self._coverage.settled(kinds, site)

    def skew(self, source: str) -> timedelta:
        """Pass the question on."""
        return self._coverage.skew(source)

    def decide(self, kinds: Iterable[SourceKind], site: str, since: datetime, until: datetime) -> FindingState | None:
        """Pass the question on, and note it unless the answer is final."""
        kinds = tuple(kinds)
        answer = self._coverage.decide(kinds, site, since, until)
        if answer is FindingState.PROVISIONAL:
            self._open.add(Question(kinds, site, until, settled=True))
        elif answer is None:
            mark = self._coverage.reported(kinds, site)
            if mark is not None and mark >= until:
                self.lost += 1
            else:
                self._open.add(Question(kinds, site, until, settled=False))
        return answer

    def open(self) -> Iterator[Question]:
        """Return the questions without a final answer."""
        return iter(self._open)


class Slot:
    """The state of one key of one detector."""

    __slots__ = ("events", "findings", "floor", "lost", "waiting")

    def __init__(self) -> None:
        self.events: list[Event] = []
        """By time, then uid."""
        self.findings: dict[str, Finding] = {}
        self.waiting: set[Question] = set()
        self.floor: datetime | None = None
        """Findings whose last event is older are settled and no longer looked at: their neighbours may be forgotten."""
        self.lost = 0

    def insert(self, event: Event) -> bool:
        """Put an event in its place; False when it is there already."""
        events, order = self.events, event.order
        if not events or events[-1].order < order:
            events.append(event)
            return True
        position = bisect_left(events, order, key=_order)
        if events[position].uid == event.uid:
            return False
        events.insert(position, event)
        return True

    def prune(self, border: datetime, reach: timedelta, *, walks: bool) -> None:
        """Forget what can matter to no verdict that may still change: verdicts on events before `border` are settled."""
        events = self.events
        if not events or events[0].time >= border:
            return
        if walks:
            cut = 0
            for position, event in enumerate(events):
                if event.time >= border:
                    break
                if position + 1 == len(events) or events[position + 1].time - event.time > reach:
                    cut = position + 1
            if cut:
                self._drop(cut, events[cut - 1].time)
            return
        cut = bisect_left(events, border if events[-1].time < border else border - reach, key=_time)
        self.floor = border if self.floor is None else max(self.floor, border)
        self._drop(cut, None)
        self.findings = {uid: finding for uid, finding in self.findings.items() if finding.last_time >= border}

    def shorten(self, size: int) -> None:
        """Forget the oldest events beyond a size, and with each finding among them all that it spent."""
        cut = len(self.events) - size
        edge = self.events[cut - 1].time
        for finding in sorted(self.findings.values(), key=lambda finding: finding.first_time):
            if finding.first_time <= edge:
                edge = max(edge, finding.last_time)
        self._drop(bisect_right(self.events, edge, key=_time, lo=cut), edge)

    def _drop(self, cut: int, edge: datetime | None) -> None:
        del self.events[:cut]
        if edge is not None:
            self.findings = {uid: finding for uid, finding in self.findings.items() if finding.first_time > edge}


def _order(event: Event) -> tuple[datetime, str]:
    return event.order


def _time(event: Event) -> datetime:
    return event.time
