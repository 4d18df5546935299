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
from streams.sources import kubernetes_audit

DIGEST = "sha256:" + "0" * 64
POD: dict[str, Any] = {
    "containers": [{"name": "app", "image": "images.example/triage:7"}],
    "initContainers": [{"name": "fetch", "image": f"images.example/fetch@{DIGEST}"}],
}
DEPLOYMENT: dict[str, Any] = {"kind": "Deployment", "spec": {"template": {"spec": POD}}}
CALL: dict[str, Any] = {
    "kind": "Event",
    "apiVersion": "audit.k8s.io/v1",
    "level": "RequestResponse",
    "auditID": "00000000-0000-4000-8000-000000000001",
    "stage": "ResponseComplete",
    "requestURI": "/apis/apps/v1/namespaces/claims/deployments?fieldManager=kubectl",
    "verb": "create",
    "user": {"username": "lena@example.com", "groups": ["system:authenticated"]},
    "sourceIPs": ["203.0.113.7", "10.0.0.1"],
    "userAgent": "kubectl/v1.32.0",
    "objectRef": {
        "resource": "deployments",
        "namespace": "claims",
        "name": "triage",
        "apiGroup": "apps",
    },
    "responseStatus": {"metadata": {}, "code": 201},
    "requestReceivedTimestamp": "2026-03-04T05:06:07.100000Z",
    "stageTimestamp": "2026-03-04T05:06:07.123456Z",
    "requestObject": DEPLOYMENT,
}
ROLE = "arn:aws:iam::111122223333:role/Dev"
OF_AWS = {
    "arn": ["arn:aws:sts::111122223333:assumed-role/Dev/lena"],
    "canonicalArn": [ROLE],
    "accessKeyId": ["ASIAEXAMPLE0000001"],
}


def parsed(**changes: Any) -> Parsed:  # noqa: ANN401 - JSON
    record = CALL | changes
    data = orjson.dumps(record)
    evidence = EventEvidence(origin="file:x#1", sha256=sha256(data).hexdigest())
    return kubernetes_audit.event(Raw(data), record, evidence)


def on(resource: str, group: str = "", sub: str = "", **changes: Any) -> Event:  # noqa: ANN401
    ref = {"resource": resource, "namespace": "claims", "name": "triage", "apiGroup": group}
    return parsed(objectRef=ref | {"subresource": sub}, **changes).event


def keys(found: Event) -> list[str]:
    return [one.key for one in found.entities]


def edges(found: Event) -> list[str]:
    ended = {"open": "", "closed": " (ended)"}
    return [f"{one.from_.key} {one.relation} {one.to.key}{ended[one.state]}" for one in found.edges]


def test_a_deployment_and_its_images() -> None:
    found = parsed().event
    assert found.uid == "00000000-0000-4000-8000-000000000001"
    assert rfc3339(found.time) == "2026-03-04T05:06:07.123456Z"
    assert (found.class_uid, found.class_name) == (6003, "API Activity")
    assert (found.activity, found.status) == ("create deployments", "success")
    assert found.actor == Entity(kind="principal", id="lena@example.com")
    assert found.client is not None
    assert (found.client.ip, found.client.user_agent) == ("203.0.113.7", "kubectl/v1.32.0")
    assert keys(found) == [
        "workload:k8s/claims/triage",
        "image:images.example/triage:7",
        f"image:{DIGEST}",
        "principal:lena@example.com",
    ]
    assert edges(found) == [
        "workload:k8s/claims/triage runs_image image:images.example/triage:7",
        f"workload:k8s/claims/triage runs_image image:{DIGEST}",
    ]
    assert all(one.declared for one in found.edges)
    assert found.attributes == {
        "api.service": "apps",
        "api.operation": "create deployments",
        "api.read_only": False,
        "k8s.namespace.name": "claims",
        "k8s.object.name": "triage",
        "k8s.object.resource": "deployments",
        "k8s.user.name": "lena@example.com",
        "url.path": "/apis/apps/v1/namespaces/claims/deployments",
    }
    assert found.message == "create deployments claims/triage by lena@example.com"


def test_a_deletion_ends_what_the_object_ran() -> None:
    found = parsed(verb="delete", requestObject=None, responseObject=DEPLOYMENT).event
    assert edges(found)[0] == (
        "workload:k8s/claims/triage runs_image image:images.example/triage:7 (ended)"
    )


@pytest.mark.parametrize(
    "patch",
    [
        {"spec": {"template": {"spec": {"containers": [{"image": "images.example/triage:8"}]}}}},
        [
            {
                "op": "replace",
                "path": "/spec/x/containers/0/image",
                "value": "images.example/triage:8",
            }
        ],
    ],
)
def test_a_patch_brings_an_image(patch: object) -> None:
    found = parsed(verb="patch", requestObject=patch).event
    assert edges(found) == ["workload:k8s/claims/triage runs_image image:images.example/triage:8"]


