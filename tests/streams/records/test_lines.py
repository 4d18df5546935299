from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.records.lines import Lines, untrimmed


def test_lines_are_trimmed_and_none_is_blank() -> None:
    lines = Lines([b" {}\r\n", b"\n", b"", b" \t\x0b\n", b"5\n", b"x"])
    assert list(lines) == [b"{}", b"5", b"x"]
    assert lines == [b"{}", b"5", b"x"]
    assert (len(lines), lines[0], lines[-1], list(lines[1:])) == (3, b"{}", b"x", [b"5", b"x"])
    assert untrimmed(lines) == [b" {}\r\n", b"5\n", b"x"]
    assert untrimmed([b"a "]) == [b"a "]
    with pytest.raises(IndexError):
        lines[3]


@given(st.text("a \r\n\t", max_size=30).map(str.encode))
def test_any_text_gives_what_is_left_of_each_line(text: bytes) -> None:
    expected = [line.strip() for line in text.split(b"\n") if line.strip()]
    assert list(Lines(BytesIO(text).readlines())) == expected
