"""What sources say of one entity, as rows of the observe stage, and what it says of that."""

from __future__ import annotations

from typing import Any

from schemas.rows import Output, Row
from schemas.times import DAY
from tests.correlators.stage import ZERO, rows_of

KEY = "workload:ecs/prod/chat"
LONG = 400 * DAY  # after all that happens here


def fact(
    time: int,
    state: str = "open",
    name: str = "exposed",
    instance: str = "",
    at: int | None = None,
    tool: str = "trivy",
    id_: str = "",
) -> Row:
    at = time if at is None else at
    body = {
        "name": name,
        "instance": instance,
        "state": state,
        "severity": "high",
        "confidence": 700,
        "title": f"{name} {instance}".strip(),
        "family": name,
        "tags": [],
        "tool": tool,
        "at": at,
        "evidence": [[f"event-{at}", ZERO]],
    }
    id_ = id_ or f"fact|{name}|{instance}|event-{at}-{state}"
    return Row("facts", 0, KEY, time, id_, "fact", body)


def scan(time: int, tool: str = "trivy", at: int | None = None) -> Row:
    body = {"tool": tool, "at": time if at is None else at}
    return Row("facts", 0, KEY, time, f"scan|{tool}|{time}", "scan", body)


def edge(
    time: int, state: str = "open", at: int | None = None, *, declared: bool = False, to: str = "m"
) -> Row:
    body = {
        "relation": "calls",
        "to": f"model:{to}",
        "declared": declared,
        "state": state,
        "at": time if at is None else at,
    }
    return Row("facts", 0, KEY, time, f"edge|{to}|{time}|{state}|{at}", "edge", body)


def asset(time: int, source: str = "otel", at: int | None = None, **more: Any) -> Row:  # noqa: ANN401
    body = {"source": source, "at": time if at is None else at, **more}
    return Row("facts", 0, KEY, time, f"asset|{source}|{time}", "asset", body)


def states(outputs: list[Output]) -> list[tuple[str, str, int]]:
    """Facts as attach hears of them: instance, state, time."""
    posture = [row for row in rows_of(outputs) if row.kind == "posture"]
    return [
        (f"{row.body['name']}|{row.body['instance']}", row.body["state"], row.time)
        for row in posture
    ]


def links(outputs: list[Output]) -> list[tuple[bool, bool, int]]:
    """Edges as inventory hears of them: open, declared, time."""
    told = [row for row in rows_of(outputs) if row.kind == "link"]
    return [(row.body["open"], row.body["declared"], row.time) for row in told]
