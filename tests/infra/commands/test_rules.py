import json
from pathlib import Path
from typing import Any

import pytest

import correlators
from infra.cli import main
from infra.exits import Exit
from tests.infra.wrong_rules import WRONG

TRAIL = """\
title: Guardrail deleted
name: trail
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: DeleteGuardrail}, condition: s}
level: high
"""
WINDOWS = """\
title: A process
name: windows
logsource: {product: windows, category: process_creation}
detection: {s: {Image: cmd.exe}, condition: s}
"""
MANY = """\
title: Many
name: many
correlation: {type: event_count, rules: [trail], timespan: 5m, condition: {gte: 2}}
"""
NO_WINDOWS = "no source is category=process_creation product=windows"
CASES = """\
- {name: gone, source: cloudtrail, event: {eventName: DeleteGuardrail}, match: true}
- {name: asked, source: cloudtrail, event: {eventName: GetGuardrail}, match: false}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("trail", TRAIL), ("windows", WINDOWS), ("many", MANY)):
        (tmp_path / f"{name}.yml").write_text(text, "utf-8")
    (tmp_path / "trail.cases.yml").write_text(CASES, "utf-8")
    return tmp_path


def rules(capfd: pytest.CaptureFixture[str], *args: str) -> tuple[int, list[str], list[str]]:
    code = main(["rules", *args])
    out, err = capfd.readouterr()
    return code, out.splitlines(), err.splitlines()


def objects(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


@pytest.mark.usefixtures("folder")
def test_check_says_of_each_rule_whether_it_can_fire(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = rules(capfd, "check", ".")
    assert code == Exit.OK
    assert out == [
        "CANNOT FIRE: 1 of 3 rules",
        "  1  no source is product=windows",
        f"       windows.yml:1: A process: {NO_WINDOWS}",
        "CAN FIRE: 2 of 3 rules",
        "  2  on cloudtrail",
        "       trail.yml:1: Guardrail deleted",
        "       many.yml:1: Many",
        "UNPROVED, without cases: 2 rules",
        "  windows.yml:1: A process",
        "  many.yml:1: Many",
    ]
    assert err == [
        (
            "3 rules loaded, 0 problems, 1 cannot fire, 0 fields unknown, 0 patterns lost, "
            "2 without cases"
        )
    ]


@pytest.mark.usefixtures("folder")
def test_check_tells_a_program_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    _, out, _ = rules(capfd, "check", "--json", "trail.yml", "windows.yml")
    assert objects(out) == [
        {
            "rule": "trail",
            "level": "high",
            "kind": "detection",
            "title": "Guardrail deleted",
            "path": "trail.yml",
            "line": 1,
            "fires_on": ["cloudtrail"],
            "proved": True,
        },
        {
            "rule": "windows",
            "level": "medium",
            "kind": "detection",
            "title": "A process",
            "path": "windows.yml",
            "line": 1,
            "fires_on": [],
            "proved": False,
            "reason": NO_WINDOWS,
        },
    ]


def test_what_keeps_rules_from_being_loaded_comes_first_with_file_and_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, (text, _) in WRONG.items():
        Path(name).write_text(text, "utf-8")
    code, out, err = rules(capfd, "check", ".")
    assert code == Exit.USAGE
    assert out[0] == f"PROBLEMS, which keep a rule from being loaded: {len(WRONG)}"
    told = [line.removeprefix("  ") for line in out[1 : len(WRONG) + 1]]
    expected = [line for _, (_, lines) in sorted(WRONG.items()) for line in lines]
    assert [(t[: len(e)], e) for t, e in zip(told, expected, strict=True) if t[: len(e)] != e] == []
    assert err[-1].startswith(f"1 rule loaded, {len(WRONG)} problems, ")
    _, out, _ = rules(capfd, "check", "--json", "ring.yml")
    assert objects(out) == [
        {
            "path": "ring.yml",
            "line": 5,
            "problem": "the references go in a circle: ring -> ring",
        }
    ]


def test_a_field_that_no_record_has_is_named_with_its_line(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = TRAIL.replace(
        "{s: {eventName: DeleteGuardrail}, condition: s}",
        "\n  s:\n    eventName: x\n  t:\n    userIdentity.userame: y\n  condition: s or t",
    )
    (folder / "trail.yml").write_text(text, "utf-8")
    code, out, _ = rules(capfd, "check", "trail.yml")
    assert code == Exit.OK
    assert out[:2] == [
        "FIELDS that no record is known to have: 1",
        (
            "  trail.yml:8: `userIdentity.userame` is no field of cloudtrail; "
            "did you mean `userIdentity.userName`?"
        ),
    ]
    assert rules(capfd, "check", "--strict", "trail.yml")[0] == Exit.NO
    _, out, _ = rules(capfd, "check", "--json", "trail.yml")
    (remark,) = objects(out)[0]["remarks"]
    assert (remark["about"], remark["line"]) == ("unknown-field", 8)
    record = {
        "eventTime": "2026-11-01T12:00:00Z",
        "eventSource": "iam.amazonaws.com",
        "eventName": "x",
        "userIdentity": {"userame": "y"},
    }
    (folder / "seen.json").write_text(json.dumps(record), "utf-8")
    args = ("check", "--strict", "--samples", "seen.json", "trail.yml")
    code, out, _ = rules(capfd, *args)
    assert (code, out[0]) == (Exit.OK, "CAN FIRE: 1 of 1 rule")


@pytest.mark.usefixtures("folder")
def test_strict_says_no_to_rules_that_cannot_fire(capfd: pytest.CaptureFixture[str]) -> None:
    assert rules(capfd, "check", "--strict", "windows.yml")[0] == Exit.NO
    assert rules(capfd, "check", "--strict", "trail.yml")[0] == Exit.OK


def test_check_has_nothing_to_say_against_the_built_in_rules(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, out, err = rules(capfd, "check", "--strict")
    assert code == Exit.OK
    assert out[0].startswith("CAN FIRE: ")
    assert err[0].endswith(
        "0 problems, 0 cannot fire, 0 fields unknown, 0 patterns lost, 0 without cases, "
        "4 fields below open objects not checked"
    )


def test_a_rule_may_refer_to_a_built_in_one(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "many.yml").write_text(MANY.replace("trail", "guardrail_changed"), "utf-8")
    code, out, _ = rules(capfd, "check", "many.yml")
    assert (code, out[0]) == (Exit.OK, "CAN FIRE: 1 of 1 rule")
    code, out, _ = rules(capfd, "check", "--no-builtin", "many.yml")
    assert code == Exit.USAGE
    assert out[1] == "  many.yml:3: `guardrail_changed` is no rule that is loaded"


@pytest.mark.usefixtures("folder")
def test_test_runs_the_cases(capfd: pytest.CaptureFixture[str]) -> None:
    assert rules(capfd, "test", "trail.yml") == (Exit.OK, [], ["1 rule, 2 cases, 0 failures"])


def test_test_says_which_case_fails_and_ends_with_1(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "trail.cases.yml").write_text(
        CASES.replace("GetGuardrail", "DELETEGuardrail"), "utf-8"
    )
    assert rules(capfd, "test", "trail.yml", "windows.yml") == (
        Exit.NO,
        [
            "trail.cases.yml:2: trail, asked: matches",
            "windows.yml: windows: has no cases",
        ],
        ["2 rules, 2 cases, 2 failures"],
    )
    _, out, _ = rules(capfd, "test", "--json", "trail.yml")
    assert objects(out) == [
        {
            "rule": "trail",
            "case": "gone",
            "place": "trail.cases.yml:1",
            "passed": True,
            "failures": [],
        },
        {
            "rule": "trail",
            "case": "asked",
            "place": "trail.cases.yml:2",
            "passed": False,
            "failures": ["matches"],
        },
    ]


def test_test_names_all_problems_and_runs_the_rest(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "many.yml").write_text(MANY.replace("[trail]", "gone").replace("trail", "gone"))
    (folder / "windows.yml").write_text("title: x\n")
    keys = "a rule has exactly one of the keys `detection`, `correlation`, `filter`, `legs`"
    assert rules(capfd, "test", ".") == (
        Exit.USAGE,
        [
            "many.yml:3: `gone` is no rule that is loaded; its cases are not run",
            f"windows.yml:1: {keys}; its cases are not run",
        ],
        ["1 rule, 2 cases, 0 failures, 2 problems"],
    )
    _, out, _ = rules(capfd, "test", "--json", ".")
    assert objects(out)[1] == {"path": "windows.yml", "line": 1, "problem": keys}


def test_files_of_cases_that_prove_nothing_are_named_by_test_and_check(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "trail.cases.yml").write_text("# later\n")
    (folder / "old.cases.yml").write_text(CASES)
    (folder / "many.yml").unlink()
    (folder / "windows.yml").unlink()
    told = [
        "trail.cases.yml: holds no cases: write some, or remove the file",
        "old.cases.yml: cases of no rule: beside it is no `old` with `.yml` nor `.yaml`",
    ]
    assert rules(capfd, "test", ".") == (
        Exit.NO,
        [told[0], "trail.yml: trail: has no cases", told[1]],
        ["1 rule, 0 cases, 3 failures"],
    )
    code, out, err = rules(capfd, "check", ".")
    heading = "CASES that are of no rule, or cannot be read: 2"
    assert (code, out[:3]) == (Exit.OK, [heading, *(f"  {one}" for one in told)])
    assert err[0].endswith("1 without cases")
    _, out, _ = rules(capfd, "check", "--json", "--sarif", "found.sarif", ".")
    problem = told[0].partition(": ")[2]
    assert objects(out)[1] == {"path": "trail.cases.yml", "line": None, "problem": problem}
    results = json.loads((folder / "found.sarif").read_text())["runs"][0]["results"]
    assert [one["ruleId"] for one in results] == ["no-case", "no-case"]


def test_the_cases_of_the_built_in_detections_hold(capfd: pytest.CaptureFixture[str]) -> None:
    detections = Path(correlators.__path__[0]) / "detections"
    code, out, _ = rules(capfd, "test", "--no-builtin", str(detections))
    assert (code, out) == (Exit.OK, [])


def test_the_cases_of_the_built_in_detections_decide_every_branch(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, _, err = rules(capfd, "test", "--strict")
    assert code == Exit.OK
    assert err[0].endswith(", 0 failures, 0 branches open")


@pytest.mark.usefixtures("folder")
def test_coverage_is_told_and_strict_fails(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    two = "\n  s:\n    eventName: [DeleteGuardrail, x]\n  t:\n    readOnly: true\n"
    text = TRAIL.replace(
        "{s: {eventName: DeleteGuardrail}, condition: s}", f"{two}  condition: s or t"
    )
    (folder / "trail.yml").write_text(text, "utf-8")
    assert rules(capfd, "test", "trail.yml") == (Exit.OK, [], ["1 rule, 2 cases, 0 failures"])
    open_ = [
        "trail.yml:6: trail: 1 of 2 values of `s.eventName` are in no case: x",
        "trail.yml:7: trail: no case in which `t` is what made it match",
    ]
    err = ["1 rule, 2 cases, 0 failures, 1 branch open"]
    assert rules(capfd, "test", "--coverage", "trail.yml") == (Exit.OK, open_, err)
    assert rules(capfd, "test", "--strict", "trail.yml") == (Exit.NO, open_, err)
    _, out, _ = rules(capfd, "test", "--coverage", "--json", "trail.yml")
    assert objects(out)[-1] == {
        "rule": "trail",
        "path": "trail.yml",
        "line": 7,
        "branch": "t",
        "gap": "branch",
        "message": "no case in which `t` is what made it match",
    }


@pytest.mark.usefixtures("folder")
def test_a_pipeline_that_is_not_there_is_called_so(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = rules(capfd, "list", "trail.yml", "--pipeline", "gone.yml")
    message = "cannot read gone.yml: No such file or directory; name a pipeline"
    assert (code, err) == (Exit.USAGE, [f"barograph: {message}"])


@pytest.mark.parametrize("action", ["check", "test", "list", "export"])
def test_the_help_of_each_action_has_examples(
    action: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", action, "--help"]) == Exit.OK
    assert f"examples:\n  barograph rules {action}" in capfd.readouterr()[0]


@pytest.mark.usefixtures("folder")
def test_list_names_what_is_loaded(capfd: pytest.CaptureFixture[str]) -> None:
    assert rules(capfd, "list", ".") == (
        Exit.OK,
        [
            "trail    high           detection    Guardrail deleted",
            "windows  medium         detection    A process",
            "many     medium         correlation  Many",
        ],
        ["3 rules"],
    )


def test_list_has_the_built_in_rules_of_every_kind(capfd: pytest.CaptureFixture[str]) -> None:
    _, out, _ = rules(capfd, "list", "--json")
    assert {one["kind"] for one in objects(out)} == {"detection", "correlation", "convergence"}


def test_what_a_rule_says_does_not_drive_the_terminal(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "trail.yml").write_text(TRAIL.replace("Guardrail deleted", '"\\e[31mred"'), "utf-8")
    _, out, _ = rules(capfd, "list", "trail.yml")
    assert out == ["trail  high           detection    \\x1b[31mred"]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["list", "bad.yml"], "bad.yml:1: a rule has exactly one of"),
        (["check", "nowhere"], "cannot read nowhere: No such file or directory"),
        ([], "the following arguments are required: ACTION; see barograph rules --help"),
    ],
)
def test_a_mistake_is_one_sentence(
    args: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yml").write_text("title: x\n", "utf-8")
    code, out, err = rules(capfd, *args)
    assert (code, out, len(err)) == (Exit.USAGE, [], 1)
    assert err[0].startswith(f"barograph: {expected}")


def test_rules_are_checked_as_pipelines_leave_them(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "p").mkdir()
    pipeline = (
        "transformations:\n- {type: change_logsource, product: aws, service: cloudtrail}\n"
        "- {type: field_name_mapping, mapping: {Image: userAgent}}\n"
    )
    (folder / "p" / "pipeline.txt").write_text(pipeline, "utf-8")
    code, out, _ = rules(capfd, "check", "windows.yml", "--pipeline", "p/pipeline.txt")
    assert code == Exit.OK
    assert out[:2] == ["CAN FIRE: 1 of 1 rule", "  1  on cloudtrail"]
    (folder / "p" / "table.txt").write_text("who: [kim]\n", "utf-8")
    code, _, err = rules(capfd, "check", "windows.yml", "--placeholders", "p/table.txt")
    assert code == Exit.USAGE
    assert err[0].startswith("barograph: p/table.txt:1: a table of placeholders is `placeholders:`")
