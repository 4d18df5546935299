"""Falco: what a sensor saw a container, a host, a cluster or a coding agent do.

Read are alerts as JSON (`json_output`, the program, file and HTTP outputs, falcosidekick), alone,
in a list or as lines. Of the coding-agent plugin (source `coding_agent`) the tags say the verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from schemas.canonical import digest
from schemas.detection import Logsource
from schemas.entity import Entity, image
from schemas.event import Edge, Event, EventEvidence, Level
from schemas.times import MINUTE
from streams.names import kubernetes, mcp
from streams.records.clocks import clock
from streams.records.envelope import records
from streams.records.untrusted import distinct, edge, entity, listing, mapping, text
from streams.source import Json, Narrow, Parsed, Raw, Unreadable
from streams.telemetry import runtime
from streams.telemetry.semconv import parted
from streams.telemetry.verdicts import verdicts

NAME: Final = "falco"
TITLE: Final = "Falco alerts"
LOGSOURCE: Final = Logsource(product="falco")
LATENESS: Final = 5 * MINUTE
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"detection_finding"})
ATTRIBUTES: Final = frozenset(
    """
    agent.working_directory client.address container.id container.image.name container.image.tags
    container.name falco.priority falco.rule falco.source falco.tags file.path gen_ai.agent.name
    gen_ai.conversation.id gen_ai.tool.call.arguments gen_ai.tool.call.arguments.size
    gen_ai.tool.call.id gen_ai.tool.name guardrail.category guardrail.verdict k8s.audit.resource
    k8s.audit.verb k8s.namespace.name k8s.pod.name network.peer.address
    process.command_line process.command_line.size process.executable.name process.name
    process.parent.name process.pid tool.file user.name
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "Falco 0.32 to 0.41 JSON; the coding-agent plugin of 2026"
GAPS: Final = (
    "`output` is text made of the fields and is not kept.",
    "The controller of a pod is taken from its name where no k8s.deployment.name is there.",
    "An alert is an occurrence: it opens no fact that a later alert would close.",
)

_LEVELS: Final[dict[str, Level]] = {
    "emergency": "critical",
    "alert": "critical",
    "critical": "critical",
    "error": "high",
    "warning": "medium",
    "notice": "low",
}
_KEPT: Final = {
    "agent.working_directory": "agent.cwd",
    "container.id": "container.id",
    "container.image.name": "container.image.repository",
    "container.image.tags": "container.image.tag",
    "container.name": "container.name",
    "file.path": "fd.name",
    "gen_ai.agent.name": "agent.name",
    "gen_ai.conversation.id": "agent.session_id",
    "gen_ai.tool.call.arguments": "tool.input",
    "gen_ai.tool.call.id": "tool.use_id",
    "gen_ai.tool.name": "tool.name",
    "k8s.audit.resource": "ka.target.resource",
    "k8s.audit.verb": "ka.verb",
    "k8s.namespace.name": "k8s.ns.name",
    "k8s.pod.name": "k8s.pod.name",
    "network.peer.address": "fd.sip",
    "process.command_line": "proc.cmdline",
    "process.executable.name": "proc.exepath",
    "process.name": "proc.name",
    "process.parent.name": "proc.pname",
    "process.pid": "proc.pid",
    "tool.file": "tool.real_file_path",
    "user.name": "user.name",
}
# Who asked and from where, in the plugins for audit logs: of Kubernetes, AWS, Google and Okta.
_WHO: Final = ("ka.user.name", "ct.user.arn", "gcp.user", "okta.actor.alternateID")
_FROM: Final = ("ka.sourceips", "ct.srcip", "gcp.callerIP", "okta.client.ip")
_DECIDED: Final = {"coding_agent_deny": "deny", "coding_agent_ask": "ask"}
# Names that controllers give to their pods: a hash of the template, then of the pod.
_OF_DEPLOYMENT: Final = re.compile(r"(.{1,200})-[bcdf0-9]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}")
_OF_SET: Final = re.compile(r"(.{1,200})-(?:\d{1,4}|[bcdfghjklmnpqrstvwxz2456789]{5})")


def sniff(head: bytes) -> bool:
    """An alert has its rule, priority and fields."""
    return b'"output_fields"' in head and b'"priority"' in head and b'"rule"' in head


