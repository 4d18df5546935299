"""The inventory out of what several sources say: one thing once, known how, reached from where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.cli import main
from schemas.entity import KINDS, Entity
from schemas.event import Event
from streams.names import mcp
from tests.infra.played import event, link, store

Ask = Callable[..., list[dict[str, Any]]]

APP, BOT = "application:shop", "agent:bot"
FILES = "mcp_server:npm/@example/server-files"
READ = "tool:npm/@example/server-files/read_file"
KEY, ANN = "apikey:AKIAEXAMPLE0001", "principal:arn:aws:iam::111122223333:user/ann"


def server(**said: Any) -> Entity:  # noqa: ANN401 - as of `mcp.server`
    found = mcp.server(**said)
    assert found is not None
    return found


# One MCP server: three scanners and the telemetry say it in four ways.
SEEN = [
    event(0, "mcp_scan", 2004, [server(command="npx", args=["-y", "@example/server-files"])]),
    event(1, "mcp_scanner", 2004, [server(command="npx -y @example/server-files@1.2 /data")]),
    event(2, "agent_bom", 5020, [server(command="bunx", args=["@Example/server-files"])]),
    event(
        3,
        "otel",
        6003,
        [READ, server(command="npx @example/server-files", title="files")],
        [link(BOT, "uses", READ), link(READ, "served_by", FILES)],
    ),
]
BOM = event(
    0,
    "cyclonedx",
    5020,
    [APP],
    [
        link(APP, "runs", BOT, declared=True),
        link(APP, "uses", "model:own", declared=True),
        link("model:own", "trained_on", "dataset:claims", declared=True),
        link(BOT, "uses", FILES, declared=True),
    ],
)
WORK = [
    event(1, "otel", 6003, [BOT, APP], [link(APP, "runs", BOT), link(BOT, "calls", "model:new")]),
    event(4, "cloudtrail", 6003, ["model:new", ANN, KEY], [link(ANN, "owns", KEY)]),
    event(5, "cloudtrail", 6003, ["apikey:AKIAEXAMPLE0002"]),
    event(6, "otel", 6003, [READ], [link(READ, "reads", "datastore:s3/cases")]),
    event(4, "cloudtrail", 6003, ["model:new"], [link(ANN, "calls", "model:new")]),
    event(2, "cyclonedx", 5020, ["datastore:s3/cases"], attributes={"asset.data": ["personal"]}),
    event(300, "otel", 6003, [BOT], [link(BOT, "calls", "model:new")]),
]


@pytest.fixture
def ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[list[Event]], Ask]:
    """Of events, a way to ask commands; what they answer as JSON."""

    def of(events: list[Event]) -> Ask:
        store(events, tmp_path)

        def run(*words: str) -> list[dict[str, Any]]:
            assert main([*words, "--json", "--store", str(tmp_path)]) == 0
            return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

        return run

    return of


Of = Callable[[list[Event]], Ask]


def named(answer: list[dict[str, Any]]) -> list[str]:
    return [one["entity"] for one in answer]


def test_three_scanners_and_the_telemetry_give_one_server(ask: Of) -> None:
    (found,) = ask(SEEN)("assets", "--kind", "mcp_server")
    assert found["entity"] == FILES
    assert found["name"] == "files"
    assert found["sources"] == ["agent_bom", "mcp_scan", "mcp_scanner", "otel"]
    assert found["known"] == "declared+observed"


def test_things_and_edges_are_counted_by_kind_and_layer(ask: Of) -> None:
    counts = {
        one["name"]: (one["number"], one["declared"], one["observed"], one["both_ways"])
        for one in ask([*SEEN, BOM, *WORK])("assets", "--counts")
    }
    assert counts == {
        "application": (1, 1, 1, 1),
        "model": (2, 1, 1, 0),
        "agent": (1, 1, 1, 1),
        "mcp_server": (1, 1, 1, 1),
        "tool": (1, 0, 1, 0),
        "dataset": (1, 1, 0, 0),
        "datastore": (1, 1, 1, 1),
        "principal": (1, 0, 1, 0),
        "apikey": (2, 0, 2, 0),
        "calls": (2, 0, 2, 0),
        "owns": (1, 0, 1, 0),
        "reads": (1, 0, 1, 0),
        "runs": (1, 1, 1, 1),
        "served_by": (1, 0, 1, 0),
        "trained_on": (1, 1, 0, 0),
        "uses": (3, 2, 1, 0),
    }


def test_every_kind_has_its_layer(ask: Of) -> None:
    events = [event(0, "otel", 6003, [f"{kind}:x"]) for kind in KINDS if kind != "vulnerability"]
    counted = ask(events)("assets", "--counts")
    assert {one["name"] for one in counted} == {*KINDS} - {"vulnerability"}
    assert {one["layer"] for one in counted} == {
        "applications",
        "models and endpoints",
        "agents and tools",
        "data, code, infrastructure",
    }


def test_what_was_declared_and_what_is_at_work_are_two_things(ask: Of) -> None:
    run = ask([*SEEN, BOM, *WORK])
    assert named(run("assets", "--declared-not-exercised")) == ["model:own", "dataset:claims"]
    assert named(run("assets", "--exercised-not-declared")) == ["model:new", READ]


def test_shadow_ai_is_neither_declared_nor_approved(
    ask: Of, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rogue = event(
        7,
        "otel",
        6003,
        ["tool:rogue.example/run"],
        [link("tool:rogue.example/run", "served_by", "mcp_server:rogue.example")],
    )
    run = ask([*SEEN, BOM, *WORK, rogue])
    # The tool of the declared server is none: it is known with its server.
    want = ["mcp_server:rogue.example", "model:new", "tool:rogue.example/run"]
    assert named(run("assets", "--shadow")) == want
    monkeypatch.chdir(tmp_path)
    Path("barograph.toml").write_text('[inventory]\napproved = ["model:n?w", "*:rogue.*"]\n')
    assert named(run("assets", "--shadow")) == []
    Path("barograph.toml").write_text('[inventory]\napproved = ["mcp_server:rogue.example"]\n')
    assert named(run("assets", "--shadow")) == ["model:new"]


def test_stale_keys_are_those_without_owner_and_those_that_nobody_uses(ask: Of) -> None:
    run = ask(WORK)
    assert [(one["entity"], one["why"], one["quiet_days"]) for one in run("assets", "--stale")] == [
        (KEY, "nobody uses it", 296),
        ("apikey:AKIAEXAMPLE0002", "nobody owns it", 295),
    ]
    assert named(run("assets", "--stale", "300")) == ["apikey:AKIAEXAMPLE0002"]


def test_one_thing_under_two_names_is_one_line_under_the_smaller(ask: Of) -> None:
    same = event(
        1,
        "agent_bom",
        5020,
        ["mcp_server:files.example"],
        [link(FILES, "same_as", "mcp_server:files.example", declared=True, confidence=0.9)],
    )
    run = ask([*SEEN, BOM, same])
    (found,) = run("assets", "--kind", "mcp_server")
    assert (found["entity"], found["names"]) == (
        "mcp_server:files.example",
        ["mcp_server:files.example", FILES],
    )
    assert found["systems"] == ["shop"]
    (lineage,) = run("lineage", APP)
    reached = {step["entity"]: step["confidence"] for step in lineage["downstream"]}
    assert reached["mcp_server:files.example"] == 0.9


def test_lineage_leads_from_the_data_to_the_tool(ask: Of) -> None:
    (found,) = ask([*SEEN, BOM, *WORK])("lineage", "dataset:claims", "--blast-radius")
    held = {one["entity"]: one for one in found["reached"]}
    assert [step["from"] for step in held["model:own"]["path"]] == ["model:own"]
    (found,) = ask([*SEEN, BOM, *WORK])("lineage", APP)
    steps = {one["entity"]: (one["parent"], one["relation"]) for one in found["downstream"]}
    assert steps["dataset:claims"] == ("model:own", "trained_on")
    assert steps[READ] == (BOT, "uses")
    assert steps["datastore:s3/cases"] == (READ, "reads")


def test_the_answer_depends_on_the_time_that_is_asked_for(ask: Of) -> None:
    gone = event(8, "cloudtrail", 6003, [READ], attributes={"asset.state": "deleted"})
    run = ask([*SEEN, BOM, *WORK, gone])

    def below(at: str) -> set[str]:
        (found,) = run("lineage", BOT, "--as-of", at)
        return {step["entity"] for step in found["downstream"]}

    assert below("2026-03-02T12:00:00Z") == {FILES}
    assert below("2026-03-03T12:00:00Z") == {FILES, "model:new"}
    all_of_it = {FILES, "model:new", READ, "datastore:s3/cases"}
    assert below("2026-03-08T12:00:00Z") == all_of_it
    assert below("2026-03-11T00:00:00Z") == {FILES, "model:new"}


def test_the_blast_radius_of_a_key(ask: Of) -> None:
    (found,) = ask([*SEEN, BOM, *WORK])("lineage", KEY, "--blast-radius")
    assert found["counts"] == [
        {"layer": "models and endpoints", "kind": "model", "held": 0, "used": 1},
        {"layer": "data, code, infrastructure", "kind": "principal", "held": 1, "used": 0},
    ]
    assert found["systems"] == [{"system": APP, "things": 1}]
    assert found["private_data"] == []


def test_the_blast_radius_of_a_server_reaches_the_agent_and_private_data(ask: Of) -> None:
    (found,) = ask([*SEEN, BOM, *WORK])("lineage", FILES, "--blast-radius")
    assert {one["entity"]: one["hold"] for one in found["reached"]} == {
        READ: "held",
        BOT: "held",
        "datastore:s3/cases": "used",
        "model:new": "used",
    }
    assert found["private_data"] == ["datastore:s3/cases"]


def test_one_thing_with_all_that_is_said_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weak = event(
        1,
        "grype",
        2002,
        ["image:sha256:aa"],
        severity="high",
        finding={"uid": "f", "title": "A hole", "vulnerability": "CVE-2026-0001"},
    )
    runs = link(APP, "uses", "image:sha256:aa", declared=True)
    folder = str(store([weak, event(0, "cyclonedx", 5020, [APP], [runs])], tmp_path))
    assert main(["assets", "image:sha256:aa", "--store", folder]) == 0
    said = capsys.readouterr().out
    assert "CVE-2026-0001" in said
    assert "grype" in said
    assert main(["lineage", "vulnerability:CVE-2026-0001", "--store", folder]) == 0
    assert capsys.readouterr().out.endswith(
        "is reached by:\n  <-affected_by- image:sha256:aa\n    <-uses- application:shop\n"
    )
    assert main(["assets", "image:none", "--store", folder]) == 2
    assert "the store knows no entity 'image:none'" in capsys.readouterr().err
