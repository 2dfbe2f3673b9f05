"""What the chain says, in a person's words: names for uids, sentences for verbs, local time; nothing that is not known is changed."""

from zoneinfo import ZoneInfo

import pytest


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Decide: door.secure_ingress on harbour/doors/D-03", "Decide: Let nobody in through Server room 2 door; leaving stays free"),
        ("account.disable account:areyes: used twice", "Disable the account areyes: used twice"),
        ("port.quarantine asset:sw-1", "Put port of sw-1 into the quarantine network"),
        ("t2 raised: 2026-03-03T07:41:00+00:00 (triage)", "t2 raised: 08:41:00 (triage)"),
        ("evidence: 0123456789abcdef0123456789abcdef", "evidence: 01234567…"),
        ("clock 'complete/5m' runs", "A step is to be done within 5m"),
        ("e.g. on Friday and/or example.com/path stay <b>", "e.g. on Friday and/or example.com/path stay <b>"),
        ("no.such verb", "no.such verb"),
    ],
)
def test_a_text_reads_as_a_person_would_say_it(watchword, text, shown):
    from watchword.web.plain import plain

    found = plain(text, watchword.registry.directory(), watchword.response.gateway.catalogue, ZoneInfo("Europe/Berlin"))
    assert found == shown
