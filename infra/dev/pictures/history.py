"""History: the posture of the demo's two days hour by hour, as older samples of a Prometheus."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from prometheus_client.core import Metric

from correlators.ruleset import Ruleset
from infra.posture.posture import Posture
from infra.reading.snapshots import Snapshots
from infra.replaying import Order, replay
from infra.rules import load
from schemas.config import Config, RulesConfig, SlaConfig
from schemas.times import HOUR, MINUTE, SECOND
from sinks.store import SNAPSHOT

STEP: Final = 3 * HOUR  # between two looks at the estate
SAMPLE: Final = 4 * MINUTE  # a query sees a sample for five minutes
SPAN: Final = 48 * HOUR
_LATER: Final = frozenset({"barograph_snapshot_timestamp_seconds", "barograph_posture_up"})


def backfill(folder: Path, prometheus: Path, end: int) -> None:
    """Write what a Prometheus would have scraped in the two days before `end` (microseconds).

    Each look is a replay of `folder`/input up to that time: the results are those of a run that had
    read so far. `prometheus` is the folder of its blocks.
    """
    ruleset = load(RulesConfig())
    samples: dict[str, tuple[str, list[str]]] = {}
    with TemporaryDirectory(dir=folder) as scratch:
        for start in range(end - SPAN, end, STEP):
            posture = _posture(folder / "input", Path(scratch), ruleset, start)
            for time in range(start, min(start + STEP, end - SAMPLE), SAMPLE):
                for metric in posture.metrics(time):
                    if metric.name not in _LATER:
                        lines = samples.setdefault(metric.name, (metric.type, []))[1]
                        lines.extend(_lines(metric, time))
        text = Path(scratch) / "history.txt"
        with text.open("w", encoding="utf-8") as out:
            for name, (kind, lines) in samples.items():
                out.write(f"# TYPE {name} {kind}\n")
                # The series of a family one after the other, each in the order of time.
                out.writelines(sorted(lines, key=lambda line: line.partition("} ")[0]))
            out.write("# EOF\n")
        words = ("promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", text, prometheus)
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - words of ours


def _posture(inputs: Path, out: Path, ruleset: Ruleset, until: int) -> Posture:
    replay(Config(), ruleset, [str(inputs)], out, Order(until=until, not_after=until))
    return Posture(Snapshots(out / SNAPSHOT), (), SlaConfig())


def _lines(metric: Metric, time: int) -> Iterator[str]:
    for sample in metric.samples:
        labels = {"instance": "showcase", "job": "barograph"} | sample.labels
        stated = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))
        yield f"{sample.name}{{{stated}}} {sample.value} {time / SECOND:.3f}\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
