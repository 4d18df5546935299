from typing import Any

import orjson
import pytest

from streams.sources import semgrep
from tests.streams.sources.reports import found, refused, short, told

EXEC: dict[str, Any] = {
    "check_id": "python.dangerous-exec",
    "path": "src/app.py",
    "start": {"line": 24},
    "extra": {
        "message": "exec runs what a user says.\nMore of it.",
        "severity": "ERROR",
        "metadata": {"cwe": "CWE-94: Code Injection", "category": "security"},
        "lines": "obviously-fake",
        "fingerprint": "f_0",
        "is_ignored": False,
    },
}
REPO = {"name": "Team/Triage", "url": "https://git.example/Team/Triage"}
SQL: dict[str, Any] = {
    "match_based_id": "m-1",
    "repository": REPO,
    "state": "unresolved",
    "status": "open",
    "severity": "high",
    "created_at": "2026-03-04T05:06:07Z",
    "rule_name": "python.sqli",
    "rule_message": "SQL of a user",
    "location": {"file_path": "src/db.py", "line": 42},
    "rule": {"category": "security", "cwe_names": ["CWE-89: SQL Injection"]},
}


def test_a_result_of_the_command_line() -> None:
    (event,) = told(semgrep, {"results": [EXEC], "errors": [{"level": "warn"}]})
    assert short(event) == ("python.dangerous-exec", "open", "high", "repo:unnamed")
    assert (event.class_uid, event.time) == (2007, 0)
    assert (found(event).title, found(event).location) == (
        "exec runs what a user says.",
        "src/app.py:24",
    )
    assert event.attributes == {
        "check.id": "python.dangerous-exec",
        "check.category": "security",
        "check.cwe": ["CWE-94"],
        "finding.mark": "f_0",
        "scan.tool": "semgrep",
        "time.unknown": True,
    }
    assert b"obviously-fake" not in orjson.dumps(event.body())


@pytest.mark.parametrize(
    ("changes", "state", "severity"),
    [
        ({"is_ignored": True}, "resolved", "high"),
        ({"severity": "WARNING"}, "open", "medium"),
        ({"severity": "INFO"}, "open", "low"),
        ({"severity": "CRITICAL"}, "open", "critical"),
        ({"severity": "LATER"}, "open", "informational"),
    ],
)
def test_what_more_it_says(changes: dict[str, Any], state: str, severity: str) -> None:
    row = EXEC | {"extra": EXEC["extra"] | changes}
    (event,) = told(semgrep, {"results": [row]})
    assert short(event)[1:3] == (state, severity)


def test_a_dependency_of_the_command_line() -> None:
    needs = {"found_dependency": {"package": "ray", "version": "2.6.3", "ecosystem": "pypi"}}
    about = {"sca-vuln-database-identifier": "CVE-2026-0001", "sca-severity": "CRITICAL"}
    extra = EXEC["extra"] | {"metadata": about, "sca_info": {"dependency_match": needs}}
    (event,) = told(semgrep, {"results": [EXEC | {"extra": extra}]})
    assert short(event) == ("CVE-2026-0001", "open", "critical", "repo:unnamed")
    assert (found(event).package, event.attributes["package.version"]) == ("ray", "2.6.3")


def test_without_an_account_fingerprints_are_none() -> None:
    rows = [EXEC | {"start": {"line": n}} for n in (1, 2)]
    for row in rows:
        row["extra"] = EXEC["extra"] | {"fingerprint": "requires login"}
    one, two = told(semgrep, {"results": rows})
    assert found(one).uid != found(two).uid


def test_a_scan_that_failed() -> None:
    (scan,) = told(semgrep, {"results": [], "errors": [{"level": "error"}]})
    assert (scan.class_uid, scan.status) == (6007, "failure")


def test_a_finding_of_the_platform() -> None:
    (event,) = told(semgrep, {"findings": [SQL]})
    assert short(event) == ("python.sqli", "open", "high", "repo:git.example/team/triage")
    assert (event.class_uid, event.time) == (2007, 1_772_600_767_000_000)
    assert event.attributes == {
        "check.id": "python.sqli",
        "check.category": "security",
        "check.cwe": ["CWE-89"],
        "check.status": "open",
        "finding.mark": "m-1",
        "scan.tool": "semgrep",
    }


def test_a_dependency_that_was_mended() -> None:
    row = SQL | {
        "status": "fixed",
        "state_updated_at": "2026-03-05T00:00:00Z",
        "vulnerability_identifier": "CVE-2026-0001",
        "found_dependency": {"package": "ray", "version": "2.6.3", "ecosystem": "pypi"},
        "fix_recommendations": [{"package": "ray", "version": "2.8.1"}],
    }
    (event,) = told(semgrep, {"findings": [row]})
    assert short(event)[:3] == ("CVE-2026-0001", "resolved", "high")
    assert (event.class_uid, event.time) == (2002, 1_772_668_800_000_000)
    assert (found(event).package, found(event).fixed_version) == ("ray", "2.8.1")


def test_a_secret_that_works() -> None:
    row = {
        "id": "9",
        "severity": "SEVERITY_HIGH",
        "status": "FINDING_STATUS_OPEN",
        "validationState": "VALIDATION_STATE_CONFIRMED_VALID",
        "type": "OpenAI",
        "findingPath": "src/ai.py:232",
        "createdAt": "2026-03-04T05:06:07Z",
        "repository": REPO,
    }
    (event,) = told(semgrep, {"findings": [row]})
    assert short(event) == ("OpenAI", "open", "high", "repo:git.example/team/triage")
    assert (event.class_uid, event.attributes["secret.verified"]) == (2006, True)


def test_the_older_list() -> None:
    row = {
        "title": "Assertion in grpc",
        "advisory": {
            "ruleId": "ssc-2",
            "severity": "HIGH",
            "references": {"cveIds": ["CVE-2026-0007"]},
        },
        "matchedDependency": {"name": "grpcio", "versionSpecifier": "1.47.0"},
        "dependencyFileLocation": {"path": "uv.lock", "startLine": "222"},
        "triage": {"status": "CLOSED"},
        "closestSafeDependency": {"versionSpecifier": "1.53.0"},
        "repositoryName": "team/triage",
        "openedAt": "2026-03-04T05:06:07Z",
    }
    (event,) = told(semgrep, {"vulns": [row]})
    assert short(event) == ("CVE-2026-0007", "resolved", "high", "repo:team/triage")
    assert (found(event).location, found(event).fixed_version) == ("uv.lock:222", "1.53.0")
    assert event.attributes["vulnerability.aliases"] == ["ssc-2"]


@pytest.mark.parametrize(
    "document",
    [{"results": 7}, {"results": [{}]}, {"findings": [7]}, {"vulns": [{"advisory": {}}]}],
)
def test_what_is_no_finding(document: object) -> None:
    assert refused(semgrep, orjson.dumps(document))[0] == "wrong-shape"
