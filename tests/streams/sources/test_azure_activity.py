from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.entity import Entity
from schemas.event import Event, EventEvidence, Reject
from schemas.times import rfc3339
from streams.source import Raw, Unreadable
from streams.sources import azure_activity

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/SUBSCRIPTIONS/{SUBSCRIPTION}/RESOURCEGROUPS/ML/PROVIDERS"
ACCOUNT = f"{GROUP}/MICROSOFT.COGNITIVESERVICES/ACCOUNTS/ExampleAI"
SERVICE = "MICROSOFT.COGNITIVESERVICES/ACCOUNTS/"
UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
OBJECT = "http://schemas.microsoft.com/identity/claims/objectidentifier"
ACTIVITY: dict[str, Any] = {
    "time": "2026-03-04T05:06:07.1234567Z",
    "resourceId": ACCOUNT + "/DEPLOYMENTS/Chat",
    "operationName": SERVICE + "DEPLOYMENTS/WRITE",
    "category": "Administrative",
    "resultType": "Success",
    "resultSignature": "Succeeded.Created",
    "durationMs": "-12",
    "callerIpAddress": "203.0.113.7",
    "correlationId": "00000000-0000-4000-8000-000000000001",
    "identity": {"claims": {UPN: "Lena@example.com", "name": "Lena"}},
    "location": "westeurope",
    "properties": {
        "responseBody": orjson.dumps(
            {
                "properties": {
                    "model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-08-06"},
                    "raiPolicyName": "Strict",
                }
            }
        ).decode()
    },
}


def event(**changes: Any) -> Event:  # noqa: ANN401 - JSON
    return parsed(ACTIVITY | changes)


def parsed(record: dict[str, Any]) -> Event:
    data = orjson.dumps(record)
    evidence = EventEvidence(origin="file:x#1", sha256=sha256(data).hexdigest())
    return azure_activity.event(Raw(data), record, evidence).event


def asked(**body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"requestbody": orjson.dumps(body).decode()}


def keys(found: Event) -> list[str]:
    return [one.key for one in found.entities]


def edges(found: Event) -> list[str]:
    return [f"{one.from_.key} {one.relation} {one.to.key}" for one in found.edges]


def test_a_deployment_its_model_and_its_policy() -> None:
    found = event()
    assert found.uid == found.evidence.sha256
    assert rfc3339(found.time) == "2026-03-04T05:06:07.123456Z"
    assert (found.class_uid, found.class_name) == (6003, "API Activity")
    assert found.activity == "MICROSOFT.COGNITIVESERVICES/ACCOUNTS/DEPLOYMENTS/WRITE"
    assert found.status == "success"
    assert found.actor == Entity(kind="principal", id="lena@example.com")
    assert found.client is not None
    assert found.client.ip == "203.0.113.7"
    assert keys(found) == [
        "endpoint:azure/exampleai/chat",
        "endpoint:azure/exampleai",
        "model:gpt-4o-2024-08-06",
        "guardrail:azure/exampleai/strict",
        "principal:lena@example.com",
        f"account:{SUBSCRIPTION}",
    ]
    assert edges(found) == [
        "endpoint:azure/exampleai/chat serves model:gpt-4o-2024-08-06",
        "endpoint:azure/exampleai/chat guarded_by guardrail:azure/exampleai/strict",
    ]
    assert all(one.declared for one in found.edges)
    assert found.attributes == {
        "api.operation": "MICROSOFT.COGNITIVESERVICES/ACCOUNTS/DEPLOYMENTS/WRITE",
        "api.service": "microsoft.cognitiveservices",
        "azure.category": "Administrative",
        "azure.correlation_id": "00000000-0000-4000-8000-000000000001",
        "azure.result": "Success",
        "cloud.account.id": SUBSCRIPTION,
        "cloud.provider": "azure",
        "cloud.region": "westeurope",
        "cloud.resource_id": (ACCOUNT + "/DEPLOYMENTS/Chat").lower(),
        "gen_ai.request.model": "gpt-4o-2024-08-06",
    }


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: orjson.dumps(one).decode()])
def test_properties_are_an_object_or_a_text(wrap: Any) -> None:  # noqa: ANN401
    found = event(properties=wrap(ACTIVITY["properties"]))
    assert edges(found)[0] == "endpoint:azure/exampleai/chat serves model:gpt-4o-2024-08-06"


