"""Deeds: log-in, acknowledgement, verdict, trail, accounts; each by a plain form, each in the audit log, none from another site."""

import pytest

from watchword.kit.ids import uid_of


@pytest.fixture
def finding(watchword, house, request):
    """Return the uid of a fresh finding that calls a person."""
    from watchword.model import EventQuery

    events = {each.message.split(" ")[1]: each for each in watchword.events.events(EventQuery(limit=50))}
    made = house.lisbon([None, events["opened"], events["logged"]], number=request.node.name)
    watchword.findings.put([made])
    yield made.uid
    from dataclasses import replace

    from watchword.model import FindingState

    watchword.findings.put([replace(made, state=FindingState.WITHDRAWN)])


def last(watchword, action):
    return watchword.audit.entries(action=action, limit=1)[0]


def test_nobody_is_shown_the_log_in_page_and_comes_back(client_of, house):
    client = client_of()
    answer = client.get("/timeline?q=x")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/log-in?next=%2Ftimeline%3Fq%3Dx"
    answer = client.post("/log-in", data={"name": "ada", "password": house.PASSWORD, "next": "/timeline?q=x"})
    assert answer.headers["location"] == "/timeline?q=x"
    cookie = answer.headers["set-cookie"]
    assert "__Host-watchword=" in cookie
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"))


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "evil"])
def test_log_in_never_leads_away(client_of, house, to):
    answer = client_of().post("/log-in", data={"name": "ada", "password": house.PASSWORD, "next": to})
    assert answer.headers["location"] == "/"


def test_a_wrong_password_is_said_and_the_name_kept(client_of):
    answer = client_of().post("/log-in", data={"name": "ada", "password": "wrong"})
    assert answer.status_code == 401
    assert "Name and password do not fit" in answer.text
    assert 'value="ada"' in answer.text
    assert "set-cookie" not in answer.headers


def test_logging_out_ends_it(client_of):
    client = client_of("otto")
    assert client.get("/").status_code == 200
    assert client.post("/log-out").status_code == 303
    assert client.get("/").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}, {"Origin": "https://evil.example"}, {}],
)
def test_deeds_from_another_site_are_refused(app, house, client_of, headers, finding):
    from starlette.testclient import TestClient

    cookies = dict(client_of("ada").cookies)
    with TestClient(app, base_url="https://testserver", cookies=cookies, follow_redirects=False) as other:
        assert other.post(f"/findings/{finding}/acknowledge", headers=headers).status_code == 403
        assert other.post(f"/findings/{finding}/acknowledge", headers={"Origin": "https://testserver"}).status_code == 303


def test_acknowledge_verdict_and_undo(ada, watchword, finding):
    assert ada.post(f"/findings/{finding}/acknowledge", data={"back": "/"}).headers["location"] == f"/?done={finding}"
    kept = watchword.findings.get(finding)
    assert (kept.work.state.value, kept.work.by) == ("acknowledged", "ada")
    assert last(watchword, "finding.acknowledge").target == finding
    assert "Acknowledged by <strong>ada</strong>" in ada.get(f"/findings/{finding}").text
    page = ada.get(f"/?done={finding}").text
    assert "Acknowledged: " in page
    assert f'action="/findings/{finding}/reopen"' in page
    answer = ada.post(f"/findings/{finding}/verdict", data={})
    assert answer.status_code == 422
    assert "Choose what it was found to be" in answer.text
    assert ada.post(f"/findings/{finding}/verdict", data={"disposition": "false", "note": ""}).status_code == 422
    assert ada.post(f"/findings/{finding}/verdict", data={"disposition": "false", "note": "her husband's phone"}).status_code == 303
    assert watchword.findings.get(finding).work.disposition.value == "false"
    assert last(watchword, "finding.close").reason == "her husband's phone"
    assert ada.post(f"/findings/{finding}/reopen").status_code == 303
    assert watchword.findings.get(finding).work.state.value == "open"


def test_many_are_acknowledged_at_once(ada, watchword, finding):
    answer = ada.post("/findings/acknowledge", data={"uid": [finding, uid_of("finding", "2")], "back": "/findings?severity=medium"})
    assert answer.headers["location"] == "/findings?severity=medium"
    assert watchword.findings.get(uid_of("finding", "2")).work.state.value == "acknowledged"
    ada.post(f"/findings/{uid_of('finding', '2')}/reopen")


