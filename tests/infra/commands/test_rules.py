import json
from pathlib import Path
from typing import Any

import pytest

import correlators
from infra.cli import main
from infra.exits import Exit

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
    assert rules(capfd, "check", ".") == (
        Exit.OK,
        [
            "trail: can fire on cloudtrail",
            f"windows: cannot fire: {NO_WINDOWS}; has no cases",
            "many: can fire on cloudtrail; has no cases",
        ],
        ["3 rules loaded, 1 of them cannot fire, 2 have no cases, 0 problems"],
    )


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
            "fires_on": ["cloudtrail"],
            "proved": True,
        },
        {
            "rule": "windows",
            "level": "medium",
            "kind": "detection",
            "title": "A process",
            "path": "windows.yml",
            "fires_on": [],
            "proved": False,
            "reason": NO_WINDOWS,
        },
    ]


def test_check_ends_with_2_where_a_rule_has_a_problem(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.yml").write_text(TRAIL.replace("eventName:", "eventName|gt:"), "utf-8")
    (folder / "ring.yml").write_text(MANY.replace("trail", "many").replace("many", "ring"), "utf-8")
    code, out, err = rules(capfd, "check", "bad.yml", "ring.yml")
    assert code == Exit.USAGE
    assert out == [
        "bad.yml:4: a modifier of `eventName|gt` does not go with values like 'DeleteGuardrail'",
        "ring.yml:3: the references go in a circle: ring -> ring",
    ]
    assert err == ["0 rules loaded, 0 of them cannot fire, 0 have no cases, 2 problems"]
    _, out, _ = rules(capfd, "check", "--json", "ring.yml")
    assert objects(out) == [
        {
            "path": "ring.yml",
            "line": 3,
            "problem": "the references go in a circle: ring -> ring",
        }
    ]


def test_a_rule_may_refer_to_a_built_in_one(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "many.yml").write_text(MANY.replace("trail", "guardrail_changed"), "utf-8")
    code, out, _ = rules(capfd, "check", "many.yml")
    assert (code, len(out)) == (Exit.OK, 1)
    code, out, _ = rules(capfd, "check", "--no-builtin", "many.yml")
    assert code == Exit.USAGE
    assert out == ["many.yml:3: `guardrail_changed` is no rule that is loaded"]


@pytest.mark.usefixtures("folder")
def test_test_runs_the_cases(capfd: pytest.CaptureFixture[str]) -> None:
    assert rules(capfd, "test", "trail.yml") == (Exit.OK, [], ["1 rules, 2 cases, 0 failures"])


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


def test_the_cases_of_the_built_in_detections_hold(capfd: pytest.CaptureFixture[str]) -> None:
    detections = Path(correlators.__path__[0]) / "detections"
    code, out, _ = rules(capfd, "test", "--no-builtin", str(detections))
    assert (code, out) == (Exit.OK, [])


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
        (["test", "bad.yml"], "bad.yml:1: a rule has exactly one of"),
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
    pipeline = "transformations:\n- {type: change_logsource, product: aws, service: cloudtrail}\n"
    (folder / "p" / "pipeline.txt").write_text(pipeline, "utf-8")
    code, out, _ = rules(capfd, "check", "windows.yml", "--pipeline", "p/pipeline.txt")
    assert (code, out) == (Exit.OK, ["windows: can fire on cloudtrail; has no cases"])
    (folder / "p" / "table.txt").write_text("who: [kim]\n", "utf-8")
    code, _, err = rules(capfd, "check", "windows.yml", "--placeholders", "p/table.txt")
    assert code == Exit.USAGE
    assert err[0].startswith("barograph: p/table.txt:1: a table of placeholders is `placeholders:`")
