"""What a rule author sees of a backtest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from infra.cli import main
from infra.exits import Exit
from schemas.finding import Finding
from tests.streams.trail import call

RULES = """
title: Bucket deleted
name: deleted
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: DeleteBucket}, condition: s}
level: high
---
title: Look
name: look
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName|startswith: Get}, condition: s}
---
title: Never
name: never
logsource: {product: aws, service: cloudtrail}
detection: {s: {eventName: Nothing}, condition: s}
---
title: Of another product
name: other
logsource: {product: windows}
detection: {s: {EventID: 4624}, condition: s}
---
title: Of another source
name: span
logsource: {product: barograph, service: otel}
detection: {s: {status: failure}, condition: s}
---
title: Three looks
name: looks
correlation:
  type: event_count
  rules: look
  group-by: userIdentity.arn
  timespan: 1m
  condition: {gte: 3}
---
title: Look and nothing
name: pair
correlation: {type: temporal, rules: [look, never], timespan: 1m}
---
title: Many looks
name: many
correlation: {type: event_count, rules: look, timespan: 1m, condition: {gte: 100}}
"""
ANN = "arn:aws:iam::111122223333:user/ann"


@pytest.fixture
def rules(tmp_path: Path) -> str:
    path = tmp_path / "rules.yml"
    path.write_text(RULES)
    return str(path)


@pytest.fixture
def trail(tmp_path: Path) -> str:
    path = tmp_path / "trail.ndjson"
    calls = [call(at, "GetObject", f"get-{at}") for at in (0, 10, 20)]
    calls += [call(30, "DeleteBucket", "gone")] * 2
    calls += [b'{"eventName": "GetObject"}', call(40, "GetObject", "odd", userIdentity=None)]
    calls.append(call(7200, "GetObject", "get-7200"))
    path.write_bytes(b"\n".join(calls))
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *args: str, code: int = Exit.OK) -> tuple[str, str]:
    assert main(["backtest", *args]) == code
    told = capsys.readouterr()
    return told.out, told.err


def sections(out: str) -> dict[str, list[str]]:
    """The lines of each rule by its id."""
    parts = (part.splitlines() for part in out.split("\n\n")[1:])
    return {lines[0].split()[0]: [line.strip() for line in lines[1:]] for lines in parts}


def test_the_summary_tells_of_each_rule(
    rules: str, trail: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = run(capsys, rules, trail)
    assert out.startswith("8 records of 1 file, 1 rejected, 0 late; ")
    told = sections(out)
    assert told["looks"][:5] == [
        "1 finding, in 1 group, of 5 matches of its rules",
        "from 2026-03-02 12:00:20 to 2026-03-02 12:00:20",
        "2026-03-02 12          1  ########################################",
        "most often",
        f"3  userIdentity.arn={ANN}",
    ]
    assert told["looks"][-1] == f"get-20  file:{trail}#3"
    assert told["deleted"][0] == "1 match, and 1 more that are copies"
    assert f"1  principal:{ANN}" in told["deleted"]
    assert told["look"][0] == (
        "5 matches, copies included, 1 without a value to group by, counted by looks, pair, many"
    )
    assert told["look"][2:5] == [
        "2026-03-02 12          4  ########################################",
        "2026-03-02 13          0",
        "2026-03-02 14          1  ##########",
    ]


def test_what_said_nothing_says_why(
    rules: str, trail: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = run(capsys, rules, trail)
    told = sections(out)
    assert told["never"] == [
        "no match, counted by pair",
        "silent: none of 8 records of cloudtrail matched",
    ]
    assert told["other"] == ["no match", "silent: it cannot fire: no source is product=windows"]
    assert told["span"] == ["no match", "silent: the input is cloudtrail, and it fires on otel"]
    assert told["pair"][1] == "silent: never never matched"
    assert told["many"][1] == "silent: no group fulfilled its condition within its timespan"


def test_json_lines_are_matches_and_findings(
    rules: str, trail: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out, err = run(capsys, rules, trail, "--json")
    match, body = map(json.loads, out.splitlines())
    assert match == {
        "rule": "deleted",
        "title": "Bucket deleted",
        "level": "high",
        "event": "gone",
        "origin": f"file:{trail}#4",
    }
    finding = Finding.model_validate(body)
    assert (finding.rule, finding.count, finding.meta.state) == ("looks", 3, "final")
    assert err == "8 records, 1 rejected, 1 match, 1 finding\n"


def test_a_folder_gets_all_of_it(
    rules: str, trail: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, rules, trail, "--out", str(tmp_path / "out"))
    lines = {path.name: path.read_text().count("\n") for path in (tmp_path / "out").glob("*.jsonl")}
    assert lines == {"findings.jsonl": 1, "matches.jsonl": 1, "rejects.jsonl": 1}
    summary: dict[str, Any] = json.loads((tmp_path / "out/summary.json").read_text())
    assert (summary["read"], summary["parsed"], summary["rejected"]) == (8, 7, 1)
    looks = next(rule for rule in summary["rules"] if rule["rule"] == "looks")
    assert (looks["hits"], looks["by_day"]) == (1, {"2026-03-02": 1})
    assert looks["top"] == [{"value": f"userIdentity.arn={ANN}", "count": 3}]


def test_from_is_inclusive_and_to_is_not(
    rules: str, trail: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bounds = ("--from", "2026-03-02T12:00:10Z", "--to", "2026-03-02T12:00:40Z")
    out, _ = run(capsys, rules, trail, *bounds)
    assert sections(out)["look"][0].startswith("2 matches")


def test_the_store_names_the_history(
    rules: str,
    trail: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("more.ndjson").write_bytes(call(50, "DeleteBucket", "more"))
    names = (Path(trail).name, "more.ndjson")
    assert main(["replay", *names, "--rules", rules, "--no-builtin"]) == Exit.OK
    capsys.readouterr()
    out, err = run(capsys, rules)
    assert (out.split(",")[0], err) == ("9 records of 2 files", "")
    assert sections(out)["deleted"][0].startswith("2 matches")
    Path("more.ndjson").unlink()
    out, err = run(capsys, rules)
    assert out.startswith("8 records of 1 file")
    assert err == (
        "not read: more.ndjson is not there: 1 known record, and all in it that said nothing to any"
        " rule\n"
    )
    Path(trail).unlink()
    _, err = run(capsys, rules, code=Exit.USAGE)
    assert "out/barograph.duckdb names 2 files and none can be read here" in err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["trail.ndjson"], "none of these is a rule (.yml) or a folder of rules"),
        (["rules.yml"], "there is no store in out or barograph-data"),
        (["rules.yml", "gone.ndjson"], "gone.ndjson is not there; name a file or a folder"),
        (["gone.yml", "trail.ndjson"], "cannot read gone.yml: No such file or directory"),
        (["wrong.yml", "trail.ndjson"], "wrong.yml:1: "),
        (
            [
                "rules.yml",
                "trail.ndjson",
                "--from",
                "2026-01-02T00:00:00Z",
                "--to",
                "2026-01-02T00:00:00Z",
            ],
            "--from is not before --to",
        ),
    ],
)
def test_mistakes_are_one_sentence(
    args: Sequence[str],
    said: str,
    rules: str,
    trail: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(Path(rules).parent)
    Path("wrong.yml").write_text("title: Wrong\n")
    _, err = run(capsys, *args, code=Exit.USAGE)
    assert said in err
    assert err.count("\n") == 1
    assert Path(trail).exists()


def test_built_in_rules_may_be_referred_to(
    tmp_path: Path, trail: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.yml"
    path.write_text(
        "title: Spree of sprees\nname: sprees\ncorrelation: {type: event_count,"
        " rules: bedrock_recon_spree, timespan: 1h, condition: {gte: 1}}\n"
        "---\ntitle: Nobody\ncorrelation: {type: temporal, rules: no_such_rule, timespan: 1h}\n"
    )
    out, err = run(capsys, str(path), trail)
    assert "`no_such_rule`" in err
    assert "bedrock" not in err
    assert sections(out).keys() == {"sprees", "bedrock_recon_spree", "bedrock_model_recon"}


def test_nothing_in_a_record_acts_on_the_terminal(
    rules: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hostile.ndjson"
    evil = {"userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::1:user/\x1b[2J\u202e"}}
    path.write_bytes(b"\n".join(call(at, "GetObject\x9b", f"\x1b{at}", **evil) for at in range(3)))
    for json_ in ((), ("--json",)):
        out, _ = run(capsys, rules, str(path), *json_)
        assert "looks" in out
        assert not {"\x1b", "\x9b", "\u202e"} & set(out.replace("\u202e" if json_ else "", ""))


GENERIC = """
title: Someone of ours looks
name: ours
logsource: {product: aws, service: cloudtrail}
detection: {s: {Action|startswith: Get, User|expand: "%ours%"}, condition: s}
---
title: Twice
name: twice
correlation:
  type: value_count
  rules: ours
  group-by: User
  timespan: 1m
  condition: {gte: 2, field: Action}
