"""OpenTelemetry: an alert as a log record of OTLP, in the data model of OpenTelemetry's logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from schemas.rows import Result
from schemas.times import parse
from sinks.formats.envelope import change
from sinks.formats.product import version

# SeverityNumber: INFO, INFO2, WARN, ERROR, FATAL.
SEVERITY: Final = {"informational": 9, "low": 10, "medium": 13, "high": 17, "critical": 21}


def record(result: Result, content: object, shortened: Sequence[str] = ()) -> LogRecord:
    """One revision of an alert; `content` is the body of the record, a text or JSON.

    `log.record.uid` is the same for a copy: who sees it twice may drop one.
    """
    body, meta = result.body, result.body["meta"]
    attributes: dict[str, Any] = {
        "log.record.uid": f"{result.id}-{meta['revision']}",
        "barograph.alert.id": result.id,
        "barograph.alert.revision": meta["revision"],
        "barograph.alert.change": change(result),
        "barograph.alert.state": result.state,
        "barograph.alert.status": body["status"],
        "barograph.alert.stage": body["stage"],
        "barograph.alert.peak_stage": body["peak_stage"],
        "barograph.alert.thread": body["thread"],
        "barograph.alert.convergence": body["convergence"],
        "barograph.alert.system": body["system"],
        "barograph.alert.title": body["title"],
        "barograph.alert.priority": body["priority"],
        "barograph.alert.confidence": float(body["confidence"]),
        "barograph.alert.first_time": body["first_time"],
        "barograph.alert.last_time": body["last_time"],
        "barograph.alert.tags": list(body.get("tags", ())),
        "barograph.alert.entities": [
            f"{entity['kind']}:{entity['id']}" for entity in body.get("entities", ())
        ],
        "barograph.alert.actions": [action["text"] for action in body.get("actions", ())],
    }
    if shortened:
        attributes["barograph.alert.shortened"] = list(shortened)
    said = 1000 * parse(meta["emitted"])
    return LogRecord(
        time_unix_nano=said,
        observed_time_unix_nano=said,
        severity_number=SEVERITY[body["severity"]],  # type: ignore[arg-type]  # a number is taken
        severity_text=body["severity"],
        event_name="barograph.alert",
        body=_value(content),
        attributes=_pairs(attributes),
    )


def resource() -> Resource:
    """Who says it."""
    return Resource(
        attributes=_pairs({"service.name": "barograph", "service.version": version()}),
    )


def scope() -> InstrumentationScope:
    """What part of us says it."""
    return InstrumentationScope(name="barograph.alerts", version=version())


def _pairs(values: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in values.items()]


def _value(value: Any) -> AnyValue:  # noqa: ANN401, PLR0911 - each type of JSON
    """JSON as OTLP says it; nothing is a value that is not set."""
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=_pairs(cast("dict[str, Any]", value))))
        case list() | tuple():
            many = cast("Sequence[Any]", value)
            return AnyValue(array_value=ArrayValue(values=[_value(one) for one in many]))
        case _:
            return AnyValue()
