import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.cli import main
from schemas.event import Event, Reject

RECORD = {
    "eventID": "1",
    "eventTime": "2026-03-04T05:06:07Z",
    "eventSource": "bedrock.amazonaws.com",
    "eventName": "InvokeModel",
    "requestParameters": {"prompt": "obviously private"},
}
LINE = orjson.dumps(RECORD)

Capture = pytest.CaptureFixture[bytes]


def lines(data: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in data.splitlines()]


def test_events_rejects_and_the_count(tmp_path: Path, capfdbinary: Capture) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(LINE + b"\nnonsense\n" + LINE)
    assert main(["parse", str(path)]) == 0
    out, err = capfdbinary.readouterr()
    events = [Event.model_validate(one) for one in lines(out)]
    assert [one.evidence.origin for one in events] == [f"file:{path}#1", f"file:{path}#3"]
    *rejects, count = err.splitlines()
    assert [Reject.model_validate(orjson.loads(one)).origin for one in rejects] == [
        f"file:{path}#2"
    ]
    assert count == b"read 3, parsed 2, rejected 1"
    assert b"obviously private" not in out + err


def test_strict_says_no(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"nonsense\n")
    assert main(["parse", str(path)]) == 0
    assert main(["parse", "--strict", str(path)]) == 1
    path.write_bytes(LINE)
    assert main(["parse", "--strict", str(path)]) == 0


def test_raw_is_the_record_as_it_was(tmp_path: Path, capfdbinary: Capture) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(orjson.dumps({"Records": [RECORD]}, option=orjson.OPT_INDENT_2))
    assert main(["parse", "--raw", str(path)]) == 0
    (event,) = lines(capfdbinary.readouterr().out)
    assert event["raw"] == RECORD


def test_no_text_of_a_record_drives_the_terminal(tmp_path: Path, capfdbinary: Capture) -> None:
    path = tmp_path / "x.json"
    agent = "\x1b[2J\x9b2J\x7f é"
    path.write_bytes(orjson.dumps(RECORD | {"userAgent": agent}))
    assert main(["parse", str(path)]) == 0
    out = capfdbinary.readouterr().out
    assert not {0x1B, 0x7F, 0x9B} & set(out)
    (event,) = lines(out)
    assert event["client"]["user_agent"] == agent


def test_folders_and_packed_files(tmp_path: Path, capfdbinary: Capture) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/one.json.gz").write_bytes(gzip.compress(LINE))
    (tmp_path / "two.ndjson").write_bytes(LINE)
    (tmp_path / "readme.md").write_bytes(b"not read")
    assert main(["parse", str(tmp_path), str(tmp_path / "two.ndjson")]) == 0
    out, err = capfdbinary.readouterr()
    assert len(lines(out)) == 2
    assert err == b"read 2, parsed 2, rejected 0\n"


def test_a_named_source(tmp_path: Path, capfdbinary: Capture) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(LINE)
    assert main(["parse", "--source", "trivy", str(path)]) == 0
    reject, _ = capfdbinary.readouterr().err.splitlines()
    assert orjson.loads(reject)["source"] == "trivy"


def test_a_file_that_no_source_knows(tmp_path: Path, capfdbinary: Capture) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"\x00\x01\x02")
    assert main(["parse", str(path)]) == 0
    reject, count = capfdbinary.readouterr().err.splitlines()
    assert orjson.loads(reject)["reason"] == "unknown-format"
    assert count == b"read 1, parsed 0, rejected 1"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere.json"], b"barograph: nowhere.json is not there; name a file or a folder\n"),
        (["--source", "odd", "x"], b"barograph: no source is called 'odd'; there are "),
        (["."], b"barograph: . holds no file named "),
        ([], b"barograph: the following arguments are required: FILE; "),
    ],
)
def test_mistakes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: Capture,
    arguments: list[str],
    sentence: bytes,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["parse", *arguments]) == 2
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert err.startswith(sentence)
    assert err.count(b"\n") == 1


def test_help_says_that_raw_is_unredacted(capfdbinary: Capture) -> None:
    assert main(["parse", "--help"]) == 0
    assert b"unredacted" in capfdbinary.readouterr().out


@pytest.mark.parametrize(
    ("source", "document"),
    [
        ("cloudtrail", b'{"Records": []}'),
        ("litellm", b"[]"),
        ("cyclonedx", b'{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1}'),
        ("sarif", b'{"version": "2.1.0", "$schema": "sarif-2.1.0.json", "runs": []}'),
        ("otel", b""),
    ],
)
def test_a_file_without_records_is_named(
    tmp_path: Path, capfdbinary: Capture, source: str, document: bytes
) -> None:
    """Nothing was read and nothing rejected; whoever expected something is told of it."""
    path = tmp_path / "none.json"
    path.write_bytes(document)
    assert main(["parse", "--source", source, "--strict", str(path)]) == 0
    out, err = capfdbinary.readouterr()
    assert out == b""
    assert err.decode().splitlines() == [f"no records in {path}", "read 0, parsed 0, rejected 0"]
