"""`barograph run` under kill -9: the final results are those of an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import duckdb

from infra.demo import scenario

UNTIL = "2026-03-04T00:00:00Z"
KILLS = int(os.environ.get("BAROGRAPH_KILLS", "6"))  # `make kills` plays 20
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


def _config(folder: Path, inputs: Path, name: str) -> Path:
    text = CONFIG.format(data=folder / name)
    for part, source in FOLDERS.items():
        text += INPUT.format(name=part, path=inputs / part, source=source)
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path


def _start(config: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "infra", "--config", str(config), "run", "--until", UNTIL]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _finish(config: Path) -> None:
    process = _start(config)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said.decode()


def _final(store: Path) -> dict[str, set[tuple[str, str]]]:
    with duckdb.connect(str(store / "barograph.duckdb"), read_only=True) as db:
        return {
            table: set(
                db.execute(
                    f"SELECT id, body->>'body_sha256' FROM {table} WHERE meta_state = 'final'"
                ).fetchall()
            )
            for table in ("findings", "alerts")
        }


def test_kill_at_random_moments(tmp_path: Path) -> None:
    inputs = tmp_path / "input"
    scenario.write(inputs)
    _finish(_config(tmp_path, inputs, "calm"))
    want = _final(tmp_path / "calm")
    assert want["alerts"]
    assert want["findings"]

    config, random, killed = _config(tmp_path, inputs, "stormy"), Random(7), 0
    for _ in range(KILLS):
        process = _start(config)
        time.sleep(random.uniform(0.4, 3.0))
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert killed > KILLS // 2  # most of them hit a process that was at work
    _finish(config)
    assert _final(tmp_path / "stormy") == want
