"""Escalation: whom a page calls next when nobody answers, as a pure state machine over a policy that is data."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

EACH: Final = "each"
"""In place of a rota's, team's or desk's name: that of every team that the page is for."""
DEPUTY, MANAGER = "deputy", "manager"
MOST_REPEATS: Final = 5
RECHECK: Final = timedelta(minutes=1)
"""How often a page that waits for others of its kind is looked at."""
_WEEK: Final = 7


class Kind(StrEnum):
    """What one step of a policy does."""

    PERSON = "person"
    ROTA = "rota"
    """Whoever is on call."""
    NEXT = "next"
    """Whoever is on call after them."""
    TEAM = "team"
    """Everybody in it."""
    DESK = "desk"
    """The team's shared channels, such as the control room's screen."""
    ROUND_ROBIN = "round_robin"
    """The next of a list, one further with every page."""
    WEBHOOK = "webhook"
    """One shared channel by its name."""
    WAIT = "wait"
    BUSINESS_HOURS = "business_hours"
    """Go on within these hours only; else wait until they begin."""
    THRESHOLD = "threshold"
    """Go on only when more than so many pages of the same kind came within a time."""
    REPEAT = "repeat"
    """Begin again, so many times."""
    GIVE_UP = "give_up"
    """Call deputy and manager, and stop calling."""


CALLS: Final = frozenset({Kind.PERSON, Kind.ROTA, Kind.NEXT, Kind.TEAM, Kind.DESK, Kind.ROUND_ROBIN, Kind.WEBHOOK})
"""Steps that call somebody."""


@dataclass(frozen=True, slots=True)
class OpenHours:
    """Hours of some weekdays in one time zone."""

    zone: str
    since: time
    until: time
    days: frozenset[int] = frozenset(range(5))
    """0 is Monday."""

    def opens(self, at: datetime) -> datetime:
        """Return `at` when it lies within the hours, else when they begin next."""
        zone = ZoneInfo(self.zone)
        local = at.astimezone(zone)
        for ahead in range(_WEEK + 1):
            day = local.date() + timedelta(days=ahead)
            start = datetime.combine(day, self.since, zone).astimezone(at.tzinfo)
            end = datetime.combine(day, self.until, zone).astimezone(at.tzinfo)
            if day.weekday() in self.days and at < end and start < end:
                return max(at, start)
        return at  # no such hours in a week: never hold a page back for ever


@dataclass(frozen=True, slots=True)
class Step:
    """One step. Only the fields of its kind are set."""

    kind: Kind
    names: tuple[str, ...] = ()
    wait: timedelta = timedelta()
    hours: OpenHours | None = None
    more_than: int = 0
    within: timedelta = timedelta()
    times: int = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """How pages of some severities are escalated."""

    name: str
    severities: frozenset[int]
    steps: tuple[Step, ...]
    kinds: int = 1
    """By how many kinds of channel a person is called at once."""
    both_teams: bool = False
    """Whether both teams are called whatever the page is about."""
    engage_within: timedelta = timedelta(minutes=30)
    """An acknowledgement that no deed follows within this time expires, and calling goes on."""


class Status(StrEnum):
    """Where one team's calling stands."""

    CALLING = "calling"
    HELD = "held"
    """Waits for business hours, or for more of its kind."""
    MUTED = "muted"
    """Waits for the end of a maintenance window."""
    ACKNOWLEDGED = "acknowledged"
    BELOW = "below"
    """Fewer of its kind came than the policy asks for: nobody was called."""
    GIVEN_UP = "given_up"
    """Nobody answered; deputy and manager were called last."""
    STOPPED = "stopped"
    """A person stopped it."""


@dataclass(frozen=True, slots=True)
class Track:
    """The state of calling one team for one page."""

    began: datetime
    status: Status = Status.CALLING
    step: int = 0
    """The step that comes next."""
    round: int = 0
    due: datetime | None = None
    """When to look again; None: only a person moves it."""
    by: str = ""
    at: datetime | None = None
    how: str = ""
    engage_by: datetime | None = None
    engaged: bool = False
    expired: int = 0
    """How many acknowledgements ran out without a deed."""


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody to be called: as the policy names them, not yet as a person."""

    kind: Kind
    name: str
    kinds: int
    step: int
    round: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed. `like` are the moments at which pages of the same kind came, this one included."""

    like: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Somebody says: mine. A machine's word is noted elsewhere and stops nothing."""

    person: str
    how: str
    human: bool = True


