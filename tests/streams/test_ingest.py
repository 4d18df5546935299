"""Ingest: lateness, matching, rejects, numbers and Ticks of one raw input."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.document import Document
from correlators.routes import Routes
from correlators.ruleset import parse
from schemas.config import Limits
from schemas.rows import Output, Result, Row, Tick
from schemas.times import BEGINNING, END, MINUTE, SECOND
from streams.ingest import FILES, Ingest, Progress
from streams.input import Chunk
from streams.matchers import Matchers
from streams.records.documents import Fault
from streams.source import named
from tests.streams.estate import SOURCES, START
from tests.streams.trail import DELETED, NOON, call, envelope

LATENESS = 15 * MINUTE  # of cloudtrail
OPENED = """\
title: opened
name: opened
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: AuthorizeSecurityGroupIngress}, condition: s}
barograph: {fact: {name: exposed, on: principal, state: open}}
"""
FORM = """\
title: form
name: form
logsource: {product: barograph}
detection: {s: {activity: probe}, condition: s}
"""
COUNTED = """\
title: counted
name: counted
correlation:
  type: event_count
  rules: [deleted]
  group-by: [userIdentity.accountId]
  timespan: 1h
  condition: {gte: 2}
"""


def ingest(not_after: int | None = None, lateness: int | None = None, **limits: int) -> Ingest:
    texts = (DELETED, OPENED, FORM, COUNTED)
    rules = parse(Document(f"{n}.yml", text) for n, text in enumerate(texts))
    assert rules.problems == ()
    matchers, bounds = Matchers(rules.rules), Limits.model_validate(limits)
    return Ingest("in", matchers, Routes(rules), _source, lateness, bounds, not_after)


def _source(name: str) -> Any:  # noqa: ANN401 - the model's source or a real one
    return SOURCES.get(name) or named(name)


def chunk(documents: Sequence[bytes], **more: Any) -> Chunk:  # noqa: ANN401
    read = Chunk("cloudtrail", "file:in.ndjson", documents, None, None)
    return read._replace(**more)


def told(outputs: Sequence[Output], kind: str) -> list[Result]:
    return [o for o in outputs if isinstance(o, Result) and o.kind == kind]


def rows(outputs: Sequence[Output], kind: str) -> list[Row]:
    return [o for o in outputs if isinstance(o, Row) and o.kind == kind]


def ticks(outputs: Sequence[Output]) -> list[Tick]:
    return [o for o in outputs if isinstance(o, Tick)]


def reasons(outputs: Sequence[Output]) -> list[tuple[str, str]]:
    return [(r.body["origin"], r.body["reason"]) for r in told(outputs, "reject")]


def test_late_is_judged_per_record_in_order() -> None:
    step = ingest().step
    times = [0, 3600, 2700, 2699, 3600, 0]  # the watermark is 2700 from the second one on
    progress, outputs = step(Progress(), chunk([call(t, uid=n) for n, t in enumerate(times)]))
    assert [
        (r.body["origin"], r.body["time"], r.body["watermark"]) for r in told(outputs, "late")
    ] == [
        ("file:in.ndjson#4", "2026-03-02T12:44:59.000000Z", "2026-03-02T12:45:00.000000Z"),
        ("file:in.ndjson#6", "2026-03-02T12:00:00.000000Z", "2026-03-02T12:45:00.000000Z"),
    ]
    assert (progress.read, progress.rejected, progress.late) == (6, 0, 2)
    assert progress.latest == NOON + 3600 * SECOND
    assert ticks(outputs) == [Tick("in", 0, NOON + 2700 * SECOND, NOON + 2700 * SECOND)]


def test_a_late_record_is_matched_but_in_no_window() -> None:
    step = ingest().step
    progress, outputs = step(Progress(), chunk([call(0, "DeleteGuardrail"), call(7200)]))
    assert len(told(outputs, "signal")) == len(rows(outputs, "hit")) == 1
    _, outputs = step(progress, chunk([call(1, "DeleteGuardrail")]))
    assert [r.body["detection"] for r in told(outputs, "signal")] == ["deleted"]
    assert rows(outputs, "hit") == []
    assert len(told(outputs, "late")) == 1


@pytest.mark.parametrize("together", [True, False])
def test_a_late_fact_holds_from_the_watermark_that_it_finds(*, together: bool) -> None:
    step, progress = ingest().step, Progress()
    documents = [call(3600), call(60, "AuthorizeSecurityGroupIngress"), call(7200)]
    outputs: list[Output] = []
    for part in [documents] if together else [[document] for document in documents]:
        progress, said = step(progress, chunk(part))
        outputs += said
    (fact,) = rows(outputs, "fact")
    assert (fact.time, fact.body["at"]) == (NOON + 2700 * SECOND, NOON + 60 * SECOND)


def test_an_envelope_is_its_records_and_an_empty_one_is_nothing() -> None:
    two = envelope(call(1, "DeleteGuardrail"), call(2))
    event = b'{"detail-type":"AWS API Call via CloudTrail","detail":%b}' % call(
        4, "DeleteGuardrail"
    )
    documents = [envelope(), two, call(3), event]
    progress, outputs = ingest().step(Progress(), chunk(documents))
    assert (progress.read, progress.rejected) == (4, 0)
    assert [(r.body["uid"], r.body["evidence"]["origin"]) for r in told(outputs, "event")] == [
        ("1", "file:in.ndjson#1"),
        ("4", "file:in.ndjson#4"),
    ]
    hashed = sha256(call(1, "DeleteGuardrail")).hexdigest()
    assert told(outputs, "event")[0].body["evidence"]["sha256"] == hashed


def test_what_cannot_be_read_is_rejected_with_its_reason() -> None:
    documents = [
        b"<html>",
        call(1)[:-20],
        b"[1]",
        call(2, eventTime=None),
        call(3, eventTime="yesterday"),
        call(4, eventTime="1980-01-01T00:00:00Z"),
        call(5, "DeleteGuardrail", requestParameters={"a": {"b": {"c": {"d": {}}}}}),
        b'{"eventTime":"2026-03-02T12:00:06Z","eventName":"DeleteGuardrail"}',
        b'{"Records":[{"eventName":"%b"}]}' % (b"x" * 2000),
        b'{"digestS3Bucket":"b"}',
        call(9),
    ]
    limits = {"depth": 4, "record_bytes": 1000}
    progress, outputs = ingest(**limits).step(Progress(), chunk(documents))
    assert sorted(reasons(outputs)) == [
        ("file:in.ndjson#1", "not-json"),
        ("file:in.ndjson#10", "wrong-shape"),
        ("file:in.ndjson#2", "truncated"),
        ("file:in.ndjson#3", "wrong-shape"),
        ("file:in.ndjson#4", "no-time"),
        ("file:in.ndjson#5", "bad-time"),
        ("file:in.ndjson#6", "bad-time"),
        ("file:in.ndjson#7", "too-deep"),
        ("file:in.ndjson#8", "wrong-shape"),
        ("file:in.ndjson#9", "too-large"),
    ]
    assert (progress.read, progress.rejected, progress.late) == (11, 10, 0)
    refused = {r.body["origin"]: r.body for r in told(outputs, "reject")}
    html = refused["file:in.ndjson#1"]
    assert (html["size"], html["sha256"]) == (6, sha256(b"<html>").hexdigest())
    assert html["source"] == "cloudtrail"


def test_only_a_parsed_record_is_late() -> None:
    deep = call(1, "DeleteGuardrail", requestParameters={"a": {"b": {"c": {"d": {}}}}})
    progress, outputs = ingest(depth=4).step(Progress(), chunk([call(7200), deep]))
    assert reasons(outputs) == [("file:in.ndjson#2", "too-deep")]
    assert told(outputs, "late") == []
    assert (progress.rejected, progress.late) == (1, 0)


def test_a_part_without_documents_is_one_reject() -> None:
    fault = Fault("truncated", "the compressed file has no end", "ab" * 32, 77)
    progress, outputs = ingest().step(Progress(), chunk([call(1)], fault=fault, first=True))
    assert reasons(outputs) == [("file:in.ndjson#2", "truncated")]
    assert told(outputs, "reject")[0].body["size"] == 77
    assert (progress.read, progress.rejected) == (2, 1)
    unknown = chunk([], fault=fault, first=True)._replace(source="unknown")
    _, outputs = ingest().step(Progress(), unknown)
    assert told(outputs, "reject")[0].body["source"] == "unknown"


def test_records_are_numbered_through_a_file() -> None:
    step = ingest().step
    deleted = [call(n, "DeleteGuardrail") for n in range(3)]
    progress, outputs = step(Progress(), chunk(deleted[:2], first=True))
    assert [r.body["evidence"]["origin"] for r in told(outputs, "event")] == [
        "file:in.ndjson#1",
        "file:in.ndjson#2",
    ]
    _, outputs = step(progress, chunk(deleted[2:]))
    assert told(outputs, "event")[0].body["evidence"]["origin"] == "file:in.ndjson#3"
    _, outputs = step(progress, chunk(deleted[2:], first=True))  # the file was written anew
    assert told(outputs, "event")[0].body["evidence"]["origin"] == "file:in.ndjson#1"
    _, outputs = step(Progress(), chunk(deleted[2:], before=40))  # what was counted is forgotten
    assert told(outputs, "event")[0].body["evidence"]["origin"] == "file:in.ndjson#41"


def test_numbers_may_be_given() -> None:
    documents = [call(n, "DeleteGuardrail") for n in (5, 2)]
    fault = Fault("truncated", "", "", 0)
    progress, outputs = ingest().step(
        Progress(), chunk(documents, numbers=[5, 2, 9], fault=fault, first=True)
    )
    assert [(r.body["uid"], r.body["evidence"]["origin"]) for r in told(outputs, "event")] == [
        ("5", "file:in.ndjson#6"),
        ("2", "file:in.ndjson#3"),
    ]
    assert reasons(outputs) == [("file:in.ndjson#10", "truncated")]
    assert progress.numbers == {"file:in.ndjson": 3}


def test_files_that_were_read_long_ago_are_forgotten_first() -> None:
    step, progress = ingest().step, Progress()
    for n in range(FILES + 2):
        again = "file:0" if n == FILES else f"file:{n}"
        progress, _ = step(progress, chunk([call(0)], origin=again, first=n < FILES))
    assert len(progress.numbers) == FILES
    assert progress.numbers["file:0"] == 2  # read again of late, so it was kept
    assert "file:1" not in progress.numbers


def test_a_time_in_the_future_is_rejected_and_moves_nothing() -> None:
    received = NOON + 10 * SECOND
    documents = [call(10 + 5 * 60), call(11 + 5 * 60), call(1)]
    progress, outputs = ingest().step(Progress(), chunk(documents, received=received))
    (refused,) = told(outputs, "reject")
    assert refused.body["reason"] == "time-in-future"
    assert refused.body["origin"] == "file:in.ndjson#2"
    assert refused.body["detail"] == (
        "2026-03-02T12:05:11.000000Z lies after 2026-03-02T12:05:10.000000Z"
    )
    assert progress.latest == NOON + 310 * SECOND
    assert (progress.read, progress.rejected, progress.late) == (3, 1, 0)


def test_each_record_of_a_time_in_the_future_is_refused() -> None:
    documents = [call(10 + 5 * 60)] + [call(11 + 5 * 60)] * 2 + [call(10 + 5 * 60)]
    progress, outputs = ingest().step(Progress(), chunk(documents, received=NOON + 10 * SECOND))
    assert reasons(outputs) == [
        ("file:in.ndjson#2", "time-in-future"),
        ("file:in.ndjson#3", "time-in-future"),
    ]
    assert (progress.read, progress.rejected, progress.late) == (4, 2, 0)


def test_of_finite_files_the_bound_is_given_or_there_is_none() -> None:
    documents = [call(0), call(100 * 365 * 86400), call(1)]
    progress, outputs = ingest(not_after=NOON + SECOND).step(Progress(), chunk(documents))
    assert reasons(outputs) == [("file:in.ndjson#2", "time-in-future")]
    assert progress.latest == NOON + SECOND
    progress, outputs = ingest().step(Progress(), chunk(documents))
    assert reasons(outputs) == []
    assert progress.late == 1


def model(time: int, uid: str = "e", kind: str = "probe") -> bytes:
    entity = {"entity": "principal:ann"}
    return orjson.dumps({"uid": uid, "time": time, "type": kind, **entity})


def test_sources_without_a_vendor_form_are_judged_alike() -> None:
    documents = [model(0, "a"), model(100, "b"), model(90, "c"), model(89, "d"), b"{"]
    progress, outputs = ingest().step(Progress(), chunk(documents)._replace(source="fast"))
    assert [r.body["detection"] for r in told(outputs, "signal")] == ["form"] * 4
    assert [r.body["origin"] for r in told(outputs, "late")] == ["file:in.ndjson#4"]
    assert reasons(outputs) == [("file:in.ndjson#5", "truncated")]
    assert (progress.read, progress.rejected, progress.late) == (5, 1, 1)
    future = chunk([model(1000)], received=START)._replace(source="fast")
    _, outputs = ingest().step(Progress(), future)
    (refused,) = told(outputs, "reject")
    data = model(1000)
    assert (refused.body["reason"], refused.body["size"], refused.body["sha256"]) == (
        "time-in-future",
        len(data),
        sha256(data).hexdigest(),
    )


def test_the_lateness_of_an_input_replaces_that_of_its_source() -> None:
    progress, _ = ingest(lateness=10 * SECOND).step(
        Progress(), chunk([call(100), call(90), call(89)])
    )
    assert progress.late == 1
    assert progress.watermark == NOON + 90 * SECOND


def test_only_what_matched_or_speaks_of_ai_is_normalised() -> None:
    asked = call(1, "ListFoundationModels", eventSource="bedrock.amazonaws.com")
    progress, outputs = ingest().step(Progress(), chunk([call(0), asked]))
    assert [r.body["uid"] for r in told(outputs, "event")] == ["1"]
    assert told(outputs, "signal") == []
    assert progress.read == 2


def test_an_idle_input_is_moved_by_a_tick() -> None:
    stage = ingest()
    progress, outputs = stage.step(Progress(), chunk([call(0)]))
    assert ticks(outputs) == [Tick("in", 0, NOON - LATENESS, NOON - LATENESS)]
    progress, outputs = stage.tick(progress, Tick("in", 0, NOON, NOON))
    assert outputs == [Tick("in", 0, NOON, NOON)]
    assert stage.tick(progress, Tick("in", 0, NOON - 1, NOON - 1)) == (progress, [])  # none back
    progress, outputs = stage.step(progress, chunk([call(-1), call(0)]))
    assert len(told(outputs, "late")) == 1  # one second before noon is late now
    assert ticks(outputs) == []
    _, outputs = stage.tick(progress, Tick("in", 0, END, NOON + 5))
    assert outputs == [Tick("in", 0, END, NOON + 5)]


def test_a_step_changes_nothing() -> None:
    stage, progress = ingest(), Progress()
    documents = [call(n * 600, "DeleteGuardrail") for n in (0, 3, 1)]
    first = stage.step(progress, chunk(documents))
    assert progress == Progress()
    assert progress.watermark == BEGINNING
    assert stage.step(progress, chunk(documents)) == first


TIMES = st.integers(-3 * 3600, 3 * 3600)
CALLS = st.builds(
    call,
    TIMES,
    st.sampled_from(["GetObject", "DeleteGuardrail", "AuthorizeSecurityGroupIngress"]),
    st.integers(0, 99),
)
NO_RECORDS = st.sampled_from(
    [
        b"<html>",
        b'{"Records":[]}',
        b'{"a":1}',
        call(0, "DeleteGuardrail", eventTime="never"),
        call(5, "DeleteGuardrail", eventSource=None),
        call(-9999, "DeleteGuardrail", requestParameters=[[[[[[[[]]]]]]]]),
    ]
)
ENVELOPES = st.lists(CALLS, max_size=4).map(lambda calls: envelope(*calls))


@given(
    documents=st.lists(st.one_of(CALLS, CALLS, ENVELOPES, NO_RECORDS), max_size=25),
    cuts=st.lists(st.integers(0, 25)),
)
def test_where_batches_are_cut_changes_nothing(documents: list[bytes], cuts: list[int]) -> None:
    stage = ingest(depth=6)
    whole, once = stage.step(Progress(), chunk(documents))
    progress, outputs = Progress(), list[Output]()
    bounds = [0, *sorted(min(cut, len(documents)) for cut in cuts), len(documents)]
    for start, end in pairwise(bounds):
        progress, said = stage.step(progress, chunk(documents[start:end]))
        outputs += said
    assert progress == whole
    assert _sorted(outputs) == _sorted(once)
    assert ticks(outputs)[-1:] == ticks(once)
    assert whole.rejected == len(told(once, "reject"))
    assert whole.late == len(told(once, "late")) <= whole.read - whole.rejected


def _sorted(outputs: Sequence[Output]) -> list[str]:
    return sorted(repr(output) for output in outputs if not isinstance(output, Tick))