"""
PIPELINE = """
name: names of CloudTrail
transformations:
  - {type: field_name_mapping, mapping: {Action: eventName, User: userIdentity.arn}}
"""


def test_rules_are_processed_as_by_other_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rule, pipeline, table = tmp_path / "r.yml", tmp_path / "pipeline.yaml", tmp_path / "names.yaml"
    trail = tmp_path / "trail.ndjson"
    rule.write_text(GENERIC)
    pipeline.write_text(PIPELINE)
    table.write_text(f"placeholders: {{ours: ['{ANN}']}}")
    cy = {"userIdentity": {"arn": "arn:aws:iam::111122223333:user/cy"}}
    calls = [call(0, "GetObject", 0), call(1, "GetAcl", 1), call(2, "GetUser", 2, **cy)]
    trail.write_bytes(b"\n".join(calls))
    options = ("--pipeline", str(pipeline), "--placeholders", str(table))
    out, err = run(capsys, str(rule), str(trail), "--json", *options)
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["evidence"][-1]["event"] for line in lines] == ["1"]
    assert lines[0]["group"] == {"User": ANN}
    assert err == "3 records, 0 rejected, 0 matches, 1 finding\n"
    run(capsys, str(rule), str(trail), *options[:2], code=Exit.USAGE)


def test_what_cannot_be_used_is_left_out_unless_strict(
    rules: str, trail: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(rules).write_text(RULES.replace("{EventID: 4624}", "{E|re: '('}"))
    out, err = run(capsys, rules, trail)
    assert f"{rules}:21: " in err
    assert err.count("the rule is left out") == 1
    assert set(sections(out)) == {"looks", "pair", "many", "deleted", "look", "never", "span"}
    assert run(capsys, rules, trail, "--strict", code=Exit.USAGE)[0] == ""


def test_a_habit_is_refused_with_the_command_that_runs_it(
    tmp_path: Path, trail: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = tmp_path / "habit.yml"
    rule.write_text(
        "title: new\nname: new\nlogsource: {product: aws, service: cloudtrail}\n"
        "detection: {s: {eventName: GetObject}, condition: s}\n"
        "barograph: {habit: {type: silence, by: userIdentity.arn}}\n"
    )
    _, err = run(capsys, str(rule), trail, code=Exit.USAGE)
    assert f"{rule}: a backtest does not run a rule with a habit" in err
    assert f"barograph replay INPUT --rules {rule} --no-builtin" in err
    assert (
        main(["replay", trail, "--rules", str(rule), "--no-builtin", "--out", str(tmp_path)]) == 0
    )
