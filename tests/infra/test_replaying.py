"""A finite run over files: what it writes adds up, and does not depend on the order of arrival."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from correlators.ruleset import Ruleset, builtin, parse
from infra import replaying
from infra.demo import scenario
from infra.replaying import Order, replay
from schemas.config import Config
from schemas.errors import Mistake, Unavailable
from schemas.times import MINUTE, SECOND, rfc3339
from schemas.times import parse as time_of
from sinks.jsonl import FILES
from streams.records.documents import files
from tests.streams.trail import NOON, call

Bodies = Mapping[str, Sequence[dict[str, Any]]]


@pytest.fixture(scope="module")
def rules() -> Ruleset:
    return parse(builtin())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    scenario.write(folder)
    return folder


@pytest.fixture(scope="module")
def plain(
    rules: Ruleset, demo: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The folder and the summary of an undisturbed run."""
    out = tmp_path_factory.mktemp("plain")
    return out, replay(Config(), rules, [str(demo)], out, Order())


def written(out: Path) -> Bodies:
    return {
        kind: [json.loads(line) for line in (out / name).read_text().splitlines()]
        for kind, name in FILES.items()
    }


def final(out: Path) -> dict[str, set[tuple[str, str]]]:
    bodies = written(out)
    return {
        kind: {
            (body["id"], body["body_sha256"])
            for body in bodies[kind]
            if body["meta"]["state"] == "final"
        }
        for kind in ("finding", "alert")
    }


def test_the_summary_adds_up(plain: tuple[Path, dict[str, Any]]) -> None:
    out, summary = plain
    bodies = written(out)
    assert json.loads((out / "summary.json").read_text()) == summary
    assert summary["read"] == summary["parsed"] + summary["rejected"]
    assert (summary["read"], summary["rejected"], summary["late"]) == (4414, 4, 0)
    assert len(bodies["reject"]) == 4
    assert len({body["id"] for body in bodies["signal"]}) == summary["signals"]
    for kind, counted in (("finding", summary["findings"]), ("alert", summary["alerts"])):
        newest = {body["id"]: body for body in bodies[kind]}
        shown = [
            body["meta"]["state"] if kind == "finding" else body["stage"]
            for body in newest.values()
            if kind == "finding" or body["meta"]["state"] != "withdrawn"
        ]
        assert Counter(shown) == counted
    assert summary["findings"].keys() <= {"final", "withdrawn"}
    assert summary["until"] == "2026-03-03T23:20:18.000000Z"
    assert summary["peak_rss_mb"] > 0


def test_the_store_holds_what_the_files_hold(plain: tuple[Path, dict[str, Any]]) -> None:
    out, summary = plain
    with duckdb.connect(str(out / "barograph.duckdb"), read_only=True) as db:
        assert db.sql("SELECT count(*) FROM signals").fetchall() == [(summary["signals"],)]
        assert db.sql("SELECT count(*) FROM rejects").fetchall() == [(4,)]
        told = db.sql("SELECT id, body_sha256 FROM alerts WHERE meta_state = 'final'").fetchall()
    assert set(told) == final(out)["alert"]


