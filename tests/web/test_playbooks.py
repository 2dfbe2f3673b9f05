"""Pages of playbooks: the library, one playbook, what comes in and goes out, and starting; hostile texts are shown as text."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("watchword_test_books", Path(__file__).parent / "books.py")
books = sys.modules.setdefault("watchword_test_books", importlib.util.module_from_spec(spec))
spec.loader.exec_module(books)


@pytest.fixture
def mia(client_of):
    return client_of("mia")


@pytest.fixture
def door(watchword):
    return watchword.response.library.put(books.text(books.door_book()), "test")


def last(watchword, action):
    return watchword.audit.entries(action=action, limit=1)[0]


def upload(client, text, name="mine.json"):
    return client.post("/playbooks/import", files={"file": (name, text, "application/json")})


def test_the_library_lists_what_one_needs_to_choose(mia, door):
    page = mia.get("/playbooks").text
    assert f'href="/playbooks/{door.id}"' in page
    for words in ("Forced door", "suggested", "not signed", "2027-01-31", "never said", 'name="file"', "New playbook"):
        assert words in page


def test_one_playbook_in_picture_and_words(ada, door):
    page = ada.get(f"/playbooks/{door.id}").text
    assert '<svg class="flow"' in page
    for words in ("Look at the door", "Responsible", "Physical security", "done within 10m, else page", "Records", "__seen__",
                  "Disable the account __account__:value", "1 person, not the one who asks, within 10m", "Ends by itself", "after 4h",
                  "if it fails"):  # fmt: skip
        assert words in page, words
    assert "/edit" not in page
    assert "Sign this version" not in page


def test_import_says_what_is_wrong_by_line(mia, watchword):
    answer = upload(mia, '{\n "type": "playbook",\n "spec_version": "1.0"\n}', "bad<name>.json")
    assert answer.status_code == 422
    assert "bad_name_.json:3" in answer.text
    assert "wrong-version" in answer.text
    answer = upload(mia, "{")
    assert answer.status_code == 422
    assert "bad-json" in answer.text
    assert upload(mia, b"\xff\xfe").status_code == 422
    made = books.door_book(110, "Imported")
    answer = upload(mia, books.text(made))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/playbooks/{made['id']}?version={made['modified']}")
    assert last(watchword, "playbook.put").actor == "mia"
    assert upload(mia, books.text(made)).status_code == 303
    other = upload(mia, books.text(made | {"description": "something else"}))
    assert other.status_code == 409
    assert "give yours a later modified" in other.text


def test_a_hundred_thousand_steps_are_refused_in_words(mia):
    steps = {books.ident("action", number): books.manual("x", on_completion=books.ident("end", 4)) for number in range(10, 15_000)}
    answer = upload(mia, books.text(books.document(111, "Huge", steps)))
    assert answer.status_code == 422
    assert "too-many-steps" in answer.text or "longer than" in answer.text


def test_faults_are_shown_at_path_and_line_and_keep_it_from_starting(mia, watchword):
    made = books.door_book(112, "Broken")
    made["workflow"][books.ident("action", 2)]["on_completion"] = books.ident("action", 99)
    upload(mia, json.dumps(made, indent=1))
    page = mia.get(f"/playbooks/{made['id']}").text
    assert "does not start" in page
    assert "dangling-step" in page
    assert "broken:" in page
    assert "/start" not in page
    answer = mia.post(f"/playbooks/{made['id']}/start", data={"deed": "start", "exercise": "1"})
    assert answer.status_code == 409
    assert "dangling-step" in answer.text


def test_hostile_texts_are_shown_as_text(mia, watchword):
    kept = watchword.response.library.put(books.text(books.hostile_book()), "test")
    for path in ("/playbooks", f"/playbooks/{kept.id}", f"/playbooks/{kept.id}/edit", f"/playbooks/{kept.id}/start",
                 f"/playbooks/{kept.id}/diff?a={kept.modified}&b={kept.modified}", f"/playbooks/{kept.id}/edit?step=1"):  # fmt: skip
        answer = mia.get(path)
        assert answer.status_code == 200, path
        assert "<script>alert" not in answer.text, path
        assert 'href="javascript' not in answer.text.lower(), path
        assert 'href="data:' not in answer.text.lower(), path
        assert "49" not in answer.text.replace(kept.sha256, "").replace(kept.id, "") or "{{ 7" in answer.text
    assert 'href="https://example.org/x"' in mia.get(f"/playbooks/{kept.id}").text
    run = watchword.response.runs.start(kept.id, "", {}, "test", True)
    page = mia.get(f"/runs/{run}").text
    assert "<script>alert" not in page
    assert "{{ 7 * 7 }}" in page


def test_export_gives_what_was_kept(ada, door):
    answer = ada.get(f"/playbooks/{door.id}/export?version={door.modified}")
    assert answer.text == door.text
    assert answer.headers["content-disposition"] == 'attachment; filename="forced-door.json"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ada.get("/playbooks/playbook--none").status_code == 404


def test_sign_review_and_what_changed(mia, watchword):
    made = books.door_book(113, "Signed")
    kept = watchword.response.library.put(books.text(made), "test")
    assert mia.post(f"/playbooks/{kept.id}/sign", data={"version": kept.modified}).status_code == 303
    page = mia.get(f"/playbooks/{kept.id}").text
    assert "mathematics valid" in page
    assert "key trusted" in page
    answer = mia.post(f"/playbooks/{kept.id}/review", data={"due": "soon"})
    assert answer.status_code == 422
    assert "Say on which day" in answer.text
    assert mia.post(f"/playbooks/{kept.id}/review", data={"due": "2020-01-01"}).status_code == 422
    assert mia.post(f"/playbooks/{kept.id}/review", data={"due": "2027-05-01", "note": "read it"}).status_code == 303
    assert last(watchword, "playbook.review").reason == "read it"
    later = watchword.response.library.put(books.text(made | {"description": "Another", "modified": "2026-01-03T00:00:00.000Z"}), "test")
    page = mia.get(f"/playbooks/{kept.id}/diff?a={kept.modified}&b={later.modified}").text
    assert "Another" in page
    assert "About Signed" in page


@pytest.mark.parametrize("name", ["ada", "otto", "aud"])
def test_who_may_not_write_is_refused(client_of, door, name):
    client = client_of(name)
    for path in (f"/playbooks/{door.id}/sign", f"/playbooks/{door.id}/review", "/playbooks/new", f"/playbooks/{door.id}/edit",
                 f"/playbooks/{door.id}/edit/save", f"/playbooks/{door.id}/edit/discard", f"/playbooks/{door.id}/edit/check"):  # fmt: skip
        assert client.post(path, data={}).status_code == 403, path
    assert upload(client, "{}").status_code == 403
    assert client.get(f"/playbooks/{door.id}/edit").status_code == 403
    assert client.get("/playbooks").status_code == 200
    assert 'name="file"' not in client.get("/playbooks").text


@pytest.mark.parametrize("path", ["sign", "review", "start", "edit", "edit/save"])
def test_deeds_from_another_site_are_refused(app, client_of, door, path):
    from starlette.testclient import TestClient

    with TestClient(app, base_url="https://testserver", cookies=dict(client_of("mia").cookies), follow_redirects=False) as other:
        assert other.post(f"/playbooks/{door.id}/{path}", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_starting_looks_first_and_asks_for_what_it_answers(client_of, watchword, door, house):
    ada = client_of("ada")
    incident = watchword.response.incidents.open("Somebody at the door", by="ada", team="it", because="seen on the camera")
    form = ada.get(f"/playbooks/{door.id}/start?incident={incident}").text
    assert "Somebody at the door" in form
    assert 'value="account:areyes"' in form
    looked = ada.post(f"/playbooks/{door.id}/start", data={"deed": "look", "incident": incident, "v.__account__": "account:areyes"})
    assert looked.status_code == 200
    assert "Disable the account" in looked.text
    assert "1 person, not the one who asks" in looked.text
    assert watchword.response.runs.list() == [] or all(run.playbook != door.id for run in watchword.response.runs.list())
    assert ada.post(f"/playbooks/{door.id}/start", data={"deed": "start"}).status_code == 422
    assert ada.post(f"/playbooks/{door.id}/start", data={"deed": "start", "incident": "x"}).status_code == 422
    answer = ada.post(f"/playbooks/{door.id}/start", data={"deed": "start", "incident": incident, "v.__account__": "account:bli"})
    assert answer.status_code == 303
    run = watchword.response.runs.get(answer.headers["location"].removeprefix("/runs/"))
    assert (run.incident, run.exercise, run.variables["__account__"]) == (incident, False, "account:bli")
    answer = ada.post(f"/playbooks/{door.id}/start", data={"deed": "start", "exercise": "1"})
    assert watchword.response.runs.get(answer.headers["location"].removeprefix("/runs/")).exercise
    assert client_of("aud").post(f"/playbooks/{door.id}/start", data={"deed": "start", "exercise": "1"}).status_code == 403
