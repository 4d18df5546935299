"""OCSF of controls: a golden event, and any answer valid by the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ocsf_models.events.findings.compliance_finding import (  # type: ignore[import-untyped]
    ComplianceFinding,
)

from schemas.canonical import digest
from schemas.event import LEVELS
from schemas.framework import STATUSES
from schemas.times import parse
from sinks.formats.ocsf import product
from sinks.formats.ocsf_controls import control_finding
from tests.sinks.alerts import NOON
from tests.sinks.formats.bodies import TEXTS
from tests.sinks.formats.ocsf_schema import Schema

AT = parse(NOON)
BODY: dict[str, Any] = {
    "id": "ours/A1/application:shop",
    "framework": "ours",
    "framework_title": "Our list",
    "framework_version": "2",
    "control": "A1",
    "title": "Images",
    "url": "https://standard.example/",
    "scope": "application:shop",
    "status": "fail",
    "assessed_at": NOON,
    "severity": "high",
    "count": 1,
    "reason": "not met",
    "rationale": "Because.",
    "criteria": [{"criterion": "c", "scope": "application:shop", "status": "fail"}],
    "body_sha256": "0" * 64,
}
FACT = {"what": "fact", "id": "f1", "text": "A credential", "time": NOON, "events": ["e1", "e1"]}
UID = digest("control", "ours", "A1", "application:shop")
GOLDEN: dict[str, Any] = {
    "activity_id": 1,
    "activity_name": "Create",
    "category_name": "Findings",
    "category_uid": 2,
    "class_name": "Compliance Finding",
    "class_uid": 2003,
    "compliance": {
        "control": "A1",
        "desc": "Because.",
        "requirements": ["A1 Images"],
        "standards": ["Our list 2"],
        "status": "Fail",
        "status_details": ["not met"],
        "status_id": 3,
    },
    "finding_info": {
        "created_time": AT // 1000,
        "desc": "not met",
        "modified_time": AT // 1000,
        "related_events": [
            {"desc": "A credential", "first_seen_time": AT // 1000, "uid": "e1"},
        ],
        "related_events_count": 1,
        "src_url": "https://standard.example/",
        "title": "A1 Images",
        "types": ["Control"],
        "uid": UID,
    },
    "message": "Fail: A1 Images",
    "metadata": {
        "event_code": "ours/A1",
        "log_name": "controls",
        "log_provider": "barograph",
        "log_version": "1",
        "original_event_uid": "ours/A1/application:shop",
        "product": product(),
        "uid": digest(UID, "0" * 64, "fail", AT),
        "version": "1.8.0",
    },
    "resources": [
        {"name": "shop", "role": "Target", "role_id": 1, "type": "application", "uid": "shop"}
    ],
    "severity": "High",
    "severity_id": 4,
    "status": "New",
    "status_detail": "fail",
    "status_id": 1,
    "time": AT // 1000,
    "type_name": "Compliance Finding: Create",
    "type_uid": 200301,
    "unmapped": {
        "body_sha256": "0" * 64,
        "criteria": BODY["criteria"],
        "scope": "application:shop",
    },
}


@pytest.fixture(scope="module")
def schema(shared: Path) -> Schema:
    return Schema(shared / "corpora" / "standards" / "ocsf")


def test_a_control_that_fails() -> None:
    assert control_finding(BODY, "fail", "not met", AT, [FACT]) == GOLDEN


def test_a_pass_closes_the_same_finding_and_what_is_stale_is_no_status_of_ocsf() -> None:
    passed = control_finding(BODY, "pass", "met", AT, [])
    assert (passed["type_uid"], passed["status_id"], passed["severity_id"]) == (200303, 4, 1)
    assert passed["compliance"]["status_id"] == 1
    assert passed["finding_info"]["uid"] == UID
    stale = control_finding(BODY, "not_assessed", "not heard", AT, [])
    assert (stale["compliance"]["status_id"], stale["compliance"]["status"]) == (99, "Not assessed")
    assert (stale["status_id"], stale["severity_id"]) == (0, 1)


def test_the_estate_is_no_resource() -> None:
    assert "resources" not in control_finding(BODY | {"scope": "estate"}, "pass", "met", AT, [])


@settings(deadline=None)
@given(
    st.sampled_from(STATUSES),
    st.fixed_dictionaries(
        dict.fromkeys(("control", "title", "rationale", "framework_title"), TEXTS)
        | {"severity": st.sampled_from(LEVELS)},
        optional={"missing": st.lists(TEXTS)},
    ),
    TEXTS,
)
def test_any_answer_is_valid(
    schema: Schema, status: str, more: dict[str, Any], reason: str
) -> None:
    event = control_finding(BODY | more, status, reason, AT, [FACT])
    assert list(schema.problems(event)) == []
    ComplianceFinding.model_validate(event)
