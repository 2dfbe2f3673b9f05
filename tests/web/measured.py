"""Measures for the small house: three incidents of both teams, and series whose every point is known."""

from datetime import timedelta

from watchword.measure.calculator import measured, periods, running
from watchword.model import Team
from watchword.model.metric import Flag, Target

WAVE = (0.0, 0.6, -0.4, 0.9, -0.8, 0.3, -0.2, 0.7, -0.9, 0.1, 0.5, -0.6)
SHARES = {
    "uptime.zone": 0.985, "compliance.pass": 0.71, "compliance.fail": 0.11, "compliance.unknown": 0.18, "joint_engagement": 0.58,
    "response.reopen_share": 0.06, "skill_cover": 0.74,
}  # fmt: skip
OTHERS = {"response.acknowledge": 0.2, "response.resolve": 31.0, "loss.expected": 412_000.0}
REASON = "Times pile up just inside the limit of four hours."


def furnish_measures(watchword, now):
    """Open incidents in the past, compute what follows from them, and keep series of other measures; the clock stands at `now` again."""
    incidents, clock = watchword.response.incidents, watchword.clock
    for days, title, team, severity, teams in (
        (10, "Badge of A. Reyes cloned", "it", 2, (Team.IT, Team.PHYSICAL)),
        (9, "Camera of the lobby lost", "physical", 3, (Team.PHYSICAL,)),
        (2, "Strange log-ins", "it", 4, (Team.IT,)),
    ):
        clock.at = now - timedelta(days=days)
        incidents.open(title, by="ada", team=team, because="A test.", severity=severity, teams=teams)
    clock.at = now
    metrics = watchword.measures.metrics
    watchword.measures.computing.present(now, ["risk_hours", "risk_hours_backlog"])
    watchword.measures.computing.backfill(now, names=["risk_hours"])
    values = []
    for name, base in {**SHARES, **OTHERS}.items():
        definition = metrics.definition(name)
        windows = periods(definition, now - definition.window * 31, now)[-28:]
        for subject, factor in (("", 1.0), ("it", 1.01), ("physical", 0.99)):
            for index, window in enumerate([*windows, running(definition, now)]):
                values.append(_value(definition, window, now, base * factor, index, subject, last=index >= len(windows) - 1))
    metrics.put_all(values)
    metrics.raise_flag("response.resolve", "", Flag.HEAPING, REASON)
    metrics.set_target("response.acknowledge", Target(0.5, "SOC lead", "Petra Name", now), "mia")
    metrics.set_target("compliance.pass", Target(0.9, "CISO", "head of physical security", now), "mia")


def _value(definition, window, now, base, index, subject, *, last):
    share = definition.unit == "share"
    value = base * (1 + (0.01 if share else 0.05) * WAVE[index % len(WAVE)])
    if last and definition.name == "joint_engagement":
        value = base * 1.2
    half = 0.02 if share else 0.06 * value
    return measured(
        definition, window, now, value=value, lo=max(0.0, value - half), hi=min(1.0, value + half) if share else value + half, n=64, coverage=0.97,
        subject=subject, words="A test.", uids=[("finding", f"{index:032x}")],
    )  # fmt: skip
