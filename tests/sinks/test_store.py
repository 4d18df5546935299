"""The DuckDB store: rows by id, views, snapshots, and what a kill or another process does to it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import duckdb
import orjson
import pytest

import sinks
from schemas.errors import Unavailable
from schemas.finding import State
from schemas.rows import Result, ResultKind
from sinks.store import SNAPSHOT, WRITER, Store
from tests.sinks.figures import note

T = "2026-01-01T12:00:00.250000Z"
TIME = datetime(2026, 1, 1, 12, 0, 0, 250_000)  # noqa: DTZ001 - DuckDB's TIMESTAMP has no zone
ROLE = {"kind": "principal", "id": "arn:aws:iam::111122223333:role/Pipeline"}
MODEL = {"kind": "model", "id": "anthropic.claude"}

WRITES = """
import sys
from pathlib import Path
from schemas.rows import Result
from sinks.store import Store
store = Store(Path(sys.argv[1]))
store.open(None)
for n in range(1_000_000):
    rows = [Result("signal", f"{n}-{i}", 0, "final", {"title": "t"}) for i in range(100)]
    delivered = store.write(rows)
    print(n if delivered.problem is None else delivered.problem, flush=True)
"""
# A batch while the disk is full, and the same again when there is room.
FILLS = """
import resource, sys
from pathlib import Path
from schemas.rows import Result
from sinks.store import Store
store = Store(Path(sys.argv[1]))
store.open(None)
batch = [Result("signal", str(n), 0, "final", {"title": f"t{n}" * 20}) for n in range(20_000)]
for limit in (200_000, resource.RLIM_INFINITY):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    delivered = store.write(batch)
    print(delivered.taken, delivered.problem)
store.close()
"""
# A snapshot while the disk is full, and again when there is room; what lies there in between.
COPIES = """
import resource, sys
from pathlib import Path
from schemas.rows import Result
from sinks.store import Store
now = [0.0]
store = Store(Path(sys.argv[1]), clock=lambda: now[0])
store.open(None)
store.write([Result("signal", str(n), 0, "final", {"title": f"t{n}" * 20}) for n in range(20_000)])
for limit in (int(sys.argv[2]), resource.RLIM_INFINITY):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    now[0] += 100
    try:
        print(store.publish())
    except Exception as error:
        print(type(error).__name__)
    print(*sorted(path.name for path in Path(sys.argv[1]).iterdir() if path.suffix != ".wal"))
store.close()
"""


def result(
    kind: ResultKind, id_: str, body: dict[str, Any], state: State = "final", **more: object
) -> Result:
    return Result(kind, id_, 0, state, body | more)


def alert(id_: str, revision: int = 1, state: State = "provisional", **more: object) -> Result:
    body = {
        "id": id_,
        "thread": "t",
        "convergence": "runaway_agent",
        "stage": "watch",
        "peak_stage": "warning",
        "status": "open",
        "system": "application:shop",
        "title": "An agent runs away",
        "summary": "It does",
        "priority": 61,
        "confidence": 0.8,
        "severity": "high",
        "entities": [ROLE, MODEL],
        "why": [
            {"term": "base", "value": 1.0, "weight": -3000, "points": -3000, "evidence": []},
            {"term": "runtime", "value": 0.5, "weight": 4000, "points": 2000, "evidence": []},
        ],
        "tags": ["atlas.AML.T0051"],
        "first_time": T,
        "onset_time": T,
        "last_time": T,
        "expires_at": T,
        "evidence": [{"event": "e1", "sha256": "aa"}],
        "body_sha256": "bb",
        "meta": {"state": state, "revision": revision, "emitted": T},
    }
    return Result("alert", id_, 0, state, body | more)


def event(uid: str) -> Result:
    return result(
        "event",
        uid,
        {"uid": uid},
        time=T,
        source="cloudtrail",
        class_uid=6003,
        class_name="API Activity",
        activity="InvokeModel",
        status="failure",
        severity="informational",
        actor=ROLE,
        client={"ip": "198.51.100.7"},
        entities=[MODEL, ROLE],
        evidence={"origin": "file:trail.jsonl#1", "sha256": "aa"},
    )


def edge(id_: str, from_: str, to: str, valid_to: str | None = None) -> Result:
    ended = {} if valid_to is None else {"valid_to": valid_to}
    body = {"from": from_, "relation": "uses", "to": to, "declared": True, "valid_from": T}
    return Result("edge", id_, 0, "final", body | {"last_seen": T} | ended)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path)
    store.open(None)
    yield store
    store.close()


def rows(store: Store, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Return what a reader of the snapshot sees."""
    store.publish()
    with duckdb.connect(str(store.snapshot), read_only=True) as db:
        return db.execute(query, parameters).fetchall()


