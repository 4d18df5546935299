"""Worker vitals: what a worker of a Kafka deployment says of its stages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from infra.service.reload import Running, described, rules_metrics
from infra.service.vitals import CROWDED_OUT
from schemas.times import SECOND
from streams.kafka.host import Host
from streams.kafka.job import Figures
from streams.kafka.keyed_part import KeyedPart
from streams.kafka.part import Part
from streams.kafka.raw_part import RawPart

FAR_BEHIND = 100_000  # records of lag from which on a stage is called behind

# What each stage counts, by the name of its metric.
_COUNTED: dict[str, tuple[str, Callable[[Figures], float]]] = {
    "records": ("Records that were taken.", lambda f: f.records),
    "sent": ("Records that were written.", lambda f: f.sent),
    "transactions": ("Transactions that were committed.", lambda f: f.steps),
    "compute_seconds": ("Seconds in steps.", lambda f: f.computing),
    "transaction_seconds": ("Seconds in transactions, side by side.", lambda f: f.saving),
    "rebalances": ("Assignments of partitions.", lambda f: f.rebalances),
    "beginnings": ("How often the stage began anew, the first time too.", lambda f: f.lives),
    "recovery_seconds": ("Seconds in recoveries.", lambda f: f.recovering),
    "recovered_records": ("Records read in recoveries.", lambda f: f.reread),
    "refused_records": ("Rows between stages that were refused.", lambda f: f.refused),
    "expired_records": ("Records that were deleted before they were read.", lambda f: f.lost),
}


class WorkerVitals:
    """`waiting`: why the stages are not there yet; None once they are."""

    def __init__(self, clock: Callable[[], int], rules: Running) -> None:
        self._rules = rules
        self.hosts: Sequence[Host] = ()
        self.waiting: str | None = "starts"
        self._clock = clock

    @property
    def alive(self) -> bool:
        """A worker tries again whatever happens; who does not answer is not alive."""
        return True

    def reasons(self) -> list[str]:
        """Why it is not ready: assignment, recovery, the broker, lag."""
        if self.waiting is not None:
            return [self.waiting]
        found = [f"{h.job.stage}: {problem}" for h in self.hosts if (problem := h.problem)]
        behind = [(h.job.stage, lag) for h in self.hosts if (lag := h.lag) > FAR_BEHIND]
        return found + [f"{stage}: is {lag} records behind" for stage, lag in behind]

    def rules(self) -> dict[str, Any]:
        """Which rules run."""
        return described(self._rules)

    def metrics(self) -> Iterator[Metric]:
        """Its metrics, looked up now."""
        yield from rules_metrics(self._rules)
        parts: list[Part] = [part for host in self.hosts for part in host.parts]
        raw = [part for part in parts if isinstance(part, RawPart)]
        yield from self._of_inputs(raw)
        for name, (what, value) in _COUNTED.items():
            counter = CounterMetricFamily(f"barograph_stage_{name}", what, labels=["stage"])
            for host in self.hosts:
                counter.add_metric([host.job.stage], value(host.figures))
            yield counter
        lag = GaugeMetricFamily(
            "barograph_stage_lag_records", "Records still to be taken.", labels=["stage"]
        )
        held = GaugeMetricFamily(
            "barograph_stage_partitions", "Partitions that are here.", labels=["stage"]
        )
        for host in self.hosts:
            lag.add_metric([host.job.stage], host.lag)
            held.add_metric([host.job.stage], len(host.parts))
        yield from (lag, held)
        keys = GaugeMetricFamily(
            "barograph_state_keys", "Keys that a partition of a stage holds.", labels=["stage"]
        )
        crowded = CounterMetricFamily("barograph_state_crowded_out", CROWDED_OUT, labels=["stage"])
        for part in parts:
            if isinstance(part, KeyedPart):
                keys.add_metric([part.name], part.keys)
                crowded.add_metric([part.name], part.crowded_out)
        yield from (keys, crowded)

    def _of_inputs(self, raw: Sequence[RawPart]) -> Iterator[Metric]:
        for name in ("read", "parsed", "rejected", "late"):
            counter = CounterMetricFamily(
                f"barograph_records_{name}",
                f"Records {name} since the deployment began.",
                labels=["input"],
            )
            for part in raw:
                counter.add_metric([part.name], part.progress.counts()[name])
            yield counter
        delay = GaugeMetricFamily(
            "barograph_watermark_delay_seconds",
            "Wall clock minus the watermark of an input.",
            labels=["input"],
        )
        now = self._clock()
        for part in raw:
            if part.progress.read and part.progress.watermark < now:
                delay.add_metric([part.name], (now - part.progress.watermark) / SECOND)
        yield delay