def test_a_manager_judges_nothing_and_reads_no_trail(client_of, finding):
    mia = client_of("mia")
    assert mia.post(f"/findings/{finding}/acknowledge").status_code == 403
    assert "Acknowledge</button>" not in mia.get(f"/findings/{finding}").text
    assert "Your role reads no trails" in mia.get("/people/person:1042").text
    assert mia.post("/people/person:1042/trail", data={"reason": "I would like to know"}).status_code == 403
    assert mia.get("/audit").status_code == 403


def test_a_trail_opens_after_a_reason_that_is_logged(client_of, watchword):
    otto = client_of("otto")
    assert "badge opened" not in otto.get("/people/person:1042").text
    answer = otto.post("/people/person:1042/trail", data={"reason": "x"})
    assert answer.status_code == 422
    assert "Say in a few words why" in answer.text
    assert otto.post("/people/person:1042/trail", data={"reason": "badge at two places at once"}).status_code == 303
    text = otto.get("/people/person:1042").text
    assert "badge opened" in text
    assert "open to you until" in text
    entry = last(watchword, "trail.read")
    assert (entry.actor, entry.target, entry.reason) == ("otto", "person:1042", "badge at two places at once")
    assert "badge opened" in otto.get("/timeline?person=Ana+Reyes").text
    assert "badge opened" not in client_of("otto").get("/timeline?person=Ana+Reyes").text


def test_the_auditor_sees_and_verifies_the_chain(client_of, watchword):
    aud = client_of("aud")
    assert "Nobody has verified the chain yet" in aud.get("/audit").text or "verified" in aud.get("/audit").text
    assert aud.post("/audit/verify").status_code == 303
    text = aud.get("/audit").text
    assert "chain holds" in text
    assert "session: log in" in text
    assert aud.get("/audit?actor=nobody-at-all").status_code == 200
    assert aud.get("/audit?since=nonsense").status_code == 422
    assert aud.get("/audit?before=99999999999999999999").status_code == 200


def test_how_pages_look_is_kept_on_the_device(ada):
    answer = ada.post("/account/look", data={"theme": "dark", "density": "compact", "clock": "mine", "zone": "Europe/Lisbon"})
    assert answer.status_code == 303
    text = ada.get("/").text
    assert 'data-theme="dark"' in text
    assert 'data-density="compact"' in text
    assert 'data-keys="off"' in text
    assert '07:41:00 <span class="zone">Lisbon</span>' in text
    ada.post("/account/look", data={"theme": '"><script>', "zone": "../../etc/passwd"})
    assert "script>" not in ada.get("/").text.replace("</script>", "").replace('"module" src', "")[:400]


def test_a_password_is_changed(client_of, house, watchword):
    watchword.accounts.create("pat", next(iter(type(watchword.accounts.account("ada").role))), house.PASSWORD, actor="test")
    pat = client_of("pat")
    assert pat.post("/account/password", data={"old": house.PASSWORD, "password": "a", "again": "b"}).status_code == 422
    assert "at least 12" in pat.post("/account/password", data={"old": house.PASSWORD, "password": "short", "again": "short"}).text
    new = "one more long secret"
    assert "The password is changed" in pat.post("/account/password", data={"old": house.PASSWORD, "password": new, "again": new}).text
    assert pat.get("/").status_code == 200


def test_an_administrator_keeps_accounts(root, ada, watchword, house):
    data = {"name": "new.one", "full_name": "New One", "role": "manager", "password": house.PASSWORD}
    assert ada.post("/account/accounts", data=data).status_code == 403
    assert root.post("/account/accounts", data=data).status_code == 303
    kept = watchword.accounts.account("new.one")
    assert kept.must_change
    assert root.post("/account/accounts", data=data).status_code == 422
    assert root.post(f"/account/accounts/{kept.uid}", data={"role": "auditor"}).status_code == 303
    assert watchword.accounts.account("new.one").role.value == "auditor"
    assert root.post(f"/account/accounts/{kept.uid}", data={"state": "shut"}).status_code == 303
    assert watchword.accounts.account("new.one").disabled
    assert root.post(f"/account/accounts/{watchword.accounts.account('root').uid}", data={"state": "shut"}).status_code == 403


