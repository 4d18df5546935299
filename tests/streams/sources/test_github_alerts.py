from typing import Any

import orjson
import pytest

from correlators.weakness import vulnerability
from schemas.config import Limits
from schemas.event import Event, Reject
from schemas.times import rfc3339
from streams.reading import Reader
from streams.source import Parsed, named
from streams.sources import github_alerts, grype, osv, trivy
from tests.streams.sources.parsed import events, keys, parsed, reasons
from tests.streams.sources.reports import found, refused, short, told

TRIAGE = "repo:github.com/example/triage"
CLAIMS = "repo:github.com/example/claims"


def lines(name: str) -> list[tuple[str, str, str, str, str]]:
    """The day and hour, what, state, severity and where of each alert of an example."""
    said = []
    for event in events(name):
        of, state, severity, asset = short(event)
        said.append((rfc3339(event.time)[5:16], of, state, severity, asset))
    return said


def test_alerts_of_dependabot() -> None:
    assert lines("github_alerts.json") == [
        ("02-01T10:00", "GHSA-cccc-ffff-gggg", "open", "critical", TRIAGE),
        ("02-05T12:00", "GHSA-hhhh-jjjj-mmmm", "resolved", "medium", TRIAGE),
        ("02-06T08:00", "GHSA-pppp-qqqq-rrrr", "resolved", "high", TRIAGE),
        ("02-01T10:00", "GHSA-vvvv-wwww-rrcc", "resolved", "low", CLAIMS),
    ]
    first, second, third, fourth = events("github_alerts.json")
    assert first.class_name == "Vulnerability Finding"
    assert (found(first).title, found(first).location, found(first).package) == (
        "Remote code execution in ray",
        "requirements.txt",
        "ray",
    )
    assert first.attributes == {
        "check.cwe": ["CWE-502"],
        "check.status": "open",
        "finding.mark": "1",
        "package.ecosystem": "pip",
        "package.fixed_version": "2.8.1",
        "package.name": "ray",
        "package.purl": "pkg:pypi/ray",
        "package.scope": "runtime",
        "scan.tool": "dependabot",
        "vulnerability.aliases": ["CVE-2026-0001"],
        "vulnerability.cvss": 9.8,
        "vulnerability.epss": 0.42,
        "vulnerability.id": "GHSA-cccc-ffff-gggg",
        "vulnerability.severity": "critical",
    }
    assert (second.attributes["package.purl"], second.attributes["vulnerability.cvss"]) == (
        "pkg:npm/%40example/agent",
        6.9,
    )
    assert third.attributes["package.purl"] == "pkg:maven/org.example/feed"
    assert third.attributes["check.resolution"] == "tolerable_risk"
    assert fourth.attributes["check.status"] == "auto_dismissed"


def test_alerts_of_secret_scanning() -> None:
    assert lines("github_alerts.secrets.json") == [
        ("03-01T09:00", "huggingface_user_access_token", "open", "critical", TRIAGE),
        ("03-02T09:00", "aws_access_key_id", "open", "high", TRIAGE),
        ("03-03T09:00", "openai_api_key", "resolved", "medium", TRIAGE),
        ("03-01T09:00", "http_basic_authentication_header", "open", "critical", TRIAGE),
    ]
    first, second, third, _ = events("github_alerts.secrets.json")
    assert (first.class_name, found(first).title) == (
        "Data Security Finding",
        "Hugging Face User Access Token",
    )
    assert found(first).location == "app/settings.py:12"
    assert keys(second) == [TRIAGE, "apikey:AKIAEXAMPLE000000000"]
    assert third.attributes == {
        "check.resolution": "revoked",
        "check.status": "resolved",
        "finding.mark": "3",
        "scan.tool": "secret-scanning",
        "secret.rule": "openai_api_key",
        "secret.verified": False,
    }


def test_a_secret_is_a_fingerprint_at_most() -> None:
    alert = orjson.dumps(
        {"number": 1, "state": "open", "secret_type": "x", "secret": "do-not-store"}
    )
    said = {}
    for key in (None, "a" * 32, "b" * 32):
        limits = Limits.model_validate({"key": key})
        ((result, _),) = Reader(named("github_alerts"), "file:x", limits).read(alert, 0)
        assert isinstance(result, Parsed)
        assert b"do-not-store" not in orjson.dumps(result.event.body())
        assert not any(name.startswith("content.") for name in result.event.attributes)
        said[key] = result.event.attributes.get("secret.fingerprint")
    assert said == {None: None, "a" * 32: "c3b965926448e394", "b" * 32: "f0b22db73c97aed3"}


