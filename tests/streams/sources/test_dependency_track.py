from typing import Any

import orjson
import pytest

from streams.sources import dependency_track
from tests.streams.sources.reports import found, refused, short, told

RAY: dict[str, Any] = {
    "component": {"name": "ray", "version": "2.6.3", "purl": "pkg:pypi/ray@2.6.3"},
    "vulnerability": {
        "vulnId": "GHSA-aaaa-bbbb-cccc",
        "aliases": [{"cveId": "CVE-2026-0001", "ghsaId": "GHSA-aaaa-bbbb-cccc"}],
        "severity": "CRITICAL",
        "cvssV3BaseScore": 9.8,
        "epssScore": 0.92,
    },
    "analysis": {"isSuppressed": False},
    "matrix": "p-1:c-1:v-1",
}
EXPORT: dict[str, Any] = {
    "meta": {"application": "Dependency-Track", "timestamp": "2026-03-04T05:06:07Z"},
    "project": {"uuid": "p-1", "name": "triage"},
    "findings": [RAY],
}


def test_a_finding_and_its_export() -> None:
    event, scan = told(dependency_track, EXPORT)
    assert short(event) == ("CVE-2026-0001", "open", "critical", "application:triage")
    assert (event.class_uid, event.time) == (2002, 1_772_600_767_000_000)
    assert event.attributes == {
        "vulnerability.id": "CVE-2026-0001",
        "vulnerability.aliases": ["GHSA-aaaa-bbbb-cccc"],
        "vulnerability.severity": "critical",
        "vulnerability.cvss": 9.8,
        "vulnerability.epss": 0.92,
        "package.name": "ray",
        "package.version": "2.6.3",
        "package.purl": "pkg:pypi/ray@2.6.3",
        "scan.tool": "dependency_track",
    }
    assert (scan.status, scan.attributes["scan.findings"]) == ("success", 1)


@pytest.mark.parametrize(
    ("analysis", "state"),
    [
        ({"isSuppressed": True}, "resolved"),
        ({"state": "FALSE_POSITIVE"}, "resolved"),
        ({"state": "NOT_AFFECTED"}, "resolved"),
        ({"state": "EXPLOITABLE", "isSuppressed": False}, "open"),
        (None, "open"),
    ],
)
def test_what_analysts_say(analysis: object, state: str) -> None:
    event, _ = told(dependency_track, EXPORT, findings=[RAY | {"analysis": analysis}])
    assert found(event).state == state


def test_no_findings() -> None:
    (scan,) = told(dependency_track, EXPORT, findings=None)
    assert scan.attributes["scan.findings"] == 0


@pytest.mark.parametrize("changes", [{"project": {}}, {"findings": [{}]}, {"findings": 7}])
def test_what_is_no_export(changes: dict[str, Any]) -> None:
    assert refused(dependency_track, orjson.dumps(EXPORT | changes))[0] == "wrong-shape"
