"""OpenTelemetry: how a span of HTTP ended, and who told of it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from schemas.event import Event, EventEvidence
from streams.sources import otel

END = "1772582767000000000"


def told(document: dict[str, Any]) -> Event:
    (raw,) = otel.split(orjson.dumps(document))
    evidence = EventEvidence(origin="file:x#1", sha256="0" * 64)
    return otel.event(raw, orjson.loads(raw.data), evidence).event


def span(attributes: dict[str, Any], resource: dict[str, str], **said: Any) -> dict[str, Any]:  # noqa: ANN401
    one = {"name": "GET /rates", "endTimeUnixNano": END, "attributes": pairs(attributes)} | said
    by = {"attributes": pairs(resource)}
    return {"resourceSpans": [{"resource": by, "scopeSpans": [{"spans": [one]}]}]}


def pairs(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    tags = {int: "intValue", str: "stringValue"}
    return [{"key": key, "value": {tags[type(one)]: one}} for key, one in attributes.items()]


@pytest.mark.parametrize(
    ("kind", "answered", "status", "ended"),
    [
        (2, 500, {}, "failure"),
        ("SPAN_KIND_SERVER", 503, {}, "failure"),
        (2, 404, {}, "success"),  # who asked was wrong, not who answered
        (2, 500, {"code": 1}, "success"),  # whoever wrote the program knows better
        (2, 500, {"code": "STATUS_CODE_OK"}, "success"),
        (3, 400, {}, "failure"),
        (3, "404", {}, "failure"),
        ("SPAN_KIND_CLIENT", 429, {"code": 0}, "failure"),
        (3, 302, {}, "success"),
        (3, "teapot", {}, "success"),
        (1, 500, {}, "success"),  # inside of a program: HTTP is for the spans around it
        ([3], 500, {}, "success"),
    ],
)
def test_a_status_of_http_is_an_error_of_one_side(
    kind: object, answered: object, status: dict[str, Any], ended: str
) -> None:
    for name in ("http.response.status_code", "http.status_code"):
        assert told(span({name: answered}, {}, kind=kind, status=status)).status == ended


def test_a_status_of_http_in_a_log_record_ends_nothing() -> None:
    record = {"timeUnixNano": END, "attributes": pairs({"http.response.status_code": 500})}
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    assert told(document).status == "unknown"


@pytest.mark.parametrize("padding", ["", "x" * 10_000])
def test_each_record_has_the_resource_that_it_came_with(padding: str) -> None:
    for service in ("claims", "claims", "triage"):
        resource = {"service.name": service, "os.description": padding or "Linux"}
        keys = [one.key for one in told(span({}, resource)).entities]
        assert keys == [f"application:{service}"]
