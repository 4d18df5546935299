"""A real Prometheus on loopback that scrapes one Barograph every second."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from schemas.errors import Unavailable

PATIENCE: Final = 60.0  # seconds
_SCRAPE: Final = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs:
  - job_name: barograph
    static_configs: [{{targets: ["{target}"], labels: {{instance: showcase}}}}]
"""


class Prometheus:
    """Its settings, log and samples lie in `folder`; older samples may be there already."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""

    def scrape(self, target: str) -> None:
        """Start, and return once `target` (host:port) was scraped often enough for a rate."""
        port = free_port()
        config = self._folder / "prometheus.yml"
        config.write_text(_SCRAPE.format(target=target))
        data = self._folder / "prometheus"
        words = (
            *("prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=3650d"),
        )
        with (self._folder / "prometheus.log").open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log)  # noqa: S603 - of ours
        self._url = f"http://127.0.0.1:{port}"
        until(self._ready)
        until(lambda: len(self.instant("count_over_time(up[10m]) > 3")) == 1)

    def stop(self) -> None:
        """End it, if it was started."""
        if self._process is not None:
            ended(self._process)

    def instant(self, expr: str) -> list[dict[str, Any]]:
        """The newest value of each series: `{"metric": {...}, "value": [time, "1"]}`."""
        return self._asked("query", {"query": expr})

    def course(self, expr: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """The values of each series over a time: `{"metric": {...}, "values": [...]}`."""
        span = {"start": str(start), "end": str(end), "step": str(step)}
        return self._asked("query_range", {"query": expr} | span)

    def _ready(self) -> bool:
        try:
            return bool(got(Request(f"{self._url}/api/v1/status/runtimeinfo"))[0] == 200)  # noqa: S310
        except URLError:
            return False

    def _asked(self, how: str, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        code, body = got(Request(f"{self._url}/api/v1/{how}?{urlencode(asked)}"))  # noqa: S310
        if code != 200:
            raise Unavailable(f"Prometheus refuses {asked['query']}: {body}")
        found: list[dict[str, Any]] = body["data"]["result"]
        return found


def ended(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; kill it if it does not."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def until(holds: Callable[[], bool]) -> None:
    """Wait for it; Unavailable if it does not come."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise Unavailable("it did not come to hold")
        time.sleep(0.1)


def got(request: Request) -> tuple[int, Any]:
    """Status and body of the answer: JSON if it went well, else text."""
    try:
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - a URL of our own
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
