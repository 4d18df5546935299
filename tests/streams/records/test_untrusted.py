from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.config import Limits
from schemas.entity import MAX_ID, Entity
from schemas.event import Event
from schemas.times import parse
from streams.records.untrusted import (
    LONGEST,
    MOST,
    decode,
    distinct,
    edge,
    entity,
    listing,
    mapping,
    moment,
    number,
    opened,
    plain,
    sane,
    secret,
    slices,
    text,
)
from streams.source import Unreadable

LIMITS = Limits(depth=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize("data", [b"[[[1]]]", b'{"a":{"b":{}}}', b'"[[[[[[[["', b" 7 ", b"null"])
def test_decode(data: bytes) -> None:
    assert decode(data, LIMITS) == msgspec.json.decode(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"[[[[1]]]]", "too-deep"),
        (b'{"a":[{"b":[]}]}', "too-deep"),
        (b"[" * 1_000_000, "too-deep"),
        (b'{"a":' * 1_000_000, "too-deep"),
        (b'{"a":', "truncated"),
        (b'{"a":"b', "truncated"),
        (b'{"a":1} x', "not-json"),
        (b"nonsense", "not-json"),
        (b"[1e999]", "not-json"),
        (b"[NaN]", "not-json"),
        (b"\x00\x00", "not-json"),
        (b'{"a":"\xe9"}', "encoding"),
        ('{"a":1}'.encode("utf-16"), "encoding"),
        (b"\xef\xbb\xbf{}", "encoding"),
        (b'"\\ud800"', "encoding"),
    ],
)
def test_what_cannot_be_decoded(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        decode(data, LIMITS)
    assert error.value.reason == reason
    assert error.value.detail


class _Envelope(msgspec.Struct):
    a: str = ""
    b: list[msgspec.Raw] = []


ENVELOPE = msgspec.json.Decoder(_Envelope)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ('{"a": [1]}', {"a": [1]}),
        (' [1, "b"]', [1, "b"]),
        ("7", "7"),
        ("plain words", "plain words"),
        ('{"a": ', None),
        ("[" * 1000 + "]" * 1000, None),
        ({"a": "{}"}, {"a": "{}"}),
        (7, 7),
        (None, None),
    ],
)
def test_a_text_that_holds_an_object_or_list_is_what_it_holds(value: object, what: object) -> None:
    assert opened(value) == what


