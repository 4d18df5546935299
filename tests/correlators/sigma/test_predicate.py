"""What a detection means, case by case; the behaviour vectors have more of the specification."""

from typing import Any

import pytest
import yaml

from correlators.document import Document, Faulty, Part, parts
from correlators.sigma import load


def matches(selection: str, *records: dict[str, Any], condition: str = "s") -> list[bool]:
    (part,) = parts(
        Document("rule.yml", yaml.safe_dump(rule(yaml.safe_load(selection), condition)))
    )
    assert isinstance(part, Part)
    found = load.rule(part).matches
    return [found(record) for record in records]


def rule(selection: Any, condition: str) -> dict[str, Any]:  # noqa: ANN401 - what YAML has
    detection = {"s": selection, "condition": condition}
    return {"title": "t", "logsource": {"product": "test"}, "detection": detection}


def test_text_compares_without_case_in_any_element() -> None:
    records: list[dict[str, Any]] = [
        {"A": "FOO"},
        {"A": ["x", ["Foo"]]},
        {"A": []},
        {"A": None},
        {},
    ]
    assert matches("{A: foo}", *records) == [True, True, False, False, False]


def test_a_list_of_values_is_one_of_them() -> None:
    selection = "{A: [one, 'tw*', 5, true]}"
    values = ["ONE", "twice", 5, "5", "true", "three"]
    assert matches(selection, *({"A": v} for v in values)) == [True] * 5 + [False]


def test_cased_and_uncased_values_of_one_field_do_not_mix() -> None:
    selection = "[{A|cased: One}, {A: two}]"
    assert matches(selection, {"A": "One"}, {"A": "one"}, {"A": "TWO"}) == [True, False, True]


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("a?c", "aXc", "ac"),
        ("a*c*e", "a\nc\ne", "ae"),
        (r"a\*c", "a*c", "abc"),
        (r"c:\\*", "C:\\x", "c:x"),
        ("*.b(c)*", "x.b(c)y", "x-b(c)y"),
        ("?*", "x", ""),
        ("*Ü?", "xüy", "xu"),
    ],
)
def test_wildcards_stand_for_characters_and_all_else_for_itself(
    pattern: str, yes: str, no: str
) -> None:
    selection = yaml.safe_dump({"A": pattern})
    assert matches(selection, {"A": yes}, {"A": no}) == [True, False]


def test_an_object_is_its_json_text_to_modifiers_of_text() -> None:
    suspended = {"requestParameters": {"VersioningConfiguration": {"Status": "Suspended"}}}
    enabled = {"requestParameters": {"VersioningConfiguration": {"Status": "Enabled"}}}
    selection = "{requestParameters|contains: 'status\":\"suspended'}"
    assert matches(selection, suspended, enabled) == [True, False]
    assert matches('{requestParameters|re: \'"Status":"S\'}', suspended, enabled) == [True, False]


def test_missing_null_and_empty_are_three_things() -> None:
    records: list[dict[str, Any]] = [{}, {"A": None}, {"A": ""}, {"A": [None, "x"]}, {"A": []}]
    assert matches("{A: null}", *records) == [True, True, False, True, False]
    assert matches("{A: ''}", *records) == [False, False, True, False, False]
    assert matches("{A|exists: true}", *records) == [False, True, True, True, True]
    assert matches("{A|exists: false}", *records) == [True, False, False, False, False]


def test_not_of_a_missing_field_is_true() -> None:
    assert matches("{A|contains: x}", {}, {"A": "axb"}, condition="not s") == [True, False]


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("gt", [False, False, True, True]),
        ("gte", [False, True, True, True]),
        ("lt", [True, False, False, False]),
        ("lte", [True, True, False, False]),
    ],
)
def test_numbers_compare_as_numbers(operator: str, expected: list[bool]) -> None:
    records: list[dict[str, Any]] = [{"A": 9.5}, {"A": "10"}, {"A": 11}, {"A": ["x", 100]}]
    assert matches(f"{{A|{operator}: 10}}", *records) == expected
    assert matches(f"{{A|{operator}: 10}}", {"A": "ten"}, {"A": True}, {}) == [False] * 3


def test_a_regular_expression_is_of_re2_and_knows_case() -> None:
    assert matches("{A|re: ^a.c$}", {"A": "abc"}, {"A": "ABC"}, {"A": "a\nc"}) == [
        True,
        False,
        False,
    ]
    assert matches("{A|re|i|s: ^a.c$}", {"A": "A\nC"}, {"A": "xabc"}) == [True, False]


def test_a_number_among_keywords_is_the_text_that_a_record_has_of_it() -> None:
    records: list[dict[str, Any]] = [{"A": 1e300}, {"A": 1e-7}, {"A": "x1e-7"}, {"A": 10}]
    assert matches("[1.0e+300, 1.0e-7]", *records) == [True, True, True, False]
    assert matches("[9007199254740993]", {"A": 9007199254740993}, {"A": 9007199254740992}) == [
        True,
        False,
    ]


def test_networks_hold_addresses_only() -> None:
    records = [{"A": a} for a in ("10.1.2.3", "10.1.2.3.example.com", "::ffff:10.1.2.3", 167838211)]
    assert matches("{A|cidr: 10.0.0.0/8}", *records) == [True, False, False, False]


def test_a_field_is_compared_with_another() -> None:
    records: list[dict[str, Any]] = [
        {"A": "Kim", "B": ["x", "kim"]},
        {"A": "Kim", "B": "K*"},
        {"A": None, "B": None},
        {},
    ]
    assert matches("{A|fieldref: B}", *records) == [True, False, False, False]
    inside = {"A": "role/Kim/run", "B": "kim"}
    assert matches("{A|fieldref|contains: B}", inside, {"A": "x", "B": "kim"}) == [True, False]
    assert matches("{A|fieldref|endswith: B}", inside, {"A": "x/KIM", "B": "kim"}) == [False, True]


def test_keywords_are_looked_for_in_every_value() -> None:
    records: list[dict[str, Any]] = [
        {"a": {"b": [{"c": "a Needle b"}]}},
        {"needle": "hay"},
        {"x": "foo", "y": ["BAR"]},
        {"x": 46250},
    ]
    assert matches("[needle, 4625]", *records) == [True, False, False, True]
    assert matches("{'|all': [foo, bar]}", *records) == [False, False, True, False]
    assert matches("{'|re': 'N.*e'}", *records) == [True, False, False, False]
    assert matches("{'|base64offset|contains': secret1}", {"q": "xxc2VjcmV0MQ=="}) == [True]
    assert matches("[true]", {"a": True}, {"a": False}) == [True, False]


def test_parts_of_times() -> None:
    record = {"A": "2026-11-21T23:59:30Z"}  # a Saturday in week 47
    stated = {"minute": 59, "hour": 23, "day": 21, "week": 47, "month": 11, "year": 2026}
    for part, value in stated.items():
        assert matches(f"{{A|{part}: {value}}}", record, {"A": "never"}) == [True, False]
    assert matches("{A|hour|gte: 22}", record, {"A": "2026-11-21T08:00:00Z"}) == [True, False]


def test_two_names_of_the_specification_for_utf16() -> None:
    record = {"A": "YwBtAGQA"}
    assert matches("{A|utf16le|base64: cmd}", record) == matches("{A|wide|base64: cmd}", record)
    assert matches("[{A|utf16le|base64: cmd}]", record) == [True]


def test_a_pattern_too_large_is_refused() -> None:
    with pytest.raises(Faulty) as refused:
        matches(yaml.safe_dump({"A|re": "(x{900}){9}" * 9}), {})
    assert "invalid" in refused.value.problems[0].message
