"""The editor: every change by a plain form, kept in a draft of one's own, checked as one types, saved as a version."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

from watchword.respond.cacao import decode
from watchword.respond.extensions import STEP
from watchword.respond.playbook_diff import differences

spec = importlib.util.spec_from_file_location("watchword_test_books", Path(__file__).parent / "books.py")
books = sys.modules.setdefault("watchword_test_books", importlib.util.module_from_spec(spec))
spec.loader.exec_module(books)
NUMBERS = iter(range(140, 400))


@pytest.fixture
def mia(client_of):
    return client_of("mia")


@pytest.fixture
def book(watchword):
    return watchword.response.library.put(books.text(books.door_book(next(NUMBERS), "To edit")), "test")


def draft_of(watchword, identifier, name="mia"):
    from watchword.respond.draft_service import Drafts

    kept = Drafts(watchword.records, watchword.clock).get(identifier, watchword.accounts.account(name).uid)
    return json.loads(kept.text) if kept else None


def fields_of(page):
    """Return what the page's form would send as it stands."""
    form = page.partition('id="form"')[2].partition("</form>")[0]
    found = {}
    for tag in re.findall(r"<input[^>]*>", form):
        at = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in at and (at.get("type") not in {"checkbox", "radio"} or " checked" in tag):
            found.setdefault(at["name"], []).append(unescaped(at.get("value", "")))
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = [unescaped(text)]
    for name, inner in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', form, re.DOTALL):
        options = re.findall(r"<option([^>]*)>([^<]*)", inner)
        chosen = next((each for each in options if "selected" in each[0]), options[0] if options else ("", ""))
        value = re.search(r'value="([^"]*)"', chosen[0])
        found[name] = [unescaped(value[1] if value else chosen[1])]
    return found


def unescaped(text):
    import html

    return html.unescape(text)


def send(client, book, step="", deed="", part="", **typed):
    """Open a form, type into it, and press a button."""
    page = client.get(f"/playbooks/{book.id}/edit?part={part}&step={step}")
    assert page.status_code == 200
    fields = fields_of(page.text) | {name: each if isinstance(each, list) else [each] for name, each in typed.items()}
    return client.post(f"/playbooks/{book.id}/edit", data=fields | ({"deed": deed} if deed else {}))


LOOK, SHUT = books.ident("action", 2), books.ident("action", 3)


@pytest.mark.parametrize("where", [{"part": "head"}, {"part": "variables"}, {"part": "agents"}, {"step": LOOK}, {"step": SHUT}])
def test_a_form_that_nobody_changed_changes_nothing(mia, watchword, book, where):
    assert send(mia, book, **where).status_code == 303
    assert draft_of(watchword, book.id) == json.loads(book.text)
    assert mia.post(f"/playbooks/{book.id}/edit/discard").headers["location"] == f"/playbooks/{book.id}"
    assert draft_of(watchword, book.id) is None


def test_shipped_playbooks_go_through_the_forms_unchanged(mia, watchword):
    watchword.response.library.install_shipped()
    shipped = [one for one in watchword.response.library.list() if one.shipped]
    if not shipped:
        pytest.fail("no shipped playbook")
    kept = watchword.response.library.get(shipped[0].id)
    for name, step in decode(kept.text).workflow.items():
        if step.type not in {"start", "end"}:
            assert send(mia, kept, step=name).status_code == 303
    for part in ("head", "variables", "agents"):
        assert send(mia, kept, part=part).status_code == 303
    changed = [(one.at, one.kind, one.before, one.after) for one in differences(json.loads(kept.text), draft_of(watchword, kept.id))]
    assert changed == []
    mia.post(f"/playbooks/{kept.id}/edit/discard")


def test_a_step_is_written_in_words(mia, watchword, book):
    answer = send(
        mia, book, step=LOOK, name="Look twice", text="Look at the door\r\nand at the camera", responsible="it", accountable="safety_officer",
        consulted=["physical", "lead"], count="2", team_count="2", expires_after="20m", delay="1m", timeout="2h", evidence_minimum="1",
        evidence_kinds="photo, clip", on_failure=books.ident("action", 5), **{"clock.0": "acknowledge", "within.0": "5m", "on_breach.0": "note"},
    )  # fmt: skip
    assert answer.status_code == 303
    step = draft_of(watchword, book.id)["workflow"][LOOK]
    assert step["name"] == "Look twice"
    assert step["commands"] == [{"type": "manual", "command": "Look at the door\nand at the camera"}]
    assert (step["delay"], step["timeout"]) == (60_000, 7_200_000)
    assert (step["on_success"], step["on_failure"]) == (SHUT, books.ident("action", 5))
    assert "on_completion" not in step
    assert step["step_extensions"][STEP] == {
        "raci": {"responsible": "it", "accountable": "safety_officer", "informed": ["it"], "consulted": ["physical", "lead"]},
        "sla_timers": [{"clock": "acknowledge", "within": "5m", "on_breach": "note"}],
        "approvals": {"count": 2, "teams": 2, "expires_after": "20m"},
        "evidence": {"kinds": ["photo", "clip"], "minimum": 1},
    }


