"""A small house with every kind of door, and the records that its files are kept in."""

import importlib.util
from datetime import UTC, datetime
from pathlib import Path

import pytest

from watchword.kit.tables import metadata
from watchword.model import Event
from watchword.model.ocsf import EventClass
from watchword.resolve import Directory
from watchword.resolve.people_file import read_people
from watchword.resolve.site_file import read_sites
from watchword.resolve.tables import directory_document
from watchword.stores.records import open_records

SITE = """\
site: harbour
name: Harbour House
zone: Europe/Berlin
location: {latitude: 53.54, longitude: 9.98, city: Hamburg}
buildings:
  main:
    name: Main building
    floors:
      "0":
        zones:
          lobby: {name: Lobby, kind: public}
          office: {name: Office A}
          server-room: {name: Server room 2, kind: critical}
          vault: {name: Vault, kind: restricted, network: false}
doors:
  D-01: {name: Front door, from: outside, to: lobby, readers: {in: R-01-in, out: R-01-out}, kind: turnstile, length_m: 6}
  D-02: {name: Server room 2 door, from: lobby, to: server-room, readers: {in: R-02}, length_m: 12}
  D-03: {from: lobby, to: office, length_m: 30}
  D-04: {name: Vault door, from: lobby, to: vault, readers: R-04, passage_sensor: true, length_m: 9}
assets:
  ws-042: {kind: workstation, place: office, owner: "1042", addresses: [10.1.2.42, "00-11-22-33-44-55"], upstream: sw-1}
  con-1: {kind: console, place: office, shared: true, addresses: [10.1.2.50]}
  sw-1: {kind: switch, place: lobby}
  cam-03: {kind: camera, place: lobby, sees: [D-01, D-02]}
  old: {kind: workstation, place: office, addresses: [{address: 10.1.2.77, until: 2026-03-01}]}
  new: {kind: workstation, place: office, addresses: [{address: 10.1.2.77, since: 2026-03-01}]}
calendars:
  day-shift: {days: mon-fri, hours: "07:00-19:00", holidays: [2026-12-25]}
  night-shift: {days: mon-fri, hours: "22:00-06:00"}
travel:
  - {sites: [harbour, mill], least: 95m}
---
site: mill
zone: Europe/Lisbon
location: [38.72, -9.14]
zones:
  hall: {kind: public}
doors:
  G-01: {name: Mill gate, from: outside, to: hall, readers: {in: M-01-in, out: M-01-out}}
---
site: shed
zones: {room: }
doors:
  S-01: {from: outside, to: room}
"""

PEOPLE = """\
employee,name,kind,role,site,since,until,remote,shift,badges,accounts,assets
1042,Ana Reyes,employee,engineer,harbour,2024-01-01,,no,day-shift,0004711;0000815[2026-02-01..2026-02-15],HARBOUR\\areyes;a.reyes@harbour.example,
1043,"Bo, Li",contractor,,mill,2024-01-01,2026-06-01,yes,,0004712,bli,
"""

KEY = b"k" * 32


_spec = importlib.util.spec_from_file_location("fixtures_postgres", Path(__file__).parents[1] / "fixtures_postgres.py")
assert _spec is not None
assert _spec.loader is not None
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
postgres_cluster, postgres_database = _fixtures.postgres_cluster, _fixtures.postgres_database


@pytest.fixture(params=["sqlite", "postgresql"])
def records(request, tmp_path):
    """Return an empty record store with the room's table, on each engine."""
    url = f"sqlite:///{tmp_path}/records.sqlite3" if request.param == "sqlite" else request.getfixturevalue("postgres_database")()
    kept = open_records(url)
    with kept.begin() as connection:
        metadata.create_all(connection, tables=[directory_document])
    yield kept
    kept.close()


@pytest.fixture
def site_text():
    return SITE


@pytest.fixture
def people_text():
    return PEOPLE


@pytest.fixture
def key():
    return KEY


@pytest.fixture(scope="session")
def directory():
    read = read_sites({"site.yaml": SITE})
    return Directory(read.site, read_people(PEOPLE, "people.csv", KEY).book, read.assets)


@pytest.fixture(scope="session")
def event_of():
    """Return a maker of events: class, activity and whatever else matters."""

    def make(class_uid=EventClass.PHYSICAL_ACCESS, activity=1, at="2026-02-10T09:00", uid="e", **more):
        time = datetime.fromisoformat(at) if isinstance(at, str) else at
        time = time if time.tzinfo else time.replace(tzinfo=UTC)
        return Event(uid, "r", "s", time, time, int(class_uid), int(activity), **more)

    return make
