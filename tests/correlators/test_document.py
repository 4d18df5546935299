from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from correlators.document import DEPTH, VALUES, Document, Part, Problem, listed, parts


def read(text: str) -> list[Part | Problem]:
    return list(parts(Document("rules/one.yml", text)))


def only(text: str) -> Part:
    (part,) = read(text)
    assert isinstance(part, Part)
    return part


def test_each_yaml_document_of_a_file_is_a_part_with_its_line() -> None:
    first, second = read("---\ntitle: a\n---\n---\ntitle: b\n---\n")
    assert isinstance(first, Part)
    assert isinstance(second, Part)
    assert (first.data, first.line) == ({"title": "a"}, 2)
    assert (second.data, second.line) == ({"title": "b"}, 5)


def test_values_are_those_of_yaml_but_keys_and_dates_are_text() -> None:
    part = only("on: yes\ndate: 2026-11-21\nn: 0x17\nf: 1.5\nnothing:\nl: [1, two]\n")
    assert part.data == {
        "on": True,
        "date": "2026-11-21",
        "n": 23,
        "f": 1.5,
        "nothing": None,
        "l": [1, "two"],
    }


def test_everything_has_its_line() -> None:
    part = only("title: a\ndetection:\n  s:\n    A:\n      - x\n      - y\n")
    assert part.line_of("detection", "s", "A", 1) == 6
    assert part.line_of("detection", "s", "B") == 3  # what is not there: where it would stand
    assert part.line_of() == 1


def test_a_part_without_a_name_is_called_by_its_file() -> None:
    assert only("a: 1").stem == "one"
    assert Part("a\\b\\two.yml", 1, {}, {}).stem == "two"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: [", 3, "not YAML: did not find expected node content"),
        ("a: 1\na: 2\n", 2, "`a` is given twice: the first would be lost"),
        ("a: &x 1\nb: *x\n", 2, "aliases (`*name`) are not taken: write the value out"),
        ("a:\n  <<: {b: 1}\n", 2, "merge keys (`<<`) are not taken: write the values out"),
        ("a: !!python/name:os x\n", 1,
         "the tag `tag:yaml.org,2002:python/name:os` is not taken"),
        ("a: !mine {}\n", 1, "the tag `!mine` is not taken"),
        ("? [a]\n: b\n", 1, "a key is plain text"),
        (f"a: 0x{'f' * 9000}\n", 1,
         f"`0x{'f' * 38}` is no value: no record has a number of so many digits"),
        (f"b:\n  - 1{':1' * 3000}\n", 2,
         f"`1{':1' * 19}:` is no value: no record has a number of so many digits"),
        ("a: 0x_\n", 1, "`0x_` is no value: invalid literal for int() with base 16: ''"),
        ("- a\n", 1, "a rule is a mapping of keys to values"),
    ],
)  # fmt: skip
def test_what_is_refused_is_told_with_its_line(text: str, line: int, message: str) -> None:
    assert read(text)[-1] == Problem("rules/one.yml", line, message)


def test_a_file_of_brackets_does_not_end_the_process() -> None:
    assert read("[" * 300_000) == [
        Problem("rules/one.yml", 1, f"nested deeper than {DEPTH} levels"),
    ]


@pytest.mark.parametrize(("text", "line"), [("Ü: 1\na: \x07", 2), ("a: \ud800", None)])
def test_a_character_that_yaml_does_not_allow_is_a_problem(text: str, line: int | None) -> None:
    (problem,) = read(text)
    assert isinstance(problem, Problem)
    assert problem.line == line
    assert problem.message.startswith("not YAML: ")


def test_a_file_of_very_many_values_is_not_read_to_its_end() -> None:
    found = read("---\na: 1\n" * 3 + "---\na:\n" + "- 1\n" * VALUES + "---\na: [\n")
    assert [isinstance(part, Part) for part in found] == [True, True, True, False]
    message = f"more than {VALUES} values in one file: divide it"
    assert found[3] == Problem("rules/one.yml", VALUES + 1, message)


def test_a_file_that_could_not_be_read_has_no_parts() -> None:
    fault = Problem("a.yml", 3, "not UTF-8")
    assert list(parts(Document("a.yml", "a: 1\n", fault))) == [fault]


def test_a_problem_reads_as_one_sentence() -> None:
    assert str(Problem("a.yml", 3, "it is wrong")) == "a.yml:3: it is wrong"
    assert str(Problem("a.yml", None, "it is wrong")) == "a.yml: it is wrong"


def test_a_list_gives_its_elements_with_their_lines() -> None:
    found = list(listed(Document("c.yml", "- name: a\n  event: {x: 1}\n- 5\n- name: b\n")))
    first, wrong, last = found
    assert isinstance(first, Part)
    assert (first.data, first.line) == ({"name": "a", "event": {"x": 1}}, 1)
    assert first.line_of("event", "x") == 2
    assert wrong == Problem("c.yml", 3, "an element of the list is a mapping")
    assert isinstance(last, Part)
    assert (last.data, last.line) == ({"name": "b"}, 4)


plain = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text()
)
values = st.recursive(
    plain,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(), inside, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), values, max_size=5))
def test_what_pyyaml_writes_is_read_back(data: dict[str, Any]) -> None:
    text = yaml.safe_dump(data, allow_unicode=False)
    assert only(text).data == data


@given(st.text())
def test_no_text_raises(text: str) -> None:
    for part in read(text):
        assert isinstance(part, Part | Problem)


def test_what_only_yaml_1_1_reads_otherwise_is_kept_as_written() -> None:
    text = (
        "a: No\nb: [off, 0123, 1:30, 1_000, 0b1, 1:30.5, ON]\nc: {d: 'No', e: 12, f: 0x1, g: 0}\n"
    )
    (part,) = parts(Document("t.yml", text + "h: ~\ni: true\nj: FALSE\nk: 1.5\nl: a:b\n"))
    assert isinstance(part, Part)
    assert part.spelled == {
        ("a",): "No",
        ("b", 0): "off",
        ("b", 1): "0123",
        ("b", 2): "1:30",
        ("b", 3): "1_000",
        ("b", 4): "0b1",
        ("b", 5): "1:30.5",
        ("b", 6): "ON",
    }