@dataclass(frozen=True, slots=True)
class Engage:
    """A person did the first substantive deed."""

    person: str


@dataclass(frozen=True, slots=True)
class Unreached:
    """Nobody of the last step could be reached: there is no use in waiting for them."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A person ends the calling."""

    person: str


@dataclass(frozen=True, slots=True)
class Mute:
    """A maintenance window covers the place until then."""

    until: datetime


Input = Tick | Acknowledge | Engage | Unreached | Stop | Mute


def begin(now: datetime) -> Track:
    """Return the state in which calling begins: due at once."""
    return Track(began=now, due=now)


def advance(policy: Policy, track: Track, given: Input, now: datetime) -> tuple[Track, tuple[Call, ...]]:  # noqa: PLR0911 - one answer per input
    """Return the state after an input, and whom to call. Asked twice with the same input and time, nobody is called twice.

    A step that comes late, after the process was down, is done once, and the wait behind it begins then.
    """
    match given:
        case Tick():
            return _tick(policy, track, given, now)
        case Acknowledge(human=False):
            return track, ()
        case Acknowledge():
            return (track, ()) if track.status in {Status.ACKNOWLEDGED, Status.STOPPED} else (_taken(policy, track, given, now), ())
        case Engage():
            if track.status is Status.STOPPED:
                return track, ()
            taken = track if track.status is Status.ACKNOWLEDGED else _taken(policy, track, Acknowledge(given.person, "deed"), now)
            return replace(taken, engaged=True, due=None), ()
        case Unreached():
            return (replace(track, due=now), ()) if track.status is Status.CALLING else (track, ())
        case Stop():
            return replace(track, status=Status.STOPPED, due=None, by=given.person, at=now, how="stopped"), ()
        case Mute():
            calling = track.status in {Status.CALLING, Status.HELD, Status.MUTED}
            return (replace(track, status=Status.MUTED, due=given.until) if calling else track), ()


def _taken(policy: Policy, track: Track, given: Acknowledge, now: datetime) -> Track:
    until = now + policy.engage_within
    return replace(track, status=Status.ACKNOWLEDGED, by=given.person, at=now, how=given.how, engage_by=until, engaged=False, due=until)


def _tick(policy: Policy, track: Track, given: Tick, now: datetime) -> tuple[Track, tuple[Call, ...]]:
    if track.due is None or track.due > now or track.status in {Status.STOPPED, Status.BELOW}:
        return track, ()
    if track.status is Status.ACKNOWLEDGED:
        if track.engaged:
            return track, ()
        track = replace(track, by="", at=None, how="", engage_by=None, expired=track.expired + 1)
    return _walk(policy, replace(track, status=Status.CALLING), given, now)


def _walk(policy: Policy, track: Track, given: Tick, now: datetime) -> tuple[Track, tuple[Call, ...]]:  # noqa: C901 - one branch per kind of step
    calls: list[Call] = []
    index, turn = track.step, track.round

    def at(status: Status, step: int, due: datetime | None) -> tuple[Track, tuple[Call, ...]]:
        return replace(track, status=status, step=step, round=turn, due=due), tuple(calls)

    while index < len(policy.steps):
        step = policy.steps[index]
        if step.kind in CALLS:
            calls += [Call(step.kind, name, policy.kinds, index, turn) for name in _named(step)]
        elif step.kind is Kind.WAIT:
            return at(Status.CALLING, index + 1, now + step.wait)
        elif step.kind is Kind.BUSINESS_HOURS and step.hours is not None:
            if (opens := step.hours.opens(now)) > now:
                return at(Status.HELD, index, opens)
        elif step.kind is Kind.THRESHOLD:
            if sum(1 for each in given.like if now - step.within < each <= now) <= step.more_than:
                over = now - track.began >= step.within
                return at(Status.BELOW, index, None) if over else at(Status.HELD, index, now + RECHECK)
        elif step.kind is Kind.REPEAT and turn < step.times:
            turn, index = turn + 1, 0
            continue
        elif step.kind is Kind.GIVE_UP:
            calls += [Call(step.kind, name, policy.kinds, index, turn) for name in step.names]
            return at(Status.GIVEN_UP, index, None)
        index += 1
    return at(Status.GIVEN_UP, max(0, len(policy.steps) - 1), None)


