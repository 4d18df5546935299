import pytest

from correlators.document import Document
from correlators.ruleset import parse

RULE = """\
title: a rule
logsource: {product: aws}
detection:
  sel: {KEY: A}
  filter_x: {eventName: B}
  condition: CONDITION
"""


def problems(text: str) -> list[str]:
    return [problem.message for problem in parse([Document("a.yml", text)]).problems]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("sel and", "the condition wants the name of a selection where it ends"),
        ("and )", "the condition wants the name of a selection where `)` stands at character 5"),
        ("sel adn filter_x", "the condition wants `and` or `or` where `adn` stands at character 5"),
        ("sel and (filter_x", "a bracket of the condition is not closed"),
        ("sel | count() > 5",
         "a condition has no `|` any more: count in a correlation, with a `timespan`"),
        ("2 of filter_*", "`2 of` is no Sigma: `1 of` or `all of`, or the cases joined by `or`"),
        ("sell", "there is no selection `sell`; did you mean `sel`?"),
        ("nothing", "there is no selection `nothing`"),
        ("1 of filtr_*", "no selection is like `filtr_*`; did you mean `filter_x`?"),
    ],
)  # fmt: skip
def test_a_condition_says_what_stands_where(condition: str, message: str) -> None:
    text = RULE.replace("KEY", "eventName").replace("CONDITION", condition)
    assert problems(text) == [message]


def test_of_several_conditions_none_is_quoted_for_another() -> None:
    text = RULE.replace("KEY", "eventName").replace("CONDITION", "[sel, sel filter_x]")
    assert problems(text) == ["one of the conditions is not written as Sigma wants it"]


@pytest.mark.parametrize(
    ("modifier", "message"),
    [
        ("contians", "there is no modifier `contians`; did you mean `contains`?"),
        ("utf16l", "there is no modifier `utf16l`; did you mean `utf16le`?"),
    ],
)
def test_a_modifier_is_named_with_one_like_it(modifier: str, message: str) -> None:
    text = RULE.replace("KEY", f"eventName|{modifier}").replace("CONDITION", "sel")
    assert problems(text) == [message]


def test_a_tab_is_told() -> None:
    assert problems("title: t\nlogsource:\n\tproduct: aws\n") == [
        "not YAML: a tab: YAML wants spaces"
    ]


def test_a_name_that_is_not_among_the_rules_is_told_first() -> None:
    text = """\
title: both
correlation:
  type: temporal
  rules: [base_assume, base_delete]
  timespan: 5m
  condition: base_assume and base_dlete
"""
    (message,) = problems(text)
    assert message.endswith(
        "`base_dlete` of the condition is not among `rules`; did you mean `base_delete`?"
    )
