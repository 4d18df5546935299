import orjson
import pytest

from schemas.times import rfc3339
from streams.source import Parsed, named
from tests.streams.sources.conftest import Read
from tests.streams.sources.parsed import edges, events, keys, parsed, reasons

GATEWAY = "claims-gw-example.gateway.bedrock-agentcore.eu-west-1.amazonaws.com"
TOOL = f"tool:{GATEWAY}/policies___read"
TRACE = "5b8efff798038103d269b633813fc60c"


def test_a_request_of_a_gateway() -> None:
    event, private = parsed("bedrock_agentcore.jsonl")[0]
    assert rfc3339(event.time) == "2026-03-04T05:06:00.001000Z"
    assert (event.class_uid, event.activity, event.status) == (6003, "tools/call", "success")
    assert (event.actor, event.client) == (None, None)
    assert keys(event) == [TOOL, f"mcp_server:{GATEWAY}", "account:111122223333"]
    assert edges(event) == [f"{TOOL} served_by mcp_server:{GATEWAY}"]
    assert event.attributes == {
        "aws.agentcore.resource": "gateway",
        "aws.agentcore.target": "policies",
        "aws.request_id": "req-1",
        "body.size": 193,
        "cloud.account.id": "111122223333",
        "cloud.platform": "aws_bedrock_agentcore",
        "cloud.region": "eu-west-1",
        "cloud.resource_id": "arn:aws:bedrock-agentcore:eu-west-1:111122223333"
        ":gateway/claims-gw-example",
        "gen_ai.tool.name": "policies___read",
        "identity.link": "trace",
        "mcp.method.name": "tools/call",
        "trace.id": TRACE,
    }
    assert "do-not-store" in private["body"]


def test_a_line_that_names_tool_and_target() -> None:
    event = events("bedrock_agentcore.jsonl")[1]
    assert keys(event)[0] == TOOL
    assert event.attributes["aws.agentcore.target"] == "TGT1EXAMPLE"
    assert event.activity == "log", "the request before it is the call"
    assert "mcp.method.name" not in event.attributes


@pytest.mark.parametrize(
    ("log", "tool"),
    [
        ("Executing tool: claims___pay for session x", "claims___pay"),
        ("Processing request for tool pay from target T1", "pay"),
        ("Failed to call tool because of a timeout", None),
        ("Received a tool call", None),
    ],
)
def test_which_words_name_a_tool(read: Read, log: str, tool: str | None) -> None:
    arn = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:gateway/gw1"
    record = {"resource_arn": arn, "event_timestamp": 1772600760000, "body": {"log": log}}
    (outcome,) = read(named("bedrock_agentcore"), orjson.dumps(record))
    assert isinstance(outcome.result, Parsed)
    assert outcome.result.event.attributes.get("gen_ai.tool.name") == tool


def test_other_resources() -> None:
    failed, runtime, memory, interpreter = events("bedrock_agentcore.jsonl")[2:6]
    assert failed.status == "failure"
    assert (runtime.activity, keys(runtime)[:2]) == (
        "InvokeAgentRuntime",
        ["agent:triage-example", "session:session-7"],
    )
    assert runtime.attributes["gen_ai.input.messages.size"] == 25
    assert keys(memory)[0] == "datastore:notes-example"
    assert keys(interpreter) == ["tool:aws.codeinterpreter.v1", "account:111122223333"]
    assert interpreter.attributes["identity.link"] == "role_only"


def test_spans_and_log_records_of_an_agent() -> None:
    span, log = events("bedrock_agentcore.jsonl")[6:]
    assert span.uid == f"{TRACE}:aaa19b7ec3c1b174"
    assert (span.activity, span.status) == ("execute_tool", "success")
    assert edges(span) == [
        "application:triage.DEFAULT runs agent:triage-example",
        "agent:triage-example uses tool:triage-example/read",
    ]
    assert (log.activity, log.status) == ("gen_ai.user.message", "unknown")
    assert log.attributes["trace.id"] == TRACE


def test_a_subscription_holds_the_same_records() -> None:
    (subscribed,), first = (
        events("bedrock_agentcore.subscription.json"),
        events("bedrock_agentcore.jsonl")[0],
    )
    assert subscribed.attributes == first.attributes


def test_what_is_no_log_of_agentcore() -> None:
    assert reasons("bedrock_agentcore.bad.json") == ["no-time", "wrong-shape", "no-time"]


def test_a_tool_of_aws_is_asked_and_answers_in_its_body(read: Read) -> None:
    record = {
        "resource_arn": "arn:aws:bedrock-agentcore:eu-west-1:aws"
        ":code-interpreter/aws.codeinterpreter.v1",
        "event_timestamp": 1772600760000,
        "tool_session_id": "run-7",
        "operation": "InvokeCodeInterpreter",
        "attributes": {"aws.account.id": "111122223333"},
        "body": {
            "request_payload": {"name": "executeCode", "arguments": {"code": "do-not-store"}},
            "response_payload": {"content": ["do-not-store"], "isError": True},
        },
    }
    (outcome,) = read(named("bedrock_agentcore"), orjson.dumps(record))
    assert isinstance(outcome.result, Parsed)
    event, private = outcome.result
    assert (event.activity, event.status) == ("InvokeCodeInterpreter", "failure")
    assert keys(event) == [
        "tool:aws.codeinterpreter.v1",
        "session:run-7",
        "account:111122223333",
    ]
    assert event.attributes["gen_ai.operation.name"] == "execute_tool"
    assert event.attributes["gen_ai.tool.name"] == "executeCode"
    assert sorted(private) == ["gen_ai.tool.call.arguments", "gen_ai.tool.call.result"]


def test_usage_has_no_body(read: Read) -> None:
    record = {
        "resource_arn": "arn:aws:bedrock-agentcore:eu-west-1:aws:browser/aws.browser.v1",
        "event_timestamp": 1772600760000,
        "attributes": {"account.id": "111122223333", "session.id": "run-8"},
        "metrics": {"browser.vcpu.hours.used": 0.1},
    }
    (outcome,) = read(named("bedrock_agentcore"), orjson.dumps(record))
    assert isinstance(outcome.result, Parsed)
    assert keys(outcome.result.event) == [
        "tool:aws.browser.v1",
        "session:run-8",
        "account:111122223333",
    ]
    assert outcome.result.private == {}


def test_who_has_a_token_is_no_tool(read: Read) -> None:
    arn = "arn:aws:bedrock-agentcore:eu-west-1:111122223333:workload-identity-directory/default"
    record = {"resource_arn": arn, "event_timestamp": 1772600760000, "body": {"isError": False}}
    (outcome,) = read(named("bedrock_agentcore"), orjson.dumps(record))
    assert isinstance(outcome.result, Parsed)
    assert keys(outcome.result.event) == ["account:111122223333"]


def test_what_a_log_record_says_beside_a_span(read: Read) -> None:
    said = {"messages": [{"role": "user", "content": "do-not-store"}]}
    record = {
        "resource": {"attributes": {"cloud.platform": "aws_bedrock_agentcore"}},
        "timeUnixNano": 1772600760000000000,
        "body": {"input": said, "output": {"messages": []}},
        "attributes": {"event.name": "strands.telemetry.tracer"},
    }
    (outcome,) = read(named("bedrock_agentcore"), orjson.dumps(record))
    assert isinstance(outcome.result, Parsed)
    assert sorted(outcome.result.private) == ["body", "gen_ai.input.messages"]
