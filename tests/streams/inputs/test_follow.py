"""Following files and folders that somebody else writes to, rotates, rewrites and cuts."""

import gzip
import os
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.config import Limits
from streams.input import Chunk
from streams.inputs.follow import Follow
from streams.source import named


class Clock:
    """A monotonic clock that only the test moves; a look costs nothing."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def record(n: int) -> bytes:
    return orjson.dumps(
        {
            "eventVersion": "1.11",
            "eventTime": "2026-01-01T12:00:00Z",
            "eventSource": "bedrock.amazonaws.com",
            "eventName": "InvokeModel",
            "eventID": str(n),
        }
    )


def report(*names: str) -> bytes:
    document = {
        "SchemaVersion": 2,
        "CreatedAt": "2026-01-01T12:00:00Z",
        "ArtifactName": "shop",
        "ArtifactType": "container_image",
        "Results": [{"Target": name} for name in names],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def append(path: Path, *data: bytes) -> None:
    with path.open("ab") as file:
        file.write(b"".join(data))


def numbers(chunks: list[Chunk]) -> list[int]:
    return [int(orjson.loads(d)["eventID"]) for chunk in chunks for d in chunk.documents]


def drained(follow: Follow, clock: Clock, records: int = 99, seconds: float = 3.0) -> list[Chunk]:
    """Read until nothing has come for some looks, which take `seconds` together."""
    found = []
    for _ in range(3):
        clock.now += seconds / 3
        while chunk := follow.read(records, 10_000):
            found.append(chunk)
    return found


def lines(*numbers: int) -> bytes:
    return b"".join(record(n) + b"\n" for n in numbers)


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


def test_a_rotated_file_is_read_to_its_end_first(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "trail.jsonl"
    path.write_bytes(lines(1))
    follow = Follow("in", path, clock=clock)
    assert numbers(drained(follow, clock)) == [1]
    append(path, lines(2), record(3))
    path.rename(tmp_path / "trail.jsonl.1")
    path.write_bytes(lines(4))
    assert numbers(drained(follow, clock)) == [2, 3, 4]


def test_a_file_that_was_rotated_while_nobody_read(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "trail.jsonl"
    path.write_bytes(lines(1))
    follow = Follow("in", path, clock=clock)
    drained(follow, clock)
    follow.close()
    append(path, lines(2))
    path.rename(tmp_path / "trail.jsonl-20260101")
    path.write_bytes(lines(3))
    (tmp_path / "trail.jsonl.9").write_bytes(lines(8))  # older than the position: not ours to read
    again = Follow("in", path, follow.position, clock=clock)
    assert numbers(drained(again, clock)) == [2, 3]


def test_a_deleted_file_that_is_open_is_read_to_its_end(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "trail.jsonl"
    path.write_bytes(lines(1))
    follow = Follow("in", path, clock=clock)
    drained(follow, clock)
    append(path, lines(2), record(3))
    path.unlink()
    path.write_bytes(lines(4))
    assert sorted(numbers(drained(follow, clock))) == [2, 3, 4]
    clock.now += 600
    assert drained(follow, clock) == []
    assert len(follow.position) == 1


def test_who_writes_to_a_file_that_was_deleted_is_read_on(tmp_path: Path, clock: Clock) -> None:
    path, link = tmp_path / "today.log", tmp_path / "trail.jsonl"
    path.write_bytes(lines(1))
    link.symlink_to(path)
    follow = Follow("in", link, clock=clock)
    with path.open("ab", buffering=0) as writer:
        assert numbers(drained(follow, clock)) == [1]
        link.unlink()  # as rotation does before the writer hears of it
        assert drained(follow, clock) == []
        writer.write(lines(2) + record(3)[:20])
        assert numbers(drained(follow, clock)) == [2]
        writer.write(record(3)[20:] + b"\n")
        assert numbers(drained(follow, clock)) == [3]
        link.write_bytes(lines(4))
        assert numbers(drained(follow, clock)) == [4]
        before = len(list(Path("/dev/fd").iterdir()))
        drained(follow, clock, seconds=60)
        assert len(list(Path("/dev/fd").iterdir())) == before - 1  # nobody writes to it any more


def test_half_a_line_at_a_rotation_waits_for_its_rest(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "trail.jsonl"
    with path.open("ab", buffering=0) as writer:
        writer.write(lines(1) + record(2)[:20])
        follow = Follow("in", path, clock=clock)
        assert numbers(drained(follow, clock)) == [1]
        path.rename(tmp_path / "trail.jsonl.1")
        path.write_bytes(lines(3))
        assert numbers(drained(follow, clock)) == [3]
        assert follow.waits
        writer.write(record(2)[20:] + b"\n")
        assert numbers(drained(follow, clock)) == [2]
    assert not follow.waits


def test_half_a_line_that_gets_no_rest_is_handed_on(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "trail.jsonl"
    path.write_bytes(lines(1) + record(2)[:20])
    follow = Follow("in", path, clock=clock)
    drained(follow, clock)
    path.rename(tmp_path / "trail.jsonl.1")
    (chunk,) = drained(follow, clock, seconds=60)
    assert chunk.documents == [record(2)[:20]]


def test_a_volume_that_is_away_takes_no_place_with_it(tmp_path: Path, clock: Clock) -> None:
    folder, away = tmp_path / "logs", tmp_path / "away"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(lines(1, 2))
    follow = Follow("in", folder, clock=clock)
    assert numbers(drained(follow, clock)) == [1, 2]
    folder.rename(away)
    folder.mkdir()  # where nothing is mounted is an empty folder
    assert drained(follow, clock, seconds=10_000) == []
    again = Follow("in", folder, follow.position, clock=clock)
    assert drained(again, clock, seconds=10_000) == []
    folder.rmdir()
    assert drained(again, clock) == []
    away.rename(folder)
    append(folder / "a.jsonl", lines(3))
    assert numbers(drained(follow, clock)) == [3]
    assert numbers(drained(again, clock)) == [3]


def test_a_folder_that_goes_away_while_it_is_read_is_no_end(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(1))
    follow = Follow("in", tmp_path, clock=clock)

    def vanished(_: Path, __: str) -> list[Path]:
        raise FileNotFoundError(2, "No such file or directory")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rglob", vanished)  # as of a folder of yesterday that is removed
        assert drained(follow, clock) == []
        said = "No such file or directory; it is tried again"
        assert follow.problem == f"cannot look into {tmp_path}: {said}"
    assert numbers(drained(follow, clock)) == [1]
    assert follow.problem is None


def test_a_file_that_is_renamed_between_two_looks_at_it(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, older, oldest = (tmp_path / f"trail.jsonl{end}" for end in ("", ".1", ".2"))
    path.write_bytes(lines(1))
    follow = Follow("in", path, clock=clock)
    drained(follow, clock)
    append(path, lines(2))
    path.rename(older)
    looked = Path.stat

    def moved(self: Path, **how: bool) -> os.stat_result:
        found = looked(self, **how)
        if self == older:
            older.rename(oldest)  # the next in the chain of a rotation
        return found

    monkeypatch.setattr(Path, "stat", moved)
    assert numbers(drained(follow, clock)) == [2]


def test_files_that_begin_alike_are_not_taken_for_each_other(tmp_path: Path, clock: Clock) -> None:
    def alike(*numbers: int) -> bytes:
        return b"".join(b'{"note": "' + b"x" * 300 + b'", ' + line[1:] for line in rows(*numbers))

    def rows(*numbers: int) -> list[bytes]:
        return lines(*numbers).splitlines(keepends=True)

    path = tmp_path / "trail.jsonl"
    path.write_bytes(alike(1, 2))
    follow = Follow("in", path, source=named("cloudtrail"), clock=clock)
    assert numbers(drained(follow, clock)) == [1, 2]
    path.write_bytes(alike(3, 4, 5))
    assert numbers(drained(follow, clock)) == [3, 4, 5]


@pytest.mark.parametrize("after", [lines(7), lines(7, 8, 9)])
def test_a_file_that_is_cut_is_read_from_its_start(
    tmp_path: Path, clock: Clock, after: bytes
) -> None:
    path = tmp_path / "trail.jsonl"
    path.write_bytes(lines(1, 2))
    follow = Follow("in", path, clock=clock)
    drained(follow, clock)
    with path.open("rb+") as file:
        file.truncate(0)
        file.write(after)
    chunks = drained(follow, clock)
    assert b"".join(d + b"\n" for c in chunks for d in c.documents) == after
    assert chunks[0].first


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


def test_half_of_a_file_is_not_taken_for_half_of_another(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "trail.jsonl.gz"
    path.write_bytes(gzip.compress(lines(*range(5))))
    follow = Follow("in", path, clock=clock)
    chunk = follow.read(3, 10_000)
    assert chunk is not None
    assert numbers([chunk]) == [0, 1, 2]
    follow.close()
    path.write_bytes(gzip.compress(lines(*range(10, 16))))  # while nobody reads
    again = Follow("in", path, follow.position, clock=clock)
    assert numbers(drained(again, clock)) == list(range(10, 16))


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


STEPS = st.lists(
    st.tuples(st.sampled_from(["append", "half", "rotate", "read", "restart"]), st.integers(1, 4)),
    max_size=12,
)


@given(STEPS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_writer_does_every_line_comes_once(
    tmp_path: Path, steps: list[tuple[str, int]]
) -> None:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    folder.mkdir()
    path, clock = folder / "trail.jsonl", Clock()
    follow = Follow("in", path, clock=clock)
    found: list[int] = []
    written, rotated, pending = 0, 0, b""
    for what, many in steps:
        if what == "append":
            fresh = range(written, written + many)
            append(path, pending, *(record(n) + b"\n" for n in fresh))
            written, pending = written + many, b""
        elif what == "half" and not pending:
            append(path, record(written)[:15])
            written, pending = written + 1, record(written)[15:] + b"\n"
        elif what == "rotate" and path.exists() and not pending:
            # A reader that has never seen a file cannot know it again under another name.
            found += numbers(drained(follow, clock, records=many))
            rotated += 1
            path.rename(folder / f"trail.jsonl.{rotated}")
        elif what == "read":
            found += numbers(drained(follow, clock, records=many))
        elif what == "restart":
            position: Any = msgspec.json.decode(msgspec.json.encode(follow.position))
            follow.close()
            follow = Follow("in", path, position, clock=clock)
    append(path, pending)
    found += numbers(drained(follow, clock))
    follow.close()
    assert found == list(range(written))
