"""Hostile input at volume: malformed datagrams, injection, forged lines; counted, escaped, fast, nothing lost."""

import random
import time
from datetime import UTC, datetime

from watchword.ingest.complete import complete
from watchword.ingest.mapping import bare_mapping, load_mapping
from watchword.ingest.reparse import unparsed_of
from watchword.ingest.validator import validate
from watchword.model import RawRecord

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
INJECTIONS = (
    "'; DROP TABLE event; --",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "\u202egnp.exe",
    "a\x00b",
    "\x1b[31mred",
    "%s%n",
    "../../etc/passwd",
)


def test_two_hundred_thousand_malformed_datagrams_are_each_kept_with_a_fault() -> None:
    chance = random.Random(7)
    starts = (b"", b"<", b"<999>", b"<13", b"<13>1 x", b"<13>1 - - - - - [", b'<13>1 - - - - - [a b="', b"\xff\xfe", b"\x00")
    bodies = [chance.choice(starts) + chance.randbytes(chance.randrange(60)) for _ in range(20_000)]
    mapping = bare_mapping("syslog")
    faults = kept = 0
    began = time.process_time()
    for number in range(200_000):
        body = bodies[number % len(bodies)]
        parsed = mapping.parse(RawRecord("0" * 32, "s", NOW, body))
        if parsed.fault:
            faults += 1
            assert len(parsed.fault) < 500
        else:
            kept += len(parsed.events)
    spent = time.process_time() - began
    assert faults + kept == 200_000
    assert faults > 150_000
    assert spent < 60


def test_injection_in_every_text_field_stays_text() -> None:
    text = """
mapping: m
format: {kind: json}
events: [{class: authentication, activity: logon, message: "{u} {h}", fields: {account: u, host: h, src_host: s, reason: r, service: v, email: e}}]
"""
    import orjson

    mapping = load_mapping(text, "m")
    for words in INJECTIONS:
        body = orjson.dumps(dict.fromkeys("uhsrve", words))
        (event,) = mapping.parse(RawRecord("0" * 32, "s", NOW, body)).events
        assert event.data["status_detail"] == words
        assert not [one for one in validate(complete(event)) if one.kind != "deprecated"]
        assert unparsed_of(RawRecord("0" * 32, "s", NOW, words.encode()), "f").sample.isprintable()


def test_deep_and_wide_documents_end_in_a_fault_or_an_event() -> None:
    mapping = load_mapping(
        "mapping: m\nformat: {kind: json}\nlogsource: {product: x}\nevents: [{class: base_event, message: '{a.b.c}'}]", "m"
    )
    for body in (
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        b"[" * 100_000,
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":{"b":{"c":' + b"[1," * 200 + b"1" + b"]" * 200 + b"}}}",
    ):
        parsed = mapping.parse(RawRecord("0" * 32, "s", NOW, body))
        assert parsed.events or parsed.fault
