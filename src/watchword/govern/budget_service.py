"""The budget kept: what may be spent, which safeguards to buy together, how robust that is, which tools could go, and what was bought."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import delete, insert

from watchword.govern import risk_tables as tables
from watchword.govern.overlap import Products
from watchword.govern.portfolio import Choice, Limits, Losses, Option, best, by_solo_return, greedy, robustness
from watchword.govern.redundancy import Contribution, contributions
from watchword.govern.register_check import MOST_EUROS
from watchword.govern.risk_run_service import SEED, RiskRuns
from watchword.govern.risk_service import Risks
from watchword.govern.scenario import Register, Safeguard, Standing
from watchword.kit.errors import InputError
from watchword.kit.records import Records
from watchword.measure.loss import quantile
from watchword.measure.loss_simulation import OUTER

BUDGET: Final = "budget"
WORLD: Final = "budget"


@dataclass(frozen=True, slots=True)
class Plan:
    """What may be spent, and over how many years it is weighed."""

    budget: float = 0.0
    """Euros over the horizon; 0: none was said."""
    people_days: float = 0.0
    """Days of the house's own people; 0: without a limit."""
    horizon: float = 3.0
    """Years."""
    day_rate: float = 600.0
    """Euros of a day of the house's own people."""
    floor_it: float = 0.0
    """Euros at least for the IT side; joint safeguards count for both."""
    floor_physical: float = 0.0
    threshold: float = 0.0
    """A tool that avoids less than this a year could go; 0: than its own cost."""

    @property
    def limits(self) -> Limits:
        """Return the limits of a choice."""
        floors = {domain: euros for domain, euros in (("it", self.floor_it), ("physical", self.floor_physical)) if euros > 0}
        return Limits(self.budget, self.people_days or float("inf"), floors or None)


@dataclass(frozen=True, slots=True)
class Weighed:
    """One option as it was weighed."""

    uid: str
    alone: float
    """Loss a year that it avoids if it is bought alone."""
    added: float
    """What it adds to (or would add to) the best choice."""
    cost: float
    people_days: float
    robust: float
    """Share of the draws in whose best choice it is."""
    chosen: bool


@dataclass(frozen=True, slots=True)
class Budgeted:
    """What the newest computation says of the budget."""

    plan: Plan
    best: Choice | None
    """None: no budget was said, nothing can be chosen, or `fault` says why not."""
    band: tuple[float, float] = (0.0, 0.0)
    """90 % interval of what the best choice avoids a year."""
    greedy: Choice | None = None
    solo: Choice | None = None
    options: tuple[Weighed, ...] = ()
    draws: int = 0
    """Over how many draws robustness was read."""
    contributions: tuple[Contribution, ...] = ()
    """Of what is in place, smallest first."""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Bought:
    """What the investments that were decided avoid a year, for what they cost a year."""

    uids: tuple[str, ...]
    mean: float
    band: tuple[float, float]
    yearly: float

    @property
    def per_euro(self) -> float | None:
        """Return euros avoided per euro; None where nothing is spent."""
        return self.mean / self.yearly if self.yearly > 0 else None


class Budgets:
    """Weighs investments; keeps the plan and what the newest computation said."""

    def __init__(self, records: Records, risks: Risks, runs: RiskRuns) -> None:
        self._records, self._risks, self._runs = records, risks, runs

    def plan(self) -> Plan:
        """Return the plan; until somebody makes one, nothing may be spent."""
        return Plan(**self._risks.setting(BUDGET))

    def set_plan(self, plan: Plan, *, by: str) -> None:
        """Say what may be spent.

        Raises:
            InputError: naming the field that cannot be.
        """
        for field, value in asdict(plan).items():
            if not 0 <= value <= MOST_EUROS:
                raise InputError(f"{field.replace('_', ' ')}: a number that is not below 0", field)
        if not 1 <= plan.horizon <= 20:
            raise InputError("the horizon is 1 to 20 years", "horizon")
        if plan.floor_it + plan.floor_physical > 2 * plan.budget:
            raise InputError("the floors ask for more than the budget", "floor_it")
        self._risks.put_setting(BUDGET, asdict(plan), by=by, because="the budget was changed")

    def compute(self, run: str, now: datetime) -> Budgeted:
        """Weigh the options and the tools in place, and keep it with a computation."""
        register = self._risks.register(now)
        found = weigh(register, self.plan())
        table = tables.result
        content = orjson.dumps(asdict(found)).decode()
        with self._records.begin() as connection:
            connection.execute(delete(table).where(table.c.run == run, table.c.world == WORLD))
            connection.execute(insert(table).values(run=run, world=WORLD, scenario="", content=content))
        return found

    def latest(self) -> Budgeted | None:
        """Return what the newest computation says; None: there was none."""
        run = self._runs.latest()
        if run is None:
            return None
        table = tables.result
        with self._records.read() as connection:
            row = connection.execute(table.select().where(table.c.run == run.uid, table.c.world == WORLD)).first()
        return _budgeted(orjson.loads(row.content)) if row is not None else None

    def bought(self, now: datetime) -> Bought | None:
        """Return what all that a Decision approved avoids a year over its cost a year; None: nothing was approved."""
        kept = [each for each in self._risks.kept_safeguards() if each.decision and each.thing.standing is not Standing.DROPPED]
        if not kept:
            return None
        plan, uids = self.plan(), tuple(each.thing.uid for each in kept)
        register = self._risks.register(now)
        yearly = sum(each.thing.yearly(plan.horizon, plan.day_rate) for each in kept)
        products = _products(register, extra=uids)
        there = {each.uid for each in register.safeguards if each.standing is Standing.IN_PLACE}
        gaps = [
            without - with_them
            for without, with_them in zip(products.expected(there - set(uids)), products.expected(there | set(uids)), strict=True)
        ]
        return Bought(uids, sum(gaps) / len(gaps), (quantile(gaps, 0.05), quantile(gaps, 0.95)), yearly)


