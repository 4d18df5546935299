from typing import Any

import orjson
import pytest

from streams.sources import trufflehog
from tests.streams.sources.reports import found, refused, short, told

KEY = "AKIAEXAMPLEEXAMPLE22"
OWNER = "arn:aws:iam::111122223333:user/triage-ci"


def result(kind: str, where: dict[str, Any], **changes: Any) -> bytes:  # noqa: ANN401 - JSON
    base = {
        "SourceMetadata": {"Data": {kind: where}},
        "DetectorName": "OpenAI",
        "Verified": False,
        "Raw": "obviously-fake",
        "RawV2": "obviously-fake",
        "Redacted": "obviously-fake",
    }
    return orjson.dumps(base | changes)


GITHUB = {
    "repository": "https://git.example/Team/Triage.git",
    "commit": "c0ffee",
    "file": "keys",
    "line": 4,
    "timestamp": "2026-02-03 04:05:06 -0700 -0700",
    "email": "obviously-fake",
}


def test_a_key_that_works_and_its_owner() -> None:
    (event,) = told(
        trufflehog,
        result(
            "Github",
            GITHUB,
            DetectorName="AWS",
            Verified=True,
            Redacted=KEY,
            ExtraData={"arn": OWNER},
        ),
    )
    assert short(event) == ("AWS", "open", "critical", "repo:git.example/team/triage")
    assert event.time == 1_770_116_706_000_000
    assert [one.key for one in event.entities[1:]] == [f"apikey:{KEY}", f"principal:{OWNER}"]
    (owns,) = event.edges
    assert (owns.from_.key, owns.relation, owns.to.key) == (
        f"principal:{OWNER}",
        "owns",
        f"apikey:{KEY}",
    )
    assert found(event).location == "keys:4"
    assert event.attributes == {
        "secret.rule": "AWS",
        "secret.commit": "c0ffee",
        "secret.verified": True,
        "scan.tool": "trufflehog",
    }
    assert "obviously-fake" not in orjson.dumps(event.body()).decode()


@pytest.mark.parametrize(
    ("kind", "where", "key"),
    [
        ("Git", {"repository": "git@git.example:team/a.git"}, "repo:git.example/team/a"),
        ("S3", {"bucket": "corpus", "file": "a.json"}, "datastore:s3/corpus"),
        ("Docker", {"image": "images.example/triage", "tag": "7"}, "image:images.example/triage:7"),
        ("Huggingface", {"resource": "Example/Triage"}, "model:huggingface/example/triage"),
        ("Filesystem", {"file": "/src/.env"}, "repo:unnamed"),
    ],
)
def test_where_it_lies(kind: str, where: dict[str, Any], key: str) -> None:
    (event,) = told(trufflehog, result(kind, where))
    assert short(event) == ("OpenAI", "open", "medium", key)
    assert "obviously-fake" not in orjson.dumps(event.body()).decode()


def test_version_two() -> None:
    row = {
        "path": "app.py",
        "reason": "Generic Secret",
        "commitHash": "c0ffee",
        "commit": "obviously-fake",
        "date": "2021-01-30 19:50:09",
        "diff": "obviously-fake",
        "stringsFound": ["obviously-fake"],
    }
    (event,) = told(trufflehog, row)
    assert short(event) == ("Generic Secret", "open", "medium", "repo:unnamed")
    assert (event.time, found(event).location) == (1_612_036_209_000_000, "app.py")
    assert event.attributes["secret.commit"] == "c0ffee"
    assert "obviously-fake" not in orjson.dumps(event.body()).decode()


def test_trufflehog3() -> None:
    row = {
        "rule": {"id": "high-entropy", "message": "High Entropy", "severity": "HIGH"},
        "path": "app.py",
        "line": "2",
        "secret": "obviously-fake",
        "context": {"2": "obviously-fake"},
    }
    (event,) = told(trufflehog, orjson.dumps([row]))
    assert short(event) == ("high-entropy", "open", "high", "repo:unnamed")
    assert (found(event).title, found(event).location) == ("High Entropy", "app.py:2")
    assert "obviously-fake" not in orjson.dumps(event.body()).decode()


def test_no_result_is_no_record() -> None:
    assert told(trufflehog, b"[]") == []


@pytest.mark.parametrize("document", [b"[7]", b'{"DetectorName": ""}', b'{"path": "x"}'])
def test_what_is_no_result(document: bytes) -> None:
    assert refused(trufflehog, document)[0] == "wrong-shape"


def test_a_line_of_its_own_log() -> None:
    line = b'{"level": "info-0", "logger": "trufflehog", "msg": "running source"}'
    assert refused(trufflehog, line) == (
        "wrong-shape",
        "a result has `DetectorName`, `rule` or `reason`",
    )
