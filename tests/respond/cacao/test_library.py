"""The library on both engines: versions, conflicts, secrets cut out, signatures dropped by edits, reviews, what is shipped."""

import json
import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import update
from tests.respond.cacao.samples import ACT, END, changed, full, ident, manual, small

from watchword.app.audit import Audit
from watchword.kit.clock import ManualClock
from watchword.kit.errors import Conflict, ContentError, Corrupt, InputError, NotFound
from watchword.kit.secrets import key_from_file
from watchword.respond import library_service
from watchword.respond.library_service import Library
from watchword.respond.library_tables import playbook_version
from watchword.respond.signature import Mathematics, Policy, Trust, key_of_seed, sign

NOW = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
AUTH = ident("http-basic", 1)
TARGET = ident("http-api", 2)


BOTH = pytest.mark.parametrize("records_url", ["sqlite", "postgresql"], indirect=True)
"""For what reads or writes rows in a way of its own; the rest is the same on both engines."""


@pytest.fixture
def records_url(request, tmp_path):
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/records.sqlite3"
    return request.getfixturevalue("postgres_database")()


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def audit(records, clock):
    return Audit(records, clock)


@pytest.fixture
def library(records, clock, audit, tmp_path):
    return Library(records, clock, key_from_file(tmp_path / "keys" / "playbooks.key"), auditor=audit)


def entries(audit):
    return [(entry.action, entry.actor, entry.target) for entry in audit.entries()]


def text(made):
    return json.dumps(made, indent=1)


@BOTH
def test_a_playbook_is_kept_as_it_came(library, audit):
    kept = library.put(text(full()), "ada")
    assert (kept.id, kept.modified, kept.name, kept.text) == (full()["id"], full()["modified"], full()["name"], text(full()))
    assert (kept.by, kept.at, kept.shipped, kept.faults, kept.cut, kept.signatures) == ("ada", NOW, False, (), (), ())
    assert kept.review_due == date(2027, 1, 31)
    assert kept.playbook.workflow_start == full()["workflow_start"]
    assert library.get(kept.id) == library.get(kept.id, kept.modified) == library.find("forced-door-then-unknown-device") == kept
    assert library.put(text(full()).encode(), "bob") == kept
    assert entries(audit) == [("playbook.put", "ada", kept.id)]


def test_faults_are_kept_with_it_and_do_not_keep_it_out(library):
    kept = library.put(text(changed(small(), "workflow", ACT, "agent", to=TARGET)), "ada")
    assert [fault.code for fault in kept.errors] == ["dangling-agent"]
    assert library.list()[0].errors == 1
    assert [fault.code for fault in library.put(text(small(id=ident("playbook", 3), delay=0, labels=[])), "ada").faults] == ["schema"]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ("{", "bad-json"), (text(small(spec_version="1.0")), "wrong-version"), (text(small(workflow=3)), "no-workflow"), (text(small(id="x")), "id is no"),
        (text(small(id=ident("action", 1))), "id is no"), (text(small(id=4)), "id is no"), (text(small(modified="yesterday")), "modified"), (text(small(modified=None)), "modified"),
        (text(small(modified="2026-01-02T00:00:00")), "modified"), (text(small(workflow={ident("end", n): {} for n in range(2_001)})), "too-many-steps"), ("[]", "bad-json"),
    ],
)  # fmt: skip
def test_what_is_no_playbook_is_refused_with_its_line(library, made, said):
    with pytest.raises(ContentError, match=said) as caught:
        library.put(made, "ada")
    assert caught.value.faults[0].line >= 1
    assert library.list() == []


