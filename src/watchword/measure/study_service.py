"""Studies: demonstrations computed once from simulation and kept, computed anew when their code changes."""

import hashlib
import inspect
import threading
from datetime import datetime
from functools import cache

from sqlalchemy import select

from watchword.kit.clock import Clock
from watchword.kit.records import Records
from watchword.measure import closures_versus_value, gaming, gaming_trial
from watchword.measure.closures_versus_value import NAME, Demonstration, demonstrate, from_plain, to_plain
from watchword.measure.review_service import put_study
from watchword.measure.review_tables import study
from watchword.simulate import queue


class Studies:
    """Keeps what takes seconds to compute and never changes between two versions."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock
        self._lock = threading.Lock()

    def closures_versus_value(self) -> tuple[Demonstration, datetime]:
        """Return the demonstration and when it was computed; the first time, and after a change of its code, it is computed now."""
        with self._lock:
            kept = self._kept()
            if kept is None:
                now = self._clock.now()
                made = demonstrate()
                with self._records.begin() as connection:
                    put_study(connection, NAME, to_plain(made), now, code())
                kept = made, now
            return kept

    def _kept(self) -> tuple[Demonstration, datetime] | None:
        query = select(study).where(study.c.name == NAME, study.c.code == code())
        with self._records.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (from_plain(row.content), row.made_at)


@cache
def code() -> str:
    """Return a hash of the code that computes the demonstration."""
    source = "".join(inspect.getsource(each) for each in (queue, gaming, gaming_trial, closures_versus_value))
    return hashlib.blake2b(source.encode(), digest_size=8).hexdigest()
