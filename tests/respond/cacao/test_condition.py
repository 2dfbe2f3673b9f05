"""Conditions: the grammar, the types, and that whatever is not known fails instead of being false."""

import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.respond.condition import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    ConditionFailed,
    Literal,
    Not,
    Reference,
    evaluate,
    parse,
    type_faults,
)


@dataclass(frozen=True)
class Value:
    type: str
    value: str | None


KNOWN = {
    "__s__": Value("string", "it's \\ here"), "__n__": Value("integer", "5"), "__f__": Value("float", "2.50"), "__b__": Value("bool", "true"),
    "__ip__": Value("ipv4-addr", "10.1.2.3"), "__net__": Value("ipv4-addr", "10.1.0.0/16"), "__six__": Value("ipv6-addr", "2001:DB8::1"),
    "__mac__": Value("mac-addr", "02-00-5E-00-53-01"), "__e__": Value("string", ""), "__null__": Value("string", None), "__bad__": Value("integer", "five"),
    "__w__": Value("wiegand", "26"), "__long__": Value("long", "123456789012345678901234567890"),
}  # fmt: skip


def holds(text):
    return evaluate(parse(text), KNOWN)


TRUE = [
    "__s__:value = 'it\\'s \\\\ here'", "__s__:value != 'x'", "__s__:value <> 'x'", "__e__:value == ''", "__n__:value = 5", "__n__:value = 5.0", "__n__:value = '5'",
    "__n__:value >= 5", "__n__:value > __f__:value", "__f__:value = 2.5", "__f__:value<2.51", "__b__:value", "__b__:value = true", "__b__:value != false",
    "__n__:value IN (1, 5)", "__s__:value NOT IN ('a', 'b')", "__s__:value LIKE 'it%here'", "__s__:value NOT LIKE 'it_'", "__s__:value MATCHES '^it.s'",
    "__ip__:value ISSUBSET '10.0.0.0/8'", "__net__:value ISSUPERSET '10.1.2.0/24'", "__ip__:value NOT ISSUBSET '10.2.0.0/16'", "__ip__:value ISSUBSET '10.1.2.3'",
    "__six__:value = '2001:db8:0::1'", "__mac__:value = '02:00:5e:00:53:01'", "[__n__:value = 5]", "NOT __n__:value = 4", "NOT (NOT __b__:value)",
    "__n__:value = 4 OR __n__:value = 5 AND __b__:value", "(__n__:value = 4 OR __n__:value = 5) AND __b__:value", "  __b__:value  ", "__w__:value = '26'",
    "__long__:value > 123456789012345678901234567889", "__n__:value = +5", "__n__:value > -1",
]  # fmt: skip
FALSE = [
    "__s__:value = 'IT\\'S \\\\ HERE'", "__n__:value = 6", "__n__:value IN (1, 2)", "__b__:value = false", "NOT __b__:value", "__s__:value MATCHES '^s'",
    "__net__:value ISSUBSET '10.1.2.0/24'", "__n__:value = 4 AND __b__:value OR __n__:value = 6", "__n__:value < 5", "__s__:value LIKE 'it'", "__e__:value LIKE '_'",
]  # fmt: skip
UNREADABLE = [
    "", " ", "true", "__n__:value = yes", "__n__ = 5", "n = 5", "__n__:value = ", "__n__:value 5", "__n__:value = 5 5", "__n__:value = 'a", '__n__:value = "a"', "(__b__:value",
    "__b__:value)", "__b__:value AND", "AND __b__:value", "__b__:value and __b__:value", "[[__b__:value]]", "[__b__:value", "__n__:value NOT = 5", "__n__:value IN ()",
    "__n__:value IN (1", "__n__:value IN 1", "__s__:value LIKE 5", "__s__:value = 'a\\n'", "5 = __n__:value", "__n__:value = 5; rm", "__import__('os')", "__n__:value = 1e5",
    "__n__:values = 5", "__1n__:value = 5", "__b__:value" + " AND __b__:value" * 400, "(" * 40 + "__b__:value" + ")" * 40, "NOT " * 40 + "__b__:value", "__n__:value = ५",
]  # fmt: skip
UNDECIDABLE = [
    "__gone__:value = 'x'", "__null__:value = 'x'", "__null__:value != 'x'", "__bad__:value = 5", "__b__:value OR __null__:value = 'x'", "__b__:value OR __gone__:value",
    "NOT __null__:value = 'x'", "__s__:value", "__n__:value", "__s__:value < 'x'", "__s__:value = 5", "__s__:value = true", "__n__:value = 'five'", "__n__:value LIKE '5'",
    "__ip__:value MATCHES '1'", "__s__:value ISSUBSET '10.0.0.0/8'", "__ip__:value ISSUBSET '2001:db8::/32'", "__ip__:value ISSUBSET 'x'", "__ip__:value = '10.0.0.1/8'",
    "__s__:value = __n__:value", "__s__:value MATCHES '('", "__s__:value MATCHES '(a)\\\\1'", f"__s__:value MATCHES '{'a' * 201}'", "__b__:value = 'yes'", "__ip__:value = 10",
]  # fmt: skip


