"""The parquet sink: files by day, one state of each id at reading, whatever was killed when."""

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from infra.reading.reader import Reader
from schemas.finding import State
from schemas.rows import Result, ResultKind
from schemas.times import DAY
from sinks.history import compaction
from sinks.history.parts import KEYS, every
from sinks.history.pending import NAME
from sinks.parquet import REST, Parquet, Settings, connect
from sinks.store import Store
from tests.sinks.figures import note
from tests.sinks.filed import DAYS, Clock, T, asked, files, killed, said

# Delivers batches of one growing number, and tells the number of each batch that was taken.
DELIVERS = """
import sys
from pathlib import Path
from schemas.rows import Result
from schemas.times import DAY
from sinks import parquet
from sinks.history import compaction
parquet.ROWS, compaction.FEW, compaction.GRACE = 60, 3, 0.0
sink = parquet.Parquet(Path(sys.argv[1]), clock=lambda: 1e9)
sink.open(None)
for n in range(int(sys.argv[2]), 1_000_000):
    rows = [
        Result("signal", str(i), (1 + i % 3) * DAY, "final", {"title": str(n)})
        for i in range(n, n + 10)
    ] + [
        Result("fact", str(i), (1 + (n + i) % 3) * DAY, "final", {"title": str(n)})
        for i in range(5)
    ]
    delivered = sink.write(rows)
    sink.flush()
    print(n if delivered.problem is None else delivered.problem, flush=True)
"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sink(tmp_path: Path, clock: Clock) -> Iterator[Parquet]:
    sink = Parquet(tmp_path, clock=clock)
    sink.open(None)
    yield sink
    sink.close()


def test_rows_lie_below_their_table_and_day(sink: Parquet, tmp_path: Path) -> None:
    sink.write([said("event", "a", DAYS[0], time=T), said("event", "b", DAYS[2], time=T)])
    sink.write([said("signal", "s", DAYS[1], title="x")])
    assert files(tmp_path) == []
    sink.publish()
    assert files(tmp_path) == [
        "events/day=1970-01-02/part-000000000001.parquet",
        "events/day=1970-01-04/part-000000000001.parquet",
        "signals/day=1970-01-03/part-000000000001.parquet",
    ]
    assert (tmp_path / NAME).stat().st_size == 0


def test_a_file_is_zstd_and_sorted_by_time(sink: Parquet, tmp_path: Path) -> None:
    sink.write([said("signal", str(n), DAY + (7 * n) % 10, title="x") for n in range(10)])
    sink.publish()
    (path,) = every(tmp_path, "signals")
    times = pl.read_parquet(path)["row_time"]
    assert times.is_sorted()
    with duckdb.connect() as db:
        query = "SELECT DISTINCT compression FROM parquet_metadata(?)"
        assert db.execute(query, [str(path)]).fetchall() == [("ZSTD",)]


def test_the_newest_state_is_read_and_a_withdrawn_row_is_not(sink: Parquet, tmp_path: Path) -> None:
    edge: dict[str, Any] = {
        "from": "a:1",
        "relation": "uses",
        "to": "b:1",
        "declared": True,
        "valid_from": T,
    }
    sink.write([said("edge", "1", **edge), said("edge", "2", **edge), said("fact", "f", title="1")])
    sink.publish()
    sink.write([said("edge", "1", DAY, "withdrawn", **edge), said("fact", "f", 2 * DAY, title="2")])
    sink.publish()
    assert asked(tmp_path, "SELECT id, declared FROM edges") == [("2", True)]
    assert asked(tmp_path, "SELECT id, title FROM facts") == [("f", "2")]


def test_a_withdrawn_alert_is_marked_and_its_ledger_stays(sink: Parquet, tmp_path: Path) -> None:
    why = [{"term": "base", "value": 1.0, "weight": -5, "points": -5}]
    body: dict[str, Any] = {"title": "a", "status": "open", "last_time": T, "why": why}
    sink.write([said("alert", "a", **body, meta={"revision": 1})])
    sink.publish()
    sink.write([said("alert", "a", DAY, "withdrawn", **body, meta={"revision": 2})])
    sink.publish()
    query = "SELECT id, meta_state, revision FROM alerts"
    assert asked(tmp_path, query) == [("a", "withdrawn", 2)]
    query = "SELECT alert, revision, points FROM scores ORDER BY ALL"
    assert asked(tmp_path, query) == [("a", 1, -5), ("a", 2, -5)]


def test_columns_and_rows_are_those_of_the_store(tmp_path: Path) -> None:
    results = [
        said("event", "e", time=T, source="otel", entities=[{"kind": "agent", "id": "b"}]),
        said("finding", "f", rule="r", group={"a": "b"}, meta={"revision": 1, "emitted": T}),
        said("asset", "agent:b", kind="agent", id="b", first_seen=T, last_seen=T, sources=["otel"]),
        said("system", "s", name="shop", root="application:shop", members=["agent:b"]),
        said("forecast", "c", probability=0.5, outcome="open"),
        said("late", "l", source="otel", time=T),
        said("reject", "file:a#1", origin="file:a#1", source="otel", reason="not-json", size=3),
        said("alert", "a", title="x", why=[{"term": "base", "points": 1}], meta={"revision": 1}),
    ]
    store, history = Store(tmp_path / "s", finite=True), Parquet(tmp_path / "h")
    for sink in (store, history):
        sink.open(None)
        sink.write(results)
        sink.close()
    for table in KEYS:
        with Reader(store.snapshot) as one, Reader(tmp_path / "h") as two:
            assert one.run(f"FROM {table}") == two.run(f"FROM {table}"), table


def test_a_result_waits_for_company_but_not_for_ever(
    sink: Parquet, tmp_path: Path, clock: Clock
) -> None:
    sink.write([said("signal", "1")])
    clock.now += REST - 1
    sink.flush()
    assert files(tmp_path) == []
    clock.now += 1
    sink.flush()
    assert len(files(tmp_path)) == 1


def test_what_waits_is_there_after_a_kill(tmp_path: Path) -> None:
    sink = Parquet(tmp_path)
    sink.open(None)
    sink.write([said("signal", "1", title="x")])
    with (tmp_path / NAME).open("ab") as log:
        log.write(b'["result","signal","2",0,"fi')
    killed(sink)
    again = Parquet(tmp_path)
    again.open(None)
    again.close()
    assert asked(tmp_path, "SELECT id, title FROM signals") == [("1", "x")]


def test_small_files_of_a_day_become_one(sink: Parquet, tmp_path: Path, clock: Clock) -> None:
    for n in range(compaction.FEW):
        sink.write([said("signal", str(i), title=str(n)) for i in (n, n + 1)])
        sink.publish()
    assert len(files(tmp_path)) == 8
    sink.flush()
    assert len(files(tmp_path)) == 8  # who reads the old ones may do so for a minute
    expected = [(str(i), str(min(i, 7))) for i in range(9)]
    query = "SELECT id, title FROM signals ORDER BY CAST(id AS INTEGER)"
    assert asked(tmp_path, query) == expected
    clock.now += compaction.GRACE
    sink.flush()
    assert files(tmp_path) == ["signals/day=1970-01-02/part-000000000008.parquet"]
    assert asked(tmp_path, query) == expected


def test_a_day_that_is_over_is_one_file(sink: Parquet, tmp_path: Path, clock: Clock) -> None:
    for n, day in enumerate([DAYS[0], DAYS[0], DAYS[1], DAYS[0]]):
        sink.write([said("event", str(n), day, time=T)])
        sink.publish()
    for _ in range(3):
        sink.flush()
        clock.now += compaction.GRACE
    assert files(tmp_path) == [
        "events/day=1970-01-02/part-000000000004.parquet",
        "events/day=1970-01-03/part-000000000003.parquet",
    ]
    assert asked(tmp_path, "SELECT uid FROM events ORDER BY 1") == [("0",), ("1",), ("2",), ("3",)]


def test_files_stay_few_though_there_is_never_a_rest(
    sink: Parquet, tmp_path: Path, clock: Clock
) -> None:
    for n in range(40):
        sink.write([said("signal", str(n), title="x")])
        sink.publish()
        clock.now += compaction.GRACE
    assert len(files(tmp_path)) < 2 * compaction.FEW
    assert asked(tmp_path, "SELECT count(*) FROM signals") == [(40,)]


def test_old_days_go_but_what_holds_stays(tmp_path: Path, clock: Clock) -> None:
    sink = Parquet(tmp_path, days=1, clock=clock)
    sink.open(None)
    edge: dict[str, Any] = {
        "from": "a:1",
        "relation": "uses",
        "to": "b:1",
        "declared": True,
        "valid_from": T,
    }
    sink.write(
        [
            said("event", "old", time=T),
            Result("fact", "open", DAY, "final", {"title": "1", "state": "open"}),
            said("edge", "holds", **edge),
            said("edge", "ended", **edge, valid_to=T),
            said("edge", "moved", **edge),
        ]
    )
    sink.publish()
    sink.write([said("edge", "moved", DAYS[2], **edge), said("event", "new", DAYS[2], time=T)])
    sink.publish()
    for _ in range(9):
        sink.flush()
        clock.now += compaction.GRACE
    sink.close()
    assert asked(tmp_path, "SELECT uid FROM events") == [("new",)]
    assert asked(tmp_path, "SELECT id FROM edges ORDER BY 1") == [("holds",), ("moved",)]
    assert pl.read_parquet(tmp_path / "edges" / "day=1970-01-02").height == 1


def test_a_record_from_the_future_ends_no_day(tmp_path: Path) -> None:
    sink = Parquet(tmp_path, days=30, clock=lambda: 3 * DAY / 1e6)
    sink.open(None)
    sink.write([said("event", "1", DAYS[0], time=T), said("event", "2", 20_000 * DAY, time=T)])
    sink.publish()
    sink.flush()
    sink.close()
    assert asked(tmp_path, "SELECT uid FROM events ORDER BY 1") == [("1",), ("2",)]


@settings(max_examples=10)  # each opens several databases
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["fact", "signal"]),
            st.sampled_from("abcd"),
            st.sampled_from(["final", "withdrawn"]),
            st.sampled_from(["write", "publish", "flush", "reopen"]),
        ),
        max_size=12,
    )
)
def test_the_history_is_what_the_store_would_be(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[ResultKind, str, State, str]]
) -> None:
    folder, clock, newest = tmp_path_factory.mktemp("h"), Clock(), dict[tuple[str, str], Any]()
    sink = Parquet(folder, clock=clock)
    sink.open(None)
    for n, (kind, id_, state, then) in enumerate(steps):
        day = DAYS[ord(id_) % 3] if kind == "signal" else DAYS[n % 3]
        sink.write([said(kind, id_, day, state, title=str(n))])
        newest[kind, id_] = (id_, str(n), state)
        clock.now += 40
        if then == "publish":
            sink.publish()
        elif then == "flush":
            sink.flush()
        elif then == "reopen":
            killed(sink)
            sink = Parquet(folder, clock=clock)
            sink.open(None)
    sink.close()
    if not steps:
        return
    for kind in ("fact", "signal"):
        query = f"SELECT id, title, meta_state FROM {kind}s ORDER BY id"  # noqa: S608 - two words
        kept = sorted(v for (k, _), v in newest.items() if k == kind)
        if kind == "fact":
            kept = [row for row in kept if row[2] == "final"]
        assert asked(folder, query) == kept


def test_a_kill_at_any_time_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance, taken = random.Random(7), 0
    for _ in range(6):
        start = [sys.executable, "-c", DELIVERS, str(tmp_path), str(taken)]
        with subprocess.Popen(start, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 40)):
                taken = int(process.stdout.readline()) + 1
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().split()
            taken = int(rest[-1]) + 1 if rest else taken
    sink = Parquet(tmp_path)
    sink.open(None)
    sink.close()
    rows = asked(
        tmp_path, "SELECT CAST(id AS INTEGER), CAST(title AS INTEGER) FROM signals ORDER BY 1"
    )
    assert [id_ for id_, _ in rows] == list(range(len(rows)))
    assert len(rows) in {taken + 9, taken + 10}  # the last batch may be taken and not be told of
    last = len(rows) - 10
    assert all(title == min(id_, last) for id_, title in rows)
    assert asked(tmp_path, "SELECT id, title FROM facts ORDER BY id") == [
        (str(i), str(last)) for i in range(5)
    ]
    note("parquet", results=len(rows), kills=6)


def test_a_full_disk_is_a_problem_and_nothing_is_half_taken(tmp_path: Path) -> None:
    fills = """
