"""Raw records of one estate through the real sources: who is one thing, what is gone, waived."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.cli import main

PACKAGE = "npm/@example/server-files"
START = {"command": "npx", "args": ["-y", "@example/server-files@1.2", "/data"]}
READ = {"name": "read_file", "description": "Reads.", "inputSchema": {"type": "object"}}
NULLS = {"title": None, "annotations": None, "meta": None}
IMAGE = f"sha256:{'ab' * 32}"


def scanned(**start: object) -> dict[str, Any]:
    server = {"name": "files", "server": start, "error": None}
    path = "/home/ann/.cursor/mcp.json"
    signature = {"signature": {"prompts": [], "resources": [], "tools": [READ | NULLS]}}
    held = {"client": "cursor", "path": path, "servers": [server | signature], "issues": []}
    return {path: held | {"labels": []}}


def listed() -> dict[str, Any]:
    said = {
        "mcp.method.name": "tools/list",
        "mcp.server.name": "Files",
        "gen_ai.agent.id": "bot",
        "gen_ai.tool.definitions": json.dumps([READ]),
    }
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in said.items()]
    span = {"traceId": "1" * 32, "spanId": "1" * 16, "name": "x", "attributes": attributes}
    span["endTimeUnixNano"] = "1772600767000000000"
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]}


def call(day: int, name: str, **asked: object) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "eventID": f"00000000-0000-4000-8000-{day:06d}{len(name):06d}",
        "eventTime": f"2026-03-{day:02d}T09:00:00Z",
        "eventSource": "sagemaker.amazonaws.com",
        "eventName": name,
        "recipientAccountId": "111122223333",
        "requestParameters": asked,
    }


Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def play(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[dict[str, Any]], Ask]:
    """Replay files by name and content; then ask commands, which answer in JSON."""
    monkeypatch.chdir(tmp_path)

    def of(files: dict[str, Any]) -> Ask:
        Path("in").mkdir()
        for name, held in files.items():
            Path("in", name).write_text(json.dumps(held))
        assert main(["replay", "in", "--out", "out"]) == 0
        capsys.readouterr()

        def ask(*words: str) -> list[dict[str, Any]]:
            assert main([*words, "--store", "out"]) == 0
            return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

        return ask

    return of


Play = Callable[[dict[str, Any]], Ask]


def test_a_title_at_work_is_the_server_that_was_scanned(play: Play) -> None:
    ask = play({"scan.json": scanned(**START), "spans.json": listed()})
    (server,) = ask("assets", "--kind", "mcp_server", "--json")
    assert server["entity"] in {f"mcp_server:{PACKAGE}", "mcp_server:Files"}
    assert {"mcp_server:Files", f"mcp_server:{PACKAGE}"} <= set(server["names"])
    assert server["sources"] == ["mcp_scan", "otel"]


def test_of_two_servers_that_offer_the_same_a_title_is_neither(play: Play) -> None:
    other = scanned(command="npx", args=["@evil/server-files"])
    ask = play({"a.json": scanned(**START), "b.json": other, "spans.json": listed()})
    names = [one["names"] for one in ask("assets", "--kind", "mcp_server", "--json")]
    assert ["mcp_server:Files"] in names


def test_what_was_deleted_is_reached_no_more(play: Play) -> None:
    ask = play(
        {
            "1.json": call(1, "CreateEndpoint", endpointName="e", endpointConfigName="c"),
            "2.json": call(5, "DeleteEndpoint", endpointName="e"),
        }
    )
    assert [one["entity"] for one in ask("assets", "--kind", "endpoint", "--json")] == [
        "endpoint:config/c"
    ]
    for at, count in (("2026-03-03T00:00:00Z", 1), ("2026-03-06T00:00:00Z", 0)):
        (found,) = ask("lineage", "endpoint:e", "--as-of", at, "--json")
        assert len(found["downstream"]) == count


def test_a_suppliers_statement_waives_what_a_scanner_finds(play: Play) -> None:
    flaw = {"VulnerabilityID": "CVE-2026-0001", "PkgName": "ray", "InstalledVersion": "2"}
    report = {
        "SchemaVersion": 2,
        "CreatedAt": "2026-03-01T00:00:00Z",
        "ArtifactName": "r.example/app:1",
        "ArtifactType": "container_image",
        "Metadata": {"RepoDigests": [f"r.example/app@{IMAGE}"]},
        "Results": [{"Target": "x", "Vulnerabilities": [flaw | {"Severity": "HIGH"}]}],
    }
    product = f"pkg:oci/app@{IMAGE.replace(':', '%3A')}?repository_url=r.example/app"
    statement = {"vulnerability": {"name": "CVE-2026-0001"}, "products": [{"@id": product}]}
    vex = {
        "@context": "https://openvex.dev/ns/v0.2.0",
        "timestamp": "2026-03-02T00:00:00Z",
        "statements": [statement | {"status": "not_affected"}],
    }
    ask = play({"trivy.json": report, "vex.json": vex})
    query = "SELECT entity, state, waived_by FROM weaknesses"
    assert ask("query", query, "--format", "json") == [
        {"entity": f"image:{IMAGE}", "state": "waived", "waived_by": "vex"}
    ]


def test_a_key_that_leaked_is_the_key_that_calls(play: Play) -> None:
    leak = {"RuleID": "aws-access-token", "StartColumn": 1, "Secret": f"AKIA{'EXAMPLE0' * 2}"}
    ask = play({"leaks.json": [leak | {"Fingerprint": "x", "File": ".env"}]})
    (key,) = ask("assets", "--kind", "apikey", "--json")
    assert (key["entity"], key["sources"]) == ("apikey:AKIAEXAMPLE0EXAMPLE0", ["gitleaks"])


def test_a_bill_names_a_server_by_where_it_listens(play: Play) -> None:
    told = [{"name": "barograph:kind", "value": "mcp_server"}]
    service = {"name": "rates", "endpoints": ["https://rates.example/mcp"], "properties": told}
    ask = play(
        {"bom.json": {"bomFormat": "CycloneDX", "specVersion": "1.6", "services": [service]}}
    )
    (server,) = ask("assets", "--kind", "mcp_server", "--json")
    assert server["entity"] == "mcp_server:rates.example"
