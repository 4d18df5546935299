"""Who writes a history: one process at a time, and what could not be read is filed when it came."""

from pathlib import Path

import pytest

from sinks.history import compaction
from sinks.history.pending import NAME
from sinks.parquet import Parquet
from tests.sinks.filed import DAYS, Clock, T, asked, files, said


def test_what_could_not_be_read_is_filed_by_the_day_on_which_it_came(
    tmp_path: Path,
) -> None:
    clock = Clock()
    sink = Parquet(tmp_path, days=1, clock=clock)
    sink.open(None)
    sink.write(
        [said("reject", "file:a#1", 0, reason="not-json"), said("event", "1", DAYS[2], time=T)]
    )
    clock.now += 86_400  # the same again, after a kill
    sink.write([said("reject", "file:a#1", 0, reason="not-json")])
    sink.publish()
    for _ in range(9):
        sink.flush()
        clock.now += compaction.GRACE
    sink.close()
    assert files(tmp_path) == [
        "events/day=1970-01-04/part-000000000001.parquet",  # far older than what came: it stays
        "rejects/day=2001-09-10/part-000000000001.parquet",
    ]
    assert asked(tmp_path, "SELECT id, reason FROM rejects") == [("file:a#1", "not-json")]


def test_a_second_writer_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    first, second = Parquet(tmp_path), Parquet(tmp_path)
    first.open(None)
    first.write([said("signal", "1")])
    with pytest.raises(OSError, match=r"another process writes the history in .*another path"):
        second.open(None)
    second.close()  # which touches nothing
    assert (tmp_path / NAME).stat().st_size > 0
    first.close()
    second.open(None)
    second.write([said("signal", "2")])
    second.close()
    assert asked(tmp_path, "SELECT id FROM signals ORDER BY 1") == [("1",), ("2",)]
