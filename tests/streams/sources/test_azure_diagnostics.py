from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.entity import Entity
from schemas.event import Event, EventEvidence, Reject
from schemas.times import rfc3339
from streams.source import Parsed, Raw, Unreadable
from streams.sources import azure_diagnostics

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/SUBSCRIPTIONS/{SUBSCRIPTION}/RESOURCEGROUPS/ML/PROVIDERS"
CALL: dict[str, Any] = {
    "apiName": "Azure OpenAI API version 2024-02-01",
    "requestLength": 1200,
    "responseLength": 800,
    "objectId": "0000BEEF",
    "streamType": "Streaming",
    "modelDeploymentName": "Chat",
    "modelName": "gpt-4o",
    "modelVersion": "2024-08-06",
}
ROW: dict[str, Any] = {
    "time": "2026-03-04T05:06:07.1234567Z",
    "resourceId": f"{GROUP}/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/ExampleAI",
    "operationName": "ChatCompletions_Create",
    "category": "RequestResponse",
    "callerIpAddress": "203.0.113.***",
    "correlationId": "00000000-0000-4000-8000-000000000001",
    "durationMs": -17,
    "resultSignature": "200",
    "location": "westeurope",
    "properties": orjson.dumps(CALL).decode(),
}


def parsed(**changes: Any) -> Parsed:  # noqa: ANN401 - JSON
    record = ROW | changes
    data = orjson.dumps(record)
    evidence = EventEvidence(origin="file:x#1", sha256=sha256(data).hexdigest())
    return azure_diagnostics.event(Raw(data), record, evidence)


def event(**changes: Any) -> Event:  # noqa: ANN401 - JSON
    return parsed(**changes).event


def keys(found: Event) -> list[str]:
    return [one.key for one in found.entities]


def edges(found: Event) -> list[str]:
    return [f"{one.from_.key} {one.relation} {one.to.key}" for one in found.edges]


@pytest.mark.parametrize("properties", [CALL, ROW["properties"]])
def test_a_call_of_a_model(properties: object) -> None:
    found = event(properties=properties)
    assert found.uid == found.evidence.sha256
    assert rfc3339(found.time) == "2026-03-04T05:06:07.123456Z"
    assert (found.class_uid, found.class_name) == (6003, "API Activity")
    assert (found.activity, found.status) == ("ChatCompletions_Create", "success")
    assert found.actor == Entity(kind="principal", id="0000beef")
    assert found.client is not None
    assert found.client.ip == "203.0.113.***"
    assert keys(found) == [
        "endpoint:azure/exampleai/chat",
        "endpoint:azure/exampleai",
        "model:gpt-4o-2024-08-06",
        "principal:0000beef",
        f"account:{SUBSCRIPTION}",
    ]
    assert edges(found) == [
        "principal:0000beef calls endpoint:azure/exampleai/chat",
        "endpoint:azure/exampleai/chat serves model:gpt-4o-2024-08-06",
    ]
    assert not any(one.declared for one in found.edges)
    assert found.attributes == {
        "api.operation": "ChatCompletions_Create",
        "api.service": "microsoft.cognitiveservices",
        "azure.category": "RequestResponse",
        "azure.correlation_id": "00000000-0000-4000-8000-000000000001",
        "cloud.account.id": SUBSCRIPTION,
        "cloud.provider": "azure",
        "cloud.region": "westeurope",
        "cloud.resource_id": ROW["resourceId"].lower(),
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "azure.ai.openai",
        "gen_ai.request.model": "gpt-4o-2024-08-06",
        "gen_ai.request.stream": True,
        "http.request.body.size": 1200,
        "http.response.body.size": 800,
        "http.response.status_code": 200,
    }


def test_a_call_with_a_key_names_nobody() -> None:
    found = event(properties=CALL | {"objectId": ""})
    assert found.actor is None
    assert edges(found) == ["endpoint:azure/exampleai/chat serves model:gpt-4o-2024-08-06"]


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("Embeddings_Create", "embeddings"),
        ("EmbeddingsCreate", "embeddings"),
        ("Completions_Create", "text_completion"),
        ("Responses_Create", "chat"),
        ("ListKey", None),
    ],
)
def test_what_was_asked(operation: str, name: str | None) -> None:
    assert event(operationName=operation).attributes.get("gen_ai.operation.name") == name


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"resultSignature": "429"}, "failure", "429"),
        ({"resultSignature": 200}, "success", None),
        ({"resultSignature": None, "statusCode": 404}, "failure", "404"),
        ({"resultSignature": None, "resultType": "Succeeded"}, "success", None),
        ({"resultSignature": None, "resultType": "Failed"}, "failure", "failed"),
        ({"resultSignature": None}, "unknown", None),
    ],
)
def test_the_end(changes: dict[str, Any], status: str, code: str | None) -> None:
    found = event(**changes)
    assert (found.status, found.attributes.get("error.code")) == (status, code)


