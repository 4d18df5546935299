from pathlib import Path

import pytest

from correlators.document import Document
from correlators.ruleset import parse
from infra.authoring.cases.stated import cases, faults, proves
from infra.authoring.coverage import gaps
from infra.authoring.proving import proved
from infra.rules import RuleFile, read

THREAT = """\
title: Somebody asks for the vault
id: ATR-0000-00001
severity: high
agent_source: {type: llm_io}
detection:
  condition: any
  conditions:
    - {field: user_input, operator: regex, value: open\\s+the\\s+vault}
    - {field: content, operator: contains, value: abracadabra}
    - {field: tool_args, operator: regex, value: '"door": *"vault"'}
test_cases:
  true_positives:
    - input: Open the vault!
      expected: triggered
      description: plainly
    - tool_call: {name: open, args: {door: vault}}
      expected: triggered
    - content: abracadabra
      expected: triggered
  true_negatives:
    - user_input: Open the door
      expected: not_triggered
evasion_tests:
  - input: Ouvrez
    expected: not_triggered
"""


def file(text: str, beside: str | None = None) -> RuleFile:
    given = None if beside is None else Document("threat.cases.yml", beside)
    return RuleFile(Document("threat.yaml", text), given)


def test_the_cases_inside_a_threat_rule_are_cases_like_others() -> None:
    found = cases(file(THREAT), "ATR-0000-00001")
    assert found is not None
    assert [(case.line, case.data["name"], case.data["match"]) for case in found] == [
        (13, "plainly", True),
        (16, "true_positives 2", True),
        (18, "true_positives 3", True),
        (21, "true_negatives 1", False),
    ]
    assert found[0].data["event"] == {
        "gen_ai.input.messages": "Open the vault!",
        "body": "Open the vault!",
        "gen_ai.tool.call.arguments": "Open the vault!",
    }
    assert found[1].data["event"] == {
        "gen_ai.tool.name": "open",
        "gen_ai.tool.call.arguments": '{"door":"vault"}',
    }


def test_they_are_run_and_cover_branches() -> None:
    given = file(THREAT)
    ruleset = parse([given.document])
    outcomes = list(proved(ruleset, [given]))
    assert [(outcome.place, outcome.failures) for outcome in outcomes] == [
        ("threat.yaml:13", ()),
        ("threat.yaml:16", ()),
        ("threat.yaml:18", ()),
        ("threat.yaml:21", ()),
    ]
    assert list(gaps(ruleset, [given])) == []


def test_a_file_beside_it_is_what_counts() -> None:
    beside = "- {name: one, source: normal, event: {}, match: false}\n"
    found = cases(file(THREAT, beside), "ATR-0000-00001")
    assert found is not None
    assert [case.path for case in found] == ["threat.cases.yml"]


@pytest.mark.parametrize(
    "text", [THREAT.partition("test_cases")[0], THREAT.replace("ATR-0000-00001", "another")]
)
def test_no_cases_are_none(text: str) -> None:
    assert cases(file(text), "ATR-0000-00001") is None


RULE = (
    "title: {0}\nname: {0}\nlogsource: {{product: any}}\ndetection: {{s: {{x: y}}, condition: s}}\n"
)
ID = "6111111A-0000-4000-8000-000000000001"
TWO = f"{RULE.format('one')}id: {ID}\n---\n{RULE.format('two')}---\nfilter: {{}}\n"


def beside(text: str, rules: str = RULE.format("one")) -> RuleFile:
    return RuleFile(Document("r.yml", rules), Document("r.cases.yml", text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "r.cases.yml: holds no cases: write some, or remove the file"),
        ("# later\n", "r.cases.yml: holds no cases: write some, or remove the file"),
        ("[]\n", "r.cases.yml: holds no cases: write some, or remove the file"),
        ("---\n...\n", "r.cases.yml: holds no cases: write some, or remove the file"),
        ("name: a\n", "r.cases.yml:1: no list: begin each element with `- `"),
        ("- [\n", "r.cases.yml:2: not YAML: did not find expected node content"),
        ("- {rule: on}\n", "r.cases.yml:1: `True` is no rule of r.yml"),
        ("- {rule: oen}\n", "r.cases.yml:1: `oen` is no rule of r.yml; did you mean `one`?"),
    ],
)
def test_a_file_without_a_case_is_no_proof(text: str, expected: str) -> None:
    assert list(map(str, faults(beside(text)))) == [expected]
    assert not proves(beside(text), "one")


def test_of_several_rules_in_a_file_each_case_names_its_own() -> None:
    text = f"- {{name: a, rule: one}}\n- {{name: b, rule: {ID}}}\n- {{name: c, rule: two}}\n"
    given = beside(text + "- {name: d}\n- {name: e, rule: three}\n", TWO)
    for rule, expected in ((ID.lower(), ["a", "b"]), ("two", ["c"])):
        assert [case.data["name"] for case in cases(given, rule) or ()] == expected
    assert list(map(str, faults(given))) == [
        "r.cases.yml:4: the case names none of the 2 rules of r.yml: say `rule:` (one, two)",
        "r.cases.yml:5: `three` is no rule of r.yml",
    ]
    assert cases(beside("- {name: a, rule: one}\n", TWO), "two") is None


def test_the_only_rule_of_a_file_need_not_be_named() -> None:
    assert len(cases(beside("- {name: a}\n- {name: b, rule: one}\n"), "one") or ()) == 2
    assert proves(beside("- {name: a}\n"), "one")


def test_the_cases_of_atr_hold_but_for_patterns_that_cannot_run(shared: Path) -> None:
    files = list(read([shared / "corpora/rules/atr"]))
    ruleset = parse(given.document for given in files)
    assert (len(ruleset.rules), len(ruleset.problems), len(ruleset.notes)) == (114, 0, 7)
    outcomes = list(proved(ruleset, files))
    assert len(outcomes) == 1180  # 612 positive and 568 negative
    failed = [outcome for outcome in outcomes if outcome.failures]
    missed = {outcome.rule for outcome in failed if outcome.failures == ("does not match",)}
    alarms = {outcome.rule for outcome in failed if outcome.failures == ("matches",)}
    assert len(failed) == 9
    by_path = {rule.detection.path: rule.detection.id for rule in ruleset.rules}
    assert missed <= {by_path[note.path] for note in ruleset.notes}
    assert alarms == {"ATR-2026-00162"}  # ATR's own engine passes over what stands in code blocks
