from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest

from schemas.config import Limits
from schemas.entity import Entity
from schemas.event import Client, EventEvidence, Reject, ScanFinding
from streams.reading import Outcome, Reader, outcomes, storable
from streams.records.untrusted import edge
from streams.source import Json, Parsed, Raw, Source, named

GOOD = {
    "eventID": "1",
    "eventTime": "2026-03-04T05:06:07Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "GetObject",
}
LINE = orjson.dumps(GOOD)
LIMITS = Limits()
HOST = Entity(kind="host", id="h")


def told(found: list[Outcome]) -> list[tuple[str, str]]:
    """(number, reason or uid) of each outcome."""
    seen: list[tuple[str, str]] = []
    for result, _ in found:
        if isinstance(result, Reject):
            seen.append((result.origin.partition("#")[2], result.reason))
        else:
            origin = result.event.evidence.origin
            seen.append((origin.partition("#")[2], result.event.uid))
    return seen


def reader(limits: Limits = LIMITS) -> Reader:
    return Reader(named("cloudtrail"), "file:x", limits)


def test_every_record_of_a_document_is_parsed_or_rejected() -> None:
    document = b'{"Records":[' + LINE + b',7,{"eventTime":"x"},' + LINE + b"]}"
    found = list(reader().read(document, 4))
    assert told(found) == [("5", "1"), ("6", "wrong-shape"), ("7", "wrong-shape"), ("8", "1")]
    assert found[0].record == GOOD


def test_a_reject_shows_the_record() -> None:
    (outcome,) = reader().read(b"nonsense", 0)
    assert outcome.result == Reject(
        origin="file:x#1",
        sha256=sha256(b"nonsense").hexdigest(),
        source="cloudtrail",
        reason="not-json",
        detail="invalid literal, expected 'null': line 1 column 1 (char 0)",
        size=8,
    )


@pytest.mark.parametrize(
    ("limits", "document", "reason"),
    [
        (Limits(document_bytes=10), LINE, "too-large"),
        (Limits(record_bytes=10), b"[" + LINE + b"]", "too-large"),
        (Limits(depth=1), b'{"eventName":{}}', "too-deep"),
        (LIMITS, b"[" * 1_000_000, "too-deep"),
        (LIMITS, b'{"Records":[', "truncated"),
        (LIMITS, b"", "empty"),
        (LIMITS, LINE[:-1], "truncated"),
        (LIMITS, b'{"eventName":"\xe9"}', "encoding"),
    ],
)
def test_what_is_out_of_bounds(limits: Limits, document: bytes, reason: str) -> None:
    assert told(list(reader(limits).read(document, 0))) == [("1", reason)]


def test_a_long_detail_is_cut() -> None:
    record = orjson.dumps(GOOD | {"eventSource": "aws:" + "x" * 1000})
    (outcome,) = reader().read(record, 0)
    assert isinstance(outcome.result, Reject)
    assert len(outcome.result.detail) <= 300


def test_records_of_a_file_are_counted_through(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(LINE + b'\n{"Records":[' + LINE + b"," + LINE + b"]}\nnonsense\n" + LINE[:9])
    assert told(list(outcomes(str(path), LIMITS))) == [
        ("1", "1"),
        ("2", "1"),
        ("3", "1"),
        ("4", "not-json"),
        ("5", "truncated"),
    ]


def test_a_file_that_no_source_knows_is_one_reject(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"{}\n{}\n")
    (outcome,) = outcomes(str(path), LIMITS)
    assert isinstance(outcome.result, Reject)
    assert outcome.result.body() == {
        "origin": f"file:{path}#1",
        "sha256": sha256(b"{}\n{}\n").hexdigest(),
        "source": "unknown",
        "reason": "unknown-format",
        "detail": "no source knows this format; name it",
        "size": 6,
    }
    named_ones = outcomes(str(path), LIMITS, named("cloudtrail"))
    assert told(list(named_ones)) == [("1", "wrong-shape"), ("2", "wrong-shape")]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"attributes": {"url.path": "/\ud83d"}}, "encoding"),
        ({"attributes": {"gen_ai.x": {"\udc00": 1}}}, "encoding"),
        ({"attributes": {"gen_ai.x": [10**30]}}, "too-large"),
        ({"attributes": {"gen_ai.x": float("nan")}}, "wrong-shape"),
        ({"attributes": {"gen_ai.x": {"a": [1, float("-inf")]}}}, "wrong-shape"),
        ({"attributes": {"gen_ai.x": {1}}}, "defect"),
        ({"time": 10**30}, "too-large"),
        ({"uid": "\ud83d"}, "encoding"),
        ({"message": "\ud83d"}, "encoding"),
        ({"client": Client(user_agent="\ud83d")}, "encoding"),
        ({"edges": (edge(HOST, "\ud83d", HOST),)}, "encoding"),
        ({"finding": ScanFinding(uid="1", title="\ud83d")}, "encoding"),
    ],
)
def test_what_cannot_be_written_is_rejected(said: dict[str, Any], reason: str) -> None:
    """A source that makes such an Event stops no run."""
    source = SimpleNamespace(**vars(named("cloudtrail")))

    def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
        made = named("cloudtrail").event(raw, record, evidence)
        return Parsed(made.event.model_copy(update=said), {})

    source.event = event
    found = list(Reader(cast("Source", source), "file:x", LIMITS).read(LINE + b"", 0))
    assert told(found) == [("1", reason)]


def test_a_null_is_no_number() -> None:
    """A record may say null: that is another thing than a number that is none."""
    (outcome,) = reader().read(LINE, 0)
    assert not isinstance(outcome.result, Reject)
    storable(outcome.result.event.model_copy(update={"attributes": {"a": None, "b": [1.5, None]}}))
