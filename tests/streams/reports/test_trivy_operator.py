from typing import Any

import orjson
import pytest

from schemas.event import Event
from streams.sources import cyclonedx, trivy
from tests.streams.sources.reports import found, refused, short, told

DIGEST = "sha256:" + "0" * 64
GROUP = "aquasecurity.github.io/v1alpha1"


def report(
    kind: str,
    of: str = "ReplicaSet",
    name: str = "triage-7c9d8f5b6d",
    /,
    **said: Any,  # noqa: ANN401 - JSON
) -> dict[str, Any]:
    labels = {"kind": of, "name": name, "namespace": "shop"}
    return {
        "apiVersion": GROUP,
        "kind": kind,
        "metadata": {
            "name": "r-1",
            "namespace": "shop",
            "creationTimestamp": "2026-03-04T05:06:07Z",
            "labels": {f"trivy-operator.resource.{key}": value for key, value in labels.items()},
        },
        "report": {"updateTimestamp": "2026-03-04T06:06:07Z"} | said,
    }


WEAK = {
    "vulnerabilityID": "CVE-2026-0001",
    "resource": "ray",
    "installedVersion": "2.6.3",
    "fixedVersion": "2.8.1",
    "severity": "CRITICAL",
    "score": 9.8,
    "title": "ray: jobs run without a question",
    "target": "Python",
    "packagePURL": "pkg:pypi/ray@2.6.3",
}
IMAGE = {
    "registry": {"server": "index.docker.io"},
    "artifact": {"repository": "library/triage", "tag": "7", "digest": DIGEST},
}


def test_vulnerabilities_are_of_the_image_and_show_who_runs_it() -> None:
    event, scan = told(trivy, report("VulnerabilityReport", vulnerabilities=[WEAK], **IMAGE))
    assert short(event) == ("CVE-2026-0001", "open", "critical", f"image:{DIGEST}")
    assert event.entities[0].name == f"triage@{DIGEST}"
    assert event.time == 1_772_604_367_000_000
    for one in (event, scan):
        (runs,) = one.edges
        assert (runs.from_.key, runs.relation, runs.to.key) == (
            "workload:k8s/shop/triage",
            "runs_image",
            f"image:{DIGEST}",
        )
    assert event.attributes == {
        "vulnerability.id": "CVE-2026-0001",
        "vulnerability.severity": "critical",
        "vulnerability.cvss": 9.8,
        "package.name": "ray",
        "package.version": "2.6.3",
        "package.fixed_version": "2.8.1",
        "package.purl": "pkg:pypi/ray@2.6.3",
        "scan.tool": "trivy-operator/vulnerability",
    }
    assert (scan.status, scan.attributes["scan.findings"]) == ("success", 1)


def test_an_image_without_a_digest_goes_by_its_tag() -> None:
    image = {"registry": {"server": "images.example"}, "artifact": {"repository": "a", "tag": "7"}}
    (scan,) = told(trivy, report("VulnerabilityReport", vulnerabilities=[], **image))
    assert scan.entities[0].key == "image:images.example/a:7"


def test_a_secret_is_not_kept() -> None:
    row = {"ruleID": "aws-key", "category": "AWS", "severity": "HIGH", "match": "obviously-fake"}
    event, _ = told(
        trivy, report("ExposedSecretReport", secrets=[row | {"target": ".env"}], **IMAGE)
    )
    assert (event.class_uid, *short(event)[:3]) == (2006, "aws-key", "open", "high")
    assert found(event).location == ".env"
    assert b"obviously-fake" not in orjson.dumps(event.body())


def test_checks_are_of_the_workload() -> None:
    bad = {"checkID": "KSV014", "title": "Root is writable", "severity": "LOW", "success": False}
    good = {"checkID": "KSV001", "title": "Privileges", "severity": "MEDIUM", "success": True}
    nameless = {"title": "No id", "severity": "HIGH", "success": False}
    events = told(trivy, report("ConfigAuditReport", checks=[bad, good, nameless]))
    assert [short(event) for event in events[:3]] == [
        ("KSV014", "open", "low", "workload:k8s/shop/triage"),
        ("KSV001", "resolved", "medium", "workload:k8s/shop/triage"),
        ("No id", "open", "high", "workload:k8s/shop/triage"),
    ]
    assert events[3].attributes["scan.tool"] == "trivy-operator/configaudit"


