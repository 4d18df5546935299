from typing import Any

import orjson
import pytest

from streams.sources import osv
from tests.streams.sources.reports import found, refused, short, told

GHSA: dict[str, Any] = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "aliases": ["CVE-2026-0001"],
    "summary": "ray: jobs run without a question",
    "affected": [
        {
            "package": {"name": "ray"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.8.1"}]}],
        }
    ],
}
GROUP: dict[str, Any] = {
    "ids": ["GHSA-aaaa-bbbb-cccc", "PYSEC-2026-1"],
    "aliases": ["CVE-2026-0001"],
    "max_severity": "9.8",
}
PACKAGE: dict[str, Any] = {
    "package": {"name": "ray", "version": "2.6.3", "ecosystem": "PyPI"},
    "vulnerabilities": [GHSA],
    "groups": [GROUP],
}


def results(path: str, kind: str = "lockfile", **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"source": {"path": path, "type": kind}, "packages": [PACKAGE | changes]}


def test_a_vulnerability_and_the_scan_of_its_folder() -> None:
    event, scan = told(osv, {"results": [results("/src/triage/requirements.txt")]})
    assert short(event) == ("CVE-2026-0001", "open", "critical", "repo:/src/triage")
    assert found(event).model_dump(exclude={"uid"}) == {
        "title": "ray: jobs run without a question",
        "state": "open",
        "check": None,
        "vulnerability": "CVE-2026-0001",
        "package": "ray",
        "fixed_version": "2.8.1",
        "location": "requirements.txt",
    }
    assert event.attributes == {
        "vulnerability.id": "CVE-2026-0001",
        "vulnerability.aliases": ["GHSA-aaaa-bbbb-cccc", "PYSEC-2026-1"],
        "vulnerability.severity": "critical",
        "vulnerability.cvss": 9.8,
        "package.name": "ray",
        "package.version": "2.6.3",
        "package.ecosystem": "PyPI",
        "package.fixed_version": "2.8.1",
        "scan.tool": "osv",
        "time.unknown": True,
    }
    assert (scan.status, scan.entities[0].key) == ("success", "repo:/src/triage")


def test_a_weakness_of_two_databases_is_one() -> None:
    rows = [GHSA, {"id": "PYSEC-2026-1"}]
    one, two, _ = told(osv, {"results": [results("/src/a/lock", vulnerabilities=rows)]})
    assert found(one).uid == found(two).uid
    assert one.uid != two.uid


@pytest.mark.parametrize(
    ("path", "kind", "key"),
    [
        ("images.example/triage:7", "docker", "image:images.example/triage:7"),
        ("/src/triage", "git", "repo:/src/triage"),
        ("C:\\src\\triage\\go.mod", "lockfile", "repo:C:/src/triage"),
        ("go.mod", "lockfile", "repo:unnamed"),
    ],
)
def test_what_was_scanned(path: str, kind: str, key: str) -> None:
    assert told(osv, {"results": [results(path, kind)]})[0].entities[0].key == key


def test_two_lockfiles_of_a_folder_are_one_scan() -> None:
    files = [results("/src/a/go.mod"), results("/src/a/uv.lock"), results("/src/b/go.mod")]
    scans = [e for e in told(osv, {"results": files}) if e.class_uid == 6007]
    assert [(e.entities[0].id, e.attributes["scan.findings"]) for e in scans] == [
        ("/src/a", 2),
        ("/src/b", 1),
    ]


@pytest.mark.parametrize("score", ["", "high", None, [], "nan"])
def test_a_score_that_is_none(score: object) -> None:
    row = results("/src/a/go.mod", groups=[GROUP | {"max_severity": score}])
    event, _ = told(osv, {"results": [row]})
    assert "vulnerability.cvss" not in event.attributes


@pytest.mark.parametrize("document", [b"[]", b'{"results": []}', b'{"results": null}'])
def test_nothing_found(document: bytes) -> None:
    assert told(osv, document) == []


@pytest.mark.parametrize(
    "document", [{}, {"results": [{}]}, {"results": [results("a/b", vulnerabilities=[{}])]}]
)
def test_what_is_no_result(document: object) -> None:
    assert refused(osv, orjson.dumps(document))[0] == "wrong-shape"


def test_of_an_image_that_is_not_named_nothing_is_closed() -> None:
    musl: dict[str, Any] = {
        "package": {"name": "musl", "version": "1.2.3", "ecosystem": "Alpine:v3.18"},
        "vulnerabilities": [{"id": "ALPINE-CVE-2026-0001", "upstream": ["CVE-2026-0001"]}],
        "groups": [{"ids": ["ALPINE-CVE-2026-0001"], "max_severity": "9.8"}],
    }
    inside = {"source": {"path": "/lib/apk/db/installed", "type": "os"}, "packages": [musl]}
    lock = results("/app/requirements.txt")
    document = {"results": [inside, lock], "image_metadata": {"os": "Alpine Linux v3.18"}}
    events = told(osv, document)
    assert [short(one) for one in events] == [
        ("CVE-2026-0001", "open", "critical", "repo:unnamed"),
        ("CVE-2026-0001", "open", "critical", "repo:unnamed"),
    ]
    assert found(events[0]).location == "/lib/apk/db/installed"
    assert [short(one)[3] for one in told(osv, {"results": [inside]})] == ["repo:unnamed"]


def test_an_advisory_of_several_is_none_of_them() -> None:
    usn = {"id": "USN-1-1", "upstream": ["CVE-2026-0001", "CVE-2026-0002"]}
    event, _ = told(osv, {"results": [results("/src/a/lock", vulnerabilities=[usn], groups=[])]})
    assert short(event)[0] == "USN-1-1"


def test_results_without_a_vulnerability_are_known() -> None:
    lock = {"path": "/src/triage/go.mod", "type": "lockfile"}
    document = {"results": [{"source": lock, "packages": []}], "experimental_config": {}}
    assert osv.sniff(orjson.dumps(document))
    (scan,) = told(osv, document)
    assert (scan.entities[0].key, scan.attributes["scan.findings"]) == ("repo:/src/triage", 0)
