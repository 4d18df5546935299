import pytest

from streams.sources import modelscan
from tests.streams.sources.reports import told
from tests.streams.sources.shown import read, rejected, shown

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