@pytest.mark.parametrize("text", TRUE)
def test_true(text):
    assert holds(text) is True


@pytest.mark.parametrize("text", FALSE)
def test_false(text):
    assert holds(text) is False


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read_fails(text):
    with pytest.raises(ConditionFailed):
        parse(text)


@pytest.mark.parametrize("text", UNDECIDABLE)
def test_what_cannot_be_decided_fails_and_is_never_false(text):
    condition = parse(text)
    with pytest.raises(ConditionFailed):
        evaluate(condition, KNOWN)


def test_a_condition_knows_its_variables_and_type_faults_need_no_values():
    condition = parse("__a__:value = 'x' OR NOT (__b__:value AND __c__:value > __d__:value)")
    assert condition.variables == {"__a__", "__b__", "__c__", "__d__"}
    assert type_faults(condition, {"__a__": "string", "__b__": "bool", "__c__": "integer", "__d__": "float"}) == []
    assert len(type_faults(condition, {"__a__": "integer", "__b__": "string", "__c__": "string"})) == 3
    assert type_faults(condition, {}) == []


def test_patterns_cost_time_in_proportion_to_the_text():
    long = {"__s__": Value("string", "a" * 200_000)}
    began = time.process_time()
    assert evaluate(parse("__s__:value MATCHES '^(a+)+b$'"), long) is False
    assert evaluate(parse("__s__:value LIKE '%a%a%a%a%b'"), {"__s__": Value("string", "a" * 2_000)}) is False
    assert time.process_time() - began < 5


def names():
    return st.from_regex(r"__[a-z][a-z0-9-]{0,5}__", fullmatch=True)


def literals():
    return st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=8).map(lambda text: Literal("text", text)),
        st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,3})?", fullmatch=True).map(lambda text: Literal("number", text)),
        st.sampled_from(["true", "false"]).map(lambda text: Literal("bool", text)),
    )


def comparisons():
    texts = st.text(st.characters(codec="utf-8"), max_size=8).map(lambda text: (Literal("text", text),))
    return st.one_of(
        names().map(Comparison),
        st.builds(
            Comparison,
            names(),
            st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
            st.one_of(literals(), names().map(Reference)).map(lambda one: (one,)),
        ),
        st.builds(Comparison, names(), st.just("IN"), st.lists(literals(), min_size=1, max_size=3).map(tuple), st.booleans()),
        st.builds(Comparison, names(), st.sampled_from(["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"]), texts, st.booleans()),
    )


def trees():
    def wider(inner):
        # what the reader gives: an AllOf in an Any stands without parentheses, one kind within itself is written with them
        several = st.lists(inner, min_size=2, max_size=3).map(tuple)
        return st.one_of(inner.map(Not), several.map(AllOf), several.map(AnyOf))

    return st.recursive(comparisons(), wider, max_leaves=8)


def written(node):
    if isinstance(node, Not):
        return f"NOT ({written(node.part)})"
    if isinstance(node, AllOf | AnyOf):
        return (" AND " if isinstance(node, AllOf) else " OR ").join(f"({written(part)})" for part in node.parts)
    right = [part.name + ":value" if isinstance(part, Reference) else said(part) for part in node.right]
    if not node.op:
        return f"{node.name}:value"
    after = f"({', '.join(right)})" if node.op == "IN" else right[0]
    return f"{node.name}:value {'NOT ' if node.negated else ''}{node.op} {after}"


def said(literal):
    if literal.kind != "text":
        return literal.text
    return "'" + literal.text.replace("\\", "\\\\").replace("'", "\\'") + "'"


@given(trees())
def test_what_is_written_is_read_again(tree):
    text = written(tree)
    assert parse(text) == Condition(text, tree)
    assert parse(f"[ {text} ]").root == tree


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        condition = parse(text)
    except ConditionFailed:
        return
    try:
        assert evaluate(condition, KNOWN) in (True, False)
    except ConditionFailed:
        return


@given(
    trees(),
    st.dictionaries(
        names(),
        st.builds(
            Value,
            st.sampled_from(["string", "integer", "bool", "ipv4-addr", "uri"]),
            st.none() | st.text(max_size=4) | st.sampled_from(["5", "true", "10.0.0.1"]),
        ),
    ),
)
def test_a_condition_with_anything_unknown_never_has_a_value(tree, variables):
    condition = parse(written(tree))
    unknown = any(variables.get(name) is None or variables[name].value is None for name in condition.variables)
    try:
        evaluate(condition, variables)
    except ConditionFailed:
        return
    assert not unknown
