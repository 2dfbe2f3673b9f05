"""Paging: a page is made once, somebody acknowledges it as a person, and both desks see who was reached, when and by what."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.kit.ids import random_uid, uid_of
from watchword.kit.records import Records
from watchword.kit.secrets import token_digest
from watchword.respond import paging_tables as tables
from watchword.respond.escalation import Acknowledge, Engage, Input, Mute, Policy, Status, Stop, advance, begin
from watchword.respond.page_rows_service import PageView, TokenView, TrackView, decode, encode, keep, page_view, reached_of
from watchword.respond.page_text import clean
from watchword.respond.ports import Auditor, IncidentLog
from watchword.respond.quiet import muting
from watchword.respond.quiet_service import QuietWindows
from watchword.respond.reach_service import Reached, Roster

BOTH: Final = ("it", "physical")
MANAGEMENT: Final = "management"
TOKEN_LIFE: Final = timedelta(hours=24)
OPEN: Final = (Status.CALLING, Status.HELD, Status.MUTED, Status.GIVEN_UP)
"""States in which nobody has taken the page yet."""
HOWS: Final = frozenset({"link", "phone", "reply", "page", "api", "machine"})


class Pages:
    """Makes pages and keeps who took them; `Pager` in `paging_service` adds the calling."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        roster: Roster,
        log: IncidentLog,
        auditor: Auditor,
        policies: Callable[[], Mapping[int, Policy]],
    ) -> None:
        self._records = records
        self._clock = clock
        self._roster = roster
        self._log = log
        self._auditor = auditor
        self._policies = policies
        self._ledger = Ledger(records)
        self._windows = QuietWindows(records, clock, auditor)

    def page(
        self,
        connection: Connection,
        *,
        incident: str,
        severity: int,
        teams: Sequence[str],
        title: str,
        place: str,
        what_to_do: str,
        exercise: bool,
        key: str,
        places: Sequence[str] = (),
        life_safety: bool = False,
        withhold: Sequence[str] = (),
        like: str = "",
    ) -> str:
        """Make a page within the caller's transaction and return its uid; asked again under the same key, return the same one.

        Nothing is sent yet: the next `step` sends what is due.

        Args:
            connection: the caller's transaction.
            incident: its uid.
            severity: 1 (gravest) to 4.
            teams: whom it concerns; the gravest calls both teams in any case.
            title: what is wrong.
            place: where, in words.
            what_to_do: the first thing to do.
            exercise: travels on as the first word.
            key: idempotency key.
            places: uids that a maintenance window may cover.
            life_safety: about people's lives: nothing mutes it.
            withhold: names that must not leave the house.
            like: what makes pages one kind for thresholds; the title by default.
        """
        if severity not in self._policies():
            raise InputError(f"severity is 1 to 4, not {severity}", "severity")
        policy = self._policies()[severity]
        wanted = sorted({*teams, *(BOTH if policy.both_teams else ())})
        if not wanted or not {*wanted} <= {*BOTH, MANAGEMENT}:
            raise InputError("a page is for it, physical or management", "teams")
        now, uid = to_millisecond(self._clock.now()), random_uid()
        row = {
            "uid": uid,
            "key": key[:200],
            "incident": incident,
            "severity": severity,
            "title": clean(title, withhold)[:500],
            "place": clean(place)[:200],
            "what_to_do": clean(what_to_do, withhold)[:1000],
            "exercise": exercise,
            "life_safety": life_safety,
            "policy": msgspec.json.encode(policy).decode(),
            "places": json.dumps([*places][:50]),
            "alike": uid_of("like", like or title, str(exercise)),
            "made": now,
        }
        upsert = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(tables.page)
        added = upsert.values(row).on_conflict_do_nothing(index_elements=["key"]).returning(tables.page.c.uid)
        if connection.execute(added).scalar_one_or_none() is None:
            return str(connection.execute(select(tables.page.c.uid).where(tables.page.c.key == key[:200])).scalar_one())
        window = muting(self._windows.running(connection, now), places, now, life_safety=life_safety)
        for team in wanted:
            track = begin(now)
            if window is not None:
                track = advance(policy, track, Mute(window.until), now)[0]
            values = {"state": encode(track), "status": track.status, "due": track.due, "version": 1}
            connection.execute(tables.page_track.insert().values(page=uid, team=team, **values))
        quiet = f" It waits: maintenance is under way ({window.ticket}) until {window.until:%Y-%m-%d %H:%M} UTC." if window else ""
        said = f"Paged {' and '.join(wanted)} at severity {severity}: {row['title']}.{quiet}"
        self._tell(connection, incident, uid, said, now, "system")
        return uid

    # somebody takes it

    def acknowledge(self, page: str, person: str, how: str, team: str = "") -> PageView:
        """Take a page: calling of the person's team stops; a manager stops it for every team. The incident's t4 is kept.

        Args:
            page: its uid.
            person: account name.
            how: one of `HOWS`; a machine's acknowledgement is audited and stops nothing.
            team: for which team; the person's own by default.

        Raises:
            NotFound: there is no such page.
            Forbidden: nobody active is called so.
            Conflict: the page is not for this team, or was taken or stopped already.
        """
        with self._records.begin() as connection:
            self._acknowledge(connection, page, person, how, team)
        return self.get(page)

    def show(self, token: str) -> TokenView:
        """Return what the token of a link or reply stands for; nothing is acknowledged.

        Raises:
            NotFound: no page has this token.
        """
        with self._records.read() as connection:
            row = self._attempt_of(connection, token)
            page = self._views(connection, [row.page])[0]
        why = self._why_not(row, page)
        return TokenView(page, row.person, row.team, not why, why)

    def acknowledge_by_token(self, token: str, how: str = "link") -> PageView:
        """Take a page by the token of a link or reply, once.

        Raises:
            NotFound: no page has this token.
            Conflict: it was used, is too old, or somebody took the page already.
        """
        now = to_millisecond(self._clock.now())
        table = tables.page_attempt
        with self._records.begin() as connection:
            row = self._attempt_of(connection, token)
            if why := self._why_not(row, self._views(connection, [row.page])[0]):
                raise Conflict(why)
            free = (table.c.uid == row.uid) & table.c.token_used.is_(None)
            if not connection.execute(update(table).where(free).values(token_used=now)).rowcount:
                raise Conflict("this link was used already")
            self._acknowledge(connection, row.page, row.person, how, row.team)
        return self.get(row.page)

    def engaged(self, connection: Connection, incident: str, team: str, person: str) -> None:
        """Note the first substantive deed of a team (t5): its acknowledgements no longer expire, and calling stops."""
        for row in self._tracks_of(connection, incident):
            if row.team == team:
                self._feed(connection, row, Engage(person))

    def stop(self, connection: Connection, incident: str, *, by: str, reason: str) -> int:
        """Stop every calling of an incident, as when it is closed; only a person does that. Return how many were stopped."""
        stopped = 0
        for row in self._tracks_of(connection, incident):
            if row.status != Status.STOPPED:
                stopped += self._feed(connection, row, Stop(by))
        if stopped:
            self._auditor.write(by, "page.stop", incident, reason, connection=connection)
        return stopped

    # answers

    def get(self, page: str) -> PageView:
        """Return a page.

        Raises:
            NotFound: there is none.
        """
        with self._records.read() as connection:
            return self._views(connection, [page])[0]

    def pages(self, incident: str) -> list[PageView]:
        """Return an incident's pages, oldest first."""
        with self._records.read() as connection:
            query = select(tables.page.c.uid).where(tables.page.c.incident == incident).order_by(tables.page.c.made, tables.page.c.uid)
            return self._views(connection, connection.execute(query).scalars().all())

    def unanswered(self, limit: int = 200) -> list[PageView]:
        """Return pages that some team has not taken yet, gravest and oldest first."""
        page, track = tables.page, tables.page_track
        waiting = select(track.c.page).where(track.c.status.in_(OPEN))
        with self._records.read() as connection:
            query = select(page.c.uid).where(page.c.uid.in_(waiting)).order_by(page.c.severity, page.c.made, page.c.uid).limit(limit)
            return self._views(connection, connection.execute(query).scalars().all())

    def reached(self, incident: str) -> list[Reached]:
        """Return every attempt to reach somebody for an incident, oldest first, and who acknowledged."""
        page, track, attempt = tables.page, tables.page_track, tables.page_attempt
        joined = attempt.join(page, page.c.uid == attempt.c.page).join(
            track, (track.c.page == attempt.c.page) & (track.c.team == attempt.c.team)
        )
        query = (
            select(attempt, track.c.state).select_from(joined).where(page.c.incident == incident).order_by(attempt.c.made, attempt.c.uid)
        )
        with self._records.read() as connection:
            return [reached_of(row) for row in connection.execute(query)]

    # within

    def _acknowledge(self, connection: Connection, page: str, person: str, how: str, team: str) -> None:
        if how not in HOWS:
            raise InputError(f"an acknowledgement comes by {', '.join(sorted(HOWS))}", "how")
        own = self._roster.team_of(person)
        if not own and how != "machine":
            raise Forbidden(f"nobody active is called {person[:64]!r}")
        query = select(tables.page_track).where(tables.page_track.c.page == page).order_by(tables.page_track.c.team).with_for_update()
        rows = connection.execute(query).all()
        if not rows:
            raise NotFound("there is no such page")
        view = self._views(connection, [page])[0]
        mine = [row for row in rows if own == MANAGEMENT or row.team == (team or own)]
        self._auditor.write(
            person, "page.acknowledge", page, detail={"how": how, "teams": [row.team for row in mine]}, connection=connection
        )
        if how == "machine":
            return
        if not mine:
            raise Conflict(f"this page is for {' and '.join(row.team for row in rows)}, you are in {own}")
        taken = [row for row in mine if row.status in {*OPEN, Status.BELOW}]
        if not taken:
            by = next((track.by for track in view.tracks if track.team == mine[0].team), "")
            raise Conflict(f"this page was taken already by {by}" if by else "this page was stopped")
        now = to_millisecond(self._clock.now())
        for row in taken:
            self._feed(connection, row, Acknowledge(person, how))
            self._log.mark(connection, view.incident, "t4", now, source="page", team=row.team, evidence=person)
        self._tell(connection, view.incident, page, f"{person} acknowledged the page by {how}.", now, person, own)

    def _feed(self, connection: Connection, row: Row[Any], given: Input) -> int:
        """Give a track an input and drop what is no longer to be sent; return 1 when it was still as it was read."""
        now = to_millisecond(self._clock.now())
        policy = connection.execute(select(tables.page.c.policy).where(tables.page.c.uid == row.page)).scalar_one()
        track, _ = advance(msgspec.json.decode(policy, type=Policy), decode(row.state), given, now)
        if not keep(connection, row.page, row.team, track, row.version):
            raise Conflict("the page moved on meanwhile; look again")
        if track.status in {Status.ACKNOWLEDGED, Status.STOPPED}:
            table = tables.page_attempt
            waiting = (table.c.page == row.page) & (table.c.team == row.team) & (table.c.status == "due")
            connection.execute(update(table).where(waiting).values(status="dropped", ended=now))
        return 1

    def _tracks_of(self, connection: Connection, incident: str) -> Sequence[Row[Any]]:
        page, track = tables.page, tables.page_track
        query = select(track).join(page, page.c.uid == track.c.page).where(page.c.incident == incident)
        return connection.execute(query.order_by(track.c.page, track.c.team).with_for_update(of=track)).all()

    def _attempt_of(self, connection: Connection, token: str) -> Row[Any]:
        digest = token_digest(token)
        row = connection.execute(select(tables.page_attempt).where(tables.page_attempt.c.token_digest == digest)).first()
        if row is None or not row.person:
            raise NotFound("no page has this link; open the newest message, or log in")
        return row

    def _why_not(self, row: Row[Any], page: PageView) -> str:
        if row.token_used is not None:
            return "this link was used already"
        if row.made + TOKEN_LIFE <= self._clock.now():
            return "this link is too old; log in to acknowledge"
        track = next(each for each in page.tracks if each.team == row.team)
        if track.status is Status.ACKNOWLEDGED:
            return f"{track.by} took this page already"
        return "calling was stopped" if track.status is Status.STOPPED else ""

    def _views(self, connection: Connection, uids: Sequence[str]) -> list[PageView]:
        tracks: dict[str, list[TrackView]] = {}
        for row in connection.execute(
            select(tables.page_track).where(tables.page_track.c.page.in_(uids)).order_by(tables.page_track.c.team)
        ):
            state = decode(row.state)
            view = TrackView(row.team, state.status, state.due, row.notified, state.by, state.at, state.how, state.engaged, state.expired)
            tracks.setdefault(row.page, []).append(view)
        rows = {row.uid: row for row in connection.execute(select(tables.page).where(tables.page.c.uid.in_(uids)))}
        if missing := [uid for uid in uids if uid not in rows]:
            raise NotFound(f"there is no page {missing[0][:64]!r}")
        return [page_view(rows[uid], tuple(tracks.get(uid, ()))) for uid in uids]

    def _tell(self, connection: Connection, incident: str, page: str, text: str, now: datetime, by: str, team: str = "") -> None:
        self._log.append(connection, incident, "page", text, occurred_at=now, recorded_by=by, team=team, refs={"page": page})
        self._ledger.append_change(connection, "page", page, {"incident": incident, "text": text}, now)
