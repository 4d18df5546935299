from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.kafka import state
from streams.kafka.state import PIECE, Saved
from streams.kafka.wire import Record


def compacted(records: list[Record]) -> list[tuple[bytes, bytes]]:
    """What a compacted topic holds of them."""
    newest = {record.key or b"": record.value for record in records}
    return [(key, value) for key, value in newest.items() if value is not None]


VALUES = st.dictionaries(
    st.binary(min_size=1, max_size=3), st.none() | st.binary(max_size=8), max_size=4
)


@given(st.lists(VALUES, max_size=6))
@settings(max_examples=50)
def test_what_was_saved_last_is_loaded(batches: list[dict[bytes, bytes | None]]) -> None:
    saved, records, want = Saved(), list[Record](), dict[bytes, bytes]()
    for batch in batches:
        records += saved.changes(batch)
        for key, value in batch.items():
            if value is None:
                want.pop(key, None)
            else:
                want[key] = value
    assert dict(Saved().loaded(compacted(records))) == want


def test_what_has_not_changed_is_not_written_again() -> None:
    saved = Saved()
    assert len(list(saved.changes({b"a": b"1", b"b": b"2"}))) == 2
    assert list(saved.changes({b"a": b"1"})) == []
    assert [record.key for record in saved.changes({b"a": b"3", b"b": b"2"})] == [b"a"]
    assert list(saved.changes({b"c": None})) == []
    assert b"a" in saved
    assert len(saved) == 2


def test_a_large_value_is_cut_and_shrinks_again() -> None:
    saved, large = Saved(), Random(1).randbytes(2 * PIECE + 1)  # does not compress
    records = list(saved.changes({b"a": large}))
    assert len(records) == 3
    assert max(len(record.value or b"") for record in records) <= PIECE + 5
    assert dict(Saved().loaded(compacted(records))) == {b"a": large}
    records += saved.changes({b"a": b"small"})
    assert [record.value for record in records[-2:]] == [None, None]
    assert dict(Saved().loaded(compacted(records))) == {b"a": b"small"}
    records += saved.changes({b"a": large})
    records += saved.changes({b"a": None})
    assert compacted(records) == []


def test_a_large_value_that_compresses_is_one_record() -> None:
    records = list(Saved().changes({b"a": b"x" * (4 * PIECE)}))
    assert len(records) == 1
    assert len(records[0].value or b"") < PIECE
    assert dict(Saved().loaded(compacted(records))) == {b"a": b"x" * (4 * PIECE)}


def test_what_was_loaded_is_known() -> None:
    records = list(Saved().changes({b"a": b"1"}))
    saved = state.Saved()
    list(saved.loaded(compacted(records)))
    assert list(saved.changes({b"a": b"1"})) == []
    assert [record.value for record in saved.changes({b"a": None})] == [None]
