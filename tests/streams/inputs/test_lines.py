"""Complete lines of a growing file, in bounded reads."""

from tempfile import TemporaryFile

from hypothesis import given
from hypothesis import strategies as st

from streams.inputs.lines import complete_lines

LONGEST = 50


def lines(
    data: bytes, offset: int = 0, records: int = 99, size: int = 99
) -> tuple[list[bytes], int]:
    with TemporaryFile() as file:
        file.write(data)
        file.flush()
        return complete_lines(file.fileno(), offset, len(data), records, size, LONGEST)


def test_only_whole_lines_are_given() -> None:
    assert lines(b"one\ntwo\nthr") == ([b"one", b"two"], 8)
    assert lines(b"thr", 0) == ([], 0)
    assert lines(b"one\ntwo\nthr", 8) == ([], 8)


def test_blank_lines_and_line_ends_of_windows_are_left_out() -> None:
    assert lines(b"one\r\n\r\n  \ntwo\n") == ([b"one", b"two"], 14)


def test_what_comes_after_the_end_waits() -> None:
    with TemporaryFile() as file:
        file.write(b"one\ntwo\n")
        file.flush()
        assert complete_lines(file.fileno(), 0, 4, 99, 99, LONGEST) == ([b"one"], 4)


def test_the_limits_hold() -> None:
    assert lines(b"1\n2\n3\n", records=2) == ([b"1", b"2"], 4)
    assert lines(b"1\n2\n3\n", size=5) == ([b"1", b"2"], 4)


def test_a_line_that_passes_the_limit_of_bytes_comes_alone() -> None:
    assert lines(b"123456789\n1\n", size=4) == ([b"123456789"], 10)


def test_a_line_that_is_too_long_comes_in_pieces() -> None:
    data = b"x" * 60 + b"\n1\n"
    assert lines(data, size=4) == ([b"x" * 51], 51)
    assert lines(data, offset=51, size=4) == ([b"x" * 9], 61)


@given(st.binary(max_size=200), st.integers(1, 5), st.integers(1, 30))
def test_however_it_is_cut_every_line_comes_once(data: bytes, records: int, size: int) -> None:
    data = data.replace(b"\r", b"") + b"\n"
    found: list[bytes] = []
    with TemporaryFile() as file:
        file.write(data)
        file.flush()
        offset = 0
        while offset < len(data):
            part, offset = complete_lines(
                file.fileno(), offset, len(data), records, size, longest=1000
            )
            assert len(part) <= records
            found += part
    assert found == [line for line in map(bytes.strip, data.split(b"\n")) if line]
