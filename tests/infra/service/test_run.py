"""`barograph run`, live: what is posted becomes alerts in the store, and nothing is lost."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.infra.service.running import Running, eventually

RULE = """\
title: A model answered
name: answered
level: high
logsource: {product: barograph, service: otel}
detection: {s: {gen_ai.operation.name: chat}, condition: s}
"""
CONFIG = """\
[rules]
paths = ["answered.yml"]

[server]
port = 0

[[input]]
name = "web"
kind = "http"
port = 0
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "barograph.toml").write_text(CONFIG)
    (tmp_path / "answered.yml").write_text(RULE)
    return tmp_path


def ago(seconds: float) -> datetime:
    return datetime.now(tz=UTC) - timedelta(seconds=seconds)


def call(uid: str, name: str = "DeleteEnforcedGuardrailConfiguration", seconds: float = 5) -> bytes:
    record = {
        "eventID": uid,
        "eventTime": ago(seconds).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "bedrock.amazonaws.com",
        "eventName": name,
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"},
    }
    return orjson.dumps(record)


def export(*numbers: int) -> bytes:
    """An OTLP/JSON export of one answer of a model for each number."""
    nanos = str(int(ago(5).timestamp() * 1e9))
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.agent.id": "desk"}
    spans = [
        {
            "traceId": "0" * 31 + "1",
            "spanId": f"{number:016x}",
            "name": "chat",
            "startTimeUnixNano": nanos,
            "endTimeUnixNano": nanos,
            "attributes": _attributes(attributes),
        }
        for number in numbers
    ]
    resource_ = {"attributes": _attributes({"service.name": "shop"})}
    return orjson.dumps(
        {"resourceSpans": [{"resource": resource_, "scopeSpans": [{"spans": spans}]}]}
    )


def _attributes(stated: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in stated.items()]


def test_what_is_posted_becomes_an_alert(folder: Path) -> None:
    with Running(folder) as run:
        assert run.post("web", "/v1/traces", export(1))[0] == 200
        assert run.post("web", "/v1/events", call("1")) == (200, '{"accepted": 1}')
        alerts = "SELECT system, convergence, stage, status FROM alerts ORDER BY system"
        eventually(lambda: len(run.rows(alerts)) == 2)
        assert run.rows(alerts) == [
            ("agent:desk", "notable", "outlook", "open"),
            ("principal:arn:aws:iam::111122223333:user/ann", "notable", "outlook", "open"),
        ]
        assert run.stop() == 0
        assert run.said[-1].startswith("barograph: ready, http://127.0.0.1:")  # and nothing since


def test_it_says_how_it_is(folder: Path) -> None:
    with Running(folder) as run:
        assert run.get("/healthz") == (200, "ok\n")
        status, body = run.get("/readyz")
        assert (status, orjson.loads(body)) == (
            200,
            {"ready": True, "reasons": [], "sinks": {"store": "ok"}},
        )
        assert run.get("/nothing")[0] == 404
        run.post("web", "/v1/traces", export(1, 2))
        run.post("web", "/v1/events?source=cloudtrail", b'{"eventName":1}')
        eventually(lambda: run.metrics()["barograph_records_read_total"] == 3)
        eventually(lambda: run.metrics()['barograph_sink_delivered_total{sink="store"}'] > 0)
        samples = run.metrics()
        assert samples["barograph_records_parsed_total"] == 2
        assert samples["barograph_records_rejected_total"] == 1
        assert samples["barograph_records_late_total"] == 0
        assert samples['barograph_state_keys{stage="assess/0"}'] == 1
        assert samples['barograph_sink_failures{sink="store"}'] == 0
        # The span came 5 s ago, its source lets others come 5 min later.
        assert 300 < samples['barograph_watermark_delay_seconds{input="web"}'] < 400
        eventually(lambda: run.metrics()["barograph_outbox_results"] == 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_lets_the_sinks_take_everything(folder: Path, number: int) -> None:
    with Running(folder) as run:
        for n in range(20):
            lines = b"\n".join(call(f"{n}-{m}") for m in range(25))
            assert run.post("web", "/v1/events", lines, "application/x-ndjson")[0] == 200
        eventually(lambda: run.metrics()["barograph_records_read_total"] == 500)
        assert run.stop(number) == 0
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
        assert run.get("/healzth")[0] == 404
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
    again = subprocess.run(words[:-2], cwd=folder, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert again.stderr == (
        "barograph: barograph-data holds a run that has ended;"
        " give another `data` folder to begin anew\n"
    )


@pytest.mark.parametrize(
    ("config", "code", "sentence"),
    [
        ("", 2, "the configuration has no [[input]]; add one, for example name = 'logs'"),
        (
            CONFIG + CONFIG.partition("[server]\nport = 0\n")[2],
            2,
            "two inputs of the configuration",
        ),
        ('[[input]]\nname = "logs"', 2, "input 'logs' follows nothing; give it a `path`"),
        (
            '[[input]]\nname = "a"\npath = "."\nsource = "x"',
            2,
            "no source is called 'x'; there are",
        ),
        (CONFIG + '[[sink]]\nname = "a"\nkind = "x"', 2, "sink 'a' has the kind 'x'; name one of"),
        (
            CONFIG + '[[sink]]\nname = "store"\nkind = "jsonl"\npath = "x"',
            2,
            "two sinks have the same",
        ),
        ('data = "barograph.toml"\n' + CONFIG, 3, "barograph.toml cannot be used as a data folder"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(
    folder: Path, config: str, code: int, sentence: str
) -> None:
    (folder / "barograph.toml").write_text(config)
    words = (sys.executable, "-m", "infra", "run")
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"barograph: {sentence}")
    assert done.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_one_sentence(folder: Path) -> None:
    with Running(folder) as run:
        port = run.url.rpartition(":")[2]
        taken = CONFIG.replace("[server]\nport = 0", f"[server]\nport = {port}")
        (folder / "barograph.toml").write_text('data = "other"\n' + taken)
        words = (sys.executable, "-m", "infra", "run")
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 3
        assert done.stderr == (
            f"barograph: cannot listen on 127.0.0.1:{port}: Address already in use;"
            " set another [server] port\n"
        )
