import gzip
from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.entity import Entity
from schemas.event import Event, EventEvidence, Reject
from schemas.times import parse, rfc3339
from streams.source import Raw, Unreadable
from streams.sources import cloudtrail

ROLE = "arn:aws:iam::111122223333:role/Pipeline"
INVOKE: dict[str, Any] = {
    "eventVersion": "1.10",
    "eventID": "1f0e2d3c-0000-4000-8000-000000000001",
    "eventTime": "2026-03-04T05:06:07Z",
    "eventSource": "bedrock.amazonaws.com",
    "eventName": "InvokeModel",
    "awsRegion": "eu-west-1",
    "sourceIPAddress": "203.0.113.7",
    "userAgent": "Boto3/1.40",
    "readOnly": True,
    "recipientAccountId": "111122223333",
    "userIdentity": {
        "type": "AssumedRole",
        "arn": "arn:aws:sts::111122223333:assumed-role/Pipeline/run-7",
        "accessKeyId": "ASIAEXAMPLE0000001",
        "accountId": "111122223333",
    },
    "requestParameters": {
        "modelId": "arn:aws:bedrock:eu-west-1::foundation-model/vendor.writer-v1:0",
        "guardrailIdentifier": "arn:aws:bedrock:eu-west-1:111122223333:guardrail/gr1example",
    },
    "responseElements": None,
}


def event(**changes: Any) -> Event:  # noqa: ANN401 - JSON
    record = INVOKE | changes
    data = orjson.dumps(record)
    evidence = EventEvidence(origin="file:x#1", sha256=sha256(data).hexdigest())
    return cloudtrail.event(Raw(data), record, evidence).event


def keys(found: Event) -> list[str]:
    return [one.key for one in found.entities]


def edges(found: Event) -> list[tuple[str, str, str]]:
    return [(one.from_.key, one.relation, one.to.key) for one in found.edges]


def test_a_call_of_a_model() -> None:
    found = event()
    assert found.uid == "1f0e2d3c-0000-4000-8000-000000000001"
    assert rfc3339(found.time) == "2026-03-04T05:06:07.000000Z"
    assert (found.class_uid, found.class_name) == (6003, "API Activity")
    assert (found.activity, found.status) == ("InvokeModel", "success")
    assert found.actor == Entity(kind="principal", id=ROLE)
    assert found.client is not None
    assert (found.client.ip, found.client.user_agent) == ("203.0.113.7", "Boto3/1.40")
    assert keys(found) == [
        "model:vendor.writer-v1:0",
        "guardrail:gr1example",
        f"principal:{ROLE}",
        "apikey:ASIAEXAMPLE0000001",
        "account:111122223333",
    ]
    assert edges(found) == [
        (f"principal:{ROLE}", "owns", "apikey:ASIAEXAMPLE0000001"),
        (f"principal:{ROLE}", "calls", "model:vendor.writer-v1:0"),
    ]
    assert found.attributes == {
        "api.service": "bedrock.amazonaws.com",
        "api.operation": "InvokeModel",
        "api.read_only": True,
        "cloud.region": "eu-west-1",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "arn:aws:bedrock:eu-west-1::foundation-model/vendor.writer-v1:0",
        "aws.bedrock.guardrail.id": "gr1example",
    }
    assert found.message == f"InvokeModel on bedrock.amazonaws.com by {ROLE}"


def test_a_refused_call_shows_no_call_edge() -> None:
    found = event(errorCode="AccessDenied")
    assert found.status == "failure"
    assert found.attributes["error.code"] == "AccessDenied"
    assert [relation for _, relation, _ in edges(found)] == ["owns"]


@pytest.mark.parametrize(
    ("answer", "status"),
    [({"ConsoleLogin": "Failure"}, "failure"), ({"ConsoleLogin": "Success"}, "success")],
)
def test_a_login_is_an_authentication(answer: dict[str, str], status: str) -> None:
    found = event(eventName="ConsoleLogin", responseElements=answer)
    assert (found.class_uid, found.class_name, found.status) == (3002, "Authentication", status)