def test_an_action_of_the_catalogue_is_chosen_and_then_its_parameters(mia, watchword, book):
    assert send(mia, book, step=LOOK, verb="port.quarantine").status_code == 303
    page = mia.get(f"/playbooks/{book.id}/edit?step={LOOK}").text
    assert 'name="p.port"' in page
    assert 'name="revert_after"' in page
    send(mia, book, step=LOOK, target="switch-1\nswitch-2", **{"p.port": "Gi1/0/7", "revert_after": "4h"})
    said = draft_of(watchword, book.id)["workflow"][LOOK]["step_extensions"][STEP]["catalogue_action"]
    assert said == {"name": "port.quarantine", "target": ["switch-1", "switch-2"], "parameters": {"port": "Gi1/0/7"}, "revert_after": "4h"}
    send(mia, book, step=LOOK, verb="")
    assert "catalogue_action" not in draft_of(watchword, book.id)["workflow"][LOOK]["step_extensions"][STEP]


@pytest.mark.parametrize("kind", ["action", "parallel", "if-condition", "while-condition", "switch-condition", "playbook-action"])
def test_every_kind_of_step_is_put_in_shown_and_taken_out(mia, watchword, book, kind):
    answer = send(mia, book, step=LOOK, deed="add", kind=kind)
    assert answer.status_code == 303
    new = re.search(r"step=([\w-]+)", answer.headers["location"])[1]
    assert draft_of(watchword, book.id)["workflow"][LOOK]["on_completion"] == new
    page = mia.get(f"/playbooks/{book.id}/edit?step={new}")
    assert page.status_code == 200
    assert "error" in page.text
    assert send(mia, book, step=new, deed="remove").headers["location"].startswith(f"/playbooks/{book.id}/edit")
    assert draft_of(watchword, book.id) == json.loads(book.text)


def test_branches_cases_and_places(mia, watchword, book):
    fork = re.search(r"step=([\w-]+)", send(mia, book, step=LOOK, deed="add", kind="parallel").headers["location"])[1]
    send(mia, book, step=fork, deed="way")
    assert len(draft_of(watchword, book.id)["workflow"][fork]["next_steps"]) == 3
    send(mia, book, step=fork, deed="unway 2")
    send(mia, book, step=fork, deed="first 0", kind="action")
    made = draft_of(watchword, book.id)
    head = made["workflow"][fork]["next_steps"][0]
    assert made["workflow"][head]["on_completion"].startswith("action--")
    choice = re.search(r"step=([\w-]+)", send(mia, book, step=fork, deed="add", kind="switch-condition").headers["location"])[1]
    send(mia, book, step=choice, deed="way", case="theft", switch="__seen__")
    page = mia.get(f"/playbooks/{book.id}/edit?step={choice}").text
    assert 'name="case.case:theft"' in page
    send(mia, book, step=choice, **{"case.case:theft": "fire"})
    step = draft_of(watchword, book.id)["workflow"][choice]
    assert (step["switch"], list(step["cases"])) == ("__seen__:value", ["default", "fire"])
    assert send(mia, book, step=choice, deed="move", to=LOOK).status_code == 303
    assert draft_of(watchword, book.id)["workflow"][LOOK]["on_completion"] == choice
    send(mia, book, step=choice, deed="down")
    assert draft_of(watchword, book.id)["workflow"][LOOK]["on_completion"] == fork
    send(mia, book, step=choice, deed="up")
    answer = send(mia, book, step=fork, deed="move", to=head)
    assert answer.status_code == 422
    assert "within itself" in answer.text
    answer = send(mia, book, step=choice, deed="explode")
    assert answer.status_code == 422


def test_variables_and_those_who_do_steps(mia, watchword, book):
    send(mia, book, part="variables", **{"0.remove": "1", "2.name": "count", "2.type": "integer", "2.value": "3", "2.constant": "1"})
    made = draft_of(watchword, book.id)["playbook_variables"]
    assert "__seen__" not in made
    assert made["__count__"] == {"type": "integer", "value": "3", "constant": True}
    assert made["__account__"] == json.loads(book.text)["playbook_variables"]["__account__"]
    page = mia.get(f"/playbooks/{book.id}/edit").text
    assert "undeclared-variable" in page
    answer = send(mia, book, part="agents", **{"0.remove": "1"})
    assert answer.status_code == 422
    assert "give these to another first" in answer.text
    send(mia, book, part="agents", **{"1.name": "Guards", "1.type": "organization"})
    agents = draft_of(watchword, book.id)["agent_definitions"]
    assert [one["name"] for one in agents.values()] == ["Control room", "Guards"]
    assert sorted(agents)[1].startswith("organization--")