def test_a_content_filter_is_switched_off() -> None:
    filters = [
        {"name": "Jailbreak", "blocking": False, "enabled": True},
        {"name": "Indirect Attack", "blocking": True, "enabled": False},
        {"name": "Hate", "blocking": True, "enabled": True},
    ]
    found = event(
        resourceId=ACCOUNT + "/RAIPOLICIES/Strict",
        operationName=SERVICE + "RAIPOLICIES/WRITE",
        properties=asked(properties={"contentFilters": filters}),
    )
    assert keys(found)[0] == "guardrail:azure/exampleai/strict"
    assert found.attributes["guardrail.off"] == ["indirect_attack", "jailbreak"]


def test_an_account_is_opened() -> None:
    found = event(
        resourceId=ACCOUNT,
        operationName=SERVICE + "WRITE",
        properties=asked(properties={"publicNetworkAccess": "Enabled", "disableLocalAuth": False}),
    )
    assert keys(found)[0] == "endpoint:azure/exampleai"
    assert found.attributes["azure.public_network_access"] == "Enabled"
    assert found.attributes["azure.local_auth.disabled"] is False


def test_a_key_is_made_anew() -> None:
    found = event(
        resourceId=ACCOUNT,
        operationName=SERVICE + "REGENERATEKEY/ACTION",
        properties=asked(keyName="Key1"),
    )
    assert "apikey:azure/exampleai/key1" in keys(found)


def test_a_role_is_given() -> None:
    role = "/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/5E0BD9BD"
    found = event(
        resourceId=ACCOUNT + "/providers/Microsoft.Authorization/roleAssignments/7",
        operationName="Microsoft.Authorization/roleAssignments/write",
        properties=asked(Properties={"RoleDefinitionId": role, "PrincipalId": "0000BEEF"}),
    )
    assert keys(found)[:2] == ["endpoint:azure/exampleai", "principal:0000beef"]
    assert (found.attributes["iam.role"], found.attributes["iam.member"]) == (
        "5e0bd9bd",
        "0000beef",
    )


@pytest.mark.parametrize(
    ("resource", "key"),
    [
        ("WORKSPACES/Claims/ONLINEENDPOINTS/Triage", "endpoint:azure/claims/triage"),
        ("WORKSPACES/Claims/JOBS/Tune_1", "job:azureml/tune_1"),
        ("WORKSPACES/Claims/DATA/Letters", "dataset:azure/claims/letters"),
        ("WORKSPACES/Claims", "application:azure/claims"),
        (
            "WORKSPACES/Claims/MODELS/Triage/VERSIONS/3",
            f"model:{GROUP.lower()}/microsoft.machinelearningservices/workspaces/claims/models/triage",
        ),
    ],
)
def test_machine_learning(resource: str, key: str) -> None:
    name = f"{GROUP}/MICROSOFT.MACHINELEARNINGSERVICES/{resource}"
    assert keys(event(resourceId=name, operationName="X/WRITE", properties=None))[0] == key


@pytest.mark.parametrize(
    ("result", "status", "code"),
    [
        ("Success", "success", None),
        ("Succeeded", "success", None),
        ("Failure", "failure", "Succeeded.Created"),
        ("Start", "unknown", None),
        ("Accept", "unknown", None),
        (None, "unknown", None),
    ],
)
def test_the_end(result: str | None, status: str, code: str | None) -> None:
    found = event(resultType=result)
    assert (found.status, found.attributes.get("error.code")) == (status, code)
    assert bool(found.edges) is (status == "success")


@pytest.mark.parametrize(
    ("identity", "actor"),
    [
        ({"claims": {UPN: "Lena@example.com"}}, "lena@example.com"),
        ({"claims": {"appid": "CAFE", OBJECT: "BEEF"}}, "beef"),
        ({"claims": {"name": "max@example.com"}}, "max@example.com"),
        ({"claims": {"name": "Max"}}, None),
        (None, None),
    ],
)
def test_who_did_it(identity: object, actor: str | None) -> None:
    found = event(identity=identity)
    assert (found.actor.id if found.actor else None) == actor


