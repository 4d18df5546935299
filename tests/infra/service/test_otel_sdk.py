"""What a real OpenTelemetry SDK sends to `barograph run` over HTTP is read as it is meant."""

from __future__ import annotations

import json
from pathlib import Path

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind

from tests.infra.service.configured import CONFIG
from tests.infra.service.running import Running, eventually

ALL = """\
title: Telemetry
name: answered
level: informational
logsource: {product: barograph, service: otel}
detection: {s: {source: otel}, condition: s}
"""
RESOURCE = Resource({"service.name": "claims", "k8s.deployment.name": "triage"})
EDGES = "SELECT from_entity, relation, to_entity FROM edges"
BODIES = "SELECT activity, body FROM events"
TOOLS = [{"name": "read_page", "description": "Reads a page."}]


def spans(url: str) -> None:
    """An agent that asks a model, lists the tools of a server and calls one."""
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{url}/v1/traces")))
    tracer = provider.get_tracer("test")
    mcp: dict[str, str | int] = {
        "server.address": "pages.example",
        "server.port": 443,
        "mcp.session.id": "m",
    }
    with tracer.start_as_current_span("chat", kind=SpanKind.CLIENT) as span:
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.agent.id": "agent-7"})
        span.set_attributes({"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 11})
        span.set_attribute("gen_ai.input.messages", "Use AKIAEXAMPLE000000000")
    with tracer.start_as_current_span("tools/list", kind=SpanKind.CLIENT) as span:
        span.set_attributes({**mcp, "mcp.method.name": "tools/list"})
        span.set_attribute("gen_ai.tool.definitions", json.dumps(TOOLS))
    with tracer.start_as_current_span("tools/call", kind=SpanKind.CLIENT) as span:
        span.set_attributes({"mcp.method.name": "tools/call", "gen_ai.tool.name": "read_page"})
        span.set_attributes({**mcp, "gen_ai.agent.id": "agent-7"})
    provider.shutdown()


def logs(url: str) -> None:
    """A coding agent whose user rejects a tool."""
    provider = LoggerProvider(resource=Resource({"service.name": "claude-code"}))
    exporter = OTLPLogExporter(f"{url}/v1/logs")
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    attributes = {"event.name": "tool_decision", "tool_name": "Bash", "decision": "reject"}
    provider.get_logger("test").emit(
        LogRecord(
            timestamp=1_772_600_767_000_000_000,
            severity_number=SeverityNumber.INFO,
            body="claude_code.tool_decision",
            attributes=attributes | {"user.email": "ada@example.com", "session.id": "s-1"},
        )
    )
    provider.shutdown()


def test_spans_and_logs_of_a_real_sdk(folder: Path) -> None:
    (folder / "barograph.toml").write_text(CONFIG.replace("[rules]", "[rules]\nbuiltin = false"))
    (folder / "answered.yml").write_text(ALL)
    with Running(folder) as run:
        spans(run.inputs["web"])
        logs(run.inputs["web"])
        eventually(lambda: run.rows("SELECT count(*) FROM signals") == [(4,)])
        assert sorted(run.rows("SELECT activity, actor, entities[1] FROM events")) == [
            ("chat", "agent:agent-7", "model:gpt-4o"),
            ("tool_decision", "agent:claude_code", "tool:claude_code/Bash"),
            ("tools/call", "agent:agent-7", "tool:pages.example/read_page"),
            ("tools/list", "application:claims", "mcp_server:pages.example"),
        ]
        said = {name: json.loads(body)["attributes"] for name, body in run.rows(BODIES)}
        assert said["chat"]["gen_ai.usage.input_tokens"] == 11
        assert said["chat"]["content.secrets"] == ["aws_access_key"]
        assert len(said["tools/list"]["mcp.manifest.sha256"]) == 64
        assert said["tool_decision"]["guardrail.verdict"] == "deny"
        stored = repr(run.rows("SELECT * FROM events"))
        assert "AKIAEXAMPLE" not in stored
        assert "Reads a page." not in stored
        assert ("agent:agent-7", "uses", "tool:pages.example/read_page") in run.rows(EDGES)
        assert ("tool:pages.example/read_page", "served_by", "mcp_server:pages.example") in (
            run.rows(EDGES)
        )
        assert run.stop() == 0
