"""A rule says which fields decide it."""

import pytest

from correlators.document import Document
from correlators.ruleset import parse
from correlators.sigma.processing import processing

RULE = """
title: A
name: a
logsource: {product: aws}
detection:
%s
  condition: %s
"""
FILTER = """
---
title: Not from here
logsource: {product: aws}
filter:
  rules: any
  here: {ip|cidr: 10.0.0.0/8}
  condition: not here
"""


@pytest.mark.parametrize(
    ("selections", "condition", "reads"),
    [
        ("  s: {a: 1, b.c|contains: [x, y]}", "s", {"a", "b.c"}),
        ("  s: {a: 1}\n  t: [{b|re: x}, {c: null}]", "s and not t", {"a", "b", "c"}),
        ("  s: {a|fieldref: b, c|exists: false}", "s", {"a", "b", "c"}),
        ("  s: {a: 1}\n  k: [word]", "s or k", None),
        ("  k: [word]\n  s: {a: 1}", "s and not k", None),
    ],
)
def test_what_decides_is_read(selections: str, condition: str, reads: set[str] | None) -> None:
    (rule,) = parse([Document("a.yml", RULE % (selections, condition))]).rules
    assert rule.reads == reads


def test_a_filter_reads_too() -> None:
    (rule,) = parse([Document("a.yml", RULE % ("  s: {a: 1}", "s") + FILTER)]).rules
    assert rule.reads == frozenset({"a", "ip"})


def test_what_decides_is_read_as_a_pipeline_names_it() -> None:
    text = "transformations: [{type: field_name_mapping, mapping: {a: [b.c, d], ip: src.ip}}]"
    done = processing([Document("p.yml", text)], ())
    (rule,) = parse(
        [Document("a.yml", RULE % ("  s: {a: 1}", "s") + FILTER)], processing=done
    ).rules
    assert rule.reads == frozenset({"b.c", "d", "src.ip"})
