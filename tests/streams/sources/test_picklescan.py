import pytest

from streams.sources import picklescan
from tests.streams.sources.reports import short, told
from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "picklescan.clean.log": [
        {
            "is": "Software Inventory Info: Collect",
            "status": "success",
            "of": ["application:picklescan"],
            "scan.files": 4,
            "scan.infected": 0,
        }
    ],
    "picklescan.log": [
        {
            "is": "Detection Finding: Create",
            "severity": "critical",
            "of": ["model:huggingface/example/writer"],
            "finding": "open | __builtin__.eval | archive/data.pkl | dangerous "
            "import __builtin__.eval",
            "check.id": "__builtin__.eval",
            "model.operator": "eval",
            "model.path": "https://huggingface.co/Example/Writer/resolve/main/writer.bin",
            "scan.tool": "picklescan writer.bin",
        },
        {
            "is": "Detection Finding: Create",
            "severity": "medium",
            "of": ["model:huggingface/example/writer"],
            "finding": "open | writer.tools.load | archive/data.pkl | suspicious "
            "import writer.tools.load",
            "check.id": "writer.tools.load",
            "model.operator": "load",
            "model.path": "https://huggingface.co/Example/Writer/resolve/main/writer.bin",
            "scan.tool": "picklescan writer.bin",
        },
        {
            "is": "Detection Finding: Create",
            "severity": "critical",
            "of": ["model:/models/reader.pkl"],
            "finding": "open | posix.system | None | dangerous import posix.system",
            "check.id": "posix.system",
            "model.operator": "system",
            "model.path": "/models/reader.pkl",
            "scan.tool": "picklescan",
        },
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": ["model:huggingface/example/writer"],
            "scan.findings": 2,
            "scan.tool": "picklescan writer.bin",
            "model.path": "https://huggingface.co/Example/Writer/resolve/main/writer.bin",
            "scan.files": 3,
            "scan.infected": 2,
        },
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": ["model:/models/reader.pkl"],
            "scan.findings": 1,
            "scan.tool": "picklescan",
            "model.path": "/models/reader.pkl",
            "scan.files": 3,
            "scan.infected": 2,
        },
        {
            "is": "Scan Activity: Error",
            "status": "failure",
            "of": ["model:/models/broken.pkl"],
            "scan.findings": 0,
            "scan.tool": "picklescan",
            "model.path": "/models/broken.pkl",
            "scan.files": 3,
            "scan.infected": 2,
        },
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [("truncated", "the output has no summary")]
    assert rejected("picklescan.bad.log") == said


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b"a.pkl: dangerous import 'posix system' FOUND\n", True),
        (b"----------- SCAN SUMMARY -----------\n", True),
        (b'{"message": "a.pkl: dangerous import \'posix system\' FOUND"}', False),
        (b"import 'os'\n", False),
    ],
)
def test_sniff(head: bytes, known: bool) -> None:  # noqa: FBT001 - a case
    assert picklescan.sniff(head) is known


UNREAD = """\
/models/a.bin: dangerous import 'posix system' FOUND
WARNING: could not parse /models/a.bin as pickle: pickle exhausted before seeing STOP
WARNING: could not parse /models/b: c.bin as pickle: not enough data in stream to read uint8
Invalid file data.pkl in zip archive /models/d.pt: Bad CRC-32 for file 'data.pkl'
----------- SCAN SUMMARY -----------
Scanned files: 3
Infected files: 1
"""


def test_what_could_not_be_read_was_not_scanned() -> None:
    """Version 1 warns of it, and sums up as if nothing had been."""
    found = told(picklescan, UNREAD.encode())
    scans = {one.entities[0].id: one.status for one in found if one.finding is None}
    assert scans == {
        "/models/a.bin": "failure",
        "/models/b: c.bin": "failure",
        "/models/d.pt": "failure",
    }
    (flaw,) = [one for one in found if one.finding is not None]
    assert short(flaw) == ("posix.system", "open", "critical", "model:/models/a.bin")
