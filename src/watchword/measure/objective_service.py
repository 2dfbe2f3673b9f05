"""Service objectives as people keep them, their error budgets now, and the findings that a fast burning budget makes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from watchword.detect.service import Findings
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import InputError, NotFound
from watchword.kit.ids import uid_of
from watchword.kit.records import Records
from watchword.measure import uptime_tables as tables
from watchword.measure.error_budget import Alert, AlertKind, Budget, alerts, budget, burn
from watchword.measure.uptime import State
from watchword.measure.uptime_view import House
from watchword.model import Finding, FindingState, Mode
from watchword.model.ocsf import Severity
from watchword.model.uptime import ServiceObjective
from watchword.resolve.directory import Directory
from watchword.respond.ports import Auditor

BURN: Final = "budget_burn"
"""Rule of our own house, in its findings."""
LEAST_SHARE, MOST_SHARE = 0.5, 0.99999
LEAST_WINDOW, LONGEST_WINDOW = timedelta(days=1), timedelta(days=92)
MONTH: Final = timedelta(days=30)
WATCHED: Final = timedelta(days=3)
"""The longest window of an alert."""


@dataclass(frozen=True, slots=True)
class KeptObjective:
    """An objective and who set it."""

    objective: ServiceObjective
    by: str
    """Empty: the site file says so."""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """An objective, its budget now, and how fast that burns."""

    kept: KeptObjective
    name: str
    budget: Budget
    burn: float
    """Over the last three days; 1 uses up the budget exactly at the window's end."""
    alerts: tuple[Alert, ...]

    @property
    def frozen(self) -> bool:
        """Tell whether no change that is not urgent is to be made on it: its budget is used up."""
        return self.budget.exhausted


