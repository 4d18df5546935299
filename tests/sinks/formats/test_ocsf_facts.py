"""OCSF of facts: what scanners found is valid by the schema, and each id in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ocsf_models.events.findings.compliance_finding import (  # type: ignore[import-untyped]
    ComplianceFinding,
)

from schemas.entity import KINDS
from schemas.finding import State
from schemas.rows import Result
from sinks.formats.ocsf import product
from sinks.formats.ocsf_facts import class_of, fact_finding
from tests.sinks.alerts import EVIDENCE, LATER, NOON
from tests.sinks.formats.bodies import EVIDENCE as SOME_EVIDENCE
from tests.sinks.formats.bodies import TEXTS, TIMES
from tests.sinks.formats.ocsf_schema import Schema

IMAGE = "sha256:" + "0" * 64


def fact(as_: State = "final", **more: Any) -> Result:  # noqa: ANN401 - fields
    body = {
        "entity": f"image:{IMAGE}",
        "name": "finding",
        "instance": "1" * 32,
        "state": "open",
        "since": NOON,
        "severity": "high",
        "confidence": 0.8,
        "title": "A weakness of tar",
        "tool": "trivy",
        "evidence": EVIDENCE,
    }
    return Result("fact", "f1", 0, as_, body | more)


@pytest.fixture(scope="module")
def schema(shared: Path) -> Schema:
    return Schema(shared / "corpora" / "standards" / "ocsf")


GOLDEN: dict[str, Any] = {
    "activity_id": 1,
    "activity_name": "Create",
    "category_name": "Findings",
    "category_uid": 2,
    "class_name": "Vulnerability Finding",
    "class_uid": 2002,
    "confidence": "High",
    "confidence_id": 3,
    "confidence_score": 80,
    "finding_info": {
        "created_time": 1767268800000,
        "data_sources": ["trivy"],
        "first_seen_time": 1767268800000,
        "modified_time": 1767268800000,
        "related_events": [{"uid": "e" * 64}],
        "related_events_count": 1,
        "title": "A weakness of tar",
        "types": ["Vulnerability"],
        "uid": "f1",
    },
    "message": "A weakness of tar",
    "metadata": {
        "event_code": "CVE-2099-00001",
        "log_name": "facts",
        "log_provider": "barograph",
        "log_version": "1",
        "original_event_uid": "e" * 64,
        "product": product(),
        "uid": "f1-open",
        "version": "1.8.0",
    },
    "observables": [
        {"name": "resources[0].uid", "type": "Resource UID", "type_id": 10, "value": IMAGE}
    ],
    "resources": [{"name": IMAGE, "role": "Affected", "role_id": 3, "type": "image", "uid": IMAGE}],
    "severity": "High",
    "severity_id": 4,
    "start_time": 1767268800000,
    "status": "New",
    "status_detail": "open",
    "status_id": 1,
    "time": 1767268800000,
    "type_name": "Vulnerability Finding: Create",
    "type_uid": 200201,
    "unmapped": {
        "fixed_version": "2.8.1",
        "instance": "1" * 32,
        "package": "tar",
        "tool": "trivy",
    },
    "vulnerabilities": [
        {
            "cve": {"uid": "CVE-2099-00001"},
            "first_seen_time": 1767268800000,
            "is_fix_available": True,
            "remediation": {"desc": "Update tar to 2.8.1"},
            "severity": "High",
            "title": "A weakness of tar",
        }
    ],
}


def test_a_vulnerability_is_said_whole() -> None:
    one = fact(vulnerability="CVE-2099-00001", package="tar", fixed_version="2.8.1")
    assert class_of(one) == 2002
    assert fact_finding(one, 2002) == GOLDEN


def test_an_id_that_is_no_cve_is_that_of_an_advisory() -> None:
    (told,) = fact_finding(fact(vulnerability="GHSA-xxxx"), 2002)["vulnerabilities"]
    assert (told["advisory"], told["is_fix_available"]) == ({"uid": "GHSA-xxxx"}, False)


@pytest.mark.parametrize(
    ("said", "activity", "status", "verdict"),
    [
        ({}, "Create", "New", "Fail"),
        ({"state": "resolved", "until": LATER}, "Close", "Resolved", "Pass"),
    ],
)
def test_a_check_passes_when_it_is_over(
    said: dict[str, Any], activity: str, status: str, verdict: str
) -> None:
    one = fact("final", check="AVD-AWS-0034", **said)
    assert class_of(one) == 2003
    event = fact_finding(one, 2003)
    assert (event["activity_name"], event["status"]) == (activity, status)
    assert event["compliance"]["status"] == verdict
    assert event["compliance"]["control"] == "AVD-AWS-0034"
    assert event["time"] == (1767274200250 if "until" in said else 1767268800000)
    ComplianceFinding.model_validate(event)


def test_other_facts_are_no_findings() -> None:
    assert class_of(fact(name="asset.data")) is None
    assert class_of(fact()) is None


@pytest.mark.parametrize("state", ["provisional", "settled", "withdrawn"])
def test_what_may_still_change_is_not_said(state: State) -> None:
    assert class_of(fact(state, check="AVD-AWS-0034")) is None


FACTS = st.builds(
    fact,
    entity=st.builds("{}:{}".format, st.sampled_from(KINDS), TEXTS),
    state=st.sampled_from(["open", "resolved"]),
    instance=TEXTS,
    title=TEXTS,
    tool=st.one_of(TEXTS, st.just("")),
    confidence=st.floats(0, 1),
    since=TIMES,
    until=st.one_of(st.none(), TIMES),
    evidence=SOME_EVIDENCE,
    package=st.one_of(st.none(), TEXTS),
    fixed_version=st.one_of(st.none(), TEXTS),
    location=st.one_of(st.none(), TEXTS),
    vulnerability=st.one_of(st.none(), TEXTS, st.just("CVE-2099-00001")),
    check=TEXTS,
)


def test_the_schema_finds_nothing(schema: Schema) -> None:
    assert schema.problems(GOLDEN) == []

    @given(FACTS)
    @settings(max_examples=50)
    def found(one: Result) -> None:
        class_uid = class_of(one)
        assert class_uid is not None
        event = fact_finding(one, class_uid)
        assert schema.problems(event) == []
        assert orjson.loads(orjson.dumps(event)) == event

    found()