def test_alerts_of_code_scanning() -> None:
    assert lines("github_alerts.code.json") == [
        ("04-02T09:00", "py/code-injection", "open", "critical", TRIAGE),
        ("04-03T09:00", "py/unused-import", "resolved", "low", TRIAGE),
        ("04-04T09:00", "CVE-2026-0001", "resolved", "high", TRIAGE),
    ]
    first, second, third = events("github_alerts.code.json")
    assert first.attributes == {
        "check.cwe": ["CWE-94"],
        "check.id": "py/code-injection",
        "check.status": "open",
        "check.tags": ["security", "external/cwe/cwe-094"],
        "finding.mark": "1",
        "scan.category": "/language:python",
        "scan.tool": "code-scanning/codeql",
        "scan.version": "2.20.0",
        "vcs.revision": "c0ffee",
    }
    assert (found(first).title, found(first).location) == (
        "This code depends on a value of the user.",
        "app/tool.py:17",
    )
    assert second.attributes["check.resolution"] == "won't fix"
    assert (third.class_uid, found(third).package, found(third).title) == (
        2002,
        "ray",
        "ray: remote code execution",
    )


def test_payloads_of_webhooks() -> None:
    assert lines("github_alerts.jsonl") == [
        ("02-01T10:00", "GHSA-cccc-ffff-gggg", "open", "critical", TRIAGE),
        ("02-06T08:00", "GHSA-pppp-qqqq-rrrr", "resolved", "high", TRIAGE),
        ("02-08T08:00", "GHSA-pppp-qqqq-rrrr", "open", "high", TRIAGE),
        ("02-05T12:00", "GHSA-hhhh-jjjj-mmmm", "resolved", "medium", TRIAGE),
        ("03-01T09:00", "huggingface_user_access_token", "open", "critical", TRIAGE),
        ("03-01T09:00", "http_basic_authentication_header", "open", "critical", TRIAGE),
        ("03-05T09:00", "example_token", "open", "high", TRIAGE),
        ("03-06T09:00", "example_token", "resolved", "high", TRIAGE),
        ("04-02T09:00", "py/code-injection", "open", "critical", TRIAGE),
        ("04-09T09:00", "py/code-injection", "resolved", "critical", TRIAGE),
        ("04-03T09:00", "py/unused-import", "resolved", "low", TRIAGE),
    ]
    said = events("github_alerts.jsonl")
    assert found(said[5]).location == "docs/setup.md:8"


def test_a_webhook_tells_of_the_alert_that_a_list_has() -> None:
    """And of no other: a dependency that was mended closes what the list opened."""
    listed = {
        (short(one)[0], found(one).uid)
        for name in ("github_alerts.json", "github_alerts.secrets.json", "github_alerts.code.json")
        for one in events(name)
    }
    told_ = {(short(one)[0], found(one).uid) for one in events("github_alerts.jsonl")}
    assert {of for of, _ in told_ - listed} == {"example_token"}
    assert len(told_) == 8


def test_answers_of_graphql() -> None:
    assert lines("github_alerts.graphql.json") == [
        ("02-02T10:00", "GHSA-cccc-ffff-gggg", "resolved", "critical", TRIAGE),
        ("02-04T10:00", "GHSA-hhhh-jjjj-mmmm", "resolved", "medium", CLAIMS),
    ]
    first, second = events("github_alerts.graphql.json")
    assert found(first).uid == found(events("github_alerts.json")[0]).uid
    assert first.attributes["package.purl"] == "pkg:pypi/ray@2.6.3"
    assert second.attributes == {
        "check.resolution": "inaccurate",
        "check.status": "dismissed",
        "package.ecosystem": "go",
        "package.name": "mod.example/Feed",
        "package.purl": "pkg:golang/mod.example/Feed",
        "scan.tool": "dependabot",
        "vulnerability.id": "GHSA-hhhh-jjjj-mmmm",
        "vulnerability.severity": "medium",
    }


