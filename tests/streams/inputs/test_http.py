"""The HTTP input against real senders: the OpenTelemetry SDK, and a client that does it wrong."""

import asyncio
import gzip
import resource
import zlib
from collections.abc import AsyncIterator
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio
from aiohttp import ClientSession
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from schemas.config import InputConfig
from schemas.errors import Mistake, Unavailable
from streams.inputs import http
from streams.inputs.http import Http
from streams.inputs.spool import Bounds, Spool

SPANS = {"resourceSpans": [{"scopeSpans": [{"spans": [{"spanId": "00f067aa0ba902b7"}]}]}]}
TRAIL = {"eventID": "1", "eventSource": "bedrock.amazonaws.com", "eventName": "InvokeModel"}
JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/x-ndjson"}
PROTOBUF = {"content-type": "application/x-protobuf"}


class Sender:
    """A client of one listener."""

    def __init__(self, url: str, spool: Spool, session: ClientSession) -> None:
        self.url = url
        self.spool = spool
        self._session = session

    async def post(
        self, path: str, body: object, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        async with self._session.post(self.url + path, data=data, headers=headers) as answer:
            lower = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, lower, await answer.read()

    def kept(self) -> list[tuple[str, Any]]:
        found = []
        while chunk := self.spool.read(99, 10**7):
            found += [(chunk.source, orjson.loads(d)) for d in chunk.documents]
        return found


@pytest.fixture
def config() -> InputConfig:
    return InputConfig(name="in", kind="http", port=0, max_body_bytes=10_000)


@pytest_asyncio.fixture
async def sender(tmp_path: Path, config: InputConfig) -> AsyncIterator[Sender]:
    spool = Spool("in", tmp_path, bounds=Bounds(unread=50_000, segment=50))
    listener = Http(config, spool)
    port = await listener.start()
    async with ClientSession() as session:
        yield Sender(f"http://127.0.0.1:{port}", spool, session)
    await listener.stop()


async def test_the_otel_sdk_exports_spans(sender: Sender) -> None:
    for compression in (Compression.NoCompression, Compression.Gzip):
        exporter = OTLPSpanExporter(f"{sender.url}/v1/traces", compression=compression)
        provider = TracerProvider(resource=Resource({"service.name": "shop"}))
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        tracer = provider.get_tracer("test")

        def work(tracer: Any = tracer) -> None:  # noqa: ANN401 - the SDK's
            with tracer.start_as_current_span("execute_tool") as span:
                span.set_attribute("gen_ai.tool.name", "search")

        await asyncio.to_thread(work)
        await asyncio.to_thread(provider.shutdown)
    kept = sender.kept()
    assert [source for source, _ in kept] == ["otel", "otel"]
    for _, document in kept:
        ((span,),) = [s["spans"] for r in document["resourceSpans"] for s in r["scopeSpans"]]
        assert len(span["traceId"]) == 32
        assert span["attributes"] == [
            {"key": "gen_ai.tool.name", "value": {"stringValue": "search"}}
        ]


SIGNALS = [("traces", "Spans"), ("logs", "Logs"), ("metrics", "Metrics")]


@pytest.mark.parametrize(("signal", "field"), SIGNALS)
async def test_otlp_json_is_kept_as_it_came(sender: Sender, signal: str, field: str) -> None:
    export = {f"resource{field}": [{"x": "a\nb"}]}
    body = orjson.dumps(export, option=orjson.OPT_INDENT_2)
    status, headers, answer = await sender.post(f"/v1/{signal}", body, **JSON)
    assert (status, answer) == (200, b'{"partialSuccess":{}}')
    assert headers["content-type"].startswith("application/json")
    assert sender.kept() == [("otel", export)]


async def test_protobuf_is_answered_in_protobuf(sender: Sender) -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(span_id=b"12345678", name="x")
    status, headers, answer = await sender.post(
        "/v1/traces", request.SerializeToString(), **PROTOBUF
    )
    assert (status, headers["content-type"]) == (200, "application/x-protobuf")
    assert not ExportTraceServiceResponse.FromString(answer).HasField("partial_success")
    ((_, document),) = sender.kept()
    ((span,),) = [s["spans"] for r in document["resourceSpans"] for s in r["scopeSpans"]]
    assert span == {"spanId": b"12345678".hex(), "name": "x"}


@pytest.mark.parametrize(
    ("headers", "body", "part"),
    [
        (JSON, b"{", "not an OTLP traces request"),
        (JSON, b'{"resourceSpans": 7}', "not an OTLP traces request"),
        (JSON, b"[" * 5000, "not an OTLP traces request"),
        (JSON | {"content-encoding": "gzip"}, b"{}", "the body is not gzip"),
        (JSON | {"content-encoding": "gzip"}, gzip.compress(b"{}", mtime=0)[:-4], "is cut off"),
    ],
)
async def test_what_is_no_export_is_refused_with_a_status_message(
    sender: Sender, headers: dict[str, str], body: bytes, part: str
) -> None:
    status, answered, answer = await sender.post("/v1/traces", body, **headers)
    assert (status, orjson.loads(answer)["code"]) == (400, 3)
    assert part in orjson.loads(answer)["message"]
    assert "retry-after" not in answered
    assert sender.kept() == []


async def test_a_refusal_of_protobuf_is_a_google_rpc_status(sender: Sender) -> None:
    status, headers, answer = await sender.post("/v1/traces", b"\xff\xff", **PROTOBUF)
    assert (status, headers["content-type"]) == (400, "application/x-protobuf")
    said = import_module("google.rpc.status_pb2").Status.FromString(answer)
    assert said.code == 3
    assert said.message.startswith("not an OTLP traces request: ")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/traces", {"content-type": "text/plain"}),
        ("/v1/traces", JSON | {"content-encoding": "br"}),
        ("/v1/events", {"content-type": "application/x-www-form-urlencoded"}),
    ],
)
async def test_what_is_not_understood_is_415(
    sender: Sender, path: str, headers: dict[str, str]
) -> None:
    status, _, answer = await sender.post(path, b"x", **headers)
    assert status == 415
    assert orjson.loads(answer)["message"].startswith("send ")


