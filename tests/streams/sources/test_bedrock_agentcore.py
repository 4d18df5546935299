from schemas.times import rfc3339
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
        "gen_ai.operation.name": "execute_tool",
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
