"""The registry: takes in site and people files, keeps their versions, and hands out the directory made of the newest ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, RowMapping, func, insert, select
from sqlalchemy import text as sql

from watchword.kit.clock import Clock, SystemClock, to_millisecond
from watchword.kit.errors import Conflict, ContentError, Fault, InputError, NotFound
from watchword.kit.records import Records
from watchword.kit.secrets import keyed_hash
from watchword.model import AssetBook, PeopleBook, PlaceKind, SiteBook
from watchword.resolve.directory import Directory
from watchword.resolve.people_file import join_people, read_people
from watchword.resolve.site_file import SiteFile, read_sites
from watchword.resolve.tables import directory_document as table

SITE, GEOMETRY, PEOPLE = "site", "geometry", "people"
KINDS = (SITE, GEOMETRY, PEOPLE)
MAX_FILE = 64 * 1024 * 1024
"""Bytes; a larger file is refused before it is read."""
COLUMNS = ("kind", "name", "version", "digest", "text", "loaded_at")
ATTEMPTS = 5
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a file."""

    kind: str
    name: str
    version: int
    digest: str
    text: str
    loaded_at: datetime
    loaded_by: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a file that was loaded."""

    kind: str
    name: str
    version: int
    changed: bool
    """False when the very same text is loaded already."""
    notes: tuple[Fault, ...] = ()
    """What is doubtful, though no fault."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    position: int
    directory: Directory
    notes: tuple[Fault, ...]


