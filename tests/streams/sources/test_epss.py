import pytest

from schemas.event import EventEvidence
from streams.sources import epss
from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "epss.csv": [
        {
            "is": "OSINT Inventory Info: Collect",
            "time": "2026-03-04T12:55:00.000000Z",
            "status": "success",
            "of": ["vulnerability:CVE-2026-0001"],
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.epss": 0.00043,
            "vulnerability.epss_percentile": 0.08,
            "epss.model": "v2025.03.14",
        },
        {
            "is": "OSINT Inventory Info: Collect",
            "time": "2026-03-04T12:55:00.000000Z",
            "status": "success",
            "of": ["vulnerability:CVE-2025-0001"],
            "vulnerability.id": "CVE-2025-0001",
            "vulnerability.epss": 0.97,
            "vulnerability.epss_percentile": 0.999,
            "epss.model": "v2025.03.14",
        },
    ],
    "epss.json": [
        {
            "is": "OSINT Inventory Info: Collect",
            "time": "2026-03-04T00:00:00.000000Z",
            "status": "success",
            "of": ["vulnerability:CVE-2026-0001"],
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.epss": 0.5,
            "vulnerability.epss_percentile": 0.9,
        },
        {
            "is": "OSINT Inventory Info: Collect",
            "time": "2026-03-03T00:00:00.000000Z",
            "status": "success",
            "of": ["vulnerability:CVE-2026-0001"],
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.epss": 0.4,
            "vulnerability.epss_percentile": 0.8,
        },
    ],
    "epss.old.csv": [
        {
            "is": "OSINT Inventory Info: Collect",
            "status": "success",
            "of": ["vulnerability:CVE-2026-0001"],
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.epss": 0.00043,
            "vulnerability.epss_percentile": 0.08,
        }
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [
        ("wrong-shape", "`epss` is a number from 0 to 1"),
        ("wrong-shape", "a score has a `cve` such as CVE-2026-0001"),
        ("wrong-shape", "`epss` is a number from 0 to 1"),
    ]
    assert rejected("epss.bad.csv") == said


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b"#model_version:v2025.03.14,score_date:2026-03-04T00:00:00+0000\ncve,epss", True),
        (b"cve,epss,percentile\n", True),
        (b'{"status-code":200,"data":[{"cve":"x","epss":"0.1","percentile":"0.1"}]}', True),
        (b'{"matches":[{"epss":[{"cve":"x","epss":0.1,"percentile":0.1}]}]}', False),
        (b"cve,score\n", False),
    ],
)
def test_sniff(head: bytes, known: bool) -> None:  # noqa: FBT001 - a case
    assert epss.sniff(head) is known


def test_old_tables_write_the_zone_without_a_colon() -> None:
    head = b"#model_version:v2022.01.01,score_date:2022-02-04T00:00:00+0000\ncve,epss,percentile\n"
    (raw,) = epss.split(head + b"CVE-2026-0001,0.1,0.2\n")
    evidence = EventEvidence(origin="file:x#1", sha256="00")
    assert epss.event(raw, raw.record, evidence).event.time == 1_643_932_800_000_000
