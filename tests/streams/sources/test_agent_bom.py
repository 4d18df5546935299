from typing import Any

import pytest

from schemas.event import Event
from streams.sources import agent_bom
from tests.streams.sources.reports import told
from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "agent_bom.json": [
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.123456Z",
            "status": "success",
            "of": ["application:claude-desktop"],
            "agent.type": "claude-desktop",
            "mcp.config": "~/Library/claude_desktop_config.json",
        },
        {
            "is": "Vulnerability Finding: Create",
            "time": "2026-03-04T05:06:07.123456Z",
            "severity": "high",
            "of": ["mcp_server:npm/@example/server-files", "application:claude-desktop"],
            "finding": "open | CVE-2026-0001 | None | CVE-2026-0001 in ray 2.6.3",
            "package.version": "2.6.3",
            "package.fixed_version": "2.8.1",
            "package.purl": "pkg:pypi/ray@2.6.3",
            "vulnerability.aliases": ["GHSA-2222-3333-4444"],
            "vulnerability.cvss": 8.8,
            "vulnerability.epss": 0.5,
            "vulnerability.kev": True,
            "vulnerability.kev_due_date": "2026-03-25",
            "package.name": "ray",
            "scan.tool": "agent-bom",
            "vulnerability.id": "CVE-2026-0001",
            "vulnerability.severity": "high",
        },
        {
            "is": "Vulnerability Finding: Close",
            "time": "2026-03-04T05:06:07.123456Z",
            "severity": "low",
            "of": ["mcp_server:npm/@example/server-files", "application:claude-desktop"],
            "finding": "resolved | CVE-2026-0003 | None | CVE-2026-0003 in ray 2.6.3",
            "package.version": "2.6.3",
            "package.purl": "pkg:pypi/ray@2.6.3",
            "package.name": "ray",
            "scan.tool": "agent-bom",
            "vulnerability.id": "CVE-2026-0003",
            "vulnerability.severity": "low",
            "vulnerability.vex": "not_affected",
        },
        {
            "is": "Scan Activity: Completed",
            "time": "2026-03-04T05:06:07.123456Z",
            "status": "success",
            "of": [
                "mcp_server:npm/@example/server-files",
                "application:claude-desktop",
                "tool:npm/@example/server-files/read_file",
            ],
            "edges": [
                ("application:claude-desktop uses mcp_server:npm/@example/server-files"),
                (
                    "tool:npm/@example/server-files/read_file served_by "
                    "mcp_server:npm/@example/server-files"
                ),
                (
                    "mcp_server:npm/@example/server-files same_as "
                    "mcp_server:~/Library/claude_desktop_config.json#files"
                ),
            ],
            "scan.findings": 2,
            "scan.tool": "agent-bom",
            "mcp.transport": "stdio",
            "mcp.server.name": "files",
            "mcp.registered": True,
            "mcp.warnings": 1,
            "mcp.env": ["FILES_TOKEN"],
            "mcp.packages": 1,
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.123456Z",
            "status": "success",
            "of": ["agent:triage"],
            "agent.type": "custom",
        },
        {
            "is": "Scan Activity: Completed",
            "time": "2026-03-04T05:06:07.123456Z",
            "status": "success",
            "of": ["image:images.example/triage:7", "agent:triage"],
            "edges": ["agent:triage uses image:images.example/triage:7"],
            "scan.findings": 0,
            "scan.tool": "agent-bom",
            "mcp.packages": 0,
        },
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [("wrong-shape", "an agent has a name")]
    assert rejected("agent_bom.bad.json") == said


def test_a_server_is_that_of_other_scanners() -> None:
    theirs = {one.id for event in read("agent_bom.json") for one in event.entities}
    for name in ("mcp_scan.json", "mcp_scanner.json", "mcp_config.json"):
        assert "npm/@example/server-files" in theirs & {
            one.id for event in read(name) for one in event.entities
        }


def project(**changes: Any) -> list[Event]:  # noqa: ANN401 - JSON
    """What 0.110 says of a folder: how it looked at it stands where servers do."""
    ways = [("files", "other", "project"), ("ai-inventory", "ai-inventory", "")]
    ways += [("rates", "mcp-server", "uvx mcp-rates")]
    servers = [{"name": name, "surface": way, "command": word} for name, way, word in ways]
    agent = {"name": "project:triage", "agent_type": "custom", "mcp_servers": servers}
    report = {"ai_bom_version": "0.110.0", "agents": [agent], "document_type": "AI-BOM"}
    return told(agent_bom, report | changes)


def test_a_folder_is_no_agent_and_ways_to_look_at_it_are_no_servers() -> None:
    assert [one.entities[0].key for one in project()] == [
        "application:triage",
        "repo:triage",
        "repo:triage",
        "mcp_server:pypi/mcp-rates",
    ]


@pytest.mark.parametrize(
    ("run", "status"),
    [
        ({"outcome": "complete", "issues": []}, "success"),
        ({"outcome": "complete", "issues": [{"stage": "discovery"}]}, "success"),
        ({"outcome": "partial", "issues": []}, "failure"),
        ({"outcome": "complete", "issues": [{"stage": "scanning"}]}, "failure"),
        (None, "success"),
    ],
)
def test_a_run_that_did_not_look_for_vulnerabilities_closes_none(run: object, status: str) -> None:
    _, *scans = project(scan_run=run)
    assert {one.status for one in scans} == {status}