@pytest.mark.parametrize(
    ("identity", "actor"),
    [
        (
            {"type": "Root", "arn": "arn:aws:iam::111122223333:root"},
            "arn:aws:iam::111122223333:root",
        ),
        ({"type": "AWSService", "invokedBy": "bedrock.amazonaws.com"}, "bedrock.amazonaws.com"),
        (
            {"type": "IAMUser", "userName": "lena", "accountId": "111122223333"},
            "arn:aws:iam::111122223333:user/lena",
        ),
        (
            {
                "type": "IAMUser",
                "userName": "HIDDEN_DUE_TO_SECURITY_REASONS",
                "accountId": "111122223333",
            },
            "111122223333",
        ),
        ({"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": ROLE}}}, ROLE),
        ({"type": "IdentityCenterUser", "onBehalfOf": {"userId": "u-1"}}, "u-1"),
        ({"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "4"}, "AIDAEXAMPLE"),
    ],
)
def test_who_called(identity: dict[str, Any], actor: str) -> None:
    found = event(userIdentity=identity)
    assert found.actor == Entity(kind="principal", id=actor)


def test_nobody_called() -> None:
    found = event(userIdentity={"type": "Unknown"}, sourceIPAddress="", userAgent=None)
    assert found.actor is None
    assert found.client is None


@pytest.mark.parametrize(
    ("service", "asked", "target"),
    [
        ("bedrock", {"modelId": "eu.vendor.writer-v1:0"}, "model:vendor.writer-v1:0"),
        ("bedrock", {"agentId": "AGENT1"}, "agent:AGENT1"),
        ("bedrock", {"knowledgeBaseId": "KB1"}, "datastore:KB1"),
        ("bedrock-agentcore", {"agentRuntimeArn": "arn:aws:b:r:1:runtime/rt-1"}, "agent:rt-1"),
        ("sagemaker", {"endpointName": "fraud"}, "endpoint:fraud"),
        ("sagemaker", {"modelName": "fraud-3"}, "model:fraud-3"),
        ("s3", {"bucketName": "policies"}, "datastore:s3/policies"),
        ("ecs", {"cluster": "ml", "taskDefinition": "triage:14"}, "workload:ecs/ml/triage"),
        (
            "ecs",
            {
                "cluster": "arn:aws:ecs:r:1:cluster/ml",
                "taskDefinition": "arn:aws:ecs:r:1:task-definition/triage:14",
            },
            "workload:ecs/ml/triage",
        ),
    ],
)
def test_what_was_acted_upon(service: str, asked: dict[str, str], target: str) -> None:
    found = event(eventSource=f"{service}.amazonaws.com", requestParameters=asked)
    assert keys(found)[0] == target


def test_a_service_whose_network_alone_changes_keeps_its_task_definition() -> None:
    asked, arn = {"cluster": "ml", "service": "web"}, "arn:aws:ecs:r:1:task-definition/triage:14"
    said = {"service": {"taskDefinition": arn}}
    found = event(eventSource="ecs.amazonaws.com", requestParameters=asked, responseElements=said)
    assert keys(found)[0] == "workload:ecs/ml/triage"


def test_a_task_definition_shows_its_images() -> None:
    digest = "sha256:" + "0" * 64
    found = event(
        eventSource="ecs.amazonaws.com",
        eventName="RegisterTaskDefinition",
        requestParameters={
            "family": "triage",
            "containerDefinitions": [
                {"image": f"images.example/triage@{digest}"},
                {"image": None},
            ],
        },
    )
    assert edges(found)[1:] == [("workload:ecs/default/triage", "runs_image", f"image:{digest}")]


def test_a_new_key_belongs_to_its_user() -> None:
    found = event(
        eventSource="iam.amazonaws.com",
        eventName="CreateServiceSpecificCredential",
        requestParameters={"userName": "BedrockAPIKey-x1", "serviceName": "bedrock.amazonaws.com"},
        responseElements={
            "serviceSpecificCredential": {"serviceSpecificCredentialId": "ACCAEXAMPLE01"}
        },
    )
    assert keys(found)[0] == "apikey:ACCAEXAMPLE01"
    user = "principal:arn:aws:iam::111122223333:user/BedrockAPIKey-x1"
    assert (user, "owns", "apikey:ACCAEXAMPLE01") in edges(found)