def test_slices_are_exact() -> None:
    found = slices(b'{"x":"\xff", "b":[ {"c" : 1} ,2]}', ENVELOPE)
    assert [bytes(one) for one in found.b] == [b'{"c" : 1}', b"2"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"[]", "wrong-shape"),
        (b'{"a":7}', "wrong-shape"),
        (b"", "empty"),
        (b'{"b":[1', "truncated"),
        (b'{"b":[1,]}', "not-json"),
        (b'{"a":"\xff"}', "encoding"),
        (b'{"a":"\xff', "truncated"),
        (b'{"x":"\\udc00 and more"}', "encoding"),
        (b'{"x":' + b"[" * 1_000_000, "too-deep"),
    ],
)
def test_what_cannot_be_sliced(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        slices(data, ENVELOPE)
    assert error.value.reason == reason


@given(JSON)
def test_no_value_is_a_crash(value: Any) -> None:  # noqa: ANN401 - JSON
    assert isinstance(mapping(value), dict)
    assert isinstance(listing(value), list)
    assert len(text(value) or "") <= LONGEST
    assert len(text(value, 3) or "") <= 3
    number(value)
    one = entity("tool", value, value)
    assert one is None or len(one.id) <= MAX_ID
    with suppress(Unreadable):
        moment(value)
    evidence = {"origin": "x", "sha256": "00"}
    Event.model_validate(
        {
            "uid": "1",
            "time": 0,
            "source": "x",
            "class_uid": 0,
            "class_name": "x",
            "activity": "x",
            "attributes": {"a": plain(value)},
            "evidence": evidence,
        }
    ).model_dump_json()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a", "a"),
        ("", None),
        (" \n", None),
        (7, "7"),
        (True, None),
        (1.5, None),
        (["a"], None),
        (None, None),
        ("x" * (LONGEST + 1), "x" * LONGEST),
    ],
)
def test_text(value: object, said: str | None) -> None:
    assert text(value) == said


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (2**63, str(2**63)),
        (2**63 - 1, 2**63 - 1),
        (float("inf"), None),
        (True, True),
        ([1, " ", "a"], [1, None, "a"]),
        ([0] * (MOST + 1), [0] * MOST),
        ({}, None),
        ({"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_plain(value: object, kept: object) -> None:
    assert plain(value) == kept


def test_moment() -> None:
    assert moment("2026-03-04T05:06:07Z") == parse("2026-03-04T05:06:07Z")
    assert moment("1990-01-01T00:00:00Z") == 631_152_000_000_000


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no-time"),
        ("", "no-time"),
        ("soon", "bad-time"),
        (1772600767, "bad-time"),
        ("1989-12-31T23:59:59Z", "bad-time"),
        ("0001-01-01T00:00:00+23:59", "bad-time"),
        ("2026-02-30T00:00:00Z", "bad-time"),
        (" " * 100 + "2026-03-04T05:06:07Z", "bad-time"),
    ],
)
def test_what_is_no_moment(value: object, reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        moment(value)
    assert error.value.reason == reason


def test_no_set_clock_showed_it() -> None:
    with pytest.raises(Unreadable):
        sane(2**62)


def test_entities_once_and_in_order() -> None:
    a, b, again = entity("agent", "a"), entity("agent", "b"), entity("agent", "a", "A")
    assert distinct([a, None, b, again]) == (
        Entity(kind="agent", id="a"),
        Entity(kind="agent", id="b"),
    )


def test_edge() -> None:
    a, b = Entity(kind="agent", id="a"), Entity(kind="tool", id="b")
    found = edge(a, "uses", b, declared=True)
    assert (found.from_, found.relation, found.to, found.declared) == (a, "uses", b, True)


@pytest.mark.parametrize(
    "value",
    [
        "Authorization: Bearer obviously-fake-token",
        "https://api.example/v1?api_key=obviously-fake",
        "https://api.example/v1?x=1&X-Amz-Signature=fake",
        "postgres://user:obviously-fake@db.example/x",
        "sk-obviously-fake-and-not-a-key",
        "-----BEGIN RSA PRIVATE KEY-----",
        "BASIC obviously-fake-words",
        "Ba\u017fic obviously-fake-words",  # a long s is an s in any case
        "rk_obviously_fake_and_not_a_key",
        "ghp_obviouslyfakeandno",
        "xoxb-obviously-fake",
        "AIzaobviouslyfakeandno",
        "eyJvYnZpb3VzbHk.eyJmYWtl",
    ],
)
def test_what_looks_like_a_secret(value: str) -> None:
    assert secret(value)


@pytest.mark.parametrize(
    "value",
    [
        "https://api.example/v1?page=2",
        "AKIAEXAMPLE0000001",
        "risk-based",
        "http://host:8080/a@b",
        "",
    ],
)
def test_what_does_not(value: str) -> None:
    assert not secret(value)


@pytest.mark.parametrize("start", ["https://", "?a_", "bearer ", "eyJ", "-----BEGIN ", "://a:"])
def test_no_text_makes_the_search_run_away(start: str) -> None:
    assert not secret(start * 100_000)


@pytest.mark.parametrize(("depth", "outcome"), [(900, "read"), (1_000, "too-deep")])
def test_how_deep_a_document_is_does_not_depend_on_who_reads_it(depth: int, outcome: str) -> None:
    """The recursion limit counts the callers too: they must not decide what is read."""
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    document = b'{"a":' + b"[" * depth + b"]" * depth + b"}"

    def below(frames: int) -> str:
        if frames:
            return below(frames - 1)
        try:
            slices(document, decoder)
        except Unreadable as error:
            return error.reason
        return "read"

    assert [below(frames) for frames in (0, 50, 200, 500)] == [outcome] * 4


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("[REDACTED]", False),
        ("<redacted>", False),
        ("***", False),
        ("HIDDEN_DUE_TO_SECURITY_REASONS", False),
        ("redacted-bucket", True),
        ("81.2.69.***", True),
    ],
)
def test_what_stands_for_a_name_that_was_taken_out_is_none(said: str, known: bool) -> None:  # noqa: FBT001 - a case
    assert (entity("principal", said) is not None) is known
