from typing import Any

import orjson
import pytest

from schemas.config import Limits
from schemas.event import Event, Reject
from streams.reading import Reader
from streams.source import named
from streams.sources import gitleaks, sarif
from tests.streams.sources.reports import found, refused, short, told

DIGEST = "sha256:" + "0" * 64
RULES: list[dict[str, Any]] = [
    {
        "id": "py/code-injection",
        "shortDescription": {"text": "Code injection"},
        "defaultConfiguration": {"level": "error"},
        "messageStrings": {"here": {"text": "{0} runs in {1}"}},
        "properties": {"tags": ["security", "external/cwe/cwe-094"], "security-severity": "9.3"},
    },
    {"id": "py/unused", "defaultConfiguration": {"level": "note"}},
]


def result(rule: str = "py/code-injection", **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    place = {"artifactLocation": {"uri": "src/a%20b.py"}, "region": {"startLine": 3}}
    return {
        "ruleId": rule,
        "message": {"text": "[input](1) is run"},
        "locations": [{"physicalLocation": place}],
    } | changes


def run(*results: dict[str, Any], **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "tool": {"driver": {"name": "CodeQL", "version": "2.16.0", "rules": RULES}},
        "versionControlProvenance": [
            {"repositoryUri": "https://git.example/Team/App.git", "revisionId": "c0ffee"}
        ],
        "invocations": [{"executionSuccessful": True, "endTimeUtc": "2026-03-04T05:06:07Z"}],
        "results": list(results),
    } | changes


def log(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"version": "2.1.0", "runs": list(runs)}


def one(**changes: Any) -> Event:  # noqa: ANN401 - JSON
    return told(sarif, log(run(result(**changes))))[0]


def test_a_result_and_its_run() -> None:
    event, scan = told(sarif, log(run(result())))
    assert short(event) == ("py/code-injection", "open", "critical", "repo:git.example/team/app")
    assert (event.class_uid, event.class_name) == (2007, "Application Security Posture Finding")
    assert event.time == scan.time == 1_772_600_767_000_000
    assert (found(event).title, found(event).location) == ("input is run", "src/a b.py:3")
    assert event.attributes == {
        "check.id": "py/code-injection",
        "check.tags": ["security", "external/cwe/cwe-094"],
        "check.cwe": ["CWE-94"],
        "scan.tool": "codeql",
        "scan.version": "2.16.0",
        "vcs.revision": "c0ffee",
    }
    assert (scan.status, scan.attributes["scan.findings"]) == ("success", 1)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"suppressions": []}, "open"),
        ({"suppressions": [{"kind": "inSource"}]}, "resolved"),
        ({"suppressions": [{"kind": "external", "status": "accepted"}]}, "resolved"),
        ({"suppressions": [{"kind": "external", "status": "rejected"}]}, "open"),
        ({"suppressions": [{"kind": "external", "status": "underReview"}]}, "open"),
        ({"baselineState": "absent"}, "resolved"),
        ({"baselineState": "unchanged"}, "open"),
        ({"kind": "pass"}, "resolved"),
        ({"kind": "notApplicable"}, "resolved"),
        ({"kind": "review"}, "open"),
    ],
)
def test_what_is_settled(changes: dict[str, Any], state: str) -> None:
    assert found(one(**changes)).state == state


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({"rule": "py/unused"}, "low"),
        ({"rule": "py/unused", "level": "error"}, "high"),
        ({"rule": "py/unused", "level": "none"}, "informational"),
        ({"rule": "elsewhere"}, "medium"),
        ({"rule": "py/unused", "properties": {"security-severity": "7.5"}}, "high"),
        ({"rule": "py/unused", "properties": {"security-severity": "high"}}, "low"),
        ({"rule": "py/unused", "properties": {"issue_severity": "CRITICAL"}}, "critical"),
    ],
)
def test_how_bad_it_is(changes: dict[str, Any], severity: str) -> None:
    assert one(**changes).severity == severity


