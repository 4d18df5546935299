"""Data points are Events of an interval, and no calls."""

import re
from hashlib import sha256
from typing import Any

import orjson
import pytest

from schemas.event import EventEvidence
from schemas.times import rfc3339
from streams.source import Parsed, Unreadable
from streams.sources import otel

SERVICE = [{"key": "service.name", "value": {"stringValue": "claims"}}]
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "openai",
    "gen_ai.request.model": "writer-1",
    "gen_ai.token.type": "input",
}


def point(said: dict[str, str], **values: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "attributes": [{"key": key, "value": {"stringValue": one}} for key, one in said.items()],
        "startTimeUnixNano": "1772600707000000000",
        "timeUnixNano": "1772600767000000000",
        **values,
    }


def metric(
    name: str, kind: str, temporality: object, *points: dict[str, Any], **others: str
) -> dict[str, Any]:
    data = {"aggregationTemporality": temporality, "dataPoints": list(points)}
    return {"name": name, kind: data, **others}


def export(*metrics: dict[str, Any]) -> bytes:
    scopes = [{"scope": {"name": "x"}, "metrics": list(metrics)}]
    one = {"resource": {"attributes": SERVICE}, "scopeMetrics": scopes}
    return orjson.dumps({"resourceMetrics": [one]})


def events(document: bytes) -> list[Parsed]:
    return [
        otel.event(
            raw,
            orjson.loads(raw.data),
            EventEvidence(origin="x", sha256=sha256(raw.data).hexdigest()),
        )
        for raw in otel.split(document)
    ]


def edges(found: Parsed) -> list[tuple[str, str, str]]:
    return [(one.from_.key, one.relation, one.to.key) for one in found.event.edges]


@pytest.mark.parametrize("temporality", [1, "AGGREGATION_TEMPORALITY_DELTA"])
@pytest.mark.parametrize("kind", ["histogram", "exponentialHistogram"])
def test_a_histogram(kind: str, temporality: object) -> None:
    measured = point(CALL, count="3", sum=812.0, min=5, max=700)
    usage = metric("gen_ai.client.token.usage", kind, temporality, measured, unit="{token}")
    (found,) = events(export(usage))
    event = found.event
    assert rfc3339(event.time) == "2026-03-04T05:06:07.000000Z"
    assert (event.class_uid, event.activity, event.status) == (
        6003,
        "gen_ai.client.token.usage",
        "unknown",
    )
    assert [one.key for one in event.entities] == ["model:writer-1", "application:claims"]
    assert edges(found) == [("application:claims", "calls", "model:writer-1")]
    assert event.attributes == {
        "service.name": "claims",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "writer-1",
        "gen_ai.token.type": "input",
        "metric.name": "gen_ai.client.token.usage",
        "metric.kind": "histogram",
        "metric.operation": "chat",
        "metric.unit": "{token}",
        "metric.value": 812.0,
        "metric.count": 3,
        "metric.min": 5,
        "metric.max": 700,
        "metric.seconds": 60.0,
    }


def test_a_sum_of_a_coding_agent() -> None:
    said = {"type": "cacheRead", "model": "m-1", "session.id": "s-1", "user.email": "Ada@x.example"}
    (found,) = events(export(metric("claude_code.token.usage", "sum", 1, point(said, asInt="12"))))
    assert [one.key for one in found.event.entities] == [
        "agent:claude_code",
        "session:s-1",
        "model:m-1",
        "principal:ada@x.example",
        "application:claims",
    ]
    attributes = found.event.attributes
    assert (attributes["metric.value"], attributes["gen_ai.token.type"]) == (12, "cacheRead")


def test_a_server_uses_nothing_of_what_it_is_asked_for() -> None:
    said = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "send", "error.type": "tool_error"}
    said["server.address"] = "rates.example"
    name = "mcp.server.operation.duration"
    (found,) = events(export(metric(name, "histogram", 1, point(said, count="1", sum=0.5))))
    assert edges(found) == [("tool:rates.example/send", "served_by", "mcp_server:rates.example")]
    assert found.event.status == "failure"
    assert "mcp.method.name" not in found.event.attributes
    assert found.event.attributes["metric.operation"] == "tools/call"


