"""Syslog lines of both kinds, as the RFCs and real senders write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ingest.syslog import SyslogFault, parse_syslog

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_rfc_5424_with_structured_data_and_bom() -> None:
    line = (
        '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="App\\"lic\\]ation" '
        'eventID="1011"][examplePriority@32473 class="high"] \ufeffAn application event'
    )
    message = parse_syslog(line, NOW)
    assert (message.facility, message.severity, message.level) == (20, 5, "notice")
    assert (message.host, message.app, message.procid, message.msgid) == ("mymachine.example.com", "evntslog", "", "ID47")
    assert message.moment == datetime(2003, 10, 11, 22, 14, 15, 3000, tzinfo=UTC)
    assert message.structured["sd.exampleSDID@32473.eventSource"] == 'App"lic]ation'
    assert message.structured["sd.examplePriority@32473.class"] == "high"
    assert message.message == "An application event"


def test_rfc_5424_without_anything() -> None:
    message = parse_syslog("<0>1 - - - - - -", NOW)
    assert (message.moment, message.host, message.message) == (None, "", "")


@pytest.mark.parametrize(
    ("line", "host", "app", "procid", "text"),
    [
        ("<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "mymachine", "su", "", "'su root' failed"),
        ("<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!", "10.0.0.99", "", "", "Use the BFG!"),
        ("<38>Mar  2 08:59:59 web1 sshd[812]: Accepted", "web1", "sshd", "812", "Accepted"),
        ("<38>2026-03-02T08:59:59.123+01:00 web1 sshd[812]: Accepted", "web1", "sshd", "812", "Accepted"),
        ("<189>Mar  2 2026 08:59:59 sw1 %LINK-3-UPDOWN: up", "sw1", "%LINK-3-UPDOWN", "", "up"),
        ("<189>*Mar  2 08:59:59.123: %LINK-3-UPDOWN: up", "", "%LINK-3-UPDOWN", "", "up"),
        ("<13>Mar  2 08:59:59 app: no host", "", "app", "", "no host"),
        ("<13>just words", "", "", "", "just words"),
    ],
)
def test_rfc_3164_as_senders_write_it(line: str, host: str, app: str, procid: str, text: str) -> None:
    message = parse_syslog(line, NOW)
    assert (message.host, message.app, message.procid, message.message) == (host, app, procid, text)


@pytest.mark.parametrize(
    ("arrival", "stamp", "year"),
    [
        (datetime(2026, 1, 1, 0, 5, tzinfo=UTC), "Dec 31 23:59:59", 2025),
        (datetime(2025, 12, 31, 23, 58, tzinfo=UTC), "Jan  1 00:00:01", 2026),
        (datetime(2026, 3, 2, tzinfo=UTC), "Mar  1 23:59:59", 2026),
        (datetime(2026, 3, 2, tzinfo=UTC), "Feb 29 12:00:00", 2027),
    ],
)
def test_the_year_is_the_one_nearest_to_arrival(arrival: datetime, stamp: str, year: int) -> None:
    message = parse_syslog(f"<13>{stamp} h a: x", arrival)
    if stamp.startswith("Feb 29"):
        assert message.moment is None  # neither neighbouring year has that day: the arrival time counts, labelled
        return
    assert message.moment is not None
    assert message.moment.year == year


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("no priority", "format.kind"),
        ("<999>x", "191"),
        ("<13>1 nonsense", "header"),
        ("<13>1 2026-99-01T00:00:00Z h a p m -", "RFC 3339"),
        ('<13>1 - h a p m [x y="1" z', "not closed"),
        ("<13>1 - h a p m [", "without a name"),
        ("<13>1 - h a p m oops", "structured data"),
        ("", "priority"),
    ],
)
def test_broken_lines_name_what_is_wrong(line: str, words: str) -> None:
    with pytest.raises(SyslogFault, match=words):
        parse_syslog(line, NOW)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["", "<13>", "<13>1 ", "<13>1 - h a p m [", "<13>Mar  2 08:59:59 "]), st.text(max_size=120))
def test_nothing_but_a_fault_is_raised(start: str, rest: str) -> None:
    try:
        parse_syslog(start + rest, NOW)
    except SyslogFault:
        return
