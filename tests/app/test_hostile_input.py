"""Hostile input against a running `watchword up`: clear errors, everything counted and escaped, nothing lost, memory bounded."""

import base64
import hmac
import json
import random
import socket
import subprocess
import sys
import time
import zlib
from hashlib import sha256
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest
from tests.app.running import Running, free_port, wait_for

from watchword.app.onboarding import add_source
from watchword.app.principal import Permission, Role
from watchword.app.source_keys import keys_of
from watchword.model import EventQuery

PASSWORD = "correct horse battery"
SCRIPT = "<script>alert(7)</script>"
EVIL = SCRIPT + "\"onmouseover='alert(7)' '; DROP TABLE event; --"
GIGABYTE = 1 << 30
DATAGRAMS = 200_000
WORDS = """\
mapping: words
describes: Log-ons and doors in one stream
source: {domain: it, kind: host, connector: webhook, lateness: 5m, resolution: 1s}
format: {kind: json}
time: {from: time, format: iso}
logsource: {product: hostile, service: words}
events:
  - when: {kind: logon}
    class: authentication
    activity: logon
    message: "{account} on {host}: {words}"
    fields: {account: account, host: host, src_ip: ip, status: {value: 1}}
  - when: {kind: door}
    class: physical_access
    activity: granted
    message: "{words}"
    fields: {badge: badge, reader: reader, direction: way}
"""
BADGES = """\
mapping: badges
describes: Readers, a CSV export in local time
source: {domain: physical, kind: access_control, connector: csv, lateness: 24h, resolution: 1s}
format: {kind: csv}
time: {from: time, format: "%Y-%m-%d %H:%M:%S", zone: Europe/Berlin}
events:
  - class: physical_access
    activity: granted
    fields: {badge: badge, reader: reader}
"""
LINES = """\
mapping: lines
describes: Any syslog
source: {domain: it, kind: host, connector: syslog, lateness: 5m, resolution: 1s}
format: {kind: syslog}
time: {zone: UTC}
events:
  - {class: base_event, activity: Other, message: "{message}", fields: {host: host}}
"""
SITE = f"""\
site: evil
name: {json.dumps("Site " + EVIL)}
zone: Europe/Berlin
zones:
  hall: {{name: {json.dumps("Hall " + EVIL)}}}
  vault: {{name: {json.dumps("Vault " + EVIL)}, kind: critical}}
doors:
  front: {{name: {json.dumps("Front " + EVIL)}, from: outside, to: hall, readers: {{in: R-1}}}}
  inner: {{name: {json.dumps("Inner " + EVIL)}, from: hall, to: vault, readers: {{both: R-2}}}}
assets:
  ws-1: {{kind: workstation, place: hall, addresses: [10.0.0.1], owner: "1"}}
"""
PEOPLE = 'employee,name,role,badges,accounts\n1,"{0}","{0}",4711,eve\n'.format(("Eve " + EVIL).replace('"', '""'))
RULE = f"""\
title: {json.dumps("Words " + EVIL)}
id: 7f2c1a52-0000-4000-8000-000000000001
status: test
author: {json.dumps("Mallory " + EVIL)}
description: {json.dumps("Says " + EVIL)}
logsource: {{product: hostile, service: words}}
detection: {{words: {{words|contains: DROP}}, condition: words}}
level: high
falsepositives: [{json.dumps(EVIL)}]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "data" / "rules").mkdir(parents=True)
    (folder / "data" / "rules" / "evil.yml").write_text(RULE)
    tcp, udp = free_port(), free_port(socket.SOCK_DGRAM)
    running = Running(
        folder / "data",
        f"""
