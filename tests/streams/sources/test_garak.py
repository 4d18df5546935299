from pathlib import Path

import pytest

from schemas.canonical import canonical
from schemas.config import Limits
from streams.reading import outcomes
from streams.source import Parsed
from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "garak.broken.jsonl": [
        {
            "is": "Scan Activity: Error",
            "time": "2026-03-04T05:06:07.123456Z",
            "status": "failure",
            "of": ["model:vendor.m-v1:0"],
            "scan.findings": 0,
            "scan.tool": "garak",
            "eval.attempts": 1,
            "eval.run": "run-1",
            "eval.target": "bedrock.BedrockGenerator eu.vendor.m-v1:0",
        }
    ],
    "garak.digest.json": [
        {
            "is": "Detection Finding: Create",
            "time": "2026-03-04T05:06:07.123456Z",
            "severity": "critical",
            "of": ["endpoint:https://chat.example/v1"],
            "finding": "open | dan.Dan | dan.DAN | dan.Dan: 96.0% of the answers "
            "that dan.DAN judged were hits",
            "eval.pass_rate": 0.04,
            "eval.probe": "dan.Dan",
            "eval.detector": "dan.DAN",
            "eval.run": "run-2",
            "check.id": "dan.Dan",
            "scan.tool": "garak",
        }
    ],
    "garak.hitlog.jsonl": [
        {
            "is": "Detection Finding: Create",
            "severity": "critical",
            "of": ["model:huggingface/example/writer"],
            "finding": "open | dan.Dan | dan.DAN | dan.Dan: a hit of dan.DAN",
            "check.id": "dan.Dan",
            "eval.probe": "dan.Dan",
            "eval.detector": "dan.DAN",
            "eval.run": "run-3",
            "eval.score": 0.95,
            "scan.tool": "garak",
        }
    ],
    "garak.jsonl": [
        {
            "is": "Detection Finding: Create",
            "time": "2026-03-04T05:06:07.123456Z",
            "severity": "high",
            "of": ["model:gpt-4o-2024-08-06"],
            "finding": "open | dan.Dan | dan.DAN | dan.Dan: 25.0% of the answers "
            "that dan.DAN judged were hits",
            "eval.evaluated": 4,
            "eval.failed": 1,
            "eval.pass_rate": 0.75,
            "eval.confidence": "0.95",
            "eval.confidence_lower": 0.02,
            "eval.confidence_upper": 0.6,
            "eval.probe": "dan.Dan",
            "eval.detector": "dan.DAN",
            "eval.run": "run-1",
            "check.id": "dan.Dan",
            "scan.tool": "garak",
        },
        {
            "is": "Detection Finding: Close",
            "time": "2026-03-04T05:06:07.123456Z",
            "of": ["model:gpt-4o-2024-08-06"],
            "finding": "resolved | dan.Dan | mitigation.Bypass | dan.Dan: 0.0% of "
            "the answers that mitigation.Bypass judged were hits",
            "eval.evaluated": 4,
            "eval.failed": 0,
            "eval.pass_rate": 1.0,
            "eval.probe": "dan.Dan",
            "eval.detector": "mitigation.Bypass",
            "eval.run": "run-1",
            "check.id": "dan.Dan",
            "scan.tool": "garak",
        },
        {
            "is": "Scan Activity: Error",
            "time": "2026-03-04T05:06:07.123456Z",
            "status": "failure",
            "of": ["model:gpt-4o-2024-08-06"],
            "scan.findings": 0,
            "scan.tool": "garak",
            "eval.evaluated": 0,
            "eval.failed": 0,
            "eval.probe": "xss.Markdown",
            "eval.detector": "xss.Exfil",
            "eval.run": "run-1",
        },
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [
        ("wrong-shape", "no `start_run setup` row says what was probed"),
        ("wrong-shape", "no `start_run setup` row says what was probed"),
    ]
    assert rejected("garak.bad.jsonl") == said


def test_attempts_are_content_and_hits_show_it_to_detections_only() -> None:
    kept = [canonical(event.body()) for name in SAID for event in read(name)]
    assert not [one for one in kept if b"do-not-store" in one]
    path = Path(__file__).parent / "examples" / "garak.hitlog.jsonl"
    ((result, _),) = outcomes(str(path), Limits())
    assert isinstance(result, Parsed)
    assert set(result.private) == {"gen_ai.input.messages", "gen_ai.output.messages"}


def test_lines_of_a_report_need_each_other(tmp_path: Path) -> None:
    """Rows of NDJSON, read as one document: the first says what the last is about."""
    rows = (Path(__file__).parent / "examples" / "garak.jsonl").read_bytes().splitlines()
    path = tmp_path / "report.jsonl"
    path.write_bytes(b"\n".join(rows[:1] + rows[4:5]))
    found = [one.result for one in outcomes(str(path), Limits())]
    assert [isinstance(one, Parsed) and one.event.class_name for one in found] == [
        "Detection Finding",
        "Scan Activity",
    ]
