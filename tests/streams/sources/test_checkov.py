from typing import Any

import orjson
import pytest

from streams.sources import checkov
from tests.streams.sources.reports import found, refused, short, told

PUBLIC: dict[str, Any] = {
    "check_id": "CKV_AWS_20",
    "check_name": "Ensure that no bucket is public",
    "check_result": {"result": "FAILED"},
    "code_block": [[3, "obviously-fake"]],
    "file_path": "/main.tf",
    "repo_file_path": "/infra/main.tf",
    "file_line_range": [3, 9],
    "resource": "aws_s3_bucket.data",
    "severity": "HIGH",
}
TAGGED = PUBLIC | {"entity_tags": {"git_org": "Example", "git_repo": "infra"}}


def report(kind: str = "terraform", /, **results: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    none: dict[str, Any] = {"passed_checks": [], "failed_checks": [], "skipped_checks": []}
    return {"check_type": kind, "results": none | results, "summary": {}}


def test_a_failed_check() -> None:
    (event,) = told(checkov, report(failed_checks=[PUBLIC]))
    assert short(event) == ("CKV_AWS_20", "open", "high", "repo:unnamed")
    assert (event.class_uid, event.time) == (2003, 0)
    assert found(event).location == "/infra/main.tf:aws_s3_bucket.data:3"
    assert event.attributes == {
        "check.id": "CKV_AWS_20",
        "check.resource": "aws_s3_bucket.data",
        "check.category": "terraform",
        "scan.tool": "checkov",
        "time.unknown": True,
    }
    assert "obviously-fake" not in orjson.dumps(event.body()).decode()


@pytest.mark.parametrize("state", ["passed_checks", "skipped_checks"])
def test_a_check_that_passed_or_was_skipped_closes(state: str) -> None:
    (opened,) = told(checkov, report(failed_checks=[PUBLIC]))
    (closed,) = told(checkov, report(**{state: [PUBLIC]}))
    assert found(closed).state == "resolved"
    assert found(closed).uid == found(opened).uid


def test_several_types_and_a_repository_by_the_tags_of_one_resource() -> None:
    package = PUBLIC | {
        "check_id": "CKV_CVE_2026_0001",
        "vulnerability_details": {
            "id": "CVE-2026-0001",
            "severity": "critical",
            "package_name": "ray",
            "package_version": "2.6.3",
            "lowest_fixed_version": "2.8.1",
            "cvss": 9.8,
        },
    }
    secret = PUBLIC | {"check_id": "CKV_SECRET_2", "resource": "0" * 40, "severity": None}
    reports = [
        report(failed_checks=[TAGGED]),
        report("sca_package", failed_checks=[package]),
        report("secrets", failed_checks=[secret]),
    ]
    events = told(checkov, orjson.dumps(reports))
    assert [short(event) for event in events[:3]] == [
        ("CKV_AWS_20", "open", "high", "repo:example/infra"),
        ("CVE-2026-0001", "open", "critical", "repo:example/infra"),
        ("CKV_SECRET_2", "open", "medium", "repo:example/infra"),
    ]
    assert [event.class_uid for event in events] == [2003, 2002, 2006, 6007]
    assert found(events[1]).fixed_version == "2.8.1"
    assert "0" * 40 not in orjson.dumps(events[2].body()).decode()
    assert (events[3].status, events[3].attributes["scan.findings"]) == ("success", 3)


def test_what_could_not_be_parsed_was_not_checked() -> None:
    (scan,) = told(checkov, report(parsing_errors=["/broken.tf"]))
    assert (scan.status, scan.activity) == ("failure", "Error")


def test_a_run_that_had_nothing_to_check() -> None:
    bare = {"passed": 0, "failed": 0, "resource_count": 0, "checkov_version": "3.2.1"}
    assert told(checkov, bare) == []


@pytest.mark.parametrize(
    "document", [{"check_type": "x"}, {"results": 7}, report(failed_checks=[{}]), [7]]
)
def test_what_is_no_report(document: object) -> None:
    assert refused(checkov, orjson.dumps(document))[0] == "wrong-shape"
