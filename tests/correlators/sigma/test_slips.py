"""Each slip with its line; and rules that only look as if they had one."""

from collections.abc import Sequence

import pytest

from correlators.document import Document, Part, parts
from correlators.sigma.slips import keys, slips

RULE = """\
title: t
logsource: {product: aws, service: cloudtrail}
detection:
%s
  condition: %s
"""


def read(text: str) -> Part:
    (part,) = parts(Document("t.yml", text))
    assert isinstance(part, Part)
    return part


def told(selections: str, condition: str) -> Sequence[tuple[str, int, str]]:
    return list(slips(read(RULE % (selections, condition)), "detection"))


@pytest.mark.parametrize(
    ("selections", "condition", "expected"),
    [
        ("  s: {a: x}\n  t: {b: y}", "s",
         ("unused-selection", 5, "the condition never uses the selection `t`")),
        ("  s1: {a: x}\n  _t: {b: y}", "all of them",
         ("unused-selection", 5, "the condition never uses the selection `_t`")),
        ("  s: {a: x}", "s or not s", ("always-true", 5, "the condition is true of every record")),
        ("  s: {a: x}\n  t: {b: y}", "not (s and t) or 1 of s*",
         ("always-true", 6, "the condition is true of every record")),
        ("  s: ['*']", "s",
         ("always-true", 5, "the condition is true of every record that has something there")),
        ("  s: {eventName: '*'}", "s",
         ("always-true", 5, "the condition is true of every record that has something there")),
        ("  s: {a: x}\n  timeframe: 5m", "s",
         ("no-effect", 5, "`timeframe` has no effect: write a correlation with `timespan`")),
        ("  s:\n    a|re: Delete*", "s",
         ("glob", 5, ("`Delete*` is a regular expression, in which `e*` is any number of `e`, or"
          " none: write `.*`, or leave `re` away"))),
        ("  s:\n    a: No", "s",
         ("yaml-value", 5, "`No` is false here: put it in quotes if you mean the text")),
        ("  s:\n    a: on", "s",
         ("yaml-value", 5, "`on` is true here: put it in quotes if you mean the text")),
        ("  s:\n    a:\n      - x\n      - 012345670123", "s",
         ("yaml-value", 7, ("`012345670123` is the number 1402433619 here: put it in quotes if you"
          " mean the text"))),
        ("  s:\n    a: 1:30", "s",
         ("yaml-value", 5, "`1:30` is the number 90 here: put it in quotes if you mean the text")),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_line(
    selections: str, condition: str, expected: tuple[str, int, str]
) -> None:
    assert told(selections, condition) == [expected]


@pytest.mark.parametrize(
    ("selections", "condition"),
    [
        ("  s: {a: x}\n  t: {b: y}", "1 of them"),
        ("  s_a: {a: x}\n  t: {b: y}", "t and not 1 of s_*"),
        ("  s: {a: x}\n  t: {b: '*'}", "s and t"),
        ("  s: {a: x}", "not s"),
        ("  s: {a|re: 'Delete.*'}", "s"),
        ("  s: {a|re: '[a-z]*'}", "s"),
        ("  s: {a: 'Delete*'}", "s"),
        ("  s: {a: true, b: False, c: 0, d: 12, e: 1.5, f: null}", "s"),
        ("  s: {a: 'No', b: '0123', c: '1:30', d: 'on', e: 2026-01-01, f: fe80::1}", "s"),
        ("  s: {a|exists: no}", "s"),
    ],
)
def test_what_is_meant_is_not(selections: str, condition: str) -> None:
    assert told(selections, condition) == []


NORMAL = """\
title: t
logsource: {product: barograph}
detection:
  s: {%s}
  condition: s
"""


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("status: error", "`status` says success, failure, unknown; `error` is none of these"),
        (
            "guardrail.verdict: [deny, block]",
            "`guardrail.verdict` says allow, warn, modify, deny; `block` is none of these",
        ),
        ("finding.state: closed", "`finding.state` says open, resolved; `closed` is none of these"),
    ],
)
def test_a_word_that_a_field_never_holds(asked: str, said: str) -> None:
    assert list(slips(read(NORMAL % asked), "detection")) == [("unknown-word", 4, said)]


@pytest.mark.parametrize(
    "asked",
    [
        "status: Failure",
        "guardrail.verdict|contains: de",
        "severity: '*'",
        "severity: null",
        "gen_ai.operation.name: anything",
    ],
)
def test_a_word_that_it_may_hold(asked: str) -> None:
    found = slips(read(NORMAL % asked), "detection")
    assert [one for one in found if one.kind == "unknown-word"] == []


def test_a_raw_record_has_words_of_its_own() -> None:
    assert told("  s: {status: error}", "s") == []


def test_a_condition_of_many_selections_is_not_tried_out() -> None:
    names = [f"s{number}" for number in range(9)]
    selections = "\n".join(f"  {name}: {{a: {name}}}" for name in names)
    assert told(selections, " or ".join(names) + " or not s1") == []


def test_keys_that_are_nearly_known_are_told() -> None:
    part = read(
        "title: t\nlevl: high\nour_notes: x\n"
        "logsource:\n  produkt: aws\n  service: cloudtrail\n  team: x\n  definition: y\n"
        "detection: {s: {a: x}, condition: s}\n"
    )
    assert list(slips(part, "detection")) == [
        ("unknown-key", 2, "`levl` is no key of a rule, and is not read; did you mean `level`?"),
        (
            "unknown-key",
            5,
            "`produkt` is no key of a logsource, and is not read; did you mean `product`?",
        ),
        ("unknown-key", 7, "`team` is no key of a logsource, and is not read"),
    ]


def test_a_correlation_has_keys_too() -> None:
    assert [(one.line, one.message) for one in keys(read("title: t\nstatuss: x\n"))] == [
        (2, "`statuss` is no key of a rule, and is not read; did you mean `status`?")
    ]
