"""Metrics: data points of AI telemetry, each what was measured of some calls in one interval.

A point of delta temporality says what came since the last one, so it is an Event. A cumulative
point says again, at every export, all that was since the start: nobody can tell by it alone whether
anything happened, so it is left out, and a document of nothing else is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from streams.records.untrusted import number, text
from streams.source import Json, Unreadable
from streams.telemetry.otlp import integer

# Metrics of AI at work; those of HTTP, of a process or a runtime beside them are not read.
_PREFIXES: Final = ("gen_ai.", "mcp.", "claude_code.", "codex.", "gemini_cli.")
_SERVED: Final = ("gen_ai.server.", "mcp.server.")
_DELTA: Final = (1, "AGGREGATION_TEMPORALITY_DELTA")
_EMPTY: Final = 1  # of a point's flags: nothing was recorded
# They tell one call from another: rules ask for them to count calls, and a point is none.
_OPERATIONS: Final = ("mcp.method.name", "gen_ai.operation.name")
_NONE: Final = msgspec.Raw()


class _Data(msgspec.Struct):
    """Each field twice, as JSON and as protobuf name it; so below."""

    points: list[msgspec.Raw] | None = msgspec.field(default=None, name="dataPoints")
    data_points: list[msgspec.Raw] | None = None
    temporality: int | str = msgspec.field(default=0, name="aggregationTemporality")
    aggregation_temporality: int | str = 0


class _Metric(msgspec.Struct):
    name: str = ""
    unit: str | None = None
    sum: _Data | None = None
    histogram: _Data | None = None
    exponential: _Data | None = msgspec.field(default=None, name="exponentialHistogram")
    exponential_histogram: _Data | None = None


class _Scope(msgspec.Struct):
    metrics: list[_Metric] | None = None


class ResourceMetrics(msgspec.Struct):
    """One resource of an export, with the points of its metrics as exact slices."""

    resource: msgspec.Raw = _NONE
    scopes: list[_Scope] | None = msgspec.field(default=None, name="scopeMetrics")
    scope_metrics: list[_Scope] | None = None


class Metric(NamedTuple):
    """What all points of one metric share. `kind` is sum or histogram."""

    name: str
    unit: str | None
    kind: str


def points(resources: list[ResourceMetrics]) -> list[tuple[int, Metric, msgspec.Raw]]:
    """(which resource, metric, point) of each point that tells something of AI at work."""
    return [
        (at, Metric(metric.name, metric.unit, kind), point)
        for at, metric in _ours(resources)
        for kind, data in _told(metric)
        for point in data.points or data.data_points or ()
    ]


def refusal(resources: list[ResourceMetrics]) -> Unreadable:
    """Why none of these metrics has such a point."""
    if any(True for _ in _ours(resources)):
        return Unreadable(
            "wrong-shape",
            "its metrics are cumulative and say nothing new; export them with delta temporality",
        )
    return Unreadable("wrong-shape", "it has no metric of gen_ai.*, mcp.* or a coding agent")


def measured(metric: Metric, point: dict[str, Json]) -> dict[str, Json]:
    """`metric.*` attributes of a point: the value is the sum of what was measured.

    `metric.seconds` is the length of the interval. Raises Unreadable for a point without a value.
    """
    flags = integer(point.get("flags")) or 0
    value = number(point.get("sum")) if metric.kind == "histogram" else _value(point)
    count = integer(point.get("count"))
    if flags & _EMPTY or (value is None and count is None):
        raise Unreadable("wrong-shape", "the point has no value")
    since, until = integer(point.get("startTimeUnixNano")), integer(point.get("timeUnixNano"))
    known: dict[str, Json] = {
        "metric.name": metric.name,
        "metric.unit": text(metric.unit, 64),
        "metric.kind": metric.kind,
        "metric.value": value,
        "metric.count": count,
        "metric.min": number(point.get("min")),
        "metric.max": number(point.get("max")),
        "metric.seconds": (until - since) / 1e9 if since and until and until > since else None,
    }
    return {name: one for name, one in known.items() if one is not None}


def served(metric: Metric) -> bool:
    """True if who was asked measured it: its application is not the one that called."""
    return metric.name.startswith(_SERVED)


def renamed(kept: dict[str, Json]) -> dict[str, Json]:
    """The attributes of a point, with its operation as `metric.operation`: it is no single call."""
    operation = next((kept[name] for name in _OPERATIONS if name in kept), None)
    others = {name: value for name, value in kept.items() if name not in _OPERATIONS}
    return others | ({} if operation is None else {"metric.operation": operation})


def _ours(resources: list[ResourceMetrics]) -> Iterator[tuple[int, _Metric]]:
    for at, one in enumerate(resources):
        for scope in one.scopes or one.scope_metrics or ():
            for metric in scope.metrics or ():
                if metric.name.startswith(_PREFIXES):
                    yield at, metric


def _told(metric: _Metric) -> Iterator[tuple[str, _Data]]:
    for kind, data in (
        ("sum", metric.sum),
        ("histogram", metric.histogram),
        ("histogram", metric.exponential or metric.exponential_histogram),
    ):
        if data and (data.temporality or data.aggregation_temporality) in _DELTA:
            yield kind, data


def _value(point: dict[str, Json]) -> float | None:
    counted = integer(point.get("asInt"))
    return counted if counted is not None else number(point.get("asDouble"))