class Objectives:
    """Keeps service objectives and watches their budgets."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor, findings: Findings, directory: Callable[[], Directory]) -> None:
        self._records = records
        self._clock = clock
        self._auditor = auditor
        self._findings = findings
        self._directory = directory

    def kept(self) -> list[KeptObjective]:
        """Return every objective, by subject: those that people set, and those of the site files that nobody has changed."""
        found = {each.subject: KeptObjective(each, "") for each in self._directory().site.uptime.objectives}
        with self._records.read() as connection:
            for row in connection.execute(select(tables.objective)):
                found[row.subject] = _objective(row)
        return [found[subject] for subject in sorted(found)]

    def subjects(self) -> frozenset[str]:
        """Return the assets that people set an objective for, so that they are watched."""
        with self._records.read() as connection:
            return frozenset(connection.execute(select(tables.objective.c.subject)).scalars())

    def put(self, subject: str, share: float, window: timedelta = MONTH, *, by: str) -> KeptObjective:
        """Promise a share of uptime of an asset, a door or a covered place.

        Raises:
            InputError: the subject is not described, or a figure is out of bounds.
        """
        directory = self._directory()
        if subject not in directory.assets.assets and subject not in directory.site.doors and subject not in directory.site.places:
            raise InputError(f"{subject!r} is no asset, door or place", "subject")
        if not LEAST_SHARE <= share <= MOST_SHARE:
            raise InputError(f"promise a share from {LEAST_SHARE} to {MOST_SHARE}, as in 0.995; {share} is out of bounds", "share")
        if not LEAST_WINDOW <= window <= LONGEST_WINDOW:
            raise InputError("the window is from 1 to 92 days", "days")
        now, table = to_millisecond(self._clock.now()), tables.objective
        values = {"share": share, "days": window / timedelta(days=1), "by": by, "at": now}
        with self._records.begin() as connection:
            if not connection.execute(update(table).where(table.c.subject == subject).values(**values)).rowcount:
                connection.execute(insert(table).values(subject=subject, **values))
            self._auditor.write(by, "objective.set", subject, "", {"share": share, "days": values["days"]}, connection=connection)
        return KeptObjective(ServiceObjective(subject, share, window), by, now)

    def remove(self, subject: str, *, by: str) -> None:
        """Take back an objective that somebody set; one of the site file counts again.

        Raises:
            NotFound: nobody set one.
        """
        table = tables.objective
        nobody = f"nobody set an objective for {subject[:200]!r}; one of the site file is taken out there"
        if subject not in self.subjects():
            raise NotFound(nobody)
        with self._records.begin() as connection:
            if not connection.execute(delete(table).where(table.c.subject == subject)).rowcount:
                raise NotFound(nobody)
            self._auditor.write(by, "objective.remove", subject, connection=connection)

    def longest(self) -> timedelta:
        """Return the longest window of an objective, at least a month."""
        return max([MONTH, *(each.objective.window for each in self.kept())])

    def services(self, house: House) -> list[Service]:
        """Return every objective with its budget at the end of a house's window, the most overdrawn first.

        What names neither a component nor a covered zone any more is left out.
        """
        found = []
        now = house.window.until
        for kept in self.kept():
            each = kept.objective
            spans = house.subject_spans(each.subject)
            if spans:
                service = Service(
                    kept,
                    house.directory.label(each.subject),
                    budget(each, spans, now),
                    burn(spans, each.share, WATCHED, now),
                    tuple(alerts(spans, each.share, now)),
                )
                found.append(service)
        return sorted(found, key=lambda one: (one.budget.left_share, one.kept.objective.subject))

    # alerts

    def watch(self, house: House) -> int:
        """Make a finding of every budget that begins to burn too fast, and end those that do no more; return how many changed.

        Of what was never heard of nobody is called: that shows as unknown.
        """
        now = to_millisecond(house.window.until)
        firing = {
            (service.kept.objective.subject, alert.rule.kind): (service, alert)
            for service in self.services(house)
            for alert in service.alerts
            if any(span.state is not State.UNKNOWN for span in house.subject_spans(service.kept.objective.subject))
        }
        table, changed = tables.burn, 0
        with self._records.begin() as connection:
            opened = {(row.subject, AlertKind(row.kind)): row for row in connection.execute(select(table).where(table.c.until.is_(None)))}
            for key, (service, alert) in firing.items():
                if key not in opened:
                    finding = finding_of(service, alert, house, now)
                    self._findings.put([finding], connection)
                    connection.execute(insert(table).values(subject=key[0], kind=key[1].value, since=now, until=None, finding=finding.uid))
                    changed += 1
            for key, row in opened.items():
                if key not in firing:
                    self._end(connection, row, now)
                    changed += 1
        return changed

    def _end(self, connection: Connection, row: Row[Any], now: datetime) -> None:
        table = tables.burn
        mine = (table.c.subject == row.subject) & (table.c.kind == row.kind) & (table.c.since == row.since)
        connection.execute(update(table).where(mine).values(until=now))
        try:
            kept = self._findings.get(row.finding).finding
        except NotFound:
            return
        words = f"{kept.because} Since {now:%d %b %H:%M} UTC it burns no faster than is allowed."
        self._findings.put([replace(kept, because=words, last_time=now, state=FindingState.FINAL)], connection)

    def burning(self) -> Mapping[tuple[str, str], str]:
        """Return the finding of every budget that burns too fast now, by (subject, kind of alert)."""
        table = tables.burn
        with self._records.read() as connection:
            rows = connection.execute(select(table).where(table.c.until.is_(None)))
            return {(row.subject, row.kind): row.finding for row in rows}


def finding_of(service: Service, alert: Alert, house: House, now: datetime) -> Finding:
    """Return the finding of a budget that burns too fast: a page calls the team, a ticket is risk that nobody is called for."""
    subject, page = service.kept.objective.subject, alert.rule.kind is AlertKind.PAGE
    component = house.components.get(subject)
    place = component.place if component is not None else subject
    spans = house.subject_spans(subject)
    why = next((span.because for span in reversed(spans) if span.because and span.until > now - alert.rule.long), "")
    events = tuple(dict.fromkeys(span.event for span in spans if span.event and span.until > now - alert.rule.long))
    return Finding(
        uid=uid_of("finding", BURN, subject, alert.rule.kind.value, now.isoformat()),
        rule=BURN,
        rule_version=1,
        title=f"The error budget of {service.name} burns",
        severity=Severity.HIGH if page else Severity.MEDIUM,
        confidence=1.0,
        time=now,
        first_time=to_millisecond(now - alert.rule.long),
        last_time=now,
        because=_burn_words(service, alert, why),
        assets=(subject,) if subject.startswith("asset:") else (),
        places=(place,) if place else (),
        events=events[:50],
        state=FindingState.PROVISIONAL,
        mode=Mode.PAGE if page else Mode.RISK,
    )


def _burn_words(service: Service, alert: Alert, why: str) -> str:
    promised = service.kept.objective
    lost = alert.burn * (1 - promised.share)
    left = service.budget.left / timedelta(minutes=1)
    words = (
        f"Over {_span(alert.rule.long)} {service.name} was not up {100 * lost:.3g} % of the time, {alert.burn:.3g} times what its "
        f"objective of {100 * promised.share:.5g} % allows; {'no budget is' if left <= 0 else f'{left:.0f} minutes are'} left of "
        f"{service.budget.allowed / timedelta(minutes=1):.0f} in {promised.window.days} days."
    )
    return f"{words} Last seen: {why}." if why else words


def _span(length: timedelta) -> str:
    hours = round(length / timedelta(hours=1))
    return "the last hour" if hours == 1 else f"the last {hours} hours" if hours < 48 else f"the last {length.days} days"


def _objective(row: Row[Any]) -> KeptObjective:
    return KeptObjective(ServiceObjective(row.subject, row.share, timedelta(days=row.days)), row.by, row.at)


__all__: Sequence[str] = ("BURN", "KeptObjective", "Objectives", "Service", "finding_of")
