import pytest

from schemas.config import Limits
from streams.records.excerpt import excerpt

LIMITS = Limits()


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"id":"a","more":[1,{"id":"b"}]}', {"id": "a"}),
        (b'{"id":"a","id":"b"}', {"id": "b"}),
        (b'{"id":null}\n', {"id": None}),
        (b'{"other":1}', {}),
        (b'{"id":5}', None),
        (b'{"id":["a"]}', None),
        (b'{"id":"\\u0061"}', None),
        (b'{"id":"a","x":"\\ud800"}', None),  # no text, which skipping does not notice
        (b'{"id":"a","x":' + b"[" * 500 + b"]" * 500 + b"}", None),
        (b"[]", None),
        (b"{", None),
    ],
)
def test_texts_of_a_record_or_none_where_all_of_it_must_be_read(
    data: bytes, found: dict[str, str | None] | None
) -> None:
    assert excerpt(frozenset({"id"}), LIMITS)(data) == found
