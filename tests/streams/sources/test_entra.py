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
from streams.sources import entra

TENANT = "00000000-0000-4000-8000-00000000aaaa"
LOGIN: dict[str, Any] = {
    "id": "00000000-0000-4000-9000-000000000001",
    "createdDateTime": "2026-03-04T05:05:59.1Z",
    "userPrincipalName": "Lena@example.com",
    "userId": "1",
    "appId": "CAFE",
    "appDisplayName": "Azure CLI",
    "ipAddress": "203.0.113.7",
    "userAgent": "Mozilla/5.0",
    "authenticationProtocol": "deviceCode",
    "authenticationRequirement": "singleFactorAuthentication",
    "conditionalAccessStatus": "success",
    "resourceDisplayName": "Microsoft Cognitive Services",
    "resourceId": "C095",
    "riskState": "none",
    "sessionId": "505E",
    "status": {"errorCode": 0},
    "location": {"countryOrRegion": "DE"},
}
ROW: dict[str, Any] = {
    "time": "2026-03-04T05:06:07.1234567Z",
    "resourceId": f"/tenants/{TENANT}/providers/Microsoft.aadiam",
    "operationName": "Sign-in activity",
    "category": "SignInLogs",
    "tenantId": TENANT,
    "resultType": "0",
    "callerIpAddress": "203.0.113.9",
    "correlationId": "00000000-0000-4000-8000-000000000001",
    "properties": LOGIN,
}
CHANGE: dict[str, Any] = {
    "id": "Directory_1",
    "activityDateTime": "2026-03-04T05:06:00.1Z",
    "activityDisplayName": "Add member to role",
    "category": "RoleManagement",
    "loggedByService": "Core Directory",
    "result": "success",
    "initiatedBy": {
        "user": {"userPrincipalName": "Admin@example.com", "ipAddress": "203.0.113.8"},
        "app": None,
    },
    "targetResources": [
        {
            "type": "User",
            "id": "7",
            "userPrincipalName": "Max@example.com",
            "modifiedProperties": [
                {"displayName": "Role.DisplayName", "oldValue": None, "newValue": '"Owner"'}
            ],
        },
        {"type": "Role", "id": "8", "displayName": "Owner"},
    ],
}


def event(record: dict[str, Any]) -> Event:
    data = orjson.dumps(record)
    evidence = EventEvidence(origin="file:x#1", sha256=sha256(data).hexdigest())
    return entra.event(Raw(data), record, evidence).event


def login(**changes: Any) -> Event:  # noqa: ANN401 - JSON
    return event(ROW | {"properties": LOGIN | changes})


def keys(found: Event) -> list[str]:
    return [one.key for one in found.entities]


def edges(found: Event) -> list[str]:
    return [f"{one.from_.key} {one.relation} {one.to.key}" for one in found.edges]


def test_a_sign_in() -> None:
    found = login()
    assert found.uid == "00000000-0000-4000-9000-000000000001"
    assert rfc3339(found.time) == "2026-03-04T05:06:07.123456Z"
    assert (found.class_uid, found.class_name) == (3002, "Authentication")
    assert (found.activity, found.status) == ("Logon", "success")
    assert found.actor == Entity(kind="principal", id="lena@example.com")
    assert found.client is not None
    assert (found.client.ip, found.client.user_agent) == ("203.0.113.7", "Mozilla/5.0")
    assert keys(found) == ["principal:lena@example.com", "session:505E", f"account:{TENANT}"]
    assert edges(found) == [
        "principal:lena@example.com same_as principal:1",
        "principal:lena@example.com assumes session:505E",
    ]
    assert found.attributes == {
        "azure.category": "SignInLogs",
        "azure.correlation_id": "00000000-0000-4000-8000-000000000001",
        "cloud.account.id": TENANT,
        "cloud.provider": "azure",
        "cloud.region": "DE",
        "entra.app.id": "CAFE",
        "entra.app.name": "Azure CLI",
        "entra.authentication.protocol": "deviceCode",
        "entra.authentication.requirement": "singleFactorAuthentication",
        "entra.conditional_access": "success",
        "entra.resource.id": "C095",
        "entra.resource.name": "Microsoft Cognitive Services",
        "entra.risk.state": "none",
        "session.id": "505E",
    }