@BOTH
def test_versions_and_what_differs(library, clock):
    library.put(text(small()), "ada")
    clock.advance(timedelta(hours=1))
    later = small(modified="2026-02-01T00:00:00.000Z", name="Smaller", labels=["a", "b"])
    del later["description"]
    library.put(text(later), "bob")
    library.put(text(small(modified="2025-01-01T00:00:00.000Z", created="2025-01-01T00:00:00.000Z")), "cyd")
    identifier = small()["id"]
    assert [one.modified[:7] for one in library.versions(identifier)] == ["2026-02", "2026-01", "2025-01"]
    assert library.get(identifier).name == "Smaller"
    assert library.names() == {identifier: "Smaller"}
    assert [(one.name, one.by) for one in library.list()] == [("Smaller", "bob")]
    found = {change.at: (change.kind, change.before, change.after) for change in library.diff(identifier, small()["modified"], "")}
    assert found == {
        "/name": ("changed", '"Small"', '"Smaller"'), "/modified": ("changed", f'"{small()["modified"]}"', f'"{later["modified"]}"'),
        "/labels": ("added", "", '["a", "b"]'), "/description": ("removed", '"A small one"', ""),
    }  # fmt: skip
    with pytest.raises(NotFound):
        library.diff(identifier, "2024-01-01T00:00:00.000Z", "")
    with pytest.raises(NotFound):
        library.versions(ident("playbook", 77))


def test_a_version_is_never_said_twice(library):
    library.put(text(small()), "ada")
    with pytest.raises(Conflict, match="later modified"):
        library.put(text(small(name="Other")), "bob")
    edited = library.put(text(small(name="Other")), "bob", restamp=True)
    assert edited.modified == "2026-03-01T12:00:00.123Z"
    again = library.put(text(small(name="Third")), "bob", restamp=True)
    assert again.modified == "2026-03-01T12:00:00.124Z"
    assert len(library.versions(edited.id)) == 3


def test_secrets_in_clear_are_cut_out_and_a_reference_is_asked_for(library):
    address = {"url": ["https://me:hunter2@api.example.org/x"]}
    made = small(
        authentication_info_definitions={
            AUTH: {"type": "http-basic", "user_id": "me", "password": "hunter2"},
            ident("oauth2", 2): {"type": "oauth2", "oauth_header": "Bearer", "token": "hunter2"},
            ident("user-auth", 3): {"type": "user-auth", "username": "me", "password": "__secret__:value"},
        },
        target_definitions={
            TARGET: {"type": "http-api", "name": "API", "address": address, "authentication_info": AUTH},
            ident("http-api", 3): {
                "type": "http-api",
                "name": "API",
                "address": {"dname": ["a.example"]},
                "authentication_info": ident("oauth2", 2),
            },
        },
        playbook_variables={"__secret__": {"type": "string", "external": True}},
    )
    made["workflow"][ACT]["commands"] = [
        {"type": "http-api", "command": "GET / HTTP/1.1", "headers": {"Authorization": ["Bearer hunter2"], "Accept": ["*/*"]}}
    ]
    kept = library.put(text(made), "ada")
    assert "hunter2" not in kept.text
    assert len(kept.cut) == 5
    assert kept.playbook.authentication_info_definitions[ident("user-auth", 3)].password == "__secret__:value"
    assert kept.playbook.target_definitions[TARGET].address["url"] == ("https://api.example.org/x",)
    assert [fault.code for fault in kept.errors] == ["missing-secret", "missing-secret"]
    assert "clear-secret" not in {fault.code for fault in kept.faults}
    for identifier in (AUTH, ident("oauth2", 2)):
        made["authentication_info_definitions"][identifier] |= {"kms": True, "kms_key_identifier": "firewall"}
    assert library.put(text(made), "ada", restamp=True).errors == ()


