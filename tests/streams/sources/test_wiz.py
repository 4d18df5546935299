from typing import Any

import orjson
import pytest

from streams.sources import wiz
from tests.streams.sources.reports import found, refused, short, told

DIGEST = "sha256:" + "0" * 64
ENDPOINT = "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/triage"
ISSUE: dict[str, Any] = {
    "id": "i-1",
    "sourceRule": {"id": "wc-1", "name": "Model endpoint is public"},
    "createdAt": "2026-03-04T05:06:07Z",
    "resolvedAt": None,
    "severity": "CRITICAL",
    "status": "OPEN",
    "type": "TOXIC_COMBINATION",
    "entitySnapshot": {
        "type": "ENDPOINT",
        "nativeType": "endpoint",
        "name": "triage",
        "cloudPlatform": "AWS",
        "region": "eu-west-1",
        "externalId": ENDPOINT,
        "subscriptionExternalId": "111122223333",
    },
}
TABLE = (
    b"Created At,Title,Severity,Status,Description,Resource Type,Resource external ID,"
    b"Subscription ID,Resolved Time,Control ID,Resource Name,Issue ID,Resource vertex ID,"
    b"Kubernetes Namespace\r\n"
    b'2026-03-04T05:06:07Z,Bucket is public ,HIGH,OPEN,"two\nlines ""here""",Bucket,'
    b"arn:aws:s3:::corpus,111122223333,,wc-2,corpus,i-1,v-1,\r\n"
    b"2026-03-04T05:06:07Z,Pod runs as root,LOW,RESOLVED,,Deployment,k8s/0/triage,111122223333,"
    b"2026-03-05T00:00:00Z,wc-3,triage,i-2,v-2,shop\r\n"
)


def test_an_issue() -> None:
    (event,) = told(wiz, ISSUE)
    assert short(event) == ("wc-1", "open", "critical", "endpoint:triage")
    assert [one.key for one in event.entities] == ["endpoint:triage", "account:111122223333"]
    assert (event.class_uid, event.time) == (2003, 1_772_600_767_000_000)
    assert (found(event).title, found(event).location) == ("Model endpoint is public", ENDPOINT)
    assert event.attributes == {
        "check.id": "wc-1",
        "check.category": "TOXIC_COMBINATION",
        "check.resource": ENDPOINT,
        "check.status": "OPEN",
        "cloud.provider": "AWS",
        "cloud.region": "eu-west-1",
        "finding.mark": "i-1",
        "resource.type": "endpoint",
        "scan.tool": "wiz",
    }


@pytest.mark.parametrize("status", ["RESOLVED", "REJECTED", "IGNORED"])
def test_an_issue_that_ended(status: str) -> None:
    (event,) = told(wiz, ISSUE, status=status, resolvedAt="2026-03-05T00:00:00Z")
    assert (found(event).state, event.time) == ("resolved", 1_772_668_800_000_000)
    assert found(event).uid == found(told(wiz, ISSUE)[0]).uid


def test_an_end_without_a_time_is_after_the_beginning() -> None:
    (event,) = told(wiz, ISSUE, status="RESOLVED")
    assert event.time == 1_772_600_767_000_001


def test_an_issue_of_a_webhook() -> None:
    resource = {
        "cloudPlatform": "AWS",
        "id": "",
        "name": "triage",
        "subscriptionId": "111122223333",
    }
    said: dict[str, Any] = {
        "control": {"id": "wc-1", "name": "Port is open"},
        "issue": {"id": "i-1", "created": "2026-03-04T05:06:07Z", "severity": "LOW"},
        "resource": resource,
        "trigger": {"type": "Resolved"},
    }
    (event,) = told(wiz, said | {"issue": said["issue"] | {"status": "Resolved"}})
    assert short(event) == ("wc-1", "resolved", "low", "account:111122223333")
    assert (found(event).location, event.time) == ("triage", 1_772_600_767_000_001)


