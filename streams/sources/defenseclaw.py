"""DefenseClaw: what a gateway beside coding agents saw, judged and found.

Read are the events of its gateway (`event_type` with a payload of the same name), envelope version
7: verdicts, judgements, hook decisions, prompts and answers, tool calls, egress, scans and their
findings, activity, lifecycle, discovery and inventory of MCP servers and agents.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from schemas.canonical import digest
from schemas.detection import Logsource
from schemas.entity import MAX_ID, Entity, Kind
from schemas.event import EventEvidence, Level, Status
from schemas.times import HOUR
from streams.names import mcp
from streams.records.envelope import records
from streams.records.untrusted import entity, listing, mapping, moment, number, text
from streams.reports.scans import ATTRIBUTES as OF_SCANS
from streams.reports.scans import Found, Scan, finding, level, scanned
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry import runtime
from streams.telemetry.runtime import Told
from streams.telemetry.verdicts import verdicts

NAME: Final = "defenseclaw"
TITLE: Final = "Cisco DefenseClaw gateway events"
LOGSOURCE: Final = Logsource(product="defenseclaw")
LATENESS: Final = HOUR
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"api_activity", "detection_finding", "scan_activity"})
ATTRIBUTES: Final = OF_SCANS | frozenset(
    """
    activity.action activity.target activity.target_type agent.depth agent.lifecycle agent.parent
    agent.type defenseclaw.event defenseclaw.mode deployment.environment.name discovery.category
    discovery.confidence discovery.product discovery.state discovery.vendor egress.branch
    egress.looks_like_llm error.code gen_ai.agent.id gen_ai.agent.name gen_ai.conversation.id
    gen_ai.input.messages gen_ai.input.messages.size gen_ai.operation.name gen_ai.output.messages
    gen_ai.output.messages.size gen_ai.provider.name gen_ai.request.model
    gen_ai.response.finish_reasons gen_ai.tool.call.arguments gen_ai.tool.call.arguments.size
    gen_ai.tool.call.id gen_ai.tool.call.result gen_ai.tool.call.result.size gen_ai.tool.name
    guardrail.category guardrail.reason guardrail.rules guardrail.stage guardrail.verdict
    guardrail.would_block inventory.count judge.kind judge.model lifecycle.subsystem
    lifecycle.transition network.peer.address policy.id scan.id server.address tool.exit_code
    trace.id url.path user.id
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "gateway event envelope v7 (schema_version 7)"
GAPS: Final = (
    "The canonical v8 telemetry is OpenTelemetry and comes through `otel`.",
    "A finding is closed by a later scan that finds nothing, not by one that finds others.",
    "Of an inventory the first 64 servers and agents become assets.",
)

_MOST: Final = 64
_ABOUT: Final = re.compile(rb'"event_type"\s*:\s*"(\w{4,32})"(?s:.{0,4096}?)"\1"\s*:\s*\{')
_ACTIVITIES: Final = {
    "llm_prompt": "chat",
    "llm_response": "chat",
    "tool_invocation": "execute_tool",
    "verdict": "apply_guardrail",
    "judge": "apply_guardrail",
    "hook_decision": "apply_guardrail",
}
_TARGETS: Final[dict[str, Kind]] = {
    "agent": "agent",
    "mcp": "mcp_server",
    "mcp_server": "mcp_server",
    "model": "model",
    "plugin": "skill",
    "skill": "skill",
    "tool": "tool",
}
_STATUS: Final[dict[str, Status]] = {"deny": "failure", "allow": "success"}


def sniff(head: bytes) -> bool:
    """An envelope has its version, what wrote it, or what it is about by the name of its type."""
    if not (b'"event_type"' in head and b'"schema_version"' in head):
        return False
    if b'"sidecar_instance_id"' in head or b'"binary_version"' in head:
        return True
    return b'"ts"' in head and b'"severity"' in head and _ABOUT.search(head) is not None


def split(document: bytes) -> Iterator[Raw]:
    """The events of a document."""
    return records(document)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - the protocol
    """One event of the gateway."""
    said = mapping(record)
    kind = text(said.get("event_type"), 64)
    if kind is None:
        raise Unreadable("wrong-shape", "an event has event_type")
    load, when = mapping(said.get(kind)), moment(said.get("ts"))
    if kind in ("scan", "scan_finding"):
        return _scan(said, kind, load, when, evidence)
    given = _given(said, kind, load)
    own = entity("application", said.get("destination_app"))
    found = verdicts((_decided(load), *(listing(load.get("categories")) or (load.get("kind"),))))
    given |= found
    status = _STATUS.get(str(found.get("guardrail.verdict")), "unknown")
    if kind in ("error", "diagnostic"):
        status = "failure"
    others: dict[Kind, Entity | None] = {
        "application": own,
        "guardrail": entity("guardrail", said.get("policy_id"))
        or (entity("guardrail", "defenseclaw") if found else None),
        "endpoint": None,
    }
    if kind.endswith("_inventory"):
        others |= _inventory(load)
    nobody = not {"agent_id", "agent_name", "session_id", "model", "tool_name"} & said.keys()
    if nobody and not any(others.values()):
        others["application"] = entity("application", "defenseclaw")
    return runtime.runtime(
        Told(
            source=NAME,
            uid=_uid(said, evidence),
            time=when,
            activity=_ACTIVITIES.get(kind, kind),
            said=given,
            status=status,
            severity=_level(said),
            others=others,
            about="mcp_server" if kind == "mcp_inventory" else None,
        ),
        evidence,
    )


