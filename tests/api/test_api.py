"""The API: who may, what comes, how lists are paged, what changes need, how errors read."""

import gzip
import json
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from watchword.api.application import belongs, make_api
from watchword.app.source_keys import keys_of
from watchword.kit.limits import Limiter

V1 = "/api/v1"


def problem(answer, status, name):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["type"] == f"urn:watchword:problem:{name}"
    assert body["status"] == status
    assert body["title"]
    assert body["instance"].startswith("/")
    return body


def test_without_a_token_nothing_is_shown(client):
    for path in ("/events", "/findings", "/people", "/assets", "/places", "/sources", "/entities", "/audit"):
        answer = client.get(V1 + path)
        problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    problem(client.get(f"{V1}/events", headers={"Authorization": "Bearer ww_wrong"}), 401, "unauthenticated")
    problem(client.get(f"{V1}/events", headers={"Authorization": "Basic eDp5"}), 401, "unauthenticated")
    assert client.get("/metrics").status_code == 401


def test_scopes_hold(client, token):
    reader = token("read", account="mia")
    assert client.get(f"{V1}/events", headers=reader).status_code == 200
    assert "'audit'" in problem(client.get(f"{V1}/audit", headers=reader), 403, "forbidden")["detail"]
    problem(client.post(f"{V1}/sources", headers=reader, json={"name": "x"}), 403, "forbidden")
    problem(client.get(f"{V1}/people/person:1/trail", headers=reader), 403, "forbidden")
    problem(client.post(f"{V1}/ingest/windows", headers=reader, content=b"{}"), 403, "forbidden")


def test_health_and_documents(client, admin):
    health = client.get(f"{V1}/health")
    assert health.status_code == 200
    assert health.json()["checks"] == {"records": "ok", "events": "ok", "disk": "ok"}
    assert client.get(f"{V1}/health/live").json() == {"status": "alive"}
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert all(path.startswith(V1) for path in document["paths"])
    page = client.get("/api")
    assert "<script" not in page.text
    assert "/api/v1/findings/{uid}" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    metrics = client.get("/metrics", headers=admin)
    assert 'watchword_source_accepted{source="harbour-doors"}' in metrics.text
    assert 'watchword_source_unparsed{source="harbour-doors"} 5.0' in metrics.text
    assert "watchword_spool_records 0.0" in metrics.text
    assert belongs("/api/v1/events")
    assert belongs("/metrics")
    assert not belongs("/apis")
    assert not belongs("/")


