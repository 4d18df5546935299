from schemas.times import rfc3339
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
