"""Phone page, acknowledging by link, and on call: plain forms, each refused to who may not, none shown with an address."""

import re
from datetime import timedelta

import pytest

from watchword.kit.secrets import token_digest
from watchword.model import Team
from watchword.respond import paging_tables as tables
from watchword.web.acknowledge import Turnstile


@pytest.fixture
def otto(client_of):
    return client_of("otto")


@pytest.fixture
def mia(client_of):
    return client_of("mia")


@pytest.fixture
def page(watchword, house, request):
    """Return (incident, uid of a page that calls both teams)."""
    incidents = watchword.response.incidents
    uid = incidents.open(f"Closet {house.INJECTION}", by="root", team="management", because="x", severity=2, teams=(Team.IT, Team.PHYSICAL))
    with watchword.records.begin() as connection:
        made = watchword.response.pager.page(
            connection, incident=uid, severity=2, teams=["it", "physical"], title=f"Door forced {house.INJECTION}", place="Closet 2",
            what_to_do="Go there.", exercise=False, key=f"{request.node.name}:{uid}",
        )  # fmt: skip
    return f"/incidents/{uid}", made


def token_for(watchword, page, person, team):
    """Put an attempt with a token beside the page, as the sender does."""
    token, now = f"token-{page}-{person}", watchword.clock.now()
    row = {
        "uid": f"{page[:20]}{person}", "page": page, "team": team, "person": person, "contact": "", "channel": "c", "kind": "push", "step": 0,
        "round": 0, "status": "sent", "due": now, "made": now, "tries": 1, "again": False, "detail": "", "token_digest": token_digest(token),
    }  # fmt: skip
    with watchword.records.begin() as connection:
        connection.execute(tables.page_attempt.insert().values(row))
    return token


def test_the_phone_page_has_one_button_for_a_page(otto, watchword, page, house):
    text = otto.get("/phone").text
    assert "REAL" in text
    assert house.INJECTION not in text
    assert otto.post(f"/phone/pages/{page[1]}").headers["location"] == "/phone"
    track = {track.team: track for track in watchword.response.pager.get(page[1]).tracks}
    assert (track["physical"].by, track["physical"].how, track["it"].by) == ("otto", "phone", "")
    assert otto.post(f"/phone/pages/{page[1]}").status_code == 409
    assert page[1] not in otto.get("/phone").text


def test_a_manager_takes_a_page_for_all(mia, watchword, page):
    mia.post(f"/phone/pages/{page[1]}")
    assert {track.by for track in watchword.response.pager.get(page[1]).tracks} == {"mia"}


def test_a_step_is_answered_on_the_phone(otto, client_of, watchword, page):
    response = watchword.response
    response.library.install_shipped()
    forced = next(identifier for identifier, name in response.library.names().items() if name == "Forced door, then unknown device")
    values = {"__asset__": "asset:sw-1", "__place__": "harbour/main/0/server-room", "__door__": "harbour/doors/D-03"}
    run = response.runs.start(forced, page[0].rpartition("/")[2], values, "ada")
    for _ in range(5):
        response.runs.step(watchword.clock.now())
    wait = next(wait for wait in response.runs.waits("physical") if wait.run == run and wait.kind == "person" and not wait.out_args)
    form = {"run": wait.run, "path": wait.path}
    assert "Not applicable" in otto.get("/phone").text
    assert otto.post("/phone/steps", data={**form, "result": "nonsense"}).status_code == 422
    assert otto.post("/phone/steps", data={**form, "result": "take"}).status_code == 303
    assert otto.post("/phone/steps", data={**form, "result": "not_applicable", "note": "closed today"}).status_code == 303
    step = next(step for step in response.runs.get(run).steps if step.path == wait.path)
    assert (step.by, step.note) == ("otto", "closed today")
    assert otto.post("/phone/steps", data={**form, "result": "done"}).status_code == 409
    assert client_of("aud").post("/phone/steps", data=form).status_code == 403


