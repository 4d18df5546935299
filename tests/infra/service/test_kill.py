"""`barograph run` under kill -9: the final results are those of a calm run, and of a replay."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random

import duckdb
import msgspec

from correlators.ruleset import builtin, parse
from infra.demo import scenario
from infra.replaying import Order, replay
from schemas.config import Config
from schemas.times import parse as time_of
from streams.ingest import Progress

UNTIL = "2026-03-04T00:00:00Z"
KILLS = int(os.environ.get("BAROGRAPH_KILLS", "4"))  # `make kills` plays 20
CONFIG = """
data = "{data}"
[server]
port = 0
[limits]
batch_records = 40
"""
INPUT = """
[[input]]
name = "{name}"
path = "{path}"
source = "{source}"
"""
FOLDERS = {"bom": "cyclonedx", "cloudtrail": "cloudtrail", "otel": "otel", "trivy": "trivy"}


def configured(folder: Path, inputs: Path, name: str) -> Path:
    text = CONFIG.format(data=folder / name)
    for part, source in FOLDERS.items():
        text += INPUT.format(name=part, path=inputs / part, source=source)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def started(config: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "infra", "--config", str(config), "run", "--until", UNTIL]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(config: Path) -> None:
    process = started(config)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said.decode()


def final(data: Path) -> dict[str, set[tuple[str, str]]]:
    with duckdb.connect(str(data / "barograph.duckdb"), read_only=True) as db:
        query = "SELECT id, body_sha256 FROM query_table(?) WHERE meta_state = 'final'"
        tables = ("findings", "alerts")
        return {table: set(db.execute(query, [table]).fetchall()) for table in tables}


def read(data: Path) -> int:
    """How many records the journal knows as read."""
    path = data / "journal.sqlite"
    if not path.exists():
        return 0
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=60)) as db:
        try:
            saved = db.execute("SELECT value FROM position").fetchall()
        except sqlite3.OperationalError:  # its tables are not there yet
            return 0
    positions = [msgspec.json.decode(value) for (value,) in saved]
    return sum(msgspec.convert(p["progress"], Progress).read for p in positions)


def kill_behind(process: subprocess.Popen[bytes], data: Path, records: int) -> None:
    """Kill the process once it has saved so many records; fail if it ends before."""
    while read(data) < records:
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_kills_at_any_moment_change_nothing(tmp_path: Path) -> None:
    inputs = tmp_path / "input"
    total = sum(scenario.write(inputs).records.values())
    finish(configured(tmp_path, inputs, "calm"))
    want = final(tmp_path / "calm")
    assert want["alerts"]
    assert want["findings"]
    rules, until = parse(builtin()), time_of(UNTIL)
    replay(Config(), rules, [str(inputs)], tmp_path / "replayed", Order(until=until))
    assert final(tmp_path / "replayed") == want

    config, random = configured(tmp_path, inputs, "stormy"), Random(7)
    for kill in range(KILLS):
        before = read(tmp_path / "stormy")
        more = random.randint(1, (total - before) // (KILLS - kill + 1))
        kill_behind(started(config), tmp_path / "stormy", before + more)
    assert read(tmp_path / "stormy") < total
    finish(config)
    assert final(tmp_path / "stormy") == want
    assert read(tmp_path / "stormy") == read(tmp_path / "calm")
