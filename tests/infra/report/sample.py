"""An estate of three systems as the store has it: one warning, one expired watch, one calm."""

from hashlib import sha256
from typing import Any

from correlators.score import THRESHOLDS
from infra.report.estate import Estate, estate

Row = dict[str, Any]
CLAIMS, SUPPORT, FRAUD = (
    "application:claims-portal",
    "application:support-copilot",
    "application:fraud-scoring",
)
AGENT, TOOL, SERVER = (
    "agent:claims-assistant",
    "tool:mcp.example.test/fetch_page",
    "mcp_server:mcp.example.test",
)
WORKLOAD = "workload:ecs/tools/mcp-http"
MODEL = "model:anthropic.claude-example"
SUMMARY = {
    "read": 48211,
    "parsed": 48198,
    "rejected": 13,
    "late": 42,
    "signals": 317,
    "findings": {"final": 9},
    "alerts": {"warning": 1, "watch": 1},
    "events_per_second": 61250.0,
    "seconds": 0.79,
    "until": "2026-11-20T21:40:00Z",
}


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


IMAGE = f"image:sha256:{digest('image')}"


def evidence(*events: str) -> list[Row]:
    return [{"event": digest(f"event {e}")[:32], "sha256": digest(f"raw {e}")} for e in events]


def term(name: str, value: float, weight: int, points: int, *events: str) -> Row:
    ledger = {"term": name, "value": value, "weight": weight, "points": points}
    return {**ledger, "evidence": evidence(*events)}


def moment(time: str, text: str, *events: str) -> Row:
    return {"time": time, "text": text, "evidence": evidence(*events)}


def step(start: str, relation: str, end: str, state: str = "walked") -> Row:
    return {"from": start, "relation": relation, "to": end, "state": state}


def warning() -> Row:
    return {
        "id": digest("alert 1")[:32],
        "thread": digest("thread 1")[:32],
        "convergence": "mcp_rug_pull",
        "stage": "warning",
        "peak_stage": "warning",
        "status": "open",
        "system": CLAIMS,
        "title": "A trusted tool changed its instructions, and an agent with customer data used it",
        "summary": "The tool fetch_page gained a URL and an instruction to conceal it, 18 minutes "
        "after two prompt attacks on the same agent were blocked. The agent then read the claims "
        "archive and sent 41 KB through that tool.",
        "priority": 91,
        "confidence": 0.88,
        "severity": "critical",
        "entities": [{"kind": "agent", "id": "claims-assistant"}],
        "findings": [digest("finding 1")[:32]],
        "timeline": [
            moment("2026-11-20T21:02:11Z", "outlook: Two prompt attacks were blocked", "g1", "g2"),
            moment("2026-11-20T21:20:40Z", "outlook -> watch: Tool gained a hidden URL", "turned"),
            moment("2026-11-20T21:31:05Z", "more evidence: 312 objects read, usual 4 to 9", "read"),
            moment("2026-11-20T21:33:58.25Z", "watch -> warning: Called with 41 KB", "called"),
        ],
        "path": [
            step(CLAIMS, "runs", AGENT),
            step(AGENT, "uses", TOOL),
            step(TOOL, "served_by", SERVER),
            step(AGENT, "retrieves", "datastore:s3/claims-archive"),
            step(SERVER, "runs_on", WORKLOAD, "open"),
        ],
        "why": [
            term("base", 1.0, -2200, -2200),
            term("used/mcp_tool_called", 0.68, 2000, 1360, "read", "called"),
            term("turned/mcp_manifest_turned", 0.72, 1600, 1152, "turned"),
            term("private/holds_private_data", 0.72, 1200, 864, "label"),
            term("attacks/prompt_attack_blocked", 0.165, 2000, 330, "g1", "g2"),
            term("corroboration/mcp_manifest_turned", 0.384616, 650, 250, "turned"),
            term("data/personal", 0.72, 600, 432, "label"),
            term("criticality/high", 0.72, 200, 144, "label"),
        ],
        "next": [
            {
                "technique": "AML.T0086",
                "name": "Exfiltration via AI Agent Tool Invocation",
                "probability": 0.62,
                "horizon": "24h",
                "precondition": "the agent can call fetch_page (edge observed 2026-11-20)",
                "blocking_action": "Take fetch_page from the agent's tools",
            },
            {
                "technique": "AML.T0012",
                "name": "Valid Accounts",
                "probability": 0.17,
                "horizon": "24h",
                "precondition": "workload mcp-http holds a role with bedrock:InvokeModel",
                "blocking_action": "Rotate the task role's credentials",
            },
        ],
        "actions": [
            {
                "text": "Pin fetch_page to the manifest approved on 2026-11-03",
                "control": "AML.M0014",
                "effect": "priority 91 -> 63",
            },
            {
                "text": "Keep private data out of agents that use servers of others",
                "control": "AML.M0032",
                "effect": "priority 91 -> 74",
            },
        ],
        "tags": ["atlas.aml-t0110", "owasp.asi04"],
        "first_time": "2026-11-20T21:02:11Z",
        "onset_time": "2026-11-20T21:02:11Z",
        "last_time": "2026-11-20T21:33:58.250000Z",
        "expires_at": "2026-11-21T21:33:58.250000Z",
        "evidence": evidence("g1", "g2", "turned", "read", "called", "label", "scan"),
        "body_sha256": digest("body 1"),
        "meta": {"state": "settled", "revision": 5, "origins": ["file:logs/otel.jsonl#811"]},
    }


