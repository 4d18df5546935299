from __future__ import annotations

from typing import Any

import orjson
import pytest
from aiokafka import TopicPartition
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from correlators.routes import Routes
from correlators.ruleset import Ruleset, builtin, parse
from schemas.config import Encoding, Limits
from schemas.times import DAY, END, MINUTE, SECOND
from schemas.times import parse as time_of
from streams.ingest import Ingest
from streams.kafka.outbound import Outbound
from streams.kafka.part import Step
from streams.kafka.raw_part import QUIET, RawInput, RawPart, progress_of
from streams.matchers import Matchers
from streams.source import named
from tests.streams.kafka.logs import Received

NOW = time_of("2026-03-02T12:00:00Z")
PLACE = TopicPartition("raw", 3)
HEADERS = ()


class Clock:
    """A wall clock that stands still until it is moved."""

    now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture(scope="module")
def rules() -> Ruleset:
    return parse(builtin())


def made(
    rules: Ruleset,
    clock: Clock,
    source: str = "cloudtrail",
    encoding: Encoding = "json",
    until: int | None = None,
) -> RawPart:
    input_ = RawInput("raw", 3, source, encoding, MINUTE, 10 * SECOND)
    ingest = Ingest("raw/3", Matchers(rules.rules), Routes(rules), named, MINUTE, Limits())
    state = TopicPartition("ingest-state", 1)
    return RawPart(input_, ingest, Outbound(("signals", "facts"), 2), state, clock, until)


def call(name: str, at: str = "2026-03-02T11:59:00Z") -> dict[str, Any]:
    return {
        "eventID": name,
        "eventTime": at,
        "eventName": "InvokeModel",
        "eventSource": "bedrock.amazonaws.com",
        "eventVersion": "1.11",
        "userIdentity": {"type": "IAMUser", "userName": "ann", "arn": "arn:aws:iam::1:user/ann"},
    }


