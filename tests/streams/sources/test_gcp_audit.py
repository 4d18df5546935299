import base64
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
from streams.sources import gcp_audit

PLACE = "projects/example-ml/locations/europe-west4"
SERVICES = "google.cloud.aiplatform.v1."
ENTRY: dict[str, Any] = {
    "insertId": "1example0001",
    "logName": "projects/example-ml/logs/cloudaudit.googleapis.com%2Factivity",
    "timestamp": "2026-03-04T05:06:07.123456789Z",
    "resource": {"type": "audited_resource", "labels": {"project_id": "example-ml"}},
}
CALL: dict[str, Any] = {
    "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
    "serviceName": "aiplatform.googleapis.com",
    "methodName": SERVICES + "EndpointService.DeployModel",
    "resourceName": PLACE + "/endpoints/77",
    "authenticationInfo": {"principalEmail": "Lena@example.com"},
    "authorizationInfo": [{"granted": True, "permissionType": "ADMIN_WRITE"}],
    "requestMetadata": {"callerIp": "203.0.113.7", "callerSuppliedUserAgent": "gcloud/1"},
    "request": {"deployedModel": {"model": PLACE + "/models/42@1"}},
}


def parsed(**changes: Any) -> Parsed:  # noqa: ANN401 - JSON
    record = ENTRY | {"protoPayload": CALL | changes}
    data = orjson.dumps(record)
    evidence = EventEvidence(origin="file:x#1", sha256=sha256(data).hexdigest())
    return gcp_audit.event(Raw(data), record, evidence)


def vertex(method: str, **changes: Any) -> Event:  # noqa: ANN401 - JSON
    return parsed(methodName=SERVICES + method, **changes).event


def keys(found: Event) -> list[str]:
    return [one.key for one in found.entities]


def edges(found: Event) -> list[str]:
    ended = {"open": "", "closed": " (ended)"}
    return [f"{one.from_.key} {one.relation} {one.to.key}{ended[one.state]}" for one in found.edges]


def test_a_model_is_deployed() -> None:
    found = parsed().event
    assert found.uid == "1example0001@2026-03-04T05:06:07.123456789Z"
    assert rfc3339(found.time) == "2026-03-04T05:06:07.123456Z"
    assert (found.class_uid, found.class_name) == (6003, "API Activity")
    assert found.activity == "google.cloud.aiplatform.v1.EndpointService.DeployModel"
    assert found.status == "success"
    assert found.actor == Entity(kind="principal", id="lena@example.com")
    assert found.client is not None
    assert (found.client.ip, found.client.user_agent) == ("203.0.113.7", "gcloud/1")
    assert keys(found) == [
        f"endpoint:{PLACE}/endpoints/77",
        f"model:{PLACE}/models/42",
        "principal:lena@example.com",
        "account:example-ml",
    ]
    assert edges(found) == [f"endpoint:{PLACE}/endpoints/77 serves model:{PLACE}/models/42"]
    assert found.edges[0].declared
    assert found.attributes == {
        "api.service": "aiplatform.googleapis.com",
        "api.operation": "google.cloud.aiplatform.v1.EndpointService.DeployModel",
        "api.read_only": False,
        "cloud.provider": "gcp",
        "cloud.account.id": "example-ml",
        "cloud.region": "europe-west4",
        "cloud.resource_id": PLACE + "/endpoints/77",
        "gen_ai.provider.name": "gcp.vertex_ai",
    }