def test_one_weakness_with_what_other_scanners_say_of_the_repository() -> None:
    """Asset and vulnerability are what the view `weaknesses` folds by."""
    place = "https://github.com/Example/triage"
    weakness = {"id": "GHSA-cccc-ffff-gggg", "severity": "Critical"}
    others: list[Event] = [
        *told(
            grype,
            {
                "matches": [
                    {
                        "vulnerability": weakness,
                        "relatedVulnerabilities": [{"id": "CVE-2026-0001"}],
                        "artifact": {"name": "ray", "version": "2.6.3"},
                    }
                ],
                "source": {"type": "directory", "target": place},
            },
        )[:1],
        *told(
            osv,
            {
                "results": [
                    {
                        "source": {"path": f"{place}/requirements.txt", "type": "lockfile"},
                        "packages": [
                            {
                                "package": {"name": "ray", "ecosystem": "PyPI"},
                                "vulnerabilities": [{**weakness, "aliases": ["CVE-2026-0001"]}],
                            }
                        ],
                    }
                ]
            },
        )[:1],
        *told(
            trivy,
            {
                "SchemaVersion": 2,
                "ArtifactName": place,
                "ArtifactType": "repository",
                "Results": [
                    {
                        "Target": "requirements.txt",
                        "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-0001", "PkgName": "ray"}],
                    }
                ],
            },
        )[:1],
    ]
    alert = events("github_alerts.json")[0]
    folded = {(one.entities[0].key, vulnerability(one)) for one in (alert, *others)}
    assert folded == {(TRIAGE, "CVE-2026-0001")}


@pytest.mark.parametrize(
    ("changes", "asset"),
    [
        ({}, "repo:unnamed"),
        ({"url": "https://api.github.com/repos/Example/app/x/1"}, "repo:github.com/example/app"),
        ({"url": "https://api.corp.ghe.com/repos/o/r"}, "repo:corp.ghe.com/o/r"),
        ({"url": "https://git.example/api/v3/repos/o/r/x/1"}, "repo:git.example/o/r"),
        ({"html_url": "https://git.example/o/r/security/x/1"}, "repo:git.example/o/r"),
        ({"html_url": "https://git.example/o"}, "repo:unnamed"),
        ({"repository": {"full_name": "O/r"}}, "repo:github.com/o/r"),
        ({"repository": "o/r"}, "repo:unnamed"),
    ],
)
def test_whose_it_is(changes: dict[str, Any], asset: str) -> None:
    (event,) = told(github_alerts, {"secret_type": "x", "state": "open"}, **changes)
    assert keys(event) == [asset]


@pytest.mark.parametrize(
    ("payload", "state"),
    [
        ({"alert": {"state": "open"}}, "open"),
        ({"alert": {"state": "FIXED"}}, "resolved"),
        ({"alert": {"state": "something new"}}, "open"),
        ({"action": "resolved", "alert": {"state": "open"}}, "open"),
        ({"action": "resolved", "alert": {}}, "resolved"),
        ({"action": "closed_by_user", "alert": {}}, "resolved"),
        ({"action": "reopened", "alert": {"resolved_at": "2026-03-03T09:00:00Z"}}, "open"),
        ({"alert": {"dismissed_at": "2026-03-03T09:00:00Z"}}, "resolved"),
        ({"alert": {"dismissed_at": None}}, "open"),
    ],
)
def test_whether_it_is_open(payload: dict[str, Any], state: str) -> None:
    alert = {"secret_type": "x"} | payload["alert"]
    (event,) = told(github_alerts, payload | {"alert": alert})
    assert found(event).state == state


def test_pages_of_lists() -> None:
    alert = {"secret_type": "x", "state": "open"}
    pages = [[alert | {"number": 1}, alert | {"number": 2}], [alert | {"number": 3}], []]
    said = told(github_alerts, orjson.dumps(pages))
    assert [one.attributes["finding.mark"] for one in said] == ["1", "2", "3"]
    assert told(github_alerts, b"[]\n") == []


def test_what_is_no_alert() -> None:
    assert reasons("github_alerts.bad.json") == ["wrong-shape"] * 10
    assert refused(github_alerts, b'{"data": {"vulnerabilityAlerts": 7}}') == (
        "wrong-shape",
        "Expected `object`, got `int`",
    )
    assert refused(github_alerts, b'{"error": "\\"", "x": {"vulnerabilityAlerts": {}}}')[1] == (
        "an answer has repositories with `vulnerabilityAlerts`"
    )
    assert refused(github_alerts, b"[" * 200)[0] in {"truncated", "too-deep"}


def test_an_odd_answer_is_no_hang() -> None:
    deep = b'{"data": ' * 5_000 + b'{"vulnerabilityAlerts": {}}' + b"}" * 5_000
    read = Reader(named("github_alerts"), "file:x", Limits())
    (result,) = [one for one, _ in read.read(deep, 0)]
    assert isinstance(result, Reject)
    assert result.reason in {"too-deep", "wrong-shape"}


def test_private_content_is_the_secret_alone() -> None:
    said = parsed("github_alerts.secrets.json")
    assert [list(one.private) for one in said] == [["secret.value"]] * 4
    assert [list(one.private) for one in parsed("github_alerts.jsonl")] == [[]] * 11
