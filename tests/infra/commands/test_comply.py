"""comply: what it answers about the bundled scenario, and what it says where it cannot answer."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from infra.cli import main
from schemas.rows import Result
from sinks.store import SNAPSHOT, Store

Out = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    assert main(["demo", "--fast", "--out", str(out)]) == 0
    return out


def comply(demo: Path, capsys: Out, *words: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["comply", *words, "--store", str(demo)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_framework_control_by_control(demo: Path, capsys: Out) -> None:
    code, out, err = comply(demo, capsys, "--framework", "owasp_agentic_2026", "--system", "estate")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "OWASP Top 10 for Agentic Applications (2026), as of 2026-03-03 23:20:18 UTC"
    assert [line.split("  ")[0] for line in lines[4:14]] == [
        *("fail", "not assessed", "fail", "fail", "fail"),
        *(["not assessed"] * 4),
        "fail",
    ]
    assert lines[-2:] == [
        "0 pass, 5 fail, 5 not assessed; 0 % of those assessed pass",
        "This is evidence, no certificate: docs/compliance.md says what it cannot tell.",
    ]


def test_one_system_by_its_name_or_root_as_json(demo: Path, capsys: Out) -> None:
    words = ("--framework", "nist-ai-rmf", "--format", "json", "--system")
    code, named, _ = comply(demo, capsys, *words, "policy-assistant")
    assert code == 0
    assert comply(demo, capsys, *words, "application:policy-assistant")[1] == named
    told = {row["control"]: row for row in map(json.loads, named.splitlines())}
    assert {row["scope"] for row in told.values()} == {"application:policy-assistant"}
    secure = told["MEASURE 2.7"]
    assert (secure["status"], secure["meta"]["status"]) == ("pass", "pass")
    assert secure["fresh_until"] == "2026-03-05T07:33:08.107761Z"
    assert [one["criterion"] for one in secure["criteria"]] == [
        "no_open_warning",
        "exploitable_weaknesses_mended",
        "images_without_secrets",
        "serving_not_exposed",
        "prompt_attacks_stopped",
    ]


def test_strict_is_no_where_a_control_fails(demo: Path, capsys: Out) -> None:
    words = ("--framework", "owasp_agentic_2026", "--strict", "--system")
    assert comply(demo, capsys, *words, "claims-triage")[0] == 1
    assert comply(demo, capsys, *words, "fraud-lens")[0] == 0  # what is not assessed is no failure


def test_at_a_later_time_nothing_holds_that_nobody_confirms(demo: Path, capsys: Out) -> None:
    words = ("--framework", "eu_ai_act", "--system", "fraud-lens", "--at")
    code, out, _ = comply(demo, capsys, *words, "2026-03-05T20:00:00Z")
    assert code == 0
    assert "0 pass, 0 fail" in out
    assert "held until 2026-03-05T17:49:48.827838Z, and nothing was heard since" in out
    assert "0 pass, 0 fail" in comply(demo, capsys, *words, "now")[1]
    code, _, err = comply(demo, capsys, *words, "2026-03-01T00:00:00Z")
    assert code == 2
    assert "was assessed as of 2026-03-03T23:20:18.000000Z; for an earlier time" in err
    assert comply(demo, capsys, *words, "soon")[0] == 2


def test_the_frameworks_are_listed(capsys: Out) -> None:
    assert main(["comply", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[2:]] == [
        "eu_ai_act",
        "iso_42001",
        "mitre_atlas",
        "nist_ai_rmf",
        "owasp_agentic_2026",
        "owasp_llm_2025",
    ]


def test_what_is_not_there_is_told_with_what_is(demo: Path, capsys: Out) -> None:
    code, _, err = comply(demo, capsys, "--framework", "soc2")
    assert (code, err) == (
        2,
        (
            "barograph: no framework is called 'soc2'; there are eu_ai_act, iso_42001, mitre_atlas,"
            " nist_ai_rmf, owasp_agentic_2026, owasp_llm_2025\n"
        ),
    )
    code, _, err = comply(demo, capsys, "--framework", "eu_ai_act", "--system", "shop")
    assert (code, err) == (
        2,
        (
            "barograph: the store knows no AI system 'shop'; `barograph query 'FROM systems'` lists"
            " them\n"
        ),
    )


def test_an_empty_store_says_what_to_do(tmp_path: Path, capsys: Out) -> None:
    store = Store(tmp_path, finite=True)
    store.open(None)
    store.close()
    code, out, err = comply(tmp_path, capsys, "--framework", "eu_ai_act")
    assert (code, out) == (2, "")
    assert "holds nothing that could be assessed; `barograph demo` fills a store" in err


def test_a_store_of_before_says_what_to_do(tmp_path: Path, capsys: Out) -> None:
    store = Store(tmp_path, finite=True)
    store.open(None)
    time = "2026-01-01T12:00:00Z"
    body = {"kind": "agent", "id": "a", "first_seen": time, "last_seen": time, "sources": ["otel"]}
    store.write([Result("asset", "agent:a", 0, "final", body)])
    store.close()
    for change in ("SELECT 1", "DROP TABLE criteria"):
        with duckdb.connect(str(tmp_path / SNAPSHOT)) as db:
            db.execute(change)
        code, _, err = comply(tmp_path, capsys, "--framework", "eu_ai_act")
        assert code == 2
        assert "was written before controls were assessed in it; replay its input" in err
