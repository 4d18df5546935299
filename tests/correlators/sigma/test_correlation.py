from decimal import Decimal
from textwrap import dedent

import pytest

from correlators.document import Document, Faulty, Part, parts
from correlators.sigma.correlation import TYPES, correlation
from schemas.times import MINUTE

MINIMAL = """\
title: Many
correlation:
  type: event_count
  rules: one
  timespan: 5m
  condition: {gte: 10}
"""


def part_of(text: str) -> Part:
    (part,) = parts(Document("rules/many.yml", text))
    assert isinstance(part, Part)
    return part


def test_a_correlation_without_more_has_defaults() -> None:
    found = correlation(part_of(MINIMAL))
    assert found.model_dump(exclude_none=True) == {
        "id": "many",
        "title": "Many",
        "level": "medium",
        "type": "event_count",
        "rules": ("one",),
        "group_by": (),
        "timespan": 5 * MINUTE,
        "condition": {"gte": 10},
        "clauses": (),
        "percentile": 50,
        "fields": (),
        "aliases": {},
        "generate": False,
        "confidence": 0.6,
        "family": "many",
        "tags": (),
        "level_number": 1,
        "path": "rules/many.yml",
    }


def test_all_that_a_correlation_can_say() -> None:
    text = """\
        title: Several
        id: 8ad1600d-e9dc-4251-b0ee-a65268f29add
        name: several
        status: stable
        level: high
        tags: [atlas.aml-t0012]
        generate: true
        barograph: {confidence: 0.25, family: recon}
        correlation:
          type: value_count
          rules: [one, two]
          group-by: [who, userIdentity.arn]
          timespan: 1d
          condition: {field: [eventName, awsRegion], gt: 1, lte: 5}
          aliases: {who: {one: a, two: b}}
        """
    found = correlation(part_of(dedent(text)))
    assert (found.id, found.name) == ("8ad1600d-e9dc-4251-b0ee-a65268f29add", "several")
    assert (found.level, found.confidence, found.family) == ("high", 0.25, "recon")
    assert found.group_by == ("who", "userIdentity.arn")
    assert (found.fields, found.condition) == (("eventName", "awsRegion"), {"gt": 1, "lte": 5})
    assert found.aliases == {"who": {"one": "a", "two": "b"}}
    assert (found.generate, found.undoable) == (True, True)


def test_generate_is_a_key_of_either_level() -> None:
    assert correlation(part_of(f"{MINIMAL}  generate: true\n")).generate


SILENT = "no number fulfils the condition, so it can never fire"


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("event_count", "value_max", "3: `correlation.type`",
         "`value_max` is none of " + ", ".join(TYPES)),
        ("event_count", "[value_sum]", "3: `correlation.type`", "input should be a valid string"),
        ("5m", "1h30", "5: `correlation.timespan`",
         "not a duration like 30s, 15m, 24h or 7d: '1h30'"),
        ("5m", "300", "5: `correlation.timespan`", "input should be a valid string"),
        ("5m", "999999999d", "5: `correlation.timespan`", "longer than 36500d: '999999999d'"),
        ("5m", "0s", "5: `correlation.timespan`", "it must be longer than nothing"),
        ("rules: one", "rules: []", "4: `correlation.rules`",
         "tuple should have at least 1 item after validation, not 0"),
        ("  rules: one\n", "", "2: `correlation`",
         "`rules` is missing: of which rules are the hits?"),
        ("rules: one", "rules: [a, a]", "4: `correlation.rules`", "a rule is named twice"),
        ("  condition: {gte: 10}\n", "", "2: `correlation`",
         "event_count needs a `condition` such as `gte: 10`"),
        ("10}", "'10'}", "6: `correlation.condition.gte`", "input should be a valid integer"),
        ("10}", "1.5}", "6: `correlation.condition.gte`", "input should be a valid integer"),
        ("10}", "-1}", "6: `correlation.condition.gte`",
         "input should be greater than or equal to 0"),
        ("gte", "ge", "6: `correlation.condition.ge`",
         "there is no such key here; did you mean `gte`?"),
        ("10}", "10, field: A}", "2: `correlation`", "event_count has no `field` in its condition"),
        ("{gte: 10}", "one and not two", "2: `correlation`",
         "event_count needs a `condition` such as `gte: 10`"),
        ("10}", "10, percentile: 5}", "2: `correlation`",
         "event_count has no `percentile`, from 0 to 100, in its condition"),
        ("event_count", "temporal_extended", "2: `correlation`",
         "temporal_extended needs a `condition` over names, like `a and not b`"),
        ("{gte: 10}", "{gt: 5, lt: 5}", "2: `correlation`", SILENT),
        ("{gte: 10}", "{lt: 1}", "2: `correlation`", SILENT),
        ("event_count", "temporal", "2: `correlation`", SILENT),
        ("event_count", "value_count", "2: `correlation`",
         "value_count needs `field` in its condition"),
        ("event_count", "temporal_ordered", "2: `correlation`", SILENT),
        ("rules:", "group_by: a\n  rules:", "4: `correlation.group_by`",
         "there is no such key here; did you mean `group-by`?"),
        ("title: Many", "name: x", "1: `title`", "field required"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, place: str, message: str) -> None:
    with pytest.raises(Faulty) as refused:
        correlation(part_of(MINIMAL.replace(old, new)))
    (problem,) = refused.value.problems
    assert str(problem) == f"rules/many.yml:{place}: {message}"


