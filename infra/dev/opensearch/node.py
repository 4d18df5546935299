"""Node: one process of OpenSearch, its data in a folder, its port a free one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from infra.dev.jars import OPENSEARCH, jars
from schemas.errors import Unavailable

LEAST: Final = 21  # the Java that it is made for
_PATIENCE: Final = 90.0  # seconds for a start or a stop; a start takes some 5 of them
_PROGRAM: Final = OPENSEARCH.folder / "Node.java"


class Said(NamedTuple):
    """An answer of the node."""

    status: int
    body: Any


class Node:
    """A node whose data, settings and log are in `folder`; it does not outlive this process.

    `settings` are OpenSearch's own and win over ours. A node that starts again keeps its port.
    """

    def __init__(self, folder: Path, settings: Mapping[str, object] | None = None) -> None:
        self.folder = folder
        self._settings = dict(settings or {})
        self._log = folder / "node.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it listens, once it was started."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it takes requests. Unavailable, with the reason, if it cannot."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {"http.port": self.port} | self._settings
        words = [f"{name}={value}" for name, value in settings.items()]
        heap = ["-Xms256m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command = [jdk(), *heap, "-cp", f"{jars(OPENSEARCH)}/*", str(_PROGRAM), str(self.folder)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the Java found, our arguments
                command + words, stdin=subprocess.PIPE, stdout=log, stderr=log
            )
        self.port = self._ready(self._process)
        self.ask("GET", "/_cluster/health?wait_for_status=yellow&timeout=60s")

    def ask(self, method: str, place: str, body: object = None) -> Said:
        """One request, for setting a scene and looking at it: bytes are NDJSON, the rest is JSON.

        OSError if the node is not there.
        """
        lines = isinstance(body, bytes)
        request = urllib.request.Request(  # noqa: S310 - it is our own http url
            self.url + place,
            data=body if isinstance(body, bytes) or body is None else json.dumps(body).encode(),
            headers={"content-type": f"application/{'x-ndjson' if lines else 'json'}"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
                return Said(answer.status, json.load(answer))
        except urllib.error.HTTPError as error:
            with error:
                return Said(error.code, json.load(error))

    def stop(self) -> None:
        """End it in good order; its data stays."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=_PATIENCE)

    def kill(self) -> None:
        """End it as a power cut would; its data stays."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=_PATIENCE)

    def _ready(self, process: subprocess.Popen[bytes]) -> int:
        end = time.monotonic() + _PATIENCE
        while True:
            told = self._log.read_text("utf-8", errors="replace")
            if found := re.search(r"(?m)^READY (\d+)$", told):
                return int(found[1])
            if process.poll() is not None or time.monotonic() > end:
                self.kill()
                said = re.findall(r"(?m)^(?:Exception in|Caused by:|error:).*$", told)
                why = said[-1].strip()[:300] if said else "it does not say why"
                raise Unavailable(f"OpenSearch does not start: {why}; see {self._log}")
            time.sleep(0.05)


def jdk() -> str:
    """The `java` of a JDK that is new enough: JAVA_HOME's, the PATH's, or one beside that."""
    for home in _homes():
        release = home / "release"
        if (home / "bin" / "javac").exists() and release.exists():
            found = re.search(r'JAVA_VERSION="(\d+)', release.read_text("utf-8"))
            if found and int(found[1]) >= LEAST:
                return str(home / "bin" / "java")
    raise Unavailable(
        f"OpenSearch needs a JDK {LEAST} or newer, and there is none here: install one, and name"
        " its folder in JAVA_HOME"
    )


def _homes() -> Iterator[Path]:
    """Folders where a Java may be; those that are installed side by side share theirs."""
    if named := os.environ.get("JAVA_HOME"):
        yield Path(named)
    if found := shutil.which("java"):
        home = Path(found).resolve().parents[1]
        yield home
        yield from sorted(home.parent.glob("*/"))
