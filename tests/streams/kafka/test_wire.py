from __future__ import annotations

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.rows import Delete, Result, Row, Tick
from schemas.times import BEGINNING, END
from streams.kafka import wire

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
INTEGER = st.integers(-(2**63), 2**63 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
BODY = st.dictionaries(TEXT, JSON, max_size=4)
TIME = st.integers(BEGINNING, END)
ROW = st.builds(Row, st.just("facts"), st.integers(0, 9), TEXT, TIME, TEXT, TEXT, BODY)


def arrived(record: wire.Record) -> Row | Delete | Tick:
    return wire.received("facts", record.key, record.value, record.headers)


@given(ROW)
def test_a_row_arrives_as_it_was_sent(row: Row) -> None:
    assert arrived(wire.row(row)) == row


@given(ROW)
def test_so_does_what_takes_it_back(row: Row) -> None:
    delete = Delete(row.topic, row.level, row.key, row.time, row.id)
    assert arrived(wire.row(delete)) == delete


def test_a_tick_has_no_key_and_may_lie_at_the_end_of_time() -> None:
    tick = Tick("raw.cloudtrail/0", 0, END, BEGINNING)
    record = wire.tick(tick)
    assert record.key is None
    assert orjson.loads(record.value or b"") == {
        "input": "raw.cloudtrail/0",
        "level": 0,
        "watermark": 2**62,
        "clock": -(2**62),
    }
    assert arrived(record) == tick


@pytest.mark.parametrize(
    "record",
    [
        wire.Record(None, None),
        wire.Record(b"k", b"{", ((wire.SCHEMA, b"row"),)),
        wire.Record(b"k", b"{}", ((wire.SCHEMA, b"tick"),)),
        wire.Record(b"k", b'{"level":0}', ((wire.SCHEMA, b"alert"),)),
        wire.row(Row("facts", 0, "k", END + 1, "i", "edge", {})),
        wire.tick(Tick("raw.cloudtrail/0", 0, BEGINNING - 1, 0)),
    ],
)
def test_what_is_no_row_is_refused(record: wire.Record) -> None:
    with pytest.raises(msgspec.DecodeError):
        arrived(record)


def test_a_key_that_is_no_text_is_refused() -> None:
    value = wire.row(Row("facts", 0, "k", 1, "i", "edge", {})).value
    with pytest.raises(UnicodeDecodeError):
        arrived(wire.Record(b"\xff", value, ((wire.SCHEMA, b"row"),)))


def test_a_result_arrives_as_it_was_sent() -> None:
    result = Result("alert", "a1", 7, "settled", {"id": "a1", "title": "x"})
    record = wire.result(result)
    assert wire.result_of(record.key, record.value, record.headers, 7) == result
    assert wire.topic_of("alert") == "alerts"
    assert wire.topic_of("asset") == "history"


def test_a_row_is_no_result() -> None:
    record = wire.row(Row("facts", 0, "k", 1, "i", "edge", {}))
    assert wire.result_of(record.key, record.value, record.headers, 7) is None


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"{torn", {"record": "{torn"}),
        (b"\xff\x00", {"record_base64": "/wA="}),
        (b"x" * (wire.RAW_BYTES + 1), {"record": "x" * wire.RAW_BYTES, "truncated": True}),
    ],
)
def test_a_dead_letter_holds_the_record_within_a_bound(raw: bytes, kept: dict[str, object]) -> None:
    reject = Result("reject", "kafka:t/0/1", BEGINNING, "final", {"reason": "not-json"})
    record = wire.dead_letter(reject, raw)
    assert orjson.loads(record.value or b"") == {"reason": "not-json"} | kept
    assert wire.result_of(record.key, record.value, record.headers, BEGINNING) == reject
