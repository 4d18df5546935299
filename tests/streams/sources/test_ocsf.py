from typing import Any

import orjson
import pytest

from schemas.event import Event, EventEvidence
from streams.reports.whole import since_1970
from streams.source import Parsed, Raw
from streams.sources import ocsf
from tests.streams.sources.reports import refused, short, told

DIGEST = "sha256:" + "0" * 64
PIPELINE = "arn:aws:iam::111122223333:role/Pipeline"
BUCKET = {"uid": "arn:aws:s3:::corpus", "type": "AwsS3Bucket"}


def record(class_uid: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "class_uid": class_uid,
        "category_uid": class_uid // 1000,
        "activity_id": 1,
        "severity_id": 4,
        "time": 1772600767123,
        "metadata": {"version": "1.8.0", "product": {"name": "Shield"}, "uid": "e-1"},
        "cloud": {"account": {"uid": "111122223333"}, "provider": "AWS", "region": "eu-west-1"},
    } | changes


def one(class_uid: int, **changes: Any) -> Event:  # noqa: ANN401 - JSON
    return told(ocsf, record(class_uid, **changes))[0]


def parsed(said: dict[str, Any]) -> Parsed:
    return ocsf.event(Raw(b"", 0), said, EventEvidence(origin="file:x#1", sha256="00"))


def test_the_vulnerabilities_of_a_record() -> None:
    ray = {
        "cve": {"uid": "CVE-2026-0001", "cvss": [{"base_score": 9.8}], "epss": {"score": "0.92"}},
        "advisory": {"uid": "GHSA-aaaa-bbbb-cccc"},
        "affected_packages": [
            {"name": "ray", "version": "2.6.3", "fixed_in_version": "2.8.1", "purl": "pkg:pypi/ray"}
        ],
    }
    image = f"arn:aws:ecr:eu-west-1:111122223333:repository/team/triage/{DIGEST}"
    first, second = told(
        ocsf,
        record(
            2002,
            finding_info={"uid": "f-1", "title": "ray is vulnerable"},
            resources=[{"uid": image, "type": "AwsEcrContainerImage"}],
            vulnerabilities=[ray, {"cve": {"uid": "CVE-2026-0002"}}],
        ),
    )
    assert short(first) == ("CVE-2026-0001", "open", "high", f"image:{DIGEST}")
    assert short(second)[0] == "CVE-2026-0002"
    assert first.uid != second.uid
    assert (first.time, first.class_uid) == (1_772_600_767_123_000, 2002)
    assert [one.key for one in first.entities[1:]] == ["account:111122223333"]
    assert first.attributes == {
        "vulnerability.id": "CVE-2026-0001",
        "vulnerability.aliases": ["GHSA-aaaa-bbbb-cccc"],
        "vulnerability.severity": "high",
        "vulnerability.cvss": 9.8,
        "vulnerability.epss": 0.92,
        "package.name": "ray",
        "package.version": "2.6.3",
        "package.fixed_version": "2.8.1",
        "package.purl": "pkg:pypi/ray",
        "finding.mark": "f-1",
        "cloud.provider": "AWS",
        "cloud.region": "eu-west-1",
        "scan.tool": "shield",
    }


@pytest.mark.parametrize(
    ("compliance", "state"),
    [
        ({"status_id": 1}, "resolved"),
        ({"status": "PASSED"}, "resolved"),
        ({"status_id": 3, "status": "Fail"}, "open"),
    ],
)
def test_a_control(compliance: dict[str, Any], state: str) -> None:
    event = one(
        2003,
        finding_info={"uid": "f-2", "title": "Bucket is private"},
        compliance={"control": "S3.8", "standards": ["CIS-3.0"], "requirements": ["2.1.4"]}
        | compliance,
        resources=[BUCKET],
    )
    assert short(event)[:2] == ("S3.8", state)
    assert event.entities[0].key == "datastore:s3/corpus"
    assert event.attributes["compliance.requirements"] == ["CIS-3.0:2.1.4"]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "open"),
        ({"status_id": 1}, "open"),
        ({"status_id": 3}, "resolved"),
        ({"status": "New", "status_id": 3}, "open"),  # the word wins: products mix up numbers
        ({"status": "Suppressed"}, "resolved"),
        ({"status_id": 4}, "resolved"),
        ({"activity_id": 3}, "resolved"),
    ],
)
def test_a_detection(changes: dict[str, Any], state: str) -> None:
    info: dict[str, Any] = {"uid": "f-3", "title": "Injection", "analytic": {"uid": "PI-1"}}
    info |= {"attacks": [{"technique": {"uid": "AML.T0051"}}]}
    agent = {"uid": "arn:aws:bedrock:eu-west-1:111122223333:agent/A1"}
    event = one(2004, finding_info=info, resources=[agent], **changes)
    assert short(event) == ("PI-1", state, "high", "agent:A1")
    assert event.attributes["attack.techniques"] == ["AML.T0051"]


