"""n8n workflows: which agents a workflow runs, with which models, tools, MCP servers and stores.

Read are exported workflows as JSON: one, a list of them, or the answer of the API (`data`). The
workflow is a record, so is each node that is an agent, a model, a tool or a store of one, an MCP
client, or a trigger that makes the workflow an MCP server. What a node is told to say is unread.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec

from schemas.config import Limits
from schemas.detection import Logsource
from schemas.entity import MAX_ID, Entity
from schemas.event import Edge, EventEvidence
from schemas.times import DAY
from streams.names import mcp
from streams.records.clocks import told
from streams.records.envelope import records
from streams.records.untrusted import decode, edge, entity, listing, mapping, slices, text
from streams.reports.listed import Listing, listed
from streams.source import Json, Narrow, Parsed, Raw, Unreadable

NAME: Final = "n8n"
TITLE: Final = "n8n workflow"
LOGSOURCE: Final = Logsource(product="n8n")
LATENESS: Final = DAY
NARROW: Final[Narrow | None] = None
CATEGORIES: Final = frozenset({"software_inventory_info"})
ATTRIBUTES: Final = frozenset(
    """
    component.type n8n.active n8n.credentials n8n.disabled time.unknown
    """.split()  # noqa: SIM905 - names read better as a paragraph
)
VERSIONS: Final = "exports of n8n 1.x, 2024 to 2026"
GAPS: Final = (
    "A model or an address that an expression computes is unknown.",
    "A tool that is a workflow of its own is a tool here; the two are not joined.",
    "Where the n8n server runs is not said: an MCP server of a workflow is known by the workflow.",
)

_NESTED: Final = 2_000  # nodes of one workflow
_MODELS: Final = ("lm", "embeddings")
_STORES: Final = ("vectorstore", "memory")
_LIMITS: Final = Limits()


class _Workflow(msgspec.Struct):
    nodes: list[msgspec.Raw]
    id: str | int | None = None
    name: str | None = None
    updated: str | None = msgspec.field(default=None, name="updatedAt")
    connections: msgspec.Raw = msgspec.Raw(b"{}")


_WORKFLOW: Final = msgspec.json.Decoder(_Workflow)


class Node(NamedTuple):
    """A node by its name: its sort, and what it is where that does not rest on another node."""

    sort: str
    entity: Entity | None


class Context(NamedTuple):
    """The workflow, and of a node itself and the agents and servers that it is joined to."""

    time: int
    application: Entity
    node: Node | None = None
    owners: tuple[Entity, ...] = ()


def sniff(head: bytes) -> bool:
    """A workflow has nodes of n8n's types and their connections."""
    return b'"nodes"' in head and (b"n8n-nodes-" in head or b'"n8n' in head) and b'"type"' in head


def split(document: bytes) -> Iterator[Raw]:
    """Of each workflow itself, then its nodes that are of AI."""
    flows = [(raw.data, slices(raw.data, _WORKFLOW)) for raw in records(document, "data")]
    return (raw for data, flow in flows for raw in _raws(data, flow))


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """A workflow, or a node of it."""
    context, said = raw.context, mapping(record)
    if not isinstance(context, Context) or not said:
        raise Unreadable("wrong-shape", "a workflow has a name and nodes")
    node, application = context.node, context.application
    kept: dict[str, Json] = {
        "component.type": text(said.get("type"), 128),
        "n8n.active": said.get("active") if isinstance(said.get("active"), bool) else None,
        "n8n.credentials": sorted(key[:128] for key in mapping(said.get("credentials"))) or None,
        "n8n.disabled": True if said.get("disabled") is True else None,
    }
    things = _things(context, node, said) if node else []
    ties = [tie for owner, thing in things for tie in _ties(context, node, owner, thing)]
    message = f"{node.sort if node else 'workflow'} {text(said.get('name'), 256)}"
    told_ = listed(
        Listing(NAME, context.time, (application.id, text(said.get("name"), 256))),
        (*(thing for _, thing in things), *context.owners, application),
        evidence,
        message,
        edges=ties,
        attributes=kept,
    )
    return Parsed(told_, {})


