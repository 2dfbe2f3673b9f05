"""On call: rotas as they are kept and changed, who is on call and who is next, gaps ahead, and calendars in and out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.kit.secrets import keyed_hash
from watchword.respond import paging_tables as tables
from watchword.respond import rota as core
from watchword.respond.ports import Auditor
from watchword.respond.reach_service import Roster
from watchword.respond.rota import Gap, Layer, Override, Rota, Shift, Swap
from watchword.respond.rota_calendar import Imported, feed, read
from watchword.respond.rota_layers import layers_of, layers_text
from watchword.respond.sealed import derived_key

KEPT: Final = timedelta(days=400)
"""Overrides that ended longer ago stay in the database and are no longer part of a rota's answer."""
FEED_PAST, FEED_AHEAD = timedelta(days=30), timedelta(days=180)
TEAMS: Final = frozenset({"it", "physical", "management"})


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody on call, in which rota."""

    rota: str
    team: str
    shift: Shift


@dataclass(frozen=True, slots=True)
class KeptRota:
    """A rota with what its keeping says of it."""

    rota: Rota
    version: int
    changed_at: datetime
    changed_by: str


class OnCall:
    """Keeps rotas in `Records`; every change is audited in the same transaction."""

    def __init__(self, records: Records, clock: Clock, roster: Roster, auditor: Auditor, site_key: bytes) -> None:
        self._records = records
        self._clock = clock
        self._roster = roster
        self._auditor = auditor
        self._key = derived_key(site_key, "rota feed")

    # rotas

    def put(self, name: str, team: str, zone: str, layers: Sequence[Layer], *, by: str, version: int | None = None) -> KeptRota:
        """Keep a rota's layers; swaps and overrides that it has stay. `version` is the one that was read, None for a new rota.

        Raises:
            InputError: every fault of it, or people that nobody knows.
            Conflict: it was changed meanwhile, or exists already.
        """
        rota = Rota(name, team, zone, tuple(layers))
        found = core.faults(rota)
        if not name or len(name) > 64 or not name.isprintable() or "/" in name:
            found.append("has no name of 1 to 64 characters without a slash")
        if team not in TEAMS:
            found.append(f"is for no team: {team[:40]!r} is none of {', '.join(sorted(TEAMS))}")
        strangers = sorted({person for layer in layers for person in layer.people if not self._roster.team_of(person)})
        found += [f"nobody active is called {person!r}" for person in strangers]
        if found:
            raise InputError(f"rota {name[:64]!r}: " + "; ".join(found), "rota")
        now = to_millisecond(self._clock.now())
        table = tables.rota
        values = {"team": team, "zone": zone, "layers": layers_text(layers), "changed_at": now, "changed_by": by}
        with self._records.begin() as connection:
            have = connection.execute(select(table.c.version).where(table.c.name == name).with_for_update()).scalar_one_or_none()
            if have != version:
                raise Conflict(f"rota {name!r} was changed meanwhile; read it again" if have else f"there is no rota {name!r} any more")
            if have is None:
                connection.execute(insert(table).values(name=name, version=1, feed=0, **values))
            else:
                connection.execute(update(table).where(table.c.name == name).values(version=have + 1, **values))
            detail = {"team": team, "layers": [each.name for each in layers]}
            self._auditor.write(by, "rota.put", name, detail=detail, connection=connection)
        return self.get(name)

    def get(self, name: str) -> KeptRota:
        """Return a rota.

        Raises:
            NotFound: there is none of this name.
        """
        with self._records.read() as connection:
            return self._get(connection, name)

    def rotas(self) -> list[KeptRota]:
        """Return every rota by team and name."""
        with self._records.read() as connection:
            return self._all(connection)

    # overrides and swaps

    def override(self, rota: str, since: datetime, until: datetime, person: str, *, by: str, reason: str = "") -> str:
        """Put a person on call for a stretch, whatever the layers say; return the override's uid.

        Raises:
            InputError: the stretch is empty or too long, or nobody is called so.
            NotFound: there is no such rota.
        """
        if not timedelta() < until - since <= core.LONGEST_VIEW:
            raise InputError("an override ends after it begins, and within two years", "until")
        self._known(person)
        with self._records.begin() as connection:
            self._get(connection, rota)
            uid = self._add_override(connection, rota, Override(random_uid(), since, until, person, reason), by)
            self._auditor.write(by, "rota.override", rota, reason, {"override": uid, "person": person}, connection=connection)
        return uid

    def withdraw_override(self, uid: str, *, by: str) -> None:
        """Take an override back.

        Raises:
            NotFound: there is none, or it was taken back.
        """
        self._withdraw(tables.rota_override, uid, by, "rota.override.withdraw")

    def offer_swap(self, rota: str, layer: str, turn: int, *, by: str, reason: str = "") -> str:
        """Offer a turn of one's own to whoever takes it; until then it stays with its giver. Return the offer's uid.

        Raises:
            Forbidden: the turn is somebody else's.
            NotFound: there is no such rota, layer or turn.
        """
        with self._records.begin() as connection:
            if self._holder(connection, rota, layer, turn) != by:
                raise Forbidden("only a turn of one's own can be offered")
            return self._add_swap(connection, Swap(random_uid(), layer, turn, by, ""), rota, by, reason)

    def take_offer(self, uid: str, *, by: str) -> None:
        """Take an offered turn.

        Raises:
            NotFound: there is no such offer.
            Conflict: somebody else was quicker, or it was withdrawn, or the turn is no longer the giver's.
        """
        self._known(by)
        table = tables.rota_swap
        with self._records.begin() as connection:
            row = connection.execute(select(table).where(table.c.uid == uid)).first()
            if row is None:
                raise NotFound("there is no such offer")
            if self._holder(connection, row.rota, row.layer, row.turn) != row.giver:
                raise Conflict("this turn is no longer the giver's; ask for a new offer")
            free = (table.c.uid == uid) & (table.c.taker == "") & table.c.withdrawn_at.is_(None)
            if not connection.execute(update(table).where(free).values(taker=by)).rowcount:
                raise Conflict("somebody else was quicker, or the offer was withdrawn")
            self._auditor.write(by, "rota.swap.take", row.rota, detail={"swap": uid, "giver": row.giver}, connection=connection)

    def take(self, rota: str, layer: str, turn: int, *, by: str, reason: str = "") -> str:
        """Take a turn from whoever holds it, at once: one click. Return the swap's uid.

        Raises:
            Conflict: it is the taker's own.
            NotFound: there is no such rota, layer or turn.
        """
        self._known(by)
        with self._records.begin() as connection:
            giver = self._holder(connection, rota, layer, turn)
            if giver == by:
                raise Conflict("this turn is yours already")
            return self._add_swap(connection, Swap(random_uid(), layer, turn, giver, by), rota, by, reason)

    def withdraw_swap(self, uid: str, *, by: str) -> None:
        """Take a swap or an offer back: the turn returns to its giver.

        Raises:
            NotFound: there is none, or it was taken back.
        """
        self._withdraw(tables.rota_swap, uid, by, "rota.swap.withdraw")

    def offers(self) -> list[tuple[str, Swap]]:
        """Return (rota, offer) of every turn that waits for a taker."""
        table = tables.rota_swap
        with self._records.read() as connection:
            rows = connection.execute(
                select(table).where((table.c.taker == "") & table.c.withdrawn_at.is_(None)).order_by(table.c.position)
            )
            return [(row.rota, _swap(row)) for row in rows]

    # answers

    def who(self, team: str, at: datetime) -> list[Duty]:
        """Return who of a team is on call at a moment, one per rota that has somebody."""
        return [Duty(each.name, team, shift) for each in self._of(team) if (shift := core.on_call(each, at)) is not None]

    def next(self, team: str, at: datetime) -> list[Duty]:
        """Return who of a team comes after those on call, one per rota."""
        return [Duty(each.name, team, shift) for each in self._of(team) if (shift := core.next_up(each, at)) is not None]

    def within(self, connection: Connection) -> Sequence[Rota]:
        """Return every rota within a transaction, for paging."""
        return [each.rota for each in self._all(connection)]

    def shifts(self, rota: str, since: datetime, until: datetime) -> list[Shift]:
        """Return who of a rota is on call within a stretch.

        Raises:
            NotFound: there is no such rota.
            InputError: the stretch is empty or too long.
        """
        try:
            return core.shifts(self.get(rota).rota, since, until)
        except ValueError as error:
            raise InputError(str(error), "until") from error

    def gaps(self, until: datetime) -> list[Gap]:
        """Return the stretches from now on in which nobody of a rota is on call, earliest first; somebody who left leaves a gap too."""
        now = to_millisecond(self._clock.now())
        found = []
        for kept in self.rotas():
            left = [shift for shift in core.shifts(kept.rota, now, until) if not self._roster.team_of(shift.person)]
            found += core.gaps(kept.rota, now, until)
            found += [Gap(kept.rota.name, kept.rota.team, shift.since, shift.until) for shift in left]
        return sorted(found, key=lambda gap: (gap.since, gap.rota))

    # calendars

    def calendar(self, rota: str) -> bytes:
        """Return a rota's shifts as an iCalendar file.

        Raises:
            NotFound: there is no such rota.
        """
        now = to_millisecond(self._clock.now())
        kept = self.get(rota).rota
        return feed(kept, core.shifts(kept, now - FEED_PAST, now + FEED_AHEAD), now)

    def feed_token(self, rota: str) -> str:
        """Return the secret part of the address at which a calendar program, which cannot log in, finds the rota."""
        with self._records.read() as connection:
            row = connection.execute(select(tables.rota.c.feed).where(tables.rota.c.name == rota)).first()
        if row is None:
            raise NotFound(f"there is no rota {rota!r}")
        return keyed_hash(self._key, f"{rota}\n{row.feed}")[:40]

    def calendar_of(self, token: str) -> bytes:
        """Return the calendar behind a secret address.

        Raises:
            NotFound: there is none, or it was renewed.
        """
        with self._records.read() as connection:
            names = {keyed_hash(self._key, f"{row.name}\n{row.feed}")[:40]: row.name for row in connection.execute(select(tables.rota))}
        if token not in names:
            raise NotFound("there is no such calendar; ask for its present address")
        return self.calendar(names[token])

    def renew_feed(self, rota: str, *, by: str) -> str:
        """Make the calendar's secret address void and return the new secret part."""
        with self._records.begin() as connection:
            connection.execute(update(tables.rota).where(tables.rota.c.name == rota).values(feed=tables.rota.c.feed + 1))
            self._auditor.write(by, "rota.feed.renew", rota, connection=connection)
        return self.feed_token(rota)

    def import_calendar(self, rota: str, data: bytes, name: str, *, by: str) -> Imported:
        """Take the duties of a calendar as overrides; those that an earlier file of the same name brought and this one lacks go.

        Raises:
            ContentError: every fault of the file, with its line; nothing is taken then.
            NotFound: there is no such rota.
        """
        now = to_millisecond(self._clock.now())
        kept = self.get(rota).rota
        found = read(data, name, kept.zone, now, now + KEPT, lambda said: said if self._roster.team_of(said) else "")
        table = tables.rota_override
        with self._records.begin() as connection:
            same = (
                (table.c.rota == rota)
                & (table.c.reason == f"calendar {name}"[:200])
                & table.c.withdrawn_at.is_(None)
                & (table.c.until > now)
            )
            connection.execute(update(table).where(same).values(withdrawn_at=now))
            for each in found.overrides:
                self._add_override(connection, rota, Override(random_uid(), each.since, each.until, each.person, each.reason), by)
            self._auditor.write(by, "rota.import", rota, detail={"file": name, "duties": len(found.overrides)}, connection=connection)
        return found

    # rows

    def _known(self, person: str) -> None:
        if not self._roster.team_of(person):
            raise InputError(f"nobody active is called {person[:64]!r}", "person")

    def _of(self, team: str) -> list[Rota]:
        return [each.rota for each in self.rotas() if each.rota.team == team]

    def _holder(self, connection: Connection, name: str, layer: str, turn: int) -> str:
        rota = self._get(connection, name).rota
        found = next((each for each in rota.layers if each.name == layer), None)
        if found is None or turn < 0:
            raise NotFound(f"rota {name!r} has no turn {turn} in a layer {layer[:64]!r}")
        return core.holder(found, rota.swaps, turn)

    def _add_override(self, connection: Connection, rota: str, each: Override, by: str) -> str:
        now = to_millisecond(self._clock.now())
        row = {"uid": each.uid, "rota": rota, "since": each.since, "until": each.until, "person": each.person, "reason": each.reason[:1000]}
        connection.execute(insert(tables.rota_override).values(**row, made_at=now, made_by=by))
        return each.uid

    def _add_swap(self, connection: Connection, swap: Swap, rota: str, by: str, reason: str) -> str:
        now = to_millisecond(self._clock.now())
        row = {"uid": swap.uid, "layer": swap.layer, "turn": swap.turn, "giver": swap.giver, "taker": swap.taker}
        connection.execute(insert(tables.rota_swap).values(**row, rota=rota, reason=reason[:1000], made_at=now, made_by=by))
        detail = {"swap": swap.uid, "layer": swap.layer, "turn": swap.turn, "giver": swap.giver, "taker": swap.taker}
        self._auditor.write(by, "rota.swap", rota, reason, detail, connection=connection)
        return swap.uid

    def _withdraw(self, table: Any, uid: str, by: str, deed: str) -> None:
        with self._records.begin() as connection:
            gone = update(table).where((table.c.uid == uid) & table.c.withdrawn_at.is_(None))
            if not connection.execute(gone.values(withdrawn_at=to_millisecond(self._clock.now()))).rowcount:
                raise NotFound("there is none, or it was taken back already")
            self._auditor.write(by, deed, uid, connection=connection)

    def _get(self, connection: Connection, name: str) -> KeptRota:
        row = connection.execute(select(tables.rota).where(tables.rota.c.name == name)).first()
        if row is None:
            raise NotFound(f"there is no rota {name[:64]!r}")
        return self._kept(connection, [row])[0]

    def _all(self, connection: Connection) -> list[KeptRota]:
        return self._kept(connection, connection.execute(select(tables.rota).order_by(tables.rota.c.team, tables.rota.c.name)).all())

    def _kept(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[KeptRota]:
        names = [row.name for row in rows]
        swaps, overrides = tables.rota_swap, tables.rota_override
        agreed = (
            select(swaps).where(swaps.c.rota.in_(names) & (swaps.c.taker != "") & swaps.c.withdrawn_at.is_(None)).order_by(swaps.c.position)
        )
        recent = overrides.c.until > to_millisecond(self._clock.now()) - KEPT
        made = (
            select(overrides)
            .where(overrides.c.rota.in_(names) & overrides.c.withdrawn_at.is_(None) & recent)
            .order_by(overrides.c.position)
        )
        by_rota: dict[str, tuple[list[Swap], list[Override]]] = {name: ([], []) for name in names}
        for each in connection.execute(agreed):
            by_rota[each.rota][0].append(_swap(each))
        for each in connection.execute(made):
            by_rota[each.rota][1].append(Override(each.uid, each.since, each.until, each.person, each.reason))
        return [
            KeptRota(
                Rota(row.name, row.team, row.zone, layers_of(row.layers), tuple(by_rota[row.name][0]), tuple(by_rota[row.name][1])),
                row.version,
                row.changed_at,
                row.changed_by,
            )
            for row in rows
        ]


def _swap(row: Row[Any]) -> Swap:
    return Swap(row.uid, row.layer, row.turn, row.giver, row.taker)