@pytest.mark.parametrize(
    ("class_uid", "changes"),
    [
        (2001, {"finding": {"uid": "f", "title": "old"}}),
        (2005, {"finding_info_list": [{"uid": "f", "title": "case"}]}),
        (2006, {"finding_info": {"uid": "f", "title": "personal data"}}),
        (2007, {"finding_info": {"uid": "f", "title": "weak agent"}}),
    ],
)
def test_findings_of_other_classes(class_uid: int, changes: dict[str, Any]) -> None:
    event = one(class_uid, **changes)
    expected = {2001: 2004, 2005: 2004}.get(class_uid, class_uid)
    assert (event.class_uid, event.entities[0].key) == (expected, "account:111122223333")


def test_a_call_of_a_model() -> None:
    said = record(
        6003,
        actor={
            "user": {
                "uid": "arn:aws:sts::111122223333:assumed-role/Pipeline/run-7",
                "credential_uid": "ASIAEXAMPLEEXAMPLE22",
            }
        },
        api={"operation": "InvokeModel", "service": {"name": "bedrock.amazonaws.com"}},
        src_endpoint={"ip": "192.0.2.***"},
        http_request={"user_agent": "sdk/1"},
        status_id=2,
        ai_model={"ai_provider": "anthropic", "name": "eu.vendor.m-v1:0"},
        message_context={
            "prompt_text": "obviously-fake",
            "response_text": "obviously-fake",
            "prompt_tokens": 12,
            "completion_tokens": 3,
        },
    )
    event, private = parsed(said)
    assert (event.class_name, event.activity, event.status) == (
        "API Activity",
        "InvokeModel",
        "failure",
    )
    assert event.actor is not None
    assert event.actor.id == PIPELINE
    assert event.client is not None
    assert event.client.model_dump() == {"ip": "192.0.2.***", "user_agent": "sdk/1"}
    assert [one.key for one in event.entities] == [
        "model:vendor.m-v1:0",
        "account:111122223333",
        f"principal:{PIPELINE}",
        "apikey:ASIAEXAMPLEEXAMPLE22",
    ]
    assert event.edges == (), "a refused call reaches no model"
    (calls,) = parsed(said | {"status_id": 1}).event.edges
    assert (calls.from_.id, calls.relation, calls.to.id) == (PIPELINE, "calls", "vendor.m-v1:0")
    assert private == {
        "gen_ai.input.messages": "obviously-fake",
        "gen_ai.output.messages": "obviously-fake",
    }
    assert b"obviously-fake" not in orjson.dumps(event.body())
    assert event.attributes == {
        "api.operation": "InvokeModel",
        "api.service": "bedrock.amazonaws.com",
        "cloud.provider": "AWS",
        "cloud.region": "eu-west-1",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "eu.vendor.m-v1:0",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 3,
    }


def test_a_logon() -> None:
    event = one(3002, user={"email_addr": "Ana@Example.test"}, status_id=1)
    assert (event.class_name, event.activity, event.status) == (
        "Authentication",
        "Logon",
        "success",
    )
    assert event.actor is not None
    assert event.actor.id == "ana@example.test"


def test_a_process_of_an_agent() -> None:
    said = record(
        1007,
        device={"hostname": "GPU-1"},
        process={"name": "python", "pid": 7, "cmd_line": "obviously-fake"},
        ai_agent={"uid": "agent-1", "name": "triage"},
        ai_model={"name": "llama-3"},
    )
    event, private = parsed(said)
    assert (event.class_name, event.activity) == ("Process Activity", "Launch")
    assert {one.key for one in event.entities} >= {"agent:agent-1", "model:llama-3", "host:gpu-1"}
    assert [(one.from_.id, one.to.id) for one in event.edges] == [("agent-1", "llama-3")]
    assert private == {"process.command_line": "obviously-fake"}


def test_a_request() -> None:
    url = {"url_string": "https://api.example.test/v1?api_key=obviously-fake", "hostname": "a"}
    event = one(
        4002,
        actor={"app_name": "triage"},
        http_request={"http_method": "POST", "url": url},
        http_response={"code": 200},
        dst_endpoint={"hostname": "api.example.test", "port": 443},
    )
    assert event.actor is not None
    assert event.actor.key == "application:triage"
    assert (event.attributes["server.address"], event.attributes["server.port"]) == (
        "api.example.test",
        443,
    )
    assert event.attributes["http.response.status_code"] == 200
    assert "url.full" not in event.attributes  # it holds a secret


