"""What tests of the boards share: Grafana's client and its double, and a run with a Prometheus."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.dev import grafana as environment
from infra.dev.showcase import Showcase
from schemas.errors import Unavailable
from tests.conftest import absent
from tests.infra.boards.grafana import ADMIN, Grafana, serving

Push = Callable[..., tuple[int, str, str]]


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    """A server with nothing in it."""
    server = Grafana()
    with serving(server) as server.url:
        yield server


@pytest.fixture(scope="session")
def client() -> Iterator[subprocess.Popen[str]]:
    """A process in the environment of grafana-client that runs commands; see told.py."""
    try:
        python = environment.python()
    except Unavailable as reason:
        absent(str(reason))
    words = (python, str(Path(__file__).with_name("told.py")))
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def push(grafana: Grafana, tmp_path: Path, client: subprocess.Popen[str]) -> Push:
    """Run `barograph boards push`; its exit code, stdout and stderr."""
    (tmp_path / "barograph.toml").write_text(
        "[grafana]\n"
        'prometheus = "http://prometheus.example:9090"\n'
        'api = "https://barograph.example:9464"\n'
        'api_token = "example-api-token"\n'
    )

    def run(*words: str, token: str = ADMIN, url: str = grafana.url) -> tuple[int, str, str]:
        told = {
            "argv": ["boards", "push", "--url", url, *words],
            "cwd": str(tmp_path),
            "env": {"BAROGRAPH_GRAFANA__TOKEN": token},
        }
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(f"{json.dumps(told)}\n")
        client.stdin.flush()
        code, out, said = json.loads(client.stdout.readline())
        return code, out, said

    return run


@pytest.fixture(scope="session")
def showcase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showcase]:
    """A run over the demo's days and a Prometheus that scrapes it."""
    if shutil.which("prometheus") is None:
        absent("prometheus is not here: apt-get install prometheus")
    with Showcase(tmp_path_factory.mktemp("showcase")) as running:
        yield running
