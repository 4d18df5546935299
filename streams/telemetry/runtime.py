"""Runtime: one record of AI at work as an Event, whichever gateway or agent tells it.

    application -runs-> agent -uses-> tool,  principal -owns-> apikey,  principal -calls-> model

A source says what it knows under the present `gen_ai.*` and `mcp.*` names; things, relations, what
may be kept and what may not follow from these as they do for OpenTelemetry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from schemas.entity import MAX_ID, Entity, Kind
from schemas.event import Client, Edge, Event, EventEvidence, Level, Status
from streams.records.untrusted import distinct, edge, text
from streams.source import Json, Parsed
from streams.telemetry.manifests import manifest
from streams.telemetry.semconv import parted, present
from streams.telemetry.things import Things, ordered, relations, things
from streams.telemetry.verdicts import verdict


class Told(NamedTuple):
    """What a source says of one record.

    `said` are attributes and content under their present names; what is None says nothing.
    `others` are entities that no such name stands for, by kind; they win over what `said` names.
    `about` is what the Event is about, where the activity does not say it.
    """

    source: str
    uid: str
    time: int
    activity: str
    said: Mapping[str, Json]
    status: Status = "unknown"
    severity: Level = "informational"
    others: Mapping[Kind, Entity | None] = {}
    client: Client | None = None
    about: Kind | None = None


def runtime(told: Told, evidence: EventEvidence) -> Parsed:
    """The Event of a record, and what only detections may see of it."""
    own = present({name: value for name, value in told.said.items() if value is not None})
    others: Things = {kind: one for kind, one in told.others.items() if one is not None}
    found: Things = {**things(own, own), **others}
    tool, server = found.get("tool"), told.others.get("mcp_server")
    if tool is not None and server is not None:
        found["tool"] = Entity(kind="tool", id=f"{server.id}/{tool.name}"[:MAX_ID], name=tool.name)
    kept, private = parted(own)
    kept |= verdict(own)
    if own.get("mcp.method.name") == "tools/list":
        kept |= manifest(own)
    entities = ordered(found, told.activity)
    if told.about in found:
        entities = distinct((found[told.about], *entities))
    actors = (found.get("agent"), found.get("principal"), found.get("application"))
    message = " ".join((told.activity, *(f"{one.kind}:{one.id}" for one in entities[:1])))
    return Parsed(
        Event(
            uid=told.uid,
            time=told.time,
            source=told.source,
            class_uid=6003,
            class_name="API Activity",
            activity=told.activity,
            status=told.status,
            severity=told.severity,
            message=message,
            actor=next((one for one in actors if one and one not in entities[:1]), None),
            client=told.client,
            entities=entities,
            edges=tuple(_edges(found)),
            attributes=kept,
            evidence=evidence,
        ),
        private,
    )


def client(address: Json, agent: Json = None) -> Client | None:
    """Where a request came from; a masked address stays as it is."""
    ip, said = text(address, 256), text(agent, 512)
    return Client(ip=ip, user_agent=said) if ip or said else None


def _edges(found: Things) -> Iterator[Edge]:
    yield from relations(found)
    principal, key = found.get("principal"), found.get("apikey")
    if principal and key:
        yield edge(principal, "owns", key)
    if principal and not found.get("agent") and not found.get("application"):
        for relation, kind in _BY_PEOPLE:
            target = found.get(kind)
            if target is not None:
                yield edge(principal, relation, target)


_BY_PEOPLE: tuple[tuple[str, Kind], ...] = (
    *(("calls", "model"), ("calls", "endpoint")),
    ("uses", "mcp_server"),
)