def test_a_class_that_we_do_not_know_goes_by_its_own_name() -> None:
    assert one(9001, class_name="Quantum Activity").class_name == "Quantum Activity"
    assert one(9001).class_name == "Class 9001"


def test_carriers() -> None:
    said = record(2006, finding_info={"title": "x"})
    for carrier in (
        [said],
        {"events": [said]},
        {"detail-type": "x", "detail": {"findings": [said]}},
    ):
        assert len(told(ocsf, orjson.dumps(carrier))) == 1


@pytest.mark.parametrize(
    ("count", "micros"),
    [
        (1772600767, 1_772_600_767_000_000),
        (1772600767.5, 1_772_600_767_500_000),
        (1772600767123, 1_772_600_767_123_000),
        (1772600767123456, 1_772_600_767_123_456),
        (1772600767123456789, 1_772_600_767_123_457),
    ],
)
def test_a_time_by_its_size(count: float, micros: int) -> None:
    assert since_1970(count) // 1000 == micros // 1000
    assert one(2006, finding_info={"title": "x"}, time=count).time // 1000 == micros // 1000


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([7], "wrong-shape"),
        (record(0), "wrong-shape"),
        (record(2004), "wrong-shape"),
        (record(6003, time=None), "no-time"),
        (record(6003, time=-1), "no-time"),
    ],
)
def test_what_is_no_record(document: object, reason: str) -> None:
    assert refused(ocsf, orjson.dumps(document))[0] == reason


def test_prowler_has_a_source_of_its_own() -> None:
    ours = orjson.dumps(record(2004))
    assert ocsf.sniff(ours)
    assert not ocsf.sniff(ours.replace(b'"Shield"', b'"Prowler"'))


def test_an_analysis_of_rights_is_a_finding() -> None:
    info = {"uid": "aa-1", "title": "The bucket can be read from outside"}
    event = one(2008, finding_info=info, resources=[BUCKET])
    assert (event.class_uid, event.class_name) == (2008, "IAM Analysis Finding")
    assert event.finding is not None
    assert (event.finding.state, event.finding.check) == ("open", info["title"])


def test_a_call_of_bedrock_as_security_lake_has_it() -> None:
    found = one(
        6003,
        cloud={"provider": "AWS", "region": "eu-west-1"},
        status="Failure",
        api={
            "operation": "InvokeModel",
            "service": {"name": "bedrock.amazonaws.com"},
            "request": {"data": '{"modelId": "eu.vendor.writer-v1:0"}'},
        },
        actor={"user": {"uid": PIPELINE, "account": {"uid": "111122223333"}}},
    )
    assert found.status == "failure"
    assert [each.key for each in found.entities] == [
        "model:vendor.writer-v1:0",
        "account:111122223333",
        f"principal:{PIPELINE}",
    ]
    assert found.edges == ()


def test_a_connection_is_about_the_host_that_it_came_from() -> None:
    found = one(
        4001,
        src_endpoint={"hostname": "RAG-1", "ip": "10.0.0.1"},
        dst_endpoint={"hostname": "api.provider.example"},
    )
    assert found.entities[0].key == "host:rag-1"


def test_a_finding_of_1_0_names_the_account_at_its_resource() -> None:
    bare = {"name": "aks-support", "uid": "", "type": "User", "account_uid": "sub-1"}
    event = one(2001, cloud=None, finding={"title": "t", "uid": "u"}, resources=[bare])
    assert event.entities[0].key == "account:sub-1"


@pytest.mark.parametrize(
    ("user", "actor"),
    [
        ({"uid": "AROAEXAMPLE:run-7", "uuid": PIPELINE}, PIPELINE),
        (
            {"uid": "u-1", "name": "system:serviceaccount:ai:triage"},
            "system:serviceaccount:ai:triage",
        ),
        ({"uid": "u-1", "email_addr": "Ada@example.com"}, "ada@example.com"),
    ],
)
def test_who_it_was(user: dict[str, str], actor: str) -> None:
    found = one(6003, actor={"user": user}, api={"operation": "create"})
    assert found.actor is not None
    assert found.actor.id == actor


def test_a_model_with_its_version_and_an_object_of_kubernetes() -> None:
    found = one(
        6003,
        ai_model={"name": "writer", "ai_provider": "OpenAI", "version": "2026-01-31"},
        resources=[{"type": "deployments", "namespace": "ai", "name": "triage"}],
        cloud={"account_uid": "111122223333"},
    )
    assert [each.key for each in found.entities] == [
        "model:writer-2026-01-31",
        "workload:k8s/ai/triage",
        "account:111122223333",
    ]
    assert found.attributes["gen_ai.provider.name"] == "openai"