def test_a_link_shows_by_get_and_takes_by_post_without_log_in(client_of, watchword, page):
    token = token_for(watchword, page[1], "otto", "physical")
    nobody = client_of("")
    shown = nobody.get(f"/ack/{token}")
    assert shown.status_code == 200
    assert "as otto" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert shown.headers["referrer-policy"] == "no-referrer"
    assert next(track for track in watchword.response.pager.get(page[1]).tracks if track.team == "physical").by == ""
    taken = nobody.post(f"/ack/{token}")
    assert "You have it, otto" in taken.text
    assert next(track for track in watchword.response.pager.get(page[1]).tracks if track.team == "physical").by == "otto"
    assert nobody.post(f"/ack/{token}").status_code == 409
    assert nobody.get("/ack/no-such-token").status_code == 404
    assert nobody.post(f"/ack/{token}", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_one_address_tries_so_often_and_no_more(client_of, app):
    app.state.turnstile = Turnstile(3)
    nobody = client_of("")
    codes = [nobody.get(f"/ack/guess-{number}").status_code for number in range(5)]
    app.state.turnstile = None
    assert codes == [404, 404, 404, 429, 429]
    turnstile = Turnstile(1)
    assert [turnstile.passes("a", 0), turnstile.passes("a", 1), turnstile.passes("b", 1), turnstile.passes("a", 61)] == [
        True,
        False,
        True,
        True,
    ]


def rota(client, name, **more):
    values = {
        "name": name, "team": "physical", "zone": "Europe/Berlin", "layer.1.name": "nights", "layer.1.people": "otto", "layer.1.first": "2026-03-02",
        "layer.1.at": "20:00", "layer.1.days": "7", "layer.1.hours": "mon-fri 20:00 - 08:00", "layer.2.name": "days", "layer.2.people": "otto, mia",
        "layer.2.first": "2026-03-02", "layer.2.at": "08:00", "layer.2.days": "1",
    }  # fmt: skip
    return client.post("/on-call/rotas", data={**values, **more})


def test_a_rota_is_made_and_changed_in_a_form(mia, otto, watchword, house):
    assert rota(mia, "Desk").status_code == 303
    kept = watchword.response.on_call.get("Desk")
    assert [(layer.name, layer.people, len(layer.hours)) for layer in kept.rota.layers] == [
        ("days", ("otto", "mia"), 0),
        ("nights", ("otto",), 1),
    ]
    text = otto.get("/on-call").text
    assert "Mon 2" in text
    assert "00:00 to 08:00" in text
    form = mia.get("/on-call/rotas/Desk").text
    assert 'value="mon,tue,wed,thu,fri 20:00 - 08:00"' in form
    assert rota(mia, "Desk", **{"layer.1.gone": "1", "version": "1"}).status_code == 303
    assert len(watchword.response.on_call.get("Desk").rota.layers) == 1
    assert rota(mia, "Desk", version="1").status_code == 409
    for field, value, said in (("hours", "all day", "write hours as"), ("hours", "xxx 10:00 - 11:00", "is no day"), ("first", "soon", "write days as"), ("people", "nobody", "nobody active")):  # fmt: skip
        answer = rota(mia, "Other", **{f"layer.1.{field}": value})
        assert (answer.status_code, said in answer.text) == (422, True), (field, value)
    assert house.INJECTION not in rota(mia, house.INJECTION).text


def test_turns_are_offered_taken_and_given_back(otto, mia, watchword):
    rota(mia, "Swaps", **{"layer.1.gone": "1"})
    turn = {"rota": "Swaps", "layer": "days", "turn": "2"}
    assert mia.post("/on-call/swaps", data={**turn, "deed": "offer"}).status_code == 403
    assert otto.post("/on-call/swaps", data={**turn, "deed": "offer"}).status_code == 303
    uid = next(offer.uid for name, offer in watchword.response.on_call.offers() if name == "Swaps")
    assert mia.post(f"/on-call/swaps/{uid}", data={"deed": "take"}).status_code == 303
    assert watchword.response.on_call.get("Swaps").rota.swaps[0].taker == "mia"
    assert mia.post(f"/on-call/swaps/{uid}", data={"deed": "withdraw"}).status_code == 303
    assert otto.post("/on-call/swaps", data={**turn, "turn": "x"}).status_code == 422
    assert otto.post("/on-call/swaps", data={**turn, "turn": "3", "deed": "take"}).status_code == 303


def test_a_stranger_to_a_swap_does_not_end_it(otto, mia, ada, watchword):
    rota(mia, "Strangers", **{"layer.1.gone": "1"})
    otto.post("/on-call/swaps", data={"rota": "Strangers", "layer": "days", "turn": "2", "deed": "offer"})
    uid = next(offer.uid for name, offer in watchword.response.on_call.offers() if name == "Strangers")
    assert ada.post(f"/on-call/swaps/{uid}", data={"deed": "withdraw"}).status_code == 403
    assert otto.post(f"/on-call/swaps/{uid}", data={"deed": "withdraw"}).status_code == 303


def test_overrides_and_calendars(otto, mia, watchword, client_of):
    rota(mia, "Calendar")
    assert mia.post(
        "/on-call/rotas/Calendar/overrides", data={"person": "mia", "since": "2026-03-03T08:00", "until": "2026-03-03T10:00", "reason": "fair"}
    ).status_code == 303  # fmt: skip
    assert "override" in otto.get("/on-call").text
    assert mia.post("/on-call/rotas/Calendar/overrides", data={"person": "mia", "since": "x", "until": "y"}).status_code == 422
    assert otto.post("/on-call/rotas/Calendar/overrides", data={}).status_code == 403
    address = re.search(r"/calendar/([^<]+\.ics)", otto.get("/on-call").text)[0]
    feed = client_of("").get(address)
    assert feed.headers["content-type"].startswith("text/calendar")
    assert "BEGIN:VEVENT" in feed.text
    mia.post("/on-call/rotas/Calendar/feed")
    assert client_of("").get(address).status_code == 404
    ics = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260304T080000Z\r\nDTEND:20260304T100000Z\r\nSUMMARY:otto\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"  # fmt: skip
    assert mia.post("/on-call/rotas/Calendar/calendar", files={"file": ("leave.ics", ics)}).status_code == 303
    assert mia.post("/on-call/rotas/Calendar/calendar", files={"file": ("leave.ics", ics.replace("otto", "stranger"))}).status_code == 422
    override = watchword.response.on_call.get("Calendar").rota.overrides[0]
    assert mia.post(f"/on-call/overrides/{override.uid}").status_code == 303


def test_ones_own_contacts_are_kept_without_showing_their_address(otto, ada, watchword):
    secret = "ntfy://127.0.0.1:9/secret-topic"
    assert (
        otto.post(
            "/on-call/contacts",
            data={"kind": "push", "label": "my phone", "address": secret, "quiet-since": "22:00", "quiet-until": "06:00"},
        ).status_code
        == 303
    )
    text = otto.get("/on-call").text
    assert "my phone" in text
    assert "secret-topic" not in text
    refused = otto.post("/on-call/contacts", data={"kind": "push", "label": "bad", "address": "no-such-service://secret-topic"})
    assert refused.status_code == 422
    assert "secret-topic" not in refused.text
    uid = watchword.response.contacts.contacts("otto")[0].uid
    assert ada.post(f"/on-call/contacts/{uid}", data={"deed": "forget"}).status_code == 404
    assert otto.post(f"/on-call/contacts/{uid}", data={"deed": "test"}).status_code == 303
    assert "does not work" in otto.get("/on-call").text
    for deed in ("rest", "use", "first", "forget"):
        assert otto.post(f"/on-call/contacts/{uid}", data={"deed": deed}).status_code == 303, deed
    assert watchword.response.contacts.contacts("otto") == []


def test_planned_quiet_is_approved_by_somebody_else(mia, otto, client_of, watchword):
    sent = {"place": "Server room 2", "since": "2026-03-03T10:00", "until": "2026-03-03T12:00", "ticket": "CHG-7"}
    assert otto.post("/on-call/windows", data=sent).status_code == 403
    assert mia.post("/on-call/windows", data=sent).status_code == 303
    window = next(window for window in watchword.response.quiet.windows() if window.ticket == "CHG-7")
    assert window.place == "harbour/main/0/server-room"
    assert (window.since.hour, window.until - window.since) == (9, timedelta(hours=2))
    assert mia.post(f"/on-call/windows/{window.uid}", data={"deed": "approve"}).status_code == 403
    assert client_of("root").post(f"/on-call/windows/{window.uid}", data={"deed": "approve"}).status_code == 303
    assert "approved by root" in otto.get("/on-call").text
    assert mia.post(f"/on-call/windows/{window.uid}", data={"deed": "end"}).status_code in {303, 409}
    answer = mia.post("/on-call/windows", data={**sent, "place": "Nowhere"})
    assert (answer.status_code, 'value="Nowhere"' in answer.text) == (422, True)


def test_who_only_reads_sees_who_is_on_call_and_changes_nothing(client_of):
    auditor = client_of("aud")
    text = auditor.get("/on-call").text
    assert "Physical security" in text
    assert "/calendar/" not in text
    assert auditor.get("/on-call/new").status_code == 403
    assert auditor.post("/on-call/contacts", data={}).status_code == 403
    assert auditor.get("/phone").status_code == 403