def test_final_leaves_the_others_out(
    rules: Ruleset, demo: Path, plain: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    summary = replay(Config(), rules, [str(demo)], tmp_path, Order(final=True))
    bodies = written(tmp_path)
    for kind in ("finding", "alert"):
        assert {body["meta"]["state"] for body in bodies[kind]} == {"final"}
        assert len({body["id"] for body in bodies[kind]}) == len(bodies[kind])
    assert final(tmp_path) == final(plain[0])
    assert summary["alerts"] == plain[1]["alerts"]


@pytest.mark.parametrize(("span", "seed"), [(60 * SECOND, 1), (5 * MINUTE, 2)])
def test_another_order_of_arrival_gives_the_same(
    rules: Ruleset,
    demo: Path,
    plain: tuple[Path, dict[str, Any]],
    tmp_path: Path,
    span: int,
    seed: int,
) -> None:
    summary = replay(Config(), rules, [str(demo)], tmp_path, Order(shuffle=span, seed=seed))
    assert final(tmp_path) == final(plain[0])
    for name in ("read", "parsed", "rejected", "late", "signals", "until"):
        assert summary[name] == plain[1][name]
    assert rejected(tmp_path) == rejected(plain[0])  # under the numbers that they have in the files


def rejected(out: Path) -> list[tuple[str, str, str]]:
    return sorted((b["origin"], b["sha256"], b["reason"]) for b in written(out)["reject"])


def test_the_order_in_which_files_are_named_changes_nothing(
    rules: Ruleset, demo: Path, plain: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    named = list(files([demo]))[::-1]
    replay(Config(), rules, [*named, named[0]], tmp_path, Order())
    assert final(tmp_path) == final(plain[0])


def test_small_batches_change_nothing(
    rules: Ruleset, demo: Path, plain: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    config = Config.model_validate({"limits": {"batch_records": 100}})
    replay(config, rules, [str(demo)], tmp_path, Order())
    assert final(tmp_path) == final(plain[0])


def test_more_shuffling_than_lateness_is_a_mistake(
    rules: Ruleset, demo: Path, tmp_path: Path
) -> None:
    sentence = (
        "--shuffle 301 is more than the lateness of otel (300 s): records would be late;"
        " give at most that"
    )
    with pytest.raises(Mistake) as told:
        replay(Config(), rules, [str(demo)], tmp_path, Order(shuffle=301 * SECOND))
    assert str(told.value) == sentence
    trail = [str(demo / "cloudtrail")]
    replay(Config(), rules, trail, tmp_path, Order(shuffle=900 * SECOND))


def test_late_and_future_records_are_told(rules: Ruleset, tmp_path: Path) -> None:
    path, out = tmp_path / "in.ndjson", tmp_path / "out"
    path.write_bytes(b"\n".join([call(0), call(7200), call(1), call(9000)]))
    summary = replay(Config(), rules, [str(path)], out, Order(not_after=NOON + 8000 * SECOND))
    assert (summary["read"], summary["rejected"], summary["late"]) == (4, 1, 1)
    assert summary["until"] == rfc3339(NOON + 7200 * SECOND)
    (late,) = written(out)["late"]
    assert late == {
        "origin": f"file:{path}#3",
        "source": "cloudtrail",
        "time": "2026-03-02T12:00:01.000000Z",
        "watermark": "2026-03-02T13:45:00.000000Z",
    }
    (reject,) = written(out)["reject"]
    assert (reject["origin"], reject["reason"]) == (f"file:{path}#4", "time-in-future")


def test_time_passes_up_to_until(rules: Ruleset, demo: Path, tmp_path: Path) -> None:
    until = time_of("2026-03-09T00:00:00Z")
    summary = replay(Config(), rules, [str(demo)], tmp_path, Order(until=until))
    assert summary["until"] == "2026-03-09T00:00:00.000000Z"
    newest = {body["id"]: body for body in written(tmp_path)["alert"]}
    statuses = {(b["convergence"], b["status"]) for b in newest.values()}
    assert ("exploitable_infrastructure_exposed", "open") not in statuses  # it has expired by then
    with pytest.raises(Mistake, match="lies before the latest record"):
        replay(Config(), rules, [str(demo)], tmp_path, Order(until=NOON))


def test_a_run_begins_anew_in_its_folder(rules: Ruleset, tmp_path: Path) -> None:
    path, out = tmp_path / "in.ndjson", tmp_path / "out"
    asked = {"eventSource": "bedrock.amazonaws.com"}
    path.write_bytes(call(0, "GetFoundationModelAvailability", **asked))
    replay(Config(), rules, [str(path)], out, Order())
    first = written(out)
    replay(Config(), rules, [str(path)], out, Order())
    assert written(out) == first
    assert sorted(p.name for p in out.iterdir()) == sorted(
        [*FILES.values(), "barograph.duckdb", "summary.json"]
    )


def test_of_copies_the_smaller_is_kept(rules: Ruleset, tmp_path: Path) -> None:
    path, out = tmp_path / "in.ndjson", tmp_path / "out"
    stated = {"eventSource": "bedrock.amazonaws.com"}
    copies = [
        call(0, "GetFoundationModelAvailability", uid="u", userAgent=agent, **stated)
        for agent in ("b", "c", "a")
    ]
    path.write_bytes(b"\n".join(copies))
    replay(Config(), rules, [str(path)], out, Order())
    with duckdb.connect(str(out / "barograph.duckdb"), read_only=True) as db:
        assert db.sql("SELECT origin, body->'client'->>'user_agent' FROM events").fetchall() == [
            (f"file:{path}#3", "a")
        ]
    assert len(written(out)["signal"]) == 1


def test_a_folder_that_cannot_be_written_is_told(rules: Ruleset, tmp_path: Path) -> None:
    path = tmp_path / "in.ndjson"
    path.write_bytes(call(0))
    with pytest.raises(Unavailable, match=r"in.ndjson cannot be written: File exists; make room"):
        replay(Config(), rules, [str(path)], path, Order())


def test_full_room_for_temporary_files_is_told(
    rules: Ruleset, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = replaying.MEMORY.replace("BEGIN", "PRAGMA max_page_count = 20; BEGIN")
    monkeypatch.setattr(replaying, "MEMORY", full)
    with pytest.raises(Unavailable, match=r"temporary files cannot be written: .* is full; make"):
        replay(Config(), rules, [str(demo)], tmp_path / "out", Order())


def test_many_files_need_few_descriptors(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for n in range(200):
        (folder / f"{n}.json").write_bytes(call(n % 7))
    replay_ = (sys.executable, "-m", "infra", "replay", "in", "--out", "out", "--json")
    bounded = ("bash", "-c", 'ulimit -n 64 && exec "$@"', "-", *replay_)
    done = subprocess.run(bounded, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["read"] == 200