@pytest.mark.parametrize(
    ("service", "name", "asked", "first"),
    [
        ("sagemaker", "DeleteEndpoint", {"endpointName": "claims"}, "endpoint:claims"),
        (
            "iam",
            "DeleteAccessKey",
            {"userName": "ana", "accessKeyId": "AKIAEXAMPLE0000002"},
            "apikey:AKIAEXAMPLE0000002",
        ),
        (
            "iam",
            "DeleteServiceSpecificCredential",
            {"serviceSpecificCredentialId": "ACCAEXAMPLE000003"},
            "apikey:ACCAEXAMPLE000003",
        ),
        ("s3", "DeleteBucket", {"bucketName": "models-example"}, "datastore:s3/models-example"),
    ],
)
def test_what_is_deleted_is_gone(
    service: str, name: str, asked: dict[str, str], first: str
) -> None:
    call = {
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "requestParameters": asked,
    }
    found = event(**call)
    assert keys(found)[0] == first
    assert found.attributes["asset.state"] == "deleted"
    denied = event(**call, errorCode="AccessDenied")
    assert "asset.state" not in denied.attributes


def test_who_asks_about_a_key_does_not_own_it() -> None:
    found = event(
        eventSource="iam.amazonaws.com",
        eventName="GetAccessKeyLastUsed",
        requestParameters={"accessKeyId": "AKIAEXAMPLE0000002"},
    )
    assert "apikey:AKIAEXAMPLE0000002" not in keys(found)


def test_no_parameter_is_kept_that_could_be_a_secret() -> None:
    found = event(
        eventSource="iam.amazonaws.com", requestParameters={"newPassword": "obviously-fake-secret"}
    )
    assert "obviously-fake-secret" not in orjson.dumps(found.body()).decode()


def test_an_insight() -> None:
    record = {
        "eventTime": "2026-03-04T05:06:07Z",
        "eventType": "AwsCloudTrailInsight",
        "insightDetails": {"eventSource": "bedrock.amazonaws.com", "eventName": "InvokeModel"},
    }
    data = orjson.dumps(record)
    found = cloudtrail.event(Raw(data), record, EventEvidence(origin="x", sha256="00")).event
    assert (found.activity, found.status, found.uid) == ("InvokeModel", "unknown", "00")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"eventTime": None}, "no-time"),
        ({"eventTime": "yesterday"}, "bad-time"),
        ({"eventTime": "1970-01-01T00:00:00Z"}, "bad-time"),
        ({"eventTime": 1772600767}, "bad-time"),
        ({"eventTime": " " * 1_000_000 + "2026-03-04T05:06:07Z"}, "bad-time"),
        ({"eventName": None}, "wrong-shape"),
        ({"eventSource": ["bedrock.amazonaws.com"]}, "wrong-shape"),
        ({"eventSource": "aws:s3"}, "wrong-shape"),
    ],
)
def test_what_is_no_record(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        event(**changes)
    assert error.value.reason == reason


def test_records_are_exact_slices_however_they_are_wrapped() -> None:
    one, two = orjson.dumps(INVOKE), b'{ "eventName" : "x",\n "odd": [1, 2] }'
    documents = {
        b'{"Records": [' + one + b" ,  " + two + b"]}": [one, two],
        b'{"version":"0","detail-type":"AWS API Call via CloudTrail","detail": ' + one + b" }": [
            one
        ],
        b" [" + one + b"," + two + b"] ": [one, two],
        one: [one],
        b'{"eventName":"x","detail":{"Records":[]}}': [
            b'{"eventName":"x","detail":{"Records":[]}}'
        ],
        b'{"Events":[' + orjson.dumps({"CloudTrailEvent": one.decode()}) + b"]}": [one],
        b'{"Records":[]}': [],
        b'{"Records":[1,null]}': [b"1", b"null"],
    }
    for document, records in documents.items():
        assert [raw.data for raw in cloudtrail.split(document)] == records


@pytest.mark.parametrize(
    "document",
    [
        b'{"digestS3Bucket":"logs","logFiles":[]}',
        b'{"Records":{"a":1}}',
        b'{"Records":7}',
        b'{"Records":[{"a":1}',
        b'{"detail":',
        b'{"Records":' + b"[" * 1_000_000,
        b'{"Records":[nope]}',
    ],
)
def test_what_holds_no_records(document: bytes) -> None:
    with pytest.raises(Unreadable):
        list(cloudtrail.split(document))


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (orjson.dumps(INVOKE), True),
        (orjson.dumps({"Records": [INVOKE]}, option=orjson.OPT_INDENT_2), True),
        (b'{"digestS3Bucket":"logs"}', True),
        (b'{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"Put"}]}', False),
        (b"{}", False),
        (gzip.compress(b"{}", mtime=0), False),
        (b"", False),
    ],
)
def test_sniff(head: bytes, known: bool) -> None:  # noqa: FBT001 - a case
    assert cloudtrail.sniff(head) is known


