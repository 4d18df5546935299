"""Showcase: a real `barograph run` over the demo's two days, and a real Prometheus that scrapes it.

Tests ask it whatever boards ask, and the pictures of the boards are drawn from its answers.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from infra.dev import recent
from schemas.errors import Unavailable
from schemas.times import SECOND

PATIENCE: Final = 60.0  # seconds
LAST: Final = "otel/spans-20260303.jsonl"
PORTIONS: Final = 40
TOKEN: Final = "example-token-of-the-showcase"  # noqa: S105 - for one process on loopback
_CONFIG: Final = """\
[server]
port = 0
token = "{token}"
rate = 1000

[[input]]
name = "demo"
path = "input"

[[sink]]
name = "files"
kind = "jsonl"
path = "results"
"""
_SCRAPE: Final = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs:
  - job_name: barograph
    static_configs: [{{targets: ["{target}"], labels: {{instance: showcase}}}}]
"""


class Showcase:
    """Started in `folder`. What it says, Prometheus knows under the instance `showcase`."""

    def __init__(
        self,
        folder: Path,
        blocks: Callable[[Path], None] | None = None,
        pause: float = 0.0,
    ) -> None:
        """`blocks` may write older samples into the folder of Prometheus first.

        The last file comes in PORTIONS, with a `pause` of seconds after each.
        """
        self.folder, self._blocks, self._pause = folder, blocks, pause
        self._processes: list[subprocess.Popen[bytes]] = []
        self._records = 0
        self.api = self.prometheus = ""

    def __enter__(self) -> Self:
        try:
            last = self._prepare()
            if self._blocks is not None:
                self._blocks(self.folder / "prometheus")
            held = last.rename(self.folder / "held.jsonl")
            self._run()
            self._scrape()
            self._deliver(held)
            _until(lambda: self.answer("/api/v1/systems")[0] == 200)
            _until(self._all_read)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End both processes."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def instant(self, expr: str) -> list[dict[str, Any]]:
        """The newest value of each series: `{"metric": {...}, "value": [time, "1"]}`."""
        return self._asked("query", {"query": expr})

    def course(self, expr: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        """The values of each series over a time: `{"metric": {...}, "values": [...]}`."""
        span = {"start": str(start), "end": str(end), "step": str(step)}
        return self._asked("query_range", {"query": expr} | span)

    def answer(self, path: str) -> tuple[int, Any]:
        """Status and body of a GET of the read API."""
        request = Request(f"{self.api}{path}", headers={"authorization": f"Bearer {TOKEN}"})  # noqa: S310
        return _got(request)

    def _prepare(self) -> Path:
        """Returns the file that comes last."""
        now = round(time.time() * SECOND)
        self._records = recent.write(self.folder / "input", now).records
        (self.folder / "barograph.toml").write_text(_CONFIG.format(token=TOKEN))
        return self.folder / "input" / LAST

    def _run(self) -> None:
        self._start((sys.executable, "-m", "infra", "run"), "run.log")
        _until(lambda: self._address() != "")
        self.api = self._address()

    def _address(self) -> str:
        """Where the run listens, once it says so."""
        said = (self.folder / "run.log").read_text(encoding="utf-8")
        if self._processes[0].poll() is not None:
            raise Unavailable(f"barograph run ended: {said[-500:]}")
        found = re.search(r"^barograph: ready, (http://[\w.]+:\d+)/readyz", said, re.MULTILINE)
        return found[1] if found else ""

    def _start(self, words: Sequence[str], log: str) -> None:
        with (self.folder / log).open("w", encoding="utf-8") as out:
            self._processes.append(
                subprocess.Popen(words, cwd=self.folder, stdout=out, stderr=out)  # noqa: S603 - of ours
            )

    def _scrape(self) -> None:
        port = free_port()
        data, config = self.folder / "prometheus", self.folder / "prometheus.yml"
        config.write_text(_SCRAPE.format(target=self.api.removeprefix("http://")))
        words = (
            *("prometheus", f"--config.file={config}", f"--storage.tsdb.path={data}"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=3650d"),
        )
        self._start(words, "prometheus.log")
        self.prometheus = f"http://127.0.0.1:{port}"
        _until(lambda: bool(_text(f"{self.prometheus}/-/ready")))
        # A rate needs two scrapes before it rises.
        _until(lambda: len(self.instant("count_over_time(up[10m]) > 3")) == 1)

    def _deliver(self, held: Path) -> None:
        lines = held.read_bytes().splitlines(keepends=True)
        step = -(-len(lines) // PORTIONS)
        for start in range(0, len(lines), step):
            with (self.folder / "input" / LAST).open("ab") as out:
                out.writelines(lines[start : start + step])
            time.sleep(self._pause)

    def _all_read(self) -> bool:
        """Everything is read, the sinks have it, and what the store says of it was scraped."""
        read = f"barograph_records_read_total == {self._records} and barograph_outbox_results == 0"
        story = 'barograph_alerts_open{stage="warning"} > 0'  # the end of the demo's first story
        asked = "rate(barograph_api_requests_total[5m])"
        judged = 'sum(barograph_controls{status="fail"}) > 40'  # controls, after both stories
        return all(self.instant(one) for one in (read, story, asked, judged))

    def _asked(self, how: str, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        code, body = _got(Request(f"{self.prometheus}/api/v1/{how}?{urlencode(asked)}"))  # noqa: S310
        if code != 200:
            raise Unavailable(f"Prometheus refuses {asked['query']}: {body}")
        found: list[dict[str, Any]] = body["data"]["result"]
        return found


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise Unavailable("it did not come to hold")
        time.sleep(0.1)


def _text(url: str) -> str:
    """What is there, or nothing."""
    try:
        with urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - a URL of our own
            body: bytes = answer.read()
            return body.decode()
    except (HTTPError, URLError):
        return ""


def _got(request: Request) -> tuple[int, Any]:
    try:
        with urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310 - a URL of our own
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
