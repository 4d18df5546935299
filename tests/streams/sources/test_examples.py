"""Each source has examples in our own words; what holds of every source is held to them.

`examples/<source>.<anything>` is read without a reject, unless its name has `.bad.` in it: then
every record of it is one. A text `do-not-store` in an example is content: no Event may keep it.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from correlators.normal import CONTENT
from schemas.canonical import canonical
from schemas.config import Limits
from schemas.entity import KINDS
from schemas.event import Reject
from streams.reading import Outcome, outcomes
from streams.records.documents import open_documents
from streams.source import HEAD, event_attributes, named, names, sources
from tests.streams.sources.conftest import Damage, Read

FOLDER = Path(__file__).parent / "examples"
EXAMPLES = sorted(path.name for path in FOLDER.iterdir())
PLACES = 20  # of a document, in which something odd is put
GOOD = [name for name in EXAMPLES if ".bad." not in name]


def source_of(name: str) -> str:
    return name.partition(".")[0]


def found(name: str) -> list[Outcome]:
    return list(outcomes(str(FOLDER / name), Limits(), named(source_of(name))))


def test_every_source_has_an_example() -> None:
    without = set(names()) - {source_of(name) for name in EXAMPLES}
    assert not without, f"write {FOLDER.name}/<name>.json, .jsonl or the like for {without}"
    unknown = {source_of(name) for name in EXAMPLES} - set(names())
    assert not unknown, f"an example is named <source>.<anything>, no source is called {unknown}"


@pytest.mark.parametrize("name", GOOD)
def test_one_source_knows_it(name: str) -> None:
    with open_documents(FOLDER / name, Limits()) as documents:
        assert documents.source is not None
        assert source_of(name) == documents.source.NAME
    head = (FOLDER / name).read_bytes()[:HEAD]
    assert [one.NAME for one in sources().values() if one.sniff(head)] == [source_of(name)]


@pytest.mark.parametrize("name", GOOD)
def test_all_of_it_is_read(name: str) -> None:
    for result, _ in found(name):
        assert not isinstance(result, Reject), result
        event = result.event
        assert event.source == source_of(name)
        assert event.entities, "an event is about something: an account where there is no more"
        assert {one.kind for one in event.entities} <= set(KINDS)
        stored = canonical(event.body())
        assert b"do-not-store" not in stored, "content belongs into Parsed.private, or nowhere"
        assert event.class_name
        known = event_attributes(named(source_of(name)))
        if known is not None and "*" not in known:
            given = event.attributes.keys() | result.private.keys()
            assert given <= known | CONTENT, "these names are not in ATTRIBUTES"


@pytest.mark.parametrize("name", sorted({*EXAMPLES} - {*GOOD}))
def test_all_of_it_is_rejected(name: str) -> None:
    for result, _ in found(name):
        assert isinstance(result, Reject)
        assert result.reason != "defect"


@pytest.mark.parametrize("name", GOOD)
def test_twice_is_once(name: str) -> None:
    """The same record has the same uid, wherever it lies."""
    uids = [one.result.event.uid for one in found(name) if not isinstance(one.result, Reject)]
    again = [one.result.event.uid for one in found(name) if not isinstance(one.result, Reject)]
    assert uids == again
    assert len(set(uids)) == len(uids)


@pytest.mark.parametrize("name", GOOD)
def test_what_no_store_takes_is_rejected_or_left_out(read: Read, name: str) -> None:
    """A number of 30 digits and half a character, in one place after the other."""
    for odd in (b"123456789012345678901234567890", b'"\\ud83d"', b'"' + b"9" * 30 + b'"'):
        for document in spoilt(name, odd):
            for result, _ in read(named(source_of(name)), document):
                assert not isinstance(result, Reject) or result.reason != "defect", result


def spoilt(name: str, odd: bytes) -> Iterator[bytes]:
    """The example, or each line of it, with `odd` in place of one of its values."""
    for document in decoded(name)[1]:
        places = list(leaves(document))
        for holder, key in places[:: len(places) // PLACES + 1]:
            kept, holder[key] = holder[key], "@odd@"
            yield orjson.dumps(document).replace(b'"@odd@"', odd)
            holder[key] = kept


def leaves(value: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - JSON
    """Where each value that holds no others lies: what holds it, and its key there."""
    for key, one in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(one, dict | list):
            yield from leaves(one)
        else:
            yield value, key


@pytest.mark.parametrize("source", sorted({source_of(name) for name in GOOD}))
@given(data=st.data())
def test_damaged_records_are_no_crash(
    read: Read, damaged: Damage, source: str, data: st.DataObject
) -> None:
    """One line or one file of the examples of a source at a time."""
    name = data.draw(st.sampled_from([one for one in GOOD if source_of(one) == source]))
    whole, documents = decoded(name)
    if not documents:  # a table or a log: cut it
        at = data.draw(st.integers(0, len(whole)))
        read(named(source), whole[:at] + bytes([data.draw(st.integers(0, 255))]))
        return
    for result, _ in read(named(source), damaged(data, data.draw(st.sampled_from(documents)))):
        assert not isinstance(result, Reject) or result.reason != "defect", result


@cache
def decoded(name: str) -> tuple[bytes, list[Any]]:
    """An example, and what it or each of its lines says, where that is JSON."""
    whole = (FOLDER / name).read_bytes()
    for parts in ([whole], whole.splitlines()):
        with suppress(orjson.JSONDecodeError):
            return whole, [orjson.loads(part) for part in parts]
    return whole, []
