from contextlib import suppress
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import MessageToJson
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, LogsData, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData, ResourceMetrics
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import (
    ResourceSpans,
    ScopeSpans,
    Span,
    Status,
    TracesData,
)

from schemas.event import EventEvidence
from streams.source import Unreadable
from streams.sources import otel
from streams.telemetry.otlp import attributes, camel, hex_id, integer, otlp_json, plain_value
from streams.telemetry.otlp import time as time_of

TRACE, SPAN = bytes(range(1, 17)), bytes(range(1, 9))


def traces() -> bytes:
    pairs = [
        KeyValue(key="gen_ai.operation.name", value=AnyValue(string_value="chat")),
        KeyValue(key="n", value=AnyValue(int_value=2**40)),
        KeyValue(key="b", value=AnyValue(bytes_value=b"\x00\x01")),
        KeyValue(
            key="list",
            value=AnyValue(array_value=ArrayValue(values=[AnyValue(bool_value=True)])),
        ),
        KeyValue(
            key="map",
            value=AnyValue(
                kvlist_value=KeyValueList(
                    values=[KeyValue(key="x", value=AnyValue(double_value=1.5))]
                )
            ),
        ),
    ]
    span = Span(
        trace_id=TRACE,
        span_id=SPAN,
        parent_span_id=SPAN,
        name="chat m",
        kind=Span.SPAN_KIND_CLIENT,
        end_time_unix_nano=1772600767123456789,
        attributes=pairs,
        links=[Span.Link(trace_id=TRACE, span_id=SPAN)],
        status=Status(code=Status.STATUS_CODE_ERROR),
    )
    resource = Resource(
        attributes=[KeyValue(key="service.name", value=AnyValue(string_value="claims"))]
    )
    resource_spans = ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=[span])])
    return TracesData(resource_spans=[resource_spans]).SerializeToString()


def test_ids_are_hex_and_enums_are_numbers() -> None:
    document = orjson.loads(otlp_json(traces(), "traces"))
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert (span["traceId"], span["spanId"]) == (TRACE.hex(), SPAN.hex())
    assert span["parentSpanId"] == SPAN.hex()
    assert (span["links"][0]["traceId"], span["links"][0]["spanId"]) == (TRACE.hex(), SPAN.hex())
    assert (span["kind"], span["status"]["code"]) == (3, 2)
    assert span["endTimeUnixNano"] == "1772600767123456789"


def test_protobuf_becomes_events() -> None:
    (raw,) = otel.split(otlp_json(traces(), "traces"))
    evidence = EventEvidence(origin="x", sha256="00")
    found = otel.event(raw, orjson.loads(raw.data), evidence).event
    assert found.uid == f"{TRACE.hex()}:{SPAN.hex()}"
    assert (found.activity, found.status) == ("chat", "failure")
    assert found.attributes["n"] == 2**40
    assert found.attributes["list"] == [True]
    assert found.attributes["map"] == {"x": 1.5}
    assert [one.key for one in found.entities] == ["application:claims"]


def test_logs_and_metrics() -> None:
    record = LogRecord(time_unix_nano=1772600767123456789, trace_id=TRACE)
    logs = LogsData(resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=[record])])])
    (raw,) = otel.split(otlp_json(logs.SerializeToString(), "logs"))
    assert orjson.loads(raw.data)["traceId"] == TRACE.hex()
    metrics = MetricsData(resource_metrics=[ResourceMetrics()])
    assert otlp_json(metrics.SerializeToString(), "metrics") == b'{"resourceMetrics":[{}]}'


def test_equal_messages_give_equal_bytes() -> None:
    assert otlp_json(traces(), "traces") == otlp_json(traces(), "traces")
    assert otlp_json(b"", "traces") == b"{}"


@pytest.mark.parametrize("data", [b"\x0a\x10", b"{}", b"\xff" * 100])
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(Unreadable) as error:
        otlp_json(data, "traces")
    assert error.value.reason == "truncated"


