"""`barograph produce`: every document of the files is a record, or a sentence says why not."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from infra.cli import main
from infra.settings import load
from streams.kafka.log import Entry, Log

Capture = pytest.CaptureFixture[str]
BASE = {"eventSource": "bedrock.amazonaws.com", "eventName": "InvokeModel"}
LINES = [
    json.dumps({"eventID": f"{n}", "eventTime": f"2026-03-04T05:0{n}:00Z", "n": n % 3} | BASE)
    for n in range(6)
]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.jsonl").write_text("\n".join(LINES[:3]))
    (folder / "b.jsonl.gz").write_bytes(gzip.compress("\n".join(LINES[3:]).encode()))
    return folder


def held(path: str, source: str = "cloudtrail") -> list[Entry]:
    config = load(path, {}).kafka
    assert config is not None

    async def read() -> list[Entry]:
        async with Log(config) as log:
            topic = f"{config.prefix}raw.{source}"
            return [entry async for entry in log.entries(topic, 2, "beginning")]

    return asyncio.run(read())


@pytest.mark.kafka
def test_lines_of_all_files_with_their_keys(
    kafka: str, prefix: str, logs: Path, capsys: Capture
) -> None:
    assert main(["topics", "create", "--config", kafka, "--raw", "cloudtrail"]) == 0
    capsys.readouterr()
    words = ["produce", str(logs), "--topic", "raw.cloudtrail", "--key", "n", "--config", kafka]
    assert main(words) == 0
    size = sum(map(len, LINES))
    assert capsys.readouterr().err == (
        f"6 records, {size} bytes written to {prefix}raw.cloudtrail\n"
    )
    entries = held(kafka)
    assert sorted((entry.value or b"").decode() for entry in entries) == LINES
    assert [json.loads(entry.value or b"")["n"] for entry in entries] == [
        int(entry.key or b"-1") for entry in entries
    ]


@pytest.mark.kafka
def test_a_document_is_one_record_and_the_rest_is_told(
    kafka: str, prefix: str, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["topics", "create", "--config", kafka, "--raw", "cloudtrail"]) == 0
    whole, other = tmp_path / "whole.json", tmp_path / "other.json"
    whole.write_text(json.dumps({"Records": [BASE]}, indent=1))
    other.write_text("{}", encoding="utf-16")
    capsys.readouterr()
    topic = f"{prefix}raw.cloudtrail"
    words = ["produce", str(whole), str(other), "--topic", topic, "--config", kafka]
    assert main([*words, "--compression", "none", "--rate", "1000"]) == 1
    told, count = capsys.readouterr().err.splitlines()
    assert told == f"file:{other}#1: the text is UTF-16; save it as UTF-8"
    assert count.startswith("1 records, ")
    assert [entry.value for entry in held(kafka)] == [whole.read_bytes()]


@pytest.mark.kafka
def test_a_topic_that_is_missing(kafka: str, prefix: str, logs: Path, capsys: Capture) -> None:
    words = ["produce", str(logs), "--topic", "raw.cloudtrail", "--config", kafka]
    assert main(words) == 3
    assert capsys.readouterr().err == (
        f"barograph: topic {prefix}raw.cloudtrail is missing; "
        "barograph topics create --raw cloudtrail\n"
    )


@pytest.fixture
def away(tmp_path: Path) -> str:
    path = tmp_path / "away.toml"
    path.write_text('[kafka]\nbootstrap = "127.0.0.1:1"\n')
    return str(path)


def test_a_dry_run_asks_no_broker(away: str, logs: Path, capsys: Capture) -> None:
    words = ["produce", str(logs), "--topic", "raw.cloudtrail", "--config", away, "--dry-run"]
    assert main(words) == 0
    size = sum(map(len, LINES))
    assert capsys.readouterr().err == (
        f"6 records, {size} bytes would be written to barograph.raw.cloudtrail\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--shuffle", "86400"], "--shuffle 86400 is more than the lateness of cloudtrail"),
        (["--source", "nonsense"], "no source is called 'nonsense'"),
        (["--rate", "0"], "'0' is no number of records a second above 0"),
        (["--rate", "nan"], "'nan' is no number"),
        (["--topic", "alerts"], "--topic barograph.alerts: only barograph run writes that one"),
    ],
)
def test_what_cannot_be_meant(
    away: str, logs: Path, words: list[str], said: str, capsys: Capture
) -> None:
    usual = ["produce", str(logs), "--topic", "raw.cloudtrail", "--config", away, "--dry-run"]
    assert main([*usual, *words]) == 2
    assert said in capsys.readouterr().err


def test_a_shuffle_keeps_all(away: str, logs: Path, capsys: Capture) -> None:
    words = ["produce", str(logs), "--topic", "raw.cloudtrail", "--config", away, "--dry-run"]
    assert main([*words, "--shuffle", "60", "--seed", "7"]) == 0
    assert capsys.readouterr().err.startswith("6 records, ")
