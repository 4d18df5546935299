"""What tests of the boards share: Grafana's client and its double, and a run with a Prometheus."""

from __future__ import annotations

import os
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


@pytest.fixture
def push(grafana: Grafana, tmp_path: Path) -> Push:
    """Run `barograph boards push`; its exit code, stdout and stderr."""
    try:
        python = environment.python()
    except Unavailable as reason:
        absent(str(reason))
    (tmp_path / "barograph.toml").write_text(
        "[grafana]\n"
        'prometheus = "http://prometheus.example:9090"\n'
        'api = "https://barograph.example:9464"\n'
        'api_token = "example-api-token"\n'
    )

    def run(*words: str, token: str = ADMIN, url: str = grafana.url) -> tuple[int, str, str]:
        ran = subprocess.run(
            (python, "-m", "infra", "boards", "push", "--url", url, *words),
            cwd=tmp_path,
            env=os.environ | {"BAROGRAPH_GRAFANA__TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout, ran.stderr

    return run


@pytest.fixture(scope="session")
def showcase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Showcase]:
    """A run over the demo's days and a Prometheus that scrapes it."""
    if shutil.which("prometheus") is None:
        absent("prometheus is not here: apt-get install prometheus")
    with Showcase(tmp_path_factory.mktemp("showcase")) as running:
        yield running