@BOTH
def test_signing_keeps_the_version_and_an_edit_drops_our_signature(library, audit, clock):
    library.put(text(full()), "ada")
    signed = library.sign(full()["id"], "ada", valid_until=NOW + timedelta(days=30))
    assert signed.modified == full()["modified"]
    assert signed.signatures[0].good
    assert signed.faults == ()
    assert library.put(signed.text, "bob") == signed
    assert library.put(text(full()), "bob").signatures == ()
    signed = library.sign(full()["id"], "ada")
    assert len(library.sign(full()["id"], "bob").signatures) == 1
    edited = library.put(text({**json.loads(signed.text), "name": "Edited"}), "bob", restamp=True)
    assert edited.signatures == ()
    assert "signatures" not in json.loads(edited.text)
    assert len(library.get(full()["id"], full()["modified"]).signatures) == 1
    assert [action for action, _, _ in entries(audit)].count("playbook.sign") == 3
    clock.advance(timedelta(days=1))
    assert library.signature_fault(library.get(full()["id"], full()["modified"])) == ""


def test_signatures_of_others_are_judged_and_kept(library, records, clock, audit):
    theirs = key_of_seed(b"t" * 32)
    signed = sign(full(), theirs, signee="Them", now=NOW)
    kept = library.put(text(signed), "ada")
    assert (kept.signatures[0].mathematics, kept.signatures[0].trust) == (Mathematics.VALID, Trust.UNKNOWN)
    assert kept.received == (str(kept.signatures[0]),)
    edited = library.put(text({**signed, "name": "Edited"}), "ada", restamp=True)
    assert edited.signatures[0].mathematics is Mathematics.INVALID
    assert "wrong" in library.signature_fault(edited)
    strict = Library(records, clock, auditor=audit, trusted=[signed["signatures"][0]["public_key"]], policy=Policy.TRUSTED)
    assert strict.signature_fault(strict.get(kept.id, kept.modified)) == ""
    assert strict.signature_fault(strict.put(text(small()), "ada")) != ""
    with pytest.raises(Conflict, match="no signing key"):
        strict.sign(small()["id"], "ada")


def test_cutting_a_secret_voids_a_signature_but_its_verdict_on_arrival_stays(library):
    made = small(authentication_info_definitions={AUTH: {"type": "http-basic", "user_id": "me", "password": "hunter2"}})
    kept = library.put(text(sign(made, key_of_seed(b"t" * 32), signee="Them", now=NOW)), "ada")
    assert kept.signatures[0].mathematics is Mathematics.INVALID
    assert "mathematics valid" in kept.received[0]


def test_a_faulty_playbook_is_not_signed(library):
    library.put(text(changed(small(), "workflow", ACT, "agent", to=TARGET)), "ada")
    with pytest.raises(Conflict, match="dangling-agent"):
        library.sign(small()["id"], "ada")


@BOTH
def test_reviews(library, audit, clock):
    library.put(text(small()), "ada")
    library.put(text(full()), "ada")
    assert {one.name: one.review_due for one in library.list()} == {"Small": date(2027, 3, 1), full()["name"]: date(2027, 1, 31)}
    assert library.due_for_review(date(2027, 1, 30)) == []
    assert [one.name for one in library.due_for_review(date(2028, 1, 1))] == [full()["name"], "Small"]
    clock.advance(timedelta(days=400))
    library.reviewed(small()["id"], "bob", date(2028, 3, 1), "walked through it")
    assert [(one.reviewed_by, one.review_due) for one in library.list() if one.name == "Small"] == [("bob", date(2028, 3, 1))]
    assert ("playbook.review", "bob", small()["id"]) in entries(audit)
    library.put(text(small(name="Next")), "ada", restamp=True)
    assert library.get(small()["id"]).review_due == date(2028, 3, 1)
    with pytest.raises(InputError):
        library.reviewed(small()["id"], "bob", clock.now().date())
    with pytest.raises(NotFound):
        library.reviewed(ident("playbook", 77), "bob", date(2030, 1, 1))