def test_a_report_of_a_role_is_of_the_cluster_and_closes_nothing_of_other_roles() -> None:
    row = {"checkID": "KSV041", "severity": "CRITICAL", "success": False}
    (event,) = told(trivy, report("RbacAssessmentReport", "Role", "reader", checks=[row]))
    assert short(event) == ("KSV041", "open", "critical", "account:kubernetes")
    assert found(event).location == "Role/shop/reader"


def compliance(**status: Any) -> list[Event]:  # noqa: ANN401 - JSON
    metadata = {"name": "cis", "creationTimestamp": "2026-03-04T05:06:07Z"}
    said = {"apiVersion": GROUP, "kind": "ClusterComplianceReport", "metadata": metadata}
    return told(trivy, said | {"status": status})


def test_controls_in_detail() -> None:
    bad = {"checkID": "KSV111", "severity": "MEDIUM", "target": "ClusterRoleBinding/x"}
    controls = [
        {"id": "1.1.1", "name": "API server", "severity": "HIGH", "checks": [{"success": True}]},
        {"id": "5.1.1", "name": "Admin", "severity": "HIGH", "checks": [bad | {"success": False}]},
    ]
    passed, failed, scan = compliance(detailReport={"results": controls})
    assert short(passed) == ("1.1.1", "resolved", "high", "account:kubernetes")
    assert short(failed) == ("5.1.1:KSV111", "open", "medium", "account:kubernetes")
    assert failed.attributes["compliance.requirements"] == ["5.1.1"]
    assert scan.attributes["scan.tool"] == "trivy-operator/compliance/cis"


def test_controls_in_short() -> None:
    rows = [
        {"id": "1.0", "name": "Non-root", "severity": "MEDIUM", "totalFail": 3},
        {"id": "1.1", "name": "Immutable", "severity": "LOW", "totalFail": 0},
    ]
    failed, passed, _ = compliance(summaryReport={"controlCheck": rows})
    assert short(failed)[:3] == ("1.0", "open", "medium")
    assert short(passed)[:3] == ("1.1", "resolved", "low")


@pytest.mark.parametrize("listed", [True, False])
def test_lists_of_reports(listed: bool) -> None:  # noqa: FBT001 - a case
    two = [
        report("VulnerabilityReport", vulnerabilities=[WEAK], **IMAGE),
        report("ConfigAuditReport", checks=[]),
    ]
    document = two if listed else {"apiVersion": "v1", "kind": "List", "items": two}
    assert [e.class_uid for e in told(trivy, orjson.dumps(document))] == [2002, 6007, 6007]


@pytest.mark.parametrize("time", ["2021-1-1T10:10:10Z", None, 7])
def test_a_time_that_is_none(time: object) -> None:
    said = report("ConfigAuditReport", checks=[], updateTimestamp=time)
    said["metadata"]["creationTimestamp"] = time
    (scan,) = told(trivy, said)
    assert (scan.time, scan.attributes["time.unknown"]) == (0, True)


def test_an_object_that_is_no_report() -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {}}
    assert refused(trivy, orjson.dumps(pod))[0] == "wrong-shape"


def test_an_audit_of_the_cluster_is_no_report() -> None:
    assert not trivy.sniff(b'{"apiVersion":"audit.k8s.io/v1","x":"' + GROUP.encode() + b'"}')


def test_a_bill_of_materials_in_a_report_is_one_of_cyclonedx() -> None:
    container = {"type": "container", "name": "triage", "purl": f"pkg:oci/triage@{DIGEST}"}
    library = {"type": "library", "name": "ray", "version": "2.6.3"}
    components = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"timestamp": "2026-03-04T05:06:07Z", "component": container},
        "components": [library],
    }
    bill = report("SbomReport", components=components)
    for document in (bill, {"apiVersion": "v1", "kind": "List", "items": [bill]}):
        head = orjson.dumps(document)
        assert (cyclonedx.sniff(head), trivy.sniff(head)) == (True, False)
        image, ray = told(cyclonedx, document)
        assert image.entities[0].key == f"image:{DIGEST}"
        assert ray.attributes["package.name"] == "ray"
    other = orjson.dumps({"items": [bill, report("VulnerabilityReport", vulnerabilities=[WEAK])]})
    assert refused(cyclonedx, other) == (
        "wrong-shape",
        "VulnerabilityReport has no bill of materials",
    )
