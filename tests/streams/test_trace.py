"""From the origin of a record back to its bytes."""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path

import pytest

from schemas.config import Limits
from schemas.errors import Mistake
from schemas.event import Reject
from streams.reading import outcomes
from streams.source import named
from streams.trace import Message, hashes, message_hashes, place

CALL = (
    b'{"eventID":"%d","eventTime":"2026-03-02T12:00:00Z","eventSource":"s3.amazonaws.com",'
    b'"eventName":"GetObject"}'
)


def test_an_origin_is_a_path_and_a_number() -> None:
    assert place("file:out/input/a#b.json#17") == ("out/input/a#b.json", 17)


@pytest.mark.parametrize(
    "origin",
    [
        "kafka:raw/0",
        "kafka:raw/0/1#",
        "kafka:a b/0/1",
        "http:x#1",
        "file:a.json",
        "file:a.json#",
        "a.json#1",
    ],
)
def test_another_origin_is_a_mistake(origin: str) -> None:
    with pytest.raises(
        Mistake, match=r"is no record of a file or topic; only these can be read again here"
    ):
        place(origin)


def test_records_are_hashed_as_they_lie_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "calls.json.gz"
    spaced = (CALL % 2).replace(b",", b" ,\n ")  # exact bytes, not the values
    path.write_bytes(gzip.compress(b'{"Records": [%b, %b]}' % (CALL % 1, spaced)))
    assert hashes(path, [2, 1, 7], Limits()) == {
        1: sha256(CALL % 1).hexdigest(),
        2: sha256(spaced).hexdigest(),
    }
    assert hashes(path, [], Limits()) == {}


def test_numbers_are_those_of_a_reading(tmp_path: Path) -> None:
    path = tmp_path / "calls.ndjson.gz"
    two = b'{"Records":[%b,%b]}' % (CALL % 3, CALL % 4)
    lines = [CALL % 1, b"<html>", two, b'{"Records":[]}', CALL % 5, b"{", b""]
    path.write_bytes(gzip.compress(b"\n".join(lines))[:-4])  # its end is torn off
    read = {
        int(origin.rpartition("#")[2]): hashed
        for origin, hashed in (
            (r.origin, r.sha256)
            if isinstance(r, Reject)
            else (r.event.evidence.origin, r.event.evidence.sha256)
            for r, _ in outcomes(str(path), Limits())
        )
    }
    assert set(read) == set(range(1, 8))
    assert hashes(path, range(1, 99), Limits()) == read
    assert read[4] == sha256(CALL % 4).hexdigest()


def test_a_format_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_bytes(b'{"eventTime":"2026-03-02T12:00:00Z","eventName":"x"}')
    assert hashes(path, [1], Limits(), named("cloudtrail")) == {
        1: sha256(path.read_bytes()).hexdigest()
    }


def test_a_file_that_is_gone_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="No such file"):
        hashes(tmp_path / "none.json", [1], Limits())


def test_a_message_of_a_topic_has_records_too() -> None:
    origin = "kafka:barograph.raw.cloud-trail/3/17"
    message = Message("barograph.raw.cloud-trail", 3, 17)
    assert (place(origin), place(f"{origin}#2")) == ((message, 1), (message, 2))
    envelope = b'{"Records": [%b, %b]}' % (CALL % 1, CALL % 2)
    source = named("cloudtrail")
    assert message_hashes(envelope, [2, 3], Limits(), source) == {2: sha256(CALL % 2).hexdigest()}
    assert message_hashes(CALL % 1, [1], Limits(), source) == {1: sha256(CALL % 1).hexdigest()}
    assert message_hashes(b"<html>", [1], Limits(), source) == {1: sha256(b"<html>").hexdigest()}
