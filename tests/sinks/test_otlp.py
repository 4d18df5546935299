"""OTLP against a double that decodes every request and refuses what a collector would refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from schemas.config import AnySink
from schemas.errors import Mistake
from schemas.rows import Result
from sinks.delivery.kinds import connect
from sinks.delivery.sink import Delivered, Sink
from sinks.formats.ocsf import detection_finding
from sinks.formats.product import version
from tests.sinks.alerts import HOSTILE, NOON, alert
from tests.sinks.receiving import Receiver, Reply, Request
from tests.sinks.storms import Told, storm

SECRET = "Bearer obviously-not-a-token"  # noqa: S105 - as it says
TYPES = {"protobuf": "application/x-protobuf", "json": "application/json"}
ENDED = {"withdrawn", "resolved", "verified", "expired", "superseded"}


class Collector:
    """What the specification of OTLP/HTTP 1.10 asks of a receiver of logs."""

    def __init__(self, encoding: str = "protobuf", token: str | None = None) -> None:
        self.encoding, self.token = encoding, token
        self.records: list[dict[str, Any]] = []
        self.resources: list[dict[str, Any]] = []
        self.replies: list[Reply] = []

    def __call__(self, request: Request) -> Reply:  # noqa: PLR0911 - each refusal is one
        if request.path != "/v1/logs":
            return Reply(404, b"404 page not found")
        if request.method != "POST":
            return Reply(405)
        if self.token is not None and request.headers.get("authorization") != self.token:
            return Reply(401, b"authentication failed")
        if request.headers["content-type"] != TYPES[self.encoding]:
            return Reply(415)
        if request.headers.get("content-encoding") != "gzip":
            return Reply(400, b"it was agreed to pack")
        try:
            decoded = self._decoded(request.body)
        except (DecodeError, json_format.ParseError, ValueError) as error:
            return Reply(400, str(error).encode())
        if self.replies:
            return self.replies.pop(0)
        for logs in decoded.resource_logs:
            self.resources.append({p.key: p.value.string_value for p in logs.resource.attributes})
            for scope in logs.scope_logs:
                assert (scope.scope.name, scope.scope.version) == ("barograph.alerts", version())
                self.records += [plain(one) for one in scope.log_records]
        return self.reply()

    def reply(self, rejected: int = 0, message: str = "") -> Reply:
        said = ExportLogsServiceResponse()
        if rejected or message:
            said.partial_success.rejected_log_records = rejected
            said.partial_success.error_message = message
        if self.encoding == "json":
            text = json_format.MessageToJson(said).encode()
            return Reply(200, text, {"content-type": "application/json"})
        return Reply(200, said.SerializeToString(), {"content-type": "application/x-protobuf"})

    def _decoded(self, body: bytes) -> ExportLogsServiceRequest:
        if self.encoding == "protobuf":
            return ExportLogsServiceRequest.FromString(body)
        for logs in orjson.loads(body)["resourceLogs"]:
            for scope in logs["scopeLogs"]:
                for one in scope["logRecords"]:
                    assert isinstance(one["severityNumber"], int)  # names are not allowed
                    assert isinstance(one["timeUnixNano"], str)  # 64 bits
        return json_format.Parse(body, ExportLogsServiceRequest())


def plain(one: LogRecord) -> dict[str, Any]:
    """A record as JSON, without its envelope of types."""
    names = [pair.key for pair in one.attributes]
    assert len(names) == len(set(names))
    return {
        "time": one.time_unix_nano,
        "observed": one.observed_time_unix_nano,
        "severity": (one.severity_number, one.severity_text),
        "event": one.event_name,
        "body": value(one.body),
        "attributes": {pair.key: value(pair.value) for pair in one.attributes},
    }


def value(one: Any) -> Any:  # noqa: ANN401 - any value
    match one.WhichOneof("value"):
        case "kvlist_value":
            return {pair.key: value(pair.value) for pair in one.kvlist_value.values}
        case "array_value":
            return [value(inner) for inner in one.array_value.values]
        case None:
            return None
        case kind:
            return getattr(one, kind)


def sink(url: str, **more: Any) -> Sink:  # noqa: ANN401 - settings
    entry = {"name": "otel", "kind": "otlp", "url": f"{url}/v1/logs", "timeout": "5s"} | more
    return connect(AnySink.model_validate(entry), Path())


def delivered(collector: Collector, *batch: Result, **more: Any) -> Delivered:  # noqa: ANN401
    with Receiver(collector) as receiver:
        one = sink(receiver.url, **more)
        done = one.write(batch)
        one.close()
    return done


GOLDEN: dict[str, Any] = {
    "time": 1767274200250000000,
    "observed": 1767274200250000000,
    "severity": (21, "critical"),
    "event": "barograph.alert",
    "body": "warning: A poisoned tool is at work in support-bot. An injection reached an agent that"
    " may send mail; three families agree.",
    "attributes": {
        "log.record.uid": "a1-1",
        "barograph.alert.id": "a1",
        "barograph.alert.revision": 1,
        "barograph.alert.change": "opened",
        "barograph.alert.state": "provisional",
        "barograph.alert.status": "open",
        "barograph.alert.stage": "warning",
        "barograph.alert.peak_stage": "warning",
        "barograph.alert.thread": alert("a1").body["thread"],
        "barograph.alert.convergence": "tool_poisoning",
        "barograph.alert.system": "support-bot",
        "barograph.alert.title": "A poisoned tool is at work in support-bot",
        "barograph.alert.priority": 87,
        "barograph.alert.confidence": 0.91,
        "barograph.alert.first_time": NOON,
        "barograph.alert.last_time": "2026-01-01T13:30:00.250000Z",
        "barograph.alert.tags": [
            "attack.initial_access",
            "atlas.aml.t0051.001",
            "owasp.llm01-2025",
        ],
        "barograph.alert.entities": [
            "application:support-bot",
            "principal:ana@corp.example",
            "tool:mcp-mail/send",
            "model:gpt-4o-2024-08-06",
        ],
        "barograph.alert.actions": ["Take mcp-mail/send from the agent"],
    },
}


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_an_alert_is_a_log_record(encoding: str) -> None:
    collector = Collector(encoding)
    assert delivered(collector, alert("a1"), encoding=encoding) == Delivered(1)
    assert collector.records == [GOLDEN]
    assert collector.resources == [{"service.name": "barograph", "service.version": version()}]


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_ends_and_hostile_texts_arrive_as_they_are(encoding: str) -> None:
    batch = [
        alert("a", 2, "final", status="resolved"),
        alert("b", 3, "withdrawn"),
        alert("c", 4, title=HOSTILE, summary=HOSTILE, system=HOSTILE),
    ]
    collector = Collector(encoding)
    assert delivered(collector, *batch, encoding=encoding, format="alert") == Delivered(3)
    told = [one["attributes"]["barograph.alert.change"] for one in collector.records]
    assert told == ["resolved", "withdrawn", "updated"]
    assert [one["body"] for one in collector.records] == [one.body for one in batch]
    assert collector.records[2]["attributes"]["barograph.alert.system"] == HOSTILE


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_the_body_may_be_ocsf(encoding: str) -> None:
    collector = Collector(encoding)
    delivered(collector, alert("a"), encoding=encoding, format="ocsf")
    assert collector.records[0]["body"] == detection_finding(alert("a").body)


def test_many_go_in_one_request_and_no_request_is_too_large() -> None:
    collector = Collector()
    batch = [alert(str(n), summary="x" * 2000) for n in range(100)]
    with Receiver(collector) as receiver:
        one = sink(receiver.url, request_bytes=64 * 1024)
        assert one.write(batch) == Delivered(100)
        one.close()
        assert 100 * 2000 // (64 * 1024) < len(receiver.got) < 10
        assert max(len(request.body) for request in receiver.got) < 66 * 1024
    assert [one["attributes"]["barograph.alert.id"] for one in collector.records] == [
        str(n) for n in range(100)
    ]


def test_a_large_alert_is_shortened_and_says_so() -> None:
    collector = Collector()
    timeline = [{"time": NOON, "text": f"{n} " + "y" * 1000} for n in range(100)]
    one = alert("a", timeline=timeline)
    assert delivered(collector, one, format="alert", request_bytes=2**15) == Delivered(1)
    (record,) = collector.records
    assert record["attributes"]["barograph.alert.shortened"] == ["timeline"]
    assert record["body"]["timeline"] == timeline[-1:]


def test_the_secret_is_the_value_of_a_header() -> None:
    collector = Collector(token=SECRET)
    assert delivered(collector, alert("a"), secret=SECRET) == Delivered(1)
    refused = delivered(collector, alert("a"), secret="Bearer another")  # noqa: S106
    assert (refused.taken, refused.misconfigured) == (0, True)
    assert "another" not in str(refused)


def test_a_secret_of_two_lines_is_a_mistake_that_does_not_quote_it() -> None:
    with pytest.raises(Mistake, match="sink 'otel' has a secret that is no header") as caught:
        sink("https://collector.example", secret="a\r\nx-evil: b")  # noqa: S106
    assert "evil" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "taken", "refused", "misconfigured"),
    [
        (400, 1, 1, False),
        (401, 0, 0, True),
        (403, 0, 0, True),
        (404, 0, 0, True),
        (405, 0, 0, True),
        (413, 1, 1, False),
        (415, 1, 1, False),
        (429, 0, 0, False),
        (500, 1, 1, False),  # by the specification it must not be tried again
        (501, 1, 1, False),
        (502, 0, 0, False),
        (503, 0, 0, False),
        (504, 0, 0, False),
    ],
)
def test_each_answer_has_its_verdict(
    status: int,
    taken: int,
    refused: int,
    misconfigured: bool,  # noqa: FBT001 - a column of the table
) -> None:
    collector = Collector()
    collector.replies = [Reply(status, b"because", {"retry-after": "7"})]
    done = delivered(collector, alert("a"))
    assert (done.taken, len(done.refused), done.misconfigured) == (taken, refused, misconfigured)
    assert done.wait == (7.0 if status in (429, 502, 503, 504) else 0.0)
    assert str(status) in (done.problem or done.refused[0].reason)


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_a_partial_success_does_not_come_again(encoding: str) -> None:
    collector = Collector(encoding)
    collector.replies = [collector.reply(1, "timestamp is too old")]
    with Receiver(collector) as receiver:
        one = sink(receiver.url, encoding=encoding)
        done = one.write([alert("a"), alert("b")])
        one.close()
        assert len(receiver.got) == 1
    assert (done.taken, done.problem) == (2, None)
    assert [one.result.id for one in done.refused] == ["a", "b"]
    assert done.refused[0].reason.endswith(
        "/v1/logs refused 1 of 2 records of a request: timestamp is too old"
    )


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_a_warning_is_a_success(encoding: str) -> None:
    collector = Collector(encoding)
    collector.replies = [collector.reply(0, "please send less")]
    assert delivered(collector, alert("a"), encoding=encoding) == Delivered(1)


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_a_200_that_is_no_success_is_none(encoding: str) -> None:
    collector = Collector(encoding)
    collector.replies = [Reply(200, b"<html>\xff welcome</html>")]
    done = delivered(collector, alert("a"), encoding=encoding)
    assert (done.taken, done.misconfigured) == (0, True)
    assert "is not OTLP; is it the path?" in str(done.problem)


def test_one_bad_record_does_not_hold_up_its_neighbours() -> None:
    class Picky(Collector):
        def __call__(self, request: Request) -> Reply:
            return Reply(400, b"no c") if b"bad one" in request.body else super().__call__(request)

    collector = Picky()
    batch = [alert(id_, title="a bad one" if id_ == "c" else "good") for id_ in "abcde"]
    done = delivered(collector, *batch)
    assert (done.taken, [one.result.id for one in done.refused]) == (5, ["c"])
    ids = [one["attributes"]["barograph.alert.id"] for one in collector.records]
    assert ids == ["a", "b", "d", "e"]


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_a_storm(tmp_path: Path, encoding: str) -> None:
    collector = Collector(encoding)

    def told() -> list[Told]:
        heard = [one["attributes"] for one in collector.records]
        return [
            Told(
                one["barograph.alert.id"],
                one["barograph.alert.revision"],
                one["barograph.alert.change"] in ENDED,
            )
            for one in heard
        ]

    with Receiver(collector) as receiver:
        entry = {
            "name": "otel",
            "kind": "otlp",
            "url": f"{receiver.url}/v1/logs",
            "timeout": "2s",
            "encoding": encoding,
            "request_bytes": 16384,
        }
        figures = storm(receiver, tmp_path, entry, told, alerts=30, every=3)
    assert figures.requests > 5
