"""Rules that are made to break what reads them: a Problem with its line, and the others load."""

import pytest

from correlators.document import VALUES, Document
from correlators.ruleset import parse
from correlators.sigma.condition import MAX_VALUES

GOOD = """\
title: Good
name: good
logsource: {product: test}
detection: {s: {A: x}, condition: s}
"""
HEAD = "title: h\nlogsource: {product: test}\ndetection:\n"
NESTED = HEAD + "  s: " + "[" * 100_000 + "\n"
BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
REFERENCES = "title: {0}\nname: {0}\ncorrelation: {{rules: [{1}], type: event_count, timespan: 5m, "
CIRCLE = "---\n".join(
    REFERENCES.format(name, other) + "condition: {gte: 2}}\n"
    for name, other in (("a", "b"), ("b", "c"), ("c", "a"))
)


def selection(item: str, values: int) -> str:
    return f"{HEAD}  s:\n    {item}:\n" + "    - ' -a'\n" * values + "  condition: s\n"


HOSTILE = (
    (NESTED, "4: nested deeper than 32 levels"),
    (BOMB, "2: aliases (`*name`) are not taken: write the value out"),
    ("a: !!python/object/apply:os.system [id]\n",
     "1: the tag `tag:yaml.org,2002:python/object/apply:os.system` is not taken"),
    ("a: !include secrets.yml\n", "1: the tag `!include` is not taken"),
    ("a: {b: 1}\nc:\n  <<: {d: 1}\n",
     "3: merge keys (`<<`) are not taken: write the values out"),
    ("a:\n" + "- 1\n" * VALUES, f"{VALUES}: more than {VALUES} values in one file: divide"),
    (CIRCLE, "3: the references go in a circle: a -> b -> c -> a"),
    (selection("A", MAX_VALUES + 1), f"3: the rule has more than {MAX_VALUES} values"),
    (selection("A|windash", 801), f"3: the rule has more than {MAX_VALUES} values"),
    (HEAD + "  s: {A|re: '((((a{30}){30}){30}){30})'}\n  condition: s\n",
     "4: Regular expression '((((a{30}){30}){30}){30})' is invalid: invalid repetition size"),
    (HEAD + "  s: {A|re: '(a+)+\\1$'}\n  condition: s\n",
     "4: Regular expression '(a+)+\\1$' is invalid: RE2 has no backreference"),
    (HEAD + f"  s: {{A: {'9' * 5000}}}\n  condition: s\n", "4: `9999"),
    (HEAD + f"  s: {{A: x}}\n  condition: {'not ' * 200}s\n",
     "5: the condition has more than 100 brackets and `not`"),
    ("title: 5\nlogsource: x\ndetection: {s: {A: x}, condition: s}\n",
     "1: `title`: input should be a valid string"),
    ("title: f\nlogsource: {product: a}\nfilter: {rules: any, condition: s}\n", "3: "),
    ("\x00", "1: not YAML: "),
)  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), HOSTILE, ids=[told[:40] for _, told in HOSTILE])
def test_the_others_load(text: str, expected: str) -> None:
    ruleset = parse([Document("bad.yml", text), Document("good.yml", GOOD)])
    assert [rule.detection.id for rule in ruleset.rules] == ["good"]
    assert {problem.path for problem in ruleset.problems} == {"bad.yml"}
    assert str(ruleset.problems[0]).removeprefix("bad.yml:").startswith(expected)


def test_a_large_rule_below_the_bounds_loads() -> None:
    text = selection("A|contains", 20_000).replace("' -a'", "needle")
    ruleset = parse([Document("large.yml", text)])
    assert ruleset.problems == ()
    assert [ruleset.rules[0].matches({"A": a}) for a in ("a NEEDLE", "hay")] == [True, False]
