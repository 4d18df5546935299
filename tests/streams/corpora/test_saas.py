"""Third-party samples of AI and SaaS audit logs and of what clouds hold for findings."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from schemas.canonical import canonical
from schemas.config import Limits
from schemas.event import Event, Reject
from schemas.times import rfc3339
from streams.reading import Reader, outcomes
from streams.source import Parsed, named
from tests.streams.sources.parsed import keys, said

RULE_TESTS = "corpora/cloudtrail/vendor-rule-tests/rule-tests"
CLAUDE = "corpora/ai-telemetry/splunk-bedrock-claude"


def read(path: Path) -> list[Parsed]:
    """Return what each record of a file says, by whichever source knows it."""
    found = []
    for result, _ in outcomes(str(path), Limits()):
        assert not isinstance(result, Reject), result
        found.append(result)
    return found


def logs(shared: Path, name: str) -> list[bytes]:
    lines = (shared / RULE_TESTS / f"{name}.jsonl").read_bytes().splitlines()
    return [orjson.dumps(orjson.loads(line)["log"]) for line in lines]


def events(shared: Path, source: str, name: str) -> list[Event]:
    """Return the Events of the logs of rule tests, each of which that source must know."""
    reader, found = Reader(named(source), "file:x", Limits()), []
    for log in logs(shared, name):
        assert named(source).sniff(log)
        (outcome,) = reader.read(log, 0)
        assert not isinstance(outcome.result, Reject), outcome.result
        found.append(outcome.result.event)
    return found


def actor(event: Event) -> str | None:
    return event.actor.key if event.actor else None


def test_invocations_of_coding_agents(shared: Path) -> None:
    """Each of them tells its session, and the person whom the role session names."""
    found = [one for path in sorted((shared / CLAUDE).glob("*.ndjson")) for one in read(path)]
    assert len(found) == 30
    links = Counter(one.event.attributes["identity.link"] for one in found)
    assert links == {"role_session": 30}
    people = {key for one in found for key in keys(one.event) if key.endswith("@foo.com")}
    assert len([key for key in people if key.startswith("principal:")]) == 14
    assert all(one.event.attributes.get("gen_ai.conversation.id") for one in found)
    assert sum(one.event.attributes["gen_ai.usage.input_tokens"] for one in found) == 5_029
    assert sum(one.event.attributes["gen_ai.usage.output_tokens"] for one in found) == 591
    for event, private in found:
        stored = canonical(event.body()).decode()
        texts = (str(value) for value in private.values())
        assert not [text for text in texts if len(text) > 60 and text in stored]


def test_one_invocation_by_hand(shared: Path) -> None:
    path = shared / CLAUDE / "aws_bedrock_claude_cross_region_possible_inference_abuse.ndjson"
    event = read(path)[0].event
    assert (event.uid, rfc3339(event.time)) == (
        "efc2f2be-fd1c-4def-9544-c4ee2684e673",
        "2026-05-07T19:43:51.000000Z",
    )
    assert (event.activity, event.status, event.client) == (
        "InvokeModelWithResponseStream",
        "success",
        None,
    )
    assert actor(event) == "principal:arn:aws:iam::387769110234:role/bedrock-inference-role"
    assert keys(event)[:2] == [
        "model:application-inference-profile/9tr38q319pda",
        "session:6410ddbe-4a76-4d6a-87b4-a2e5e2d3b853",
    ]
    assert event.attributes["gen_ai.response.model"] == "claude-haiku-4-5-20251001"
    assert event.attributes["gen_ai.usage.output_tokens"] == 31


def test_verdicts_of_guardrails(shared: Path) -> None:
    found = events(shared, "bedrock_invocation", "AWS.BedrockModelInvocation")
    words = ("guardrail.verdict", "guardrail.category")
    assert [tuple(one.attributes.get(word) for word in words) for one in found] == [
        (None, None),
        (None, None),
        ("deny", None),
        ("deny", "violence"),
    ]


def test_openai(shared: Path) -> None:
    found = events(shared, "openai", "OpenAI.Audit")
    assert Counter((one.activity, one.status) for one in found) == {
        ("api_key.created", "success"): 1,
        ("ip_allowlist.config.activated", "success"): 1,
        ("ip_allowlist.config.deactivated", "success"): 1,
        ("ip_allowlist.created", "success"): 1,
        ("ip_allowlist.deleted", "success"): 1,
        ("ip_allowlist.updated", "success"): 1,
        ("login.failed", "failure"): 4,
        ("login.succeeded", "success"): 6,
        ("role.assignment.created", "success"): 5,
        ("role.assignment.deleted", "success"): 1,
        ("scim.disabled", "success"): 2,
        ("scim.enabled", "success"): 1,
    }
    first, key = found[0], found[23]
    assert (rfc3339(first.time), actor(first)) == (
        "2023-12-18T00:00:00.000000Z",
        "principal:admin@company.com",
    )
    assert first.client is not None
    assert (first.client.ip, first.client.user_agent) == ("203.0.113.100", "Mozilla/5.0")
    assert keys(first)[:2] == ["principal:user-newadmin456", "account:org-abc123"]
    assert first.attributes["openai.role"] == "role-api-organization-owner"
    assert [said(one) for one in key.edges] == [
        "principal:sa-automation001 owns apikey:key-service001"
    ]


def test_anthropic(shared: Path) -> None:
    found = events(shared, "anthropic", "Anthropic.Activity")
    assert len(found) == 22
    assert Counter(one.status for one in found) == {"success": 19, "failure": 3}
    assert Counter(one.class_name for one in found) == {"API Activity": 19, "Authentication": 3}
    deleted = found[12]
    assert (deleted.uid, rfc3339(deleted.time), deleted.activity) == (
        "activity_01ABC123",
        "2026-05-05T21:46:28.000000Z",
        "mcp_server_deleted",
    )
    assert actor(deleted) == "principal:admin@example.com"
    assert deleted.client is not None
    assert deleted.client.ip == "10.0.0.1"
    assert [said(one) for one in deleted.edges] == [
        "account:org_01XYZ uses mcp_server:mcpsrv_01ABC ended"
    ]
    assert deleted.entities[0].name == "Snowflake"


def test_unified_audit_log(shared: Path) -> None:
    reader = Reader(named("copilot"), "file:x", Limits())
    found = []
    for log in logs(shared, "Microsoft365.Audit.AzureActiveDirectory"):
        (outcome,) = reader.read(log, 0)
        assert not isinstance(outcome.result, Reject), outcome.result
        found.append(outcome.result.event)
    assert [(one.activity, one.status, one.client.ip if one.client else None) for one in found] == [
        ("UserLoginFailed", "failure", "1.2.3.4"),
        ("UserLoggedIn", "success", "1.2.3.4"),
        ("Update user.", "success", None),
        ("Update user.", "success", None),
    ]
    assert actor(found[0]) == "principal:sample.user@yourorg.onmicrosoft.com"


def test_guardduty(shared: Path) -> None:
    found = events(shared, "guardduty", "AWS.GuardDuty")
    assert [one.attributes.get("guardduty.sample") for one in found] == [None, True]
    first = found[0]
    assert (rfc3339(first.time), first.severity) == ("2020-02-14T18:12:22.316000Z", "high")
    assert keys(first) == [
        "principal:arn:aws:iam::123456789012:role/IAMRole",
        "account:123456789012",
    ]
    assert first.attributes["api.operation"] == "PutRolePolicy"


def test_security_hub(shared: Path) -> None:
    first = events(shared, "asff", "AWS.SecurityFindingFormat")[0]
    assert (rfc3339(first.time), first.severity, first.class_uid) == (
        "2024-05-24T13:17:15.000000Z",
        "high",
        2004,
    )
    assert keys(first)[:2] == [
        "principal:arn:aws:iam::123456789012:role/Dummy-Test-InfoRole-ab21cde50f",
        "apikey:ABC9ONWNS3155VIEJC8U",
    ]


def expectations(shared: Path) -> list[dict[str, Any]]:
    lines = (shared / "corpora/scanners/defectdojo/expectations.jsonl").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("tool", "files"), [("asff", 1), ("awssecurityhub", 6), ("ms_defender", 2)]
)
def test_reports(shared: Path, tool: str, files: int) -> None:
    """One finding is one Event; archives (.zip) are not read."""
    folder, compared = shared / "corpora/scanners/defectdojo", 0
    for row in expectations(shared):
        if row["tool"] != tool or row["findings"] is None or row["file"].endswith(".zip"):
            continue
        assert len(read(folder / row["file"])) == row["findings"], row["file"]
        compared += 1
    assert compared == files


def test_what_passed_is_closed(shared: Path) -> None:
    found = read(shared / "corpora/scanners/defectdojo/asff/prowler-output.asff.json")
    states = Counter(one.event.finding.state for one in found if one.event.finding)
    # 441 PASSED; 286 FAILED and 4 that only inform.
    assert states == {"resolved": 441, "open": 290}
    assert {one.event.attributes["scan.tool"] for one in found} == {"prowler"}
    checks = {one.event.finding.check for one in found if one.event.finding}
    assert "accessanalyzer_enabled" in checks


def test_assessments_of_an_inventory(shared: Path) -> None:
    """What an SDK of Python gives has other names, and no status: it is no assessment."""
    path = shared / "corpora/inventory/cartography/azure/security_center.json"
    (assessment,) = orjson.loads(path.read_bytes())["MOCK_ASSESSMENTS"]
    reader = Reader(named("defender"), "file:x", Limits())
    (outcome,) = reader.read(orjson.dumps(assessment), 0)
    assert isinstance(outcome.result, Reject)
    assert outcome.result.reason == "wrong-shape"


def test_looked_up_events_of_an_inventory(shared: Path) -> None:
    """LookupEvents gives records as texts; those of the inventory that are whole are parsed."""
    path = shared / "corpora/inventory/cartography/aws/cloudtrail_management_events.json"
    found, counts = orjson.loads(path.read_bytes()), Counter[str]()
    reader = Reader(named("cloudtrail"), "file:x", Limits())
    for name, rows in found.items():
        if not name.endswith("_CLOUDTRAIL_EVENTS"):
            continue
        for outcome in reader.read(orjson.dumps({"Events": rows}), 0):
            result = outcome.result
            counts[result.reason if isinstance(result, Reject) else result.event.activity] += 1
    assert counts == {
        "AssumeRole": 2,
        "AssumeRoleWithSAML": 1,
        "AssumeRoleWithWebIdentity": 1,
        "wrong-shape": 12,  # they have neither service nor time
    }


def test_databricks_logs_of_rule_tests(shared: Path) -> None:
    """Twelve of them say no time, which a record of Databricks always does."""
    reader = Reader(named("databricks"), "file:x", Limits())
    found = [one.result for log in logs(shared, "Databricks.Audit") for one in reader.read(log, 0)]
    assert [one.reason for one in found if isinstance(one, Reject)] == ["no-time"] * 12
    parsed = [one.event for one in found if not isinstance(one, Reject)]
    assert len(parsed) == 63
    assert Counter(one.status for one in parsed) == {"success": 33, "unknown": 23, "failure": 7}
    assert Counter(one.class_name for one in parsed) == {"API Activity": 57, "Authentication": 6}
