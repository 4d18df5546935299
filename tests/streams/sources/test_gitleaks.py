from typing import Any

import orjson
import pytest

from streams.sources import gitleaks
from tests.streams.sources.reports import found, refused, short, told

LEAK: dict[str, Any] = {
    "Description": "Identified an AWS key",
    "StartLine": 4,
    "StartColumn": 1,
    "Match": "key = obviously-fake",
    "Secret": "obviously-fake",
    "File": "deploy/.env",
    "Commit": "c0ffee",
    "Author": "obviously-fake",
    "Email": "obviously-fake",
    "Date": "2026-02-03T04:05:06Z",
    "Message": "obviously-fake",
    "Tags": ["key", "cloud"],
    "RuleID": "aws-access-token",
    "Fingerprint": "c0ffee:deploy/.env:aws-access-token:4",
    "Link": "https://git.example/Team/Triage/blob/c0ffee/deploy/.env#L4",
}
SEVEN: dict[str, Any] = {
    "line": "obviously-fake",
    "lineNumber": 7,
    "offender": "obviously-fake",
    "commit": "beef",
    "repo": ".",
    "repoURL": "git@git.example:team/triage.git",
    "rule": "Github",
    "commitMessage": "obviously-fake",
    "file": ".bashrc",
    "date": "2021-04-19T22:42:05+03:00",
    "tags": "key, Github",
}


def test_a_leak() -> None:
    (event,) = told(gitleaks, orjson.dumps([LEAK]))
    assert short(event) == ("aws-access-token", "open", "high", "repo:git.example/team/triage")
    assert (event.class_uid, event.time) == (2006, 1_770_091_506_000_000)
    assert (found(event).title, found(event).location) == ("Identified an AWS key", "deploy/.env:4")
    assert event.attributes == {
        "secret.rule": "aws-access-token",
        "secret.category": "cloud",
        "secret.commit": "c0ffee",
        "secret.mark": "c0ffee:deploy/.env:aws-access-token:4",
        "scan.tool": "gitleaks",
    }
    assert "obviously-fake" not in orjson.dumps(event.body()).decode()


def test_a_leak_of_version_seven() -> None:
    (event,) = told(gitleaks, orjson.dumps([SEVEN]))
    assert short(event) == ("Github", "open", "high", "repo:git.example/team/triage")
    assert event.attributes == {
        "secret.rule": "Github",
        "secret.category": "Github",
        "secret.commit": "beef",
        "scan.tool": "gitleaks",
    }
    assert "obviously-fake" not in orjson.dumps(event.body()).decode()


def test_without_a_link_or_a_date() -> None:
    (event,) = told(gitleaks, LEAK, Link="", Date="yesterday")
    assert (event.entities[0].key, event.time) == ("repo:unnamed", 0)


@pytest.mark.parametrize("document", [b"null", b"[]", b" [ ]\n"])
def test_no_leak_is_no_record(document: bytes) -> None:
    assert told(gitleaks, document) == []


@pytest.mark.parametrize("document", [b"[7]", b'[{"RuleID": ""}]', b'{"RuleID": 7.5}'])
def test_what_is_no_leak(document: bytes) -> None:
    assert refused(gitleaks, document)[0] == "wrong-shape"
