"""Third-party samples of scanners of AI, bills of material and feeds: exact counts over all.

The samples hold texts of attacks: they are counted, and no word of theirs is followed or kept.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from schemas.config import Limits
from schemas.event import Event, Reject
from streams.names import mcp
from streams.reading import Outcome, Reader, outcomes
from streams.source import named
from streams.telemetry.manifests import manifest, offered

LIMITS = Limits()


def read(path: Path, source: str | None = None) -> list[Outcome]:
    found = list(outcomes(str(path), LIMITS, named(source) if source else None))
    for result, _ in found:
        if isinstance(result, Reject):
            assert result.reason != "defect", result
            assert result.detail
    return found


def events(path: Path, source: str | None = None) -> list[Event]:
    return [one.result.event for one in read(path, source) if not isinstance(one.result, Reject)]


def rejects(path: Path, source: str | None = None) -> list[str]:
    return [one.result.reason for one in read(path, source) if isinstance(one.result, Reject)]


def counts(folder: Path, *patterns: str) -> dict[str, str]:
    """Of each sample: its source, findings open and closed, other events, rejects."""
    shown: dict[str, str] = {}
    for path in sorted(path for pattern in patterns for path in folder.rglob(pattern)):
        said, refused = events(path), rejects(path)
        kinds = Counter("other" if event.finding is None else event.finding.state for event in said)
        source = said[0].source if said else "unknown"
        numbers = [f"{kinds[kind]} {kind}" for kind in ("open", "resolved", "other") if kinds[kind]]
        numbers += [f"{len(refused)} {refused[0]}"] if refused else []
        shown[path.relative_to(folder).as_posix()] = ", ".join((source, *numbers))
    return shown


UNKNOWN = "unknown, 1 unknown-format"


def test_cisco_mcp_scanner(shared: Path) -> None:
    """One finding for each analyzer, item and threat; a scan for each analyzer."""
    folder = shared / "corpora/scanners/cisco-mcp-scanner/examples"
    shown = counts(folder, "*.json")
    assert {name: said for name, said in shown.items() if said != UNKNOWN} == {
        "api-reference-0.json": "mcp_scanner, 3 open, 3 other",
        "api-reference-2.json": "mcp_scanner, 1 open, 1 other",
        "api-reference-3.json": "mcp_scanner, 1 other",
        "api-reference-5.json": "mcp_scanner, 1 open, 1 other",
        "npm-scanning-0.json": "mcp_scanner, 1 open, 1 other",
        "output-formats-5.json": "mcp_scanner, 4 open, 2 other",
        "output-formats-7.json": "mcp_scanner, 2 open, 2 other",
        "pypi-scanning-0.json": "mcp_scanner, 1 open, 1 other",
        "vulnerable-package-scanning-0.json": "mcp_scanner, 1 open, 1 other",
    }
    assert len(shown) == 19  # the others are what a scanner is given, not what it says
    (flaw, _) = events(folder / "vulnerable-package-scanning-0.json")
    assert flaw.finding is not None
    assert (flaw.finding.vulnerability, flaw.finding.package, flaw.finding.fixed_version) == (
        "CVE-2019-1010083",
        "flask",
        "1.0",
    )


def test_cisco_skill_scanner(shared: Path) -> None:
    shown = counts(
        shared / "corpora/scanners/cisco-skill-scanner/examples", "output-formats-0.json"
    )
    assert shown == {"output-formats-0.json": "skill_scanner, 1 open, 1 other"}


def test_cisco_ai_bom(shared: Path) -> None:
    folder = shared / "corpora/scanners/cisco-aibom"
    found = events(folder / "aibom-report.json")
    assert Counter(event.class_name for event in found) == {
        "Software Inventory Info": 10,
        "Vulnerability Finding": 4,
        "Scan Activity": 1,
    }
    kinds = Counter(event.entities[0].kind for event in found if event.class_uid == 5020)
    assert kinds == {
        "agent": 2,
        "dataset": 1,
        "image": 3,
        "mcp_server": 1,
        "model": 1,
        "skill": 1,
        "tool": 1,
    }
    fixture = orjson.loads((folder / "aibom_sample.json").read_bytes())["AIBOM_REPORT"]
    again = list(Reader(named("ai_bom"), "file:x", LIMITS).read(orjson.dumps(fixture), 0))
    assert len(again) == len(found)


def test_mcp_configurations(shared: Path) -> None:
    folder = shared / "corpora/scanners/invariant-mcp-scan"
    shown = counts(folder, "*.json")
    assert {name: said for name, said in shown.items() if said != UNKNOWN} == {
        "mcp_servers/configs_files/all_config.json": "mcp_config, 2 other",
        "mcp_servers/configs_files/math_config.json": "mcp_config, 1 other",
        "mcp_servers/configs_files/multiple_transport.json": "mcp_config, 2 other",
        "mcp_servers/configs_files/sbb_config.json": "mcp_config, 1 other",
        "mcp_servers/configs_files/vs_code_settings_file_with_empty_mcp.json": "unknown",
        "mcp_servers/configs_files/weather_config.json": "mcp_config, 1 other",
        "mcp_servers/test-client/mcp.json": "mcp_config, 4 other",
        "test_configs.json": "mcp_config, 2 other",
    }
    ids = {
        event.entities[0].id
        for path in folder.rglob("*.json")
        for event in events(path)
        if event.source == "mcp_config"
    }
    assert ids == {
        "localhost:8123",
        "localhost:8124",
        "stdio/full_feature_server.py",
        "stdio/math_server.py",
        "stdio/python",
        "stdio/snyk-macos-arm64",
        "stdio/weather_server.py",
        "stdio/whatsapp-takeover.py",
        "stdio/whatsapp.py",
    }


def test_one_server_of_a_configuration_a_scanner_and_the_runtime(shared: Path) -> None:
    """What upstream's own server answers, as mcp-scan reports it and as tools/list gives it."""
    folder = shared / "corpora/scanners/invariant-mcp-scan/mcp_servers"
    signature = orjson.loads((folder / "signatures/math_server_signature.json").read_bytes())
    config = orjson.loads((folder / "configs_files/math_config.json").read_bytes())
    server = {"name": "Math", "server": config["mcpServers"]["Math"], "signature": signature}
    report = {"/c": {"client": "cursor", "path": "/c", "servers": [server], "issues": []}}
    said = [
        one.result.event
        for one in Reader(named("mcp_scan"), "file:x", LIMITS).read(orjson.dumps(report), 0)
        if not isinstance(one.result, Reject)
    ]
    (declared,) = events(folder / "configs_files/math_config.json")
    assert said[0].entities[0].id == declared.entities[0].id == "stdio/math_server.py"
    sent = [{k: v for k, v in tool.items() if v is not None} for tool in signature["tools"]]
    answer = {"mcp.result": {"result": {"tools": sent}}}
    assert said[0].attributes["mcp.manifest.sha256"] == manifest(answer)["mcp.manifest.sha256"]
    tools = [event.entities[0].name for event in said if event.entities[0].kind == "tool"]
    assert tools == [tool["name"] for tool in signature["tools"]]