def test_what_was_said_is_not_kept() -> None:
    event, private = parsed(
        methodName=SERVICES + "PredictionService.GenerateContent",
        resourceName=PLACE + "/publishers/google/models/gemini-2.5-pro",
        request={
            "contents": [{"parts": [{"text": "a claim"}]}],
            "safetySettings": [
                {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"},
                {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "BLOCK_LOW_AND_ABOVE"},
            ],
        },
        response={"candidates": [{"content": "an answer"}]},
    )
    assert private == {
        "gen_ai.input.messages": '[{"parts":[{"text":"a claim"}]}]',
        "gen_ai.output.messages": '[{"content":"an answer"}]',
    }
    assert b"claim" not in orjson.dumps(event.body())
    assert edges(event) == ["principal:lena@example.com calls model:gemini-2.5-pro"]
    assert not event.edges[0].declared
    assert event.attributes["gen_ai.request.model"] == "gemini-2.5-pro"
    assert event.attributes["gen_ai.operation.name"] == "generate_content"
    assert event.attributes["guardrail.off"] == ["HARM_CATEGORY_HARASSMENT"]
    assert event.attributes["gen_ai.input.messages.size"] == 32


@pytest.mark.parametrize(
    ("method", "changes", "expected"),
    [
        (
            "ModelService.UploadModel",
            {
                "resourceName": PLACE,
                "request": {"model": {"trainingPipeline": PLACE + "/trainingPipelines/71"}},
                "response": {"model": PLACE + "/models/42"},
            },
            [f"model:{PLACE}/models/42 made_by job:vertex/71"],
        ),
        (
            "GenAiTuningService.CreateTuningJob",
            {
                "resourceName": PLACE,
                "request": {
                    "tuningJob": {"supervisedTuningSpec": {"trainingDatasetUri": "gs://c/t.jsonl"}}
                },
                "response": {
                    "name": PLACE + "/tuningJobs/9",
                    "tunedModel": {"model": PLACE + "/models/43@1"},
                },
            },
            [
                "job:vertex/9 reads dataset:gcs/c/t.jsonl",
                f"job:vertex/9 makes model:{PLACE}/models/43",
                f"model:{PLACE}/models/43 trained_on dataset:gcs/c/t.jsonl",
            ],
        ),
        (
            "PipelineService.CreateTrainingPipeline",
            {
                "resourceName": PLACE,
                "request": {
                    "parent": PLACE,
                    "trainingPipeline": {"inputDataConfig": {"datasetId": "31"}},
                },
                "response": {"name": PLACE + "/trainingPipelines/71"},
            },
            [f"job:vertex/71 reads dataset:{PLACE}/datasets/31"],
        ),
        (
            "JobService.CreateBatchPredictionJob",
            {
                "resourceName": PLACE,
                "request": {
                    "batchPredictionJob": {"inputConfig": {"gcsSource": {"uris": ["gs://c/in"]}}}
                },
                "response": {"name": PLACE + "/batchPredictionJobs/3"},
            },
            ["job:vertex/3 reads dataset:gcs/c/in"],
        ),
        (
            "VertexRagDataService.ImportRagFiles",
            {
                "resourceName": PLACE + "/ragCorpora/12",
                "request": {
                    "importRagFilesConfig": {"gcsSource": {"uris": ["gs://c/d", "gs://c"]}}
                },
            },
            [f"datastore:{PLACE}/ragCorpora/12 fed_by datastore:gcs/c"],
        ),
        (
            "PredictionService.Predict",
            {"request": {"modelArmorConfig": {"promptTemplateName": PLACE + "/templates/strict"}}},
            [
                f"endpoint:{PLACE}/endpoints/77 guarded_by guardrail:{PLACE}/templates/strict",
                f"principal:lena@example.com calls endpoint:{PLACE}/endpoints/77",
            ],
        ),
        ("EndpointService.DeployModel", {"status": {"code": 9}}, []),
        ("EndpointService.UndeployModel", {"request": {"deployedModelId": "1"}}, []),
    ],
)
def test_lineage(method: str, changes: dict[str, Any], expected: list[str]) -> None:
    assert edges(vertex(method, **changes)) == expected


@pytest.mark.parametrize(
    ("method", "resource", "first"),
    [
        ("EndpointService.CreateEndpoint", PLACE, f"endpoint:{PLACE}/endpoints/80"),
        (
            "EndpointService.DeleteEndpoint",
            PLACE + "/endpoints/77",
            f"endpoint:{PLACE}/endpoints/77",
        ),
        ("ReasoningEngineService.QueryReasoningEngine", PLACE + "/reasoningEngines/55", "agent:55"),
    ],
)
def test_what_a_call_is_about(method: str, resource: str, first: str) -> None:
    answer = {"name": PLACE + "/endpoints/80"} if "Create" in method else {}
    found = vertex(method, resourceName=resource, request={}, response=answer)
    assert keys(found)[0] == first


@pytest.mark.parametrize(
    ("method", "resource", "gone"),
    [
        ("google.cloud.aiplatform.v1.EndpointService.DeleteEndpoint", "endpoints/77", True),
        ("google.cloud.aiplatform.v1.VertexRagDataService.DeleteRagCorpus", "ragCorpora/7", True),
        ("google.cloud.aiplatform.v1.IndexService.DeleteIndex", "indexes/7", True),
        ("google.iam.admin.v1.DeleteServiceAccountKey", "serviceAccounts/a@b.example/keys/7", True),
        ("storage.buckets.delete", "buckets/claims", True),
        ("storage.objects.delete", "buckets/claims/objects/a.csv", False),
        ("google.cloud.aiplatform.v1.ModelService.DeleteModelVersion", "models/7@2", False),
        ("google.cloud.aiplatform.v1.RagService.DeleteRagFile", "ragCorpora/7/ragFiles/1", False),
        ("google.cloud.aiplatform.v1.EndpointService.UndeployModel", "endpoints/77", False),
        ("google.cloud.aiplatform.v1.DeploymentService.DeleteDeployment", "endpoints/77", False),
    ],
)
def test_what_is_deleted_is_gone(method: str, resource: str, gone: bool) -> None:  # noqa: FBT001 - a case
    found = parsed(methodName=method, resourceName=f"{PLACE}/{resource}", request={}).event
    assert ("asset.state" in found.attributes) is gone
    denied = parsed(
        methodName=method, resourceName=f"{PLACE}/{resource}", request={}, status={"code": 7}
    )
    assert "asset.state" not in denied.event.attributes


@pytest.mark.parametrize(
    ("operation", "gone"),
    [
        ({"id": "o", "first": True}, False),
        ({"id": "o", "last": True}, True),
        ({"id": "o", "first": True, "last": True}, True),
    ],
)
def test_a_call_that_runs_on_deletes_at_its_end(operation: dict[str, Any], gone: bool) -> None:  # noqa: FBT001 - a case
    call = CALL | {"methodName": SERVICES + "EndpointService.DeleteEndpoint", "request": {}}
    record = ENTRY | {"protoPayload": call, "operation": operation}
    evidence = EventEvidence(origin="file:x#1", sha256="0" * 64)
    found = gcp_audit.event(Raw(orjson.dumps(record)), record, evidence).event
    assert found.entities[0].key == f"endpoint:{PLACE}/endpoints/77"
    assert ("asset.state" in found.attributes) is gone


def test_a_guardrail_is_changed() -> None:
    found = parsed(
        serviceName="modelarmor.googleapis.com",
        methodName="google.cloud.modelarmor.v1.ModelArmor.UpdateFloorSetting",
        resourceName="projects/example-ml/locations/global/floorSetting",
    ).event
    assert keys(found)[0] == "guardrail:projects/example-ml/locations/global/floorSetting"


@pytest.mark.parametrize(("method", "ended"), [("Create", ""), ("Delete", " (ended)")])
def test_keys_of_service_accounts(method: str, ended: str) -> None:
    robot = "projects/example-ml/serviceAccounts/pipeline@example-ml.iam.gserviceaccount.com"
    key = robot + "/keys/00112233examplekey"
    made = method == "Create"
    found = parsed(
        serviceName="iam.googleapis.com",
        methodName=f"google.iam.admin.v1.{method}ServiceAccountKey",
        resourceName=robot if made else key,
        request={},
        response={"name": key, "private_key_data": "obviously-fake"} if made else None,
    ).event
    owner = "principal:pipeline@example-ml.iam.gserviceaccount.com"
    assert edges(found) == [f"{owner} owns apikey:00112233examplekey{ended}"]
    assert b"obviously-fake" not in orjson.dumps(found.body())


def test_a_caller_with_a_key_owns_it() -> None:
    who = {
        "principalEmail": "pipeline@example-ml.iam.gserviceaccount.com",
        "serviceAccountKeyName": "//iam.googleapis.com/projects/example-ml/serviceAccounts/"
        "pipeline@example-ml.iam.gserviceaccount.com/keys/00112233examplekey",
    }
    found = parsed(authenticationInfo=who, methodName="storage.buckets.list").event
    assert edges(found) == [
        "principal:pipeline@example-ml.iam.gserviceaccount.com owns apikey:00112233examplekey"
    ]


def test_a_role_is_given() -> None:
    delta = {"action": "ADD", "role": "roles/aiplatform.admin", "member": "user:Max@example.com"}
    found = parsed(
        serviceName="cloudresourcemanager.googleapis.com",
        methodName="SetIamPolicy",
        resourceName="projects/example-ml",
        request={},
        serviceData={"policyDelta": {"bindingDeltas": [delta]}},
    ).event
    assert keys(found)[0] == "principal:max@example.com"
    assert found.attributes["iam.role"] == ["roles/aiplatform.admin"]
    assert found.attributes["iam.change"] == ["ADD"]
    assert found.attributes["iam.member"] == ["user:Max@example.com"]


def test_kubernetes_of_gke() -> None:
    container = {"name": "app", "image": "images.example/triage:7"}
    found = parsed(
        serviceName="k8s.io",
        methodName="io.k8s.apps.v1.deployments.create",
        resourceName="apps/v1/namespaces/claims/deployments/triage",
        request={"spec": {"template": {"spec": {"containers": [container]}}}},
    ).event
    assert edges(found) == ["workload:k8s/claims/triage runs_image image:images.example/triage:7"]
    assert found.attributes["k8s.namespace.name"] == "claims"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"status": {"code": 7}}, "failure", "PERMISSION_DENIED"),
        ({"status": {"code": 99}}, "failure", "99"),
        ({"status": {}}, "success", None),
        ({"authorizationInfo": [{"granted": False}]}, "failure", "PERMISSION_DENIED"),
    ],
)
def test_the_end(changes: dict[str, Any], status: str, code: str | None) -> None:
    found = parsed(**changes).event
    assert (found.status, found.attributes.get("error.code")) == (status, code)