@pytest.mark.parametrize("size", [10_001, 1_000_000])
async def test_a_body_that_is_too_large_is_413(sender: Sender, size: int) -> None:
    status, _, answer = await sender.post("/v1/traces", b" " * size, **JSON)
    assert status == 413
    assert b"at most 10000 bytes" in answer


async def test_a_small_body_that_inflates_is_413(sender: Sender) -> None:
    for packed, encoding in ((gzip.compress, "gzip"), (zlib.compress, "deflate")):
        headers = JSON | {"content-encoding": encoding}
        status, _, _ = await sender.post("/v1/traces", packed(b" " * 5_000_000), **headers)
        assert status == 413
    status, _, _ = await sender.post("/v1/traces", zlib.compress(orjson.dumps(SPANS)), **headers)
    assert status == 200


async def test_a_full_spool_is_429_until_somebody_reads(sender: Sender) -> None:
    record = orjson.dumps(TRAIL | {"text": "x" * 8000})
    answers = [await sender.post("/v1/events", record, **JSON) for _ in range(7)]
    assert {status for status, _, _ in answers} == {200}
    status, headers, answer = await sender.post("/v1/traces", SPANS, **JSON)
    assert (status, headers["retry-after"]) == (429, "2")
    assert orjson.loads(answer)["code"] == 8
    sender.kept()
    status, _, _ = await sender.post("/v1/traces", SPANS, **JSON)
    assert status == 200


async def test_a_full_disk_is_503(sender: Sender) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        status, headers, answer = await sender.post("/v1/traces", SPANS, **JSON)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (status, headers["retry-after"]) == (503, "2")
    assert orjson.loads(answer) == {"code": 14, "message": "the disk refuses: File too large"}
    assert (await sender.post("/v1/traces", SPANS, **JSON))[0] == 200
    assert sender.kept() == [("otel", SPANS)]


async def test_events_of_any_source(sender: Sender) -> None:
    indented = orjson.dumps({"Records": [TRAIL]}, option=orjson.OPT_INDENT_2)
    status, _, answer = await sender.post("/v1/events", indented, **JSON)
    assert (status, orjson.loads(answer)) == (200, {"accepted": 1})
    body = orjson.dumps(TRAIL) + b"\r\n\n" + orjson.dumps(TRAIL)
    status, _, answer = await sender.post("/v1/events", body, **LINES)
    assert (status, orjson.loads(answer)) == (200, {"accepted": 2})
    status, _, _ = await sender.post("/v1/events?source=trivy", b'{"a": 1}', **JSON)
    assert status == 200
    assert sender.kept() == [
        ("cloudtrail", {"Records": [TRAIL]}),
        ("cloudtrail", TRAIL),
        ("cloudtrail", TRAIL),
        ("trivy", {"a": 1}),
    ]