import resource, sys
from pathlib import Path
from schemas.rows import Result
from sinks.parquet import Parquet
sink = Parquet(Path(sys.argv[1]))
sink.open(None)
text = {"title": "t" * 100}
batch = [Result("signal", str(n), 86_400_000_000, "final", text) for n in range(9_000)]
for limit in (200_000, resource.RLIM_INFINITY):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    delivered = sink.write(batch)
    print(delivered.taken, delivered.problem)
sink.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", fills, str(tmp_path)], capture_output=True, text=True, check=True
    )
    full, fine = done.stdout.splitlines()
    assert full == f"0 cannot write to {tmp_path}: [Errno 27] File too large"
    assert fine == "9000 None"
    assert asked(tmp_path, "SELECT count(*), count(DISTINCT id) FROM signals") == [(9000, 9000)]


def test_its_settings_say_how_long_days_are_kept(tmp_path: Path) -> None:
    settings = Settings(name="h", kind="parquet", path="history", days=90)
    sink = connect(settings, tmp_path)
    sink.open(None)
    sink.close()
    assert (tmp_path / "history" / NAME).is_file()
    with pytest.raises(ValidationError, match="greater than 0"):
        Settings(name="h", kind="parquet", path="history", days=0)


def test_polars_reads_it_with_the_recipe(sink: Parquet, tmp_path: Path) -> None:
    sink.write([said("fact", "f", title="1"), said("fact", "g", title="1")])
    sink.publish()
    sink.write([said("fact", "f", 2 * DAY, title="2"), said("fact", "g", DAY, "withdrawn")])
    sink.publish()
    frame = (
        pl.scan_parquet(tmp_path / "facts" / "*" / "*.parquet", hive_partitioning=True)
        .sort("written")
        .unique("id", keep="last", maintain_order=True)
        .filter(~pl.col("gone"))
        .collect()
    )
    assert frame.select("id", "title").rows() == [("f", "2")]
