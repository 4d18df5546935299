"""Snapshots: the newest one, for many threads, while it is replaced."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from infra.reading.snapshots import NO_STORE, NOT_YET, Snapshots, published
from schemas.errors import Unavailable
from sinks.store import SNAPSHOT, Store
from tests.infra.written import result

COUNT = "SELECT count(*) FROM systems"


def replaced(folder: Path, systems: int) -> None:
    store = Store(folder)
    store.open(None)
    for number in range(systems):
        store.write([result("system", number, {"name": str(number), "root": "application:x"})])
    store.close()


def test_a_query_of_the_old_snapshot_ends_while_others_ask_the_new_one(tmp_path: Path) -> None:
    replaced(tmp_path, 1)
    snapshots = Snapshots(tmp_path / SNAPSHOT)
    with snapshots.lease() as old:
        replaced(tmp_path, 2)
        with snapshots.lease() as new:
            assert old.reader.run(COUNT).rows == [(1,)]
            assert new.reader.run(COUNT).rows == [(2,)]
            assert old.taken < new.taken
        snapshots.close()
        assert old.reader.run(COUNT).rows == [(1,)]
    with snapshots.lease() as again:
        assert again.reader.run(COUNT).rows == [(2,)]


def test_nothing_is_left_beside_the_snapshot(tmp_path: Path) -> None:
    replaced(tmp_path, 1)
    before = sorted(tmp_path.iterdir())
    with Snapshots(tmp_path / SNAPSHOT).lease():
        assert sorted(tmp_path.iterdir()) == before


def test_what_a_killed_run_left_goes_and_nothing_else(tmp_path: Path) -> None:
    replaced(tmp_path, 1)
    (tmp_path / ".barograph-0123456789abcdef.duckdb").write_bytes(b"x")
    kept = [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
    Snapshots(tmp_path / SNAPSHOT)
    assert sorted(tmp_path.iterdir()) == sorted(kept)


def test_a_file_system_without_links_gets_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    replaced(tmp_path, 1)
    monkeypatch.setattr(os, "link", refuse)
    snapshots = Snapshots(tmp_path / SNAPSHOT)
    with snapshots.lease() as first, snapshots.lease() as second:
        assert first.taken == second.taken
        assert second.reader.run(COUNT).rows == [(1,)]
    replaced(tmp_path, 2)
    with snapshots.lease() as third:
        assert third.reader.run(COUNT).rows == [(2,)]


def test_without_a_store_or_before_its_first_snapshot(tmp_path: Path) -> None:
    assert published([]) is None
    assert published([Store(tmp_path)]) == tmp_path / SNAPSHOT
    with pytest.raises(Unavailable, match="add one"), Snapshots(None).lease():
        pass
    assert 'kind = "store"' in NO_STORE
    with pytest.raises(Unavailable, match=NOT_YET), Snapshots(tmp_path / SNAPSHOT).lease():
        pass
