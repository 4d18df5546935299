"""`barograph tail`: readable lines of our records and of anybody's, and the whole as JSON."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence

import orjson
import pytest

from infra.cli import main
from infra.settings import load
from schemas.rows import Result, Row, Tick
from streams.kafka import wire
from streams.kafka.producing import Letter, Producer

pytestmark = pytest.mark.kafka
Capture = pytest.CaptureFixture[str]
NASTY = b'{"a": "\x1b[31m\xc2\x9b", "b": "\xe2\x80\xae"}'


def put(path: str, topic: str, records: Sequence[wire.Record]) -> None:
    config = load(path, {}).kafka
    assert config is not None

    async def write() -> None:
        async with Producer(config, f"{config.prefix}{topic}") as producer:
            for record in records:  # one by one: each batch may go to another partition
                letter = Letter(record.value or b"", record.key or b"k", "x", record.headers)
                await producer.write([letter])
            await producer.flush()

    asyncio.run(write())


def said(capsys: Capture) -> list[str]:
    """Where records lie and when they came is another's affair."""
    return sorted(re.sub(r"^\d+/\d+ +\S+ \S+  ", "", line) for line in lines(capsys))


def lines(capsys: Capture) -> list[str]:
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def made(kafka: str, capsys: Capture) -> str:
    assert main(["topics", "create", "--config", kafka, "--raw", "otel"]) == 0
    capsys.readouterr()
    return kafka


def test_rows_and_ticks(made: str, capsys: Capture) -> None:
    row = Row("facts", 0, "tool:search", 1_767_225_600_000_000, "i", "attributes", {"a": 1})
    put(made, "facts", [wire.row(row), wire.tick(Tick("ingest/x", 0, -(2**62), 2**62))])
    assert main(["tail", "facts", "--config", made]) == 0
    assert said(capsys) == [
        'row        tool:search  attributes 2026-01-01T00:00:00.000000Z {"a":1}',
        "tick       k  ingest/x level 0 settled below the beginning, clock the end",
    ]


def test_results(made: str, capsys: Capture) -> None:
    finding = {"level": "high", "title": "Odd calls", "rule": "odd_calls"}
    alert = {"stage": "watch", "title": "Theft", "system": "application:shop"}
    put(
        made,
        "alerts",
        [
            wire.result(Result("finding", "f", 0, "final", finding)),
            wire.result(Result("alert", "a", 0, "provisional", alert)),
        ],
    )
    assert main(["tail", "alerts", "--config", made, "--from", "beginning"]) == 0
    assert said(capsys) == [
        "alert      a  provisional watch Theft on application:shop",
        "finding    f  final high Odd calls (odd_calls)",
    ]


def test_nothing_in_a_raw_record_acts(made: str, capsys: Capture) -> None:
    odd = (("h", b"\x1b\xff"), (wire.SCHEMA, b"row"))
    records = [wire.Record(b"\x1b]k", NASTY, odd), wire.Record(b"z", b"\xff\x00" * 400)]
    put(made, "raw.otel", records)
    assert main(["tail", "raw.otel", "--config", made]) == 0
    out = capsys.readouterr().out
    assert all(c.isprintable() or c == "\n" for c in out)
    assert r'row        \x1b]k  {"a": "\x1b[31m\x9b", "b": "\u202e"}' in out
    assert r"-          z  \xff\x00\xff\x00" in out
    assert "… (800 bytes)" in out

    assert main(["tail", "raw.otel", "--config", made, "--json"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x9b" not in out
    told = {one["key"]: one for one in map(json.loads, out.splitlines())}
    # A control character makes it no JSON: it is shown as the text that it is.
    assert told["\x1b]k"]["text"] == NASTY.decode()
    assert told["\x1b]k"]["headers"] == {"h": "\x1b\\xff", "barograph-schema": "row"}
    assert told["z"]["base64"].startswith("/wD/AP8A")
    assert (told["z"]["topic"], told["z"]["headers"]) == (f"{prefix_of(made)}raw.otel", {})


def prefix_of(path: str) -> str:
    kafka = load(path, {}).kafka
    assert kafka is not None
    return kafka.prefix


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["--from", "beginning"], [0, 1, 2, 3, 4]),
        (["--from", "end"], []),
        (["--from", "3"], [3, 4]),
        (["--from", "-2"], [3, 4]),
        (["--from", "beginning", "--limit", "2"], [0, 1]),
        (["--from", "1", "--follow", "--limit", "3"], [1, 2, 3]),
        ([], [0, 1, 2, 3, 4]),
    ],
)
def test_from_where_to_where(
    made: str, words: list[str], values: list[int], capsys: Capture
) -> None:
    put(made, "raw.otel", [wire.Record(b"k", orjson.dumps({"n": n})) for n in range(5)])
    assert main(["tail", "raw.otel", "--config", made, "--json", *words]) == 0
    assert [json.loads(line)["value"]["n"] for line in lines(capsys)] == values


def test_a_topic_that_is_missing(made: str, capsys: Capture) -> None:
    assert main(["tail", "nonsense", "--config", made]) == 3
    assert capsys.readouterr().err == (
        "barograph: topic nonsense is missing; make it, or mend its name\n"
    )


@pytest.mark.parametrize("words", [["--from", "now"], ["--limit", "0"], ["--limit", "x"]])
def test_what_cannot_be_meant(made: str, words: list[str], capsys: Capture) -> None:
    assert main(["tail", "alerts", "--config", made, *words]) == 2
    assert "is no" in capsys.readouterr().err
