"""Signals of uptime: what an event says of a component, be it a heartbeat, a report of trouble, a forced door or a probe's result."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from watchword.measure.component import Component
from watchword.measure.condition import Signal
from watchword.measure.uptime import State
from watchword.model import Event, value_at
from watchword.model.ocsf import OTHER_ACTIVITY, Access, EventClass, Health, Status

PROBES: Final = "watchword-probes"
"""The source as which the results of our own probes come in at the front door."""
RHYTHM: Final = timedelta(hours=1)
"""Expected between two signs of life of a device whose source has no rhythm set."""
LONGEST: Final = timedelta(hours=24)
MOST_SKEW_MS: Final = 2000
"""A clock that is off by less is right enough to tell what a camera saw."""
HEALTH: Final = int(EventClass.DEVICE_HEALTH)
ALARM: Final = int(EventClass.ALARM_SIGNAL)
ACCESS: Final = int(EventClass.PHYSICAL_ACCESS)
SIGNS: Final = (HEALTH, ALARM)
"""Classes of which every event may be a signal."""
AT_DOORS: Final = tuple(int(each) for each in (Access.FORCED, Access.HELD_OPEN, Access.MODE_CHANGED, Access.TAMPER, OTHER_ACTIVITY))
"""Of physical access, the activities that may be one."""

_TROUBLE: Final[Mapping[int, tuple[str, State, str]]] = {
    Health.VIDEO_LOST: ("picture", State.DOWN, "its video is lost"),
    Health.SCENE_CHANGED: ("picture", State.DEGRADED, "its picture is covered or turned away"),
    Health.TAMPERED: ("contact", State.DEGRADED, "somebody has tampered with it"),
    Health.RECORDING_STOPPED: ("recording", State.DOWN, "it does not record"),
    Health.RECORDING_RESUMED: ("recording", State.UP, ""),
    Health.STORAGE_FAILED: ("storage", State.DEGRADED, "its storage failed"),
    Health.CLOCK_DRIFTED: ("clock", State.DEGRADED, "its clock is off by 2 s or more"),
    Health.FEED_GAP: ("picture", State.DEGRADED, "frames are missing"),
    Health.POWER_LOST: ("power", State.DEGRADED, "it runs without mains power"),
    Health.POWER_RESTORED: ("power", State.UP, ""),
    Health.BATTERY_LOW: ("power", State.DEGRADED, "its battery is low"),
}
RESTORED: Final = "restored"
"""Value of a health event of activity *other* that ends a trouble: ``restored <condition>``."""
_RESTORES: Final = frozenset({2, 4, 6, 8})
"""Lifecycles of an alarm signal that end one: restore, cancel, trouble restore, unbypass."""


class Listener:
    """Makes signals of events, for the components that are watched."""

    def __init__(self, watched: Mapping[str, Component], rhythms: Mapping[str, timedelta | None]) -> None:
        """Take the components by uid, and each source's rhythm by name."""
        self._watched = watched
        self._rhythms = rhythms

    def signals(self, events: Iterable[Event]) -> list[Signal]:
        """Return what the events say."""
        return [signal for event in events for signal in self.of(event)]

    def of(self, event: Event) -> list[Signal]:
        """Return what one event says: nothing, of a component that is not watched."""
        if event.class_uid == ACCESS:
            return self._at_door(event)
        if event.asset not in self._watched:
            return []
        if event.source == PROBES:
            return self._probed(event)
        if event.class_uid == ALARM:
            return self._panel(event)
        return self._health(event) if event.class_uid == HEALTH else []

    def _signal(self, event: Event, uid: str, condition: str, state: State, because: str = "", holds: timedelta | None = None) -> Signal:
        return Signal(uid, condition, event.time, state, because, event.uid, holds)

    def _alive(self, event: Event) -> Signal:
        rhythm = self._rhythms.get(event.source) or RHYTHM
        return self._signal(event, event.asset, "reachable", State.UP, holds=min(rhythm, LONGEST))

    def _health(self, event: Event) -> list[Signal]:
        if event.activity_id == Health.OFFLINE:
            return [self._signal(event, event.asset, "reachable", State.DOWN, "it is offline")]
        if event.activity_id == OTHER_ACTIVITY:
            word, _, condition = str(event.data.get("ww_value", "")).partition(" ")
            ended = [self._signal(event, event.asset, condition, State.UP)] if word == RESTORED and condition else []
            return [self._alive(event), *ended]
        trouble = _TROUBLE.get(event.activity_id)
        if trouble is None:
            return [self._alive(event)]
        condition, state, words = trouble
        skew = event.data.get("ww_clock_skew_ms")
        if event.activity_id == Health.CLOCK_DRIFTED and isinstance(skew, int):
            state = State.DEGRADED if abs(skew) >= MOST_SKEW_MS else State.UP
            words = f"its clock is off by {skew / 1000:.3g} s" if state is State.DEGRADED else ""
        return [self._alive(event), self._signal(event, event.asset, condition, state, words)]

    def _panel(self, event: Event) -> list[Signal]:
        signal: Any = value_at(event.data, "ww_signal_code.contact_id") or ""
        code = str(signal)
        found = [self._alive(event)]
        ends = event.data.get("ww_lifecycle_id") in _RESTORES
        if code[:1] == "3" or code[:2] == "57":
            point = str(value_at(event.data, "ww_alarm_point.uid") or "")
            words = f"{event.message or 'trouble'}"[:200]
            found.append(self._signal(event, event.asset, f"trouble {point} {code}".strip(), State.UP if ends else State.DEGRADED, words))
        if code in {"400", "401", "402", "403", "407", "408", "409"}:
            found.append(self._signal(event, event.asset, "set", State.UP if ends else State.DOWN, "" if ends else "it is disarmed"))
        return found

    def _at_door(self, event: Event) -> list[Signal]:
        if event.place not in self._watched:
            return []
        value = str(event.data.get("ww_value", "")).lower()
        if event.activity_id == Access.FORCED:
            return [self._signal(event, event.place, "forced", State.DOWN, "it was forced, and has not been reported closed since")]
        if event.activity_id == Access.HELD_OPEN:
            return [self._signal(event, event.place, "held", State.DOWN, "it is held open")]
        if event.activity_id == Access.TAMPER:
            return [self._signal(event, event.place, "contact", State.DEGRADED, "somebody has tampered with it")]
        if value in {"closed", "locked"}:
            return [self._signal(event, event.place, condition, State.UP) for condition in ("forced", "held", "contact")]
        return []

    def _probed(self, event: Event) -> list[Signal]:
        """Return what a probe says: its own condition, and a sign of life where the device answered."""
        name, _, words = str(event.data.get("ww_value", "")).partition("\n")
        until = event.data.get("end_time")
        every = timedelta(milliseconds=int(until)) - timedelta(milliseconds=int(event.time.timestamp() * 1000)) if until else RHYTHM
        every = min(max(every, timedelta(seconds=1)), LONGEST)
        states = {int(Status.SUCCESS): State.UP, int(Status.FAILURE): State.DOWN}
        state = states.get(event.data.get("status_id", 0), State.DEGRADED)
        found = [
            self._signal(event, event.asset, f"probe {name}", state, words or ("" if state is State.UP else "the probe failed"), every)
        ]
        if state is not State.DOWN and any(each.name == "reachable" for each in self._watched[event.asset].conditions):
            found.append(self._signal(event, event.asset, "reachable", State.UP, holds=every))
        return found


def condition_of(name: str) -> str:
    """Return the condition that a kept line belongs to: a panel's troubles, each with its point and code, are one condition."""
    return "trouble" if name.startswith("trouble ") else name
