from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.event import Event, EventEvidence, Reject, ScanFinding
from schemas.times import rfc3339
from streams.source import Raw, Unreadable
from streams.sources import trivy

DIGEST = "sha256:" + "0" * 64
VULNERABILITY: dict[str, Any] = {
    "VulnerabilityID": "CVE-2026-0001",
    "PkgName": "ray",
    "PkgPath": "app/ray.dist-info",
    "PkgIdentifier": {"PURL": "pkg:pypi/ray@2.6.3"},
    "InstalledVersion": "2.6.3",
    "FixedVersion": "2.8.1",
    "Status": "fixed",
    "Title": "ray: jobs run without a question",
    "Severity": "CRITICAL",
    "CVSS": {"nvd": {"V2Score": 10, "V3Score": 9.8}, "ghsa": {"V3Score": 9.1, "V40Score": 9.3}},
}
FAILED: dict[str, Any] = {
    "ID": "AVD-AWS-0001",
    "Title": "Bucket is public",
    "Severity": "HIGH",
    "Status": "FAIL",
    "CauseMetadata": {"Resource": "module.bucket", "StartLine": 12},
}
SECRET: dict[str, Any] = {
    "RuleID": "aws-access-key-id",
    "Category": "AWS",
    "Title": "AWS Access Key ID",
    "Severity": "UNKNOWN",
    "StartLine": 3,
    "Match": "key = obviously-fake",
    "Code": {"Lines": [{"Content": "key = obviously-fake"}]},
}
LICENSE: dict[str, Any] = {"Name": "GPL-2.0", "PkgName": "musl", "Severity": "LOW", "Category": "r"}


