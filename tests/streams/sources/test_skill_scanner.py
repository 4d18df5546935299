import pytest

from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "skill_scanner.json": [
        {
            "is": "Detection Finding: Create",
            "time": "2026-03-04T05:06:07.123456Z",
            "severity": "critical",
            "of": ["skill:letters"],
            "finding": "open | DATA_EXFIL_HTTP_POST | send.py:56 | HTTP POST that may send data",
            "check.id": "DATA_EXFIL_HTTP_POST",
            "finding.analyzer": "static",
            "finding.category": "data_exfiltration",
            "finding.technique": "AITech-8.2",
            "scan.tool": "skill-scanner",
        },
        {
            "is": "Scan Activity: Completed",
            "time": "2026-03-04T05:06:07.123456Z",
            "status": "success",
            "of": ["skill:letters"],
            "scan.findings": 1,
            "scan.tool": "skill-scanner",
            "skill.path": "/skills/letters",
            "skill.safe": False,
        },
    ],
    "skill_scanner.several.json": [
        {
            "is": "Scan Activity: Completed",
            "time": "2026-03-04T05:06:07.000000Z",
            "status": "success",
            "of": ["skill:clean"],
            "scan.findings": 0,
            "scan.tool": "skill-scanner",
            "skill.path": "/skills/letters",
            "skill.safe": True,
        },
        {
            "is": "Scan Activity: Error",
            "time": "2026-03-04T05:06:07.123456Z",
            "status": "failure",
            "of": ["skill:half"],
            "scan.findings": 0,
            "scan.tool": "skill-scanner",
            "skill.path": "/skills/letters",
            "skill.safe": False,
        },
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [("wrong-shape", "a report names its skill")]
    assert rejected("skill_scanner.bad.json") == said
