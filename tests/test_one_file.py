"""A new source, detection, convergence, sink or command is one file: each once, in a copy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = "tests/streams/sources/examples"
PACKAGES = ("schemas", "correlators", "streams", "sinks", "infra")

SOURCE = '''"""Door: badge readers as a test writes them."""

from collections.abc import Iterator

from schemas.detection import Logsource
from schemas.event import Event, EventEvidence
from schemas.times import MINUTE
from streams.records.untrusted import entity, mapping, moment, text
from streams.source import Json, Parsed, Raw, Unreadable

NAME, TITLE = "door", "Badge reader"
LOGSOURCE = Logsource(product="door")
LATENESS = MINUTE
NARROW = None
ATTRIBUTES = frozenset({"door.badge"})


def sniff(head: bytes) -> bool:
    """Every record has a badge."""
    return b'"badge"' in head


def split(document: bytes) -> Iterator[Raw]:
    """One record a line."""
    yield Raw(document)


def event(raw: Raw, record: Json, evidence: EventEvidence) -> Parsed:
    """Who opened which door."""
    said = mapping(record)
    door, badge = entity("host", said.get("door")), text(said.get("badge"))
    if door is None or badge is None:
        raise Unreadable("wrong-shape", "a record has a badge and a door")
    return Parsed(
        Event(
            uid=evidence.sha256,
            time=moment(said.get("at")),
            source=NAME,
            class_uid=6003,
            class_name="API Activity",
            activity="open",
            entities=(door,),
            attributes={"door.badge": badge},
            evidence=evidence,
        ),
        {},
    )
'''
DETECTION = """title: Server room opened
name: server_room_opened
level: medium
logsource: {product: barograph, service: door}
detection:
  room: {entity.host: server-room}
  condition: room
"""
CONVERGENCE = """id: somebody_in_the_server_room
title: Somebody in the server room
summary: A door was opened.
join: host
window: 10m
legs:
  opened: {class: runtime, of: [server_room_opened]}
"""
SINK = '''"""Count: how many results came; a test's own."""

from collections.abc import Sequence
from pathlib import Path

from schemas.config import SinkConfig
from schemas.rows import Result
from sinks.delivery.sink import Delivered


Settings = SinkConfig


def connect(settings: SinkConfig, folder: Path) -> "Count":
    """A counter in the data folder."""
    return Count(folder / "count")


class Count:
    """Counts."""

    kinds = frozenset({"alert"})
    local = True

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0

    def open(self, bookmark: object) -> None:
        """Nothing to open."""

    def write(self, batch: Sequence[Result]) -> Delivered:
        """Count the batch."""
        self.count += len(batch)
        self.path.write_text(str(self.count))
        return Delivered(len(batch))

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing to close."""
'''
COMMAND = '''"""Say hello."""

import argparse

EXAMPLE = "barograph hello"


def arguments(parser: argparse.ArgumentParser) -> None:
    """None."""


def run(args: argparse.Namespace) -> int:
    """Say it."""
    print("hello")
    return 0
'''
DOORS = (
    '{"badge": 7, "door": "server-room", "at": "2026-01-01T03:00:00Z"}\n'
    '{"badge": 7, "door": "kitchen", "at": "2026-01-01T03:01:00Z"}\n'
)
NEW = {
    "streams/sources/door.py": SOURCE,
    "correlators/detections/server_room_opened.yml": DETECTION,
    "correlators/convergences/somebody_in_the_server_room.yml": CONVERGENCE,
    "sinks/count.py": SINK,
    "infra/commands/hello.py": COMMAND,
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages with one new file of each kind."""
    folder = tmp_path_factory.mktemp("copy")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    for name, text in NEW.items():
        (folder / name).write_text(text)
    (folder / "doors.jsonl").write_text(DOORS)
    shutil.copytree(ROOT / EXAMPLES, folder / EXAMPLES)
    (folder / EXAMPLES / "door.jsonl").write_text(DOORS)
    (folder / EXAMPLES / "door.bad.json").write_text('{"badge": 7}')
    (folder / "docs").mkdir()
    return folder


def barograph(copy: Path, *words: str) -> str:
    """What a command of the copy prints."""
    return module(copy, "infra", *words)


def module(copy: Path, *words: str) -> str:
    """What a module of the copy prints."""
    command = [sys.executable, "-m", *words]
    environment = os.environ | {"PYTHONPATH": str(copy)}
    done = subprocess.run(
        command, cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_source_is_one_file(copy: Path) -> None:
    events = [json.loads(line) for line in barograph(copy, "parse", "doors.jsonl").splitlines()]
    assert [event["entities"][0]["id"] for event in events] == ["server-room", "kitchen"]


def test_the_documents_and_the_fuzzer_know_it_by_its_folder(copy: Path) -> None:
    """What `make sources` and `make fuzz` run: nothing lists the sources but their folder."""
    module(copy, "infra.dev.sources", "--corpora", "none")
    page = (copy / "docs/sources.md").read_text("utf-8")
    assert "| [`door`](#door) | Badge reader |" in page
    assert "## door\n\nBadge reader. " in page
    assert "- classes: API Activity\n- assets: host\n" in page
    assert "`door`" in module(copy, "infra.dev.normal_form")
    (row,) = module(copy, "infra.dev.fuzz", "door", "--seconds", "0.01").splitlines()[1:]
    assert row.split()[:2] == ["door", "2"], "it begins with the examples"


def test_a_detection_is_one_file(copy: Path) -> None:
    found = [json.loads(line) for line in barograph(copy, "detect", "doors.jsonl").splitlines()]
    assert [signal["rule"] for signal in found] == ["server_room_opened"]


def test_a_convergence_is_one_file(copy: Path) -> None:
    barograph(copy, "replay", "doors.jsonl", "--out", "out")
    (alert,) = map(json.loads, (copy / "out/alerts.jsonl").read_text().splitlines()[-1:])
    assert (alert["convergence"], alert["system"]) == (
        "somebody_in_the_server_room",
        "host:server-room",
    )


def test_a_sink_is_one_file(copy: Path) -> None:
    (copy / "barograph.toml").write_text(
        'data = "data"\n[server]\nport = 0\n[[input]]\nname = "doors"\npath = "doors.jsonl"\n'
        '[[sink]]\nname = "mine"\nkind = "count"\n'
    )
    barograph(copy, "run", "--until", "2026-01-02T00:00:00Z")
    assert int((copy / "data/count").read_text()) >= 1


def test_a_command_is_one_file(copy: Path) -> None:
    assert barograph(copy, "hello") == "hello\n"
