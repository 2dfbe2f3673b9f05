"""Pages as rows: what is read from them, and how a track is kept unless somebody was quicker."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, update

from watchword.respond import paging_tables as tables
from watchword.respond.escalation import Policy, Status, Track
from watchword.respond.reach_service import Reached


@dataclass(frozen=True, slots=True)
class TrackView:
    """Where calling one team stands."""

    team: str
    status: Status
    due: datetime | None
    notified: datetime | None
    by: str
    at: datetime | None
    how: str
    engaged: bool
    expired: int


@dataclass(frozen=True, slots=True)
class PageView:
    """A page as it is shown; its words hold no secret and no name of a suspect."""

    uid: str
    incident: str
    severity: int
    title: str
    place: str
    what_to_do: str
    exercise: bool
    life_safety: bool
    policy: str
    made: datetime
    tracks: tuple[TrackView, ...]


@dataclass(frozen=True, slots=True)
class TokenView:
    """What a link or reply stands for; looking at it acknowledges nothing."""

    page: PageView
    person: str
    team: str
    usable: bool
    why_not: str
    """In words, when it is not usable."""


def encode(track: Track) -> str:
    """Return a track as the JSON that is kept."""
    return msgspec.json.encode(track).decode()


def decode(text: str) -> Track:
    """Return the track that was kept."""
    return msgspec.json.decode(text, type=Track)


def keep(connection: Connection, page: str, team: str, track: Track, version: int) -> bool:
    """Keep a track unless somebody moved it meanwhile; tell whether it was kept."""
    table = tables.page_track
    values = {"state": encode(track), "status": track.status.value, "due": track.due, "version": version + 1}
    same = (table.c.page == page) & (table.c.team == team) & (table.c.version == version)
    return bool(connection.execute(update(table).where(same).values(values)).rowcount)


def page_view(row: Row[Any], tracks: tuple[TrackView, ...]) -> PageView:
    """Return the page of a row."""
    policy = msgspec.json.decode(row.policy, type=Policy).name
    said = (row.uid, row.incident, row.severity, row.title, row.place, row.what_to_do, row.exercise, row.life_safety)
    return PageView(*said, policy, row.made, tracks)


def reached_of(row: Row[Any]) -> Reached:
    """Return the attempt of a row that has its track's state beside it."""
    track = decode(row.state)
    taken = track.status is Status.ACKNOWLEDGED
    return Reached(
        page=row.page,
        team=row.team,
        person=row.person,
        channel=row.channel,
        kind=row.kind,
        status=row.status,
        made=row.made,
        ended=row.ended,
        tries=row.tries,
        detail=row.detail,
        perhaps_twice=row.again,
        step=row.step,
        round=row.round,
        acknowledged_by=track.by if taken else "",
        acknowledged_at=track.at if taken else None,
        how=track.how if taken else "",
    )