def expired() -> Row:
    return {
        **warning(),
        "id": digest("alert 2")[:32],
        "thread": digest("thread 2")[:32],
        "convergence": "recon_to_use",
        "stage": "watch",
        "peak_stage": "watch",
        "status": "expired",
        "system": SUPPORT,
        "title": "A long-term key looked around, then invoked models",
        "summary": "The key AKIAEXAMPLE2 listed models and log settings, then invoked two models.",
        "priority": 38,
        "confidence": 0.64,
        "severity": "high",
        "timeline": [
            moment("2026-11-19T15:04:00Z", "watch: Reconnaissance, then use", "recon"),
            moment("2026-11-20T15:09:30Z", "expired at watch"),
        ],
        "path": [step("apikey:AKIAEXAMPLE2", "calls", MODEL)],
        "why": [
            term("base", 1.0, -2200, -2200),
            term("recon/bedrock_recon", 0.68, 2000, 1360, "recon"),
            term("key/long_term_key", 0.291667, 1200, 350, "key"),
        ],
        "next": [],
        "actions": [{"text": "Delete AKIAEXAMPLE2, use a role", "effect": "priority 38 -> 19"}],
        "first_time": "2026-11-19T15:04:00Z",
        "onset_time": "2026-11-19T15:04:00Z",
        "last_time": "2026-11-20T09:04:00Z",
        "expires_at": "2026-11-20T15:09:30Z",
        "evidence": evidence("recon", "key"),
        "meta": {"state": "final", "revision": 2},
    }


SIGNAL: Row = {
    "id": digest("signal")[:32],
    "time": "2026-11-20T21:20:40Z",
    "detection": "mcp_manifest_turned",
    "title": "Tool description hides something",
    "level": "high",
    "confidence": 0.9,
    "family": "mcp-manifest",
    "event": evidence("turned")[0]["event"],
    "entities": [{"kind": "mcp_server", "id": "mcp.example.test"}],
    "fields": {"mcp.manifest.cues": ["conceal", "url"], "name": "\x1b[2Jgone"},
    "tags": ["atlas.aml-t0110"],
    "evidence": evidence("turned"),
}
FINDING: Row = {
    "id": digest("finding")[:32],
    "rule": "prompt_attack_burst",
    "title": "Several prompt attacks on one agent",
    "level": "high",
    "group": {"entity.agent": "claims-assistant"},
    "first_time": "2026-11-20T21:01:00Z",
    "onset_time": "2026-11-20T21:02:11Z",
    "last_time": "2026-11-20T21:05:00Z",
    "count": 12345,
    "signals": [SIGNAL["id"]],
    "families": ["prompt-attack"],
    "confidence": 0.7,
    "evidence": evidence("g1", "g2"),
    "body_sha256": digest("finding body"),
    "meta": {"state": "final", "revision": 3},
}


def scores() -> list[Row]:
    written = {
        warning()["id"]: [
            ("2026-11-20T21:02:11Z", 22),
            ("2026-11-20T21:20:40Z", 58),
            ("2026-11-20T21:31:05Z", 74),
            ("2026-11-20T21:33:58.25Z", 91),
        ],
        expired()["id"]: [
            ("2026-11-19T15:04:00Z", 46),
            ("2026-11-19T21:04:00Z", 42),
            ("2026-11-20T09:04:00Z", 38),
        ],
    }
    return [
        {"alert": alert, "revision": revision, "time": time, "total": THRESHOLDS[priority - 1]}
        for alert, revisions in written.items()
        for revision, (time, priority) in enumerate(revisions, start=1)
    ]


def edges() -> list[Row]:
    written = [
        (CLAIMS, "runs", AGENT),
        (AGENT, "uses", TOOL),
        (AGENT, "uses", "tool:crm.example.test/lookup"),
        (AGENT, "calls", MODEL),
        (AGENT, "guarded_by", "guardrail:gr-claims"),
        (AGENT, "retrieves", "datastore:s3/claims-archive"),
        (TOOL, "served_by", SERVER),
        ("tool:crm.example.test/lookup", "served_by", "mcp_server:crm.example.test"),
        (SERVER, "runs_on", WORKLOAD),
        (WORKLOAD, "runs_image", IMAGE),
        (CLAIMS, "runs_on", "workload:ecs/claims/portal"),
        (MODEL, "trained_on", "dataset:claims-2025"),
    ]
    return [{"from": a, "relation": relation, "to": b} for a, relation, b in written]


def fact(entity: str, severity: str, title: str, since: str) -> Row:
    about = {"entity": entity, "name": "scanner_finding", "state": "open", "severity": severity}
    return {**about, "title": title, "since": since}


def forecast(outcome: str, probability: float) -> Row:
    return {
        "system": CLAIMS,
        "technique": "AML.T0086",
        "probability": probability,
        "issued": "2026-11-20T21:33:58Z",
        "until": "2026-11-21T21:33:58Z",
        "outcome": outcome,
    }


def tables() -> dict[str, list[Row]]:
    ended = [("hit", 0.55), ("hit", 0.4), ("false_alarm", 0.3), ("false_alarm", 0.17)]
    return {
        "alerts": [expired(), warning()],
        "systems": [{"id": system} for system in (CLAIMS, SUPPORT, FRAUD)],
        "edges": edges(),
        "facts": [
            fact(
                "apikey:AKIAEXAMPLE2", "high", "Long-term key, 412 days old", "2026-11-12T00:00:00Z"
            ),
            fact(IMAGE, "critical", "CVE-2023-4863 in libwebp 1.2.4", "2026-11-18T04:00:00Z"),
            fact("datastore:s3/features", "medium", "Anyone may list it", "2026-11-20T06:30:00Z"),
        ],
        "forecasts": [forecast("open", 0.62), *(forecast(*end) for end in ended)],
        "scores": scores(),
    }


def sample() -> Estate:
    return estate(tables(), SUMMARY)