def test_a_message_without_end() -> None:
    value = AnyValue(string_value="x").SerializeToString()
    for _ in range(300):
        array = b"\x0a" + varint(len(value)) + value
        value = b"\x2a" + varint(len(array)) + array
    pair = b"\x12" + varint(len(value)) + value
    resource = b"\x0a" + varint(len(pair)) + pair
    spans = b"\x0a" + varint(len(resource)) + resource
    with pytest.raises(Unreadable):
        otlp_json(b"\x0a" + varint(len(spans)) + spans, "traces")


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low]) if not rest else bytes([low | 0x80]) + varint(rest)


@given(st.binary(max_size=200))
def test_no_bytes_are_a_crash(data: bytes) -> None:
    for signal in ("traces", "logs", "metrics"):
        with suppress(Unreadable):
            orjson.loads(otlp_json(data, signal))


@pytest.mark.parametrize(
    ("tagged", "value"),
    [
        ({"stringValue": "a"}, "a"),
        ({"stringValue": 7}, None),
        ({"intValue": "-9223372036854775808"}, -(2**63)),
        ({"intValue": 7}, 7),
        ({"intValue": "99999999999999999999"}, None),
        ({"intValue": "7e3"}, None),
        ({"intValue": True}, None),
        ({"doubleValue": 1.5}, 1.5),
        ({"doubleValue": "NaN"}, None),
        ({"boolValue": False}, False),
        ({"boolValue": "false"}, None),
        ({"bytesValue": "AAE="}, "AAE="),
        ({"arrayValue": {}}, []),
        ({"arrayValue": {"values": [{"intValue": 1}, {}, 7]}}, [1, None, None]),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"intValue": 1}}, {}]}}, {"a": 1}),
        ({}, None),
        ("a", None),
    ],
)
def test_values(tagged: object, value: object) -> None:
    assert plain_value(tagged) == value


def test_attributes() -> None:
    pairs: list[Any] = [
        {"key": "a", "value": {"intValue": "1"}},
        {"key": "a", "value": {"intValue": "2"}},
        {"key": "", "value": {"intValue": "3"}},
        {"key": "b", "value": {}},
        {"value": {"intValue": "4"}},
        7,
    ]
    assert attributes(pairs) == {"a": 1}
    assert attributes({"a": 1}) == {}


def test_times() -> None:
    assert time_of(None, "0", "1772600767123456789", 5) == 1772600767123456
    with pytest.raises(Unreadable) as error:
        time_of("0", None)
    assert error.value.reason == "no-time"
    with pytest.raises(Unreadable) as error:
        time_of("1")
    assert error.value.reason == "bad-time"


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("0102030405060708", "0102030405060708"),
        ("0A" * 16, "0a" * 16),
        ("0" * 32, None),
        ("AQIDBAUGBwg=", "0102030405060708"),  # as protobuf writes it in JSON
        ("AQIDBAUGBwg", "0102030405060708"),
        ("-_8AAAAAAAE=", "fbff000000000001"),  # in the alphabet for URLs
        ("+/8AAAAAAAE", "fbff000000000001"),
        ("AQIDBAUGBwgJ", None),
        (7, None),
        (None, None),
    ],
)
def test_ids(value: object, known: str | None) -> None:
    assert hex_id(value) == known


def test_integers() -> None:
    assert integer("18446744073709551615") == 2**64 - 1
    assert integer("18446744073709551616") is None
    assert integer(1.0) is None


def test_the_json_that_protobuf_writes_under_its_own_names() -> None:
    """As `UseProtoNames` of Go's protojson does: snake case, and ids in base64."""
    message = TracesData()
    message.ParseFromString(traces())
    told = orjson.loads(MessageToJson(message, preserving_proto_field_name=True))
    span = told["resource_spans"][0]["scope_spans"][0]["spans"][0]
    theirs = orjson.loads(otlp_json(traces(), "traces"))
    theirs = theirs["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    known = camel(span)
    assert "trace_id" in span
    assert hex_id(known["traceId"]) == theirs["traceId"] == TRACE.hex()
    assert attributes(known["attributes"]) == attributes(theirs["attributes"])
    assert known.keys() == theirs.keys()
    assert camel(theirs) is theirs
