"""Committees kept: bodies with their rules and members, absences, and the secret address of each calendar."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from watchword.govern import committee_tables as tables
from watchword.govern.body import Body, BodyRules, Member, Seat, faults_of
from watchword.govern.decision_rules import Fallback, Roll
from watchword.govern.meeting_calendar import check_cadence
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.kit.secrets import keyed_hash
from watchword.respond.ports import Auditor
from watchword.respond.reach_service import Roster
from watchword.respond.sealed import derived_key

LONGEST_ABSENCE: Final = 400
FEED_LENGTH: Final = 40


@dataclass(frozen=True, slots=True)
class Absence:
    """Days on which a member takes no role."""

    uid: str
    person: str
    since: date
    until: date


class Committees:
    """Keeps bodies in `Records`; every change is audited in the same transaction."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor, roster: Roster, site_key: bytes) -> None:
        self._records, self._clock, self._auditor, self._roster = records, clock, auditor, roster
        self._ledger = Ledger(records)
        self._key = derived_key(site_key, "committee feed")

    # bodies

    def put(self, name: str, rules: BodyRules, members: Sequence[Member], *, by: str, uid: str = "", version: int | None = None) -> Body:
        """Keep a body with its rules and members.

        Args:
            name: What it is called.
            rules: What it gave itself.
            members: Who sits in it, for which domain; the order is kept.
            by: Who changes it.
            uid: Of the body that is changed; empty: a new one.
            version: The one that was read; None for a new body.

        Raises:
            InputError: every fault of it, in words.
            Conflict: it was changed meanwhile, or its name is taken.
            NotFound: there is no such body.
        """
        found = faults_of(name, rules, tuple(members))
        found += [f"nobody active is called {each.person[:64]!r}" for each in members if not self._roster.team_of(each.person)]
        found += [f"{each.mail[:64]!r} is no mail address" for each in members if each.mail and not _is_mail(each.mail)]
        if found:
            raise InputError(f"{name[:64] or 'the body'}: " + "; ".join(found), "body")
        check_cadence(rules)
        now, table, made = to_millisecond(self._clock.now()), tables.body, uid or random_uid()
        values = {"name": name.strip(), "rules": _rules_json(rules), "changed_at": now, "changed_by": by}
        with self._records.begin() as connection:
            same = select(table.c.uid).where(table.c.name == name.strip(), table.c.uid != made)
            if connection.execute(same).first() is not None:
                raise Conflict(f"another body is called {name.strip()!r}")
            if not uid:
                connection.execute(insert(table).values(uid=made, version=1, feed=0, **values))
            else:
                self._change(connection, uid, version, values)
            self._members(connection, made, members, now)
            detail = {"members": {each.person: each.seat.value for each in members}, "rules": _rules_json(rules)}
            self._auditor.write(by, "body.put", made, name, detail, connection=connection)
            self._ledger.append_change(connection, "meeting", made, {"body": made}, now)
            return self.within(connection, made)

    def _change(self, connection: Connection, uid: str, version: int | None, values: Mapping[str, Any]) -> None:
        table = tables.body
        have = connection.execute(select(table.c.version).where(table.c.uid == uid).with_for_update()).scalar()
        if have is None:
            raise NotFound("there is no such body")
        if have != version:
            raise Conflict("this body was changed meanwhile; read it again")
        connection.execute(update(table).where(table.c.uid == uid).values(version=have + 1, **values))

    def _members(self, connection: Connection, uid: str, members: Sequence[Member], now: datetime) -> None:
        table = tables.body_member
        since = {row.person: row.since for row in connection.execute(select(table).where(table.c.body == uid))}
        connection.execute(delete(table).where(table.c.body == uid))
        rows = [
            {
                "body": uid,
                "person": each.person,
                "domain": each.seat.value,
                "mail": each.mail,
                "since": since.get(each.person, now),
                "position": number,
            }
            for number, each in enumerate(members)
        ]
        connection.execute(insert(table), rows)

    def get(self, uid: str) -> Body:
        """Return a body by its uid or its name.

        Raises:
            NotFound: there is none.
        """
        with self._records.read() as connection:
            return self.within(connection, uid)

    def within(self, connection: Connection, uid: str) -> Body:
        """Return a body within a transaction.

        Raises:
            NotFound: there is none.
        """
        row = connection.execute(select(tables.body).where((tables.body.c.uid == uid) | (tables.body.c.name == uid))).first()
        if row is None:
            raise NotFound(f"there is no body {uid[:64]!r}")
        return _body(row, _seats(connection).get(row.uid, ()))

    def list(self) -> list[Body]:
        """Return every body by name."""
        with self._records.read() as connection:
            seats = _seats(connection)
            return [_body(row, seats.get(row.uid, ())) for row in connection.execute(select(tables.body).order_by(tables.body.c.name))]

    def seat(self, connection: Connection, uid: str, person: str) -> str:
        """Return for which domain somebody sits in a body.

        Raises:
            Forbidden: they do not.
        """
        table = tables.body_member
        found = connection.execute(select(table.c.domain).where(table.c.body == uid, table.c.person == person)).scalar()
        if found is None:
            raise Forbidden("only members of this body do that")
        return str(found)

    # absences

    def absences(self, uid: str) -> Sequence[Absence]:
        """Return the absences of a body's members that have not ended, earliest first."""
        table = tables.body_absence
        query = select(table).where(table.c.body == uid, table.c.until >= self._clock.now().date()).order_by(table.c.since, table.c.person)
        with self._records.read() as connection:
            return [Absence(row.uid, row.person, row.since, row.until) for row in connection.execute(query)]

    def add_absence(self, uid: str, person: str, since: date, until: date, *, by: str) -> str:
        """Say that a member is away; they take no role on those days. Return the absence's uid.

        Raises:
            InputError: the days are none, or too many.
            Forbidden: this is no member.
        """
        if not 0 <= (until - since).days <= LONGEST_ABSENCE:
            raise InputError(f"an absence ends after it begins, within {LONGEST_ABSENCE} days", "until")
        made = random_uid()
        with self._records.begin() as connection:
            self.seat(connection, uid, person)
            connection.execute(insert(tables.body_absence).values(uid=made, body=uid, person=person, since=since, until=until))
            self._auditor.write(by, "body.absence", uid, detail={"person": person, "since": str(since)}, connection=connection)
            self._ledger.append_change(connection, "meeting", uid, {"body": uid}, self._clock.now())
        return made

    def drop_absence(self, absence: str, *, by: str) -> None:
        """Take an absence back.

        Raises:
            NotFound: there is none.
        """
        table = tables.body_absence
        with self._records.begin() as connection:
            row = connection.execute(select(table).where(table.c.uid == absence)).first()
            if row is None:
                raise NotFound("there is no such absence")
            connection.execute(delete(table).where(table.c.uid == absence))
            self._auditor.write(by, "body.absence.drop", row.body, detail={"person": row.person}, connection=connection)

    # the calendar's address

    def feed_token(self, uid: str) -> str:
        """Return the secret part of the address at which a calendar program, which cannot log in, finds the meetings."""
        with self._records.read() as connection:
            row = connection.execute(select(tables.body.c.feed).where(tables.body.c.uid == uid)).first()
        if row is None:
            raise NotFound("there is no such body")
        return keyed_hash(self._key, f"{uid}\n{row.feed}")[:FEED_LENGTH]

    def body_of_feed(self, token: str) -> Body:
        """Return the body behind a calendar's secret address.

        Raises:
            NotFound: there is none, or it was renewed.
        """
        with self._records.read() as connection:
            rows = connection.execute(select(tables.body.c.uid, tables.body.c.feed)).all()
        for row in rows:
            if keyed_hash(self._key, f"{row.uid}\n{row.feed}")[:FEED_LENGTH] == token:
                return self.get(row.uid)
        raise NotFound("there is no such calendar; ask for its present address")

    def renew_feed(self, uid: str, *, by: str) -> str:
        """Make the calendar's secret address void and return the new secret part."""
        with self._records.begin() as connection:
            connection.execute(update(tables.body).where(tables.body.c.uid == uid).values(feed=tables.body.c.feed + 1))
            self._auditor.write(by, "body.feed.renew", uid, connection=connection)
        return self.feed_token(uid)