def report(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    base = {
        "SchemaVersion": 2,
        "CreatedAt": "2026-03-04T06:06:07.123456789+01:00",
        "ArtifactName": "images.example/triage:7",
        "ArtifactType": "container_image",
        "Metadata": {"RepoDigests": [f"images.example/triage@{DIGEST}"], "ImageID": "sha256:1"},
        "Results": [{"Target": "Python", "Class": "lang-pkgs", "Vulnerabilities": [VULNERABILITY]}],
    }
    return base | changes


def events(**changes: Any) -> list[Event]:  # noqa: ANN401 - JSON
    found = []
    for raw in trivy.split(orjson.dumps(report(**changes))):
        evidence = EventEvidence(origin="file:x#1", sha256=sha256(raw.data).hexdigest())
        found.append(trivy.event(raw, orjson.loads(raw.data), evidence).event)
    return found


def finding(**rows: Any) -> tuple[Event, ScanFinding]:  # noqa: ANN401 - JSON
    one, _ = events(Results=[{"Target": "a/b", **rows}])
    assert one.finding is not None
    return one, one.finding


def test_a_vulnerability_and_its_scan() -> None:
    found, scan = events()
    assert rfc3339(found.time) == "2026-03-04T05:06:07.123456Z"
    assert (found.class_uid, found.class_name) == (2002, "Vulnerability Finding")
    assert (found.activity, found.severity) == ("Create", "critical")
    assert [one.key for one in found.entities] == [f"image:{DIGEST}"]
    assert found.entities[0].name == f"images.example/triage@{DIGEST}"
    assert found.finding is not None
    assert found.finding.model_dump(exclude={"uid"}) == {
        "title": "ray: jobs run without a question",
        "state": "open",
        "check": None,
        "vulnerability": "CVE-2026-0001",
        "package": "ray",
        "fixed_version": "2.8.1",
        "location": "Python:app/ray.dist-info",
    }
    assert found.attributes == {
        "vulnerability.id": "CVE-2026-0001",
        "vulnerability.severity": "critical",
        "vulnerability.cvss": 9.8,
        "package.name": "ray",
        "package.version": "2.6.3",
        "package.fixed_version": "2.8.1",
        "package.purl": "pkg:pypi/ray@2.6.3",
        "scan.tool": "trivy",
    }
    assert (scan.class_uid, scan.class_name, scan.status) == (6007, "Scan Activity", "success")
    assert scan.attributes == {"scan.tool": "trivy", "scan.findings": 1}
    assert (scan.entities, scan.time) == (found.entities, found.time)


def test_a_failed_check() -> None:
    found, told = finding(Misconfigurations=[FAILED])
    assert (found.class_uid, found.class_name, found.severity) == (
        2003,
        "Compliance Finding",
        "high",
    )
    assert (told.check, told.state, told.location) == (
        "AVD-AWS-0001",
        "open",
        "a/b:module.bucket:12",
    )
    assert found.attributes == {
        "check.id": "AVD-AWS-0001",
        "check.resource": "module.bucket",
        "scan.tool": "trivy",
    }


@pytest.mark.parametrize("status", ["PASS", "EXCEPTION"])
def test_a_passed_check_closes_what_it_opened(status: str) -> None:
    _, opened = finding(Misconfigurations=[FAILED])
    found, closed = finding(Misconfigurations=[FAILED | {"Status": status}])
    assert (closed.state, found.activity, closed.uid) == ("resolved", "Close", opened.uid)


def test_a_secret_is_found_and_not_kept() -> None:
    found, told = finding(Secrets=[SECRET])
    assert (found.class_uid, found.class_name) == (2006, "Data Security Finding")
    assert (found.severity, told.location) == ("informational", "a/b:3")
    assert found.attributes == {
        "secret.rule": "aws-access-key-id",
        "secret.category": "AWS",
        "scan.tool": "trivy",
    }
    assert "obviously-fake" not in orjson.dumps(found.body()).decode()


def test_a_licence() -> None:
    found, told = finding(Licenses=[LICENSE])
    assert (found.class_uid, told.check, told.package) == (2003, "GPL-2.0", "musl")


def test_the_same_row_again_is_the_same_finding_of_another_scan() -> None:
    first, again = events()[0], events(CreatedAt="2026-03-05T00:00:00Z")[0]
    assert first.finding is not None
    assert again.finding is not None
    assert first.finding.uid == again.finding.uid
    assert first.uid != again.uid
    assert events()[0].uid == first.uid


def test_equal_rows_of_two_targets_are_two_findings() -> None:
    rows = {"Vulnerabilities": [VULNERABILITY]}
    one, two, scan = events(Results=[{"Target": "a", **rows}, {"Target": "b", **rows}])
    assert one.evidence.sha256 == two.evidence.sha256
    assert one.uid != two.uid
    assert scan.attributes["scan.findings"] == 2


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"Metadata": None}, "image:images.example/triage:7"),
        ({"Metadata": {"RepoTags": ["a:1"]}, "ArtifactName": ""}, "image:a:1"),
        ({"Metadata": {"ImageID": "sha256:1"}, "ArtifactName": ""}, "image:sha256:1"),
        ({"ArtifactType": "filesystem", "ArtifactName": "src"}, "repo:src"),
        (
            {"ArtifactType": "repository", "ArtifactName": "https://git.example/a"},
            "repo:git.example/a",
        ),
        ({"ArtifactType": "vm", "ArtifactName": "ami-1"}, "host:ami-1"),
    ],
)
def test_what_was_scanned(changes: dict[str, Any], key: str) -> None:
    assert events(**changes)[0].entities[0].key == key


@pytest.mark.parametrize("results", [None, [], [{"Target": "clean", "Vulnerabilities": None}]])
def test_a_scan_that_finds_nothing_is_still_a_scan(results: object) -> None:
    (scan,) = events(Results=results)
    assert scan.attributes["scan.findings"] == 0


