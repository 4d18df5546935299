"""What the tests of all sources share: documents that strangers damaged, and how they are read."""

from collections.abc import Callable
from typing import Any, get_args

import orjson
import pytest
from hypothesis import strategies as st

from schemas.canonical import canonical
from schemas.config import Limits
from schemas.event import Event, Reject
from streams.reading import Outcome, Reader
from streams.source import Reason, Source

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "arn:", "9999999999999999999", "2026-02-30T00:00:00Z", "\x00\x1b[2J"]
    ),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)

Read = Callable[[Source, bytes], list[Outcome]]
Damage = Callable[[st.DataObject, Any], bytes]


@pytest.fixture(scope="session")
def read() -> Read:
    """Return the outcomes of a document, each checked for what must hold of every one."""

    def outcomes(source: Source, document: bytes) -> list[Outcome]:
        found = list(Reader(source, "file:x", Limits()).read(document, 0))
        for number, (result, _) in enumerate(found, 1):
            if isinstance(result, Reject):
                assert result.reason in get_args(Reason)
                assert result.detail
                place, source_name = result.origin, result.source
            else:
                place, source_name = result.event.evidence.origin, result.event.source
                body = result.event.body()
                assert Event.model_validate(orjson.loads(canonical(body))) == result.event
            assert place == f"file:x#{number}"
            assert source_name == source.NAME
        return found

    return outcomes


@pytest.fixture(scope="session")
def damaged() -> Damage:
    """Return a JSON document with a few values replaced, keys lost or bytes changed."""

    def damage(data: st.DataObject, value: Any) -> bytes:  # noqa: ANN401 - JSON
        value = orjson.loads(orjson.dumps(value))
        for _ in range(data.draw(st.integers(0, 4))):
            value = _changed(data, value)
        document = bytearray(orjson.dumps(value))
        if data.draw(st.integers(0, 9)) == 0:
            at = data.draw(st.integers(0, len(document) - 1))
            if data.draw(st.booleans()):
                document[at] = data.draw(st.integers(0, 255))
            else:
                del document[at:]
        return bytes(document)

    return damage


def _changed(data: st.DataObject, value: Any) -> Any:  # noqa: ANN401 - JSON
    """Change one value somewhere inside; deep ones as likely as shallow ones."""
    if not isinstance(value, dict | list) or not value or data.draw(st.integers(0, 5)) == 0:
        return data.draw(_VALUES)
    keys = sorted(value) if isinstance(value, dict) else range(len(value))
    key = data.draw(st.sampled_from(keys))
    if data.draw(st.integers(0, 9)) == 0:
        del value[key]
    else:
        value[key] = _changed(data, value[key])
    return value
