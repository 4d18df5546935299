"""What a sink remembers: bounded, and there after a restart."""

import resource
import sqlite3
from pathlib import Path

import pytest

from sinks.delivery.memory import Memory


def test_what_was_put_is_there_after_a_restart(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "deep" / "memory.sqlite")
    memory.put({"a": {"thread": "1.2"}, "b": [1]})
    memory.put({"a": {"thread": "1.3"}})
    memory.close()
    again = Memory(tmp_path / "deep" / "memory.sqlite")
    assert (again.get("a"), again.get("b"), again.get("c")) == ({"thread": "1.3"}, [1], None)
    assert again.known(["a", "c"]) == {"a"}


def test_the_oldest_go_first(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.sqlite", most=3)
    memory.put({str(number): number for number in range(5)})
    assert memory.beginning("") == {"2": 2, "3": 3, "4": 4}
    memory.put({})
    memory.forget(["3", "9"])
    assert memory.known("01234") == {"2", "4"}


def test_keys_by_their_beginning_in_order(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.sqlite")
    memory.put({"digest:2": 2, "thread:1": 0, "digest:1": 1, "digest%": 3})
    assert list(memory.beginning("digest:").items()) == [("digest:2", 2), ("digest:1", 1)]


def test_a_disk_that_was_full_at_first_is_no_lasting_harm(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "memory.sqlite")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        for _ in range(2):
            with pytest.raises(sqlite3.Error):
                memory.put({"a": 1})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    memory.put({"a": 1})
    assert memory.get("a") == 1
