"""JSONL files: order, whole lines, and what a kill leaves behind."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from schemas.config import AnySink
from schemas.errors import Mistake
from schemas.finding import State
from schemas.rows import Result, ResultKind
from sinks.delivery.kinds import connect
from sinks.jsonl import FILES, Jsonl
from tests.sinks.figures import note

# Delivers for ever through a courier; says each sequence that was taken.
DELIVERS = """
import sys
from pathlib import Path
import msgspec
from schemas.rows import Result
from sinks.delivery.courier import Courier
from sinks.delivery.letters import DeadLetters
from sinks.jsonl import Jsonl
from streams.journal import Journal
folder = Path(sys.argv[1])
with Journal(folder / "journal.sqlite") as journal:
    sink = Jsonl(folder / "out")
    journal.subscribe({"files": sink.kinds})
    courier = Courier("files", sink, journal, DeadLetters(folder / "dead", int), jitter=float)
    while journal.newest() < int(sys.argv[2]):
        n = journal.newest()
        results = [Result("signal", str(i), i, "final", {"n": i}) for i in range(n, n + 10)]
        journal.commit({}, {}, [msgspec.msgpack.encode(result) for result in results])
        courier.step()
        print(journal.cursor("files"), flush=True)
    while courier.step() == 0:
        pass
"""


def result(kind: ResultKind, n: int, state: State = "final") -> Result:
    return Result(kind, str(n), n, state, {"n": n})


def numbers(folder: Path, name: str) -> list[int]:
    return [orjson.loads(line)["n"] for line in (folder / name).read_bytes().splitlines()]


def test_each_kind_has_its_file_in_the_order_of_emission(tmp_path: Path) -> None:
    sink = Jsonl(tmp_path)
    sink.open(None)
    batch = [result("signal", 1), result("alert", 2), result("event", 3), result("signal", 4)]
    delivered = sink.write(batch)
    sink.close()
    assert (delivered.taken, delivered.problem) == (4, None)
    assert (tmp_path / "signals.jsonl").read_bytes() == b'{"n":1}\n{"n":4}\n'
    assert {name: numbers(tmp_path, name) for name in FILES.values()} == {
        "signals.jsonl": [1, 4],
        "findings.jsonl": [],
        "alerts.jsonl": [2],
        "rejects.jsonl": [],
        "late.jsonl": [],
    }


def test_final_only_has_what_can_no_longer_change(tmp_path: Path) -> None:
    sink = Jsonl(tmp_path, final=True)
    sink.open(None)
    states: tuple[State, ...] = ("provisional", "settled", "withdrawn", "final")
    sink.write([result("alert", n, state) for n, state in enumerate(states)])
    sink.close()
    assert numbers(tmp_path, "alerts.jsonl") == [3]


def test_what_lies_behind_the_bookmark_is_cut_off(tmp_path: Path) -> None:
    sink = Jsonl(tmp_path)
    sink.open(None)
    bookmark = sink.write([result("signal", 1)]).bookmark
    sink.write([result("signal", 2), result("late", 3)])
    with (tmp_path / "signals.jsonl").open("ab") as file:
        file.write(b'{"n":')
    sink.close()
    again = Jsonl(tmp_path)
    again.open(bookmark)
    again.write([result("signal", 4)])
    again.close()
    assert numbers(tmp_path, "signals.jsonl") == [1, 4]
    assert numbers(tmp_path, "late.jsonl") == []


def test_without_a_bookmark_old_files_are_set_aside(tmp_path: Path) -> None:
    for n in (1, 2, 3):
        sink = Jsonl(tmp_path)
        sink.open(None)
        sink.write([result("signal", n)])
        sink.close()
    assert numbers(tmp_path, "signals.jsonl") == [3]
    assert numbers(tmp_path, "signals.jsonl.1") == [1]
    assert numbers(tmp_path, "signals.jsonl.2") == [2]


def test_a_full_disk_is_a_problem_and_leaves_whole_lines(tmp_path: Path) -> None:
    sink = Jsonl(tmp_path)
    sink.open(None)
    sink.write([result("signal", 1)])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        delivered = sink.write([result("signal", n) for n in range(2, 50)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert delivered.taken == 0
    assert delivered.problem is not None
    assert "cannot write" in delivered.problem
    assert numbers(tmp_path, "signals.jsonl") == [1]
    assert sink.write([result("signal", 2)]).problem is None
    sink.close()
    assert numbers(tmp_path, "signals.jsonl") == [1, 2]


def test_a_kill_loses_and_repeats_no_line(tmp_path: Path) -> None:
    start = [sys.executable, "-c", DELIVERS, str(tmp_path)]
    for told in (30, 90):
        with subprocess.Popen([*start, "1000000"], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            while int(process.stdout.readline()) < told:
                pass
            os.kill(process.pid, signal.SIGKILL)
    subprocess.run([*start, "1"], check=True, capture_output=True)
    found = numbers(tmp_path / "out", "signals.jsonl")
    assert len(found) >= 90
    assert found == list(range(len(found)))
    note("jsonl", results=len(found), kills=2)


def test_a_sink_without_a_path_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match="sink 'files' needs 'path'"):
        connect(AnySink(name="files", kind="jsonl"), tmp_path)