def test_properties_may_be_a_text() -> None:
    found = event(ROW | {"properties": orjson.dumps(LOGIN).decode()})
    assert found.uid == "00000000-0000-4000-9000-000000000001"


def test_the_shape_of_graph() -> None:
    found = event(LOGIN)
    assert found.uid == "00000000-0000-4000-9000-000000000001"
    assert rfc3339(found.time) == "2026-03-04T05:05:59.100000Z"
    assert keys(found) == ["principal:lena@example.com", "session:505E"]
    assert found.attributes["entra.resource.id"] == "C095"


def test_the_shape_of_the_table() -> None:
    row = {
        "TenantId": TENANT,
        "TimeGenerated": "2026-03-04T05:06:30.1Z",
        "ResultType": "50057",
        "UserPrincipalName": "Lena@example.com",
        "IPAddress": "203.0.113.7",
        "Status": '{"errorCode":50057}',
        "Id": "00000000-0000-4000-9000-000000000201",
    }
    found = event(row)
    assert (found.uid, found.status) == ("00000000-0000-4000-9000-000000000201", "failure")
    assert found.attributes["error.code"] == "50057"
    assert keys(found) == ["principal:lena@example.com", f"account:{TENANT}"]


def test_a_service_principal_and_its_key() -> None:
    who = {"userPrincipalName": None, "userId": None, "servicePrincipalId": "BEEF"}
    who |= {"servicePrincipalName": "triage", "servicePrincipalCredentialKeyId": "00CE"}
    found = login(**who, sessionId=None)
    assert edges(found) == ["principal:beef owns apikey:00CE"]
    assert edges(login(**who, status={"errorCode": 7000215})) == []


def test_an_agent_signs_in() -> None:
    found = login(agent={"agentType": "agenticApp"}, appDisplayName="Claims helper")
    assert Entity(kind="agent", id="CAFE", name="Claims helper") in found.entities
    assert "agent:CAFE" not in keys(login(agent={"agentType": "notAgentic"}))


@pytest.mark.parametrize(
    ("status", "row", "expected"),
    [
        ({"errorCode": 0}, None, ("success", None)),
        ({"errorCode": 50053}, None, ("failure", "50053")),
        (None, "0", ("success", None)),
        (None, 7000215, ("failure", "7000215")),
        (None, "Success", ("success", None)),
        (None, None, ("unknown", None)),
    ],
)
def test_the_end(status: object, row: object, expected: tuple[str, str | None]) -> None:
    found = event(ROW | {"resultType": row, "properties": LOGIN | {"status": status}})
    assert (found.status, found.attributes.get("error.code")) == expected


def test_a_role_is_given() -> None:
    found = event(ROW | {"category": "AuditLogs", "properties": CHANGE})
    assert (found.class_uid, found.class_name) == (3001, "Account Change")
    assert (found.activity, found.status) == ("Add member to role", "success")
    assert found.actor == Entity(kind="principal", id="admin@example.com")
    assert found.client is not None
    assert found.client.ip == "203.0.113.8"
    assert keys(found) == [
        "principal:max@example.com",
        "principal:admin@example.com",
        f"account:{TENANT}",
    ]
    assert found.attributes["iam.role"] == "Owner"
    assert found.attributes["iam.member"] == "max@example.com"
    assert found.attributes["api.service"] == "Core Directory"


def test_an_application_changes_another() -> None:
    change = CHANGE | {
        "activityDisplayName": "Update application",
        "result": "failure",
        "resultReason": "Forbidden",
        "initiatedBy": {"app": {"servicePrincipalId": "BEEF", "displayName": "deployer"}},
        "targetResources": [{"type": "Application", "id": "FEED"}],
    }
    found = event(change)
    assert (found.class_uid, found.class_name) == (3004, "Entity Management")
    assert keys(found) == ["principal:feed", "principal:beef"]
    assert (found.status, found.attributes["error.code"]) == ("failure", "Forbidden")