def test_what_is_always_normalised() -> None:
    assert cloudtrail.NARROW.time == "eventTime"
    sources = cloudtrail.NARROW.relevant["eventSource"]
    assert {
        "bedrock.amazonaws.com",
        "sagemaker.amazonaws.com",
        "bedrock-agentcore.amazonaws.com",
    } <= sources
    assert all(
        value == value.lower() for values in cloudtrail.NARROW.relevant.values() for value in values
    )


@given(data=st.data())
def test_no_damage_is_a_crash(data: st.DataObject, read: Any, damaged: Any) -> None:  # noqa: ANN401 - conftest
    wrapped = data.draw(
        st.sampled_from([INVOKE, {"Records": [INVOKE, INVOKE]}, {"detail": INVOKE}, [INVOKE]])
    )
    read(cloudtrail, damaged(data, wrapped))


@given(st.binary(max_size=200))
def test_no_bytes_are_a_crash(read: Any, document: bytes) -> None:  # noqa: ANN401 - conftest
    cloudtrail.sniff(document)
    read(cloudtrail, document)


def test_a_record_is_parsed_or_rejected(read: Any) -> None:  # noqa: ANN401 - conftest
    bad = INVOKE | {"eventTime": "never"}
    first, second = read(cloudtrail, orjson.dumps({"Records": [bad, INVOKE]}))
    assert isinstance(first.result, Reject)
    assert (first.result.reason, first.result.origin) == ("bad-time", "file:x#1")
    assert second.result.event.time == parse("2026-03-04T05:06:07Z")
    assert second.result.event.evidence.sha256 == sha256(orjson.dumps(INVOKE)).hexdigest()


def test_a_subscription_of_cloudwatch_logs() -> None:
    record = orjson.dumps(INVOKE).decode()
    batch = {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "message": record}]}
    document = orjson.dumps(batch)
    assert cloudtrail.sniff(document)
    assert [raw.data for raw in cloudtrail.split(document)] == [record.encode()]


@pytest.mark.parametrize(
    ("service", "name", "asked", "relation"),
    [
        ("bedrock", "InvokeAgent", {"agentId": "AG1EXAMPLE"}, "uses agent:AG1EXAMPLE"),
        ("sagemaker", "InvokeEndpoint", {"endpointName": "claims"}, "calls endpoint:claims"),
    ],
)
def test_who_asks_an_agent_or_an_endpoint(
    service: str, name: str, asked: dict[str, str], relation: str
) -> None:
    found = event(eventSource=f"{service}.amazonaws.com", eventName=name, requestParameters=asked)
    assert (f"principal:{ROLE}", *relation.split()) in edges(found)


def test_names_that_were_taken_out_are_nobody() -> None:
    gone = dict.fromkeys(("arn", "accountId", "accessKeyId", "userName"), "[REDACTED]")
    found = event(userIdentity={"type": "IAMUser"} | gone, recipientAccountId="<redacted>")
    assert found.actor is None
    assert keys(found) == ["model:vendor.writer-v1:0", "guardrail:gr1example"]
