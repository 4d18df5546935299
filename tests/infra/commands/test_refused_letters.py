"""`barograph dead-letters list` without Kafka: what the receivers of sinks refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cli import main
from schemas.rows import Result
from sinks.delivery.letters import DeadLetters
from sinks.delivery.sink import Refused

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Three alerts that two receivers refused, in two files, and a line that a kill cut short."""
    path = tmp_path / "dead-letters.jsonl"
    body: dict[str, Any] = {"summary": "x" * 300}
    for second, (sink, id_, reason) in enumerate(
        [("soc", "a", "400"), ("siem", "b", "too large"), ("soc", "c\x1b[31m", "400")]
    ):
        letters = DeadLetters(path, (second * 10**6).__int__, max_bytes=600)
        letters.add(sink, [Refused(Result("alert", id_, 0, "final", body), reason)])
    with path.open("a") as file:
        file.write('{"time": "1970')
    named = tmp_path / "barograph.toml"
    named.write_text(f'data = "{tmp_path}"\n')
    return str(named)


def test_counts_and_the_newest(config: str, tmp_path: Path, capsys: Capture) -> None:
    assert (tmp_path / "dead-letters.jsonl.1").exists()
    assert main(["dead-letters", "list", "--config", config, "--limit", "1"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "        2  soc  400",
        "        1  siem  too large",
        "1970-01-01T00:00:02.000000Z  alert c\\x1b[31m  400 (soc)",
    ]
    assert err == f"3 dead letters of sinks in {tmp_path / 'dead-letters.jsonl'}\n"


def test_those_of_one_sink_for_programs(config: str, capsys: Capture) -> None:
    assert main(["dead-letters", "list", "--config", config, "--source", "siem", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {
        "letters": 1,
        "counts": [{"source": "siem", "reason": "too large", "count": 1}],
        "newest": [
            {
                "time": "1970-01-01T00:00:01.000000Z",
                "sink": "siem",
                "reason": "too large",
                "kind": "alert",
                "id": "b",
            }
        ],
    }


def test_none_yet(tmp_path: Path, capsys: Capture) -> None:
    named = tmp_path / "barograph.toml"
    named.write_text(f'data = "{tmp_path}"\n')
    assert main(["dead-letters", "list", "--config", str(named)]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"0 dead letters of sinks in {tmp_path / 'dead-letters.jsonl'}\n")
