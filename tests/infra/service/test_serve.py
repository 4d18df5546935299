"""`barograph run`, live: what is posted becomes alerts in the store, and nothing is lost."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.infra.service.configured import CONFIG
from tests.infra.service.posted import ago, call, export
from tests.infra.service.running import Running, eventually


def test_what_is_posted_becomes_an_alert(folder: Path) -> None:
    with Running(folder) as run:
        assert run.post("web", "/v1/traces", export(1))[0] == 200
        assert run.post("web", "/v1/events", call("1")) == (200, '{"accepted": 1}')
        alerts = "SELECT system, convergence, stage, status FROM alerts ORDER BY system"
        eventually(lambda: len(run.rows(alerts)) == 2)
        assert run.rows(alerts) == [
            ("application:shop", "notable", "outlook", "open"),
            ("principal:arn:aws:iam::111122223333:user/ann", "notable", "outlook", "open"),
        ]
        assert run.stop() == 0
        assert run.said[-1].startswith("barograph: ready, http://127.0.0.1:")  # and nothing since


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_stop_lets_the_sinks_take_everything(folder: Path, number: int, code: int) -> None:
    with Running(folder) as run:
        for n in range(20):
            lines = b"\n".join(call(f"{n}-{m}") for m in range(25))
            assert run.post("web", "/v1/events", lines, "application/x-ndjson")[0] == 200
        eventually(lambda: run.metrics()["barograph_records_read_total"] == 500)
        assert run.stop(number) == code
        assert run.rows("SELECT count(*) FROM signals") == [(500,)]


def test_what_was_acknowledged_is_read_after_a_restart(folder: Path) -> None:
    with Running(folder) as run:
        for n in range(200):
            assert run.post("web", "/v1/events", call(str(n)))[0] == 200
        assert run.stop() == 0  # some of it may lie in the spool, unread
    with Running(folder) as run:
        eventually(lambda: run.rows("SELECT count(*) FROM signals") == [(200,)])
        assert run.metrics()["barograph_records_read_total"] == 200
        assert run.stop() == 0


def test_the_folder_belongs_to_one_process(folder: Path) -> None:
    with Running(folder) as run:
        words = (sys.executable, "-m", "infra", "run")
        other = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        assert (other.returncode, other.stdout) == (3, "")
        assert other.stderr == (
            "barograph: barograph-data is in use by another barograph process;"
            " stop it, or give this one another data folder\n"
        )
        assert run.stop() == 0


def test_a_full_disk_is_told_and_nothing_is_lost(folder: Path) -> None:
    with Running(folder, "-S", "-f", "300") as run:
        accepted = 0
        for n in range(2000):  # a file may have 300 KiB
            status, _ = run.post("web", "/v1/events", call(str(n)))
            accepted += status == 200
            if not run.ready()["ready"]:
                break
        (reason,) = run.ready()["reasons"]
        assert reason.startswith("cannot write barograph-data/journal.sqlite: ")
        assert reason.endswith("; make room on the disk, check its permissions and start again")
        assert run.get("/readyz")[0] == 503
        assert run.get("/healthz")[0] == 200
        _, most = resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (most, most))
        eventually(lambda: run.rows("SELECT count(*) FROM signals") == [(accepted,)])
        assert run.ready()["ready"]
        assert run.stop() == 0


def test_time_passes_while_nothing_comes(folder: Path) -> None:
    (folder / "logs").mkdir()
    (folder / "barograph.toml").write_text(
        CONFIG
        + '[[input]]\nname = "logs"\npath = "logs"\nsource = "cloudtrail"\n'
        + 'idle = "1s"\nlateness = "1s"\n'
    )
    with Running(folder) as run:
        (folder / "logs" / "trail.ndjson").write_bytes(call("1") + b"\n")
        run.post("web", "/v1/traces", export(1))
        read = "barograph_records_read_total"
        eventually(lambda: run.metrics()[read] == 2)
        delay = 'barograph_watermark_delay_seconds{input="logs"}'
        eventually(lambda: run.metrics()[delay] < 4)  # it was 6 when the record came
        assert run.stop() == 0


def test_a_pipe_is_read_to_its_end(folder: Path) -> None:
    (folder / "barograph.toml").write_text(CONFIG.replace('"http"', '"stdin"'))
    until = (ago(-60)).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = b"\n".join(call(str(n)) for n in range(50))
    words = (sys.executable, "-m", "infra", "run", "--until", until)
    done = subprocess.run(words, cwd=folder, input=lines, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    with duckdb.connect(str(folder / "barograph-data" / "barograph.duckdb"), read_only=True) as db:
        told = db.sql("SELECT count(*), min(meta_state) FROM signals").fetchall()
        assert told == [(50, "final")]
        assert db.sql("SELECT meta_state, status FROM alerts").fetchall() == [("final", "open")]
    again = subprocess.run(words[:-2], cwd=folder, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert again.stderr == (
        "barograph: barograph-data holds a run that has ended;"
        " give another `data` folder to begin anew\n"
    )