def _raws(data: bytes, flow: _Workflow) -> Iterator[Raw]:
    known = text(flow.id, 128) or text(flow.name, 256)
    application = entity("application", f"n8n/{known}" if known else None, flow.name)
    if application is None:
        raise Unreadable("wrong-shape", "a workflow has an `id` or a `name`")
    context = Context(told(flow.updated), application)
    yield Raw(data, context)
    nodes = [(bytes(one), _read(bytes(one))) for one in flow.nodes[:_NESTED]]
    named = {str(said.get("name")): _node(application, said) for _, said in nodes}
    joined = _joined(mapping(decode(bytes(flow.connections), _LIMITS)))
    for slice_, said in nodes:
        name = str(said.get("name"))
        node = named[name]
        owners = [named[one].entity for one in joined.get(name, ()) if one in named]
        kept = tuple(one for one in owners if one is not None)
        if node.sort == "tool" and not kept:
            continue  # a step of the workflow, in the hand of no agent
        if node.sort:
            yield Raw(slice_, context._replace(node=node, owners=kept))


def _read(data: bytes) -> dict[str, Json]:
    try:
        return mapping(decode(data, _LIMITS))
    except Unreadable:  # too deep for a node of AI
        return {}


def _joined(connections: Mapping[str, Json]) -> dict[str, list[str]]:
    """Of each node the nodes that it serves: as model, tool, memory or store."""
    found: dict[str, list[str]] = {}
    for name, held in connections.items():
        for kind, groups in mapping(held).items():
            if kind.startswith("ai_"):
                ends = [
                    mapping(one).get("node") for group in listing(groups) for one in listing(group)
                ]
                found.setdefault(name, []).extend(end for end in ends if isinstance(end, str))
    return found


def _node(application: Entity, said: Mapping[str, Json]) -> Node:
    kind = (text(said.get("type"), 128) or "").rpartition(".")[2].lower()
    name, held = text(said.get("name"), 128), mapping(said.get("parameters"))
    here = f"{application.id}/{name}"[:MAX_ID]
    if kind == "agent" or kind.startswith("openaiassistant"):
        return Node("agent", entity("agent", here if name else None, name))
    if kind == "mcptrigger":
        return Node("mcp_server", entity("mcp_server", application.id, application.name))
    if kind == "mcpclienttool":
        url = _value(held, "endpointUrl", "sseEndpoint", "url")
        return Node("mcp_client", mcp.server(url=url) if url else None)
    if kind.startswith(_MODELS):
        model = _value(held, "model", "modelName", "modelId")
        return Node("model", entity("model", (model or "").removeprefix("models/")))
    if kind.startswith(_STORES):
        return Node("store", entity("datastore", here if name else None, name))
    return Node("tool" if kind.startswith("tool") or kind.endswith("tool") else "", None)


def _value(held: Mapping[str, Json], *names: str) -> str | None:
    """A parameter, plain or picked from a list; None of an expression or a gap to be filled."""
    for name in names:
        said = held.get(name)
        known = text(mapping(said).get("value") if isinstance(said, dict) else said, 512)
        known = known.removeprefix("=").strip() if known else None
        if known and not any(mark in known for mark in ("{{", "<", "$")):
            return known
    return None


def _things(
    context: Context, node: Node, said: Mapping[str, Json]
) -> list[tuple[Entity | None, Entity]]:
    """What a node is, for each agent or server that it serves: a tool is another one for each."""
    if node.sort != "tool":
        owners = context.owners or (None,)
        return [(owner, node.entity) for owner in owners if node.entity is not None]
    name = text(said.get("name"), 128)
    named = ((one, entity("tool", f"{one.id}/{name}"[:MAX_ID], name)) for one in context.owners)
    return [(owner, tool) for owner, tool in named if tool is not None]


def _ties(
    context: Context, node: Node | None, owner: Entity | None, thing: Entity
) -> Iterator[Edge]:
    if node is not None and node.sort in {"agent", "mcp_server"}:
        yield edge(context.application, "runs", thing, declared=True)
    if owner is None or owner == thing:
        return
    if thing.kind == "tool" and owner.kind == "mcp_server":
        yield edge(thing, "served_by", owner, declared=True)
        return
    word = {"model": "calls", "datastore": "retrieves"}.get(thing.kind, "uses")
    yield edge(owner, word, thing, declared=True)
