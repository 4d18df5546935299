"""Filters: what they take away, from which rules, and which way round their condition is meant."""

from textwrap import dedent
from typing import Any

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, parse

RULE = """\
title: Deleted
name: deleted
id: 8ad1600d-e9dc-4251-b0ee-a65268f29add
logsource: {product: aws, service: cloudtrail}
detection: {s: {A: x}, condition: s}
"""


def loaded(about: str, logsource: str = "{product: aws}") -> Ruleset:
    text = f"title: f\nlogsource: {logsource}\nfilter: {{rules: any, {about}}}\n"
    return parse([Document("rule.yml", RULE), Document("filter.yml", text)])


def left(about: str, *records: dict[str, Any], logsource: str = "{product: aws}") -> list[bool]:
    """Which of these matches of the rule the filter leaves."""
    ruleset = loaded(about, logsource)
    assert ruleset.problems == ()
    return [ruleset.rules[0].matches({"A": "x"} | record) for record in records]


ADMINS = "admins: {U|startswith: adm_}"
ADMIN, OTHER = {"U": "adm_kim"}, {"U": "kim"}


@pytest.mark.parametrize("condition", ["admins", "not admins", "1 of them", "not 1 of a*"])
def test_what_a_filter_names_is_removed_whichever_way_it_is_written(condition: str) -> None:
    about = f"{ADMINS}, condition: {condition}"
    assert left(about, ADMIN, OTHER, {}) == [False, True, True]


@pytest.mark.parametrize(
    "condition",
    ["admins and not break_glass", "not (admins and not break_glass)", "not admins or break_glass"],
)
def test_a_record_of_which_a_filter_does_not_speak_is_left(condition: str) -> None:
    about = f"{ADMINS}, break_glass: {{G: 1}}, condition: {condition}"
    assert left(about, ADMIN, ADMIN | {"G": 1}, OTHER, {}) == [False, True, True, True]


def test_a_selection_of_what_is_missing_is_no_negation() -> None:
    assert left("unowned: {U: null}, condition: unowned", {}, OTHER) == [False, True]
    assert left("unowned: {U: null}, condition: not unowned", {}, OTHER) == [False, True]


def test_a_filter_removes_nothing_that_the_rule_does_not_match() -> None:
    (rule,) = loaded(f"{ADMINS}, condition: not admins").rules
    assert not rule.matches({"A": "y"} | OTHER)


def test_all_values_but_one_can_be_meant_either_way_and_is_refused() -> None:
    ruleset = loaded("s: {U|neq: kim}, condition: s")
    assert [str(problem).split(":")[:2] for problem in ruleset.problems] == [["filter.yml", "3"]]
    assert "write the selection without `neq`" in ruleset.problems[0].message
    assert ruleset.rules[0].matches({"A": "x", "U": "any"})
    assert left("s: {U|neq: kim}, condition: not s", {"U": "kim"}, {"U": "any"}) == [True, False]


@pytest.mark.parametrize(
    ("rules", "logsource", "applies"),
    [
        ("deleted", "{product: aws}", True),
        ("8AD1600D-E9DC-4251-B0EE-A65268F29ADD", "{product: aws}", True),
        ("[another, deleted]", "{product: aws}", True),
        ("any", "{product: aws, service: cloudtrail}", True),
        ("ANY", "{service: cloudtrail}", True),
        ("another", "{product: aws}", False),
        ("deleted", "{product: azure}", False),
        ("any", "{product: aws, service: guardduty}", False),
        ("any", "{product: aws, category: api}", False),
    ],
)
def test_a_filter_is_for_rules_by_id_name_or_logsource(
    rules: str, logsource: str, *, applies: bool
) -> None:
    text = dedent(f"""\
        title: f
        logsource: {logsource}
        filter: {{rules: {rules}, {ADMINS}, condition: admins}}
        """)
    ruleset = parse([Document("filter.yml", text), Document("rule.yml", RULE)])
    assert ruleset.problems == ()
    assert ruleset.rules[0].matches({"A": "x"} | ADMIN) is not applies


def test_several_filters_remove_what_any_of_them_names() -> None:
    head = "title: f\nlogsource: {product: aws}\n"
    texts = [f"{head}filter: {{rules: any, s: {{U: {u}}}, condition: s}}" for u in ("one", "two")]
    ruleset = parse(Document(f"{n}.yml", text) for n, text in enumerate([*texts, RULE]))
    matches = ruleset.rules[0].matches
    assert [matches({"A": "x", "U": user}) for user in ("one", "two", "three")] == [
        False,
        False,
        True,
    ]


def test_a_broken_filter_leaves_its_rules_as_they_are() -> None:
    ruleset = loaded("s: {U|frobnicate: x}, condition: s")
    assert [str(problem) for problem in ruleset.problems] == [
        "filter.yml:3: there is no modifier `frobnicate`"
    ]
    assert ruleset.rules[0].matches({"A": "x", "U": "x"})
