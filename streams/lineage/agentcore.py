"""AgentCore lineage: gateways with the targets behind them, agents with what they run.

gateway -uses-> target -uses-> tool, -runs_on-> function, -served_by-> MCP server
agent -runs_image-> image, -runs_as-> role
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from schemas.entity import Entity
from streams.lineage.calls import (
    MOST,
    Call,
    Edges,
    at,
    gone,
    hosts,
    imaged,
    link,
    role,
    stored,
    tool_of,
)
from streams.names import arns, mcp
from streams.records.untrusted import entity, listing, mapping, text


def _gateway(call: Call) -> Edges:
    server = mcp.server(url=call.answered.get("gatewayUrl")) or _its_gateway(call)
    yield from hosts(call, server)
    yield from role(server, call.asked.get("roleArn"))


def _its_gateway(call: Call) -> Entity | None:
    number = call.asked.get("gatewayIdentifier") or call.answered.get("gatewayId")
    return arns.gateway(number, call.region)


def _target(call: Call) -> Edges:
    asked, answered = call.asked, call.answered
    server, name = _its_gateway(call), text(asked.get("name"), 128)
    target = tool_of(server, asked.get("targetId") or answered.get("targetId"), name)
    yield from link(server, "uses", target)
    settings = mapping(at(asked, "targetConfiguration", "mcp"))
    yield from link(target, "runs_on", arns.asset(at(settings, "lambda", "lambdaArn")))
    yield from link(target, "served_by", mcp.server(url=at(settings, "mcpServer", "endpoint")))
    behind = at(asked, "targetConfiguration", "http", "agentcoreRuntime", "arn")
    yield from link(target, "uses", arns.asset(behind))
    for one in listing(at(settings, "lambda", "toolSchema", "inlinePayload"))[:MOST]:
        tool = text(mapping(one).get("name"), 128)  # a gateway calls it <target>___<tool>
        yield from link(
            target, "uses", tool_of(server, f"{name}___{tool}" if name and tool else None)
        )
    for schema in ("openApiSchema", "smithyModel"):
        yield from stored(target, "reads", at(settings, schema, "s3", "uri"))


def _no_target(call: Call) -> Edges:
    server = _its_gateway(call)
    yield from link(server, "uses", tool_of(server, call.asked.get("targetId")), ended=True)


def _runtime(call: Call) -> Edges:
    asked, answered = call.asked, call.answered
    arn = arns.asset(answered.get("agentRuntimeArn"))
    number = (
        asked.get("agentRuntimeId") or answered.get("agentRuntimeId") or (arn.id if arn else None)
    )
    agent = entity("agent", number, asked.get("agentRuntimeName"))
    yield from hosts(call, agent)
    artifact = mapping(asked.get("agentRuntimeArtifact"))
    yield from link(
        agent, "runs_image", imaged(at(artifact, "containerConfiguration", "containerUri"))
    )
    code = mapping(at(artifact, "codeConfiguration", "code", "s3"))
    bucket = text(code.get("bucket"), 256)
    yield from link(agent, "reads", entity("datastore", f"s3/{bucket}" if bucket else None))
    yield from role(agent, asked.get("roleArn"))


def _no_runtime(call: Call) -> Edges:
    if not call.asked.get("agentRuntimeVersion"):  # else only that version
        yield from gone(_runtime)(call)


def _memory(call: Call) -> Edges:
    number = call.asked.get("memoryId") or at(call.answered, "memory", "id")
    memory = entity("datastore", number, call.asked.get("name"))
    yield from hosts(call, memory)
    yield from role(memory, call.asked.get("memoryExecutionRoleArn"))


CALLS: Final[dict[str, Callable[[Call], Edges]]] = {
    "CreateAgentRuntime": _runtime,
    "CreateGateway": _gateway,
    "CreateGatewayTarget": _target,
    "CreateMemory": _memory,
    "DeleteAgentRuntime": _no_runtime,
    "DeleteGateway": gone(_gateway),
    "DeleteGatewayTarget": _no_target,
    "DeleteMemory": gone(_memory),
    "UpdateAgentRuntime": _runtime,
    "UpdateGateway": _gateway,
    "UpdateGatewayTarget": _target,
}
