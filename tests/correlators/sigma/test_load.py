import contextlib
from textwrap import dedent
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from sigma.modifiers import modifier_mapping

from correlators.document import Document, Faulty, Part, parts
from correlators.sigma import load
from correlators.sigma.rule import Rule
from schemas.detection import Logsource, PostureFact

MINIMAL = """\
title: Minimal
logsource:
  product: test
detection:
  s:
    A: x
  condition: s
"""


UNFILLED = (
    "6: nothing fills the placeholder %who% of `expand`: give its values in a file,"
    " `placeholders: {who: [...]}`, with --placeholders or `[rules] placeholders`"
)


def part_of(text: str) -> Part:
    (part,) = parts(Document("rules/minimal.yml", text))
    assert isinstance(part, Part)
    return part


def problems(text: str) -> list[str]:
    with pytest.raises(Faulty) as refused:
        load.rule(part_of(text))
    return [str(problem).removeprefix("rules/minimal.yml:") for problem in refused.value.problems]


def test_a_rule_without_more_has_defaults_and_its_file_as_id() -> None:
    detection = load.rule(part_of(MINIMAL)).detection
    assert detection.model_dump(exclude_none=True) == {
        "id": "minimal",
        "title": "Minimal",
        "level": "medium",
        "confidence": 0.6,
        "family": "minimal",
        "tags": (),
        "logsource": {"product": "test"},
        "fields": (),
        "path": "rules/minimal.yml",
    }


def test_what_a_rule_says_of_itself_is_kept() -> None:
    head = """\
        id: 8ad1600d-e9dc-4251-b0ee-a65268f29add
        name: known
        status: stable
        level: HIGH
        author: somebody
        date: 2026-11-21
        tags: [attack.t1685]
        fields: [userIdentity.arn]
        falsepositives: [none]
        custom: {anything: 1}
        barograph:
          family: recon
          fact: {name: long_term_key, on: apikey}
        """
    detection = load.rule(part_of(MINIMAL + dedent(head))).detection
    assert detection.id == "8ad1600d-e9dc-4251-b0ee-a65268f29add"
    assert (detection.name, detection.level, detection.author) == ("known", "high", "somebody")
    assert (detection.confidence, detection.family) == (0.9, "recon")
    assert (detection.tags, detection.fields) == (("attack.t1685",), ("userIdentity.arn",))
    assert detection.fact == PostureFact(name="long_term_key", on="apikey", state="open")


@pytest.mark.parametrize(
    ("status", "confidence"),
    [("stable", 0.9), ("test", 0.7), ("experimental", 0.5), ("deprecated", 0.6)],
)
def test_confidence_follows_the_status_unless_it_is_stated(status: str, confidence: float) -> None:
    text = f"{MINIMAL}status: {status}\n"
    assert load.rule(part_of(text)).detection.confidence == confidence
    stated = f"{text}barograph: {{confidence: 0.25}}\n"
    assert load.rule(part_of(stated)).detection.confidence == 0.25


def test_a_name_is_the_id_where_there_is_none() -> None:
    assert load.rule(part_of(f"{MINIMAL}name: other\n")).detection.id == "other"