def test_the_shape_of_the_api() -> None:
    found = parsed(
        {
            "caller": "BEEF",
            "category": {"value": "Administrative", "localizedValue": "Administrative"},
            "claims": {"appid": "CAFE"},
            "eventDataId": "00000000-0000-4000-8000-000000000021",
            "eventTimestamp": "2026-03-04T05:06:20.1234567Z",
            "httpRequest": {"clientIpAddress": "203.0.113.7"},
            "operationName": {"value": "Microsoft.CognitiveServices/accounts/delete"},
            "resourceId": ACCOUNT,
            "status": {"value": "Failed"},
            "subStatus": {"value": "Forbidden"},
        }
    )
    assert found.uid == "00000000-0000-4000-8000-000000000021"
    assert (found.activity, found.status) == (
        "Microsoft.CognitiveServices/accounts/delete",
        "failure",
    )
    assert found.attributes["error.code"] == "Forbidden"
    assert found.actor == Entity(kind="principal", id="beef")
    assert found.client is not None
    assert found.client.ip == "203.0.113.7"


def test_the_shape_of_the_table() -> None:
    found = parsed(
        {
            "TimeGenerated": "2026-03-04T05:06:21Z",
            "OperationNameValue": "MICROSOFT.COGNITIVESERVICES/ACCOUNTS/DELETE",
            "CategoryValue": "Administrative",
            "ActivityStatusValue": "Success",
            "Caller": "lena@example.com",
            "CallerIpAddress": "203.0.113.7",
            "EventDataId": "00000000-0000-4000-8000-000000000023",
            "_ResourceId": ACCOUNT.lower(),
            "Properties": "not an object",
        }
    )
    assert (found.uid, found.status) == ("00000000-0000-4000-8000-000000000023", "success")
    assert keys(found)[:2] == ["endpoint:azure/exampleai", "principal:lena@example.com"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"operationName": None}, "wrong-shape"),
        ({"category": "StorageRead"}, "wrong-shape"),
        ({"category": None}, "wrong-shape"),
        ({"time": None}, "no-time"),
        ({"time": "23.7.2026 15:04:05"}, "bad-time"),
    ],
)
def test_what_is_no_activity(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        event(**changes)
    assert error.value.reason == reason


def test_a_user_is_the_object_that_resource_logs_name() -> None:
    claims = {UPN: "Lena@example.com", OBJECT: "0aA0"}
    found = event(identity={"claims": claims})
    assert found.edges[0].relation == "same_as"
    assert found.edges[0].from_.key == "principal:lena@example.com"
    assert found.edges[0].to.key == "principal:0aa0"


DELETES = [
    (ACCOUNT, SERVICE[:-1], True),
    (ACCOUNT + "/DEPLOYMENTS/Chat", SERVICE + "DEPLOYMENTS", True),
    (ACCOUNT + "/PRIVATEENDPOINTCONNECTIONS/p", SERVICE + "PRIVATEENDPOINTCONNECTIONS", False),
    (
        ACCOUNT + "/PROVIDERS/MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS/r",
        "MICROSOFT.AUTHORIZATION/ROLEASSIGNMENTS",
        False,
    ),
]


@pytest.mark.parametrize(("resource", "kind", "gone"), DELETES)
def test_what_is_deleted_is_gone(resource: str, kind: str, gone: bool) -> None:  # noqa: FBT001 - a case
    said = {"resourceId": resource, "operationName": kind + "/DELETE", "properties": {}}
    assert ("asset.state" in event(**said).attributes) is gone
    for result in ("Start", "Accept", "Failure"):
        assert "asset.state" not in event(**said, resultType=result).attributes


@given(data=st.data())
def test_no_damage_is_a_crash(data: st.DataObject, read: Any, damaged: Any) -> None:  # noqa: ANN401
    for result, _ in read(azure_activity, damaged(data, {"records": [ACTIVITY]})):
        assert not isinstance(result, Reject) or result.reason != "defect", result


@given(st.binary(max_size=200))
def test_no_bytes_are_a_crash(read: Any, document: bytes) -> None:  # noqa: ANN401
    azure_activity.sniff(document)
    read(azure_activity, document)
