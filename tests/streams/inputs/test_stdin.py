"""Stdin: a real pipe, copied line by line into a spool."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import orjson
import pytest

from schemas.config import Limits
from streams.inputs import stdin as stdin_input
from streams.inputs.spool import Bounds, Spool
from streams.inputs.stdin import Stdin
from streams.source import named

TRAIL = {"eventID": "1", "eventSource": "bedrock.amazonaws.com", "eventName": "InvokeModel"}


class Pipe(NamedTuple):
    """The two ends of a pipe."""

    read: int
    write: int


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe(*os.pipe())
    yield pipe
    os.close(pipe.read)


def record(n: int) -> bytes:
    return orjson.dumps(TRAIL | {"eventID": str(n)})


def kept(spool: Spool) -> list[tuple[str, bytes]]:
    found = []
    while chunk := spool.read(99, 10**7):
        found += [(chunk.source, document) for document in chunk.documents]
    return found


def test_lines_are_copied_to_the_end(tmp_path: Path, pipe: Pipe) -> None:
    spool = Spool("in", tmp_path)
    os.write(pipe.write, record(1) + b"\r\n\n" + record(2))
    os.close(pipe.write)
    stdin = Stdin(spool, Limits(), None, pipe.read)
    stdin.copy()
    assert stdin.problem is None
    assert kept(spool) == [("cloudtrail", record(1)), ("cloudtrail", record(2))]
    assert spool.ended


def test_a_line_may_come_in_parts(tmp_path: Path, pipe: Pipe) -> None:
    spool = Spool("in", tmp_path)
    stdin = Stdin(spool, Limits(), None, pipe.read)
    thread = threading.Thread(target=stdin.copy)
    thread.start()
    for part in (record(1)[:9], record(1)[9:] + b"\n" + record(2)[:5], record(2)[5:] + b"\n"):
        os.write(pipe.write, part)
    while not (found := kept(spool)):
        pass
    os.close(pipe.write)
    thread.join()
    assert [document for _, document in found + kept(spool)] == [record(1), record(2)]


def test_a_format_that_nobody_knows_is_a_problem(tmp_path: Path, pipe: Pipe) -> None:
    spool = Spool("in", tmp_path)
    os.write(pipe.write, b"hello\n")
    os.close(pipe.write)
    stdin = Stdin(spool, Limits(), None, pipe.read)
    stdin.copy()
    assert stdin.problem is not None
    assert "name one with `source` of the input" in stdin.problem
    assert not spool.ended


def test_the_named_source_is_not_sniffed(tmp_path: Path, pipe: Pipe) -> None:
    spool = Spool("in", tmp_path)
    os.write(pipe.write, b"hello\n")
    os.close(pipe.write)
    Stdin(spool, Limits(), named("trivy"), pipe.read).copy()
    assert kept(spool) == [("trivy", b"hello")]


def test_a_line_that_is_too_long_does_not_stop_the_rest(tmp_path: Path, pipe: Pipe) -> None:
    spool = Spool("in", tmp_path)
    os.write(pipe.write, b"x" * 5000)
    limits = Limits(document_bytes=2000)
    stdin = Stdin(spool, limits, named("cloudtrail"), pipe.read)
    thread = threading.Thread(target=stdin.copy)
    thread.start()
    os.write(pipe.write, b"x" * 5000 + b"\n" + record(1) + b"\n")
    os.close(pipe.write)
    thread.join()
    documents = [document for _, document in kept(spool)]
    assert documents[-1] == record(1)
    assert b"".join(documents[:-1]) == b"x" * 10_000


def test_a_full_spool_holds_the_pipe_back(tmp_path: Path, pipe: Pipe) -> None:
    spool = Spool("in", tmp_path, bounds=Bounds(unread=10))
    stdin = Stdin(spool, Limits(), None, pipe.read)
    thread = threading.Thread(target=stdin.copy)
    os.write(pipe.write, record(1) + b"\n")
    thread.start()
    while not spool.full:
        pass
    os.write(pipe.write, record(2) + b"\n")
    os.close(pipe.write)
    found: list[tuple[str, bytes]] = []
    while not spool.ended:
        found += kept(spool)
    thread.join()
    assert [document for _, document in found] == [record(1), record(2)]


def test_it_stops_when_it_is_told(tmp_path: Path, pipe: Pipe) -> None:
    spool = Spool("in", tmp_path)
    stdin = Stdin(spool, Limits(), None, pipe.read)
    stdin.stop()
    stdin.copy()
    os.close(pipe.write)
    assert kept(spool) == []


def test_a_full_disk_is_waited_for_and_nothing_is_lost(
    tmp_path: Path, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdin_input, "_AGAIN", 0.01)
    folder, away = tmp_path / "spool", tmp_path / "away"
    spool = Spool("in", folder)
    folder.rename(away)  # a disk that refuses
    os.write(pipe.write, record(1) + b"\n")
    stdin = Stdin(spool, Limits(), None, pipe.read)
    thread = threading.Thread(target=stdin.copy)
    thread.start()
    while stdin.problem is None and thread.is_alive():
        pass
    assert stdin.problem == "stdin waits for room on the disk: No such file or directory"
    os.write(pipe.write, record(2) + b"\n")
    assert not stdin.ended
    away.rename(folder)
    os.close(pipe.write)
    thread.join()
    assert stdin.ended
    assert not stdin.problem
    assert [document for _, document in kept(spool)] == [record(1), record(2)]