def test_a_threat_of_a_webhook() -> None:
    account = {"cloudPlatform": "AWS", "externalId": 111122223333}
    said = {
        "id": "d-1",
        "createdAt": "2026-03-04 05:06:07.818948801",
        "severity": "HIGH",
        "tdrId": "cer-probe",
        "title": "Port probe",
        "mitreTechniques": ["TA0043-T1595", "TA0007-T1046", "TA0007-T1046"],
        "primaryResource": {"externalId": "i-0abc1234", "name": "gpu", "cloudAccount": account},
    }
    (event,) = told(wiz, said)
    assert short(event) == ("cer-probe", "open", "high", "host:i-0abc1234")
    assert [one.key for one in event.entities[1:]] == ["account:111122223333"]
    assert (event.class_uid, event.time) == (2004, 1_772_600_767_818_948)
    assert event.attributes["attack.techniques"] == ["T1595", "T1046"]


def test_a_threat() -> None:
    assert told(wiz, ISSUE, type="THREAT_DETECTION")[0].class_uid == 2004


@pytest.mark.parametrize(
    "document",
    [[ISSUE], {"issues": [ISSUE]}, {"data": {"issues": {"nodes": [ISSUE]}}}, {"nodes": [ISSUE]}],
)
def test_exports(document: object) -> None:
    if isinstance(document, dict) and "nodes" in document:
        assert refused(wiz, orjson.dumps(document))[0] == "wrong-shape"
    else:
        assert [short(e)[0] for e in told(wiz, orjson.dumps(document))] == ["wc-1"]


def test_a_table() -> None:
    bucket, pod = told(wiz, TABLE)
    assert short(bucket) == ("wc-2", "open", "high", "datastore:s3/corpus")
    assert found(bucket).title == "Bucket is public"
    assert short(pod) == ("wc-3", "resolved", "low", "workload:k8s/shop/triage")
    assert pod.time == 1_772_668_800_000_000
    assert told(wiz, TABLE.splitlines(keepends=True)[0]) == []