def roll_of(body: Body) -> Roll:
    """Return who decides by which rule, as the body stands now."""
    rules = body.rules
    return Roll(
        dict(body.seats),
        rules.quorum,
        {Seat.IT.value: rules.quorum_it, Seat.PHYSICAL.value: rules.quorum_physical},
        rules.fallback,
        rules.decider,
        rules.silence_consents,
        rules.zone,
        rules.holidays,
        rules.question_days,
        rules.objection_days,
    )


def _is_mail(text: str) -> bool:
    name, at, host = text.partition("@")
    return bool(name and at and "." in host) and len(text) <= 254 and text.isprintable() and not set(text) & set(' ,;<>"\r\n')


def _rules_json(rules: BodyRules) -> dict[str, Any]:
    plain = asdict(rules)
    plain |= {"first": rules.first.isoformat(), "at": rules.at.isoformat("minutes"), "fallback": rules.fallback.value}
    return plain | {"roles": [*rules.roles], "takes": [*rules.takes], "holidays": [day.isoformat() for day in rules.holidays]}


def _rules(kept: Mapping[str, Any]) -> BodyRules:
    known = {each.name for each in fields(BodyRules)}
    plain = {name: value for name, value in kept.items() if name in known}
    plain |= {"first": date.fromisoformat(plain["first"]), "at": time.fromisoformat(plain["at"]), "fallback": Fallback(plain["fallback"])}
    lists = {"roles": tuple(plain["roles"]), "takes": tuple(plain.get("takes", ()))}
    return BodyRules(**plain | lists | {"holidays": tuple(map(date.fromisoformat, plain["holidays"]))})


def _seats(connection: Connection) -> dict[str, tuple[Member, ...]]:
    table = tables.body_member
    found: dict[str, tuple[Member, ...]] = {}
    for row in connection.execute(select(table).order_by(table.c.body, table.c.position)):
        found[row.body] = (*found.get(row.body, ()), Member(row.person, Seat(row.domain), row.mail, row.since))
    return found


def _body(row: Row[Any], members: tuple[Member, ...]) -> Body:
    return Body(row.uid, row.name, _rules(row.rules), members, row.version, row.changed_at, row.changed_by)
