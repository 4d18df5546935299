from pathlib import Path

from correlators.document import Document
from correlators.ruleset import parse
from infra.authoring.proving import Outcome, proved
from infra.rules import RuleFile, builtin

RULE = """\
title: trail
name: trail
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: DeleteGuardrail}, condition: s}
"""


def outcomes(cases: str | None, rule: str = RULE) -> list[Outcome]:
    document = Document("trail.yml", rule)
    beside = None if cases is None else Document("trail.cases.yml", cases)
    ruleset = parse([document])
    assert ruleset.problems == ()
    return list(proved(ruleset, [RuleFile(document, beside)]))


def test_each_case_has_an_outcome_with_its_place() -> None:
    cases = """\
- {name: gone, source: cloudtrail, event: {eventName: DeleteGuardrail}, match: true}
- {name: wrong, source: cloudtrail, event: {eventName: GetGuardrail}, match: true}
- {source: cloudtrail, event: {}, match: false}
"""
    assert outcomes(cases) == [
        Outcome("trail", "trail.cases.yml:1", "gone", ()),
        Outcome("trail", "trail.cases.yml:2", "wrong", ("does not match",)),
        Outcome("trail", "trail.cases.yml:3", "trail.cases.yml:3", ()),
    ]


def test_a_rule_without_cases_is_a_failure() -> None:
    assert outcomes(None) == [Outcome("trail", "trail.yml", None, ("has no cases",))]


def test_cases_that_leave_something_open_are_a_failure() -> None:
    cases = "- {name: gone, source: cloudtrail, event: {eventName: DeleteGuardrail}, match: true}\n"
    assert outcomes(cases)[-1] == Outcome(
        "trail", "trail.cases.yml", None, ("no case that does not match",)
    )


def test_what_is_no_case_is_a_failure_and_no_traceback() -> None:
    cases = """\
- 5
- {name: a}
- {name: b, source: nowhere, event: {}, match: true}
- {name: c, source: cloudtrail, event: text, match: false}
"""
    failures = [outcome.failures[0] for outcome in outcomes(cases)]
    assert str(outcomes(cases)[0]) == "trail.cases.yml:1: an element of the list is a mapping"
    lacking = ("the case lacks `source`", "the case lacks `event`", "the case lacks `match`")
    assert outcomes(cases)[1].failures == lacking
    assert failures[2].startswith("the case cannot be run: no source is called 'nowhere'")
    assert failures[3].startswith("`event` is")


def test_a_case_is_called_as_it_is_written() -> None:
    case = "source: cloudtrail, event: {}, match: false"
    cases = f"- {{name: no, {case}}}\n- {{{case}, name: Off}}\n- {{{case}, name: 5}}\n"
    cases += "- name: yes  # a comment\n  source: cloudtrail\n  event: {}\n  match: false\n"
    assert [one.case for one in outcomes(cases)[:4]] == ["no", "Off", "5", "yes"]


def test_several_rules_of_a_file_have_their_own_cases() -> None:
    other = RULE.replace("name: trail", "name: other").replace("DeleteG", "GetG")
    case = "source: cloudtrail, event: {eventName: DeleteGuardrail}"
    cases = (
        f"- {{name: a, rule: trail, {case}, match: true}}\n"
        f"- {{name: b, rule: other, {case}, match: false}}\n"
        f"- {{name: c, {case}, match: true}}\n"
    )
    path = "trail.cases.yml"
    several = "the case names none of the 2 rules of trail.yml: say `rule:` (trail, other)"
    assert outcomes(cases, f"{RULE}---\n{other}") == [
        Outcome(None, f"{path}:3", None, (several,)),
        Outcome("trail", f"{path}:1", "a", ()),
        Outcome("trail", path, None, ("no case that does not match",)),
        Outcome("other", f"{path}:2", "b", ()),
        Outcome("other", path, None, ("no case that matches",)),
    ]


def test_every_kind_of_built_in_rule_has_a_runner() -> None:
    folder = Path(__file__).parents[3] / "infra" / "authoring" / "cases"
    kinds = {Path(file.document.path).parent.name for file in builtin()}
    assert kinds <= {path.stem for path in folder.glob("*.py")}