@pytest.mark.parametrize(
    ("said", "code"), [("429", 429), (200, 200), ("42" + "9" * 50, None), ("ok", None)]
)
def test_the_code_of_an_answer_is_a_code(said: object, code: int | None) -> None:
    found = event(resultSignature=None, statusCode=said)
    assert found.attributes.get("http.response.status_code") == code


def test_how_long_it_took() -> None:
    assert "azure.duration_ms" not in event().attributes
    assert event(durationMs=20).attributes["azure.duration_ms"] == 20


def test_what_a_gateway_heard_is_not_kept() -> None:
    told = {
        "modelName": "gpt-4o",
        "requestMessages": "a claim",
        "responseMessages": [{"a": "b"}],
        "promptTokens": 11,
        "completionTokens": 7,
    }
    found, private = parsed(
        operationName="LlmLogs",
        category="GatewayLlmLogs",
        resourceId=f"{GROUP}/MICROSOFT.APIMANAGEMENT/SERVICE/EXAMPLE",
        properties=told,
    )
    assert private == {
        "gen_ai.input.messages": "a claim",
        "gen_ai.output.messages": '[{"a":"b"}]',
    }
    assert b"claim" not in orjson.dumps(found.body())
    assert found.attributes["gen_ai.usage.input_tokens"] == 11
    assert found.attributes["gen_ai.usage.output_tokens"] == 7
    assert keys(found)[0] == "model:gpt-4o"


@pytest.mark.parametrize(
    ("resource", "told", "expected"),
    [
        (
            "MICROSOFT.MACHINELEARNINGSERVICES/WORKSPACES/Claims",
            {"amlModelName": "Triage:3", "amlDatastoreName": "Store", "amlDatasetName": "Letters"},
            [
                f"model:{GROUP.lower()}/microsoft.machinelearningservices/workspaces/claims/models/triage",
                "dataset:azure/claims/letters",
                "datastore:azure/claims/store",
                "application:azure/claims",
            ],
        ),
        (
            "MICROSOFT.MACHINELEARNINGSERVICES/WORKSPACES/Claims",
            {"runId": "Tune_1"},
            ["job:azureml/tune_1", "application:azure/claims"],
        ),
        (
            "MICROSOFT.MACHINELEARNINGSERVICES/WORKSPACES/Claims/ONLINEENDPOINTS/Triage",
            {"path": "/score"},
            ["endpoint:azure/claims/triage", "application:azure/claims"],
        ),
    ],
)
def test_machine_learning(resource: str, told: dict[str, Any], expected: list[str]) -> None:
    found = event(resourceId=f"{GROUP}/{resource}", operationName="X", properties=told)
    assert keys(found) == [*expected, f"account:{SUBSCRIPTION}"]


