"""Evidence: acquired with its hash taken as it comes in, held by one person at a time, verified, and handed on only by two signatures."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from sqlalchemy import Connection, Row, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Forbidden, InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.model import Event
from watchword.model.action import Action
from watchword.respond import custody as chain
from watchword.respond.bundle_service import Contents, timeline_row, write_bundle
from watchword.respond.casebook_service import Casebook, incident_of
from watchword.respond.custody import CustodyEntry, Deed
from watchword.respond.evidence_rows_service import MS, entries_of, merged_into, piece_of, rows_of
from watchword.respond.evidence_tables import custody, evidence
from watchword.respond.evidence_view import About, Piece, checked, clean_text
from watchword.respond.originals_service import LARGEST, Originals
from watchword.respond.ports import Auditor, IncidentLog
from watchword.respond.raw_lines import Lines, Record, about_records, lines_of
from watchword.respond.signature import key_of_seed

AT_ONCE: Final = 500
LONGEST_REASON: Final = 2_000
MOST: Final = 10_000
"""Pieces of one incident in one bundle."""
SAID: Final = {
    Deed.ACQUIRED: "Evidence acquired", Deed.VIEWED: "Evidence opened", Deed.COPIED: "Evidence copied", Deed.OFFERED: "Evidence offered",
    Deed.ACCEPTED: "Evidence taken into custody", Deed.WITHDRAWN: "Offer of evidence withdrawn", Deed.TAKEN: "Evidence taken over",
    Deed.SEALED: "Evidence sealed", Deed.RELEASED: "Evidence released",
}  # fmt: skip


class Evidence:
    """Keeps pieces in `Records` and their originals in a folder; every deed is a signed link of the piece's chain, audited with it."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        folder: Path,
        auditor: Auditor,
        log: IncidentLog,
        signing_key: bytes,
        *,
        raw: Record | None = None,
        team_of: Callable[[str], str] | None = None,
        largest: int = LARGEST,
        reserve: int = 0,
    ) -> None:
        self.records, self.clock, self.auditor, self.log, self.signing_key = records, clock, auditor, log, signing_key
        self.originals = Originals(folder, largest, reserve)
        self._casebook = Casebook(records, clock, auditor)
        self._raw = raw
        self._team_of = team_of or (lambda _name: "")

    # in

    def acquire(
        self, source: BinaryIO | Path, about: About, *, incident: str, by: str, team: str = "", reason: str = "", key: str = ""
    ) -> Piece:
        """Take a file or stream in as it is, and open its chain of custody.

        Args:
            source: read once, in pieces, to its end.
            about: what it is and where it comes from.
            incident: uid of the incident that it belongs to.
            by: who acquires it, a person or a machine; they hold it from now on.
            team: for which they speak.
            reason: why, in words.
            key: asked again under the same key, the piece that was acquired then is returned and nothing is read.

        Raises:
            NotFound: there is no such incident.
            InputError: what is said of it cannot be kept, or it is empty.
            TooLarge: it has more bytes than the settings allow.
            Full: the disk is.
        """
        said = checked(about)
        self._incident(incident)
        if key and (kept := self.of_key(key)) is not None:
            return kept
        if isinstance(source, Path):
            with source.open("rb") as file:
                return self._acquire(file, said, incident, by, team, reason, key)
        return self._acquire(source, said, incident, by, team, reason, key)

    def _acquire(self, stream: BinaryIO, about: About, incident: str, by: str, team: str, reason: str, key: str) -> Piece:
        uid = random_uid()
        with self.originals.taking(stream) as taken:
            if not taken.size:
                raise InputError("It is empty: there is nothing to keep.", "file")
            row = {
                "uid": uid, "key": key or None, "incident": incident, "kind": about.kind.value, "name": about.name, "media": about.media,
                "sha256": taken.sha256, "size": taken.size, "source": about.source, "place": about.place, "since": about.since,
                "until": about.until, "clock_offset": None if about.clock_offset is None else about.clock_offset // MS,
                "player": about.player, "note": about.note, "by": by, "team": team, "acquired_at": to_millisecond(self.clock.now()),
                "custodian": by, "offered_to": "", "sealed": False, "released": False, "entries": 0, "head": chain.first_head(uid),
            }  # fmt: skip
            detail = {"sha256": taken.sha256, "size": str(taken.size), "name": about.name, "source": about.source}
            try:
                with self.originals.keeping(taken), self.begin() as connection:
                    connection.execute(insert(evidence).values(**row))
                    self.add(connection, uid, Deed.ACQUIRED, by, team, reason=reason, detail=detail)
            except IntegrityError:
                kept = self.of_key(key) if key else None
                if kept is None:
                    raise
                return kept  # somebody else was quicker under the same key: its file is the one that counts
        return self.get(uid)

    def keep(self, action: Action, stream: BinaryIO, about: About) -> Piece:
        """Take in what a responder fetched for an action: once per action, however often it is asked; held by the machine until taken over.

        This is the callable that a responder which fetches clips or logs is given.
        """
        by = f"run {action.run}" if action.run else action.requested_by or "watchword"
        return self.acquire(stream, about, incident=action.incident, by=by, reason=action.reason or action.verb, key=f"action:{action.key}")

    def acquire_events(
        self, incident: str, events: Iterable[Event], *, by: str, team: str = "", reason: str = "", key: str = "", name: str = ""
    ) -> Piece:
        """Take in the raw records behind events, as NDJSON: uid, source, arrival, and the body as text or, where it is none, in base64.

        Raises:
            InputError: there is none of them in the event log any more.
        """
        if self._raw is None:
            raise InputError("there is no event log here to take records from")
        found = sorted(events, key=lambda event: event.order)
        if not found:
            raise InputError("Name the events whose records are to be kept.", "events")
        uids = list(dict.fromkeys(event.record for event in found))
        about = about_records(found, name)
        stream = cast("BinaryIO", Lines(lines_of(uids, self._raw)))
        return self.acquire(stream, about, incident=incident, by=by, team=team, reason=reason, key=key)

    # hands

    def open(self, uid: str, *, by: str, team: str = "", reason: str) -> tuple[Piece, BinaryIO]:
        """Open a piece to look at it; the reading stands in its chain with its reason.

        Raises:
            InputError: no reason is given.
            Conflict: it is sealed or released.
            Corrupt: its file is gone.
        """
        piece = self.get(uid)
        file = self.originals.open(piece.sha256, piece.size)
        try:
            self._do(uid, Deed.VIEWED, by, team, reason=reason)
        except BaseException:
            file.close()
            raise
        return piece, file

    def transfer(self, uid: str, to: str, *, by: str, team: str = "", reason: str = "") -> CustodyEntry:
        """Offer a piece to somebody; it stays where it is until they accept.

        Raises:
            Forbidden: it is not in the hands of whoever offers it.
            InputError: nobody active is called so.
            Conflict: another offer stands, or it was released.
        """
        if not self._team_of(to):
            raise InputError(f"Nobody active is called {to[:64]!r}.", "to")
        return self._do(uid, Deed.OFFERED, by, team, to=to, reason=reason)

    def accept(self, uid: str, *, by: str, team: str = "", reason: str = "") -> CustodyEntry:
        """Take a piece that was offered: the second signature. From now on it is in the hands of whoever accepts.

        Raises:
            Forbidden: it was offered to somebody else, or to nobody.
        """
        return self._do(uid, Deed.ACCEPTED, by, team, reason=reason)

    def withdraw(self, uid: str, *, by: str, team: str = "", reason: str = "") -> CustodyEntry:
        """Take an offer back, or decline it."""
        return self._do(uid, Deed.WITHDRAWN, by, team, reason=reason)

    def take_over(self, uid: str, *, by: str, team: str = "", reason: str) -> CustodyEntry:
        """Take a piece that is in no person's hands: acquired by a machine, or held by somebody who may not respond any more.

        Raises:
            Forbidden: somebody holds it who can hand it over.
        """
        custodian = self.get(uid).custodian
        if self._team_of(custodian):
            raise Forbidden(f"{custodian} holds it and can hand it over: ask for a transfer.")
        return self._do(uid, Deed.TAKEN, by, team, reason=reason)

    def seal(self, uid: str, *, by: str, team: str = "", reason: str) -> CustodyEntry:
        """Seal a piece: nobody opens it here any more."""
        return self._do(uid, Deed.SEALED, by, team, reason=reason)

    def release(self, uid: str, to: str, *, by: str, team: str = "", reason: str) -> CustodyEntry:
        """End custody: say who has it from now on. The original stays where it is kept."""
        return self._do(uid, Deed.RELEASED, by, team, to=to, reason=reason)

    def _do(self, uid: str, deed: Deed, by: str, team: str, *, to: str = "", reason: str = "") -> CustodyEntry:
        with self.begin() as connection:
            return self.add(connection, uid, deed, by, team, to=to, reason=reason)

    def add(
        self,
        connection: Connection,
        uid: str,
        deed: Deed,
        by: str,
        team: str,
        *,
        to: str = "",
        reason: str = "",
        detail: dict[str, str] | None = None,
    ) -> CustodyEntry:
        """Append a link to a piece's chain, with the audit entry and, where it is more than a reading, the incident's.

        Raises:
            NotFound: there is no such piece.
            InputError, Forbidden, Conflict: see `custody.demand`.
        """
        row = self._locked(connection, uid)
        by, to, reason = clean_text(by)[:200], clean_text(to)[:200], clean_text(reason.strip())
        if len(reason) > LONGEST_REASON:
            raise InputError(f"A reason has at most {LONGEST_REASON} characters.", "reason")
        now = chain.holding(entries_of(connection, uid))
        if deed is not Deed.ACQUIRED:
            chain.demand(now, deed, by, to, reason)
        if deed is Deed.ACCEPTED and now.offer is not None:
            detail = {"offer": str(now.offer.seq), "offer_head": now.offer.head}
        moment = to_millisecond(self.clock.now())
        made = CustodyEntry(uid, row.entries + 1, deed, by, team, moment, to, reason, detail or {})
        made = chain.sealed_entry(made, row.head, chain.key_for(self.signing_key, by))
        values = {**chain.row_of(made), "at": made.at, "detail": json.dumps(dict(made.detail), sort_keys=True, ensure_ascii=False)}
        connection.execute(insert(custody).values(**values))
        stands = chain.after(now, made)
        kept = {"custodian": stands.custodian, "offered_to": stands.offered_to, "sealed": stands.sealed, "released": stands.released}
        connection.execute(update(evidence).where(evidence.c.uid == uid).values(entries=made.seq, head=made.head, **kept))
        if deed not in {Deed.VIEWED, Deed.COPIED}:
            self._tell(connection, row, made)
        said = {"deed": deed.value, "entry": made.seq, **({"to": to} if to else {})}
        self.auditor.write(by, f"evidence.{deed.value.rpartition(' ')[2]}", uid, reason, said, connection=connection)
        return made

    def _tell(self, connection: Connection, row: Row[Any], made: CustodyEntry) -> None:
        text = f"{SAID[made.deed]}: {row.name} ({row.kind})" + (f", to {made.to}" if made.to else "")
        if made.deed is Deed.ACQUIRED:
            text += f", {row.size:,} bytes, SHA-256 {row.sha256}" + (f", from {row.source}" if row.source else "")
        text += f". {made.reason}" if made.reason else ""
        refs = {"evidence": made.evidence}
        self.log.append(connection, row.incident, "evidence", text, occurred_at=made.at, recorded_by=made.by, team=made.team, refs=refs)

    # out

    def get(self, uid: str) -> Piece:
        """Return a piece.

        Raises:
            NotFound: there is none.
        """
        with self.records.read() as connection:
            return piece_of(_row(connection, uid))

    def of_key(self, key: str) -> Piece | None:
        """Return the piece that was acquired under a key, None while there is none."""
        with self.records.read() as connection:
            row = connection.execute(select(evidence).where(evidence.c.key == key)).one_or_none()
        return None if row is None else piece_of(row)

    def list(
        self, incident: str = "", *, custodian: str = "", after: tuple[datetime, str] | None = None, limit: int = 200
    ) -> "Sequence[Piece]":
        """Return pieces, the newest first; of an incident, also those that came with incidents merged into it.

        Args:
            incident: uid; '' for all.
            custodian: only those in these hands, or offered to them.
            after: (acquired_at, uid) of the last one seen.
            limit: most of them.
        """
        query = select(evidence).order_by(evidence.c.acquired_at.desc(), evidence.c.uid.desc()).limit(limit)
        if custodian:
            query = query.where(or_(evidence.c.custodian == custodian, evidence.c.offered_to == custodian), evidence.c.released.is_(False))
        if after is not None:
            when, uid = after
            query = query.where((evidence.c.acquired_at < when) | ((evidence.c.acquired_at == when) & (evidence.c.uid < uid)))
        with self.records.read() as connection:
            if incident:
                query = query.where(evidence.c.incident.in_(merged_into(connection, incident)))
            return [piece_of(row) for row in connection.execute(query)]

    def custody(self, uid: str) -> "Sequence[CustodyEntry]":
        """Return a piece's chain of custody, the acquisition first."""
        with self.records.read() as connection:
            return entries_of(connection, uid)

    def verify(self, uid: str) -> "Sequence[str]":
        """Return what is wrong with a piece: its chain, its signatures, its file; nothing: intact. Reads the file to its end."""
        with self.records.read() as connection:
            row = _row(connection, uid)
            entries = entries_of(connection, uid)
        found = chain.faults(uid, entries, (row.entries, row.head), self.signing_key)
        first = entries[0].detail if entries else {}
        if (first.get("sha256"), first.get("size")) != (row.sha256, str(row.size)):
            found.append(f"the row of {uid} names other bytes than those that were acquired")
        fault = self.originals.fault(row.sha256, row.size)
        return [*found, fault] if fault else found

    def export(self, incident: str, out: Path, *, by: str, team: str = "", reason: str, without: Collection[str] = ()) -> dict[str, Any]:
        """Write an incident's bundle, and into every chain that it was copied; return the manifest.

        Args:
            incident: uid; of a merged one, that of the one which took it up.
            out: the ZIP to be written; it is there whole, or not at all.
            by: who exports.
            team: for which they speak.
            reason: why; it stands in every chain.
            without: uids of pieces that go without their file, because it is damaged: they are named as left out.

        Raises:
            InputError: there is no reason.
            Corrupt: an original is not what was acquired.
        """
        if not reason.strip():
            raise InputError("Say why: the reason stands in every chain of custody.", "reason")
        pieces = sorted(self.list(incident, limit=MOST), key=lambda piece: (piece.acquired_at, piece.uid))
        for piece in pieces:  # before a link says so: what cannot be copied was not
            if piece.uid not in without:
                self.originals.open(piece.sha256, piece.size).close()
        with self.begin() as connection:
            uid = self._casebook.target(connection, incident)
            for piece in pieces:
                self.add(connection, piece.uid, Deed.COPIED, by, team, reason=reason, detail={"bundle": out.name})
            self.auditor.write(by, "evidence.export", uid, reason, {"pieces": len(pieces)}, connection=connection)
        with self.records.read() as connection:
            row = self._casebook.find(connection, uid)
            held = [(piece_of(_row(connection, piece.uid)), entries_of(connection, piece.uid)) for piece in pieces]
            left = {piece.uid: "its file is damaged or gone" for piece in pieces if piece.uid in without}
            made_at = to_millisecond(self.clock.now())
            contents = Contents(incident_of(row), row.entries, row.head, held, left, made_at, by)
            rows = (timeline_row(each) for each in rows_of(connection, uid, row.entries))
            return write_bundle(out, contents, rows, self.originals, key_of_seed(self.signing_key))

    @property
    def public_key(self) -> str:
        """The house's key for bundles, as 64 hex digits: to be told to whoever gets one, by another way."""
        return chain.public_hex(key_of_seed(self.signing_key))

    def sweep(self) -> int:
        """Delete what killed acquisitions and exports left behind; return how many files."""
        return self.originals.sweep(self._named)

    def _named(self, digests: Collection[str]) -> set[str]:
        asked = sorted(digests)
        found: set[str] = set()
        with self.records.read() as connection:
            for start in range(0, len(asked), AT_ONCE):
                query = select(evidence.c.sha256).where(evidence.c.sha256.in_(asked[start : start + AT_ONCE]))
                found.update(connection.execute(query).scalars())
        return found

    # rows

    def begin(self) -> Any:
        """Open a transaction that may write on incidents; see `Casebook.begin`."""
        return self._casebook.begin()

    def _incident(self, uid: str) -> None:
        with self.records.read() as connection:
            self._casebook.find(connection, uid)

    @staticmethod
    def _locked(connection: Connection, uid: str) -> Row[Any]:
        touched = update(evidence).where(evidence.c.uid == uid).values(entries=evidence.c.entries).returning(evidence)
        row = connection.execute(touched).one_or_none()
        if row is None:
            raise NotFound(f"There is no piece of evidence {uid}.")
        return row


def _row(connection: Connection, uid: str) -> Row[Any]:
    row = connection.execute(select(evidence).where(evidence.c.uid == uid)).one_or_none()
    if row is None:
        raise NotFound(f"There is no piece of evidence {uid}.")
    return row
