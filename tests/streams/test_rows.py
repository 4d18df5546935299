from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rows import rows
from streams.source import Unreadable


def test_a_row_has_its_exact_bytes() -> None:
    found = list(rows(b'\xef\xbb\xbfa,b\r\n1,"x\ny, z"\r\n\r\n2\n3,4,5'))
    assert [raw.data for raw in found] == [b'1,"x\ny, z"', b"2", b"3,4,5"]
    assert [raw.record for raw in found] == [
        {"a": "1", "b": "x\ny, z"},
        {"a": "2"},
        {"a": "3", "b": "4"},
    ]


def test_names_may_be_given() -> None:
    (found,) = rows(b"1,2", ("a", "b"), "context")
    assert (found.record, found.context) == ({"a": "1", "b": "2"}, "context")


def test_a_cell_without_bound_is_none() -> None:
    (found,) = rows(b"a\n" + b"x" * 200_000)
    assert found.record == {}


@pytest.mark.parametrize(("document", "reason"), [(b"\xff\n", "encoding"), (b"", "empty")])
def test_what_is_no_table(document: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        rows(document)
    assert error.value.reason == reason


@given(st.binary(max_size=200))
def test_no_bytes_are_a_crash(document: bytes) -> None:
    with suppress(Unreadable):
        assert all(isinstance(raw.record, dict) for raw in rows(document))
