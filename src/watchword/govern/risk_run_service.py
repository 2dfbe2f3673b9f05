"""Computations of risks: what was asked for is simulated, and kept with its seed, the hash of its inputs and its pictures."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import Row, delete, insert, select, update

from watchword.govern import risk_tables as tables
from watchword.govern.appetite import Appetite, Stand, stand_of
from watchword.govern.risk_asking_service import ask
from watchword.govern.risk_service import Risks
from watchword.govern.scenario import Register, Standing
from watchword.govern.treatment import RiskState
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import NotFound, WatchwordError
from watchword.kit.ids import uid_of
from watchword.kit.records import Records
from watchword.measure.loss import Guard, Peril, moved
from watchword.measure.loss_simulation import INNER, OUTER, Picture, simulate

NOW, BARE, PLANNED = "now", "bare", "planned"
"""Worlds: with what is in place, without any safeguard, with what was approved too."""
SEED: Final = "watchword-1"
"""Of every computation: two of them differ by what went in, never by chance."""
KEPT: Final = timedelta(days=400)
DENSE: Final = timedelta(days=8)
"""Older computations are thinned to one a day."""


@dataclass(frozen=True, slots=True)
class Run:
    """One computation."""

    uid: str
    state: str
    """asked, done or failed."""
    asked: datetime
    asked_by: str
    because: str
    done: datetime | None
    seed: str
    inputs: str
    outer: int
    inner: int
    took_ms: int
    fault: str


@dataclass(frozen=True, slots=True)
class Result:
    """What one computation says of one scenario (or the house) in one world."""

    picture: Picture
    peril: Peril | None
    """What went in; None for the house."""
    assumed: tuple[str, ...] = ()
    """Safeguards whose reliability is assumed, not evidenced."""


class RiskRuns:
    """Asks for, does, keeps and reads computations of risks."""

    def __init__(self, records: Records, clock: Clock, risks: Risks) -> None:
        self._records, self._clock, self._risks = records, clock, risks
        self._ledger = Ledger(records)

    def ask(self, *, by: str, because: str = "asked for") -> str:
        """Ask for a computation; return its uid. One that waits already is taken."""
        now = to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            uid = ask(connection, now, by=by, because=because)
            self._ledger.append_change(connection, "risk", "", {"asked": uid}, now)
        return uid

    def waiting(self) -> Run | None:
        """Return the computation that waits to be done; None: none does."""
        query = select(tables.run).where(tables.run.c.state == "asked").order_by(tables.run.c.asked).limit(1)
        with self._records.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _run(row)

    def do_waiting(self, now: datetime, *, outer: int = OUTER, inner: int = INNER) -> Run | None:
        """Do the computation that waits, if one does, and return how it went.

        A fault of the register (say, scenarios that lead back to themselves) is kept with the run; it stops nothing else.
        """
        run = self.waiting()
        if run is None:
            return None
        began = time.monotonic()
        values: dict[str, Any] = {"state": "done", "seed": SEED, "outer": outer, "inner": inner, "fault": ""}
        rows: list[dict[str, Any]] = []
        try:
            register = self._risks.register(now)
            worlds = worlds_of(register)
            values["inputs"] = inputs_hash(worlds, self._risks.appetite(), outer, inner)
            pictures = simulate(worlds, outer=outer, inner=inner, seed=SEED, appetite=self._risks.appetite().euros)
            rows = result_rows(run.uid, register, worlds, pictures)
        except WatchwordError as error:
            values |= {"state": "failed", "fault": str(error)}
        values |= {"done": to_millisecond(now), "took_ms": round((time.monotonic() - began) * 1000)}
        with self._records.begin() as connection:
            connection.execute(delete(tables.result).where(tables.result.c.run == run.uid))
            if rows:
                connection.execute(insert(tables.result), rows)
            connection.execute(update(tables.run).where(tables.run.c.uid == run.uid).values(**values))
            self._ledger.append_change(connection, "risk", "", {"run": run.uid, "state": values["state"]}, now)
        return self.run(run.uid)

    def run(self, uid: str) -> Run:
        """Return one computation.

        Raises:
            NotFound: there is none.
        """
        with self._records.read() as connection:
            row = connection.execute(select(tables.run).where(tables.run.c.uid == uid)).first()
        if row is None:
            raise NotFound("there is no such computation of risks")
        return _run(row)

    def latest(self, before: datetime | None = None) -> Run | None:
        """Return the newest computation that was done (before a moment); None: none was."""
        table = tables.run
        query = select(table).where(table.c.state == "done")
        if before is not None:
            query = query.where(table.c.done <= before)
        with self._records.read() as connection:
            row = connection.execute(query.order_by(table.c.done.desc(), table.c.asked.desc()).limit(1)).first()
        return None if row is None else _run(row)

    def first(self) -> Run | None:
        """Return the oldest computation that is kept and was done; None: there is none."""
        query = select(tables.run).where(tables.run.c.state == "done").order_by(tables.run.c.done).limit(1)
        with self._records.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _run(row)

    def failed(self) -> Run | None:
        """Return the newest computation when it failed; None when the newest one was done."""
        table = tables.run
        query = select(table).where(table.c.state != "asked").order_by(table.c.done.desc(), table.c.asked.desc()).limit(1)
        with self._records.read() as connection:
            row = connection.execute(query).first()
        return _run(row) if row is not None and row.state == "failed" else None

    def results(self, run: str, world: str = NOW) -> dict[str, Result]:
        """Return scenario (or `HOUSE`) → what a computation says of it."""
        table = tables.result
        with self._records.read() as connection:
            rows = connection.execute(select(table).where(table.c.run == run, table.c.world == world)).all()
        return {row.scenario: _result(orjson.loads(row.content)) for row in rows}

    def result(self, run: str, world: str, scenario: str) -> Result | None:
        """Return what a computation says of one scenario; None: nothing."""
        table = tables.result
        where = (table.c.run == run, table.c.world == world, table.c.scenario == scenario)
        with self._records.read() as connection:
            row = connection.execute(select(table.c.content).where(*where)).first()
        return None if row is None else _result(orjson.loads(row.content))

    def moves(self, run: Run, before: Run, scenario: str) -> dict[str, float]:
        """Return how much each cause moved a scenario's expected loss between two computations; empty where it is in only one."""
        old, new = (self.result(each.uid, NOW, scenario) for each in (before, run))
        if old is None or new is None or old.peril is None or new.peril is None:
            return {}
        return moved(old.peril, new.peril)

    def state(self, scenario: str, run: Run | None = None) -> RiskState | None:
        """Return a scenario's risk as it was last computed; None: it was not."""
        found = run or self.latest()
        result = self.result(found.uid, NOW, scenario) if found else None
        if found is None or found.done is None or result is None or result.peril is None:
            return None
        kept = self._risks.scenario(scenario).thing
        return state_of_result(found, scenario, result, Appetite(kept.appetite, kept.appetite_share))

    def sweep(self, now: datetime) -> int:
        """Let go of computations that are too old, of all but the last of each older day, and of its side worlds; return how many."""
        table = tables.run
        with self._records.begin() as connection:
            rows = connection.execute(
                select(table.c.uid, table.c.done).where(table.c.done.is_not(None)).order_by(table.c.done.desc())
            ).all()
            result, seen, gone = tables.result, set(), 0
            for row in rows:
                age = now - row.done
                if age > KEPT or (age > DENSE and row.done.date() in seen):
                    connection.execute(delete(result).where(result.c.run == row.uid))
                    connection.execute(delete(table).where(table.c.uid == row.uid))
                    gone += 1
                elif age > DENSE:
                    connection.execute(delete(result).where(result.c.run == row.uid, result.c.world != NOW, result.c.scenario != ""))
                seen.add(row.done.date())
        return gone


