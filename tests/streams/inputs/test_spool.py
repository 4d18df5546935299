"""The spool: on disk before it returns, read once, cut off where a crash left it unfinished."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from schemas.errors import Unavailable
from schemas.times import SECOND
from streams.inputs.spool import Bounds, Spool

NOON = 1_767_268_800_000_000

APPENDS = """
import sys
from pathlib import Path
from streams.inputs.spool import Bounds, Spool
spool = Spool("in", Path(sys.argv[1]), bounds=Bounds(segment=500))
for n in range(1_000_000):
    spool.append([b'{"n": %d}' % n], "otel")
    print(n, flush=True)
"""


class Clock:
    """A clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def opened(folder: Path, clock: Clock, position: object = None, **bounds: int) -> Spool:
    return Spool("in", folder / "spool", position, Bounds(**bounds), clock)


def documents(spool: Spool) -> list[bytes]:
    return [document for chunk in drained(spool) for document in chunk.documents]


def drained(spool: Spool, records: int = 99, size: int = 9999) -> list[Any]:
    found = []
    while chunk := spool.read(records, size):
        assert chunk.documents
        found.append(chunk)
    return found


def test_documents_come_out_with_source_time_and_place(tmp_path: Path, clock: Clock) -> None:
    spool = opened(tmp_path, clock)
    spool.append([b'{"a": 1}', b'{"a": 2}'], "otel")
    (chunk,) = drained(spool)
    assert chunk.source == "otel"
    assert chunk.origin == f"file:{tmp_path / 'spool' / '00000001.ndjson'}"
    assert chunk.documents == [b'{"a": 1}', b'{"a": 2}']
    assert chunk.received == NOON
    assert (chunk.first, chunk.before, chunk.fault) == (True, 0, None)
    assert spool.read(99, 9999) is None


def test_a_segment_is_plain_ndjson(tmp_path: Path, clock: Clock) -> None:
    opened(tmp_path, clock).append([b'{\n "a": 1\n}', b'{"text": "a\\nb"}', b" "], "otel")
    segment = tmp_path / "spool" / "00000001.ndjson"
    assert segment.read_bytes() == b'{  "a": 1 }\n{"text": "a\\nb"}\n'
    assert segment.stat().st_mode & 0o077 == 0  # prompts are in it


def test_a_chunk_has_one_source_and_one_second(tmp_path: Path, clock: Clock) -> None:
    spool = opened(tmp_path, clock)
    for source, seconds in (("otel", 0), ("otel", 0.4), ("trivy", 0.5), ("otel", 0.9), ("otel", 1)):
        clock.now = NOON + int(seconds * SECOND)
        spool.append([b"%d" % int(seconds * 10)], source)
    assert [(c.source, c.received, list(c.documents)) for c in drained(spool)] == [
        ("otel", NOON, [b"0", b"4"]),
        ("trivy", NOON, [b"5"]),
        ("otel", NOON, [b"9"]),
        ("otel", NOON + SECOND, [b"10"]),
    ]


def test_reading_goes_on_at_any_saved_position(tmp_path: Path, clock: Clock) -> None:
    spool = opened(tmp_path, clock, segment=20)
    for n in range(12):
        spool.append([b'{"n": %d}' % n], "otel")
    chunks = drained(spool, records=2)
    assert [d for c in chunks for d in c.documents] == [b'{"n": %d}' % n for n in range(12)]
    for n, chunk in enumerate(chunks):
        saved = msgspec.json.decode(msgspec.json.encode(chunk.position))
        again = opened(tmp_path, clock, saved, segment=20)
        assert [c.documents for c in drained(again, records=2)] == [
            c.documents for c in chunks[n + 1 :]
        ]


def test_documents_are_counted_within_their_segment(tmp_path: Path, clock: Clock) -> None:
    spool = opened(tmp_path, clock, segment=5)
    spool.append([b"1", b"2", b"3"], "otel")
    spool.append([b"4"], "otel")
    found = [(list(c.documents), c.first, c.before) for c in drained(spool, records=2)]
    assert found == [([b"1", b"2"], True, 0), ([b"3"], False, 2), ([b"4"], True, 0)]


def test_it_is_full_until_it_is_read(tmp_path: Path, clock: Clock) -> None:
    spool = opened(tmp_path, clock, unread=10)
    assert not spool.full
    spool.append([b"123456789"], "otel")
    assert (spool.unread, spool.full) == (10, True)
    assert opened(tmp_path, clock, unread=10).full  # after a restart too
    drained(spool)
    assert (spool.unread, spool.full) == (0, False)
    assert opened(tmp_path, clock, spool.position).unread == 0


def test_it_ends_when_the_sender_has_finished_and_all_is_read(tmp_path: Path, clock: Clock) -> None:
    spool = opened(tmp_path, clock)
    spool.append([b"1"], "otel")
    assert not spool.ended
    spool.finish()
    assert not spool.ended
    drained(spool)
    assert spool.ended


