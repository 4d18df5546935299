"""The bundled scenario, played once; commands are asked of its store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cli import main

Comply = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the scenario's store and input."""
    out = tmp_path_factory.mktemp("demo")
    assert main(["demo", "--fast", "--out", str(out)]) == 0
    return out


@pytest.fixture
def comply(demo: Path, capsys: pytest.CaptureFixture[str]) -> Comply:
    """Run the command on the scenario's store; its exit code, stdout and stderr."""

    def run(*words: str, store: Path = demo) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["comply", *words, "--store", str(store)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run