@pytest.mark.parametrize(
    ("scores", "highest"),
    [
        ({"a": {"V2Score": 7.8}}, 7.8),
        ({"a": {"V2Score": 10}, "b": {"V3Score": 5.1}}, 5.1),
        ({"a": {"V3Score": "9.8"}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_score(scores: object, highest: float | None) -> None:
    found, _ = finding(Vulnerabilities=[VULNERABILITY | {"CVSS": scores}])
    assert found.attributes.get("vulnerability.cvss") == highest


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"CreatedAt": "0001-01-01T00:00:00Z"}, "bad-time"),
        ({"CreatedAt": None}, "wrong-shape"),
        ({"SchemaVersion": 1}, "wrong-shape"),
        ({"SchemaVersion": "2"}, "wrong-shape"),
        ({"Results": 7}, "wrong-shape"),
        ({"ArtifactName": " ", "Metadata": None}, "wrong-shape"),
    ],
)
def test_what_is_no_report(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable) as error:
        events(**changes)
    assert error.value.reason == reason


@pytest.mark.parametrize("row", [{}, {"VulnerabilityID": " "}, 7])
def test_what_is_no_finding(row: object) -> None:
    with pytest.raises(Unreadable) as error:
        finding(Vulnerabilities=[row])
    assert error.value.reason == "wrong-shape"


def test_a_finding_outside_a_report_is_none() -> None:
    with pytest.raises(Unreadable):
        trivy.event(Raw(b"{}"), {}, EventEvidence(origin="x", sha256="00"))


def test_records_are_exact_slices_and_the_report_itself() -> None:
    document = (
        b'{"SchemaVersion":2,"CreatedAt":"2026-03-04T05:06:07Z","ArtifactName":"a",\n'
        b' "Results":[{"Target":"t","Secrets":[ {"RuleID" : "r"} ]}]}'
    )
    assert [raw.data for raw in trivy.split(document)] == [b'{"RuleID" : "r"}', document]


@pytest.mark.parametrize(
    ("head", "known"),
    [
        (orjson.dumps(report(), option=orjson.OPT_INDENT_2), True),
        (orjson.dumps(report(), option=orjson.OPT_SORT_KEYS), True),
        (b'{"ArtifactName":"a"}', False),
        (b"null", False),
    ],
)
def test_sniff(head: bytes, known: bool) -> None:  # noqa: FBT001 - a case
    assert trivy.sniff(head) is known


@given(data=st.data())
def test_no_damage_is_a_crash(data: st.DataObject, read: Any, damaged: Any) -> None:  # noqa: ANN401
    result = {
        "Target": "t",
        "Misconfigurations": [FAILED],
        "Secrets": [SECRET],
        "Licenses": [LICENSE],
    }
    whole = report(Results=[{"Target": "t", "Vulnerabilities": [VULNERABILITY]}, result])
    read(trivy, damaged(data, whole))


@given(st.binary(max_size=200))
def test_no_bytes_are_a_crash(read: Any, document: bytes) -> None:  # noqa: ANN401
    trivy.sniff(document)
    read(trivy, document)


def test_a_bad_row_does_not_spoil_the_others(read: Any) -> None:  # noqa: ANN401
    rows = {"Target": "t", "Vulnerabilities": [{}, VULNERABILITY]}
    bad, good, scan = read(trivy, orjson.dumps(report(Results=[rows])))
    assert isinstance(bad.result, Reject)
    assert good.result.event.finding.vulnerability == "CVE-2026-0001"
    assert scan.result.event.evidence.origin == "file:x#3"


def test_a_report_that_does_not_say_when_holds_from_the_beginning() -> None:
    first = events(CreatedAt="")[0]
    assert (first.time, first.attributes["time.unknown"]) == (0, True)


def told(document: bytes) -> list[Event]:
    return [
        trivy.event(raw, orjson.loads(raw.data), EventEvidence(origin="x", sha256="00")).event
        for raw in trivy.split(document)
    ]