def test_every_kind_of_result_has_its_load(store: Store) -> None:
    assert store.kinds == frozenset(get_args(ResultKind))


def test_an_event_is_a_row_with_typed_columns_and_its_body(store: Store) -> None:
    store.write([event("e1")])
    assert rows(store, "SELECT * EXCLUDE body FROM events") == [
        (
            *("e1", TIME, "cloudtrail", 6003, "API Activity", "InvokeModel", "failure"),
            *("informational", None, "principal:arn:aws:iam::111122223333:role/Pipeline"),
            *("198.51.100.7", ["model:anthropic.claude", f"principal:{ROLE['id']}"]),
            *("file:trail.jsonl#1", "aa", "final"),
        )
    ]
    ((body,),) = rows(store, "SELECT body FROM events")
    assert orjson.loads(body) == event("e1").body


def test_the_newest_state_of_an_id_is_the_row(store: Store) -> None:
    store.write([alert("a"), alert("a", 2, priority=70), alert("b")])
    store.write([alert("a", 3, "final", priority=75)])
    query = "SELECT id, priority, meta_state, revision, emitted FROM alerts ORDER BY id"
    assert rows(store, query) == [
        ("a", 75, "final", 3, TIME),
        ("b", 61, "provisional", 1, TIME),
    ]


def test_the_ledger_has_a_row_per_term_and_stored_revision(store: Store) -> None:
    store.write([alert("a")])
    store.write([alert("a", 2, why=[{"term": "base", "value": 1, "weight": 5, "points": 5}])])
    query = "SELECT revision, number, time, term, value, weight, points FROM scores ORDER BY ALL"
    assert rows(store, query) == [
        (1, 1, TIME, "base", 1.0, -3000, -3000),
        (1, 2, TIME, "runtime", 0.5, 4000, 2000),
        (2, 1, TIME, "base", 1.0, 5, 5),
    ]


def test_a_withdrawn_alert_is_marked_and_a_withdrawn_fact_is_gone(store: Store) -> None:
    fact = {"entity": "model:m", "name": "exposed", "instance": "", "state": "open", "since": T}
    store.write([alert("a"), alert("b"), result("fact", "f", fact), result("fact", "g", fact)])
    store.write([alert("a", 2, "withdrawn"), result("fact", "f", fact, "withdrawn")])
    assert rows(store, "SELECT id FROM open_alerts") == [("b",)]
    assert rows(store, "SELECT meta_state FROM alerts WHERE id = 'a'") == [("withdrawn",)]
    assert rows(store, "SELECT entity, name FROM posture") == [("model:m", "exposed")]


def test_what_covers_an_alert_is_a_column(store: Store) -> None:
    store.write([alert("a", superseded_by="b"), alert("b")])
    query = "SELECT id, superseded_by FROM alerts ORDER BY id"
    assert rows(store, query) == [("a", "b"), ("b", None)]


def test_one_batch_may_hold_a_row_and_its_withdrawal(store: Store) -> None:
    store.write([edge("1", "a:1", "b:1"), edge("2", "b:1", "c:1")])
    gone = edge("1", "a:1", "b:1")
    store.write([edge("3", "c:1", "d:1"), Result("edge", gone.id, 0, "withdrawn", gone.body)])
    query = "SELECT from_entity, to_entity FROM current_edges ORDER BY ALL"
    assert rows(store, query) == [("b:1", "c:1"), ("c:1", "d:1")]


