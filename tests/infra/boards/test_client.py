"""grafana-client stays out of our environment: it would overwrite our urllib3."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import urllib3

from infra.cli import main
from infra.dev import grafana as environment
from schemas.errors import Unavailable
from tests.conftest import absent


def whole(package: Path) -> str:
    files = sorted(package.rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def test_urllib3_stays_what_it_is() -> None:
    try:
        python = environment.python()
    except Unavailable as reason:
        absent(str(reason))
    here = Path(urllib3.__file__).parent
    before = whole(here)
    words = (
        "import grafana_client.api, importlib.metadata as m, urllib3;"
        " print(urllib3.__version__, m.version('urllib3'))"
    )
    said = subprocess.run((python, "-c", words), capture_output=True, text=True, check=True)
    version, installed = said.stdout.split()
    assert version == installed  # the client's hook would leave its own version under that name
    assert whole(here) == before
    hooks = [path.name for path in environment.FOLDER.rglob("*.pth")]
    assert sorted(hooks) == ["beside.pth", "distutils-precedence.pth"]


def test_the_client_is_not_in_our_environment() -> None:
    words = "import importlib.util as u; print(u.find_spec('grafana_client'))"
    said = subprocess.run((sys.executable, "-c", words), capture_output=True, text=True, check=True)
    assert said.stdout == "None\n"


def test_without_it_push_says_how_to_install_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["boards", "push", "--url", "http://127.0.0.1:1"]) == 2
    assert capsys.readouterr().err == (
        "barograph: the client of Grafana is not installed; URLLIB3_NO_OVERRIDE=1 pip install"
        " --no-binary urllib3-future 'barograph[grafana]' urllib3\n"
    )


def test_without_an_address_push_says_where_to_say_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["boards", "push"]) == 2
    assert capsys.readouterr().err == (
        "barograph: no Grafana is named; say --url, [grafana] url or BAROGRAPH_GRAFANA__URL\n"
    )