def message(offset: int, value: object, at: int = NOW) -> Received:
    data = value if isinstance(value, bytes) else orjson.dumps(value)
    return Received(offset, at // 1000, None, data, HEADERS)


def said(step: Step | None, schema: bytes) -> list[dict[str, Any]]:
    assert step is not None
    records = [
        sent.record for sent in step.records if ("barograph-schema", schema) in sent.record.headers
    ]
    return [orjson.loads(record.value or b"") for record in records]


def test_a_record_is_named_by_its_offset_and_by_its_number_where_there_are_several(
    rules: Ruleset,
) -> None:
    part = made(rules, Clock())
    fetched = [message(7, call("a")), message(9, {"Records": [call("b"), call("c")]})]
    step = part.step({PLACE: fetched})
    origins = {event["uid"]: event["evidence"]["origin"] for event in said(step, b"event")}
    assert origins == {"a": "kafka:raw/3/7", "b": "kafka:raw/3/9#1", "c": "kafka:raw/3/9#2"}
    assert part.positions == {PLACE: 10}
    assert part.progress.counts() == {"read": 3, "parsed": 3, "rejected": 0, "late": 0}


def test_what_cannot_be_read_is_a_dead_letter_with_its_bytes(rules: Ruleset) -> None:
    step = made(rules, Clock()).step({PLACE: [message(1, b"<html>"), message(2, call("a"))]})
    (letter,) = said(step, b"reject")
    assert (letter["origin"], letter["reason"]) == ("kafka:raw/3/1", "not-json")
    assert letter["record"] == "<html>"
    assert [event["uid"] for event in said(step, b"event")] == ["a"]


def test_a_time_is_held_against_the_arrival_of_its_own_message(rules: Ruleset) -> None:
    late, early = call("a", "2026-03-02T12:04:00Z"), call("b", "2026-03-02T12:04:00Z")
    step = made(rules, Clock()).step(
        {PLACE: [message(1, late), message(2, early, NOW - 2 * MINUTE)]}
    )
    (letter,) = said(step, b"reject")
    assert (letter["origin"], letter["reason"]) == ("kafka:raw/3/2", "time-in-future")
    assert [event["uid"] for event in said(step, b"event")] == ["a"]


def test_a_restored_part_goes_on_and_says_its_time_again(rules: Ruleset) -> None:
    clock = Clock()
    part = made(rules, clock)
    step = part.step({PLACE: [message(1, call("a"))]})
    assert step is not None
    state = [
        (s.record.key or b"", s.record.value or b"")
        for s in step.records
        if s.topic == "ingest-state"
    ]
    assert {sent.partition for sent in step.records if sent.topic == "ingest-state"} == {1}
    again = made(rules, clock)
    list(again.restore([*state, (b"input/other/0", b"not ours")]))
    assert again.progress == part.progress
    assert again.positions == {PLACE: 2}
    assert progress_of(dict(state)) == {"raw/3": part.progress}


def test_an_idle_partition_follows_the_wall_clock(rules: Ruleset) -> None:
    clock = Clock()
    part = made(rules, clock)
    part.step({PLACE: [message(1, call("a"))]})
    assert part.step({}, clock.now) is None
    clock.now += 11 * SECOND
    ticks = said(part.step({}, clock.now), b"tick")
    assert {tick["watermark"] for tick in ticks} == {clock.now - MINUTE}
    assert len(ticks) == 4  # two topics of two partitions
    assert part.step({}, clock.now) is None


def test_a_partition_that_nobody_looked_into_is_not_idle(rules: Ruleset) -> None:
    clock = Clock()
    part = made(rules, clock)
    part.step({PLACE: [message(1, call("a"))]})
    before = part.progress.watermark
    clock.now += 1000 * SECOND  # we, or the brokers, were away
    part.step({})
    part.step({}, NOW)
    assert part.progress.watermark == before


def test_a_clock_that_is_set_back_does_not_stop_an_idle_partition(rules: Ruleset) -> None:
    clock = Clock()
    part = made(rules, clock)
    clock.now = NOW + 100 * DAY  # wrong, and noticed
    part.step({PLACE: [message(1, call("a"))]})
    clock.now = NOW
    part.step({}, clock.now)
    clock.now += 11 * SECOND
    part.step({}, clock.now)
    assert part.progress.watermark == clock.now - MINUTE


def test_ticks_are_told_once_a_second_at_most(rules: Ruleset) -> None:
    clock = Clock()
    part = made(rules, clock)
    clock.now += SECOND
    assert said(part.step({PLACE: [message(1, call("a"))]}), b"tick")
    assert not said(part.step({PLACE: [message(2, call("b", "2026-03-02T11:59:30Z"))]}), b"tick")
    clock.now += 2 * SECOND
    (watermark,) = {tick["watermark"] for tick in said(part.step({}, clock.now), b"tick")}
    assert watermark == part.progress.watermark


def test_a_run_with_an_end_ends_where_it_is_quiet(rules: Ruleset) -> None:
    clock = Clock()
    part = made(rules, clock, until=NOW + MINUTE)
    part.step({PLACE: [message(1, call("a"))]})
    clock.now += QUIET - SECOND
    part.step({}, clock.now)
    assert not part.ended
    clock.now += 2 * SECOND
    ticks = said(part.step({}, clock.now), b"tick")
    assert part.ended
    assert {(tick["watermark"], tick["clock"]) for tick in ticks} == {(END, NOW + MINUTE)}


def test_protobuf_is_read_and_what_is_none_is_refused(rules: Ruleset) -> None:
    data = TracesData()
    scope = data.resource_spans.add().scope_spans.add()
    span = scope.spans.add(trace_id=b"\1" * 16, span_id=b"\2" * 8, name="chat")
    span.start_time_unix_nano = span.end_time_unix_nano = NOW * 1000
    fetched = [message(1, data.SerializeToString()), message(2, b"\xff\xff"), message(3, b"\xff")]
    part = made(rules, Clock(), "otel", "otlp_traces")
    step = part.step({PLACE: fetched})
    assert [e["evidence"]["origin"] for e in said(step, b"event")] == ["kafka:raw/3/1"]
    letters = {letter["origin"]: letter["reason"] for letter in said(step, b"reject")}
    assert letters == {"kafka:raw/3/2": "truncated", "kafka:raw/3/3": "truncated"}
    assert part.positions == {PLACE: 4}
