from typing import Any

import orjson
import pytest

from correlators.normal import normal_form
from correlators.ruleset import builtin, parse
from schemas.times import rfc3339
from streams.matchers import Matchers
from streams.source import Parsed, named
from tests.streams.sources.conftest import Read
from tests.streams.sources.parsed import edges, events, keys, parsed, reasons

CALLER = "arn:aws:sts::111122223333:assumed-role/Triage/lena@example.com"
ROLE = "principal:arn:aws:iam::111122223333:role/Triage"
BASE: dict[str, Any] = {
    "schemaType": "ModelInvocationLog",
    "schemaVersion": "1.0",
    "timestamp": "2026-03-04T05:06:07Z",
    "accountId": "111122223333",
    "region": "eu-west-1",
    "requestId": "req-1",
    "operation": "InvokeModel",
    "modelId": "vendor.writer-v1:0",
    "identity": {"arn": CALLER},
}


@pytest.fixture
def invocation(read: Read) -> Any:  # noqa: ANN401 - a function
    def of(asked: Any = None, answered: Any = None, **changes: Any) -> Parsed:  # noqa: ANN401 - JSON
        bodies = {"input": {"inputBodyJson": asked}, "output": {"outputBodyJson": answered}}
        (outcome,) = read(named("bedrock_invocation"), orjson.dumps(BASE | bodies | changes))
        assert isinstance(outcome.result, Parsed), outcome.result
        return outcome.result

    return of


def test_a_prompt_that_a_guardrail_stopped() -> None:
    event, private = parsed("bedrock_invocation.jsonl")[0]
    assert event.uid == "00000000-0000-4000-8000-000000000001"
    assert rfc3339(event.time) == "2026-03-04T05:06:01.000000Z"
    assert (event.class_uid, event.activity, event.status) == (6003, "Converse", "success")
    assert event.actor is not None
    assert event.actor.key == ROLE
    assert event.client is None
    session = f"session:{CALLER}"
    assert keys(event) == [
        "model:vendor.writer-v1:0",
        "guardrail:gr1example",
        "agent:triage",
        "application:claims",
        "session:conv-7",
        ROLE,
        session,
        "principal:lena@example.com",
        "account:111122223333",
    ]
    assert edges(event) == [
        f"{ROLE} calls model:vendor.writer-v1:0",
        "agent:triage calls model:vendor.writer-v1:0 0.6",
        "agent:triage guarded_by guardrail:gr1example 0.6",
        "application:claims runs agent:triage 0.6",
        f"{ROLE} assumes {session}",
        f"principal:lena@example.com assumes {session} 0.7",
        f"{session} carries session:conv-7 0.6",
    ]
    assert event.attributes == {
        "api.operation": "Converse",
        "api.service": "bedrock-runtime.amazonaws.com",
        "aws.bedrock.guardrail.id": "gr1example",
        "aws.bedrock.request_metadata": {
            "session-id": "conv-7",
            "agent": "triage",
            "app": "claims",
        },
        "aws.request_id": "00000000-0000-4000-8000-000000000001",
        "cloud.region": "eu-west-1",
        "gen_ai.agent.id": "triage",
        "gen_ai.conversation.id": "conv-7",
        "gen_ai.input.messages.size": 71,
        "gen_ai.operation.name": "chat",
        "gen_ai.output.messages.size": 68,
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.max_tokens": 512,
        "gen_ai.request.model": "eu.vendor.writer-v1:0",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.response.finish_reasons": ["guardrail_intervened"],
        "gen_ai.system_instructions.size": 25,
        "gen_ai.tool.definitions.size": 64,
        "gen_ai.usage.input_tokens": 21,
        "gen_ai.usage.output_tokens": 0,
        "guardrail.category": "prompt_attack",
        "guardrail.verdict": "deny",
        "identity.link": "role_session",
        "service.name": "claims",
    }
    assert "ignore all rules" in private["gen_ai.input.messages"]
    form = normal_form(event, private)
    assert (form["entity.guardrail"], form["entity.session"]) == ("gr1example", "conv-7")


def test_how_each_caller_is_known() -> None:
    found = events("bedrock_invocation.jsonl")
    assert [one.attributes["identity.link"] for one in found] == [
        "role_session",
        "request_metadata",
        "user",
        "trace",
        "role_only",
        "role_session",
    ]


def test_a_stream_of_a_coding_agent() -> None:
    event = events("bedrock_invocation.jsonl")[1]
    assert event.attributes["gen_ai.response.model"] == "claude-example-1"
    assert event.attributes["gen_ai.response.finish_reasons"] == ["end_turn"]
    assert event.attributes["gen_ai.usage.output_tokens"] == 12
    assert keys(event)[:2] == [
        "model:application-inference-profile/pr0f1le",
        "session:6f1d0000-0000-4000-8000-000000000002",
    ]


def test_bodies_that_lie_in_s3() -> None:
    event, private = parsed("bedrock_invocation.jsonl")[3]
    assert event.attributes["aws.bedrock.input.s3_path"] == "s3://logs-example/data/in.json.gz"
    assert event.attributes["trace.id"] == "5b8efff798038103d269b633813fc60c"
    assert event.attributes["gen_ai.usage.input_tokens"] == 90_000
    assert private == {}