def split(document: bytes) -> Iterator[Raw]:
    """The alerts of a document."""
    return records(document)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:  # noqa: ARG001 - the protocol
    """One alert."""
    said = mapping(record)
    rule, seen = text(said.get("rule"), 512), mapping(said.get("output_fields"))
    if rule is None:
        raise Unreadable("wrong-shape", "an alert names its rule")
    when = clock(said.get("time"), seen.get("evt.time"), seen.get("evt.time.iso8601"))
    priority = text(said.get("priority"), 32) or ""
    tags = [tag for tag in listing(said.get("tags")) if text(tag)]
    given: dict[str, Json] = {ours: _value(seen.get(theirs)) for ours, theirs in _KEPT.items()}
    given["client.address"] = _first(seen, _FROM)
    if isinstance(seen.get("tool.input_command"), str):
        given["process.command_line"] = seen["tool.input_command"]
    coding = text(said.get("source"), 64) == "coding_agent"
    given |= {
        "falco.rule": rule,
        "falco.priority": priority or None,
        "falco.source": said.get("source"),
        "falco.tags": tags or None,
    }
    if coding:
        decided = [_DECIDED[tag] for tag in tags if tag in _DECIDED]
        given |= verdicts(*((one,) for one in decided or ["allow"]))
    kept, private = parted({key: value for key, value in given.items() if value is not None})
    host = entity("host", (text(said.get("hostname"), 256) or "").lower() or None)
    entities, edges = _things(given, seen, host)
    if not entities:
        raise Unreadable("wrong-shape", "an alert names a container, a host or an agent")
    who = runtime.client(given["client.address"])
    return Parsed(
        Event(
            uid=digest(NAME, rule, when, evidence.sha256),
            time=when,
            source=NAME,
            class_uid=2004,
            class_name="Detection Finding",
            activity="Create",
            severity=_LEVELS.get(priority.lower(), "informational"),
            message=rule,
            actor=next((one for one in entities if one.kind in {"agent", "principal"}), None),
            client=who,
            entities=entities,
            edges=edges,
            attributes=kept,
            evidence=evidence,
        ),
        private,
    )


def _things(
    given: Mapping[str, Json], seen: Mapping[str, Json], host: Entity | None
) -> tuple[tuple[Entity, ...], tuple[Edge, ...]]:
    agent = entity("agent", given["gen_ai.agent.name"])
    tool = text(given["gen_ai.tool.name"], 128)
    server = mcp.server(title=_value(seen.get("tool.mcp_server"))) if tool else None
    owner = server or agent
    used = entity("tool", f"{owner.id}/{tool}" if owner else tool, tool) if tool else None
    workload, container = _workload(seen), _image(seen)
    pairs = (
        (workload, "runs_image", container),
        (host, "hosts", workload),
        (agent, "uses", used),
        (used, "served_by", server),
    )
    people = kubernetes.principal(_first(seen, _WHO))
    session = entity("session", given["gen_ai.conversation.id"])
    found = distinct((used, server, agent, session, workload, container, people, host))
    return found, tuple(edge(one, how, other) for one, how, other in pairs if one and other)


def _workload(seen: Mapping[str, Json]) -> Entity | None:
    names = ("k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s.rc.name")
    name = next((known for one in names if (known := text(_value(seen.get(one)), 256))), None)
    pod = text(_value(seen.get("k8s.pod.name")), 256)
    if name is None and pod is not None:
        told = _OF_DEPLOYMENT.fullmatch(pod) or _OF_SET.fullmatch(pod)
        name = told[1] if told else pod
    space = text(_value(seen.get("k8s.ns.name")), 128) or "default"
    return entity("workload", f"k8s/{space}/{name}") if name else None


def _image(seen: Mapping[str, Json]) -> Entity | None:
    name = text(_value(seen.get("container.image.repository")), 384)
    if name is None:
        return None
    digest_, tag = seen.get("container.image.digest"), seen.get("container.image.tag")
    sha, tagged = text(_value(digest_), 128), text(_value(tag), 128)
    return image(f"{name}@{sha}" if sha else f"{name}:{tagged}" if tagged else name)


def _first(seen: Mapping[str, Json], names: tuple[str, ...]) -> Json:
    return next((known for name in names if (known := _value(seen.get(name)))), None)


def _value(value: Json) -> Json:
    return None if value in ("", "<NA>", "null", "N/A") else value