def test_a_token_is_shown_once_and_opens_the_wall_without_names(root, client_of, watchword):
    answer = root.post("/account/tokens", data={"name": "Wall", "scopes": ["wall"]})
    secret = answer.text.partition("<pre>")[2].partition("</pre>")[0]
    assert secret.startswith("ww_")
    assert secret not in root.get("/account").text
    wall = client_of()
    assert wall.get("/wall").status_code == 303
    assert wall.get("/wall?token=ww_wrong").status_code == 403
    answer = wall.get(f"/wall?token={secret}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/wall")
    text = wall.get("/wall").text
    assert "Badge used while the account works elsewhere" in text
    assert "Reyes" not in text
    assert wall.get("/").status_code == 303
    token = next(each for each in watchword.tokens.list() if each.name == "Wall")
    assert root.post(f"/account/tokens/{token.uid}/revoke").status_code == 303
    assert wall.get("/wall").status_code == 303


def test_wrong_tokens_are_said(ada):
    assert ada.post("/account/tokens", data={"name": "", "scopes": ["read"]}).status_code == 422
    assert ada.post("/account/tokens", data={"name": "x", "scopes": ["everything"]}).status_code == 422
    assert ada.post("/account/tokens", data={"name": "x", "scopes": ["accounts"]}).status_code == 422
    assert ada.post("/account/tokens", data={"name": "x", "scopes": ["read"], "days": "-1"}).status_code == 422


def test_headers(ada):
    headers = ada.get("/").headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "max-age" in headers["strict-transport-security"]


def test_bundled_files_are_kept_for_ever(ada):
    from watchword.web.bundle import asset

    if not asset("app.css"):
        pytest.skip("installed without the bundle")
    answer = ada.get(asset("app.css"))
    assert "immutable" in answer.headers["cache-control"]
    assert ada.get("/static/../pages.py").status_code == 404
    assert ada.get("/static/manifest.json.nope").status_code == 404


def test_what_somebodys_own_machine_did_is_their_trail_and_what_all_share_is_not(client_of, watchword):
    otto = client_of("otto")
    for query in ("asset=ws-042", "address=10.1.2.42", "asset=ws-042&q=sent"):
        text = otto.get(f"/timeline?{query}").text
        assert "Why do you need the trail of A. Reyes?" in text
        assert "it is their own" in text
        assert "ws-042 sent" not in text
    assert "Why do you need" not in otto.get("/timeline?asset=cam-03").text
    assert "Why do you need" not in otto.get("/timeline?address=203.0.113.9").text
    answer = otto.post("/people/person:1042/trail", data={"reason": "malware on ws-042", "back": "/timeline?asset=ws-042"})
    assert answer.headers["location"] == "/timeline?asset=ws-042"
    assert last(watchword, "trail.read").reason == "malware on ws-042"
    assert "ws-042 sent" in otto.get("/timeline?asset=ws-042").text
    assert "Your role reads no trails" in client_of("mia").get("/timeline?asset=ws-042").text


def test_a_printed_trail_says_who_read_it_and_why_and_is_logged(client_of, watchword):
    otto = client_of("otto")
    assert otto.post("/trail/print", data={"person": "person:1042", "page": "/people/person:1042"}).status_code == 409
    assert not watchword.audit.entries(action="trail.print")
    assert "print-mark" not in otto.get("/timeline").text
    otto.post("/people/person:1042/trail", data={"reason": "badge at two places at once"})
    for page in ("/people/person:1042", "/timeline?person=Ana+Reyes"):
        text = otto.get(page).text
        assert "Read by otto on" in text
        assert "Trail of A. Reyes, because: badge at two places at once" in text
    assert otto.post("/trail/print", data={"person": "person:1042", "page": "/people/person:1042"}).status_code == 204
    entry = last(watchword, "trail.print")
    assert (entry.actor, entry.target, entry.reason) == ("otto", "person:1042", "badge at two places at once")
    assert entry.detail == {"page": "/people/person:1042"}
    assert otto.post("/trail/print", data={"person": "person:1042"}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
