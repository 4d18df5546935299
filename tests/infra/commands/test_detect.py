import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from infra.cli import main
from infra.exits import Exit

RULES = """\
title: Guardrail deleted
id: 59b70e4d-0000-4000-8000-000000000001
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: DeleteGuardrail}, condition: s}
level: high
---
title: Anything of Bedrock
name: bedrock
logsource: {product: aws}
detection: {s: {eventSource|startswith: bedrock}, condition: s}
level: low
---
title: Of another logsource
name: other
logsource: {product: windows}
detection: {s: {eventName: '*'}, condition: s}
"""
NORMAL = """\
title: Guardrail in normal form
name: normal
logsource: {product: barograph, category: api_activity}
detection: {s: {entity.guardrail: g1}, condition: s}
"""


def call(number: int, name: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    return {
        "eventID": f"e{number}",
        "eventTime": "2026-07-01T08:30:00Z",
        "eventName": name,
        "eventSource": "bedrock.amazonaws.com",
        "requestParameters": {"guardrailIdentifier": "g1"},
        **more,
    }


TRAIL = [
    call(1, "DeleteGuardrail"),
    call(2, "GetGuardrail", eventSource="s3.amazonaws.com"),
    call(3, "deleteguardrail", eventSource="s3.amazonaws.com", requestParameters="odd"),
    call(4, "ListAgents"),
]
HALVES = orjson.dumps(TRAIL[:2]), orjson.dumps(TRAIL[2:])
LINES = b"".join(orjson.dumps(record) + b"\n" for record in TRAIL)
EXPECTED = [
    ("59b70e4d-0000-4000-8000-000000000001", "e1", 1),
    ("bedrock", "e1", 1),
    ("59b70e4d-0000-4000-8000-000000000001", "e3", 3),
    ("bedrock", "e4", 4),
]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yml"
    path.write_text(RULES, "utf-8")
    return path


def detect(
    capfd: pytest.CaptureFixture[str], *args: str | Path
) -> tuple[list[dict[str, Any]], list[str]]:
    assert main(["detect", *map(str, args)]) == Exit.OK
    out, err = capfd.readouterr()
    return [json.loads(line) for line in out.splitlines()], err.splitlines()


def brief(found: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return [(f["rule"], f["event"], int(f["origin"].rpartition("#")[2])) for f in found]


def test_each_match_is_a_line_in_the_order_of_the_records(
    tmp_path: Path, rules: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trail = tmp_path / "trail.ndjson"
    trail.write_bytes(LINES)
    found, err = detect(capfd, "--rules", rules, trail)
    assert found[0] == {
        "rule": "59b70e4d-0000-4000-8000-000000000001",
        "title": "Guardrail deleted",
        "level": "high",
        "event": "e1",
        "origin": f"file:{trail}#1",
    }
    assert brief(found) == EXPECTED
    assert err == ["4 records, 0 rejected, 4 matches"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("trail.json", orjson.dumps({"Records": TRAIL})),
        ("trail.json", orjson.dumps({"Records": TRAIL}, option=orjson.OPT_INDENT_2)),
        ("trail.jsonl", b'{"Records":%s}\n' * 2 % HALVES),
        ("trail.ndjson.gz", gzip.compress(LINES, mtime=0)),
        ("trail.zst", zstandard.compress(LINES)),
        ("trail.ndjson", LINES.replace(b"\n", b"\r\n\n")),
    ],
)  # fmt: skip
def test_every_form_of_a_file_gives_the_same(
    name: str, data: bytes, tmp_path: Path, rules: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trail = tmp_path / name
    trail.write_bytes(data)
    found, err = detect(capfd, "--rules", rules, trail)
    assert brief(found) == EXPECTED
    assert err == ["4 records, 0 rejected, 4 matches"]


def test_what_cannot_be_read_is_counted_and_told_by_its_place(
    tmp_path: Path, rules: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trail = tmp_path / "trail.ndjson"
    first, *others = LINES.splitlines(keepends=True)
    trail.write_bytes(
        b"".join([first, b'{"eventName":\n', b"[]\n", b'{"eventName":"x"}\n', *others])
    )
    found, err = detect(capfd, "--rules", rules, trail)
    assert brief(found) == [(rule, event, n if n == 1 else n + 2) for rule, event, n in EXPECTED]
    assert err[-1] == "6 records, 2 rejected, 4 matches"
    assert [line.split(": ")[1] for line in err[:-1]] == ["truncated", "wrong-shape"]
    assert [line.split(": ")[0].rpartition("#")[2] for line in err[:-1]] == ["2", "3"]


@pytest.mark.parametrize("of", ["eventName: DeleteGuardrail", "eventName|startswith: DeleteG"])
def test_a_match_in_what_is_no_record_is_a_reject_as_in_a_backtest(
    of: str, tmp_path: Path, rules: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rules.write_text(RULES.partition("---")[0].replace("eventName: DeleteGuardrail", of), "utf-8")
    odd = [
        call(1, "DeleteGuardrail"),
        call(2, "DeleteGuardrail", eventSource=None),
        call(3, "DeleteGuardrail", eventTime="yesterday"),
        call(4, "DeleteGuardrail", eventTime="0001-01-01T00:00:00Z"),
        call(5, "DeleteGuardrail", eventSource="aws:s3"),
    ]
    trail = tmp_path / "trail.ndjson"
    trail.write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in odd))
    found, err = detect(capfd, "--rules", rules, "--source", "cloudtrail", trail)
    assert [f["event"] for f in found] == ["e1"]
    assert [line.split(": ")[1] for line in err[:-1]] == [
        "wrong-shape",
        "bad-time",
        "bad-time",
        "wrong-shape",
    ]
    assert main(["backtest", str(rules), str(trail), "--source", "cloudtrail", "--json"]) == Exit.OK
    out, said = capfd.readouterr()
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["e1"]
    assert "5 records, 4 rejected, 1 match" in said


def test_a_record_without_an_id_is_named_by_its_hash(
    tmp_path: Path, rules: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trail = tmp_path / "trail.ndjson"
    trail.write_bytes(LINES.replace(b'"eventID":"e1",', b""))
    found, _ = detect(capfd, "--rules", rules, trail)
    assert len(found[0]["event"]) == 64


def test_rules_over_normal_form_see_what_speaks_of_ai_or_matched(
    tmp_path: Path, rules: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rules.write_text(f"{RULES}---\n{NORMAL}", "utf-8")
    trail = tmp_path / "trail.ndjson"
    trail.write_bytes(LINES)
    found, _ = detect(capfd, "--rules", rules, trail)
    normal = [("normal", "e1", 1), ("normal", "e4", 4)]
    assert sorted(brief(found)) == sorted([*EXPECTED, *normal])
    assert [origin for _, _, origin in brief(found)] == [1, 1, 1, 3, 4, 4]


def test_a_source_whose_records_are_always_events(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(NORMAL.replace("entity.guardrail: g1", "gen_ai.tool.name: fetch"), "utf-8")
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "execute_tool fetch",
        "startTimeUnixNano": "1782894600000000000",
        "endTimeUnixNano": "1782894601000000000",
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "execute_tool"}},
            {"key": "gen_ai.tool.name", "value": {"stringValue": "fetch"}},
        ],
    }
    trace = tmp_path / "spans.json"
    trace.write_bytes(orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}))
    found, err = detect(capfd, "--rules", rules, trace)
    assert brief(found) == [("normal", "0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331", 1)]
    assert err == ["1 records, 0 rejected, 1 matches"]