@pytest.mark.parametrize(
    ("group", "resource", "body", "expected"),
    [
        (
            "serving.kserve.io",
            "inferenceservices",
            {"spec": {"predictor": {"model": {"storageUri": "hf://Example/Triage-7B:main"}}}},
            ["endpoint:k8s/claims/triage serves model:huggingface/example/triage-7b"],
        ),
        (
            "serving.kserve.io",
            "llminferenceservices",
            {"spec": {"model": {"uri": "s3://models/triage/"}}},
            ["endpoint:k8s/claims/triage serves model:s3/models/triage"],
        ),
        (
            "machinelearning.seldon.io",
            "seldondeployments",
            {"spec": {"predictors": [{"graph": {"modelUri": "gs://models/triage"}}]}},
            ["endpoint:k8s/claims/triage serves model:gs/models/triage"],
        ),
        (
            "ray.io",
            "rayservices",
            {"spec": {"rayClusterConfig": {"headGroupSpec": {"template": {"spec": POD}}}}},
            [
                "workload:k8s/claims/triage runs_image image:images.example/triage:7",
                f"workload:k8s/claims/triage runs_image image:{DIGEST}",
            ],
        ),
        ("kubeflow.org", "pytorchjobs", {"spec": {}}, []),
    ],
)
def test_what_serves_models(
    group: str, resource: str, body: dict[str, Any], expected: list[str]
) -> None:
    found = on(resource, group, requestObject=body)
    assert edges(found) == expected
    kind = "job" if group == "kubeflow.org" else "endpoint"
    assert keys(found)[0] == f"{kind}:k8s/claims/triage"


@pytest.mark.parametrize(
    ("pod", "made_by"),
    [
        ("triage-5d9c7f6b8d-x2k9z", "triage"),
        ("triage-api-x2k9z", "triage-api"),
        ("triage-0", "triage"),
        ("nightly-29012340-x2k9z", "nightly"),
        ("triage", "triage"),
        ("triage-api", "triage-api"),
    ],
)
def test_somebody_goes_into_a_pod(pod: str, made_by: str) -> None:
    ref = {"resource": "pods", "namespace": "claims", "name": pod, "subresource": "exec"}
    uri = f"/api/v1/namespaces/claims/pods/{pod}/exec?command=cat&command=%2Fetc%2Fkey&tty=true"
    found, private = parsed(
        objectRef=ref,
        requestURI=uri,
        requestObject=None,
        stage="ResponseStarted",
        responseStatus={"code": 101},
        user={"username": "kubernetes-admin", "extra": OF_AWS},
    )
    assert found.uid == "00000000-0000-4000-8000-000000000001/ResponseStarted"
    assert (found.activity, found.status) == ("create pods/exec", "success")
    assert keys(found)[0] == f"workload:k8s/claims/{made_by}"
    assert private == {"process.command_line": "cat /etc/key"}
    assert b"etc" not in orjson.dumps(found.body())
    assert edges(found) == [f"principal:{ROLE} owns apikey:ASIAEXAMPLE0000001"]
    assert found.attributes["k8s.pod.name"] == pod


@pytest.mark.parametrize(
    ("meta", "first"),
    [
        ({"generateName": "triage-5d9c7f6b8d-"}, "workload:k8s/claims/triage"),
        ({"name": "shell"}, "workload:k8s/claims/shell"),
        ({}, "image:images.example/triage:7"),
    ],
)
def test_a_pod_that_has_no_name_yet(meta: dict[str, str], first: str) -> None:
    ref = {"resource": "pods", "namespace": "claims"}
    body = {"kind": "Pod", "metadata": meta, "spec": POD}
    assert keys(parsed(objectRef=ref, requestObject=body).event)[0] == first


def test_the_owner_of_a_pod_is_taken_where_it_is_said() -> None:
    owner = {"kind": "ReplicaSet", "name": "scoring-5d9c7f6b8d", "controller": True}
    body = {"metadata": {"ownerReferences": [owner]}, "spec": POD}
    assert keys(on("pods", requestObject=body))[0] == "workload:k8s/claims/scoring"
    owner = {"kind": "StatefulSet", "name": "scoring-2", "controller": True}
    body = {"metadata": {"ownerReferences": [owner]}, "spec": POD}
    assert keys(on("pods", requestObject=body))[0] == "workload:k8s/claims/scoring-2"


@pytest.mark.parametrize(
    ("user", "actor"),
    [
        (
            {"username": "system:serviceaccount:claims:triage"},
            "system:serviceaccount:claims:triage",
        ),
        ({"username": "arn:aws:sts::111122223333:assumed-role/Dev/lena"}, ROLE),
        ({"username": "kubernetes-admin", "extra": OF_AWS}, ROLE),
        ({"username": "system:node:ip-10-0-0-1", "extra": OF_AWS}, "system:node:ip-10-0-0-1"),
        ({}, None),
        ("nobody", None),
    ],
)
def test_who_asked(user: object, actor: str | None) -> None:
    found = parsed(user=user).event
    assert (found.actor.id if found.actor else None) == actor


