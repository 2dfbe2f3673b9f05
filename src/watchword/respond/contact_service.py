"""Contacts: by which channels a person wants to be called, in their order; addresses are kept sealed and shown on paper only."""

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any, Final
from zoneinfo import available_timezones

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Corrupt, InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.respond import paging_tables as tables
from watchword.respond.ports import Auditor, Channel
from watchword.respond.quiet import QuietHours
from watchword.respond.reach_service import Channels, Roster
from watchword.respond.sealed import NONCE_BYTES, derived_key, seal, unseal

KINDS: Final = ("mail", "push", "chat", "sms", "voice", "webhook")
MOST: Final = 10
"""Most contacts of one person."""
LONGEST: Final = 2_000
BARE: Final = re.compile(r"\+?[0-9][0-9 ()/.-]{3,30}|[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,190}")
"""A telephone number or a mail address, as people write it on paper."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One way of reaching one person; `label` says in their words which it is."""

    uid: str
    person: str
    kind: str
    label: str
    quiet: QuietHours | None
    enabled: bool

    @property
    def name(self) -> str:
        """Return how attempts and beats name it."""
        return f"contact:{self.uid}"


class Contacts:
    """Keeps contacts in `Records`; every change is audited in the same transaction, without the address."""

    def __init__(self, records: Records, clock: Clock, channels: Channels, roster: Roster, auditor: Auditor, site_key: bytes) -> None:
        self._records = records
        self._clock = clock
        self._channels = channels
        self._roster = roster
        self._auditor = auditor
        self._key = derived_key(site_key, "contact")

    def add(self, person: str, kind: str, label: str, address: str, *, by: str, quiet: QuietHours | None = None) -> Contact:
        """Keep a contact behind those that the person has.

        Args:
            person: account name.
            kind: one of `KINDS`.
            label: what the person calls it: "my phone".
            address: an Apprise address, or a bare mail address or telephone number where the settings name a gateway for them.
            by: who enters it.
            quiet: hours in which light pages wait for another.

        Raises:
            InputError: nobody is called so, or no service reads the address; the message never holds it.
        """
        _check(kind, label, address, quiet)
        if not self._roster.team_of(person):
            raise InputError(f"nobody active is called {person!r}; make the account first", "person")
        self._channels.open(address, kind, label)
        uid, table = random_uid(), tables.contact
        said = "" if quiet is None else json.dumps({"zone": quiet.zone, "since": str(quiet.since), "until": str(quiet.until)})
        with self._records.begin() as connection:
            have, last = connection.execute(select(func.count(), func.max(table.c.rank)).where(table.c.person == person)).one()
            if have >= MOST:
                raise InputError(f"{person} has {have} contacts, at most {MOST} are kept; remove one first", "person")
            row = {"uid": uid, "person": person, "rank": (last or 0) + 1, "kind": kind, "label": label, "quiet": said, "enabled": True}
            sealed = seal(self._key, address, uid, secrets.token_bytes(NONCE_BYTES))
            connection.execute(insert(table).values(**row, sealed=sealed, made_at=to_millisecond(self._clock.now())))
            self._auditor.write(by, "contact.add", person, detail={"contact": uid, "kind": kind, "label": label}, connection=connection)
        return Contact(uid, person, kind, label, quiet, enabled=True)

    def remove(self, uid: str, *, by: str) -> None:
        """Forget a contact.

        Raises:
            NotFound: there is no such contact.
        """
        with self._records.begin() as connection:
            found = self._one(connection, uid)
            connection.execute(delete(tables.contact).where(tables.contact.c.uid == uid))
            self._auditor.write(by, "contact.remove", found.person, detail={"contact": uid, "label": found.label}, connection=connection)

    def enable(self, uid: str, *, by: str, enabled: bool) -> None:
        """Use a contact, or leave it out until further notice.

        Raises:
            NotFound: there is no such contact.
        """
        with self._records.begin() as connection:
            found = self._one(connection, uid)
            connection.execute(update(tables.contact).where(tables.contact.c.uid == uid).values(enabled=enabled))
            detail = {"contact": uid, "enabled": enabled}
            self._auditor.write(by, "contact.enable", found.person, detail=detail, connection=connection)

    def order(self, person: str, uids: Sequence[str], *, by: str) -> None:
        """Put a person's contacts in the order in which they are used.

        Raises:
            InputError: not exactly the person's contacts are named.
        """
        with self._records.begin() as connection:
            if {each.uid for each in self.within(connection, person, everything=True)} != {*uids} or len({*uids}) != len(uids):
                raise InputError("name each of the person's contacts once", "contacts")
            for rank, uid in enumerate(uids, 1):
                connection.execute(update(tables.contact).where(tables.contact.c.uid == uid).values(rank=rank))
            self._auditor.write(by, "contact.order", person, detail={"contacts": list(uids)}, connection=connection)

    def contacts(self, person: str = "") -> list[Contact]:
        """Return a person's contacts in their order, or everybody's by name; none holds an address."""
        table = tables.contact
        query = select(table).order_by(table.c.person, table.c.rank)
        with self._records.read() as connection:
            return [_contact(row) for row in connection.execute(query.where(table.c.person == person) if person else query)]

    def within(self, connection: Connection, person: str, *, everything: bool = False) -> Sequence[Contact]:
        """Return a person's contacts within a transaction: the usable ones, or all."""
        table = tables.contact
        query = select(table).where(table.c.person == person).order_by(table.c.rank, table.c.uid)
        return [_contact(row) for row in connection.execute(query if everything else query.where(table.c.enabled))]

    def channel(self, uid: str) -> Channel:
        """Open a contact's channel.

        Raises:
            NotFound: it was removed.
            Corrupt: its address does not open.
            InputError: no service reads its address any more.
        """
        with self._records.read() as connection:
            row = connection.execute(select(tables.contact).where(tables.contact.c.uid == uid)).first()
        if row is None:
            raise NotFound("this contact was removed")
        return self._channels.open(unseal(self._key, row.sealed, uid), row.kind, row.label)

    def by_hand(self, person: str) -> list[tuple[str, str]]:
        """Return (label, address) of what people can use without us, for paper: bare numbers and mail addresses, nothing with a secret."""
        with self._records.read() as connection:
            rows = connection.execute(
                select(tables.contact).where(tables.contact.c.person == person, tables.contact.c.enabled).order_by(tables.contact.c.rank)
            ).all()
        found = []
        for row in rows:
            try:
                address = unseal(self._key, row.sealed, row.uid)
            except Corrupt:
                continue
            if BARE.fullmatch(address):
                found.append((row.label, address))
        return found

    def _one(self, connection: Connection, uid: str) -> Contact:
        row = connection.execute(select(tables.contact).where(tables.contact.c.uid == uid)).first()
        if row is None:
            raise NotFound("there is no such contact")
        return _contact(row)


def _check(kind: str, label: str, address: str, quiet: QuietHours | None) -> None:
    if kind not in KINDS:
        raise InputError(f"{kind[:40]!r} is no kind of channel; one of {', '.join(KINDS)}", "kind")
    if not label.strip() or len(label) > 100 or not label.isprintable():
        raise InputError("call the contact something, in at most 100 characters", "label")
    if not address.strip() or len(address) > LONGEST or not address.isprintable():
        raise InputError(f"an address has 1 to {LONGEST} characters on one line", "address")
    if quiet is not None and quiet.zone not in available_timezones():
        raise InputError(f"{quiet.zone[:40]!r} is no time zone; write it as in Europe/Berlin", "quiet")


def _contact(row: Row[Any]) -> Contact:
    said = json.loads(row.quiet) if row.quiet else None
    quiet = QuietHours(said["zone"], time.fromisoformat(said["since"]), time.fromisoformat(said["until"])) if said else None
    return Contact(row.uid, row.person, row.kind, row.label, quiet, row.enabled)