def _products(register: Register, extra: Sequence[str] = ()) -> Products:
    return Products(register.perils(tuple(Standing), extra=extra), OUTER, SEED)


def weigh(register: Register, plan: Plan) -> Budgeted:
    """Return the best choice among the candidates, its robustness, and what each tool in place adds to the others."""
    there = tuple(each.uid for each in register.safeguards if each.standing in {Standing.IN_PLACE, Standing.APPROVED})
    candidates = [each for each in register.safeguards if each.standing is Standing.CANDIDATE]
    products = _products(register)
    tools = tuple(_contributions(register, products, plan))
    if plan.budget <= 0 or not candidates:
        why = "" if plan.budget > 0 or not candidates else "No budget was said yet: say what may be spent."
        return Budgeted(plan, None, contributions=tools, fault=why)
    options = [_option(each, set(there), plan) for each in candidates]
    losses = products.mean([each.uid for each in options], there)
    try:
        chosen = best(losses, options, plan.limits)
        robust, draws = robustness(products.draws([each.uid for each in options], there), options, plan.limits)
    except InputError as error:
        return Budgeted(plan, None, contributions=tools, fault=f"Nothing can be chosen: {error}")
    gaps = _gaps(products, there, chosen.options)
    return Budgeted(
        plan,
        chosen,
        (quantile(gaps, 0.05), quantile(gaps, 0.95)),
        greedy(losses, options, plan.limits),
        by_solo_return(losses, options, plan.limits),
        tuple(_weighed(losses, options, chosen, robust)),
        draws,
        tools,
    )


def _option(safeguard: Safeguard, there: set[str], plan: Plan) -> Option:
    needs = tuple(uid for uid in safeguard.requires if uid not in there)
    return Option(safeguard.uid, safeguard.cost(plan.horizon, plan.day_rate), safeguard.people_days, safeguard.domain, needs)


def _gaps(products: Products, there: Sequence[str], more: Sequence[str]) -> list[float]:
    pairs = zip(products.expected(there), products.expected((*there, *more)), strict=True)
    return [without - with_them for without, with_them in pairs]


def _weighed(losses: Losses, options: Sequence[Option], chosen: Choice, robust: Mapping[str, float]) -> list[Weighed]:
    picked = [index for index, option in enumerate(options) if option.uid in chosen.options]
    found = []
    for index, option in enumerate(options):
        rest = [each for each in picked if each != index]
        added = losses.reduction([*rest, index]) - losses.reduction(rest)
        mine = (losses.reduction([index]), added, option.cost, option.people_days, robust.get(option.uid, 0.0))
        found.append(Weighed(option.uid, *mine, chosen=index in picked))
    return sorted(found, key=lambda each: (-each.robust, -each.added, each.uid))


def _contributions(register: Register, products: Products, plan: Plan) -> list[Contribution]:
    tools = {each.uid: each for each in register.safeguards if each.standing is Standing.IN_PLACE}
    without = {}
    for uid in tools:
        gone = _with_dependents(uid, tools)
        without[uid] = products.expected(set(tools) - gone)
    yearly = {uid: each.run for uid, each in tools.items()}
    return contributions(products.expected(tools), without, yearly, plan.threshold or None)


def _with_dependents(uid: str, tools: Mapping[str, Safeguard]) -> set[str]:
    """Return a tool and all that does nothing without it."""
    gone = {uid}
    while more := {name for name, each in tools.items() if name not in gone and gone.intersection(each.requires)}:
        gone |= more
    return gone


def _budgeted(plain: Mapping[str, Any]) -> Budgeted:
    def choice(value: Mapping[str, Any] | None) -> Choice | None:
        return Choice(**{**value, "options": tuple(value["options"])}) if value else None

    tools = tuple(Contribution(**{**each, "band": tuple(each["band"])}) for each in plain["contributions"])
    options = tuple(Weighed(**each) for each in plain["options"])
    return replace(
        Budgeted(Plan(**plain["plan"]), choice(plain["best"])),
        band=tuple(plain["band"]),
        greedy=choice(plain["greedy"]),
        solo=choice(plain["solo"]),
        options=options,
        draws=plain["draws"],
        contributions=tools,
        fault=plain["fault"],
    )
