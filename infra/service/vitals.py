"""Vitals: what an embedded run says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from infra.service.inputs import Live
from infra.service.loop import Loop, lag
from infra.service.reload import Reload
from infra.service.threads import Threads
from streams.embedded import Embedded
from streams.journal import Journal

CROWDED_OUT = "Keys that were forgotten because there were too many."


class EmbeddedVitals:
    """Of the engine, its loop and its inputs."""

    def __init__(
        self,
        engine: Embedded,
        journal: Journal,
        loop: Loop,
        inputs: Mapping[str, Live],
        threads: Threads,
        reload: Reload,
        clock: Callable[[], int],
    ) -> None:
        self._engine, self._journal, self._loop, self._inputs = engine, journal, loop, inputs
        self._threads, self._reload, self._clock = threads, reload, clock

    @property
    def alive(self) -> bool:
        """True while the engine's thread runs."""
        return self._threads.alive

    def reasons(self) -> list[str]:
        """Why the service is not ready; empty if it is."""
        found = [] if self.alive else ["the engine has stopped"]
        if self._loop.problem:
            found.append(self._loop.problem)
        if self._loop.holding:
            found.append("reading is held back until sinks have taken more from the outbox")
        return found + [
            f"input {name}: {live.problem}" for name, live in self._inputs.items() if live.problem
        ]

    def rules(self) -> dict[str, Any]:
        """Which rules run."""
        return self._reload.about()

    def metrics(self) -> Iterator[Metric]:
        """Its metrics, looked up now."""
        for name, count in self._engine.counts().items():
            counter = CounterMetricFamily(
                f"barograph_records_{name}", f"Records {name} since the data folder was made."
            )
            counter.add_metric([], count)
            yield counter
        delay = GaugeMetricFamily(
            "barograph_watermark_delay_seconds",
            "Wall clock minus the watermark of an input.",
            labels=["input"],
        )
        for name, seconds in lag(self._engine, self._clock()).items():
            delay.add_metric([name], seconds)
        yield delay
        keys = GaugeMetricFamily(
            "barograph_state_keys", "Keys that a stage holds.", labels=["stage"]
        )
        crowded = CounterMetricFamily("barograph_state_crowded_out", CROWDED_OUT, labels=["stage"])
        for name, stage in self._engine.keyed.items():
            keys.add_metric([name], len(stage.slots))
            crowded.add_metric([name], stage.crowded_out)
        yield from (keys, crowded)
        yield from self._reload.metrics()
