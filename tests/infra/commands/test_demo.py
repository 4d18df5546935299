"""`barograph demo`: it tells its story as it should, and what it says to try next works."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import infra.demo
from infra.cli import main

EXPECTED: Mapping[str, Any] = yaml.safe_load(
    files(infra.demo).joinpath("expected.yml").read_text("utf-8")
)
CLAIMS = "application:claims-triage"


class Played(NamedTuple):
    """Where it was played, what it printed, and every state of every alert in order."""

    folder: Path
    out: str
    err: str
    alerts: list[dict[str, Any]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo")
    words = (sys.executable, "-m", "infra", "demo")
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = (folder / "out" / "alerts.jsonl").read_text().splitlines()
    return Played(folder, done.stdout, done.stderr, [json.loads(line) for line in lines])


def test_it_tells_what_is_expected_and_nothing_else(played: Played) -> None:
    newest = {alert["id"]: alert for alert in played.alerts}
    told = [
        {
            "system": alert["system"],
            "convergence": alert["convergence"],
            "peak": alert["peak_stage"],
            "status": alert["status"],
        }
        for alert in newest.values()
        if alert["meta"]["state"] != "withdrawn"
    ]
    place = ("system", "convergence")
    assert sorted(told, key=lambda one: [one[name] for name in place]) == sorted(
        EXPECTED["alerts"], key=lambda one: [one[name] for name in place]
    )
    assert {alert["meta"]["state"] for alert in newest.values()} == {"final"}


def test_who_has_no_story_has_no_alert(played: Played) -> None:
    assert {alert["system"] for alert in played.alerts} & set(EXPECTED["silent"]) == set()


def test_the_three_stages_follow_one_another(played: Played) -> None:
    stages = [alert["stage"] for alert in played.alerts if alert["system"] == CLAIMS]
    first = {stage: stages.index(stage) for stage in ("outlook", "watch", "warning")}
    assert first["outlook"] < first["watch"] < first["warning"]
    warning = next(a for a in played.alerts if a["stage"] == "warning")
    assert warning["next"]
    assert warning["actions"]
    assert warning["path"]


def test_it_leaves_what_it_says(played: Played) -> None:
    out = {path.name for path in (played.folder / "out").iterdir()}
    assert out == {
        *("alerts.jsonl", "findings.jsonl", "late.jsonl", "rejects.jsonl", "signals.jsonl"),
        *("barograph.duckdb", "input", "report.html", "summary.json"),
    }
    summary = json.loads((played.folder / "out" / "summary.json").read_text())
    assert (summary["read"], summary["rejected"]) == (4414, 4)
    page = (played.folder / "out" / "report.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "claims-triage" in page


def test_it_prints_a_headline_and_shows_the_board(played: Played) -> None:
    assert "4,410 records of 4 sources in out/input/" in played.out
    assert "1 warning, 2 outlooks, 1 watch expired, 3 systems" in played.out
    assert "2026-03-03 14:26:00  warning" in played.err
    assert "\x1b" not in played.out + played.err  # no colour when not a terminal


def test_what_it_says_to_try_next_works(
    played: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(played.folder)
    lines = played.out.partition("What to try next:\n")[2].splitlines()
    commands = [shlex.split(line.strip().split("  ")[0]) for line in lines]
    assert [command[:2] for command in commands] == [
        ["open", "out/report.html"],
        ["barograph", "explain"],
        ["barograph", "verify"],
        ["barograph", "query"],
        ["barograph", "lineage"],
    ]
    assert Path(commands[0][1]).is_file()
    for command in commands[1:]:
        assert main(command[1:]) == 0, command
        assert capsys.readouterr().out


def test_it_works_elsewhere_and_twice(
    played: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(played.folder)
    Path("else where/input").mkdir(parents=True)
    mine = Path("else where/input/notes.txt")
    mine.write_text("not the demo's")
    assert main(["demo", "--fast", "--out", "else where"]) == 0
    out = capsys.readouterr().out
    assert "barograph query --name queue --store 'else where'" in out
    assert mine.read_text() == "not the demo's"
    again = [json.loads(line) for line in Path("else where/alerts.jsonl").read_text().splitlines()]
    assert {a["body_sha256"] for a in again if a["meta"]["state"] == "final"} == {
        a["body_sha256"] for a in played.alerts if a["meta"]["state"] == "final"
    }
    assert main(["demo", "--out", "out/summary.json"]) == 2
    assert capsys.readouterr().err == (
        "barograph: out/summary.json/input cannot be written: Not a directory;"
        " give another folder with --out\n"
    )


def test_its_inventory_is_counted_by_kind_and_relation(
    played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["assets", "--counts", "--json", "--store", str(played.folder / "out")]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["name"]: one["number"] for one in told if one["what"] == "things"} == {
        "account": 1,
        "agent": 2,
        "apikey": 10,
        "application": 3,
        "dataset": 1,
        "datastore": 4,
        "guardrail": 2,
        "image": 3,
        "mcp_server": 3,
        "model": 4,
        "principal": 9,
        "repo": 1,
        "session": 238,
        "tool": 6,
        "workload": 5,
    }
    assert {
        one["name"]: (one["declared"], one["observed"]) for one in told if one["what"] == "edges"
    } == {
        "calls": (0, 8),
        "depends_on": (3, 0),
        "guarded_by": (0, 2),
        "owns": (0, 10),
        "retrieves": (0, 1),
        "runs": (0, 2),
        "runs_image": (0, 5),
        "runs_on": (0, 3),
        "served_by": (0, 6),
        "trained_on": (1, 0),
        "uses": (22, 8),
    }


def test_its_lineage_is_another_one_before_anybody_worked(
    played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    def below(at: str) -> set[str]:
        words = ["lineage", "agent:policy-assistant", "--as-of", at, "--json"]
        assert main([*words, "--store", str(played.folder / "out")]) == 0
        return {step["entity"] for step in json.loads(capsys.readouterr().out)["downstream"]}

    assert below("2026-03-02T00:00:00Z") == set()
    assert below("2026-03-02T00:30:00Z") == {
        "mcp_server:rates-mcp.quotefeed.example",
        "model:amazon.nova-pro-v1:0",
        "tool:rates-mcp.quotefeed.example/get_exchange_rate",
    }


def test_its_shadow_ai_is_the_model_that_no_bill_of_materials_names(
    played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["assets", "--shadow", "--json", "--store", str(played.folder / "out")]) == 0
    assert json.loads(capsys.readouterr().out)["entity"] == "model:amazon.titan-embed-text-v2:0"