detect.rules = ["rules"]
api.rate = 100000
spool.reserve = "64MiB"
[[syslog]]
source = "lines"
protocol = "tcp"
host = "127.0.0.1"
port = {tcp}
[[syslog]]
source = "datagrams"
protocol = "udp"
host = "127.0.0.1"
port = {udp}
""",
    )
    running.tcp, running.udp = tcp, udp
    watchword = running.watchword
    watchword.accounts.create("root", Role.ADMINISTRATOR, PASSWORD, actor="test", full_name="Root " + EVIL)
    for name, text in (("words", WORDS), ("badges", BADGES), ("lines", LINES), ("datagrams", LINES)):
        add_source(watchword, name, mapping_text=text, actor="test")
    watchword.registry.load_site(SITE, "site.yaml", "test")
    watchword.registry.load_people(PEOPLE, "people.csv", "test")
    running.key = keys_of(watchword).new_signing_key("words", actor="test")
    running.token = watchword.tokens.create("root", "test " + EVIL, tuple(Permission), actor="test")[1]
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture
def api(house):
    with httpx2.Client(base_url=house.url, headers={"Authorization": f"Bearer {house.token}"}, timeout=60, trust_env=False) as client:
        yield client


def is_problem(answer, status):
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert answer.json()["detail"]
    return answer.json()


def signed(house, body, *, at=None, key=None):
    stamp = str(int(time.time() if at is None else at))
    secret = base64.b64decode((key or house.key).removeprefix("whsec_"))
    mark = hmac.new(secret, f"m-{stamp}-{len(body)}.{stamp}.".encode() + body, sha256).digest()
    return {
        "webhook-id": f"m-{stamp}-{len(body)}",
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(mark).decode(),
    }


def cli(house, *words):
    command = [sys.executable, "-m", "watchword", "--settings", str(house.file), "--data", str(house.data), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False)


# A webhook proves itself, or is told why not


def test_a_webhook_that_does_not_prove_itself(house):
    body = json.dumps({"time": "2026-03-02T08:00:00Z", "kind": "logon", "account": "x"}).encode()
    other = "whsec_" + base64.b64encode(b"not this source's key").decode()
    before = house.watchword.ledger.status("words").accepted + house.waiting()
    with httpx2.Client(base_url=house.url, timeout=60, trust_env=False) as client:
        for headers, says in (
            ({}, "not signed"),
            ({"Authorization": "Bearer wws_wrong"}, "not signed"),
            (signed(house, body, key=other), "does not fit"),
            (signed(house, body + b" "), "does not fit"),
            (signed(house, body, at=time.time() - 3600), "timestamp"),
            (signed(house, body, at=time.time() + 3600), "timestamp"),
            ({**signed(house, body), "webhook-timestamp": "1e9"}, "timestamp"),
            ({"X-Signature": "sha256=" + "0" * 64}, "does not fit"),
            ({"X-Signature": b"sha256=\xfc\xfe"}, "does not fit"),
        ):
            problem = is_problem(client.post("/api/v1/ingest/words", content=body, headers=headers), 401)
            assert says in problem["detail"], problem
        assert is_problem(client.post("/api/v1/ingest/nobody", content=body, headers=signed(house, body)), 401)
    house.settled()
    assert house.watchword.ledger.status("words").accepted == before, "nothing came in"


# Bombs


def bombs():
    """Bodies of a few MB that unpack to gigabytes: one member, and a chain of members."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(b"[") + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(32 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    yield "one member", start + piece * 150 + packer.flush()
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    member = packer.compress(b"{}\n" * (4 << 20)) + packer.flush()
    yield "many members", member * 300


def test_a_bomb_is_refused_before_it_unpacks(house):
    with house.growth() as grown, httpx2.Client(base_url=house.url, timeout=60, trust_env=False) as client:
        for name, bomb in bombs():
            assert len(bomb) < 16 << 20, name
            start = time.monotonic()
            answer = client.post("/api/v1/ingest/words", content=bomb, headers={**signed(house, bomb), "Content-Encoding": "gzip"})
            assert "unpacks to more than" in is_problem(answer, 413)["detail"], name
            assert time.monotonic() - start < 20
        for body, encoding, status in ((b"\x1f\x8b\x08 no", "gzip", 422), (b"{}", "br", 415), (b"x" * (17 << 20), "", 413)):
            headers = {**signed(house, body), **({"Content-Encoding": encoding} if encoding else {})}
            assert is_problem(client.post("/api/v1/ingest/words", content=body, headers=headers), status)
    assert grown[0] < 300, f"{grown[0]:.0f} MB"


# Files whose columns or times are wrong


def test_a_csv_without_a_column_is_refused_with_its_place_and_the_remedy(house, tmp_path):
    (tmp_path / "short.csv").write_text("time,badge\n2026-03-02 08:00:00,1\n")
    before = house.watchword.ledger.status("badges")
    ran = cli(house, "ingest", str(tmp_path / "short.csv"), "--source", "badges")
    assert ran.returncode == 1, ran.stderr
    assert "short.csv:1" in ran.stderr
    assert "'reader'" in ran.stderr
    assert "name the column as the file does" in ran.stderr, "what to do"
    assert house.watchword.ledger.status("badges") == before


def test_local_times_that_do_not_exist_are_kept_as_faults(house, tmp_path):
    rows = [
        "2026-03-29 01:59:59,1,R-1",
        "2026-03-29 02:30:00,2,R-1",
        "2026-10-25 02:30:00,3,R-1",
        "2026-02-30 08:00:00,4,R-1",
        "soon,5,R-1",
    ]
    (tmp_path / "dst.csv").write_text("time,badge,reader\n" + "\n".join(rows) + "\n")
    ran = cli(house, "ingest", str(tmp_path / "dst.csv"), "--source", "badges")
    assert (ran.returncode, json.loads(ran.stdout)) == (1, {"accepted": 5, "parsed": 2, "unparsed": 3, "duplicate": 0})
    faults = [each.fault for each in house.watchword.ledger.unparsed("badges", limit=10)]
    assert any("2026-03-29 02:30:00 does not exist in Europe/Berlin" in fault for fault in faults), faults
    assert len(faults) == 3


# Words that would act as code


def evil_records():
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    logon = {"time": at, "kind": "logon", "account": "acc-" + EVIL, "host": "host-" + EVIL, "ip": "203.0.113.7", "words": "said " + EVIL}
    door = {"time": at, "kind": "door", "badge": "4711", "reader": "R-2", "way": "in", "words": "door " + EVIL}
    stranger = {**door, "badge": EVIL, "reader": EVIL, "way": EVIL}
    broken = {**logon, "time": EVIL}
    return [logon, door, stranger, broken, {**logon, "account": "eve", "ip": EVIL, EVIL: EVIL}]


class Page(HTMLParser):
    """Collects links and what would act."""

    def __init__(self, text):
        super().__init__()
        self.links, self.acts = [], []
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self._script = tag == "script"
        self.acts += [f"{tag} {name}" for name, _ in attrs if name.startswith("on")]
        self.links += [value for name, value in attrs if name in {"href", "src", "hx-get", "action"} and value]
        self.acts += [value for value in self.links if value.strip().lower().startswith(("javascript:", "data:text"))]

    def handle_data(self, data):
        if self._script and "alert(7)" in data:
            self.acts.append(data)

    def handle_endtag(self, _):
        self._script = False


def crawl(client, *starts):
    """Return every page within reach, by path; links that differ only in their query are followed a few times."""
    found, queue, asked = {}, list(starts), {}
    while queue and len(found) < 150:
        address = queue.pop(0)
        path = urlsplit(address).path
        if address in found or asked.get(path, 0) >= 3 or path in {"/live", "/log-out"} or path.startswith(("/static", "/api")):
            continue
        asked[path] = asked.get(path, 0) + 1
        answer = client.get(address)
        assert answer.status_code < 500, (address, answer.text[:400])
        found[address] = answer.text
        if answer.headers.get("content-type", "").startswith("text/html"):
            links = (urljoin(address, link) for link in Page(answer.text).links)
            queue += [link for link in links if link.startswith("/") and not link.startswith("//")]
    return found


@pytest.fixture(scope="module")
def said(house):
    """The records of evil words, taken in, judged, and worked on by a person with more of them."""
    body = "\n".join(json.dumps(each) for each in evil_records()).encode()
    with httpx2.Client(base_url=house.url, timeout=60, trust_env=False, headers={"Authorization": f"Bearer {house.token}"}) as client:
        answer = client.post("/api/v1/ingest/words", content=body, headers=signed(house, body))
        assert (answer.status_code, answer.json()["accepted"]) == (200, 5), answer.text
        finding = wait_for(lambda: client.get("/api/v1/findings", params={"rule": "7f2c1a52-0000-4000-8000-000000000001"}).json()["items"])[
            0
        ]
        house.settled()
        kept = client.get(f"/api/v1/findings/{finding['uid']}")
        done = client.patch(
            f"/api/v1/findings/{finding['uid']}",
            json={"work": "closed", "disposition": "false", "note": "note " + EVIL},
            headers={"If-Match": kept.headers["etag"]},
        )
        assert done.status_code == 200, done.text
    return finding["uid"]


@pytest.mark.slow
def test_no_word_acts_on_any_page(house, said):
    with httpx2.Client(base_url=house.url, timeout=60, trust_env=False, headers={"Sec-Fetch-Site": "same-origin"}) as client:
        refused = client.post("/log-in", data={"name": EVIL, "password": EVIL, "next": EVIL})
        assert refused.status_code == 401
        assert SCRIPT not in refused.text
        entered = client.post("/log-in", data={"name": "root", "password": PASSWORD})
        assert entered.status_code == 303, entered.text
        client.headers["Cookie"] = entered.headers["set-cookie"].partition(";")[0]
        client.post("/people/person:1/trail", data={"reason": "Because of " + EVIL})
        event = house.watchword.events.events(EventQuery(text="said", limit=1))[0]
        starts = (
            "/",
            "/timeline",
            f"/events/{event.uid}",
            "/findings?work=closed",
            f"/findings/{said}",
            f"/findings/{said}/related",
            "/entities",
        )
        more = ("/places", "/people", "/people/person:1", "/assets", "/sources", "/sources/words", "/audit", "/account", "/wall", "/help")
        asking = dict.fromkeys(("text", "person", "place", "asset", "source", "address", "since", "rule", "after", "class", "next"), EVIL)
        pages = crawl(client, *starts, *more)
        for path in (
            "/timeline",
            "/findings",
            "/people",
            "/assets",
            "/entities",
            "/audit",
            "/sources/words",
            "/places",
            "/log-in",
            "/" + SCRIPT,
        ):
            for name, value in asking.items():
                answer = client.get(path, params={name: value})
                assert answer.status_code < 500, (path, name, answer.text[:400])
                pages[f"{path}?{name}"] = answer.text
    assert len(pages) > 100, sorted(pages)
    shown = set()
    for path, text in pages.items():
        assert SCRIPT not in text, path
        assert not Page(text).acts, (path, Page(text).acts)
        if "&lt;script&gt;alert(7)" in text:
            shown.add(path)
    for path in (
        "/timeline",
        f"/events/{event.uid}",
        f"/findings/{said}",
        "/people",
        "/people/person:1",
        "/assets",
        "/sources/words",
        "/audit",
    ):
        assert path in shown, f"{path} shows the words as words"
    assert any(path.startswith("/places/") for path in shown)


def test_words_are_kept_to_the_letter_and_questions_answer_them(house, said, api):
    log = house.watchword.events
    events = log.events(EventQuery(sources=("words",), limit=100))
    assert len(events) == 4, "one has no time"
    bodies = {record.body for record in log.records([event.record for event in events])}
    assert {json.loads(body)["words"] for body in bodies} == {"said " + EVIL, "door " + EVIL}
    assert {event.message for event in events} >= {"door " + EVIL}
    count = len(log.events(EventQuery(limit=1000)))
    for name in ("text", "person", "asset", "place", "credential", "address", "source"):
        answer = api.get("/api/v1/events", params={name: EVIL, "reason": "to see whether it bites"})
        assert answer.status_code < 500, answer.text
    assert [each["message"] for each in api.get("/api/v1/events", params={"text": "door DROP TABLE"}).json()["items"]] == [
        "door " + EVIL
    ] * 2
    assert len(log.events(EventQuery(limit=1000))) == count, "the table stands"
    note = api.get(f"/api/v1/findings/{said}").json()
    assert ("note " + EVIL) in json.dumps(note, ensure_ascii=False).replace('\\"', '"')
    listed = cli(house, "events", "list", "--filter", "source=words", "--format", "csv")
    assert listed.returncode == 0, listed.stderr
    for name in (EVIL, "../../x", "a b", "", "a\x00"):
        assert is_problem(api.post("/api/v1/sources", json={"name": name, "mapping": "words"}), 422), name


def test_tampered_cursors_and_filters(api, said):
    answer = api.get("/api/v1/events", params={"limit": 1})
    cursor = answer.json()["next"]
    assert api.get("/api/v1/events", params={"limit": 1, "after": cursor}).status_code == 200
    for bad in (cursor[:-4], cursor[::-1], "' OR 1=1 --", EVIL, "\x00", "9" * 900, base64.urlsafe_b64encode(b'["x","y"]').decode()):
        for path in ("/api/v1/events", "/api/v1/findings", "/api/v1/sources/words/unparsed"):
            assert is_problem(api.get(path, params={"after": bad}), 400)["type"].endswith("bad-cursor"), (path, bad)
    assert is_problem(api.get("/api/v1/events", params={"after": "x" * 2000}), 422)
    for name, bad in (
        ("since", EVIL),
        ("until", "9999999999999"),
        ("severity", EVIL),
        ("class", EVIL),
        ("limit", "-1"),
        ("limit", "1e9"),
        ("order", "'"),
    ):
        assert is_problem(api.get("/api/v1/events", params={name: bad}), 422), name
    assert is_problem(api.get("/api/v1/findings", params={"state": EVIL}), 422)
    assert is_problem(api.get("/api/v1/events/" + "x" * 300), 422)
    assert is_problem(api.get("/api/v1/events/%27%20OR%201=1"), 422)


# Streams


def test_invalid_text_on_a_stream_is_kept_to_the_byte(house):
    lines = [
        b"<13>1 2026-03-02T08:00:00Z h a - - - \xff\xfe\xc3( end",
        b"<13>1 2026-03-02T08:00:01Z h a - - - nul\x00\x1b[2J",
        b"\xed\xa0\x80\xf8",
        b"<99999>",
    ]
    before = house.watchword.ledger.status("lines").accepted
    with socket.create_connection(("127.0.0.1", house.tcp)) as stream:
        stream.sendall(b"\n".join(lines) + b"\n")
    wait_for(lambda: house.watchword.ledger.status("lines").accepted - before == len(lines))
    house.settled()
    status = house.watchword.ledger.status("lines")
    assert status.parsed + status.unparsed == status.accepted
    events = house.watchword.events.events(EventQuery(sources=("lines",), limit=10))
    unparsed = [each.record for each in house.watchword.ledger.unparsed("lines", limit=10)]
    bodies = {each.body for each in house.watchword.events.records([event.record for event in events] + unparsed)}
    assert set(lines) <= bodies


@pytest.mark.slow
def test_a_line_of_a_gigabyte_is_cut_kept_and_counted(house):
    before = house.watchword.ledger.status("lines")
    piece = b"x" * (1 << 20)
    with house.growth() as grown:
        with socket.create_connection(("127.0.0.1", house.tcp)) as stream:
            stream.sendall(b"<13>1 2026-03-02T08:00:00Z h a - - - ")
            for _ in range(GIGABYTE >> 20):
                stream.sendall(piece)
            stream.sendall(b"\n<13>1 2026-03-02T08:00:02Z h a - - - after it\n")
        wait_for(lambda: house.watchword.ledger.status("lines").accepted - before.accepted == 2)
    assert grown[0] < 200, f"{grown[0]:.0f} MB"
    house.settled()
    cut = house.watchword.ledger.unparsed("lines", limit=1)[0]
    assert f"record of {GIGABYTE + 37} bytes" in cut.fault
    assert len(house.watchword.events.records([cut.record])[0].body) < 70_000
    assert house.watchword.ledger.status("lines").unparsed - before.unparsed == 1
    assert house.watchword.events.events(EventQuery(text="after it", limit=1))


@pytest.mark.slow
def test_a_flood_of_malformed_datagrams_is_kept_or_counted_as_lost(house, api):
    chance = random.Random(7)
    starts = (b"<", b"<999>", b"<13", b"<13>1 x", b"<13>1 - - - - - [", b'<13>1 - - - - - [a b="', b"\xff\xfe", b"\x00")
    bodies = [chance.choice(starts) + chance.randbytes(chance.randrange(60)) for _ in range(1_000)]
    start = time.monotonic()
    with house.growth() as grown, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(DATAGRAMS):
            sender.sendto(bodies[number % len(bodies)], ("127.0.0.1", house.udp))
        sent = time.monotonic() - start

        def accounted():
            status = house.watchword.ledger.status("datagrams")
            return status.accepted + status.lost + house.waiting() >= DATAGRAMS

        wait_for(accounted, 60)
    house.settled()
    status = house.watchword.ledger.status("datagrams")
    print(f"{status.accepted} kept, {status.unparsed} of them faulty, {status.lost} lost, {sent:.1f} s to send, {grown[0]:.0f} MB")  # noqa: T201 - the figures that the report quotes
    assert status.accepted + status.lost == DATAGRAMS, "each is kept, or counted as lost"
    assert status.parsed + status.unparsed == status.accepted
    assert status.unparsed > 0
    assert status.accepted >= 5_000
    assert grown[0] < 200, f"{grown[0]:.0f} MB"
    if status.lost:
        assert f'watchword_source_lost{{source="datagrams"}} {float(status.lost)}' in api.get("/metrics").text
        assert api.get("/api/v1/sources/datagrams").json()["status"]["lost"] == status.lost
    body = json.dumps(
        {"time": "2026-03-02T08:00:00Z", "kind": "logon", "account": "still", "host": "h", "ip": "10.0.0.1", "words": "here"}
    ).encode()
    assert api.post("/api/v1/ingest/words", content=body, headers=signed(house, body)).status_code == 200, "it lives"
    assert house.pid("serve")
