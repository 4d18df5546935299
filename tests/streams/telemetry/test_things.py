from typing import Any

import pytest

from streams.telemetry.things import ordered, relations, things


def keys(**named: Any) -> list[str]:  # noqa: ANN401 - JSON
    """Names what is named; `__` in a name stands for a dot."""
    seen = {name.replace("__", "."): value for name, value in named.items()}
    return [one.key for one in things(seen, seen).values()]


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ({"k8s__namespace__name": "ml", "k8s__deployment__name": "t"}, ["workload:k8s/ml/t"]),
        ({"k8s__statefulset__name": "t"}, ["workload:k8s/default/t"]),
        ({"k8s__namespace__name": "ml", "k8s__pod__name": "t-1"}, []),
        ({"aws__ecs__task__family": "t"}, ["workload:ecs/default/t"]),
        ({"container__image__name": "r.example/t"}, ["image:r.example/t"]),
        ({"container__image__name": "t", "container__image__tags": ["7", "8"]}, ["image:t:7"]),
        ({"container__image__repo_digests": []}, []),
        ({"service__name": "claims"}, ["application:claims"]),
        ({"service__name": "unknown_service:node"}, []),
        ({"enduser__id": 17}, ["principal:17"]),
        ({"user__id": "u-1", "enduser__id": "u-2"}, ["principal:u-2"]),
        ({"gen_ai__agent__name": "triage"}, ["agent:triage"]),
        ({"session__id": "s-1", "gen_ai__conversation__id": "c-1"}, ["session:c-1"]),
        ({"gen_ai__response__model": "m-1", "gen_ai__request__model": "m"}, ["model:m-1"]),
        ({"aws__bedrock__guardrail__id": "arn:aws:b:r:1:guardrail/gr1"}, ["guardrail:gr1"]),
        ({"gen_ai__tool__name": "t"}, ["tool:t"]),
        ({"gen_ai__tool__name": "t", "service__name": "a"}, ["tool:a/t", "application:a"]),
        ({"gen_ai__tool__name": ["t"], "service__name": {}, "user__id": True}, []),
    ],
)
def test_what_is_named(named: dict[str, object], found: list[str]) -> None:
    assert keys(**named) == found


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ({"mcp__server__name": "files"}, ["mcp_server:files"]),
        ({"mcp__server__name": "files", "server__address": "A.Example"}, ["mcp_server:a.example"]),
        (
            {"mcp__method__name": "ping", "server__address": "::1", "server__port": 8080},
            ["mcp_server:::1:8080"],
        ),
        ({"server__address": "api.example"}, []),
        ({"mcp__method__name": "ping"}, []),
    ],
)
def test_what_is_an_mcp_server(named: dict[str, object], found: list[str]) -> None:
    assert keys(**named) == found


def test_a_tool_is_named_by_who_offers_it() -> None:
    named = {"gen_ai__tool__name": "t", "gen_ai__agent__id": "a", "service__name": "s"}
    assert keys(**named)[0] == "tool:a/t"
    assert keys(**named, mcp__server__name="files")[0] == "tool:files/t"


@pytest.mark.parametrize(
    ("operation", "first"),
    [
        ("execute_tool", "tool"),
        ("chat", "model"),
        ("retrieval", "datastore"),
        ("invoke_agent", "agent"),
        ("tools/list", "mcp_server"),
        ("anything", "tool"),
    ],
)
def test_the_target_comes_first(operation: str, first: str) -> None:
    seen = {
        "gen_ai.tool.name": "t",
        "gen_ai.agent.id": "a",
        "gen_ai.request.model": "m",
        "gen_ai.data_source.id": "d",
        "mcp.server.name": "s",
    }
    found = ordered(things(seen, seen), operation)
    assert found[0].kind == first
    assert sorted(one.kind for one in found) == [
        "agent",
        "datastore",
        "mcp_server",
        "model",
        "tool",
    ]


def test_an_application_without_agent_does_it_itself() -> None:
    seen = {"service.name": "claims", "gen_ai.request.model": "m", "mcp.server.name": "files"}
    found = [(edge.from_.key, edge.relation, edge.to.key) for edge in relations(things(seen, seen))]
    assert found == [
        ("application:claims", "uses", "mcp_server:files"),
        ("application:claims", "calls", "model:m"),
    ]


def test_who_calls_a_model_of_azure_calls_the_account_that_listens_there() -> None:
    seen = {
        "service.name": "claims",
        "gen_ai.request.model": "m",
        "server.address": "ExampleAI.openai.azure.com",
    }
    found = [(edge.from_.key, edge.relation, edge.to.key) for edge in relations(things(seen, seen))]
    assert found == [
        ("application:claims", "calls", "model:m"),
        ("application:claims", "calls", "endpoint:azure/exampleai"),
    ]


def test_a_guardrail_may_have_a_name_alone() -> None:
    assert keys(gen_ai__guardrail__name="no-secrets") == ["guardrail:no-secrets"]
    both = {"gen_ai__guardrail__name": "no-secrets", "gen_ai__guardrail__id": "gr1"}
    assert keys(**both) == ["guardrail:gr1"]
