"""Reading incidents: the list in few statements, one incident whole, and those of the past that are like it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from sqlalchemy import Connection, and_, case, func, or_, select

from watchword.model.incident import Incident, IncidentRole, Moment, MomentEntry, Rating
from watchword.resolve.directory import Directory
from watchword.respond import incident_tables as tables
from watchword.respond.casebook_service import Casebook, incident_of, moment_of
from watchword.respond.hand_over import Handed, HandOver, ItemKind, OpenItem
from watchword.respond.incident_filter_service import Cursor, IncidentFilter, beyond, conditions
from watchword.respond.incident_state import current, durations
from watchword.respond.incident_view import IncidentRow, IncidentView, Link, Task, TeamTimes
from watchword.respond.next_step import next_step, owed
from watchword.respond.roles import Holding, warnings
from watchword.respond.severity import KeptRating, RatingStatus
from watchword.respond.similar import Features, Similar, similar

LIMIT = 50
NEIGHBOURS = 200
"""So many incidents of the past are compared at most."""
MANY = 1_000
"""An incident shows so many tasks and links at most."""
Rows = list[IncidentRow]


class OpenItems(Protocol):
    """Says what of one kind is open in an incident: runs, approvals, actions, pages and evidence each bring one."""

    def __call__(self, connection: Connection, incident: str, /) -> Sequence[OpenItem]:
        """Return the open items, read on the given connection."""
        ...


class IncidentReader:
    """Reads what the casebook keeps."""

    def __init__(self, casebook: Casebook, open_items: Sequence[OpenItems] = ()) -> None:
        self._casebook = casebook
        self.open_items: list[OpenItems] = list(open_items)

    def list(self, wanted: IncidentFilter | None = None, *, after: Cursor | None = None, limit: int = LIMIT) -> Rows:
        """Return one page of incidents, each with what is next. Five statements, however many there are."""
        wanted = wanted or IncidentFilter()
        table = tables.incident
        query = select(table).where(*conditions(wanted)).limit(max(1, min(limit, MANY)))
        if wanted.newest:
            query = query.order_by(table.c.opened_at.desc(), table.c.uid.desc())
        else:
            query = query.order_by(table.c.severity, table.c.opened_at, table.c.uid)
        if after is not None:
            query = query.where(beyond(after, newest=wanted.newest))
        with self._casebook.records.read() as connection:
            rows = connection.execute(query).all()
            return self._rows(connection, rows)

    def counts(self) -> dict[tuple[str, int], int]:
        """Return how many open incidents there are by (state, severity); exercises are left out."""
        table = tables.incident
        query = select(table.c.state, table.c.severity, func.count()).where(table.c.open, table.c.exercise.is_(False))
        with self._casebook.records.read() as connection:
            return {
                (state, severity): number for state, severity, number in connection.execute(query.group_by(table.c.state, table.c.severity))
            }

    def names(self, uids: Collection[str]) -> dict[str, tuple[int, str]]:
        """Return number and title of those of these incidents that there are, in one statement; at most some hundreds at a time."""
        query = select(tables.incident.c.uid, tables.incident.c.number, tables.incident.c.title).where(tables.incident.c.uid.in_(uids))
        with self._casebook.records.read() as connection:
            return {uid: (number, title) for uid, number, title in connection.execute(query)}

    def uid_of_number(self, number: int) -> str:
        """Return the uid of an incident's number, or ''."""
        with self._casebook.records.read() as connection:
            found = connection.execute(select(tables.incident.c.uid).where(tables.incident.c.number == number)).scalar()
            return found or ""

    def of_finding(self, finding: str) -> tuple[str, ...]:
        """Return the uids of the incidents that hold a finding."""
        table = tables.incident_finding
        with self._casebook.records.read() as connection:
            found = connection.execute(select(table.c.incident).where(table.c.finding == finding, table.c.held))
            return tuple(sorted(found.scalars()))

    def get(self, uid: str) -> IncidentView:
        """Return one incident with all that its page shows.

        Raises:
            NotFound: there is none.
        """
        with self._casebook.records.read() as connection:
            return self.view(connection, uid)

    def view(self, connection: Connection, uid: str) -> IncidentView:
        """Return one incident as it stands on a connection."""
        now = self._casebook.now()
        row = self._casebook.find(connection, uid)
        found = tables.incident_finding
        findings = connection.execute(
            select(found.c.finding).where(found.c.incident == uid, found.c.held).order_by(found.c.time, found.c.finding)
        ).scalars()
        incident = incident_of(row, tuple(findings), self._places(connection, [uid]).get(uid, ()))
        series = self._casebook.series(connection, uid)
        moments = current(series)
        tasks = self._tasks(connection, uid)
        ratings = self._ratings(connection, uid)
        holdings = self._roles(connection, uid)
        declared = moments.get((Moment.DECLARED, ""))
        view = IncidentView(
            incident=incident,
            now=now,
            series=series,
            moments=moments,
            durations=durations(moments),
            teams=tuple(self._teams(connection, [uid]).get(uid, ())),
            roles=holdings,
            warnings=tuple(
                warnings(
                    holdings,
                    severity=incident.severity,
                    teams=incident.teams,
                    safety=incident.safety,
                    executed_by=self._executed_by(connection, uid),
                    since=(declared.at if declared is not None and declared.at is not None else incident.opened_at),
                    now=now,
                )
                if incident.open
                else ()
            ),
            ratings=ratings,
            tasks=tasks,
            links=self._links(connection, uid),
            hand_overs=hand_overs(connection, uid),
            open_items=(
                *own_items(tasks, ratings, incident),
                *(item for source in self.open_items for item in source(connection, uid)),
            ),
        )
        return replace(view, owed=owed(view, now))

    def similar(self, uid: str, directory: Directory, most: int = 5) -> Sequence[Similar]:
        """Return incidents like this one, the most similar first, each with what they share.

        Compared are at most the `NEIGHBOURS` newest that share a person, machine, credential, address or rule.
        """
        entity, case_ = tables.incident_entity, tables.incident
        with self._casebook.records.read() as connection:
            mine = {(kind, one) for kind, one in connection.execute(select(entity.c.kind, entity.c.entity).where(entity.c.incident == uid))}
            telling = [(kind, one) for kind, one in sorted(mine) if kind not in {"attack", "place"}][:NEIGHBOURS]
            if not telling:
                return []
            same = or_(*(and_(entity.c.kind == kind, entity.c.entity == one) for kind, one in telling))
            near = select(entity.c.incident).where(same).distinct()
            wanted = case_.c.uid.in_(near), case_.c.uid != uid, case_.c.merged_into == "", case_.c.exercise.is_(False)
            rows = connection.execute(select(case_).where(*wanted).order_by(case_.c.opened_at.desc()).limit(NEIGHBOURS)).all()
            held: dict[str, set[tuple[str, str]]] = defaultdict(set)
            every = select(entity.c.incident, entity.c.kind, entity.c.entity).where(entity.c.incident.in_([row.uid for row in rows]))
            for other, kind, one in connection.execute(every):
                held[other].add((kind, one))
            shared = or_(*(and_(entity.c.kind == kind, entity.c.entity == one) for kind, one in sorted(mine)[:NEIGHBOURS]))
            grouped = select(entity.c.kind, entity.c.entity, func.count()).where(shared).group_by(entity.c.kind, entity.c.entity)
            counts = {(kind, one): number for kind, one, number in connection.execute(grouped)}
            total = connection.execute(select(func.count()).select_from(case_)).scalar_one()
        past = [Features(row.uid, frozenset(held[row.uid]), row.title, row.number, row.opened_at, row.closure, row.summary) for row in rows]
        labels = {one: directory.label(one) for kind, one in mine if kind not in {"rule", "attack", "address"}}
        return similar(Features(uid, frozenset(mine)), past, counts=counts, total=total, labels=labels, most=most)

    def _rows(self, connection: Connection, rows: Sequence[Any]) -> Rows:
        uids, now = [row.uid for row in rows], self._casebook.now()
        places, teams = self._places(connection, uids), self._teams(connection, uids)
        moments = self._moments(connection, uids)
        task = tables.incident_task
        late = func.sum(case((task.c.due < now, 1), else_=0))
        grouped = (
            select(task.c.incident, func.count(), late).where(task.c.incident.in_(uids), task.c.state == "open").group_by(task.c.incident)
        )
        tasks = {uid: (number, int(over or 0)) for uid, number, over in connection.execute(grouped)}
        found = []
        for row in rows:
            incident = incident_of(row, (), places.get(row.uid, ()))
            view = IncidentView(incident, now, moments=current(moments.get(row.uid, ())), teams=tuple(teams.get(row.uid, ())))
            found.append(IncidentRow(incident, view.teams, *tasks.get(row.uid, (0, 0)), next_step(view, now)))
        return found

    @staticmethod
    def _moments(connection: Connection, uids: Sequence[str]) -> Mapping[str, Sequence[MomentEntry]]:
        table = tables.incident_moment
        found: dict[str, list[MomentEntry]] = defaultdict(list)
        query = select(table).where(table.c.incident.in_(uids)).order_by(table.c.incident, table.c.piece)
        for row in connection.execute(query):
            found[row.incident].append(moment_of(row))
        return found

    @staticmethod
    def _places(connection: Connection, uids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        table = tables.incident_entity
        found: dict[str, list[str]] = defaultdict(list)
        query = select(table.c.incident, table.c.entity).where(table.c.incident.in_(uids), table.c.kind == "place").order_by(table.c.entity)
        for uid, place in connection.execute(query):
            found[uid].append(place)
        return {uid: tuple(places) for uid, places in found.items()}

    @staticmethod
    def _teams(connection: Connection, uids: Sequence[str]) -> Mapping[str, Sequence[TeamTimes]]:
        table = tables.incident_team
        found: dict[str, list[TeamTimes]] = defaultdict(list)
        for row in connection.execute(select(table).where(table.c.incident.in_(uids)).order_by(table.c.team)):
            found[row.incident].append(TeamTimes(row.team, row.notified_at, row.acknowledged_at, row.acknowledged_by, row.engaged_at))
        return found

    @staticmethod
    def _roles(connection: Connection, uid: str) -> tuple[Holding, ...]:
        table = tables.incident_role
        rows = connection.execute(select(table).where(table.c.incident == uid).order_by(table.c.since, table.c.uid))
        return tuple(Holding(IncidentRole(row.role), row.person, row.since, row.until, row.by) for row in rows)

    @staticmethod
    def _executed_by(connection: Connection, uid: str) -> frozenset[str]:
        table = tables.incident_entry
        query = select(table.c.recorded_by).distinct().where(table.c.incident == uid, table.c.kind.in_(["step", "action"]))
        return frozenset(connection.execute(query).scalars())

    @staticmethod
    def _ratings(connection: Connection, uid: str) -> tuple[KeptRating, ...]:
        table = tables.incident_rating
        rows = connection.execute(select(table).where(table.c.incident == uid).order_by(table.c.at, table.c.uid))
        return tuple(rating_of_row(row) for row in rows)

    @staticmethod
    def _tasks(connection: Connection, uid: str) -> tuple[Task, ...]:
        table = tables.incident_task
        ordered = select(table).where(table.c.incident == uid).order_by(table.c.state.desc(), table.c.due, table.c.at, table.c.uid)
        return tuple(task_of(row) for row in connection.execute(ordered.limit(MANY)))

    @staticmethod
    def _links(connection: Connection, uid: str) -> tuple[Link, ...]:
        table, other = tables.incident_link, tables.incident
        far = case((table.c.one == uid, table.c.other), else_=table.c.one)
        query = (
            select(table, other.c.uid, other.c.number, other.c.title)
            .select_from(table.join(other, other.c.uid == far))
            .where(or_(table.c.one == uid, table.c.other == uid))
            .order_by(table.c.at, table.c.kind)
            .limit(MANY)
        )
        return tuple(
            Link(row.uid, row.number, row.title, row.kind, row.because, row.by, row.at, row.one == uid) for row in connection.execute(query)
        )


def hand_overs(connection: Connection, uid: str) -> tuple[HandOver, ...]:
    """Return an incident's open hand-overs."""
    table = tables.hand_over
    rows = connection.execute(select(table).where(table.c.incident == uid, table.c.state == "open").order_by(table.c.at)).all()
    return tuple(hand_over_of(connection, row) for row in rows)


def hand_over_of(connection: Connection, row: Any) -> HandOver:
    """Return the hand-over of a row, with its items."""
    table = tables.hand_over_item
    items = connection.execute(select(table).where(table.c.hand_over == row.uid).order_by(table.c.at, table.c.kind, table.c.item))
    return HandOver(
        row.uid,
        row.incident,
        IncidentRole(row.role),
        row.outgoing,
        row.incoming,
        row.note,
        row.state,
        row.at,
        tuple(Handed(one.kind, one.item, one.text, one.due, one.acknowledged_at, one.gone_at) for one in items),
        row.ended_at,
    )


def own_items(tasks: Iterable[Task], ratings: Iterable[KeptRating], incident: Incident) -> list[OpenItem]:
    """Return what of an incident itself is open: tasks, and downgrades that wait for a second person."""
    link = f"/incidents/{incident.uid}"
    found = [
        OpenItem(ItemKind.TASK, task.uid, task.title, task.due, task.team, task.owner, f"{link}#task-{task.uid}")
        for task in tasks
        if task.state == "open"
    ]
    found += [
        OpenItem(ItemKind.RATING, rating.uid, f"severity {rating.severity}, asked for by {rating.by}: {rating.reason}", link=link)
        for rating in ratings
        if rating.status is RatingStatus.WAITING
    ]
    return found


def task_of(row: Any) -> Task:
    """Return the task of a row."""
    sla = None if row.sla_ms is None else timedelta(milliseconds=row.sla_ms)
    said = row.uid, row.incident, row.title, row.detail, row.team, row.owner, row.state, row.by, row.at
    return Task(*said, row.due, sla, row.ended_by, row.ended_at, row.note)


def rating_of_row(row: Any) -> KeptRating:
    """Return the rating of a row."""
    rating = Rating(row.people, row.operations, row.data, row.money, row.law, tuple(row.in_doubt.split()))
    status = RatingStatus(row.status)
    return KeptRating(row.uid, rating, row.severity, row.occasion, status, row.by, row.at, row.reason, row.second, row.second_at)
