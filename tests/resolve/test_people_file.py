import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from watchword.ingest.credential import badge_uid
from watchword.kit.errors import ContentError
from watchword.model import CredentialKind, PersonKind
from watchword.resolve.people_file import join_people, read_people

KEY = b"k" * 32


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def faults_of(text, name="people.csv"):
    with pytest.raises(ContentError) as caught:
        read_people(text, name, KEY)
    return [str(fault) for fault in caught.value.faults]


def test_people_with_badges_and_accounts(people_text):
    book = read_people(people_text, "people.csv", KEY).book
    reyes = book.people["person:1042"]
    assert (reyes.name, reyes.kind, reyes.role, reyes.site, reyes.shift) == (
        "Ana Reyes",
        PersonKind.EMPLOYEE,
        "engineer",
        "harbour",
        "day-shift",
    )
    assert book.people["person:1043"].remote
    assert book.people["person:1043"].name == "Bo, Li"
    links = {link.entity: link for link in book.links}
    assert links[badge_uid(KEY, "0004711")].person == "person:1042"
    temporary = links[badge_uid(KEY, "0000815")]
    assert (temporary.since, temporary.until) == (at("2026-02-01"), at("2026-02-15"))
    assert links["account:areyes"].person == links["account:a.reyes@harbour.example"].person == "person:1042"


def test_card_numbers_appear_nowhere(people_text):
    import msgspec

    text = msgspec.json.encode(read_people(people_text, "people.csv", KEY).book).decode()
    assert "4711" not in text
    assert "0815" not in text


def test_labels_show_only_the_tail():
    book = read_people("employee,name,badges\n1,A B,123456789", "p.csv", KEY).book
    assert [credential.label for credential in book.credentials.values()] == ["badge …6789"]


@pytest.mark.parametrize("header", ["Employee Number;Full Name;Card Number", "\ufeffEMP_ID;name;BADGE-ID", "staff id\tname\tcard"])
def test_columns_are_found_by_other_names(header):
    row = "7\tA B\t0099" if "\t" in header else "7;A B;0099"
    book = read_people(f"{header}\r\n{row}\r\n", "export.csv", KEY).book
    assert book.people["person:7"].name == "A B"
    assert book.links[0].entity == badge_uid(KEY, "0099")


def test_separate_credential_and_account_files_carry_the_links_times():
    cards = read_people("badge,employee,since,until\n0099,7,2026-01-01,2026-02-01\n0099,8,2026-02-01,", "cards.csv", KEY)
    assert [(link.person, link.since, link.until) for link in cards.book.links] == [
        ("person:7", at("2026-01-01"), at("2026-02-01")),
        ("person:8", at("2026-02-01"), None),
    ]
    assert cards.notes == ()
    accounts = read_people("account,employee\nCORP\\Seven,7\n", "accounts.csv", KEY).book
    assert [link.entity for link in accounts.links] == ["account:seven"]
    assert not accounts.people


def test_yaml_says_the_same():
    text = """
people:
  - {employee: 7, name: A B, since: 2026-01-01, badges: ["0099", {badge: "0100", until: 2026-02-01}], plates: [HH AB 1]}
credentials:
  - {badge: "0101", employee: 7, since: 2026-03-01T08:00}
accounts:
  - {account: ab, employee: 7}
assets:
  - {asset: ws-1, employee: 7}
"""
    book = read_people(text, "people.yaml", KEY, ZoneInfo("Europe/Berlin")).book
    assert book.people["person:7"].since == at("2025-12-31T23:00")
    links = {link.entity: link for link in book.links}
    assert links[badge_uid(KEY, "0100")].until == at("2026-01-31T23:00")
    assert links[badge_uid(KEY, "0101")].since == at("2026-03-01T07:00")
    assert links["asset:ws-1"].person == "person:7"
    plate = next(credential for credential in book.credentials.values() if credential.kind is CredentialKind.PLATE)
    assert links[plate.uid].confidence == 0.6


def test_times_are_those_of_the_persons_site():
    zones = {"mill": ZoneInfo("Europe/Lisbon"), "harbour": ZoneInfo("Europe/Berlin")}
    text = "employee,name,site,until\n1,A B,mill,2026-07-01\n2,C D,harbour,2026-07-01"
    people = read_people(text, "p.csv", KEY, ZoneInfo("UTC"), zones).book.people
    assert (people["person:1"].until, people["person:2"].until) == (at("2026-06-30T23:00"), at("2026-06-30T22:00"))


