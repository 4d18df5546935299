import pytest

from schemas.entity import Entity
from schemas.event import EventEvidence
from streams.reports.scans import Found, Scan, finding, level, scanned

ASSET, OTHER = Entity(kind="repo", id="r"), Entity(kind="skill", id="s")
EVIDENCE = EventEvidence(origin="file:x#1", sha256="00")
SCAN = Scan("sarif", "semgrep", ASSET, 1_000_000)


def test_a_finding() -> None:
    row = Found("vulnerability", "CVE-2026-1", "bad", "high", "ray", "a:b", attributes={"x": None})
    event = finding(SCAN, row, EVIDENCE, others=(OTHER, None))
    assert (event.source, event.class_uid, event.activity) == ("sarif", 2002, "Create")
    assert [one.key for one in event.entities] == ["repo:r", "skill:s"]
    assert event.attributes == {
        "package.name": "ray",
        "scan.tool": "semgrep",
        "vulnerability.id": "CVE-2026-1",
        "vulnerability.severity": "high",
    }
    closed = finding(SCAN, row._replace(closed=True), EVIDENCE)
    assert closed.finding is not None
    assert event.finding is not None
    assert (closed.activity, closed.finding.state) == ("Close", "resolved")
    assert closed.finding.uid == event.finding.uid


def test_two_tools_of_one_format_find_two_things() -> None:
    row = Found("compliance", "rule", "title")
    uids = {
        told.uid
        for tool in ("semgrep", "codeql")
        if (told := finding(SCAN._replace(tool=tool), row, EVIDENCE).finding)
    }
    assert len(uids) == 2


def test_a_scanners_own_mark_outlives_a_place() -> None:
    row = Found("compliance", "rule", "title", place="a:1", mark="m")
    uids = {
        told.uid
        for one in (row, row._replace(place="a:2"), row._replace(mark=None))
        if (told := finding(SCAN, one, EVIDENCE).finding)
    }
    assert len(uids) == 2


def test_a_scan_that_failed_says_so() -> None:
    done, failed = scanned(SCAN, 2, EVIDENCE), scanned(SCAN, 0, EVIDENCE, status="failure")
    assert (done.status, done.activity) == ("success", "Completed")
    assert (failed.status, failed.activity) == ("failure", "Error")
    assert done.attributes == {"scan.findings": 2, "scan.tool": "semgrep"}


def test_a_scan_without_a_time_holds_from_the_beginning() -> None:
    assert scanned(SCAN._replace(time=0), 0, EVIDENCE).attributes["time.unknown"] is True


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (("HIGH",), "high"),
        (("none", "Moderate"), "medium"),
        ((None, 9.1), "critical"),
        ((3.9,), "low"),
        ((0,), "informational"),
        (("unheard",), "informational"),
        ((), "informational"),
    ],
)
def test_levels(words: tuple[object, ...], known: str) -> None:
    assert level(*words) == known
