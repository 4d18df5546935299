"""`barograph doctor`: what is in order, what is not, and the mend."""

from __future__ import annotations

import json
import re
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from infra.cli import main
from infra.dev.broker import Broker
from infra.exits import Exit
from sinks.store import Store


def test_all_is_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "barograph.toml"
    config.write_text(f'data = "{tmp_path / "data"}"\n[server]\nport = 0\n')
    assert main(["--config", str(config), "doctor", "--json"]) == Exit.OK
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    by_name = {one["what"]: one["result"] for one in found}
    assert by_name["rules"] == by_name["duckdb"] == by_name["data folder"] == "ok"
    assert not (tmp_path / "data").exists()  # it looks, and leaves nothing


def test_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "barograph.toml"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(f'data = "{tmp_path}"\n[server]\nport = {port}\n')
        assert main(["--config", str(config), "doctor"]) == Exit.UNAVAILABLE
    out = capsys.readouterr().out
    assert f"FAIL  server: 127.0.0.1:{port}" in out
    assert "set another port" in out


class Running(BaseHTTPRequestHandler):
    """Answers as a run whose receiver is away."""

    said = b'{"ready": true, "reasons": [], "sinks": {"soc": "cannot be reached", "store": "ok"}}'

    def do_GET(self) -> None:
        body = self.said if self.path == "/readyz" else b""
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


def test_a_run_that_has_the_port_is_asked_how_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "barograph.toml"
    with ThreadingHTTPServer(("127.0.0.1", 0), Running) as server:
        port = server.server_port
        config.write_text(f'data = "{tmp_path}"\n[server]\nport = {port}\n')
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            assert main(["--config", str(config), "doctor"]) == Exit.OK
        finally:
            server.shutdown()
            thread.join()
    said = capsys.readouterr().out.splitlines()
    assert f"ok    server: a Barograph answers at 127.0.0.1:{port}/readyz: ready" in said
    assert "warn  sink soc: cannot be reached" in said
    assert not any("sink store" in line for line in said)


def test_rules_with_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.yml").write_text("title: bad\n")
    config = tmp_path / "barograph.toml"
    config.write_text(
        f'data = "{tmp_path}"\n[server]\nport = 0\n[rules]\npaths = ["{tmp_path / "bad.yml"}"]\n'
    )
    assert main(["--config", str(config), "doctor"]) == Exit.UNAVAILABLE
    assert "FAIL  rules: " in capsys.readouterr().out
    good = "title: t\nlogsource: {product: aws}\ndetection: {s: {a: b}, condition: s}\n"
    (tmp_path / "bad.yml").write_text(f"{good}---\ntitle: bad\n")
    assert main(["--config", str(config), "doctor"]) == Exit.OK
    assert f"; left out: {tmp_path}/bad.yml:5: a rule has" in capsys.readouterr().out


def test_a_store_that_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "barograph.toml"
    config.write_text(f'data = "{tmp_path}"\n[server]\nport = 0\n')
    (tmp_path / "barograph.duckdb").write_bytes(b"no database")
    assert main(["--config", str(config), "doctor"]) == Exit.UNAVAILABLE
    out, err = capsys.readouterr()
    assert "FAIL  store: " in out
    assert "; move it away, and the next run makes it anew" in out
    assert err == f"barograph: 1 of {len(out.splitlines())} checks failed\n"


def test_a_store_that_opens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(tmp_path, finite=True)
    store.open(None)
    store.close()
    config = tmp_path / "barograph.toml"
    config.write_text(f'data = "{tmp_path}"\n[server]\nport = 0\n')
    assert main(["--config", str(config), "doctor"]) == Exit.OK
    snapshot = tmp_path / "barograph.duckdb"
    assert f"ok    store: {snapshot} opens, with 0 open alerts\n" in capsys.readouterr().out


def test_a_data_folder_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "barograph.toml"
    config.write_text(f'data = "{config}"\n[server]\nport = 0\n')
    assert main(["--config", str(config), "doctor"]) == Exit.UNAVAILABLE
    assert f"FAIL  data folder: {config}: Not a directory" in capsys.readouterr().out


def test_a_broker_that_is_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "barograph.toml"
    config.write_text(
        f'data = "{tmp_path}"\n[server]\nport = 0\n[kafka]\nbootstrap = "127.0.0.1:1"\n'
    )
    assert main(["--config", str(config), "doctor"]) == Exit.UNAVAILABLE
    assert "FAIL  kafka: the Kafka broker at 127.0.0.1:1 is not" in capsys.readouterr().out


@pytest.mark.kafka
def test_topics_that_are_missing_and_made(
    broker: Broker, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "barograph.toml"
    config.write_text(
        f'data = "{tmp_path}"\n[server]\nport = 0\n'
        f'[kafka]\nbootstrap = "{broker.bootstrap}"\nprefix = "{prefix}"\n'
    )
    assert main(["--config", str(config), "doctor"]) == Exit.UNAVAILABLE
    assert re.search(rf"FAIL  topics: {prefix}\w+ is missing", capsys.readouterr().out)
    assert main(["--config", str(config), "topics", "create"]) == Exit.OK
    assert main(["--config", str(config), "doctor"]) == Exit.OK
