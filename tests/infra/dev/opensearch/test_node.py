"""The node for development: which Java it takes, and what it says when it cannot start."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from infra.dev.opensearch.__main__ import main
from infra.dev.opensearch.node import Node, jdk
from infra.exits import Exit
from schemas.errors import Unavailable


def installed(folder: Path, version: str, *programs: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    for name in programs:
        (folder / "bin" / name).write_text("#!/bin/sh\necho 'Exception: no'; exit 1\n")
        (folder / "bin" / name).chmod(0o755)
    (folder / "release").write_text(f'IMPLEMENTOR="Example"\nJAVA_VERSION="{version}"\n')
    return folder


@pytest.fixture
def javas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an old Java on the PATH."""
    old = installed(tmp_path / "java-17", "17.0.15", "java", "javac")
    monkeypatch.setenv("PATH", str(old / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return tmp_path


def test_a_newer_one_beside_that_of_the_path_is_taken(javas: Path) -> None:
    installed(javas / "jre-25", "25.0.3", "java")
    newer = installed(javas / "jdk-21", "21", "java", "javac")
    assert jdk() == str(newer / "bin" / "java")


def test_java_home_comes_first(javas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(javas / "jdk-21", "21", "java", "javac")
    named = installed(javas / "opt" / "jdk", "25.0.3", "java", "javac")
    monkeypatch.setenv("JAVA_HOME", str(named))
    assert jdk() == str(named / "bin" / "java")


@pytest.mark.usefixtures("javas")
def test_without_one_the_sentence_says_what_to_install(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["fetch"]) == Exit.UNAVAILABLE
    assert capsys.readouterr().err == (
        "barograph: OpenSearch needs a JDK 21 or newer, and there is none here: install one, and"
        " name its folder in JAVA_HOME\n"
    )


@pytest.mark.opensearch
def test_a_setting_that_it_does_not_know_is_told(tmp_path: Path) -> None:
    node = Node(tmp_path / "node", {"no.such": "setting"})
    with pytest.raises(Unavailable, match=r"does not start: .*unknown setting \[no\.such\]"):
        node.start()


@pytest.mark.opensearch
def test_it_ends_with_who_started_it(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "infra.dev.opensearch", "run", "--port", "0", "--folder"]
    with subprocess.Popen([*words, tmp_path / "node"], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        url = run.stdout.readline().strip()
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - it is on the loopback
            assert json.load(answer)["version"]["distribution"] == "opensearch"
        run.kill()
    end = time.monotonic() + 60
    while listens(url) and time.monotonic() < end:
        time.sleep(0.05)
    assert not listens(url)


def listens(url: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))).close()
    except ConnectionRefusedError:
        return False
    return True
