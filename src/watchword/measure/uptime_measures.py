"""Measures of uptime (K1, K2): the states of a house over a window become graded values with their intervals and their events."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from watchword.measure.calculator import Input, Measured, measured
from watchword.measure.error_budget import budget, burn
from watchword.measure.uptime import Shares, Span, State, outages, shares, weighted_mean
from watchword.measure.uptime_interval import highest, lowest
from watchword.measure.uptime_view import House
from watchword.model import Domain
from watchword.model.metric import MetricDefinition, Window
from watchword.model.uptime import ServiceObjective

MOST_INPUTS: Final = 200
MINUTE: Final = timedelta(minutes=1)
COMPONENT, ZONE, COVERAGE, PLANNED = "uptime.component", "uptime.zone", "uptime.coverage", "uptime.planned_share"
LEFT, BURN, SHARED = "error_budget.left", "error_budget.burn", "dependency.shared_cause"
NAMES: Final = (COMPONENT, ZONE, COVERAGE, PLANNED, LEFT, BURN, SHARED)


def inputs_of(spans: Iterable[Span]) -> tuple[Input, ...]:
    """Return the events with which what counts against uptime began."""
    found = dict.fromkeys(span.event for span in spans if span.event and span.state is not State.UP)
    return tuple(("event", uid) for uid in list(found)[:MOST_INPUTS])


def days_known(found: Shares) -> int:
    """Return the number of days of which something is known, at least 1 where anything is: the observations behind a share."""
    known = found.exposure - found.unknown
    return max(1, round(known / timedelta(days=1))) if known else 0


def minutes_of(found: Shares, count: int) -> dict[str, float]:
    """Return the figures beside a share: minutes in each state and the number of outages."""
    states = ("up", "degraded", "down", "unknown", "planned")
    return {name: round(getattr(found, name) / MINUTE, 3) for name in states} | {"outages": float(count)}


def words_of(found: Shares, count: int, what: str) -> str:
    """Return how a share of uptime came about, in one sentence."""
    if found.value is None:
        return f"All of the time of {what} was planned work, or there was none."
    more = f", of which {found.unknown / MINUTE:.0f} are unknown and count as down" if found.unknown else ""
    up, of, lost = (round(each / MINUTE) for each in (found.up, found.exposure, found.lost))
    return f"{what} was up {up} of {of} minutes; {lost} lost in {count} outages{more}."


def pooled(house: House, uids: Sequence[str]) -> tuple[Shares, list[Span]]:
    """Return the component-time of several components together, and all of their spans one after the other."""
    each = [house.shares(uid) for uid in uids]
    names = ("up", "degraded", "down", "unknown", "planned")
    sums = {name: sum((getattr(one, name) for one in each), timedelta()) for name in names}
    return Shares(**sums), [span for uid in uids for span in house.spans(uid)]


def component_values(
    definitions: dict[str, MetricDefinition], house: House, now: datetime, uids: Sequence[str], subject: str, what: str
) -> list[Measured]:
    """Return uptime, coverage and planned share of components together."""
    found, spans = pooled(house, uids)
    count = len([one for uid in uids for one in outages(house.spans(uid))])
    read = inputs_of(spans)
    known = days_known(found)
    answer = []
    if COMPONENT in definitions:
        answer.append(
            measured(
                definitions[COMPONENT],
                house.window,
                now,
                value=found.value,
                lo=lowest(spans, found),
                hi=highest(spans, found),
                n=known,
                coverage=found.coverage,
                subject=subject,
                words=words_of(found, count, what),
                details=minutes_of(found, count),
                uids=read,
            )
        )
    exact: dict[str, tuple[float | None, str]] = {
        COVERAGE: (found.coverage if found.exposure else None, "Share of the time of which the state is known."),
        PLANNED: (found.planned_share if found.total else None, "Share of the time that was announced as planned work."),
    }
    for name, (value, words) in exact.items():
        if name in definitions:
            answer.append(
                measured(definitions[name], house.window, now, value=value, lo=value, hi=value, n=known, subject=subject, words=words)
            )
    return answer


def zone_values(definition: MetricDefinition, house: House, now: datetime) -> list[Measured]:
    """Return the cover of each zone, and of all of them by weight with the worst and the 5th percentile beside it."""
    answer, ends = [], []
    for uid in sorted(house.zones):
        spans, found = house.zone_spans(uid), house.zone_shares(uid)
        lo, hi = lowest(spans, found), highest(spans, found)
        if found.value is not None and lo is not None and hi is not None:
            ends.append((uid, lo, hi))
        gone = outages(spans)
        answer.append(
            measured(
                definition,
                house.window,
                now,
                value=found.value,
                lo=lo,
                hi=hi,
                n=days_known(found),
                coverage=found.coverage,
                subject=uid,
                words=words_of(found, len(gone), house.directory.label(uid)),
                details=minutes_of(found, len(gone)),
                uids=inputs_of(spans),
            )
        )
    if not ends:
        return answer
    weight = {uid: house.zones[uid].cover.weight for uid, _, _ in ends}
    worst = house.worst_zone
    words = f"Mean over {len(ends)} zones by weight; the least covered is {house.directory.label(worst)}."
    figures = {"worst": house.zone_values[worst], "p5": house.zone_fifth or 0.0, "zones": float(len(ends))}
    known = [house.zone_shares(uid) for uid, _, _ in ends]
    answer.append(
        measured(
            definition,
            house.window,
            now,
            value=house.zone_mean,
            lo=weighted_mean((lo, weight[uid]) for uid, lo, _ in ends),
            hi=weighted_mean((hi, weight[uid]) for uid, _, hi in ends),
            n=min(days_known(each) for each in known),
            coverage=sum(each.coverage for each in known) / len(known),
            words=words,
            details=figures,
            uids=inputs_of([span for uid in house.zones for span in house.zone_spans(uid)]),
        )
    )
    return answer


def budget_values(
    definitions: dict[str, MetricDefinition], house: House, now: datetime, objectives: Sequence[ServiceObjective]
) -> list[Measured]:
    """Return the budget left and the burn of each objective over the window, and of the worst of them for the whole house.

    The rolling window of a series' point is the definition's, so that points compare; the page shows the objective's own.
    """
    answer: list[Measured] = []
    for each in objectives:
        spans = house.subject_spans(each.subject)
        if not spans:
            continue
        found = shares(spans, Window(spans[0].since, spans[-1].until))
        own = budget(ServiceObjective(each.subject, each.share, house.window.length), spans, house.window.until)
        left, unknown = own.left / MINUTE, own.unknown / MINUTE
        rate = burn(spans, each.share, house.window.length, house.window.until)
        name = house.directory.label(each.subject)
        figures = {
            LEFT: (
                left,
                left,
                left + unknown,
                f"{name} may still fail so long before its objective of {100 * each.share:.5g} % is missed.",
            ),
            BURN: (
                rate,
                rate - unknown / (house.window.length / MINUTE) / (1 - each.share),
                rate,
                f"{name} uses its budget so many times as fast as its objective of {100 * each.share:.5g} % allows.",
            ),
        }
        answer += [
            measured(
                definitions[key],
                house.window,
                now,
                value=value,
                lo=lo,
                hi=hi,
                n=days_known(found),
                coverage=found.coverage,
                subject=each.subject,
                words=words,
                uids=inputs_of(spans),
            )
            for key, (value, lo, hi, words) in figures.items()
            if key in definitions
        ]
    return answer + _worst_budgets(definitions, house, now, answer)


def _worst_budgets(definitions: dict[str, MetricDefinition], house: House, now: datetime, each: Sequence[Measured]) -> list[Measured]:
    answer = []
    for name, sign in ((LEFT, 1), (BURN, -1)):
        those = [one for one in each if one.metric.name == name and one.metric.value is not None]
        if name not in definitions or not those:
            continue
        worst = min(those, key=lambda one: (sign * (one.metric.value or 0.0), one.metric.subject))
        words = f"The worst of {len(those)} objectives: {house.directory.label(worst.metric.subject)}."
        metric = worst.metric
        answer.append(
            measured(
                definitions[name],
                house.window,
                now,
                value=metric.value,
                lo=metric.lo,
                hi=metric.hi,
                n=metric.n,
                coverage=metric.coverage,
                words=words,
                details={"objectives": float(len(those))},
                uids=worst.uids,
            )
        )
    return answer


def shared_cause_values(definition: MetricDefinition, house: House, now: datetime) -> list[Measured]:
    """Return the component-minutes that each side lost to causes of the other, and both together with the whole matrix beside."""
    lost = house.lost
    sides = ((Domain.IT, Domain.PHYSICAL), (Domain.PHYSICAL, Domain.IT))
    details = {f"{suffers.value}_by_{caused.value}": minutes for (suffers, caused), minutes in lost.items()}
    foreign = [
        cause for cause in house.causes if any(house.domain_of(one.component) != house.domain_of(cause.root) for one in cause.outages)
    ]
    read = inputs_of([one.span for cause in foreign for one in cause.outages])
    known = max([0, *(days_known(house.shares(uid)) for uid in house.components)])
    answer = [
        measured(
            definition,
            house.window,
            now,
            value=lost[pair],
            lo=lost[pair],
            hi=lost[pair],
            n=known,
            subject=pair[0].value,
            words=f"Component-minutes that {pair[0].value} lost to causes on the {pair[1].value} side.",
        )
        for pair in sides
    ]
    total = sum(lost[pair] for pair in sides)
    words = f"{len(foreign)} causes on one side took down components of the other."
    answer.append(
        measured(definition, house.window, now, value=total, lo=total, hi=total, n=known, words=words, details=details, uids=read)
    )
    return answer
