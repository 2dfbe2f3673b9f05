"""JSON with lines: the same values as the standard library reads, stricter where it is lax, bounded where it is not."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.respond.json_text import DEEPEST, MOST_VALUES, JsonFault, read_json


def values():
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(10**30), 10**30)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(codec="utf-8"))
    )
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4),
        max_leaves=20,
    )


@given(values(), st.sampled_from([None, 0, 1, 4]), st.booleans())
def test_it_reads_what_the_standard_library_writes(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert read_json(text).value == value
    assert read_json(text.encode()).value == value


@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn\\u \n\t\x00a', max_size=40))
def test_it_refuses_what_the_standard_library_refuses(text):
    try:
        theirs = json.loads(text, parse_constant=lambda word: (_ for _ in ()).throw(ValueError(word)))
    except (ValueError, RecursionError):
        with pytest.raises(JsonFault):
            read_json(text)
        return
    try:
        assert read_json(text).value == theirs
    except JsonFault as error:
        assert any(word in str(error) for word in ("second time", "surrogate", "range"))  # noqa: PT017 - stricter there


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('{\n"a": 1,\n"a": 2}', 3, "second time"), ("[NaN]", 1, "a value"), ("[\n-Infinity]", 2, "a value"), ("[1e999]", 1, "range"), ('["\\ud800"]', 1, "surrogate"),
        ("[1,]", 1, "a value"), ('{"a" 1}', 1, "colon"), ("[1 2]", 1, "comma"), ("[1", 1, "comma"), ("", 1, "too early"), ("[]\n[]", 2, "after its end"), ('["a\nb"]', 1, "control"),
        (b"[\n\xff]", 2, "UTF-8"), ("[\n\ud800]", 2, "UTF-8"), ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), 1, "deep"), ("{1: 2}", 1, "key"), ("[01]", 1, "comma"),
        ("[" + "0," * MOST_VALUES + "0]", 1, "values"), ("[" + "9" * 500 + "]", 1, "digits"), ("\ufeff{}", 1, "a value"), ('"' + "x" * 5_000_000 + '"', 1, "5 MB"), ('"' + "ü" * 2_500_000 + '"', 1, "5 MB"),
    ],
)  # fmt: skip
def test_faults_name_their_line(text, line, said):
    with pytest.raises(JsonFault, match=said) as caught:
        read_json(text)
    assert caught.value.line == line


def test_lines():
    document = read_json('\n{\n "a": [\n  1,\n  {"b": 2,\n   "c": []}\n ],\n "d": 3\n}')
    lines = {(): 2, ("a",): 3, ("a", 0): 4, ("a", 1): 5, ("a", 1, "b"): 5, ("a", 1, "c"): 6, ("d",): 8}
    assert {pointer: document.line(*pointer) for pointer in lines} == lines
    assert document.line("a", 1, "z", "y") == 5
    assert document.line("a", 7) == 3
    assert document.line("d", "x") == 8


def test_depth_costs_no_stack_and_size_no_time():
    began = time.process_time()
    assert read_json("[" * DEEPEST + "]" * DEEPEST).value is not None
    with pytest.raises(JsonFault):
        read_json("[" * 2_000_000)
    assert time.process_time() - began < 5
