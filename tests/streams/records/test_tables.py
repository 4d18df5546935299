import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.records.tables import rows
from streams.source import Unreadable

CELLS = st.text(alphabet="ab ,;\"\n'é", max_size=8)


@pytest.mark.parametrize(
    ("document", "records"),
    [
        (b"a,b\n1,2\n", [{"a": "1", "b": "2"}]),
        (b"a;b\r\n1,x;2\r\n\r\n", [{"a": "1,x", "b": "2"}]),
        (b"\xef\xbb\xbfa,b\n,2", [{"b": "2"}]),
        (b'a,b\n"1\n2","3""4"\n', [{"a": "1\n2", "b": '3"4'}]),
        (b"a,b\n1\n1,2,3\n", [{"a": "1"}, {}]),
        (b'a,b\n1,"2\n', [{"a": "1", "b": "2\n"}]),
        (b"a,b", []),
    ],
)
def test_rows(document: bytes, records: list[dict[str, str]]) -> None:
    assert [raw.record for raw in rows(document)] == records


def test_a_row_is_its_exact_bytes() -> None:
    document = b'a,b\r\n"1\r\n2", 3\r\n4,5\r\n'
    assert [raw.data for raw in rows(document)] == [b'"1\r\n2", 3', b"4,5"]


def test_a_context_is_that_of_each_row() -> None:
    assert [raw.context for raw in rows(b"a\n1\n2", context="x")] == ["x", "x"]


def test_a_cell_that_is_too_large_costs_its_row_alone() -> None:
    document = b"a,b\n" + b"x" * 200_000 + b",1\n2,3\n"
    assert [raw.record for raw in rows(document)] == [{}, {"a": "2", "b": "3"}]


@pytest.mark.parametrize(("document", "reason"), [(b"", "wrong-shape"), (b"a\xff", "encoding")])
def test_what_is_no_table(document: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        list(rows(document))
    assert error.value.reason == reason


@given(st.lists(st.lists(CELLS.filter(str.strip), min_size=3, max_size=3), max_size=5))
def test_what_the_standard_writes_is_read(table: list[list[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerows([["x", "y", "z"], *table])
    found = [raw.record for raw in rows(text.getvalue().encode())]
    assert found == [dict(zip("xyz", row, strict=True)) for row in table]