def test_what_was_read_is_kept_for_a_while_and_up_to_a_size(tmp_path: Path, clock: Clock) -> None:
    clock.now = 10**16  # after the times of the files
    spool = opened(tmp_path, clock, segment=1, kept=4, kept_for=10**16)
    for n in range(6):
        spool.append([b"%d" % n], "otel")
    drained(spool)

    def names() -> list[str]:
        return sorted(path.name[7:] for path in (tmp_path / "spool").iterdir())

    spool.trim([3, 2, 1])
    assert len(names()) == 12
    spool.trim(spool.position)
    assert names() == [f"{n}.{kind}" for n in (4, 5, 6) for kind in ("marks", "ndjson")]
    clock.now += 10**16
    spool.trim(spool.position)
    assert names() == ["6.marks", "6.ndjson"]


def test_a_new_segment_never_has_an_old_number(tmp_path: Path, clock: Clock) -> None:
    spool = opened(tmp_path, clock)
    spool.append([b"1"], "otel")
    drained(spool)
    for path in (tmp_path / "spool").iterdir():
        path.unlink()
    again = opened(tmp_path, clock, spool.position)
    again.append([b"2"], "otel")
    assert [c.origin[-10:] for c in drained(again)] == ["002.ndjson"]


def test_half_a_line_and_half_a_mark_are_cut_off(tmp_path: Path, clock: Clock) -> None:
    opened(tmp_path, clock).append([b"1"], "otel")
    for name, rest in (("00000001.ndjson", b'{"half'), ("00000001.marks", b"2 17672")):
        with (tmp_path / "spool" / name).open("ab") as file:
            file.write(rest)
    again = opened(tmp_path, clock)
    again.append([b"2"], "trivy")
    found = [(c.source, list(c.documents)) for c in drained(opened(tmp_path, clock))]
    assert found == [("otel", [b"1"]), ("trivy", [b"2"])]


def test_marks_that_are_missing_or_damaged_are_told(tmp_path: Path, clock: Clock) -> None:
    opened(tmp_path, clock).append([b"1"], "otel")
    marks = tmp_path / "spool" / "00000001.marks"
    marks.write_bytes(b"what is this\n")
    with pytest.raises(Unavailable, match=r"is missing or damaged .*; move 00000001.ndjson away"):
        opened(tmp_path, clock)
    marks.unlink()
    with pytest.raises(Unavailable, match="is missing or damaged"):
        opened(tmp_path, clock)


def test_a_full_disk_keeps_nothing_of_the_batch(tmp_path: Path, clock: Clock) -> None:
    spool = opened(tmp_path, clock)
    spool.append([b"1"], "otel")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            spool.append([b"2" * 100], "otel")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    spool.append([b"3"], "otel")
    assert documents(spool) == [b"1", b"3"]


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path, clock: Clock) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", APPENDS, str(tmp_path / "spool")], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        told = 0
        while told < 100:
            told = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
    found = documents(opened(tmp_path, clock))
    assert len(found) > told
    assert found == [b'{"n": %d}' % n for n in range(len(found))]


def test_a_segment_that_cannot_be_read_is_a_problem_until_it_can(
    tmp_path: Path, clock: Clock
) -> None:
    spool = opened(tmp_path, clock)
    spool.append([b"1"], "otel")
    segment, away = tmp_path / "spool" / "00000001.ndjson", tmp_path / "away"
    segment.rename(away)
    assert spool.read(99, 9999) is None
    assert spool.problem == f"cannot read {segment}: No such file or directory; it is tried again"
    away.rename(segment)
    assert documents(spool) == [b"1"]
    assert spool.problem is None


def test_segments_that_somebody_else_has_deleted_are_passed_over(
    tmp_path: Path, clock: Clock
) -> None:
    spool = opened(tmp_path, clock, segment=1, kept=1)
    for n in range(4):
        spool.append([b"%d" % n], "otel")
    position = drained(spool)[-1].position
    (tmp_path / "spool" / "00000001.ndjson").unlink()
    spool.trim(position)
    left = sorted(path.name for path in (tmp_path / "spool").iterdir())
    assert left == ["00000004.marks", "00000004.ndjson"]


@pytest.mark.parametrize("source", ["otel", "trivy"])  # the one fails in the marks as well
def test_what_a_failed_write_has_left_is_cut_off_before_the_next(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    spool = opened(tmp_path, clock)
    spool.append([b"1"], "otel")

    def refused(_: int, __: object = None) -> int:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refused)
        patched.setattr(os, "ftruncate", refused)  # neither can it be undone
        with pytest.raises(OSError, match="Input/output error"):
            spool.append([b"lost"], source)
    spool.append([b"2"], source)
    spool.append([b"3"], "otel")
    found = [(chunk.source, d) for chunk in drained(spool) for d in chunk.documents]
    assert found == [("otel", b"1"), (source, b"2"), ("otel", b"3")]
    again = opened(tmp_path, clock)
    assert [(c.source, d) for c in drained(again) for d in c.documents] == found
