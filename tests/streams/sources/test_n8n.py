import pytest

from streams.sources import n8n
from tests.streams.sources.shown import read, rejected, shown

SAID = {
    "n8n.json": [
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.123000Z",
            "status": "success",
            "of": ["application:n8n/wf1"],
            "n8n.active": True,
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.123000Z",
            "status": "success",
            "of": ["agent:n8n/wf1/Triage", "application:n8n/wf1"],
            "edges": ["application:n8n/wf1 runs agent:n8n/wf1/Triage"],
            "component.type": "@n8n/n8n-nodes-langchain.agent",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.123000Z",
            "status": "success",
            "of": ["model:gpt-4o-mini", "agent:n8n/wf1/Triage", "application:n8n/wf1"],
            "edges": ["agent:n8n/wf1/Triage calls model:gpt-4o-mini"],
            "component.type": "@n8n/n8n-nodes-langchain.lmChatOpenAi",
            "n8n.credentials": ["openAiApi"],
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.123000Z",
            "status": "success",
            "of": ["agent:n8n/wf1/Triage", "application:n8n/wf1"],
            "component.type": "@n8n/n8n-nodes-langchain.lmChatOpenAi",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.123000Z",
            "status": "success",
            "of": [
                "tool:n8n/wf1/Triage/Send letter",
                "tool:n8n/wf1/Send letter",
                "agent:n8n/wf1/Triage",
                "mcp_server:n8n/wf1",
                "application:n8n/wf1",
            ],
            "edges": [
                "agent:n8n/wf1/Triage uses tool:n8n/wf1/Triage/Send letter",
                "tool:n8n/wf1/Send letter served_by mcp_server:n8n/wf1",
            ],
            "component.type": "n8n-nodes-base.gmailTool",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.123000Z",
            "status": "success",
            "of": ["mcp_server:rates.example", "agent:n8n/wf1/Triage", "application:n8n/wf1"],
            "edges": ["agent:n8n/wf1/Triage uses mcp_server:rates.example"],
            "component.type": "@n8n/n8n-nodes-langchain.mcpClientTool",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.123000Z",
            "status": "success",
            "of": ["datastore:n8n/wf1/Letters", "agent:n8n/wf1/Triage", "application:n8n/wf1"],
            "edges": ["agent:n8n/wf1/Triage retrieves datastore:n8n/wf1/Letters"],
            "component.type": "@n8n/n8n-nodes-langchain.vectorStorePGVector",
        },
        {
            "is": "Software Inventory Info: Collect",
            "time": "2026-03-04T05:06:07.123000Z",
            "status": "success",
            "of": ["mcp_server:n8n/wf1", "application:n8n/wf1"],
            "edges": ["application:n8n/wf1 runs mcp_server:n8n/wf1"],
            "component.type": "@n8n/n8n-nodes-langchain.mcpTrigger",
        },
    ],
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says(name: str) -> None:
    assert [shown(event) for event in read(name)] == SAID[name]


def test_what_is_no_record() -> None:
    said = [("wrong-shape", "a workflow has an `id` or a `name`")]
    assert rejected("n8n.bad.json") == said


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (b'{"nodes":[{"type":"n8n-nodes-base.set"}],"connections":{}}', True),
        (b'{"nodes":[{"type":"x"}],"edges":[]}', False),
    ],
)
def test_sniff(head: bytes, known: bool) -> None:  # noqa: FBT001 - a case
    assert n8n.sniff(head) is known
