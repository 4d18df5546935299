"""Following files and folders that somebody else writes to."""

import gzip
import os
from pathlib import Path

import msgspec
import orjson
import pytest

from schemas.config import Limits
from streams.inputs.follow import Follow
from streams.source import named
from tests.streams.inputs.followed import Clock, append, drained, lines, numbers, record, report


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_lines_come_as_they_are_written(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "trail.jsonl"
    follow = Follow("in", path, clock=clock)
    assert drained(follow, clock) == []
    assert follow.problem == f"{path} is not there; it is read as soon as it is"
    append(path, lines(1, 2), record(3)[:20])
    (chunk,) = drained(follow, clock)
    assert (chunk.source, chunk.origin, chunk.received) == ("cloudtrail", f"file:{path}", None)
    assert (chunk.first, chunk.before, chunk.fault) == (True, 0, None)
    assert chunk.documents == [record(1), record(2)]
    assert follow.problem is None
    append(path, record(3)[20:], b"\n", lines(4))
    (chunk,) = drained(follow, clock)
    assert (numbers([chunk]), chunk.first, chunk.before) == ([3, 4], False, 2)
    assert not follow.ended


def test_a_last_line_without_its_end_comes_when_it_is_whole(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "trail.jsonl"
    path.write_bytes(record(1))
    follow = Follow("in", path, clock=clock)
    assert numbers(drained(follow, clock)) == [1]
    append(path, b"\n", record(2))
    assert numbers(drained(follow, clock)) == [2]
    append(path, b"\n")
    assert drained(follow, clock) == []


def test_reading_goes_on_at_any_saved_position(tmp_path: Path, clock: Clock) -> None:
    for n in range(3):
        (tmp_path / f"{n}.jsonl").write_bytes(lines(*range(10 * n, 10 * n + 7)))
    with gzip.open(tmp_path / "3.jsonl.gz", "wb") as file:
        file.write(lines(30, 31, 32, 33))
    chunks = drained(Follow("in", tmp_path, clock=clock), clock, records=3)
    every = numbers(chunks)
    assert every == [*range(7), *range(10, 17), *range(20, 27), *range(30, 34)]
    for n, chunk in enumerate(chunks):
        saved = msgspec.json.decode(msgspec.json.encode(chunk.position))
        again = Follow("in", tmp_path, saved, clock=clock)
        assert numbers(drained(again, clock, records=3)) == numbers(chunks[n + 1 :])


def test_new_files_of_a_folder_come_in_the_order_of_their_names(
    tmp_path: Path, clock: Clock
) -> None:
    follow = Follow("in", tmp_path, clock=clock)
    (tmp_path / "b.jsonl").write_bytes(lines(2))
    (tmp_path / "a.jsonl").write_bytes(lines(1))
    (tmp_path / "notes.txt").write_bytes(lines(9))
    assert numbers(drained(follow, clock)) == [1, 2]
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.ndjson").write_bytes(lines(3))
    append(tmp_path / "a.jsonl", lines(4))
    assert numbers(drained(follow, clock)) == [4, 3]


def test_a_file_that_is_written_to_all_the_time_keeps_no_other_waiting(
    tmp_path: Path, clock: Clock
) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(lines(0))
    follow = Follow("in", tmp_path, clock=clock)
    found: list[str] = []
    for n in range(1, 30):
        append(tmp_path / "a.jsonl", lines(n))  # there is always one more
        if n == 10:
            (tmp_path / "c.jsonl").write_bytes(lines(0))
        clock.now += 1
        chunk = follow.read(99, 10_000)
        found += [] if chunk is None else [Path(chunk.origin).name]
    assert (found.count("b.jsonl"), found.count("c.jsonl")) == (1, 1)
    assert found.count("a.jsonl") > 10
    follow.close()


def test_a_report_comes_when_it_is_whole(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "report.json"
    whole = report("a", "b")
    follow = Follow("in", tmp_path, clock=clock)
    for cut in (1, 2, 30, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert drained(follow, clock) == []
    path.write_bytes(whole + b"\n")
    (chunk,) = drained(follow, clock)
    assert (chunk.source, chunk.documents, chunk.first) == ("trivy", [whole], True)
    assert drained(follow, clock) == []
    again = Follow("in", tmp_path, follow.position, clock=clock)
    assert drained(again, clock) == []


def test_a_report_that_is_written_anew_is_read_again(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(report("a"))
    follow = Follow("in", path, clock=clock)
    drained(follow, clock)
    path.write_bytes(report("b"))
    os.utime(path, (1, 1))
    (chunk,) = drained(follow, clock)
    assert (chunk.documents, chunk.first) == ([report("b")], True)
    new = tmp_path / "new"
    new.write_bytes(report("c"))
    new.replace(path)
    (chunk,) = drained(follow, clock)
    assert (chunk.documents, chunk.first) == ([report("c")], True)


def test_a_report_in_one_line_that_is_written_anew(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(orjson.dumps(orjson.loads(report("a"))))
    follow = Follow("in", path, clock=clock)
    assert len(drained(follow, clock)) == 1
    longer = orjson.dumps(orjson.loads(report("a", "b")))
    path.write_bytes(longer)
    (chunk,) = drained(follow, clock)
    assert (chunk.documents, chunk.first) == ([longer], True)


def test_a_report_that_stays_cut_off_is_handed_on_to_be_rejected(
    tmp_path: Path, clock: Clock
) -> None:
    cut = report("a")[:-3]
    (tmp_path / "report.json").write_bytes(cut)
    follow = Follow("in", tmp_path, clock=clock)
    assert drained(follow, clock, seconds=20) == []
    (chunk,) = drained(follow, clock, seconds=20)
    assert (chunk.source, chunk.documents) == ("trivy", [cut.strip()])


def test_a_compressed_file_gives_what_is_whole_and_then_its_fault(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "trail.jsonl.gz"
    packed = gzip.compress(lines(1, 2))
    follow = Follow("in", path, clock=clock)
    path.write_bytes(packed[:-4])
    early = drained(follow, clock)
    path.write_bytes(packed[:-3])
    assert numbers(early + drained(follow, clock)) == [1, 2]
    chunks = drained(follow, clock, seconds=40)
    (fault,) = [chunk.fault for chunk in chunks if chunk.fault]
    assert fault.reason == "truncated"
    assert drained(follow, clock, seconds=40) == []


def test_a_compressed_file_that_grows_is_read_on(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "trail.jsonl.gz"
    path.write_bytes(gzip.compress(lines(*range(5))))
    follow = Follow("in", path, clock=clock)
    chunk = follow.read(3, 10_000)
    assert chunk is not None
    follow.close()
    append(path, gzip.compress(lines(5, 6)))
    again = Follow("in", path, follow.position, clock=clock)
    assert numbers([chunk, *drained(again, clock)]) == [0, 1, 2, 3, 4, 5, 6]


def test_a_format_that_nobody_knows_is_a_fault(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "x.json").write_bytes(b'{"what": "is this"}\n')
    follow = Follow("in", tmp_path, clock=clock)
    assert drained(follow, clock) == []
    (chunk,) = drained(follow, clock, seconds=40)
    assert (chunk.source, chunk.documents) == ("unknown", [])
    assert chunk.fault is not None
    assert chunk.fault.reason == "unknown-format"


def test_the_named_source_is_not_sniffed(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "x.json").write_bytes(b'{"what": "is this"}\n')
    follow = Follow("in", tmp_path, source=named("cloudtrail"), clock=clock)
    (chunk,) = drained(follow, clock)
    assert (chunk.source, chunk.documents) == ("cloudtrail", [b'{"what": "is this"}'])


def test_a_line_that_is_too_long_does_not_stop_the_rest(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "trail.jsonl"
    path.write_bytes(lines(1) + b"x" * 30_000 + b"\n" + lines(2))
    follow = Follow("in", path, limits=Limits(document_bytes=20_000), clock=clock)
    documents = [d for chunk in drained(follow, clock) for d in chunk.documents]
    assert documents == [record(1), b"x" * 20_001, b"x" * 9_999, record(2)]


def test_a_file_that_cannot_be_read_is_a_problem_and_the_others_go_on(
    tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "a.jsonl").symlink_to(tmp_path / "a.jsonl")
    (tmp_path / "b.jsonl").write_bytes(lines(1))
    follow = Follow("in", tmp_path, clock=clock)
    assert numbers(drained(follow, clock)) == [1]


def test_many_files_need_few_descriptors(tmp_path: Path, clock: Clock) -> None:
    for n in range(200):
        (tmp_path / f"{n:03}.jsonl").write_bytes(lines(n))
    follow = Follow("in", tmp_path, clock=clock)
    before = len(list(Path("/dev/fd").iterdir()))
    assert numbers(drained(follow, clock)) == list(range(200))
    assert len(list(Path("/dev/fd").iterdir())) - before <= 64
    follow.close()
