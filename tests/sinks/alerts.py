"""Alerts for sinks, whole as the engine writes them, with texts that nobody should trust."""

from __future__ import annotations

from typing import Any

from schemas.canonical import digest
from schemas.finding import State
from schemas.rows import Result

NOON = "2026-01-01T12:00:00.000000Z"
LATER = "2026-01-01T13:30:00.250000Z"
HOSTILE = '<b>"O\'Brien"|=]\\ \n\t\x00\x1b[31m %s {{7*7}} ${x} \u202e\u00fc\U0001f480'
EVIDENCE = [{"event": "e" * 64, "sha256": "5" * 64}]


def body(id_: str, revision: int = 1, state: State = "provisional", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """A whole alert: `more` replaces fields of it."""
    told: dict[str, Any] = {
        "id": id_,
        "thread": digest("thread", id_),
        "convergence": "tool_poisoning",
        "stage": "warning",
        "peak_stage": "warning",
        "status": "open",
        "system": "support-bot",
        "title": "A poisoned tool is at work in support-bot",
        "summary": "An injection reached an agent that may send mail; three families agree.",
        "priority": 87,
        "confidence": 0.91,
        "severity": "critical",
        "entities": [
            {"kind": "application", "id": "support-bot"},
            {"kind": "principal", "id": "ana@corp.example", "name": "Ana"},
            {"kind": "tool", "id": "mcp-mail/send", "name": "send"},
            {"kind": "model", "id": "gpt-4o-2024-08-06"},
        ],
        "findings": ["f" * 64],
        "timeline": [
            {"time": NOON, "text": "ana@corp.example changed mcp-mail/send", "evidence": EVIDENCE},
            {"time": LATER, "text": "mcp-mail/send was called from 198.51.100.7"},
        ],
        "path": [
            {
                "from": "application:support-bot",
                "relation": "uses",
                "to": "tool:mcp-mail/send",
                "state": "walked",
            },
        ],
        "why": [
            {
                "term": "family:runtime",
                "value": 1.0,
                "weight": 2400,
                "points": 2400,
                "evidence": EVIDENCE,
            },
        ],
        "next": [
            {
                "technique": "AML.T0086",
                "name": "Exfiltration via AI Agent Tool Invocation",
                "probability": 0.62,
                "horizon": "24h",
                "precondition": "the agent may send mail",
                "blocking_action": "Take mcp-mail/send from the agent",
            },
        ],
        "actions": [
            {
                "text": "Take mcp-mail/send from the agent",
                "control": "AML.M0026",
                "effect": "-2400 points",
            },
        ],
        "tags": ["attack.initial_access", "atlas.aml.t0051.001", "owasp.llm01-2025"],
        "first_time": NOON,
        "onset_time": NOON,
        "last_time": LATER,
        "expires_at": "2026-01-02T13:30:00.250000Z",
        "evidence": EVIDENCE,
    } | more
    told["body_sha256"] = digest("body", id_, revision, sorted(more))
    told["meta"] = {"state": state, "revision": revision, "emitted": LATER}
    return told


def alert(id_: str, revision: int = 1, state: State = "provisional", **more: Any) -> Result:  # noqa: ANN401
    """The same as a result for a sink."""
    return Result("alert", id_, 1_767_274_200_250_000, state, body(id_, revision, state, **more))


def lives(alerts: int, revisions: int = 4) -> list[Result]:
    """The whole lives of so many alerts, mixed as they would come.

    Every fifth is withdrawn in the end, every third of the others resolved; `open` the rest.
    """
    found: list[Result] = []
    for revision in range(1, revisions + 1):
        last = revision == revisions
        for number in range(alerts):
            more: dict[str, Any] = {"title": f"{HOSTILE} {number}"} if number % 7 == 0 else {}
            more["stage"] = "outlook" if revision == 1 else "warning"
            more["expires_at"] = "2100-01-01T00:00:00.000000Z"  # whenever it is played
            state: State = "final" if last else "provisional"
            if last and number % 5 == 0:
                state = "withdrawn"
            elif last and number % 3 == 0:
                more["status"] = "resolved"
            found.append(alert(f"{number:04d}" + "a" * 60, revision, state, **more))
    return found
