"""OTLP: the wire values of OpenTelemetry as plain ones, from JSON and from protobuf.

OTLP/JSON writes ids in hex, 64-bit integers as decimal texts, enums as numbers, attributes as lists
of keys and tagged values. What exporters get wrong about it (numbers, names of enums, ids in
base64, the names of fields as protobuf has them: `trace_id`) is read too.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Final, Literal

import orjson
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from streams.records.untrusted import listing, mapping, sane, text
from streams.source import Json, Unreadable

Signal = Literal["traces", "logs", "metrics"]

_MESSAGES: Final[dict[Signal, type[Message]]] = {
    "traces": TracesData,
    "logs": LogsData,
    "metrics": MetricsData,
}
_IDS: Final = frozenset({"traceId", "spanId", "parentSpanId"})
_HEX: Final = re.compile(r"[0-9a-fA-F]{16}|[0-9a-fA-F]{32}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{22}(?:==)?|[A-Za-z0-9+/_-]{11}=?")
_WEB: Final = str.maketrans("-_", "+/")  # the alphabet for URLs
# Fields that a record has at least one of, where they are named as in protobuf.
_SNAKE: Final = frozenset(
    """
    end_time_unix_nano observed_time_unix_nano severity_number span_id start_time_unix_nano
    time_unix_nano trace_id
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
_JOINT: Final = re.compile(r"_([a-z0-9])")
_MOST: Final = 1024  # attributes of one thing that are read; SDKs stop at 128


def otlp_json(data: bytes, signal: Signal) -> bytes:
    """OTLP/JSON of an OTLP protobuf message (an export request has the same bytes as its data).

    Equal messages give equal bytes. Raises Unreadable: truncated, for bytes that are no message.
    """
    message = _MESSAGES[signal]()
    try:
        message.ParseFromString(data)
        document = MessageToDict(message, use_integers_for_enums=True)
    except (DecodeError, RecursionError, ValueError) as error:
        raise Unreadable("truncated", f"no OTLP {signal} in protobuf: {error}") from None
    _hex_ids(document)
    return orjson.dumps(document)


def camel(record: dict[str, Json]) -> dict[str, Json]:
    """A record with the names of fields that JSON has, whichever of both it was written with."""
    return record if _SNAKE.isdisjoint(record) else mapping(renamed(record))


def renamed(value: Json) -> Json:
    """A value with the names of fields that JSON has; what is called by users is never a name.

    No deeper than the record is.
    """
    if isinstance(value, dict):
        return {_joined(key): renamed(one) for key, one in mapping(value).items()}
    return [renamed(one) for one in listing(value)] if isinstance(value, list) else value


def attributes(pairs: Json) -> dict[str, Json]:
    """A list of keys and values as an object: the first of equal keys, without empty values."""
    found: dict[str, Json] = {}
    for pair in listing(pairs)[:_MOST]:
        said = mapping(pair)
        key = text(said.get("key"), 256)
        if key is None or key in found:
            continue
        value = plain_value(said.get("value"))
        if value is not None:
            found[key] = value
    return found


def plain_value(tagged: Json) -> Json:
    """The JSON value of an AnyValue; None of an empty one. No deeper than the record is."""
    fields = mapping(tagged)
    for tag, read in _READERS.items():
        if tag in fields:
            return read(fields[tag])
    return None


def integer(value: Json) -> int | None:
    """A 64-bit integer, which JSON may have as a decimal text."""
    if isinstance(value, str) and len(value) <= 20 and value.removeprefix("-").isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -(2**63) <= value < 2**64 else None


def time(*nanoseconds: Json) -> int:
    """Microseconds of the first of these that is set. Raises Unreadable: no-time, bad-time."""
    known = [found for value in nanoseconds if (found := integer(value))]
    if not known:
        raise Unreadable("no-time", "the record has no time")
    return sane(known[0] // 1000)


def hex_id(value: Json) -> str | None:
    """A trace or span id in small hex; None of one that is not set, or is none.

    Exporters that take JSON from protobuf as it comes write base64.
    """
    if isinstance(value, str) and _BASE64.fullmatch(value):
        value = base64.b64decode(value.rstrip("=").translate(_WEB) + "==").hex()
    if not isinstance(value, str) or not _HEX.fullmatch(value) or not value.strip("0"):
        return None
    return value.lower()


def _joined(name: str) -> str:
    return _JOINT.sub(lambda at: at[1].upper(), name) if "_" in name else name


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _flag(value: Json) -> bool | None:
    return value if isinstance(value, bool) else None


def _double(value: Json) -> float | None:
    return value if isinstance(value, int | float) else None  # "NaN" and "Infinity" say nothing


def _array(value: Json) -> list[Json]:
    return [plain_value(one) for one in listing(mapping(value).get("values"))]


def _object(value: Json) -> dict[str, Json]:
    return attributes(mapping(value).get("values"))


def _hex_ids(document: Json) -> None:
    """Write base64 ids as hex, in place, level by level."""
    level: list[Json] = [document]
    while level:
        for one in level:
            fields = mapping(one)
            for key in _IDS & fields.keys():
                fields[key] = base64.b64decode(fields[key]).hex()
        level = [x for one in level for x in listing(one) or mapping(one).values()]
        level = [one for one in level if isinstance(one, dict | list)]


_READERS: Final[dict[str, Callable[[Json], Json]]] = {
    "stringValue": _text,
    "intValue": integer,
    "boolValue": _flag,
    "doubleValue": _double,
    "arrayValue": _array,
    "kvlistValue": _object,
    "bytesValue": _text,
}
