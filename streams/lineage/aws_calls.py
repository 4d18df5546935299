"""AWS lineage: what a call of the control plane makes, out of what, and what a delete ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from schemas.entity import Entity
from schemas.event import Edge
from streams.lineage import agentcore as agentcore_lineage
from streams.lineage import bedrock as bedrock_lineage
from streams.lineage import sagemaker as sagemaker_lineage
from streams.lineage.calls import Call, Edges, shown
from streams.records.untrusted import distinct, entity, mapping
from streams.source import Json

# Services call themselves bedrock, bedrock-agent, bedrock-agentcore, bedrock-agentcore-control.
_SERVICES: Final[Mapping[str, Mapping[str, Callable[[Call], Edges]]]] = {
    "bedrock": {**bedrock_lineage.CALLS, **agentcore_lineage.CALLS},
    "sagemaker": sagemaker_lineage.CALLS,
}


class Told(NamedTuple):
    """The things of a call, what it is about first, and how they hang together from now on.

    `gone`: what it is about is no more.
    """

    things: tuple[Entity, ...] = ()
    edges: tuple[Edge, ...] = ()
    gone: bool = False


_NOTHING: Final = Told()


def told(service: str, name: str, call: dict[str, Json]) -> Told:
    """What a call tells of lineage; nothing of one that neither makes nor ends anything.

    Whether it succeeded is for the caller to ask: the edges of one that failed do not hold.
    """
    family = service.partition(".")[0].partition("-")[0]
    reader = _SERVICES.get(family, {}).get(name)
    if reader is None:
        return _NOTHING
    account = entity("account", call.get("recipientAccountId"))
    asked, answered = (
        mapping(shown(call.get(side))) for side in ("requestParameters", "responseElements")
    )
    edges = tuple(reader(Call(asked, answered, call.get("awsRegion"), account)))
    ends = (end for one in edges for end in (one.from_, one.to) if end != account)
    if name.startswith("Delete") and edges:  # what its first edge ends at
        return Told(distinct((edges[0].to, *ends)), edges, gone=True)
    return Told(distinct(ends), edges)