def worlds_of(register: Register) -> dict[str, list[Peril]]:
    """Return the worlds that are simulated side by side; that of what was approved only where something was."""
    worlds = {NOW: register.perils(), BARE: register.perils(())}
    if any(each.standing is Standing.APPROVED for each in register.safeguards):
        worlds[PLANNED] = register.perils((Standing.IN_PLACE, Standing.APPROVED))
    return worlds


def inputs_hash(worlds: Mapping[str, Sequence[Peril]], appetite: Appetite, outer: int, inner: int) -> str:
    """Return a hash of all that went into a computation: the same inputs give the same figures, to the last digit."""
    plain = {name: [asdict(peril) for peril in perils] for name, perils in worlds.items()}
    return uid_of("risk inputs", orjson.dumps([plain, asdict(appetite), outer, inner, SEED], option=orjson.OPT_SORT_KEYS))


def result_rows(
    run: str, register: Register, worlds: Mapping[str, Sequence[Peril]], pictures: Mapping[str, Mapping[str, Picture]]
) -> list[dict[str, Any]]:
    """Return what is kept of a computation, as rows."""
    since = register.now - register.window
    assumed = {each.uid for each in register.safeguards if not register.relied(each, since, register.now).evidenced}
    rows = []
    for world, found in pictures.items():
        perils = {peril.uid: peril for peril in worlds[world]}
        for uid, picture in found.items():
            peril = perils.get(uid)
            used = sorted({guard.uid for guard in peril.guards} & assumed) if peril else []
            content = {"picture": asdict(picture), "peril": asdict(peril) if peril else None, "assumed": used}
            rows.append({"run": run, "world": world, "scenario": uid, "content": orjson.dumps(content).decode()})
    return rows


def _result(plain: Mapping[str, Any]) -> Result:
    picture = dict(plain["picture"])
    for field in ("mean_band", "var95_band", "tvar95_band", "over_band", "events_range", "loss_range", "draws"):
        picture[field] = tuple(picture[field])
    picture["curve"] = tuple(tuple(point) for point in picture["curve"])
    return Result(Picture(**picture), _peril(plain["peril"]), tuple(plain["assumed"]))


def _peril(plain: Mapping[str, Any] | None) -> Peril | None:
    if plain is None:
        return None
    guards = [Guard(**{**each, "frequency": tuple(each["frequency"]), "loss": tuple(each["loss"])}) for each in plain["guards"]]
    parents = tuple((uid, share) for uid, share in plain["parents"])
    return Peril(**{**plain, "guards": tuple(guards), "parents": parents, "losses": tuple(plain["losses"])})


def state_of_result(run: Run, scenario: str, result: Result, appetite: Appetite) -> RiskState:
    """Return what a computation says of a scenario as the state that a Decision freezes."""
    picture, peril = result.picture, result.peril
    return RiskState(
        scenario=scenario,
        at=run.done or run.asked,
        run=run.uid,
        mean=picture.mean,
        mean_band=picture.mean_band,
        over=picture.over,
        over_band=picture.over_band,
        appetite=appetite.euros,
        appetite_share=appetite.share,
        events=peril.events if peril else 0,
        reliability={guard.uid: guard.reliability for guard in peril.guards} if peril else {},
    )


def house_stand(result: Result, appetite: Appetite) -> Stand:
    """Return where the whole house stands towards what it bears in all."""
    return stand_of(appetite, result.picture.over, result.picture.over_band)


def _run(row: Row[Any]) -> Run:
    names = ("uid", "state", "asked", "asked_by", "because", "done", "seed", "inputs", "outer", "inner", "took_ms", "fault")
    return Run(**{name: getattr(row, name) for name in names})
