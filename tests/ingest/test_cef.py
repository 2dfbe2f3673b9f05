"""CEF and LEEF lines, honest and forged."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ingest.cef import REPEATED, CefFault, parse_cef


def test_a_cef_line_with_escapes_and_labels() -> None:
    columns = parse_cef(
        r"CEF:0|Secu\|rity|threat\\manager|1.0|100|worm stopped|10|src=10.0.0.1 msg=a \= b\nc cs1Label=Reader cs1=R 7 dst=2.1.2.2"
    )
    assert columns["cef.vendor"] == "Secu|rity"
    assert columns["cef.product"] == "threat\\manager"
    assert (columns["cef.id"], columns["cef.severity"]) == ("100", "10")
    assert columns["msg"] == "a = b\nc"
    assert columns["Reader"] == columns["cs1"] == "R 7"
    assert columns["dst"] == "2.1.2.2"


def test_a_forged_key_does_not_replace_the_first_and_is_shown() -> None:
    columns = parse_cef("CEF:0|v|p|1|1|n|5|src=10.0.0.1 suser=x src=1.1.1.1")
    assert columns["src"] == "10.0.0.1"
    assert columns[REPEATED] == ["src"]


def test_leef_one_and_two() -> None:
    one = parse_cef("LEEF:1.0|Microsoft|MSExchange|4.0 SP1|15345|src=192.0.2.0\tdst=172.50.123.1\tname=a=b")
    assert (one["leef.vendor"], one["src"], one["name"]) == ("Microsoft", "192.0.2.0", "a=b")
    for delimiter in ("^", "0x5E", "x5e"):
        two = parse_cef(f"LEEF:2.0|Lancope|StealthWatch|1.0|41|{delimiter}|src=10.0.1.8^dst=10.0.0.5")
        assert (two["leef.id"], two["dst"]) == ("41", "10.0.0.5")


def test_a_header_that_ends_early_is_a_fault() -> None:
    with pytest.raises(CefFault, match="2 of 7"):
        parse_cef("CEF:0|vendor|product")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["CEF:0|", "LEEF:1.0|", "LEEF:2.0|a|b|c|d|", "CEF:0|a|b|c|d|e|f|"]), st.text(max_size=150))
def test_nothing_but_a_fault_is_raised(start: str, rest: str) -> None:
    try:
        parse_cef(start + rest)
    except CefFault:
        return