def test_as_one_types_faults_come_beside_the_field_and_nothing_is_kept(mia, watchword, book):
    new = re.search(r"step=([\w-]+)", send(mia, book, step=LOOK, deed="add", kind="if-condition").headers["location"])[1]
    kept = draft_of(watchword, book.id)
    fields = fields_of(mia.get(f"/playbooks/{book.id}/edit?step={new}").text)
    wrong = mia.post(f"/playbooks/{book.id}/edit/check", data=fields | {"condition": ["__seen__:value = "]})
    assert wrong.status_code == 200
    beside = wrong.text.partition('hx-target="#fault-condition"')[2].partition("</hx-partial>")[0]
    assert len(beside) > 40
    right = mia.post(f"/playbooks/{book.id}/edit/check", data=fields | {"condition": ["__seen__:value = 'x'"]})
    assert right.text.partition('hx-target="#fault-condition" hx-swap="innerHTML">')[2].startswith("</hx-partial>")
    delay = mia.post(f"/playbooks/{book.id}/edit/check", data=fields | {"delay": ["soon"]})
    assert len(delay.text.partition('hx-target="#fault-delay"')[2].partition("</hx-partial>")[0]) > 40
    assert draft_of(watchword, book.id) == kept


def test_saving_makes_a_version_and_two_people_do_not_overwrite_each_other(mia, client_of, watchword, book):
    root = client_of("root")
    send(mia, book, part="head", name="Mia's")
    send(root, book, part="head", name="Root's")
    assert draft_of(watchword, book.id)["name"] == "Mia's"
    assert draft_of(watchword, book.id, "root")["name"] == "Root's"
    assert mia.post(f"/playbooks/{book.id}/edit/save").headers["location"] == f"/playbooks/{book.id}"
    newest = watchword.response.library.get(book.id)
    assert (newest.name, newest.by) == ("Mia's", "mia")
    assert newest.modified > book.modified
    assert draft_of(watchword, book.id) is None
    answer = root.post(f"/playbooks/{book.id}/edit/save")
    assert answer.status_code == 409
    assert "Somebody saved version" in answer.text
    assert draft_of(watchword, book.id, "root")["name"] == "Root&#39;s".replace("&#39;", "'")
    root.post(f"/playbooks/{book.id}/edit/discard")


def test_a_new_playbook_from_nothing_and_from_another(mia, watchword, book):
    answer = mia.post("/playbooks/new", data={"name": " "})
    assert answer.status_code == 422
    assert "Give it a name" in answer.text
    answer = mia.post("/playbooks/new", data={"name": "Water in the server room"})
    place = answer.headers["location"]
    page = mia.get(place).text
    assert "Water in the server room" in page
    assert "Control" not in page.partition("<main")[2].partition("Who does steps")[0]
    step = re.search(r"step=(action--[\w-]+)", page)[1]
    identifier = place.split("/")[2]

    class New:
        id = identifier

    assert send(mia, New, step=step, text="Shut the valve").status_code == 303
    assert mia.post(f"/playbooks/{identifier}/edit/save").status_code == 303
    kept = watchword.response.library.get(identifier)
    assert (kept.name, kept.errors) == ("Water in the server room", ())
    answer = mia.post("/playbooks/new", data={"name": "Ours", "source": book.id})
    copied = draft_of(watchword, answer.headers["location"].split("/")[2])
    assert copied["derived_from"] == [book.id]
    assert "Ours" in mia.get("/playbooks/new").text
    mia.post(f"/playbooks/{copied['id']}/edit/discard")


def test_commands_of_another_product_are_mapped_to_a_person(mia, watchword):
    made = books.door_book(next(NUMBERS), "Foreign")
    made["workflow"][LOOK]["commands"] = [{"type": "bash", "command": "rm -rf /"}]
    kept = watchword.response.library.put(books.text(made), "test")
    page = mia.get(f"/playbooks/{kept.id}/edit?step={LOOK}").text
    assert "(bash) rm -rf /" in page
    assert "Map it to a person" in page
    send(mia, kept, step=LOOK, deed="person", instead="Ask the administrator")
    step = draft_of(watchword, kept.id)["workflow"][LOOK]
    assert step["commands"] == [{"type": "manual", "command": "Ask the administrator"}]
    assert step["step_extensions"][STEP]["mapped_from"]["commands"] == [{"type": "bash", "command": "rm -rf /"}]


def test_members_that_we_do_not_know_stay(mia, watchword):
    made = books.door_book(next(NUMBERS), "Foreign members")
    made["workflow"][LOOK]["x_theirs"] = {"a": [1, 2]}
    made["workflow"][LOOK]["step_extensions"]["extension-definition--0a1b2c3d-0000-4000-8000-000000000999"] = {"kept": True}
    kept = watchword.response.library.put(books.text(made), "test")
    send(mia, kept, step=LOOK, name="Another")
    step = draft_of(watchword, kept.id)["workflow"][LOOK]
    assert step["x_theirs"] == {"a": [1, 2]}
    assert step["step_extensions"]["extension-definition--0a1b2c3d-0000-4000-8000-000000000999"] == {"kept": True}