@pytest.mark.parametrize(
    "said",
    [
        {"ruleId": None, "ruleIndex": 0},
        {"ruleId": None, "rule": {"id": "py/code-injection"}},
        {"ruleId": None, "rule": {"index": 0}},
        {"ruleId": None, "rule": {"index": 1, "toolComponent": {"index": 0}}},
    ],
)
def test_ways_to_name_a_rule(said: dict[str, Any]) -> None:
    tool = {"driver": {"name": "x", "rules": RULES}, "extensions": [{"rules": RULES[::-1]}]}
    event, _ = told(sarif, log(run(result() | said, tool=tool)))
    assert found(event).check == "py/code-injection"
    assert event.severity == "critical"


def test_a_rule_below_a_rule_has_its_level() -> None:
    event = one(rule="py/unused/import")
    assert (found(event).check, event.severity) == ("py/unused/import", "low")


def test_a_message_by_its_form() -> None:
    event = one(message={"id": "here", "arguments": ["input"]})
    assert found(event).title == "input runs in {1}"


def test_a_result_that_moved_is_the_same_by_its_fingerprint() -> None:
    place = {"artifactLocation": {"uri": "src/a%20b.py"}, "region": {"startLine": 30}}
    prints = {"partialFingerprints": {"primaryLocationLineHash": "abc:1"}}
    before = one(**prints)
    after = one(**prints, locations=[{"physicalLocation": place}])
    assert found(before).uid == found(after).uid
    assert found(after).location == "src/a b.py:30"
    assert found(one()).uid != found(one(locations=[{"physicalLocation": place}])).uid


def test_a_fingerprint_that_is_withheld_is_none() -> None:
    """Semgrep writes it for who is not logged in: two places are two findings."""
    place = {"artifactLocation": {"uri": "src/a%20b.py"}, "region": {"startLine": 30}}
    withheld = {"fingerprints": {"matchBasedId/v1": "requires login"}}
    here, there = one(**withheld), one(**withheld, locations=[{"physicalLocation": place}])
    again = {"artifactLocation": place["artifactLocation"], "region": {"startLine": 31}}
    below = one(**withheld, locations=[{"physicalLocation": again}])
    assert len({found(event).uid for event in (here, there, below)}) == 3


def test_a_vulnerability_of_a_package_in_an_image() -> None:
    """As Trivy writes it."""
    text = "Package: ray\nInstalled Version: 2.6.3\nSeverity: CRITICAL\nFixed Version: 2.8.1"
    rule = {"id": "CVE-2026-0001", "properties": {"security-severity": "9.8"}}
    image = {"imageName": "triage:7", "repoDigests": [f"images.example/triage@{DIGEST}"]}
    trivy = run(
        result("CVE-2026-0001", message={"text": text}),
        tool={"driver": {"name": "Trivy", "rules": [rule]}},
        versionControlProvenance=None,
        properties=image,
    )
    event, scan = told(sarif, log(trivy))
    assert short(event) == ("CVE-2026-0001", "open", "critical", f"image:{DIGEST}")
    assert (event.class_uid, found(event).package, found(event).fixed_version) == (
        2002,
        "ray",
        "2.8.1",
    )
    assert event.attributes["package.version"] == "2.6.3"
    assert scan.entities == event.entities


def test_a_secret_is_not_quoted() -> None:
    leak = result("aws-key", message={"text": "obviously-fake was found"})
    tool = {"driver": {"name": "gitleaks", "rules": [{"id": "aws-key", "name": "AWS key"}]}}
    event, _ = told(sarif, log(run(leak, tool=tool)))
    assert (event.class_uid, found(event).title) == (2006, "AWS key")
    assert event.attributes["secret.rule"] == "aws-key"
    assert b"obviously-fake" not in orjson.dumps(event.body())


def test_a_run_that_failed_closes_nothing() -> None:
    *_, scan = told(sarif, log(run(invocations=[{"executionSuccessful": False}])))
    assert (scan.status, scan.attributes["scan.findings"]) == ("failure", 0)


def test_files_without_a_name() -> None:
    nameless = run(result(), versionControlProvenance=[])
    (event,) = told(sarif, log(nameless))
    assert event.entities[0].key == "repo:unnamed"
    _, scan = told(sarif, log(nameless | {"invocations": [{"executionSuccessful": False}]}))
    assert scan.status == "failure"