STATISTIC = """\
title: Much
correlation:
  type: value_sum
  rules: one
  timespan: 5m
  condition: {field: bytes, gte: 10}
"""


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("field: bytes, ", "", "2: `correlation`", "value_sum needs `field` in its condition"),
        ("bytes", "[a, b]", "2: `correlation`", "value_sum takes the numbers of one field"),
        (", gte: 10", "", "2: `correlation`", "value_sum needs a `condition` such as `gte: 10`"),
        ("10}", "ten}", "6: `correlation.condition.gte`", "input should be a number"),
        ("10}", "true}", "6: `correlation.condition.gte`", "input should be a number"),
        ("10}", ".nan}", "6: `correlation.condition.gte`",
         "input should lie between -1e18 and 1e18"),
        ("10}", "1000000000000000000}", "6: `correlation.condition.gte`",
         "input should lie between -1e18 and 1e18"),
        ("gte: 10", "gt: 1, lt: 1", "2: `correlation`", SILENT),
        ("value_sum", "value_percentile", "2: `correlation`",
         "value_percentile needs `percentile`, from 0 to 100, in its condition"),
        ("gte: 10", "gte: 10, percentile: 101", "6: `correlation.condition.percentile`",
         "input should be less than or equal to 100"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_statistic_is_told_with_its_line(
    old: str, new: str, place: str, message: str
) -> None:
    with pytest.raises(Faulty) as refused:
        correlation(part_of(STATISTIC.replace(old, new)))
    (problem,) = refused.value.problems
    assert str(problem) == f"rules/many.yml:{place}: {message}"


def test_the_numbers_of_a_statistic_are_exact_as_written() -> None:
    text = STATISTIC.replace("value_sum", "value_percentile")
    found = correlation(
        part_of(text.replace("gte: 10", "percentile: 99.9, gt: -0.1, lte: 9007199254740993"))
    )
    assert found.condition == {"gt": Decimal("-0.1"), "lte": 9007199254740993}
    assert (found.type, found.fields, found.percentile) == (
        "value_percentile",
        ("bytes",),
        Decimal("99.9"),
    )
    assert found.undoable


@pytest.mark.parametrize("condition", ["gt: 1, lt: 2", "gt: 1.5, lt: 1.6, neq: 1.55", "eq: -3"])
def test_between_two_numbers_there_is_one_for_a_sum(condition: str) -> None:
    assert correlation(part_of(STATISTIC.replace("gte: 10", condition))).condition


def over(condition: str, type_: str = "temporal", rules: str = "rules: [a, b, c]") -> str:
    return dedent(f"""\
        title: Names
        correlation:
          type: {type_}
          {rules}
          timespan: 5m
          condition: {condition}
        """)


def clauses(condition: str, **more: str) -> list[tuple[str, str]]:
    found = correlation(part_of(over(condition, **more))).clauses
    return [("".join(one.present), "".join(one.absent)) for one in found]


@pytest.mark.parametrize(
    ("condition", "ways"),
    [
        ("a and b and c", [("abc", "")]),
        ("c or b or a", [("c", ""), ("b", ""), ("a", "")]),
        ("a or b and c", [("a", ""), ("bc", "")]),
        ("(a or b) and c", [("ac", ""), ("bc", "")]),
        ("a and (b or not c)", [("ab", ""), ("a", "c")]),
        ("a and not b and not c", [("a", "bc")]),
        ("not (a or b) and c", [("c", "ab")]),
        ("not (a and not b) or c", [("", "a"), ("b", ""), ("c", "")]),
        ("not not a and b and c", [("abc", "")]),
        ("NOT a AND b OR c", [("b", "a"), ("c", "")]),
        ("a and (b or c or not a)", [("ab", ""), ("ac", "")]),
        ("a or a and b and c", [("a", "")]),
    ],
)
def test_a_condition_over_names_is_a_choice_of_ways(
    condition: str, ways: list[tuple[str, str]]
) -> None:
    assert clauses(condition) == ways


def test_names_of_a_way_stand_in_the_order_of_the_rules() -> None:
    assert clauses("a and b and not c", rules="rules: [c, b, a]") == [("ba", "c")]
    found = correlation(part_of(over("b and not a", rules="")))
    assert (found.type, found.rules) == ("temporal", ("b", "a"))


@pytest.mark.parametrize("type_", ["temporal", "temporal_ordered"])
def test_the_types_that_pysigma_calls_extended_say_what_the_condition_says(type_: str) -> None:
    extended = correlation(part_of(over("a and b or c", f"{type_}_extended")))
    assert extended == correlation(part_of(over("a and b or c", type_)))
    assert extended.type == type_


@pytest.mark.parametrize(
    ("condition", "place", "message"),
    [
        ("a and b", "2: `correlation`", "`c` is among `rules` but not in the condition"),
        ("a and b and c and d", "2: `correlation`",
         "`d` of the condition is not among `rules`"),
        ("a and b c", "6: `correlation.condition`",
         "`c` is not expected there: join names by `and` or `or`"),
        ("a and", "6: `correlation.condition`",
         "the name of a rule is missing at the end of the condition"),
        ("a and or b", "6: `correlation.condition`", "the name of a rule is missing before `or`"),
        ("(a and b", "6: `correlation.condition`", "a bracket is not closed"),
        ("not a and not b and not c", "2: `correlation`",
         "no hits fulfil the condition, so it can never fire"),
        ("a and not a or b and not b or c and not c", "2: `correlation`",
         "no hits fulfil the condition, so it can never fire"),
        ("a" + " and not" * 101 + " b", "6: `correlation.condition`",
         "the condition has more than 100 brackets and `not`"),
        ("a or " * 500 + "b", "6: `correlation.condition`",
         "the condition is longer than 2000 characters"),
        (" and ".join(f"(a{n} or b{n})" for n in range(6)), "6: `correlation.condition`",
         "the condition can be fulfilled in more than 32 ways"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_condition_over_names(
    condition: str, place: str, message: str
) -> None:
    with pytest.raises(Faulty) as refused:
        correlation(part_of(over(condition)))
    (problem,) = refused.value.problems
    assert str(problem) == f"rules/many.yml:{place}: {message}"


@pytest.mark.parametrize("type_", ["temporal", "temporal_ordered"])
@pytest.mark.parametrize(
    "condition", ["{eq: 1}", "{neq: 1}", "{gte: 2, lte: 2}", "{lt: 2}", "{gt: 0}"]
)
def test_a_temporal_condition_counts_its_rules(condition: str, type_: str) -> None:
    text = MINIMAL.replace("{gte: 10}", condition).replace("event_count", type_)
    assert correlation(part_of(text.replace("rules: one", "rules: [one, two]"))).condition
