from typing import Any

import orjson
import pytest

from streams.sources import prowler
from tests.streams.sources.reports import found, refused, short, told

GUARDRAIL = "arn:aws:bedrock:eu-west-1:111122223333:guardrail/gr1"


def finding(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "metadata": {"event_code": "bedrock_guardrail_filter", "product": {"name": "Prowler"}},
        "severity_id": 4,
        "severity": "High",
        "status": "New",
        "status_code": "FAIL",
        "status_detail": "it has none",
        "unmapped": {"compliance": {"CIS-3.0": ["1.20"], "SOC2": ["cc_6_7", "cc_7_2"]}},
        "finding_info": {"title": "Guardrails filter attacks", "uid": "p-1"},
        "resources": [
            {
                "region": "eu-west-1",
                "group": {"name": "bedrock"},
                "name": "gr1",
                "type": "AwsBedrockGuardrail",
                "uid": GUARDRAIL,
            }
        ],
        "class_uid": 2004,
        "cloud": {"account": {"uid": "111122223333"}, "provider": "aws", "region": "eu-west-1"},
        "time": 1772600767,
    } | changes


def resource(uid: str, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    return [{"uid": uid, "name": "n", "type": "Other", **more}]


def test_a_failed_check() -> None:
    (event,) = told(prowler, orjson.dumps([finding()]))
    assert short(event) == ("bedrock_guardrail_filter", "open", "high", "guardrail:gr1")
    assert [one.key for one in event.entities] == ["guardrail:gr1", "account:111122223333"]
    assert (event.class_uid, event.class_name) == (2003, "Compliance Finding")
    assert event.time == 1_772_600_767_000_000
    assert (found(event).title, found(event).location) == ("Guardrails filter attacks", GUARDRAIL)
    assert event.attributes == {
        "check.id": "bedrock_guardrail_filter",
        "check.status": "FAIL",
        "check.category": "bedrock",
        "check.resource": GUARDRAIL,
        "cloud.provider": "aws",
        "cloud.region": "eu-west-1",
        "compliance.requirements": ["CIS-3.0:1.20", "SOC2:cc_6_7", "SOC2:cc_7_2"],
        "resource.type": "AwsBedrockGuardrail",
        "scan.tool": "prowler",
    }


@pytest.mark.parametrize(
    ("changes", "state", "severity", "status"),
    [
        ({"status_code": "PASS"}, "resolved", "high", "PASS"),
        ({"status": "Suppressed"}, "resolved", "high", "MUTED"),
        ({"status_code": "MANUAL"}, "open", "informational", "MANUAL"),
        ({"status_id": 3}, "open", "high", "FAIL"),  # Prowler 4.2 wrote the number of 1.2
    ],
)
def test_how_it_ended(changes: dict[str, Any], state: str, severity: str, status: str) -> None:
    (event,) = told(prowler, finding(**changes))
    assert short(event)[1:3] == (state, severity)
    assert event.attributes["check.status"] == status
    assert found(event).uid == found(told(prowler, finding())[0]).uid


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"resources": resource("arn:aws:s3:::corpus")}, "datastore:s3/corpus"),
        ({"resources": resource("arn:aws:iam::111122223333:root")}, "account:111122223333"),
        ({"resources": resource("uid", type="Pod", namespace="shop")}, "workload:k8s/shop/n"),
        ({"cloud": {}, "resources": resource("x")}, "account:unknown"),
        ({"cloud": {"provider": "gcp"}, "resources": resource("x")}, "account:gcp"),
        ({"cloud": {}, "unmapped": {"provider_uid": "p-1"}, "resources": []}, "account:p-1"),
    ],
)
def test_what_it_is_about(changes: dict[str, Any], key: str) -> None:
    assert told(prowler, finding(**changes))[0].entities[0].key == key


@pytest.mark.parametrize(
    "times",
    [
        {"time": 1772600767123},
        {"time": None, "time_dt": "2026-03-04T05:06:07.123"},
        {"time": None, "event_time": "2026-03-04T05:06:07.123"},
        {"time": None, "finding_info": {"created_time": "2026-03-04T05:06:07.123", "title": "t"}},
    ],
)
def test_when(times: dict[str, Any]) -> None:
    assert told(prowler, finding(**times))[0].time == 1_772_600_767_123_000


