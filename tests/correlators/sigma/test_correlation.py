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
        ("event_count", "value_sum", "3: `correlation.type`",
         "`value_sum` is not supported yet, only " + ", ".join(TYPES)),
        ("5m", "1h30", "5: `correlation.timespan`",
         "not a duration like 30s, 15m, 24h or 7d: '1h30'"),
        ("5m", "300", "5: `correlation.timespan`", "input should be a valid string"),
        ("5m", "0s", "5: `correlation.timespan`", "it must be longer than nothing"),
        ("rules: one", "rules: []", "4: `correlation.rules`",
         "tuple should have at least 1 item after validation, not 0"),
        ("rules: one", "rules: [a, a]", "4: `correlation.rules`", "a rule is named twice"),
        ("  condition: {gte: 10}\n", "", "2: `correlation`",
         "event_count needs a `condition` such as `gte: 10`"),
        ("10}", "'10'}", "6: `correlation.condition.gte`", "input should be a valid integer"),
        ("10}", "1.5}", "6: `correlation.condition.gte`", "input should be a valid integer"),
        ("10}", "-1}", "6: `correlation.condition.gte`",
         "input should be greater than or equal to 0"),
        ("gte", "ge", "6: `correlation.condition.ge`", "extra inputs are not permitted"),
        ("10}", "10, field: A}", "2: `correlation`", "event_count has no `field` in its condition"),
        ("{gte: 10}", "one and not two", "6: `correlation.condition`",
         "a condition over rule names, like `a and not b`, is not supported yet"),
        ("{gte: 10}", "{gt: 5, lt: 5}", "2: `correlation`", SILENT),
        ("{gte: 10}", "{lt: 1}", "2: `correlation`", SILENT),
        ("event_count", "temporal", "2: `correlation`", SILENT),
        ("event_count", "value_count", "2: `correlation`",
         "value_count needs `field` in its condition"),
        ("event_count", "temporal_ordered", "2: `correlation`",
         "temporal_ordered takes no condition: it asks for each rule, in order"),
        ("rules:", "group_by: a\n  rules:", "4: `correlation.group_by`",
         "extra inputs are not permitted"),
        ("title: Many", "name: x", "1: `title`", "field required"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, place: str, message: str) -> None:
    with pytest.raises(Faulty) as refused:
        correlation(part_of(MINIMAL.replace(old, new)))
    (problem,) = refused.value.problems
    assert str(problem) == f"rules/many.yml:{place}: {message}"


@pytest.mark.parametrize(
    "condition", ["{eq: 1}", "{neq: 1}", "{gte: 2, lte: 2}", "{lt: 2}", "{gt: 0}"]
)
def test_a_temporal_condition_counts_its_rules(condition: str) -> None:
    text = MINIMAL.replace("{gte: 10}", condition).replace("event_count", "temporal")
    assert correlation(part_of(text.replace("rules: one", "rules: [one, two]"))).condition
