"""`barograph verify` of records in topics: read again from a real broker, or said why not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import kafka as client_library
import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, TracesData

from infra.cli import main
from infra.settings import load
from schemas.canonical import body_sha256
from schemas.config import Encoding, KafkaConfig, Limits
from schemas.rows import Result
from sinks.store import Store
from streams.kafka.connection import admin
from streams.kafka.encoding import document
from streams.kafka.log import Entry, Log
from streams.kafka.producing import Letter, Producer
from streams.reading import Messages, Reader
from streams.source import Parsed, named
from tests.streams.trail import call, envelope

pytestmark = pytest.mark.kafka
Capture = pytest.CaptureFixture[str]
PLACE = cast("Any", client_library).TopicPartition
CALLS = [call(n) for n in range(5)]
SPANS = TracesData(
    resource_spans=[
        ResourceSpans(
            scope_spans=[
                ScopeSpans(
                    spans=[
                        Span(
                            trace_id=bytes(range(16)),
                            span_id=bytes([n] * 8),
                            name="chat",
                            end_time_unix_nano=1_772_452_800_000_000_000,
                            attributes=[
                                KeyValue(
                                    key="gen_ai.operation.name",
                                    value=AnyValue(string_value="chat"),
                                )
                            ],
                        )
                        for n in (1, 2)
                    ]
                )
            ]
        )
    ]
).SerializeToString()


@pytest.fixture
def config(kafka: str, capsys: Capture) -> str:
    """A configuration with a raw topic of calls, and one of spans in protobuf."""
    raw = ("--raw", "cloudtrail", "--raw", "otel")
    assert main(["topics", "create", "--config", kafka, *raw]) == 0
    capsys.readouterr()
    topic = f"{settings(kafka).prefix}raw.otel"
    with Path(kafka).open("a") as file:
        file.write(f'[[input]]\nname = "spans"\nkind = "kafka"\ntopic = "{topic}"\n')
        file.write('source = "otel"\nencoding = "otlp_traces"\n')
    return kafka


def settings(path: str) -> KafkaConfig:
    config = load(path, {}).kafka
    assert config is not None
    return config


def put(config: str, source: str, *values: bytes) -> list[Entry]:
    """Write the messages; what the topic holds then, in the order in which it was written."""
    brokers = settings(config)
    topic = f"{brokers.prefix}raw.{source}"

    async def write() -> list[Entry]:
        async with Producer(brokers, topic) as producer:
            await producer.write([Letter(value, b"k", "x") for value in values])
            await producer.flush()
        async with Log(brokers) as log:
            return [entry async for entry in log.entries(topic, 2, "beginning")]

    return asyncio.run(write())


def events(entries: list[Entry], source: str, encoding: Encoding = "json") -> Iterator[Parsed]:
    """What ingest makes of messages, one by one."""
    for entry in entries:
        messages = Messages([entry.offset])
        origin = f"kafka:{entry.topic}/{entry.partition}"
        reader = Reader(named(source), origin, Limits(), messages)
        for outcome in reader.read(document(entry.value or b"", encoding), 0):
            assert isinstance(outcome.result, Parsed)
            yield outcome.result


def stored(folder: Path, *found: Parsed) -> str:
    """A store of the events, and a file with one signal that cites them all."""
    writing = Store(folder, finite=True)
    writing.open(None)
    writing.write([Result("event", e.event.uid, 0, "final", e.event.body()) for e in found])
    writing.close()
    cited = [{"event": e.event.uid, "sha256": e.event.evidence.sha256} for e in found]
    body: dict[str, Any] = {"id": "s" * 32, "evidence": cited}
    path = folder / "signals.jsonl"
    path.write_text(json.dumps(body | {"body_sha256": body_sha256(body)}))
    return str(path)


def verified(capsys: Capture, path: str, *words: str) -> tuple[int, Mapping[str, Any]]:
    """The exit code, and verdict and detail of each event."""
    code = main(["verify", path, "--store", str(Path(path).parent), "--json", *words])
    body, *checks = map(json.loads, capsys.readouterr().out.splitlines())
    assert body["ok"]
    return code, {c["what"].removeprefix("event "): (c["ok"], c["detail"]) for c in checks}


def test_records_are_read_again_from_their_topics(
    config: str, prefix: str, tmp_path: Path, capsys: Capture
) -> None:
    calls = put(config, "cloudtrail", CALLS[0], envelope(*CALLS[1:3]), CALLS[3])
    spans = put(config, "otel", SPANS)
    found = [*events(calls, "cloudtrail"), *events(spans, "otel", "otlp_traces")]
    path = stored(tmp_path / "store", *found)
    code, checks = verified(capsys, path, "--config", config)
    where = f"kafka:{prefix}raw.cloudtrail/{calls[0].partition}"
    also = f"kafka:{prefix}raw.otel/{spans[0].partition}"
    trace = bytes(range(16)).hex()
    assert (code, checks) == (
        0,
        {
            "0": (True, f"{where}/0 has the hash"),
            "1": (True, f"{where}/1#1 has the hash"),
            "2": (True, f"{where}/1#2 has the hash"),
            "3": (True, f"{where}/2 has the hash"),
            f"{trace}:{'01' * 8}": (True, f"{also}/0#1 has the hash"),
            f"{trace}:{'02' * 8}": (True, f"{also}/0#2 has the hash"),
        },
    )


def test_another_record_in_its_place_was_changed(
    config: str, tmp_path: Path, capsys: Capture
) -> None:
    (entry,) = put(config, "cloudtrail", CALLS[0])
    (other,) = events([entry._replace(value=CALLS[1])], "cloudtrail")
    code, checks = verified(capsys, stored(tmp_path / "s", other), "--config", config)
    place = f"{entry.topic}/{entry.partition}/0"
    assert (code, checks) == (1, {"1": (False, f"kafka:{place} was changed")})


def test_a_record_that_its_topic_deleted_is_gone_and_not_changed(
    config: str, tmp_path: Path, capsys: Capture
) -> None:
    entries = put(config, "cloudtrail", *CALLS[:3])
    path = stored(tmp_path / "store", *events(entries, "cloudtrail"))
    place = f"kafka:{entries[0].topic}/{entries[0].partition}"
    brokers = settings(config)
    with admin(brokers) as client:
        client.delete_records({PLACE(entries[0].topic, entries[0].partition): 2})
    code, checks = verified(capsys, path, "--config", config)
    gone = "is deleted from the topic, which begins at offset 2"
    assert (code, checks) == (
        1,
        {
            "0": (None, f"{place}/0 {gone}"),
            "1": (None, f"{place}/1 {gone}"),
            "2": (True, f"{place}/2 has the hash"),
        },
    )
    main(["verify", path, "--store", str(Path(path).parent), "--config", config])
    assert f"gone    {'s' * 12} event 0: {place}/0 {gone}" in capsys.readouterr().out


def test_a_topic_that_is_another_one_now(config: str, tmp_path: Path, capsys: Capture) -> None:
    entries = put(config, "cloudtrail", CALLS[0])
    first = entries[0]
    lost = (
        first._replace(offset=7),
        first._replace(partition=9, value=CALLS[1]),
        first._replace(topic="nowhere", value=CALLS[2]),
    )
    path = stored(tmp_path / "store", *events(list(lost), "cloudtrail"))
    code, checks = verified(capsys, path, "--config", config)
    place, anew = f"kafka:{first.topic}/{first.partition}", "so it was made anew"
    missing = "cannot be read: topic nowhere is missing; make it, or mend its name"
    assert (code, checks) == (
        1,
        {
            "0": (False, f"{place}/7 is not there: the topic ends before offset 1, {anew}"),
            "1": (
                False,
                f"kafka:{first.topic}/9/0 is not there: the topic has 2 partitions, {anew}",
            ),
            "2": (False, f"kafka:nowhere/{first.partition}/0 {missing}"),
        },
    )


def test_without_brokers_a_sentence(
    config: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = put(config, "cloudtrail", CALLS[0])
    path = stored(tmp_path / "store", *events([entry], "cloudtrail"))
    monkeypatch.chdir(tmp_path)
    code, checks = verified(capsys, path)
    said = "lies in a topic; name its brokers in [kafka] of the configuration (--config)"
    place = f"kafka:{entry.topic}/{entry.partition}/0"
    assert (code, checks) == (1, {"0": (False, f"{place} {said}")})
    Path("barograph.toml").write_text('[kafka]\nbootstrap = "127.0.0.1:1"\n')
    assert main(["verify", path, "--store", str(tmp_path / "store")]) == 3
    assert "is not to be reached" in capsys.readouterr().err
