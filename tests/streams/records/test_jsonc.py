import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.records.jsonc import plain


@pytest.mark.parametrize(
    ("document", "value"),
    [
        (b'{"a": 1, // one\n "b": [1, 2,], }', {"a": 1, "b": [1, 2]}),
        (b'/* x, */ {"u": "https://a.example/,]", /* ] */ }', {"u": "https://a.example/,]"}),
        (b'{"a": "\\"//"}', {"a": '"//'}),
        (b"[]", []),
    ],
)
def test_comments_and_commas_go(document: bytes, value: object) -> None:
    assert orjson.loads(plain(document)) == value
    assert len(plain(document)) == len(document)


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_json_stays_as_it_is(value: object) -> None:
    document = orjson.dumps(value)
    assert plain(document) == document