def test_one_check_of_an_account_in_two_regions_is_two_findings() -> None:
    uids = set()
    for region in ("eu-west-1", "us-east-1"):
        (event,) = told(prowler, finding(resources=resource("root", region=region)))
        uids.add(found(event).uid)
    assert len(uids) == 2


def test_version_three() -> None:
    row = {
        "AssessmentStartTime": "2023-04-25T23:49:42.744599",
        "FindingUniqueId": "p-1",
        "Provider": "aws",
        "CheckID": "iam_role_administratoraccess",
        "CheckTitle": "No role is an administrator",
        "Status": "FAIL",
        "Severity": "high",
        "Compliance": {"SOC2": ["cc_6_7"]},
        "AccountId": "111122223333",
        "ResourceArn": "arn:aws:iam::111122223333:role/ml/Pipeline",
    }
    (event,) = told(prowler, orjson.dumps([row]))
    key = "principal:arn:aws:iam::111122223333:role/Pipeline"
    assert short(event) == ("iam_role_administratoraccess", "open", "high", key)
    assert event.time == 1_682_466_582_744_599
    assert event.attributes["compliance.requirements"] == ["SOC2:cc_6_7"]


@pytest.mark.parametrize(("status", "state"), [("FAIL", "open"), ("Pass", "resolved")])
def test_version_two(status: str, state: str) -> None:
    row = {
        "Account Number": "111122223333",
        "Control": "[check114] Ensure hardware MFA",
        "Severity": "Critical",
        "Status": status,
        "Control ID": "1.14",
        "Timestamp": "2021-08-23T06:38:46Z",
        "CAF Epic": "IAM",
        "Resource ID": "MFA",
    }
    (event,) = told(prowler, row)
    assert short(event) == ("check114", state, "critical", "account:111122223333")
    assert event.time == 1_629_700_726_000_000


def test_tables() -> None:
    five = (
        b"TIMESTAMP;ACCOUNT_UID;PROVIDER;CHECK_ID;CHECK_TITLE;STATUS;STATUS_EXTENDED;MUTED;SEVERITY"
        b";RESOURCE_UID;REGION;COMPLIANCE\n"
        b"2026-03-04 05:06:07.5;111122223333;aws;s3_public;No bucket is public;FAIL;x;False"
        b";critical;arn:aws:s3:::corpus;eu-west-1;CIS-3.0: 2.1.4 | SOC2: cc_6_7, cc_7_2\n"
        b"2026-03-04 05:06:07.5;111122223333;aws;s3_lock;Lock;FAIL;x;True;low;arn:aws:s3:::corpus\n"
    )
    public, lock = told(prowler, five)
    assert short(public) == ("s3_public", "open", "critical", "datastore:s3/corpus")
    assert public.time == 1_772_600_767_500_000
    listed = ["CIS-3.0:2.1.4", "SOC2:cc_6_7", "SOC2:cc_7_2"]
    assert public.attributes["compliance.requirements"] == listed
    assert short(lock)[:3] == ("s3_lock", "resolved", "low")
    two = (
        b"PROFILE,ACCOUNT_NUM,REGION,TITLE_ID,CHECK_RESULT,TITLE_TEXT,CHECK_SEVERITY\n"
        b",111122223333,us-east-1,1.1,FAIL,[check11] Avoid the root account,High\n"
    )
    assert short(told(prowler, two)[0]) == ("check11", "open", "high", "account:111122223333")


def test_no_finding_is_no_record() -> None:
    assert told(prowler, b"[]") == []


@pytest.mark.parametrize(
    "document", [b"[7]", b"{}", b'{"finding_info": {}}', b"CHECK_ID;STATUS\n;FAIL\n", b"A;B\n1;2;3"]
)
def test_what_is_no_finding(document: bytes) -> None:
    assert refused(prowler, document)[0] == "wrong-shape"
