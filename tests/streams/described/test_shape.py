import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.described.shape import shapes, within

ANSWER = b'{"Next": 1, "Endpoints": [{"Name": "a", "Tags": [{"Key": "k"}], "On": true}, {"X": 1}]}'


def test_the_first_record_of_each_list() -> None:
    assert shapes(ANSWER) == {
        (): {"Next": "", "Endpoints": ""},
        ("Endpoints",): {"Name": "a", "Tags": "", "On": ""},
        ("Endpoints", "Tags"): {"Key": "k"},
    }


def test_only_in_lists_that_hold_records() -> None:
    assert [name for name, _ in within(ANSWER, {"Endpoints"})] == ["", "Endpoints"]
    assert list(within(b"1,2", {"Endpoints"})) == []


@pytest.mark.parametrize(
    ("head", "keys"),
    [
        (b'[{"a": "x\\"}", "b": 1}, {"c": 2}]', {"a": 'x\\"}', "b": ""}),
        (b'[[{"a": {}}], {"b": 1}]', {"a": ""}),
        (b'{"a": "x", "b": "cut', {"a": "x", "b": ""}),
        (b'{"a": 1}\n{"b": 2}', {"a": ""}),
        (b'{"a": 1, "b": "y", "a": "z"}', {"a": "z", "b": "y"}),
    ],
)
def test_the_keys_of_the_first_record(head: bytes, keys: dict[str, str]) -> None:
    assert shapes(head)[()] == keys


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), JSON), st.integers(0, 400))
def test_a_head_may_be_cut_anywhere(record: dict[str, object], at: int) -> None:
    """What is found in a part is in the whole, and of the whole all keys are found."""
    document = orjson.dumps(record)
    spelt = {orjson.dumps(key)[1:-1].decode() for key in record}
    assert set(shapes(document).get((), {})) == spelt
    assert set(shapes(document[:at]).get((), {})) <= spelt


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\a', max_size=60).map(str.encode))
def test_anything_has_a_shape(head: bytes) -> None:
    assert isinstance(shapes(head), dict)