def test_runs_of_one_tool_over_one_repository_are_one_scan() -> None:
    events = told(sarif, log(run(result()), run(result("py/unused"))))
    assert [event.class_uid for event in events] == [2007, 2007, 6007]
    assert events[2].attributes["scan.findings"] == 2


def test_runs_of_two_categories_do_not_close_each_other() -> None:
    runs = [run(automationDetails={"id": f"/language:{name}/7"}) for name in ("python", "go")]
    assert [event.attributes["scan.tool"] for event in told(sarif, log(*runs))] == [
        "codeql/language:python",
        "codeql/language:go",
    ]


def test_a_byte_order_mark() -> None:
    assert len(told(sarif, b"\xef\xbb\xbf" + orjson.dumps(log(run(result()))))) == 2


def outcomes(document: object) -> list[Event | Reject]:
    """What becomes of each record of a log, in its order."""
    read = Reader(named("sarif"), "file:x", Limits()).read(orjson.dumps(document), 0)
    return [one if isinstance(one, Reject) else one.event for one, _ in read]


@pytest.mark.parametrize(
    ("nameless", "detail"),
    [
        ({"driver": {}}, "run 2 of the log: a run has a tool whose driver has a name"),
        ({"driver": {"name": " "}}, "run 2 of the log: a run has a tool whose driver has a name"),
        ({"driver": {"name": 7}}, "run 2 of the log: Expected `str`, got `int` - at "),
        ({}, "run 2 of the log: Object missing required field `driver` - at "),
        (None, "run 2 of the log: Expected `object`, got `null` - at "),
    ],
)
def test_a_run_without_a_tool_is_rejected_alone(nameless: object, detail: str) -> None:
    """SARIF 2.1.0, 3.18.2 and 3.19.8: a tool has a driver, which has a name."""
    odd = run(result(), result()) | {"tool": nameless}
    said = outcomes(
        log(run(result()), odd, run(result("py/unused"), tool={"driver": {"name": "x"}}))
    )
    first, reject, second, *scans = said
    assert isinstance(reject, Reject)
    assert reject.detail.startswith(detail)
    assert (reject.origin, reject.reason) == ("file:x#2", "wrong-shape")
    assert reject.size == len(orjson.dumps(odd))
    assert [short(one)[0] for one in (first, second) if isinstance(one, Event)] == [
        "py/code-injection",
        "py/unused",
    ]
    ended = [(e.attributes["scan.tool"], e.status) for e in scans if isinstance(e, Event)]
    assert ended == [("codeql", "success"), ("x", "success")]


def test_results_that_are_none_close_nothing() -> None:
    reject, event, scan = outcomes(log(run() | {"results": {"a": 1}}, run(result())))
    assert isinstance(reject, Reject)
    assert reject.detail == "run 1 of the log: Expected `array | null`, got `object`"
    assert isinstance(event, Event)
    assert isinstance(scan, Event)
    assert (scan.status, scan.attributes["scan.findings"]) == ("failure", 1)


def test_a_log_of_what_is_no_run() -> None:
    said = outcomes({"version": "2.1.0", "runs": [7, None, []]})
    assert [one.reason for one in said if isinstance(one, Reject)] == ["wrong-shape"] * 3


LEAK: dict[str, Any] = {
    "RuleID": "aws-access-token",
    "Description": "Identified a pattern that may be of AWS",
    "StartLine": 4,
    "File": "deploy/.env",
    "SymlinkFile": "",
    "Commit": "c0ffee",
    "Date": "2026-02-03T04:05:06Z",
    "Tags": ["key", "cloud"],
    "Secret": "AKIAEXAMPLE000000000",
    "Fingerprint": "c0ffee:deploy/.env:aws-access-token:4",
}


