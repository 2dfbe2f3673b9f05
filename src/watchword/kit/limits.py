"""Limits: how many requests one caller may make, by a bucket per caller that fills up steadily."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

MOST_CALLERS: Final = 10_000
"""Callers that are remembered; the one not seen for longest goes first."""


@dataclass(slots=True)
class Limiter:
    """Lets each caller through `per_minute` times a minute, in bursts of at most a quarter of that (at least 20)."""

    per_minute: int
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def burst(self) -> float:
        """Requests that may come at once."""
        return max(20.0, self.per_minute / 4)

    def wait(self, caller: str, now: float | None = None) -> float:
        """Count one request; return 0 when it may pass, else the seconds until the next one may. `now` is monotonic seconds."""
        now = time.monotonic() if now is None else now
        rate = self.per_minute / 60
        with self._lock:
            left, seen = self._buckets.pop(caller, (self.burst, now))
            left = min(self.burst, left + (now - seen) * rate)
            passes = left >= 1
            self._buckets[caller] = (left - 1 if passes else left, now)
            if len(self._buckets) > MOST_CALLERS:
                self._buckets.popitem(last=False)
        return 0.0 if passes else (1 - left) / rate