def test_carriers(read: Any) -> None:  # noqa: ANN401
    one = orjson.dumps(ENTRY | {"protoPayload": CALL})
    push = {"message": {"data": base64.b64encode(one).decode()}, "subscription": "projects/p/s/a"}
    for document in (one, b"[" + one + b"]", b'{"entries":[' + one + b"]}", orjson.dumps(push)):
        assert gcp_audit.sniff(document)
        (outcome,) = read(gcp_audit, document)
        assert outcome.result.event.uid == "1example0001@2026-03-04T05:06:07.123456789Z"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (ENTRY, "wrong-shape"),
        (ENTRY | {"protoPayload": CALL | {"methodName": None}}, "wrong-shape"),
        (ENTRY | {"protoPayload": CALL, "timestamp": None}, "no-time"),
        (ENTRY | {"protoPayload": CALL, "timestamp": "soon"}, "bad-time"),
        ([], "wrong-shape"),
    ],
)
def test_what_is_no_call(record: Any, reason: str) -> None:  # noqa: ANN401
    with pytest.raises(Unreadable) as error:
        gcp_audit.event(Raw(b"{}"), record, EventEvidence(origin="x", sha256="00"))
    assert error.value.reason == reason


@given(data=st.data())
def test_no_damage_is_a_crash(data: st.DataObject, read: Any, damaged: Any) -> None:  # noqa: ANN401
    for result, _ in read(gcp_audit, damaged(data, ENTRY | {"protoPayload": CALL})):
        assert not isinstance(result, Reject) or result.reason != "defect", result


@given(st.binary(max_size=200))
def test_no_bytes_are_a_crash(read: Any, document: bytes) -> None:  # noqa: ANN401
    gcp_audit.sniff(document)
    read(gcp_audit, document)


def test_a_model_of_a_publisher_is_asked_in_its_own_words() -> None:
    name = PLACE + "/publishers/vendor/models/writer@20260101"
    found = vertex("PredictionService.StreamRawPredict", resourceName=name, request={"model": name})
    assert found.attributes["gen_ai.operation.name"] == "chat"
    assert edges(found) == ["principal:lena@example.com calls model:writer@20260101"]
    own = vertex("PredictionService.RawPredict", resourceName=PLACE + "/endpoints/77", request={})
    assert "gen_ai.operation.name" not in own.attributes


def test_what_is_pulled_from_pub_sub_is_known() -> None:
    entry = orjson.dumps(ENTRY | {"protoPayload": CALL})
    message = {"data": base64.b64encode(entry).decode(), "messageId": "1"}
    document = orjson.dumps([{"ackId": "a", "message": message}])
    assert gcp_audit.sniff(document)
    assert [raw.data for raw in gcp_audit.split(document)] == [entry]
