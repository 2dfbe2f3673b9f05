"""Hand-overs and seats: who holds which role, and the acknowledged way from one person to the next."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.model import Team
from watchword.model.incident import IncidentRole
from watchword.respond import incident_tables as tables
from watchword.respond.casebook_service import Casebook, clean
from watchword.respond.hand_over import HandOver, ItemKind, OpenItem, compare
from watchword.respond.incident_reading_service import IncidentReader, hand_over_of
from watchword.respond.roles import WORDS

ROLE_TEAMS = {IncidentRole.IT_LEAD: Team.IT.value, IncidentRole.PHYSICAL_LEAD: Team.PHYSICAL.value}
HandOverList = list[HandOver]


class HandOvers:
    """Hands roles over."""

    def __init__(self, casebook: Casebook, reader: IncidentReader) -> None:
        self._casebook, self._reader = casebook, reader

    def begin(self, incident: str, role: IncidentRole, incoming: str, *, by: str, note: str = "", team: str = "") -> HandOver:
        """Begin to hand a role over: the list of what is open is made, and the incoming person acknowledges each item of it.

        Raises:
            Conflict: nobody holds the role (assign it), the incoming one does already, or a hand-over of it is under way.
            InputError: nobody is named.
        """
        with self._casebook.begin() as connection:
            return self._begin(connection, incident, role, incoming, by=by, note=note, team=team)

    def begin_all(self, outgoing: str, incoming: str, *, by: str, note: str = "", team: str = "") -> HandOverList:
        """Begin to hand over the lead of every open incident that somebody leads: the end of a shift in one go."""
        table, hand = tables.incident, tables.hand_over
        with self._casebook.begin() as connection:
            going = select(hand.c.incident).where(hand.c.role == IncidentRole.LEAD.value, hand.c.state == "open")
            led = select(table.c.uid).where(table.c.open, table.c.lead == outgoing, table.c.uid.not_in(going)).order_by(table.c.number)
            uids = connection.execute(led).scalars().all()
            return [self._begin(connection, uid, IncidentRole.LEAD, incoming, by=by, note=note, team=team) for uid in uids]

    def acknowledge(self, uid: str, kind: str, item: str, *, by: str, team: str = "") -> HandOver:
        """Acknowledge one item. With the last one the role passes; what has come up meanwhile joins the list first.

        Raises:
            Forbidden: it is not the incoming person.
            NotFound: the list has no such item.
        """
        with self._casebook.begin() as connection:
            row = self._open(connection, uid)
            self._check_incoming(row, by)
            table = tables.hand_over_item
            mine = (table.c.hand_over == uid) & (table.c.kind == kind) & (table.c.item == item)
            known = connection.execute(select(table.c.text, table.c.acknowledged_at).where(mine)).one_or_none()
            if known is None:
                raise NotFound(f"The hand-over has no {kind} {item}.")
            if known.acknowledged_at is None:
                connection.execute(update(table).where(mine).values(acknowledged_at=self._casebook.now()))
                said = f"Took over: {known.text}"
                self._write(connection, row.incident, said, by, team, uid)
            self._refresh(connection, row)
            hand = hand_over_of(connection, self._row(connection, uid))
            return hand if hand.left else self._pass_on(connection, row, by, team)

    def finish(self, uid: str, *, by: str, team: str = "") -> HandOver:
        """Finish a hand-over with nothing left to acknowledge.

        Raises:
            Conflict: with what is left.
        """
        with self._casebook.begin() as connection:
            row = self._open(connection, uid)
            self._check_incoming(row, by)
            self._refresh(connection, row)
            hand = hand_over_of(connection, self._row(connection, uid))
            if not hand.left:
                return self._pass_on(connection, row, by, team)
        # Said only after the commit: what came up meanwhile has to be on the list that the person now reads.
        raise Conflict(f"Still to be acknowledged: {'; '.join(item.text for item in hand.left)}.")

    def cancel(self, uid: str, *, by: str, reason: str, team: str = "") -> HandOver:
        """Cancel a hand-over; the outgoing person keeps the role, as until now.

        Raises:
            InputError: no reason.
        """
        if not reason.strip():
            raise InputError("Say why it is cancelled.", "reason")
        with self._casebook.begin() as connection:
            row = self._open(connection, uid)
            self._end(connection, uid, "cancelled")
            said = f"Hand-over to {row.incoming} cancelled: {reason}. {row.outgoing} stays responsible."
            self._write(connection, row.incident, said, by, team, uid)
            self._casebook.audit(connection, by, "hand_over_cancel", row.incident, reason, {"hand_over": uid})
            return hand_over_of(connection, self._row(connection, uid))

    def get(self, uid: str) -> HandOver:
        """Return a hand-over; what is open now is compared with its list when somebody acknowledges or finishes.

        Raises:
            NotFound: there is none.
        """
        with self._casebook.records.read() as connection:
            return hand_over_of(connection, self._row(connection, uid))

    def waiting_for(self, person: str) -> HandOverList:
        """Return the open hand-overs that a person has to acknowledge, oldest first."""
        table = tables.hand_over
        with self._casebook.records.read() as connection:
            rows = connection.execute(select(table).where(table.c.incoming == person, table.c.state == "open").order_by(table.c.at)).all()
            return [hand_over_of(connection, row) for row in rows]

    def seat(self, connection: Connection, incident: str, role: IncidentRole, person: str, *, by: str, team: str = "") -> None:
        """Give a role to a person ('' to nobody) without hand-over.

        Raises:
            Conflict: a lead would change while something is open: hand over instead.
        """
        row = self._casebook.find(connection, incident)
        holder = self._holder(connection, incident, role)
        if holder == person:
            return
        if role is IncidentRole.LEAD and holder and row.open and (items := self._items(connection, incident, role, holder)):
            raise Conflict(f"{holder} leads and {len(items)} things are open: hand the lead over, so that each is acknowledged.")
        self._sit(connection, incident, role, person, by)
        said = f"{WORDS[role]}: {person or 'nobody'}" + (f", after {holder}" if holder else "")
        refs = {"role": role.value}
        self._casebook.append(connection, incident, "role", said, recorded_by=by, team=team, refs=refs)

    def _begin(
        self, connection: Connection, incident: str, role: IncidentRole, incoming: str, *, by: str, note: str, team: str
    ) -> HandOver:
        incident = self._casebook.target(connection, incident)
        outgoing = self._holder(connection, incident, role)
        if not incoming.strip():
            raise InputError("Say who takes over.", "incoming")
        if not outgoing:
            raise Conflict(f"Nobody is {WORDS[role]}: assign the role.")
        if outgoing == incoming:
            raise Conflict(f"{incoming} is {WORDS[role]} already.")
        table = tables.hand_over
        going = select(table.c.incoming).where(table.c.incident == incident, table.c.role == role.value, table.c.state == "open")
        if (other := connection.execute(going).scalar()) is not None:
            raise Conflict(f"A hand-over to {other} is under way: finish or cancel it.")
        uid = self._casebook.ids()
        values = {"uid": uid, "incident": incident, "role": role.value, "outgoing": outgoing, "incoming": incoming, "note": clean(note)}
        connection.execute(insert(table).values(**values, state="open", at=self._casebook.now()))
        row = self._row(connection, uid)
        self._refresh(connection, row)
        hand = hand_over_of(connection, row)
        said = f"{outgoing} hands {WORDS[role]} over to {incoming}: {len(hand.items)} open items to acknowledge. {note}".strip()
        self._write(connection, incident, said, by, team, uid)
        self._casebook.change(connection, incident, touched=True)
        self._casebook.audit(connection, by, "hand_over", incident, note, {"role": role.value, "to": incoming})
        return hand

    def _pass_on(self, connection: Connection, row: Row[Any], by: str, team: str) -> HandOver:
        role = IncidentRole(row.role)
        self._end(connection, row.uid, "done")
        self._sit(connection, row.incident, role, row.incoming, by)
        said = f"{row.incoming} is {WORDS[role]}, after {row.outgoing}: every open item is acknowledged."
        self._write(connection, row.incident, said, by, team, row.uid)
        self._casebook.audit(connection, by, "hand_over_done", row.incident, detail={"hand_over": row.uid})
        return hand_over_of(connection, self._row(connection, row.uid))

    def _refresh(self, connection: Connection, row: Row[Any]) -> None:
        """Add to the list what has come up since, and note what is no longer open."""
        table, now = tables.hand_over_item, self._casebook.now()
        hand = hand_over_of(connection, row)
        difference = compare(hand.items, self._items(connection, row.incident, IncidentRole(row.role), row.outgoing))
        for kind, item in difference.gone:
            mine = (table.c.hand_over == row.uid) & (table.c.kind == kind) & (table.c.item == item)
            connection.execute(update(table).where(mine).values(gone_at=now))
        known = {(item.kind, item.uid) for item in hand.items}
        for new in difference.new:
            if (new.kind.value, new.uid) in known:  # open again: acknowledged anew
                mine = (table.c.hand_over == row.uid) & (table.c.kind == new.kind.value) & (table.c.item == new.uid)
                connection.execute(update(table).where(mine).values(gone_at=None, acknowledged_at=None, text=clean(new.text), due=new.due))
            else:
                values = {"kind": new.kind.value, "item": new.uid[:128], "text": clean(new.text), "due": new.due}
                connection.execute(insert(table).values(hand_over=row.uid, **values, at=now))

    def _items(self, connection: Connection, incident: str, role: IncidentRole, holder: str) -> Sequence[OpenItem]:
        """Return what passes with a role: with the lead and the deputy everything, with a team's lead the team's, else one's own."""
        items = self._reader.view(connection, incident).open_items
        if role in {IncidentRole.LEAD, IncidentRole.DEPUTY}:
            return items
        team = ROLE_TEAMS.get(role)
        if team:
            return [item for item in items if item.team in {"", team}]
        if role is IncidentRole.EVIDENCE_CUSTODIAN:
            return [item for item in items if item.kind is ItemKind.EVIDENCE]
        return [item for item in items if item.owner == holder]

    @staticmethod
    def _holder(connection: Connection, incident: str, role: IncidentRole) -> str:
        table = tables.incident_role
        held = select(table.c.person).where(table.c.incident == incident, table.c.role == role.value, table.c.until.is_(None))
        return connection.execute(held).scalar() or ""

    def _sit(self, connection: Connection, incident: str, role: IncidentRole, person: str, by: str) -> None:
        table, now = tables.incident_role, self._casebook.now()
        held = (table.c.incident == incident) & (table.c.role == role.value) & table.c.until.is_(None)
        connection.execute(update(table).where(held).values(until=now))
        if person:
            values = {"role": role.value, "person": clean(person)[:128], "since": now, "by": clean(by)[:128]}
            connection.execute(insert(table).values(uid=self._casebook.ids(), incident=incident, **values))
        if role is IncidentRole.LEAD:
            self._casebook.change(connection, incident, lead=clean(person)[:128])

    def _write(self, connection: Connection, incident: str, said: str, by: str, team: str, uid: str) -> None:
        self._casebook.append(connection, incident, "hand_over", said[:10_000], recorded_by=by, team=team, refs={"hand_over": uid})

    def _end(self, connection: Connection, uid: str, state: str) -> None:
        values = {"state": state, "ended_at": self._casebook.now()}
        connection.execute(update(tables.hand_over).where(tables.hand_over.c.uid == uid).values(**values))

    @staticmethod
    def _row(connection: Connection, uid: str) -> Row[Any]:
        row = connection.execute(select(tables.hand_over).where(tables.hand_over.c.uid == uid)).one_or_none()
        if row is None:
            raise NotFound(f"There is no hand-over {uid}.")
        return row

    def _open(self, connection: Connection, uid: str) -> Row[Any]:
        row = self._row(connection, uid)
        if row.state != "open":
            raise Conflict(f"The hand-over is {row.state} already.")
        return row

    @staticmethod
    def _check_incoming(row: Row[Any], by: str) -> None:
        if by != row.incoming:
            raise Forbidden(f"Only {row.incoming} acknowledges this hand-over.")
