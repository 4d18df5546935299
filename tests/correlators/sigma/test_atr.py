from typing import Any

import pytest

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from schemas.detection import Logsource

HEAD = """\
title: Somebody asks for the vault
id: ATR-0000-00001
status: draft
severity: high
author: A. Author
date: 2026/11/01
references:
  owasp_llm: ["LLM01:2025 - Prompt Injection"]
  owasp_agentic: ["ASI05:2026 - Code"]
  mitre_atlas: ["AML.T0051.001 - Indirect"]
tags: {category: prompt-injection, scan_target: mcp}
agent_source: {type: llm_io}
detection:
"""
LOOKBEHIND = "RE2 has no lookbehind `(?<!`: say in a selection behind `not` what must not be there"
ANY = (
    HEAD
    + """\
  condition: any
  conditions:
    - field: user_input
      operator: regex
      value: open\\s+the\\s+vault
    - field: tool_response
      operator: regex
      value: (?<!not )open
    - field: tool_name
      operator: exact
      value: Vault*
    - field: content
      operator: contains
      value: 100% sure?
"""
)
NAMED = (
    HEAD
    + """\
  condition: asks AND NOT calm
  conditions:
    asks: {field: user_input, match_type: contains, patterns: [vault, safe]}
    calm: {field: user_input, match_type: regex, case_sensitive: true, patterns: [Please]}
"""
)


def read(text: str) -> Ruleset:
    return parse([Document("threat.yaml", text)])


def matches(ruleset: Ruleset, **event: Any) -> bool:  # noqa: ANN401 - any JSON value
    (rule,) = ruleset.rules
    return rule.matches({name.replace("__", "."): value for name, value in event.items()})


def told(text: str) -> list[str]:
    return [f"{problem.line}: {problem.message}" for problem in read(text).problems]


def test_what_a_rule_says_of_itself() -> None:
    (rule,) = read(ANY).rules
    found = rule.detection
    assert (found.id, found.title, found.level) == (
        "ATR-0000-00001",
        "Somebody asks for the vault",
        "high",
    )
    assert (found.author, found.confidence, found.family) == ("A. Author", 0.5, "atr")
    assert found.tags == (
        "owasp.llm01",
        "owasp.asi05",
        "atlas.aml-t0051.001",
        "atr.prompt-injection",
    )
    assert found.logsource == Logsource(product="barograph")


def test_its_fields_are_the_texts_of_the_normal_form() -> None:
    ruleset = read(ANY)
    assert matches(ruleset, gen_ai__input__messages="Now OPEN  the vault")
    assert not matches(ruleset, gen_ai__output__messages="open the vault")
    assert matches(ruleset, **{"gen_ai.tool.name": "Vault*"})
    assert not matches(ruleset, **{"gen_ai.tool.name": "vault*"})  # `exact` has case
    assert not matches(ruleset, **{"gen_ai.tool.name": "Vault7"})  # and no wildcards
    for name in ("gen_ai.tool.call.result", "gen_ai.output.messages", "body"):
        assert matches(ruleset, **{name: "I am 100% SURE?"})
    assert not matches(ruleset, body="I am 100% sure!")
    assert not matches(ruleset)


def test_a_pattern_that_cannot_run_is_told_and_the_others_run() -> None:
    ruleset = read(ANY)
    assert ruleset.problems == ()
    assert [(note.path, note.line, note.message) for note in ruleset.notes] == [
        (
            "threat.yaml",
            21,
            f"1 of 4 patterns cannot run: {LOOKBEHIND}",
        )
    ]


def test_a_rule_that_needs_all_its_patterns_is_refused_without_one() -> None:
    assert told(ANY.replace("condition: any", "condition: all")) == [f"21: {LOOKBEHIND}"]


def test_conditions_by_name() -> None:
    ruleset = read(NAMED)
    assert matches(ruleset, gen_ai__input__messages="the SAFE, please")
    assert not matches(ruleset, gen_ai__input__messages="Please, the safe")
    assert not matches(ruleset, gen_ai__input__messages="the door")


def test_a_pattern_that_is_lost_behind_not_would_make_more_match() -> None:
    assert told(NAMED.replace("[Please]", "[Please, '(?=x)']")) == [
        "17: RE2 has no lookahead `(?=`: ask for it in a second value with `all`"
    ]


@pytest.mark.parametrize(
    "written", [r"'[\u200b\u200d]'", r"'\u{200b}|\u{200D}'", r"'\\\u200b|\u200d'"]
)
def test_characters_as_javascript_names_them(written: str) -> None:
    ruleset = read(ANY.replace(r"open\s+the\s+vault", written))
    assert matches(ruleset, gen_ai__input__messages="va\u200dult")
    assert not matches(ruleset, gen_ai__input__messages="vault u200d")


def test_a_skill_is_no_telemetry() -> None:
    (rule,) = read(ANY.replace("scan_target: mcp", "scan_target: skill")).rules
    assert rule.detection.logsource == Logsource(product="barograph", service="agent_skill")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("user_input", "mood", "16: `mood` is none of the fields content, agent_output, "),
        ("contains", "like", "26: `like` is none of the operators contains, exact, regex, "),
        ("value: 100% sure?", "value: 5", "27: a pattern is text: put it in quotes"),
        ("severity: high", "severity: huge", "4: the severity is one of informational, low, "),
        ("field: content", "steps: []", "25: a condition has `field` and `value`; steps and "),
        ("  conditions:\n", "  other:\n", "13: an ATR rule has `detection.conditions`"),
    ],
)
def test_what_has_no_counterpart_is_refused_with_its_line(
    old: str, new: str, expected: str
) -> None:
    (problem,) = told(ANY.replace(old, new, 1))
    assert problem.startswith(expected)


def test_a_condition_names_what_there_is() -> None:
    assert told(NAMED.replace("AND NOT calm", "and not wild")) == [
        "14: there is no selection `wild`"
    ]
