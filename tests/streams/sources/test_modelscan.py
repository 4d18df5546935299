from pathlib import Path

import orjson
import pytest

from schemas.config import Limits
from schemas.event import Reject
from streams.reading import outcomes
from streams.source import named
from streams.sources import modelscan
from tests.streams.sources.reports import told
from tests.streams.sources.shown import EXAMPLES, read, rejected, shown

SAID = {
    "modelscan.json": [
        {
            "is": "Detection Finding: Create",
            "time": "2026-03-04T05:06:07.123456Z",
            "severity": "critical",
            "of": ["model:huggingface/example/writer"],
            "finding": "open | posix.system | writer/data.pkl | Use of unsafe "
            "operator 'system' from module 'posix'",
            "check.id": "posix.system",
            "model.operator": "system",
            "model.path": "/cache/models--Example--Writer/snapshots/0a/writer.pt:writer/data.pkl",
            "model.scanner": "modelscan.scanners.PickleUnsafeOpScan",
            "scan.tool": "modelscan writer.pt",
        },
        {
            "is": "Scan Activity: Completed",
            "time": "2026-03-04T05:06:07.123456Z",
            "status": "success",
            "of": ["model:huggingface/example/writer"],
            "scan.findings": 1,
            "scan.tool": "modelscan writer.pt",
            "model.path": "/cache/models--Example--Writer/snapshots/0a/writer.pt",
            "scan.files": 1,
            "scan.skipped": 2,
        },
    ],
    "modelscan.old.json": [
        {
            "is": "Detection Finding: Create",
            "time": "2026-03-04T05:06:07.123456Z",
            "severity": "medium",
            "of": ["model:/models/writer.h5"],
            "finding": "open | Keras.Lambda | /models/writer.h5 | Use of unsafe "
            "operator 'Lambda' from module 'Keras'",
            "check.id": "Keras.Lambda",
            "model.operator": "Lambda",
            "model.path": "/models/writer.h5",
            "model.scanner": "modelscan.scanners.H5LambdaDetectScan",
            "scan.tool": "modelscan",
        },
        {
            "is": "Scan Activity: Error",
            "time": "2026-03-04T05:06:07.123456Z",
            "status": "failure",
            "of": ["model:/models/writer.h5"],
            "scan.findings": 1,
            "scan.tool": "modelscan",
            "model.path": "/models/writer.h5",
            "scan.errors": 1,
            "scan.files": 1,
        },
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [("wrong-shape", "the report says no `input_path`")]
    assert rejected("modelscan.bad.json") == said


def test_a_scan_that_had_errors_closes_nothing() -> None:
    *_, scan = read("modelscan.old.json")
    assert (scan.class_name, scan.status) == ("Scan Activity", "failure")


def test_a_scan_of_nothing_closes_nothing() -> None:
    """As 0.7 writes it of a format that it does not know."""
    summary = {
        "total_issues_by_severity": {"LOW": 0, "MEDIUM": 0, "HIGH": 0, "CRITICAL": 0},
        "total_issues": 0,
        "input path": "models/writer.bin",
        "absolute_path": "/src/models",
        "modelscan_version": "0.7.0",
        "timestamp": "2026-03-04T05:06:07.000001",
        "scanned": {"total_scanned": 0},
        "skipped": {"total_skipped": 1, "skipped_files": []},
    }
    (scan,) = told(modelscan, {"summary": summary})
    assert (scan.status, scan.entities[0].key) == ("failure", "model:/src/models/writer.bin")
    summary["scanned"] = {"total_scanned": 1}
    (scan,) = told(modelscan, {"summary": summary})
    assert scan.status == "success"


@pytest.mark.parametrize(
    ("path", "folder", "known"),
    [
        ("models", "/srv/models", "/srv/models"),
        ("models/", "/srv/models", "/srv/models"),
        ("models/a.pkl", "/srv/models", "/srv/models/a.pkl"),
        ("../models", "/srv/app/../models", "/srv/models"),
        (".", "/srv", "/srv"),
        ("/srv/a.pkl", "/srv", "/srv/a.pkl"),
        ("models", None, "models"),
    ],
)
def test_a_path_from_where_the_scanner_was_started(path: str, folder: str, known: str) -> None:
    summary = {"input_path": path, "absolute_path": folder, "total_issues_by_severity": {}}
    (scan,) = told(modelscan, {"summary": summary, "issues": [], "errors": []})
    assert scan.entities[0].key == f"model:{known}"


PRINTED = (EXAMPLES / "modelscan.printed.log").read_bytes()
REPORT = (EXAMPLES / "modelscan.json").read_bytes()
SETTINGS = b"Detected settings file. Using /srv/a b.toml. \n\n"
SCANNING = b"Scanning /m/a b.pkl using modelscan.scanners.PickleUnsafeOpScan model scan\r\n"


def outcomes_of(document: bytes, tmp_path: Path) -> list[str]:
    """What becomes of each record of a file: a reason, or what the Event says."""
    path = tmp_path / "x"
    path.write_bytes(document)
    found = [one for one, _ in outcomes(str(path), Limits(), named("modelscan"))]
    return [one.reason if isinstance(one, Reject) else one.event.message for one in found]


SAYS = [
    "Use of unsafe operator 'system' from module 'posix'",
    "modelscan writer.pt scanned huggingface/example/writer: 1 findings",
]


def test_what_the_tool_prints_before_its_report(tmp_path: Path) -> None:
    assert [shown(event) for event in read("modelscan.printed.log")] == SAID["modelscan.json"]
    for before in (b"", SETTINGS, SCANNING, SETTINGS + SCANNING * 3, b"\n\n" + SCANNING):
        assert outcomes_of(before + REPORT, tmp_path) == SAYS, before
        assert len(told(modelscan, before + REPORT)) == 2


def test_only_what_the_tool_itself_prints_is_passed_over(tmp_path: Path) -> None:
    line = orjson.dumps(orjson.loads(REPORT)) + b"\n"
    assert outcomes_of(b"UserWarning: an old file\n" + line, tmp_path) == ["not-json", *SAYS]
    assert outcomes_of(SCANNING + line + b"{\n", tmp_path) == [*SAYS, "truncated"]
    for other in (
        b"Scanning /m/x.pkl\n",
        b"Scanning /m/x.pkl using two words model scan\n",
        b"x Scanning /m/x.pkl using a model scan\n",
        b"No settings file detected at /srv/x.toml\n",
    ):
        assert outcomes_of(other + REPORT, tmp_path) == ["not-json"], other
    assert outcomes_of(line + SCANNING + line, tmp_path) == SAYS * 2
    assert told(modelscan, SCANNING) == []


def test_many_lines_are_passed_over_in_one_go(tmp_path: Path) -> None:
    assert outcomes_of(SCANNING * 5_000 + REPORT, tmp_path) == SAYS
    assert outcomes_of(b"Scanning " * 20_000, tmp_path) == ["not-json"]
