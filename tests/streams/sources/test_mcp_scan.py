from hashlib import sha256

import orjson
import pytest

from schemas.canonical import canonical
from streams.sources import mcp_scan
from streams.telemetry.manifests import manifest
from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "mcp_scan.json": [
        {
            "is": "API Activity: tools/list",
            "status": "success",
            "of": [
                "mcp_server:npm/@example/server-files",
                "tool:npm/@example/server-files/read_file",
                "tool:npm/@example/server-files/delete_file",
                "application:cursor",
            ],
            "mcp.manifest.sha256": "f523e8e8059f",
            "mcp.manifest.cues": ["destructive"],
            "mcp.method.name": "tools/list",
            "mcp.server.name": "files",
            "scan.tool": "mcp-scan",
        },
        {
            "is": "Software Inventory Info: Collect",
            "status": "success",
            "of": [
                "tool:npm/@example/server-files/read_file",
                "mcp_server:npm/@example/server-files",
            ],
            "edges": [
                (
                    "tool:npm/@example/server-files/read_file served_by "
                    "mcp_server:npm/@example/server-files"
                )
            ],
            "tool.labels": ["private_data", "untrusted_content"],
        },
        {
            "is": "Software Inventory Info: Collect",
            "status": "success",
            "of": [
                "tool:npm/@example/server-files/delete_file",
                "mcp_server:npm/@example/server-files",
            ],
            "edges": [
                (
                    "tool:npm/@example/server-files/delete_file served_by "
                    "mcp_server:npm/@example/server-files"
                )
            ],
            "tool.labels": ["destructive"],
            "tool.destructive_hint": True,
        },
        {
            "is": "Detection Finding: Create",
            "severity": "medium",
            "of": [
                "mcp_server:npm/@example/server-files",
                "tool:npm/@example/server-files/read_file",
                "application:cursor",
            ],
            "finding": "open | W001 | read_file | A description holds suspicious words",
            "check.id": "W001",
            "scan.tool": "mcp-scan",
        },
        {
            "is": "Detection Finding: Create",
            "severity": "critical",
            "of": [
                "mcp_server:npm/@example/server-files",
                "tool:npm/@example/server-files/delete_file",
                "application:cursor",
            ],
            "finding": "open | E001 | delete_file | A description gives orders to the model",
            "check.id": "E001",
            "scan.tool": "mcp-scan",
        },
        {
            "is": "Detection Finding: Create",
            "severity": "medium",
            "of": ["mcp_server:npm/@example/server-files", "application:cursor"],
            "finding": "open | W004 | None | The server is in no registry",
            "check.id": "W004",
            "scan.tool": "mcp-scan",
        },
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": ["mcp_server:npm/@example/server-files", "application:cursor"],
            "edges": [
                (
                    "mcp_server:npm/@example/server-files same_as "
                    "mcp_server:~/.cursor/mcp.json#files"
                ),
                "application:cursor uses mcp_server:npm/@example/server-files",
            ],
            "scan.findings": 3,
            "scan.tool": "mcp-scan",
            "mcp.config": "/home/ann/.cursor/mcp.json",
            "mcp.transport": "stdio",
            "mcp.env": ["FILES_TOKEN"],
            "mcp.server.name": "files",
        },
        {
            "is": "Scan Activity: Error",
            "status": "failure",
            "of": ["mcp_server:rates.example", "application:cursor"],
            "edges": [
                ("mcp_server:rates.example same_as mcp_server:~/.cursor/mcp.json#rates"),
                "application:cursor uses mcp_server:rates.example",
            ],
            "scan.findings": 0,
            "scan.tool": "mcp-scan",
            "mcp.config": "/home/ann/.cursor/mcp.json",
            "mcp.transport": "http",
            "mcp.auth": ["authorization"],
            "mcp.secret_in_config": True,
            "mcp.server.name": "rates",
        },
        {
            "is": "Detection Finding: Create",
            "severity": "high",
            "of": ["application:cursor"],
            "finding": "open | TF001 | None | Data leak toxic flow",
            "check.id": "TF001",
            "scan.tool": "mcp-scan",
        },
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": ["application:cursor"],
            "scan.findings": 1,
            "scan.tool": "mcp-scan",
            "mcp.config": "/home/ann/.cursor/mcp.json",
        },
        {
            "is": "Scan Activity: Error",
            "status": "failure",
            "of": ["application:gone"],
            "scan.findings": 0,
            "scan.tool": "mcp-scan",
            "mcp.config": "/home/ann/.gone/mcp.json",
        },
    ],
    "mcp_scan.old.json": [
        {
            "is": "API Activity: tools/list",
            "status": "success",
            "of": [
                "mcp_server:rates.example",
                "tool:rates.example/get_rate",
                "application:claude-desktop",
            ],
            "mcp.manifest.sha256": "f1f7fb56c757",
            "mcp.method.name": "tools/list",
            "mcp.server.name": "rates",
            "scan.tool": "mcp-scan",
        },
        {
            "is": "Software Inventory Info: Collect",
            "status": "success",
            "of": ["tool:rates.example/get_rate", "mcp_server:rates.example"],
            "edges": [("tool:rates.example/get_rate served_by mcp_server:rates.example")],
        },
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": ["mcp_server:rates.example", "application:claude-desktop", "host:ann-laptop"],
            "edges": [
                ("mcp_server:rates.example same_as mcp_server:~/.claude.json#rates"),
                "application:claude-desktop uses mcp_server:rates.example",
                "host:ann-laptop hosts application:claude-desktop",
            ],
            "scan.findings": 0,
            "scan.tool": "mcp-scan",
            "mcp.config": "~/.claude.json",
            "mcp.transport": "http",
            "mcp.server.name": "rates",
        },
        {
            "is": "Scan Activity: Completed",
            "status": "success",
            "of": ["application:claude-desktop", "host:ann-laptop"],
            "edges": ["host:ann-laptop hosts application:claude-desktop"],
            "scan.findings": 0,
            "scan.tool": "mcp-scan",
            "mcp.config": "~/.claude.json",
        },
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [("wrong-shape", "a server has a name, a `command` or a `url`")]
    assert rejected("mcp_scan.bad.json") == said


