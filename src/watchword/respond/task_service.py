"""Tasks of an incident: who owes what by when, kept until done or dropped with a reason."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.model import Team
from watchword.respond import incident_tables as tables
from watchword.respond.casebook_service import Casebook, clean
from watchword.respond.incident_reading_service import task_of
from watchword.respond.incident_view import Task

TITLE = 300
TaskList = list[Task]


class Tasks:
    """Tasks beside those of playbooks."""

    def __init__(self, casebook: Casebook) -> None:
        self._casebook = casebook

    def add(
        self,
        incident: str,
        title: str,
        *,
        by: str,
        team: Team,
        owner: str = "",
        detail: str = "",
        due: datetime | None = None,
        sla: timedelta | None = None,
        speaker: str = "",
    ) -> str:
        """Add a task for a team (and perhaps one of it) and return its uid; without a due time, `sla` from now on sets it.

        Raises:
            InputError: no title, or no time left in the SLA.
        """
        if not title.strip() or len(title) > TITLE:
            raise InputError(f"A task needs a title of at most {TITLE} characters.", "title")
        if sla is not None and sla <= timedelta():
            raise InputError("An SLA is longer than nothing.", "sla")
        with self._casebook.begin() as connection:
            now, uid = self._casebook.now(), self._casebook.ids()
            incident = self._casebook.target(connection, incident)
            connection.execute(
                insert(tables.incident_task).values(
                    uid=uid,
                    incident=incident,
                    title=clean(title.strip()),
                    detail=clean(detail),
                    team=team.value,
                    owner=clean(owner)[:128],
                    state="open",
                    due=due or (now + sla if sla is not None else None),
                    sla_ms=None if sla is None else sla // timedelta(milliseconds=1),
                    by=clean(by)[:128],
                    at=now,
                )
            )
            said = f"Task for {owner or team.value}: {title.strip()}"
            self._write(connection, incident, said, by, speaker, uid)
            self._casebook.audit(connection, by, "task_add", incident, detail={"task": uid})
            return uid

    def finish(self, task: str, *, by: str, team: str, note: str = "") -> Task:
        """Say that a task is done: a deed of the team."""
        with self._casebook.begin() as connection:
            row = self._end(connection, task, "done", by, note)
            self._write(connection, row.incident, f"Task done: {row.title}. {note}".strip(), by, team, task)
            self._casebook.engage(connection, row.incident, team, by, self._casebook.now(), f"task {task}")
            self._casebook.audit(connection, by, "task_done", row.incident, note, {"task": task})
            return task_of(self._row(connection, task))

    def drop(self, task: str, *, by: str, reason: str, team: str = "") -> Task:
        """Drop a task, with the reason.

        Raises:
            InputError: no reason.
        """
        if not reason.strip():
            raise InputError("Say why the task falls away.", "reason")
        with self._casebook.begin() as connection:
            row = self._end(connection, task, "dropped", by, reason)
            self._write(connection, row.incident, f"Task dropped: {row.title}. {reason}", by, team, task)
            self._casebook.audit(connection, by, "task_drop", row.incident, reason, {"task": task})
            return task_of(self._row(connection, task))

    def give(
        self, task: str, *, by: str, team: Team, owner: str = "", due: datetime | None = None, speaker: str = "", reason: str = ""
    ) -> Task:
        """Give an open task to a team, or to one of it, or another due time (None leaves it)."""
        with self._casebook.begin() as connection:
            row = self._open(connection, task)
            values: dict[str, Any] = {"team": team.value, "owner": clean(owner)[:128], **({"due": due} if due is not None else {})}
            connection.execute(update(tables.incident_task).where(tables.incident_task.c.uid == task).values(**values))
            moved = f", due {due.isoformat(timespec='minutes')} instead of {row.due}" if due is not None and due != row.due else ""
            self._write(
                connection, row.incident, f"Task given to {owner or team.value}{moved}: {row.title}. {reason}".strip(), by, speaker, task
            )
            self._casebook.audit(connection, by, "task_give", row.incident, reason, {"task": task, "owner": owner, "team": team.value})
            return task_of(self._row(connection, task))

    def get(self, task: str) -> Task:
        """Return a task.

        Raises:
            NotFound: there is none.
        """
        with self._casebook.records.read() as connection:
            return task_of(self._row(connection, task))

    def open_for(self, teams: Sequence[Team] = (), owner: str = "", limit: int = 100) -> TaskList:
        """Return open tasks of teams or of one person, the earliest due first, those without due time last."""
        table = tables.incident_task
        query = select(table).where(table.c.state == "open").order_by(table.c.due.is_(None), table.c.due, table.c.at).limit(limit)
        whose = [table.c.team == team.value for team in teams] + ([table.c.owner == owner] if owner else [])
        with self._casebook.records.read() as connection:
            return [task_of(row) for row in connection.execute(query.where(or_(*whose)) if whose else query)]

    def _write(self, connection: Connection, incident: str, said: str, by: str, team: str, task: str) -> None:
        self._casebook.append(connection, incident, "task", said, recorded_by=by, team=team, refs={"task": task})
        self._casebook.change(connection, incident, touched=True)

    @staticmethod
    def _row(connection: Connection, task: str) -> Row[Any]:
        row = connection.execute(select(tables.incident_task).where(tables.incident_task.c.uid == task)).one_or_none()
        if row is None:
            raise NotFound(f"There is no task {task}.")
        return row

    def _open(self, connection: Connection, task: str) -> Row[Any]:
        row = self._row(connection, task)
        if row.state != "open":
            raise Conflict(f"The task is {row.state} already, by {row.ended_by}.")
        return row

    def _end(self, connection: Connection, task: str, state: str, by: str, note: str) -> Row[Any]:
        row = self._open(connection, task)
        values = {"state": state, "ended_by": clean(by)[:128], "ended_at": self._casebook.now(), "note": clean(note)}
        connection.execute(update(tables.incident_task).where(tables.incident_task.c.uid == task).values(**values))
        return row