def test_a_logsource_is_read_in_small_letters() -> None:
    text = MINIMAL.replace("product: test", "{product: AWS, service: CloudTrail, definition: x}")
    assert load.rule(part_of(text)).detection.logsource == Logsource(
        product="aws", service="cloudtrail"
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("title: Minimal", "title: [a]", "1: `title`: input should be a valid string"),
        ("title: Minimal", "name: x", "1: `title`: field required"),
        ("  product: test", "  definition: x",
         "2: `logsource`: at least one of category, product and service is needed"),
        ("title: Minimal", "title: a\nlevel: severe",
         "2: `level`: input should be 'informational', 'low', 'medium', 'high' or 'critical'"),
        ("title: Minimal", "title: a\nbarograph: {family: x, famly: y}",
         "2: `barograph.famly`: there is no such key here; did you mean `family`?"),
        ("detection:\n", "detection: []\nx:\n",
         "4: `detection`: input should be a valid dictionary"),
        ("A: x", "A|frobnicate: x", "6: there is no modifier `frobnicate`"),
        ("A: x", "A|re: a(", "6: Regular expression 'a(' is invalid: missing ): a("),
        ("A: x", "A|re: (?<=a)b",
         ("6: Regular expression '(?<=a)b' is invalid: RE2 has no lookbehind `(?<=`: "
          "take what stands before into the pattern")),
        ("A: x", "A|re: 5", "6: a regular expression is text: put it in quotes"),
        ("A: x", "A|contains|all: x", "6: `all` needs a list of two values or more"),
        ("A: x", "A|cidr: 10.0.0.0/40",
         "6: Invalid CIDR expression: '10.0.0.0/40' does not appear to be an IPv4 or IPv6 network"),
        ("A: x", "A: [x, null]",
         "6: null stands alone: give it a selection of its own and join the two by `or`"),
        ("A: x", f"A{'|base64' * 60}: x", "6: a field takes at most 8 modifiers"),
        ("A: x", "A: []", "6: a list of values is empty"),
        ("A: x", "A: {b: c}", "6: a field takes a value or a list of values"),
        ("A: x", "A|expand: '%who%'",
         UNFILLED),
        ("A: x", "A|contains: 5",
         ("6: a modifier of `A|contains` does not go with the number 5:"
          " put it in quotes if you mean the text")),
        ("A: x", "A|gt: [1, '5']",
         "6: a modifier of `A|gt` does not go with the text `5`: leave the quotes away"),
        ("A: x", "'|startswith': x", "6: `|startswith` needs a field before its modifier"),
        ("condition: s", "condition: s and t", "7: there is no selection `t`"),
        ("condition: s", "condition: 1 of t*", "7: no selection is like `t*`"),
        ("condition: s", "condition: 5", "7: a text is needed as `condition`"),
        ("  condition: s\n", "", "4: a text is needed as `condition`"),
        ("    A: x\n", "    - A: x\n    - B|re: '['\n",
         "7: Regular expression '[' is invalid: missing ]: ["),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(old: str, new: str, expected: str) -> None:
    assert problems(MINIMAL.replace(old, new)) == [expected]


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = MINIMAL.replace("A: x", "A|re: a(\n    B|all: x\n    C: [null, y]")
    assert [line.split(":")[0] for line in problems(text)] == ["7", "8"]
    mended = text.replace("B|all: x", "B|fieldref: x").replace("[null, y]", "y")
    assert [line.split(":")[0] for line in problems(mended)] == ["6"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (f"{'(' * 101}s{')' * 101}", "7: the condition has more than 100 brackets and `not`"),
        (f"{'not ' * 101}s", "7: the condition has more than 100 brackets and `not`"),
        (f"s{' or s' * 400}", "7: the condition is longer than 2000 characters"),
    ],
)
def test_a_condition_that_would_exhaust_the_stack_is_refused(condition: str, expected: str) -> None:
    assert problems(MINIMAL.replace("condition: s", f"condition: {condition}")) == [expected]


def test_a_condition_may_be_long_and_nested_below_that() -> None:
    condition = f"{'not (' * 50}s{')' * 50}"
    assert load.rule(part_of(MINIMAL.replace("condition: s", f"condition: {condition}"))).matches(
        {"A": "x"}
    )


def test_operators_in_capitals_are_operators_unless_a_selection_is_called_so() -> None:
    matches = load.rule(part_of(MINIMAL.replace(": s", ": NOT(s) OR s AND s"))).matches
    assert matches({"A": "x"})
    named = MINIMAL.replace("  s:\n", "  NOT:\n").replace("condition: s", "condition: NOT")
    assert load.rule(part_of(named)).matches({"A": "x"})


keys = st.text(max_size=6) | st.builds(
    "{}|{}".format,
    st.sampled_from(["A", ""]),
    st.sampled_from(
        [*modifier_mapping, "utf16le", "base64offset|contains", "windash|contains|all"]
    ),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(keys, inside, max_size=3),
    max_leaves=8,
)


def loaded(part: Part) -> Rule | None:
    with contextlib.suppress(Faulty):
        return load.rule(part)
    return None


@given(
    anything, st.sampled_from(["s", "not s", "1 of them", "all of s*", "s and", "((s", "", "s | x"])
)
def test_a_detection_of_any_shape_loads_or_has_problems(selection: Any, condition: str) -> None:  # noqa: ANN401
    detection = {"s": selection, "condition": condition}
    document = {"title": "t", "logsource": {"product": "test"}, "detection": detection}
    part = Part("any.yml", 1, document, {})
    rule = loaded(part)
    assert rule is None or rule.matches({"A": "x", "s": [1, None]}) in (True, False)


@given(
    st.dictionaries(
        st.sampled_from([*yaml.safe_load(MINIMAL), "id", "level", "tags", "name"]), anything
    )
)
def test_a_document_of_any_shape_loads_or_has_problems(document: dict[str, Any]) -> None:
    loaded(Part("any.yml", 1, document, {}))
