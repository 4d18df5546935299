"""Placeholders of `expand`: what the values of a table mean where they stand."""

from typing import Any

import pytest

from correlators.document import Document, Faulty
from correlators.ruleset import Ruleset, parse
from correlators.sigma.processing import NONE, Processing, processing

TABLE = """\
placeholders:
  admins: [kim, 'adm_*', 'a\\*b']
  hosts: [one, two]
  ports: [22, 8443]
  suffix: '[0-9]+'
"""


def tables(*texts: str) -> Processing:
    return processing((), (Document(f"t{n}.yml", text) for n, text in enumerate(texts)))


def ruleset(selection: str, given: Processing, condition: str = "s") -> Ruleset:
    text = f"""\
title: t
logsource: {{product: test}}
detection:
  s: {selection}
  condition: {condition}
"""
    return parse([Document("rule.yml", text)], processing=given)


def matches(selection: str, *values: Any) -> list[bool]:  # noqa: ANN401 - of any type
    loaded = ruleset(selection, tables(TABLE))
    assert loaded.problems == ()
    return [loaded.rules[0].matches({"A": value}) for value in values]


@pytest.mark.parametrize(
    ("selection", "yes", "no"),
    [
        ("{A|expand: '%admins%'}", "KIM", "kimberly"),
        ("{A|expand: '%admins%'}", "adm_joe", "joe"),
        ("{A|expand: '%admins%'}", "a*b", "axb"),
        ("{A|expand: 'srv-%hosts%-%ports%'}", "srv-two-8443", "srv-two-80"),
        ("{A|contains|expand: '%hosts%'}", "phone", "phase"),
        ("{A|expand|contains: '%hosts%'}", "phone", "phase"),
        ("{A|contains|all|expand: ['%hosts%', x]}", "x two one", "x two"),
        ("{A|cased|expand: '%hosts%'}", "one", "ONE"),
        ("{A|expand|cased: '%hosts%'}", "one", "ONE"),
        ("{A|re|expand: '^h%suffix%$'}", "h77", "h[0-9]+"),
        ("{A|re|i|expand: '^h%suffix%$'}", "H7", "x7"),
        (r"{A|re|expand: '^\d*.?%hosts%.*$'}", "12-one more", "12--one"),
        ("{A|re|expand|contains: 'x%hosts%'}", "a xtwo b", "a x two"),
        ("{A|re|contains|expand: 'x%hosts%|y'}", "a y", "a x"),
        ("{A|expand|windash: '-%hosts%'}", "-one", "/two"),
        ("{A|windash|expand: ' -%ports%'}", " -22", " -23"),
        ("{A|expand: '%ports%'}", 22, 23),
        ("{A|expand: ['%hosts%', three]}", "three", "four"),
        ("{A|expand: '100%'}", "100%", "100"),
        ("{A|expand: '%%'}", "%%", "%"),
        ("{A: '%hosts%'}", "%hosts%", "one"),
        ("['%hosts%']", "about %HOSTS%", "one"),
        ("{'|expand': '%hosts%'}", "the one", "six"),
        ("{A|neq|expand: '%hosts%'}", "three", "two"),
    ],
)
def test_a_value_stands_where_its_placeholder_stood(
    selection: str,
    yes: Any,  # noqa: ANN401 - of any type
    no: Any,  # noqa: ANN401
) -> None:
    assert matches(selection, yes, no) == [True, False]


def test_a_large_table_is_looked_up_like_any_list() -> None:
    hosts = [f"host{n}" for n in range(5000)]
    loaded = ruleset("{A|expand: '%h%'}", tables(f"placeholders: {{h: {hosts}}}"))
    assert loaded.problems == ()
    assert [loaded.rules[0].matches({"A": a}) for a in ("HOST4999", "host5000")] == [True, False]


def test_later_tables_win_and_others_add() -> None:
    given = tables("placeholders: {a: x, b: y}", "placeholders: {b: [z]}")
    assert given.tables == {"a": ("x",), "b": ("z",)}


def test_what_nothing_fills_is_told_with_its_line_and_the_table_to_give() -> None:
    loaded = ruleset("{A|expand: '%admins% of %nobody%'}", tables(TABLE))
    (problem,) = loaded.problems
    assert str(problem) == (
        "rule.yml:4: nothing fills the placeholder %nobody% of `expand`: give its values in a file,"
        " `placeholders: {nobody: [...]}`, with --placeholders or `[rules] placeholders`"
    )
    half = ruleset("{A|re|expand: '^%hosts%*%nobody%'}", tables(TABLE)).problems
    assert [one.message for one in half] == [problem.message]
    assert [p.line for p in ruleset("[{A: x}, {A|expand: '%z%'}]", NONE).problems] == [4]


def test_values_that_multiply_without_end_are_refused() -> None:
    many = [f"v{n}" for n in range(1000)]
    loaded = ruleset("{A|expand: '%a%%a%'}", tables(f"placeholders: {{a: {many}}}"))
    assert [str(problem) for problem in loaded.problems] == [
        "rule.yml:4: placeholders turn one value into more than 100000"
    ]


def test_a_value_that_is_no_expression_is_told_where_it_is_used() -> None:
    loaded = ruleset("{A|re|expand: '^%a%'}", tables("placeholders: {a: '('}"))
    assert [str(problem) for problem in loaded.problems] == [
        "rule.yml:4: Regular expression '^(' is invalid: missing ): ^("
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("values: {a: x}", "t0.yml:1: a table of placeholders is `placeholders:` with names and"),
        ("placeholders: [a]", "t0.yml:1: a table of placeholders is `placeholders:` with names"),
        ("placeholders:\n  a: [x]\n  b: []", "t0.yml:3: `b` needs a list of texts or numbers"),
        ("placeholders:\n  a: {b: c}", "t0.yml:2: `a` needs a list of texts or numbers"),
        ("placeholders:\n  a: [x, true]", "t0.yml:2: `a` needs a list of texts or numbers"),
        ("placeholders:\n  a: &x [x]\n  b: *x", "t0.yml:3: aliases (`*name`) are not taken"),
        ("placeholders: [", "t0.yml:2: not YAML: "),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_line(text: str, expected: str) -> None:
    with pytest.raises(Faulty) as refused:
        tables(text)
    assert str(refused.value.problems[0]).startswith(expected)


def test_rules_with_other_values_are_other_rules() -> None:
    given = [tables(TABLE), tables(TABLE), tables("placeholders: {hosts: [three]}")]
    first, again, other = (ruleset("{A: x}", each).sha256 for each in given)
    assert first == again
    assert first != other
