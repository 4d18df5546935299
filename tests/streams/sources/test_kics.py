from typing import Any

import orjson
import pytest

from streams.sources import kics
from tests.streams.sources.reports import found, refused, short, told

PLACE: dict[str, Any] = {
    "file_name": "infra/main.tf",
    "similarity_id": "a" * 64,
    "line": 3,
    "resource_name": "data",
    "actual_value": "obviously-fake",
}
QUERY: dict[str, Any] = {
    "query_name": "S3 Bucket Is Public",
    "query_id": "q-1",
    "severity": "HIGH",
    "category": "Access Control",
    "files": [PLACE],
}
RESULTS: dict[str, Any] = {
    "files_scanned": 4,
    "files_failed_to_scan": 0,
    "queries_total": 900,
    "queries_failed_to_execute": 0,
    "start": "2026-03-04T05:06:01Z",
    "end": "2026-03-04T05:06:07Z",
    "queries": [QUERY],
}


def test_a_place() -> None:
    (event,) = told(kics, RESULTS)
    assert short(event) == ("q-1", "open", "high", "repo:unnamed")
    assert (event.class_uid, event.time) == (2003, 1_772_600_767_000_000)
    assert (found(event).title, found(event).location) == ("S3 Bucket Is Public", "infra/main.tf:3")
    assert event.attributes == {
        "check.id": "q-1",
        "check.category": "Access Control",
        "check.resource": "data",
        "scan.tool": "kics",
    }
    assert "obviously-fake" not in orjson.dumps(event.body()).decode()


def test_a_place_that_moved_is_the_same_finding() -> None:
    moved = RESULTS | {"queries": [QUERY | {"files": [PLACE | {"line": 30}]}]}
    (before,), (after,) = told(kics, RESULTS), told(kics, moved)
    assert found(before).uid == found(after).uid
    assert found(after).location == "infra/main.tf:30"


def test_a_secret() -> None:
    (event,) = told(kics, RESULTS, queries=[QUERY | {"category": "Secret Management"}])
    assert (event.class_uid, event.attributes["secret.rule"]) == (2006, "q-1")


@pytest.mark.parametrize("key", ["files_failed_to_scan", "queries_failed_to_execute"])
def test_a_scan_that_failed(key: str) -> None:
    _, scan = told(kics, RESULTS, **{key: 1})
    assert (scan.status, scan.attributes["scan.findings"]) == ("failure", 1)


def test_no_findings() -> None:
    assert told(kics, RESULTS, queries=None) == []


@pytest.mark.parametrize("queries", [7, [{"files": [{}]}], [{"files": {}}]])
def test_what_is_no_result(queries: object) -> None:
    assert refused(kics, orjson.dumps(RESULTS | {"queries": queries}))[0] == "wrong-shape"
