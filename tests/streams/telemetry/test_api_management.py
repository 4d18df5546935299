from typing import Any

import orjson
import pytest

from streams.telemetry.api_management import Through, through

PLACE = (
    "https://ExampleAI.openai.azure.com/openai/deployments/Writer/chat/completions?api-version=1"
)
ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1",
    "model": "gpt-35-turbo",
    "choices": [{"message": {"role": "assistant", "content": "do-not-store"}}],
    "prompt_filter_results": [
        {"content_filter_results": {"jailbreak": {"filtered": False, "detected": True}}}
    ],
    "usage": {"prompt_tokens": 14, "completion_tokens": 8},
}


def told(**changes: Any) -> Through | None:  # noqa: ANN401 - JSON
    said: dict[str, Any] = {
        "backendurl": PLACE,
        "url": "https://gateway.example/openai/x",
        "requestbody": orjson.dumps({"messages": [{"role": "user", "content": "x"}]}).decode(),
        "responsebody": orjson.dumps(ANSWER).decode(),
    }
    return through(said | changes)


def test_a_call_of_a_deployment() -> None:
    found = told()
    assert found is not None
    assert (found.operation, found.provider) == ("chat", "azure.ai.openai")
    assert [one.key for one in found.things] == [
        "endpoint:azure/exampleai/writer",
        "endpoint:azure/exampleai",
    ]
    assert found.model is not None
    assert found.model.key == "model:gpt-3.5-turbo", "Azure alone leaves the dot out"
    assert found.attributes == {
        "gen_ai.request.model": "gpt-3.5-turbo",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.usage.input_tokens": 14,
        "gen_ai.usage.output_tokens": 8,
        "guardrail.category": "jailbreak",
        "guardrail.verdict": "warn",
        "server.address": "exampleai.openai.azure.com",
    }
    assert found.content == {
        "gen_ai.input.messages": [{"role": "user", "content": "x"}],
        "gen_ai.output.messages": [{"role": "assistant", "content": "do-not-store"}],
    }


def test_a_path_without_a_deployment_has_it_in_the_body() -> None:
    found = told(
        backendurl="https://exampleai.services.ai.azure.com/openai/v1/responses",
        requestbody='{"model": "writer", "input": "x"}',
    )
    assert found is not None
    assert [one.id for one in found.things] == ["azure/exampleai/writer", "azure/exampleai"]


def test_bodies_that_were_cut_or_not_logged_leave_the_address() -> None:
    found = told(requestbody=None, responsebody='{"id": "cut')
    assert found is not None
    assert found.content == {}
    assert found.attributes == {"server.address": "exampleai.openai.azure.com"}


@pytest.mark.parametrize(
    ("address", "provider"),
    [
        ("https://api.openai.com/v1/chat/completions", "openai"),
        ("https://models.example/v1/chat/completions", None),
    ],
)
def test_a_model_elsewhere(address: str, provider: str | None) -> None:
    found = told(backendurl=address)
    assert found is not None
    assert (found.things, found.provider) == ((), provider)


@pytest.mark.parametrize(
    "changes",
    [
        {"backendurl": "https://claims.example/api/policies"},
        {"backendurl": None, "url": None},
        {"backendurl": "https://[", "url": 7},
    ],
)
def test_what_is_no_call_of_a_model(changes: dict[str, Any]) -> None:
    assert told(**changes) is None