def test_a_risk() -> None:
    risk = {
        "id": "0000risk",
        "riskEventType": "leakedCredentials",
        "riskLevel": "medium",
        "riskState": "atRisk",
        "detectedDateTime": "2026-03-04T05:06:12Z",
        "userPrincipalName": "Lena@example.com",
    }
    found = event(risk)
    assert (found.class_uid, found.class_name) == (2004, "Detection Finding")
    assert found.severity == "medium"
    assert found.attributes["entra.risk.types"] == "leakedCredentials"
    assert found.message == "leakedCredentials of lena@example.com"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (ROW | {"properties": {"id": "x"}}, "wrong-shape"),
        (CHANGE | {"activityDisplayName": None}, "wrong-shape"),
        (ROW | {"time": None, "properties": LOGIN | {"createdDateTime": None}}, "no-time"),
        (ROW | {"time": "soon"}, "bad-time"),
    ],
)
def test_what_is_nothing_of_entra(record: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        event(record)
    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("record", "known"),
    [
        (ROW, True),
        (LOGIN, True),
        (CHANGE, True),
        ({"Type": "SigninLogs", "ResultType": "0"}, True),
        ({"category": "Administrative", "resourceId": "/subscriptions/1"}, False),
        ({"category": "SignInLogs", "resourceId": "/SUBSCRIPTIONS/1"}, False),
    ],
)
def test_sniff(record: dict[str, Any], known: bool) -> None:  # noqa: FBT001 - a case
    assert entra.sniff(orjson.dumps(record)) is known


@pytest.mark.parametrize("number", ["00000000-0000-0000-0000-000000000000", "", None])
def test_nobody_is_the_same_as_all_zeros(number: str | None) -> None:
    assert edges(login(userId=number)) == ["principal:lena@example.com assumes session:505E"]


def changed(name: str, target: dict[str, Any], result: str = "success") -> Event:
    record = {
        "id": "1",
        "activityDateTime": "2026-03-04T05:06:07Z",
        "activityDisplayName": name,
        "result": result,
        "initiatedBy": {"user": {"userPrincipalName": "lena@example.com"}},
        "targetResources": [target],
    }
    evidence = EventEvidence(origin="file:x#1", sha256="0" * 64)
    return entra.event(Raw(b""), record, evidence).event


def test_keys_that_a_service_principal_gets_and_loses() -> None:
    keys = {
        "displayName": "KeyDescription",
        "oldValue": '["[KeyIdentifier=k1,KeyType=Password]","[KeyIdentifier=k2,KeyType=Password]"]',
        "newValue": '["[KeyIdentifier=k2,KeyType=Password]","[KeyIdentifier=k3,KeyType=Password]"]',
    }
    target = {"id": "SP-1", "type": "ServicePrincipal", "modifiedProperties": [keys]}
    found = changed("Add service principal credentials", target)
    assert [(one.from_.key, one.relation, one.to.key, one.state) for one in found.edges] == [
        ("principal:sp-1", "owns", "apikey:k1", "closed"),
        ("principal:sp-1", "owns", "apikey:k3", "open"),
    ]
    assert changed("Add service principal credentials", target, "failure").edges == ()


@pytest.mark.parametrize(
    ("name", "target", "first"),
    [
        (
            "Delete user",
            {
                "id": "0000aaaa-0000-4000-8000-00000000000b",
                "type": "User",
                "userPrincipalName": "0000aaaa00004000800000000000000bBo@example.com",
            },
            "principal:bo@example.com",
        ),
        (
            "Remove service principal",
            {"id": "SP-1", "type": "ServicePrincipal"},
            "principal:sp-1",
        ),
    ],
)
def test_who_is_deleted_is_gone(name: str, target: dict[str, Any], first: str) -> None:
    found = changed(name, target)
    assert found.entities[0].key == first
    assert found.attributes["asset.state"] == "deleted"
    assert "asset.state" not in changed(name, target, "failure").attributes
    assert "asset.state" not in changed("Update user", target).attributes


@given(data=st.data())
def test_no_damage_is_a_crash(data: st.DataObject, read: Any, damaged: Any) -> None:  # noqa: ANN401
    whole = {"records": [ROW, ROW | {"properties": CHANGE}]}
    for result, _ in read(entra, damaged(data, whole)):
        assert not isinstance(result, Reject) or result.reason != "defect", result


@given(st.binary(max_size=200))
def test_no_bytes_are_a_crash(read: Any, document: bytes) -> None:  # noqa: ANN401
    entra.sniff(document)
    read(entra, document)
