"""Generic: an Event of Barograph's own form is that Event again."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.config import Limits
from schemas.event import Reject
from streams.reading import Reader, outcomes
from streams.source import named

EXAMPLES = Path(__file__).parent / "examples"
EVENT: dict[str, Any] = {
    "uid": "gate-1",
    "time": "2026-03-04T05:06:07.000000Z",
    "source": "generic",
    "class_uid": 6003,
    "class_name": "API Activity",
    "activity": "grant_tool",
    "status": "success",
    "severity": "low",
    "message": "a tool was granted",
    "actor": {"kind": "principal", "id": "kim@example.com", "name": "Kim"},
    "client": {"ip": "203.0.113.9", "user_agent": "gate/2"},
    "entities": [{"kind": "agent", "id": "triage"}, {"kind": "tool", "id": "x/f", "name": "f"}],
    "edges": [
        {
            "from": {"kind": "agent", "id": "triage"},
            "relation": "uses",
            "to": {"kind": "tool", "id": "x/f"},
            "declared": True,
            "state": "closed",
        }
    ],
    "finding": {"uid": "f", "title": "t", "state": "resolved", "check": "c", "location": "l"},
    "attributes": {"url.domain": "x", "n": [1, 2.5, None, True]},
}


def read(record: object) -> dict[str, Any]:
    (outcome,) = Reader(named("generic"), "file:x", Limits()).read(orjson.dumps(record), 0)
    if isinstance(outcome.result, Reject):
        return {"reason": outcome.result.reason, "detail": outcome.result.detail}
    body = outcome.result.event.body()
    del body["evidence"]
    return body


def test_an_event_is_that_event() -> None:
    evidence = {"origin": "file:gate.log#1", "sha256": "00"}
    assert read(EVENT | {"source": "gate", "evidence": evidence}) == EVENT


@pytest.mark.parametrize("name", ["cyclonedx.json", "otel.jsonl", "trivy.json"])
def test_what_parse_writes_is_read(name: str) -> None:
    count = 0
    for outcome in outcomes(str(EXAMPLES / name), Limits()):
        assert not isinstance(outcome.result, Reject)
        body = outcome.result.event.body()
        again = read(body)
        del body["evidence"]
        assert again == body | {"source": "generic"}
        count += 1
    assert count


@pytest.mark.parametrize(
    ("damage", "reason", "detail"),
    [
        ({"time": None}, "no-time", "the record says no time where the mapping looks for it"),
        ({"time": "noon"}, "bad-time", "'noon' is no RFC 3339 time"),
        (
            {"class_uid": 1, "class_name": "x"},
            "wrong-shape",
            "`class`: '1' is no class that is known",
        ),
        ({"entities": None}, "wrong-shape", "the record has no `entities`"),
    ],
)
def test_what_is_none(damage: dict[str, Any], reason: str, detail: str) -> None:
    told = EVENT | {"evidence": {"origin": "file:x"}} | damage
    assert read(told) == {"reason": reason, "detail": detail}