def test_what_is_masked_is_no_block() -> None:
    event = events("bedrock_invocation.jsonl")[4]
    assert event.attributes["guardrail.verdict"] == "modify"
    assert event.attributes["guardrail.category"] == "pii"
    assert event.attributes["gen_ai.usage.output_tokens"] == 5


def test_a_call_that_failed_shows_no_call() -> None:
    event = events("bedrock_invocation.jsonl")[5]
    assert (event.status, event.attributes["error.code"]) == ("failure", "ThrottlingException")
    assert [one.relation for one in event.edges] == ["assumes", "assumes"]


def test_a_subscription_holds_the_same_records() -> None:
    lines, subscribed = (
        events(f"bedrock_invocation.{end}") for end in ("jsonl", "subscription.json")
    )
    assert [one.body()["attributes"] for one in subscribed] == [
        one.body()["attributes"] for one in lines[:2]
    ]


CONVERSE = {"usage": {"inputTokens": 3, "outputTokens": 5}}
CLAUDE = {"usage": {"input_tokens": 3, "output_tokens": 5}}
CHOICES = {"usage": {"prompt_tokens": 3, "completion_tokens": 5}}
LLAMA = {"prompt_token_count": 3, "generation_token_count": 5}
TITAN = {"inputTextTokenCount": 3, "results": [{"tokenCount": 5, "completionReason": "FINISH"}]}
STREAM = [
    {"messageStart": {"role": "assistant"}},
    {"messageStop": {"stopReason": "tool_use"}},
    {"metadata": CONVERSE},
]


@pytest.mark.parametrize(
    ("body", "reason", "tokens"),
    [
        (CONVERSE | {"stopReason": "end_turn"}, "end_turn", (3, 5)),
        (CLAUDE | {"stop_reason": "end_turn"}, "end_turn", (3, 5)),
        (CHOICES | {"choices": [{"finish_reason": "stop"}]}, "stop", (3, 5)),
        (LLAMA | {"stop_reason": "length"}, "length", (3, 5)),
        (TITAN, "FINISH", (3, 5)),
        ({"outputs": [{"text": "x", "stop_reason": "stop"}]}, "stop", (None, None)),
        ({"generations": [{"text": "x", "finish_reason": "COMPLETE"}]}, "COMPLETE", (None, None)),
        (STREAM, "tool_use", (3, 5)),
    ],
)
def test_answers_of_model_families(
    invocation: Any,  # noqa: ANN401 - a function
    body: Any,  # noqa: ANN401 - JSON
    reason: str,
    tokens: tuple[int | None, int | None],
) -> None:
    said = invocation({"prompt": "p"}, body).event.attributes
    assert said["gen_ai.response.finish_reasons"] == [reason]
    names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
    assert tuple(said.get(name) for name in names) == tokens


@pytest.mark.parametrize(
    "body",
    [
        {"stopReason": "guardrail_intervened"},
        {"amazon-bedrock-guardrailAction": "INTERVENED"},
        [{"messageStop": {"stopReason": "guardrail_intervened"}}],
    ],
)
def test_a_block_without_a_trace(invocation: Any, body: Any) -> None:  # noqa: ANN401 - JSON
    said = invocation(None, body).event.attributes
    assert said["guardrail.verdict"] == "deny"
    assert "guardrail.category" not in said


@pytest.mark.parametrize(
    ("action", "rules"),
    [
        ("BLOCKED", ["guardrail_blocked_prompt_attack"]),
        ("NONE", ["guardrail_allowed_prompt_attack"]),
    ],
)
def test_the_detections_of_every_vendor_see_it(
    invocation: Any,  # noqa: ANN401 - a function
    action: str,
    rules: list[str],
) -> None:
    row = {"type": "PROMPT_ATTACK", "confidence": "HIGH", "action": action, "detected": True}
    assessment = {"gr1example": {"contentPolicy": {"filters": [row]}}}
    event, private = invocation({}, {"trace": {"guardrail": {"inputAssessment": assessment}}})
    matcher = Matchers(parse(builtin()).rules).normal(event)
    found = [one.detection.id for one in matcher.match(normal_form(event, private))]
    assert [one for one in found if one.endswith("prompt_attack")] == rules


def test_no_secret_of_the_metadata_is_kept(invocation: Any) -> None:  # noqa: ANN401 - a function
    metadata = {"user": "lena@example.com", "auth": "Bearer obviously-fake-token"}
    event = invocation(None, None, requestMetadata=metadata).event
    assert event.attributes["aws.bedrock.request_metadata"] == {"user": "lena@example.com"}
    assert event.attributes["enduser.id"] == "lena@example.com"


def test_what_is_no_invocation() -> None:
    assert reasons("bedrock_invocation.bad.json") == [
        "no-time",
        "wrong-shape",
        "bad-time",
        "wrong-shape",
    ]
