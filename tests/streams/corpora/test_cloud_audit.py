"""Third-party samples of cloud audit logs: all are read or refused for a reason; some, exactly.

Rule tests hold what a rule looks at, often no time and no kind: those that are whole are parsed.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.config import Limits
from schemas.event import Event, Reject
from schemas.times import rfc3339
from streams.reading import Reader
from streams.source import named, sources

Log = dict[str, Any]
TIME = "2026-03-04T05:06:07Z"


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "corpora/cloudtrail/vendor-rule-tests/rule-tests"


def logs(path: Path) -> list[Log]:
    return [orjson.loads(line)["log"] for line in path.read_bytes().splitlines()]


def read(log: Log, source: str) -> Event | str:
    """The Event of a record, or the reason why there is none."""
    (outcome,) = Reader(named(source), "file:x", Limits()).read(orjson.dumps(log), 0)
    result = outcome.result
    if isinstance(result, Reject):
        assert result.detail
        return result.reason
    return result.event


def counted(found: list[Event | str]) -> Counter[str]:
    return Counter("parsed" if isinstance(one, Event) else one for one in found)


def told(found: Event | str) -> tuple[object, ...]:
    """Who did what from where, when, how it ended and what it was about."""
    assert isinstance(found, Event)
    actor = found.actor.id if found.actor else None
    address = found.client.ip if found.client else None
    first = found.entities[0].key if found.entities else None
    return rfc3339(found.time), actor, found.activity, address, found.status, first


def test_no_record_is_of_two_sources(folder: Path) -> None:
    for name in ("GCP.AuditLog", "Azure.Audit", "Azure.MonitorActivity", "Amazon.EKS.Audit"):
        for log in logs(folder / f"{name}.jsonl"):
            head = orjson.dumps(log)
            assert len([one.NAME for one in sources().values() if one.sniff(head)]) <= 1


def test_google_cloud(folder: Path) -> None:
    found = [read(log, "gcp_audit") for log in logs(folder / "GCP.AuditLog.jsonl")]
    assert counted(found) == {"parsed": 54, "no-time": 5, "wrong-shape": 9}
    assert told(found[1]) == (
        "2023-03-09T16:28:40.890430Z",
        "user1@serviceaccount.gcp.com",
        "google.storage.objects.get",
        "1.2.3.4",
        "failure",
        "principal:user1@serviceaccount.gcp.com",
    )
    assert told(found[30]) == (
        "2020-05-15T04:28:42.237027Z",
        "user.name@runpanther.io",
        "storage.setIamPermissions",
        "136.24.229.58",
        "success",
        "datastore:gcs/jacks-test-bucket",
    )
    assert told(found[51]) == (
        "2024-01-25T13:28:18.961519Z",
        "some.user@some-project.com",
        "google.api.apikeys.v2.ApiKeys.CreateKey",
        "189.163.74.177",
        "failure",
        "apikey:bf67db25-d748-4335-ae08-7f0e65fnfy02",
    )


def test_entra(folder: Path) -> None:
    found = [read(log, "entra") for log in logs(folder / "Azure.Audit.jsonl")]
    assert counted(found) == {"parsed": 17}
    assert told(found[0]) == (
        "2025-01-15T09:30:45.123000Z",
        "aragorn@lotr.com",
        "Logon",
        "2.2.2.2",
        "success",
        "principal:aragorn@lotr.com",
    )
    assert told(found[6]) == (
        "2023-07-26T23:00:20.889000Z",
        "b1c34143-e405-4058-8e29-84596ad737b8",
        "Logon",
        "12.12.12.12",
        "failure",
        "principal:b1c34143-e405-4058-8e29-84596ad737b8",
    )
    assert told(found[13]) == (
        "2025-01-15T09:30:20.123000Z",
        "frodo@lotr.com",
        "Add service principal credentials",
        "2.2.2.2",
        "success",
        "principal:sp-app-456",
    )


def test_azure(folder: Path) -> None:
    rows = logs(folder / "Azure.MonitorActivity.jsonl")
    activities = [read(log, "azure_activity") for log in rows]
    assert counted(activities) == {"parsed": 85, "wrong-shape": 11}
    assert told(activities[66]) == (
        "2024-12-17T10:30:00.000000Z",
        "denethor@lotr.com",
        "Microsoft.Storage/storageAccounts/blobServices/write",
        "1.1.1.1",
        "success",
        "datastore:azure/mystorageaccount",
    )
    resources = [
        read(log, "azure_diagnostics")
        for log, one in zip(rows, activities, strict=True)
        if isinstance(one, str)
    ]
    assert counted(resources) == {"parsed": 6, "wrong-shape": 5}  # these name no resource
    assert told(resources[3]) == (
        "2024-12-19T19:15:07.295000Z",
        None,
        "GetBlobMetadata",
        "1.1.1.1",
        "failure",
        "datastore:azure/mystorageaccount",
    )


def of_kubernetes(rows: list[Log]) -> Iterator[Log]:
    """Those of EKS and AKS; a few are rows of other products altogether."""
    return (
        log
        for log in rows
        if "protoPayload" not in log
        and log.get("category") != "Administrative"
        and log["p_log_type"] in {"Amazon.EKS.Audit", "Azure.MonitorActivity"}
    )


def test_kubernetes(folder: Path) -> None:
    rows = list(of_kubernetes(logs(folder / "Amazon.EKS.Audit.jsonl")))
    assert len(rows) == 103
    found = [read(log, "kubernetes_audit") for log in rows]
    assert counted(found) == {"parsed": 9, "no-time": 89, "wrong-shape": 5}
    assert told(found[0]) == (
        "2022-11-29T00:09:04.392000Z",
        "arn:aws:iam::123412341234:role/DevAdministrator",
        "get pods/log",
        "5.5.5.5",
        "success",
        "workload:k8s/default/kube-bench",
    )
    assert told(found[6]) == (
        "2025-08-26T17:40:49.330617Z",
        "system:node:ip-192-168-3-178.us-west-2.compute.internal",
        "create serviceaccounts/token",
        "54.212.83.236",
        "success",
        "principal:system:serviceaccount:kube-system:kube-proxy",
    )


def test_kubernetes_with_a_time(folder: Path) -> None:
    """Were these records dated, each would tell what stands in it."""
    for log in of_kubernetes(logs(folder / "Amazon.EKS.Audit.jsonl")):
        call = orjson.loads(log["properties"]["log"]) if "properties" in log else log
        found = read(call | {"stageTimestamp": TIME}, "kubernetes_audit")
        if isinstance(found, str):
            assert "verb" not in call or not ({"objectRef", "requestURI"} & call.keys())
            continue
        code = call.get("responseStatus", {}).get("code")
        assert found.activity.split()[0] == call["verb"]
        assert (found.status == "failure") is (code is not None and code >= 400)
        assert (found.client.ip if found.client else None) == next(
            iter(call.get("sourceIPs", [])), None
        )
        asked = orjson.dumps(call.get("requestObject")).decode()
        images = set(re.findall(r'"image":"([^"]+)"', asked))
        assert {one.name for one in found.entities if one.kind == "image"} == images


def test_kubernetes_of_gke(folder: Path) -> None:
    rows = [log for log in logs(folder / "Amazon.EKS.Audit.jsonl") if "protoPayload" in log]
    found = [read(log | {"timestamp": TIME}, "gcp_audit") for log in rows]
    assert counted(found) == {"parsed": 18}
    for log, one in zip(rows, found, strict=True):
        call = log["protoPayload"]
        assert isinstance(one, Event)
        assert one.activity == call["methodName"]
        assert (one.actor.id if one.actor else None) == call["authenticationInfo"].get(
            "principalEmail"
        )