def leaked(leak: dict[str, Any], **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The run that version 8 of gitleaks writes of a leak."""
    described = {"text": leak["Description"]}
    region = {"startLine": leak["StartLine"], "snippet": {"text": leak["Secret"]}}
    file = {"uri": leak["SymlinkFile"] or leak["File"]}
    of_file = f"{leak['RuleID']} has detected secret for file {leak['File']}"
    return {
        "tool": {
            "driver": {
                "name": "gitleaks",
                "semanticVersion": "v8.0.0",
                "rules": [{"id": leak["RuleID"], "shortDescription": described}],
            }
        },
        "results": [
            {
                "message": {"text": f"{of_file} at commit {leak['Commit']}."},
                "ruleId": leak["RuleID"],
                "locations": [{"physicalLocation": {"artifactLocation": file, "region": region}}],
                "partialFingerprints": {
                    "commitSha": leak["Commit"],
                    "email": "do-not-store",
                    "date": leak["Date"],
                    "commitMessage": "do-not-store",
                },
                "properties": {"tags": leak["Tags"]},
            }
        ],
    } | changes


@pytest.mark.parametrize(
    "changes", [{}, {"Commit": ""}, {"SymlinkFile": "link/.env"}, {"Secret": "do-not-store"}]
)
def test_gitleaks_says_the_same_in_both_its_formats(changes: dict[str, Any]) -> None:
    leak = LEAK | changes
    (one,) = told(gitleaks, orjson.dumps([leak]))
    (other,) = told(sarif, log(leaked(leak)))
    assert found(one) == found(other)
    assert (one.severity, one.time, one.entities) == (other.severity, other.time, other.entities)
    assert (one.severity, one.time) == ("high", 1_770_091_506_000_000)
    assert one.attributes["scan.tool"] == other.attributes["scan.tool"] == "gitleaks"
    assert other.attributes["secret.category"] == "cloud"
    assert b"do-not-store" not in orjson.dumps(other.body())


def test_gitleaks_in_a_repository() -> None:
    leak = LEAK | {"Link": "https://git.example/Team/App/blob/c0ffee/deploy/.env#L4"}
    place = [{"repositoryUri": "https://git.example/team/app.git"}]
    (one,) = told(gitleaks, orjson.dumps([leak]))
    other, scan = told(sarif, log(leaked(leak, versionControlProvenance=place)))
    assert found(one).uid == found(other).uid
    assert [e.key for e in other.entities] == [
        "repo:git.example/team/app",
        "apikey:AKIAEXAMPLE000000000",
    ]
    assert scan.class_uid == 6007


def test_gitleaks_of_version_seven_says_the_same_in_both_its_formats() -> None:
    leak = {
        "lineNumber": 7,
        "offender": "do-not-store",
        "commit": "beef",
        "repo": "triage",
        "rule": "GitHub token",
        "commitMessage": "do-not-store",
        "file": ".bashrc",
        "date": "2021-04-19T22:42:05+03:00",
    }
    region = {"startLine": 7, "snippet": {"text": "do-not-store"}}
    told_of = {
        "message": {"text": "GitHub token secret detected"},
        "properties": {key: leak[key] for key in ("commit", "offender", "date", "repo")},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": ".bashrc"}, "region": region}}
        ],
    }
    (one,) = told(gitleaks, orjson.dumps([leak]))
    tool = {"driver": {"name": "Gitleaks", "rules": [{"id": "GitHub token"}]}}
    (other,) = told(sarif, log({"tool": tool, "results": [told_of]}))
    assert found(one) == found(other)
    assert (one.severity, one.time, one.entities) == (other.severity, other.time, other.entities)
    assert short(other) == ("GitHub token", "open", "high", "repo:triage")


@pytest.mark.parametrize(
    "document",
    [
        {"version": "1.0.0", "runs": []},
        {"version": "2.1.0"},
        log(run(tool={"driver": {}})),
        log(run({"message": {}})),
        log(run(7)),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_log(document: object) -> None:
    assert refused(sarif, orjson.dumps(document))[0] == "wrong-shape"


def test_no_runs() -> None:
    assert sarif.sniff(b'{"version": "2.1.0", "runs": [ ]}')
    assert told(sarif, log()) == []


def test_results_may_stand_before_the_tool() -> None:
    head = orjson.dumps({"runs": [{"results": [result()] * 400, "tool": {}}]})[:65_536]
    assert b'"driver"' not in head
    assert sarif.sniff(head)


def test_a_vulnerability_under_the_id_of_another_database() -> None:
    event = one(ruleId="BDSA-2026-0002 (CVE-2026-0001)", rule=None)
    assert (found(event).vulnerability, event.class_uid) == ("CVE-2026-0001", 2002)
    assert found(one(ruleId="BDSA-2026-0002")).vulnerability is None
