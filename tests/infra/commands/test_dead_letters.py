"""`barograph dead-letters`: counted, shown without their tricks, and put back once."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256

import pytest

from infra.cli import main
from infra.settings import load
from schemas.config import KafkaConfig
from schemas.rows import Result
from streams.kafka import wire
from streams.kafka.producing import Letter, Producer

pytestmark = pytest.mark.kafka
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def filled(kafka: str, prefix: str, capsys: Capture) -> str:
    """Three letters of two reasons, the last with a detail that would drive a terminal."""
    assert main(["topics", "create", "--config", kafka, "--raw", "otel"]) == 0
    capsys.readouterr()
    config = load(kafka, {}).kafka
    assert config is not None
    asyncio.run(fill(config, prefix))
    return kafka


async def fill(config: KafkaConfig, prefix: str) -> None:
    for n, reason in enumerate(("not-json", "not-json", "no-time")):
        body = {
            "origin": f"kafka:{prefix}raw.otel/0/{n}",
            "sha256": sha256(b"x").hexdigest(),
            "source": "otel",
            "reason": reason,
            "detail": "found \x1b[31m",
            "size": 1,
        }
        record = wire.dead_letter(Result("reject", f"r{n}", 0, "final", body), b"x")
        async with Producer(config, f"{prefix}dead-letters") as producer:
            await producer.write([Letter(record.value or b"", record.key, "x", record.headers)])
            await producer.flush()


def test_counts_and_the_newest(filled: str, prefix: str, capsys: Capture) -> None:
    assert main(["dead-letters", "list", "--config", filled, "--limit", "1"]) == 0
    out, err = capsys.readouterr()
    first, second, newest = out.splitlines()
    assert [first.split(), second.split()] == [["2", "otel", "not-json"], ["1", "otel", "no-time"]]
    assert newest[19:] == (
        f"  kafka:{prefix}raw.otel/0/2  no-time: found \\x1b[31m (otel, 1 bytes)"
    )
    assert err == "3 dead letters; 0 messages were put back\n"


def test_put_back_once(filled: str, prefix: str, capsys: Capture) -> None:
    words = ["dead-letters", "replay", "--config", filled]
    assert main([*words, "--reason", "not-json", "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert sorted(out.splitlines()) == [f"kafka:{prefix}raw.otel/0/{n}" for n in range(2)]
    assert err.startswith("2 messages would be put back; 0 were before, ")

    assert main([*words, "--reason", "not-json"]) == 0
    assert capsys.readouterr().err == (
        "2 messages put back; 0 were before, 0 are no longer whole anywhere, "
        "0 came from elsewhere\n"
    )
    assert main([*words, "--json"]) == 0
    out, _ = capsys.readouterr()
    assert json.loads(out) == {
        "replayed": 1,
        "already": 2,
        "lost": 0,
        "elsewhere": 0,
        "dry_run": False,
    }
    assert main(["dead-letters", "list", "--config", filled, "--json", "--source", "otel"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert told["letters"] == 3
    assert told["counts"] == [
        {"source": "otel", "reason": "not-json", "count": 2},
        {"source": "otel", "reason": "no-time", "count": 1},
    ]
    assert [(one["origin"], one["replayed"]) for one in told["newest"]] == [
        (f"kafka:{prefix}raw.otel/0/{n}", True) for n in (2, 1, 0)
    ]


def test_none_of_a_reason(filled: str, capsys: Capture) -> None:
    assert main(["dead-letters", "list", "--config", filled, "--reason", "empty"]) == 0
    assert capsys.readouterr().out == ""
