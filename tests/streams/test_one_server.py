"""One MCP server, whoever speaks of it: configuration, scanners, a bill of material, telemetry."""

from pathlib import Path

import orjson
import pytest

from schemas.config import Limits
from schemas.event import Reject
from streams.reading import Reader, outcomes
from streams.source import named

EXAMPLES = Path(__file__).parent / "sources" / "examples"
TOOL = {"name": "get_rate", "description": "Today's rate.", "inputSchema": {"type": "object"}}


def servers(source: str, document: object) -> set[str]:
    """The ids of the servers that a document speaks of, aliases aside."""
    found = Reader(named(source), "file:x", Limits()).read(orjson.dumps(document), 0)
    return {
        one.id
        for result, _ in found
        if not isinstance(result, Reject)
        for one in result.event.entities
        if one.kind == "mcp_server"
    }


SPAN = {
    "name": "tools/call get_rate",
    "kind": 3,
    "endTimeUnixNano": "1772600767123456789",
    "attributes": [
        {"key": name, "value": {"stringValue": value}}
        for name, value in (
            ("mcp.method.name", "tools/call"),
            ("gen_ai.tool.name", "get_rate"),
            ("server.address", "rates.example"),
            ("server.port", "443"),
        )
    ],
}
URL = {"url": "https://rates.example/mcp"}
SAID: dict[str, object] = {
    "mcp_config": {"mcpServers": {"rates": URL}},
    "mcp_scan": {
        "/c": {"path": "/c", "servers": [{"name": "r", "server": URL, "tools": [TOOL]}]}
    },
    "mcp_scanner": {
        "server_url": "https://rates.example/mcp",
        "scan_results": [{"tool_name": "get_rate", "is_safe": True, "findings": {}}],
    },
    "agent_bom": {
        "ai_bom_version": "0.90.0",
        "agents": [
            {"name": "a", "agent_type": "cursor", "mcp_servers": [{"name": "Rates", **URL}]}
        ],
    },
    "cyclonedx": {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "services": [
            {
                "name": "rates",
                "properties": [
                    {"name": "barograph:kind", "value": "mcp_server"},
                    {"name": "barograph:id", "value": "rates.example"},
                ],
            }
        ],
    },
    "otel": SPAN,
}  # fmt: skip


@pytest.mark.parametrize("source", SAID)
def test_a_server_that_listens(source: str) -> None:
    assert servers(source, SAID[source]) == {"rates.example"}


@pytest.mark.parametrize("source", ["mcp_scan", "mcp_scanner", "otel"])
def test_its_tool(source: str) -> None:
    found = Reader(named(source), "file:x", Limits()).read(orjson.dumps(SAID[source]), 0)
    tools = {
        one.id
        for result, _ in found
        if not isinstance(result, Reject)
        for one in result.event.entities
        if one.kind == "tool"
    }
    assert tools == {"rates.example/get_rate"}


def test_a_server_that_is_started() -> None:
    names = ("mcp_config", "mcp_config.published", "mcp_scan", "mcp_scanner", "agent_bom")
    for name in names:
        found = outcomes(str(EXAMPLES / f"{name}.json"), Limits())
        ids = {
            one.id
            for result, _ in found
            if not isinstance(result, Reject)
            for one in result.event.entities
        }
        assert "npm/@example/server-files" in ids, name
