import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import text as sql

from watchword.kit.clock import ManualClock
from watchword.kit.errors import ContentError, InputError, NotFound
from watchword.resolve.service import Registry

KEY = b"k" * 32
NOON = datetime(2026, 2, 10, 12, tzinfo=UTC)


@pytest.fixture
def registry(records):
    return Registry(records, KEY, ManualClock(NOON))


def test_an_empty_registry_has_an_empty_directory(registry):
    assert registry.directory().doors() == ()
    assert registry.version() == 0
    assert registry.documents() == ()


def test_files_are_kept_by_version(registry, site_text, people_text):
    first = registry.load_site(site_text, "/some/where/site.yaml", "anna")
    assert (first.name, first.version, first.changed) == ("site.yaml", 1, True)
    again = registry.load_site(site_text, "site.yaml")
    assert (again.version, again.changed) == (1, False)
    second = registry.load_site(site_text.replace("Vault door", "Safe door"), "site.yaml")
    assert (second.version, second.changed) == (2, True)
    assert registry.directory().label("harbour/doors/D-04") == "Safe door"
    assert [each.version for each in registry.history("site", "site.yaml")] == [2, 1]
    assert registry.history("site", "site.yaml")[1].loaded_by == "anna"
    assert registry.load_people(people_text, "people.csv").version == 1
    assert [(each.kind, each.name, each.version, each.loaded_at) for each in registry.documents()] == [
        ("site", "site.yaml", 2, NOON),
        ("people", "people.csv", 1, NOON),
    ]


def test_the_directory_is_made_anew_only_when_a_file_changes(registry, records, site_text, people_text):
    registry.load_site(site_text, "site.yaml")
    directory = registry.directory()
    assert registry.directory() is directory
    registry.load_site(site_text, "site.yaml")
    assert registry.directory() is directory
    Registry(records, KEY).load_people(people_text, "people.csv")
    assert registry.directory() is not directory
    assert registry.directory().label("person:1042") == "A. Reyes"


def test_a_faulty_file_changes_nothing(registry, site_text):
    registry.load_site(site_text, "site.yaml")
    with pytest.raises(ContentError):
        registry.load_site(site_text.replace("from: outside", "from: otside"), "site.yaml")
    with pytest.raises(ContentError):
        registry.load_people("employee,name\n,\n 7,", "people.csv")
    with pytest.raises(ContentError, match="is empty"):
        registry.load_site("  ", "site.yaml")
    assert registry.version() == 1


def test_people_files_replace_their_own_rows_only(registry):
    registry.load_people("employee,name\n1,A B\n2,C D\n", "staff.csv")
    registry.load_people("employee,name\n9,X Y\n", "guards.csv")
    registry.load_people("employee,name\n1,A B\n", "staff.csv")
    assert set(registry.directory().people.people) == {"person:1", "person:9"}
    registry.take_away("people", "guards.csv")
    assert set(registry.directory().people.people) == {"person:1"}
    with pytest.raises(NotFound):
        registry.take_away("people", "guards.csv")
    registry.load_people("employee,name\n9,X Y\n", "guards.csv")
    assert [each.version for each in registry.history("people", "guards.csv")] == [3, 2, 1]


def test_card_numbers_are_not_in_the_records(registry, records):
    registry.load_people("employee,name,badges\n1,A B,1234567890123\n", "people.csv")
    with records.read() as connection:
        rows = connection.execute(sql("select * from directory_document")).all()
    assert "1234567890123" not in str(rows)
    assert "34567890" not in str(rows)
    assert "…0123" in str(rows)


def test_what_files_say_of_each_other_and_do_not_know_is_noted(registry, site_text, people_text):
    registry.load_site(site_text, "site.yaml")
    text = people_text.replace("harbour,", "harbor,").replace("day-shift", "day-shft").replace("1042", "1044")
    notes = [
        note.message
        for note in registry.load_people(text + "1045,E F,employee,,,,,,,,,WS-042\n1046,G H,employee,,,,,,,,,ws-99\n", "p.csv").notes
    ]
    assert any("owned by 'person:1042', whom no people file describes" in note for note in notes)
    assert any("belongs to site 'harbor', which no site file describes" in note for note in notes)
    assert any("works by calendar 'day-shft'" in note for note in notes)
    assert any("owns 'ws-99', which no site file describes" in note for note in notes)
    assert registry.directory().owner("asset:ws-042", NOON) == "person:1045"
    assert notes == [note.message for note in registry.notes()]


def test_dates_of_people_are_those_of_their_site(registry, site_text, people_text):
    registry.load_site(site_text, "site.yaml")
    registry.load_people(people_text, "people.csv")
    assert registry.directory().person("person:1042").since == datetime(2023, 12, 31, 23, tzinfo=UTC)
    assert registry.directory().person("person:1043").since == datetime(2024, 1, 1, tzinfo=UTC)


def test_checking_keeps_nothing(registry, site_text, people_text):
    assert any("no exit reader" in note.message for note in registry.check(site_text, "site.yaml"))
    registry.check(people_text, "people.csv", "people")
    with pytest.raises(ContentError):
        registry.check("site: X", "site.yaml")
    assert registry.version() == 0


def test_a_site_file_brings_the_geometry_beside_it(registry, site_text, tmp_path):
    text = site_text.replace("travel:", "geometry: plan.geojson\ntravel:", 1)
    (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
    feature = '{"type": "Feature", "properties": {"zone": "lobby"}, "geometry": {"type": "Polygon", "coordinates": [[[0,0],[9,0],[9,9]]]}}'
    (tmp_path / "plan.geojson").write_text(f'{{"units": "metres", "features": [{feature}]}}', encoding="utf-8")
    registry.load_file(tmp_path / "site.yaml", "site")
    assert registry.directory().place("harbour/main/0/lobby").shape == ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0))
    assert {(each.kind, each.name) for each in registry.documents()} == {("site", "site.yaml"), ("geometry", "plan.geojson")}


def test_files_that_cannot_be_read_are_named(registry, tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        registry.load_file(tmp_path / "none.yaml", "site")
    (tmp_path / "latin.csv").write_bytes(b"employee,name\n1,M\xfcller\n")
    with pytest.raises(InputError, match="is no UTF-8 text: byte 17 is 0xfc"):
        registry.load_file(tmp_path / "latin.csv", "people")


def test_many_loads_at_once_keep_every_file(records):
    registries = [Registry(records, KEY) for _ in range(4)]
    done = []

    def load(number):
        done.append(registries[number].load_people(f"employee,name\n{number},A B\n", f"p{number}.csv"))

    threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    assert len(registries[0].directory().people.people) == 4


@pytest.mark.parametrize("body", ["site: a\0", "site: '\ud800'"])
def test_what_is_no_text_is_refused(records, body):
    registry = Registry(records, KEY)
    with pytest.raises(ContentError, match="no text"):
        registry.load_site(body, "site.yaml")
    with pytest.raises(ContentError, match="no text"):
        registry.load_people(body, "people.csv")
    with pytest.raises(InputError, match="printable"):
        registry.load_site("site: a", "a\0.yaml")
