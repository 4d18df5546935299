import pytest

from schemas.event import EventEvidence
from streams.sources import mcp_scan, mcp_scanner
from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "mcp_scanner.config.json": [
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": ["mcp_server:~/.cursor/mcp.json#rates", "tool:~/.cursor/mcp.json#rates/get_rate"],
            "edges": [
                (
                    "tool:~/.cursor/mcp.json#rates/get_rate served_by "
                    "mcp_server:~/.cursor/mcp.json#rates"
                )
            ],
            "scan.findings": 0,
            "scan.tool": "mcp-scanner/all",
            "mcp.config": "/home/ann/.cursor/mcp.json",
        }
    ],
    "mcp_scanner.json": [
        {
            "is": "Detection Finding: Create",
            "severity": "high",
            "of": [
                "mcp_server:npm/@example/server-files",
                "tool:npm/@example/server-files/delete_file",
            ],
            "finding": "open | AISubtech-9.1.1 | tool delete_file | Code execution "
            "in tool delete_file",
            "finding.analyzer": "yara",
            "finding.threat": "CODE EXECUTION",
            "check.id": "AISubtech-9.1.1",
            "mcp.item": "tool",
            "finding.technique": "AISubtech-9.1.1",
            "scan.tool": "mcp-scanner/yara",
        },
        {
            "is": "Detection Finding: Create",
            "severity": "medium",
            "of": ["mcp_server:npm/@example/server-files"],
            "finding": "open | PROMPT INJECTION | prompt greet | Prompt injection in prompt greet",
            "finding.analyzer": "llm",
            "finding.threat": "PROMPT INJECTION",
            "check.id": "PROMPT INJECTION",
            "mcp.item": "prompt",
            "scan.tool": "mcp-scanner/llm",
        },
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": [
                "mcp_server:npm/@example/server-files",
                "tool:npm/@example/server-files/delete_file",
                "tool:npm/@example/server-files/read_file",
            ],
            "edges": [
                (
                    "tool:npm/@example/server-files/delete_file served_by "
                    "mcp_server:npm/@example/server-files"
                ),
                (
                    "tool:npm/@example/server-files/read_file served_by "
                    "mcp_server:npm/@example/server-files"
                ),
            ],
            "scan.findings": 0,
            "scan.tool": "mcp-scanner/api",
        },
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": [
                "mcp_server:npm/@example/server-files",
                "tool:npm/@example/server-files/delete_file",
                "tool:npm/@example/server-files/read_file",
            ],
            "edges": [
                (
                    "tool:npm/@example/server-files/delete_file served_by "
                    "mcp_server:npm/@example/server-files"
                ),
                (
                    "tool:npm/@example/server-files/read_file served_by "
                    "mcp_server:npm/@example/server-files"
                ),
            ],
            "scan.findings": 1,
            "scan.tool": "mcp-scanner/llm",
        },
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": [
                "mcp_server:npm/@example/server-files",
                "tool:npm/@example/server-files/delete_file",
                "tool:npm/@example/server-files/read_file",
            ],
            "edges": [
                (
                    "tool:npm/@example/server-files/delete_file served_by "
                    "mcp_server:npm/@example/server-files"
                ),
                (
                    "tool:npm/@example/server-files/read_file served_by "
                    "mcp_server:npm/@example/server-files"
                ),
            ],
            "scan.findings": 1,
            "scan.tool": "mcp-scanner/yara",
        },
    ],
    "mcp_scanner.package.json": [
        {
            "is": "Detection Finding: Create",
            "severity": "high",
            "of": ["mcp_server:npm/@example/server-files"],
            "finding": "open | DATA EXFILTRATION | 14 | Data exfiltration in 14",
            "finding.analyzer": "behavioral",
            "finding.threat": "DATA EXFILTRATION",
            "check.id": "DATA EXFILTRATION",
            "scan.tool": "mcp-scanner/behavioral",
        },
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": ["mcp_server:npm/@example/server-files"],
            "scan.findings": 1,
            "scan.tool": "mcp-scanner/behavioral",
        },
    ],
    "mcp_scanner.prompts.json": [
        {
            "is": "Software Inventory Info: Collect",
            "status": "success",
            "of": ["mcp_server:rates.example"],
        }
    ],
    "mcp_scanner.requirements.json": [
        {
            "is": "Vulnerability Finding: Create",
            "severity": "high",
            "of": ["repo:app/requirements.txt"],
            "finding": "open | CVE-2026-0001 | None | CVE-2026-0001 in ray",
            "finding.analyzer": "vulnerable_package",
            "finding.threat": "VULNERABLE DEPENDENCY",
            "package.version": "2.6.3",
            "package.fixed_version": "2.8.1",
            "vulnerability.aliases": ["GHSA-2222-3333-4444", "PYSEC-2026-1"],
            "package.name": "ray",
            "scan.tool": "mcp-scanner/vulnerable_package",
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.severity": "high",
        },
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": ["repo:app/requirements.txt"],
            "scan.findings": 1,
            "scan.tool": "mcp-scanner/vulnerable_package",
        },
    ],
    "mcp_scanner.static.json": [
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": ["tool:read_file"],
            "scan.findings": 0,
            "scan.tool": "mcp-scanner/yara",
        }
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [
        ("wrong-shape", "a result is an object that says `is_safe`"),
        ("wrong-shape", "a result is an object that says `is_safe`"),
    ]
    assert rejected("mcp_scanner.bad.json") == said


def test_a_static_scan_names_an_address_that_it_never_called() -> None:
    for event in read("mcp_scanner.static.json"):
        assert "mcp.deepwiki.com" not in str(event.body())


def test_two_scanners_and_a_configuration_see_one_server() -> None:
    files = {"npm/@example/server-files"}
    assert {event.entities[0].id for event in read("mcp_scanner.json")} == files
    assert {event.entities[0].id for event in read("mcp_scanner.package.json")} == files
    for name in ("mcp_scan.json", "mcp_config.json", "mcp_config.published.json"):
        servers = {one.id for event in read(name) for one in event.entities}
        assert files <= servers, name
    (scan,) = read("mcp_scanner.config.json")
    aliases = {
        (one.to.id, one.from_.id)
        for event in read("mcp_scan.json")
        for one in event.edges
        if one.relation == "same_as"
    }
    assert (scan.entities[0].id, "rates.example") in aliases


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b'{"server_url":"x","scan_results":[{"is_safe":true,"findings":{}}]}', True),
        (b'[{"tool_name":"a","is_safe":true,"findings":{}}]', True),
        (b'{"skill_name":"a","is_safe":true,"findings":[],"scan_status":"x"}', False),
        (b'{"server_url":"http://x","analyzers":["llm"]}', False),
    ],
)
def test_sniff(head: bytes, known: bool) -> None:  # noqa: FBT001 - a case
    assert mcp_scanner.sniff(head) is known
    assert not mcp_scan.sniff(head)


def test_what_was_not_completed_closes_nothing() -> None:
    result = b'{"tool_name":"a","status":"failed","is_safe":true,"findings":{},"server_name":"s"}'
    (raw,) = mcp_scanner.split(b"[%b]" % result)
    event = mcp_scanner.event(raw, [], EventEvidence(origin="file:x#1", sha256="00")).event
    assert (event.entities[0].key, event.status) == ("mcp_server:s", "failure")


def test_a_report_of_servers_that_did_not_start() -> None:
    """It is known, and says nothing: it closes nothing."""
    report = b'{"server_url": "mcp.json", "scan_results": [], "requested_analyzers": ["yara"]}'
    assert mcp_scanner.sniff(report)
    assert list(mcp_scanner.split(report)) == []