@pytest.mark.parametrize(
    ("path", "headers", "body", "part"),
    [
        ("/v1/events", JSON, b'{"a": 1}', "name one: /v1/events?source=NAME"),
        ("/v1/events?source=nobody", JSON, b"{}", "no source is called 'nobody'"),
        ("/v1/events", JSON, b"{}\n{}", "send content-type application/x-ndjson"),
        ("/v1/events", LINES, b"\n \n", "the body is empty"),
    ],
)
async def test_events_that_cannot_be_kept_say_why(
    sender: Sender, path: str, headers: dict[str, str], body: bytes, part: str
) -> None:
    status, _, answer = await sender.post(path, body, **headers)
    assert status == 400
    assert part in orjson.loads(answer)["message"]


async def test_many_senders_share_the_disk_and_each_is_kept(sender: Sender) -> None:
    records = [orjson.dumps(TRAIL | {"eventID": str(n)}) for n in range(100)]
    answers = await asyncio.gather(
        *(sender.post("/v1/events?source=cloudtrail", record, **JSON) for record in records),
        *(sender.post("/v1/traces", SPANS, **JSON) for _ in range(20)),
    )
    assert {status for status, _, _ in answers} == {200}
    kept = sender.kept()
    assert sorted(int(d["eventID"]) for source, d in kept if source == "cloudtrail") == list(
        range(100)
    )
    assert len(kept) == 120


async def test_a_sender_that_stalls_is_let_go(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_TIMEOUT", 0.05)
    port = int(sender.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"content-length: 100\r\n\r\n{"
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()
    await writer.wait_closed()


async def test_a_port_that_is_taken_is_told(sender: Sender, tmp_path: Path) -> None:
    port = int(sender.url.rpartition(":")[2])
    config = InputConfig(name="again", kind="http", port=port)
    with pytest.raises(Unavailable, match=f"input 'again' cannot listen on 127.0.0.1:{port}"):
        await Http(config, Spool("again", tmp_path / "again")).start()


async def test_an_unknown_source_is_a_mistake_at_start(tmp_path: Path) -> None:
    config = InputConfig(name="in", kind="http", source="nobody")
    with pytest.raises(Mistake, match="no source is called 'nobody'"):
        Http(config, Spool("in", tmp_path))


async def test_a_body_of_several_gzip_members_is_kept_whole(sender: Sender) -> None:
    gzipped = LINES | {"content-encoding": "gzip"}
    lines = [orjson.dumps(TRAIL | {"eventID": str(n)}) + b"\n" for n in range(3)]
    body = b"".join(map(gzip.compress, lines)) + bytes(8)  # as concatenated files, and padded
    assert (await sender.post("/v1/events", body, **gzipped))[0] == 200
    assert [document["eventID"] for _, document in sender.kept()] == ["0", "1", "2"]
    status, _, answer = await sender.post("/v1/events", body[:-15], **gzipped)
    assert (status, orjson.loads(answer)["message"]) == (400, "the body is cut off gzip")
    bomb = gzip.compress(b" " * 6_000) * 2
    assert (await sender.post("/v1/events", bomb, **gzipped))[0] == 413
    assert sender.kept() == []


async def test_nobody_waits_for_a_spool_that_cannot_go_on(sender: Sender, tmp_path: Path) -> None:
    assert (await sender.post("/v1/traces", SPANS, **JSON))[0] == 200
    stray = tmp_path / "00000002.ndjson"
    stray.write_bytes(b"{}\n")  # a segment without its marks: nobody knows what it holds
    for _ in range(2):
        status, _, answer = await sender.post("/v1/traces", SPANS, **JSON)
        assert (status, b"00000002.marks is missing or damaged" in answer) == (503, True)
    stray.unlink()
    assert (await sender.post("/v1/traces", SPANS, **JSON))[0] == 200
