"""Telemetry: what a system's own instrumentation sends, as spans of OTLP/JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from infra.demo.estate import ACCOUNT, CLUSTER, DOMAIN, REGION, McpServer, System, fingerprint
from schemas.times import SECOND

JsonObject = dict[str, Any]

_INTERNAL, _SERVER, _CLIENT = 1, 2, 3  # span kinds


class Span(NamedTuple):
    """One span, and when it ended (microseconds)."""

    end: int
    body: JsonObject


class Telemetry:
    """Collects the spans of one system."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.spans: list[Span] = []

    def request(self, end: int, method: str, path: str, client: str, status: int = 200) -> None:
        """`client` asked the system for `path`."""
        attributes = {
            "http.request.method": method,
            "url.scheme": "http",
            "url.path": path,
            "http.response.status_code": status,
            "client.address": client,
            "server.address": f"{self.system.name}.{DOMAIN}",
            "user_agent.original": "python-requests/2.32.3",
        }
        trace = f"{client} {path} {end}"
        self._add(end, SECOND // 5, f"{method} {path}", trace, attributes, _SERVER)

    def guardrail(self, end: int, session: str, category: str | None = None) -> None:
        """The guardrail looked at a prompt; with a `category` it refused it."""
        attributes = self._of(session) | {
            "gen_ai.operation.name": "run_guardrail",
            "aws.bedrock.guardrail.id": self.system.guardrail,
            "gen_ai.security.verdict.type": "deny" if category else "allow",
            "gen_ai.security.target.type": "input",
        }
        if category:
            attributes["gen_ai.security.risk.category"] = category
        self._add(end, SECOND // 4, "run_guardrail", session, attributes)

    def tool(self, end: int, server: McpServer, tool: str, session: str, **content: str) -> None:
        """The agent called a tool; `content` (arguments, result) is never stored."""
        attributes = self._of(session) | _mcp(server, "tools/call", session)
        attributes |= {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
        attributes |= {f"gen_ai.tool.call.{name}": value for name, value in content.items()}
        self._add(end, SECOND, f"tools/call {tool}", session, attributes, _CLIENT)

    def listing(self, end: int, server: McpServer, session: str) -> None:
        """The agent read which tools the server has."""
        schema = {"type": "object"}
        definitions = [
            {"type": "function", "name": name, "description": description, "parameters": schema}
            for name, description in server.tools
        ]
        attributes = self._of(session) | _mcp(server, "tools/list", session)
        attributes["gen_ai.tool.definitions"] = definitions
        self._add(end, SECOND // 10, "tools/list", session, attributes, _CLIENT)

    def chat(self, end: int, session: str, tokens: int) -> None:
        """One answer of the system's model."""
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "aws.bedrock",
            "gen_ai.request.model": self.system.model,
            "gen_ai.usage.input_tokens": tokens,
            "gen_ai.usage.output_tokens": tokens // 4,
        }
        if self.system.servers:  # only then is there an agent
            attributes |= self._of(session)
        self._add(end, 2 * SECOND, f"chat {self.system.model}", session, attributes, _CLIENT)

    def retrieval(self, end: int, session: str) -> None:
        """The agent looked something up in its knowledge base."""
        attributes = self._of(session) | {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.data_source.id": self.system.knowledge,
        }
        self._add(end, SECOND, "retrieval", session, attributes, _CLIENT)

    def line(self, spans: list[Span]) -> JsonObject:
        """What the collector's file exporter writes for one batch of this system's spans."""
        resource: dict[str, Any] = {
            "service.name": self.system.name,
            "deployment.environment.name": "production",
            "cloud.region": REGION,
            "aws.ecs.cluster.arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{CLUSTER}",
            "aws.ecs.task.family": self.system.name,
            "container.image.name": self.system.repository,
            "container.image.tags": [self.system.tag],
        }
        if self.system.pinned:
            resource["container.image.repo_digests"] = [self.system.image]
        scope = {"scope": {"name": f"{DOMAIN}/tracing"}, "spans": [span.body for span in spans]}
        said = {"attributes": _attributes(resource)}
        return {"resourceSpans": [{"resource": said, "scopeSpans": [scope]}]}

    def _of(self, session: str) -> dict[str, Any]:
        return {"gen_ai.agent.id": self.system.name, "gen_ai.conversation.id": session}

    def _add(
        self,
        end: int,
        took: int,
        name: str,
        trace: str,
        attributes: Mapping[str, Any],
        kind: int = _INTERNAL,
    ) -> None:
        of = self.system.name
        body: JsonObject = {
            "traceId": fingerprint("trace", of, trace, length=32),
            "spanId": fingerprint("span", of, len(self.spans), length=16),
            "name": name,
            "kind": kind,
            "startTimeUnixNano": f"{(end - took) * 1000}",
            "endTimeUnixNano": f"{end * 1000}",
            "attributes": _attributes(attributes),
            "status": {},
        }
        self.spans.append(Span(end, body))


def _mcp(server: McpServer, method: str, session: str) -> dict[str, Any]:
    return {
        "mcp.method.name": method,
        "mcp.session.id": f"mcp-{fingerprint(server.id, session, length=12)}",
        "mcp.protocol.version": "2025-11-25",
        "server.address": server.host,
        "server.port": 443,
        "network.transport": "tcp",
    }


def _attributes(values: Mapping[str, Any]) -> list[JsonObject]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> JsonObject:  # noqa: ANN401 - any JSON value
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, list):
        items = cast("list[object]", value)
        return {"arrayValue": {"values": [_value(item) for item in items]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _attributes(cast("dict[str, Any]", value))}}
    return {"stringValue": str(value)}
