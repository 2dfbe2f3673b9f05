"""The demo's past: some months of incidents, worked on by its two desks through the same services as anybody's, and marked as simulated."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import exp
from random import Random
from typing import Final

from sqlalchemy import select

from watchword.app.feeder import FILE, Feed
from watchword.app.settings import Settings
from watchword.app.watchword import Watchword, open_watchword
from watchword.kit.clock import Clock, ManualClock, to_millisecond
from watchword.kit.errors import Conflict
from watchword.kit.ids import uid_of
from watchword.model import Finding, Mode, Team
from watchword.model.incident import Closure, IncidentRole, Moment, Rating
from watchword.respond.incident_tables import incident as incident_table
from watchword.respond.severity import rating_of

WEEKS: Final = 36
"""So far back the history reaches: firm limits need 20 weekly points."""
BY: Final = "demo"
"""How the history names what raised an incident: no account."""
MARK: Final = "Simulated history of the demo site."
A_WEEK: Final = 4.0
DESKS: Final = {"it": "analyst", "physical": "operator"}
OCSF: Final = {1: 5, 2: 4, 3: 3, 4: 2}
"""Severity of an incident → that of its finding."""
HANDLING: Final = {1: 30.0, 2: 14.0, 3: 6.0, 4: 2.0}
"""Severity → median hours from the first deed to closure."""
ACKNOWLEDGED: Final = {1: 0.05, 2: 0.2, 3: 0.8, 4: 3.0}
NOISY_WEEKS: Final = 6
FORGOTTEN: Final = 0.06
"""Share of incidents that lie about for long: the queue is what risk-hours count."""
NOISY: Final = "ww_031"
"""The rule that becomes noisy in the last six weeks: what its incidents close as shows it."""
HANDOFF_MENDED: Final = 8
"""So many weeks ago the desks agreed on one call for both: hand-offs have been quicker since."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of incident that the demo site knows."""

    title: str
    rule: str
    teams: tuple[str, ...]
    severities: tuple[int, ...]
    weight: float
    false: float = 0.15
    """How likely it is a false alarm."""


KINDS: Final = (
    Kind("Door held open", "ww_015", ("physical",), (4, 4, 4, 3), 3.0, 0.35),
    Kind("Door forced", "ww_013", ("physical",), (3, 3, 2), 1.2, 0.2),
    Kind("Many failed log-ins", "ww_018", ("it",), (4, 4, 3), 2.6, 0.3),
    Kind("A switch reports an unknown device", NOISY, ("it",), (4, 4, 3), 1.6, 0.25),
    Kind("Many records read by one account", "ww_024", ("it",), (3, 2, 2), 0.7, 0.2),
    Kind("Badge and account far apart", "ww_001", ("it", "physical"), (3, 2, 2), 1.0, 0.15),
    Kind("Door forced, then a new device in the same room", "ww_014", ("it", "physical"), (2, 2, 1), 0.5, 0.05),
    Kind("Leaver's badge opens a door", "ww_007", ("it", "physical"), (2, 3), 0.8, 0.05),
    Kind("Badge at two doors", "ww_003", ("it", "physical"), (3, 4), 0.9, 0.2),
)


@dataclass(slots=True)
class _Diary:
    """The deeds of one incident, done in order of time with the clock at each one's moment."""

    clock: ManualClock
    until: datetime
    entries: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)

    def at(self, moment: datetime, deed: Callable[[], None]) -> None:
        """Note a deed; one that would lie in the future stays undone."""
        if moment < self.until:
            heapq.heappush(self.entries, (to_millisecond(moment), len(self.entries), deed))

    def play(self) -> None:
        """Do every deed, those too that deeds note."""
        while self.entries:
            self.clock.at, _, deed = heapq.heappop(self.entries)
            deed()


