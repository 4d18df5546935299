"""Files that are read once to their end, as given or shuffled."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random

import orjson
import pytest

from schemas.config import Limits
from schemas.errors import Mistake
from schemas.times import MINUTE, SECOND
from streams.finite import FiniteFile, ShuffledFile, Shuffling
from streams.input import Chunk
from streams.source import named
from tests.streams.trail import NOON, call, envelope


def chunks(file: FiniteFile) -> list[Chunk]:
    found: list[Chunk] = []
    while (chunk := file.read()) is not None:
        found.append(chunk)
    assert file.read() is None
    return found


def uids(found: list[Chunk]) -> list[int]:
    return [int(orjson.loads(d)["eventID"]) for chunk in found for d in chunk.documents]


def test_a_file_comes_in_chunks_of_bounded_size(tmp_path: Path) -> None:
    path = tmp_path / "calls.ndjson"
    path.write_bytes(b"\n".join(map(call, range(25))))
    file = FiniteFile(str(path), Limits(batch_records=10), None)
    assert (file.name, file.source) == (f"file:{path}", named("cloudtrail"))
    found = chunks(file)
    assert [len(chunk.documents) for chunk in found] == [10, 10, 5]
    assert [chunk.first for chunk in found] == [True, False, False]
    assert uids(found) == list(range(25))
    assert {(c.source, c.origin, c.received, c.numbers) for c in found} == {
        ("cloudtrail", f"file:{path}", None, None)
    }


def test_no_file_stays_open_that_has_been_read(tmp_path: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    opened: list[FiniteFile] = []
    for n in range(20):
        (tmp_path / f"{n}.json").write_bytes(call(n))
        opened.append(FiniteFile(str(tmp_path / f"{n}.json"), Limits(), None))
        assert uids([opened[-1].read() or pytest.fail("there is a record")]) == [n]
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_an_unknown_format_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"remember the milk")
    file = FiniteFile(str(path), Limits(), None)
    assert file.source is None
    (chunk,) = chunks(file)
    assert (chunk.source, list(chunk.documents), chunk.first) == ("unknown", [], True)
    assert chunk.fault is not None
    assert chunk.fault.reason == "unknown-format"
    shuffled = ShuffledFile(str(path), Limits(), None, Shuffling(SECOND, Random(1)))
    assert chunks(shuffled) == [chunk]


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=r"cannot read .*: No such file or directory"):
        FiniteFile(str(tmp_path / "none"), Limits(), None)


def shuffled(path: Path, span: int, seed: int = 1, not_after: int | None = None) -> list[Chunk]:
    shuffling = Shuffling(span, Random(seed), not_after)
    return chunks(ShuffledFile(str(path), Limits(batch_records=16), None, shuffling))


def test_a_shuffled_file_has_the_same_records_with_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "calls.json.gz"
    path.write_bytes(gzip.compress(envelope(*map(call, range(60)))))
    found = shuffled(path, 10 * SECOND)
    order = uids(found)
    assert order != list(range(60))
    assert sorted(order) == list(range(60))
    # Record n of the file, counted from 1, is the call of second n - 1.
    assert [number for chunk in found for number in chunk.numbers or ()] == order
    assert [chunk.first for chunk in found] == [True, False, False, False]
    assert shuffled(path, 10 * SECOND) == found
    assert shuffled(path, 10 * SECOND, seed=2) != found


def test_what_cannot_be_read_keeps_its_number(tmp_path: Path) -> None:
    path = tmp_path / "calls.ndjson.gz"
    lines = [call(0), b"<html>", envelope(call(1), call(2)), b'{"eventTime":""}', call(3)]
    path.write_bytes(gzip.compress(b"\n".join([*lines, b""]))[:-4])
    records, rest = shuffled(path, 0)
    assert dict(zip(records.numbers or (), records.documents, strict=True)) == dict(
        enumerate([call(0), b"<html>", call(1), call(2), b'{"eventTime":""}', call(3)])
    )
    assert (list(rest.documents), rest.numbers) == ([], [6])
    assert rest.fault is not None
    assert rest.fault.reason == "truncated"


def test_documents_that_cannot_stand_alone_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "spans.jsonl"
    lines = [
        orjson.dumps(
            {"resourceSpans": [{"scopeSpans": [{"spans": [span(2 * n), span(2 * n + 1)]}]}]}
        )
        for n in range(20)
    ]
    path.write_bytes(b"\n".join(lines))
    found = shuffled(path, 4 * MINUTE)
    documents = [document for chunk in found for document in chunk.documents]
    assert documents != lines
    assert sorted(documents) == sorted(lines)
    numbers = [number for chunk in found for number in chunk.numbers or ()]
    assert numbers == [2 * lines.index(document) for document in documents]


def span(number: int) -> dict[str, object]:
    nanos = (NOON + number * SECOND) * 1000
    return {
        "traceId": "0" * 31 + "1",
        "spanId": f"{number:016x}",
        "name": "chat",
        "startTimeUnixNano": str(nanos),
        "endTimeUnixNano": str(nanos),
        "attributes": [{"key": "gen_ai.system", "value": {"stringValue": "x"}}],
    }


def test_a_record_of_the_future_says_nothing_about_the_others(tmp_path: Path) -> None:
    path = tmp_path / "calls.ndjson"
    path.write_bytes(b"\n".join(map(call, [0, 10**7, *range(1, 40)])))
    order = uids(shuffled(path, 10 * SECOND, not_after=NOON + 40 * SECOND))
    order.remove(10**7)
    latest = 0
    assert order != sorted(order)
    for time in order:
        assert time >= latest - 10  # else one of the others would have come late
        latest = max(latest, time)
