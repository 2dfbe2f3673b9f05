"""Calling: due tracks move on by their policy, and whom they call becomes attempts, kept before anything is sent."""

import base64
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from watchword.ingest.ledger import Ledger
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.kit.secrets import token_digest
from watchword.respond import paging_tables as tables
from watchword.respond import rota as rotas
from watchword.respond.contact_service import Contact, Contacts
from watchword.respond.escalation import DEPUTY, EACH, Call, Kind, Mute, Policy, Status, Tick, Track, Unreached, advance, pick
from watchword.respond.on_call_service import OnCall
from watchword.respond.page_rows_service import decode, keep
from watchword.respond.ports import IncidentLog
from watchword.respond.quiet import muting, rests
from watchword.respond.quiet_service import QuietWindows
from watchword.respond.reach_service import Channels, DeskChannel, Roster
from watchword.respond.rota import Rota

AT_ONCE: Final = 200
"""Most tracks moved by one look."""
LIKE_LIMIT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody or something to be called; with neither person nor desk, why there is nobody."""

    person: str = ""
    desk: DeskChannel | None = None
    nobody: str = ""


class Calling:
    """Moves tracks on; one transaction each, so that a kill loses none and calls none twice."""

    def __init__(
        self,
        records: Records,
        roster: Roster,
        on_call: OnCall,
        contacts: Contacts,
        channels: Channels,
        windows: QuietWindows,
        log: IncidentLog,
        token_key: bytes,
    ) -> None:
        self._records = records
        self._roster = roster
        self._on_call = on_call
        self._contacts = contacts
        self._channels = channels
        self._windows = windows
        self._log = log
        self._ledger = Ledger(records)
        self._token_key = token_key

    def move_due(self, now: datetime) -> int:
        """Move every track that is due, gravest pages first; return how many were moved."""
        page, track = tables.page, tables.page_track
        due = select(track.c.page, track.c.team).join(page, page.c.uid == track.c.page).where(track.c.due <= now)
        with self._records.read() as connection:
            found = connection.execute(due.order_by(page.c.severity, track.c.due, page.c.uid, track.c.team).limit(AT_ONCE)).all()
        return sum(self._move(page_uid, team, now) for page_uid, team in found)

    def token_of(self, attempt: str) -> str:
        """Return an attempt's token (128 bits, base64url): the same after a restart, known to nobody without the site key."""
        return base64.urlsafe_b64encode(hmac.new(self._token_key, attempt.encode(), sha256).digest()[:16]).rstrip(b"=").decode()

    def attempt(
        self, page: str, team: str, person: str, contact: str, channel: str, kind: str, step: int, turn: int, now: datetime
    ) -> dict[str, Any]:
        """Return the row of a new attempt, due now."""
        uid = random_uid()
        return {
            "uid": uid,
            "page": page,
            "team": team,
            "person": person,
            "contact": contact,
            "channel": channel,
            "kind": kind,
            "step": step,
            "round": turn,
            "status": "due",
            "due": now,
            "made": now,
            "tries": 0,
            "again": False,
            "detail": "",
            "token_digest": token_digest(self.token_of(uid)),
        }

    def _move(self, page_uid: str, team: str, now: datetime) -> int:
        table = tables.page_track
        with self._records.begin() as connection:
            query = select(table).where((table.c.page == page_uid) & (table.c.team == team) & (table.c.due <= now))
            row = connection.execute(query.with_for_update(skip_locked=True)).first()
            if row is None:  # another worker was quicker
                return 0
            page = connection.execute(select(tables.page).where(tables.page.c.uid == page_uid)).one()
            policy = msgspec.json.decode(page.policy, type=Policy)
            before = replace(decode(row.state), due=row.due)  # a window that was ended early has drawn it nearer
            track, calls = self._advanced(connection, page, policy, before, now)
            rows = [each for call in calls for each in self._attempts(connection, page, team, call, now)]
            rows = _once(rows)
            if calls and not any(each["status"] == "due" for each in rows):
                track = advance(policy, track, Unreached(), now)[0]
            if not keep(connection, page_uid, team, track, row.version):
                return 0
            if rows:
                connection.execute(insert(tables.page_attempt), rows)
            self._say(connection, page, team, before, track, now)
        return 1

    def _advanced(
        self, connection: Connection, page: Row[Any], policy: Policy, track: Track, now: datetime
    ) -> tuple[Track, tuple[Call, ...]]:
        if track.status is Status.MUTED:
            running = self._windows.running(connection, now)
            window = muting(running, json.loads(page.places), now, life_safety=page.life_safety)
            if window is not None:
                return advance(policy, track, Mute(window.until), now)
        longest = max((step.within for step in policy.steps), default=timedelta())
        like: Sequence[datetime] = ()
        if longest:
            same = (tables.page.c.alike == page.alike) & (tables.page.c.made > now - longest)
            like = connection.execute(select(tables.page.c.made).where(same).limit(LIKE_LIMIT)).scalars().all()
        return advance(policy, track, Tick(tuple(like)), now)

    def _attempts(self, connection: Connection, page: Row[Any], team: str, call: Call, now: datetime) -> Iterator[dict[str, Any]]:
        for target in self._targets(connection, page, team, call, now):
            if target.desk is not None:
                said = (f"desk:{target.desk.name}", target.desk.name, target.desk.kind)
                yield self.attempt(page.uid, team, "", *said, call.step, call.round, now)
                continue
            usable: list[Contact] = []
            if target.person:
                usable = [
                    each
                    for each in self._contacts.within(connection, target.person)
                    if not rests(each.quiet, now, severity=page.severity, life_safety=page.life_safety)
                ]
            chosen = {*pick([(each.uid, each.kind) for each in usable], call.kinds)}
            for each in usable:
                if each.uid in chosen:
                    yield self.attempt(page.uid, team, target.person, each.name, each.label, each.kind, call.step, call.round, now)
            if not chosen:
                why = target.nobody or "has no contact that may be used now"
                empty = self.attempt(page.uid, team, target.person, "", "", "", call.step, call.round, now)
                yield {**empty, "status": "nobody", "detail": why}

    def _targets(self, connection: Connection, page: Row[Any], team: str, call: Call, now: datetime) -> list[Target]:
        name = team if call.name == EACH else call.name
        if call.kind is Kind.PERSON:
            return _people([call.name], f"nobody is called {call.name!r}")
        if call.kind is Kind.TEAM:
            return _people(self._roster.members(name), f"nobody is in team {name}")
        if call.kind in {Kind.ROTA, Kind.NEXT}:
            return self._on_duty(connection, name, call, now)
        if call.kind is Kind.ROUND_ROBIN:
            people = call.name.split("\n")
            return _people([people[self._turn(connection, call.name) % len(people)]], "")
        if call.kind is Kind.GIVE_UP:
            found = self._roster.deputies(page.incident) if call.name == DEPUTY else self._roster.managers()
            return _people(found, f"there is no {call.name}")
        desks = self._channels.desks()
        wanted = [each for each in desks if (each.team == name if call.name == EACH else each.name == call.name)]
        if call.kind is Kind.DESK and call.name != EACH:
            wanted = [each for each in desks if each.team == call.name]
        return [Target(desk=each) for each in wanted] or [Target(nobody=f"the settings name no shared channel for {name}")]

    def _on_duty(self, connection: Connection, name: str, call: Call, now: datetime) -> list[Target]:
        kept = self._on_call.within(connection)
        asked = rotas.on_call if call.kind is Kind.ROTA else rotas.next_up
        meant = [each for each in kept if (each.team == name if call.name == EACH else each.name == name)]
        if not meant:
            return [Target(nobody=f"there is no rota for {name}")]
        return [_holding(each, asked(each, now)) for each in meant]

    def _turn(self, connection: Connection, people: str) -> int:
        table = tables.page_turn
        name = sha256(people.encode()).hexdigest()[:32]
        added = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table).values(name=name, position=0)
        step = added.on_conflict_do_update(index_elements=["name"], set_={"position": table.c.position + 1}).returning(table.c.position)
        return int(connection.execute(step).scalar_one())

    def _say(self, connection: Connection, page: Row[Any], team: str, before: Track, after: Track, now: datetime) -> None:
        text = ""
        if before.status is Status.ACKNOWLEDGED and after.status is not Status.ACKNOWLEDGED:
            text = f"No deed followed the acknowledgement by {before.by}: calling {team} goes on."
        if after.status is Status.GIVEN_UP and before.status is not Status.GIVEN_UP:
            text = f"Nobody of {team} answered the page; deputy and manager were called last."
        if text:
            refs = {"page": page.uid}
            self._log.append(connection, page.incident, "page", text, occurred_at=now, recorded_by="system", team=team, refs=refs)
        if text or after.status is not before.status:
            summary = {"incident": page.incident, "team": team, "status": after.status.value, "text": text}
            self._ledger.append_change(connection, "page", page.uid, summary, now)


def _people(names: Sequence[str], nobody: str) -> list[Target]:
    return [Target(person=name) for name in names] or [Target(nobody=nobody)]


def _holding(rota: Rota, shift: rotas.Shift | None) -> Target:
    return Target(nobody=f"nobody is on call in rota {rota.name}") if shift is None else Target(person=shift.person)


def _once(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows without those that call the same contact a second time in one go."""
    seen: set[str] = set()
    kept = []
    for row in rows:
        if row["contact"] and row["contact"] in seen:
            continue
        seen.add(row["contact"])
        kept.append(row)
    return kept
