"""AWS lineage: what a call of the control plane makes, out of what, and what a delete ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from schemas.entity import Entity
from schemas.event import Edge
from streams.lineage import agentcore as agentcore_lineage
from streams.lineage import bedrock as bedrock_lineage
from streams.lineage import sagemaker as sagemaker_lineage
from streams.lineage.calls import Call, Edges
from streams.records.untrusted import distinct, entity, mapping
from streams.source import Json

# Services call themselves bedrock, bedrock-agent, bedrock-agentcore, bedrock-agentcore-control.
_SERVICES: Final[Mapping[str, Mapping[str, Callable[[Call], Edges]]]] = {
    "bedrock": {**bedrock_lineage.CALLS, **agentcore_lineage.CALLS},
    "sagemaker": sagemaker_lineage.CALLS,
}


class Told(NamedTuple):
    """The things of a call, what it is about first, and how they hang together from now on.

    `deletes`: the first of the things is no more, if the call succeeded.
    """

    things: tuple[Entity, ...] = ()
    edges: tuple[Edge, ...] = ()
    deletes: bool = False


def told(service: str, name: str, call: dict[str, Json]) -> Told:
    """What a call tells of lineage; nothing of one that neither makes nor ends anything.

    Whether it succeeded is for the caller to ask: the edges of one that failed do not hold.
    """
    family = service.partition(".")[0].partition("-")[0]
    reader = _SERVICES.get(family, {}).get(name)
    if reader is None:
        return Told()
    account = entity("account", call.get("recipientAccountId"))
    asked, answered = mapping(call.get("requestParameters")), mapping(call.get("responseElements"))
    edges = tuple(reader(Call(asked, answered, call.get("awsRegion"), account)))
    ends = (end for one in edges for end in (one.from_, one.to) if end != account)
    deletes = any(one.relation == "hosts" and one.state == "closed" for one in edges)
    return Told(distinct(ends), edges, deletes)