class Registry:
    """Keeps the files that describe sites and people.

    Args:
        records: Where versions are kept.
        key: The site key under which card numbers are hashed.
        clock: Says when a file was loaded.
    """

    def __init__(self, records: Records, key: bytes, clock: Clock | None = None) -> None:
        self._records = records
        self._key = key
        self._clock = clock or SystemClock()
        self._lock = Lock()
        self._snapshot: _Snapshot | None = None

    # Taking files in

    def load_site(self, text: str, name: str, by: str = "", geometry: Mapping[str, str] | None = None) -> Loaded:
        """Keep a site file, and the geometry files that it names when given (text by name).

        It is read together with the site files loaded before, so one may name what another describes.

        Raises:
            ContentError: with every fault; nothing is kept then.
        """
        _refuse_unreadable(text, name)
        return self._load([(SITE, _file_name(name), text), *((GEOMETRY, each, body) for each, body in (geometry or {}).items())], by)

    def load_people(self, text: str, name: str, by: str = "") -> Loaded:
        """Keep a people, credential or account file; its rows replace those of the file of this name, others stay.

        Raises:
            ContentError: with every wrong row; nothing is kept then.
        """
        _refuse_unreadable(text, name)
        return self._load([(PEOPLE, _file_name(name), text)], by)

    def load_file(self, path: Path, kind: str, by: str = "") -> Loaded:
        """Keep the site or people file at a path; geometry that a site file names is read from beside it.

        Raises:
            ContentError, InputError: the file is faulty, or cannot be read.
        """
        text = read_text(path)
        if kind == PEOPLE:
            return self.load_people(text, path.name, by)
        return self.load_site(text, path.name, by, geometry_beside(path, text))

    def take_away(self, kind: str, name: str, by: str = "") -> Loaded:
        """Let a file count no longer; its versions stay.

        Raises:
            NotFound: no such file counts.
            ContentError: another file names what this one describes.
        """
        if not any((each.kind, each.name) == (kind, name) for each in self.documents()):
            raise NotFound(f"no {kind} file {name!r} is loaded")
        return self._load([(kind, name, "")], by)

    def check(self, text: str, name: str, kind: str = SITE, geometry: Mapping[str, str] | None = None) -> tuple[Fault, ...]:
        """Read a file as if it were loaded, keep nothing, and return what is doubtful.

        Raises:
            ContentError: with every fault.
        """
        _refuse_unreadable(text, name)
        new = [(kind, _file_name(name), text), *((GEOMETRY, each, body) for each, body in (geometry or {}).items())]
        with self._records.read() as connection:
            current = _newest(connection)
        return self._prepared(current, new)[1]

    def _load(self, new: list[tuple[str, str, str]], by: str) -> Loaded:
        """Prepare without holding the store, then write if nothing was loaded meanwhile; else look again."""
        for _ in range(ATTEMPTS):
            with self._records.read() as connection:
                position, current = _position(connection), _newest(connection)
            rows, notes = self._prepared(current, new)
            if not rows or self._written(rows, position, by):
                break
        else:
            raise Conflict(f"{new[0][1]!r}: other files are being loaded all the time; load again later")
        kind, name, _ = new[0]
        versions = {(each.kind, each.name): each.version for each in current} | {(row.kind, row.name): row.version for row in rows}
        return Loaded(kind, name, versions[kind, name], bool(rows), notes)

    def _written(self, rows: list[Document], position: int, by: str) -> bool:
        with self._records.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sql("LOCK TABLE directory_document IN SHARE ROW EXCLUSIVE MODE"))
            if _position(connection) != position:
                return False
            for row in rows:
                connection.execute(insert(table), _values(row, by))
        return True

    def _prepared(self, current: list[Document], new: list[tuple[str, str, str]]) -> tuple[list[Document], tuple[Fault, ...]]:
        """Return the rows to keep (none for what is known already) and the notes of the directory as it would be."""
        known = {(each.kind, each.name): each for each in current}
        rows: list[Document] = []
        now = to_millisecond(self._clock.now())
        notes: list[Fault] = []
        zones = {place.uid: ZoneInfo(place.zone) for place in _sites(current).site.places.values() if place.kind is PlaceKind.SITE}
        for kind, name, body in new:
            digest = keyed_hash(self._key, body) if kind == PEOPLE else sha256(body.encode()).hexdigest()
            if kind == PEOPLE and body:
                read = read_people(body, name, self._key, next(iter(zones.values()), UTC_ZONE), zones)
                notes += read.notes
                kept = msgspec.json.encode(read.book).decode()
            else:
                kept = body
            before = known.get((kind, name))
            if before is None or before.digest != digest:
                known[kind, name] = Document(kind, name, before.version + 1 if before else 1, digest, kept, now, "")
                rows.append(known[kind, name])
        _, doubtful = _directory(list(known.values()))
        return rows, tuple(dict.fromkeys([*notes, *doubtful]))

    # Handing out

    def documents(self) -> tuple[Document, ...]:
        """Return the newest version of every file that counts; of people files, the text is the book that was read."""
        with self._records.read() as connection:
            return tuple(each for each in _newest(connection) if each.text)

    def history(self, kind: str, name: str) -> tuple[Document, ...]:
        """Return all versions of a file, newest first."""
        query = select(table).where(table.c.kind == kind, table.c.name == name).order_by(table.c.version.desc())
        with self._records.read() as connection:
            return tuple(_document(row) for row in connection.execute(query).mappings())

    def directory(self) -> Directory:
        """Return the directory of all newest files; the same object until a file changes."""
        return self._current().directory

    def notes(self) -> tuple[Fault, ...]:
        """Return what is doubtful about the files as loaded: disputed badges, unknown owners, zones whose exits are not read."""
        return self._current().notes

    def version(self) -> int:
        """Return a number that grows with every change of any file; 0 when nothing is loaded."""
        with self._records.read() as connection:
            return _position(connection)

    def _current(self) -> _Snapshot:
        with self._lock:
            with self._records.read() as connection:
                position = _position(connection)
                if self._snapshot is not None and self._snapshot.position == position:
                    return self._snapshot
                documents = _newest(connection)
            directory, notes = _directory(documents)
            self._snapshot = _Snapshot(position, directory, notes)
            return self._snapshot