def test_where_nothing_was_counted_nothing_is_related() -> None:
    (found,) = events(export(metric("gen_ai.x", "sum", 1, point(CALL, asDouble=0.0))))
    assert edges(found) == []


def test_what_is_not_delta_or_not_of_ai_is_passed_over() -> None:
    document = export(
        metric("gen_ai.client.token.usage", "histogram", 2, point(CALL, count="1", sum=1)),
        metric("http.server.request.duration", "histogram", 1, point({}, count="1", sum=1)),
        metric("mcp.sessions", "gauge", 0, point({}, asInt="1")),
        metric("gen_ai.x", "sum", 1, point(CALL, asInt="1")),
    )
    assert [one.event.activity for one in events(document)] == ["gen_ai.x"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (export(metric("gen_ai.x", "sum", 2, point(CALL, asInt="1"))), "delta temporality"),
        (export(metric("http.x", "sum", 1, point(CALL, asInt="1"))), "no metric of gen_ai"),
        (export(), "no metric of gen_ai"),
        (export(metric("gen_ai.x", "sum", 1, point(CALL, flags=1, asInt="1"))), "no value"),
        (export(metric("gen_ai.x", "sum", 1, point(CALL))), "no value"),
    ],
)
def test_what_is_refused(document: bytes, said: str) -> None:
    with pytest.raises(Unreadable) as error:
        events(document)
    assert error.value.reason == "wrong-shape"
    assert said in error.value.detail


def test_equal_points_of_two_metrics_are_two_events() -> None:
    two = (metric(name, "sum", 1, point(CALL, asInt="1")) for name in ("gen_ai.a", "gen_ai.b"))
    one, other = events(export(*two))
    assert one.event.evidence.sha256 == other.event.evidence.sha256
    assert one.event.uid != other.event.uid


def test_metrics_do_not_spoil_the_logs_beside_them() -> None:
    record = {"timeUnixNano": "1772600767000000000", "eventName": "x"}
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    document |= orjson.loads(export(metric("gen_ai.x", "sum", 2, point(CALL, asInt="1"))))
    assert [one.event.activity for one in events(orjson.dumps(document))] == ["x"]


def test_the_span_of_a_server_is_no_use_by_it() -> None:
    attributes = {
        "mcp.method.name": "tools/call",
        "gen_ai.tool.name": "send",
        "server.address": "rates.example",
    }
    span = point(attributes, kind=2, name="x", endTimeUnixNano="1772600767000000000")
    one = {"resource": {"attributes": SERVICE}, "scopeSpans": [{"spans": [span]}]}
    (found,) = events(orjson.dumps({"resourceSpans": [one]}))
    assert edges(found) == [("tool:rates.example/send", "served_by", "mcp_server:rates.example")]


@pytest.mark.parametrize("kind", ["sum", "histogram", "exponentialHistogram"])
def test_names_of_protobuf_say_what_those_of_json_say(kind: str) -> None:
    values = {"asInt": "7"} if kind == "sum" else {"count": "3", "sum": 812.0}
    document = export(metric("gen_ai.client.token.usage", kind, 1, point(CALL, **values)))
    names = re.compile(rb'"(?:[a-z]+[A-Z])+[A-Za-z]*":')
    snake = names.sub(
        lambda at: re.sub(rb"[A-Z]", lambda one: b"_" + one[0].lower(), at[0]), document
    )
    assert b'"data_points":' in snake
    (one,), (other,) = events(document), events(snake)
    assert one.event.attributes == other.event.attributes
    assert other.event.attributes["metric.value"] == (7 if kind == "sum" else 812.0)
    assert other.event.attributes["metric.seconds"] == 60.0