def _named(step: Step) -> Sequence[str]:
    # A round robin is one call; which of its people it reaches is known where the turns are counted.
    return ("\n".join(step.names),) if step.kind is Kind.ROUND_ROBIN else step.names


def fault_of(policy: Policy) -> list[str]:
    """Return what is wrong with a policy, in words with the remedy; the rules for the gravest severities stand here."""
    found = _shape(policy)
    kinds = [step.kind for step in policy.steps]
    first = next((index for index, kind in enumerate(kinds) if kind in CALLS), None)
    pause = _first_pause(policy)
    for severity, longest in ((1, timedelta(minutes=5)), (2, timedelta(minutes=15))):
        if severity not in policy.severities:
            continue
        if Kind.BUSINESS_HOURS in kinds or Kind.THRESHOLD in kinds:
            found.append(f"severity {severity} waits for no business hours and no threshold; leave these steps out")
        if first is not None and Kind.WAIT in kinds[:first]:
            found.append(f"severity {severity} calls somebody before it waits; put a call first")
        if pause is None or pause > longest:
            found.append(
                f"severity {severity}: the second call comes at most {longest.seconds // 60} min after the first; shorten the wait"
            )
        if Kind.GIVE_UP not in kinds:
            found.append(f"severity {severity} ends with give_up: [{DEPUTY}, {MANAGER}]")
    if 1 in policy.severities:
        if policy.kinds < 2:
            found.append("severity 1 calls by at least two kinds of channel; write kinds: 2")
        if not policy.both_teams:
            found.append("severity 1 calls both teams at once; write both_teams: true")
    return found


def _shape(policy: Policy) -> list[str]:  # noqa: C901 - one branch per rule
    found = []
    kinds = [step.kind for step in policy.steps]
    if not any(kind in CALLS for kind in kinds):
        found.append("calls nobody; add a step such as rota: each")
    for index, step in enumerate(policy.steps):
        if step.kind is Kind.REPEAT:
            if not 1 <= step.times <= MOST_REPEATS:
                found.append(f"repeats {step.times} times; 1 to {MOST_REPEATS} are allowed")
            if Kind.WAIT not in kinds[:index]:
                found.append("repeats without a wait; put one before it")
        if step.kind is Kind.WAIT and step.wait <= timedelta():
            found.append("waits for no time; write it as in 5m")
        if step.kind is Kind.GIVE_UP:
            if index != len(policy.steps) - 1:
                found.append("goes on behind give_up; make that the last step")
            if {*step.names} != {DEPUTY, MANAGER}:
                found.append(f"gives up to others than deputy and manager; write give_up: [{DEPUTY}, {MANAGER}]")
    if not 1 <= policy.kinds <= 3:
        found.append("kinds is 1 to 3")
    return found


def _first_pause(policy: Policy) -> timedelta | None:
    """Return the time between the first call and the next, or None when there is no second."""
    called, paused = False, timedelta()
    for step in policy.steps:
        if step.kind is Kind.WAIT and called:
            paused += step.wait
        elif step.kind in CALLS or step.kind in {Kind.GIVE_UP, Kind.REPEAT}:
            if called and paused:
                return paused
            called = True
    return None


def pick(contacts: Sequence[tuple[str, str]], kinds: int) -> list[str]:
    """Return the uids of the contacts to use at once, from (uid, kind) in the person's order: the first of so many different kinds."""
    seen: dict[str, str] = {}
    for uid, kind in contacts:
        if kind not in seen and len(seen) < kinds:
            seen[kind] = uid
    return list(seen.values())
