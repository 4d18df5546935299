from typing import Any

import orjson
import pytest

from streams.sources import snyk
from tests.streams.sources.reports import found, refused, short, told

RAY: dict[str, Any] = {
    "id": "SNYK-PYTHON-RAY-1",
    "title": "Arbitrary Code Execution",
    "severity": "high",
    "severityWithCritical": "critical",
    "cvssScore": 9.8,
    "identifiers": {"CVE": ["CVE-2026-0001"], "CWE": ["CWE-94"], "GHSA": ["GHSA-aaaa-bbbb-cccc"]},
    "packageName": "ray",
    "version": "2.6.3",
    "from": ["triage@1.0.0", "ray@2.6.3"],
    "fixedIn": ["2.8.1"],
    "epssDetails": {"probability": "0.92", "percentile": "0.99"},
}
PROJECT: dict[str, Any] = {
    "vulnerabilities": [RAY],
    "ok": False,
    "packageManager": "pip",
    "projectName": "triage",
    "remoteRepoUrl": "https://git.example/team/triage.git",
    "displayTargetFile": "requirements.txt",
    "path": "/src/triage",
}


def test_an_issue_and_the_scan_of_its_project() -> None:
    event, scan = told(snyk, PROJECT)
    assert short(event) == ("CVE-2026-0001", "open", "critical", "repo:git.example/team/triage")
    assert found(event).model_dump(exclude={"uid"}) == {
        "title": "Arbitrary Code Execution",
        "state": "open",
        "check": None,
        "vulnerability": "CVE-2026-0001",
        "package": "ray",
        "fixed_version": "2.8.1",
        "location": "requirements.txt",
    }
    assert event.attributes == {
        "vulnerability.id": "CVE-2026-0001",
        "vulnerability.aliases": ["SNYK-PYTHON-RAY-1", "GHSA-aaaa-bbbb-cccc"],
        "vulnerability.severity": "critical",
        "vulnerability.cvss": 9.8,
        "vulnerability.epss": 0.92,
        "package.name": "ray",
        "package.version": "2.6.3",
        "package.fixed_version": "2.8.1",
        "package.path": ["triage@1.0.0", "ray@2.6.3"],
        "scan.tool": "snyk",
        "time.unknown": True,
    }
    assert (scan.status, scan.attributes["scan.findings"]) == ("success", 1)


def test_two_paths_to_a_package_are_one_finding() -> None:
    other = RAY | {"from": ["triage@1.0.0", "b@1", "ray@2.6.3"]}
    one, two, _ = told(snyk, PROJECT, vulnerabilities=[RAY, other])
    assert found(one).uid == found(two).uid


def test_a_licence_and_what_a_policy_ignores() -> None:
    licence = {"id": "snyk:lic:pip:frame:GPL-3.0", "type": "license", "license": "GPL-3.0"}
    licence |= {"title": "GPL-3.0 license", "severity": "medium", "packageName": "frame"}
    events = told(snyk, PROJECT, vulnerabilities=[licence], filtered={"ignore": [RAY]})
    assert [(e.class_uid, *short(e)[:3]) for e in events[:2]] == [
        (2003, "snyk:lic:pip:frame:GPL-3.0", "open", "medium"),
        (2002, "CVE-2026-0001", "resolved", "critical"),
    ]
    assert found(events[0]).title == "GPL-3.0 license of frame"
    assert events[2].attributes["scan.findings"] == 1


def test_infrastructure_code() -> None:
    bucket = {"id": "SNYK-CC-TF-1", "title": "S3 bucket is public", "severity": "high"}
    path = ["resource", "aws_s3_bucket[data]", "acl"]
    bucket_ = bucket | {"path": path, "isIgnored": False}
    ignored = bucket | {"isIgnored": True}
    project = {"targetFile": "main.tf", "projectName": "infra"}
    first, second, scan = told(snyk, project | {"infrastructureAsCodeIssues": [bucket_, ignored]})
    assert short(first) == ("SNYK-CC-TF-1", "open", "high", "repo:infra")
    assert found(first).location == "main.tf:resource.aws_s3_bucket[data].acl"
    assert first.attributes["check.resource"] == "aws_s3_bucket[data]"
    assert short(second)[1] == "resolved"
    assert scan.status == "success"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"docker": {}, "path": "docker.io/library/nginx:1.27"}, "image:nginx:1.27"),
        ({"remoteRepoUrl": None}, "repo:triage"),
        ({"remoteRepoUrl": None, "projectName": None}, "repo:/src/triage"),
        ({"remoteRepoUrl": None, "projectName": None, "path": "."}, "repo:unnamed"),
    ],
)
def test_what_was_tested(changes: dict[str, Any], key: str) -> None:
    assert told(snyk, PROJECT, **changes)[0].entities[0].key == key


def test_a_project_that_could_not_be_tested() -> None:
    error = {"ok": False, "error": "no supported files", "path": "/src/empty"}
    *_, whole, failed = told(snyk, orjson.dumps([PROJECT, error]))
    assert (whole.status, whole.entities[0].id) == ("success", "git.example/team/triage")
    assert (failed.status, failed.entities[0].id) == ("failure", "/src/empty")


def test_applications_inside_an_image() -> None:
    inside = {"vulnerabilities": [RAY], "displayTargetFile": "/app/uv.lock", "path": "/app"}
    image = {"docker": {}, "path": "triage:7", "vulnerabilities": [], "applications": [inside]}
    event, scan = told(snyk, image)
    assert short(event) == ("CVE-2026-0001", "open", "critical", "image:triage:7")
    assert found(event).location == "/app/uv.lock"
    assert (scan.entities[0].key, scan.attributes["scan.findings"]) == ("image:triage:7", 1)


def test_files_of_one_repository_are_one_scan_and_fail_together() -> None:
    bad = PROJECT | {"vulnerabilities": None, "error": "broken lockfile"}
    *_, scan = told(snyk, orjson.dumps([PROJECT, bad]))
    assert (scan.status, scan.attributes["scan.findings"]) == ("failure", 1)


@pytest.mark.parametrize(
    "document", [{}, {"vulnerabilities": 7}, {"vulnerabilities": [{}], "path": "a"}, [7]]
)
def test_what_is_no_report(document: object) -> None:
    assert refused(snyk, orjson.dumps(document))[0] == "wrong-shape"


def test_a_project_of_bare_issues_is_known_by_their_ids() -> None:
    bare = {
        "id": "SNYK-PYTHON-RAY-1",
        "packageName": "ray",
        "severity": "high",
        "identifiers": None,
    }
    document = orjson.dumps({"vulnerabilities": [bare], "packageManager": "pip"})
    assert snyk.sniff(document)
    assert short(told(snyk, document)[0])[:3] == ("SNYK-PYTHON-RAY-1", "open", "high")