def walk(client, path, headers, limit):
    items, url = [], f"{V1}{path}{'&' if '?' in path else '?'}limit={limit}"
    for _ in range(200):
        answer = client.get(url, headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        if page["next"] is None:
            assert "link" not in answer.headers
            return items
        link = answer.headers["link"]
        assert link.endswith('; rel="next"')
        url = link[1 : link.index(">")]
    raise AssertionError("no end")


@pytest.mark.parametrize("path", ["/events?source=harbour-doors", "/findings", "/people", "/assets", "/sources", "/places", "/audit"])
def test_pages_join_without_gap_or_double(client, admin, path):
    def keys(items):
        return [json.dumps(each, sort_keys=True) for each in items]

    whole = keys(walk(client, path, admin, 200))
    small = keys(walk(client, path, admin, max(1, min(37, len(whole) // 2))))
    if not path.startswith("/audit"):
        assert small == whole
    assert len(set(small)) == len(small)
    assert len(whole) >= 2


def test_events_by_filters(client, admin):
    page = client.get(f"{V1}/events", params={"class": "physical_access", "severity": "info", "limit": 5}, headers=admin).json()
    assert len(page["items"]) == 5
    event = page["items"][0]
    assert event["time"].endswith("Z")
    assert page["items"] == sorted(page["items"], key=lambda each: (each["time"], each["uid"]), reverse=True)
    oldest = client.get(f"{V1}/events", params={"order": "oldest", "limit": 3}, headers=admin).json()["items"]
    assert oldest == sorted(oldest, key=lambda each: (each["time"], each["uid"]))
    one = client.get(f"{V1}/events/{event['uid']}", headers=admin)
    assert one.json() == event
    assert client.get(f"{V1}/events/{event['uid']}", headers={**admin, "If-None-Match": one.headers["etag"]}).status_code == 304
    record = client.get(f"{V1}/events/{event['uid']}/record", headers=admin).json()
    assert record["source"] == event["source"]
    assert json.loads(record["body"])
    inside = client.get(f"{V1}/events", params={"place": "harbour", "limit": 5}, headers=admin).json()["items"]
    assert all(each["place"].startswith("harbour") for each in inside)
    assert (
        client.get(f"{V1}/events", params={"since": "2026-06-01T07:00:00Z", "until": "2026-06-01T07:01:00Z"}, headers=admin).status_code
        == 200
    )
    problem(client.get(f"{V1}/events/{'0' * 32}", headers=admin), 404, "not-found")
    problem(client.get(f"{V1}/events", params={"since": "soon"}, headers=admin), 422, "invalid")
    problem(client.get(f"{V1}/events", params={"class": "doors"}, headers=admin), 422, "invalid")
    problem(client.get(f"{V1}/events", params={"limit": 0}, headers=admin), 422, "invalid")
    problem(client.get(f"{V1}/events", params={"after": "zzz"}, headers=admin), 400, "bad-cursor")


def test_trails_need_a_reason_and_are_audited(client, house, token, admin):
    reader = token("read", "trail", account="ivo")
    person = client.get(f"{V1}/people", headers=reader).json()["items"][0]["uid"]
    problem(client.get(f"{V1}/people/{person}/trail", headers=reader), 403, "reason-required")
    problem(client.get(f"{V1}/events", params={"person": person}, headers=reader), 403, "reason-required")
    problem(client.get(f"{V1}/people/{person}", headers=reader), 403, "reason-required")
    problem(client.get(f"{V1}/people/{person}/trail", params={"reason": "x"}, headers=reader), 422, "invalid")
    before = house.audit.head()[0]
    answer = client.get(f"{V1}/people/{person}/trail", params={"reason": "ticket 4711: lost badge", "limit": 3}, headers=reader)
    assert answer.status_code == 200
    assert {each["person"] for each in answer.json()["items"]} <= {person}
    entry = house.audit.entries(limit=1)[0]
    assert (entry.seq, entry.action, entry.target, entry.reason) == (before + 1, "trail.read", person, "ticket 4711: lost badge")
    assert entry.actor.startswith("ivo")
    # one reason holds for a quarter of an hour
    assert client.get(f"{V1}/people/{person}", headers=reader).json()["person"]["uid"] == person
    assert client.get(f"{V1}/events", params={"person": person}, headers=reader).status_code == 200
    problem(client.get(f"{V1}/people/{person}/trail", headers=token("read", account="ivo")), 403, "forbidden")
    problem(client.get(f"{V1}/people/nobody", params={"reason": "ticket 4711"}, headers=reader), 404, "not-found")


def test_what_somebodys_own_machine_did_is_their_trail(client, house, token):
    directory = house.registry.directory()
    own = [each for each in directory.assets.assets.values() if directory.owners(each.uid) and each.addresses][-1]
    address = next(each for each in own.addresses if each[0].isdigit())
    reader = token("read", "trail", account="ivo")
    for asked in ({"asset": own.uid}, {"address": address}):
        problem(client.get(f"{V1}/events", params=asked, headers=reader), 403, "reason-required")
        problem(client.get(f"{V1}/events", params=asked, headers=token("read", account="ivo")), 403, "forbidden")
    before = house.audit.head()[0]
    assert client.get(f"{V1}/events", params={"asset": own.uid, "reason": "ticket 4712"}, headers=reader).status_code == 200
    entry = house.audit.entries(limit=1)[0]
    assert (entry.seq, entry.action, entry.target) == (before + 1, "trail.read", directory.owners(own.uid)[0])
    assert client.get(f"{V1}/events", params={"address": address}, headers=reader).status_code == 200
    free = next(each for each in directory.assets.assets.values() if not directory.owners(each.uid))
    assert client.get(f"{V1}/events", params={"asset": free.uid}, headers=token("read", account="ivo")).status_code == 200


def test_findings_are_worked_on(client, house, admin, token):
    page = client.get(f"{V1}/findings", headers=admin).json()
    assert page["items"], "the demo's first morning has findings"
    finding = page["items"][0]
    keys = [
        "uid",
        "rule",
        "title",
        "severity",
        "confidence",
        "time",
        "first_time",
        "last_time",
        "because",
        "persons",
        "assets",
        "places",
        "credentials",
        "addresses",
        "events",
    ]
    assert list(finding)[: len(keys)] == keys
    url = f"{V1}/findings/{finding['uid']}"
    read = client.get(url, headers=admin)
    etag = read.headers["etag"]
    assert client.get(url, headers={**admin, "If-None-Match": f'"x", {etag}'}).status_code == 304
    change = {"work": "acknowledged", "note": "=1+1 <script>"}
    problem(client.patch(url, headers=admin, json=change), 428, "precondition-required")
    problem(client.patch(url, headers={**admin, "If-Match": '"old"'}, json=change), 412, "stale")
    problem(client.patch(url, headers={**token("read"), "If-Match": etag}, json=change), 403, "forbidden")
    done = client.patch(url, headers={**admin, "If-Match": etag}, json=change)
    assert done.status_code == 200
    assert (done.json()["work"], done.json()["note"]) == ("acknowledged", "=1+1 <script>")
    assert house.audit.entries(limit=1)[0].action == "finding.acknowledge"
    problem(client.patch(url, headers={**admin, "If-Match": etag}, json=change), 412, "stale")
    new = {**admin, "If-Match": done.headers["etag"]}
    problem(client.patch(url, headers=new, json={"work": "closed"}), 422, "invalid")
    problem(client.patch(url, headers=new, json={"work": "closed", "x": 1}), 422, "invalid")
    problem(client.patch(url, headers={**new, "Content-Type": "application/json"}, content=b"{"), 400, "bad-request")
    closed = client.patch(url, headers=new, json={"work": "closed", "disposition": "benign"})
    assert closed.json()["disposition"] == "benign"
    assert finding["uid"] not in [each["uid"] for each in client.get(f"{V1}/findings?work=open", headers=admin).json()["items"]]
    assert client.get(f"{url}/related", headers=admin).status_code == 200
    problem(client.get(f"{V1}/findings/none", headers=admin), 404, "not-found")


def test_entities_places_and_assets(client, admin):
    ranking = client.get(f"{V1}/entities", headers=admin).json()["items"]
    assert ranking
    assert all({"entity", "kind", "score", "findings_for", "because"} <= set(each) for each in ranking)
    assert client.get(f"{V1}/entities?kind=boat", headers=admin).status_code == 422
    places = walk(client, "/places", admin, 200)
    site = next(each for each in places if each["place"]["uid"] == "harbour")
    assert site["people"] > 20
    assert site["unknown"] >= 0
    assert client.get(f"{V1}/places/harbour", headers=admin).json() == site
    doors = client.get(f"{V1}/places/harbour/doors", headers=admin).json()["items"]
    assert len(doors) > 10
    problem(client.get(f"{V1}/places/atlantis", headers=admin), 404, "not-found")
    problem(client.get(f"{V1}/places/atlantis/doors", headers=admin), 404, "not-found")
    asset = client.get(f"{V1}/assets?kind=camera", headers=admin).json()["items"][0]
    assert client.get(f"{V1}/assets/{quote(asset['uid'])}", headers=admin).json() == asset
    problem(client.get(f"{V1}/assets/none", headers=admin), 404, "not-found")


def test_sources_and_unparsed(client, admin):
    listed = walk(client, "/sources", admin, 200)
    doors = next(each for each in listed if each["source"]["name"] == "harbour-doors")
    assert doors["status"]["unparsed"] == 5
    unparsed = client.get(f"{V1}/sources/harbour-doors/unparsed?limit=2", headers=admin).json()
    assert unparsed["items"][0]["sample"].startswith("this is no JSON")
    assert unparsed["next"]
    problem(client.get(f"{V1}/sources/none", headers=admin), 404, "not-found")
    problem(client.get(f"{V1}/sources/none/unparsed", headers=admin), 404, "not-found")


def test_parsing_again_is_asked_of_the_worker(client, house, admin):
    from watchword.app.pipeline import Pipeline
    from watchword.app.reparsing import asked, do_asked

    answer = client.post(f"{V1}/sources/harbour-doors/reparse", headers=admin)
    assert (answer.status_code, answer.headers["location"]) == (202, f"{V1}/sources/harbour-doors")
    client.post(f"{V1}/sources/harbour-doors/reparse", headers=admin)
    assert [source for source, _ in asked(house)] == ["harbour-doors"]
    assert do_asked(house, Pipeline(house)) == 1
    assert asked(house) == []
    assert house.ledger.status("harbour-doors").unparsed == 5
    assert house.audit.entries(action="source.reparse", limit=1)[0].detail == {"mended": 0, "unparsed": 5}
    problem(client.post(f"{V1}/sources/none/reparse", headers=admin), 404, "not-found")


def test_adding_a_source_once(client, admin, house):
    text = "mapping: api-test\nsource: {domain: it, kind: host, connector: webhook}\nformat: {kind: json}\ntime: {from: t, format: iso}\nevents:\n  - class: authentication\n    activity: logon\n    fields: {account: u}\n"
    new = {"name": "api-test", "mapping_text": text}
    keyed = {**admin, "Idempotency-Key": "k1"}
    made = client.post(f"{V1}/sources", headers=keyed, json=new)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"{V1}/sources/api-test"
    again = client.post(f"{V1}/sources", headers=keyed, json=new)
    assert (again.status_code, again.json()) == (201, made.json())
    problem(client.post(f"{V1}/sources", headers=keyed, json={**new, "name": "other"}), 422, "key-reused")
    problem(client.post(f"{V1}/sources", headers=admin, json=new), 409, "conflict")
    problem(client.post(f"{V1}/sources", headers=admin, json={"name": "../x"}), 422, "invalid")
    faulty = problem(
        client.post(f"{V1}/sources", headers=admin, json={"name": "y", "mapping_text": "mapping: y\nevnts: []\nformat: {kind: x}\n"}),
        422,
        "content-invalid",
    )
    assert {each["line"] for each in faulty["errors"]} >= {2, 3}
    assert [each.action for each in house.audit.entries(action="source.add")] == ["source.add"]


def test_ingest_by_source_token_signature_and_account_token(client, house, admin, token):
    keys = keys_of(house)
    url = f"{V1}/ingest/windows"
    body = b'{"@timestamp":"2026-06-01T07:00:00Z","event":{"code":1}}\n{"@timestamp":"2026-06-01T07:00:01Z","event":{"code":2}}\n'
    problem(client.post(url, content=body), 401, "unauthenticated")
    secret = keys.new_token("windows", actor="test")
    mine = {"Authorization": f"Bearer {secret}"}
    assert client.post(url, content=body, headers=mine).json() == {"accepted": 2, "duplicate": 0}
    assert client.post(url, content=body, headers=mine).json() == {"accepted": 0, "duplicate": 2}
    assert (
        client.post(url, content=gzip.compress(body + b'{"a":1}\n'), headers={**mine, "Content-Encoding": "gzip"}).json()["accepted"] == 1
    )
    assert client.post(url, content=b'{"b":1}', headers=token("ingest")).json()["accepted"] == 1
    problem(client.post(f"{V1}/ingest/cameras", content=body, headers=mine), 401, "unauthenticated")
    problem(client.post(f"{V1}/ingest/nothing", content=body, headers=admin), 404, "not-found")
    problem(client.post(url, content=b"", headers=mine), 422, "invalid")
    problem(client.post(url, content=b"[1,", headers=mine), 422, "invalid")
    problem(client.post(url, content=body, headers={**mine, "Content-Encoding": "br"}), 415, "unsupported-media-type")
    problem(client.post(url, content=body, headers={**mine, "Content-Length": str(10**12)}), 413, "too-large")
    bomb = gzip.compress(b"\n" * (200 << 20))
    problem(client.post(url, content=bomb, headers={**mine, "Content-Encoding": "gzip"}), 413, "too-large")
    assert house.spool.depth().records == 4


def test_signed_deliveries(client, house):
    import base64
    import hmac
    from hashlib import sha256

    key = base64.b64decode(keys_of(house).new_signing_key("idp", actor="test").removeprefix("whsec_"))
    url, body = f"{V1}/ingest/idp", b'{"published":"2026-06-01T07:00:00Z"}'
    good = {"X-Signature": "sha256=" + hmac.new(key, body, sha256).hexdigest()}
    assert client.post(url, content=body, headers=good).status_code == 200
    problem(client.post(url, content=body + b" ", headers=good), 401, "bad-signature")
    problem(client.post(url, content=body), 401, "bad-signature")
    keys_of(house).revoke("idp", actor="test")
    problem(client.post(url, content=body, headers=good), 401, "unauthenticated")


def test_a_full_spool_refuses_and_says_when_to_come_back(client, house, admin, monkeypatch):
    from watchword.kit.errors import Full

    def full(*args, **kwargs):
        raise Full("the spool is full")

    monkeypatch.setattr(house.intake, "accept", full)
    answer = client.post(f"{V1}/ingest/windows", content=b"{}", headers=admin)
    problem(answer, 503, "full")
    assert int(answer.headers["retry-after"]) > 0


def test_sessions_work_from_our_own_pages_only(client, house):
    session = house.accounts.log_in("ann", "correct horse battery staple", address="127.0.0.1").token
    mine = {"Cookie": f"__Host-watchword={session}"}
    assert client.get(f"{V1}/events?limit=1", headers=mine).status_code == 200
    url = f"{V1}/audit/verify"
    problem(client.post(url, headers=mine), 403, "cross-site")
    problem(client.post(url, headers={**mine, "Sec-Fetch-Site": "cross-site"}), 403, "cross-site")
    problem(client.post(url, headers={**mine, "Origin": "http://evil.test"}), 403, "cross-site")
    assert client.post(url, headers={**mine, "Sec-Fetch-Site": "same-origin"}).json()["intact"] is True
    assert client.post(url, headers={**mine, "Origin": "http://watchword.test"}).status_code == 200


def test_methods_and_paths(client, admin):
    answer = client.delete(f"{V1}/findings/x", headers=admin)
    problem(answer, 405, "method-not-allowed")
    assert {"GET", "PATCH"} <= set(answer.headers["allow"].split(", "))
    problem(client.get("/api/v1/nothing", headers=admin), 404, "not-found")


def test_failures_say_nothing_of_the_inside(client, house, admin, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("secret path /etc/passwd")

    monkeypatch.setattr(house.ledger, "sources", broken)
    body = problem(client.get(f"{V1}/sources", headers=admin), 500, "internal")
    assert "passwd" not in json.dumps(body)


def test_too_many_requests(house, admin):
    app = make_api(house)
    app.state.limiter = Limiter(60)
    with TestClient(app) as client:
        answers = [client.get(f"{V1}/sources", headers=admin) for _ in range(25)]
    assert [each.status_code for each in answers[:20]] == [200] * 20
    problem(answers[-1], 429, "too-many-requests")
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_buckets_fill_up_and_forget():
    limits = Limiter(60)
    assert all(limits.wait("a", 0.0) == 0 for _ in range(20))
    assert limits.wait("a", 0.0) == pytest.approx(1.0)
    assert limits.wait("b", 0.0) == 0
    assert limits.wait("a", 1.0) == 0
    for number in range(10_100):
        limits.wait(f"c{number}", 2.0)
    assert len(limits._buckets) == 10_000
