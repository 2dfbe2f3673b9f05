"""The library of playbooks: versions kept, judged, compared, signed and reviewed; what comes in loses its clear secrets first."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, ContentError, Corrupt, InputError, NotFound
from watchword.kit.errors import Fault as ContentFault
from watchword.kit.records import Records
from watchword.respond.cacao import playbook_of, write_json
from watchword.respond.extensions import ExtensionFault, playbook_extension
from watchword.respond.json_text import JsonFault, read_json
from watchword.respond.library_tables import playbook_review, playbook_version
from watchword.respond.library_view import KeptPlaybook, Version, body_digest, moment_of, slug_of
from watchword.respond.lint import LINT_VERSION, Fault, fatal, validate
from watchword.respond.lint_flow import IDENTIFIER
from watchword.respond.playbook_diff import Change, differences
from watchword.respond.ports import Auditor
from watchword.respond.secret_cut import without_secrets
from watchword.respond.signature import (
    Mathematics,
    Policy,
    Verdict,
    der_of,
    fingerprint_of,
    key_of_seed,
    policy_fault,
    sign,
    trusted_key,
    verdicts,
)

REVIEW_EVERY: Final = timedelta(days=365)
"""When a playbook that says nothing is to be reviewed, from its first arrival."""
SHIPPED_BY: Final = "watchword"


class Library:
    """Keeps playbooks.

    Args:
        records: where rows are kept.
        clock: tells the time.
        signing_key: 32 secret bytes, as `kit.secrets.key_from_file` keeps them; empty: this site signs nothing.
        auditor: where every deed is written, in its transaction.
        trusted: public keys of others that this site trusts, PEM or base64 DER; its own is always trusted.
        policy: what is asked of signatures before a playbook starts.
    """

    def __init__(
        self,
        records: Records,
        clock: Clock,
        signing_key: bytes = b"",
        *,
        auditor: Auditor,
        trusted: Sequence[str] = (),
        policy: Policy = Policy.SOUND,
    ) -> None:
        self._records = records
        self._clock = clock
        self._auditor = auditor
        self._policy = policy
        self._key = key_of_seed(signing_key) if signing_key else None
        self._own = fingerprint_of(self._key.public_key()) if self._key else ""
        self._trusted = dict(trusted_key(text) for text in trusted)
        if self._key:
            self._trusted[self._own] = der_of(self._key.public_key())

    # in

    def put(self, text: str | bytes, by: str, *, restamp: bool = False, shipped: bool = False) -> KeptPlaybook:
        """Keep a playbook as a version. Faults do not keep it out, but from starting; secrets in clear are cut out.

        Args:
            text: CACAO JSON.
            by: who brings it.
            restamp: give it the present moment as `modified`, as an edit does; otherwise it says itself which version it is.
            shipped: it comes with Watchword; a text of an earlier release under the same version is replaced.

        Raises:
            ContentError: it is no JSON object with an id, a version and a workflow, or too large to follow.
            Conflict: the same version is kept already and says something else.
        """
        now = to_millisecond(self._clock.now())
        value, given = self._read(text)
        received = [str(one) for one in verdicts(value, now, self._trusted)]
        kept, cut = without_secrets(value)
        if restamp:
            kept["modified"] = self._next_stamp(str(kept.get("id")), now)
        kept = self._without_void(kept, now)
        row = self._row(kept, given if kept == value else write_json(kept), now)
        row |= {"cut": list(cut), "received": received, "shipped": shipped, "by": by, "at": now}
        try:
            with self._records.begin() as connection:
                self._keep(connection, row, kept, by)
        except IntegrityError as error:
            raise Conflict(f"version {row['modified']} was put by somebody else at this moment; look at it and put yours again") from error
        return self.get(row["id"], row["modified"])

    def install_shipped(self) -> int:
        """Keep the playbooks that come with Watchword, each once; return how many were new. A site's own later versions stay the newest."""
        folder = files("watchword") / "content" / "playbooks"
        found = sorted((one for one in folder.iterdir() if one.name.endswith(".json")), key=lambda one: one.name) if folder.is_dir() else []
        new = 0
        for one in found:
            text = one.read_text("utf-8")
            value, _ = self._read(text, f"content/playbooks/{one.name}")
            row = self._find_row(str(value["id"]), str(value["modified"]))
            if row is None or (row.shipped and row.body != body_digest(value)):
                self.put(text, SHIPPED_BY, shipped=True)
                new += 1
        return new

    def _read(self, text: str | bytes, name: str = "playbook") -> tuple[dict[str, Any], str]:
        """Return the JSON object of a playbook that can be kept, and its text."""
        try:
            document = read_json(text)
        except JsonFault as error:
            raise ContentError([ContentFault(name, error.line, f"bad-json: {error}")]) from error
        value = document.value
        faults = [ContentFault(name, fault.line, f"{fault.code}: {fault.text}") for fault in fatal(document, name)]
        if not faults:
            identifier = IDENTIFIER.fullmatch(value["id"]) if isinstance(value.get("id"), str) else None
            if identifier is None or identifier[1] != "playbook":
                faults.append(ContentFault(name, document.line("id"), "id is no identifier of a playbook", "write playbook--<uuid>"))
            if moment_of(value.get("modified")) is None:
                faults.append(ContentFault(name, document.line("modified"), "modified is no moment", "write 2026-01-31T09:00:00.000Z"))
        if faults:
            raise ContentError(faults)
        return value, text if isinstance(text, str) else text.decode("utf-8")

    def _next_stamp(self, identifier: str, now: datetime) -> str:
        """Return a version later than every one that is kept."""
        with self._records.read() as connection:
            query = select(playbook_version.c.modified_at).where(playbook_version.c.id == identifier)
            newest = connection.execute(query.order_by(playbook_version.c.modified_at.desc()).limit(1)).scalar()
        moment = max(now, newest + timedelta(milliseconds=1)) if newest else now
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _without_void(self, value: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Take off signatures of our own key that no longer fit: an edit voids them. Those of others stay and are shown as they are."""
        listed = value.get("signatures")
        if not self._own or not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            return value
        void = {
            place
            for place, one in enumerate(verdicts(value, now, self._trusted))
            if one.fingerprint == self._own and one.mathematics is not Mathematics.VALID
        }
        if not void:
            return value
        rest = [one for place, one in enumerate(listed) if place not in void]
        return {name: one for name, one in value.items() if name != "signatures"} | ({"signatures": rest} if rest else {})

    def _row(self, value: Mapping[str, Any], text: str, now: datetime) -> dict[str, Any]:
        moment = moment_of(value["modified"]) or now
        return {
            "id": value["id"],
            "modified": value["modified"],
            "modified_at": to_millisecond(moment),
            "name": value["name"].replace("\0", "") if isinstance(value.get("name"), str) else "",
            "text": text,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "body": body_digest(value),
            "faults": [asdict(fault) for fault in validate(text, value["id"])],
            "lint_version": LINT_VERSION,
        }

    def _keep(self, connection: Connection, row: Mapping[str, Any], value: Mapping[str, Any], by: str) -> None:
        same = (playbook_version.c.id == row["id"]) & (playbook_version.c.modified == row["modified"])
        kept = connection.execute(select(playbook_version).where(same)).first()
        if kept is not None and kept.text == row["text"]:
            return
        if kept is not None and kept.body != row["body"] and not (kept.shipped and row["shipped"]):
            raise Conflict(f"version {row['modified']} of {row['id']} is kept already and says something else; give yours a later modified")
        if kept is None:
            connection.execute(insert(playbook_version).values(**row))
        else:
            connection.execute(update(playbook_version).where(same).values({name: row[name] for name in row if name not in ("by", "at")}))
        self._plan_review(connection, value, row["at"])
        detail = {"modified": row["modified"], "sha256": row["sha256"], "cut": row["cut"][:20]}
        self._auditor.write(by, "playbook.put", row["id"], "", detail, connection=connection)

    def _plan_review(self, connection: Connection, value: Mapping[str, Any], now: datetime) -> None:
        """Set the day of the next review: what the playbook says, or a year from its first arrival."""
        try:
            due = playbook_extension(playbook_of(value)).review_due
        except ExtensionFault:
            due = None
        here = playbook_review.c.id == value["id"]
        if connection.execute(select(playbook_review.c.due).where(here)).first() is None:
            connection.execute(insert(playbook_review).values(id=value["id"], due=due or (now + REVIEW_EVERY).date()))
        elif due is not None:
            connection.execute(update(playbook_review).where(here).values(due=due))

    # out

    def get(self, id: str, modified: str = "") -> KeptPlaybook:  # noqa: A002 - the standard's word for it
        """Return a version, the newest when none is named.

        Raises:
            NotFound: there is none.
            Corrupt: its text is not what was kept.
        """
        row = self._find_row(id, modified)
        if row is None:
            raise NotFound(f"there is no playbook {id!r}" + (f" of version {modified!r}" if modified else ""))
        if hashlib.sha256(row.text.encode()).hexdigest() != row.sha256:
            raise Corrupt(f"the text of playbook {id} {row.modified} is not what was kept")
        value = read_json(row.text).value
        faults = [Fault(**fault) for fault in row.faults] if row.lint_version == LINT_VERSION else validate(row.text, row.id)
        return KeptPlaybook(
            row.id,
            row.modified,
            row.name,
            row.text,
            playbook_of(value),
            row.sha256,
            tuple(faults),
            verdicts(value, self._clock.now(), self._trusted),
            row.due,
            row.shipped,
            row.by,
            row.at,
            tuple(row.cut),
            tuple(row.received),
        )

    def find(self, word: str) -> KeptPlaybook:
        """Return the newest version of the playbook with this id or name; ``stolen-laptop`` finds *Stolen laptop*.

        Raises:
            NotFound: there is none, or more than one; the names are listed.
        """
        names = self.names()
        found = [word] if word in names else [one for one, name in names.items() if slug_of(name) == slug_of(word)]
        if len(found) != 1:
            listed = ", ".join(sorted(slug_of(name) for name in names.values())) or "none"
            raise NotFound(f"{'no playbook is' if not found else 'several playbooks are'} called {word!r}; there are: {listed}")
        return self.get(found[0])

    def names(self) -> dict[str, str]:
        """Return the name of every playbook by id, as its newest version says it."""
        return {one.id: one.name for one in self.list()}

    def list(self) -> list[Version]:
        """Return the newest version of every playbook, by name."""
        newest: dict[str, Version] = {}
        for one in self._versions():
            newest.setdefault(one.id, one)
        return sorted(newest.values(), key=lambda one: (one.name.casefold(), one.id))

    def versions(self, id: str) -> Sequence[Version]:  # noqa: A002 - the standard's word for it
        """Return every version of a playbook, the newest first.

        Raises:
            NotFound: there is none.
        """
        found = self._versions(id)
        if not found:
            raise NotFound(f"there is no playbook {id!r}")
        return found

    def diff(self, id: str, a: str, b: str) -> tuple[Change, ...]:  # noqa: A002 - the standard's word for it
        """Return what differs from version `a` to version `b`; an empty `b` is the newest.

        Raises:
            NotFound: a version is not there.
        """
        before, after = (read_json(self.get(id, version).text).value for version in (a, b))
        return differences(before, after)

    def judge(self, text: str | bytes) -> tuple[Verdict, ...]:
        """Judge the signatures of a playbook that is not kept here, by the keys that this site trusts.

        Raises:
            ContentError: it is no playbook that could be kept.
        """
        value, _ = self._read(text)
        return verdicts(value, self._clock.now(), self._trusted)

    def signature_fault(self, kept: KeptPlaybook) -> str:
        """Say why a version's signatures do not satisfy this site's policy; empty when they do. For runs, before they start."""
        return policy_fault(self._policy, kept.signatures)

    # deeds

    def sign(self, id: str, by: str, *, modified: str = "", valid_until: datetime | None = None) -> KeptPlaybook:  # noqa: A002 - as above
        """Put this site's signature on a version, in the name of whoever asks; the version stays what it is.

        Raises:
            Conflict: this site has no key, the version has errors, or it was changed at this moment.
            NotFound: there is none.
        """
        if self._key is None:
            raise Conflict("this site has no signing key; set one, then sign")
        kept = self.get(id, modified)
        if kept.errors:
            raise Conflict(f"a playbook with errors is not signed; the first of {len(kept.errors)}: {kept.errors[0]}")
        now = to_millisecond(self._clock.now())
        text = write_json(sign(read_json(kept.text).value, self._key, signee=by, now=now, valid_until=valid_until))
        row = self._row(read_json(text).value, text, now)
        with self._records.begin() as connection:
            same = (playbook_version.c.id == kept.id) & (playbook_version.c.modified == kept.modified)
            done = connection.execute(update(playbook_version).where(same, playbook_version.c.sha256 == kept.sha256).values(**row))
            if done.rowcount != 1:
                raise Conflict("the version was signed or replaced at this moment; look at it and sign again")
            detail = {"modified": kept.modified, "sha256": row["sha256"], "key": self._own}
            self._auditor.write(by, "playbook.sign", kept.id, "", detail, connection=connection)
        return self.get(kept.id, kept.modified)

    def reviewed(self, id: str, by: str, due: date, note: str = "") -> None:  # noqa: A002 - as above
        """Record that a playbook was reviewed, and when it is to be reviewed again.

        Raises:
            NotFound: there is none.
            InputError: the next review is not in the future.
        """
        now = to_millisecond(self._clock.now())
        if due <= now.date():
            raise InputError("the next review must lie in the future", "due")
        with self._records.begin() as connection:
            values = {"due": due, "reviewed_by": by, "reviewed_at": now, "note": note[:2_000]}
            if connection.execute(update(playbook_review).where(playbook_review.c.id == id).values(**values)).rowcount != 1:
                raise NotFound(f"there is no playbook {id!r}")
            self._auditor.write(by, "playbook.review", id, note[:2_000], {"due": due.isoformat()}, connection=connection)

    def due_for_review(self, day: date) -> Sequence[Version]:
        """Return the playbooks whose review is due on a day or was before, the longest overdue first."""
        return sorted((one for one in self.list() if one.review_due <= day), key=lambda one: (one.review_due, one.name))

    # rows

    def _find_row(self, id: str, modified: str) -> Row[Any] | None:  # noqa: A002 - as above
        table = playbook_version
        query = select(table, playbook_review.c.due).join(playbook_review, playbook_review.c.id == table.c.id).where(table.c.id == id)
        if modified:
            query = query.where(table.c.modified == modified)
        with self._records.read() as connection:
            return connection.execute(query.order_by(table.c.modified_at.desc(), table.c.modified.desc()).limit(1)).first()

    def _versions(self, id: str = "") -> Sequence[Version]:  # noqa: A002 - as above
        table, review = playbook_version, playbook_review
        columns = [table.c[name] for name in ("id", "modified", "name", "faults", "shipped", "by", "at", "sha256")]
        query = select(*columns, review.c.due, review.c.reviewed_by, review.c.reviewed_at).join(review, review.c.id == table.c.id)
        if id:
            query = query.where(table.c.id == id)
        with self._records.read() as connection:
            rows = connection.execute(query.order_by(table.c.modified_at.desc(), table.c.modified.desc())).all()
        return [
            Version(
                row.id,
                row.modified,
                row.name,
                sum(fault["severity"] == "error" for fault in row.faults),
                sum(fault["severity"] == "warning" for fault in row.faults),
                row.shipped,
                row.by,
                row.at,
                row.sha256,
                row.due,
                row.reviewed_by,
                row.reviewed_at,
            )
            for row in rows
        ]
