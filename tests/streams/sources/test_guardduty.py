from typing import Any

from schemas.event import Event, EventEvidence
from schemas.times import rfc3339
from streams.source import Raw
from streams.sources import guardduty
from tests.streams.sources.parsed import events, keys, reasons

ROLE = "principal:arn:aws:iam::111122223333:role/Pipeline"


def test_a_finding() -> None:
    event = events("guardduty.jsonl")[0]
    assert rfc3339(event.time) == "2026-03-04T05:06:07.123000Z"
    assert (event.class_uid, event.class_name, event.activity, event.severity) == (
        2004,
        "Detection Finding",
        "Create",
        "high",
    )
    assert event.actor is not None
    assert event.actor.key == ROLE
    assert event.client is not None
    assert event.client.ip == "198.51.100.9"
    assert keys(event) == ["apikey:ASIAEXAMPLE0000001", ROLE, "account:111122223333"]
    assert event.edges == ()
    assert event.finding is not None
    assert event.finding.model_dump(exclude={"uid"}, exclude_none=True) == {
        "title": "Models were called in a way that is new for this principal.",
        "state": "open",
        "check": "Impact:IAMUser/AnomalousBehavior",
        "location": "00000000000000000000000000000001",
    }
    assert event.attributes == {
        "api.operation": "InvokeModel",
        "api.service": "bedrock.amazonaws.com",
        "cloud.region": "eu-west-1",
        "guardduty.action": "AWS_API_CALL",
        "guardduty.count": 3,
        "guardduty.sample": False,
        "guardduty.severity": 8,
        "guardduty.type": "Impact:IAMUser/AnomalousBehavior",
        "scan.tool": "guardduty",
    }


def test_one_that_was_archived_is_closed() -> None:
    event = events("guardduty.jsonl")[1]
    assert event.finding is not None
    assert (event.activity, event.finding.state, event.severity) == ("Close", "resolved", "medium")
    assert keys(event)[0] == "datastore:s3/training-example"
    assert event.actor is not None
    assert event.actor.key == "principal:arn:aws:iam::111122223333:user/lena"


def test_a_workload_of_a_cluster() -> None:
    event = events("guardduty.jsonl")[2]
    assert keys(event) == ["workload:k8s/ai/triage", "workload:eks/ml", "account:111122223333"]
    assert (event.severity, event.actor) == ("critical", None)
    assert event.client is not None
    assert event.client.ip == "203.0.113.4"


def test_keys_in_capitals_say_the_same() -> None:
    (answered,), told = events("guardduty.answer.json"), events("guardduty.jsonl")[0]
    assert answered.attributes == told.attributes
    assert answered.entities == told.entities
    assert len(events("guardduty.events.json")) == 1


def test_what_is_no_finding() -> None:
    assert reasons("guardduty.bad.json") == ["no-time", "wrong-shape", "bad-time", "wrong-shape"]


def found(resource: dict[str, Any], action: dict[str, Any], **more: Any) -> Event:  # noqa: ANN401 - JSON
    record = {
        "accountId": "111122223333",
        "region": "eu-west-1",
        "id": "aa11",
        "type": "Execution:Kubernetes/ExecInKubeSystemPod",
        "updatedAt": "2026-03-04T05:06:07.000Z",
        "severity": 5,
        "resource": resource,
        "service": {"detectorId": "d", "action": action, "archived": False} | more,
    }
    evidence = EventEvidence(origin="file:x#1", sha256="0" * 64)
    return guardduty.event(Raw(b""), record, evidence).event


REMOTE = {"remoteIpDetails": {"ipAddressV4": "198.51.100.2"}}


def test_a_pod_is_the_workload_that_made_it_as_in_the_audit_of_the_cluster() -> None:
    pod = {
        "name": "triage-5d9c7f6b8d-x2k9z",
        "type": "pods",
        "namespace": "claims",
        "containers": [{"name": "app", "image": "images.example/triage:7"}],
    }
    user = {"username": "system:serviceaccount:claims:triage"}
    details = {"kubernetesWorkloadDetails": pod, "kubernetesUserDetails": user}
    cluster = {"arn": "arn:aws:eks:eu-west-1:111122223333:cluster/ml"}
    event = found(
        {"kubernetesDetails": details, "eksClusterDetails": cluster},
        {"kubernetesApiCallAction": REMOTE},
        additionalInfo={"value": '{"sample":true}', "type": "default"},
    )
    assert event.actor is not None
    assert event.actor.key == "principal:system:serviceaccount:claims:triage"
    assert keys(event) == [
        "workload:k8s/claims/triage",
        "workload:eks/ml",
        "image:images.example/triage:7",
        "principal:system:serviceaccount:claims:triage",
        "account:111122223333",
    ]
    assert event.attributes["guardduty.sample"] is True


def test_a_task_is_its_family_in_the_cluster() -> None:
    task = {
        "definitionArn": "arn:aws:ecs:eu-west-1:111122223333:task-definition/triage:7",
        "containers": [{"image": "images.example/triage:7"}],
    }
    event = found({"ecsClusterDetails": {"name": "ml", "taskDetails": task}}, {})
    assert keys(event)[:2] == ["workload:ecs/ml/triage", "image:images.example/triage:7"]


def test_the_root_user_and_a_probe_of_ports() -> None:
    key = {"accessKeyId": "ASIAEXAMPLE1", "principalId": "111122223333", "userType": "Root"}
    probe = {"portProbeAction": {"portProbeDetails": [REMOTE]}}
    event = found({"accessKeyDetails": key}, probe)
    assert event.actor is not None
    assert event.actor.key == "principal:arn:aws:iam::111122223333:root"
    assert event.client is not None
    assert event.client.ip == "198.51.100.2"


def test_a_finding_may_name_its_detector_in_its_arn_alone() -> None:
    arn = b"arn:aws:guardduty:eu-west-1:111122223333:detector/d1/finding/f1"
    said = b'{"schemaVersion":"2.0","arn":"%b","severity":2,"resource":{}}' % arn
    assert guardduty.sniff(said)
    assert not guardduty.sniff(said.replace(b"schemaVersion", b"SchemaVersion"))