def furnish_history(settings: Settings, seed: int, clock: Clock, *, weeks: int = WEEKS, a_week: float = A_WEEK) -> int:
    """Give the demo its past, once, and return how many incidents that were: where some of it is there already, nothing is added.

    Every incident says that it is simulated. One is led to its end before the next begins, so that what is open beside it stays the
    living site's; that is why the audit log's times go back and forth meanwhile, while its order does not.
    """
    now = to_millisecond(clock.now().astimezone(UTC))
    past = ManualClock(now - timedelta(weeks=weeks))
    with open_watchword(replace(settings, syslog=(), drop=()), past) as watchword:
        with watchword.records.read() as connection:
            if connection.execute(select(incident_table.c.uid).where(incident_table.c.opened_by == BY).limit(1)).first() is not None:
                return 0
        history = _History(watchword, Random(seed), _Diary(past, now - timedelta(hours=2)))  # noqa: S311 - a past that can be drawn again
        return history.live(past.at, weeks, a_week)


def give_past(watchword: Watchword, now: datetime) -> int:
    """Give a demo's data folder its past, once; any other data folder is left alone. Returns how many incidents were made."""
    del now
    data = watchword.settings.data
    return furnish_history(watchword.settings, Feed.read(data).seed, watchword.clock) if (data / "run" / FILE).is_file() else 0