def test_garak(shared: Path) -> None:
    """Eval rows, or what the digest says; attempts are no findings."""
    shown = counts(shared / "corpora/scanners/garak", "*.jsonl", "tbsa*.json")
    assert shown == {
        "agg.report.jsonl": "garak, 2 resolved",
        "quack.report.jsonl": "garak, 1 resolved",
        "qual_review_mixed.report.jsonl": "unknown, 3 wrong-shape",
        "qual_review_shuffled.report.jsonl": "unknown, 3 wrong-shape",
        "report_test.report.jsonl": "garak, 1 resolved",
        "tbsa_digest_0.json": "garak, 29 open, 1 resolved",
        "tbsa_digest_1.json": "garak, 29 open, 1 resolved",
        "test.report.jsonl": "garak, 1 resolved",
        "test_with_ci.report.jsonl": "garak, 1 open",
    }
    (found,) = events(shared / "corpora/scanners/garak/test_with_ci.report.jsonl")
    bounds = ("eval.pass_rate", "eval.confidence_lower", "eval.confidence_upper")
    assert [found.attributes[name] for name in bounds] == [0.74, 0.14, 0.38]
    (target,) = events(shared / "corpora/scanners/garak/report_test.report.jsonl")
    assert [one.key for one in target.entities] == ["model:qwen2"]


def test_modelscan(shared: Path) -> None:
    shown = counts(shared / "corpora/scanners/modelscan", "*.json")
    assert shown == {
        "keras_fashion_mnist-cell19.json": "modelscan, 1 open, 1 other",
        "pytorch_sentiment_analysis-cell19.json": "modelscan, 1 open, 1 other",
        "tensorflow_fashion_mnist-cell18.json": "modelscan, 2 open, 1 other",
        "xgboost_diabetes_classification-cell19.json": "modelscan, 1 open, 1 other",
    }


def test_workflow_definitions(shared: Path) -> None:
    """Three of n8n; crews are YAML that no source knows."""
    shown = counts(shared / "corpora/scanners/agentic-radar-examples", "*.json", "*.yaml")
    assert {name: said for name, said in shown.items() if said != UNKNOWN} == {
        "n8n/mcp/mcp.json": "n8n, 15 other",
        "n8n/multi_agent_databse_system/multi_agent.json": "n8n, 13 other",
        "n8n/simple_google_calendar_agent/Demo__My_first_AI_Agent_in_n8n.json": "n8n, 5 other",
    }
    assert len(shown) == 10


