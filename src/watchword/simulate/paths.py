"""Ways through the buildings: which doors one passes between two zones, and how long a walk takes."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from watchword.simulate.premises import DoorPlan, SitePlan


@dataclass(frozen=True, slots=True)
class Step:
    """One passage of a door."""

    door: DoorPlan
    direction: str
    """``in`` or ``out``."""

    @property
    def zone(self) -> str:
        """The zone that is entered."""
        return self.door.inner if self.direction == "in" else self.door.outer

    @property
    def reader(self) -> str:
        """The reader that is used, empty where that way is not read."""
        return self.door.reader(self.direction)


class Doorways:
    """The door graph of all sites. Escape doors without readers are nobody's way to work and are left out."""

    def __init__(self, sites: Iterable[SitePlan]) -> None:
        """Draw the graph."""
        self._steps: dict[str, list[Step]] = {}
        self._ways: dict[tuple[str, str, str], tuple[Step, ...]] = {}
        self.doors: dict[str, DoorPlan] = {}
        for site in sites:
            for door in site.doors:
                self.doors[door.name] = door
                if door.readers:
                    self._steps.setdefault(door.outer, []).append(Step(door, "in"))
                    self._steps.setdefault(door.inner, []).append(Step(door, "out"))

    def way(self, start: str, goal: str, via: str = "") -> tuple[Step, ...]:
        """Return the shortest way by number of doors; `via` names a door to enter the building by. Empty when there is none."""
        key = (start, goal, via)
        if key not in self._ways:
            self._ways[key] = self._search(start, goal, via)
        return self._ways[key]

    def _search(self, start: str, goal: str, via: str) -> tuple[Step, ...]:
        if via:
            door = self.doors[via]
            if door.outer == start:
                return (Step(door, "in"), *self.way(door.inner, goal))
            if door.outer == goal:
                return (*self.way(start, door.inner), Step(door, "out"))
        came: dict[str, Step | None] = {start: None}
        queue = deque([start])
        while queue:
            zone = queue.popleft()
            if zone == goal:
                break
            for step in self._steps.get(zone, ()):
                # Nobody walks around the outside of the building to reach the next room.
                if step.zone not in came and (step.zone == goal or not step.zone.endswith("/outside")):
                    came[step.zone] = step
                    queue.append(step.zone)
        steps: list[Step] = []
        zone = goal
        while (taken := came.get(zone)) is not None:
            steps.append(taken)
            zone = taken.door.outer if taken.direction == "in" else taken.door.inner
        return tuple(reversed(steps))