def test_the_bare_list_of_old_versions() -> None:
    result = {"Target": "images.example/a:7 (debian 12)", "Vulnerabilities": [VULNERABILITY]}
    document = orjson.dumps([result, {"Target": "app/uv.lock", "Vulnerabilities": None}])
    assert trivy.sniff(document)
    found, scan = told(document)
    assert [one.entities[0].key for one in (found, scan)] == ["image:images.example/a:7"] * 2
    assert (scan.time, scan.attributes["scan.findings"]) == (0, 1)


@pytest.mark.parametrize("document", [b"null", b"[]"])
def test_what_old_versions_wrote_of_nothing(document: bytes) -> None:
    assert told(document) == []


def test_a_cluster() -> None:
    def resource(name: str, **rows: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        result = {"Target": "t", **rows}
        return {"Namespace": "shop", "Kind": "Deployment", "Name": name, "Results": [result]}

    document = orjson.dumps(
        {
            "ClusterName": "lab",
            "Vulnerabilities": [resource("a", Vulnerabilities=[VULNERABILITY])],
            "Misconfigurations": [resource("a", Misconfigurations=[FAILED]), resource("b")],
        }
    )
    assert trivy.sniff(document)
    *found, first, second = told(document)
    assert [one.entities[0].key for one in found] == ["workload:k8s/shop/a"] * 2
    assert [(one.entities[0].id, one.attributes["scan.findings"]) for one in (first, second)] == [
        ("k8s/shop/a", 2),
        ("k8s/shop/b", 0),
    ]


def test_parts_of_a_cluster_are_no_workloads() -> None:
    """Each is a scan of its own: a report of some namespaces says nothing of the others."""
    reader = {"Kind": "Role", "Namespace": "shop", "Name": "reader", "Results": []}
    admin = {"Kind": "ClusterRole", "Name": "admin"}
    rows = [{"Target": "ClusterRole/admin", "Misconfigurations": [FAILED]}]
    document = orjson.dumps(
        {"ClusterName": "lab", "Resources": [admin | {"Results": rows}, reader]}
    )
    found, *scans = told(document)
    assert found.entities[0].key == "account:kubernetes"
    assert [(one.attributes["scan.tool"], one.entities[0].key) for one in scans] == [
        ("trivy ClusterRole/admin", "account:kubernetes"),
        ("trivy Role/shop/reader", "account:kubernetes"),
    ]


@pytest.mark.parametrize(
    ("name", "tool"),
    [(".", "trivy"), ("services/rag", "trivy services/rag"), ("/src", "trivy /src")],
)
def test_a_folder_of_a_repository_that_is_known(name: str, tool: str) -> None:
    """A scan of one folder closes nothing of the others."""
    address = {"RepoURL": "https://git.example/Team/Rag.git"}
    found, scan = events(ArtifactType="filesystem", ArtifactName=name, Metadata=address)
    assert found.entities[0].key == scan.entities[0].key == "repo:git.example/team/rag"
    assert found.attributes["scan.tool"] == scan.attributes["scan.tool"] == tool


def test_other_names_of_a_vulnerability() -> None:
    row = VULNERABILITY | {"VulnerabilityID": "GHSA-aaaa-bbbb-cccc", "VendorIDs": ["CVE-2026-0009"]}
    found, told_ = finding(Vulnerabilities=[row])
    assert told_.vulnerability == "CVE-2026-0009"
    assert found.attributes["vulnerability.aliases"] == ["GHSA-aaaa-bbbb-cccc"]


def test_what_was_set_aside_is_closed() -> None:
    modified = [
        {"Type": "vulnerability", "Status": "not_affected", "Finding": VULNERABILITY},
        {"Type": "unknown", "Status": "ignored", "Finding": {}},
        {"Type": "secret"},
    ]
    closed, _ = events(Results=[{"Target": "t", "ExperimentalModifiedFindings": modified}])
    assert closed.finding is not None
    assert (closed.finding.vulnerability, closed.finding.state) == ("CVE-2026-0001", "resolved")
