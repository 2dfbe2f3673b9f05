import pytest

from watchword.kit.errors import ContentError
from watchword.kit.marked import MAX_VALUES, read_all_marked, read_marked


def test_every_value_knows_its_line():
    marked = read_marked("a: 1\nb:\n  - x\n  - {c: 2}\n", "t.yaml")
    assert marked.value == {"a": 1, "b": ["x", {"c": 2}]}
    assert (marked.line("a"), marked.line("b", 0), marked.line("b", 1, "c")) == (1, 3, 4)
    assert marked.line("b", 1, "missing", "deeper") == 4


def test_duplicate_keys_are_all_named():
    with pytest.raises(ContentError) as caught:
        read_marked("a: 1\na: 2\nb: {c: 1, c: 2}\n", "t.yaml")
    assert [fault.line for fault in caught.value.faults] == [2, 3]


@pytest.mark.parametrize("text", ["a: [1,", "a: b: c", "\t- x", "a: !!python/object:os.system {}", "%", "? [a]: 1"])
def test_what_is_no_yaml_is_named_with_its_line(text):
    with pytest.raises(ContentError, match=r"t\.yaml:\d+: "):
        read_marked(text, "t.yaml")


def test_several_documents_are_read_one_by_one():
    assert [marked.value for marked in read_all_marked("a: 1\n---\nb: 2\n", "t")] == [{"a": 1}, {"b": 2}]
    with pytest.raises(ContentError, match="2 YAML documents"):
        read_marked("a: 1\n---\nb: 2\n", "t")


def test_a_page_of_aliases_does_not_fill_the_memory():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ContentError, match=f"{MAX_VALUES:,}"):
        read_marked("\n".join(lines), "bomb.yaml")
