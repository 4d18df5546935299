"""A real `barograph run` in a process of its own, with a client of what it serves."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import duckdb

PATIENCE = 60.0  # seconds until something that must happen is taken for lost


class Running:
    """Started in `folder` with `barograph.toml`; ready when it is made."""

    def __init__(self, folder: Path, *limits: str) -> None:
        """`limits`: words of `ulimit`."""
        run = (sys.executable, "-m", "infra", "run")
        bounded = ("bash", "-c", f'ulimit {" ".join(limits)} && exec "$@"', "-", *run)
        self.folder = folder
        self.process = subprocess.Popen(
            bounded if limits else run,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self.inputs: dict[str, str] = {}
        self.url = ""
        self._wait_until_ready()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.communicate()

    def _wait_until_ready(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if found := re.match(r"barograph: input (\S+) on (http://[\w.]+:\d+)/", line):
                self.inputs[found[1]] = found[2]
            if found := re.match(r"barograph: (?:ready, )?(https?://[\w.]+:\d+)/readyz", line):
                self.url = found[1]
                return
        raise AssertionError("".join(self.said))

    def get(self, path: str) -> tuple[int, str]:
        """Ask /healthz, /readyz or /metrics."""
        return asked(Request(f"{self.url}{path}"))  # noqa: S310 - a URL of our own

    def post(
        self, name: str, path: str, body: bytes, content_type: str = "application/json"
    ) -> tuple[int, str]:
        """Send to an HTTP input."""
        headers = {"content-type": content_type}
        return asked(Request(f"{self.inputs[name]}{path}", body, headers))  # noqa: S310

    def ready(self) -> Mapping[str, Any]:
        """What /readyz says."""
        body: Mapping[str, Any] = json.loads(self.get("/readyz")[1])
        return body

    def metrics(self) -> dict[str, float]:
        """The samples of /metrics."""
        lines = self.get("/metrics")[1].splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the store's snapshot, as readers do; nothing while there is none."""
        path = self.folder / "barograph-data" / "barograph.duckdb"
        if not path.exists():
            return []
        with duckdb.connect(str(path), read_only=True) as db:
            return db.sql(query).fetchall()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=PATIENCE)
        self.said += said.splitlines(keepends=True)
        return self.process.returncode


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.05)


def asked(request: Request) -> tuple[int, str]:
    """Status and body of the answer."""
    try:
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - a URL of our own
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