class _History:
    """Draws incidents and lets the desks work on them."""

    def __init__(self, watchword: Watchword, rng: Random, diary: _Diary) -> None:
        self._incidents, self._findings = watchword.response.incidents, watchword.findings
        directory = watchword.registry.directory()
        self._places = sorted(directory.site.doors)
        self._hosts = sorted(directory.assets.assets)
        self._rng, self._diary = rng, diary
        self._opened = 0

    def live(self, since: datetime, weeks: int, a_week: float) -> int:
        """Play the weeks and return how many incidents were opened."""
        for week in range(weeks):
            left = weeks - week
            many = self._draw_count(a_week) + (2 if left <= NOISY_WEEKS else 0)
            for at in sorted(to_millisecond(since + timedelta(weeks=week, hours=168 * self._rng.random())) for _ in range(many)):
                self._open(self._draw_kind(noisy=left <= NOISY_WEEKS), left, at)
        return self._opened

    def _draw_count(self, mean: float) -> int:
        """Return a Poisson number (Knuth)."""
        limit, product, number = exp(-mean), self._rng.random(), 0
        while product > limit:
            product *= self._rng.random()
            number += 1
        return number

    def _draw_kind(self, *, noisy: bool) -> Kind:
        weights = [kind.weight * (2.5 if noisy and kind.rule == NOISY else 1.0) for kind in KINDS]
        return self._rng.choices(KINDS, weights)[0]

    def _hours(self, median: float, spread: float = 0.7) -> timedelta:
        return timedelta(hours=median * exp(self._rng.gauss(0, spread)))

    def _open(self, kind: Kind, left: int, at: datetime) -> None:
        severity = self._rng.choice(kind.severities)
        finding = self._finding(kind, severity, at)
        if at >= self._diary.until:
            return
        self._diary.clock.at = at
        incidents = self._incidents
        teams = tuple(Team(team) for team in kind.teams)
        uid = incidents.open(kind.title, by=BY, team="", because=f"{finding.because} {MARK}", severity=severity, teams=teams)
        with incidents.casebook.begin() as connection:  # together, so that triage never sees the finding without its incident
            self._findings.put([finding], connection)
            incidents.openings.hold(connection, uid, [finding], by=BY, because=MARK)
        self._opened += 1
        false = self._rng.random() < (0.7 if kind.rule == NOISY and left <= NOISY_WEEKS else kind.false)
        first, second = (kind.teams[0], kind.teams[1]) if len(kind.teams) > 1 else (kind.teams[0], "")
        if second and self._rng.random() < 0.5:
            first, second = second, first
        begun = at + self._hours(ACKNOWLEDGED[severity])
        self._diary.at(begun, lambda: self._incidents.acknowledge(uid, by=DESKS[first], team=first))
        deed = begun + self._hours(0.15)
        self._diary.at(deed, lambda: self._engage(uid, first))
        if second:
            joined = deed + self._hours(0.35 if left <= HANDOFF_MENDED else 1.6, 0.9)
            self._diary.at(joined, lambda: self._incidents.acknowledge(uid, by=DESKS[second], team=second))
            self._diary.at(joined + self._hours(0.1), lambda: self._engage(uid, second))
            deed = max(deed, joined)
        slow = 1.5 if second and left > HANDOFF_MENDED else 1.0
        if self._rng.random() < FORGOTTEN:
            slow *= 25
        self._end(uid, severity, first, deed, self._hours(HANDLING[severity] * slow), false=false)
        self._diary.play()

    def _finding(self, kind: Kind, severity: int, at: datetime) -> Finding:
        physical, it = "physical" in kind.teams, "it" in kind.teams
        place = self._rng.choice(self._places) if physical and self._places else ""
        host = self._rng.choice(self._hosts) if it and self._hosts else ""
        where = f" at {place}" if place else ""
        what = f" on {host.partition(':')[2] or host}" if host else ""
        return Finding(
            uid=uid_of("finding", "demo-history", kind.rule, at.isoformat(), str(self._opened)),
            rule=kind.rule,
            rule_version=1,
            title=kind.title,
            severity=OCSF[severity],
            confidence=0.8,
            time=at,
            first_time=at - timedelta(minutes=2 + 40 * self._rng.random()),
            last_time=at,
            because=f"{kind.title}{where}{what}. {MARK}",
            places=(place,) if place else (),
            assets=(host,) if host else (),
            mode=Mode.PAGE,
            author=MARK,
        )

    def _engage(self, uid: str, team: str) -> None:
        self._incidents.moment(uid, Moment.ENGAGED, self._diary.clock.at, by=DESKS[team], team=team, source="first deed", speaker=team)

    def _end(self, uid: str, severity: int, team: str, deed: datetime, handling: timedelta, *, false: bool) -> None:
        """Lead it to its end: declared, contained, restored, closed; a few come back, a few stay open for long."""
        by = DESKS[team]
        if false:
            self._diary.at(deed + handling / 3, lambda: self._close(uid, Closure.FALSE, severity, by, team))
            return
        rating = Rating(operations=severity)
        incidents, clock = self._incidents, self._diary.clock
        self._diary.at(deed + handling / 10, lambda: incidents.assign(uid, IncidentRole.LEAD, by, by=by, team=team))
        self._diary.at(deed + handling / 9, lambda: void(incidents.declare(uid, rating, by=by, team=team)))
        for share, moment in ((0.5, Moment.CONTAINED), (0.9, Moment.RESTORED)):
            self._diary.at(
                deed + handling * share,
                lambda moment=moment: incidents.moment(uid, moment, clock.at, by=by, evidence="seen on site", speaker=team),  # type: ignore[misc]
            )
        closed = deed + handling
        self._diary.at(closed, lambda: self._close(uid, Closure.TRUE, severity, by, team))
        if self._rng.random() < 0.06:
            again = closed + timedelta(days=1 + 9 * self._rng.random())
            self._diary.at(again, lambda: void(incidents.reopen(uid, by=by, team=team, reason="It came back: the cause was not gone.")))
            self._diary.at(again + handling, lambda: self._close(uid, Closure.TRUE, severity, by, team))

    def _close(self, uid: str, closure: Closure, severity: int, by: str, team: str) -> None:
        words = {Closure.FALSE: "Nothing was behind it."}.get(closure, "Found, mended, and seen to hold.")
        try:
            self._incidents.close(uid, closure, rating_of(severity), by=by, team=team, note=words)
        except Conflict:  # the responding process looked between acknowledgement and first deed, and voided what seemed forgotten for weeks
            self._incidents.acknowledge(uid, by=by, team=team)
            self._incidents.close(uid, closure, rating_of(severity), by=by, team=team, note=words)


def void(result: object) -> None:
    """Let a result go: a deed returns nothing."""
    del result