def read_text(path: Path) -> str:
    """Return the text of a file that a person wrote.

    Raises:
        InputError: it is missing, too large or no UTF-8.
    """
    try:
        if path.stat().st_size > MAX_FILE:
            raise InputError(f"{path} is larger than {MAX_FILE // 2**20} MiB; split it")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no UTF-8 text: byte {error.start} is {error.object[error.start]:#04x}; save it as UTF-8") from error


def geometry_beside(path: Path, text: str) -> dict[str, str]:
    """Return the geometry files that lie beside a site file and that its text names."""
    found = {}
    for each in sorted(path.parent.glob("*.*json")):
        if each.name in text:
            found[each.name] = read_text(each)
    return found


def _refuse_unreadable(body: str, name: str) -> None:
    if not body.strip():
        raise ContentError([Fault(name, 1, "is empty")])
    if any("\ud800" <= sign <= "\udfff" or sign == "\0" for sign in body):
        raise ContentError([Fault(name, 1, "holds characters that are no text", "save it as UTF-8")])


def _file_name(name: str) -> str:
    short = name.replace("\\", "/").rpartition("/")[2].strip()
    if not short or len(short) > 200 or not short.isprintable():
        raise InputError("a file needs a name of at most 200 printable characters", "name")
    return short


def _position(connection: Connection) -> int:
    return int(connection.execute(select(func.coalesce(func.max(table.c.position), 0))).scalar_one())


def _newest(connection: Connection) -> list[Document]:
    newest = select(func.max(table.c.position)).group_by(table.c.kind, table.c.name)
    query = select(table).where(table.c.position.in_(newest)).order_by(table.c.position)
    return [_document(row) for row in connection.execute(query).mappings()]


def _document(row: RowMapping) -> Document:
    return Document(*(row[column] for column in (*COLUMNS, "loaded_by")))


def _values(row: Document, by: str) -> dict[str, object]:
    return {column: getattr(row, column) for column in COLUMNS} | {"loaded_by": by[:200]}


def _sites(documents: list[Document]) -> SiteFile:
    """Return what all site files say together; nothing when there is none."""
    files = tuple((each.name, each.text) for each in documents if each.kind == SITE and each.text)
    geometry = tuple((each.name, each.text) for each in documents if each.kind == GEOMETRY and each.text)
    return _read_sites(files, geometry) if files else SiteFile(SiteBook(), AssetBook())


@lru_cache(maxsize=4)
def _read_sites(files: tuple[tuple[str, str], ...], geometry: tuple[tuple[str, str], ...]) -> SiteFile:
    return read_sites(dict(files), dict(geometry))


def _directory(documents: list[Document]) -> tuple[Directory, tuple[Fault, ...]]:
    sites = _sites(documents)
    books = [msgspec.json.decode(each.text, type=PeopleBook) for each in documents if each.kind == PEOPLE and each.text]
    joined = join_people(books)
    people = _one_case(joined.book, sites.assets)
    notes = [*sites.notes, *joined.notes, *_strangers(sites, people)]
    return Directory(sites.site, people, sites.assets), tuple(notes)


def _one_case(people: PeopleBook, assets: AssetBook) -> PeopleBook:
    """Return the book with machines named as the site files write them: people do not mind upper and lower case."""
    names = {uid.lower(): uid for uid in assets.assets}
    return replace(people, links=tuple(replace(link, entity=names.get(link.entity.lower(), link.entity)) for link in people.links))


def _strangers(sites: SiteFile, people: PeopleBook) -> Iterator[Fault]:
    """Yield what the people files and the site files say of each other and do not know."""
    if not people.people or not sites.site.places:
        return
    calendars = {uid.rpartition("/")[2] for uid in sites.site.calendars} | set(sites.site.calendars)
    for asset in sites.assets.assets.values():
        if asset.owner and asset.owner not in people.people:
            yield Fault("site", 0, f"asset {asset.name!r} is owned by {asset.owner!r}, whom no people file describes")
    for link in people.links:
        if link.entity.startswith("asset:") and link.entity not in sites.assets.assets:
            yield Fault("people", 0, f"{link.person!r} owns {link.entity[6:]!r}, which no site file describes")
    for person in people.people.values():
        if person.site and person.site not in sites.site.places:
            yield Fault("people", 0, f"{person.uid!r} belongs to site {person.site!r}, which no site file describes")
        if person.shift and person.shift not in calendars:
            yield Fault("people", 0, f"{person.uid!r} works by calendar {person.shift!r}, which no site file describes")
