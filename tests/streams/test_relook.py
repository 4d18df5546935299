"""What a finding shows of a record is what its Event says, whichever way it is asked for."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from correlators.claims import cited
from schemas.config import Limits
from schemas.errors import Mistake
from streams.reading import outcomes
from streams.relook import File, citations, events
from streams.source import Parsed, Source, named, names
from tests.streams.trail import call, envelope

EXAMPLES = Path(__file__).parent / "sources/examples"


def tells(source: Source) -> bool:
    return source.NARROW is not None and source.NARROW.entities is not None


TELLING = [
    path.name
    for path in sorted(EXAMPLES.iterdir())
    if path.name.partition(".")[0] in {name for name in names() if tells(named(name))}
]


def test_some_source_tells_its_entities_alone() -> None:
    assert "cloudtrail.jsonl" in TELLING


@pytest.mark.parametrize("name", TELLING)
def test_a_source_tells_what_its_events_have(name: str) -> None:
    source = named(name.partition(".")[0])
    found = [one.result for one in outcomes(str(EXAMPLES / name), Limits(), source)]
    file = File(str(EXAMPLES / name), Limits(), source, plain=False)
    numbers = range(1, len(found) + 1)
    expected = [
        (number, cited(one.event))
        for number, one in zip(numbers, found, strict=True)
        if isinstance(one, Parsed)
    ]
    assert list(citations(file, numbers)) == expected
    assert [(number, cited(event)) for number, event in events(file, numbers)] == expected


@pytest.mark.parametrize("plain", [False, True])
def test_records_are_found_by_number_and_unreadable_ones_left_out(
    tmp_path: Path, *, plain: bool
) -> None:
    lines = [call(1), call(2, "PutObject"), orjson.dumps({"eventID": "3"}), call(4)]
    path = tmp_path / "trail.ndjson"
    path.write_bytes(b"  \n".join(lines) + b"\n")
    file = File(str(path), Limits(), named("cloudtrail"), plain)
    assert [number for number, _ in citations(file, [4, 3, 1])] == [1, 4]
    assert [number for number, _ in events(file, [4, 3, 1])] == [1, 4]
    shown = dict(citations(file, [2]))[2]
    assert (shown.uid, shown.weakness) == ("2", None)
    assert shown.entities == [
        "principal:arn:aws:iam::111122223333:user/ann",
    ]


def test_records_of_an_envelope_are_numbered_too(tmp_path: Path) -> None:
    path = tmp_path / "trail.json"
    path.write_bytes(envelope(call(1), call(2), call(3)))
    file = File(str(path), Limits(), None, plain=False)
    assert [(number, one.uid) for number, one in citations(file, [3, 2])] == [(2, "2"), (3, "3")]


def test_a_record_that_is_gone_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "trail.ndjson"
    path.write_bytes(call(1) + b"\n")
    with pytest.raises(Mistake, match="changed while it was read, from record 2 on"):
        list(citations(File(str(path), Limits(), named("cloudtrail"), plain=True), [1, 2]))
