"""The people files: people, their badges, accounts and machines, each with the time for which it holds; card numbers only hashed."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from watchword.ingest.credential import account_uid, badge_hash, card_tail
from watchword.kit.errors import ContentError, Fault
from watchword.model import Credential, CredentialKind, Link, PeopleBook, Person, PersonKind
from watchword.resolve.cursor import did_you_mean, moment_of
from watchword.resolve.people_table import Row, read_rows

CARD_KINDS: Final = {"badges": CredentialKind.BADGE, "phones": CredentialKind.MOBILE, "plates": CredentialKind.PLATE}
CARD_PREFIX: Final = {CredentialKind.BADGE: "badge", CredentialKind.MOBILE: "badge", CredentialKind.PLATE: "plate"}
"""A phone shows its number to a reader as a card does: door controllers do not tell them apart."""
PLATE_CONFIDENCE: Final = 0.6
"""A vehicle is not a person."""
YES: Final = frozenset({"yes", "y", "true", "1", "x"})
NO: Final = frozenset({"no", "n", "false", "0", ""})
_VALID = re.compile(r"(.*?)\s*\[\s*(\S*?)\s*\.\.\s*(\S*?)\s*\]")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_UTC = ZoneInfo("UTC")
BEGIN: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """What one file (or several, joined) says, and what is doubtful in it though it is no fault."""

    book: PeopleBook
    notes: tuple[Fault, ...] = ()


def read_people(text: str, name: str, key: bytes, zone: ZoneInfo = _UTC, zones: Mapping[str, ZoneInfo] | None = None) -> PeopleFile:
    """Read a people, credential or account file, CSV or YAML.

    Args:
        text: The file.
        name: Its name; ``.yaml`` and ``.yml`` are read as YAML, anything else as CSV.
        key: The site key under which card numbers are hashed; the numbers themselves go nowhere.
        zone: Time zone of dates and times that state none.
        zones: Time zone by site, for rows that name their site.

    Raises:
        ContentError: with every wrong row, each with line and remedy.
    """
    reading = _Reading(name, key, zone, zones or {})
    rows = list(read_rows(text, name, reading.faults))
    for row in rows:
        reading.read(row)
    if not rows and not reading.faults:
        reading.faults.append(Fault(name, 1, "holds no rows"))
    if reading.faults:
        raise ContentError(reading.faults)
    book = PeopleBook(reading.people, reading.credentials, tuple(reading.links))
    return PeopleFile(book, tuple(Fault(name, 0, text) for text in disputes(book.links, book.credentials)))


def join_people(books: Iterable[PeopleBook]) -> PeopleFile:
    """Return one book of several files: rows of one person are joined when their times do not overlap, else the later file counts."""
    people: dict[str, Person] = {}
    credentials: dict[str, Credential] = {}
    links: dict[Link, None] = {}
    notes: list[Fault] = []
    for book in books:
        for uid, person in book.people.items():
            before = people.get(uid)
            joined = rehired(before, person) if before else person
            if joined is None:
                notes.append(
                    Fault("people", 0, f"{uid!r} is described in two files for the same time", "remove one; the later file counts")
                )
            people[uid] = joined or person
        credentials |= book.credentials
        links |= dict.fromkeys(book.links)
    whole = PeopleBook(people, credentials, tuple(links))
    notes += [Fault("people", 0, text) for text in disputes(whole.links, credentials)]
    strangers = sorted({link.person for link in links} - set(people))
    notes += [Fault("people", 0, f"{uid!r} holds credentials or machines, but no file describes them") for uid in strangers]
    return PeopleFile(whole, tuple(notes))


def rehired(before: Person, after: Person) -> Person | None:
    """Return the person with both times and the gap between them, or None when the times overlap."""
    first, second = sorted((before, after), key=lambda person: person.since or BEGIN)
    if first.until is None or second.since is None or second.since < first.until:
        return None
    gap = ((first.until, second.since),) if first.until < second.since else ()
    return replace(second, since=first.since, gaps=(*first.gaps, *gap, *second.gaps))


def disputes(links: Iterable[Link], credentials: Mapping[str, Credential]) -> list[str]:
    """Return a sentence for every credential that two people hold at the same time; it resolves to neither of them then."""
    by_entity: dict[str, list[Link]] = {}
    for link in links:
        by_entity.setdefault(link.entity, []).append(link)
    found = []
    for entity, same in by_entity.items():
        same.sort(key=lambda link: link.since or BEGIN)
        for index, link in enumerate(same):
            for other in same[index + 1 :]:
                if (other.since or BEGIN) >= (link.until or END):
                    break
                if other.person != link.person and other.confidence == link.confidence:
                    named = credentials[entity].label if entity in credentials else entity
                    found.append(f"{named} belongs to {link.person} and {other.person} at the same time: it resolves to neither meanwhile")
    return found


class _Reading:
    def __init__(self, name: str, key: bytes, zone: ZoneInfo, zones: Mapping[str, ZoneInfo]) -> None:
        self.name, self.key, self.home, self.zones = name, key, zone, zones
        self.zone = zone
        self.faults: list[Fault] = []
        self.people: dict[str, Person] = {}
        self.credentials: dict[str, Credential] = {}
        self.links: list[Link] = []

    def read(self, row: Row) -> None:
        """Read one row; faults are noted at its line."""
        number = self._plain(row, "employee")
        if not number:
            row.fault("the employee number is missing")
            return
        if ":" in number or any(sign.isspace() for sign in number):
            row.fault(f"employee number {number[:40]!r} holds a space or colon")
            return
        person = f"person:{number}"
        self.zone = self.zones.get(self._plain(row, "site"), self.home)
        since, until = self._span(row)
        if row.person:
            self._person(row, person, since, until)
            since = until = None
        for column, kind in CARD_KINDS.items():
            for value in row.cells.get(column, []):
                self._card(row, kind, value, person, since, until)
        for value in row.cells.get("accounts", []):
            self._account(row, value, person, since, until)
        for value in row.cells.get("assets", []):
            found = self._validity(row, value, since, until)
            if found:
                self.links.append(Link(f"asset:{found[0]}", person, found[1], found[2]))

    def _plain(self, row: Row, column: str) -> str:
        value = row.one(column)
        if value is None:
            return ""
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        row.fault(f"{column!r} must be a text", "put it in quotes")
        return ""

    def _person(self, row: Row, uid: str, since: datetime | None, until: datetime | None) -> None:
        name = self._plain(row, "name")
        if not name:
            row.fault("the name is missing")
            return
        word = (self._plain(row, "kind") or PersonKind.EMPLOYEE).lower()
        if word not in set(PersonKind):
            row.fault(f"kind {word!r} is not known", did_you_mean(word, tuple(PersonKind)))
            return
        person = Person(
            uid,
            name,
            PersonKind(word),
            self._plain(row, "role"),
            self._plain(row, "site"),
            since,
            until,
            remote=self._flag(row, "remote", default=False),
            works_alone=self._flag(row, "works_alone", default=True),
            shift=self._plain(row, "shift"),
        )
        before = self.people.get(uid)
        joined = rehired(before, person) if before else person
        if joined is None:
            row.fault(f"employee {uid.partition(':')[2]!r} stands here a second time", "remove one row, or give both since and until")
        else:
            self.people[uid] = joined

    def _flag(self, row: Row, column: str, *, default: bool) -> bool:
        value = row.one(column)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        word = str(value).strip().lower()
        if word not in YES | NO:
            row.fault(f"{column!r} is {word[:20]!r}", "write yes or no")
        return word in YES

    def _moment(self, row: Row, column: str, value: Any) -> datetime | None:
        if value is None or value == "":
            return None
        try:
            dotted = _DOTTED.fullmatch(value.strip()) if isinstance(value, str) else None
            if dotted:
                value = date(int(dotted[3]), int(dotted[2]), int(dotted[1]))
            return moment_of(value, self.zone)
        except ValueError:
            row.fault(f"{column!r} is no date or time: {str(value)[:40]!r}", "write 2026-05-31 or 2026-05-31T18:00")
            return None

    def _span(self, row: Row) -> tuple[datetime | None, datetime | None]:
        since = self._moment(row, "since", row.one("since"))
        until = self._moment(row, "until", row.one("until"))
        last = row.one("last_day")
        if until is None and last is not None:
            at = self._moment(row, "last_day", last)
            until = None if at is None else (at.astimezone(self.zone) + timedelta(days=1)).astimezone(UTC)
        if since is not None and until is not None and since >= until:
            row.fault("'since' must be before 'until'", "until is the first day on which it no longer holds")
        return since, until

    def _validity(
        self, row: Row, value: Any, since: datetime | None, until: datetime | None
    ) -> tuple[str, datetime | None, datetime | None] | None:
        """Return the name or number with its own time, else the row's; None when it is not usable."""
        if isinstance(value, dict):
            names = [key for key in value if key not in {"since", "until"}]
            if len(names) != 1:
                row.fault(
                    "expected a number or name with since and until", 'write {badge: "0004711", since: 2026-01-01, until: 2026-02-01}'
                )
                return None
            found = self._validity(row, value[names[0]], since, until)
            own = self._moment(row, "since", value.get("since")), self._moment(row, "until", value.get("until"))
            return (found[0], own[0], own[1]) if found else None
        if not isinstance(value, str) or not value.strip():
            row.fault(f"found a {type(value).__name__} where a text is expected", "put it in quotes: leading zeros count")
            return None
        spanned = _VALID.fullmatch(value.strip())
        if spanned:
            return spanned[1], self._moment(row, "since", spanned[2]), self._moment(row, "until", spanned[3])
        return value.strip(), since, until

    def _card(self, row: Row, kind: CredentialKind, value: Any, person: str, since: datetime | None, until: datetime | None) -> None:
        found = self._validity(row, value, since, until)
        if found is None:
            return
        number, since, until = found
        uid = f"{CARD_PREFIX[kind]}:{badge_hash(self.key, number)}"
        self.credentials[uid] = Credential(uid, kind, f"{kind} …{card_tail(number)}")
        self.links.append(Link(uid, person, since, until, PLATE_CONFIDENCE if kind is CredentialKind.PLATE else 1.0))

    def _account(self, row: Row, value: Any, person: str, since: datetime | None, until: datetime | None) -> None:
        found = self._validity(row, value, since, until)
        if found is None:
            return
        uid = account_uid(found[0])
        self.credentials[uid] = Credential(uid, CredentialKind.ACCOUNT, uid.partition(":")[2])
        self.links.append(Link(uid, person, found[1], found[2]))
