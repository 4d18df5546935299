from typing import Any

import pytest
import yaml

from correlators.document import Document
from correlators.ruleset import Ruleset, parse
from infra.authoring.cases.detections import failures, missing

VENDOR = """\
title: trail
name: trail
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: DeleteGuardrail}, condition: s}
"""
NORMAL = """\
title: form
name: form
logsource: {product: barograph, category: api_activity}
detection: {s: {api.operation: DeleteGuardrail, entity.guardrail: g1}, condition: s}
"""
CALL: dict[str, Any] = {
    "eventTime": "2026-07-01T08:30:00Z",
    "eventName": "DeleteGuardrail",
    "eventSource": "bedrock.amazonaws.com",
    "requestParameters": {"guardrailIdentifier": "g1"},
}


@pytest.fixture(scope="module")
def ruleset() -> Ruleset:
    loaded = parse([Document("v.yml", VENDOR), Document("n.yml", NORMAL)])
    assert loaded.problems == ()
    return loaded


def told(ruleset: Ruleset, rule: str, source: str, event: dict[str, Any], match: Any) -> list[str]:  # noqa: ANN401
    return list(failures(ruleset, rule, {"source": source, "event": event, "match": match}))


def test_a_raw_record_takes_the_way_of_a_live_one(ruleset: Ruleset) -> None:
    assert told(ruleset, "trail", "cloudtrail", CALL, match=True) == []
    assert told(ruleset, "trail", "cloudtrail", CALL, match=False) == ["matches"]
    assert told(ruleset, "trail", "cloudtrail", {}, match=True) == ["does not match"]


def test_a_record_is_brought_into_normal_form_for_rules_that_ask_for_it(ruleset: Ruleset) -> None:
    assert told(ruleset, "form", "cloudtrail", CALL, match=True) == []
    login = CALL | {"eventName": "ConsoleLogin"}
    assert told(ruleset, "form", "cloudtrail", login, match=False) == []


def test_a_normal_form_may_be_given(ruleset: Ruleset) -> None:
    form = {"api.operation": "deleteguardrail", "entity.guardrail": "G1"}
    assert told(ruleset, "form", "normal", form, match=True) == []


def test_what_a_case_states_wrongly_is_told(ruleset: Ruleset) -> None:
    assert told(ruleset, "trail", "normal", {}, "yes") == ["`match` is true or false, not 'yes'"]
    timeless = {key: value for key, value in CALL.items() if key != "eventTime"}
    (failure,) = told(ruleset, "form", "cloudtrail", timeless, match=True)
    assert failure.startswith("cloudtrail cannot read the event: ")


def test_keys_are_those_of_a_case(ruleset: Ruleset) -> None:
    case = {"source": "cloudtrail", "evnt": {}, "match": False, "extra": "zzz"}
    assert list(failures(ruleset, "trail", case)) == [
        "the case has an unknown key `evnt`; did you mean `event`?",
        "the case has an unknown key `extra`",
        "the case lacks `event`",
    ]


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ("[{match: true}, {match: false}]", []),
        ("[{match: true}]", ["no case that does not match"]),
        ("[]", ["no case that matches", "no case that does not match"]),
    ],
)
def test_a_rule_needs_a_case_of_each_kind(cases: str, expected: list[str]) -> None:
    assert list(missing(yaml.safe_load(cases))) == expected
