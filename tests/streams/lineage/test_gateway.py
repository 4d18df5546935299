from typing import Any

import orjson
import pytest

from schemas.event import Event, EventEvidence
from streams.source import Raw
from streams.sources import cloudtrail
from tests.streams.lineage.calls import of
from tests.streams.sources.parsed import edges, keys

HOST = "gw1.gateway.bedrock-agentcore.eu-west-1.amazonaws.com"
ARN = "arn:aws:bedrock-agentcore:eu-west-1:111122223333"
CALL: dict[str, Any] = {
    "eventVersion": "1.11",
    "eventID": "1f0e2d3c-0000-4000-8000-000000000001",
    "eventTime": "2026-03-04T05:06:07Z",
    "eventSource": "bedrock-agentcore.amazonaws.com",
    "eventName": "InvokeGateway",
    "awsRegion": "eu-west-1",
    "sourceIPAddress": "203.0.113.7",
    "recipientAccountId": "111122223333",
    "userIdentity": {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"},
    "resources": [{"type": "AWS::BedrockAgentCore::Gateway", "ARN": f"{ARN}:gateway/gw1"}],
}
MESSAGE = {
    "id": 1,
    "method": "tools/call",
    "params": {"name": "Tables___ListTables", "arguments": "REDACTED"},
    "jsonrpc": "2.0",
}


def event(**changes: Any) -> Event:  # noqa: ANN401 - JSON
    record = CALL | changes
    evidence = EventEvidence(origin="file:x#1", sha256="0" * 64)
    return cloudtrail.event(Raw(orjson.dumps(record)), record, evidence).event


def test_a_tool_is_called_through_a_gateway() -> None:
    found = event(
        requestParameters={"body": MESSAGE},
        responseElements={"body": {"result": {"content": "REDACTED"}}, "statusCode": 200},
        additionalEventData={"targetId": "T1", "jwt": {"claims": {"sub": "4Ammg", "iss": "i"}}},
    )
    assert found.status == "success"
    assert keys(found) == [
        f"tool:{HOST}/Tables___ListTables",
        f"mcp_server:{HOST}",
        f"tool:{HOST}/T1",
        "principal:4ammg",
        "account:111122223333",
    ]
    assert edges(found) == [
        f"tool:{HOST}/Tables___ListTables served_by mcp_server:{HOST}",
        f"tool:{HOST}/T1 uses tool:{HOST}/Tables___ListTables",
    ]
    assert found.attributes["mcp.method.name"] == "tools/call"
    assert found.attributes["gen_ai.tool.name"] == "Tables___ListTables"


def test_a_call_with_a_bad_token_has_no_error_code_but_a_status() -> None:
    found = event(
        requestParameters={"body": MESSAGE},
        responseElements={"body": {"error": {"code": -32001}}, "statusCode": 401},
    )
    assert (found.status, found.attributes["error.code"]) == ("failure", "401")
    assert found.edges == ()


@pytest.mark.parametrize(
    ("name", "arn", "first"),
    [
        ("InvokeAgentRuntime", f"{ARN}:runtime/triage-Ab1", "agent:triage-Ab1"),
        ("RetrieveMemoryRecords", f"{ARN}:memory/notes-1", "datastore:notes-1"),
    ],
)
def test_what_a_call_of_data_is_about(name: str, arn: str, first: str) -> None:
    assert keys(event(eventName=name, resources=[{"ARN": arn}]))[0] == first


def test_names_that_agentcore_hides() -> None:
    answered = {"gatewayId": "gw1", "gatewayUrl": f"https://{HOST}/mcp", "name": "***"}
    found = of("bedrock-agentcore", "CreateGateway", {"name": "***"}, answered)
    assert [one.key for one in found.things] == [f"mcp_server:{HOST}"]
    target = {"gatewayIdentifier": "gw1", "name": "***"}
    made = of("bedrock-agentcore", "CreateGatewayTarget", target, {"targetId": "T1"})
    assert [one.name for one in made.things] == ["gw1", "T1"]
