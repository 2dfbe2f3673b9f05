"""Variables: names, types, uses in texts, and texts with values in them."""

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.respond.variables import (
    TYPES,
    RenderFailed,
    argument_name,
    bare_names,
    fits,
    is_name,
    references,
    render,
    render_known,
    uses,
)


@dataclass(frozen=True)
class Value:
    type: str
    value: str | None


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("bool", "true false", "True 1 yes"), ("integer", "0 -7 +12", "1.0 x 1e3 ५"), ("long", "123456789012345678901", "1.5"), ("float", "1 1.5 -.5 2e10 3.", "nan inf 1,5 ."),
        ("ipv4-addr", "10.0.0.1 10.0.0.0/8 0.0.0.0", "10.0.0.1/8 10.0.0 256.1.1.1 ::1 -1.2.3.4"), ("ipv6-addr", "::1 2001:db8::/32", "10.0.0.1 2001:db8::1/32 x"),
        ("mac-addr", "02:00:5e:00:53:01 02-00-5E-00-53-01", "02:00 020005e0053"), ("md5-hash", "d41d8cd98f00b204e9800998ecf8427e", "d4 zz"), ("sha256-hash", "a" * 64, "a" * 63),
        ("hexstring", "00ff AB", "0 0x1"), ("uri", "https://x urn:y", "x :y"), ("uuid", "0a1b2c3d-0000-4000-8000-000000000001", "0a1b2c3d"), ("string", "x", ""), ("hash", "x", ""), ("dictionary", "{}", ""), ("ip", "x", ""),
    ],
)  # fmt: skip
def test_types(kind, good, bad):
    assert kind in TYPES or kind == "ip"
    assert all(fits(kind, one) for one in good.split())
    assert not any(fits(kind, one) for one in bad.split())
    assert fits(kind, "") is (kind in ("string", "hash", "dictionary", "ip", "hexstring"))
    assert not fits(kind, "10.0.0.1\n") or kind in ("string", "hash", "dictionary", "ip")


def test_names():
    assert all(is_name(name) for name in ("__a__", "__a-b_c__", "__A9__", "__" + "a" * 200 + "__"))
    assert not any(is_name(name) for name in ("__", "a", "__1__", "__a", "__a.b__", "__ä__", "__" + "a" * 201 + "__", "____"))
    assert argument_name("__a__") == argument_name("__a__:value") == "__a__"


def test_uses():
    text = "__a__:value-__b__:value __a__:values __c__ x__d__:value,__e__:value-1 __f____g__:value"
    assert list(references(text)) == ["__a__", "__b__", "__a__", "__d__", "__e__", "__f____g__"]
    assert list(bare_names(text)) == ["__c__"]


@given(st.text(alphabet="_a1-:value ", max_size=60))
def test_uses_are_what_the_grammar_says(text):
    plain = re.compile(r"(__[a-zA-Z][a-zA-Z0-9_-]{0,199}?__):value")
    assert [(begin, end, name) for begin, end, name in uses(text)] == [
        (found.start(), found.end(), found[1]) for found in plain.finditer(text)
    ]


def test_values_are_put_in_once_and_not_searched_again():
    seen = {
        "__a__": Value("string", "__b__:value"),
        "__b__": Value("string", "deep"),
        "__n__": Value("integer", "x"),
        "__u__": Value("string", None),
    }
    assert render("<__a__:value|__b__:value>", seen) == "<__b__:value|deep>"
    assert render_known("__a__:value __u__:value __x__:value", seen) == "__b__:value __u__:value __x__:value"
    for text in ("__u__:value", "__x__:value", "__n__:value"):
        with pytest.raises(RenderFailed, match="__"):
            render(text, seen)


def test_a_text_does_not_grow_without_end():
    with pytest.raises(RenderFailed, match="grows past"):
        render("__a__:value" * 20, {"__a__": Value("string", "x" * 100_000)})
    with pytest.raises(RenderFailed, match="grows past"):
        render_known("__a__:value" * 20, {"__a__": Value("string", "x" * 100_000)})


@given(st.text())
def test_text_without_uses_stays(text):
    if not list(references(text)):
        assert render(text, {}) == render_known(text, {}) == text


@given(st.sampled_from(sorted(TYPES)), st.text(max_size=30))
def test_any_text_fits_a_type_or_not(kind, text):
    assert fits(kind, text) in (True, False)
