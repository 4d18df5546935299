"""Third-party records of AI at work: all are read, and what a few of them say is exact."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import yaml

from schemas.config import Limits
from schemas.event import Event, Reject
from schemas.times import rfc3339
from streams.reading import Reader, outcomes
from streams.source import named

LIMITS = Limits()
# Of what is told of a sample: (source, reason), or (source,) where it was read.
Told = tuple[str, ...]


def told(path: Path) -> Counter[Told]:
    counts = Counter[Told]()
    for result, _ in outcomes(str(path), LIMITS):
        if isinstance(result, Reject):
            assert result.detail
            counts[result.source, result.reason] += 1
        else:
            counts[(result.event.source,)] += 1
    return counts


def events(path: Path) -> list[Event]:
    found = [result for result, _ in outcomes(str(path), LIMITS)]
    return [one.event for one in found if not isinstance(one, Reject)]


def total(folder: Path, pattern: str = "**/*.json") -> Counter[Told]:
    paths = sorted(folder.glob(pattern))
    assert paths
    return sum(map(told, paths), Counter())


def test_every_folder(shared: Path) -> None:
    folder = shared / "corpora/ai-telemetry"
    assert total(folder / "litellm") == {("litellm",): 2}
    assert total(folder / "envoy-ai-gateway/access-log") == {("envoy_ai",): 2}
    # The last of these is the JSON Schema of an event, which has the same keys.
    mesh = folder / "agent-governance-toolkit"
    assert total(mesh / "cloudevents") == {
        ("cloudevents",): 5,
        ("cloudevents", "wrong-shape"): 1,
    }
    assert total(mesh / "audit-trails") == {("unknown", "unknown-format"): 3}
    # 51 golden events, an export of Codex and one of Claude Code; a hook and two server listings.
    assert total(folder / "defenseclaw/samples") == {
        ("defenseclaw",): 51,
        ("otel",): 2,
        ("unknown", "unknown-format"): 3,
    }


def test_captures_of_mcp(shared: Path) -> None:
    """Each technique has a shape of its own; one record is a message of JSON-RPC."""
    counts = total(shared / "corpora/ai-telemetry/safe-mcp", "*/test-logs.json")
    assert counts[("mcp_jsonrpc",)] == 1
    assert counts["mcp_jsonrpc", "wrong-shape"] == 8
    assert counts["unknown", "unknown-format"] == 16


def test_litellm_by_hand(shared: Path) -> None:
    folder = shared / "corpora/ai-telemetry/litellm"
    (payload,) = events(folder / "standard_logging_payload.json")
    assert rfc3339(payload.time) == "2025-01-24T09:20:46.851954Z"
    assert (payload.activity, payload.status) == ("chat", "success")
    assert [one.key for one in payload.entities] == ["model:gpt-4o"]
    assert payload.attributes["gen_ai.usage.cost_usd"] == 0.00022500000000000002
    assert payload.attributes["gen_ai.usage.output_tokens"] == 20
    assert payload.actor is None
    (spend,) = events(folder / "spend_logs_payload.json")
    assert [one.key for one in spend.entities] == ["model:gpt-4o", "session:1234567890"]
    assert spend.time == payload.time


def test_envoy_by_hand(shared: Path) -> None:
    folder = shared / "corpora/ai-telemetry/envoy-ai-gateway/access-log"
    (model,) = events(folder / "llm-0.json")
    assert rfc3339(model.time) == "2025-08-30T16:51:37.894000Z"
    assert (model.activity, model.status) == ("chat", "success")
    assert model.entities[0].key == "model:gpt-4o-mini"
    assert model.client is not None
    assert (model.client.ip, model.client.user_agent) == ("192.168.1.38", "curl/8.7.1")
    assert model.actor is not None
    assert model.actor.key == "application:default/aigw-run"
    (call,) = events(folder / "mcp-1.json")
    assert (call.activity, call.entities[0].key) == ("tools/call", "mcp_server:context7")


def test_agent_mesh_by_hand(shared: Path) -> None:
    folder = shared / "corpora/ai-telemetry/agent-governance-toolkit/cloudevents"
    (violation,) = events(folder / "1-policy.violation.json")
    assert rfc3339(violation.time) == "2026-02-03T12:00:00.000000Z"
    assert (violation.status, violation.severity) == ("failure", "critical")
    assert violation.attributes["guardrail.verdict"] == "deny"
    assert violation.entities[0].key == "tool:agent-abc123/shell:execute"
    assert violation.actor is not None
    assert violation.actor.key == "agent:agent-abc123"
    assert violation.attributes["audit.position"] == 1542
    (invoked,) = events(folder / "2-tool.invoked.json")
    assert (invoked.activity, invoked.status) == ("execute_tool", "success")


def test_defenseclaw_by_hand(shared: Path) -> None:
    folder = shared / "corpora/ai-telemetry/defenseclaw/samples/v7/golden"
    words = {
        (path.name, event.attributes["guardrail.verdict"])
        for path in folder.rglob("verdict-*.json")
        for event in events(path)
    }
    assert words == {
        ("verdict-allowed.golden.json", "allow"),
        ("verdict-blocked.golden.json", "deny"),
    }
    (judged,) = events(folder / "judge-injection.golden.json")
    assert judged.attributes["guardrail.verdict"] == "warn"
    assert judged.attributes["guardrail.category"] == "prompt_attack"
    (clean,) = events(folder / "scan-clean.golden.json")
    assert (clean.class_uid, clean.status) == (6007, "success")


def test_coding_agents(shared: Path) -> None:
    folder = shared / "corpora/ai-telemetry/defenseclaw/samples/correlation"
    (codex,) = events(folder / "codex/tool-result.logs.json")
    assert (codex.activity, codex.status) == ("execute_tool", "success")
    assert {"tool:codex/shell", "agent:codex", "model:gpt-test"} <= {
        one.key for one in codex.entities
    }
    (claude,) = events(folder / "claudecode/tool.span.source.json")
    assert claude.entities[0].key == "tool:claude_code/Read"
    assert claude.uid == "11111111111111111111111111111111:2222222222222222"  # it was base64


def alert(rule: dict[str, Any]) -> dict[str, Any]:
    """What Falco writes for a rule: its own words, and a value for each field of its output."""
    names = re.findall(r"%([a-z0-9_.]+(?:\[[^\]]+\])?)", rule["output"])
    return {
        "hostname": "Node-1",
        "output": rule["output"],
        "output_fields": dict.fromkeys(names, "example"),
        "priority": rule["priority"].title(),
        "rule": rule["rule"],
        "source": rule.get("source", "syscall"),
        "tags": rule.get("tags", []),
        "time": "2026-03-04T05:06:07.123456789Z",
    }


def test_an_alert_of_every_falco_rule(shared: Path) -> None:
    reader = Reader(named("falco"), "file:x", LIMITS)
    severities = Counter[str]()
    paths = sorted((shared / "corpora/rules/falco").glob("*.yaml"))
    entries = [one for path in paths for one in yaml.safe_load(path.read_bytes())]
    rules = [one for one in entries if "rule" in one and "output" in one]
    for rule in rules:
        (outcome,) = reader.read(orjson.dumps(alert(rule)), 0)
        assert not isinstance(outcome.result, Reject), outcome.result
        event, private = outcome.result
        assert event.attributes["falco.rule"] == rule["rule"]
        assert event.attributes.get("falco.tags", []) == rule.get("tags", [])
        assert "host:node-1" in {one.key for one in event.entities}
        assert ("process.command_line" in private) == ("%proc.cmdline" in rule["output"])
        severities[event.severity] += 1
    assert sum(severities.values()) == 93
    assert severities == {
        "critical": 13,
        "high": 12,
        "medium": 29,
        "low": 33,
        "informational": 6,
    }