def test_a_blob() -> None:
    found = event(
        resourceId=f"{GROUP}/Microsoft.Storage/storageAccounts/claims/blobServices/default",
        operationName="GetBlob",
        category="StorageRead",
        properties={"objectKey": "/claims/training/a.csv", "userAgentHeader": "azsdk/1"},
        uri="https://claims.blob.core.windows.net/training/a.csv?sig=obviously-fake",
        identity={"requester": {"upn": "Lena@example.com"}},
    )
    assert keys(found)[:2] == ["datastore:azure/claims", "datastore:azure/claims/training"]
    assert found.actor == Entity(kind="principal", id="lena@example.com")
    assert b"obviously-fake" not in orjson.dumps(found.body())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"operationName": None}, "wrong-shape"),
        ({"resourceId": ""}, "wrong-shape"),
        ({"time": None}, "no-time"),
        ({"time": "soon"}, "bad-time"),
    ],
)
def test_what_is_no_call(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        event(**changes)
    assert error.value.reason == reason


def test_names_that_are_too_long_for_an_id_are_cut() -> None:
    """A workspace, a store and a job have each their own bound; together they may pass that."""
    asset = f"{GROUP}/Microsoft.MachineLearningServices/workspaces/{'w' * 400}"
    said = {f"aml{one}Name": "n" * 250 for one in ("Model", "Dataset", "DataStore")}
    found = event(resourceId=asset, properties=said | {"runId": "r" * 250})
    assert max(len(one.id) for one in found.entities) == 512


@pytest.mark.parametrize(
    ("category", "known"),
    [
        ("RequestResponse", True),
        ("StorageRead", True),
        ("Administrative", False),
        ("SignInLogs", False),
        ("NonInteractiveUserSignInLogs", False),
        ("kube-audit-admin", False),
    ],
)
def test_sniff(category: str, known: bool) -> None:  # noqa: FBT001 - a case
    assert azure_diagnostics.sniff(orjson.dumps(ROW | {"category": category})) is known


@given(data=st.data())
def test_no_damage_is_a_crash(data: st.DataObject, read: Any, damaged: Any) -> None:  # noqa: ANN401
    whole = {"records": [ROW, ROW | {"properties": CALL}]}
    for result, _ in read(azure_diagnostics, damaged(data, whole)):
        assert not isinstance(result, Reject) or result.reason != "defect", result


@given(st.binary(max_size=200))
def test_no_bytes_are_a_crash(read: Any, document: bytes) -> None:  # noqa: ANN401
    azure_diagnostics.sniff(document)
    read(azure_diagnostics, document)


def test_a_call_through_api_management() -> None:
    place = "https://ExampleAI.openai.azure.com/openai/deployments/Chat/chat/completions"
    answer = {"model": "gpt-4o", "choices": [{"message": {"content": "do-not-store"}}]}
    properties = {"backendUrl": place, "responseCode": 200, "responseBody": answer}
    found, private = parsed(
        resourceId=f"{GROUP}/MICROSOFT.APIMANAGEMENT/SERVICE/GATEWAY",
        operationName="Microsoft.ApiManagement/GatewayLogs",
        category="GatewayLogs",
        resultSignature=None,
        properties=properties,
    )
    assert keys(found) == [
        "endpoint:azure/exampleai/chat",
        "endpoint:azure/exampleai",
        "model:gpt-4o",
        f"account:{SUBSCRIPTION}",
    ]
    assert edges(found) == ["endpoint:azure/exampleai/chat serves model:gpt-4o"]
    assert found.attributes["gen_ai.operation.name"] == "chat"
    assert found.attributes["gen_ai.provider.name"] == "azure.ai.openai"
    assert found.attributes["http.response.status_code"] == 200
    assert list(private) == ["gen_ai.output.messages"]


def test_a_call_of_databricks() -> None:
    found = event(
        resourceId=f"{GROUP}/MICROSOFT.DATABRICKS/WORKSPACES/W",
        operationName="Microsoft.Databricks/serverlessRealTimeInference/queryServingEndpoint",
        category="serverlessRealTimeInference",
        callerIpAddress=None,
        resultSignature=None,
        identity='{"email": "Lena@example.com", "subjectName": null}',
        properties={"sourceIPAddress": "203.0.113.7", "response": '{"statusCode": 403}'},
    )
    assert found.actor == Entity(kind="principal", id="lena@example.com")
    assert found.client is not None
    assert (found.client.ip, found.status) == ("203.0.113.7", "failure")


def test_a_search_is_of_its_index() -> None:
    found = event(
        resourceId=f"{GROUP}/MICROSOFT.SEARCH/SEARCHSERVICES/Claims",
        operationName="Query.Search",
        category="OperationLogs",
        properties={"IndexName": "docs"},
    )
    assert keys(found)[:2] == ["datastore:azure/claims/docs", "datastore:azure/claims"]


def test_the_log_of_models_does_not_say_what_was_done() -> None:
    found = event(
        resourceId=f"{GROUP}/MICROSOFT.APIMANAGEMENT/SERVICE/GATEWAY",
        operationName="Microsoft.ApiManagement/GatewayLlmLogs",
        category="GatewayLlmLogs",
        properties={"modelName": "gpt-4o", "responseMessages": "[]"},
    )
    assert found.attributes["gen_ai.operation.name"] == "chat"
