"""Telemetry: the things that attributes of spans and log records name, and how they hang together.

    application -runs-> agent -uses-> tool -served_by-> mcp_server
         |                |--calls-> model, endpoint; -retrieves-> datastore
         |                `--guarded_by-> guardrail
         `-runs_on-> workload -runs_image-> image

Where no agent is named, the application does itself what an agent would do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from schemas.entity import Entity, Kind, image, principal
from schemas.event import Edge
from streams.names import aws, azure, mcp
from streams.records.untrusted import edge, entity, listing, text
from streams.source import Json

# What an operation acts upon; elsewhere the first of _ORDER that is named.
_TARGETS: Final[dict[str, Kind]] = {
    "apply_guardrail": "guardrail",
    "chat": "model",
    "create_agent": "agent",
    "embeddings": "model",
    "generate_content": "model",
    "invoke_agent": "agent",
    "retrieval": "datastore",
    "text_completion": "model",
    "tools/list": "mcp_server",
}
_ORDER: Final[tuple[Kind, ...]] = (
    "tool",
    "mcp_server",
    "agent",
    "session",
    "model",
    "endpoint",
    "datastore",
    "guardrail",
    "principal",
    "application",
    "workload",
    "image",
    "skill",
)
# Coding agents send an e-mail address beside the number of an installation as user.id.
_PEOPLE: Final = ("enduser.id", "user.email", "user.id")
_CONTROLLERS: Final = tuple(
    f"k8s.{sort}.name" for sort in ("deployment", "statefulset", "daemonset", "cronjob", "job")
)
_PLACED: Final = frozenset({*_CONTROLLERS, "aws.ecs.task.family"})

_IMAGES: Final = ("container.image.repo_digests", "container.image.name")

Things = dict[Kind, Entity]


def things(seen: Mapping[str, Json], own: Mapping[str, Json]) -> Things:
    """One entity of each kind that is named: `own` by the record, `seen` by its resource too."""
    server = None
    for name in own:
        if name.startswith("mcp."):
            host = mcp.at(own.get("server.address"), own.get("server.port"))
            server = entity("mcp_server", host) or mcp.server(title=seen.get("mcp.server.name"))
            break
    named, known = seen.get("gen_ai.agent.name"), text(seen.get("gen_ai.agent.id"))
    agent = entity("agent", known or named, named if known else None)
    service = text(seen.get("service.name"), 256)
    if service is not None and service.startswith("unknown_service"):
        service = None  # what an SDK writes when nobody named it: no identity
    found = {
        "tool": _tool(seen, server or agent, service),
        "mcp_server": server,
        "agent": agent,
        "session": entity("session", _session(seen)),
        "model": aws.model(seen.get("gen_ai.response.model") or seen.get("gen_ai.request.model")),
        "endpoint": azure.served(own.get("server.address")),
        "datastore": entity("datastore", seen.get("gen_ai.data_source.id")),
        "guardrail": entity("guardrail", _guardrail(seen)),
        "principal": _principal(seen),
        "application": entity("application", service),
        "workload": _workload(seen),
        "image": _image(seen),
        "skill": entity("skill", seen.get("skill.name")),
    }
    return {kind: one for kind in _ORDER if (one := found[kind]) is not None}


def ordered(found: Things, operation: str) -> tuple[Entity, ...]:
    """The things of one record, the one that it acts upon first."""
    target = found.get(_TARGETS.get(operation, "tool"))
    others = (one for one in found.values() if one is not target)
    return (*((target,) if target else ()), *others)


def relations(found: Things) -> Iterator[Edge]:
    """How these things hang together, away from the application."""
    application, agent = found.get("application"), found.get("agent")
    doer = agent or application
    pairs = (
        (application, "runs", agent),
        (doer, "uses", found.get("tool") or found.get("mcp_server")),
        (found.get("tool"), "served_by", found.get("mcp_server")),
        (doer, "uses", found.get("skill")),
        (doer, "calls", found.get("model")),
        (doer, "calls", found.get("endpoint")),
        (doer, "retrieves", found.get("datastore")),
        (doer, "guarded_by", found.get("guardrail")),
        (application, "runs_on", found.get("workload")),
        (found.get("workload"), "runs_image", found.get("image")),
    )
    for source, relation, target in pairs:
        if source is not None and target is not None:
            yield edge(source, relation, target)


def _tool(seen: Mapping[str, Json], owner: Entity | None, service: str | None) -> Entity | None:
    name = text(seen.get("gen_ai.tool.name"), 128)
    if name is None:
        return None
    of = owner.id if owner else service
    return entity("tool", f"{of}/{name}" if of else name, name)


def _session(seen: Mapping[str, Json]) -> Json:
    for name in ("gen_ai.conversation.id", "mcp.session.id", "session.id"):
        if text(seen.get(name)):
            return seen[name]
    return None


def _guardrail(seen: Mapping[str, Json]) -> str | None:
    known = seen.get("aws.bedrock.guardrail.id") or seen.get("gen_ai.guardrail.id")
    return aws.tail(known or seen.get("gen_ai.guardrail.name"))


def _principal(seen: Mapping[str, Json]) -> Entity | None:
    if seen.keys().isdisjoint(_PEOPLE):
        return None
    user = next(filter(None, map(text, map(seen.get, _PEOPLE))), None)
    if user and user.startswith("arn:"):
        return principal(user)
    return entity("principal", user.lower() if user and "@" in user else user)


def _workload(seen: Mapping[str, Json]) -> Entity | None:
    if seen.keys().isdisjoint(_PLACED):
        return None
    family = seen.get("aws.ecs.task.family")
    if text(family):
        return aws.task(seen.get("aws.ecs.cluster.arn"), family)
    namespace = text(seen.get("k8s.namespace.name"), 128) or "default"
    for controller in _CONTROLLERS:
        name = text(seen.get(controller), 256)
        if name is not None:
            return entity("workload", f"k8s/{namespace}/{name}")
    return None


def _image(seen: Mapping[str, Json]) -> Entity | None:
    if seen.keys().isdisjoint(_IMAGES):
        return None
    digest = text(_first(seen.get("container.image.repo_digests")), 512)
    name = text(seen.get("container.image.name"), 384)
    tag = text(_first(seen.get("container.image.tags")), 128)
    reference = digest or (f"{name}:{tag}" if name and tag else name)
    return image(reference) if reference else None


def _first(value: Json) -> Json:
    return next(iter(listing(value)), None) if isinstance(value, list) else value
