"""The reader: which store is meant, and what it says when that cannot be read."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.reading.reader import Reader, located
from schemas.config import Config
from schemas.errors import Mistake, Unavailable
from sinks.store import SNAPSHOT, WRITER, Store

# Holds the writer's file until it is told to leave.
HOLDS = """
import sys
from pathlib import Path
from sinks.store import Store
store = Store(Path(sys.argv[1]))
store.open(None)
print("open", flush=True)
sys.stdin.read()
store.close()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of a store that another process writes."""
    start = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield tmp_path
        process.communicate()


def test_a_folder_means_the_snapshot_in_it(tmp_path: Path) -> None:
    assert located(str(tmp_path), Config()) == tmp_path / SNAPSHOT
    assert located(str(tmp_path / "x.duckdb"), Config()) == tmp_path / "x.duckdb"


def test_the_file_of_the_writer_is_not_read(folder: Path) -> None:
    with pytest.raises(Unavailable, match=f"{WRITER} is being written to; read {SNAPSHOT} beside"):
        Reader(folder / WRITER)


def test_a_store_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="is no store; name a file like out/barograph"):
        Reader(tmp_path / SNAPSHOT)


def test_two_readers_and_the_writer_do_not_disturb_each_other(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.open(None)
    store.publish()
    with Reader(tmp_path / SNAPSHOT) as one, Reader(tmp_path / SNAPSHOT) as two:
        store.publish()
        assert one.run("SELECT 1 AS n") == two.run("SELECT 1 AS n")
    store.close()


def test_an_answer_has_names_types_and_a_bound(tmp_path: Path) -> None:
    store = Store(tmp_path, finite=True)
    store.open(None)
    store.close()
    with Reader(tmp_path / SNAPSHOT) as reader:
        answer = reader.run("SELECT range AS n, $1 AS text FROM range(3)", ["x"], rows=2)
        assert answer == (("n", "text"), ("BIGINT", "VARCHAR"), [(0, "x"), (1, "x")], True)
        assert reader.run("SELECT $a AS a", {"a": None}).rows == [(None,)]
        assert reader.frame("FROM range(9)", rows=4).height == 5  # one more tells that there are


def test_columns_of_one_name_are_told_apart(tmp_path: Path) -> None:
    store = Store(tmp_path, finite=True)
    store.open(None)
    store.close()
    with Reader(tmp_path / SNAPSHOT) as reader:
        answer = reader.run("SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a")
        assert answer.columns == ("a", "a_1", "a_1_1", "a_2")
        assert answer.rows == [(1, 2, 3, 4)]
