"""The journal: whole commits or none, one process, outbox and cursors, whatever dies or fills."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Unavailable
from schemas.rows import Result, ResultKind
from streams.journal import Journal
from streams.unsettled import Block

NOON = 1_767_268_800_000_000
TIME = "2026-01-01T12:00:00.000000Z"

# Commits for ever; says each number after its commit.
COMMITS = """
import sys
from pathlib import Path
from streams.journal import Journal
import msgspec
from schemas.rows import Result
journal = Journal(Path(sys.argv[1]))
for n in range(1, 1_000_000):
    result = Result("signal", str(n), n, "final", {"n": n})
    state = {("stage", f"key-{i}"): b"%d" % n for i in range(50)}
    journal.commit({"input": n}, state, [msgspec.msgpack.encode(result)], {"n": n})
    print(n, flush=True)
"""
# One commit that does not fit on the disk, after one that does.
FILLS = """
import resource, sys
from pathlib import Path
from schemas.errors import Unavailable
from streams.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.commit({"input": 1}, {("stage", "key"): b"one"})
size = Path(sys.argv[1] + "-wal").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, resource.RLIM_INFINITY))
try:
    journal.commit({"input": 2}, {("stage", f"key-{i}"): bytes(10_000) for i in range(1000)})
except Unavailable as error:
    print(error)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "journal.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with Journal(path, clock=lambda: NOON) as journal:
        yield journal


def result(kind: ResultKind, id_: str, **body: object) -> bytes:
    return msgspec.msgpack.encode(Result(kind, id_, NOON, "final", body))


def ids(
    journal: Journal, after: int = 0, kinds: list[str] | None = None, limit_bytes: int = 9999
) -> list[tuple[int, str]]:
    return [(n, r.id) for n, r in journal.outbox(after, 100, kinds, limit_bytes)]


def test_a_new_journal_is_empty(journal: Journal) -> None:
    assert journal.load() == ({}, {}, {}, None)
    assert (journal.newest(), journal.outbox_size(), journal.cursor("nobody")) == (0, 0, 0)


def test_what_was_committed_is_there_after_a_restart(path: Path) -> None:
    with Journal(path) as journal:
        journal.commit({"a": [1, "x"], "b": 2}, {("s", "k"): b"1", ("s", "l"): b"2"}, (), {"t": 5})
        journal.commit({"a": 9}, {("s", "k"): None, ("t", "k"): b"3"})
    with Journal(path) as journal:
        state = {"s": {"l": b"2"}, "t": {"k": b"3"}}
        assert journal.load() == ({"a": 9, "b": 2}, state, {}, {"t": 5})


def test_blocks_are_kept_in_order_until_their_latest_row_is_settled(journal: Journal) -> None:
    first = [Block("s", 20, b"1"), Block("s", 10, b"2"), Block("t", 10, b"3")]
    journal.commit({}, {}, unsettled=first)
    journal.commit({}, {}, unsettled=[Block("s", 11, b"4")], settled={"s": 11})
    assert journal.load().unsettled == {"s": [b"1", b"4"], "t": [b"3"]}
    journal.commit({}, {}, unsettled=[Block("s", 5, b"5")], settled={"s": 99, "t": 99})
    assert journal.load().unsettled == {"s": [b"5"]}  # what is new is not dropped with the old


@given(
    st.lists(
        st.dictionaries(
            st.tuples(st.sampled_from("st"), st.sampled_from("klm")),
            st.none() | st.binary(max_size=3),
        )
    )
)
def test_state_is_the_last_value_of_each_key(batches: list[dict[tuple[str, str], Any]]) -> None:
    expected: dict[tuple[str, str], Any] = {}
    with TemporaryDirectory() as folder, Journal(Path(folder, "journal")) as journal:
        for batch in batches:
            journal.commit({}, batch)
            expected |= batch
        found = {(s, k): v for s, values in journal.load().state.items() for k, v in values.items()}
    assert found == {key: value for key, value in expected.items() if value is not None}


def test_a_large_value_survives(journal: Journal) -> None:
    journal.commit({}, {("stage", "key"): bytes(20_000_000)})
    assert journal.load().state == {"stage": {"key": bytes(20_000_000)}}


def test_the_outbox_keeps_the_order_and_counts_on_after_a_trim(path: Path) -> None:
    with Journal(path) as journal:
        journal.subscribe({"sink": ["signal"]})
        journal.commit({}, {}, [result("signal", "a"), result("signal", "b")])
        assert ids(journal) == [(1, "a"), (2, "b")]
        journal.advance("sink", 2)
        journal.trim()
        assert ids(journal) == []
    with Journal(path) as journal:
        journal.commit({}, {}, [result("signal", "c")])
        assert ids(journal) == [(3, "c")]
        assert journal.cursor("sink") == 2


def test_the_outbox_is_read_in_bounded_batches_by_kind(journal: Journal) -> None:
    journal.commit({}, {}, [result("signal", "a"), result("late", "b"), result("signal", "c")])
    assert [n for n, _ in journal.outbox(0, 2)] == [1, 2]
    assert ids(journal, after=1) == [(2, "b"), (3, "c")]
    assert ids(journal, kinds=["signal"]) == [(1, "a"), (3, "c")]
    assert ids(journal, limit_bytes=1) == [(1, "a")]


