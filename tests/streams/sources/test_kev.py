import pytest

from streams.sources import kev
from tests.streams.sources.reports import told
from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "kev.csv": [
        {
            "is": "OSINT Inventory Info: Collect",
            "time": "2026-03-04T00:00:00.000000Z",
            "status": "success",
            "of": ["vulnerability:CVE-2026-0002"],
            "vulnerability.id": "CVE-2026-0002",
            "vulnerability.kev": True,
            "vulnerability.cwes": ["CWE-20", "CWE-79"],
            "kev.due_date": "2026-03-25",
            "kev.ransomware": True,
            "kev.vendor": "Example",
            "kev.product": "Writer",
            "kev.name": "Writer, writes",
        }
    ],
    "kev.json": [
        {
            "is": "OSINT Inventory Info: Collect",
            "time": "2025-12-01T00:00:00.000000Z",
            "status": "success",
            "of": ["vulnerability:CVE-2025-0001"],
            "vulnerability.id": "CVE-2025-0001",
            "vulnerability.kev": True,
            "kev.due_date": "2025-12-22",
            "kev.ransomware": False,
            "kev.vendor": "Example",
            "kev.product": "Reader",
            "kev.name": "Reader reads",
        },
        {
            "is": "OSINT Inventory Info: Collect",
            "time": "2026-03-04T00:00:00.000000Z",
            "status": "success",
            "of": ["vulnerability:CVE-2026-0002"],
            "vulnerability.id": "CVE-2026-0002",
            "vulnerability.kev": True,
            "vulnerability.cwes": ["CWE-79"],
            "kev.due_date": "2026-03-25",
            "kev.ransomware": True,
            "kev.vendor": "Example",
            "kev.product": "Writer",
            "kev.name": "Writer writes",
        },
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [
        ("no-time", "the record says no time"),
        ("wrong-shape", "an entry has a `cveID` such as CVE-2026-0001"),
    ]
    assert rejected("kev.bad.json") == said


def test_the_order_is_that_of_the_days() -> None:
    """CISA lists the newest first; time passes the other way."""
    times = [event.time for event in read("kev.json")]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b'[{"cveID": "CVE-2026-0001", "dateAdded": "2026-03-04"}]', True),
        (b"cveID,vendorProject,product", True),
        (b'{"properties": {"cveID": {"type": "string"}, "dateAdded": {}}}', False),
        (b'{"cve": "CVE-2026-0001"}', False),
    ],
)
def test_sniff(head: bytes, known: bool) -> None:  # noqa: FBT001 - a case
    assert kev.sniff(head) is known


def test_the_first_tables_quote_all_and_say_less() -> None:
    table = (
        b'\xef\xbb\xbf"cveID","vendorProject","product","vulnerabilityName","dateAdded","dueDate"\n'
        b'"CVE-2021-0001","Example","Writer","x","2021-11-03","2021-11-17"\n'
    )
    assert kev.sniff(table)
    (event,) = told(kev, table)
    assert shown(event)["of"] == ["vulnerability:CVE-2021-0001"]
    assert (event.attributes["kev.due_date"], event.attributes["kev.ransomware"]) == (
        "2021-11-17",
        False,
    )
