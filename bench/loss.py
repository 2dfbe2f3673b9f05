"""Measure the loss engine and show what the design says of it: tails, common random numbers, the price of ranking one by one.

    python bench/loss.py [--outer 200] [--inner 5000] [--instances 40]

Prints figures of one known scenario beside the other ways to count, the variance of a difference with and without common random
numbers, what portfolios chosen by solo return and by greedy gain lose against the best of all, and the time and memory that twelve
scenarios take. The last line is JSON.
"""

import argparse
import json
import math
import os
import resource
import sys
import time
from datetime import datetime
from typing import Any

import numpy as np

from watchword.cli.logs import log_to_stderr
from watchword.govern.portfolio import Limits, Losses, Option, best, by_solo_return, greedy
from watchword.govern.register_file import shipped_register
from watchword.govern.risk_run_service import worlds_of
from watchword.govern.scenario import Register, Reliance, Safeguard
from watchword.kit.clock import SystemClock
from watchword.measure.loss import Guard, Peril, loss_law
from watchword.measure.loss_simulation import difference, simulate

SURE = 1e9
Z95, Z99 = 1.6448536269514722, 2.3263478740408408


def known(rate: float, guards: tuple[Guard, ...] = ()) -> Peril:
    """Return a scenario of the design's example whose rate and loss are known."""
    return Peril("known", rate * SURE, SURE, 20e3, 2e6, guards, weight=SURE)


def tails(outer: int, inner: int) -> dict[str, float]:
    """Return VaR of the compound law and of rate times magnitude, and how far one event a year falls short at rate 3."""
    found = simulate({"now": [known(0.3)]}, outer=outer, inner=inner)["now"]["known"]
    mu, sigma = loss_law(20e3, 2e6)
    return {
        "var95": found.var95,
        "var99": found.var99,
        "times_var95": 0.3 * math.exp(mu + Z95 * sigma),
        "times_var99": 0.3 * math.exp(mu + Z99 * sigma),
        "mean": found.mean,
        "times_mean": 0.3 * math.exp(mu + sigma**2 / 2),
        "one_a_year_understates": 3 / (1 - math.exp(-3)),
    }


def common_numbers(trials: int, years: int) -> float:
    """Return how many times smaller the variance of Δ is under common random numbers, for a control of effect .4 that covers and works .9.

    With e = .4·.9·.9 it is (2 - e)/e = 5.2: what both worlds share drops out.
    """
    guard, common, apart = (Guard("one", (0.4, 0.4), coverage=0.9, reliability=0.9),), [], []
    for trial in range(trials):
        seed = f"{trial}"
        now = simulate({"a": [known(0.3)], "b": [known(0.3, guard)]}, outer=1, inner=years, seed=seed)
        other = simulate({"b": [known(0.3, guard)]}, outer=1, inner=years, seed=f"other {trial}")["b"]["known"]
        common.append(difference(now["a"]["known"], now["b"]["known"])[0])
        apart.append(now["a"]["known"].mean - other.mean)
    return float(np.var(apart) / np.var(common))


def portfolios(instances: int, seed: int) -> dict[str, float]:
    """Return what ranking by solo return and greedy gain lose against the best choice, over instances of 14 controls, 10 scenarios.

    A control acts on each scenario with a chance of one in four and prevents .3 to .9 of it; the budget buys some third of all.
    """
    rng = np.random.default_rng(seed)
    lost: dict[str, list[float]] = {"solo": [], "greedy": []}
    for _ in range(instances):
        base = rng.lognormal(11.5, 1.5, 10)
        effect = np.where(rng.random((10, 14)) < 0.25, rng.uniform(0.3, 0.9, (10, 14)), 0.0)
        options = [Option(f"c{index}", float(cost)) for index, cost in enumerate(rng.lognormal(10.3, 0.5, 14))]
        limits = Limits(0.3 * sum(option.cost for option in options))
        losses = Losses(base, 1 - effect)
        most = best(losses, options, limits).reduction
        for name, choose in (("solo", by_solo_return), ("greedy", greedy)):
            lost[name].append(1 - choose(losses, options, limits).reduction / most)
    return {f"{name}_{word}": float(of(values)) for name, values in lost.items() for word, of in (("mean", np.mean), ("worst", np.max))}


def assumed(safeguard: Safeguard, since: datetime, until: datetime) -> Reliance:
    """Return the reliability that is written in the register: a bench has no evidence."""
    del since, until
    return Reliance(safeguard.reliability, evidenced=False)


def whole(outer: int, inner: int) -> dict[str, Any]:
    """Return what the starter register takes: twelve scenarios, once as they are and once beside the world without safeguards."""
    found = shipped_register()
    now = SystemClock().now()
    register = Register(found.scenarios, found.safeguards, {}, {}, now, assumed)
    worlds = worlds_of(register)
    took = {}
    for name, chosen in (("one_world", {"now": worlds["now"]}), ("two_worlds", {name: worlds[name] for name in ("now", "bare")})):
        wall, cpu = time.monotonic(), time.process_time()
        simulate(chosen, outer=outer, inner=inner, seed="bench")
        took |= {f"{name}_seconds": time.monotonic() - wall, f"{name}_cpu": time.process_time() - cpu}
    return took | {"years": outer * inner, "scenarios": len(found.scenarios)}


def measure(outer: int, inner: int, instances: int, trials: int, seed: int) -> dict[str, Any]:
    """Return all figures."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    figures: dict[str, Any] = {"bench": "loss", "load": os.getloadavg()} | whole(outer, inner)
    figures["peak_growth_mib"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return figures | tails(outer, inner) | {"crn_variance_ratio": common_numbers(trials, 2_000)} | portfolios(instances, seed)


def report(found: dict[str, Any]) -> None:
    """Print them, the last line as JSON."""
    cpu, both, more = found["one_world_cpu"], found["two_worlds_cpu"], found["peak_growth_mib"]
    print(f"twelve scenarios, {found['years']:,} years: {cpu:.1f} s of processor time, two worlds {both:.1f} s, {more:.0f} MiB more memory")
    for words, name in (("compound Poisson", ""), ("rate x magnitude", "times_")):
        var95, var99, mean = (found[f"{name}{each}"] for each in ("var95", "var99", "mean"))
        print(f"{words}: VaR95 {var95:,.0f}, VaR99 {var99:,.0f}, mean {mean:,.0f}")
    print(f"at rate 3, one event a year understates {found['one_a_year_understates']:.2f} times")
    print(f"variance of the difference: {found['crn_variance_ratio']:.1f} times smaller under common random numbers")
    for name in ("solo", "greedy"):
        print(f"{name} loses {100 * found[f'{name}_mean']:.1f} % on average, {100 * found[f'{name}_worst']:.1f} % at worst")
    print(json.dumps(found))


def main() -> int:
    """Run it."""
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outer", type=int, default=200)
    parser.add_argument("--inner", type=int, default=5_000)
    parser.add_argument("--instances", type=int, default=40)
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--seed", type=int, default=20_260_101)
    asked = parser.parse_args()
    report(measure(asked.outer, asked.inner, asked.instances, asked.trials, asked.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