def test_a_result_waits_for_the_slowest_sink_that_wants_it(journal: Journal) -> None:
    journal.subscribe({"store": ["signal", "late"], "pager": ["late"]})
    journal.commit({}, {}, [result("signal", "a"), result("late", "b"), result("asset", "c")])
    assert (journal.backlog("store"), journal.backlog("pager")) == (2, 1)
    journal.advance("store", 3)
    journal.trim()
    assert ids(journal) == [(2, "b")]
    journal.subscribe({"store": ["signal", "late"]})  # the pager is not configured any more
    journal.trim()
    assert journal.outbox_size() == 0


def test_a_bookmark_is_saved_with_its_cursor(path: Path) -> None:
    with Journal(path) as journal:
        journal.advance("files", 7, {"alerts.jsonl": 120})
        assert journal.bookmark("store") is None
    with Journal(path) as journal:
        assert (journal.cursor("files"), journal.bookmark("files")) == (7, {"alerts.jsonl": 120})


def test_findings_and_alerts_leave_with_their_meta(journal: Journal) -> None:
    finding = {"first_time": TIME, "last_time": TIME, "rule": "r", "group": {}, "body_sha256": "1"}
    journal.commit({}, {}, [result("finding", "f", **finding), result("signal", "s")])
    journal.commit({}, {}, [result("finding", "f", **finding | {"body_sha256": "2"})])
    (_, first), (_, signal_), (_, second) = journal.outbox(0, 10)
    assert first.body["meta"] == {"state": "final", "revision": 1, "emitted": TIME}
    assert signal_.body == {}
    assert second.body["meta"]["revision"] == 2


def test_a_second_process_is_told_in_one_sentence(journal: Journal, path: Path) -> None:  # noqa: ARG001
    with pytest.raises(Unavailable, match=r"data is in use by another barograph process; stop it"):
        Journal(path)


def test_a_damaged_file_is_told_with_the_mend(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database, but long enough to have the header of one" * 10)
    with pytest.raises(Unavailable, match=r"is damaged .* move it .* and start again"):
        Journal(path)
    path.unlink()
    Journal(path).close()  # the lock was given back


def test_a_damaged_page_is_told_when_it_is_read(path: Path) -> None:
    with Journal(path) as journal:
        journal.commit({}, {("stage", f"{n}"): bytes(1000) for n in range(100)})
    size = path.stat().st_size
    with path.open("rb+") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 4))
    with Journal(path) as journal, pytest.raises(Unavailable, match="is damaged"):
        journal.load()


@pytest.mark.parametrize("format_", [2, 9])
def test_another_format_is_refused(path: Path, format_: int) -> None:
    Journal(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {format_}")
    db.close()
    with pytest.raises(Unavailable, match=rf"format {format_}, this version reads 4; use the ver"):
        Journal(path)


def test_a_full_disk_is_told_and_leaves_the_last_commit(path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", FILLS, str(path)], capture_output=True, text=True, check=True
    )
    assert "cannot write" in process.stdout
    assert "make room on the disk" in process.stdout
    with Journal(path) as journal:
        assert journal.load() == ({"input": 1}, {"stage": {"key": b"one"}}, {}, None)


def test_a_failing_outbox_leaves_nothing_of_its_batch(journal: Journal) -> None:
    with pytest.raises(msgspec.DecodeError):
        journal.commit({"input": 1}, {("stage", "key"): b"x"}, [b"\xc1"])
    assert journal.load() == ({}, {}, {}, None)
    journal.commit({"input": 2}, {})
    assert journal.load().positions == {"input": 2}


@pytest.mark.parametrize("commits", [3, 40])
def test_a_kill_at_any_moment_leaves_whole_commits(path: Path, commits: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", COMMITS, str(path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        told = 0
        while told < commits:
            told = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
    with Journal(path) as journal:  # the lock died with its holder
        saved = journal.load()
        n = saved.positions["input"]
        assert n >= told
        assert saved.meta == {"n": n}
        assert saved.state == {"stage": {f"key-{i}": b"%d" % n for i in range(50)}}
        assert [r.body["n"] for _, r in journal.outbox(0, 10_000)] == list(range(1, n + 1))


def test_sync_is_possible_at_any_time(journal: Journal) -> None:
    journal.commit({"input": 1}, {})
    journal.sync()
    assert journal.load().positions == {"input": 1}


def test_what_a_sink_may_tell_outlives_a_power_cut(journal: Journal) -> None:
    said: list[str] = []
    journal._db.set_trace_callback(said.append)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    journal.commit({"a": 1}, {})
    journal.commit({"a": 2}, {}, [result("signal", "one")])
    journal.advance("sink", 1)
    journal.sync()
    told = ("PRAGMA synchronous", "BEGIN", "COMMIT", "INSERT INTO outbox", "PRAGMA user_version")
    assert [" ".join(one.split()[:4]) for one in said if one.startswith(told)] == [
        "PRAGMA synchronous = NORMAL",
        "BEGIN IMMEDIATE",
        "COMMIT",
        "PRAGMA synchronous = FULL",
        "BEGIN IMMEDIATE",
        "INSERT INTO outbox (kind,",
        "COMMIT",
        "PRAGMA synchronous = NORMAL",
        "BEGIN IMMEDIATE",
        "COMMIT",
        "PRAGMA synchronous = FULL",
        "PRAGMA user_version = 4",
    ]
