from typing import Any

import orjson
import pytest

from streams.sources import grype
from tests.streams.sources.reports import found, refused, short, told

DIGEST = "sha256:" + "0" * 64
RAY: dict[str, Any] = {
    "vulnerability": {
        "id": "GHSA-aaaa-bbbb-cccc",
        "severity": "Critical",
        "cvss": [
            {"version": "2.0", "metrics": {"baseScore": 9.9}},
            {"version": "3.1", "metrics": {"baseScore": 9.1}},
        ],
        "epss": [{"cve": "CVE-2026-0001", "epss": 0.92}],
        "knownExploited": [{"cve": "CVE-2026-0001"}],
        "fix": {"versions": ["2.8.1", "2.9.0"], "state": "fixed"},
    },
    "relatedVulnerabilities": [
        {"id": "CVE-2026-0001", "cvss": [{"version": "3.1", "metrics": {"baseScore": 9.8}}]}
    ],
    "matchDetails": [{}],
    "artifact": {
        "name": "ray",
        "version": "2.6.3",
        "purl": "pkg:pypi/ray@2.6.3",
        "locations": [{"path": "/app/ray/METADATA"}],
    },
}
TARGET: dict[str, Any] = {
    "userInput": "images.example/triage:7",
    "imageID": "sha256:" + "b" * 64,
    "manifestDigest": "sha256:" + "c" * 64,
    "repoDigests": [f"images.example/triage@{DIGEST}"],
}
REPORT: dict[str, Any] = {
    "matches": [RAY],
    "source": {"type": "image", "target": TARGET},
    "descriptor": {"name": "grype", "timestamp": "2026-03-04T05:06:07.5Z"},
}


def test_a_match_and_its_scan() -> None:
    ray, scan = told(grype, REPORT)
    assert short(ray) == ("CVE-2026-0001", "open", "critical", f"image:{DIGEST}")
    assert ray.time == scan.time == 1_772_600_767_500_000
    assert (ray.class_uid, ray.class_name) == (2002, "Vulnerability Finding")
    assert found(ray).model_dump(exclude={"uid"}) == {
        "title": "CVE-2026-0001 in ray 2.6.3",
        "state": "open",
        "check": None,
        "vulnerability": "CVE-2026-0001",
        "package": "ray",
        "fixed_version": "2.8.1, 2.9.0",
        "location": "/app/ray/METADATA",
    }
    assert ray.attributes == {
        "vulnerability.id": "CVE-2026-0001",
        "vulnerability.aliases": ["GHSA-aaaa-bbbb-cccc"],
        "vulnerability.severity": "critical",
        "vulnerability.cvss": 9.8,
        "vulnerability.epss": 0.92,
        "vulnerability.kev": True,
        "package.name": "ray",
        "package.version": "2.6.3",
        "package.fixed_version": "2.8.1, 2.9.0",
        "package.purl": "pkg:pypi/ray@2.6.3",
        "scan.tool": "grype",
    }
    assert (scan.class_uid, scan.status, scan.entities) == (6007, "success", ray.entities)
    assert scan.attributes == {"scan.tool": "grype", "scan.findings": 1}


def test_what_the_user_ignores_is_closed_and_not_counted() -> None:
    _, ignored, scan = told(grype, REPORT, ignoredMatches=[RAY])
    assert short(ignored)[:2] == ("CVE-2026-0001", "resolved")
    assert scan.attributes["scan.findings"] == 1


@pytest.mark.parametrize(
    ("source", "key"),
    [
        (
            {"type": "image", "target": TARGET | {"repoDigests": []}},
            "image:images.example/triage:7",
        ),
        ({"type": "image", "target": {"imageID": "sha256:1"}}, "image:sha256:1"),
        ({"type": "directory", "target": "/src/triage"}, "repo:/src/triage"),
        ({"type": "directory", "target": "."}, "repo:unnamed"),
        ({"type": "image", "target": {}}, "repo:unnamed"),
        (None, "repo:unnamed"),
    ],
)
def test_what_was_scanned(source: object, key: str) -> None:
    assert told(grype, REPORT, source=source)[0].entities[0].key == key


def test_a_report_of_nothing_with_a_name_is_no_scan() -> None:
    """It would close what was found in other files."""
    assert [event.class_uid for event in told(grype, REPORT, source=None)] == [2002]


@pytest.mark.parametrize("db", [{"error": "no database"}, {"status": {"error": "too old"}}])
def test_a_scan_without_a_database_failed(db: object) -> None:
    (scan,) = told(grype, REPORT, matches=[], descriptor={"name": "grype", "db": db})
    assert (scan.status, scan.attributes["scan.findings"]) == ("failure", 0)


def test_the_form_of_old_versions() -> None:
    weak = {"id": "CVE-2019-9192", "severity": "Negligible", "cvssV2": {"baseScore": 5}}
    old = RAY | {"vulnerability": weak, "matchDetails": {"matcher": "x"}}
    old.pop("relatedVulnerabilities")
    event, _ = told(grype, REPORT, matches=[old], descriptor={"name": "grype"})
    assert (event.severity, event.attributes["vulnerability.cvss"]) == ("medium", 5)
    assert (event.time, event.attributes["time.unknown"]) == (0, True)


def test_another_path_is_another_finding() -> None:
    other = RAY | {"artifact": RAY["artifact"] | {"locations": [{"path": "/opt/ray"}]}}
    one, two, _ = told(grype, REPORT, matches=[RAY, other])
    assert found(one).uid != found(two).uid


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"matches": 7}, "wrong-shape"),
        ({}, "wrong-shape"),
        ({"matches": [{"vulnerability": {}}]}, "wrong-shape"),
    ],
)
def test_what_is_no_report(document: object, reason: str) -> None:
    assert refused(grype, orjson.dumps(document))[0] == reason


def test_a_likelihood_that_is_written_as_text() -> None:
    weakness = RAY["vulnerability"] | {"epss": [{"cve": "CVE-2026-0001", "epss": "0.97565"}]}
    event, _ = told(grype, REPORT, matches=[RAY | {"vulnerability": weakness}])
    assert event.attributes["vulnerability.epss"] == 0.97565