# How DefectDojo counts: garak, one row for each probe with a hit; promptfoo, failed tests only, so
# what passed and is closed here is none; OpenVEX, one for each product of a statement, whatever its
# status; SPDX, one for each package and advisory; CycloneDX, one for each component that a
# vulnerability affects.
@pytest.mark.parametrize("tool", ["cyclonedx", "garak", "openvex", "promptfoo", "spdx"])
def test_findings_are_those_that_another_project_finds(shared: Path, tool: str) -> None:
    folder = shared / "corpora/scanners/defectdojo"
    rows = map(orjson.loads, (folder / "expectations.jsonl").read_bytes().splitlines())
    expected = {
        row["file"]: row["findings"]
        for row in rows
        if row["tool"] == tool and row["findings"] is not None and not row["file"].endswith(".xml")
    }
    assert expected
    ours: dict[str, int] = {}
    for name in expected:
        found = [event.finding for event in events(folder / name) if event.finding is not None]
        if tool in {"garak", "promptfoo"}:
            found = [one for one in found if one.state == "open"]
        ours[name] = len(found)
    assert ours == expected


def test_csaf(shared: Path) -> None:
    folder = shared / "corpora/scanners/defectdojo/csaf"
    (event,) = events(folder / "csaf_one_vuln.json")
    assert event.finding is not None
    assert (event.finding.vulnerability, event.finding.state, event.severity) == (
        "CVE-2026-10001",
        "open",
        "critical",
    )
    assert event.attributes["vulnerability.cvss"] == 9.8
    assert rejects(folder / "csaf_unsupported_version.json") == ["wrong-shape"]


def bills(folder: Path) -> dict[str, list[Event]]:
    return {path.name: events(path, "cyclonedx") for path in sorted(folder.rglob("*.json"))}


def test_valid_bills_of_material(shared: Path) -> None:
    folder = shared / "corpora/standards/cyclonedx"
    for part in ("boms/valid", "boms/ml", "examples"):
        for path in sorted((folder / part).rglob("*.json")):
            assert rejects(path) == [], path
            for event in events(path):
                assert "bom.invalid" not in event.attributes, (path, event.attributes)
    found = bills(folder / "boms/ml")
    models = {one.id for said in found.values() for event in said for one in event.entities[:1]}
    assert models == {"stable-diffusion@1.4", "huggingface/meta-llama/llama-2-7b"}
    edges = {one.relation for said in found.values() for event in said for one in event.edges}
    assert edges == {"trained_on"}
    for part, flaws in (("boms/valid", 6), ("examples", 157)):
        said = [event for path in (folder / part).rglob("*.json") for event in events(path)]
        assert sum(event.finding is not None for event in said) == flaws


def test_invalid_bills_of_material_are_rejected_or_flagged(shared: Path) -> None:
    folder = shared / "corpora/standards/cyclonedx/boms/invalid"
    outcome = Counter[str]()
    for path in sorted(folder.rglob("*.json")):
        refused = rejects(path, "cyclonedx")
        flagged = [
            event for event in events(path, "cyclonedx") if "bom.invalid" in event.attributes
        ]
        assert refused or flagged, path
        outcome["rejected" if refused else "flagged"] += 1
    assert outcome == {"rejected": 16, "flagged": 60}


def test_known_exploited_vulnerabilities(shared: Path) -> None:
    folder = shared / "corpora/standards/cisa-kev"
    as_json = events(folder / "known_exploited_vulnerabilities.json")
    as_csv = events(folder / "known_exploited_vulnerabilities.csv")
    assert rejects(folder / "known_exploited_vulnerabilities_schema.json") == ["unknown-format"]

    def told(said: list[Event]) -> list[tuple[str, int, Any]]:
        keys = ("kev.due_date", "kev.ransomware")
        return sorted(
            (one.entities[0].id, one.time, tuple(map(one.attributes.get, keys))) for one in said
        )

    assert len(as_json) == 1404
    assert told(as_json) == told(as_csv)
    assert sum(event.attributes["kev.ransomware"] for event in as_json) == 293


def test_a_catalogue_of_mcp_servers(shared: Path) -> None:
    """Each server has an id of its own, and its list of tools a hash."""
    folder = shared / "corpora/prompts/docker-mcp-registry"
    ids = Counter[str]()
    for path in sorted(folder.glob("*/server.yaml")):
        said = yaml.safe_load(path.read_text("utf-8"))
        url, image = (said.get("remote") or {}).get("url"), said.get("image")
        runs = ["run", "-i", "--rm", image] if image else None
        command = "docker" if image and not url else None
        found = mcp.server(url=url, command=command, args=runs, title=said["name"])
        assert found is not None
        ids[found.id.partition("/")[0] if found.id.startswith("docker/") else "other"] += 1
        ids["all"] += 1
        ids[f"id {found.id}"] += 1
    assert (ids["all"], ids["docker"], ids["other"]) == (135, 101, 34)
    assert max(count for name, count in ids.items() if name.startswith("id ")) == 1
    lists = {
        path.parent.name: offered(orjson.loads(path.read_bytes()))
        for path in sorted(folder.glob("*/tools.json"))
    }
    assert len({said["mcp.manifest.sha256"] for said in lists.values()}) == len(lists) == 13
    assert lists["kubectl-mcp-server"]["mcp.manifest.cues"] == ["credential", "destructive"]
