from typing import Any

import pytest

from schemas.event import EventEvidence
from schemas.times import rfc3339
from streams.source import Raw
from streams.sources import asff, guardduty
from tests.streams.sources.parsed import events, keys, reasons

LAB = "arn:aws:sagemaker:eu-west-1:111122223333:notebook-instance/lab"


def test_a_check_that_failed() -> None:
    event = events("asff.json")[0]
    assert rfc3339(event.time) == "2026-03-04T05:06:07.000000Z"
    assert (event.class_uid, event.class_name, event.activity, event.severity) == (
        2003,
        "Compliance Finding",
        "Create",
        "high",
    )
    assert (event.actor, event.client, event.edges) == (None, None, ())
    assert keys(event) == ["workload:sagemaker/lab", "account:111122223333"]
    assert event.finding is not None
    assert event.finding.model_dump(exclude={"uid"}, exclude_none=True) == {
        "title": "Notebook instances should not have direct internet access",
        "state": "open",
        "check": "SageMaker.1",
        "location": LAB,
    }
    assert event.attributes == {
        "asff.compliance": "FAILED",
        "asff.id": "arn:aws:securityhub:eu-west-1:111122223333:security-control/SageMaker.1"
        "/finding/00000000000000000000000000000001",
        "asff.record_state": "ACTIVE",
        "asff.types": ["Software and Configuration Checks/Industry and Regulatory Standards"],
        "asff.workflow": "NEW",
        "check.id": "SageMaker.1",
        "check.resource": LAB,
        "cloud.account.id": "111122223333",
        "cloud.region": "eu-west-1",
        "scan.tool": "securityhub",
    }


def test_passed_suppressed_and_archived_are_closed() -> None:
    found = events("asff.json")[:4]
    assert [one.finding.state for one in found if one.finding] == ["open"] + ["resolved"] * 3
    assert len({one.finding.uid for one in found if one.finding}) == 1


def test_a_vulnerability() -> None:
    event = events("asff.json")[4]
    assert event.class_name == "Vulnerability Finding"
    assert keys(event)[0] == "image:sha256:" + "0" * 64
    assert event.finding is not None
    assert (event.finding.vulnerability, event.finding.package, event.finding.fixed_version) == (
        "CVE-2026-0001",
        "ray",
        "2.8.1",
    )
    assert event.attributes["vulnerability.aliases"] == ["CVE-2026-0002"]
    assert event.attributes["vulnerability.cvss"] == 9.8
    assert event.attributes["vulnerability.epss"] == 0.42


def test_a_threat_is_named_as_guardduty_names_it() -> None:
    event, told = events("asff.json")[5], events("guardduty.jsonl")[0]
    assert (event.class_name, event.attributes["scan.tool"]) == (
        "Detection Finding",
        guardduty.NAME,
    )
    assert event.finding is not None
    assert told.finding is not None
    assert event.finding.uid == told.finding.uid


def test_sensitive_data() -> None:
    event = events("asff.json")[6]
    assert (event.class_uid, keys(event)[0]) == (2006, "datastore:s3/training-example")


def test_events_hold_findings() -> None:
    assert [one.finding.check for one in events("asff.event.json") if one.finding] == [
        "SageMaker.1"
    ]


def test_what_is_no_finding() -> None:
    assert reasons("asff.bad.json") == ["no-time", "wrong-shape", "wrong-shape"]


FAR = "aws/guardduty/service/action/awsApiCallAction/remoteIpDetails/ipAddressV4"


@pytest.mark.parametrize(
    "more",
    [
        {"Action": {"AwsApiCallAction": {"RemoteIpDetails": {"IpAddressV4": "198.51.100.9"}}}},
        {"ProductFields": {"aws/guardduty/service/count": "3", FAR: "198.51.100.9"}},
    ],
)
def test_where_a_threat_came_from(more: dict[str, Any]) -> None:
    record = {
        "Id": "a",
        "ProductArn": "arn:aws:securityhub:eu-west-1::product/aws/guardduty",
        "AwsAccountId": "111122223333",
        "UpdatedAt": "2026-03-04T05:06:07Z",
        "Types": ["TTPs/Persistence/Persistence:IAMUser-NetworkPermissions"],
    }
    evidence = EventEvidence(origin="file:x#1", sha256="0" * 64)
    found = asff.event(Raw(b""), record | more, evidence).event
    assert found.client is not None
    assert found.client.ip == "198.51.100.9"