def scan(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    weak = {"name": "CVE-2026-0001", "severity": "CRITICAL", "fixedVersion": "2.8.1", "score": 9.8}
    weak |= {"hasCisaKevExploit": True, "epssProbability": 0.92}
    library = {"name": "ray", "version": "2.6.3", "path": "/app/uv.lock", "vulnerabilities": [weak]}
    secret = {"description": "obviously-fake", "path": "/x.py", "lineNumber": 3, "type": "PASSWORD"}
    match = {"resourceName": "FROM", "fileName": "Dockerfile", "lineNumber": 8}
    rule = {"rule": {"id": "r-1", "name": "Runs as root"}, "severity": "LOW", "matches": [match]}
    origin = {"__typename": "CICDScanOriginContainerImage", "name": "triage:7", "digest": DIGEST}
    return {
        "createdAt": "2026-03-04T05:06:07Z",
        "status": {"state": "SUCCESS"},
        "scanOriginResource": origin,
        "result": {"libraries": [library], "secrets": [secret], "ruleMatches": [rule]},
    } | changes


def test_a_scan_of_an_image() -> None:
    weak, secret, match, whole = told(wiz, scan())
    assert short(weak) == ("CVE-2026-0001", "open", "critical", f"image:{DIGEST}")
    assert weak.attributes == {
        "vulnerability.id": "CVE-2026-0001",
        "vulnerability.severity": "critical",
        "vulnerability.cvss": 9.8,
        "vulnerability.epss": 0.92,
        "vulnerability.kev": True,
        "package.name": "ray",
        "package.version": "2.6.3",
        "package.fixed_version": "2.8.1",
        "scan.tool": "wizcli",
    }
    assert (secret.class_uid, *short(secret)[:3]) == (2006, "PASSWORD", "open", "high")
    assert b"obviously-fake" not in orjson.dumps(secret.body())
    assert (match.class_uid, *short(match)[:3]) == (2003, "r-1", "open", "low")
    assert found(match).location == "Dockerfile:FROM:8"
    assert (whole.status, whole.attributes["scan.findings"]) == ("success", 3)


def test_a_scan_of_code_has_no_name_and_closes_nothing() -> None:
    code = {"__typename": "CICDScanOriginIAC", "name": "IAC scan 2026-03-04"}
    events = told(wiz, scan(scanOriginResource=code))
    assert {event.entities[0].key for event in events} == {"repo:unnamed"}
    assert [event.class_uid for event in events] == [2002, 2006, 2003]


def test_a_scan_that_failed() -> None:
    (whole,) = told(wiz, scan(status={"state": "FAILED"}, result=None))
    assert whole.status == "failure"


@pytest.mark.parametrize("document", [b"[7]", b"{}", b'{"entitySnapshot": {}}'])
def test_what_is_no_issue(document: bytes) -> None:
    assert refused(wiz, document)[0] == "wrong-shape"


def test_what_is_no_scan() -> None:
    assert refused(wiz, orjson.dumps(scan(result=None)))[0] == "wrong-shape"


WEAK: dict[str, Any] = {
    "id": "v-1",
    "name": "CVE-2026-0001",
    "CVSSSeverity": "HIGH",
    "vendorSeverity": "CRITICAL",
    "score": 9.8,
    "epssProbability": 0.92,
    "hasCisaKevExploit": True,
    "status": "OPEN",
    "firstDetectedAt": "2026-03-04T05:06:07Z",
    "detailedName": "ray",
    "version": "2.6.3",
    "fixedVersion": "2.8.1",
    "locationPath": "/app/ray",
    "vulnerableAsset": {
        "type": "VIRTUAL_MACHINE",
        "name": "Trainer-1",
        "providerUniqueId": "https://cloud.example/projects/p/instances/trainer-1",
        "cloudPlatform": "GCP",
        "subscriptionExternalId": "p",
    },
}


def test_a_vulnerability_of_a_resource() -> None:
    answer = {"data": {"vulnerabilityFindings": {"nodes": [WEAK]}}}
    assert wiz.sniff(orjson.dumps(answer))
    (event,) = told(wiz, answer)
    assert short(event) == ("CVE-2026-0001", "open", "critical", "host:trainer-1")
    assert (event.time, event.entities[1].key) == (1_772_600_767_000_000, "account:p")
    assert event.attributes == {
        "check.status": "OPEN",
        "cloud.provider": "GCP",
        "finding.mark": "v-1",
        "package.name": "ray",
        "package.version": "2.6.3",
        "package.fixed_version": "2.8.1",
        "scan.tool": "wiz",
        "vulnerability.id": "CVE-2026-0001",
        "vulnerability.severity": "critical",
        "vulnerability.cvss": 9.8,
        "vulnerability.epss": 0.92,
        "vulnerability.kev": True,
    }


def test_a_vulnerability_that_ended_in_a_table() -> None:
    heads = "ID,Name,VendorSeverity,FindingStatus,FirstDetected,ResolvedAt,DetailedName,Version,"
    heads += "AssetName,ProviderUniqueId,HasCisaKevExploit"
    cells = "v-1,CVE-2026-0001,High,Resolved,2026-03-04T05:06:07Z,2026-03-05T00:00:00Z,ray,2.6.3,"
    cells += f"t,{ENDPOINT},false"
    table = f"{heads}\n{cells}\n".encode()
    assert wiz.sniff(table)
    (event,) = told(wiz, table)
    assert short(event) == ("CVE-2026-0001", "resolved", "high", "endpoint:triage")
    assert event.time == 1_772_668_800_000_000
    assert "vulnerability.kev" not in event.attributes


def test_a_vulnerability_has_a_name() -> None:
    assert refused(wiz, orjson.dumps(WEAK | {"name": None}))[0] == "wrong-shape"
