"""CloudEvents: what an agent mesh audits of its agents: tools, policies, trust.

Read are CloudEvents 1.0 in structured mode, alone or as a batch (a list), of the types
`ai.agentmesh.*` of the Agent Governance Toolkit, and of any other type whose `data` names an agent
or a tool. `data` may be an object, a JSON text or `data_base64`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Final

from schemas.canonical import digest
from schemas.config import Limits
from schemas.detection import Logsource
from schemas.event import EventEvidence, Level, Status
from schemas.times import MINUTE
from streams.records.envelope import records
from streams.records.untrusted import decode, entity, listing, mapping, moment, number, text
from streams.reports.scans import level
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry import runtime
from streams.telemetry.runtime import Told
from streams.telemetry.verdicts import verdicts, word

NAME: Final = "cloudevents"
TITLE: Final = "CloudEvents agent audit"
LOGSOURCE: Final = Logsource(product="cloudevents")
LATENESS: Final = 5 * MINUTE
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"api_activity"})
ATTRIBUTES: Final = frozenset(
    """
    agent.capabilities.denied agent.capabilities.granted agent.capabilities.requested agent.did
    agent.peer agent.trust.previous agent.trust.score agent.trust.tier audit.entry.sha256
    audit.position audit.previous.sha256 cloudevents.subject cloudevents.type gen_ai.agent.id
    gen_ai.agent.name gen_ai.conversation.id gen_ai.operation.name gen_ai.tool.call.arguments
    gen_ai.tool.call.arguments.size gen_ai.tool.name guardrail.category guardrail.verdict
    policies.evaluated policy.id policy.name policy.reason tool.arguments.sha256 tool.duration
    tool.result.sha256 trace.id user.id
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "CloudEvents 1.0; ai.agentmesh.* as of August 2026"
GAPS: Final = (
    "Binary mode (attributes in HTTP or Kafka headers) is not read: headers do not reach a source.",
    "The toolkit's plain audit trails (no CloudEvents) are not read.",
    "The hash chain is kept, not verified.",
)

_LIMITS: Final = Limits()
_MESH: Final = "ai.agentmesh."
_VERDICTS: Final = {"tool.blocked": "deny", "policy.violation": "flagged"}


def sniff(head: bytes) -> bool:
    """The version of CloudEvents, beside the attribute that every event has."""
    return b'"specversion"' in head and b'"type"' in head and b'"source"' in head


def split(document: bytes) -> Iterator[Raw]:
    """The events of a document."""
    return records(document)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - the protocol
    """One event of an agent."""
    said = mapping(record)
    kind, known = text(said.get("type"), 256), text(said.get("id"), 256)
    if kind is None or "specversion" not in said:
        raise Unreadable("wrong-shape", "an event has specversion and type")
    data = _data(said)
    named = {"agent_id", "agent_did", "agent_name", "tool_name", "requester_did"} & data.keys()
    if not kind.startswith(_MESH) and not named:
        raise Unreadable("wrong-shape", f"`data` of type {kind} names no agent and no tool")
    source, subject = text(said.get("source"), 512), text(said.get("subject"), 512)
    did = data.get("agent_did") or data.get("requester_did")
    if did is None and source and source.startswith("did:"):
        did = source
    agent = data.get("agent_id") or _short(did)
    tool = text(data.get("tool_name"), 256)
    if tool is None and subject and subject.startswith("tool:"):
        tool = subject.removeprefix("tool:")
    step = kind.removeprefix(_MESH)
    reason = text(data.get("violation_reason") or data.get("reason"))
    decided = data.get("action_taken") or data.get("policy_verdict") or data.get("decision")
    if word(decided) is None:
        decided = _VERDICTS.get(step)
    chain = mapping(data.get("hash_chain_proof"))
    given: dict[str, Json] = {
        "gen_ai.agent.id": agent,
        "gen_ai.agent.name": data.get("agent_name"),
        "gen_ai.operation.name": "execute_tool" if step.startswith("tool.") else None,
        "gen_ai.tool.name": tool,
        "gen_ai.tool.call.arguments": data.get("tool_args") or None,
        "gen_ai.conversation.id": data.get("session_id"),
        "user.id": data.get("user_id"),
        "trace.id": data.get("trace_id"),
        "cloudevents.type": kind,
        "cloudevents.subject": subject,
        "agent.did": did,
        "agent.peer": _short(data.get("provider_did")),
        "agent.capabilities.requested": data.get("capabilities_requested"),
        "agent.capabilities.granted": data.get("capabilities_granted"),
        "agent.capabilities.denied": data.get("capabilities_denied"),
        "agent.trust.score": number(data.get("new_score", data.get("requester_trust_score"))),
        "agent.trust.previous": number(data.get("previous_score")),
        "agent.trust.tier": mapping(data.get("tier_change")).get("to"),
        "audit.entry.sha256": chain.get("entry_hash"),
        "audit.previous.sha256": chain.get("previous_hash"),
        "audit.position": chain.get("chain_position"),
        "policy.id": data.get("policy_id"),
        "policy.name": data.get("policy_name"),
        "policy.reason": reason,
        "policies.evaluated": listing(data.get("policies_evaluated")) or None,
        "tool.arguments.sha256": data.get("tool_args_hash"),
        "tool.result.sha256": data.get("result_hash"),
        "tool.duration": number(data.get("execution_time_ms")),
    }
    given |= verdicts((decided, data.get("category")))
    return runtime.runtime(
        Told(
            source=NAME,
            uid=digest(NAME, source, known) if known else evidence.sha256,
            time=moment(said.get("time")),
            activity="execute_tool" if step.startswith("tool.") else step,
            said=given,
            status=_status(step, data, given.get("guardrail.verdict")),
            severity=_severity(data),
            others={
                "guardrail": entity("guardrail", data.get("policy_id"), data.get("policy_name"))
            },
        ),
        evidence,
    )


def _data(said: dict[str, Json]) -> dict[str, Json]:
    data = said.get("data")
    packed = said.get("data_base64")
    try:
        if isinstance(packed, str):
            return mapping(decode(base64.b64decode(packed, validate=True), _LIMITS))
        if isinstance(data, str) and data.lstrip().startswith("{"):
            return mapping(decode(data.encode(errors="replace"), _LIMITS))
    except (Unreadable, binascii.Error, ValueError):
        raise Unreadable("wrong-shape", "`data` is no JSON, so it names no agent") from None
    return mapping(data)


def _short(did: Json) -> str | None:
    """`did:mesh:agent-7` and the id `agent-7` are one agent."""
    known = text(did, 512)
    return known.rpartition(":")[2] if known and known.startswith("did:") else known


def _severity(data: dict[str, Json]) -> Level:
    return level(data.get("severity"))


def _status(step: str, data: dict[str, Json], decided: Json) -> Status:
    if decided == "deny" or step == "tool.blocked":
        return "failure"
    if step == "trust.handshake":
        result = text(data.get("handshake_result"), 64)
        return "failure" if result in {"failed", "failure", "rejected", "denied"} else "success"
    return (
        "success" if step in {"tool.invoked", "agent.verified", "agent.registered"} else "unknown"
    )
