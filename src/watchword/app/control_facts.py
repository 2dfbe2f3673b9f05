"""Facts for control tests: the house as it is now, read in few, bounded questions."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from watchword.detect.coverage import Gap
from watchword.govern.control_facts import CheckFact, Facts, FindingFact, IncidentFact, SourceFact
from watchword.learn.learning_tables import after_action
from watchword.measure.compliance import Way
from watchword.measure.uptime_tables import test as component_test
from watchword.model import Event, EventQuery, Source, SourceKind, value_at
from watchword.model.incident import Moment
from watchword.model.ocsf import OTHER_ACTIVITY, EventClass
from watchword.model.query import CountQuery, Grouping, Order
from watchword.resolve.directory import Directory
from watchword.respond import incident_tables
from watchword.respond.run_tables import playbook_run

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword

CHECKS: Final = "watchword-checks"
"""The source as which checks come in at the front door."""
WINDOW: Final = timedelta(hours=36)
"""A day, and enough before it to know how things stood when the day began."""
MOST: Final = 60_000
"""Events of one look: what comes beyond that is not seen, and every pass is doubted."""
PAGE: Final = 5_000
LOOKBACK: Final = timedelta(days=400)
LIFECYCLE: Final = timedelta(days=45)
DORMANT: Final = timedelta(days=120)
INCIDENTS: Final = timedelta(days=370)
SAMPLE: Final = 300
"""Newest events of a source by which its clock is told."""
CLASSES: Final = tuple(
    int(each)
    for each in (
        EventClass.PHYSICAL_ACCESS, EventClass.DEVICE_HEALTH, EventClass.ALARM_SIGNAL, EventClass.ALARM_DISPOSITION, EventClass.VISITOR,
        EventClass.BUILDING_CONTROL, EventClass.POST_STAFFING, EventClass.OCCUPANCY,
    )
)  # fmt: skip
LOGONS: Final = (int(EventClass.AUTHENTICATION),)
MOMENTS: Final = {Moment.RAISED: "detected", Moment.ACKNOWLEDGED: "acknowledged", Moment.CLOSED: "resolved"}


def facts_of(watchword: "Watchword", now: datetime) -> Facts:
    """Return the facts of one look."""
    since = now - WINDOW
    directory = watchword.registry.directory()
    controls = watchword.governance.controls
    book = controls.book()
    events, truncated = _window(watchword, since, now)
    leavers = _leavers(directory, now)
    extra = [*_some(watchword, EventQuery(since=since, until=now, classes=LOGONS, limit=PAGE))]
    if leavers:
        extra += _some(watchword, EventQuery(since=since, until=now, classes=LOGONS, credentials=tuple(leavers[:1000]), limit=PAGE))
    if book.tracked:
        extra += _some(watchword, EventQuery(since=since, until=now, assets=tuple(book.tracked), limit=PAGE))
    whole = sorted({event.uid: event for event in [*events, *extra]}.values(), key=lambda event: event.order)
    used, used_since = _last_used(watchword, now)
    return Facts(
        now=now,
        since=since,
        directory=directory,
        book=book,
        events=tuple(whole),
        checks=tuple(_checks(watchword, now)),
        sources=tuple(_sources(watchword, since, now)),
        findings=tuple(_findings(watchword, since)),
        incidents=tuple(_incidents(watchword, now)),
        lifecycle=tuple(_lifecycle(watchword, now)),
        last_used=used,
        used_since=used_since,
        documents=tuple(f"{each.kind}/{each.name}/{each.version}" for each in watchword.registry.documents()),
        excepted=frozenset((each.control, each.asset) for each in controls.exemptions.all() if each.in_force(now)),
        truncated=truncated,
    )


def _some(watchword: "Watchword", query: EventQuery) -> Sequence[Event]:
    return watchword.events.events(query)


def _window(watchword: "Watchword", since: datetime, now: datetime) -> tuple[list[Event], bool]:
    found: list[Event] = []
    after = None
    while len(found) < MOST:
        page = watchword.events.events(EventQuery(since=since, until=now, classes=CLASSES, order=Order.NEWEST, after=after, limit=PAGE))
        found += page
        if len(page) < PAGE:
            return found, False
        after = page[-1].order
    return found, True


def _leavers(directory: Directory, now: datetime) -> list[str]:
    gone = {uid for uid, person in directory.people.people.items() if not person.active(now)}
    return sorted({link.entity for link in directory.people.links if link.person in gone and link.entity in directory.people.credentials})


def _last_used(watchword: "Watchword", now: datetime) -> tuple[dict[str, datetime], datetime | None]:
    """Return when each credential logged on last, and since when log-ons are heard of."""
    wanted = EventQuery(since=now - DORMANT, until=now, classes=LOGONS)
    counts = watchword.events.counts(CountQuery(wanted, by=Grouping.CREDENTIAL, limit=50_000))
    first = watchword.events.events(EventQuery(since=now - DORMANT, until=now, classes=LOGONS, order=Order.OLDEST, limit=1))
    return {each.key: each.last_time for each in counts if each.key}, first[0].time if first else None


def _checks(watchword: "Watchword", now: datetime) -> Iterable[CheckFact]:
    query = EventQuery(
        since=now - LOOKBACK,
        until=now + timedelta(seconds=1),
        classes=(int(EventClass.ENTITY_MANAGEMENT),),
        activities=(OTHER_ACTIVITY,),
        limit=20_000,
    )
    ways = {way.value: way for way in Way}
    for event in watchword.events.events(query):
        kind = str(value_at(event.data, "entity.type") or "")
        if kind:
            yield CheckFact(
                kind=kind,
                target=str(value_at(event.data, "entity.uid") or "").removeprefix("house"),
                at=event.time,
                passed=value_at(event.data, "status_id") != 2,
                by=str(value_at(event.data, "actor.user.name") or ""),
                note=str(value_at(event.data, "status_detail") or ""),
                way=ways.get(str(value_at(event.data, "entity.version") or ""), Way.SAMPLED),
                ref=("event", event.uid),
            )
    names = {"lock": "lock-test", "walk": "walk-test", "footage": "footage"}
    with watchword.records.read() as connection:
        rows = connection.execute(select(component_test).where(component_test.c.at >= now - LOOKBACK, component_test.c.at <= now)).all()
    for row in rows:
        yield CheckFact(names.get(row.kind, row.kind), row.component, row.at, row.passed, row.by, row.note, Way.SAMPLED, ("test", row.uid))


def _sources(watchword: "Watchword", since: datetime, now: datetime) -> Iterable[SourceFact]:
    statuses = {each.name: each for each in watchword.ledger.statuses()}
    gaps = watchword.gaps.list(since)
    for source in watchword.ledger.sources():
        if source.kind is SourceKind.OTHER and source.name.startswith("watchword-"):  # our own deeds and checks have no rhythm
            continue
        status = statuses.get(source.name)
        newest = watchword.events.events(EventQuery(since=since, until=now, sources=(source.name,), limit=SAMPLE))
        tightest = min(newest, key=lambda event: event.received - event.time, default=None)
        sampled = [tightest.uid] if tightest is not None else []
        yield SourceFact(
            name=source.name,
            kind=source.kind,
            domain=source.domain,
            site=source.site,
            connector=source.connector,
            rhythm=source.rhythm,
            lateness=source.lateness,
            last_received=status.last_received if status is not None else None,
            gaps=_gaps(source, gaps, since, now),
            envelope=tightest.received - tightest.time if tightest is not None else None,
            sampled=tuple(dict.fromkeys([*sampled, *(event.uid for event in newest[:2])])),
        )


def _gaps(source: Source, gaps: Iterable[Gap], since: datetime, now: datetime) -> tuple[tuple[datetime, datetime], ...]:
    day = max(since, now - timedelta(hours=24))
    mine = [(max(gap.since, day), min(gap.until or now, now)) for gap in gaps if gap.source == source.name]
    return tuple((start, end) for start, end in mine if start < end)


def _findings(watchword: "Watchword", since: datetime) -> Iterable[FindingFact]:
    for each in watchword.findings.since(since):
        yield FindingFact(each.uid, each.rule, each.time, each.places, each.assets, each.events)


def _lifecycle(watchword: "Watchword", now: datetime) -> Sequence[Event]:
    classes = (int(EventClass.ACCOUNT_CHANGE), int(EventClass.CREDENTIAL))
    return watchword.events.events(EventQuery(since=now - LIFECYCLE, until=now, classes=classes, limit=20_000))


def _incidents(watchword: "Watchword", now: datetime) -> Iterable[IncidentFact]:
    table, held, moment = incident_tables.incident, incident_tables.incident_finding, incident_tables.incident_moment
    with watchword.records.read() as connection:
        rows = connection.execute(select(table).where(table.c.opened_at >= now - INCIDENTS, table.c.merged_into == "")).all()
        findings: dict[str, list[str]] = {}
        for row in connection.execute(select(held.c.incident, held.c.finding).where(held.c.held, held.c.at >= now - INCIDENTS)):
            findings.setdefault(row.incident, []).append(row.finding)
        moments: dict[str, dict[tuple[str, str], datetime | None]] = {}
        for row in connection.execute(select(moment).where(moment.c.entered_at >= now - INCIDENTS).order_by(moment.c.piece)):
            moments.setdefault(row.incident, {})[row.moment, row.team] = row.at
        looked = {row.of: row.held for row in connection.execute(select(after_action.c.of, after_action.c.held))}
        runs: dict[str, datetime] = {}
        for row in connection.execute(select(playbook_run.c.incident, playbook_run.c.started_at).order_by(playbook_run.c.started_at)):
            runs.setdefault(row.incident, row.started_at)
    for row in rows:
        mine = {key: at for key, at in moments.get(row.uid, {}).items() if at is not None}
        closed = next((at for (word, _), at in mine.items() if word == Moment.CLOSED), None)
        part = {team for (word, team), _ in mine.items() if word in {Moment.ACKNOWLEDGED, Moment.ENGAGED} and team}
        yield IncidentFact(
            uid=row.uid,
            number=row.number,
            opened=row.opened_at,
            closed=closed,
            exercise=row.exercise,
            severity=row.severity,
            findings=tuple(findings.get(row.uid, ())),
            moments=frozenset(name for moment_of, name in MOMENTS.items() if any(word == moment_of for word, _ in mine)),
            teams=frozenset(part),
            domains=frozenset(row.teams.split()) & {"it", "physical"},
            looked_back=looked.get(row.uid),
            run_started=runs.get(row.uid),
        )
