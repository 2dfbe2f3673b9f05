"""The detector seam: a verdict is a pure function of the set of events that share a key, never of the order in which they came."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from watchword.kit.marked import Marked
from watchword.model import Event, Finding, FindingState, Mode, SourceKind


@dataclass(frozen=True, slots=True)
class Rule:
    """What the content file of a detection says, operators' own settings in `settings`."""

    id: str
    """``ww_001`` for the catalogue's number 1; the rule's own id for Sigma rules."""
    title: str
    version: int
    severity: int
    mode: Mode
    confidence: float
    attack: tuple[str, ...] = ()
    needs: tuple[SourceKind, ...] = ()
    """No verdict that rests on absence while a source of these kinds at the site is in a gap."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    because: str = ""
    """Template of the finding sentence."""
    author: str = ""
    path: str = ""
    operator: str = ""
    """Name of the operator that makes a `Detector` of it."""
    select: Mapping[str, Any] = field(default_factory=dict)
    """Named selections over events, as the file words them (see `selection`)."""
    description: str = ""
    status: str = "stable"
    falsepositives: tuple[str, ...] = ()
    document: Marked | None = field(default=None, repr=False, compare=False)
    """The file with its lines, so that an operator can name the place of a fault."""


class Coverage(Protocol):
    """Up to when which sources are known to have reported."""

    def now(self) -> datetime:
        """Return the moment of judging, by the arrival clock."""
        ...

    def reported(self, kinds: Iterable[SourceKind], site: str) -> datetime | None:
        """Return the time up to which every source of these kinds that reports on the site has reported.

        None: no such source exists, or one of them is in a gap, so absence proves nothing.
        """
        ...

    def settled(self, kinds: Iterable[SourceKind], site: str) -> datetime | None:
        """Return the time before which no record can still come in within the allowed lateness; None as `reported`."""
        ...

    def decide(self, kinds: Iterable[SourceKind], site: str, since: datetime, until: datetime) -> FindingState | None:
        """Tell how sure an absence within [since, until] is: final, provisional, or None while nothing can be said.

        Detectors that rest on absence ask this and nothing else: the engine notes what was asked, and judges the key again
        when the answer changes. `until` already contains the tolerance.
        """
        ...

    def skew(self, source: str) -> timedelta:
        """Return how far a source's times may be off: its resolution plus its clock skew (half of a pair's tolerance)."""
        ...


class Detector(Protocol):
    """One rule, compiled once. The engine keeps, per key, the events that `keys` named and calls `judge` when they change."""

    rule: Rule
    reach: timedelta
    """A verdict on an event rests only on events of its key no further from it in time than this."""
    classes: frozenset[int]
    """The ``class_uid`` numbers that can concern the rule; events of other classes are never shown to it."""
    walks: bool
    """True: the verdicts of a key are a walk in which spent events do not count again, so old events may be forgotten only at a
    gap longer than `reach`. False: every verdict stands for itself, and old events may be forgotten by age."""

    # A detector whose keys are larger than usual may also state `bound`: the most events that one of them may hold.

    def keys(self, event: Event) -> Iterable[str]:
        """Return the keys under which the event counts; none when it does not concern this rule."""
        ...

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Return every finding of these events (sorted by time, then uid). Pure: the same set gives the same findings."""
        ...