def test_the_last_day_counts_in_full_even_when_the_clocks_change():
    text = "employee,name,last day\n1,A B,29.03.2026\n"
    person = read_people(text, "p.csv", KEY, ZoneInfo("Europe/Berlin")).book.people["person:1"]
    assert person.until == at("2026-03-29T22:00")
    assert person.active(at("2026-03-29T21:59"))
    assert not person.active(at("2026-03-29T22:00"))


def test_a_rehired_person_has_a_gap():
    text = "employee,name,role,since,until\n1,A B,guard,2020-01-01,2022-01-01\n1,A B,lead,2024-01-01,\n"
    person = read_people(text, "p.csv", KEY).book.people["person:1"]
    assert person.role == "lead"
    assert [person.active(at(day)) for day in ("2019-06-01", "2021-06-01", "2022-01-01", "2023-12-31", "2024-01-01")] == [
        False,
        True,
        False,
        False,
        True,
    ]


def test_all_wrong_rows_come_at_once():
    text = 'employee,name,kind,since,until,remote\n,A,,,,\n1 2,A,,,,\n3,A,boss,,,\n4,A,,yesterday,,\n5,A,,2026-02-01,2026-01-01,\n6,A,,,,perhaps\n7,,,,,\n8,A,,,,\n8,B,,,,\n9,a,b,c,d,e,f,g\n10,"x'
    found = faults_of(text)
    for line, said in (
        (2, "employee number is missing"),
        (3, "holds a space"),
        (4, "kind 'boss' is not known"),
        (5, "no date or time"),
        (6, "'since' must be before 'until'"),
        (7, "'remote' is 'perhaps'"),
        (8, "name is missing"),
        (10, "stands here a second time"),
        (11, "has 8 cells"),
        (12, "is no CSV"),
    ):
        assert any(fault.startswith(f"people.csv:{line}:") and said in fault for fault in found), (line, found)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("", "p.csv", "no column for the employee number"),
        ("employee,name\n", "p.csv", "holds no rows"),
        ("0004711,0004712\n1,2", "p.csv", "found no words"),
        ("employee,name,name\n1,a,b", "p.csv", "has 2 columns for 'name'"),
        ("people:\n- {employee: 1, name: A, badges: [0017]}", "p.yaml", "leading zeros count"),
        ("people:\n- {employee: 1, nam: A}", "p.yaml", "did you mean 'name'?"),
        ("persons: []", "p.yaml", "known: accounts, assets, credentials, people"),
        ("people: {a: b}", "p.yaml", "must be a list"),
        ("people: [a]", "p.yaml", "expected keys and values"),
        ("- a", "p.yml", "expected sections"),
        ("people: [", "p.yml", "is not valid YAML"),
    ],
)
def test_each_fault_is_named(text, name, said):
    assert any(said in fault for fault in faults_of(text, name))


def test_faults_do_not_give_card_numbers_away():
    found = faults_of("badge,employee\n0004711,\n")
    assert not any("4711" in fault for fault in found)


def test_a_badge_of_two_people_is_a_note_and_no_merge():
    read = read_people("badge,employee,since,until\n12345678,7,2026-01-01,\n12345678,8,2026-02-01,\n", "cards.csv", KEY)
    assert [note.message for note in read.notes] == [
        "badge …5678 belongs to person:7 and person:8 at the same time: it resolves to neither meanwhile",
    ]


def test_files_are_joined_and_strangers_noted():
    people = read_people("employee,name\n7,A B\n", "a.csv", KEY).book
    cards = read_people("badge,employee\n0099,7\n0100,9\n", "b.csv", KEY).book
    joined = join_people([people, cards])
    assert len(joined.book.links) == 2
    assert [note.message for note in joined.notes] == ["'person:9' holds credentials or machines, but no file describes them"]
    again = join_people([people, people])
    assert "described in two files" in again.notes[0].message


def test_two_hundred_people_load_in_a_second():
    rows = "".join(f"{n},Given Name{n},employee,2024-01-01,{n:07},user{n}\n" for n in range(200))
    started = time.process_time()
    book = read_people("employee,name,kind,since,badges,accounts\n" + rows, "p.csv", KEY).book
    assert time.process_time() - started < 1.0
    assert len(book.links) == 400
