"""Reports of drift monitors: findings that close when the next report is clean."""

from pathlib import Path
from typing import Any

import pytest

from schemas.config import Limits
from schemas.event import Event, Reject
from streams.reading import outcomes
from streams.source import Parsed, named
from streams.sources import drift
from tests.streams.sources.conftest import Read

EXAMPLES = Path(__file__).parent / "examples"


def parsed(name: str) -> list[Parsed]:
    found = [one.result for one in outcomes(str(EXAMPLES / name), Limits(), named(drift.NAME))]
    assert not [one for one in found if isinstance(one, Reject)]
    return [one for one in found if not isinstance(one, Reject)]


def body(event: Event) -> dict[str, Any]:
    return {key: value for key, value in event.body().items() if key != "evidence"}


def test_a_violation() -> None:
    event, _ = parsed("drift.sagemaker.json")[0]
    assert body(event) == {
        "uid": "0edb4fa9eae3d108bbae44794a5f84e8",
        "time": "2026-03-04T05:06:07.000000Z",
        "source": "drift",
        "class_uid": 2007,
        "class_name": "Application Security Posture Finding",
        "activity": "Create",
        "status": "unknown",
        "severity": "low",
        "message": "Baseline drift distance: 0.4 exceeds threshold: 0.1",
        "entities": [{"kind": "endpoint", "id": "claims-endpoint"}],
        "edges": [],
        "finding": {
            "uid": "9c33c997669cfa2ddf9dddf77bf65bcd",
            "title": "Baseline drift distance: 0.4 exceeds threshold: 0.1",
            "state": "open",
            "check": "baseline_drift_check",
            "location": "age",
        },
        "attributes": {
            "drift.column": "age",
            "drift.monitor": "sagemaker",
            "scan.tool": "sagemaker",
        },
    }


def checks(name: str) -> list[tuple[str, str, str, str | None]]:
    return [
        (
            event.entities[0].key,
            event.finding.check or "",
            event.finding.state,
            event.finding.location,
        )
        for event, _ in parsed(name)
        if event.finding
    ]


def test_evidently_before_0_7() -> None:
    model = "model:claims-risk-v3"
    assert checks("drift.evidently.json") == [
        (model, "dataset_drift", "open", None),
        (model, "column_drift", "open", "age"),
        (model, "column_drift", "resolved", "city"),
    ]


def test_evidently_since_0_7() -> None:
    data = "dataset:claims-2026"
    assert checks("drift.evidently7.json") == [
        (data, "dataset_drift", "resolved", None),
        (data, "column_drift", "open", "age"),
        (data, "test:Share of drifted columns", "resolved", None),
    ]
    assert parsed("drift.evidently7.json")[-1].event.status == "success"


def test_what_only_tells_of_drift_closes_nothing() -> None:
    assert checks("drift.vertex.json") == [
        (
            "endpoint:projects/p1/locations/europe-west1/endpoints/7",
            "raw_feature_drift",
            "open",
            "age",
        )
    ]
    assert checks("drift.azure.json") == [("dataset:ds-7", "dataset_drift", "open", None)]
    assert parsed("drift.vertex.json")[-1].event.status == "unknown"


def test_no_violations_are_a_clean_scan(read: Read) -> None:
    (outcome,) = read(
        drift, b'{"endpoint":"claims-endpoint","time":"2026-03-04T05:06:07Z","violations":[]}'
    )
    assert not isinstance(outcome.result, Reject)
    assert (outcome.result.event.class_uid, outcome.result.event.status) == (6007, "success")


def test_a_distance_is_large_where_data_differ(read: Read) -> None:
    (row, _) = read(
        drift,
        b'{"dataset":"d","metrics":[{"config":{"type":"evidently:metric_v2:ValueDrift",'
        b'"column":"age","method":"psi","threshold":0.1},"value":0.4}]}',
    )
    assert not isinstance(row.result, Reject)
    assert row.result.event.finding is not None
    assert row.result.event.finding.state == "open"
    assert row.result.event.attributes["time.unknown"] is True


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"violations":[{"feature_name":"age"}]}', "wrong-shape"),
        (b'{"metrics":[]}', "wrong-shape"),
    ],
)
def test_what_is_rejected(read: Read, document: bytes, reason: str) -> None:
    (outcome,) = read(drift, document)
    assert isinstance(outcome.result, Reject)
    assert outcome.result.reason == reason
