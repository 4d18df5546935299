"""Files that are followed while they are rotated, rewritten, cut, deleted, or away."""

import gzip
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.inputs.follow import Follow
from streams.source import named
from tests.streams.inputs.followed import Clock, append, drained, lines, numbers, record


@pytest.fixture
def clock() -> Clock:
    return Clock()


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
