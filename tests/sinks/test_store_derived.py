"""Tables that follow from the others: when they are filled, and what a failure costs."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from schemas.errors import Unavailable
from schemas.rows import Result
from sinks.store import DERIVED, INTERVAL, SNAPSHOT, Store


class Derivation:
    """Notes how many signals there are, and fails while it is told to."""

    def __init__(self) -> None:
        self.broken = False

    def __call__(self, db: duckdb.DuckDBPyConnection) -> None:
        db.execute("DELETE FROM controls")
        if self.broken:
            db.execute("SELECT * FROM nowhere")
        db.execute("""
            INSERT INTO controls (framework, control, scope, status)
            SELECT 'ours', 'signals', 'estate', CAST(count(*) AS VARCHAR) FROM signals""")


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def signal(number: int) -> Result:
    return Result("signal", f"s{number}", 0, "final", {"title": "t"})


def derived(folder: Path) -> list[str]:
    with duckdb.connect(str(folder / SNAPSHOT), read_only=True) as db:
        return [row[0] for row in db.execute("SELECT status FROM controls").fetchall()]


def signals(folder: Path) -> int:
    with duckdb.connect(str(folder / SNAPSHOT), read_only=True) as db:
        ((count,),) = db.execute("SELECT count(*) FROM signals").fetchall()
    return int(count)


def test_a_finite_store_derives_once_at_its_end(tmp_path: Path) -> None:
    store = Store(tmp_path, finite=True, derive=Derivation())
    store.open(None)
    store.write([signal(1)])
    store.write([signal(2)])
    store.close()
    assert derived(tmp_path) == ["2"]


def test_snapshots_are_not_kept_waiting(tmp_path: Path) -> None:
    clock = Clock()
    store = Store(tmp_path, clock=clock, derive=Derivation())
    store.open(None)
    store.write([signal(1)])
    assert (signals(tmp_path), derived(tmp_path)) == (1, ["1"])
    clock.time += INTERVAL
    store.write([signal(2)])
    assert (signals(tmp_path), derived(tmp_path)) == (2, ["1"])  # too early to derive again
    clock.time += DERIVED
    store.flush()  # nothing new, but what is derived is behind
    assert derived(tmp_path) == ["2"]
    clock.time += DERIVED
    before = (tmp_path / SNAPSHOT).stat().st_ino
    store.flush()
    assert (tmp_path / SNAPSHOT).stat().st_ino == before  # all is as it was
    clock.time += INTERVAL
    store.write([signal(3)])
    store.write([signal(4)])
    store.close()
    assert (signals(tmp_path), derived(tmp_path)) == (4, ["4"])


def test_a_failure_is_said_and_costs_nothing_else(tmp_path: Path) -> None:
    clock, derive = Clock(), Derivation()
    store = Store(tmp_path, clock=clock, derive=derive)
    store.open(None)
    store.write([signal(1)])
    clock.time += DERIVED
    derive.broken = True
    problem = store.write([signal(2)]).problem
    assert problem is not None
    assert problem.startswith(f"controls cannot be assessed in {tmp_path}")
    assert (signals(tmp_path), derived(tmp_path)) == (2, ["1"])
    clock.time += DERIVED
    derive.broken = False
    store.flush()
    assert derived(tmp_path) == ["2"]
    derive.broken = True
    store.write([signal(3)])
    with pytest.raises(Unavailable, match="controls cannot be assessed"):
        store.close()
    assert signals(tmp_path) == 3