def test_assets_systems_forecasts_rejects_and_late_records(store: Store) -> None:
    asset = {"kind": "model", "id": "m", "first_seen": T, "last_seen": T, "sources": ["otel"]}
    system = {"id": "application:shop", "name": "shop", "root": "application:shop"}
    forecast = {"alert": "a", "technique": "T1", "probability": 0.25, "issued": T, "until": T}
    reject = {"origin": "file:x#1", "sha256": "0", "source": "otel", "reason": "not-json"}
    store.write(
        [
            result("asset", "model:m", asset, attributes={"asset.exposure": "internet"}),
            result("system", "application:shop", system, members=["model:m", "tool:t"]),
            result("forecast", "f1", forecast, outcome="hit"),
            result("forecast", "f2", forecast, outcome="false_alarm"),
            result("forecast", "f3", forecast, outcome="open"),
            result("reject", "file:x#1", reject, detail="no", size=3),
            result("late", "file:x#2", {"origin": "file:x#2", "time": T, "watermark": T}),
        ]
    )
    query = "SELECT entity, sources, attributes ->> '$.\"asset.exposure\"' FROM assets"
    assert rows(store, query) == [("model:m", ["otel"], "internet")]
    query = "SELECT * FROM system_members ORDER BY entity"
    root = ("shop", "application:shop")
    assert rows(store, query) == [(*root, "model:m"), (*root, "tool:t")]
    # Brier: the mean of three quarters squared and one quarter squared.
    verified = ("T1", 3, 1, 1, 1, 0.25, 0.5, 0.3125)
    assert rows(store, "SELECT * FROM forecast_verification") == [verified]
    assert rows(store, "SELECT reason, size FROM rejects") == [("not-json", 3)]
    assert rows(store, "SELECT origin, time FROM late") == [("file:x#2", TIME)]


def test_evidence_of_an_alert_leads_to_the_raw_record(store: Store) -> None:
    store.write([alert("a"), event("e1")])
    query = "SELECT alert, event, origin FROM alert_evidence"
    assert rows(store, query) == [("a", "e1", "file:trail.jsonl#1")]


def test_lineage_goes_both_ways_as_of_a_time_and_through_cycles(store: Store) -> None:
    store.write(
        [
            edge("1", "application:shop", "agent:a"),
            edge("2", "agent:a", "tool:old", valid_to="2026-02-01T00:00:00.000000Z"),
            edge("3", "agent:a", "tool:new"),
            edge("4", "tool:new", "application:shop"),
        ]
    )
    query = "SELECT entity, depth, parent FROM downstream(?, CAST(? AS TIMESTAMP), 9) ORDER BY ALL"
    shop = "application:shop"
    assert rows(store, query, shop, None) == [
        ("agent:a", 1, shop),
        ("tool:new", 2, "agent:a"),
    ]
    assert rows(store, query, shop, "2026-01-15T00:00:00Z") == [
        ("agent:a", 1, shop),
        ("tool:new", 2, "agent:a"),
        ("tool:old", 2, "agent:a"),
    ]
    assert rows(store, query, shop, "2025-01-15T00:00:00Z") == []
    query = "SELECT entity, depth FROM upstream('tool:new', NULL, 9) ORDER BY depth"
    assert rows(store, query) == [("agent:a", 1), (shop, 2)]


def test_tables_and_views_say_what_they_are(store: Store) -> None:
    query = (
        "SELECT table_name FROM duckdb_tables() WHERE comment IS NULL UNION"
        " SELECT view_name FROM duckdb_views() WHERE comment IS NULL AND NOT internal"
    )
    assert rows(store, query) == []


def test_a_hostile_text_is_only_a_text(store: Store) -> None:
    title = "'); DROP TABLE alerts; --\x00\u202e"
    store.write([alert("a", title=title, system=title)])
    assert rows(store, "SELECT title, system FROM alerts") == [(title, title)]


