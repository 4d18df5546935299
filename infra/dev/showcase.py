"""Showcase: a real `barograph run` over the demo's two days, and a real Prometheus that scrapes it.

Tests ask it whatever boards ask, and the pictures of the boards are drawn from its answers.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self
from urllib.request import Request

from infra.dev import recent
from infra.dev.prometheus import Prometheus, ended, got, until
from schemas.errors import Unavailable
from schemas.times import SECOND

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
        self._run: subprocess.Popen[bytes] | None = None
        self._records = 0
        self.api = ""
        self.prometheus = Prometheus(folder)

    def __enter__(self) -> Self:
        try:
            last = self._prepare()
            if self._blocks is not None:
                self._blocks(self.folder / "prometheus")
            held = last.rename(self.folder / "held.jsonl")
            self._start()
            # A rate needs two scrapes before it rises.
            self.prometheus.scrape(self.api.removeprefix("http://"))
            self._deliver(held)
            until(lambda: self.answer("/api/v1/systems")[0] == 200)
            until(self._all_read)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End both processes."""
        self.prometheus.stop()
        if self._run is not None:
            ended(self._run)

    def answer(self, path: str) -> tuple[int, Any]:
        """Status and body of a GET of the read API."""
        request = Request(f"{self.api}{path}", headers={"authorization": f"Bearer {TOKEN}"})  # noqa: S310
        return got(request)

    def _prepare(self) -> Path:
        """Returns the file that comes last."""
        now = round(time.time() * SECOND)
        self._records = recent.write(self.folder / "input", now).records
        (self.folder / "barograph.toml").write_text(_CONFIG.format(token=TOKEN))
        return self.folder / "input" / LAST

    def _start(self) -> None:
        words = (sys.executable, "-m", "infra", "run")
        with (self.folder / "run.log").open("w", encoding="utf-8") as out:
            self._run = subprocess.Popen(words, cwd=self.folder, stdout=out, stderr=out)  # noqa: S603 - of ours
        until(lambda: self._address() != "")
        self.api = self._address()

    def _address(self) -> str:
        """Where the run listens, once it says so."""
        said = (self.folder / "run.log").read_text(encoding="utf-8")
        if self._run is None or self._run.poll() is not None:
            raise Unavailable(f"barograph run ended: {said[-500:]}")
        found = re.search(r"^barograph: ready, (http://[\w.]+:\d+)/readyz", said, re.MULTILINE)
        return found[1] if found else ""

    def _deliver(self, held: Path) -> None:
        lines = held.read_bytes().splitlines(keepends=True)
        step = -(-len(lines) // PORTIONS)
        for start in range(0, len(lines), step):
            with (self.folder / "input" / LAST).open("ab") as out:
                out.writelines(lines[start : start + step])
            time.sleep(self._pause)

    def _all_read(self) -> bool:
        """Everything is read, the sinks have it, and what the store says of it was scraped."""
        read = f"barograph_records_read_total == {self._records}"
        taken = "sum(barograph_sink_waiting) == 0"
        story = 'barograph_alerts_open{stage="warning"} > 0'  # the end of the demo's first story
        asked = "rate(barograph_api_requests_total[5m])"
        judged = 'sum(barograph_controls{status="fail"}) > 40'  # controls, after both stories
        return all(self.prometheus.instant(one) for one in (read, taken, story, asked, judged))