@BOTH
def test_what_is_shipped_is_installed_once_and_a_sites_own_version_stays_the_newest(library, tmp_path, monkeypatch):
    (tmp_path / "content" / "playbooks").mkdir(parents=True)
    monkeypatch.setattr(library_service, "files", lambda _package: tmp_path)
    shipped = tmp_path / "content" / "playbooks" / "small.json"
    shipped.write_text(text(small()))
    assert (library.install_shipped(), library.install_shipped()) == (1, 0)
    assert library.get(small()["id"]).shipped
    library.put(text(small(name="Ours")), "ada", restamp=True)
    assert library.install_shipped() == 0
    assert library.get(small()["id"]).name == "Ours"
    shipped.write_text(text(small(description="Mended")))
    assert library.install_shipped() == 1
    assert library.get(small()["id"], small()["modified"]).playbook.description == "Mended"
    assert library.get(small()["id"]).name == "Ours"
    library.sign(small()["id"], "ada", modified=small()["modified"])
    assert library.install_shipped() == 0
    shipped.write_text("{")
    with pytest.raises(ContentError, match=r"content/playbooks/small\.json:1"):
        library.install_shipped()


def test_what_watchword_ships_is_without_fault(library):
    library.install_shipped()
    assert [str(fault) for one in library.list() for fault in library.get(one.id).faults] == []


def test_names_find_playbooks(library):
    library.put(text(small(name="Leaver's badge, in use")), "ada")
    assert library.find("leavers-badge-in-use").id == library.find(small()["id"]).id == small()["id"]
    with pytest.raises(NotFound, match="leavers-badge-in-use"):
        library.find("stolen-laptop")
    library.put(text(small(id=ident("playbook", 4), name="Leavers badge in use")), "ada")
    with pytest.raises(NotFound, match="several"):
        library.find("leavers-badge-in-use")


def test_a_changed_row_is_corrupt(library, records):
    library.put(text(small()), "ada")
    with records.begin() as connection:
        connection.execute(update(playbook_version).values(text=text(small(name="Evil"))))
    with pytest.raises(Corrupt, match="not what was kept"):
        library.get(small()["id"])


def test_faults_of_an_older_linter_are_found_anew(library, records):
    library.put(text(changed(small(), "workflow", ACT, "agent", to=TARGET)), "ada")
    with records.begin() as connection:
        connection.execute(update(playbook_version).values(faults=[], lint_version=0))
    assert [fault.code for fault in library.get(small()["id"]).errors] == ["dangling-agent"]


@BOTH
def test_characters_that_one_engine_cannot_hold_are_kept_in_the_text(library):
    kept = library.put(text(small(name="a\0b", labels=["\0"])), "ada")
    assert (kept.name, kept.playbook.name) == ("ab", "a\0b")
    assert library.list()[0].warnings == 2


@BOTH
def test_two_at_once_keep_one(library):
    outcomes = []

    def work(name):
        try:
            library.put(text(small(name=name)), name)
            outcomes.append("kept")
        except Conflict:
            outcomes.append("conflict")

    threads = [threading.Thread(target=work, args=(f"n{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict", "conflict", "conflict", "kept"]


def test_the_third_party_playbooks_are_kept_or_refused(library, expected):
    kept, refused = {}, set()
    for name, (_, raw) in expected.items():
        try:
            kept[name] = library.put(raw, "ada", restamp=True)
        except ContentError:
            refused.add(name)
    assert {name for name, (row, _) in expected.items() if {"wrong-version", "no-workflow"} & set(row["lint_errors"].split(";"))} == refused
    clean = {name for name, one in kept.items() if not one.errors}
    assert clean == {name for name, (row, _) in expected.items() if row["schema"] == "PASS" and not row["lint_errors"]}
    assert not any("Password1234!" in one.text or "super-secure-password" in one.text for one in kept.values())


def test_a_step_put_in_shows_in_the_difference(library):
    library.put(text(small()), "ada")
    other = ident("action", 9)
    made = changed(small(), "workflow", ACT, "on_completion", to=other)
    made["workflow"][other] = manual(on_completion=END)
    edited = library.put(text(made), "ada", restamp=True)
    found = {change.at: change.kind for change in library.diff(small()["id"], small()["modified"], edited.modified)}
    assert found == {f"/workflow/{ACT}/on_completion": "changed", f"/workflow/{other}": "added", "/modified": "changed"}
