"""Exports whose fields are named as protobuf has them, and ids however they are written."""

import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.event import EventEvidence
from streams.source import Unreadable
from streams.sources import otel

EXAMPLE = Path(__file__).parent / "examples/otel.jsonl"
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
END = "1772600767123456789"  # 2026-03-04T05:06:07.123456789Z


def text(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def export(*attributes: dict[str, Any], name: str = "chat") -> dict[str, Any]:
    span = {"traceId": TRACE, "spanId": SPAN, "name": name, "kind": 3, "endTimeUnixNano": END}
    scope = {"spans": [span | {"attributes": list(attributes)}]}
    resource = {"attributes": [text("service.name", "my_claims")]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


LOGS = {
    "resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": END, "traceId": TRACE}]}]}]
}


def snake(value: Any) -> Any:  # noqa: ANN401 - JSON
    """A document with the names of protobuf's fields; all keys of OTLP are such names."""
    match value:
        case dict():
            return {
                re.sub("[A-Z]", lambda at: f"_{at[0].lower()}", k): snake(v)
                for k, v in value.items()
            }
        case list():
            return [snake(one) for one in value]
        case _:
            return value


def outcome(document: Any) -> list[Any]:  # noqa: ANN401 - JSON
    """What is made of each record, without the hash of its bytes and what is made of that."""
    told = []
    for raw in otel.split(orjson.dumps(document)):
        evidence = EventEvidence(origin="file:x#1", sha256="0" * 64)
        told.append(otel.event(raw, orjson.loads(raw.data), evidence))
    return told


@pytest.mark.parametrize("line", range(len(EXAMPLE.read_bytes().splitlines())))
def test_names_of_protobuf_say_what_those_of_json_say(line: int) -> None:
    document = orjson.loads(EXAMPLE.read_bytes().splitlines()[line])
    other = snake(document)
    assert other != document
    assert outcome(other) == outcome(document) != []
    assert otel.sniff(orjson.dumps(other))


@pytest.mark.parametrize("document", [export(), LOGS])
@pytest.mark.parametrize("spelt", ["hex", "HEX", "base64", "url", "bare"])
def test_ids_in_hex_or_base64(document: dict[str, Any], spelt: str) -> None:
    def told(id_: str) -> str:
        coded = b64encode(bytes.fromhex(id_)).decode()
        web = coded.replace("+", "-").replace("/", "_")
        return {
            "hex": id_,
            "HEX": id_.upper(),
            "base64": coded,
            "url": web,
            "bare": coded.rstrip("="),
        }[spelt]

    written = orjson.dumps(snake(document)).decode()
    written = written.replace(TRACE, told(TRACE)).replace(SPAN, told(SPAN))
    (found,) = outcome(orjson.loads(written))
    assert found.event.attributes["trace.id"] == TRACE


def test_what_users_call_things_is_no_name_of_a_field() -> None:
    inside = {"kvlistValue": {"values": [text("deep_key", "a_b")]}}
    nested = {"key": "my_map", "value": inside}
    (found,) = outcome(snake(export(text("my_own_key", "string_value"), nested, name="a_b")))
    said = found.event.attributes
    assert (said["my_own_key"], said["my_map"]) == ("string_value", {"deep_key": "a_b"})
    assert found.event.activity == "a_b"
    assert [one.key for one in found.event.entities] == ["application:my_claims"]


def test_an_empty_export_of_either_spelling_has_no_record() -> None:
    for empty in (b'{"resourceSpans": []}', b'{"resource_spans": []}', b'{"resource_logs": [{}]}'):
        assert list(otel.split(empty)) == []
    for nothing in (b'{"resourceMetrics": []}', b'{"resource_metrics": []}'):
        with pytest.raises(Unreadable):
            otel.split(nothing)