def test_a_reader_keeps_the_snapshot_that_it_opened(store: Store, tmp_path: Path) -> None:
    store.write([alert("a")])
    store.publish()
    with duckdb.connect(str(tmp_path / SNAPSHOT), read_only=True) as reader:
        store.write([alert("b")])
        store.publish()
        assert reader.execute("SELECT count(*) FROM alerts").fetchall() == [(1,)]
    assert rows(store, "SELECT count(*) FROM alerts") == [(2,)]


def test_snapshots_are_made_when_they_are_due(tmp_path: Path) -> None:
    now = 100.0
    store = Store(tmp_path, clock=lambda: now)
    store.open(None)
    store.write([alert("a")])
    first = (tmp_path / SNAPSHOT).stat().st_ino
    store.write([alert("b")])
    store.flush()
    assert (tmp_path / SNAPSHOT).stat().st_ino == first
    now = 103.0
    store.flush()
    second = (tmp_path / SNAPSHOT).stat().st_ino
    assert second != first
    now = 200.0
    store.flush()  # nothing new
    assert (tmp_path / SNAPSHOT).stat().st_ino == second
    store.close()


def test_a_finite_store_leaves_one_file(tmp_path: Path) -> None:
    for name in ("a", "b"):  # the second run begins anew
        store = Store(tmp_path, finite=True)
        store.open(None)
        store.write([alert(name)])
        store.close()
    assert [path.name for path in tmp_path.iterdir()] == [SNAPSHOT]
    with duckdb.connect(str(tmp_path / SNAPSHOT), read_only=True) as db:
        assert db.execute("SELECT id FROM alerts").fetchall() == [("b",)]


def test_the_file_can_be_read_by_duckdb_1_4(store: Store, tmp_path: Path) -> None:
    store.publish()
    with duckdb.connect(str(tmp_path / SNAPSHOT), read_only=True) as db:
        query = "SELECT tags FROM duckdb_databases() WHERE path LIKE '%barograph.duckdb'"
        assert db.execute(query).fetchall() == [({"storage_version": "v1.4.0+"},)]


def test_another_writer_is_told_even_after_a_snapshot(store: Store, tmp_path: Path) -> None:
    store.write([alert("a")])
    store.publish()
    process = subprocess.run(
        [sys.executable, "-c", WRITES, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert f"{Unavailable.__name__}: {tmp_path / WRITER} is in use by another" in process.stderr


def test_a_kill_leaves_whole_batches(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITES, str(tmp_path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 20:
            pass
        os.kill(process.pid, signal.SIGKILL)
    store = Store(tmp_path)
    store.open(None)
    ((count,),) = rows(store, "SELECT count(*) FROM signals")
    store.close()
    assert count >= 2100
    assert count % 100 == 0
    note("store", results=int(count), kills=1)


def test_a_damaged_file_is_told_with_the_mend(tmp_path: Path) -> None:
    (tmp_path / WRITER).write_bytes(b"no database" * 1000)
    with pytest.raises(Unavailable, match=r"cannot be opened \(.*\); move it away"):
        Store(tmp_path).open(None)


def test_a_disk_that_refuses_is_a_problem_and_the_batch_comes_again(tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", FILLS, str(tmp_path)], capture_output=True, text=True, check=True
    )
    refused, taken = process.stdout.splitlines()
    assert refused.startswith(f"0 cannot write {tmp_path / WRITER}: ")
    assert taken == "20000 None"


def test_a_load_for_each_kind_is_a_file() -> None:
    loads = {path.name for path in files(sinks).joinpath("loads").iterdir()}
    assert loads == {f"{kind}.sql" for kind in get_args(ResultKind)}


def test_a_snapshot_that_does_not_fit_leaves_the_room_to_others(tmp_path: Path) -> None:
    words = (sys.executable, "-c", COPIES, str(tmp_path), "100000")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    there = f"{WRITER} {SNAPSHOT}"
    assert done.stdout.splitlines() == ["OSError", there, "None", there]
