import json
from pathlib import Path
from typing import Any

import pytest

from infra.authoring.checking import Check, Checked, Remark, Row
from infra.authoring.firing import Firing
from infra.authoring.sarif import sarif
from infra.cli import main
from infra.exits import Exit
from tests.infra.wrong_rules import WRONG

LEVELS = {"none", "note", "warning", "error"}


def valid(log: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of a log that has what the schema of SARIF 2.1.0 asks for."""
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids))
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in LEVELS
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in LEVELS
        assert result["message"]["text"]
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert physical["artifactLocation"]["uri"]
        assert " " not in physical["artifactLocation"]["uri"]
        if "region" in physical:
            assert physical["region"]["startLine"] >= 1
    results: list[dict[str, Any]] = run["results"]
    return results


def test_each_remark_is_a_result_at_its_line() -> None:
    said = (
        Remark("cannot-fire", "my rules/a.yml", 3, "a", "no source is product=windows"),
        Remark("unproved", "/srv/a.yml", 1, "a", "has no cases"),
    )
    row = Row("detection", "a", "high", "A", "my rules/a.yml")
    rule = Checked(row, 1, Firing((), "no source is product=windows"), proved=False, remarks=said)
    problem = Remark("problem", "b.yml", None, None, "not YAML")
    first, second, third = valid(sarif(Check((rule,), (problem,))))
    assert first == {
        "ruleId": "problem",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "not YAML"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": "b.yml"}}}],
    }
    assert (second["level"], third["level"]) == ("warning", "note")
    assert second["message"] == {"text": "a: no source is product=windows"}
    assert second["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "my%20rules/a.yml"},
                "region": {"startLine": 3},
            }
        }
    ]
    place = third["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "file:///srv/a.yml"}


def test_check_writes_it_beside_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, (text, _) in WRONG.items():
        Path(name).write_text(text, "utf-8")
    assert main(["rules", "check", "--sarif", "found.sarif", "."]) == Exit.USAGE
    assert capfd.readouterr()[0].startswith("PROBLEMS")
    results = valid(json.loads(Path("found.sarif").read_text("utf-8")))
    problems = [result for result in results if result["ruleId"] == "problem"]
    assert len(problems) == len(WRONG)
    where = problems[0]["locations"][0]["physicalLocation"]
    assert where == {"artifactLocation": {"uri": "alias.yml"}, "region": {"startLine": 2}}
    assert main(["rules", "check", "--sarif", "no/such/folder", "."]) == Exit.USAGE
    assert "cannot write no/such/folder" in capfd.readouterr()[1]


def test_rules_without_cases_are_results_only_where_that_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rule = "title: A\nlogsource: {product: aws, service: cloudtrail}\n"
    Path("a.yml").write_text(rule + "detection: {s: {eventName: x}, condition: s}\n", "utf-8")

    def kinds(*options: str) -> list[str]:
        assert main(["rules", "check", "--sarif", "found.sarif", *options, "a.yml"]) == Exit.OK
        log = json.loads(Path("found.sarif").read_text("utf-8"))
        return [result["ruleId"] for result in valid(log)]

    assert kinds() == []
    assert kinds("--strict") == ["unproved"]
