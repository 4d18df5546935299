"""What mcp-scan calls the tools of a server reaches the AI system that has it configured."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.cli import main

LABELS = ("untrusted_content", "private_data", "is_public_sink")
TOOLS = ("read_issue", "lookup_customer", "post_comment")


def report(told: int) -> dict[str, Any]:
    """One server whose first `told` tools are each one third of the trifecta."""
    labels = [
        {name: 0.9 if n < told and LABELS[n] == name else 0.1 for name in LABELS} for n in range(3)
    ]
    tools = [{"name": name, "description": "", "inputSchema": {}} for name in TOOLS]
    server = {
        "name": "tracker",
        "server": {"url": "https://tracker.example/mcp", "type": "http"},
        "signature": {"metadata": {}, "prompts": [], "resources": [], "tools": tools},
        "error": None,
    }
    path = "/home/ann/.cursor/mcp.json"
    said = {"client": "cursor", "path": path, "servers": [server], "issues": [], "labels": [labels]}
    return {path: said}


@pytest.mark.parametrize(("told", "systems"), [(3, {"application:cursor"}), (2, set())])
def test_all_three_labels_are_an_outlook(told: int, systems: set[str], tmp_path: Path) -> None:
    data, out = tmp_path / "scan.json", tmp_path / "out"
    data.write_text(json.dumps(report(told)))
    assert main(["replay", str(data), "--out", str(out)]) == 0
    alerts = [json.loads(line) for line in (out / "alerts.jsonl").read_text().splitlines()]
    known = {one["system"] for one in alerts if one["convergence"] == "trifecta_possible"}
    assert known - {"mcp_server:tracker.example"} == systems
    assert {one["stage"] for one in alerts} <= {"outlook"}