def test_a_workload_asks_through_its_service_account() -> None:
    extra = {"authentication.kubernetes.io/pod-name": ["triage-5d9c7f6b8d-x2k9z"]}
    user = {"username": "system:serviceaccount:claims:triage", "extra": extra}
    found = on("secrets", verb="list", user=user, requestObject=None)
    assert keys(found) == [
        "principal:system:serviceaccount:claims:triage",
        "workload:k8s/claims/triage",
    ]
    assert found.attributes["api.read_only"] is True


def test_a_role_is_given() -> None:
    bound = {
        "roleRef": {"name": "cluster-admin"},
        "subjects": [
            {"kind": "ServiceAccount", "name": "triage", "namespace": "claims"},
            {"kind": "User", "name": "max@example.com"},
            {"kind": "Group", "name": "everyone"},
        ],
    }
    group = "rbac.authorization.k8s.io"
    found = on("clusterrolebindings", group, requestObject=bound)
    assert keys(found) == [
        "principal:system:serviceaccount:claims:triage",
        "principal:max@example.com",
        "principal:lena@example.com",
    ]
    assert found.attributes["iam.role"] == "cluster-admin"
    assert found.attributes["iam.member"] == ["everyone", "max@example.com", "triage"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"responseStatus": {"code": 403, "reason": "Forbidden"}}, "failure", "Forbidden"),
        ({"responseStatus": {"code": 500}}, "failure", "500"),
        ({"responseStatus": None}, "unknown", None),
        (
            {
                "responseStatus": None,
                "annotations": {"authorization.k8s.io/decision": "forbid"},
            },
            "failure",
            "Forbidden",
        ),
    ],
)
def test_the_end(changes: dict[str, Any], status: str, code: str | None) -> None:
    found = parsed(**changes).event
    assert (found.status, found.attributes.get("error.code")) == (status, code)
    assert edges(found) == []


def test_the_time_of_old_records() -> None:
    assert rfc3339(parsed(stageTimestamp=None).event.time) == "2026-03-04T05:06:07.100000Z"


def test_carriers(read: Any) -> None:  # noqa: ANN401
    one = orjson.dumps(CALL)
    eks = {"messageType": "DATA_MESSAGE", "logEvents": [{"message": one.decode()}]}
    aks = {"records": [{"category": "kube-audit", "properties": {"log": one.decode()}}]}
    listed = {"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [CALL]}
    aks_object = {"records": [{"category": "kube-audit-admin", "properties": {"log": CALL}}]}
    for document in (CALL, [CALL], eks, aks, aks_object, listed):
        data = orjson.dumps(document)
        assert kubernetes_audit.sniff(data)
        (outcome,) = read(kubernetes_audit, data)
        assert outcome.result.event.uid == "00000000-0000-4000-8000-000000000001"
        assert outcome.result.event.evidence.sha256 == sha256(one).hexdigest()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"verb": None}, "wrong-shape"),
        ({"objectRef": None, "requestURI": None}, "wrong-shape"),
        ({"stageTimestamp": None, "requestReceivedTimestamp": None}, "no-time"),
        ({"stageTimestamp": "soon"}, "bad-time"),
    ],
)
def test_what_is_no_request(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        parsed(**changes)
    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("resource", "group", "sub", "gone"),
    [
        ("deployments", "apps", "", True),
        ("inferenceservices", "serving.kserve.io", "", True),
        ("serviceaccounts", "", "", True),
        ("pods", "", "", False),  # its workload stays
        ("deployments", "apps", "scale", False),
        ("remotemcpservers", "kagent.dev", "", False),  # the server is elsewhere
    ],
)
def test_what_is_deleted_is_gone(resource: str, group: str, sub: str, gone: bool) -> None:  # noqa: FBT001 - a case
    found = on(resource, group, sub, verb="delete", responseObject={})
    assert ("asset.state" in found.attributes) is gone
    denied = on(resource, group, sub, verb="delete", responseStatus={"code": 403})
    assert "asset.state" not in denied.attributes


@pytest.mark.parametrize("verb", ["create", "delete"])
def test_nothing_comes_of_a_dry_run(verb: str) -> None:
    found = parsed(
        verb=verb,
        requestURI="/apis/apps/v1/namespaces/claims/deployments/triage?dryRun=All&fieldManager=k",
        responseObject=DEPLOYMENT,
    ).event
    assert found.edges == ()
    assert "asset.state" not in found.attributes


@given(data=st.data())
def test_no_damage_is_a_crash(data: st.DataObject, read: Any, damaged: Any) -> None:  # noqa: ANN401
    whole = CALL | {"user": CALL["user"] | {"extra": OF_AWS}, "responseObject": DEPLOYMENT}
    for result, _ in read(kubernetes_audit, damaged(data, whole)):
        assert not isinstance(result, Reject) or result.reason != "defect", result


@given(st.binary(max_size=200))
def test_no_bytes_are_a_crash(read: Any, document: bytes) -> None:  # noqa: ANN401
    kubernetes_audit.sniff(document)
    read(kubernetes_audit, document)