def _given(said: dict[str, Json], kind: str, load: dict[str, Json]) -> dict[str, Json]:
    """What the envelope and its payload say, under present names."""
    tool = load.get("tool") if kind == "tool_invocation" else said.get("tool_name")
    return {
        "gen_ai.agent.id": said.get("agent_id"),
        "gen_ai.agent.name": said.get("agent_name"),
        "gen_ai.conversation.id": said.get("session_id"),
        "gen_ai.operation.name": _ACTIVITIES.get(kind)
        if kind.startswith(("llm", "tool"))
        else None,
        "gen_ai.provider.name": said.get("provider"),
        "gen_ai.request.model": said.get("model") if kind != "judge" else None,
        "gen_ai.response.finish_reasons": listing(load.get("finish_reasons")) or None,
        "gen_ai.tool.name": tool,
        "gen_ai.tool.call.id": load.get("tool_call_id") or said.get("tool_id"),
        "gen_ai.tool.call.arguments": load.get("tool_input"),
        "gen_ai.tool.call.result": load.get("tool_output"),
        "gen_ai.input.messages": load.get("prompt") or load.get("raw_request_body"),
        "gen_ai.output.messages": load.get("response") or load.get("raw_response_body"),
        "trace.id": said.get("trace_id"),
        "user.id": said.get("user_id") or said.get("user_name"),
        "deployment.environment.name": said.get("environment"),
        "server.address": load.get("target_host"),
        "url.path": load.get("target_path"),
        "network.peer.address": load.get("resolved_ip"),
        "activity.action": load.get("action") if kind == "activity" else None,
        "activity.target": load.get("target_id"),
        "activity.target_type": load.get("target_type"),
        "agent.depth": said.get("agent_depth"),
        "agent.lifecycle": said.get("agent_lifecycle_event"),
        "agent.parent": said.get("parent_agent_id"),
        "agent.type": said.get("agent_type"),
        "defenseclaw.event": kind,
        "defenseclaw.mode": load.get("mode"),
        "discovery.category": load.get("category") if kind == "ai_discovery" else None,
        "discovery.confidence": number(load.get("confidence")),
        "discovery.product": load.get("product"),
        "discovery.state": load.get("state") if kind == "ai_discovery" else None,
        "discovery.vendor": load.get("vendor"),
        "egress.branch": load.get("branch"),
        "egress.looks_like_llm": load.get("looks_like_llm"),
        "error.code": load.get("code"),
        "guardrail.reason": text(load.get("reason")) if "action" in load else None,
        "guardrail.rules": listing(load.get("rule_ids")) or None,
        "guardrail.stage": load.get("stage"),
        "guardrail.would_block": load.get("would_block"),
        "inventory.count": load.get("count"),
        "judge.kind": load.get("kind") if kind == "judge" else None,
        "judge.model": load.get("model") if kind == "judge" else None,
        "lifecycle.subsystem": load.get("subsystem"),
        "lifecycle.transition": load.get("transition"),
        "policy.id": said.get("policy_id"),
        "tool.exit_code": load.get("exit_code"),
    }


def _decided(load: dict[str, Json]) -> Json:
    """The word of a verdict; what a watching mode would have refused went through."""
    if load.get("would_block") is True and load.get("enforced") is False:
        return "warn"
    return load.get("action") or load.get("decision")


def _scan(
    said: dict[str, Json], kind: str, load: dict[str, Json], when: int, evidence: EventEvidence
) -> Parsed:
    target = text(load.get("target"), MAX_ID)
    if target is None:
        raise Unreadable("wrong-shape", "a scan names its target")
    of = _TARGETS.get(text(load.get("target_type"), 32) or text(load.get("scanner"), 32) or "")
    about = mcp.server(title=target) if of == "mcp_server" else None
    asset = about or Entity(kind=of or "repo", id=target)
    scan = Scan(NAME, f"{NAME}/{text(load.get('scanner'), 64) or 'scan'}", asset, when)
    if kind == "scan":
        counts = mapping(load.get("counts")).values()
        total = load.get("total_count")
        known = total if isinstance(total, int) else sum(one for one in counts if _whole(one))
        if load.get("error") or load.get("verdict") == "error":
            return Parsed(scanned(scan, known, evidence, status="failure"), {})
        told = scanned(scan, known, evidence)
        # Findings come in records with times of their own: only a clean scan closes others.
        return Parsed(told if known == 0 else told.model_copy(update={"status": "unknown"}), {})
    rule = text(load.get("rule_id"), 256) or text(load.get("category"), 256) or "finding"
    found = Found(
        sort="detection",
        of=rule,
        title=text(load.get("title"), 512) or rule,
        severity=level(load.get("severity"), said.get("severity")),
        place=text(load.get("location"), 512) or text(load.get("line_number"), 32),
        attributes={"scan.id": text(load.get("scan_id"), 128)},
    )
    return Parsed(finding(scan, found, evidence), {})


def _inventory(load: dict[str, Json]) -> dict[Kind, Entity | None]:
    rows = listing(load.get("servers")) or listing(load.get("agents"))
    first = mapping(next(iter(rows[:_MOST]), None))
    host = entity("host", (text(load.get("hostname"), 256) or "").lower() or None)
    if "servers" in load:
        server = mcp.server(
            url=first.get("url"),
            command=first.get("command"),
            args=first.get("args"),
            title=first.get("name"),
        )
        return {"mcp_server": server, "host": host}
    return {"agent": entity("agent", first.get("id") or first.get("name")), "host": host}


def _level(said: dict[str, Json]) -> Level:
    return level(said.get("severity"))


def _whole(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _uid(said: dict[str, Json], evidence: EventEvidence) -> str:
    return digest(NAME, said.get("request_id"), said.get("ts"), evidence.sha256)