def test_several_files_and_folders_are_counted_together(
    tmp_path: Path, rules: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a.ndjson").write_bytes(LINES)
    (folder / "b.json").write_bytes(orjson.dumps({"Records": TRAIL}))
    found, err = detect(capfd, "--rules", rules, folder)
    assert brief(found) == [*EXPECTED, *EXPECTED]
    assert err == ["8 records, 0 rejected, 8 matches"]


def test_an_empty_or_damaged_file_does_not_end_the_others(
    tmp_path: Path, rules: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.ndjson").write_bytes(b"")
    (tmp_path / "b.ndjson").write_bytes(LINES)
    (tmp_path / "c.gz").write_bytes(gzip.compress(LINES)[:20])
    found, err = detect(capfd, "--rules", rules, tmp_path)
    assert brief(found)[:4] == EXPECTED
    told = [line.split(": ")[:2] for line in err[:-1]]
    assert told == [
        [f"file:{tmp_path / 'a.ndjson'}#1", "empty"],
        [f"file:{tmp_path / 'c.gz'}#1", "truncated"],
    ]


def test_the_built_in_rules_run_where_none_are_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    trail = tmp_path / "trail.ndjson"
    trail.write_bytes(LINES)
    found, err = detect(capfd, trail)
    assert {one["event"] for one in found} <= {"e1", "e2", "e3", "e4"}
    assert err[-1] == f"4 records, 0 rejected, {len(found)} matches"


def test_hostile_records_end_nothing_and_hide_nothing(
    tmp_path: Path, rules: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    event = orjson.loads(LINES.splitlines()[0])
    text = orjson.dumps(event).decode()
    lines = [
        *(orjson.dumps(event | {name: value}).decode() for name in event for value in ODD),
        text.replace("DeleteGuardrail", "x" * 1_000_000),
        text.replace('"DeleteGuardrail"', "1" * 30),
        text.replace('"DeleteGuardrail"', "1" * 5000),
        text.replace('"DeleteGuardrail"', "NaN"),
        text[:-1] + ',"deep":' + '{"a":' * 1000 + "1" + "}" * 1001,
        text[:-1] + ',"wide":[' + "[{}]," * 100_000 + "1]}",
    ]
    trail = tmp_path / "trail.ndjson"
    trail.write_text("\n".join(lines) + "\n" + LINES.decode(), "utf-8")
    found, err = detect(capfd, "--rules", rules, "--source", "cloudtrail", trail)
    last = [(rule, event, number + len(lines)) for rule, event, number in EXPECTED]
    assert brief(found)[-len(EXPECTED) :] == last
    assert err[-1].startswith(f"{len(lines) + 4} records, ")
    assert not any("Traceback" in line for line in err)


ODD: tuple[Any, ...] = (None, True, 5, -1.5, [], {}, ["x", {"a": 1}], {"a": ["b"]})
EXPANDED = """\
title: Deleted by somebody
name: by_somebody
logsource: {product: vendor, service: trail}
detection: {s: {action|expand: '%actions%'}, condition: s}
"""
PIPELINE = """\
transformations:
- {type: field_name_mapping, mapping: {action: eventName}}
- {type: change_logsource, product: aws, service: cloudtrail}
"""
ACTIONS = "placeholders: {actions: [DeleteGuardrail, DeleteAgent]}\n"


def test_rules_pass_through_pipelines_and_placeholders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("rule.yml", EXPANDED), ("pipeline.yml", PIPELINE), ("actions.yml", ACTIONS),
    ):  # fmt: skip
        Path(name).write_text(text, "utf-8")
    Path("trail.ndjson").write_bytes(LINES)
    files = ("--pipeline", "pipeline.yml", "--placeholders", "actions.yml")
    found, _ = detect(capfd, "--rules", "rule.yml", *files, "trail.ndjson")
    by_flags = [one["rule"] for one in found]
    assert set(by_flags) == {"by_somebody"}
    Path("barograph.toml").write_text(
        '[rules]\npipelines = ["pipeline.yml"]\nplaceholders = ["actions.yml"]\n', "utf-8"
    )
    found, _ = detect(capfd, "--rules", "rule.yml", "trail.ndjson")
    assert [one["rule"] for one in found] == by_flags


def test_a_rule_that_cannot_be_used_is_told_unless_strict(
    tmp_path: Path,
    rules: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.yml").write_text("title: x\n", "utf-8")
    Path("trail.ndjson").write_bytes(LINES)
    places = ("--rules", rules, "--rules", "broken.yml")
    found, err = detect(capfd, *places, "trail.ndjson")
    assert brief(found) == EXPECTED
    assert err[0].startswith("broken.yml:1: a rule has exactly one of")
    assert err[0].endswith("; the rule is left out")
    assert err[1:] == ["4 records, 0 rejected, 4 matches"]
    strict = ["--strict", "--rules", str(rules), "--rules", "broken.yml", "trail.ndjson"]
    assert main(["detect", *strict]) == Exit.USAGE
    out, told = capfd.readouterr()
    assert (out, told.count("\n")) == ("", 1)
    assert told.startswith("barograph: broken.yml:1: a rule has exactly one of")


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["unknown.txt"], "unknown.txt: no source knows this format; name it with --source"),
        (["--source", "nowhere", "unknown.txt"], "no source is called 'nowhere'; there are "),
        (["missing.ndjson"], "missing.ndjson is not there; name a file or a folder"),
        (["--rules", "broken.yml", "unknown.txt"], "broken.yml:1: a rule has exactly one of"),
    ],
)
def test_a_mistake_is_one_sentence(
    args: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("unknown.txt").write_text("what is this?\n", "utf-8")
    Path("broken.yml").write_text("title: x\n", "utf-8")
    assert main(["detect", *args]) == Exit.USAGE
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"barograph: {expected}")
    assert err.count("\n") == 1


def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path, rules: Path) -> None:
    trail = tmp_path / "trail.ndjson"
    trail.write_bytes(LINES * 20_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "infra", "detect", "--rules", str(rules), str(trail)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b'{"rule"')
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait() == Exit.OK


def test_what_is_only_observed_is_no_match(
    tmp_path: Path, rules: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    habit = tmp_path / "habit.yml"
    habit.write_text(
        "title: new\nname: new\nlogsource: {product: aws}\n"
        "detection: {s: {eventSource|startswith: bedrock}, condition: s}\n"
        "barograph: {habit: {type: silence, by: eventSource}}\n"
    )
    trail = tmp_path / "trail.ndjson"
    trail.write_bytes(LINES)
    found, _ = detect(capfd, "--rules", rules, "--rules", habit, trail)
    assert brief(found) == EXPECTED