def test_a_scanner_and_the_runtime_see_one_manifest() -> None:
    """What a server sends has no nulls, what the scanner prints of it has."""
    tool = {
        "name": "get_rate",
        "description": "Today's rate.",
        "inputSchema": {"type": "object", "properties": {"path": {"type": "string"}}},
    }
    (listed, *_) = read("mcp_scan.old.json")
    runtime = manifest({"mcp.result": {"tools": [tool]}})
    assert listed.attributes["mcp.manifest.sha256"] == runtime["mcp.manifest.sha256"]
    assert runtime["mcp.manifest.sha256"] == sha256(canonical(tool)).hexdigest()


def test_nothing_of_a_secret_is_kept() -> None:
    kept = b"".join(canonical(event.body()) for event in read("mcp_scan.json"))
    assert b"Bearer" not in kept
    assert b"FILES_TOKEN" in kept


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b'{"/x": {"client": "a", "path": "/x", "servers": null, "issues": []}}', True),
        (b'{"servers": {"a": {"url": "x"}}, "inputs": []}', False),
    ],
)
def test_sniff(head: bytes, known: bool) -> None:  # noqa: FBT001 - a case
    assert mcp_scan.sniff(head) is known


def test_records_are_exact_slices() -> None:
    tool = b'{"name" : "a"}'
    server = b'{"name":"s","server":{"command":"x"},"tools":[ %b ]}' % tool
    issue = b'{"code":"W001","message":"m","reference":[0,0]}'
    path = b'{"path":"/x","servers":[%b],"issues":[%b]}' % (server, issue)
    raws = list(mcp_scan.split(b'{"/x":%b}' % path))
    assert [raw.data for raw in raws] == [b"[ %b ]" % tool, tool, issue, server]
    assert all(orjson.loads(raw.data) for raw in raws)
